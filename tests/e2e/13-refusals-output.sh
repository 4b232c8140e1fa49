#!/bin/sh
# Outputs that cannot be: each is refused before or without harm, nothing new is
# left in the folder, and what was there stays as it was.
set -eu
. tests/e2e/lib.sh

cd "$work"
cat >policy.json <<'END'
{
  "policy": 1,
  "attributes": {
    "zip": {"role": "quasi-identifying", "hierarchy": "zip.csv"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [{"model": "k-anonymity", "k": 2}]
}
END
printf '10;1*;*\n11;1*;*\n20;2*;*\n' >zip.csv
{
    echo zip,illness
    printf '%s\n' "10,$marker" "11,$marker" "20,flu" "20,gout"
} >table.csv
# What the engine has to make of it, by hand: one level up for both of 1*.
{
    echo zip,illness
    printf '%s\n' "1*,$marker" "1*,$marker" "2*,flu" "2*,gout"
} >expected.csv
here() { find . -mindepth 1 ! -name out ! -name err ! -name lines | sort; }
mkdir folder
here >before

# nothing_new   the folder holds what it held, with the contents it had
nothing_new() {
    here | diff before - >diffs || fail "new or gone: $(cat diffs)"
    cmp -s table.csv kept/table.csv || fail "the input is changed"
    cmp -s policy.json kept/policy.json || fail "the policy is changed"
    cmp -s zip.csv kept/zip.csv || fail "the hierarchy is changed"
}
mkdir kept
cp table.csv policy.json zip.csv kept/
: >diffs
here >before

story "a good run, for comparison"
run anonymize -p policy.json table.csv -o release.csv
done_well
diff expected.csv release.csv
rm release.csv

story "into a folder that is missing, a file, or the output itself"
run anonymize -p policy.json table.csv -o nowhere/release.csv
refused 2 "nowhere/release.csv: folder nowhere cannot be opened"
nothing_new
run anonymize -p policy.json table.csv -o table.csv/release.csv
refused 2 "table.csv/release.csv"
nothing_new
for name in . folder folder/ ..; do
    run anonymize -p policy.json table.csv -o $name
    refused 2 "$name: is a folder"
    nothing_new
done
run anonymize -p policy.json table.csv -o release.csv/
refused 2 "names a folder"
nothing_new
run anonymize -p policy.json table.csv -o ""
refused 2 "the name of the new file is empty"
nothing_new

story "a name that is too long"
name=$(printf '%0300d' 7)
run anonymize -p policy.json table.csv -o "$name"
refused 2 "File name too long"
nothing_new

story "onto what is no regular file"
for name in /dev/null /dev/full; do
    run anonymize -p policy.json table.csv -o $name
    refused 2 "$name: is not a regular file"
    nothing_new
done
ln -s nowhere.csv dangling
mkfifo pipe
here >before
run anonymize -p policy.json table.csv -o dangling
refused 2 "dangling: is a symbolic link to nothing"
nothing_new
run anonymize -p policy.json table.csv -o pipe
refused 2 "pipe: is not a regular file"
nothing_new

story "onto the input: by its name, a link to it, or as standard input"
ln -s table.csv soft.csv
ln table.csv hard.csv
here >before
for name in table.csv ./table.csv "$PWD/table.csv" soft.csv hard.csv; do
    run anonymize -p policy.json table.csv -o "$name"
    refused 2 "$name: output and input are the same file"
    nothing_new
    code=0
    "$BIN/anchorite" anonymize -p policy.json - -o "$name" <table.csv >out \
        2>err || code=$?
    refused 2 "$name: output and input are the same file"
    nothing_new
done
for name in soft.csv hard.csv; do
    run anonymize -p policy.json $name -o table.csv
    refused 2 "table.csv: output and input are the same file"
    nothing_new
done

story "onto the policy or one of its hierarchies"
run anonymize -p policy.json table.csv -o policy.json
refused 2 "policy.json: output and policy are the same file"
nothing_new
run anonymize -p policy.json table.csv -o folder/../zip.csv
refused 2 "output and a hierarchy of the policy are the same file"
nothing_new

story "onto the file into which the figures go"
echo old >figures
here >before
code=0
"$BIN/anchorite" anonymize -p policy.json table.csv --json -o figures \
    >>figures 2>err || code=$?
: >out
refused 2 "figures: output and standard output are the same file"
nothing_new
code=0
"$BIN/anchorite" anonymize -p policy.json table.csv -o /dev/stdout \
    >>figures 2>err || code=$?
refused 2 "/dev/stdout: output and standard output are the same file"
[ "$(cat figures)" = old ] || fail "something was written"
rm figures
here >before

story "figures that cannot be printed leave no release"
for json in "" --json; do
    code=0
    "$BIN/anchorite" anonymize -p policy.json table.csv $json -o release.csv \
        >/dev/full 2>err || code=$?
    refused 3 "standard output: No space left on device"
    nothing_new
done

story "a release on standard output that is full, closed or has no reader"
code=0
"$BIN/anchorite" anonymize -p policy.json table.csv -o - >/dev/full 2>err ||
    code=$?
refused 3 "standard output"
code=0
"$BIN/anchorite" anonymize -p policy.json table.csv -o - >&- 2>err || code=$?
refused 3 "standard output"
{
    code=0
    "$BIN/anchorite" anonymize -p policy.json table.csv -o - 2>err || code=$?
    echo "$code" >code
} | :
# The reader may have gone before or after all was written to the pipe.
case $(cat code) in
0) ;;
3) grep -q "standard output" err || fail "not told: $(cat err)" ;;
*) fail "exit code $(cat code)" ;;
esac
rm -f code
nothing_new

