#!/bin/sh
# What no honest client or node would send, and nodes that are stopped: nothing
# of it gets into the log, answers come in bounded time, and all goes on.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh
[ -x "$BIN/tests/hand_in" ] || skip "tests/hand_in is not built"
command -v openssl >/dev/null || skip "openssl is not installed"

hand_in() {
    code=0
    "$BIN/tests/hand_in" "$@" >"$work/out" 2>"$work/err" || code=$?
}

# entry AUTHOR NONCE-DIGIT COMMITMENT-DIGIT   a consent in its one spelling, in
# $work/entry; AUTHOR is ORGANISATION.NAME
entry() {
    printf '{"author":"%s","channel":"%s","nonce":"%032d","origin":"%s",%s}' \
        "$(certificate_id "$dir/users/$1/certificate.pem")" "$channel" "$2" \
        "$origin" "\"payload\":{\"commitment\":\"$(printf '%064d' "$3")\"},\
\"type\":\"consent\"" >"$work/entry"
}
signed_by() {
    "$BIN/tests/hand_in" sign "$dir" "$1" "$work/entry" >"$work/signatures"
}
# handed_in [FILE]   by the broker, who may not be its author
handed_in() {
    hand_in submit "$dir" north.broker "${1:-$work/entry}" "$work/signatures"
}
# not_taken CODE WORDS   and the log is as it was
not_taken() {
    [ "$code" -eq "$1" ] || fail "ended with $code: $(cat "$work/out" "$work/err")"
    grep -q -- "$2" "$work/err" || fail "no \"$2\" in: $(cat "$work/err")"
    [ "$(size_now)" -eq "$size" ] || fail "the log has grown"
}
size_now() {
    roots | cut -d ' ' -f 1 | sort -n | tail -n 1
}
origin_of() {
    sed -n 's/^ *"origin": "\(.*\)",$/\1/p' "$dir/network.json"
}
raft_address() {
    sed -n 's/^  "raft": "\(.*\)",$/\1/p' "$dir/$1/config.json"
}
three_answer() {
    roots >"$work/roots"
    [ "$(wc -l <"$work/roots")" -eq 3 ]
}
within() {
    [ $(($(date +%s) - began)) -le $(($1 * PATIENCE)) ] ||
        fail "it took more than $(($1 * PATIENCE)) s"
}

network_up
origin=$(origin_of) channel=main

story "an entry, and the same again: the answer of the first time"
entry north.broker 1 1
signed_by north.broker
handed_in
[ "$code" -eq 0 ] || fail "$(cat "$work/err")"
first=$(cat "$work/out")
until_true 5 "all have it" all_equal
size=$(size_now)
handed_in
[ "$code" -eq 0 ] && [ "$(cat "$work/out")" = "$first" ] ||
    fail "another answer: $(cat "$work/out" "$work/err")"
[ "$(size_now)" -eq "$size" ] || fail "the log has grown"

story "forged: signed by another's key, or not by the author"
entry north.broker 2 1
signed_by east.broker
sed "s/\"by\":\"[0-9a-f]*\"/\"by\":\"$(certificate_id \
    "$dir/users/north.broker/certificate.pem")\"/" "$work/signatures" \
    >"$work/forged"
hand_in submit "$dir" north.broker "$work/entry" "$work/forged"
not_taken 4 "bad-signature"
handed_in
not_taken 2 "author"

story "altered, not canonical, cut off, with a key twice, for others"
signed_by north.broker
sed 's/consent/erase/' "$work/entry" >"$work/altered"
handed_in "$work/altered"
not_taken 4 "bad-signature"
sed 's/,"type"/, "type"/' "$work/entry" >"$work/altered"
handed_in "$work/altered"
not_taken 2 ""
head -c 100 "$work/entry" >"$work/altered"
handed_in "$work/altered"
not_taken 2 ""
sed 's/,"type"/,"type":"consent","type"/' "$work/entry" >"$work/altered"
handed_in "$work/altered"
not_taken 2 ""
channel=other
entry north.broker 2 1
signed_by north.broker
handed_in
not_taken 2 "another channel"
channel=main origin=anchorite.example/0000
entry north.broker 2 1
signed_by north.broker
handed_in
not_taken 2 "another origin"
origin=$(origin_of)

