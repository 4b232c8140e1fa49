#!/bin/sh
# Who may write what: every role tries every type of entry, with a payload that
# is as it should be, over the wire.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh

# The table of docs/protocol.md, once more: type, roles.
cat >"$work/may" <<'TABLE'
dataset custodian
consent broker patient
withdraw broker patient
erase custodian
request research-institute insurer
approve custodian
reject custodian
permit broker
release broker
access broker anonymizer custodian doctor nurse pharmacist dietitian radiographer
enrol hospital-manager governor
revoke hospital-manager governor
member governor
TABLE
roles="patient doctor nurse pharmacist dietitian radiographer hospital-manager
custodian privacy-officer research-institute insurer governor auditor broker
anonymizer node witness"

network_up

story "users of all roles"
for role in $roles; do
    [ -d "$dir/users/north.$role" ] && continue
    if [ "$role" = node ]; then
        # Nobody else has this role: a node itself tries.
        mkdir -m 700 "$dir/users/north.node"
        cp -p "$dir/node1/key.pem" "$dir/node1/certificate.pem" \
            "$dir/node1/curve.key" "$dir/users/north.node"
        continue
    fi
    new_user north "$role" "$role"
    enrol north.hospital-manager "north.$role"
    done_well
done
for node in 2 3; do
    mkdir -m 700 "$dir/users/node.$node"
    cp -p "$dir/node$node/key.pem" "$dir/node$node/certificate.pem" \
        "$dir/node$node/curve.key" "$dir/users/node.$node"
done

written() {
    submit "$@"
    done_well
    id=$(field id)
}
a_dataset() {
    written north.custodian dataset "{\"commitment\":\"$commitment\"}"
}
a_request() {
    a_dataset
    written north.research-institute request \
        "{\"dataset\":\"$id\",\"terms\":\"$commitment\"}"
}
an_approval() {
    a_request
    written north.custodian approve \
        "{\"request\":\"$id\",\"terms\":\"$commitment\"}"
}
permit_payload() {
    expires=$(($(date +%s) * 1000 + 3600000))
    printf '%s' "{\"approve\":\"$id\",\"terms\":\"$commitment\",\"commitment\":\
\"$commitment\",\"size\":1,\"expires\":$expires}"
}
a_permit() {
    an_approval
    written north.broker permit "$(permit_payload)"
}
people=0
a_person() {
    people=$((people + 1))
    new_user north "person$people" doctor
    person=$dir/users/north.person$people/certificate.pem
}
size_now() {
    status_of node1 | cut -d ' ' -f 2
}

# prepare TYPE   $payload and $more: what is valid from who may
prepare() {
    more=""
    case $1 in
    dataset | consent | withdraw | erase)
        payload="{\"commitment\":\"$commitment\"}"
        ;;
    access)
        payload="{\"commitment\":\"$commitment\",\"count\":3}"
        ;;
    request)
        a_dataset
        payload="{\"dataset\":\"$id\",\"terms\":\"$commitment\"}"
        ;;
    approve)
        a_request
        payload="{\"request\":\"$id\",\"terms\":\"$commitment\"}"
        ;;
    reject)
        a_request
        payload="{\"request\":\"$id\"}"
        ;;
    permit)
        an_approval
        payload=$(permit_payload)
        ;;
    release)
        a_permit
        # Behind everything that was written up to here on any node.
        payload="{\"permit\":\"$id\",\"terms\":\"$commitment\",\"commitment\":\
\"$commitment\",\"checked\":$(($(field position) + 1))}"
        more="--endorse north.custodian,north.anonymizer"
        ;;
    enrol)
        a_person
        payload=$(pem_payload "$person")
        ;;
    revoke)
        a_person
        enrol north.hospital-manager "north.person$people"
        done_well
        payload="{\"certificate\":\"$(certificate_id "$person")\",\"reason\":\
\"has left\"}"
        ;;
    member)
        payload="{\"node\":4,\"action\":\"add\",\"cosigner\":\
\"$(sed -n 's/.*"cosigner": "\(node1.*\)".*/\1/p' "$dir/genesis.json")\"}"
        more="--endorse north.node,node.2"
        ;;
    esac
}

tried=0 forbidden=0
: >"$work/forbidden"
while read -r type may; do
    story "$type"
    prepare "$type"
    # First those who may not, since what is valid changes the state.
    for role in $roles; do
        case " $may " in *" $role "*) continue ;; esac
        submit "north.$role" "$type" "$payload"
        refused=$(sed -n 's/.*recorded as //p' "$work/err")
        [ "$code" -eq 4 ] && [ "$refused" = forbidden ] ||
            fail "$role, $type: $code, $(cat "$work/out" "$work/err")"
        field id >>"$work/forbidden"
        tried=$((tried + 1)) forbidden=$((forbidden + 1))
    done
    is_fresh=yes
    for role in $may; do
        [ -n "$is_fresh" ] || prepare "$type"
        is_fresh=""
        # shellcheck disable=SC2086 # options are words
        submit "north.$role" "$type" "$payload" $more
        [ "$code" -eq 0 ] && [ "$(field verdict)" = valid ] ||
            fail "$role, $type: $code, $(cat "$work/out" "$work/err")"
        tried=$((tried + 1))
    done
done <"$work/may"
[ "$tried" -eq $((17 * 13)) ] || fail "$tried cells were tried"

story "refusals stand in the log, on every node"
until_true 10 "all have it" all_equal
sort "$work/forbidden" >"$work/expected"
for node in node1 node2 node3; do
    sqlite3 -readonly "$dir/$node/state.db" \
        "SELECT lower(hex(id)) FROM entry WHERE verdict = 5" | sort >"$work/found"
    cmp -s "$work/expected" "$work/found" ||
        fail "$node has other refusals: $(wc -l <"$work/found") of $forbidden"
done
