#!/bin/sh
# eval/release/run.sh - how long the road to a release takes: three nodes, a
# broker and an anonymizer on this machine, a vault of PATIENTS who consent.
#
#   eval/release/run.sh [BUILD [RESULTS]]
#
# Programs are in BUILD (build); a table goes to standard output and, if it is
# named, to the file RESULTS.  Each figure is the median of RUNS (3) runs on
# networks of their own, with the smallest and the largest; besides it the
# processor time of the command and all services.  Environment:
#
#   RUNS      how often
#   PATIENTS  who have a row and a consent, and are in the release (1000000)
#   EVENTS    in the history of one of them (10000)
#
# It needs about 4 KB of disk for each patient.  Nothing fails because it is
# slow.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."

build=$(readlink -f "${1:-build}")
results=${2:-}
runs=${RUNS:-3}
patients=${PATIENTS:-1000000}
events=${EVENTS:-10000}
anchorite=$build/anchorite
policy=policies/hospital-k5.json
busy=$(cut -d' ' -f1 /proc/loadavg)
ticks=$(getconf CLK_TCK)
work=$(mktemp -d "${TMPDIR:-/tmp}/anchorite-eval.XXXXXX")
dir=$work/net

finished() {
    code=$?
    "$anchorite" network down --dir "$dir" >/dev/null 2>&1 || :
    rm -rf "$work"
    exit "$code"
}
trap finished EXIT
trap 'exit 130' HUP INT TERM

say() { echo "eval: $*" >&2; }
calc() { awk "BEGIN { printf \"%.3f\", $1 }"; }
now() { date +%s.%N; }
note() { echo "$1 $2 $3" >>"$work/figures"; }

