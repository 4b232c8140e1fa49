#!/bin/sh
# eval/ledger/run.sh - what three nodes and a client bear, all on this machine.
#
#   eval/ledger/run.sh [BUILD [RESULTS]]
#
# Programs are in BUILD (build); a table goes to standard output and, if it is
# named, to the file RESULTS.  Each figure is the median of RUNS (3) runs on
# networks of their own, with the smallest and the largest.  Environment:
#
#   RUNS     how often
#   SECONDS_EACH   how long the network is under load in one run (20)
#   KILLS    of the leader in one run (5)
#   ENTRIES  that a node has to catch up with (50000)
#
# Nothing fails because it is slow.
set -eu
cd "$(dirname "$0")/../.."

build=$(readlink -f "${1:-build}")
results=${2:-}
runs=${RUNS:-3}
seconds=${SECONDS_EACH:-20}
kills=${KILLS:-5}
entries=${ENTRIES:-50000}
rates="1000 2000 3000"
anchorite=$build/anchorite
busy=$(cut -d" " -f1 /proc/loadavg)
# The last number of the last line: "... 256 bits ecdsa ... 41000.1 14500.2".
verifies=$(openssl speed -seconds 2 ecdsap256 2>/dev/null |
    awk 'END { printf "%.0f", $NF }')
work=$(mktemp -d "${TMPDIR:-/tmp}/anchorite-eval.XXXXXX")
dir=$work/net
user=north.custodian

finished() {
    code=$?
    "$anchorite" network down --dir "$dir" >/dev/null 2>&1 || :
    rm -rf "$work"
    exit "$code"
}
trap finished EXIT
trap 'exit 130' HUP INT TERM

