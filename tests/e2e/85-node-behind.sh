#!/bin/sh
# A node that is behind: what it does not have yet is not taken for absent.  A
# permit is released while one node stands still, while one that stood still is
# one of the only two, and one alone is not believed that there is nothing.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

follower() {
    "$BIN/anchorite" network status --dir "$dir" |
        awk '$3 == "follower" { print $1; exit }'
}
runs() {
    "$BIN/anchorite" network up --dir "$dir" >/dev/null 2>"$work/up" ||
        fail "up: $(cat "$work/up")"
}
# At once with what follows: it has missed all of it.
wakes() {
    kill_node "$1" CONT
}
permits_are_right() {
    cp "$dir/broker/state.db" "$work/copy.db"
    anchorite audit permits --database "$work/copy.db"
    done_well
    grep -q "^$1 permits for " "$work/out" || fail "not $1: $(cat "$work/out")"
}

road_up
road_filled
until_true 10 "all nodes have it" all_equal

story "one node stands still from the request to the release"
still=$(follower)
kill_node "$still" STOP
road_approved
anchorite release "$request"
done_well

story "it wakes while the next one is released"
road_approved
"$BIN/anchorite" release "$request" --dir "$dir" >"$work/driven" 2>&1 &
other=$!
others=$other
wakes "$still"
wait "$other" || fail "release: $(cat "$work/driven")"
others=""
until_true 20 "all nodes have it" all_equal

story "one that was killed comes back, and another one stands still"
behind=$(follower)
kill_node "$behind" KILL
road_approved
runs
still=$(leader)
kill_node "$still" STOP
anchorite release "$request" --timeout 20
[ "$code" -eq 0 ] || anchorite release "$request" --timeout 20
done_well
anchorite release fetch "$(result release)" --output "$work/release.csv"
done_well
wakes "$still"
until_true 20 "all nodes have it" all_equal

story "the permits of all three are audited, though one node stands still"
kill_node "$behind" STOP
stop_node broker
permits_are_right 3
wakes "$behind"

story "one node alone does not say what is not there, nor how much there is"
for node in node1 node2 node3; do
    [ "$node" = "$behind" ] || kill_node "$node" STOP
done
run ledger show "$commitment" --dir "$dir" --timeout 6
refused 3 "no quorum: 1 of 3 nodes answered"
run ledger show 0 --dir "$dir" --timeout 20
done_well
anchorite audit permits --database "$work/copy.db" --timeout 6
refused 3 "no quorum: 1 of 3 nodes answered"
for node in node1 node2 node3; do
    [ "$node" = "$behind" ] || wakes "$node"
done
run ledger show "$commitment" --dir "$dir" --timeout 20
refused 1 "there is no entry with this id"
