# shellcheck shell=sh
# tests/e2e/road.sh - what tests of the road to a release start with, behind
# lib.sh and network.sh: read it with `. tests/e2e/road.sh`.
#
#   $table, $consents   an invented hospital of $patients
#   road_up             nodes and services
#   road_filled         the table ingested ($dataset), the consents imported
#   road_requested      a request ($request); road_approved: approved as well
#   anchorite WORDS     runs, adding --dir $dir; as `run` of lib.sh
#   result NAME         of the lines that the last command printed

policy=policies/hospital-k5.json
patients=${patients:-200}
table=$work/patients.csv
consents=$work/consents.ndjson

anchorite() {
    run "$@" --dir "$dir"
}
result() {
    sed -n "s/^$1  *//p" "$work/out"
}
serves() {
    "$BIN/anchorite" network status --dir "$dir" >"$work/status" &&
        grep -q ' leader ' "$work/status"
}
road_up() {
    "$BIN/anchorite" network up --dir "$dir" >/dev/null 2>"$work/err" ||
        fail "network up: $(cat "$work/err")"
    until_true 20 "all answer" serves
}

# hospital   the table and the consents of the same patients
hospital() {
    "$BIN/anchorite-hospital" table --patients "$patients" --output "$table"
    "$BIN/anchorite-hospital" consents --patients "$patients" \
        --output "$consents"
}
road_filled() {
    hospital
    anchorite consent import "$consents"
    done_well
    anchorite ingest "$table" --policy "$policy"
    done_well
    dataset=$(result dataset)
}
road_requested() {
    anchorite request --dataset "$dataset" --purpose DUO:0000042 \
        --policy "$policy"
    done_well
    request=$(result request)
}
road_approved() {
    road_requested
    anchorite approve "$request"
    done_well
}

# withdraw NUMBER   by standard input, as in real life
withdraw() {
    echo "$1" | "$BIN/anchorite" consent withdraw --patient-file - \
        --dir "$dir" >"$work/withdrawn" 2>&1 ||
        fail "withdraw: $(cat "$work/withdrawn")"
}

# who_permits   numbers of the patients whose last word permits general
# research today, by the kinds of the hospital's generator: one resource with
# HRESCH among its purposes, active, not over
who_permits() {
    sed -n 's/.*"value":"\(P[0-9]*\)".*"type":"\([a-z]*\)".*"end":"\([0-9]*\).*"purpose":\(.*\)/\1 \2 \3 \4/p' \
        "$consents" |
        awk '{ last[$1] = ($2 == "permit" && $3 >= 2030 && /HRESCH/) }
             END { for (p in last) if (last[p]) print p }' | sort
}
