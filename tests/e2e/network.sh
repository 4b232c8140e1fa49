# shellcheck shell=sh
# tests/e2e/network.sh - what tests with a running network start with, behind
# lib.sh: read it with `. tests/e2e/network.sh`.
#
#   $dir            folder of the network, in $work; it is ended with the test
#   network_up      three nodes, all of them one network
#   until_true N WORDS COMMAND...   wait at most N seconds for it, or longer as
#                   lib.sh says
#
# Fields of --json are taken out by jq's poor cousin, `field`.

command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
[ -x "$BIN/anchorite-ledger" ] || skip "anchorite-ledger is not built"

dir=$work/network
commitment=$(printf '%064d' 7)
others=""
network_finished() {
    code=$?
    [ "$code" -eq 0 ] || tail -n 20 "$dir"/*/log >&2 2>/dev/null || :
    for other in $others; do
        kill -KILL "$other" 2>/dev/null || :
    done
    # One that was stopped takes no SIGTERM.
    for pid in "$dir"/*/pid; do
        [ -e "$pid" ] && kill -CONT "$(cut -d " " -f 1 "$pid")" 2>/dev/null || :
    done
    "$BIN/anchorite" network down --dir "$dir" >/dev/null 2>&1 || :
    # finished() begins by asking how it ended.
    set +e
    (exit "$code")
    finished
}
trap network_finished EXIT

# until_true SECONDS WORDS COMMAND...
until_true() {
    tries=$(($1 * 10 * PATIENCE)) what=$2
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "not in time: $what"
        sleep 0.1
    done
}

has_leader() {
    "$BIN/anchorite" network status --dir "$dir" | grep -q ' leader '
}

network_up() {
    "$BIN/anchorite" network up --nodes-only --dir "$dir" >/dev/null 2>"$work/err" ||
        fail "network up: $(cat "$work/err")"
    until_true 15 "a leader" has_leader
}

# status_of NODE   role, size, anchored: "follower 5 5"
status_of() {
    "$BIN/anchorite" network status --dir "$dir" |
        awk -v node="$1" '$1 == node { print $3, $5, $6 }'
}
role_of() {
    status_of "$1" | cut -d ' ' -f 1
}

# submit WHO TYPE PAYLOAD [OPTION]...   $code, $work/out, $work/err
submit() {
    author=$1 entry_type=$2
    printf '%s' "$3" >"$work/payload"
    shift 3
    run ledger submit --dir "$dir" --as "$author" --type "$entry_type" \
        --payload "$work/payload" "$@"
}

# field NAME   of the plain text that submit and show print
field() {
    sed -n "s/^$1  *//p" "$work/out"
}

# consents N   so many entries that are valid
consents() {
    left=$1
    while [ "$left" -gt 0 ]; do
        submit north.broker consent "{\"commitment\":\"$commitment\"}"
        done_well
        left=$((left - 1))
    done
}

signers() {
    "$BIN/anchorite" ledger checkpoint --dir "$dir" | sed -n 's/^— //p' |
        sort | cut -d ' ' -f 1
}

# Size and root of each node; the same for all, and three of them?
roots() {
    "$BIN/anchorite" network status --json --dir "$dir" |
        sed -n 's/^ *"size": \([0-9]*\),$/\1/p; s/^ *"root": "\(.*\)"$/\1/p' |
        paste -d ' ' - -
}
all_equal() {
    roots >"$work/roots"
    [ "$(wc -l <"$work/roots")" -eq 3 ] &&
        [ "$(sort -u "$work/roots" | wc -l)" -eq 1 ]
}

pid_of() {
    cut -d ' ' -f 1 "$dir/$1/pid"
}
leader() {
    "$BIN/anchorite" network status --dir "$dir" |
        awk '$3 == "leader" { print $1; exit }'
}

# kill_node NODE SIGNAL
kill_node() {
    kill "-$2" "$(pid_of "$1")"
}
is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# stop_node NODE   ended, its files are at rest
stop_node() {
    pid=$(pid_of "$1")
    kill -TERM "$pid"
    until_true 10 "$1 ends" is_gone "$pid"
}

# refuses_to_start NODE WORDS   and says so
refuses_to_start() {
    code=0
    timeout $((10 * PATIENCE)) "$BIN/anchorite-ledger" \
        --config "$dir/$1/config.json" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" -eq 2 ] || fail "$1 ended with $code: $(cat "$work/err")"
    grep -qF -- "$2" "$work/err" || fail "no \"$2\" in: $(cat "$work/err")"
}

# new_user ORGANISATION NAME ROLE [OPTION]...   key and certificate of a user
# ORGANISATION.NAME, who is not enrolled
new_user() {
    home=$dir/users/$1.$2 ca=$dir/ca/$1 home_of=$1 user_name=$2 user_role=$3
    shift 3
    mkdir -m 700 "$home"
    "$BIN/anchorite" identity new-key --output "$home/key.pem" &&
        "$BIN/anchorite" identity request --key "$home/key.pem" \
            --organisation "$home_of" --role "$user_role" --name "$user_name" \
            --output "$work/request.pem" &&
        "$BIN/anchorite" identity issue --ca "$ca/certificate.pem" \
            --ca-key "$ca/key.pem" --role "$user_role" --name "$user_name" "$@" \
            --output "$home/certificate.pem" "$work/request.pem" \
            >"$work/out" 2>"$work/err" || fail "new user: $(cat "$work/err")"
    rm -f "$work/request.pem"
    # Keys of connections are not bound to anybody before he says hello.
    cp -p "$dir/users/north.broker/curve.key" "$home/curve.key"
}

# A payload's "certificate", of a file in PEM
pem_payload() {
    awk 'BEGIN { printf "{\"certificate\":\"" } { printf "%s\\n", $0 }
         END { printf "\"}" }' "$1"
}

# Id of the certificate in a file
certificate_id() {
    openssl x509 -in "$1" -outform DER | sha256sum | cut -c 1-32
}

# enrol WHO ORGANISATION.NAME
enrol() {
    submit "$1" enrol "$(pem_payload "$dir/users/$2/certificate.pem")"
}
