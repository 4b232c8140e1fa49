#!/bin/sh
# Wrong calls: commands, options and their number.
set -eu
. tests/e2e/lib.sh

# misused COMMAND WORDS   the last run was a wrong call of `anchorite COMMAND`
misused() {
    refused 2 "$2"
    [ "$(sed -n 2p "$work/err")" = "Try \"anchorite$1 --help\"." ] ||
        fail "no way to the help: $(cat "$work/err")"
}

# All of the contract that is not here yet.
later="risk profile verify ingest consent request approve reject release
history"

story "a command is missing or unknown"
run
misused "" "a command is missing"
run frobnicate
misused "" 'there is no command "frobnicate"'
run --frobnicate
misused "" 'there is no command "--frobnicate"'

story "commands of later versions are known as such"
for command in $later; do
    run "$command" table.csv
    misused "" "$command: not in this version"
done
run hierarchy build table.csv
misused " hierarchy" "build: not in this version"

story "options that do not exist, want a value or take none"
run anonymize --polizei policy.json
misused " anonymize" "there is no option --polizei"
run anonymize --polizei=policy.json
misused " anonymize" "there is no option --polizei"
run anonymize -x
misused " anonymize" "there is no option -x"
run anonymize --json -xj
misused " anonymize" "there is no option -x"
run anonymize --policy
misused " anonymize" "--policy wants a value"
run anonymize -jp
misused " anonymize" "-p wants a value"
run anonymize --json=yes
misused " anonymize" "--json takes no value"
run check --no-recheck
misused " check" "there is no option --no-recheck"
run hierarchy show --everything file
misused " hierarchy" "there is no option --everything"

story "something is missing or too much"
run anonymize
misused " anonymize" "--policy is missing"
run anonymize -p policy.json
misused " anonymize" "--output is missing"
run anonymize -p policy.json -o out.csv
misused " anonymize" "the input table is missing"
run anonymize -p policy.json -o out.csv a.csv b.csv
misused " anonymize" "one input table, not 2"
run anonymize -p policy.json -o - --json a.csv
misused " anonymize" "--json and --output - both want standard output"
run check
misused " check" "--policy is missing"
run check -p policy.json
misused " check" "the table is missing"
run check -p policy.json a.csv b.csv c.csv
misused " check" "one table, not 3"
run hierarchy
misused " hierarchy" "what to do is missing"
run hierarchy burn file
misused " hierarchy" 'show is known, "burn" is not'
run hierarchy show
misused " hierarchy" "the file is missing"
run hierarchy show a.csv b.csv
misused " hierarchy" "one file, not 2"

story "threads are a number from 1 to 1024"
for threads in 0 1025 -1 two 1.5 1e2 0x2 "" " 2" 99999999999999999999; do
    run anonymize -p policy.json -o out.csv --threads="$threads" a.csv
    misused " anonymize" "--threads wants a whole number from 1 to 1024"
done

story "what was typed cannot speak to the terminal"
run "$(printf 'burn\033[31m\nnow')"
misused "" 'burn?[31m?now'
run anonymize "$(printf -- '--burn\033[31m')"
misused " anonymize" '--burn?[31m'
run hierarchy "$(printf 'burn\302\233')"
misused " hierarchy" '"burn?"'

story "help is for stdout, and a lost one is a failure"
for command in "" anonymize check hierarchy; do
    run $command --help
    done_well
    grep -q "^  anchorite " "$work/out" || fail "no example for $command"
    code=0
    "$BIN/anchorite" $command --help >/dev/full 2>"$work/err" || code=$?
    : >"$work/out"
    refused 3 "standard output"
done
