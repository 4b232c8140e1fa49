#!/bin/sh
# Whatever broker and anonymizer refuse is an access event before the refusal is
# answered, and the privacy officer reads all of them, with their proof.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

first_day=$(date -u +%F)
officer=north.privacy-officer

# denials   of the test's days, in $work/denials
denials() {
    : >"$work/denials"
    for day in "$first_day" "$(date -u +%F)"; do
        anchorite history --denials "$day" --as "$officer"
        done_well
        grep -q '^proven up to size ' "$work/out" || fail "$(cat "$work/out")"
        grep ' deny ' "$work/out" >>"$work/denials" || :
        [ "$day" != "$(date -u +%F)" ] || break
    done
    ! grep -q 'P0000' "$work/denials" || fail "a number is told"
}
# denied USER MESSAGE WORDS   the newest denial is of that user, and for that
denied() {
    denials
    tail -n 1 "$work/denials" >"$work/newest"
    by=$(certificate_id "$dir/users/$1/certificate.pem")
    grep -qF "deny  asked $2  by $by" "$work/newest" &&
        grep -qF -- "$3" "$work/newest" ||
        fail "no $2 of $1, \"$3\": $(cat "$work/newest")"
}
# refused USER MESSAGE WORDS   the last command was, and it is recorded
refused() {
    [ "$code" -eq 4 ] ||
        fail "exit code $code instead of 4: $(cat "$work/out" "$work/err")"
    denied "$@"
}
# counted   denials that the events of the last `denials` stand for
counted() {
    awk '{ n = 1; for (i = 2; i <= NF; i++) if ($i == "times") n = $(i - 1)
        sum += n } END { print sum + 0 }' "$work/denials"
}
history_of() {
    echo "$1" >"$work/number"
    anchorite history --patient-file "$work/number"
    done_well
}

road_up
hospital

story "nothing was refused yet, and that is proven"
denials
[ ! -s "$work/denials" ] || fail "$(cat "$work/denials")"
anchorite history --denials today --as "$officer"
grep -qxF 'nothing was refused' "$work/out" || fail "$(cat "$work/out")"

story "no patient has consented"
anchorite ingest "$table" --policy "$policy"
done_well
dataset=$(result dataset)
road_approved
anchorite release "$request"
refused north.custodian release "why: no patient has consented"
grep -qF "request $request" "$work/newest" || fail "$(cat "$work/newest")"

story "a request without approval"
anchorite consent import "$consents"
done_well
road_requested
anchorite release "$request"
refused north.custodian release "why: the request is not approved"

story "a role or an organisation that may not ask the broker"
patient=$(who_permits | head -n 1)
subject=$(subject "$patient")
[ -n "$subject" ] || fail "no subject"
say institute.research-institute broker withdraw "text:$subject"
refused institute.research-institute withdraw \
    "the research-institute of institute may not ask for \"withdraw\""
say south.custodian broker said "text:$subject"
refused south.custodian said "the custodian of south"
say north.auditor broker release "hex:$request"
refused north.auditor release "request $request"

story "or the anonymizer"
say south.custodian anonymizer events "text:$subject"
refused south.custodian events "the custodian of south"
say north.auditor anonymizer erase "text:$subject"
refused north.auditor erase "the auditor of north"
say institute.research-institute anonymizer job "hex:$request"
refused institute.research-institute job "may not ask"
say north.custodian anonymizer denied "text:$(hex 16)" text:fetch text: hex: \
    text:invented
refused north.custodian denied "may not ask"
anchorite history --denials today --as north.auditor
refused north.auditor denials "the auditor of north"
! grep -qF "$subject" "$work/denials" || fail "a subject is named"

story "what was about a patient is in the patient's history"
history_of "$patient"
for asked in withdraw said events erase; do
    grep -q "deny  asked $asked " "$work/out" || fail "$(cat "$work/out")"
done
[ "$(grep -c ' deny ' "$work/out")" -eq 4 ] || fail "$(cat "$work/out")"
history_of "$(who_permits | tail -n 1)"
! grep -q ' deny ' "$work/out" || fail "another's: $(cat "$work/out")"

story "a certificate that is not enrolled, and one that was revoked"
new_user institute other research-institute
say institute.other anonymizer fetch "text:$(hex 16)" number:0 number:0
refused institute.other fetch "not enrolled"
new_user north second custodian
enrol north.hospital-manager north.second
done_well
submit north.hospital-manager revoke "{\"certificate\":\"$(certificate_id \
    "$dir/users/north.second/certificate.pem")\",\"reason\":\"left\"}"
