#!/bin/sh
# Nodes are killed under load, the leader as often as the others: what was
# acknowledged is in all logs, which are one.
#
#   ROUNDS=50   kills (8)      SEED=N   which nodes, and when
set -eu
. tests/e2e/lib.sh

rounds=${ROUNDS:-8}
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "SEED=$seed ROUNDS=$rounds"
dir=$work/net
user=north.custodian
anchorite=$BIN/anchorite
load=
state=$((seed % 2147483647))
[ "$state" -gt 0 ] || state=1

cleanup() {
    code=$?
    [ -z "$load" ] || kill "$load" 2>/dev/null || :
    [ "$code" -eq 0 ] || {
        echo "SEED=$seed" >&2
        tail -n 20 "$dir"/node*/log >&2 2>/dev/null || :
    }
    "$anchorite" network down --dir "$dir" >/dev/null 2>&1 || :
    set +e
    (exit "$code")
    finished
}
trap cleanup EXIT

# draw N: one of 0 .. N-1 in $drawn (Lehmer's generator, modulus 2^31 - 1).
draw() {
    state=$((state * 48271 % 2147483647))
    drawn=$((state % $1))
}
# until_so SECONDS COMMAND...: wait until it succeeds.
until_so() {
    left=$(($1 * 10 * PATIENCE))
    shift
    while ! "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}
kept() { wc -l <"$work/kept"; }
has_kept() { [ "$(kept)" -ge "$1" ]; }
sizes() {
    "$anchorite" network status --dir "$dir" --json 2>/dev/null |
        sed -n 's/^ *"size": \([0-9]*\),*$/\1/p'
}
equal_sizes() {
    sizes >"$work/sizes" && [ "$(wc -l <"$work/sizes")" -eq 3 ] &&
        [ "$(sort -u "$work/sizes" | wc -l)" -eq 1 ]
}
anchored() { # SIZE
    "$anchorite" ledger checkpoint --dir "$dir" >"$work/note" 2>/dev/null &&
        [ "$(sed -n 2p "$work/note")" -ge "$1" ]
}
gone() { ! kill -0 "$1" 2>/dev/null; }
loading() { kill -0 "$load" 2>/dev/null; }

story "three nodes, and a first checkpoint that is kept"
: >"$work/kept"
"$anchorite" network up --nodes-only --dir "$dir" >/dev/null 2>&1
"$anchorite" ledger load --dir "$dir" --as $user --count 100 --in-flight 20 \
    --beforehand 100 --timeout $((60 * PATIENCE)) --keep "$work/kept" >/dev/null
until_so 30 anchored 100 || fail "100 entries have no cosigned checkpoint"
cp "$work/note" "$work/note.old"

story "$rounds kills under load"
"$anchorite" ledger load --dir "$dir" --as $user --seconds 3600 \
    --in-flight 32 --rate 300 --beforehand 1000 --timeout $((60 * PATIENCE)) \
    --keep "$work/kept" >"$work/load" 2>&1 &
load=$!
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    before=$(kept)
    until_so 60 has_kept $((before + 20)) ||
        fail "round $round: nothing more is acknowledged: $(cat "$work/load")"
    draw 3
    node=$dir/node$((drawn + 1))
    draw 300
    sleep "$(printf '0.%03d' "$drawn")"
    pid=$(cut -d' ' -f1 "$node/pid")
    kill -9 "$pid"
    # Until then it looks as if it ran.
    until_so 30 gone "$pid" || fail "round $round: $pid does not die"
    # With two of three it goes on, sometimes before, sometimes after the third
    # is back.
    draw 2
    if [ "$drawn" -eq 0 ]; then
        before=$(kept)
        until_so 60 has_kept $((before + 20)) ||
            fail "round $round: two nodes do not go on: $(cat "$work/load")"
    fi
    "$anchorite" network up --nodes-only --dir "$dir" >"$work/up" 2>&1 ||
        fail "round $round: $(cat "$work/up")"
done
loading || fail "the load has ended by itself: $(cat "$work/load")"
kill -TERM "$load"
wait "$load" || fail "the load failed: $(cat "$work/load")"
load=
cat "$work/load"

story "all nodes come to the same size, and the newest checkpoint there"
until_so 120 equal_sizes || fail "sizes stay different: $(cat "$work/sizes")"
size=$(sed -n 1p "$work/sizes")
[ "$size" -ge "$(kept)" ] || fail "$size entries, $(kept) acknowledged"
until_so 60 anchored "$size" || fail "$size entries have no checkpoint"

story "the kept checkpoint is a beginning of the newest one"
# Whichever node answers may have gathered its own cosignatures a moment later.
extended() {
    "$anchorite" ledger checkpoint --dir "$dir" --from "$work/note.old" \
        >"$work/extended" 2>"$work/err" &&
        [ "$(sed -n 2p "$work/extended")" -eq "$size" ]
}
until_so 60 extended || fail "$(cat "$work/extended" "$work/err")"

story "every node has the same root, and its files, recomputed, lead there"
"$anchorite" network status --dir "$dir" --json >"$work/status"
sed -n 's/^ *"root": "\([0-9a-f]*\)".*/\1/p' "$work/status" >"$work/roots"
[ "$(wc -l <"$work/roots")" -eq 3 ] &&
    [ "$(sort -u "$work/roots" | wc -l)" -eq 1 ] || fail "$(cat "$work/status")"
[ "$(sed -n 3p "$work/extended" | base64 -d | od -An -tx1 | tr -d ' \n')" = \
    "$(sed -n 1p "$work/roots")" ] || fail "the checkpoint has another root"
for n in 1 2 3; do
    "$anchorite" audit --dir "$dir/node$n" --json >"$work/audit" ||
        fail "node$n: $(cat "$work/audit")"
    grep -q "\"entries\": $size,*\$" "$work/audit" ||
        fail "node$n: not $size entries: $(cat "$work/audit")"
done

story "no two acknowledged entries share a place"
[ "$(cut -d' ' -f2 "$work/kept" | sort -u | wc -l)" -eq "$(kept)" ] ||
    fail "a position was acknowledged twice"

story "each acknowledged entry is where it was said to be, and proven there"
# All logs are one by now: what one node proves is in all of them.
"$anchorite" ledger check "$work/kept" --dir "$dir" >"$work/out" 2>"$work/err" ||
    fail "$(cat "$work/err")"
grep -q "^$(kept) entries" "$work/out" || fail "$(cat "$work/out")"
cat "$work/out"