# Processor seconds so far of the commands (`times` has them in its second
# line, "0m1.25s 0m0.10s") and of all processes of the network.
spent() {
    times >"$work/times"
    {
        sed -n '2s/[ms]/ /gp' "$work/times" |
            awk '{ print 60 * ($1 + $3) + $2 + $4 }'
        for pid in "$dir"/*/pid; do
            awk -v ticks="$ticks" '{ print ($14 + $15) / ticks }' \
                "/proc/$(cut -d' ' -f1 "$pid")/stat"
        done
    } | awk '{ sum += $1 } END { print sum }' >"$work/spent"
}

# step NAME COMMAND...   its seconds, and processor seconds, are noted; what it
# prints is in $work/out
step() {
    name=$1
    shift
    say "$name"
    spent
    before=$(cat "$work/spent") from=$(now)
    "$@" --dir "$dir" --timeout 3600 >"$work/out" || {
        cat "$work/out" >&2
        exit 3
    }
    to=$(now)
    spent
    note "$name" "$(calc "$to - $from")" \
        "$(calc "$(cat "$work/spent") - $before")"
}
result() { sed -n "s/^$1  *//p" "$work/out"; }

# between NAME SERVICE WORD SERVICE WORD   from one line of a log to another,
# each the last that ends so
# since NAME FROM SERVICE WORD   from a time to such a line
when() { date -d "$(grep ": $2\$" "$dir/$1/log" | tail -n 1 | cut -d' ' -f1)" \
    +%s.%N; }
between() { note "$1" "$(calc "$(when "$4" "$5") - $(when "$2" "$3")")" -; }
since() { note "$1" "$(calc "$(when "$3" "$4") - $2")" -; }

up() {
    "$anchorite" network up --dir "$dir" >"$work/up" 2>&1 || {
        cat "$work/up" >&2
        exit 3
    }
    tries=0
    until "$anchorite" network status --dir "$dir" 2>/dev/null |
        grep -q ' leader '; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || {
            say "no leader"
            exit 3
        }
        sleep 0.1
    done
}

one_run() {
    rm -rf "$dir"
    up
    step import "$anchorite" consent import "$work/consents.ndjson"
    step ingest "$anchorite" ingest "$work/patients.csv" --policy "$policy"
    dataset=$(result dataset)
    start=$(now)
    spent
    start_spent=$(cat "$work/spent")
    step request "$anchorite" request --dataset "$dataset" \
        --purpose DUO:0000042 --policy "$policy"
    request=$(result request)
    step approve "$anchorite" approve "$request"
    step release "$anchorite" release "$request"
    release=$(result release)
    end=$to
    spent
    note all "$(calc "$end - $start")" \
        "$(calc "$(cat "$work/spent") - $start_spent")"
    since permit "$from" broker working
    between load anonymizer permitted anonymizer loaded
    between search anonymizer loaded anonymizer found
    between recheck anonymizer found anonymizer rechecked
    between publish broker endorse broker published

    step fetch "$anchorite" release fetch "$release" \
        --output "$work/release.csv"
    rows=$(($(wc -l <"$work/release.csv") - 1))
    say verify
    spent
    before=$(cat "$work/spent") from=$(now)
    "$anchorite" verify "$work/release.csv" \
        "$work/release.csv.certificate.json" --trust "$dir/trust.json" \
        >"$work/out" 2>&1
    to=$(now)
    spent
    note verify "$(calc "$to - $from")" \
        "$(calc "$(cat "$work/spent") - $before")"
    rm "$work/release.csv" "$work/release.csv.certificate.json"

    "$build/tests/fetch_often" "$dir" "$release" "$events"
    sed -n 2p "$work/patients.csv" | cut -d, -f1 >"$work/number"
    sleep 2 # what is told is what is anchored
    step history "$anchorite" history --patient-file "$work/number"
    told=$(wc -l <"$work/out")
    step withdraw "$anchorite" consent withdraw --patient-file "$work/number"
    step show "$anchorite" consent show --patient-file "$work/number"
    grep -q withdrawn "$work/out" || {
        say "the withdrawal has no effect"
        exit 3
    }
}

"$build/anchorite-hospital" table --patients "$patients" \
    --output "$work/patients.csv"
"$build/anchorite-hospital" consents --patients "$patients" \
    --mix permit=100,limited=0,deny=0,expired=0,withdrawn=0,none=0 \
    --output "$work/consents.ndjson"
run=0
while [ "$run" -lt "$runs" ]; do
    run=$((run + 1))
    say "run $run of $runs"
    one_run
    "$anchorite" network down --dir "$dir" >/dev/null
done

# spread STEP COLUMN: "median (smallest - largest)", in seconds; "" where there
# is none
spread() {
    awk -v step="$1" -v column="$2" '$1 == step { print $column }' \
        "$work/figures" | grep -v '^-$' | sort -n | awk '
        { value[NR] = $1 }
        END {
            if (NR > 0)
                printf "%.2f (%.2f - %.2f)", value[int((NR + 1) / 2)],
                    value[1], value[NR]
        }'
}
row() { echo "| $3 | $2 | $(spread "$1" 2) | $(spread "$1" 3) |"; }

{
    echo "# The road to a release"
    echo
    echo "Made by \`make eval-release\`, PATIENTS=$patients RUNS=$runs."
    echo
    echo "$patients subjects with consents, $rows rows released," \
        "$events events; $runs runs on $(date -u +%Y-%m-%d), load $busy before"
    echo
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
        "$(nproc) cores, $(awk '/^MemTotal/ { printf "%.1f GB", $2 / 1048576 }' \
            /proc/meminfo), $(uname -r); all processes on this machine"
    echo
    echo "| step | wanted below | seconds | of processor time, all processes |"
    echo "|---|---|---|---|"
    row import "" "consent import"
    row ingest "" "ingest"
    row permit 2 "permit: asked to handed over"
    row load 6 "rows loaded and decrypted"
    row search "" "transformation found, table written"
    row recheck "" "recheck"
    row publish "" "endorsed, anchored, published"
    row all 20 "from request to published: all of it"
    row fetch "" "release fetch"
    row verify 3 "verify"
    row history 1 "history of $told lines"
    row withdraw 1 "withdrawal, until it counts"
} >"$work/table"
cat "$work/table"
[ -z "$results" ] || cp "$work/table" "$results"