story "oversized"
entry north.broker 2 1
head -c 70000 /dev/zero | tr '\0' 'a' >"$work/large"
sed 's/"commitment"/"x":"'"$(head -c 66000 "$work/large")"'","commitment"/' \
    "$work/entry" >"$work/altered" 2>/dev/null || cp "$work/large" "$work/altered"
handed_in "$work/altered"
not_taken 2 ""

story "a nonce with other content: a conflict, recorded"
entry north.broker 1 2
signed_by north.broker
handed_in
[ "$(cut -d ' ' -f 1 "$work/out")" = conflict ] || fail "$(cat "$work/out")"

story "a certificate that ends"
home=$dir/users/north.mayfly
mkdir -m 700 "$home"
run identity new-key --output "$home/key.pem"
"$BIN/tests/hand_in" expiring "$dir/ca/north" "$home/key.pem" broker mayfly 6 \
    >"$home/certificate.pem"
cp -p "$dir/users/north.broker/curve.key" "$home/"
enrol north.hospital-manager north.mayfly
done_well
entry north.mayfly 3 3
signed_by north.mayfly
handed_in
[ "$(cut -d ' ' -f 1 "$work/out")" = valid ] ||
    fail "$(cat "$work/out" "$work/err")"
has_expired() {
    nonce=$((nonce + 1))
    entry north.mayfly "$nonce" 3
    signed_by north.mayfly
    handed_in
    [ "$(cut -d ' ' -f 1 "$work/out")" = expired ]
}
nonce=100
until_true 20 "it has expired" has_expired
submit north.mayfly consent "{\"commitment\":\"$commitment\"}"
[ "$code" -eq 4 ] || fail "the session is taken: $code, $(cat "$work/err")"

story "a revoked one"
new_user north leaver broker
enrol north.hospital-manager north.leaver
done_well
submit north.leaver consent "{\"commitment\":\"$commitment\"}"
done_well
submit north.hospital-manager revoke "{\"certificate\":\"$(certificate_id \
    "$dir/users/north.leaver/certificate.pem")\",\"reason\":\"left\"}"
done_well
entry north.leaver 4 4
signed_by north.leaver
handed_in
[ "$(cut -d ' ' -f 1 "$work/out")" = revoked ] || fail "$(cat "$work/out")"
submit north.leaver consent "{\"commitment\":\"$commitment\"}"
[ "$code" -eq 4 ] || fail "the session is taken: $code, $(cat "$work/err")"

story "somebody who was never enrolled, and a foreign network's broker"
until_true 5 "all have it" all_equal
size=$(size_now)
new_user north stranger broker
entry north.stranger 5 5
signed_by north.stranger
handed_in
not_taken 4 "unknown-signer"
submit north.stranger consent "{\"commitment\":\"$commitment\"}"
[ "$code" -eq 4 ] || fail "the session is taken: $code, $(cat "$work/err")"
mkdir "$work/foreign"
run identity new-root --organisation Region --output "$work/foreign/root"
run identity new-key --output "$work/foreign/key.pem"
run identity request --key "$work/foreign/key.pem" --organisation north \
    --name ca --output "$work/foreign/request.pem"
run identity new-authority --ca "$work/foreign/root/ca.pem" \
    --ca-key "$work/foreign/root/key.pem" --organisation north --name ca \
    "$work/foreign/request.pem" --output "$work/foreign/certificate.pem"
