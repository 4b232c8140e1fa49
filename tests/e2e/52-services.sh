#!/bin/sh
# `network up|down|status` with services: what is started when, what is said,
# and what is left when one of them does not start.  The services here are
# stand-ins that do nothing but run; the real ones are tried from 70 on.
set -eu
. tests/e2e/lib.sh
. tests/e2e/network.sh

# The command starts the programs that lie beside it.
mkdir "$work/bin"
cp "$BIN/anchorite" "$BIN/anchorite-ledger" "$work/bin"
BIN=$work/bin
for role in broker anonymizer; do
    cat >"$BIN/anchorite-$role" <<'STAND_IN'
#!/bin/sh
# --config FILE --ready-fd N
trap 'echo ended; date +%s%N >"${0%/bin/*}/ended.${0##*/}"; exit 0' TERM
if [ -e "${0%/bin/*}/fails" ]; then
    echo "this one cannot"
    exit 3
fi
date +%s%N >"${0%/bin/*}/started.${0##*/}"
eval "echo ready >&$4"
while :; do
    sleep 0.1 &
    wait $! || :
done
STAND_IN
    chmod +x "$BIN/anchorite-$role"
done
says() { # FILE WORDS
    grep -qF -- "$2" "$work/$1" || fail "no \"$2\" in: $(cat "$work/$1")"
}
none_runs() {
    for seat in node1 node2 node3 broker anonymizer; do
        [ ! -e "$dir/$seat/pid" ] || fail "$seat was left"
    done
}

story "a service that does not start ends what was started with it"
: >"$work/fails"
run network up --dir "$dir"
[ "$code" -eq 3 ] || fail "exit code $code: $(cat "$work/err")"
says err "north.broker did not start"
says err "this one cannot"
none_runs
rm "$work/fails"

story "up starts nodes, then services"
run network up --dir "$dir"
[ "$code" -eq 0 ] || fail "up: $(cat "$work/err")"
says out "3 of 3 nodes started, all are running"
says out "2 of 2 services started, all are running"
run network up --dir "$dir"
done_well
says out "0 of 2 services started, all are running"

story "one that was killed is started again, alone"
kill -KILL "$(pid_of broker)"
run network up --dir "$dir"
done_well
says out "0 of 3 nodes started"
says out "1 of 2 services started"

story "status asks the services, and a process that is silent is none"
until_true 15 "a leader" has_leader
run network status --dir "$dir"
[ "$code" -eq 1 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"
grep -q '^north.broker *no answer$' "$work/out" || fail "$(cat "$work/out")"
run network status --dir "$dir" --json
[ "$code" -eq 1 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"
says out '"name": "north.anonymizer"'

story "what each is told, and who may read it"
[ "$(stat -c %a "$dir/broker" "$dir/anonymizer/keys" | sort -u)" = 700 ] ||
    fail "folders are open"
[ "$(stat -c %a "$dir/broker/key.pem" "$dir/anonymizer/curve.key" \
    "$dir/users/north.custodian/subject.key" | sort -u)" = 600 ] ||
    fail "secrets are open"
for role in broker anonymizer; do
    cmp "$dir/$role/certificate.pem" "$dir/users/north.$role/certificate.pem"
    cmp "$dir/$role/key.pem" "$dir/users/north.$role/key.pem"
done
[ ! -e "$dir/users/south.custodian/subject.key" ] ||
    fail "an organisation without services has a key of subjects"

story "--nodes-only leaves them alone"
kill -KILL "$(pid_of broker)"
run network up --dir "$dir" --nodes-only
done_well
! grep -q services "$work/out" || fail "services: $(cat "$work/out")"
run network status --dir "$dir"
grep -q '^north.broker *not running$' "$work/out" || fail "$(cat "$work/out")"

story "down ends services, then nodes"
run network up --dir "$dir"
done_well
rm -f "$work"/ended.*
run network down --dir "$dir"
done_well
[ "$(cat "$work/out")" = "2 of 2 services ended
3 of 3 nodes ended" ] || fail "down: $(cat "$work/out")"
[ -e "$work/ended.anchorite-broker" ] && [ -e "$work/ended.anchorite-anonymizer" ] ||
    fail "services were not asked to end"
none_runs

story "a network of nodes only has none"
rm -r "$dir"
run network up --dir "$dir" --nodes-only
[ "$code" -eq 0 ] || fail "up: $(cat "$work/err")"
[ ! -e "$dir/broker" ] && ! grep -q services "$dir/network.json" ||
    fail "there are services"
until_true 15 "a leader" has_leader
run network status --dir "$dir"
done_well
! grep -q service "$work/out" || fail "services: $(cat "$work/out")"
run network down --dir "$dir"
done_well
[ "$(cat "$work/out")" = "3 of 3 nodes ended" ] || fail "$(cat "$work/out")"

story "wrong calls"
run network down --dir "$dir" --nodes-only
refused 2 "--nodes-only is for up"
