#!/bin/sh
# .ci/backports against apt itself, in scratch roots with repositories made of
# files: no network, no root, nothing of this machine's apt is read or changed.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh

command -v apt-get >/dev/null || skip "apt-get is not here"
backports=$PWD/.ci/backports
# A command, since a user without rights has to reach it as well.
install -D "$backports" "$work/backports"

# ---- a scratch machine --------------------------------------------------------

# Everything that apt reads or writes lies below $root.
machine() {
    root=$work/$1
    mkdir -p "$root/etc/apt/sources.list.d" "$root/etc/apt/preferences.d" \
        "$root/etc/apt/apt.conf.d" "$root/var/lib/apt/lists/partial" \
        "$root/var/cache/apt/archives/partial"
    : >"$root/status"
    cat >"$root/apt.conf" <<END
Dir "$root";
Dir::State::status "$root/status";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "root";
END
    export APT_CONFIG="$root/apt.conf"
    added=$root/etc/apt/sources.list.d/anchorite-backports
}

# One package of one version, with what it depends on.
package() {
    printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nDepends: %s\n' \
        "$1" "$2" "${3:-}" | sed '/^Depends: $/d'
    printf 'Maintainer: Nobody <nobody@example.invalid>\nDescription: none\n'
    printf 'Filename: pool/%s_%s.deb\nSize: 1\nSHA256: %064d\n\n' "$1" "$2" 0
}
old_raft() {
    package libraft-dev 0.15.0-1 "libraft2 (= 0.15.0-1), libuv1-dev"
    package libraft2 0.15.0-1
    package libuv1-dev 1.44.2-1
}
new_raft() {
    package libraft-dev "$1" "libraft0 (= $1), libuv1-dev"
    package libraft0 "$1"
}

# A suite of the repository MIRROR, with the packages on stdin.
suite() { # MIRROR CODENAME ORIGIN
    at=$work/$1/dists/$2
    mkdir -p "$at/main/binary-amd64"
    cat >"$at/main/binary-amd64/Packages"
    {
        printf 'Origin: %s\nSuite: any\nCodename: %s\n' "$3" "$2"
        printf 'Date: Thu, 01 Jan 2026 00:00:00 UTC\n'
        printf 'Architectures: amd64\nComponents: main\n'
        case $2 in
        *-backports) printf 'NotAutomatic: yes\nButAutomaticUpgrades: yes\n' ;;
        esac
        echo SHA256:
        cd "$at"
        printf ' %s %s main/binary-amd64/Packages\n' \
            "$(sha256sum <main/binary-amd64/Packages | cut -d' ' -f1)" \
            "$(wc -c <main/binary-amd64/Packages)"
    } >"$work/release"
    mv "$work/release" "$at/Release"
}

old_raft | suite full bookworm Debian
new_raft 0.22.1-1~bpo12+1 | suite full bookworm-backports Debian
old_raft | suite bare bookworm Debian
old_raft | suite foreign bookworm "Somebody else"
old_raft | suite stale bookworm Debian
new_raft 0.17.1-1~bpo12+1 | suite stale bookworm-backports Debian
{ new_raft 0.22.1-1; package libuv1-dev 1.50.0-1; } | suite next trixie Debian

one_line() { # MIRROR [SUITE [OPTIONS]]
    echo "deb [${3-trusted=yes}] file:$work/$1 ${2:-bookworm} main"
}
sources_list() { cat >"$root/etc/apt/sources.list"; }

# ---- asking -------------------------------------------------------------------

