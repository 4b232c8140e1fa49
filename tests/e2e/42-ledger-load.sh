#!/bin/sh
# anchorite ledger load and check: what is acknowledged is kept and proven, a
# refusal ends it, a signal ends it with figures, wrong calls say so.
set -eu
. tests/e2e/lib.sh

dir=$work/net
anchorite=$BIN/anchorite
load=
cleanup() {
    code=$?
    [ -z "$load" ] || kill "$load" 2>/dev/null || :
    "$anchorite" network down --dir "$dir" >/dev/null 2>&1 || :
    set +e
    (exit "$code")
    finished
}
trap cleanup EXIT
load() { run ledger load --dir "$dir" "$@"; }
number() { sed -n "s/^ *\"$1\": \([0-9.]*\),*\$/\1/p" "$work/out"; }

"$anchorite" network up --nodes-only --dir "$dir" >/dev/null 2>&1

story "wrong calls"
load
refused 2 "--as is missing"
for option in count seconds rate in-flight beforehand; do
    for value in 0 -1 x 1e3 99999999999; do
        load --as north.custodian --$option $value
        refused 2 "--$option: expected a whole number from 1 to"
    done
done
load --as north.custodian --keep "$work/none/kept"
refused 2 "$work/none/kept"
load --as north.nobody
refused 2 "user north.nobody"

story "what is acknowledged is counted and kept"
load --as north.custodian --count 200 --in-flight 30 --keep "$work/kept" --json
done_well
[ "$(number acknowledged)" -eq 200 ] || fail "$(cat "$work/out")"
[ "$(wc -l <"$work/kept")" -eq 200 ] || fail "$(cat "$work/kept")"
[ "$(cut -d' ' -f2 "$work/kept" | sort -n | tail -n 1)" -eq 199 ] ||
    fail "not positions 0 to 199: $(cat "$work/kept")"

story "... and each is proven where it was acknowledged"
run ledger check "$work/kept" --dir "$dir"
done_well
grep -q "^200 entries are" "$work/out" || fail "$(cat "$work/out")"

story "an entry at another place, an unknown one and no list are told"
sed '3s/ .*/ 999/' "$work/kept" >"$work/moved"
run ledger check "$work/moved" --dir "$dir"
refused 1 "line 3: entry"
printf '%064d 7\n' 0 >"$work/unknown"
run ledger check "$work/unknown" --dir "$dir"
refused 1 "line 1"
for line in "x 1" "$(printf '%064d' 0)" "$(printf '%064d 1x' 0)"; do
    printf '%s\n' "$line" >"$work/wrong"
    run ledger check "$work/wrong" --dir "$dir"
    refused 2 "line 1: expected an id and a position"
done

story "at a rate, entries begin evenly"
load --as north.custodian --count 100 --rate 100 --json
done_well
# The last of a hundred begins 0.99 s after the first.
awk -v s="$(number seconds)" 'BEGIN { exit !(s >= 0.98) }' ||
    fail "$(cat "$work/out")"

story "who may not write them is refused at once"
load --as north.broker --count 10
refused 4 "recorded as forbidden"

story "a signal ends it, with the figures so far"
"$anchorite" ledger load --dir "$dir" --as north.custodian --seconds 600 \
    --keep "$work/until" >"$work/figures" 2>"$work/err" &
load=$!
tries=0
while [ ! -s "$work/until" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt $((300 * PATIENCE)) ] || fail "nothing is acknowledged"
    sleep 0.1
done
kill -INT "$load"
wait "$load" || fail "$(cat "$work/err")"
load=
grep -q "^acknowledged   $(wc -l <"$work/until") entries" "$work/figures" ||
    fail "$(cat "$work/figures")"

story "without a quorum it says so in time"
"$anchorite" network down --dir "$dir" >/dev/null 2>&1
load --as north.custodian --count 10 --timeout 2
refused 3 "no quorum"
