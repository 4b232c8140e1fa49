#!/bin/sh
# What a network has certified is verified where there is no network: from three
# files; one cell, one byte, one cosignature less, another trust file: no, and
# which check says so.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh
. tests/e2e/network.sh
patients=100
. tests/e2e/road.sh
[ -x "$BIN/anchorite-broker" ] || skip "anchorite-broker is not built"

# verified CODE WORDS   by $table_file, $certificate_file, $trust_file
verified() {
    run verify "${file:-release.csv}" "${certificate:-certificate.json}" \
        --trust "${trust:-trust.json}"
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/out" "$work/err")"
    grep -qF -- "$2" "$work/out" "$work/err" ||
        fail "no \"$2\" in: $(cat "$work/out" "$work/err")"
}

road_up
road_filled
road_approved
# So that no checkpoint has more cosignatures than a quorum.
kill_node "$(for node in node1 node2 node3; do
    [ "$(leader)" = "$node" ] || echo "$node"
done | head -n 1)" KILL
anchorite release "$request"
done_well
release=$(result release)
mkdir "$work/copy" "$work/else"
anchorite release fetch "$release" --output "$work/copy/release.csv" \
    --certificate "$work/copy/certificate.json"
done_well
cp "$dir/trust.json" "$work/copy"

story "three files, and no network any more"
run network down --dir "$dir"
mv "$dir" "$work/gone"
cd "$work/copy"
verified 0 "permitted"

story "one cell"
for line in 2 3 7; do
    sed "${line}s/,[^,]*\$/,A00/" release.csv >changed.csv
    ! cmp -s changed.csv release.csv || fail "unchanged"
    file=changed.csv verified 1 "changed.csv is not verified: digest: "
done
sed '2d' release.csv >changed.csv
file=changed.csv verified 1 "changed.csv is not verified: digest: "

story "one byte of the certificate, wherever"
size=$(wc -c <certificate.json)
at=7
while [ "$at" -lt "$size" ]; do
    # One character of base64, or of what holds it together, for another.
    {
        head -c "$at" certificate.json
        tail -c +$((at + 1)) certificate.json | head -c 1 | tr 'A-Za-z0-9' 'B-ZAb-za1-90'
        tail -c +$((at + 2)) certificate.json
    } >changed.json
    cmp -s changed.json certificate.json || {
        run verify release.csv changed.json --trust trust.json
        case $code in
        1) grep -qE 'is not verified: [a-z]+: ' "$work/err" ;;
        2) grep -q '^anchorite verify: changed.json' "$work/err" ;;
        *) false ;;
        esac || fail "byte $at: exit code $code: $(cat "$work/out" "$work/err")"
    }
    at=$((at + size / 60 + 1))
done

story "a checkpoint with too few cosignatures"
sed 's/"quorum": *2/"quorum": 3/' trust.json >"$work/else/three.json"
! cmp -s trust.json "$work/else/three.json" || fail "no quorum of two"
trust=$work/else/three.json verified 1 "cosignatures: 2 of the trusted nodes"

story "a foreign trust file"
dir=$work/foreign
"$BIN/anchorite" network up --nodes-only --dir "$dir" >/dev/null 2>"$work/err" ||
    fail "up: $(cat "$work/err")"
trust=$dir/trust.json verified 1 "is not verified: log: "
# The right log's name does not make its nodes trusted.
origin=$(sed -n 's/.*"origin": *"\([^"]*\)".*/\1/p' trust.json)
foreign=$(sed -n 's/.*"origin": *"\([^"]*\)".*/\1/p' "$dir/trust.json")
sed "s|$foreign|$origin|" "$dir/trust.json" >"$work/else/named.json"
trust=$work/else/named.json verified 1 "cosignatures: 0 of the trusted nodes"
