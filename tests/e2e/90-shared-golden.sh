#!/bin/sh
# Known properties and risks of tables, and the known optima of the UCI adult
# table, by checkers that share no code with us: score, suppressed rows, levels,
# classes, and each release cell by cell.  They lie beside the project, or where
# ANCHORITE_SHARED says; 77 (skipped) where they do not.
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

# Properties of finished tables, and what they risk, by other tools' figures.
python3 "$shared/tools/golden_properties.py" --bin "$binary"
python3 "$shared/tools/golden_risk.py" --bin "$binary"
exec python3 "$shared/tools/golden_search.py" --bin "$binary" --jobs 2
