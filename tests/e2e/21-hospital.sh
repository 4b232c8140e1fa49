#!/bin/sh
# The synthetic hospital as a user meets it: its command, the policies made for
# it, and the case of paper 000, section 5.2.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh

bin=${BIN:-build}
hospital=$bin/anchorite-hospital
anchorite=$bin/anchorite

refused() { # CODE WORDS ARGUMENTS...: ends so, says so, and writes nothing
    wanted=$1 words=$2
    shift 2
    code=0
    "$hospital" "$@" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = "$wanted" ] || fail "$*: exit $code, expected $wanted"
    grep -qF -e "$words" "$work/err" || fail "$*: $(cat "$work/err")"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "$*: more than one message"
    [ ! -s "$work/out" ] || fail "$*: wrote to standard output"
}

# A figure of `anchorite --json`, by the names on the way to it.
figure() { # FILE NAME...
    file=$1
    shift
    text=$(tr -d ' \n' <"$file")
    for name in "$@"; do
        text=${text#*"\"$name\":"}
    done
    printf '%s\n' "${text%%[,\}]*}"
}

expect() { # FILE VALUE NAME...
    file=$1 value=$2
    shift 2
    found=$(figure "$file" "$@")
    [ "$found" = "$value" ] || fail "$*: $found, expected $value"
}

# ---- the command ----

story "help has examples"
"$hospital" --help >"$work/help"
grep -q '^Examples:' "$work/help" || fail "no examples"
"$hospital" table --help | cmp -s - "$work/help" || fail "two helps"

story "a file and standard output get the same bytes"
"$hospital" table --patients 500 --seed 3 --output "$work/table.csv"
"$hospital" table -n 500 -s 3 -o - | cmp - "$work/table.csv"
[ "$(wc -l <"$work/table.csv")" = 501 ] || fail "not 500 rows"

story "a slice is a part of the whole"
"$hospital" table --first 101 --patients 10 --seed 3 | tail -n +2 >"$work/slice"
sed -n '102,111p' "$work/table.csv" | cmp - "$work/slice"

story "consents are of the same patients"
"$hospital" consents -n 500 -s 3 --mix permit=100 >"$work/consents"
sed 's/.*"value":"\(P[0-9]*\)".*/\1/' "$work/consents" >"$work/consenting"
tail -n +2 "$work/table.csv" | cut -d, -f1 | cmp - "$work/consenting"

story "wrong usage is refused"
refused 2 "a subcommand is missing"
refused 2 'no subcommand "tables"' tables
refused 2 "no option --patient-count" table --patient-count 3
refused 2 "no option -x" table -x
refused 2 "--patients needs a value" table --patients
refused 2 'options only, not "more"' table more
refused 2 "hierarchies needs --dir" hierarchies
refused 2 "hierarchies takes no --seed" hierarchies --seed 1
refused 2 "table takes no --mix" table --mix permit=100
refused 2 "consents takes no --visits" consents --visits 2
refused 2 "--patients: expected a whole number from 1" table --patients 0
refused 2 "--patients: expected a whole number from 1" table -n 1000000000
refused 2 "--patients: expected a whole number from 1" table -n 1e3
refused 2 "--seed: expected a whole number from 0" table --seed -1
refused 2 "--visits: expected a whole number from 1 to 99" table --visits 100
refused 2 "--days: expected a whole number from 1 to 1096" table --days 1097
refused 2 "lead beyond patient 999999999" table --first 999999999 -n 2
refused 2 "--mix: the shares sum up to 99" consents --mix permit=99
refused 2 "$work/none/t.csv" table --output "$work/none/t.csv"
refused 2 "$work/none/h" hierarchies --dir "$work/none/h"

story "a full disk is a failure of the system"
code=0
"$hospital" table >/dev/full 2>"$work/err" || code=$?
[ "$code" = 3 ] || fail "exit $code, expected 3"
grep -q "standard output" "$work/err" || fail "$(cat "$work/err")"

story "a killed run leaves no file"
mkdir "$work/killed"
"$hospital" table -n 999999999 -o "$work/killed/table.csv" &
pid=$!
# Its file has no name yet: it is writing when the descriptor grows.
tries=0
until [ -n "$(find "/proc/$pid/fd/" -lname "$work/killed/*" 2>/dev/null)" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt $((1000 * PATIENCE)) ] || fail "it does not begin to write"
    sleep 0.01
done
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
[ -z "$(find "$work/killed" -name 'table.csv')" ] || fail "a file is there"

# ---- hierarchies and policies ----

story "the policies' hierarchies are the generator's"
"$hospital" hierarchies --dir "$work/hierarchies"
for file in policies/hierarchies/*.csv; do
    cmp "$file" "$work/hierarchies/${file##*/}"
done

story "twenty thousand patients under the hospital's policies"
"$hospital" table --patients 20000 --output "$work/hospital.csv"
for policy in hospital-k5 hospital-k5-l3; do
    "$anchorite" anonymize --policy "policies/$policy.json" --json \
        "$work/hospital.csv" --output "$work/$policy.csv" >"$work/figures"
    expect "$work/figures" 20000 rows
    [ "$(figure "$work/figures" classes min)" -ge 5 ] || fail "$policy: k"
    [ "$(figure "$work/figures" suppressed)" -le 400 ] || fail "$policy: lost"
    "$anchorite" check --policy "policies/$policy.json" "$work/$policy.csv" \
        >/dev/null || fail "$policy: check says no"
done

# Section 5.2: n = 100, l = 2; MD generalized to levels (0, 1, 2, 6, 5) of date,
# departments, doctor, diagnosis and disease code falls into five classes
# without a lost record.  policies/README.md says how we read it.
story "the case of paper 000"
"$hospital" table --patients 100 --days 1 --output "$work/paper.csv"
for policy in paper000-general paper000-medical paper000-medical-code; do
    "$anchorite" anonymize --policy "policies/$policy.json" --json \
        "$work/paper.csv" --output "$work/$policy.csv" >"$work/$policy.json"
    expect "$work/$policy.json" 100 rows
    expect "$work/$policy.json" 0 suppressed
    expect "$work/$policy.json" true optimal
    [ "$(wc -l <"$work/$policy.csv")" = 101 ] || fail "$policy: lost rows"
    "$anchorite" check --policy "policies/$policy.json" "$work/$policy.csv" \
        >/dev/null || fail "$policy: check says no"
    echo "  $policy: risk" \
        "$(figure "$work/$policy.json" before highest) highest," \
        "$(figure "$work/$policy.json" before average) average before;" \
        "$(figure "$work/$policy.json" after highest) highest," \
        "$(figure "$work/$policy.json" after average) average after"
done
for policy in paper000-medical paper000-medical-code; do
    expect "$work/$policy.json" 5 classes count
    expect "$work/$policy.json" 0 levels date
    expect "$work/$policy.json" 1 levels department
    expect "$work/$policy.json" 2 levels doctor
done
expect "$work/paper000-medical.json" 6 levels diagnosis
expect "$work/paper000-medical-code.json" 5 levels disease_code
# Counted without the engine: the classes that stand in the file.  Only a
# diagnosis is ever quoted, and it is one of them only as `*`.
five_classes() { # FILE COLUMNS
    found=$(sed 's/"[^"]*"/quoted/' "$1" | tail -n +2 | cut -d, -f"$2" |
        sort -u | wc -l)
    [ "$found" = 5 ] || fail "$1: $found classes"
}
five_classes "$work/paper000-medical.csv" 1,2,3,4
five_classes "$work/paper000-medical-code.csv" 1,2,3,5
