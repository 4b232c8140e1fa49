#!/bin/sh
# A network of three nodes: up, entries, proofs, a node that dies, down.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh

[ -x "$BIN/anchorite-ledger" ] || skip "no anchorite-ledger is built"
dir=$work/net
bin=$(cd "$BIN" && pwd)
cleanup() {
    "$BIN/anchorite" network down --dir "$dir" >/dev/null 2>&1 || true
}
trap 'code=$?; cleanup; (exit $code); finished' EXIT

# Run the command: exit code in $code, output in $work/out and $work/err.
run() {
    code=0
    "$BIN/anchorite" "$@" >"$work/out" 2>"$work/err" || code=$?
}
expect() { # EXIT CODE
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/out" "$work/err")"
}
says() { # FILE WORDS
    grep -qF -- "$2" "$work/$1" || fail "no \"$2\" in: $(cat "$work/$1")"
}
# The value of a member in $work/out, one member a line.
member() { # KEY
    sed -n 's/^ *"'"$1"'": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' \
        "$work/out" | head -n 1
}
pid_of() { # NODE
    cut -d' ' -f1 "$dir/$1/pid"
}
until_true() { # SECONDS COMMAND...
    deadline=$(($(date +%s) + $1 * PATIENCE))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}
commitment=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
submit() { # USER
    echo "{\"commitment\": \"$commitment\"}" |
        "$BIN/anchorite" ledger submit --dir "$dir" --as "$1" --type dataset \
            --payload - --json >"$work/out" 2>"$work/err"
}

story "up makes three nodes and starts them"
run network up --nodes-only --dir "$dir"
expect 0
says out "3 of 3 nodes started"
says err "for trying out"
run network up --nodes-only --dir "$dir"
expect 0
says out "0 of 3 nodes started, all are running"
run network up --nodes-only --dir "$dir" --nodes 4
expect 2
says err "network of 3 nodes already"

story "status says who leads and that all answer"
leads() {
    run network status --dir "$dir"
    [ "$code" -eq 0 ] && [ "$(grep -c leader "$work/out")" -eq 1 ]
}
until_true 10 leads || fail "no leader: $(cat "$work/out" "$work/err")"

story "the folder may be named from where one works"
(
    cd "$work"
    "$bin/anchorite" network status --dir net >out 2>err
) || fail "not from $work: $(cat "$work/err")"

story "an entry is submitted, shown by id and by position"
code=0
submit north.custodian || code=$?
expect 0
id=$(member id)
position=$(member position)
[ "$(member verdict)" = valid ] || fail "not valid: $(cat "$work/out")"
run ledger show "$id" --dir "$dir"
expect 0
says out "position  $position"
run ledger show "$position" --dir "$dir" --json
expect 0
[ "$(member id)" = "$id" ] || fail "another entry at $position"
run ledger history "entry/$id" --dir "$dir"
expect 0
[ "$(cat "$work/out")" = "$position" ] || fail "history: $(cat "$work/out")"

story "what is not there is an honest no"
run ledger show 1000000 --dir "$dir"
expect 1
run ledger show "$commitment" --dir "$dir"
expect 1

story "a role that may not write is refused, and that is recorded"
code=0
submit north.auditor || code=$?
expect 4
says err "recorded as forbidden"
refused=$(member position)
run ledger show "$refused" --dir "$dir"
expect 0
says out "verdict   forbidden"

story "a proof, verified without the network"
run ledger prove "$id" --dir "$dir" --output "$work/proof.json"
expect 0
run ledger checkpoint --dir "$dir"
expect 0
cp "$work/out" "$work/old"
cp "$dir/trust.json" "$work/trust.json"
run ledger verify "$work/proof.json" --trust "$work/trust.json"
expect 0
says out "verdict   valid"
says err "all keys were on one machine"
sed 's/"verdict": "valid"/"verdict": "forbidden"/' "$work/proof.json" \
    >"$work/forged.json"
run ledger verify "$work/forged.json" --trust "$work/trust.json"
expect 1
says err "inclusion: "

story "the leader dies: the others go on, and it comes back"
run network status --dir "$dir"
leader=$(sed -n 's/^\(node[0-9]*\) .* leader .*/\1/p' "$work/out")
kill -9 "$(pid_of "$leader")"
code=0
submit south.custodian || code=$?
expect 0
after=$(member id)
run network status --dir "$dir"
expect 1
says out "not running"
run network up --nodes-only --dir "$dir"
expect 0
says out "1 of 3 nodes started"
caught_up() {
    run network status --dir "$dir"
    [ "$code" -eq 0 ] &&
        [ "$(awk 'NR > 1 { print $5 }' "$work/out" | sort -u | wc -l)" -eq 1 ]
}
until_true 20 caught_up || fail "not caught up: $(cat "$work/out")"

story "the log only grew"
run ledger prove "$after" --dir "$dir" --output "$work/after.json"
expect 0
run ledger verify "$work/after.json" --trust "$work/trust.json"
expect 0
run ledger checkpoint --dir "$dir" --from "$work/old"
expect 0
says err "The log only grew"

story "each node's files are as recomputed"
for node in node1 node2 node3; do
    run audit --dir "$dir/$node"
    expect 0
done

story "without a quorum the answer is no quorum, in time"
kill -9 "$(pid_of node1)" "$(pid_of node2)"
started=$(date +%s)
code=0
submit east.custodian || code=$?
expect 3
says err "no quorum"
[ $(($(date +%s) - started)) -le $((20 * PATIENCE)) ] ||
    fail "it took too long"

story "down ends all that is left, and does nothing the second time"
run network down --dir "$dir"
expect 0
says out "1 of 3 nodes ended"
run network down --dir "$dir"
expect 0
says out "0 of 3 nodes ended"
run network status --dir "$dir"
expect 1

story "a node that cannot start says why"
echo "{" >"$dir/node2/config.json"
run network up --nodes-only --dir "$dir"
expect 3
says err "node2"
says err "config.json"
for node in node1 node2 node3; do
    [ ! -e "$dir/$node/pid" ] || fail "$node was left running"
done

story "wrong calls"
run network sideways --dir "$dir"
expect 2
run network up
expect 2
run ledger submit --dir "$dir"
expect 2
run ledger verify "$work/proof.json" --trust "$work/none.json"
expect 2
run network up --nodes-only --dir "$work/$(printf '%0120d' 0)"
expect 2
says err "at most 107"