story "a failed run keeps the release that is there"
echo "the release of yesterday" >release.csv
cp release.csv kept/
here >before
kept() {
    cmp -s release.csv kept/release.csv || fail "it was touched"
    nothing_new
}
printf 'zip,illness\n10,%s\n11\n' "$marker" >kept/ragged.csv
here >before
run anonymize -p policy.json kept/ragged.csv -o release.csv
refused 2 "line 3"
kept
sed 's/"k": 2/"k": 5/' policy.json >strict.json
here >before
run anonymize -p strict.json table.csv -o release.csv
refused 1 "no transformation satisfies the policy"
kept
code=0
"$BIN/anchorite" anonymize -p policy.json table.csv -o release.csv >/dev/full \
    2>err || code=$?
refused 3 "standard output"
kept

story "a good run replaces it, and the file behind a link"
run anonymize -p policy.json table.csv -o release.csv
done_well
diff expected.csv release.csv
nothing_new
echo old >folder/real.csv
ln -s folder/real.csv link.csv
run anonymize -p policy.json table.csv -o link.csv
done_well
diff expected.csv folder/real.csv
[ -L link.csv ] || fail "the link is gone"
rm link.csv folder/real.csv release.csv
here >before

story "a disk that is full: files may not grow beyond a limit"
{
    echo zip,illness
    i=0
    while [ $i -lt 40000 ]; do
        echo "10,$marker"
        i=$((i + 1))
    done
} >large.csv
here >before
for blocks in 1 100 512; do
    # The message goes through a pipe: a file would be under the limit, too.
    (
        ulimit -f $blocks
        code=0
        "$BIN/anchorite" anonymize -p policy.json large.csv -o release.csv \
            2>&1 >&3 || code=$?
        echo "$code"
    ) 3>out | cat >said
    code=$(tail -n 1 said)
    sed '$d' said >err
    rm said
    refused 3 "File too large"
    nothing_new
done

story "temporary files that may not grow"
: >out
(
    ulimit -f 8
    code=0
    "$BIN/anchorite" anonymize -p policy.json large.csv -o - 2>&1 >&3 || code=$?
    echo "$code"
) 3>out | cat >said
code=$(tail -n 1 said)
sed '$d' said >err
refused 3 "standard output: writing failed: File too large"
(
    ulimit -f 8
    code=0
    cat large.csv | "$BIN/anchorite" anonymize -p policy.json - \
        -o release.csv 2>&1 >&3 || code=$?
    echo "$code"
) 3>out | cat >said
code=$(tail -n 1 said)
sed '$d' said >err
rm said
refused 3 "a temporary copy of the input: writing failed: File too large"
nothing_new

story "a disk that is really full"
# A file system of 64 KiB of our own, where that is allowed.
if unshare -m true 2>/dev/null; then
    mkdir disk
    code=0
    unshare -m sh -c '
        mount -t tmpfs -o size=65536 tmpfs disk || exit 77
        code=0
        "$1" anonymize -p policy.json large.csv -o disk/release.csv >out 2>err ||
            code=$?
        ls -A disk >left
        exit "$code"' sh "$BIN/anchorite" 2>mount.err || code=$?
    if [ "$code" -eq 77 ]; then
        echo "(no tmpfs can be mounted here)"
    else
        refused 3 "No space left on device"
        [ ! -s left ] || fail "left on the disk: $(cat left)"
    fi
    rm -rf disk left mount.err
else
    echo "(no file system of our own here)"
fi
nothing_new

story "a folder that must not be written to"
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    chmod 555 locked
    run anonymize -p policy.json table.csv -o locked/release.csv
    refused 2 "locked/release.csv: its folder takes no new file"
    chmod 755 locked
    rmdir locked
elif [ -d /proc/self ]; then
    # Nobody, not even root, makes files in there.
    run anonymize -p policy.json table.csv -o /proc/self/release.csv
    refused 2 "/proc/self/release.csv"
fi
nothing_new

story "no room for the temporary file of a release to standard output"
code=0
TMPDIR=$work/nowhere "$BIN/anchorite" anonymize -p policy.json table.csv -o - \
    >out 2>err || code=$?
refused 2 "nowhere: takes no temporary file"

story "standard output holds the same bytes as the file"
code=0
"$BIN/anchorite" anonymize -p policy.json table.csv -o - >release.csv 2>err ||
    code=$?
[ "$code" -eq 0 ] || fail "exit code $code: $(cat err)"
diff expected.csv release.csv
rm release.csv

story "closed descriptors are not taken for the release"
mkfifo table.fifo
here >before
cat table.csv >table.fifo &
code=0
"$BIN/anchorite" anonymize -p policy.json table.fifo -o release.csv <&- >&- \
    2>&- || code=$?
[ "$code" -eq 3 ] || fail "exit code $code: figures cannot be printed"
nothing_new
wait
cat table.csv >table.fifo &
code=0
"$BIN/anchorite" anonymize -p policy.json table.fifo -o release.csv <&- \
    >out 2>&- || code=$?
[ "$code" -eq 0 ] || fail "exit code $code"
wait
diff expected.csv release.csv
