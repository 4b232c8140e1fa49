#!/bin/sh
# Hierarchies that a policy describes: a release by them, its recheck, the file
# that `hierarchy build` makes of them, and what is refused.
set -eu
. tests/e2e/lib.sh

cat >"$work/policy.json" <<'END'
{
  "policy": 1,
  "attributes": {
    "name": {"role": "identifying"},
    "age": {"role": "quasi-identifying", "type": "integer", "hierarchy": {
      "build": "interval", "label": "bounds", "groups": [[2]],
      "intervals": [{"min": 0, "max": 10}], "lower": {"bound": 0},
      "upper": {"code": 80, "bound": 120}}},
    "zip": {"role": "quasi-identifying", "hierarchy": {"build": "redaction"},
      "min_level": 1, "max_level": 3},
    "seen": {"role": "quasi-identifying", "type": "date",
      "format": "dd.MM.yyyy", "hierarchy": {
        "build": "date", "granularities": ["month", "quarter", "year"]}},
    "illness": {"role": "sensitive", "hierarchy": {
      "build": "order", "order": ["cold", "flu", "gout", "stroke"],
      "groups": [[2]], "missing": "unknown"}}
  },
  "privacy": [
    {"model": "k-anonymity", "k": 2},
    {"model": "t-closeness-hierarchical", "attribute": "illness", "t": 0.9}
  ]
}
END
cat >"$work/table.csv" <<'END'
name;age;zip;seen;illness
A;31;81667;01.02.2024;cold
B;39;81675;29.02.2024;flu
C;84;10115;03.04.2024;stroke
D;99;10117;30.06.2024;NA
E;;81925;05.03.2024;gout
F;NA;81929;31.03.2024;gout
END

story "a release by hierarchies that are built"
run anonymize --policy "$work/policy.json" "$work/table.csv" \
    --output "$work/release.csv" --json
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
cat >"$work/expected.csv" <<'END'
age;zip;seen;illness
30-39;816**;2024-Q1;cold
30-39;816**;2024-Q1;flu
>=80;101**;2024-Q2;stroke
>=80;101**;2024-Q2;NA
;819**;2024-Q1;gout
;819**;2024-Q1;gout
END
cmp "$work/release.csv" "$work/expected.csv" ||
    fail "another release: $(cat "$work/release.csv")"

story "the same bytes by more threads"
run anonymize --policy "$work/policy.json" "$work/table.csv" \
    --output "$work/again.csv" --threads 2
cmp "$work/release.csv" "$work/again.csv" || fail "other bytes"

story "check builds the tree of the sensitive attribute again"
run check --policy "$work/policy.json" "$work/release.csv" --json
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"
# By hand: A and B have cold and flu, a half each, where all have a sixth of
# both; two thirds must come from under other labels, over the whole height.
grep -qE '"hierarchical": 0\.66666' "$work/out" || fail "$(cat "$work/out")"

story "hierarchy build writes what was used"
run hierarchy build "$work/table.csv" --policy "$work/policy.json" \
    --column age --output "$work/age.csv"
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
printf '%s\n' '31;30-39;20-39;*' '39;30-39;20-39;*' '84;>=80;>=80;*' \
    '99;>=80;>=80;*' ';;;*' | cmp - "$work/age.csv" ||
    fail "another hierarchy: $(cat "$work/age.csv")"
run hierarchy build "$work/table.csv" --policy "$work/policy.json" \
    --column seen --output -
grep -qxF '29.02.2024;2024-02;2024-Q1;2024;*' "$work/out" ||
    fail "another hierarchy: $(cat "$work/out")"

story "a policy that names that file gives the same release"
run hierarchy build "$work/table.csv" --policy "$work/policy.json" \
    --column zip --output "$work/zip.csv"
run hierarchy build "$work/table.csv" --policy "$work/policy.json" \
    --column seen --output "$work/seen.csv"
cat >"$work/files.json" <<'END'
{
  "policy": 1,
  "attributes": {
    "name": {"role": "identifying"},
    "age": {"role": "quasi-identifying", "hierarchy": "age.csv"},
    "zip": {"role": "quasi-identifying", "hierarchy": "zip.csv",
      "min_level": 1, "max_level": 3},
    "seen": {"role": "quasi-identifying", "hierarchy": "seen.csv"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [{"model": "k-anonymity", "k": 2}]
}
END
run anonymize --policy "$work/files.json" "$work/table.csv" \
    --output "$work/by-files.csv"
cmp "$work/release.csv" "$work/by-files.csv" || fail "another release"

story "a description on the command line, or in a file"
run hierarchy build "$work/table.csv" --column age --type integer \
    --builder '{"build": "priority", "by": "type", "max_levels": 2}' --output -
printf '%s\n' '99;99;*' '84;84;*' '39;*;*' '31;*;*' ';;*' |
    cmp - "$work/out" || fail "another hierarchy: $(cat "$work/out")"
echo '{"build": "date", "granularities": ["weekday"]}' >"$work/builder.json"
run hierarchy build - --column seen --type date --format dd.MM.yyyy \
    --builder "@$work/builder.json" --output - <"$work/table.csv"
grep -qxF '29.02.2024;Thursday;*' "$work/out" || fail "$(cat "$work/out")"

# try COLUMN CELL WORDS   a table with this cell is refused with these words
try() {
    sed "2s/;$1;/;$2;/" "$work/table.csv" >"$work/bad.csv"
    run anonymize --policy "$work/policy.json" "$work/bad.csv" \
        --output "$work/bad.out"
    refused 2 "bad.csv: line 2, column $3"
    [ ! -e "$work/bad.out" ] || fail "a release was left behind"
}
story "values without a place are refused, and not shown"
try 31 "$marker" '"age": the value is no whole number'
try 31 -1 '"age": the value lies below the lower "bound"'
try 31 121 '"age": the value lies above the upper "bound"'
try 01.02.2024 30.02.2024 '"seen": the value is no date'
try 01.02.2024 2024-02-01 '"seen": the value is no date'
sed "2s/;cold\$/;$marker/" "$work/table.csv" >"$work/bad.csv"
run anonymize --policy "$work/policy.json" "$work/bad.csv" \
    --output "$work/bad.out"
refused 2 'line 2, column "illness": the value is not in the "order"'

story "levels beyond the hierarchy that was built are refused"
sed 's/"max_level": 3/"max_level": 9/' "$work/policy.json" >"$work/high.json"
run anonymize --policy "$work/high.json" "$work/table.csv" \
    --output "$work/bad.out"
refused 2 '"max_level" of "zip" is 9, expected at most 5'

story "what is no builder of this table is refused"
run hierarchy build "$work/table.csv" --policy "$work/policy.json" \
    --column name --output -
refused 2 '"name" has no hierarchy that is built'
run hierarchy build "$work/table.csv" --policy "$work/policy.json" \
    --column nobody --output -
refused 2 'has no attribute "nobody"'
run hierarchy build "$work/table.csv" --column age --builder '[]' --output -
refused 2 'it is an array, expected an object'
run hierarchy build "$work/table.csv" --column age --builder '{"build"' --output -
refused 2 '--builder: line 1'
run hierarchy build "$work/table.csv" --column age --output "$work/table.csv" \
    --builder '{"build": "redaction"}'
refused 2 'output and table are the same file'
