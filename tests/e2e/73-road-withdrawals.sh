#!/bin/sh
# Patients withdraw while a release is made: it is published without whom the
# permit named, and is not held up by others.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
patients=300
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

road_up
road_filled
who_permits >"$work/permits"

# begin_release   in the background; returns when the anonymizer has a permit
has_permit() {
    anchorite requests
    grep "^$request" "$work/out" | grep -qvE ' (open|approved|permitting)'
}
begin_release() {
    "$BIN/anchorite" release "$request" --dir "$dir" >"$work/driven" \
        2>"$work/driven-err" &
    driver=$!
    others=$driver
    until_true 20 "a permit" has_permit
}
end_release() {
    wait "$driver" || fail "release: $(cat "$work/driven-err")"
    others=""
    release=$(sed -n 's/^release  *//p' "$work/driven")
}
story "one who is named in the permit withdraws before the release is signed"
road_approved
begin_release
gone=$(head -n 1 "$work/permits")
withdraw "$gone"
end_release
anchorite release fetch "$release" --output "$work/release.csv"
done_well
run verify "$work/release.csv" "$work/release.csv.certificate.json" \
    --trust "$dir/trust.json"
[ "$code" -eq 0 ] || fail "verify: $(cat "$work/out" "$work/err")"
permitted=$(sed -n 's/^ *permitted *\([0-9]*\) subjects$/\1/p' "$work/out")
all=$(wc -l <"$work/permits")
# The withdrawal may have come when the release stood in the log already.
if [ "$permitted" -eq "$all" ]; then
    position=$(sed -n 's/^ *release *position \([0-9]*\),.*/\1/p' "$work/out")
    [ "$position" -lt "$(sed -n 's/^position *//p' "$work/withdrawn")" ] ||
        fail "who withdrew before is in the release"
else
    [ "$permitted" -eq $((all - 1)) ] || fail "$permitted of $all are permitted"
fi

story "five others withdraw each second: it is published all the same"
refusing=$(sed -n 's/.*"value":"\(P[0-9]*\)".*/\1/p' "$consents" | sort -u |
    comm -23 - "$work/permits" | head -n 15)
[ -n "$refusing" ] || fail "everybody permits"
# Of a dataset of its own: where the withdrawal came behind the release above,
# there is no second one of that dataset.
anchorite ingest "$table" --policy "$policy"
done_well
dataset=$(result dataset)
road_approved
begin_release
for number in $refusing; do
    withdraw "$number"
done
end_release
[ -n "$release" ] || fail "no release: $(cat "$work/driven")"

nothing_of_patients
