#!/bin/sh
# A release while processes are killed: it goes on, and is published once.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

# released   whatever happens meanwhile, in the end it is published
released() {
    anchorite release "$request" --timeout 5
    [ "$code" -eq 0 ]
}
# published N   so many releases by now: each request has had one
published() {
    [ "$(find "$dir/anonymizer/releases" -name release.csv | wc -l)" -eq "$1" ] ||
        fail "releases: $(ls -R "$dir/anonymizer/releases")"
}
again() {
    "$BIN/anchorite" network up --dir "$dir" >/dev/null 2>"$work/up" ||
        fail "up: $(cat "$work/up")"
}

road_up
road_filled

# Each release after the first serves the same bytes, under a permit of its own.
count=0
for victim in broker anonymizer leader; do
    for pause in 0.1 0.4 0.8; do
        story "kill -9 of the $victim, $pause s into a release"
        road_approved
        "$BIN/anchorite" release "$request" --dir "$dir" --timeout 5 \
            >"$work/driven" 2>&1 &
        other=$!
        others=$other
        sleep "$pause"
        seat=$victim
        [ "$victim" != leader ] || seat=$(leader)
        [ -z "$seat" ] || kill_node "$seat" KILL
        again
        wait "$other" || :
        others=""
        until_true 40 "it is published" released
        count=$((count + 1))
        published "$count"
    done
done

story "one table, whatever happened"
find "$dir/anonymizer/releases" -name release.csv -exec sha256sum {} + |
    cut -d ' ' -f 1 | sort -u >"$work/digests"
[ "$(wc -l <"$work/digests")" -eq 1 ] || fail "$(cat "$work/digests")"

story "all nodes stopped: a bounded wait, and it goes on when they return"
road_approved
for node in node1 node2 node3; do
    kill_node "$node" KILL
done
started=$(date +%s)
anchorite release "$request" --timeout 5
[ "$code" -eq 3 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"
[ $(($(date +%s) - started)) -le $((30 * PATIENCE)) ] || fail "it took too long"
again
until_true 40 "it is published" released
published $((count + 1))

nothing_of_patients