done_well
verdict valid
turned_away() {
    say north.second anonymizer events "text:$subject"
    [ "$code" -eq 4 ]
}
until_true 5 "a revocation counts" turned_away
refused north.second events "revoked"

story "a release that there is not, and another's"
enrol institute.hospital-manager institute.other
done_well
unknown=$(hex 16)
anonymizer_knows() {
    say institute.other anonymizer fetch "text:$unknown" number:0 number:0
    grep -q 'no such release' "$work/err"
}
until_true 5 "who was enrolled is known" anonymizer_knows
say institute.other anonymizer fetch "text:$unknown" number:0 number:0
refused institute.other fetch "release $unknown"
anchorite approve "$request"
done_well
anchorite release "$request"
done_well
release=$(result release)
anchorite release fetch "$release" --output "$work/stolen.csv" \
    --as institute.other
refused institute.other fetch "release $release"
history_of "$patient"
grep -A 9 "^release $release:" "$work/out" | grep ' deny  asked fetch ' |
    grep -qF "$by" || fail "$(cat "$work/out")"

story "a second, other release of the dataset, which the anonymizer refuses"
first=$request
sed 's/"k": 5/"k": 6/; s|hierarchies/|'"$PWD"'/policies/hierarchies/|' \
    "$policy" >"$work/other.json"
anchorite request --dataset "$dataset" --purpose DUO:0000042 \
    --policy "$work/other.json"
done_well
request=$(result request)
anchorite approve "$request"
done_well
anchorite release "$request"
refused north.custodian release "request $request"
[ "$request" != "$first" ] || fail "the same request"

story "killed right after a refusal, the anonymizer knows of it"
unknown=$(hex 16)
say institute.other anonymizer fetch "text:$unknown" number:0 number:0
[ "$code" -eq 4 ] || fail "exit code $code"
pid=$(pid_of anonymizer)
kill -KILL "$pid"
until_true 10 "the anonymizer is gone" is_gone "$pid"

story "without it nothing is refused, and nothing done"
anchorite release "$request" --timeout 2 --as north.custodian
before=$code
say north.auditor broker release "hex:$request"
[ "$code" -eq 3 ] && [ "$before" -ne 0 ] || fail "exit codes $before, $code"
grep -qF 'a refusal could not be recorded' "$work/err" ||
    fail "$(cat "$work/err")"
# Whoever asks on does not keep the broker from others.
for i in 1 2 3; do
    say north.auditor broker release "hex:$request"
    [ "$code" -eq 3 ] || fail "exit code $code"
    grep -qF 'did not answer a moment ago' "$work/err" ||
        fail "$(cat "$work/err")"
done
withdraw "$(who_permits | tail -n 1)"
run network up --dir "$dir"
done_well
until_true 20 "all answer" serves
denied institute.other fetch "release $unknown"
broker_refuses() {
    say north.auditor broker release "hex:$request"
    [ "$code" -eq 4 ]
}
until_true 30 "the broker refuses again" broker_refuses
refused north.auditor release "the auditor of north"

story "the same again and again is counted"
denials
before=$(wc -l <"$work/denials") sum=$(counted)
unknown=$(hex 16)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    say institute.other anonymizer fetch "text:$unknown" number:0 number:0
    [ "$code" -eq 4 ] || fail "exit code $code at $i"
done
denials
[ "$(wc -l <"$work/denials")" -eq $((before + 9)) ] ||
    fail "events: $before, then $(cat "$work/denials")"
[ "$(counted)" -eq $((sum + 16)) ] || fail "$sum, then $(counted)"
grep -qF '  8 times' "$work/denials" || fail "$(cat "$work/denials")"
run network down --dir "$dir"
done_well
run network up --dir "$dir"
done_well
until_true 20 "all answer" serves
denials
[ "$(counted)" -eq $((sum + 20)) ] || fail "$sum, then $(counted)"

story "a day is a day"
anchorite history --denials 2025-1-31 --as "$officer"
[ "$code" -eq 2 ] || fail "exit code $code"
anchorite history --denials 2025x01x31 --as "$officer"
[ "$code" -eq 2 ] || fail "exit code $code"
anchorite history --denials today --patient P000000001 --as "$officer"
[ "$code" -eq 2 ] || fail "exit code $code"

nothing_of_patients
