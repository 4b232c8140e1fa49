#!/bin/sh
# A broker that lies, with real processes: whoever has its database sees that
# somebody was permitted without a consent.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

is_approved() {
    "$BIN/anchorite" requests "$1" --dir "$dir" | grep -q '^state *approved$'
}
# found WORDS   the last audit says no, and these words; of nobody
found() {
    [ "$code" -eq 1 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"
    [ ! -s "$work/err" ] || fail "on stderr: $(cat "$work/err")"
    grep -qF -- "$1" "$work/out" || fail "no \"$1\" in: $(cat "$work/out")"
    ! grep -qE '(^|[^0-9a-f])[0-9a-f]{32}([^0-9a-f]|$)' "$work/out" ||
        fail "a subject's id is told: $(cat "$work/out")"
}
# audit_copy SQL   of the broker's database, altered
audit_copy() {
    cp "$dir/broker/state.db" "$work/copy.db"
    sqlite3 "$work/copy.db" "$1"
    anchorite audit permits --database "$work/copy.db"
}

road_up
road_filled
who_permits >"$work/permits"
withdraw "$(head -n 1 "$work/permits")"
road_approved
anchorite release "$request"
done_well
permitted=$(($(wc -l <"$work/permits") - 1))
road_approved
until_true 10 "the approval is read" is_approved "$request"

story "while the broker has its database, nobody reads it"
anchorite audit permits
refused 3 "while its broker is stopped"
stop_node broker

story "each who was permitted has consented"
anchorite audit permits
done_well
grep -q "^1 permits for $permitted subjects: " "$work/out" ||
    fail "not $permitted: $(cat "$work/out")"

story "what was done to the database is named"
audit_copy "UPDATE permit SET list = substr(list, 1, length(list) - 24)"
found "its list does not have the statement's root"
audit_copy "DELETE FROM own WHERE type = 2"
found "the broker has no statement for the withdraw entry at position "
audit_copy "UPDATE own SET salt = zeroblob(32) WHERE number = 1"
found "the broker's statement for the consent entry at position "
audit_copy "DELETE FROM request"
found "its terms: the broker has none"

story "somebody whom the broker adds has no consent in the log"
permit=$("$BIN/tests/lying_broker" "$dir" "$request")
anchorite audit permits
found "is not of this subject"
found "$permit"
anchorite audit permits "$permit" --json
found '"good": false'
found '"index": '

story "the other permit is still right, and a third one is not there"
first=$(sqlite3 "$dir/broker/state.db" \
    "SELECT lower(hex(id)) FROM permit ORDER BY rowid LIMIT 1")
anchorite audit permits "$first"
done_well
anchorite audit permits "$commitment"
refused 2 "no valid permit of north has this id"

story "by another's trust there is no log to hold it against"
sed 's/"quorum": *[0-9]*/"quorum": 4/' "$dir/trust.json" >"$work/trust.json"
anchorite audit permits --trust "$work/trust.json"
[ "$code" -ne 0 ] && [ ! -s "$work/out" ] || fail "believed: $(cat "$work/out")"

story "wrong calls"
anchorite audit permits "$first" more
refused 2 "at most one permit"
anchorite audit permits nonsense
refused 2 "expected a permit's id, 64 lower-case hex digits"
anchorite audit --trust x
refused 2 "--dir and --json alone"
