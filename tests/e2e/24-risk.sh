#!/bin/sh
# What does `anchorite risk` say of a table, before and after it was
# de-identified, and of what it cannot read?
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh

# Run it: exit code in $code, output in $work/out and $work/err.
risk() {
    code=0
    "$BIN/anchorite" risk "$@" >"$work/out" 2>"$work/err" || code=$?
}
expect() { # EXIT CODE
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/out" "$work/err")"
}
says() { # FILE WORDS
    grep -qF -- "$2" "$work/$1" || fail "no \"$2\" in: $(cat "$work/$1")"
}

cat >"$work/policy.json" <<'END'
{
  "policy": 1,
  "attributes": {
    "name": {"role": "identifying"},
    "age": {"role": "quasi-identifying"},
    "sex": {"role": "quasi-identifying"},
    "w": {"role": "insensitive"},
    "house": {"role": "insensitive"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [{"model": "k-anonymity", "k": 2}],
  "risk": {"weight": "w", "household": "house", "thresholds": [0.5]}
}
END
# The ten rows of docs/risk.md.
cat >"$work/ten.csv" <<'END'
age,sex,w,house,illness
30,f,10,A,flu
30,f,20,A,flu
30,f,30,B,cold
30,m,10,B,flu
30,m,30,C,gout
40,f,50,C,cold
40,f,25,D,flu
40,m,40,D,cold
50,f,5,E,flu
*,*,9,E,flu
END

story "the figures of ten rows, for people"
risk --policy "$work/policy.json" "$work/ten.csv" --suda --subsets 2
expect 0
says out "classes                           5 of 1 to 3 records"
says out "records that are unique           2"
says out "above 0.5      prosecutor 0.2222 (22.22 %)"
says out "in the sample                     5, 0.5556 (55.56 %)"
says out "by anybody of the household       6.94444"
says out "records with a score              2"
[ ! -s "$work/err" ] || fail "$(cat "$work/err")"

story "and for programs, with each record"
risk -p "$work/policy.json" - --json --records <"$work/ten.csv"
expect 0
says out '"weight_sum": 220'
says out '"expected_reidentifications": 5,'
says out '"records_detail": {'

story "an option wins over the policy"
risk -p "$work/policy.json" "$work/ten.csv" -t 0.34 -t 0.2 --json
expect 0
says out '"threshold": 0.34'
says out '"threshold": 0.2'
! grep -qF '"threshold": 0.5' "$work/out" || fail "both"

story "what cannot be read is named by its place, not its value"
sed 's/^30,m,30,/30,m,half,/' "$work/ten.csv" >"$work/bad.csv"
risk -p "$work/policy.json" "$work/bad.csv"
expect 2
says err 'line 6: column "w": a weight is something else'
! grep -q half "$work/err" || fail "a value of a record in an error"
cut -d, -f1,2,4,5 "$work/ten.csv" >"$work/lacks.csv"
risk -p "$work/policy.json" "$work/lacks.csv"
expect 2
says err 'attribute "w": the table'
risk -p "$work/policy.json" "$work/nowhere.csv"
expect 2

story "how many would be unique among all people"
risk -p "$work/policy.json" "$work/ten.csv" --population 20 --region Germany \
    --json
expect 0
says out '"size": 20,'
says out '"size": 80767000,'
risk -p "$work/policy.json" "$work/ten.csv" --population 9
expect 0
says out "Unique among 9 people"
risk -p "$work/policy.json" "$work/ten.csv" --population 8
expect 2
says err "a population of 8 people is smaller than the table, which has 9"

story "wrong calls"
risk -p "$work/policy.json" "$work/ten.csv" --population many
expect 2
says err "--population: expected a whole number from 1"
risk -p "$work/policy.json" "$work/ten.csv" --region Atlantis
expect 2
says err "there is no region of this name, expected one of Africa"
risk "$work/ten.csv"
expect 2
says err "--policy is missing"
risk -p "$work/policy.json" "$work/ten.csv" -t 2
expect 2
says err "--threshold: expected a number from 0 to 1"
risk -p "$work/policy.json" "$work/ten.csv" --records
expect 2
says err "--records is for --json"

story "the risk of a release is lower"
"$BIN/anchorite-hospital" table --patients 500 --output "$work/patients.csv"
"$BIN/anchorite" anonymize -p policies/hospital-k5.json "$work/patients.csv" \
    -o "$work/release.csv" --json >"$work/made"
risk -p policies/hospital-k5.json "$work/patients.csv" --json
expect 0
says out '"highest": 1,'
risk -p policies/hospital-k5.json "$work/release.csv" --json
expect 0
# The classes are those that anonymize has counted.
for figure in count min max; do
    grep -m1 "\"$figure\":" "$work/made" | tr -d ' ,' >"$work/a"
    grep -m1 "\"$figure\":" "$work/out" | tr -d ' ,' >"$work/b"
    diff "$work/a" "$work/b" || fail "$figure of the classes differs"
done
