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

story "a command is missing or unknown"
run
misused "" "a command is missing"
run frobnicate
misused "" 'there is no command "frobnicate"'
run --frobnicate
misused "" 'there is no command "--frobnicate"'

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

story "and so says each command"
for command in anonymize audit check hierarchy identity ledger network; do
    run $command --polizei
    misused " $command" "there is no option --polizei"
    run $command -x
    misused " $command" "there is no option -x"
    run $command --json=yes
    misused " $command" "--json takes no value"
    run $command "$(printf -- '--burn\033[31m')"
    misused " $command" '--burn?[31m'
done
run audit --dir
misused " audit" "--dir wants a value"
run identity -k
misused " identity" "-k wants a value"
run ledger --trust
misused " ledger" "--trust wants a value"
run network -d
misused " network" "-d wants a value"

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
misused " hierarchy" 'show and build are known, "burn" is not'
run hierarchy show
misused " hierarchy" "the file is missing"
run hierarchy show a.csv b.csv
misused " hierarchy" "one file, not 2"
run audit
misused " audit" "--dir is missing"
run audit --dir d more
misused " audit" "nothing but options is expected"
run network
misused " network" "one of up, down and status is expected"
run network stop --dir d
misused " network" 'up, down and status are known, "stop" is not'
run network up
misused " network" "up: --dir is missing"
run network down --dir d --nodes 3
misused " network" "down: --nodes is for up"
run network up --dir d --json
misused " network" "up: --json and --as are for status"
run ingest --dir d
misused " ingest" "a table is expected"
run ingest a.csv --dir d
misused " ingest" "--policy is missing"
run ingest a.csv -p policy.json
misused " ingest" "--dir is missing"
run ingest a.csv --resume 7 --dir d
misused " ingest" "--resume says all that is to be handed in"
run consent
misused " consent" "one of import, grant, withdraw, show, letter and resolve is expected"
run consent import --dir d
misused " consent" "import: expected a file of consents"
run consent import f --dir d --until 2030
misused " consent" "import: --until is not for it"
run consent withdraw --dir d
misused " consent" "one of --patient and --patient-file is expected"
run consent show --patient 1 --patient-file f --dir d
misused " consent" "one of --patient and --patient-file is expected"
run consent grant --patient 1 --dir d
misused " consent" "grant: --purpose is missing"
run request --dir d
misused " request" "--dataset is missing"
run request --dataset 7 --purpose p -p policy.json --dir d
misused " request" "--dataset: expected an entry's id"
run requests a b --dir d
misused " requests" "at most one request is expected"
run approve --dir d
misused " approve" "one request is expected"
run reject 7
misused " reject" "--dir is missing"
run release --dir d
misused " release" "one request, or fetch and a release, is expected"
run release fetch 7 --dir d
misused " release" "fetch: --output is missing"
run release 7 --output f --dir d
misused " release" "--output, --certificate and --organisation are for fetch"
run history --dir d
misused " history" "one of --patient and --patient-file is expected"
run erase --dir d
misused " erase" "one of --patient and --patient-file is expected"
run ledger
misused " ledger" "what to do is missing"
run ledger burn
misused " ledger" '"burn" is not'
run ledger show --dir d
misused " ledger" "show: expected an id or a position"
run ledger checkpoint 7 --dir d
misused " ledger" "checkpoint: expected nothing but options"
run ledger show 7
misused " ledger" "show: --dir is missing"
run ledger show 7 --dir d --keep f
misused " ledger" "show: --keep is not for it"
run identity
misused " identity" "what to do is missing"
run identity burn
misused " identity" 'there is no action "burn"'
run identity new-key
misused " identity" "new-key: --output is missing"
run identity new-key --output k --role r
misused " identity" "new-key: takes no --role"
run identity new-key --output k --json
misused " identity" "new-key: takes no --json"
run identity new-key --output k more
misused " identity" "new-key: takes no file"
run identity show
misused " identity" "show: one certificate, not 0"
run identity new-root --organisation O --output d --days 0
misused " identity" "--days: a whole number from 1 to 36525"

story "threads are a number from 1 to 1024"
for threads in 0 1025 -1 two 1.5 1e2 0x2 "" " 2" 99999999999999999999; do
    run anonymize -p policy.json -o out.csv --threads="$threads" a.csv
    misused " anonymize" "--threads wants a whole number from 1 to 1024"
done

story "and so are other numbers"
for number in 0 16 -1 two 1.5 "" " 2"; do
    run network up --dir d --nodes="$number"
    misused " network" "--nodes: expected a whole number from 1 to 15"
done
for option in timeout:3600 repeat:1000000 in-flight:1000; do
    for number in 0 9999999999 -1 1.5; do
        run ledger show 7 --dir d "--${option%:*}=$number"
        misused " ledger" \
            "--${option%:*}: expected a whole number from 1 to ${option#*:}"
    done
done

story "what was typed cannot speak to the terminal"
run "$(printf 'burn\033[31m\nnow')"
misused "" 'burn?[31m?now'
run anonymize "$(printf -- '--burn\033[31m')"
misused " anonymize" '--burn?[31m'
run hierarchy "$(printf 'burn\302\233')"
misused " hierarchy" '"burn?"'

story "help is for stdout, and a lost one is a failure"
for command in "" anonymize audit check hierarchy identity ledger network; do
    run $command --help
    done_well
    grep -q "^  anchorite " "$work/out" || fail "no example for $command"
    code=0
    "$BIN/anchorite" $command --help >/dev/full 2>"$work/err" || code=$?
    : >"$work/out"
    refused 3 "standard output"
done
