#!/bin/sh
# A broker permits a patient who has said nothing.  Nobody can see that in time:
# what it attests is on its word.  But its permit commits to the list, and the
# list names an entry for each subject: an auditor with the broker's papers finds
# the one for whom there is none.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

# audit   of the permit of $request, by what the broker hands out and the log
# has: who stands in $work/without, the entry that is said to permit them does
# not commit to a word of theirs
audit() {
    ask_copy broker "SELECT writefile('$work/list', list),
        writefile('$work/permit', statement) FROM permit, own
        WHERE permit.request = x'$request' AND own.id = permit.id" >/dev/null
    ask_copy broker "SELECT lower(hex(permit.id)), lower(hex(seed)),
        lower(hex(salt)) FROM permit, own WHERE permit.request = x'$request'
        AND own.id = permit.id" | tr '|' ' ' >"$work/ids"
    read -r permit seed salt <"$work/ids"
    run ledger show "$permit" --dir "$dir"
    done_well
    grep -qF "\"commitment\": \"$(commitment "$salt" "$work/permit")\"" \
        "$work/out" || fail "the permit does not commit to its statement"
    "$BIN/tests/permit_list" "$work/list" "$seed" >"$work/audited"
    grep -qF "\"root\":\"$(head -n 1 "$work/audited")\"" "$work/permit" ||
        fail "the permit does not commit to its list"
    sed 1d "$work/audited" | sort >"$work/named"
    : >"$work/spoken"
    cut -d ' ' -f 2 "$work/named" | sort -u >"$work/positions"
    while read -r position; do
        entry_speaks "$position"
    done <"$work/positions"
    sort -u "$work/spoken" | comm -23 "$work/named" - | cut -d ' ' -f 1 \
        >"$work/without"
}
# entry_speaks POSITION   whose words it commits to, as "subject position"
entry_speaks() {
    run ledger show "$1" --dir "$dir"
    done_well
    grep -q '"type": "consent"' "$work/out" && [ "$(field verdict)" = valid ] ||
        return 0
    salt=$(ask_copy broker "SELECT lower(hex(salt)) FROM own
        WHERE settled AND position = $1 AND
        writefile('$work/statement', statement) > 0")
    grep -qF "\"commitment\": \"$(commitment "$salt" "$work/statement")\"" \
        "$work/out" || return 0
    grep -o 'subject\\":\\"[0-9a-f]*' "$work/statement" | grep -o '[0-9a-f]*$' |
        sed "s/\$/ $1/" >>"$work/spoken"
}

# released_rows   of the release of $request
released_rows() {
    anchorite release "$request"
    done_well
    release=$(result release)
    anchorite release fetch "$release" --output "$work/$release.csv"
    done_well
    run verify "$work/$release.csv" "$work/$release.csv.certificate.json" \
        --trust "$dir/trust.json"
    [ "$code" -eq 0 ] || fail "verify: $(cat "$work/out" "$work/err")"
    permitted=$(sed -n 's/^ *permitted *\([0-9]*\) subjects$/\1/p' "$work/out")
}

road_up
road_filled

story "an honest broker's permit rests on an entry for everybody"
road_approved
released_rows
honest=$permitted
audit
[ ! -s "$work/without" ] || fail "without an entry: $(cat "$work/without")"
[ "$(wc -l <"$work/named")" -eq "$honest" ] || fail "$(wc -l <"$work/named")"

story "one who has said nothing is permitted, and released"
sed -n 's/.*"value":"\(P[0-9]*\)".*/\1/p' "$consents" | sort -u >"$work/spoke"
silent=$(sed 1d "$table" | cut -d, -f1 | sort | comm -23 - "$work/spoke" | head -n 1)
[ -n "$silent" ] || fail "everybody has spoken"
key=$(od -An -v -tx1 -N32 "$dir/users/north.custodian/subject.key" | tr -d ' \n')
printf 'north\0%s' "$silent" >"$work/message"
added=$(commitment "$key" "$work/message" | cut -c 1-32)
pid=$(pid_of broker)
kill -TERM "$pid"
until_true 10 "the broker ends" is_gone "$pid"
sqlite3 "$dir/broker/state.db" "INSERT INTO said SELECT x'$added', position, wish
    FROM said WHERE subject = (SELECT substr(list, 1, 16) FROM permit);
    INSERT INTO said_at SELECT position, subject FROM said
    WHERE subject = x'$added'"
run network up --dir "$dir"
done_well
anchorite ingest "$table" --policy "$policy"
done_well
dataset=$(result dataset)
road_approved
released_rows
[ "$permitted" -eq $((honest + 1)) ] ||
    fail "$permitted are permitted, $honest were"

story "the audit names them, and nobody else"
audit
[ "$(cat "$work/without")" = "$added" ] ||
    fail "without an entry: $(cat "$work/without")"

story "and the patient sees that they were read"
echo "$silent" >"$work/number"
anchorite history --patient-file "$work/number"
done_well
grep -q ' open ' "$work/out" || fail "history: $(cat "$work/out")"

nothing_of_patients
