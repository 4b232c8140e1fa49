#!/bin/sh
# tests/golden/run.sh BINARY - every golden case, byte for byte; see README.md.
set -eu

binary=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
count=0

# The report without what no two machines share: the clock, and how many
# transformations the search had to look at.
timeless() {
    sed -e 's/^  "checked": [0-9]*,$/  "checked": 0,/' \
        -e '/^  "seconds": {$/,/^  }/s/": [-+.0-9e][-+.0-9e]*/": 0/' "$1"
}

for folder in "$here"/*/; do
    folder=${folder%/}
    name=${folder##*/}
    count=$((count + 1))
    cp "$folder"/* "$work"
    if ! "$binary" anonymize --policy "$work/policy.json" --json \
        --output "$work/release" "$work/input.csv" >"$work/report"; then
        echo "golden $name: the command failed"
        failed=$((failed + 1))
        continue
    fi
    timeless "$work/report" >"$work/report.timeless"
    if ! cmp "$folder/release.csv" "$work/release"; then
        echo "golden $name: another release"
        failed=$((failed + 1))
    elif ! diff -u "$folder/report.json" "$work/report.timeless"; then
        echo "golden $name: another report"
        failed=$((failed + 1))
    fi
    rm -f "$work"/*
done

echo "golden: $count cases, $failed failed"
test "$count" -gt 0 -a "$failed" -eq 0
