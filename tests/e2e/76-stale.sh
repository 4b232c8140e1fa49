#!/bin/sh
# A patient withdraws at a node while the release entry of a permit that names
# them is on its way: the log has that entry as stale, and the release that is
# published is without them.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

in_state() { # STATE
    say north.custodian broker release "hex:$request"
    [ "$(result state)" = "$1" ]
}
# of_type TYPE   position, verdict and id of the log's entries of a type
of_type() {
    until_true 10 "all nodes have the same" all_equal
    at=0
    while "$BIN/anchorite" ledger show "$at" --dir "$dir" >"$work/shown" 2>&1; do
        ! grep -q "^ *\"type\": \"$1\"" "$work/shown" ||
            echo "$at $(sed -n 's/^verdict  *//p' "$work/shown")" \
                "$(sed -n 's/^id  *//p' "$work/shown")"
        at=$((at + 1))
    done
}

road_up
road_filled
who_permits >"$work/permits"
new_user north someone patient
enrol north.hospital-manager north.someone
done_well
gone=$(head -n 1 "$work/permits")
mine=$(subject "$gone")
[ "${#mine}" -eq 32 ] || fail "no subject id: $mine"

story "the release is ready to be signed"
road_approved
until_true 20 "an entry to sign" in_state endorse
entry=$(result entry)
sqlite3 :memory: "SELECT writefile('$work/entry', x'$entry')" >/dev/null
"$BIN/tests/hand_in" sign "$dir" north.custodian "$work/entry" |
    grep -o '"signature":"[^"]*"' | cut -d '"' -f 4 | openssl base64 -d -A \
    >"$work/signature"
draft=$(sha256sum "$work/entry" | cut -c 1-64)

story "signed by the custodian it waits for the anonymizer; meanwhile a patient withdraws"
kill_node anonymizer STOP
"$BIN/tests/say" "$dir" north.custodian broker endorse "hex:$request" \
    "hex:$draft" "file:$work/signature" >"$work/endorsed" 2>&1 &
other=$!
others=$other
sleep 2 # less than the broker waits for an answer
salt=$(hex 32)
printf '{"statement":"withdraw 1","subject":"%s"}' "$mine" >"$work/statement"
submit north.someone withdraw \
    "{\"commitment\":\"$(commitment "$salt" "$work/statement")\"}"
done_well
withdrawal=$(field id) position=$(field position)
kill_node anonymizer CONT
wait "$other" || :
others=""
of_type release >"$work/releases"
[ "$(cut -d ' ' -f 2- "$work/releases")" = "stale $draft" ] ||
    fail "releases in the log: $(cat "$work/releases") $(cat "$work/endorsed")"
[ "$(cut -d ' ' -f 1 "$work/releases")" -gt "$position" ] ||
    fail "the release was first"

story "until it is known who withdrew, nothing is released"
anchorite release "$request"
no 4 ""
[ -z "$(ls "$dir/anonymizer/releases")" ] || fail "there is a release"

story "then there is a new permit, and the release is without them"
say north.custodian broker resolve "hex:$withdrawal" "hex:$salt" \
    "file:$work/statement"
yes
[ "$(result position)" -eq "$position" ] || fail "$(cat "$work/out")"
anchorite release "$request"
done_well
release=$(result release)
of_type permit >"$work/permitted"
[ "$(grep -c ' valid ' "$work/permitted")" -eq 2 ] ||
    fail "permits: $(cat "$work/permitted")"
of_type release >"$work/releases"
[ "$(cut -d ' ' -f 2 "$work/releases")" = "stale
valid" ] || fail "releases in the log: $(cat "$work/releases")"
anchorite release fetch "$release" --output "$work/release.csv"
done_well
run verify "$work/release.csv" "$work/release.csv.certificate.json" \
    --trust "$dir/trust.json"
[ "$code" -eq 0 ] || fail "verify: $(cat "$work/out" "$work/err")"
[ "$(sed -n 's/^ *permitted *\([0-9]*\) subjects$/\1/p' "$work/out")" -eq \
    "$(($(wc -l <"$work/permits") - 1))" ] || fail "$(cat "$work/out")"
cells "$work/release.csv" >"$work/released"
sed 1d "$work/permits" | sed 's/$/,/' >"$work/lines"
{
    head -n 1 "$table"
    grep -F -f "$work/lines" "$table"
} >"$work/allowed.csv"
cells "$work/allowed.csv" >"$work/allowed"
[ -z "$(comm -13 "$work/allowed" "$work/released")" ] ||
    fail "a row of somebody else"
echo "$gone" >"$work/number"
anchorite history --patient-file "$work/number"
done_well
! grep -q "$release" "$work/out" || fail "they are in the release"

story "the stale one, and the one that counts, are in every node's audit"
for node in node1 node2 node3; do
    run audit --dir "$dir/$node"
    [ "$code" -eq 0 ] || fail "audit of $node: $(cat "$work/out" "$work/err")"
done

nothing_of_patients
