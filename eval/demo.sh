#!/bin/sh
# eval/demo.sh - the road of a record, told in a minute: from a hospital that
# does not exist, through what its patients have said, to a release that proves
# itself.  Real processes, on this machine: three nodes of the ledger, a broker,
# an anonymizer.
#
#   eval/demo.sh [--keep] [BUILD [DIR]]
#
#   --keep   leave the network running, and say how to go on by hand
#   BUILD    where the programs are (build); DIR gets the results (BUILD/demo)
#
# The census table is told of where it is there, with its hierarchies
# (policies/adult-k5.json says where).
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."

keep=""
[ "${1:-}" != --keep ] || {
    keep=yes
    shift
}
build=${1:-build}
dir=${2:-$build/demo}
anchorite=$build/anchorite
hospital=$build/anchorite-hospital
policy=policies/hospital-k5.json
adult=../shared/data/adult/adult.csv
patients=400

say() { printf '%s\n' "$*"; }
step() { printf '\n%s\n' "$*"; }
# One line that a command printed: what stands behind NAME.
line() { sed -n "s/^ *$1  *//p" "$dir/said" | head -n 1; }
figures() { sed -n 's/^ *\(before\|after\)/  \1/p' | sed 's/  */ /3g'; }
# Run quietly; show what was said only if it fails.
quietly() {
    "$@" >"$dir/said" 2>&1 || {
        code=$?
        cat "$dir/said" >&2
        exit "$code"
    }
}
on_network() { quietly "$anchorite" "$@" --dir "$net"; }

rm -rf "$dir"
mkdir -p "$dir"
# Sockets want a short path: the network lies in a folder for temporary files.
net=$(mktemp -d "${TMPDIR:-/tmp}/anchorite.XXXXXX")/net
finish() {
    [ -n "$keep" ] || {
        "$anchorite" network down --dir "$net" >"$dir/down" 2>&1 || cat "$dir/down"
        rm -rf "${net%/net}"
    }
}
trap finish EXIT
trap 'keep=""; exit 130' HUP INT TERM

say "The engine alone.  20,000 invented patients, nobody among fewer than five alike:"
"$hospital" table --patients 20000 --seed 1 --output "$dir/hospital.csv"
"$anchorite" anonymize --policy "$policy" "$dir/hospital.csv" \
    --output "$dir/hospital-k5.csv" | figures
say "A published case, 100 records of one day, two-diverse, none lost:"
"$hospital" table --patients 100 --days 1 --output "$dir/day.csv"
"$anchorite" anonymize --policy policies/paper000-medical.json "$dir/day.csv" \
    --output "$dir/day-released.csv" | figures
if [ -e "$adult" ]; then
    say "The census table adult, 30,162 people, five-anonymous:"
    "$anchorite" anonymize --policy policies/adult-k5.json "$adult" \
        --output "$dir/adult-k5.csv" | figures
fi

step "The road.  Three organisations run a node each, north a broker and an anonymizer; here all on one machine."
quietly "$anchorite" network up --dir "$net"
until "$anchorite" network status --dir "$net" >"$dir/said" 2>&1 &&
    grep -q ' leader ' "$dir/said"; do sleep 0.1; done
say "1. North's custodian puts $patients patients into the vault: by subject id, without names."
"$hospital" table --patients "$patients" --seed 7 --output "$dir/patients.csv"
on_network ingest "$dir/patients.csv" --policy "$policy"
dataset=$(line dataset)
say "   dataset $(echo "$dataset" | cut -c 1-16)..., $(line rows) rows; the ledger has a commitment to it"

"$hospital" consents --patients "$patients" --seed 7 --output "$dir/consents.ndjson"
on_network consent import "$dir/consents.ndjson"
say "2. The broker gets $(line recorded) FHIR consents: some permit, some refuse, some are over, some patients said nothing."

say "3. An institute asks: this dataset, general research, this policy."
on_network request --dataset "$dataset" --purpose DUO:0000042 --policy "$policy"
request=$(line request)
say "   request $(echo "$request" | cut -c 1-16)...; the ledger has a commitment to its terms"

on_network approve "$request"
say "4. The custodian is shown it ($(line purpose); policy $(line policy | cut -c 1-16)...) and approves."

say "5. The release.  While it is made, one patient who had consented withdraws:"
"$anchorite" release "$request" --dir "$net" >"$dir/released" 2>"$dir/release-said" &
driver=$!
until "$anchorite" requests --dir "$net" >"$dir/said" 2>&1 &&
    ! grep -qE ' (open|approved|permitting)' "$dir/said"; do :; done
withdrawn=$(grep '"HRESCH"' "$dir/consents.ndjson" | grep '"end":"203' |
    sed -n '1s/.*"value":"\(P[0-9]*\)".*/\1/p')
echo "$withdrawn" | "$anchorite" consent withdraw --patient-file - --dir "$net" \
    >"$dir/said"
say "   withdrawn at position $(line position) of the log: the permit that names this patient is void"
wait "$driver" || {
    cat "$dir/release-said" >&2
    exit 1
}
release=$(sed -n 's/^release *//p' "$dir/released")
say "   released, under a new permit, as $release"

say "6. The institute fetches it, and proves it, with three files and no network:"
on_network release fetch "$release" --output "$dir/release.csv"
cp "$net/trust.json" "$dir/trust.json"
head -n 3 "$dir/release.csv" | sed 's/^/   /'
quietly "$anchorite" verify "$dir/release.csv" "$dir/release.csv.certificate.json" \
    --trust "$dir/trust.json"
for words in permitted classes k-anonymity risk time; do
    sed -n "s/^  *\\($words  *[0-9hck-].*\\)/   \\1/p" "$dir/said" |
        sed 's/   *-  */   /; s/, before.*//; q'
done

say "7. Who has seen the records of the patient who withdrew, with proof:"
echo "$withdrawn" | "$anchorite" history --patient-file - --dir "$net" >"$dir/said"
sed 's/  by .*//; s/^/   /; 3q' "$dir/said"
say "   and of another:"
other=$(grep '"HRESCH"' "$dir/consents.ndjson" | grep '"end":"203' |
    sed -n '2s/.*"value":"\(P[0-9]*\)".*/\1/p')
echo "$other" | "$anchorite" history --patient-file - --dir "$net" >"$dir/said"
# File and certificate are fetched one after the other: told once.
sed 's/  by .*//; s/^/   /' "$dir/said" | tail -n 4 |
    awk '!told[$2]++'

step "The release      $dir/release.csv"
say "its certificate  $dir/release.csv.certificate.json"
say "whom to trust    $dir/trust.json"
say "verify again     $anchorite verify $dir/release.csv \\"
say "                     $dir/release.csv.certificate.json --trust $dir/trust.json"
[ -z "$keep" ] || {
    step "The network is running.  To go on by hand, and to end it:"
    say "  $anchorite network status --dir $net"
    say "  $anchorite requests --dir $net"
    say "  echo $other | $anchorite consent withdraw --patient-file - --dir $net"
    say "  $anchorite ledger checkpoint --dir $net"
    say "  $anchorite network down --dir $net"
}
