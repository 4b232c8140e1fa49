#!/bin/sh
# anchorite profile: what it says of a table, that it says no value of it, and
# that the policy it drafts runs as it is.
set -eu
. tests/e2e/lib.sh

says() { # WORDS
    grep -qF -- "$1" "$work/out" || fail "no \"$1\" in: $(cat "$work/out")"
}

# Invented: 200 patients; $marker stands in cells of several kinds.
{
    echo "patient id;Last Name;e-mail;age;sex;zip;admitted;diagnosis;remarks"
    awk -v marker="$marker" 'BEGIN {
        split("flu gout cold asthma", illness, " ")
        for (i = 0; i < 200; i++)
            printf "P%03d;%s%d;m%d@example.org;%d;%s;%05d;2024-%02d-%02d;%s;%s %d\n", \
                i, marker, i, i, i * 7 % 95, i % 2 ? "f" : "m", \
                10100 + i % 23, 1 + i % 12, 1 + i % 28, \
                illness[1 + i % 4], marker, i % 9
    }'
} >"$work/patients.csv"

story "it names types, likely identifiers, roles and reasons"
run profile "$work/patients.csv"
done_well
says "200 rows, 9 columns"
says "subject: the patient's number (Safe Harbor H): each row has its own"
says "identifying: names, by name (Safe Harbor A, 0.95)"
says "identifying: e-mail addresses, by name and values (Safe Harbor F, 1.00)"
says "quasi-identifying: ages, by name (Safe Harbor C, 0.95); ages over 89"
says "date YYYY-MM-DD, 84 distinct, 0 missing"
says "sensitive: health, by name"
says "identifying: free text, which can name anybody, by name"
says "What tells rows apart"

story "no value of the table is printed"
for words in "$marker" P001 m1@example.org 10101 2024-01 gout; do
    ! grep -qF -- "$words" "$work/out" || fail "$words is told"
done
run profile --json "$work/patients.csv"
done_well
for words in "$marker" P001 m1@example.org 10101 2024-01 gout; do
    ! grep -qF -- "$words" "$work/out" || fail "$words is told in JSON"
done
says '"kind": "medical-record"'
says '"safe_harbor": "H"'
says '"distinct_exact": true'
run profile --subsets 0 - <"$work/patients.csv"
done_well

story "the draft runs as it is, and its release satisfies it"
run profile "$work/patients.csv" --draft "$work/draft"
done_well
[ "$(stat -c %a "$work/draft" "$work/draft/policy.json" | tr '\n' ' ')" = \
    "700 600 " ] || fail "the draft can be read by others"
run anonymize -p "$work/draft/policy.json" "$work/patients.csv" \
    -o "$work/release.csv"
done_well
head -1 "$work/release.csv" | grep -qx "age;sex;zip;admitted;diagnosis" ||
    fail "the release has other columns: $(head -1 "$work/release.csv")"
! grep -q "$marker" "$work/release.csv" || fail "names are in the release"
run check -p "$work/draft/policy.json" "$work/release.csv"
done_well

story "two runs say and write the same"
run profile "$work/patients.csv" --draft "$work/again" --json
done_well
diff -r "$work/draft" "$work/again" || fail "two drafts differ"

story "a draft replaces nothing"
run profile "$work/patients.csv" --draft "$work/draft"
refused 2 "is there already; expected the name of a new folder"
run profile "$work/patients.csv" --draft "$work/nowhere/draft"
refused 2 "No such file or directory"

story "what cannot be profiled is refused"
run profile
refused 2 "the table is missing"
run profile "$work/patients.csv" "$work/patients.csv"
refused 2 "one table, not 2"
run profile "$work/patients.csv" --subsets 33
refused 2 "--subsets: expected a whole number from 0 to 32"
run profile "$work/patients.csv" --columns age,ward
refused 2 'the table has no column "ward"'
run profile "$work/patients.csv" --columns age,,sex
refused 2 "--columns: expected names, separated by commas"
sed 1d "$work/patients.csv" >"$work/headless.csv"
run profile "$work/headless.csv" --draft "$work/none"
refused 2 "it looks like a record"
printf 'a;b\n1;2;3\n' >"$work/bent.csv"
run profile "$work/bent.csv" --draft "$work/none"
refused 2 "line 2"
[ ! -e "$work/none" ] || fail "a run that failed left a folder"

