#!/bin/sh
# What was altered by hand is noticed, not served, and healed.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh

# Hit by whatever is written there: a folder in the way of the new database
# keeps the node from healing for as long as we want to look at it.
block_healing() {
    mkdir "$dir/$1/state.db.fresh"
}
allow_healing() {
    rmdir "$dir/$1/state.db.fresh"
}
is_role() {
    [ "$(role_of "$1")" = "$2" ]
}
is_healed() {
    [ -e "$dir/$1/state.db.damaged" ] && ! is_role "$1" healing && all_equal
}
anchors_past() {
    [ "$("$BIN/anchorite" ledger checkpoint --dir "$dir" | sed -n 2p)" -gt "$1" ]
}
not_the_leader() {
    "$BIN/anchorite" network status --dir "$dir" |
        awk '$3 == "follower" { print $1; exit }'
}

# audit_finds NODE WORDS   in a copy of its folder
audit_finds() {
    rm -rf "$work/copy"
    mkdir -m 700 "$work/copy"
    cp -p "$dir/$1/genesis.json" "$dir/$1/state.db" "$work/copy/"
    for more in wal shm; do
        [ ! -e "$dir/$1/state.db-$more" ] ||
            cp -p "$dir/$1/state.db-$more" "$work/copy/"
    done
    run audit --dir "$work/copy"
    [ "$code" -eq 1 ] || fail "audit ended with $code: $(cat "$work/err")"
    cat "$work/out" "$work/err" | grep -q -- "$2" ||
        fail "audit does not name $2: $(cat "$work/out" "$work/err")"
}

# altered NODE SQL WORDS   then: noticed, left out, served by the others, healed
altered() {
    node=$1
    block_healing "$node"
    sqlite3 "$dir/$node/state.db" ".timeout 2000" "$2" ||
        fail "the database was not altered"
    [ -z "$3" ] || audit_finds "$node" "$3"
    until_true 10 "$node notices it" is_role "$node" healing
    before=$(status_of "$node" | cut -d ' ' -f 2)
    until_true 10 "another leads" has_leader
    consents 2
    until_true 10 "the others anchor" anchors_past "$before"
    signers >"$work/signers"
    [ "$(wc -l <"$work/signers")" -eq 2 ] || fail "not 2 cosignatures"
    ! grep -q "$node" "$work/signers" || fail "$node still cosigns"
    allow_healing "$node"
    until_true 15 "$node is healed" is_healed "$node"
    rm -f "$dir/$node/state.db.damaged"*
}

# seal_state KEY VALUE   the seal of a row of version 0; the value in hex
seal_state() {
    printf '%016x%016x%064d%s%s' ${#1} $((${#2} / 2)) 0 \
        "$(printf 'state%s' "$1" | od -An -v -tx1 | tr -d ' \n')" "$2" \
        >"$work/hex"
    sqlite3 :memory: "SELECT writefile('$work/row', x'$(cat "$work/hex")')" \
        >"$work/size"
    openssl dgst -sha256 -binary "$work/row" | head -c 8 |
        od -An -td8 --endian=big | tr -d ' '
}

network_up
consents 4
until_true 5 "all have it" all_equal

story "a verdict of a follower"
altered "$(not_the_leader)" \
    "UPDATE entry SET verdict = 5 WHERE position = 2" "block .*entry 2"

story "an entry's bytes"
altered "$(not_the_leader)" \
    "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT),
     'consent', 'withdraw') AS BLOB) WHERE position = 1" "block .*entry 1"

story "a leaf of the tree"
altered "$(not_the_leader)" \
    "UPDATE node SET hash = zeroblob(32) WHERE place = 0" ""

story "a block's header, of the leader"
altered "$(leader)" \
    "UPDATE block SET header = zeroblob(140) WHERE number = 1" "block 1"

story "the newest checkpoint"
altered "$(not_the_leader)" \
    "UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), '— node',
     '— nodf') AS BLOB)" ""

story "what the log's hashes do not cover: state, history, a nonce"
altered "$(not_the_leader)" "UPDATE state SET version = version + 1" \
    "table state: row narrowed/north"
altered "$(not_the_leader)" "DELETE FROM history WHERE position = 2" \
    "table history"
altered "$(not_the_leader)" "UPDATE nonce SET position = 0" "table nonce"
altered "$(not_the_leader)" "DELETE FROM nonce" "table nonce"

story "its cosignature is back: with another node gone it is needed"
node=$(not_the_leader)
altered "$node" "DELETE FROM entry WHERE position = 3" ""
for other in node1 node2 node3; do
    [ "$other" != "$node" ] && [ "$other" != "$(leader)" ] && break
done
kill_node "$other" KILL
before=$(status_of "$node" | cut -d ' ' -f 2)
consents 1
until_true 10 "two anchor" anchors_past "$before"
signers | grep -q "$node" || fail "$node does not cosign"
run network up --nodes-only --dir "$dir"

story "a state that is not what the entries say: its log is another one"
until_true 15 "all have it" all_equal
node=$(not_the_leader)
id=$(openssl x509 -in "$dir/users/north.custodian/certificate.pem" -outform DER |
    sha256sum | cut -c 1-32)
