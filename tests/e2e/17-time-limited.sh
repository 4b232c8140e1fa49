#!/bin/sh
# A search within a limit: says that it is not proven and how far off it may be,
# is the same in every run with the same seed, proves what is small enough, and
# leaves nothing behind when it finds nothing.
set -eu
. tests/e2e/lib.sh

wide=$PWD/eval/search/wide.awk
cd "$work"

# draw COLUMNS ROWS SECONDS   wide.csv and policy.json
draw() {
    awk -v columns="$1" -v rows="$2" -v seconds="$3" -v seed=7 -v dir=. \
        -f "$wide" </dev/null
}
# The figures without the times of the run.
figures() { sed -e '/"seconds": {/,/}/d' out; }
says() { grep -qF "$1" out || fail "no $1 in: $(cat out)"; }

story "a lattice of nine million million transformations"
draw 24 3000 20
sed 's/"seconds": 20/"seconds": 0.2/' policy.json >short.json
for threads in 1 3; do
    # The work of a fifth of a second; the clock would say the same.
    run anonymize -p short.json wide.csv -o release.csv --json --seed 5 \
        --threads $threads
    done_well
    says '"optimal": false'
    says '"bound": '
    says '"gap": '
    if grep -qF '"ended_by": "work"' out; then
        figures >figures
        [ ! -e first.csv ] || cmp first.csv release.csv
        [ ! -e first.csv ] || diff first.figures figures
        mv release.csv first.csv
        mv figures first.figures
    else
        says '"ended_by": "time"'
    fi
    rm -f release.csv
done
run anonymize -p short.json wide.csv -o release.csv
done_well
grep -qF "the best that was found of" out || fail "$(cat out)"
grep -qF "not proven: " out || fail "$(cat out)"
run check -p short.json release.csv
done_well
rm release.csv

story "a lattice that is finished in time"
draw 4 500 20
run anonymize -p policy.json wide.csv -o limited.csv --json
done_well
says '"optimal": true'
says '"ended_by": "proof"'
says '"gap": 0'
sed 's/{"strategy".*}}/{"strategy": "optimal"}}/' policy.json >exact.json
run anonymize -p exact.json wide.csv -o exact.csv
done_well
cmp limited.csv exact.csv
rm limited.csv exact.csv

story "a seed that is none"
run anonymize -p policy.json wide.csv -o release.csv --seed -1
refused 2 "seed"
run anonymize -p policy.json wide.csv -o release.csv --seed x
refused 2 "seed"
[ ! -e release.csv ] || fail "a release"
