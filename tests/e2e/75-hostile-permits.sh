#!/bin/sh
# A broker that has its keys and lies: permits without approval, for other data,
# purposes, recipients, policies and patients than were approved, after their
# end, and twice; entries that the anonymizer should not sign or publish.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

# sql EXPRESSION   where files are said as text('name')
sql() {
    sqlite3 :memory: "SELECT $(echo "$1" |
        sed "s|text('\([^']*\)')|CAST(readfile('$work/\1') AS TEXT)|g")"
}

# permit_entry   from $approve $terms $size $expires $given, by $author: $permit
author=north.broker
permit_entry() {
    submit "$author" permit "{\"approve\":\"$approve\",\"commitment\":\"$given\",\"expires\":$expires,\"size\":$size,\"terms\":\"$terms\"}"
    permit=$(field id)
}
against() { # VERDICT
    permit_entry
    verdict "$1"
}

# deliver   $permit to the anonymizer, with the papers in $work
deliver() {
    sql "json_object('approve', '$approve', 'bundle', text('bundle'),
        'package', 1, 'permit', '$permit', 'permit_statement',
        json_object('salt', '$salt', 'statement', text('statement')),
        'request', '$request', 'terms',
        json_object('salt', '$terms_salt', 'statement', text('terms')))" |
        tr -d '\n' >"$work/package"
    say "$author" anonymizer permit "hex:$permit" "hex:$seed" \
        "upload:$work/package" "upload:$work/list"
}
job_rests() {
    say north.broker anonymizer job "hex:$permit"
    grep -qE '^state (refused|rechecked|published)$' "$work/out"
}
# job_is STATE WORDS   when it comes to rest
job_is() {
    until_true 20 "the job comes to an end" job_rests
    [ "$(result state)" = "$1" ] || fail "not $1: $(cat "$work/out")"
    grep -qF -- "$2" "$work/out" || fail "no \"$2\" in: $(cat "$work/out")"
}
# useless WORDS   what has been altered makes a valid permit good for nothing
useless() {
    permit_entry
    verdict valid
    deliver
    yes
    job_is refused "$1"
    papers
}

# look_at_broker   what it has about the newest permit of $request: right_*
look_at_broker() {
    the_permit="(SELECT permit FROM release WHERE request = x'$request')"
    ask_copy broker "SELECT writefile('$work/right.list', list),
        writefile('$work/right.statement', statement),
        writefile('$work/right.terms', terms),
        writefile('$work/bundle', bundle) FROM permit, own, request
        WHERE permit.id = $the_permit AND own.id = permit.id
        AND request.id = permit.request" >/dev/null
    # After the release the broker has none any more.
    [ ! -s "$work/bundle" ] || cp "$work/bundle" "$work/right.bundle"
    ask_copy broker "SELECT lower(hex(permit.id)), lower(hex(seed)),
        lower(hex(own.salt)), lower(hex(request.salt)), size, expires
        FROM permit, own, request WHERE permit.id = $the_permit
        AND own.id = permit.id AND request.id = permit.request" |
        tr '|' ' ' >"$work/right"
    read -r right_permit right_seed right_salt terms_salt right_size \
        right_expires <"$work/right"
    right_terms=$(commitment "$terms_salt" "$work/right.terms")
    right_given=$(commitment "$right_salt" "$work/right.statement")
}

# papers   as the broker has them
papers() {
    for paper in bundle terms statement list; do
        cp "$work/right.$paper" "$work/$paper"
    done
    salt=$right_salt seed=$right_seed approve=$right_approve
    terms=$right_terms given=$right_given request=$right_request
    expires=$right_expires size=$right_size
}

road_up
road_filled

story "a broker makes a permit, and nobody is there to take it"
road_requested
other_request=$request
road_approved
right_request=$request right_approve=$(result approve)
anchorite reject "$other_request"
done_well
rejection=$(result reject)
[ -n "$rejection" ] || fail "no rejection: $(cat "$work/out")"
kill_node anonymizer KILL
anchorite release "$request" --timeout 2
no 3 ""
# It would go on asking, and come in between.
kill_node broker KILL
look_at_broker
run network up --dir "$dir"
done_well
papers