say() { echo "eval: $*" >&2; }
up() { "$anchorite" network up --nodes-only --dir "$dir" >"$work/up" 2>&1 || {
    cat "$work/up" >&2
    exit 3
}; }
status() { "$anchorite" network status --dir "$dir" --json 2>/dev/null || :; }
pid() { cut -d' ' -f1 "$dir/$1/pid"; }
load() {
    "$anchorite" ledger load --dir "$dir" --as $user --timeout 60 --json \
        "$@" >"$work/load"
}
# of KEY: a number of the last load.
of() { sed -n "s/^ *\"$1\": \([0-9.e+-]*\),*\$/\1/p" "$work/load"; }
note() { echo "$2" >>"$work/figure.$1"; }
sizes() { status | sed -n 's/^ *"size": \([0-9]*\),*$/\1/p'; }
calc() { awk "BEGIN { printf \"%.3f\", $1 }"; }
now() { date +%s.%N; }
leader() {
    status | awk -F'"' '/"name"/ { name = $4 }
                        /"role": "leader"/ { print name; exit }'
}
wait_leader() {
    tries=0
    while [ -z "$(leader)" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || {
            say "no leader"
            exit 3
        }
        sleep 0.1
    done
}
# until all running nodes have the same size
settle() {
    tries=0
    while [ "$(sizes | sort -u | wc -l)" -ne 1 ] ||
        [ "$(sizes | wc -l)" -ne 3 ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 3000 ] || {
            say "sizes stay different"
            exit 3
        }
        sleep 0.1
    done
}
ticks() {
    for n in 1 2 3; do
        awk '{ print $14 + $15 }' "/proc/$(pid node$n)/stat"
    done | awk '{ sum += $1 } END { print sum }'
}
memory() { # FIELD: the largest of the nodes, in MiB
    for n in 1 2 3; do
        awk -v field="$1:" '$1 == field { print $2 }' \
            "/proc/$(pid node$n)/status"
    done | sort -n | tail -n 1 | awk '{ printf "%.0f", $1 / 1024 }'
}

measure_throughput() {
    say "512 on their way, $seconds s"
    before=$(ticks)
    load --seconds "$seconds" --in-flight 512 \
        --beforehand $((seconds * 4000))
    sizes >"$work/sizes"
    after=$(ticks)
    note rate "$(of per_second)"
    note p50 "$(of p50_ms)"
    note p99 "$(of p99_ms)"
    note trail "$(sort -n "$work/sizes" | awk 'NR == 1 { low = $1 }
        { high = $1 } END { print high - low }')"
    note cpu "$(calc "($after - $before) * 1e6 / $(getconf CLK_TCK) / 3 / \
        $(of acknowledged)")"
    say "sizes of the nodes at the end: $(tr '\n' ' ' <"$work/sizes")"
    settle
}
# How latency grows with the rate says how far the machine is from its limit.
measure_paced() {
    for rate in $rates; do
        say "$rate a second, $seconds s"
        load --seconds "$seconds" --rate "$rate" --in-flight 1000 \
            --beforehand $((seconds * rate))
        note "taken.$rate" "$(of per_second)"
        note "p50.$rate" "$(of p50_ms)"
        note "p99.$rate" "$(of p99_ms)"
        settle
    done
}
measure_single() {
    say "one on its way, 2,000 entries"
    load --count 2000 --in-flight 1
    note single_p50 "$(of p50_ms)"
    note single_p99 "$(of p99_ms)"
}
measure_proof() {
    settle
    while ! "$anchorite" ledger prove 1000 --dir "$dir" \
        --output "$work/proof" 2>/dev/null; do
        sleep 0.1
    done
    "$anchorite" ledger verify "$work/proof" --trust "$dir/trust.json" \
        --repeat 5000 >"$work/verify"
    note proof_alone "$(calc "$(cut -d' ' -f1 "$work/verify") / 1000")"
    note proof "$(calc "$(sed 's/.*alone, \([0-9.]*\) us.*/\1/' \
        "$work/verify") / 1000")"
}
measure_failover() {
    say "the leader is killed under load, $kills times"
    kill=0
    while [ "$kill" -lt "$kills" ]; do
        kill=$((kill + 1))
        wait_leader
        settle
        load --seconds 6 --in-flight 64 --rate 500 --beforehand 3000 &
        loading=$!
        sleep 2
        node=$(leader)
        victim=$(pid "$node")
        kill -9 "$victim"
        wait "$loading"
        note failover "$(of longest_pause_ms)"
        while kill -0 "$victim" 2>/dev/null; do sleep 0.1; done
        up
    done
    settle
}
measure_catchup() {
    say "a node comes back after $entries entries"
    wait_leader
    node=$([ "$(leader)" = node1 ] && echo node2 || echo node1)
    victim=$(pid "$node")
    kill -9 "$victim"
    load --count "$entries" --in-flight 512
    while kill -0 "$victim" 2>/dev/null; do sleep 0.1; done
    start=$(now)
    up
    settle
    note catchup "$(calc "$entries / ($(now) - $start)")"
    note resident "$(memory VmRSS)"
    note peak "$(memory VmHWM)"
}

run=0
while [ "$run" -lt "$runs" ]; do
    run=$((run + 1))
    say "run $run of $runs"
    rm -rf "$dir"
    up
    wait_leader
    measure_single
    measure_throughput
    measure_paced
    measure_proof
    measure_failover
    measure_catchup
    "$anchorite" network down --dir "$dir" >/dev/null 2>&1
done

# median (smallest to largest)
row() { # NAME WORDS TARGET
    sort -n "$work/figure.$1" | awk -v words="$2" -v target="$3" '
        { value[NR] = $1 }
        END {
            middle = int((NR + 1) / 2)
            median = NR % 2 ? value[middle] \
                            : (value[middle] + value[middle + 1]) / 2
            printf "| %s | %.5g | %.5g to %.5g | %s |\n", words, median,
                   value[1], value[NR], target
        }'
}
table() {
    echo "# Three nodes and a client on one machine"
    echo
    echo "Made by \`make eval-ledger\`: $(uname -sr), $(nproc) cores of" \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
        "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' \
            /proc/meminfo); data on" \
        "$(df -PT "$work" | awk 'NR == 2 { print $1 " (" $2 ")" }')."
    echo "$(git describe --always --dirty 2>/dev/null || echo no version)," \
        "$runs runs; load of everything else before it began: $busy." \
        "Each node verifies each entry's signature; one core does $verifies" \
        "such a second, alone."
    echo
    echo "| What | Median | Range | Target |"
    echo "| --- | ---: | ---: | --- |"
    row rate "512 on their way: entries a second" "3,000"
    row p50 "512 on their way: p50, ms" ""
    row p99 "512 on their way: p99, ms" ""
    row trail "... entries by which the last node trails at the end" ""
    row cpu "... CPU of each node for an entry, us" ""
    for rate in $rates; do
        wanted=$([ "$rate" -ne 3000 ] || echo yes)
        row "taken.$rate" "$rate offered a second: taken" "${wanted:+3,000}"
        row "p50.$rate" "... p50, ms" ""
        row "p99.$rate" "... p99, ms" "${wanted:+< 100}"
    done
    row single_p50 "One on its way: p50, ms" "< 2"
    row single_p99 "One on its way: p99, ms" ""
    row failover "Leader killed: ms without an answer" "< 2,500"
    row proof "Verification of a proof, its checkpoint known, ms" "< 0.1"
    row proof_alone "... with the checkpoint's cosignatures, ms" ""
    row catchup "Catching up: entries a second" ""
    row resident "Memory of a node afterwards, MiB" ""
    row peak "Memory of a node at most, MiB" ""
}
if [ -n "$results" ]; then
    table >"$results"
    cat "$results"
else
    table
fi
