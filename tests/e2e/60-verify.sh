#!/bin/sh
# anchorite verify: yes from a copy of three files, and each kind of no.  What
# certificates can be wrong in is in tests/unit/test_attestation.c; this is about
# the command.
set -eu
. tests/e2e/lib.sh

cat >"$work/policy.json" <<'END'
{
  "policy": 1,
  "name": "ward-k2",
  "attributes": {
    "patient": {"role": "subject"},
    "zip": {"role": "quasi-identifying"},
    "sex": {"role": "quasi-identifying"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [
    {"model": "k-anonymity", "k": 2},
    {"model": "distinct-l-diversity", "attribute": "illness", "l": 2}
  ],
  "suppressed_rows": "drop"
}
END
cat >"$work/release.csv" <<'END'
zip,sex,illness
1,f,flu
2,m,gout
2,m,flu
1,f,cold
2,m,SECRETVALUE42
END
"$BIN/tests/certify" "$work" "$work/policy.json" "$work/release.csv" ,
copy=$work/elsewhere
mkdir "$copy"
cp "$work/release.csv" "$work/certificate.json" "$work/trust.json" "$copy"

cd "$copy"

story "three files are enough, without a network and a home"
run verify release.csv certificate.json --trust trust.json
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
for words in 'recomputed from the file:' 'proven by log ' 'attested, that is:' \
    'broker-of-north, broker of north:' \
    'anonymizer-of-north, anonymizer of north:' 'classes     2 of 2 to 3 rows'; do
    grep -qF -- "$words" "$work/out" ||
        fail "no \"$words\" in: $(cat "$work/out")"
done
grep -q 'all keys were on one machine' "$work/err" ||
    fail "it does not say that it is a demonstration: $(cat "$work/err")"
! grep -q "$marker" "$work/out" "$work/err" || fail "a cell is told"

story "the release may come through a pipe"
code=0
"$BIN/anchorite" verify - certificate.json -t trust.json <release.csv \
    >"$work/out" 2>"$work/err" || code=$?
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
code=0
# shellcheck disable=SC2002 # it is the pipe that is tried
cat release.csv | "$BIN/anchorite" verify - certificate.json -t trust.json \
    >"$work/out" 2>"$work/err" || code=$?
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"

story "one object for programs"
run verify release.csv certificate.json --trust trust.json --json
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
sum=$(sha256sum release.csv | cut -d ' ' -f 1)
for words in '"verified": true' '"demo": true' "\"output_sha256\": \"$sum\"" \
    '"k": 2' '"highest": 0.5' '"average": 0.4' '"quorum": 2' \
    '"cosigned_at": "2027-01-15T08:01:00.000Z"' \
    '"cosigned_before_end": true' '"name": "broker-of-north"' \
    '"optimal": true'; do
    grep -qF -- "$words" "$work/out" ||
        fail "no $words in: $(cat "$work/out")"
done
grep -q 'all keys were on one machine' "$work/err" ||
    fail "it does not say that it is a demonstration: $(cat "$work/err")"

story "a changed cell: no, and which check says so"
sed 's/gout/flu/' release.csv >changed.csv
run verify changed.csv certificate.json --trust trust.json
refused 1 "changed.csv is not verified: digest: "
run verify changed.csv certificate.json --trust trust.json --json
[ "$code" -eq 1 ] || fail "exit code $code"
for words in '"verified": false' '"failed": "digest"' '"why": "digest: '; do
    grep -qF -- "$words" "$work/out" ||
        fail "no $words in: $(cat "$work/out")"
done

story "a foreign trust file: no"
mkdir foreign
"$BIN/tests/certify" foreign "$work/policy.json" release.csv ,
run verify release.csv certificate.json --trust foreign/trust.json
refused 1 "log: request: cosignatures: 0 of the trusted nodes"
run verify release.csv foreign/certificate.json --trust trust.json
refused 1 "log: request: cosignatures: "

story "a byte of the certificate: no, or no certificate"
sed -E 's/("sig":".{20})A/\1B/; t; s/("sig":".{20})./\1A/' certificate.json \
    >flipped.json
! cmp -s certificate.json flipped.json || fail "nothing was flipped"
run verify release.csv flipped.json --trust trust.json
refused 1 "release.csv is not verified: certificate: "

story "what cannot be read is another matter"
run verify missing.csv certificate.json --trust trust.json
refused 2 "missing.csv"
run verify release.csv missing.json --trust trust.json
refused 2 "missing.json"
run verify release.csv certificate.json --trust missing.json
refused 2 "missing.json"
run verify release.csv release.csv --trust trust.json
refused 2 "release.csv: line 1"
run verify release.csv certificate.json --trust certificate.json
refused 2 "certificate.json: line 1"
run verify release.csv certificate.json
refused 2 "--trust is missing"
run verify release.csv --trust trust.json
refused 2 "a release and its certificate, not 1 files"