story "the ledger takes no permit that does not rest on an approval"
approve=$request
against against-rule
approve=$other_request
against against-rule
approve=$rejection
against against-rule
approve=$(hex 32)
against against-rule
papers
terms=$(hex 32)
against against-rule
ask_copy broker "SELECT writefile('$work/terms', terms) FROM request
    WHERE id = x'$other_request'" >/dev/null
terms=$(commitment "$(ask_copy broker "SELECT lower(hex(salt)) FROM request
    WHERE id = x'$other_request'")" "$work/terms")
against against-rule
papers
for expires in $(($(date +%s) * 1000 - 1000)) \
    $((($(date +%s) + 25 * 60 * 60) * 1000)); do
    against against-rule
done
papers
size=$((size + 1000))
against against-rule
papers
for author in north.custodian institute.research-institute north.anonymizer; do
    against forbidden
done
author=south.broker
against against-rule
author=north.broker

story "a permit of the same words under another entry is as good"
permit_entry
verdict valid
deliver
yes
job_is rechecked ""

story "nobody else brings one, or asks about it"
for author in south.broker north.custodian institute.research-institute; do
    deliver
    no 4 "may not ask for"
    say "$author" anonymizer job "hex:$permit"
    no 4 "may not ask for"
done
author=north.broker

story "the anonymizer signs no other entry than the one of its release"
job_is rechecked ""
commitment=$(
    release_salt=$(result salt)
    result statement | tr -d '\n' >"$work/release-statement"
    commitment "$release_salt" "$work/release-statement"
)
origin=$(sed -n 's/^ *"origin": *"\(.*\)",*$/\1/p' "$dir/network.json")
[ -n "$origin" ] || origin=$(grep -o '"origin":"[^"]*"' "$dir/network.json" |
    cut -d '"' -f 4)
broker_id=$(certificate_id "$dir/users/north.broker/certificate.pem")
# release_entry CHECKED COMMITMENT PERMIT TERMS TYPE
release_entry() {
    printf '{"author":"%s","channel":"main","nonce":"%s","origin":"%s","payload":{"checked":%s,"commitment":"%s","permit":"%s","terms":"%s"},"type":"%s"}' \
        "$broker_id" "$(hex 16)" "$origin" "$@" >"$work/entry"
}
refuses_to_sign() {
    say north.broker anonymizer sign "hex:$permit" "file:$work/entry"
    no 4 "the entry to be signed"
}
release_entry "$size" "$(hex 32)" "$permit" "$terms" release
refuses_to_sign
release_entry "$size" "$commitment" "$(hex 32)" "$terms" release
refuses_to_sign
release_entry "$size" "$commitment" "$permit" "$(hex 32)" release
refuses_to_sign
release_entry $((size - 1)) "$commitment" "$permit" "$terms" release
refuses_to_sign
release_entry "$size" "$commitment" "$permit" "$terms" consent
refuses_to_sign
echo '{}' >"$work/entry"
refuses_to_sign
release_entry "$size" "$commitment" "$permit" "$terms" release
say south.broker anonymizer sign "hex:$permit" "file:$work/entry"
no 4 "may not ask for"

story "it publishes nothing but what it has signed and the log has"
nothing_published() {
    [ -z "$(ls "$dir/anonymizer/releases")" ] || fail "there is a release"
}
for entry in "$permit" "$approve" "$(hex 32)"; do
    say north.broker anonymizer publish "hex:$permit" "hex:$entry"
    no 4 ""
done
say north.broker anonymizer sign "hex:$permit" "file:$work/entry"
yes
for entry in "$permit" "$(sha256sum "$work/entry" | cut -c 1-64)"; do
    say north.broker anonymizer publish "hex:$permit" "hex:$entry"
    [ "$code" -ne 0 ] || fail "published: $(cat "$work/out")"
done
nothing_published
release_payload="{\"checked\":$size,\"commitment\":\"$commitment\",\"permit\":\"$permit\",\"terms\":\"$terms\"}"
submit north.broker release "$release_payload"
verdict not-endorsed
submit north.broker release "$release_payload" --endorse north.custodian
verdict not-endorsed
submit north.broker release "$release_payload" \
    --endorse south.custodian,south.anonymizer
