#!/bin/sh
# Bits that flip: in the database while the node is stopped and while it runs,
# in Raft's log.  What a client gets from that node is right or an error, the
# node heals or refuses to start.
#
#   SEED=N   which bits      FLIPS=24   in each database
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh

seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
flips=${FLIPS:-24}
echo "SEED=$seed FLIPS=$flips"
state=$((seed % 2147483646 + 1))
# draw N: one of 0 .. N-1 in $drawn (Lehmer's generator, modulus 2^31 - 1).
draw() {
    state=$((state * 48271 % 2147483647))
    drawn=$((state % $1))
}
# flip FILE BYTE BIT
flip() {
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059 # the byte is made
    printf "\\$(printf '%03o' $((byte ^ (1 << $3))))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
flip_some() { # FILE N
    left=$2
    while [ "$left" -gt 0 ]; do
        draw "$(wc -c <"$1")"
        at=$drawn
        draw 8
        flip "$1" "$at" "$drawn"
        left=$((left - 1))
    done
}

# What is in the log, as all nodes had it before anything was altered.
entry_of() { # POSITION
    "$BIN/anchorite" ledger show "$1" --dir "$2" --json
}
# only NODE   a network's folder in which it is the only node that is asked
only() {
    rm -rf "$work/only"
    mkdir -m 700 "$work/only"
    cp -pr "$dir/users" "$work/only/"
    awk -v node="$1" '
        /^    {/ { object = $0; inside = 1; next }
        inside { object = object "\n" $0 }
        inside && /^    }/ {
            inside = 0
            sub(/},$/, "}", object)
            if (object ~ "\"name\": \"" node "\"") printf "%s\n", object
            next
        }
        !inside { print }' "$dir/network.json" >"$work/only/network.json"
    sed -i "s|\"ipc://$1/socket\"|\"ipc://$dir/$1/socket\"|" \
        "$work/only/network.json"
}
# right_or_error   every entry, from that node alone
right=0 errors=0
right_or_error() {
    position=0
    while [ "$position" -lt "$entries" ]; do
        result=0
        "$BIN/anchorite" ledger show "$position" --dir "$work/only" --json \
            --timeout 2 >"$work/answer" 2>"$work/err" || result=$?
        case $result in
        0)
            cmp -s "$work/answer" "$work/entry$position" ||
                fail "entry $position is another: $(cat "$work/answer")"
            right=$((right + 1))
            ;;
        3) errors=$((errors + 1)) ;;
        *) fail "entry $position: ended with $result: $(cat "$work/err")" ;;
        esac
        position=$((position + 7))
    done
}
is_whole() { # NODE
    all_equal && "$BIN/anchorite" audit --dir "$dir/$1"
}
is_up() {
    kill -0 "$(pid_of "$1")"
}
follower() {
    "$BIN/anchorite" network status --dir "$dir" |
        awk '$3 == "follower" { print $1; exit }'
}

network_up
"$BIN/anchorite" ledger load --dir "$dir" --as north.custodian --count 200 \
    --in-flight 20 --keep "$work/kept" >/dev/null 2>&1 || fail "no load"
consents 5
entries=205
until_true 15 "all have it" all_equal
position=0
while [ "$position" -lt "$entries" ]; do
    run ledger show "$position" --dir "$dir" --json
    done_well
    cp "$work/out" "$work/entry$position"
    position=$((position + 7))
done

story "bits of the database flip while the node is stopped"
node=$(follower)
only "$node"
right_or_error
[ "$errors" -eq 0 ] || fail "$node alone does not answer: $(cat "$work/err")"
stop_node "$node"
# All of it in the one file, as after any orderly end.
[ ! -s "$dir/$node/state.db-wal" ] || fail "there is a journal left"
flip_some "$dir/$node/state.db" "$flips"
run network up --nodes-only --dir "$dir"
if [ "$code" -eq 3 ]; then
    # What says which tables there are is altered: it refuses to start, in words.
    tail -n 1 "$dir/$node/log" | grep -q \
        -e 'state.db: the database is damaged' \
        -e 'state.db: does not have the tables .* or damaged' ||
        fail "$node does not start: $(cat "$work/err")"
    echo "  (it refused to start)"
    rm -f "$dir/$node/"state.db*
    run network up --nodes-only --dir "$dir"
    # Until then it says, and rightly, that it has no such entry.
    until_true 30 "$node has all of it" all_equal
fi
[ "$code" -eq 0 ] || fail "$node does not start: $(cat "$work/err")"
right_or_error
until_true 30 "$node is whole again" is_whole "$node"
right=0 errors=0
right_or_error
[ "$errors" -eq 0 ] || fail "$errors errors of the healed $node"
consents 1
until_true 15 "all have it" all_equal

story "... and while it runs"
rm -rf "$dir/$node/"state.db.damaged*
"$BIN/anchorite" audit --dir "$dir/$node" >/dev/null || fail "not whole"
flip_some "$dir/$node/state.db" "$flips"
right_or_error
right_or_error
is_up "$node" || fail "$node has ended"
until_true 40 "$node is whole again" is_whole "$node"
consents 1
until_true 15 "all have it" all_equal
echo "  ($right right answers, $errors errors)"

# segments NODE   of Raft's log, closed by an orderly end, in order
segments() {
    find "$dir/$1/raft" -name '[0-9]*-[0-9]*' ! -name 'snapshot-*' | sort
}
# is_refused NODE   with Raft's folder in the words.  A length that has grown
# beyond its file is to libraft a read that fails (3), not damage (2).
is_refused() {
    code=0
    timeout 10 "$BIN/anchorite-ledger" --config "$dir/$1/config.json" \
        >"$work/out" 2>"$work/err" || code=$?
    case $code in
    2 | 3) grep -q "$1/raft: " "$work/err" || fail "$(cat "$work/err")" ;;
    *) fail "$1 ended with $code: $(cat "$work/err")" ;;
    esac
}
story "a bit of Raft's log flips, in its first and in its last segment"
stop_node "$node"
run network up --nodes-only --dir "$dir"
[ "$code" -eq 0 ] || fail "$(cat "$work/err")"
consents 3
until_true 15 "all have it" all_equal
stop_node "$node"
[ "$(segments "$node" | wc -l)" -ge 2 ] || fail "one segment only"
cp -pr "$dir/$node/raft" "$work/raft"
for segment in $(segments "$node" | sed -n '1p;$p'); do
    for round in 1 2 3; do
        # Behind the version: anything from there on is of some entry.
        draw $(($(wc -c <"$segment") - 8))
        at=$((drawn + 8))
        draw 8
        flip "$segment" "$at" "$drawn"
        is_refused "$node"
        cp -p "$work/raft/${segment##*/}" "$segment"
    done
done
run network up --nodes-only --dir "$dir"
[ "$code" -eq 0 ] || fail "$(cat "$work/err")"
until_true 20 "with the file as it was it is one of them" all_equal
