#!/bin/sh
# anchorite check: yes, no and what cannot be checked, by exit code and words.
set -eu
. tests/e2e/lib.sh

cat >"$work/policy.json" <<'END'
{
  "policy": 1,
  "name": "ward-k2",
  "attributes": {
    "patient": {"role": "subject"},
    "zip": {"role": "quasi-identifying"},
    "sex": {"role": "quasi-identifying"},
    "illness": {"role": "sensitive"}
  },
  "privacy": [
    {"model": "k-anonymity", "k": 2},
    {"model": "entropy-l-diversity", "attribute": "illness", "l": 2},
    {"model": "recursive-cl-diversity", "attribute": "illness", "c": 2, "l": 2}
  ],
  "suppression_limit": 0.2
}
END
# Two classes, 1 + 1 and 2 + 2 values, and one suppressed row of at most one.
cat >"$work/good.csv" <<'END'
zip,sex,illness
1*,f,flu
2*,m,gout
2*,m,flu
*,*,cold
1*,f,cold
2*,m,gout
2*,m,flu
END

# Run it: exit code in $code, output in $work/out and $work/err.
check() {
    code=0
    "$BIN/anchorite" check "$@" >"$work/out" 2>"$work/err" || code=$?
}
expect() { # EXIT CODE
    [ "$code" -eq "$1" ] ||
        fail "exit code $code instead of $1: $(cat "$work/out" "$work/err")"
}
says() { # FILE WORDS
    grep -qF -- "$2" "$work/$1" || fail "no \"$2\" in: $(cat "$work/$1")"
}
silent() { # FILE
    [ ! -s "$work/$1" ] || fail "$1 should be empty: $(cat "$work/$1")"
}
# It cannot be checked: words on stderr alone, and no value of the table.
refused() { # WORDS
    expect 2
    says err "$1"
    silent out
    ! grep -qF gout "$work/err" || fail "a value of the table is in the error"
}

story "a good table satisfies"
check --policy "$work/policy.json" "$work/good.csv"
expect 0
says out "good.csv satisfies the policy ward-k2"
silent err

story "the figures are those of a count by hand"
cat >"$work/expected" <<'END'
{
  "satisfied": true,
  "models": [
    {
      "model": "k-anonymity",
      "k": 2,
      "satisfied": true,
      "value": 2,
      "violating": 0
    },
    {
      "model": "entropy-l-diversity",
      "attribute": "illness",
      "l": 2,
      "estimator": "shannon",
      "satisfied": true,
      "value": 2,
      "violating": 0
    },
    {
      "model": "recursive-cl-diversity",
      "attribute": "illness",
      "l": 2,
      "c": 2,
      "satisfied": true,
      "value": 1,
      "violating": 0
    }
  ],
  "suppression": {
    "rows": 1,
    "limit": 1,
    "satisfied": true
  },
  "unremoved_columns": [],
  "rows": 7,
  "suppressed": 1,
  "classes": {
    "count": 2,
    "min": 2,
    "max": 4,
    "average": 3
  },
  "k": 2,
  "alpha": {
    "illness": 0.5
  },
  "distinct_l": {
    "illness": 2
  },
  "entropy_l": {
    "illness": 2
  },
  "recursive_c": {
    "illness": {
      "2": 1
    }
  },
  "t": {
    "illness": {
      "equal": 0.2857142857142857
    }
  },
  "beta": {
    "illness": 0.75
  },
  "delta": {
    "illness": 0.8073549220576041
  }
}
END
check -p "$work/policy.json" "$work/good.csv" --json
expect 0
diff "$work/expected" "$work/out" || fail "not the figures expected"
silent err

story "a table comes from standard input"
code=0
"$BIN/anchorite" check -p "$work/policy.json" -j - <"$work/good.csv" \
    >"$work/out" 2>"$work/err" || code=$?
expect 0
diff "$work/expected" "$work/out" || fail "not the figures expected"

story "a broken model is an honest no"
sed 's/1\*,f,flu/3*,f,flu/' "$work/good.csv" >"$work/bad.csv"
check -p "$work/policy.json" "$work/bad.csv"
expect 1
says out "does NOT satisfy the policy ward-k2"
says out "BROKEN by 2 classes"
silent err
check -p "$work/policy.json" "$work/bad.csv" --json
expect 1
says out '"satisfied": false'
says out '"k": 1'
silent err

