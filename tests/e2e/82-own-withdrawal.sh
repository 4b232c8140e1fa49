#!/bin/sh
# A patient withdraws at a node of the ledger, without the custodian: it binds
# the broker from that entry on, and nothing is released until it knows whose it
# is.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

road_up
road_filled
who_permits >"$work/permits"
sed -n 1p "$work/permits" >"$work/number"

story "the custodian writes a letter"
anchorite consent letter --patient-file "$work/number" --json
done_well
letter() { sed -n 's/^ *"'"$1"'": "\(.*\)",\{0,1\}$/\1/p' "$work/letter"; }
cp "$work/out" "$work/letter"
[ "$(letter commitment | wc -c)" -eq 65 ] || fail "$(cat "$work/letter")"
! grep -qF "$(cat "$work/number")" "$work/letter" || fail "the number is in it"

story "the patient hands the withdrawal to a node, while a release is asked for"
new_user north somebody patient
enrol north.hospital-manager north.somebody
done_well
road_approved
submit north.somebody withdraw "{\"commitment\":\"$(letter commitment)\"}"
done_well
entry=$(field id)

story "nothing is released while the broker cannot read it"
anchorite release "$request"
refused 4 "$entry"

story "only the right salt and the right patient open it"
sed -n 2p "$work/permits" >"$work/other"
anchorite consent resolve "$entry" --patient-file "$work/other" \
    --salt "$(letter salt)"
[ "$code" -eq 1 ] || [ "$code" -eq 2 ] || [ "$code" -eq 4 ] ||
    fail "another patient: $code: $(cat "$work/out" "$work/err")"
anchorite consent resolve "$entry" --patient-file "$work/number" \
    --salt "$(letter commitment)"
[ "$code" -eq 1 ] || [ "$code" -eq 2 ] || [ "$code" -eq 4 ] ||
    fail "another salt: $code: $(cat "$work/out" "$work/err")"
anchorite consent resolve "$entry" --patient-file "$work/number" --salt 12
refused 2 "64 lower-case hex digits"
anchorite consent resolve 12 --patient-file "$work/number" \
    --salt "$(letter salt)"
refused 2 "64 lower-case hex digits"
anchorite release "$request"
refused 4 "$entry"

story "resolved, it counts from its own place in the log, and the release goes on"
anchorite consent resolve "$entry" --patient-file "$work/number" \
    --salt "$(letter salt)"
done_well
anchorite consent show --patient-file "$work/number"
done_well
grep -q withdrawn "$work/out" || fail "shown: $(cat "$work/out")"
anchorite release "$request"
done_well
release=$(result release)
anchorite release fetch "$release" --output "$work/release.csv"
done_well
run verify "$work/release.csv" "$work/release.csv.certificate.json" \
    --trust "$dir/trust.json"
[ "$code" -eq 0 ] || fail "verify: $(cat "$work/out" "$work/err")"
permitted=$(sed -n 's/^ *permitted *\([0-9]*\) subjects$/\1/p' "$work/out")
[ "$permitted" -eq "$(($(wc -l <"$work/permits") - 1))" ] ||
    fail "$permitted are permitted"
