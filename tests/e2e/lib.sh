# shellcheck shell=sh
# tests/e2e/lib.sh - what every end-to-end test starts with: read it with
# `. tests/e2e/lib.sh` from the root of the tree.
#
#   $work           an empty folder of this test, removed at its end
#   story WORDS     what is tried now; shown when the test fails
#   fail WORDS      ends the test
#   skip WORDS      ends the test as not possible here

work=$(mktemp -d "${TMPDIR:-/tmp}/anchorite-e2e.XXXXXX")
now="the start"
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