story "too many suppressed rows are a no, though all models hold"
{
    cat "$work/good.csv"
    echo '*,*,cold'
} >"$work/suppressed.csv"
check -p "$work/policy.json" "$work/suppressed.csv"
expect 1
says out "suppressed  2, MORE THAN THE LIMIT OF 1"
! grep -q BROKEN "$work/out" || fail "no model is broken"

story "nothing but suppressed rows has no figures"
printf 'zip,sex,illness\n*,*,flu\n' >"$work/stars.csv"
check -p "$work/policy.json" "$work/stars.csv" --json
expect 1
says out '"k": null'
says out '"illness": null'
check -p "$work/policy.json" "$work/stars.csv"
expect 1
says out "none, every row is suppressed"

story "a column that the policy removes is a no"
sed -e '1s/^/patient,/' -e '2,$s/^/17,/' "$work/good.csv" >"$work/named.csv"
check -p "$work/policy.json" "$work/named.csv"
expect 1
says out "patient IS THERE, the policy removes it"
check -p "$work/policy.json" "$work/named.csv" --json
expect 1
says out '"patient"'

story "wrong calls are refused"
check "$work/good.csv"
refused "--policy"
check -p "$work/policy.json"
refused "table is missing"
check -p "$work/policy.json" "$work/good.csv" "$work/bad.csv"
refused "one table, not 2"
check --polizei "$work/policy.json" "$work/good.csv"
refused "polizei"
check --policy
refused "policy"

story "tables that cannot be read are refused"
check -p "$work/policy.json" "$work/nowhere.csv"
refused "nowhere.csv"
check -p "$work/policy.json" "$work"
refused "folder"
: >"$work/empty.csv"
check -p "$work/policy.json" "$work/empty.csv"
refused "empty.csv"
echo 'zip,sex,illness' >"$work/header.csv"
check -p "$work/policy.json" "$work/header.csv"
refused "no rows"
printf 'zip,sex,illness\n1*,f,gout\n1*,gout\n' >"$work/ragged.csv"
check -p "$work/policy.json" "$work/ragged.csv"
refused "line 3"
printf 'zip,illness\n1*,gout\n' >"$work/narrow.csv"
check -p "$work/policy.json" "$work/narrow.csv"
refused 'there is no column "sex"'
printf 'zip,sex,illness,note\n1*,f,gout,x\n' >"$work/wide.csv"
check -p "$work/policy.json" "$work/wide.csv"
refused 'does not name column "note"'
printf '1*,f,gout\n1*,f,gout\n' >"$work/bare.csv"
check -p "$work/policy.json" "$work/bare.csv"
refused "line 1"

story "what a later version has is refused"
sed 's/"policy": 1,/"policy": 1, "transformation": {"method": "cells"},/' \
    "$work/policy.json" >"$work/later.json"
check -p "$work/later.json" "$work/good.csv"
refused "not in this version"

story "a lost output is a failure"
code=0
"$BIN/anchorite" check -p "$work/policy.json" "$work/good.csv" \
    >/dev/full 2>"$work/err" || code=$?
: >"$work/out"
expect 3
says err "standard output"

story "help has an example"
check --help
expect 0
says out "anchorite check -p"
silent err

story "Ctrl-C ends it"
mkfifo "$work/endless"
{
    echo 'zip,sex,illness'
    yes '1*,f,flu'
} >"$work/endless" 2>"$work/yes.err" &
"$BIN/anchorite" check -p "$work/policy.json" - <"$work/endless" \
    >"$work/out" 2>"$work/err" &
process=$!
# It is no longer the shell that started it, and bit 1 of the mask of caught
# signals, SIGINT, is its own.
watches() {
    [ "$(cat "/proc/$process/comm")" = anchorite ] &&
        sed -n 's/^SigCgt:.*\(.\)$/\1/p' "/proc/$process/status" |
        grep -q '[2367abef]'
}
# The shell may have noticed already: then there is nothing in /proc.
has_ended() { ! grep -qs '^State:.[^Z]' "/proc/$process/status"; }
until_it() { # FUNCTION
    tries=0
    until "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt $((300 * PATIENCE)) ] || {
            kill -KILL "$process"
            fail "it never $1"
        }
        sleep 0.1
    done
}
until_it watches
kill -INT "$process"
until_it has_ended
code=0
wait "$process" || code=$?
expect 3
says err "interrupted"
silent out