verdict not-endorsed
submit north.custodian release "$release_payload" \
    --endorse north.broker,north.anonymizer
verdict forbidden
submit north.broker release "$(echo "$release_payload" |
    sed "s/$terms/$commitment/")" --endorse north.custodian,north.anonymizer
verdict against-rule

story "for other patients than were permitted it is good for nothing"
head -c -24 "$work/right.list" >"$work/list"
useless "the list of subjects has another length"
{
    head -c -1 "$work/right.list"
    tail -c 1 "$work/right.list" | tr '\000-\377' '\001-\377\000'
} >"$work/list"
useless "the list of subjects has another root"
seed=$(hex 32)
useless "the list of subjects has another root"
head -c -1 "$work/right.list" >"$work/list"
permit_entry
deliver
no 2 "cut off"
papers

story "for another dataset, purpose, recipient, organisation or policy, too"
other_digest=$(hex 32)
for change in "dataset\":\"[0-9a-f]*|dataset\":\"$other_digest" \
    "DUO:0000042|DUO:0000007" "policy\":\"[0-9a-f]*|policy\":\"$other_digest" \
    "recipient\":\"[0-9a-f]*|recipient\":\"$(hex 16)" \
    "organisation\":\"[a-z]*|organisation\":\"south"; do
    sed "s|$change|" "$work/right.terms" >"$work/terms"
    ! cmp -s "$work/terms" "$work/right.terms" || fail "unchanged: $change"
    useless "its terms is not what the entry stands for"
done
sql "replace(text('right.bundle'), '\"k\":5', '\"k\":2')" | tr -d '\n' \
    >"$work/bundle"
if cmp -s "$work/bundle" "$work/right.bundle"; then
    sed 's/\(\\"k\\": *\)5/\12/' "$work/right.bundle" >"$work/bundle"
fi
! cmp -s "$work/bundle" "$work/right.bundle" || fail "the policy is unchanged"
useless "the policy is another one"

story "what it says of itself is what its entry stands for"
sed 's/"count":./"count":7/' "$work/right.statement" >"$work/statement"
useless "its statement is not what the entry stands for"
salt=$(hex 32)
useless "its statement is not what the entry stands for"
size=$((size - 1))
useless "its entry names another size of the log"
expires=$((expires - 1))
useless "its entry names another end"
permit=$right_approve
deliver
yes
job_is refused "is an entry of another type"

story "after its end it is good for nothing, and gives no release"
expires=$((($(date +%s) + 3) * 1000))
sed "s/\"expires\":[0-9]*/\"expires\":$expires/" "$work/right.statement" \
    >"$work/statement"
given=$(commitment "$salt" "$work/statement")
permit_entry
verdict valid
sleep 4
deliver
yes
job_is refused "has expired"
submit north.broker release "{\"checked\":$size,\"commitment\":\"$commitment\",\"permit\":\"$permit\",\"terms\":\"$terms\"}" \
    --endorse north.custodian,north.anonymizer
verdict against-rule
papers
nothing_published

story "the true permit gives one release, and then none"
# If the broker brought its own when the anonymizer came back, ours took its
# place: then it makes another one.
anchorite release "$request"
[ "$code" -eq 0 ] || {
    no 4 "another permit has taken its place"
    anchorite release "$request"
}
done_well
release=$(result release)
look_at_broker
papers
permit=$right_permit
deliver
yes
[ "$(result state)" = published ] || fail "again: $(cat "$work/out")"
head -c -24 "$work/right.list" >"$work/list"
deliver
no 4 "used before, with other contents"
papers
submit north.broker release "{\"checked\":$(($(status_of node1 | cut -d ' ' -f 2) - 1)),\"commitment\":\"$commitment\",\"permit\":\"$permit\",\"terms\":\"$terms\"}" \
    --endorse north.custodian,north.anonymizer
verdict against-rule
against against-rule
[ "$(ls "$dir/anonymizer/releases")" = "$release" ] ||
    fail "releases: $(ls "$dir/anonymizer/releases")"

nothing_of_patients
