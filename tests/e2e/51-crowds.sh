#!/bin/sh
# Clients that come in crowds, say nothing, or never read: the others are
# answered all the same, and nothing of it stays.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh
[ -x "$BIN/tests/hand_in" ] || skip "tests/hand_in is not built"

raft_address() {
    sed -n 's/^  "raft": "\(.*\)",$/\1/p' "$dir/$1/config.json"
}
crowds=0
# crowd ENDPOINT COUNT
crowd() {
    crowds=$((crowds + 1))
    "$BIN/tests/hand_in" crowd "$1" "$2" >"$work/crowd$crowds" \
        2>"$work/crowd.err" &
    others="$others $!"
    until_true 10 "$2 connections to $1" test -s "$work/crowd$crowds"
}
end_others() {
    for other in $others; do
        kill -KILL "$other" 2>/dev/null || :
        wait "$other" 2>/dev/null || :
    done
    others=""
}
files_of() { # NODE
    find "/proc/$(pid_of "$1")/fd" -mindepth 1 2>/dev/null | wc -l
}
is_small_again() { # NODE
    [ "$(files_of "$1")" -le $((before + 10)) ]
}
others_are_answered() { # HOW MANY
    began=$(date +%s)
    consents "$1"
    run ledger checkpoint --dir "$dir"
    done_well
    until_true 10 "all have it" all_equal
    [ $(($(date +%s) - began)) -le 15 ] || fail "it took too long"
}

network_up
consents 2
until_true 5 "all have it" all_equal
led=$(leader)
before=$(files_of "$led")

story "500 connections at once on the leader's socket, that say nothing more"
crowd "ipc://$dir/$led/socket" 500
echo "  ($(files_of "$led") files are open, $before before)"
others_are_answered 3
[ "$(leader)" = "$led" ] || fail "$led does not lead any more"

story "... and 500 on its port for the other nodes"
crowd "tcp://$(raft_address "$led")" 500
echo "  ($(files_of "$led") files are open)"
others_are_answered 3
[ "$(leader)" = "$led" ] || fail "$led does not lead any more"
# A node that comes anew still gets in.
for node in node1 node2 node3; do
    [ "$node" != "$led" ] && break
done
kill_node "$node" KILL
run network up --nodes-only --dir "$dir"
[ "$code" -eq 0 ] || fail "$(cat "$work/err")"
others_are_answered 1

story "more than a process may usually have open"
limit=$(awk '/^Max open files/ { print $4 }' "/proc/$(pid_of "$led")/limits")
if [ "$limit" -gt 3000 ]; then
    for n in 1 2 3; do
        crowd "ipc://$dir/$led/socket" 500
    done
    others_are_answered 3
    [ "$(leader)" = "$led" ] || fail "$led does not lead any more"
else
    grep -q "$limit files may be open" "$dir/$led/log" ||
        fail "$led may open $limit files only, and does not say so"
    echo "  (not possible here: $limit files at most)"
fi

story "clients that ask much, and never read an answer"
end_others
n=0
while [ "$n" -lt 10 ]; do
    n=$((n + 1))
    : >"$work/deaf$n"
    "$BIN/anchorite" ledger load --dir "$dir" --as north.custodian \
        --in-flight 200 --rate 100 --beforehand 50 --keep "$work/deaf$n" \
        >/dev/null 2>&1 &
    others="$others $!"
done
n=0
for other in $others; do
    n=$((n + 1))
    until_true 20 "client $n is at work" test -s "$work/deaf$n"
    kill -STOP "$other"
done
others_are_answered 3

story "they go: nothing of them stays"
end_others
is_gone_all() {
    is_small_again "$led"
}
until_true 20 "$led has let go of its connections" is_gone_all
others_are_answered 2
