#!/bin/sh
# Nodes that stand still, and too few of them: what was acknowledged stays, who
# led before does not go on as if nothing had been, reading needs no quorum.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh

# Acknowledged entries of a load that runs, in the order of their positions.
begin_load() {
    "$BIN/anchorite" ledger load --dir "$dir" --as north.custodian \
        --seconds 600 --in-flight 16 --rate 100 --beforehand 200 --timeout 30 \
        --keep "$work/kept" >"$work/load" 2>&1 &
    load=$!
    others=$load
    before=0
    until_true 15 "entries are acknowledged" has_more 20
}
kept() {
    wc -l <"$work/kept"
}
has_more() { # N
    [ "$(kept)" -ge $((before + $1)) ]
}
end_load() {
    kill -TERM "$load"
    wait "$load" || fail "the load failed: $(cat "$work/load")"
    others=""
}
# Every acknowledged entry, at its place on all nodes.
nothing_is_lost() {
    until_true 20 "all are one again" all_equal
    run ledger check "$work/kept" --dir "$dir"
    done_well
    grep -q "^$(kept) entries" "$work/out" || fail "$(cat "$work/out")"
}
another_leads() { # NODE
    new=$(leader) && [ -n "$new" ] && [ "$new" != "$1" ]
}
terms() {
    "$BIN/anchorite" network status --dir "$dir" | awk 'NR > 1 { print $4 }'
}

network_up
begin_load

story "status says whom a node follows"
old=$(leader)
run network status --dir "$dir"
[ "$(awk -v node="$old" 'NR > 1 && $NF == node' "$work/out" | wc -l)" -eq 2 ] ||
    fail "not two follow $old: $(cat "$work/out")"
run network status --dir "$dir" --json
[ "$(grep -c "\"leader\": \"$old\"" "$work/out")" -eq 3 ] ||
    fail "not three name $old: $(cat "$work/out")"

story "the leader stands still for some seconds, under load"
before=$(kept)
said=$(wc -l <"$dir/$old/log")
kill_node "$old" STOP
until_true 15 "another leads" another_leads "$old"
until_true 15 "the others go on" has_more 50
before=$(kept)
kill_node "$old" CONT
follows_now() {
    tail -n +$((said + 1)) "$dir/$old/log" | grep -q 'follower, term'
}
until_true 10 "the old one steps down" follows_now
until_true 10 "the load goes on" has_more 50
one_leads() {
    [ "$(terms | sort -u | wc -l)" -eq 1 ] &&
        [ "$("$BIN/anchorite" network status --dir "$dir" |
            awk '$3 == "leader"' | wc -l)" -eq 1 ]
}
until_true 10 "one of three leads" one_leads

story "a follower stands still for some seconds, under load"
new=$(leader)
for node in node1 node2 node3; do
    [ "$node" != "$new" ] && break
done
term=$(terms | sort -n | tail -n 1)
kill_node "$node" STOP
before=$(kept)
# 3 s at 100 entries a second.
until_true 20 "the others go on" has_more 300
kill_node "$node" CONT
end_load
nothing_is_lost
[ "$(terms | sort -n | tail -n 1)" -eq "$term" ] ||
    fail "one that only slept has forced an election: $(terms)"

story "the roots that all have are those of their files"
for node in node1 node2 node3; do
    run audit --dir "$dir/$node"
    done_well
done

story "two of three are gone: a clear answer in time, and reading works"
stays=$(leader)
consents 1
id=$(field id)
until_true 10 "all have it" all_equal
attempts() { grep -c "raft: connecting to node" "$dir/$stays/log"; }
returns() { grep -c "raft: connected to node" "$dir/$stays/log"; }
attempts=$(attempts) || :
returns=$(returns) || :
for node in node1 node2 node3; do
    [ "$node" = "$stays" ] || kill_node "$node" KILL
done
began=$(date +%s)
submit north.broker consent "{\"commitment\":\"$commitment\"}" --timeout 4
refused 3 "no quorum: no answer within 4000 ms from any of 3 nodes"
[ $(($(date +%s) - began)) -le 7 ] || fail "it took too long"
run ledger show "$id" --dir "$dir"
done_well
run ledger prove "$id" --dir "$dir" --output "$work/proof.json"
[ "$code" -eq 0 ] || fail "no proof: $(cat "$work/err")"
run ledger checkpoint --dir "$dir"
done_well
run network status --dir "$dir"
[ "$code" -eq 1 ] || fail "status ended with $code: $(cat "$work/out")"

story "they are started again: it goes on by itself"
run network up --nodes-only --dir "$dir"
[ "$code" -eq 0 ] || fail "$(cat "$work/err")"
until_true 15 "a leader" has_leader
consents 1
until_true 15 "all have it" all_equal

story "that two were away is told once of each, and that they are back"
[ "$(attempts)" -eq $((attempts + 2)) ] || fail "$(attempts) times, not 2 more"
both_back() { [ "$(returns)" -eq $((returns + 2)) ]; }
until_true 10 "both are back" both_back
