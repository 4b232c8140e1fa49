#!/bin/sh
# Who is refused on the road to a release, and how it is said.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

# refused_with CODE   the last command, in one line, without a patient's number
refused_with() {
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/out" "$work/err")"
    [ ! -s "$work/out" ] || fail "on stdout: $(cat "$work/out")"
    ! grep -q 'P0000' "$work/err" || fail "a number is told: $(cat "$work/err")"
}

road_up
hospital

story "nobody has consented"
anchorite ingest "$table" --policy "$policy"
done_well
dataset=$(result dataset)
road_approved
anchorite release "$request"
refused_with 4

story "no request without a dataset, or of somebody who may not ask"
anchorite request --dataset "$commitment" --purpose DUO:0000042 \
    --policy "$policy"
refused_with 4
anchorite request --dataset "$dataset" --purpose DUO:0000042 \
    --policy "$policy" --as north.custodian
refused_with 4
anchorite request --dataset "$dataset" --purpose DUO:0000099 \
    --policy "$policy"
refused_with 2

story "no release without approval, and none of what was rejected"
anchorite consent import "$consents"
done_well
road_requested
anchorite release "$request"
refused_with 4
anchorite approve "$request" --as institute.research-institute
refused_with 4
anchorite approve "$request" --as south.custodian
[ "$code" -ne 0 ] || fail "another organisation's custodian approves"
anchorite reject "$request"
done_well
anchorite release "$request"
refused_with 4
anchorite approve "$request"
refused_with 4

story "a policy that nothing can satisfy is an honest no"
sed 's/"k": 5/"k": 5000/; s|hierarchies/|'"$PWD"'/policies/hierarchies/|' \
    "$policy" >"$work/strict.json"
anchorite request --dataset "$dataset" --purpose DUO:0000042 \
    --policy "$work/strict.json"
done_well
request=$(result request)
anchorite approve "$request"
done_well
anchorite release "$request"
refused_with 1

story "another institute sees and fetches nothing"
road_approved
anchorite release "$request"
done_well
release=$(result release)
new_user institute other research-institute
enrol institute.hospital-manager institute.other
done_well
anchorite requests --as institute.other
done_well
[ ! -s "$work/out" ] || fail "it sees: $(cat "$work/out")"
anchorite release fetch "$release" --output "$work/stolen.csv" \
    --as institute.other
refused_with 4
anchorite release fetch "$release" --output "$work/stolen.csv" \
    --as north.custodian
refused_with 4
[ ! -e "$work/stolen.csv" ] || fail "it has the table"

story "what somebody permits who is not in the dataset makes it no other one"
who_permits >"$work/permits"
# Its last resource is the one that counts.
grep "\"value\":\"$(head -n 1 "$work/permits")\"" "$consents" | tail -n 1 |
    sed 's/"value":"P[0-9]*"/"value":"P987654321"/; s/"id":"[^"]*"/"id":"else"/' \
        >"$work/else.ndjson"
anchorite consent import "$work/else.ndjson"
done_well
road_approved
anchorite release "$request"
done_well
cmp "$dir/anonymizer/releases/$release/release.csv" \
    "$dir/anonymizer/releases/$(result release)/release.csv" ||
    fail "it is another file"

story "resources that cannot be evaluated are named, the others go in"
sed -n 1p "$consents" | sed 's/"id":"[^"]*"/"id":"again"/' >"$work/some.ndjson"
sed -n 1p "$consents" | sed 's/"id":"[^"]*"/"id":"new"/;
    s/"type":"permit",/"type":"permit","dataPeriod":{"start":"2020"},/' \
    >>"$work/some.ndjson"
echo '{' >>"$work/some.ndjson"
sed -n 1p "$consents" | sed 's/hospital:psn/passport/' >>"$work/some.ndjson"
anchorite consent import "$work/some.ndjson"
[ "$code" -eq 2 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"
[ "$(result recorded)" -eq 1 ] && [ "$(result refused)" -eq 3 ] ||
    fail "counts: $(cat "$work/out")"
grep -q 'line 2: consent: provision.dataPeriod' "$work/err" || fail "$(cat "$work/err")"
grep -q 'line 4: patient.identifier.system' "$work/err" ||
    fail "$(cat "$work/err")"
! grep -q 'P0000' "$work/err" || fail "a number is told: $(cat "$work/err")"

story "a table with two rows of one patient, or none that says whose"
{
    cat "$table"
    sed -n 2p "$table"
} >"$work/twice.csv"
anchorite ingest "$work/twice.csv" --policy "$policy"
refused_with 2
sed '3s/^P[0-9]*//' "$table" >"$work/nobody.csv"
anchorite ingest "$work/nobody.csv" --policy "$policy"
refused_with 2

story "one patient's number, no more and no less"
printf 'P000000001\nP000000002\n' >"$work/number"
anchorite consent withdraw --patient-file "$work/number"
refused_with 2
: >"$work/number"
anchorite history --patient-file "$work/number"
refused_with 2
anchorite consent withdraw
[ "$code" -eq 2 ] || fail "exit code $code"

nothing_of_patients
