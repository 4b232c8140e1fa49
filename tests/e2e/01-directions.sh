#!/bin/sh
# .ci/directions: passes a right tree, and sees every rule broken.
set -eu
. tests/e2e/lib.sh

directions=$PWD/.ci/directions
tree=$work/tree

# A header as it should be, with these includes.
header() { # PATH [INCLUDE...]
    path=$1
    shift
    guard=$(echo "$path" | tr 'a-z/.' 'A-Z__')
    mkdir -p "$tree/${path%/*}"
    {
        printf '/*\n * %s - what it is.\n */\n' "$path"
        printf '#ifndef %s\n#define %s\n' "$guard" "$guard"
        [ $# -eq 0 ] || printf '#include %s\n' "$@"
        printf '#endif\n'
    } >"$tree/$path"
}
source_file() { # PATH [INCLUDE...]
    path=$1
    shift
    mkdir -p "$tree/${path%/*}"
    {
        [ $# -eq 0 ] || printf '#include %s\n' "$@"
        echo 'int x;'
    } >"$tree/$path"
}

right_tree() {
    rm -rf "$tree"
    header common/text.h '<stddef.h>'
    header common/log.h
    source_file common/json.c '"common/text.h"' '<cjson/cJSON.h>'
    source_file common/digest.c '<openssl/evp.h>'
    source_file common/seal.c '<openssl/evp.h>' '<openssl/rand.h>'
    source_file common/bus_socket.c '<zmq.h>'
    source_file common/bus.c '<uv.h>'
    header anonymizer/table.h '"common/text.h"'
    header anonymizer/policy.h '"common/text.h"'
    header anonymizer/search.h '"anonymizer/table.h"'
    source_file anonymizer/search_worker.c '"anonymizer/search.h"'
    header anonymizer/criterion.h
    source_file anonymizer/criterion_k.c '"anonymizer/criterion.h"'
    source_file anonymizer/main.c
    source_file anonymizer/recheck.c '"anonymizer/policy.h"'
    header broker/consent.h '"common/text.h"'
    source_file broker/consent_store.c '<sqlite3.h>'
    source_file broker/main.c '"broker/consent.h"'
    header ledger/chain.h
    source_file ledger/replica.c '<raft.h>' '<raft/uv.h>' '"ledger/chain.h"'
    source_file ledger/transport_connection.c '<raft/uv.h>' '<uv.h>'
    source_file ledger/tls.c '<openssl/ssl.h>'
    source_file common/service.c '<uv.h>'
    source_file datasets/hospital.c '"common/text.h"' '<time.h>'
    source_file cli/main.c '"anonymizer/search.h"' '"common/log.h"'
    header tests/lib/suite.h '<CUnit/CUnit.h>'
    source_file tests/unit/main.c '"suites.def"' '"tests/lib/suite.h"'
    source_file tests/unit/test_chain.c '"ledger/chain.h"' \
        '"broker/consent.h"' '<sqlite3.h>'
    source_file tests/fault/main.c
    # Neither what is built nor hidden folders are ours to judge.
    source_file build/anything.c '"../x.h"'
    source_file .hidden/anything.c '"../x.h"'
}

passes() {
    "$directions" "$tree" >"$work/said" ||
        fail "a right tree is refused: $(cat "$work/said")"
    [ ! -s "$work/said" ] || fail "a right tree, and it says: $(cat "$work/said")"
}
# One rule is broken in a tree that is right otherwise: said in one line.
broken() { # THE LINE
    code=0
    "$directions" "$tree" >"$work/said" 2>&1 || code=$?
    [ "$code" -eq 1 ] || fail "exit code $code instead of 1"
    printf '%s\n' "$@" | diff - "$work/said" >"$work/difference" ||
        fail "$(cat "$work/difference")"
    right_tree
}

story "a right tree passes"
right_tree
passes

story "a tree without source is no success"
mkdir "$work/empty"
if "$directions" "$work/empty" 2>/dev/null; then
    fail "an empty tree passes"
fi

story "common includes nobody"
source_file common/json.c '"ledger/chain.h"'
broken "common/json.c:1: common must not include ledger"

story "programs never include each other"
source_file anonymizer/main.c '"broker/consent.h"'
broken "anonymizer/main.c:1: anonymizer must not include broker"
source_file broker/main.c '"common/text.h"' '"anonymizer/policy.h"'
broken "broker/main.c:2: broker must not include anonymizer"
source_file ledger/replica.c '"broker/consent.h"'
broken "ledger/replica.c:1: ledger must not include broker"

story "a header is bound like a source file"
header ledger/chain.h '"broker/consent.h"'
broken "ledger/chain.h:6: ledger must not include broker"

story "datasets include only common"
source_file datasets/hospital.c '"anonymizer/policy.h"'
broken "datasets/hospital.c:1: datasets must not include anonymizer"

story "the command includes no service but the anonymizer's library"
source_file cli/main.c '"ledger/chain.h"'
broken "cli/main.c:1: cli must not include ledger"

story "nobody includes tests"
source_file cli/main.c '"tests/lib/suite.h"'
broken "cli/main.c:1: cli must not include tests"

story "a folder that no rule knows is refused"
source_file portal/page.c
broken "portal/page.c:1: no rule knows this folder: see .ci/directions"
source_file ./page.c
broken "page.c:1: no rule knows this folder: see .ci/directions"

story "includes are written from the root"
source_file common/json.c '"text.h"'
broken "common/json.c:1: \"text.h\": includes are written from the root"
source_file common/json.c '"../ledger/chain.h"'
broken "common/json.c:1: \"../ledger/chain.h\": includes are written from the root"
source_file cli/main.c '"suites.def"'
broken "cli/main.c:1: \"suites.def\": includes are written from the root"
source_file cli/main.c 'FILE_FROM_A_MACRO'
broken "cli/main.c:1: an include names its file"

story "each foreign library sits behind its own file"
source_file cli/main.c '<cjson/cJSON.h>'
broken "cli/main.c:1: only ^common/json\\.c$ may include cjson/cJSON.h"
source_file common/json.c '<openssl/evp.h>'
broken "common/json.c:1: only ^(common/(digest|sign|identity(_[a-z]+)?|seal|keystream)|ledger/tls)\\.c$ may include openssl/evp.h"
source_file broker/main.c '<sqlite3.h>'
broken "broker/main.c:1: only _store(_[a-z]+[.]c|_internal[.]h|[.]c)$ may include sqlite3.h"
header broker/consent_store.h '<sqlite3.h>'
broken "broker/consent_store.h:6: only _store(_[a-z]+[.]c|_internal[.]h|[.]c)$ may include sqlite3.h"
source_file ledger/main.c '<zmq.h>'
broken "ledger/main.c:1: only ^common/(bus_socket|curve)\\.c$ may include zmq.h"
source_file common/bus_socket.c '<uv.h>'
broken "common/bus_socket.c:1: only ^(common/(bus(_internal)?|service|client|desk|lane)|cli/ledger_load|ledger/[a-z_]+)\\.[ch]$ may include uv.h"
source_file anonymizer/search_worker.c '<uv.h>'
broken "anonymizer/search_worker.c:1: only ^(common/(bus(_internal)?|service|client|desk|lane)|cli/ledger_load|ledger/[a-z_]+)\\.[ch]$ may include uv.h"
source_file ledger/main.c '<raft.h>'
broken "ledger/main.c:1: only ^ledger/(replica|transport)(_[a-z_]+)?\\.[ch]$ may include raft.h"
source_file ledger/main.c '  <raft/uv.h>'
broken "ledger/main.c:1: only ^ledger/(replica|transport)(_[a-z_]+)?\\.[ch]$ may include raft/uv.h"
source_file broker/main.c '<uv.h>'
broken "broker/main.c:1: only ^(common/(bus(_internal)?|service|client|desk|lane)|cli/ledger_load|ledger/[a-z_]+)\\.[ch]$ may include uv.h"
source_file ledger/main.c '<CUnit/Basic.h>'
broken "ledger/main.c:1: only ^tests/ may include CUnit/Basic.h"

story "the engine runs one way"
header anonymizer/table.h '"anonymizer/search.h"'
header anonymizer/search.h
broken "anonymizer/table.h:6: in the engine table comes before search"
source_file anonymizer/criterion_k.c '"anonymizer/search.h"'
broken "anonymizer/criterion_k.c:1: in the engine criterion comes before search"

story "the engine has no sockets, no clock, no log"
for header in time.h sys/time.h sys/socket.h netinet/in.h netdb.h syslog.h; do
    source_file anonymizer/search_worker.c "<$header>"
    broken "anonymizer/search_worker.c:1: the engine has no sockets, clock or log: $header"
done
source_file anonymizer/search_worker.c '"common/log.h"'
broken "anonymizer/search_worker.c:1: the engine has no sockets, clock or log: common/log.h"

story "recheck shares nothing with what it checks, by no detour either"
source_file anonymizer/recheck_sort.c '"anonymizer/table.h"'
broken "anonymizer/recheck_sort.c > anonymizer/table.h: recheck must share nothing with table"
source_file anonymizer/recheck.c '"anonymizer/notes.h"'
header anonymizer/notes.h '"anonymizer/criterion.h"'
broken "anonymizer/recheck.c > anonymizer/notes.h > anonymizer/criterion.h: recheck must share nothing with criterion"
header anonymizer/recheck.h
header anonymizer/search.h '"anonymizer/recheck.h"'
broken "anonymizer/search.h:6: search must share nothing with recheck"

story "a name stands in one folder only"
source_file ledger/text.c
broken "ledger/text.c:1: the name text is taken by common/"

story "paths are lower case"
source_file common/Text2.c
broken "common/Text2.c:1: a path is lower case letters, digits and _"

story "a guard has the name of its path"
header common/text.h
sed -i 's/COMMON_TEXT_H/TEXT_H/' "$tree/common/text.h"
broken "common/text.h:4: the first directive of this header is #ifndef COMMON_TEXT_H"
header common/text.h
sed -i 's/define COMMON_TEXT_H/define COMMON_TXT_H/' "$tree/common/text.h"
broken "common/text.h:5: after #ifndef comes #define COMMON_TEXT_H"
printf '/*\n * common/text.h - what it is.\n */\n' >"$tree/common/text.h"
broken "common/text.h:1: a header has a guard"

story "a header says what it is"
sed -i '2s/.*/ * text.h - what it is./' "$tree/common/text.h"
broken "common/text.h:2: the second line of a header is \" * common/text.h - what it is\""
sed -i '1s/.*/\/**/' "$tree/common/text.h"
broken "common/text.h:1: a header starts with /*"

story "two broken rules are both said"
source_file cli/main.c '"tests/lib/suite.h"' '<zmq.h>'
broken "cli/main.c:1: cli must not include tests" \
    "cli/main.c:2: only ^common/(bus_socket|curve)\\.c$ may include zmq.h"

story "and the tree at hand passes"
"$directions" || fail "see above"
