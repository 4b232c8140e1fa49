#!/bin/sh
# Consents that are somebody else's, said again, altered or of no known shape:
# none has an effect.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
patients=60
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

# batch SUBJECT SAYS...   on stdout, as a custodian sends it
batch() {
    separator='['
    while [ $# -gt 0 ]; do
        printf '%s{"original":"","reduced":"{\\"consent\\":1,\\"says\\":%s,\\"subject\\":\\"%s\\"}"}' \
            "$separator" "$2" "$1"
        separator=,
        shift 2
    done
    printf ']'
}
permit_all='{\"base\":\"permit\",\"rule\":{\"type\":\"permit\"},\"status\":\"active\"}'

# said_count SUBJECT   how often this subject has spoken, by the broker
said_count() {
    say north.custodian broker said "text:$1"
    yes
    grep -o '"position"' "$work/out" | wc -l
}
# wish_of SUBJECT   the newest: "withdrawn" or "says"
wish_of() {
    say north.custodian broker said "text:$1"
    yes
    grep -oE '"(withdrawn|says)"' "$work/out" | tail -n 1 | tr -d '"'
}
# entries   how many consents and withdrawals of the organisation the log has
entries() {
    until_true 10 "all nodes have the same" all_equal
    "$BIN/anchorite" ledger history narrowed/north --dir "$dir" | wc -l
}

road_up
road_filled
who_permits >"$work/permits"
mine=$(subject "$(head -n 1 "$work/permits")")
[ "${#mine}" -eq 32 ] || fail "no subject id: $mine"
refuser=$(sed -n 's/.*"value":"\(P[0-9]*\)".*/\1/p' "$consents" | sort -u |
    comm -23 - "$work/permits" | head -n 1)
other=$(subject "$refuser")
[ "${#other}" -eq 32 ] || fail "no subject id: $other"
batch "$other" "$permit_all" >"$work/batch"

story "a custodian of another organisation, and a patient, speak for nobody"
new_user north someone patient
enrol north.hospital-manager north.someone
done_well
before=$(said_count "$other")
size=$(entries)
for who in south.custodian north.someone institute.research-institute \
    north.anonymizer; do
    say "$who" broker consents "upload:$work/batch"
    no 4 "may not ask for"
    say "$who" broker withdraw "text:$mine"
    no 4 "may not ask for"
    say "$who" broker said "text:$mine"
    no 4 "may not ask for"
    say "$who" anonymizer events "text:$mine"
    no 4 "may not ask for"
    say "$who" anonymizer erase "text:$mine"
    no 4 "may not ask for"
done
[ "$(entries)" -eq "$size" ] || fail "the log has grown"

story "another organisation's broker writes consents for itself alone"
salt=$(hex 32)
printf '{"consents":%s,"statement":"consents 1"}' "$(cat "$work/batch")" \
    >"$work/statement"
submit south.broker consent \
    "{\"commitment\":\"$(commitment "$salt" "$work/statement")\"}"
done_well
foreign=$(field id)
say north.custodian broker resolve "hex:$foreign" "hex:$salt" \
    "file:$work/statement"
no 2 "waits for its statement"
[ "$(said_count "$other")" -eq "$before" ] || fail "it has an effect"

story "the same upload again is the same entry"
id=$(hex 16)
say north.custodian broker part "hex:$id" number:0 "file:$work/batch"
yes
say south.custodian broker consents "hex:$id"
no 4 ""
say north.custodian broker consents "hex:$id"
yes
cp "$work/out" "$work/first"
recorded=$(result id) position=$(result position)
size=$(entries)
say north.custodian broker consents "hex:$id"
yes
cmp -s "$work/out" "$work/first" || fail "another: $(cat "$work/out")"
[ "$(entries)" -eq "$size" ] || fail "the log has grown"
[ "$(wish_of "$other")" = says ] || fail "it was not recorded"

story "a consent that was taken back does not come again by its entry's bytes"
say north.custodian broker withdraw "text:$other"
yes
[ "$(wish_of "$other")" = withdrawn ] || fail "not withdrawn"
ask_copy broker "SELECT writefile('$work/entry', entry),
    writefile('$work/signatures', signatures) FROM own
    WHERE id = x'$recorded'" >/dev/null
size=$(entries)
for who in north.broker south.auditor; do
    "$BIN/tests/hand_in" submit "$dir" "$who" "$work/entry" "$work/signatures" \
        >"$work/out" 2>"$work/err" || fail "again: $(cat "$work/err")"
    [ "$(cat "$work/out")" = "valid $position" ] || fail "$(cat "$work/out")"
done
[ "$(entries)" -eq "$size" ] || fail "the log has grown"
[ "$(wish_of "$other")" = withdrawn ] || fail "it permits again"

story "altered after it was signed it is nobody's"
sed "s/\"commitment\":\"[0-9a-f]*/\"commitment\":\"$commitment/" "$work/entry" \
    >"$work/altered"
code=0
"$BIN/tests/hand_in" submit "$dir" north.broker "$work/altered" \
    "$work/signatures" >"$work/out" 2>"$work/err" || code=$?
no 4 ""
[ "$(entries)" -eq "$size" ] || fail "the log has grown"

story "of an unknown shape it is refused with all that came with it"
before=$(said_count "$mine")
for shape in '{\"base\":\"permit\",\"rule\":{\"type\":\"permit\"},\"status\":\"active\",\"until\":1}' \
    '{\"base\":\"permit\",\"rule\":{\"type\":\"allow\"},\"status\":\"active\"}' \
    '{\"base\":\"permit\",\"rule\":{\"type\":\"permit\"}}' \
    '{\"rule\":{\"type\":\"permit\"},\"base\":\"permit\",\"status\":\"active\"}'; do
    batch "$mine" "$permit_all" "$other" "$shape" >"$work/batch"
    say north.custodian broker consents "upload:$work/batch"
    no 2 ""
done
for text in '[]' '{}' '[{"original":"","reduced":7}]' 'no JSON'; do
    printf '%s' "$text" >"$work/batch"
    say north.custodian broker consents "upload:$work/batch"
    no 2 ""
done
say north.custodian broker consents "hex:$(hex 16)"
no 2 ""
[ "$(said_count "$mine")" -eq "$before" ] || fail "half of a batch went in"
[ "$(entries)" -eq "$size" ] || fail "the log has grown"

story "a patient's own entry counts only for whom the custodian finds it to be"
salt=$(hex 32)
printf '{"consents":%s,"statement":"consents 1"}' \
    "$(batch "$other" "$permit_all")" >"$work/statement"
submit north.someone consent \
    "{\"commitment\":\"$(commitment "$salt" "$work/statement")\"}"
done_well
patients_own=$(field id)
[ "$(wish_of "$other")" = withdrawn ] || fail "it permits by itself"
road_approved
anchorite release "$request"
no 4 ""
sed "s/$other/$mine/" "$work/statement" >"$work/altered"
say north.custodian broker resolve "hex:$patients_own" "hex:$salt" \
    "file:$work/altered"
no 4 "does not commit"
say north.custodian broker resolve "hex:$patients_own" "hex:$(hex 32)" \
    "file:$work/statement"
no 4 "does not commit"
say south.custodian broker resolve "hex:$patients_own" "hex:$salt" \
    "file:$work/statement"
no 4 ""
[ "$(wish_of "$other")" = withdrawn ] || fail "it permits"

nothing_of_patients
