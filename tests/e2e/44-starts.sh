#!/bin/sh
# `network up` at bad moments, nodes with what is not theirs, and what a node
# keeps to itself.
#
#   SEED=N   when `network up` is killed
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh

seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
echo "SEED=$seed"
state=$((seed % 2147483646 + 1))
# draw N: one of 0 .. N-1 in $drawn (Lehmer's generator, modulus 2^31 - 1).
draw() {
    state=$((state * 48271 % 2147483647))
    drawn=$((state % $1))
}

anchorite=$BIN/anchorite
# Processes that are nodes of this network, whatever their folders say of them.
node_processes() {
    for process in /proc/[0-9]*; do
        # It may end while we look.
        words=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) || continue
        case $words in
        "anchorite-ledger --config $dir/"*) echo "${process#/proc/}" ;;
        esac
    done 2>/dev/null | sort
}
marked_processes() {
    for node in node1 node2 node3; do
        pid_of "$node"
    done | sort
}
up_completes() {
    "$anchorite" network up --nodes-only --dir "$dir" >"$work/out" 2>"$work/err"
}
each_runs_once() {
    node_processes >"$work/living"
    marked_processes >"$work/marked"
    cmp "$work/living" "$work/marked" ||
        fail "living: $(cat "$work/living"), marked: $(cat "$work/marked")"
}

story "two up at once on a new folder: one network, both end clearly"
"$anchorite" network up --nodes-only --dir "$dir" >"$work/out1" 2>"$work/err1" &
first=$!
others=$first
code2=0
"$anchorite" network up --nodes-only --dir "$dir" >"$work/out2" 2>"$work/err2" || code2=$?
code1=0
wait "$first" || code1=$?
others=""
for n in 1 2; do
    case $(eval "echo \$code$n") in
    0) grep -q "all are running" "$work/out$n" ||
        fail "up $n says: $(cat "$work/out$n")" ;;
    2) grep -q "another .* is at work on it" "$work/err$n" ||
        fail "up $n says: $(cat "$work/err$n")" ;;
    *) fail "up $n: $(cat "$work/out$n" "$work/err$n")" ;;
    esac
done
[ "$code1" -eq 0 ] || [ "$code2" -eq 0 ] || fail "neither has started it"
until_true 10 "up says that all run" up_completes
each_runs_once
until_true 15 "a leader" has_leader
[ "$(find "$work" -maxdepth 1 -name 'network.*' | wc -l)" -eq 0 ] ||
    fail "the network that lost is still there"

story "up right after kill -9 starts what was killed"
for round in 1 2 3 4 5 6; do
    node=node$((round % 3 + 1))
    old=$(pid_of "$node")
    kill_node "$node" KILL
    run network up --nodes-only --dir "$dir"
    [ "$code" -eq 0 ] && grep -q "^1 of 3 nodes started" "$work/out" ||
        fail "round $round: $(cat "$work/out" "$work/err")"
    [ "$(pid_of "$node")" != "$old" ] || fail "$node was not started"
done
for node in node1 node2 node3; do
    kill_node "$node" KILL
done
run network up --nodes-only --dir "$dir"
[ "$code" -eq 0 ] && grep -q "^3 of 3 nodes started" "$work/out" ||
    fail "$(cat "$work/out" "$work/err")"
each_runs_once

story "up is killed at any moment, the next one completes it"
for round in 1 2 3 4 5 6 7 8; do
    "$anchorite" network down --dir "$dir" >/dev/null 2>&1 || fail "no down"
    draw 120
    pause=$(printf '0.%03d' "$drawn")
    timeout --signal KILL "$pause" "$anchorite" network up --nodes-only --dir "$dir" \
        >/dev/null 2>&1 || :
    # A child of the one that was killed may still have its lock.
    until_true 10 "round $round: up after up was killed at $pause s" up_completes
    each_runs_once
    until_true 20 "round $round: a leader" has_leader
done

story "... also the one that makes the network"
made=0
for round in 1 2 3 4; do
    other=$work/other$round
    draw 400
    timeout --signal KILL "$(printf '0.%03d' "$drawn")" "$anchorite" network up \
        --nodes-only --dir "$other" --nodes 1 >/dev/null 2>&1 || :
    [ ! -e "$other" ] || [ -e "$other/network.json" ] ||
        fail "half a network in $other"
    [ ! -e "$other" ] || made=$((made + 1))
    run network up --nodes-only --dir "$other" --nodes 1
    again=$code
    "$anchorite" network down --dir "$other" >/dev/null 2>&1 || fail "no down"
    [ "$again" -eq 0 ] || fail "$(cat "$work/out" "$work/err")"
