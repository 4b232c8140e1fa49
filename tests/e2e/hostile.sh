# shellcheck shell=sh
# tests/e2e/hostile.sh - what tests of attacks start with, behind road.sh: read
# it with `. tests/e2e/hostile.sh`.  Whoever attacks has a key that is enrolled,
# and says and writes what the command would not.
#
#   say USER ROLE MESSAGE FIELD...   to a service, see tests/tools/say.c: $code,
#                   $work/out, $work/err
#   no CODE WORDS   the last command ended so, and said so, and no number
#   yes             it ended with 0
#   ask_copy ROLE QUERY   of a copy of the service's state.db, since it has its
#                   own locked
#   hex N           so many random bytes
#   commitment SALT FILE   of a statement, by openssl: common/commitment.h
#   subject NUMBER  id of a patient whose consent was imported
#   verdict WORDS   of the entry that was submitted last

[ -x "$BIN/tests/say" ] || skip "tests/say is not built"

say() {
    code=0
    "$BIN/tests/say" "$dir" "$@" >"$work/out" 2>"$work/err" || code=$?
}
no() {
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/out" "$work/err")"
    grep -qF -- "$2" "$work/err" || fail "no \"$2\" in: $(cat "$work/err")"
    [ ! -s "$work/out" ] || fail "on stdout: $(cat "$work/out")"
    ! grep -q 'P0000' "$work/err" || fail "a number is told: $(cat "$work/err")"
}
yes() {
    [ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
}
ask_copy() {
    rm -rf "$work/copy"
    mkdir "$work/copy"
    cp "$dir/$1"/state.db* "$work/copy"
    sqlite3 "$work/copy/state.db" "$2"
}
hex() {
    od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'
}
commitment() {
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" "$2" | sed 's/.*= //'
}
subject() {
    sed -n "/\\\\\"value\\\\\":\\\\\"$1\\\\\"/s/.*\"subject\":\"\([0-9a-f]*\)\".*/\1/p" \
        "$dir"/users/north.custodian/consents/*.ndjson | head -n 1
}
verdict() {
    [ "$(field verdict)" = "$1" ] ||
        fail "not $1: $(cat "$work/out" "$work/err")"
}
