#!/bin/sh
# Raft's disk is full, on the leader and on a follower: the node says so, the others
# go on, nothing acknowledged is lost, and with room it goes on by itself.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/small_disk.sh

network_up
consents 2
until_true 10 "all have it" all_equal

story "Raft's disk gets full under the leader: it says so, and another leads"
# One segment of 8 MiB and little else.
start_small node1 raft 10000
said=$(wc -l <"$dir/node1/log")
make_lead node1
consents 1
order fill
for i in 1 2 3 4 5 6 7 8 9 10; do
    large_entries 12
    ! is_told node1 "the disk of Raft's log is full" || break
done
is_told node1 "the disk of Raft's log is full" || fail "it does not say so"
until_true 10 "another leads" another_leads node1
consents 2

story "... as a follower it falls behind, and the others go on"
large_entries 90
consents 2
[ "$(told node1 "the disk of Raft's log is full")" -eq 1 ] ||
    fail "it says so more than once"
is_gone "$(pid_of node1)" && fail "node1 has ended" || :
run ledger checkpoint --dir "$dir"
done_well

story "... and with room it has everything again, by itself"
order room
until_true 30 "node1 has all of it" all_equal
until_true 30 "it says so" is_told node1 "the disk of Raft's log has room again"
# Seven consents, and the large ones.
[ "$(roots | head -n 1 | cut -d ' ' -f 1)" -eq $((7 + recorded)) ] ||
    fail "not what was acknowledged: $(roots), $recorded large"
end_small node1
until_true 20 "all have it" all_equal

story "each node's files are as recomputed"
for node in node1 node2 node3; do
    run audit --dir "$dir/$node"
    done_well
done