done
echo "  ($made of 4 had made it before)"

story "a node's memory: no core file, not to be looked into, keys locked"
# Another process of the same user may look, unless the node forbids it; for one
# of root's, unless either is free of such rules.
if [ "$(id -u)" -eq 0 ]; then
    plain="setpriv --bounding-set=-sys_ptrace"
else
    plain=""
fi
"$anchorite" network down --dir "$dir" >/dev/null 2>&1 || fail "no down"
$plain "$anchorite" network up --nodes-only --dir "$dir" >/dev/null 2>&1 || fail "no up"
$plain sleep 600 &
others=$!
sleeps() {
    $plain readlink "/proc/$others/exe" | grep -q sleep
}
until_true 5 "a process that does not forbid it is looked into" sleeps
for node in node1 node2 node3; do
    pid=$(pid_of "$node")
    ! $plain readlink "/proc/$pid/exe" >/dev/null 2>&1 ||
        fail "$node can be looked into"
    awk '/^Max core file size/ { seen = 1; exit !($5 == 0 && $6 == 0) }
         END { if (!seen) exit 1 }' "/proc/$pid/limits" ||
        fail "core files: $(cat "/proc/$pid/limits")"
    # 1 MiB for keys (common/limits.h); nothing else locks memory.
    locked=$(awk '/^VmLck:/ { print $2 }' "/proc/$pid/status")
    [ "$locked" -eq 1024 ] || fail "$node: $locked KiB are locked"
done
kill "$others"
others=""

# refused_at_start NODE CODE WORDS   with the configuration in $work/config
refused_at_start() {
    code=0
    timeout 10 "$BIN/anchorite-ledger" --config "$dir/$1/try.json" \
        >"$work/out" 2>"$work/err" || code=$?
    [ "$code" -eq "$2" ] && grep -qF -- "$3" "$work/err" &&
        [ "$(wc -l <"$work/err")" -eq 1 ] ||
        fail "$1 ended with $code: $(cat "$work/err")"
}
# try NODE SED-EXPRESSION
try() {
    sed "$2" "$dir/$1/config.json" >"$dir/$1/try.json"
    chmod 600 "$dir/$1/try.json"
}

story "two nodes with one folder"
try node2 's|"raft_folder": "raft"|"raft_folder": "../node1/raft"|'
stop_node node2
refused_at_start node2 2 "node1/raft: another process uses this folder"
try node2 's|"database": "state.db"|"database": "../node1/state.db"|'
refused_at_start node2 2 "node1/state.db"
# Its own again.
try node2 's|"raft_folder": "raft"|"raft_folder": "../node2/raft"|'
mv "$dir/node2/raft" "$work/raft2"
cp -pr "$dir/node1/raft" "$dir/node2/raft"
refused_at_start node2 2 "raft: is another node's log"
rm -rf "$dir/node2/raft"
mv "$work/raft2" "$dir/node2/raft"

story "another node's key, certificate, or cosigning key"
cp -p "$dir/node1/key.pem" "$work/"
try node2 's|"key": "key.pem"|"key": "../node1/key.pem"|'
refused_at_start node2 2 "is not the key of"
try node2 's|"certificate": "certificate.pem"|"certificate": "../node1/certificate.pem"|'
refused_at_start node2 2 "is not the certificate that"
try node2 's|"cosign": "cosign.pem"|"cosign": "../node1/cosign.pem"|'
refused_at_start node2 2 "is not the key that"
try node2 's|"node": 2|"node": 3|'
refused_at_start node2 2 "node"

story "folders and keys that others may read"
try node2 ''
for open in . raft; do
    chmod 750 "$dir/node2/$open"
    refused_at_start node2 4 "chmod 700"
    chmod 700 "$dir/node2/$open"
done
for open in key.pem cosign.pem curve.key; do
    chmod 640 "$dir/node2/$open"
    code=0
    timeout 10 "$BIN/anchorite-ledger" --config "$dir/node2/try.json" \
        >"$work/out" 2>"$work/err" || code=$?
    case $code in
    2 | 4) grep -qF "$open: has mode 0640" "$work/err" ||
        fail "$open: $(cat "$work/err")" ;;
    *) fail "$open: ended with $code" ;;
    esac
    chmod 600 "$dir/node2/$open"
done
chmod 755 "$dir"
run network up --nodes-only --dir "$dir"
refused 4 "chmod 700"
chmod 700 "$dir"

story "and as it was it is one of them again"
run network up --nodes-only --dir "$dir"
[ "$code" -eq 0 ] || fail "$(cat "$work/err")"
until_true 15 "a leader" has_leader
until_true 15 "all are one" all_equal
