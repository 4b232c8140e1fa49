#!/bin/sh
# The road of a record, with real processes: a table and consents in, a request,
# its approval, a release of exactly those who consented, its certificate.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

road_up

story "consents are recorded, and known the second time"
hospital
anchorite consent import "$consents"
done_well
[ "$(result recorded)" -eq "$(wc -l <"$consents")" ] ||
    fail "recorded: $(cat "$work/out")"
anchorite consent import "$consents"
done_well
[ "$(result recorded)" -eq 0 ] &&
    [ "$(result known)" -eq "$(wc -l <"$consents")" ] ||
    fail "the second time: $(cat "$work/out")"

story "a table is ingested"
anchorite ingest "$table" --policy "$policy"
done_well
dataset=$(result dataset)
[ "$(result rows)" -eq "$patients" ] || fail "rows: $(cat "$work/out")"

story "the institute asks, the custodian approves"
road_requested
anchorite requests "$request"
done_well
grep -q '^purpose *DUO:0000042, general research$' "$work/out" ||
    fail "shown: $(cat "$work/out")"
anchorite approve "$request"
done_well

story "one of those who consented withdraws"
who_permits >"$work/permits"
gone=$(head -n 1 "$work/permits")
withdraw "$gone"
echo "$gone" >"$work/number"
anchorite consent show --patient-file "$work/number"
done_well
grep -q withdrawn "$work/out" || fail "shown: $(cat "$work/out")"

story "it is released, and the same again says the same"
anchorite release "$request"
done_well
release=$(result release)
anchorite release "$request"
done_well
[ "$(result release)" = "$release" ] || fail "another: $(cat "$work/out")"

story "the institute fetches and verifies, from three files"
anchorite release fetch "$release" --output "$work/release.csv"
done_well
for file in "$work/release.csv" "$work/release.csv.certificate.json"; do
    [ "$(stat -c %a "$file")" = 600 ] || fail "mode: $(ls -l "$file")"
done
: >"$work/shared.csv"
chmod 640 "$work/shared.csv"
anchorite release fetch "$release" --output "$work/shared.csv"
done_well
[ "$(stat -c %a "$work/shared.csv")" = 640 ] || fail "it was for a group, too"
mkdir "$work/elsewhere"
cp "$work/release.csv" "$work/release.csv.certificate.json" "$dir/trust.json" \
    "$work/elsewhere"
run verify "$work/elsewhere/release.csv" \
    "$work/elsewhere/release.csv.certificate.json" \
    --trust "$work/elsewhere/trust.json"
[ "$code" -eq 0 ] || fail "verify: $(cat "$work/out" "$work/err")"
permitted=$(sed -n 's/^ *permitted *\([0-9]*\) subjects$/\1/p' "$work/out")
[ "$permitted" -eq "$(($(wc -l <"$work/permits") - 1))" ] ||
    fail "$permitted are permitted, $(wc -l <"$work/permits") less one are not"

story "each row is of somebody who consented"
sed 1d "$work/permits" | sed 's/$/,/' >"$work/lines"
{
    head -n 1 "$table"
    grep -F -f "$work/lines" "$table"
} >"$work/allowed.csv"
cells "$work/allowed.csv" >"$work/allowed"
cells "$work/release.csv" >"$work/released"
[ -z "$(comm -13 "$work/allowed" "$work/released")" ] ||
    fail "rows of others: $(comm -13 "$work/allowed" "$work/released" | wc -l)"
[ "$(wc -l <"$work/released")" -gt $((permitted / 2)) ] ||
    fail "only $(wc -l <"$work/released") rows of $permitted"

story "a changed cell, and a changed certificate, are noticed"
sed '2s/[a-z]/X/' "$work/release.csv" >"$work/changed.csv"
run verify "$work/changed.csv" "$work/release.csv.certificate.json" \
    --trust "$dir/trust.json"
[ "$code" -eq 1 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"

story "a patient sees who had the records, and who has nothing sees nothing"
sed -n 2p "$work/permits" >"$work/number"
anchorite history --patient-file "$work/number"
done_well
grep -q ' open ' "$work/out" && grep -q ' fetch ' "$work/out" ||
    fail "history: $(cat "$work/out")"
echo "$gone" >"$work/number"
anchorite history --patient-file "$work/number"
done_well
grep -q '^nobody has seen anything$' "$work/out" ||
    fail "history: $(cat "$work/out")"

story "the same for others who ask: nothing new is disclosed"
# The same patients by the same policy: the first file is served again, under a
# permit of its own.
road_approved
anchorite release "$request"
done_well
[ "$(result release)" != "$release" ] || fail "no release of its own"
anchorite release fetch "$(result release)" --output "$work/again.csv"
done_well
cmp "$work/release.csv" "$work/again.csv" || fail "other bytes are released"

story "an erased patient is in no further release"
sed -n 3p "$work/permits" >"$work/number"
anchorite erase --patient-file "$work/number"
done_well
[ "$(result keys)" -eq 1 ] || fail "erased: $(cat "$work/out")"
road_approved
anchorite release "$request"
[ "$code" -eq 4 ] || fail "exit code $code: $(cat "$work/out" "$work/err")"

story "each node's files are as recomputed"
for node in node1 node2 node3; do
    run audit --dir "$dir/$node"
    [ "$code" -eq 0 ] || fail "audit: $(cat "$work/out" "$work/err")"
done

story "nothing of patients is in logs, ledger, broker, or readable in the vault"
nothing_of_patients

story "down"
run network down --dir "$dir"
done_well
nothing_of_patients
