#!/bin/sh
# The same bytes from run to run, for any number of threads, to a file or to
# standard output, from a file or from a pipe; --json is one JSON object; and no
# figure, warning or progress line holds a value of a record.
set -eu
. tests/e2e/lib.sh

policies=$PWD/policies
cd "$work"
"$BIN/anchorite-hospital" table --patients 20000 --output hospital.csv
policy=$policies/hospital-k5-l3.json

# The figures without the times of the run, and without the number of
# transformations looked at, which depends on what the threads find first.
figures() { sed -e '/"seconds": {/,/}/d' -e '/"checked": /d' out; }

story "run by run, thread by thread"
for threads in 1 1 2 2 7; do
    run anonymize -p "$policy" hospital.csv -o release.csv --json \
        --threads $threads
    done_well
    figures >figures
    if [ ! -e first.csv ]; then
        mv release.csv first.csv
        mv figures first.figures
    else
        cmp first.csv release.csv || fail "--threads $threads: other bytes"
        diff first.figures figures || fail "--threads $threads: other figures"
        rm release.csv
    fi
done

story "with and without the second proof"
run anonymize -p "$policy" hospital.csv -o release.csv --no-recheck
done_well
cmp first.csv release.csv
rm release.csv

story "to standard output"
code=0
"$BIN/anchorite" anonymize -p "$policy" hospital.csv -o - >release.csv 2>err ||
    code=$?
[ "$code" -eq 0 ] || fail "exit code $code: $(cat err)"
cmp first.csv release.csv
rm release.csv

story "from a pipe, from standard input, and through both"
mkfifo pipe
cat hospital.csv >pipe &
run anonymize -p "$policy" pipe -o release.csv
done_well
wait
cmp first.csv release.csv
rm release.csv
run anonymize -p "$policy" - -o release.csv <hospital.csv
done_well
cmp first.csv release.csv
rm release.csv
cat hospital.csv | "$BIN/anchorite" anonymize -p "$policy" - -o - 2>err |
    cmp - first.csv

story "standard input that is not at its beginning"
{
    echo "a line that somebody else reads"
    cat hospital.csv
} >prefixed
{
    # One byte at a time, so that nothing of the table is taken.
    dd bs=1 count=32 of=taken 2>dd.err
    "$BIN/anchorite" anonymize -p "$policy" - -o release.csv >out 2>err
} <prefixed
cmp first.csv release.csv
rm release.csv

story "the digest is that of the file"
sum=$(sha256sum <first.csv | cut -d ' ' -f 1)
grep -qF "\"output_sha256\": \"$sum\"" first.figures ||
    fail "it is $sum: $(cat first.figures)"

# one_object   $work/out is a JSON object and a newline, and nothing else
one_object() {
    [ "$(head -c 1 out)" = "{" ] || fail "it does not begin with {"
    [ "$(tail -n 1 out)" = "}" ] || fail "it does not end with a line }"
    [ "$(grep -c '^}' out)" -eq 1 ] || fail "more than one object"
    # Our own strict reader takes it for an object that is no policy.
    "$BIN/anchorite" check -p out first.csv >said 2>&1 || :
    grep -q '^anchorite [a-z]*: out: line 1: no "policy"' said ||
        fail "no JSON: $(cat said)"
}
story "--json prints one object"
run anonymize -p "$policy" hospital.csv -o release.csv --json
done_well
one_object
rm release.csv
run check -p "$policy" first.csv --json
done_well
one_object
run check -p "$policy" hospital.csv --json
[ "$code" -eq 1 ] || fail "exit code $code: a raw table passes"
one_object
run hierarchy show --json "$policies/hierarchies/age.csv"
done_well
one_object

story "figures and warnings hold no value"
cat >policy.json <<'END'
{
  "policy": 1,
  "attributes": {
    "name": {"role": "identifying"},
    "zip": {"role": "quasi-identifying"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [
    {"model": "k-anonymity", "k": 2},
    {"model": "distinct-l-diversity", "attribute": "illness", "l": 1}
  ],
  "suppression_limit": 0.5
}
END
printf '%s\n' name,zip,illness "$marker-1,$marker-2,$marker-3" \
    "$marker-4,$marker-2,$marker-3" "$marker-5,$marker-6,$marker-7" >table.csv
for json in "" --json; do
    run anonymize -p policy.json table.csv -o release.csv $json
    [ "$code" -eq 0 ] || fail "exit code $code: $(cat err)"
    grep -q "^anchorite: warning: 1 suppressed rows, fewer than k = 2" err ||
        fail "no warning: $(cat err)"
    ! grep -qF "$marker" out err || fail "a value is told"
    run check -p policy.json release.csv $json
    done_well
    ! grep -qF "$marker" out || fail "a value is told"
    run check -p policy.json table.csv $json
    [ "$code" -eq 1 ] || fail "exit code $code"
    ! grep -qF "$marker" out err || fail "a value is told"
done
printf '%s\n' name,zip,illness "$marker-1,$marker-2,$marker-3" >table.csv
run anonymize -p policy.json table.csv -o other.csv
refused 1 "no transformation"

story "progress on a terminal holds none, either"
cat >runner <<'END'
#!/bin/sh
"$BIN/anchorite" anonymize -p "$policy" hospital.csv -o release.csv
END
chmod +x runner
export policy
if script -qfec ./runner said </dev/null >/dev/null 2>&1; then
    grep -qF "read ..." said || fail "no progress: $(cat said)"
    # Names of the patients begin like this in a table of the generator.
    ! grep -qE 'P0000|Dr\. ' said || fail "a value is told: $(cat said)"
    cmp first.csv release.csv
else
    echo "(no terminal can be had from script(1))"
fi
