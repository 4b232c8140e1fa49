#!/bin/sh
# anchorite identity: from a root to a certificate, what is refused, and what
# the openssl command says to it.
set -eu
. tests/e2e/lib.sh

cd "$work"
identity() {
    code=0
    "$BIN/anchorite" identity "$@" >out 2>err || code=$?
}
expect() { # EXIT CODE [WORDS ON STDERR]
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat out err)"
    [ $# -eq 1 ] || grep -qF -- "$2" err || fail "no \"$2\" in: $(cat err)"
}
mode() { # MODE FILE
    [ "$(stat -c %a "$2")" = "$1" ] || fail "$2 has mode $(stat -c %a "$2")"
}

story "help explains every action"
identity --help
expect 0
for action in new-key request issue new-authority new-root show; do
    grep -q "^  $action" out || fail "nothing on $action"
done

story "a root, an organisation's authority and a certificate"
identity new-root --organisation Region --output root
expect 0
mode 700 root
mode 600 root/key.pem
for who in ca kim; do
    identity new-key --output "$who.key"
    expect 0
    mode 600 "$who.key"
done
identity request --key ca.key --organisation H --name ca --output ca.csr
expect 0
identity new-authority --ca root/ca.pem --ca-key root/key.pem \
    --organisation H --name ca ca.csr --output ca.pem
expect 0
identity request --key kim.key --organisation H --role governor --name other \
    --output kim.csr
expect 0
identity issue --ca ca.pem --ca-key ca.key --role custodian --name kim \
    kim.csr --output kim.pem
expect 0
[ ! -s out ] && [ ! -s err ] || fail "success has no words: $(cat out err)"

story "role and name are those of the authority, not of the request"
identity show kim.pem
expect 0
grep -qx 'role          custodian' out || fail "$(cat out)"
grep -qx 'name          kim' out || fail "$(cat out)"
grep -qx 'issuer        H, ca' out || fail "$(cat out)"
id=$(sed -n 's/^id *//p' out)
identity show kim.pem --json
expect 0
grep -qF "\"id\":\"$id\"" out || grep -qF "\"id\": \"$id\"" out ||
    fail "$(cat out)"

story "nothing is overwritten"
cp kim.key kim.key.before
for action in "new-key --output kim.key" \
    "new-root --organisation Region --output root" \
    "request --key kim.key --organisation H --role nurse --name x --output kim.csr" \
    "issue --ca ca.pem --ca-key ca.key --role nurse --name x kim.csr --output kim.pem"; do
    # shellcheck disable=SC2086 # words
    identity $action
    expect 2 exist
done
cmp -s kim.key kim.key.before || fail "the key is another"

story "what an authority must not do is refused"
identity new-authority --ca ca.pem --ca-key ca.key --organisation G --name ca \
    kim.csr --output no.pem
expect 4 "only a root signs for another authority"
identity issue --ca root/ca.pem --ca-key root/key.pem --role node --name n \
    kim.csr --output no.pem
expect 4 "for authorities only"
identity issue --ca kim.pem --ca-key kim.key --role node --name n ca.csr \
    --output no.pem
expect 4 "no authority"
identity issue --ca ca.pem --ca-key ca.key --role node --name n --days 3000 \
    kim.csr --output no.pem
expect 4 "when its issuer's is not"
identity issue --ca ca.pem --ca-key kim.key --role node --name n kim.csr \
    --output no.pem
expect 2 "not that of the issuer"

story "wrong calls and bad input have their words"
identity
expect 2 "what to do is missing"
identity revoke
expect 2 'there is no action "revoke"'
identity new-key
expect 2 "--output is missing"
identity new-key --output a --role node
expect 2 "takes no --role"
identity show kim.pem ca.pem
expect 2 "one certificate, not 2"
identity issue --ca ca.pem --ca-key ca.key --role janitor --name x kim.csr \
    --output no.pem
expect 2 "--role: none of patient, doctor"
identity issue --ca ca.pem --ca-key ca.key --role node --name 'a b' kim.csr \
    --output no.pem
expect 2 "--name"
identity issue --ca ca.pem --ca-key ca.key --role node --name a --days 0 \
    kim.csr --output no.pem
expect 2 "--days"
identity show kim.csr
expect 2 "kim.csr: not one certificate"
sed '3s/./A/;3s/../BB/' kim.csr >broken.csr
identity issue --ca ca.pem --ca-key ca.key --role node --name a broken.csr \
    --output no.pem
case $code in 2 | 4) ;; *) fail "exit code $code: $(cat err)" ;; esac
chmod 640 kim.key
identity request --key kim.key --organisation H --role node --name a \
    --output no.csr
expect 2 "for its owner alone"
chmod 600 kim.key
[ ! -e no.pem ] && [ ! -e no.csr ] || fail "a refusal left a file"

command -v openssl >/dev/null || skip "there is no openssl command"

story "openssl accepts the chain, the request and the keys"
openssl verify -x509_strict -purpose sslserver -CAfile root/ca.pem \
    -untrusted ca.pem kim.pem >said 2>&1 || fail "$(cat said)"
openssl verify -x509_strict -purpose sslclient -CAfile root/ca.pem \
    -untrusted ca.pem kim.pem >said 2>&1 || fail "$(cat said)"
openssl req -in kim.csr -noout -verify >said 2>&1 || fail "$(cat said)"
openssl pkey -in kim.key -noout -check >said 2>&1 || fail "$(cat said)"
digest=$(openssl x509 -in kim.pem -outform DER | sha256sum)
[ "$id" = "$(printf %.32s "$digest")" ] || fail "id $id, digest $digest"
[ "$(openssl x509 -in kim.pem -noout -subject -nameopt RFC2253)" = \
    "subject=CN=kim,OU=custodian,O=H" ] || fail "another subject"

story "keys and requests of openssl are accepted"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -out theirs.key 2>/dev/null
chmod 600 theirs.key
for i in 1 2 3 4; do # s is high in every second one
    openssl req -new -utf8 -key theirs.key -subj /O=H/OU=node/CN=n1 \
        -out theirs.csr
    identity issue --ca ca.pem --ca-key ca.key --role node --name "n$i" \
        theirs.csr --output "n$i.pem"
    expect 0
done
openssl req -new -newkey rsa:2048 -noenc -keyout rsa.key \
    -subj /O=H/OU=node/CN=n1 -out rsa.csr 2>/dev/null
identity issue --ca ca.pem --ca-key ca.key --role node --name n9 rsa.csr \
    --output no.pem
expect 2 "ECDSA"
