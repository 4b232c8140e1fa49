# shellcheck shell=sh
# tests/e2e/small_disk.sh - a node with a part of its folder on a small disk;
# behind network.sh.
#
#   start_small NODE raft|database KB    that part on a file system of its own
#   order fill|room                      fill it up; free it and make it larger
#   end_small NODE                       all in its own folder again
#   make_lead NODE
#   told NODE WORDS                      how often, since line $said of its log
#   large_entries N                      counted in $recorded

# A mount of our own needs no rights where user namespaces are allowed.
own=""
for flags in -m -rm; do
    if unshare $flags mount -t tmpfs tmpfs "$work" 2>/dev/null; then
        own=$flags
        break
    fi
done
[ -n "$own" ] || skip "no mount namespace of our own is possible"

# The node in FOLDER, with WHAT on a file system of KB.  Commands come as files
# in CONTROL: "fill", "room".
cat >"$work/small.sh" <<'SMALL'
set -eu
folder=$1 what=$2 size=$3 control=$4
small=$folder/small
mount -t tmpfs -o "size=${size}k,mode=700" tmpfs "$small"
case $what in
raft)
    cp -p "$folder/raft/"* "$small/"
    change='s|"raft_folder": "raft"|"raft_folder": "small"|'
    ;;
database)
    cp -p "$folder"/state.db* "$small/"
    change='s|"database": "state.db"|"database": "small/state.db"|'
    ;;
esac
sed "$change" "$folder/config.json" >"$folder/small.json"
chmod 600 "$folder/small.json"
"$BIN/anchorite-ledger" --config "$folder/small.json" >>"$folder/log" 2>&1 &
node=$!
# As `network up` marks its own, so that status and down know it.
started=$(sed 's/.*) //' "/proc/$node/stat" | cut -d ' ' -f 20)
echo "$node $started $(cat /proc/sys/kernel/random/boot_id)" >"$folder/pid"
: >"$control/started"
while kill -0 "$node" 2>/dev/null; do
    if [ -e "$control/fill" ]; then
        cat /dev/zero >"$small/ballast" 2>/dev/null || :
        rm "$control/fill"
    fi
    if [ -e "$control/room" ]; then
        rm -f "$small/ballast"
        mount -o "remount,size=$((size + 40000))k" "$small"
        rm "$control/room"
    fi
    sleep 0.05
done
wait "$node" || echo "ended with $?" >>"$control/ended"
rm -f "$small/ballast"
case $what in
raft)
    rm -f "$folder/raft/"*
    cp -p "$small/"* "$folder/raft/"
    ;;
database)
    rm -f "$folder"/state.db*
    cp -p "$small/"state.db* "$folder/"
    ;;
esac
SMALL

is_done() { # COMMAND
    [ ! -e "$work/control/$1" ]
}
order() { # COMMAND
    : >"$work/control/$1"
    until_true 5 "$1 is done" is_done "$1"
}
# start_small NODE WHAT KB
start_small() {
    rm -rf "$work/control"
    mkdir "$work/control"
    mkdir -p -m 700 "$dir/$1/small"
    stop_node "$1"
    BIN=$BIN unshare $own sh "$work/small.sh" "$dir/$1" "$2" "$3" \
        "$work/control" 2>"$work/mount" &
    others=$!
    until_true 10 "$1 is started" test -e "$work/control/started"
    until_true 15 "it is there" all_equal
}
# end_small NODE   as it was, its files in its own folder
end_small() {
    kill_node "$1" TERM
    wait "$others" || fail "$(cat "$work/mount")"
    [ ! -e "$work/control/ended" ] || fail "$1 $(cat "$work/control/ended")"
    others=""
    run network up --nodes-only --dir "$dir"
    [ "$code" -eq 0 ] || fail "$(cat "$work/err")"
    until_true 15 "a leader" has_leader
}
another_leads() { # NODE
    new=$(leader) && [ -n "$new" ] && [ "$new" != "$1" ]
}
# make_lead NODE   whoever leads stands still until another does
make_lead() {
    rounds=0
    while [ "$(leader)" != "$1" ]; do
        rounds=$((rounds + 1))
        [ "$rounds" -le 20 ] || fail "$1 does not get to lead"
        until_true 15 "a leader" has_leader
        old=$(leader)
        [ "$old" != "$1" ] || break
        kill_node "$old" STOP
        until_true 15 "another leads" another_leads "$old"
        kill_node "$old" CONT
    done
}
told() { # NODE WORDS
    tail -n +$((said + 1)) "$dir/$1/log" | grep -c -- "$2" || :
}
is_told() {
    [ "$(told "$1" "$2")" -gt 0 ]
}

# Entries of 58 KB, which every node finds against the rule, and records.
head -c 58000 /dev/zero | tr '\0' 'x' >"$work/x"
printf '{"commitment":"%s","x":"%s"}' "$commitment" "$(cat "$work/x")" \
    >"$work/large.json"
recorded=0
large_entries() { # N
    n=$1
    while [ "$n" -gt 0 ]; do
        some="" i=0
        while [ "$i" -lt 6 ]; do
            "$BIN/anchorite" ledger submit --dir "$dir" --as north.broker \
                --type consent --payload "$work/large.json" \
                >>"$work/large" 2>&1 &
            some="$some $!"
            i=$((i + 1)) n=$((n - 1))
        done
        for one in $some; do
            result=0
            wait "$one" || result=$?
            [ "$result" -eq 4 ] || fail "ended with $result: $(tail "$work/large")"
            recorded=$((recorded + 1))
        done
    done
}
