#!/bin/sh
# Tables that are refused, by anonymize and by check: what is wrong and where,
# never a value, and no release.
set -eu
. tests/e2e/lib.sh

cd "$work"
cat >policy.json <<'END'
{
  "policy": 1,
  "attributes": {
    "patient": {"role": "subject"},
    "zip": {"role": "quasi-identifying"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [{"model": "k-anonymity", "k": 2}]
}
END
# The same for finished tables: what is removed need not be there.
cp policy.json check.json
mkdir folder

# A table that both take; each story below breaks it in one place.
good() {
    printf '%s\n' "patient,zip,illness" "p1,10,$marker" "p2,10,flu" \
        "p3,20,gout" "p4,20,$marker"
}
# repeat N TEXT
repeat() { head -c "$1" /dev/zero | tr '\0' "$2"; }

# anonymize_refuses CODE WORDS [TABLE]; check_refuses; both_refuse
anonymize_refuses() {
    run anonymize -p policy.json "${3:-table.csv}" -o folder/release.csv
    refused "$1" "$2"
    [ -z "$(ls -A folder)" ] || fail "left behind: $(ls -A folder)"
}
check_refuses() {
    run check -p check.json "${3:-table.csv}"
    refused "$1" "$2"
}
both_refuse() {
    anonymize_refuses "$@"
    check_refuses "$@"
}

story "a good one, for comparison"
good >table.csv
run anonymize -p policy.json table.csv -o folder/release.csv
done_well
rm folder/release.csv

story "missing, a folder, a device, nothing at all"
both_refuse 2 "nowhere.csv: cannot be opened: No such file" nowhere.csv
both_refuse 2 "folder: is a folder, not a table" folder
both_refuse 2 "/dev/zero: is not a regular file or pipe" /dev/zero
both_refuse 2 "table.csv/x: cannot be opened" table.csv/x
ln -s loop.csv loop.csv
both_refuse 2 "loop.csv: cannot be opened" loop.csv
code=0
"$BIN/anchorite" anonymize -p policy.json "" -o folder/release.csv >out 2>err ||
    code=$?
refused 2 "cannot be opened"

story "not to be read"
if [ "$(id -u)" -ne 0 ]; then
    good >locked.csv
    chmod 000 locked.csv
    both_refuse 2 "locked.csv: cannot be opened: Permission denied" locked.csv
elif [ -r /proc/self/mem ]; then
    # Root may open everything; the first page of memory nobody may read.
    both_refuse 3 "/proc/self/mem: reading failed" /proc/self/mem
fi

story "empty, or a header alone"
: >table.csv
both_refuse 2 "table.csv: the file is empty"
printf '\357\273\277' >table.csv
both_refuse 2 "table.csv: the file is empty"
printf 'patient,zip,illness' >table.csv
anonymize_refuses 2 "table.csv: a header, but no rows"
check_refuses 2 "table.csv: no rows behind the header"
printf 'patient,zip,illness\n\n\n' >table.csv
anonymize_refuses 2 "table.csv: a header, but no rows"
check_refuses 2 "table.csv: no rows behind the header"

story "a header with two columns of one name, or one without"
good | sed '1s/.*/zip,zip,illness/' >table.csv
both_refuse 2 "line 1: columns 1 and 2 of the header have the same name"
good | sed '1s/.*/patient,,illness/' >table.csv
both_refuse 2 "line 1: column 2 of the header has no name"

story "no header: the first patient is told by nobody"
good | sed 1d >table.csv
anonymize_refuses 2 'policy.json: line 4: attribute "patient": the table'
check_refuses 2 "line 1: not one column that the policy names"
printf '%s,%s,flu\n' "$marker" "$marker" >table.csv
both_refuse 2 "line 1: columns 1 and 2 of the header have the same name"

story "columns that the table lacks, and that the policy does not name"
good | cut -d, -f1,2 >table.csv
anonymize_refuses 2 \
    'policy.json: line 6: attribute "illness": the table table.csv has no such'
check_refuses 2 'line 1: there is no column "illness"'
good | sed -e '1s/$/,note/' -e "2,\$s/\$/,$marker/" >table.csv
anonymize_refuses 2 \
    'table.csv: column "note": the policy policy.json does not name it'
check_refuses 2 'line 1: the policy does not name column "note"'

story "names that would speak to the terminal, or fill it"
good | sed -e "1s/\$/,$(printf '\033')[31mred/" -e '2,$s/$/,1/' >table.csv
both_refuse 2 "column 4"
{
    good | sed -n '1s/$/,"a/p'
    echo 'b"'
} >table.csv
both_refuse 2 "column 4"
{
    printf 'patient,zip,illness,'
    repeat 5000 A
    printf '\np1,10,%s,1\n' "$marker"
} >table.csv
both_refuse 2 "column 4"
[ "$(wc -c <err)" -lt 500 ] || fail "a long message"

story "ragged, and cut off"
good | sed '3s/,flu//' >table.csv
both_refuse 2 "table.csv: line 3: 2 fields, the header has 3"
good | sed "4s/\$/,$marker/" >table.csv
both_refuse 2 "table.csv: line 4: 4 fields, the header has 3"
good | head -c 45 >table.csv
both_refuse 2 "may be cut off"
good | sed 's/,10,/,10,"/' >table.csv
both_refuse 2 "text behind the closing quote"
good | sed '$s/,20,/,20,"/' >table.csv
both_refuse 2 'line 5, column "illness": the quote that opens here is never'
good | sed '3s/^$/x/;3s/^/\n/' >table.csv
both_refuse 2 "line 3: an empty line"
good | sed "3s/flu/fl\"u$marker/" >table.csv
both_refuse 2 'line 3, column "illness": a quote inside an unquoted field'

story "line ends of old machines"
good | tr '\n' '\r' >table.csv
both_refuse 2 "line 1, column 3: a carriage return without a line feed"

story "NUL bytes and other encodings"
good | sed '3s/flu/f~u/' | tr '~' '\0' >table.csv
both_refuse 2 'table.csv: line 3, column "illness": a NUL byte'
repeat 100000 '\0' >table.csv
both_refuse 2 "table.csv: line 1, column 1: a NUL byte"
good | sed "3s/flu/$(printf 'gr\374n')$marker/" >table.csv
both_refuse 2 'table.csv: line 3, column "illness": bytes that are not UTF-8'
printf '\377\376p\000a\000' >table.csv
both_refuse 2 "table.csv: line 1, column 1: bytes that are not UTF-8"
# Half of a surrogate pair, an overlong slash, beyond the last character.
for bytes in '\355\240\200' '\300\257' '\364\220\200\200'; do
    good | sed "5s/20/$(printf "$bytes")/" >table.csv
    both_refuse 2 'line 5, column "zip": bytes that are not UTF-8'
done

story "a field, a record, a number of columns beyond the limits"
{
    good
    printf 'p5,10,%s' "$marker"
    repeat 1100000 A
    echo
} >table.csv
both_refuse 2 'line 6, column "illness": a field of more than 1048576 bytes'
{
    good
    printf 'p5,10,"%s' "$marker"
    repeat 3000000 '\n'
} >table.csv
both_refuse 2 "is the quote that opens here closed?"
columns() { # N TEXT
    i=0
    while [ $i -lt "$1" ]; do
        printf '%s%s' "$2" "$([ -n "$3" ] && echo $i)"
        i=$((i + 1))
    done
}
{
    printf 'patient,zip,illness'
    columns 20 ,c n
    printf '\np1,10,%s' "$marker"
    i=0
    while [ $i -lt 20 ]; do
        printf ,
        repeat 1000000 B
        i=$((i + 1))
    done
    echo
} >table.csv
sed 's/"attributes"/"unlisted": "remove", "attributes"/' policy.json >open.json
mv policy.json closed.json
cp open.json policy.json
cp open.json check.json
both_refuse 2 "table.csv: line 2: a record of more than 16777216 bytes"
{
    printf 'patient,zip,illness'
    columns 4094 , ''
    echo
} >table.csv
both_refuse 2 "table.csv: line 1: 4097 columns, the limit is 4096"
mv closed.json policy.json
cp policy.json check.json

story "a patient in two rows, or in none"
good | sed '5s/p4/p2/' >table.csv
anonymize_refuses 2 "table.csv: line 5: the same subject as in line 3"
good | sed "5s/p4/$marker/;2s/p1/$marker/" >table.csv
anonymize_refuses 2 "table.csv: line 5: the same subject as in line 2"
good | sed '4s/p3//' >table.csv
anonymize_refuses 2 "table.csv: line 4: the subject column is empty"
good | sed '4s/p3/NULL/' >table.csv
anonymize_refuses 2 "table.csv: line 4: the subject column is empty"

story "a table from a pipe is refused like a file"
good | sed '3s/,flu//' >table.csv
mkfifo pipe.csv
cat table.csv >pipe.csv &
anonymize_refuses 2 "pipe.csv: line 3: 2 fields" pipe.csv
wait
cat table.csv >pipe.csv &
check_refuses 2 "pipe.csv: line 3: 2 fields" pipe.csv
wait
code=0
"$BIN/anchorite" anonymize -p policy.json - -o folder/release.csv <table.csv \
    >out 2>err || code=$?
refused 2 "standard input: line 3: 2 fields"
code=0
cat table.csv | "$BIN/anchorite" check -p policy.json - >out 2>err || code=$?
refused 2 "standard input: line 3: 2 fields"
for command in "anonymize -o folder/release.csv" check; do
    code=0
    "$BIN/anchorite" $command -p policy.json - </dev/null >out 2>err || code=$?
    refused 2 "standard input: is not a regular file or pipe"
    code=0
    "$BIN/anchorite" $command -p policy.json - <folder >out 2>err || code=$?
    refused 2 "standard input: is a folder"
    code=0
    "$BIN/anchorite" $command -p policy.json - <&- >out 2>err || code=$?
    refused 2 "standard input: is not a regular file or pipe"
    code=0
    printf '' | "$BIN/anchorite" $command -p policy.json - >out 2>err || code=$?
    refused 2 "standard input: the file is empty"
done
[ -z "$(ls -A folder)" ] || fail "left behind: $(ls -A folder)"

story "a pipe that does not block, and is slow, is read to its end"
good >table.csv
mkfifo slow
for command in "anonymize -o folder/release.csv" "check --json"; do
    {
        head -n 2 table.csv
        sleep 0.3
        sed 1,2d table.csv
    } >slow &
    {
        dd iflag=nonblock count=0 2>dd.err
        code=0
        "$BIN/anchorite" $command -p policy.json - >out 2>err || code=$?
        # The patients are there: that is a no, but four rows were read.
        case $command in
        check*) grep -q '"rows": 4' out || fail "$(cat err)" ;;
        *) [ "$code" -eq 0 ] || fail "exit code $code: $(cat err)" ;;
        esac
    } <slow
    wait
done
rm folder/release.csv

story "no room for the copy of a pipe"
code=0
good | TMPDIR=$work/nowhere "$BIN/anchorite" anonymize -p policy.json - \
    -o folder/release.csv >out 2>err || code=$?
refused 2 "nowhere: takes no temporary file"

story "no transformation does it: an honest no"
good >table.csv
sed 's/"k": 2/"k": 5/' policy.json >strict.json
run anonymize -p strict.json table.csv -o folder/release.csv
refused 1 "no transformation satisfies the policy"
[ -z "$(ls -A folder)" ] || fail "left behind: $(ls -A folder)"
