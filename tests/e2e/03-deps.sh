#!/bin/sh
# .ci/deps on machines made of stand-ins: commands that say what a test wants
# and write down what they were asked.  Nothing is installed.
set -eu
export LC_ALL=C
. tests/e2e/lib.sh

# .ci/deps finds its way by its own place: a copy has a scratch tree to itself.
install -D .ci/deps "$work/tree/.ci/deps"
deps=$work/tree/.ci/deps

# A command of the stand-in machine; $asked is what all of them were asked.
asked=$work/asked
command_is() { # NAME, the script's body on stdin
    {
        echo '#!/bin/sh'
        echo "echo ${1##*/} \"\$@\" >>'$asked'"
        cat
    } >"$machine/$1"
    chmod +x "$machine/$1"
}

# A machine where everything is there but what `without` names, the user is
# nobody special and there is no sudo.
machine() { # NAME
    machine=$work/$1
    mkdir "$machine"
    : >"$asked"
    # What the script itself needs of a Debian.
    for tool in sh env cat sed awk grep tr tail dirname mktemp rm sleep; do
        ln -s "$(command -v "$tool")" "$machine/$tool"
    done
    for tool in git make gcc sqlite3 openssl; do
        echo 'exit 0' | command_is "$tool"
    done
    printf '%s\n' 'case $* in' \
        "*\"\$(cat '$machine/without')\"*) exit 1 ;;" 'esac' |
        command_is pkg-config
    echo nothing >"$machine/without"
    echo 'echo 1000' | command_is id
    echo 'exit 0' | command_is apt-get
    echo 'echo libraft-dev/some-backports' | command_is backports
    mv "$machine/backports" "$work/tree/.ci/backports"
}
without() { echo "$1" >"$machine/without"; }
# Once apt-get has installed, everything is there.
apt_get_helps() {
    command_is apt-get <<END
case \$* in *install*) echo nothing >'$machine/without' ;; esac
END
}

# The script puts /usr/sbin and /sbin behind PATH; the stand-ins come first.
run_deps() {
    code=0
    env -i PATH="$machine" "$machine/sh" "$deps" "$@" \
        </dev/null >"$work/said" 2>&1 || code=$?
}
ends_with() { # CODE
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/said")"
}
says() {
    grep -q -- "$1" "$work/said" ||
        fail "said '$(cat "$work/said")', expected '$1'"
}
was_asked() {
    grep -q -- "$1" "$asked" || fail "nobody was asked '$1': $(cat "$asked")"
}
was_not_asked() {
    if grep -e "$1" "$asked"; then fail "see above"; fi
}

story "everything is there: not a word, not a call of apt-get"
machine complete
run_deps
ends_with 0
[ ! -s "$work/said" ] || fail "said: $(cat "$work/said")"
was_not_asked '^apt-get'

story "an unknown group is refused"
run_deps builds
ends_with 1
says "there is no group builds"

# The rest needs to know Debian; elsewhere the list to install by hand is said.
debian=no
if [ -r /etc/os-release ] && grep -qx 'ID=debian' /etc/os-release &&
    grep -q '^VERSION_CODENAME=' /etc/os-release; then
    debian=yes
fi

if [ "$debian" = no ]; then
    story "another system: what to install by hand"
    machine other
    without libzmq
    run_deps
    ends_with 1
    says "only Debian 12 and 13 are prepared"
    says "libzmq3-dev"
    was_not_asked '^apt-get'
    exit 0
fi

story "neither root nor sudo: the exact line, and nothing is done"
machine no-sudo
without libzmq
run_deps
ends_with 1
says "^    libzmq3-dev *messages between services"
says "apt-get install --no-install-recommends libzmq3-dev$"
was_not_asked '^apt-get'

story "sudo that asks for a password, and nobody to type it: the same"
machine sudo-password
without libzmq
echo 'exit 1' | command_is sudo
run_deps
ends_with 1
says "there is no sudo without a password"
was_not_asked '^apt-get'

story "sudo without a password installs what is missing and nothing else"
machine sudo-free
without libzmq
apt_get_helps
command_is sudo <<'END'
[ "$1" = -n ] || exit 1
shift
exec "$@"
END
echo 'exit 0' | command_is true
run_deps
ends_with 0
was_asked '^apt-get .*update'
was_asked '^apt-get .*install -y --no-install-recommends libzmq3-dev$'

story "an old libraft is named, refused and replaced"
machine old-raft
without raft
command_is pkg-config <<END
case \$* in
'--modversion raft') echo 0.15.0 ;;
*"\$(cat '$machine/without')"*) exit 1 ;;
esac
END
apt_get_helps
echo 'echo 0' | command_is id
run_deps
ends_with 0
says "libraft 0.15.0 is installed, but can lose committed entries"
was_asked '^pkg-config --exists raft >= 0.22$'
was_asked '^backports .* libraft-dev 0.22$'
was_asked '^apt-get .*install .* libraft-dev/some-backports$'

story "a libraft that cannot be had ends it before anything is installed"
machine no-raft
without raft
echo 'echo 0' | command_is id
printf '#!/bin/sh\nexit 1\n' >"$work/tree/.ci/backports"
run_deps
ends_with 1
says "libraft 0.22 or newer cannot be had"
was_not_asked '^apt-get .*install'

story "lists that cannot be read anew do not stop it"
machine broken-update
without libzmq
echo 'echo 0' | command_is id
command_is apt-get <<END
case \$* in
*update*) echo "E: no such mirror"; exit 100 ;;
*install*) echo nothing >'$machine/without' ;;
esac
END
run_deps
ends_with 0
says "apt-get update complains"
says "E: no such mirror"

story "a lock is waited for once"
machine locked
without libzmq
echo 'echo 0' | command_is id
command_is apt-get <<END
case \$* in
*update*)
    [ ! -e '$machine/waited' ] || exit 0
    echo "E: Could not get lock /var/lib/apt/lists/lock"
    exit 100
    ;;
*install*) echo nothing >'$machine/without' ;;
esac
END
rm "$machine/sleep"
printf '%s\n' ": >'$machine/waited'" | command_is sleep
run_deps
ends_with 0
was_asked '^sleep'
says "another apt is at work"

story "an installation that fails shows what apt-get said"
machine failing
without libzmq
echo 'echo 0' | command_is id
command_is apt-get <<'END'
case $* in *install*) echo "E: Unable to locate package"; exit 100 ;; esac
END
run_deps
ends_with 1
says "E: Unable to locate package"
says "apt-get install failed"

story "installed, and still not found, is a failure"
machine no-help
without libzmq
echo 'echo 0' | command_is id
run_deps
ends_with 1
says "installed, and still not found: libzmq3-dev"
