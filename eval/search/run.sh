#!/bin/sh
# eval/search/run.sh - how long the search takes, and how good it is where it
# cannot come to an end.
#
#   eval/search/run.sh [BUILD [FOLDER]]
#
# Programs are in BUILD (build); the table goes to FOLDER/results.md
# (eval/search), a chart to FOLDER/search.svg.  Each time is the median of RUNS
# cold processes, with the smallest and the largest.  Environment:
#
#   RUNS     how often each configuration is searched (9)
#   SEEDS    of the walks through wide tables (10)
#   SECONDS_LONG, SECONDS_SHORT   limits of those (10 and 1)
#   ONLY     g003,g012: these configurations alone
#   ANCHORITE_SHARED   where the known optima of the UCI adult table lie
#            (../shared): golden_search.py makes the policies.  Without them that
#            part is left out.
#
# Nothing fails because it is slow.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."

build=$(readlink -f "${1:-build}")
folder=$(readlink -f "${2:-eval/search}")
anchorite=$build/anchorite
runs=${RUNS:-9}
seeds=${SEEDS:-10}
long=${SECONDS_LONG:-10}
short=${SECONDS_SHORT:-1}
shared=${ANCHORITE_SHARED:-$PWD/../shared}
golden=$shared/reference/arx-golden.jsonl
adult=$shared/data/adult/adult.csv
busy=$(cut -d' ' -f1 /proc/loadavg)
work=$(mktemp -d "${TMPDIR:-/tmp}/anchorite-eval.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

say() { echo "eval: $*" >&2; }
# figure KEY FILE   a number at any depth of a report, the last of that name
figure() { sed -n "s/^ *\"$1\": \([-0-9.e+]*\),*\$/\1/p" "$2" | tail -n 1; }
# spread FORMAT < numbers   median (smallest - largest)
spread() {
    sort -g | awk -v format="$1" '
        { value[NR] = $1 }
        END {
            if (NR > 0)
                printf format " (" format " - " format ")",
                    value[int((NR + 1) / 2)], value[1], value[NR]
        }'
}
middle() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# ---- configurations with a known optimum ----

# of_golden ID KEY   a number of the reference
of_golden() {
    sed -n "/\"id\": \"$1\"/s/.*\"$2\": \([0-9.]*\).*/\1/p" "$golden"
}

golden_rows() {
    command -v python3 >/dev/null && [ -f "$golden" ] && [ -f "$adult" ] || {
        say "no known optima beside the project: that part is left out"
        echo "Left out: no known optima beside the project."
        return
    }
    say "the policies"
    mkdir "$work/golden"
    python3 "$shared/tools/golden_search.py" --bin "$anchorite" \
        --keep "$work/golden" ${ONLY:+--only "$ONLY"} >"$work/compared" || :
    echo "$(tail -n 1 "$work/compared") against the known optima" \
        "(golden_search.py)."
    echo
    echo "| | models | suppression | aggregate | ARX ms | ms | faster |" \
        "ARX checked | checked |"
    echo "|---|---|---|---|---|---|---|---|---|"
    for path in "$work"/golden/g*; do
        id=${path##*/}
        [ -f "$path/report.json" ] && [ "$(figure rows "$path/report.json")" ] ||
            continue
        say "$id"
        : >"$work/times"
        run=0
        while [ "$run" -lt "$runs" ]; do
            run=$((run + 1))
            "$anchorite" anonymize --policy "$path/policy.json" "$adult" \
                --output "$work/out.csv" --json --no-recheck >"$work/report"
            figure search "$work/report" |
                awk '{ print 1000 * $1 }' >>"$work/times"
        done
        arx=$(of_golden "$id" anonymizeThreadCpuMsMedian |
            awk '{ printf "%.1f", $1 }')
        ours=$(middle <"$work/times")
        echo "$id $ours $arx" >>"$work/chart"
        models=$(sed -n 's/^ *"model": "\([^"]*\)".*/\1/p' "$path/policy.json" |
            paste -sd+)
        k=$(sed -n 's/^ *"k": \([0-9]*\).*/ \1/p' "$path/policy.json")
        echo "| $id | $models$k |" \
            "$(sed -n 's/^ *"suppression_limit": \([0-9.]*\).*/\1/p' \
                "$path/policy.json") |" \
            "$(sed -n 's/^ *"metric": "\([^"]*\)".*/\1/p' "$path/policy.json")" \
            "$(sed -n 's/^ *"aggregate": "\([^"]*\)".*/\1/p' \
                "$path/policy.json") |" \
            "$arx | $(spread %.1f <"$work/times") |" \
            "$(awk "BEGIN { printf \"%.0f\", $arx / $ours }")x |" \
            "$(of_golden "$id" checkedTransformations) |" \
            "$(figure checked "$work/report") |"
    done
    echo
    awk '
        { ours += $2; arx += $3; ratio = $3 / $2 }
        NR == 1 || ratio < least { least = ratio; at = $1 }
        END {
            printf "All together: %.0f ms against %.0f ms of ARX, %.0f times " \
                "as fast; least %.1f times (%s).\n", ours, arx, arx / ours,
                least, at
        }' "$work/chart"
}

# ---- wide tables ----

# limited SECONDS SEED   a report of the table in $work/wide
limited() {
    sed "s/\"seconds\": [0-9.]*/\"seconds\": $1/" "$work/wide/policy.json" \
        >"$work/wide/limited.json"
    "$anchorite" anonymize --policy "$work/wide/limited.json" \
        "$work/wide/wide.csv" --output "$work/out.csv" --json --seed "$2" \
        --no-recheck >"$work/report"
}

wide_row() {
    rm -rf "$work/wide"
    mkdir "$work/wide"
    awk -v columns="$1" -v rows=20000 -v seed=1 -v dir="$work/wide" \
        -f eval/search/wide.awk </dev/null
    for seconds in "$short" "$long"; do
        : >"$work/scores"
        : >"$work/times"
        : >"$work/judged"
        : >"$work/ends"
        seed=0
        while [ "$seed" -lt "$seeds" ]; do
            seed=$((seed + 1))
            say "$1 quasi-identifiers, $seconds s, seed $seed"
            limited "$seconds" "$seed"
            figure score "$work/report" >>"$work/scores"
            figure search "$work/report" >>"$work/times"
            figure checked "$work/report" >>"$work/judged"
            sed -n 's/^ *"ended_by": "\(.*\)".*/\1/p' "$work/report" \
                >>"$work/ends"
        done
        echo "| $1 | $(figure lattice "$work/report") | $seconds |" \
            "$(spread %.6f <"$work/scores") |" \
            "$(figure bound "$work/report") |" \
            "$(spread %.2f <"$work/times") | $(spread %.0f <"$work/judged") |" \
            "$(sort "$work/ends" | uniq -c | awk '{ printf "%s%s %s",
                (NR > 1 ? ", " : ""), $1, $2 }') |"
    done
}

# ---- all of it ----

: >"$work/chart"
{
    echo "# The search"
    echo
    echo "Made by \`make eval-search\`, RUNS=$runs SEEDS=$seeds, on" \
        "$(date -u +%Y-%m-%d); load $busy before."
    echo
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
        "$(nproc) cores, $(awk '/^MemTotal/ { printf "%.1f GB", $2 / 1048576 }' \
            /proc/meminfo), $(uname -r)"
    echo
    echo "## Configurations with a known optimum"
    echo
    echo "UCI adult, 30,162 rows.  Milliseconds of the whole \`search\` stage of" \
        "a cold process with $(nproc) threads, median (smallest - largest) of" \
        "$runs; ARX 3.9.2: processor time of its search, warm, on the same kind" \
        "of machine.  Checked: transformations that were counted out."
    echo
    golden_rows
    echo
    echo "![Milliseconds, ours and ARX](search.svg)"
    echo
    echo "## Lattices too large for a proof"
    echo
    echo "20,000 rows that \`wide.awk\` draws from seed 1; k = 5, 5 %" \
        "suppression, Loss, arithmetic mean.  Median (smallest - largest) over" \
        "$seeds seeds of the search."
    echo
    echo "| quasi-identifiers | lattice | limit, s | score | bound | seconds |" \
        "checked | ended by |"
    echo "|---|---|---|---|---|---|---|---|"
    wide_row 16
    wide_row 24
} >"$work/results.md"
awk -f eval/search/chart.awk "$work/chart" >"$work/search.svg"
mv "$work/results.md" "$folder/results.md"
mv "$work/search.svg" "$folder/search.svg"
cat "$folder/results.md"
