#!/bin/sh
# What the commands of the road say to who called them wrongly: what, where,
# what was expected and what to do next.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

# speaks COMMAND   it was this one that refused
speaks() {
    grep -q "^anchorite $1: " "$work/err" || fail "who: $(cat "$work/err")"
}
position_of() {
    run ledger show "$1" --dir "$dir"
    done_well
    field position
}

road_up
road_filled
road_requested
echo P000000001 >"$work/number"

story "what is no id of a request"
for command in approve reject requests release; do
    anchorite "$command" 123
    refused 2 "expected a request's id, 64 lower-case hex digits, not 3 characters"
    speaks "$command"
done

story "a request that is not there, or not for who asks"
for command in approve reject requests release; do
    anchorite "$command" "$commitment"
    refused 2 "there is no request $commitment that north.custodian may see"
    speaks "$command"
done
anchorite approve "$request" --as south.custodian
refused 2 "there is no request $request that south.custodian may see"

story "not the role"
anchorite approve "$request" --as institute.research-institute
refused 4 "the approve entry of institute.research-institute is refused"
refused 4 "as forbidden: this is not for the role of who signs"
anchorite request --dataset "$commitment" --purpose DUO:0000042 \
    --policy "$policy"
refused 4 "as against-rule: its dataset is not the id of a dataset entry"
for command in history erase "consent show" "consent withdraw"; do
    # shellcheck disable=SC2086
    anchorite $command --patient-file "$work/number" \
        --as institute.research-institute
    refused 2 "institute.research-institute has no key of subject ids, which is a"
done

story "a request is answered once, and who did is said"
anchorite approve "$request"
done_well
approval=$(result approve)
position=$(position_of "$approval")
for command in approve reject; do
    anchorite "$command" "$request"
    refused 4 "request $request is approved already, by north.custodian, with entry $approval at position $position of the log"
    speaks "$command"
done
road_requested
anchorite reject "$request"
done_well
rejection=$(result reject)
anchorite approve "$request"
refused 4 "request $request is rejected already, by north.custodian, with entry $rejection at position "
# Of another custodian of the organisation the log has the certificate alone.
new_user north second custodian
enrol north.hospital-manager north.second
done_well
anchorite approve "$request" --as north.second
own=$(certificate_id "$dir/users/north.custodian/certificate.pem")
refused 4 "is rejected already, by certificate $own, with entry $rejection at "

story "folders that are others"
run approve "$request" --dir "$work"
refused 2 "--dir is not the folder of a network: $work/network.json"
run audit --dir "$dir"
refused 2 "--dir is not the folder of a node, as DIR/node1: $dir/state.db"

story "what is no id of a release, or of a permit"
anchorite release fetch "$request" --output "$work/fetched.csv"
refused 2 "expected a release's id, 32 lower-case hex digits, not 64 characters"
anchorite audit permits 123
refused 2 "expected a permit's id, 64 lower-case hex digits, not 3 characters"
anchorite audit permits --database "$work/nowhere.db"
refused 2 "the broker's database (--database): $work/nowhere.db: "

story "which of the commands about consents lacks what"
anchorite consent withdraw
refused 2 "withdraw: one of --patient and --patient-file is expected"
anchorite consent resolve 123 --salt "$commitment" \
    --patient-file "$work/number"
refused 2 "resolve: expected the id of an entry, 64 lower-case hex digits, not 3"
anchorite consent resolve "$commitment" --salt 123 \
    --patient-file "$work/number"
refused 2 "resolve: --salt: expected what the patient's letter says, 64"
anchorite history
refused 2 "anchorite history: one of --patient and --patient-file is expected"

story "nobody answers: who did not, and how long that was waited for"
stop_node broker
anchorite approve "$request" --timeout 1
refused 3 "north.broker: no answer within 1000 ms"
speaks approve
