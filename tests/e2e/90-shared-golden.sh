#!/bin/sh
# The known optima of the UCI adult table, by checkers that share no code with
# us: score, suppressed rows, levels, classes, and each release cell by cell.
# They lie beside the project, or where ANCHORITE_SHARED says; 77 (skipped)
# where they do not.
set -eu

root=$(dirname "$(realpath "$0")")/../..
shared=${ANCHORITE_SHARED:-$root/../shared}
binary=${BIN:-$root/build}/anchorite

if ! [ -f "$shared/tools/golden_search.py" ]; then
    echo "skipped: no golden values beside the project"
    exit 77
fi
if ! command -v python3 >/dev/null; then
    echo "skipped: the checkers need python3"
    exit 77
fi

# Those of the models and metrics of this version; ids that are not shared are
# passed over.
only=g061,g062,g063,g073,g075
for number in $(seq -w 1 33) $(seq 53 60); do
    only=$only,g0$number
done

exec python3 "$shared/tools/golden_search.py" --bin "$binary" --only "$only" \
    --jobs 2
