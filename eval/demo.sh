#!/bin/sh
# eval/demo.sh - what Anchorite does today, on a hospital that does not exist:
# two policies, the case of a paper, and a census table where it is at hand.
#
#   eval/demo.sh [BUILD [DIR]]     programs are in BUILD, results go to DIR
#
# ANCHORITE_SHARED names a folder with data/adult in it (../shared).
set -eu
cd "$(dirname "$0")/.."

build=${1:-build}
dir=${2:-$build/demo}
anchorite=$build/anchorite
hospital=$build/anchorite-hospital
adult=${ANCHORITE_SHARED:-../shared}/data/adult/adult.csv

say() { printf '\n%s\n' "$*"; }
rows() { head -n 3 "$1" | sed 's/^/  /'; }

# De-identify INPUT under POLICY into NAME.csv, and show the figures.
release() {
    policy=policies/$1.json input=$2 output=$dir/$3.csv
    "$anchorite" anonymize --policy "$policy" "$input" --output "$output"
}

mkdir -p "$dir"
say "A hospital of 20,000 invented patients, $dir/patients.csv:"
"$hospital" table --patients 20000 --seed 1 --output "$dir/patients.csv"
rows "$dir/patients.csv"

say "1. Nobody among fewer than five alike in gender, age, city and date:"
release hospital-k5 "$dir/patients.csv" release-k5
rows "$dir/release-k5.csv"

say "2. The same, and three diseases and departments at least among those alike:"
release hospital-k5-l3 "$dir/patients.csv" release-k5-l3
rows "$dir/release-k5-l3.csv"

say "Any table can be held against a policy.  The second release:"
"$anchorite" check --policy policies/hospital-k5-l3.json "$dir/release-k5-l3.csv"
say "The first release under the second policy:"
"$anchorite" check --policy policies/hospital-k5-l3.json "$dir/release-k5.csv" ||
    [ $? -eq 1 ]

say "3. A published case, 100 records of one day, two-diverse, none lost:"
"$hospital" table --patients 100 --days 1 --output "$dir/day.csv"
release paper000-medical "$dir/day.csv" release-paper000

if [ -e "$adult" ]; then
    say "4. The census table adult, 30,162 people, five-anonymous:"
    release adult-k5 "$adult" release-adult
else
    say "4. Skipped: the census table adult is not at $adult"
fi

say "Everything is in $dir.  To go on by hand:"
echo "  $anchorite anonymize --help"
echo "  $anchorite hierarchy show policies/hierarchies/city.csv"