ask() { # [CODENAME]
    apt-get -qq update >"$work/update" 2>&1 || :
    code=0
    "${as:-env}" "$work/backports" "${1:-bookworm}" libraft-dev 0.22 \
        >"$work/words" 2>"$work/said" || code=$?
}
answers() { # WORDS
    [ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/said")"
    [ "$(cat "$work/words")" = "$1" ] ||
        fail "answer '$(cat "$work/words")' instead of '$1'"
}
refuses() { # PATTERN
    [ "$code" -eq 1 ] || fail "exit code $code instead of 1"
    [ ! -s "$work/words" ] || fail "refused, and answered: $(cat "$work/words")"
    grep -q -- "$1" "$work/said" ||
        fail "said '$(cat "$work/said")', expected '$1'"
    adds_nothing
}
adds_nothing() {
    for file in "$added".*; do
        [ ! -e "$file" ] || fail "$file was left behind"
    done
}
adds() { # FORM, the entry on stdin
    grep -v '^#' "$added.$1" | diff - "$work/expected" ||
        fail "the new entry differs from what was expected"
}

backport=libraft-dev/bookworm-backports

# ---- the cases ------------------------------------------------------------------

story "main is new enough: the plain package"
machine new-main
one_line next trixie | sources_list
ask trixie
answers libraft-dev
adds_nothing

story "one-line source: its options go along"
machine one-line
{
    echo "# deb http://commented.invalid/debian bookworm main"
    echo
    one_line full bookworm "  arch=amd64 trusted=yes "
} | sources_list
ask
answers "$backport"
one_line full bookworm-backports "  arch=amd64 trusted=yes " |
    sed "s|$work/full|&/|" >"$work/expected"
adds list

story "a second run finds it enabled and changes nothing"
cksum "$added.list" >"$work/before"
ask
answers "$backport"
cksum "$added.list" | diff "$work/before" -

story "deb822 source: options and a key of several lines go along"
machine deb822
cat >"$root/etc/apt/sources.list.d/debian.sources" <<END
# A comment is no stanza.

Types: deb
Enabled: no
URIs: http://disabled.invalid/debian
Suites: bookworm
Components: main

# Types: deb
# URIs: http://commented.invalid/debian

types: deb
URIs: file:$work/full
# between two fields
Suites: bookworm
Components: main
Trusted: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 bm90IGEga2V5
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb-src
URIs: http://later.invalid/debian
Suites: bookworm
Components: main
END
ask
answers "$backport"
cat >"$work/expected" <<END
Types: deb
URIs: file:$work/full/
Suites: bookworm-backports
Components: main
Trusted: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 bm90IGEga2V5
 -----END PGP PUBLIC KEY BLOCK-----
END
adds sources

story "backports already enabled: no second entry"
machine enabled
{ one_line full; one_line full bookworm-backports; } | sources_list
ask
answers "$backport"
adds_nothing

story "backports enabled, but not to be fetched: no second entry"
machine enabled-broken
{ one_line full; one_line bare bookworm-backports; } | sources_list
ask
refuses "is enabled here, but does not offer"

story "backports enabled, but with an older version: refused"
machine stale
{ one_line stale; one_line stale bookworm-backports; } | sources_list
ask
refuses "is enabled here, but does not offer"

story "a mirror without the suite: the entry is removed and the reason said"
machine bare
one_line bare | sources_list
ask
refuses "no mirror of this machine offers"
grep -q "removed again" "$work/said" || fail "the removal was not said"

story "a mirror whose backports are too old: the entry is removed"
machine stale-main
one_line stale | sources_list
ask
refuses "no mirror of this machine offers"

story "of two mirrors the one that has the suite"
machine two
{ one_line bare; one_line full; } | sources_list
ask
answers "$backport"
one_line full bookworm-backports | sed "s|$work/full|&/|" >"$work/expected"
adds list

story "a foreign repository of the same codename is not asked"
machine foreign
{ one_line foreign; one_line full; } | sources_list
ask
answers "$backport"
if grep -v "^#" "$added.list" | grep foreign; then
    fail "the foreign repository was taken"
fi

story "a cdrom first is passed over"
machine cdrom
{
    echo "deb [trusted=yes] cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main"
    one_line full
} | sources_list
ask
answers "$backport"

story "no sources at all: refused"
machine none
ask
refuses "apt has no network source of Debian bookworm main"

story "APT::Default-Release does not hide it"
machine default-release
echo 'APT::Default-Release "bookworm";' >>"$root/apt.conf"
one_line full | sources_list
ask
answers "$backport"

story "a negative pin on backports is overruled for these packages alone"
machine pinned
one_line full | sources_list
printf 'Package: *\nPin: release n=bookworm-backports\nPin-Priority: -1\n' \
    >"$root/etc/apt/preferences.d/pin"
ask
[ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/said")"
# Not how it is asked for matters here, but that apt then takes both.
xargs apt-get -qq -s install <"$work/words" >"$work/plan"
grep -q "^Inst libraft-dev (0.22.1-1~bpo12+1" "$work/plan" ||
    fail "the plan lacks libraft-dev"
grep -q "^Inst libraft0 (0.22.1-1~bpo12+1" "$work/plan" ||
    fail "the plan lacks libraft0"

story "an installed 0.15 is upgraded"
machine installed
one_line full | sources_list
old_raft | sed 's/^Package: .*/&\nStatus: install ok installed/
    /^Filename:/d; /^Size:/d; /^SHA256:/d' >"$root/status"
ask
answers "$backport"

story "without root nothing is written and the reason is said"
machine unprivileged
one_line full | sources_list
if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$work"
    cat >"$work/as-nobody" <<'END'
#!/bin/sh
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
END
    chmod +x "$work/as-nobody"
    as=$work/as-nobody
else
    chmod a-w "$root/etc/apt/sources.list.d"
fi
ask
as=
refuses "only root may write"

story "a wrong call: usage and exit code 2"
code=0
"$backports" bookworm 2>"$work/said" || code=$?
[ "$code" -eq 2 ] || fail "exit code $code instead of 2"