openssl x509 -in "$dir/users/north.custodian/certificate.pem" -outform DER |
    od -An -v -tx1 | tr -d ' \n' >"$work/der"
sqlite3 "$dir/$node/state.db" ".timeout 2000" \
    "INSERT INTO state VALUES('certificate/$id', x'00$(cat "$work/der")', 0,
     $(seal_state "certificate/$id" "00$(cat "$work/der")"))"
stop_node "$node"
run network up --nodes-only --dir "$dir"
submit north.custodian erase "{\"commitment\":\"$commitment\"}"
done_well
until_true 15 "$node finds that it stands alone" \
    grep -q 'a quorum of the nodes has another root' "$dir/$node/log"
until_true 15 "$node is healed" is_healed "$node"

story "found at the start"
for sql in "UPDATE block SET header = zeroblob(140)" \
    "UPDATE meta SET value = zeroblob(8) WHERE key = 'raft'" \
    "UPDATE node SET hash = zeroblob(32)"; do
    rm -f "$dir/$node/state.db.damaged"*
    stop_node "$node"
    sqlite3 "$dir/$node/state.db" "$sql"
    run network up --nodes-only --dir "$dir"
    [ "$code" -eq 0 ] || fail "$node does not start: $(cat "$work/err")"
    until_true 20 "$node is healed after $sql" is_healed "$node"
done

story "a database that was lost, when Raft's log no longer has all of it"
# A snapshot after 128 batches, each of these is one.
consents 140
until_true 10 "all have it" all_equal
stop_node "$node"
rm -f "$dir/$node/"state.db*
run network up --nodes-only --dir "$dir"
until_true 20 "$node has all of it again" all_equal
grep -q 'pulling blocks up to' "$dir/$node/log" ||
    fail "no blocks were pulled"

story "altered, and nobody there to heal from: it waits for them"
for other in node1 node2 node3; do
    stop_node "$other"
done
rm -f "$dir/$node/state.db.damaged"*
sqlite3 "$dir/$node/state.db" "UPDATE node SET hash = zeroblob(32)"
"$BIN/anchorite-ledger" --config "$dir/$node/config.json" >>"$dir/$node/log" \
    2>&1 &
others=$!
until_true 10 "$node is healing" is_role "$node" healing
kill -TERM "$others"
wait "$others" || fail "it did not end well"
others=""
run network up --nodes-only --dir "$dir"
until_true 20 "$node is healed" is_healed "$node"

story "two nodes in one folder"
refuses_to_start "$node" "another process is using it"

story "a flipped bit in Raft's log"
stop_node "$node"
segment=$(find "$dir/$node/raft" -name '[0-9]*-[0-9]*' | sort | head -n 1)
[ -n "$segment" ] ||
    segment=$(find "$dir/$node/raft" -name 'open-*' | sort | head -n 1)
cp -p "$segment" "$work/segment"
byte=$(od -An -tu1 -j 60 -N 1 "$segment" | tr -d ' ')
printf "\\$(printf '%03o' $((byte ^ 1)))" |
    dd of="$segment" bs=1 seek=60 conv=notrunc 2>/dev/null
refuses_to_start "$node" "raft"
cat "$work/segment" >"$segment"
run network up --nodes-only --dir "$dir"
until_true 20 "with the file as it was it is one of them" all_equal

story "no node has broken a promise: they all cosign"
! grep -q 'no cosignatures by this node any more' "$dir"/node*/log ||
    fail "one does not"

story "no log holds anything of an entry"
! grep -q "$commitment" "$dir"/node*/log || fail "a commitment is in a log"

story "a full disk: entries wait, and go on"
stop_node "$node"
if ! unshare -m true 2>/dev/null; then
    echo "  (not possible here: no mount namespace)"
    exit 0
fi
cat >"$work/small.sh" <<'SMALL'
set -eu
room=$(($(du -kc "$1"/state.db* | tail -n 1 | cut -f 1) + 1000))
mount -t tmpfs -o "size=${room}k,mode=700" tmpfs "$1/small"
cp -p "$1"/state.db* "$1/small/"
sed 's|"state.db"|"small/state.db"|' "$1/config.json" >"$1/small.json"
chmod 600 "$1/small.json"
head -c 800k /dev/zero >"$1/small/ballast" 2>/dev/null || :
"$BIN/anchorite-ledger" --config "$1/small.json" >>"$1/log" 2>&1 &
echo $! >"$2/small.pid"
until [ -e "$2/make-room" ]; do
    sleep 0.1
done
rm -f "$1/small/ballast"
wait
SMALL
mkdir -m 700 "$dir/$node/small"
BIN=$BIN unshare -m sh "$work/small.sh" "$dir/$node" "$work" 2>"$work/mount" &
others=$!
until_true 10 "it runs" test -s "$work/small.pid"
others="$others $(cat "$work/small.pid")"
is_stalled() {
    consents 3
    grep -q 'cannot execute, trying again: .*full' "$dir/$node/log"
}
until_true 30 "its disk is full" is_stalled
consents 3
has_more_room() {
    grep -q 'executing again' "$dir/$node/log"
}
: >"$work/make-room"
until_true 15 "it goes on" has_more_room
until_true 20 "it has everything" all_equal
kill -TERM "$(cat "$work/small.pid")"