story "only the columns that are asked for are measured"
run profile "$work/patients.csv" --columns "age,sex" --subsets 2 --json
done_well
[ "$(grep -c '"distinction"' "$work/out")" -eq 14 ] || # 9 columns, 3 subsets
    fail "not the subsets of two columns"              # all, and what is kept

# ---- real tables, where they lie beside the project ---------------------------

shared=${ANCHORITE_SHARED:-../shared}/data
if ! [ -d "$shared" ]; then
    echo "skipped: no real tables beside the project"
    exit 0
fi

# try NAME   profile $work/NAME.csv, and run its draft
try() {
    story "the draft of $1 runs as it is"
    run profile "$work/$1.csv" --draft "$work/draft-$1"
    done_well
    run anonymize -p "$work/draft-$1/policy.json" "$work/$1.csv" \
        -o "$work/release-$1.csv" --json
    [ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
    run check -p "$work/draft-$1/policy.json" "$work/release-$1.csv"
    done_well
}
roles() { # FILE: the roles of a draft, one letter a column
    sed -n 's/^ *"role": "\(.\).*/\1/p' "$1/policy.json" | tr -d '\n'
}

cp "$shared/adult/adult.csv" "$work/adult.csv"
try adult
[ "$(roles "$work/draft-adult")" = qqqqqqqqs ] || fail "adult has other roles"

zcat "$shared/brfss2020/heart_2020_cleaned.csv.gz" >"$work/brfss.csv"
try brfss
zcat "$shared/diabetes130/diabetic_data.csv.gz" >"$work/diabetes.csv"
run profile "$work/diabetes.csv"
says 'column "patient_nbr": some patients have several rows'
try diabetes
{
    echo "age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,num"
    cat "$shared/heart-cleveland/processed.cleveland.data"
} >"$work/heart.csv"
try heart
for table in patients allergies careplans conditions encounters immunizations; do
    cp "$shared/synthea-110/$table.csv" "$work/$table.csv"
    try "$table"
done
story "the identifiers of a synthetic patient are found"
run profile "$work/patients.csv" --json
for letter in A B C G K R; do
    says "\"safe_harbor\": \"$letter\""
done
if command -v iconv >/dev/null; then
    iconv -f CP949 -t UTF-8 \
        "$shared/kr-nhis-checkup/sample_data_1000.csv" >"$work/kr.csv"
    try kr
    [ "$(roles "$work/draft-kr")" = sqqqqsssssssssssss ] ||
        fail "kr has other roles"
fi

story "subsets are measured as ARX does: see the file of golden values"
golden=${ANCHORITE_SHARED:-../shared}/reference/arx-risk-golden.jsonl
if [ -f "$golden" ] && command -v python3 >/dev/null; then
    run profile "$work/adult.csv" --subsets 9 --json --columns \
        sex,age,race,marital-status,education,native-country,workclass,occupation,salary-class
    done_well
    python3 - "$golden" "$work/out" <<'END' || fail "other figures than ARX's"
import json, sys
golden = next(d for d in map(json.loads, open(sys.argv[1]))
              if d["kind"] == "attribute-risks" and d["data"] == "adult.csv input")
ours = json.load(open(sys.argv[2]))["subsets"]["list"]
assert len(ours) == len(golden["subsets"]) == 511
for a, b in zip(ours, golden["subsets"]):
    assert set(a["columns"]) == set(b["qi"]), b["qi"]
    for key in "distinction", "separation":
        assert abs(a[key] - b[key]) < 1e-12, (b["qi"], key)
END
fi
