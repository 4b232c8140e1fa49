#!/bin/sh
# Policies and hierarchies that are refused, by anonymize, check and hierarchy
# show: file, line and key, and no release.
set -eu
. tests/e2e/lib.sh

cd "$work"
cat >good.json <<'END'
{
  "policy": 1,
  "name": "ward-k2",
  "table": {"delimiter": "auto", "missing": ["", "?"]},
  "attributes": {
    "patient": {"role": "subject"},
    "zip": {"role": "quasi-identifying", "hierarchy": "zip.csv"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [
    {"model": "k-anonymity", "k": 2}
  ],
  "suppression_limit": 0.0,
  "quality": {"metric": "loss", "aggregate": "geometric-mean"},
  "transformation": {"method": "full-domain"},
  "search": {"strategy": "optimal"}
}
END
good_hierarchy() { printf '10;1*;*\n11;1*;*\n20;2*;*\n'; }
good_hierarchy >zip.csv
printf '%s\n' "patient,zip,illness" "p1,10,$marker" "p2,11,flu" "p3,20,gout" \
    "p4,20,$marker" >table.csv
printf '%s\n' "zip,illness" "1*,$marker" "1*,flu" "2*,gout" "2*,$marker" \
    >release.csv
mkdir folder
# Against a check that would refuse everything.
cp good.json policy.json

# policy_refused WORDS
policy_refused() {
    run anonymize -p policy.json table.csv -o folder/release.csv
    refused 2 "$1"
    [ -z "$(ls -A folder)" ] || fail "left behind: $(ls -A folder)"
    run check -p policy.json release.csv
    refused 2 "$1"
}
# changed SED WORDS   the good policy, changed in one place
changed() {
    sed "$1" good.json >policy.json
    ! cmp -s good.json policy.json || fail "nothing changed: $1"
    policy_refused "$2"
}

story "the good one, for comparison"
run anonymize -p policy.json table.csv -o folder/release.csv
done_well
cmp folder/release.csv release.csv
rm folder/release.csv
run check -p policy.json release.csv
done_well

story "no policy to be read"
for name in nowhere.json folder/x.json; do
    for command in "anonymize -o folder/release.csv" check; do
        run $command -p $name table.csv
        refused 2 "$name: cannot be opened: No such file or directory"
    done
done
run check -p folder release.csv
refused 2 "folder: is a folder"
run check -p /dev/zero release.csv
refused 2 "/dev/zero: is not a regular file or pipe"
: >policy.json
policy_refused "policy.json: line 1, column 1: the text ends here"
head -c 17000000 /dev/zero | tr '\0' ' ' >policy.json
policy_refused "policy.json: has 17000000 bytes, the limit is 16777216"

story "no JSON, or more than one of it"
head -c 100 good.json >policy.json
policy_refused "policy.json: line 5, column 7: the text ends here"
cat good.json good.json >policy.json
policy_refused "policy.json: line 18, column 1: '{', expected nothing behind"
printf '\357\273\277{}' >policy.json
policy_refused "line 1, column 1: a byte order mark"
tr '{' '\0' <good.json >policy.json
policy_refused "policy.json: line 1, column 1: "
head -c 100000 /dev/zero | tr '\0' '[' >policy.json
policy_refused "policy.json: line 1, column 65: one level more, expected at most 64"
echo '[]' >policy.json
policy_refused "a policy that is an array, expected an object"
changed 's/"suppression_limit": 0.0/"suppression_limit": 1e999/' \
    "line 13, column 24: a number beyond the range of doubles"
changed 's/"suppression_limit": 0.0/"suppression_limit": NaN/' \
    "line 13, column 24: a letter, expected a value"
# A table in place of the policy: its cells are not told.
printf '"%s","%s"\n' "$marker" "$marker" >policy.json
policy_refused "policy.json: line 1, column "
sed '1d' table.csv >policy.json
policy_refused "policy.json: line 1, column 1: "

story "keys: unknown, twice, missing"
changed 's/"name"/"nmae"/' 'line 3: unknown key "nmae", did you mean "name"?'
changed 's/"name"/"color"/' 'line 3: unknown key "color", expected one of'
changed 's/"name"/"a\\u001b[31m"/' 'line 3: unknown key "a\u001b[31m"'
changed 's/"name": "ward-k2"/"policy": 1/' \
    'line 3: key "policy" once more, expected each key once'
changed 's/"name": "ward-k2"/"\\u0070olicy": 1/' \
    'line 3: key "policy" once more, expected each key once'
changed 's/"illness": {/"zip": {/' 'line 8: key "zip" once more'
changed 's/"k": 2/"k": 2, "k": 1/' 'line 11: key "k" once more'
changed '/"policy": 1/d' 'no "policy"'
changed '/"privacy": \[/,/\],/d' 'no "privacy"'
changed '/"attributes": {/,/^  },/d' 'no "attributes"'

story "types"
changed 's/"ward-k2"/7/' 'line 3: "name" is a number, expected a string'
changed 's/"k": 2/"k": "2"/' 'line 11: "k" is a string'
changed 's/"suppression_limit": 0.0/"suppression_limit": null/' \
    'line 13: "suppression_limit" is null'
changed 's/{"role": "subject"}/"subject"/' \
    'line 6: attribute "patient" is a string, expected an object'
changed 's/"role": "subject"/"role": true/' 'line 6: "role" is true or false'
changed 's/{"model": "k-anonymity", "k": 2}/"k-anonymity"/' \
    "line 11: a privacy model is a string"

story "impossible parameters"
changed 's/"k": 2/"k": 0/' 'line 11: "k" is out of range'
changed 's/"k": 2/"k": -3/' 'line 11: "k" is out of range'
changed 's/"k": 2/"k": 2.5/' 'line 11: "k" is not whole'
changed 's/"k": 2/"k": 4294967296/' 'line 11: "k" is out of range'
changed 's/: 0.0/: 1.01/' 'line 13: "suppression_limit" is out of range'
changed 's/: 0.0/: -0.01/' 'line 13: "suppression_limit" is out of range'
changed 's/"subject"/"quasi"/' 'line 6: unknown "role"'
changed 's/"illness": {"role": "sensitive"}/"illness": {"role": "subject"}/' \
    'line 8: "illness" is a second subject'
changed 's/"zip.csv"/"zip.csv", "max_level": 9/' \
    'line 7: "max_level" of "zip" is 9, expected at most 2'
changed 's/"zip.csv"/"zip.csv", "min_level": 2, "max_level": 1/' \
    'line 7: "min_level" of "zip" is 2, expected at most its "max_level", 1'
changed 's/"zip.csv"/"zip.csv", "weight": -1/' '"weight" is out of range'
changed 's/"role": "quasi-identifying", "hierarchy": "zip.csv"/"role": "sensitive"/' \
    'no attribute is quasi-identifying'
changed 's/{"model": "k-anonymity", "k": 2}//' '"privacy" is empty'
changed 's/"k": 2/"k": 2}, {"model": "distinct-l-diversity", "attribute": "zip", "l": 2/' \
    'line 11: "zip" is quasi-identifying, expected a sensitive attribute'
changed 's/"k": 2/"k": 2}, {"model": "distinct-l-diversity", "attribute": "age", "l": 2/' \
    'line 11: "attribute" is none of this policy'
for delimiter in '\\"' '\\n' '' ';;' '\\u00a7'; do
    changed "s/\"auto\"/\"$delimiter\"/" 'line 4: "delimiter" is something else'
done
# More quasi-identifiers than can be searched.
{
    sed -n '1,/"zip"/p' good.json
    i=0
    while [ $i -lt 64 ]; do
        printf '    "c%d": {"role": "quasi-identifying"},\n' $i
        i=$((i + 1))
    done
    sed -n '/"illness"/,$p' good.json
} >policy.json
policy_refused "65 attributes are quasi-identifying, expected at most 64"

story "a metric with what it does not take"
for metric in discernibility discernibility-monotonic aecs ambiguity; do
    changed "s/\"loss\"/\"$metric\"/" \
        "line 14: \"aggregate\" with the metric \"$metric\", expected none"
done
for metric in height normalized-non-uniform-entropy; do
    changed "s/\"loss\", .*}/\"$metric\", \"gs_factor\": 0.5}/" \
        "line 14: \"gs_factor\" with the metric \"$metric\", expected none"
done

story "what later versions have"
later() { changed "$1" "not in this version"; }
later 's/"full-domain"/"local-recoding"/'
later 's/"policy": 1/"policy": 2/'

story "hierarchies that are none"
cp good.json policy.json
# hierarchy_refused WORDS   zip.csv, alone and as part of the policy
hierarchy_refused() {
    run hierarchy show zip.csv
    refused 2 "zip.csv: $1"
    run hierarchy show --json zip.csv
    refused 2 "zip.csv: $1"
    policy_refused "policy.json: line 7: hierarchy of \"zip\": zip.csv: $1"
}
rm zip.csv
hierarchy_refused "cannot be opened: No such file or directory"
mkdir zip.csv
hierarchy_refused "is a folder"
rmdir zip.csv
ln -s /dev/zero zip.csv
hierarchy_refused "is not a regular file or pipe"
rm zip.csv
ln -s zip.csv zip.csv
hierarchy_refused "cannot be opened"
rm zip.csv
: >zip.csv
hierarchy_refused "no rows"
printf '\n\n' >zip.csv
hierarchy_refused "no rows"
printf '10;1*;*\n11;*\n20;2*;*\n' >zip.csv
hierarchy_refused "line 2: 2 fields, the first line has 3"
printf '10;1*;*\n11;1*;*\n20;2*' >zip.csv
hierarchy_refused "line 3: 2 fields, the first line has 3; the file ends here"
printf '10;1*;*\n11;1*;*\n20;2*;*\n11;1*;*\n' >zip.csv
hierarchy_refused "line 4: the value of line 2 again"
printf '10;1*;*\n11;1*;other\n20;2*;*\n' >zip.csv
hierarchy_refused "line 2: level 1 agrees with line 1 but level 2 does not"
printf '10;11;*\n11;10;*\n20;2*;*\n' >zip.csv
hierarchy_refused "line 2: the step from level 0 to level 1 closes a cycle"
printf '10;1\0;*\n' >zip.csv
hierarchy_refused "line 1, column 2: a NUL byte"
printf '10;1\351;*\n' >zip.csv
hierarchy_refused "line 1, column 2: bytes that are not UTF-8"
printf '10;"1*;*\n11;1*;*\n' >zip.csv
hierarchy_refused "line 1, column 2: the quote that opens here is never closed"
{
    printf 10
    i=1
    while [ $i -le 64 ]; do
        printf ';x%d' $i
        i=$((i + 1))
    done
    echo
} >zip.csv
hierarchy_refused "line 1: 65 columns, a hierarchy has at most 64 levels"
{
    printf 10
    head -c 10000 /dev/zero | tr '\0' ';'
    echo
} >zip.csv
hierarchy_refused "line 1: 10001 columns, the limit is 4096"

story "a value that its hierarchy lacks"
printf '10;1*;*\n20;2*;*\n' >zip.csv
run anonymize -p policy.json table.csv -o folder/release.csv
refused 2 'table.csv: line 3, column "zip": the value has no row in its hierarchy'
good_hierarchy >zip.csv
sed "3s/11/$marker/" table.csv >unknown.csv
run anonymize -p policy.json unknown.csv -o folder/release.csv
refused 2 'unknown.csv: line 3, column "zip": the value has no row'
sed '3s/11/?/' table.csv >missing.csv
run anonymize -p policy.json missing.csv -o folder/release.csv
refused 2 'missing.csv: line 3, column "zip": a missing value, for which'
{
    good_hierarchy
    printf ';2*;*\n?;1*;*\n'
} >zip.csv
run anonymize -p policy.json table.csv -o folder/release.csv
refused 2 'policy.json: attribute "zip": its hierarchy has a row each for two'
[ -z "$(ls -A folder)" ] || fail "left behind: $(ls -A folder)"

story "a hierarchy shown on a full or closed output"
good_hierarchy >zip.csv
for json in "" --json; do
    code=0
    "$BIN/anchorite" hierarchy show $json zip.csv >/dev/full 2>err || code=$?
    : >out
    refused 3 "standard output"
    code=0
    "$BIN/anchorite" hierarchy show $json zip.csv >&- 2>err || code=$?
    refused 3 "standard output"
done
