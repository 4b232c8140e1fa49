#!/bin/sh
# The anonymizer is killed at each state of a job, the broker at each state of a
# proposal, the leader while a release entry is on its way: the same bytes, one
# permit, one release entry, one publication.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
patients=80
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/tests/strike" ] || skip "tests/strike is not built"

released() {
    anchorite release "$request" --timeout 5
    [ "$code" -eq 0 ]
}
again() {
    "$BIN/anchorite" network up --dir "$dir" >/dev/null 2>"$work/up" ||
        fail "up: $(cat "$work/up")"
}
has() { # FILE WORDS
    grep -q "$2" "$1"
}

# A table that was not released yet: its release is not one that is repeated.
new_release() {
    anchorite ingest "$table" --policy "$policy"
    done_well
    dataset=$(result dataset)
    road_approved
}

# killed_at ROLE WORDS [SEAT]   SEAT, or whoever has that role, is killed when
# its log says so
killed_at() {
    rm -f "$work/strikes"
    "$BIN/tests/strike" "$dir/$1/log" "$2" "$(pid_of "${3:-$1}")" 9 \
        >"$work/strikes" &
    striker=$!
    until_true 10 "it watches" has "$work/strikes" ready
    "$BIN/anchorite" release "$request" --dir "$dir" --timeout 5 \
        >"$work/driven" 2>&1 &
    other=$!
    others="$striker $other"
    wait "$striker" || fail "the log never said \"$2\": $(cat "$work/driven")"
}
# over   whoever drove the release is done, or goes now
over() {
    kill "$other" 2>/dev/null || :
    wait "$other" || :
    others=""
}

job() { # COLUMNS
    ask_copy anonymizer "SELECT $1 FROM job WHERE request = x'$request'"
}
# once   one permit, one valid release entry, one publication of this request
once() {
    [ "$(job 'count(*)')" -eq 1 ] || fail "jobs: $(job 'hex(permit), state')"
    [ "$(ask_copy broker "SELECT count(*) FROM permit
        WHERE request = x'$request'")" -eq 1 ] || fail "several permits"
    [ "$(ask_copy broker "SELECT count(*) FROM own WHERE settled AND verdict = 0
        AND json_extract(CAST(entry AS TEXT), '$.payload.permit') =
            (SELECT lower(hex(id)) FROM permit WHERE request = x'$request')")" \
        -eq 1 ] || fail "not one release entry"
    publications=$((publications + 1))
    [ "$(find "$dir/anonymizer/releases" -name release.csv | wc -l)" -eq \
        "$publications" ] || fail "$(ls -R "$dir/anonymizer/releases")"
    [ -z "$(ls "$dir/anonymizer/jobs")" ] || fail "jobs were left"
}
digest_of() { # FILE
    sha256sum "$1" | cut -d ' ' -f 1
}

road_up
hospital
anchorite consent import "$consents"
done_well
publications=0

number=0
for state in received permitted loaded found rechecked proposed anchored \
    published; do
    story "the anonymizer is killed when its job is $state"
    tries=5
    while :; do
        new_release
        killed_at anonymizer ": $state"
        until_true 10 "it is dead" is_gone "$(pid_of anonymizer)"
        [ "$(job state)" -ne "$number" ] || break
        # It was faster than we: it goes on all the same.
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "never killed while $state"
        again
        over
        until_true 40 "it is published" released
        once
    done
    before=$(job 'release, hex(sealed), hex(permit)')
    folder=$dir/anonymizer/jobs/$(job 'lower(hex(permit))')
    digest=
    if [ -e "$folder/release.csv" ]; then
        digest=$(digest_of "$folder/release.csv")
        # Lost, it is made again.
        [ "$state" != rechecked ] || rm "$folder/release.csv"
    fi
    case $state in
    rechecked | proposed)
        [ -n "$digest" ] || fail "no file: $(ls -l "$folder")"
        ;;
    esac
    again
    over
    until_true 40 "it is published" released
    [ "$(job 'release, hex(sealed), hex(permit)')" = "$before" ] ||
        fail "another job: $(job 'release, hex(permit), state')"
    release=$(result release)
    made=$(digest_of "$dir/anonymizer/releases/$release/release.csv")
    [ "${digest:-$made}" = "$made" ] || fail "other bytes"
    once
    anchorite release fetch "$release" --output "$work/release.csv"
    done_well
    run verify "$work/release.csv" "$work/release.csv.certificate.json" \
        --trust "$dir/trust.json"
    [ "$code" -eq 0 ] || fail "verify: $(cat "$work/out" "$work/err")"
    rm "$work"/release.csv*
    number=$((number + 1))
