# shellcheck shell=sh
# tests/e2e/lib.sh - what every end-to-end test starts with: read it with
# `. tests/e2e/lib.sh` from the root of the tree.
#
#   $work           an empty folder of this test, removed at its end
#   story WORDS     what is tried now; shown when the test fails
#   fail WORDS      ends the test
#   skip WORDS      ends the test as not possible here
#   $PATIENCE       how many times longer than usual to wait for something: a
#                   build with sanitizers is slower; 1 by default

work=$(mktemp -d "${TMPDIR:-/tmp}/anchorite-e2e.XXXXXX")
now="the start"
PATIENCE=${PATIENCE:-1}
finished() {
    code=$?
    case $code in
    0 | 77) ;;
    *) echo "failed at: $now" >&2 ;;
    esac
    rm -rf "$work"
    exit "$code"
}
trap finished EXIT
trap 'exit 130' HUP INT TERM

story() {
    now=$*
    echo "- $now"
}
fail() {
    echo "$*" >&2
    exit 1
}
skip() {
    echo "skipped: $*"
    exit 77
}

# ---- refusals -----------------------------------------------------------------
# A command that refuses says one thing, on standard error, and leaves nothing.
# $marker stands in the cells of tables that are refused: no message may hold a
# value of a record.

marker=SECRETVALUE42

# run WORD...   runs `anchorite WORD...`: $code, $work/out, $work/err
run() {
    code=0
    "$BIN/anchorite" "$@" >"$work/out" 2>"$work/err" || code=$?
}

# refused CODE WORDS   the last run ended with CODE, said WORDS in one line and
# gave out nothing; a wrong call has a second line
refused() {
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/out" "$work/err")"
    grep -qF -- "$2" "$work/err" || fail "no \"$2\" in: $(cat "$work/err")"
    [ ! -s "$work/out" ] || fail "on stdout: $(cat "$work/out")"
    ! grep -qF "$marker" "$work/err" ||
        fail "a value of the table is told: $(cat "$work/err")"
    sed -e '2{/^Try "anchorite.* --help"\.$/d}' "$work/err" >"$work/lines"
    [ "$(wc -l <"$work/lines")" -eq 1 ] ||
        fail "not one line: $(cat "$work/err")"
    grep -q '^anchorite[a-z ]*: ' "$work/err" ||
        fail "it does not say who speaks: $(cat "$work/err")"
}

# done_well   the last run ended with 0 and said nothing on stderr
done_well() {
    [ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/err")"
    [ ! -s "$work/err" ] || fail "on stderr: $(cat "$work/err")"
}
