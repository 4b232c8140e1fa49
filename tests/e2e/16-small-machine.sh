#!/bin/sh
# Too little memory, too few descriptors or processes: one message and exit code
# 3, or a whole release; never something between.
set -eu
. tests/e2e/lib.sh

policy=$PWD/policies/hospital-k5-l3.json
cd "$work"
"$BIN/anchorite-hospital" table --patients 30000 --output hospital.csv
mkdir folder
code=0
"$BIN/anchorite" anonymize -p "$policy" hospital.csv -o whole.csv >out 2>err ||
    code=$?
[ "$code" -eq 0 ] || fail "exit code $code: $(cat err)"

# within_limit LIMIT VALUE WORDS   run with `ulimit LIMIT VALUE`: 0 and the whole
# release, or 3 and the words
within_limit() {
    code=0
    (
        ulimit "$1" "$2"
        exec "$BIN/anchorite" anonymize -p "$policy" hospital.csv --threads 2 \
            -o folder/release.csv
    ) >out 2>err || code=$?
    if [ "$code" -eq 0 ]; then
        cmp folder/release.csv whole.csv || fail "not the whole release"
        rm folder/release.csv
    else
        refused 3 "$3"
    fi
    [ -z "$(ls -A folder)" ] || fail "left behind: $(ls -A folder)"
}
# starts LIMIT VALUE   does the program come as far as its main()?  A sanitizer
# that cannot is no finding.
starts() {
    (
        unset ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
        ulimit "$1" "$2"
        exec "$BIN/anchorite" --help
    ) >out 2>err
}

story "little memory"
if ! starts -v 1000000; then
    echo "(a build with sanitizers wants all address space)"
else
    size=4000
    until starts -v $size; do
        size=$((size + 500))
    done
    enough=0 lacking=0
    while [ $enough -lt 3 ]; do
        [ $size -lt 1000000 ] || fail "a gigabyte does not suffice"
        within_limit -v $size "out of memory"
        if [ "$code" -eq 0 ]; then
            enough=$((enough + 1))
        else
            lacking=$((lacking + 1))
            enough=0
        fi
        size=$((size + 700))
    done
    [ $lacking -gt 5 ] || fail "only $lacking runs lacked memory"
fi

story "few descriptors"
# Those of the program's own libraries are closed again before main().
for count in 3 4 5 6 7 8; do
    starts -n $count || continue
    within_limit -n $count "Too many open files"
done

story "no thread can be had"
if [ "$(id -u)" -eq 0 ]; then
    echo "(root may always have one)"
else
    within_limit -u 1 "thread"
fi

story "little stack"
for size in 256 1024; do
    starts -s $size || continue
    within_limit -s $size "nothing, this must do"
    [ "$code" -eq 0 ] || fail "$size KiB of stack do not suffice"
done
