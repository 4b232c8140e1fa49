#!/bin/sh
# eval/vault/run.sh - how long a vault takes for a million rows, and
# telling of their accesses.
#
#   eval/vault/run.sh [BUILD [RESULTS]]
#
# Programs are in BUILD (build); a table goes to standard output and, if it is
# named, to the file RESULTS.  Each figure is the median of RUNS (3) runs on
# vaults of their own, with the smallest and the largest.  Environment:
#
#   RUNS     how often
#   ROWS     of the dataset, each of another subject, all permitted (1000000)
#   EVENTS   of the subject whose history is read (2000)
#   THREADS  that check and open them ($(nproc))
#
# Nothing fails because it is slow.
set -eu
cd "$(dirname "$0")/../.."

build=$(readlink -f "${1:-build}")
results=${2:-}
runs=${RUNS:-3}
rows=${ROWS:-1000000}
events=${EVENTS:-2000}
threads=${THREADS:-$(nproc)}
busy=$(cut -d" " -f1 /proc/loadavg)
work=$(mktemp -d "${TMPDIR:-/tmp}/anchorite-eval.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

run=0
while [ "$run" -lt "$runs" ]; do
    run=$((run + 1))
    echo "eval: run $run of $runs" >&2
    mkdir "$work/vault"
    "$build/tests/vault_load" "$work/vault" "$rows" "$threads" "$run" \
        >>"$work/figures"
    rm -rf "$work/vault"
    mkdir "$work/events"
    "$build/tests/events_load" "$work/events" "$rows" "$events" "$run" \
        >>"$work/figures"
    rm -rf "$work/events"
done

# spread STEP COLUMN: "median (smallest - largest)", in seconds.
spread() {
    awk -v step="$1" -v column="$2" '$1 == step { print $column }' \
        "$work/figures" | sort -n | awk '
        { value[NR] = $1 }
        END {
            printf "%.2f (%.2f - %.2f)", value[int((NR + 1) / 2)], value[1],
                value[NR]
        }'
}
row() { echo "| $2 | $(spread "$1" 2) | $(spread "$1" 3) |"; }

{
    echo "$rows rows of 50 bytes, $threads threads, $runs runs," \
        "load $busy before"
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
        "$(nproc) cores, $(awk '/^MemTotal/ { printf "%.1f GB", $2 / 1048576 }' \
            /proc/meminfo), $(uname -r)"
    echo
    echo "| step | seconds | of processor time |"
    echo "|---|---|---|"
    row ingest "ingest"
    row first "first row: all keys are found"
    row read "all other rows, decrypted"
    row again "all rows once more"
    row table "the engine's table of them"
    row told "an access event of all"
    row told-again "another one of all"
    row map "the root over their chains"
    row reopened "their chains made anew"
    row told-few "$events more events of one"
    row history "its history read"
} >"$work/table"
cat "$work/table"
[ -z "$results" ] || cp "$work/table" "$results"
