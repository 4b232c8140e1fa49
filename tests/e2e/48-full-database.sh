#!/bin/sh
# The database's disk is full, on the leader: the node says so, the others
# go on, nothing acknowledged is lost, and with room it goes on by itself.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/small_disk.sh

network_up
consents 2
until_true 10 "all have it" all_equal

story "the database's disk gets full under the leader"
size=$(du -kc "$dir/node1/"state.db* | tail -n 1 | cut -f 1)
start_small node1 database $((size + 1500))
said=$(wc -l <"$dir/node1/log")
make_lead node1
order fill
for i in 1 2 3 4 5 6 7 8 9 10; do
    large_entries 6
    ! is_told node1 "cannot execute, trying again: .*full" || break
done
is_told node1 "cannot execute, trying again: .*full" || fail "it does not say so"
until_true 10 "another leads" another_leads node1
consents 3
[ "$(told node1 "cannot execute")" -eq 1 ] || fail "it says so more than once"
run ledger show "$(field id)" --dir "$dir"
done_well
order room
until_true 15 "it goes on" is_told node1 "executing again"
until_true 20 "all have it" all_equal
end_small node1
until_true 20 "all have it" all_equal

story "each node's files are as recomputed"
for node in node1 node2 node3; do
    run audit --dir "$dir/$node"
    done_well
done
