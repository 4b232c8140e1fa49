#!/bin/sh
# An anonymizer in the middle of its work: told to stop it ends in time and goes
# on with the same job afterwards; told to erase it does so as soon as what
# reads or writes has come to an end, and whoever asks waits for that.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
patients=${PATIENTS:-40000}
. tests/e2e/road.sh
. tests/e2e/hostile.sh
[ -x "$BIN/tests/strike" ] || skip "tests/strike is not built"

released() {
    anchorite release "$request" --timeout 5
    [ "$code" -eq 0 ]
}
job() { # COLUMNS
    ask_copy anonymizer "SELECT $1 FROM job WHERE request = x'$request'"
}

road_up
road_filled
road_approved

# In main.c of the anonymizer; what is in flight ends in that time.
shutdown_ms=8000
for state in permitted loaded found; do
    story "it is told to stop while a job of $patients patients is $state"
    rm -f "$work/strikes"
    pid=$(pid_of anonymizer)
    "$BIN/tests/strike" "$dir/anonymizer/log" ": $state" "$pid" 15 \
        >"$work/strikes" &
    striker=$!
    until_true 10 "it watches" grep -q ready "$work/strikes"
    "$BIN/anchorite" release "$request" --dir "$dir" --timeout 5 \
        >"$work/driven" 2>&1 &
    other=$!
    others="$striker $other"
    wait "$striker" || fail "the log never said \"$state\": $(cat "$work/driven")"
    began=$(date +%s%3N)
    until_true 20 "it is gone" is_gone "$pid"
    took=$(($(date +%s%3N) - began))
    echo "it took $took ms"
    [ "$took" -lt $((shutdown_ms * ${PATIENCE:-1})) ] || fail "it took $took ms"
    grep -q 'stopping' "$dir/anonymizer/log" || fail "it was not told"
    ! grep -q 'not finished after' "$dir/anonymizer/log" ||
        fail "it was ended in the middle"
    [ "$(job state)" -le 4 ] || fail "it was too late: $(job state)"
    kill "$other" 2>/dev/null || :
    wait "$other" || :
    others=""
    before=$(job 'release, hex(sealed), hex(permit)')
    "$BIN/anchorite" network up --dir "$dir" >/dev/null 2>"$work/up" ||
        fail "up: $(cat "$work/up")"
    until_true 60 "it is published" released
    [ "$(job 'release, hex(sealed), hex(permit)')" = "$before" ] ||
        fail "another job: $(job 'release, hex(permit), state')"
    anchorite ingest "$table" --policy "$policy"
    done_well
    dataset=$(result dataset)
    road_approved
done

story "an erasure waits for an ingest"
who_permits >"$work/permits"
head -n 1 "$work/permits" >"$work/number"
"$BIN/anchorite" ingest "$table" --policy "$policy" --dir "$dir" \
    >"$work/ingested" 2>&1 &
other=$!
others=$other
# begun   in a copy, since nobody else may open a vault
begun() {
    rm -f "$work"/vault.db*
    cp "$dir"/anonymizer/vault.db "$dir"/anonymizer/vault.db-wal "$work" &&
        [ "$(sqlite3 "$work/vault.db" \
            'SELECT count(*) FROM dataset WHERE complete = 0')" = 1 ]
}
until_true 10 "rows are put in" begun
kill -STOP "$other"
begun || fail "it was faster than we"
"$BIN/anchorite" erase --patient-file "$work/number" --dir "$dir" \
    >"$work/erased" 2>&1 &
eraser=$!
others="$other $eraser"
sleep 4
kill -0 "$eraser" 2>/dev/null || fail "it did not wait: $(cat "$work/erased")"
kill -CONT "$other"
wait "$other" || fail "ingest: $(cat "$work/ingested")"
wait "$eraser" || fail "erase: $(cat "$work/erased")"
others=""
grep -q '^keys  *1$' "$work/erased" || fail "$(cat "$work/erased")"

story "who does not wait is told what to do"
sed -n 2p "$work/permits" >"$work/number"
"$BIN/anchorite" ingest "$table" --policy "$policy" --dir "$dir" \
    >"$work/ingested" 2>&1 &
other=$!
others=$other
until_true 10 "rows are put in" begun
kill -STOP "$other"
anchorite erase --patient-file "$work/number" --timeout 3
[ "$code" -eq 3 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"
kill -CONT "$other"
wait "$other" || fail "ingest: $(cat "$work/ingested")"
others=""
grep -q 'erase once more' "$work/err" || fail "$(cat "$work/err")"
anchorite erase --patient-file "$work/number"
done_well
[ "$(result keys)" -eq 1 ] || fail "$(cat "$work/out")"
