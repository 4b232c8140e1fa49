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

# who_permits   numbers of the patients whose last resource permits research,
# told from the generator's own lines: a permit until 2034 for HRESCH
who_permits() {
    awk '{
        match($0, /"value":"P[0-9]+"/)
        number = substr($0, RSTART + 9, RLENGTH - 10)
        last[number] = 0
        if (/"type":"permit"/ && /"end":"203/ && /"HRESCH"/)
            last[number] = 1
    } END { for (p in last) if (last[p]) print p }' "$consents" | sort
}

# cells FILE   what the policy leaves as it is, of each row: department, doctor,
# diagnosis, disease code
cells() {
    sed -n '2,$p' "$1" | awk -F, '{
        print $(NF - 3) "," $(NF - 2) "," $(NF - 1) "," $NF
    }' | sort
}

# nothing_of_patients   no number, name, visit or row of the table is in a log,
# in the ledger's and the broker's files, or readable in the vault
nothing_of_patients() {
    {
        # A quoted cell may hold a comma, and cut would take another column.
        grep -v '"' "$table" | cut -d, -f1,2,7 | sed 1d | tr , '\n'
        cells "$table"
    } | sort -u >"$work/secrets"
    [ "$(wc -l <"$work/secrets")" -gt "$patients" ] ||
        fail "there is nothing to look for"
    found=$(find "$dir" -type f \( -path "$dir/node*" -o -path "$dir/broker/*" \
        -o -path "$dir/anonymizer/*" \) ! -path '*/releases/*' \
        ! -path '*/jobs/*' -exec grep -laF -f "$work/secrets" {} + || :)
    [ -z "$found" ] || fail "values of patients are in: $found"
}
