#!/bin/sh
# The whole road with programs that write down every message in the clear: no
# number, name or cell of a patient, and no digest of a number, is in a log, in
# the files of ledger and broker, or in a message of theirs; no number and no
# name in a message of the anonymizer or in its files.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/tapped/anchorite-broker" ] || skip "the programs are not tapped"

hospital_program=$BIN/anchorite-hospital
BIN=$BIN/tapped # the command starts the programs that lie beside it
taps=$work/taps
mkdir "$taps" "$work/hex"

# A policy that names no value of the table itself: those of its hierarchies go
# to the broker, and would be found there.
cat >"$work/policy.json" <<'END'
{
  "policy": 1,
  "name": "all-or-nothing",
  "attributes": {
    "psn": {"role": "subject"},
    "name": {"role": "identifying"},
    "gender": {"role": "quasi-identifying"},
    "birth_date": {"role": "identifying"},
    "age": {"role": "quasi-identifying"},
    "city": {"role": "quasi-identifying"},
    "msn": {"role": "identifying"},
    "date": {"role": "quasi-identifying"},
    "department": {"role": "sensitive"},
    "doctor": {"role": "sensitive"},
    "diagnosis": {"role": "sensitive"},
    "disease_code": {"role": "sensitive"}
  },
  "privacy": [{"model": "k-anonymity", "k": 5}]
}
END
policy=$work/policy.json

# in_hex FILE...   each in hex, in $work/hex
in_hex() {
    rm -f "$work"/hex/*
    for file; do
        od -An -v -tx1 "$file" | tr -d ' \n' \
            >"$work/hex/$(echo "$file" | tr / _)"
    done
}
# found LIST FILE...   those that hold a line of it
found() {
    list=$1
    shift
    grep -laF -f "$list" "$@" || :
}
none() {
    [ -s "$1" ] || fail "an empty list finds nothing"
    has=$(found "$@")
    [ -z "$has" ] || fail "values of patients are in: $has"
}

story "from ingest to erasure"
"$hospital_program" table --patients "$patients" --output "$table"
"$hospital_program" consents --patients "$patients" --output "$consents"
export ANCHORITE_TAP="$taps"
road_up
anchorite consent import "$consents"
done_well
anchorite ingest "$table" --policy "$policy"
done_well
dataset=$(result dataset)
who_permits >"$work/permits"
sed -n 1p "$work/permits" >"$work/number"
anchorite consent grant --patient-file "$work/number" --purpose HRESCH
done_well
road_approved
anchorite requests "$request"
done_well
withdraw "$(sed -n 2p "$work/permits")"
anchorite consent show --patient-file "$work/number"
done_well
anchorite release "$request"
done_well
release=$(result release)
anchorite release fetch "$release" --output "$work/stolen.csv" \
    --as north.custodian
[ "$code" -eq 4 ] || fail "exit code $code: $(cat "$work/err")"
anchorite release fetch "$release" --output "$work/release.csv"
done_well
anchorite history --patient-file "$work/number"
done_well
anchorite erase --patient-file "$work/number"
done_well
echo P999999999 >"$work/number"
anchorite consent withdraw --patient-file "$work/number" # is in no table
anchorite consent import "$table" # no resources at all
[ "$code" -eq 2 ] || fail "exit code $code"
run network down --dir "$dir"
[ "$code" -eq 0 ] || fail "down: $(cat "$work/err")"
unset ANCHORITE_TAP

# Ages and genders are too short to be told from anything else.  A quoted cell
# may hold a comma, and cut would take another column.
grep -v '"' "$table" | sed 1d >"$work/rows"
cut -d, -f1,2,4,7 "$work/rows" | tr , '\n' | sort -u >"$work/identities"
{
    cat "$work/identities"
    cut -d, -f6,8- "$work/rows" | tr , '\n'
} | awk 'length($0) >= 5' | sort -u >"$work/values"
cut -d, -f1 "$work/rows" | while read -r number; do
    printf '%s' "$number" | sha256sum | cut -d ' ' -f 1
    printf '%s' "$number" | sha1sum | cut -d ' ' -f 1
    printf '%s' "$number" | md5sum | cut -d ' ' -f 1
done >"$work/digests"
[ "$(wc -l <"$work/identities")" -gt $((3 * patients)) ] ||
    fail "few identities: $(wc -l <"$work/identities")"

story "ledger and broker: files, logs and messages"
set -- "$taps"/anchorite-ledger.* "$taps"/anchorite-broker.* "$dir"/*/log
for file in "$dir"/node*/* "$dir"/broker/*; do
    [ ! -f "$file" ] || set -- "$@" "$file"
done
none "$work/values" "$@"
none "$work/digests" "$@"
in_hex "$@"
none "$work/digests" "$work"/hex/*

story "the anonymizer: cells come in and go out, and no identity"
set -- "$taps"/anchorite-anonymizer.*
for file in "$dir"/anonymizer/* "$dir"/anonymizer/*/*; do
    [ ! -f "$file" ] || set -- "$@" "$file"
done
for file in "$dir"/anonymizer/releases/*/*; do
    set -- "$@" "$file"
done
none "$work/identities" "$@"
none "$work/digests" "$@"
in_hex "$@"
none "$work/digests" "$work"/hex/*
set -- # but for its messages and the release, no cell either
for file in "$dir"/anonymizer/* "$dir"/anonymizer/keys/* \
    "$dir"/anonymizer/epoch/*; do
    [ ! -f "$file" ] || set -- "$@" "$file"
done
none "$work/values" "$@"

story "the messages were all there, and this scan finds what is there"
cut -d, -f9- "$work/rows" | tr , '\n' | sort -u >"$work/cells"
[ -n "$(found "$work/cells" "$taps"/anchorite-anonymizer.*)" ] ||
    fail "the rows that were ingested are in no message"
for name in consents withdraw said request requests release endorse; do
    grep -qa "^<$name" "$taps"/anchorite-broker.* || fail "no \"$name\" came"
done
for name in ingest rows ingested name permit job sign publish fetch events \
    erase part; do
    grep -qa "^<$name" "$taps"/anchorite-anonymizer.* || fail "no \"$name\" came"
done
for name in submit show prove; do
    grep -qa "^<$name" "$taps"/anchorite-ledger.* || fail "no \"$name\" came"
done
for list in values identities; do
    secret=$(sed -n 17p "$work/$list")
    { head -c 5000 /dev/urandom && printf 'a%sz' "$secret"; } >"$work/planted"
    [ "$(found "$work/$list" "$work/planted")" = "$work/planted" ] ||
        fail "a planted value was not found"
done
head -n 1 "$work/rows" | cut -d, -f1 | tr -d '\n' | openssl dgst -sha256 \
    -binary >"$work/planted"
in_hex "$work/planted"
[ -n "$(found "$work/digests" "$work"/hex/*)" ] ||
    fail "a planted digest was not found"

story "and so does the scan of the other tests"
nothing_of_patients
sed -n 2p "$work/permits" >>"$dir/node2/log"
if (nothing_of_patients) 2>"$work/err"; then
    fail "a number in a log was not found"
fi
grep -q "values of patients are in: $dir/node2/log" "$work/err" ||
    fail "$(cat "$work/err")"