done

for state in permitting permitted working endorse proposed released published; do
    story "the broker is killed when the release is $state"
    new_release
    killed_at broker ": $state"
    until_true 10 "it is dead" is_gone "$(pid_of broker)"
    again
    over
    until_true 40 "it is published" released
    once
done

story "the leader is killed while the release entry is on its way to the log"
new_release
killed_at broker ": proposed" "$(leader)"
over
again
until_true 40 "it is published" released
once

story "a withdrawal of which the log knows, and the broker not yet"
settled() {
    anchorite consent show --patient-file "$work/number"
    [ "$code" -eq 0 ] &&
        [ "$(ask_copy broker 'SELECT count(*) FROM pending')" -eq 0 ]
}
who_permits >"$work/permits"
tries=5
while :; do
    gone=$(head -n 1 "$work/permits")
    sed -i 1d "$work/permits"
    mine=$(subject "$gone")
    until_true 10 "all nodes have the same" all_equal
    size=$(status_of node1 | cut -d ' ' -f 2)
    kill_node broker STOP
    echo "$gone" | "$BIN/anchorite" consent withdraw --patient-file - \
        --dir "$dir" --timeout 20 >"$work/driven" 2>&1 &
    other=$!
    others=$other
    # A little at a time, until what it has handed in is in the log: the answer
    # comes to a broker that stands still.
    steps=2000
    while ! "$BIN/anchorite" ledger show "$size" --dir "$dir" \
        >"$work/shown" 2>&1; do
        steps=$((steps - 1))
        [ "$steps" -gt 0 ] || fail "nothing was handed in"
        kill_node broker CONT
        sleep 0.002
        kill_node broker STOP
    done
    kill_node broker KILL
    until_true 10 "it is dead" is_gone "$(pid_of broker)"
    kill "$other" 2>/dev/null || :
    over
    if grep -q '"type": "withdraw"' "$work/shown" &&
        [ "$(ask_copy broker 'SELECT count(*) FROM pending')" -eq 1 ]; then
        break
    fi
    # Access events were first, or it was faster than we.  What is pending is
    # finished before the next one, or that one would stand behind it.
    again
    echo "$gone" >"$work/number"
    until_true 10 "nothing is pending" settled
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "never killed in between"
done
applied() { # AT-LEAST   how often, from that position on
    ask_copy broker "SELECT count(*) FROM said WHERE subject = x'$mine'
        AND position >= $1"
}
[ "$(applied "$size")" -eq 0 ] || fail "it was applied"

story "what is applied then is what the log has a commitment to, and nothing else"
cp "$dir"/broker/state.db* "$work"
somebody=$(subject "$(head -n 1 "$work/permits")")
sqlite3 "$dir/broker/state.db" "UPDATE own SET statement = CAST(
    replace(CAST(statement AS TEXT), '$mine', '$somebody') AS BLOB)
    WHERE number IN (SELECT number FROM pending)"
again
echo "$gone" >"$work/number"
anchorite consent show --patient-file "$work/number"
[ "$code" -ne 0 ] || fail "it goes on: $(cat "$work/out")"
grep -q 'altered' "$work/err" "$dir/broker/log" || fail "$(cat "$work/err")"
kill_node broker KILL
until_true 10 "it is dead" is_gone "$(pid_of broker)"
[ "$(ask_copy broker "SELECT count(*) FROM said WHERE subject = x'$somebody'
    AND position >= $size")" -eq 0 ] || fail "somebody else has withdrawn"
rm "$dir"/broker/state.db*
mv "$work"/state.db* "$dir/broker"
again
anchorite consent withdraw --patient-file "$work/number"
done_well
[ "$(result position)" -eq "$size" ] || fail "withdrawn twice: $(cat "$work/out")"
[ "$(applied "$size")" -eq 1 ] || fail "not applied, or twice"

nothing_of_patients
