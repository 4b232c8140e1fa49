#!/bin/sh
# `make install`: the programs and their manual pages, and nothing else.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh

# Options of the make that runs this test are not for this one.
unset MAKEFLAGS MFLAGS MAKELEVEL

story "into an empty folder: the programs and one page for each file of docs/man"
make -s install "B=$BIN" "DESTDIR=$work/root" PREFIX=/opt/anchorite
{
    echo ./opt/anchorite/bin/anchorite
    echo ./opt/anchorite/bin/anchorite-anonymizer
    echo ./opt/anchorite/bin/anchorite-broker
    echo ./opt/anchorite/bin/anchorite-ledger
    for page in docs/man/*.1; do
        echo "./opt/anchorite/share/man/man1/${page##*/}"
    done
} | sort >"$work/expected"
(cd "$work/root" && find . ! -type d | sort) | diff "$work/expected" - ||
    fail "other files than expected were installed"

story "the installed command runs"
"$work/root/opt/anchorite/bin/anchorite" --help >"$work/help" ||
    fail "anchorite --help fails"
[ -s "$work/help" ] || fail "anchorite --help says nothing"

story "a manual page for each command that --help names"
for page in docs/man/anchorite-*.1; do
    name=${page##*/anchorite-}
    grep -q "^ *\(anchorite \)\?${name%.1}\>" "$work/help" ||
        fail "--help does not name ${name%.1}, which has a manual page"
done

story "a second time over the first"
make -s install "B=$BIN" "DESTDIR=$work/root" PREFIX=/opt/anchorite
