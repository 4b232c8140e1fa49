#!/bin/sh
# eval/search/scale.sh - time and memory of one de-identification, from the
# start of the process to the finished file, as the table grows.
#
#   eval/search/scale.sh [BUILD [RESULTS]]
#
# Programs are in BUILD (build); a table goes to standard output and, if it is
# named, to the file RESULTS.  The tables are made up by tests/tools/survey.c
# from SEED; each is deleted before the next is made.  Times are the median of
# RUNS runs with the smallest and the largest, besides those that the processor
# spent, which other work on the machine changes less; memory is the largest anonymous
# memory that /proc/PID/smaps_rollup showed in one more run, looked at every
# 20 ms.
# Environment:
#
#   ROWS     of the tables (30000 300000 3000000 30000000)
#   RUNS     how often up to 3 million rows (5); larger tables LARGE_RUNS (1)
#   THREADS  "1 2"
#   SEED     of the tables (20261120)
#   SCRATCH  a folder with room for two of the largest tables (TMPDIR or /tmp)
#
# Nothing fails because it is slow.
set -eu
cd "$(dirname "$0")/../.."

build=$(readlink -f "${1:-build}")
results=${2:-}
sizes=${ROWS:-30000 300000 3000000 30000000}
runs=${RUNS:-5}
large_runs=${LARGE_RUNS:-1}
thread_counts=${THREADS:-1 2}
seed=${SEED:-20261120}
busy=$(cut -d" " -f1 /proc/loadavg)
work=$(mktemp -d "${SCRATCH:-${TMPDIR:-/tmp}}/anchorite-eval.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

now() { date +%s.%N; }

# Largest anonymous memory of process $1 in KiB, until it ends.
watch_memory() {
    largest=0
    while kill -0 "$1" 2>/dev/null; do
        anonymous=$(awk '/^Anonymous:/ { print $2 }' \
            "/proc/$1/smaps_rollup" 2>/dev/null) || anonymous=
        [ "${anonymous:-0}" -le "$largest" ] || largest=$anonymous
        sleep 0.02
    done
    echo "$largest"
}

# run_once THREADS OPTION...: appends its seconds, and those of the processor,
# to $work/figures.
run_once() {
    threads=$1
    shift
    rm -f "$work/out.csv"
    began=$(now)
    (
        "$build/anchorite" anonymize --policy "$work/policy.json" \
            --threads "$threads" "$@" --output "$work/out.csv" \
            "$work/survey.csv" >/dev/null
        times >"$work/times"
    )
    ended=$(now)
    # The last line of times is of processes that have ended: 0m1.25s 0m0.5s.
    tail -n 1 "$work/times" | tr 'ms' '  ' |
        awk -v began="$began" -v ended="$ended" '
            { print ended - began, 60 * ($1 + $3) + $2 + $4 }' \
            >>"$work/figures"
}

# The same once more, watched: KiB to standard output.
run_watched() {
    threads=$1
    shift
    "$build/anchorite" anonymize --policy "$work/policy.json" \
        --threads "$threads" "$@" --output "$work/out.csv" \
        "$work/survey.csv" >"$work/report" &
    process=$!
    watch_memory "$process"
    wait "$process"
}

# spread FILE COLUMN: "median (smallest - largest)".
spread() {
    awk -v column="$2" '{ print $column }' "$1" | sort -n | awk '
        { value[NR] = $1 }
        END {
            printf "%.2f", value[int((NR + 1) / 2)]
            if (NR > 1)
                printf " (%.2f - %.2f)", value[1], value[NR]
        }'
}

# measure ROWS BYTES TUPLES THREADS WORDS OPTION...: one line of the table.
measure() {
    rows=$1 bytes=$2 threads=$3 words=$4
    shift 4
    count=$runs
    [ "$rows" -le 3000000 ] || count=$large_runs
    : >"$work/figures"
    while [ "$count" -gt 0 ]; do
        count=$((count - 1))
        run_once "$threads" "$@"
    done
    memory=$(run_watched "$threads" "$@")
    tuples=$(awk '$1 == "before" { print $2 }' "$work/report")
    echo "| $rows | ${tuples:--} | $threads | $words | $(spread "$work/figures" 1) |" \
        "$(spread "$work/figures" 2) |" \
        "$(sort -n "$work/figures" | awk -v bytes="$bytes" '
            { value[NR] = $1 }
            END { printf "%.2f", bytes / value[int((NR + 1) / 2)] / 1e9 }') |" \
        "$((memory / 1024)) | $((memory * 1024 / rows)) |"
}

{
    echo "# A table that grows"
    echo
    echo "Made by \`make eval-scale\`.  k = 5, 2 % suppression, Loss, eight" \
        "quasi-identifiers, seed $seed; load $busy before."
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
        "$(nproc) cores," \
        "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB."
    echo
    echo "| rows | tuples | threads | | seconds | of the processor |" \
        "GB/s of input | anonymous MiB | bytes a row |"
    echo "|---|---|---|---|---|---|---|---|---|"
    for rows in $sizes; do
        echo "eval: $rows rows" >&2
        "$build/tests/survey" "$work" "$rows" "$seed"
        bytes=$(wc -c <"$work/survey.csv")
        digest=
        for threads in $thread_counts; do
            measure "$rows" "$bytes" "$threads" "without recheck" --no-recheck
            again=$(sha256sum <"$work/out.csv")
            [ -z "$digest" ] || [ "$digest" = "$again" ] || {
                echo "eval: the output depends on the number of threads" >&2
                exit 1
            }
            digest=$again
        done
        measure "$rows" "$bytes" "$threads" "with recheck"
    done
} | tee "$work/table"
[ -z "$results" ] || cp "$work/table" "$results"
