#!/bin/sh
# Withdrawals while a release is made, as fast as they come: those of others cost
# no permit, and whoever withdrew before the release entry is not in the release.
# Every order of both, step by step, is in tests/unit/test_proposal.c.
#
#   ROUNDS=20   releases (6)
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
patients=120
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

new_release() {
    anchorite ingest "$table" --policy "$policy"
    done_well
    dataset=$(result dataset)
    road_approved
}
# released   position of the valid release entry of $request
released() {
    ask_copy broker "SELECT position FROM own WHERE settled AND verdict = 0
        AND json_extract(CAST(entry AS TEXT), '$.payload.permit') =
        (SELECT lower(hex(permit)) FROM release WHERE request = x'$request')"
}
permits() { # COLUMNS   of the request's permits
    ask_copy broker "SELECT $1 FROM permit JOIN own USING (id)
        WHERE request = x'$request'"
}

road_up
road_filled
who_permits >"$work/permits"

story "five others withdraw each second"
tries=5
while :; do
    new_release
    # Numbers of nobody who is in the table; each withdraws once.
    (
        number=$((tries * 1000000))
        until [ -e "$work/enough" ]; do
            number=$((number + 1))
            echo "P$number" | "$BIN/anchorite" consent withdraw \
                --patient-file - --dir "$dir" >>"$work/others" 2>&1 &
            sleep 0.2
            wait $!
        done
    ) &
    other=$!
    others=$other
    sleep 1
    anchorite release "$request"
    : >"$work/enough"
    wait "$other"
    others=""
    rm "$work/enough"
    done_well
    [ "$(permits 'count(*)')" -eq 1 ] || fail "it was begun again"
    permit=$(permits position)
    release=$(released)
    sed -n 's/^position  *//p' "$work/others" |
        awk -v permit="$permit" -v release="$release" \
            '$1 > permit && $1 < release { n++ } END { exit !n }' && break
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "none came between permit and release"
done

story "one whom the permit names withdraws at any moment of it"
round=0 before=0 behind=0
while [ "$round" -lt "${ROUNDS:-6}" ]; do
    new_release
    gone=$(head -n 1 "$work/permits")
    sed -i 1d "$work/permits"
    mine=$(subject "$gone")
    pause=$(($(od -An -N2 -tu2 /dev/urandom) % 1200))
    pause=$((pause / 1000)).$(printf %03d $((pause % 1000)))
    "$BIN/anchorite" release "$request" --dir "$dir" >"$work/driven" 2>&1 &
    other=$!
    others=$other
    sleep "$pause"
    withdraw "$gone"
    wait "$other" || fail "after $pause s: $(cat "$work/driven")"
    others=""
    withdrawn=$(sed -n 's/^position  *//p' "$work/withdrawn")
    position=$(released)
    listed=$(ask_copy broker "SELECT instr(list, x'$mine') > 0 FROM permit
        WHERE id = (SELECT permit FROM release WHERE request = x'$request')")
    echo "  $pause s: withdrawn at $withdrawn, released at $position," \
        "permits: $(permits 'count(*)'), named: $listed"
    if [ "$withdrawn" -lt "$position" ]; then
        [ "$listed" -eq 0 ] || fail "who withdrew before is in the release"
        before=$((before + 1))
    else
        behind=$((behind + 1))
    fi
    round=$((round + 1))
done
echo "  before the release: $before, behind it: $behind"

nothing_of_patients