done_well
mv "$dir/ca/north" "$work/north"
mv "$work/foreign" "$dir/ca/north"
new_user north foreigner broker
mv "$dir/ca/north" "$work/foreign"
mv "$work/north" "$dir/ca/north"
entry north.foreigner 6 6
signed_by north.foreigner
handed_in
not_taken 4 "unknown-signer"
submit north.foreigner consent "{\"commitment\":\"$commitment\"}"
[ "$code" -eq 4 ] || fail "the session is taken: $code, $(cat "$work/err")"
enrol north.hospital-manager north.foreigner
[ "$code" -eq 4 ] && grep -q against-rule "$work/err" ||
    fail "it was enrolled: $(cat "$work/out" "$work/err")"

# greet NODE ID [OPTION]...   a preamble in TLS; the answer, in hex
greet() {
    to=$(raft_address "$1") id=$2
    shift 2
    from=$(raft_address node2)
    {
        printf 'anchraft\001\000\000\000\000\000\000\000'
        # shellcheck disable=SC2059 # bytes are made
        printf "\\00$id\\000\\$(printf '%03o' ${#from})%s" "$from"
        sleep "$PATIENCE"
    } | timeout $((5 * PATIENCE)) openssl s_client -connect "$to" -quiet \
        -no_ign_eof "$@" 2>"$work/err" | od -An -tx1 | tr -d ' \n'
}

story "on Raft's port: no certificate, a user's, a foreign one, another's id"
until_true 5 "there is a leader" has_leader
# First the right one, by which is seen that the others could have worked.
[ "$(greet node1 2 -cert "$dir/node2/certificate.pem" \
    -key "$dir/node2/key.pem")" = 06 ] ||
    fail "node2's own greeting is not welcome: $(cat "$work/err")"
[ -z "$(greet node1 2)" ] || fail "welcome without a certificate"
[ -z "$(greet node1 2 -cert "$dir/users/north.broker/certificate.pem" \
    -key "$dir/users/north.broker/key.pem")" ] || fail "a user is welcome"
[ -z "$(greet node1 2 -cert "$dir/users/north.foreigner/certificate.pem" \
    -key "$dir/users/north.foreigner/key.pem")" ] ||
    fail "a foreigner is welcome"
[ -z "$(greet node1 3 -cert "$dir/node2/certificate.pem" \
    -key "$dir/node2/key.pem")" ] || fail "node2 is welcome as node3"

story "garbage on every port and socket"
for node in node1 node2 node3; do
    for seed in 1 2 3; do
        hand_in garbage "tcp://$(raft_address "$node")" "$seed"
        [ "$code" -eq 0 ] || fail "$(cat "$work/err")"
        hand_in garbage "ipc://$dir/$node/socket" "$seed"
        [ "$code" -eq 0 ] || fail "$(cat "$work/err")"
    done
done
until_true 5 "all answer" three_answer
consents 2
until_true 5 "all have it" all_equal

story "the leader stands still for 4 s"
old=$(leader)
kill_node "$old" STOP
began=$(date +%s)
(sleep 4 && kill_node "$old" CONT) &
others=$!
consents 3
within 10
wait "$others" || :
others=""
until_true 15 "all are one again" all_equal
before=$(size_now)
consents 2
until_true 10 "all have it" all_equal
[ "$(size_now)" -eq $((before + 2)) ] || fail "not two more"

story "no quorum: an answer in bounded time, and after that all goes on"
stays=$(leader)
for node in node1 node2 node3; do
    [ "$node" = "$stays" ] || kill_node "$node" KILL
done
began=$(date +%s)
submit north.broker consent "{\"commitment\":\"$commitment\"}" --timeout 5
within 8
[ "$code" -eq 3 ] && grep -q "no quorum" "$work/err" ||
    fail "$code: $(cat "$work/out" "$work/err")"
run network up --nodes-only --dir "$dir"
done_well_or_said() { [ "$code" -eq 0 ] || fail "$(cat "$work/err")"; }
done_well_or_said
until_true 15 "a leader" has_leader
consents 2
until_true 10 "all have it" all_equal
for node in node1 node2 node3; do
    run audit --dir "$dir/$node"
    [ "$code" -eq 0 ] || fail "$node: $(cat "$work/out" "$work/err")"
done
