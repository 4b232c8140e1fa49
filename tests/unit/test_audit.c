#include "ledger/audit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/note.h"
#include "tests/lib/federation.h"
#include "tests/lib/row_seal.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_audit(void);

#define COMMITMENT "{\"commitment\":\"" NETWORK_HEX "\"}"

static struct scratch scratch;
static struct network network;
static struct network_node node;

/* ---- a ledger: 4 blocks of 3 entries each, 2 of 3 nodes cosigned it ---- */

static void fill(void)
{
    static const struct {
        enum entry_type type;
        enum identity_role role;
    } kind[] = {{ENTRY_DATASET, IDENTITY_CUSTODIAN},
                {ENTRY_WITHDRAW, IDENTITY_PATIENT},
                {ENTRY_DATASET, IDENTITY_DOCTOR}};

    for (size_t block = 0; block < 4; block++) {
        struct network_entry entry[3];
        const struct network_entry *item[3];

        for (size_t i = 0; i < 3; i++) {
            network_entry_make(&entry[i], &network, kind[i].type,
                               network_who(&network, NORTH, kind[i].role),
                               COMMITMENT);
            item[i] = &entry[i];
        }
        (void)!network_apply_all(&node, item, 3);
        for (size_t i = 0; i < 3; i++)
            network_entry_clear(&entry[i]);
    }
}

static void anchor(uint64_t size, const struct digest *root, size_t cosigners)
{
    struct checkpoint checkpoint = {.size = size, .root = *root};
    struct text note, lines;
    struct error err;

    error_init(&err);
    text_init(&note);
    text_init(&lines);
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s",
             network.genesis->origin);
    CU_ASSERT_EQUAL(checkpoint_append(&checkpoint, &lines, &err), OK);
    CU_ASSERT_EQUAL(text_printf(&note, &err, "%s\n", lines.data), OK);
    for (size_t i = 0; i < cosigners; i++) {
        char name[16];

        snprintf(name, sizeof name, "node%zu", i + 1);
        CU_ASSERT_EQUAL(note_cosign(name, network.cosigner[i],
                                    text_bytes(&lines), 1800000000, &note,
                                    &err),
                        OK);
    }
    CU_ASSERT_EQUAL(
        ledger_store_set_anchored(node.store, size, text_bytes(&note), &err),
        OK);
    text_clear(&note);
    text_clear(&lines);
}

static void anchor_tip(size_t cosigners)
{
    struct digest root;
    struct error err;
    uint64_t size;

    executor_tip(node.executor, &size, &root);
    anchor(size, &root, cosigners);
    CU_ASSERT_EQUAL(ledger_store_set_cosigned(node.store, size, &root, &err),
                    OK);
}

static void begin(void)
{
    scratch_open(&scratch);
    network_open(&network);
    network_node_open(&node, &network, scratch_path(&scratch, "state.db"), 0);
    fill();
    anchor_tip(2);
}

static void end(void)
{
    network_node_close(&node);
    network_close(&network);
    scratch_close(&scratch);
}

static struct audit_result audit(const char *database)
{
    const char *path = scratch_path(&scratch, "scratch.db");
    struct audit_result result;
    struct error err;

    error_init(&err);
    unlink(path);
    unlink(scratch_path(&scratch, "scratch.db-wal"));
    unlink(scratch_path(&scratch, "scratch.db-shm"));
    if (audit_run(&result, network.genesis, scratch_path(&scratch, database),
                  path, node.crew, &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the audit could not be made");
    }
    return result;
}

/* A copy of the database, altered by SQL; with seals that fit or not. */
static void alter(const char *sql, bool sealed)
{
    const char *copy = scratch_path(&scratch, "copy.db");
    char into[SCRATCH_PATH_MAX + 32];
    sqlite3 *db = NULL;
    char *message = NULL;

    unlink(copy);
    unlink(scratch_path(&scratch, "copy.db-wal"));
    unlink(scratch_path(&scratch, "copy.db-shm"));
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(scratch_path(&scratch, "state.db"), &db),
                          SQLITE_OK);
    snprintf(into, sizeof into, "VACUUM INTO '%s'", copy);
    CU_ASSERT_EQUAL_FATAL(sqlite3_exec(db, into, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(copy, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "\n%s: %s\n", sql, message);
        CU_FAIL_FATAL("the test's own SQL fails");
    }
    if (sealed)
        row_seal_all(db);
    CU_ASSERT(sqlite3_total_changes(db) > 0);
    sqlite3_close(db);
}

static void expect_finding(const char *sql, uint64_t block, uint64_t position,
                           const char *words)
{
    struct audit_result result;

    alter(sql, true);
    result = audit("copy.db");
    if (result.good || result.bad_block != block ||
        result.bad_position != position ||
        strstr(result.finding, words) == NULL)
        fprintf(stderr, "\n  %s\n  expected: %s\n  got: %jd %jd %s\n", sql,
                words, (intmax_t)result.bad_block,
                (intmax_t)result.bad_position, result.finding);
    CU_ASSERT_FALSE(result.good);
    CU_ASSERT_EQUAL(result.bad_block, block);
    CU_ASSERT_EQUAL(result.bad_position, position);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.finding, words));
}

/* Replace byte `at` of a blob by the two hex digits, or by 01 where it is that
 * already. */
#define SET(column, at, hex)                                                   \
    column " = CAST(substr(" column ",1," #at "-1) || CASE substr(" column     \
           "," #at ",1) WHEN x'" hex "' THEN x'01' ELSE x'" hex "' END"        \
           " || substr(" column "," #at "+1) AS BLOB)"

/* ---- the tests ---- */

static void good_database_passes(void)
{
    struct audit_result result;

    begin();
    result = audit("state.db"); /* while the node has it open */
    CU_ASSERT(result.good);
    CU_ASSERT_STRING_EQUAL(result.finding, "");
    CU_ASSERT_EQUAL(result.blocks, 4);
    CU_ASSERT_EQUAL(result.entries, 12);
    CU_ASSERT_EQUAL(result.anchored, 12);
    CU_ASSERT_EQUAL(result.bad_block, STORE_NONE);
    CU_ASSERT_EQUAL(result.bad_position, STORE_NONE);
    end();
}

static void empty_database_passes(void)
{
    struct audit_result result;

    scratch_open(&scratch);
    network_open(&network);
    network_node_open(&node, &network, scratch_path(&scratch, "state.db"), 0);
    result = audit("state.db");
    CU_ASSERT(result.good);
    CU_ASSERT_EQUAL(result.blocks, 0);
    CU_ASSERT_EQUAL(result.anchored, 0);
    end();
}

/* Entry 4, in block 1: a withdraw. */
static void altered_entry_is_named(void)
{
    begin();
    /* A digit of the author, in the JSON. */
    expect_finding(
        "UPDATE entry SET " SET("bytes", 20, "7a") " WHERE position = 4", 1, 4,
        "block 1: entry 4: its bytes and signatures");
    /* {"author" */
    expect_finding(
        "UPDATE entry SET " SET("bytes", 1, "5b") " WHERE position = 4", 1, 4,
        "block 1: entry 4: its bytes and signatures");
    /* The last digit of the commitment, which NETWORK_HEX ends with f. */
    expect_finding("UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT),"
                   " 'ff\"}', 'fe\"}') AS BLOB) WHERE position = 4",
                   1, 4, "block 1: entry 4: its bytes do not have the id");
    expect_finding(
        "UPDATE entry SET " SET("signatures", 1, "00") " WHERE position = 4", 1,
        4, "block 1: entry 4: its bytes and signatures");
    expect_finding("UPDATE entry SET signatures = (SELECT signatures FROM entry"
                   " WHERE position = 1) WHERE position = 4",
                   1, 4, "block 1: entry 4: a signature does not hold");
    expect_finding(
        "UPDATE entry SET " SET("id", 32, "00") " WHERE position = 4", 1, 4,
        "block 1: entry 4: its bytes do not have the id");
    expect_finding("UPDATE entry SET id = x'00' WHERE position = 4", 1, 4,
                   "wrong size");
    expect_finding("UPDATE entry SET verdict = 5 WHERE position = 4", 1, 4,
                   "block 1: entry 4: another verdict is stored");
    expect_finding("UPDATE entry SET verdict = 99 WHERE position = 4", 1, 4,
                   "verdict or block is none");
    expect_finding("UPDATE entry SET verdict = -1 WHERE position = 4", 1, 4,
                   "verdict or block is none");
    expect_finding("UPDATE entry SET block = 2 WHERE position = 4", 1, 4,
                   "block 1: entry 4: says that it is of another block");
    expect_finding("UPDATE entry SET block = -2 WHERE position = 4", 1, 4,
                   "verdict or block is none");
    end();
}

/* The author signs his own entry again: all is well but the leaf. */
static void other_good_signature_is_noticed(void)
{
    struct stored_entry stored;
    struct network_entry entry;
    struct error err;
    char *sql, *hex;
    bool found;

    begin();
    stored_entry_init(&stored);
    CU_ASSERT_EQUAL(ledger_store_entry(node.store, 4, &stored, &found, &err),
                    OK);
    entry = (struct network_entry){.bytes = stored.bytes,
                                   .signatures = stored.signatures};
    network_entry_sign(
        &entry, (const struct network_identity *[]){
                    network_who(&network, NORTH, IDENTITY_PATIENT), NULL});
    hex = calloc(1, 2 * entry.signatures.size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(hex);
    hex_encode(text_bytes(&entry.signatures), hex);
    CU_ASSERT_FATAL(asprintf(&sql,
                             "UPDATE entry SET signatures = x'%s' WHERE "
                             "position = 4",
                             hex) > 0);
    expect_finding(sql, 1, 4, "block 1: entry 4: its leaf in the tree");
    free(sql);
    free(hex);
    network_entry_clear(&entry);
    end();
}

static void missing_and_swapped_entries_are_named(void)
{
    begin();
    expect_finding("DELETE FROM entry WHERE position = 4", 1, 4,
                   "block 1: entry 4: is missing");
    expect_finding("UPDATE entry SET position = 99 WHERE position = 3;"
                   "UPDATE entry SET position = 3 WHERE position = 4;"
                   "UPDATE entry SET position = 4 WHERE position = 99",
                   1, 3, "block 1: entry 3: its leaf in the tree");
    expect_finding("DELETE FROM entry WHERE position = 11", 3, 11,
                   "block 3: entry 11: is missing");
    expect_finding("INSERT INTO entry SELECT 12, x'"
                   "00000000000000000000000000000000"
                   "00000000000000000000000000000000', bytes, signatures, "
                   "verdict, 4, 0, 0 FROM entry WHERE position = 4",
                   STORE_NONE, 12, "table entry: row 12");
    end();
}

static void altered_blocks_are_named(void)
{
    begin();
    expect_finding(
        "UPDATE block SET " SET("header", 132, "00") " WHERE number = 2", 2,
        STORE_NONE, "block 2: ");
    expect_finding(
        "UPDATE block SET " SET("header", 140, "77") " WHERE number = 2", 2,
        STORE_NONE, "does not have its hash");
    expect_finding("UPDATE block SET header = (SELECT header FROM block WHERE"
                   " number = 1), hash = (SELECT hash FROM block WHERE number"
                   " = 1) WHERE number = 2",
                   2, STORE_NONE, "header is of another block");
    expect_finding("UPDATE block SET header = x'' WHERE number = 2", 2,
                   STORE_NONE, "wrong size");
    expect_finding("UPDATE block SET " SET("hash", 1, "00") " WHERE number = 2",
                   2, STORE_NONE, "does not have its hash");
    expect_finding("DELETE FROM block WHERE number = 2", 2, STORE_NONE,
                   "block 2 is missing");
    expect_finding("DELETE FROM block WHERE number = 3", STORE_NONE, 9,
                   "table entry: row 9");
    end();
}

/* A block that is right in itself, but not what its entries give. */
static void made_up_header_is_noticed(void)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    char hex[2 * BLOCK_HEADER_SIZE + 1], hash_hex[DIGEST_HEX_SIZE];
    struct digest hash;
    struct block block;
    struct error err;
    char sql[1024];
    bool found;

    begin();
    CU_ASSERT_EQUAL(
        ledger_store_block(node.store, 3, &block, NULL, &found, &err), OK);
    block.root.byte[5] ^= 4;
    block_encode(&block, header);
    block_hash(&block, &hash);
    hex_encode(bytes_of(header, sizeof header), hex);
    digest_hex(&hash, hash_hex);
    snprintf(sql, sizeof sql,
             "UPDATE block SET header = x'%s', hash = x'%s' WHERE number = 3",
             hex, hash_hex);
    expect_finding(sql, 3, STORE_NONE,
                   "block 3: executed again, it has another size or root of "
                   "the log");
    block.entries = UINT32_MAX;
    block_encode(&block, header);
    block_hash(&block, &hash);
    hex_encode(bytes_of(header, sizeof header), hex);
    digest_hex(&hash, hash_hex);
    snprintf(sql, sizeof sql,
             "UPDATE block SET header = x'%s', hash = x'%s' WHERE number = 3",
             hex, hash_hex);
    expect_finding(sql, 3, STORE_NONE, "impossible number of entries");
    end();
}

static void altered_tables_are_named(void)
{
    begin();
    expect_finding("UPDATE node SET " SET("hash", 7, "00") " WHERE place = 5",
                   1, 5, "block 1: entry 5: its leaf in the tree");
    /* Level 1, index 2. */
    expect_finding(
        "UPDATE node SET " SET("hash", 7, "00") " WHERE place = (1 << 57) + 2",
        STORE_NONE, STORE_NONE, "table node: row 144115188075855874");
    expect_finding("DELETE FROM node WHERE place = 5", 1, 5,
                   "a node of the tree is missing");
    expect_finding("UPDATE nonce SET position = 7 WHERE position = 6",
                   STORE_NONE, STORE_NONE, "table nonce: row 0000");
    expect_finding("DELETE FROM nonce WHERE position = 6", STORE_NONE,
                   STORE_NONE, "table nonce: row 0000");
    expect_finding("UPDATE state SET value = x'00' WHERE key ="
                   " 'narrowed/north'",
                   STORE_NONE, STORE_NONE, "table state: row narrowed/north");
    expect_finding("UPDATE state SET version = 4 WHERE key = 'narrowed/north'",
                   STORE_NONE, STORE_NONE, "table state: row narrowed/north");
    expect_finding(
        "INSERT INTO state VALUES('a' || char(27) || '[m', x'', 1, 0)",
        STORE_NONE, STORE_NONE, "table state: row a?[m is not");
    expect_finding("UPDATE history SET position = 5 WHERE key ="
                   " 'narrowed/north' AND position = 4",
                   STORE_NONE, STORE_NONE, "table history: row narrowed/north");
    expect_finding("DELETE FROM history WHERE key = 'narrowed/north' AND"
                   " position = 4",
                   STORE_NONE, STORE_NONE, "table history: row narrowed/north");
    end();
}

static void altered_checkpoint_is_named(void)
{
    struct digest root;
    uint64_t size;

    begin();
    expect_finding("UPDATE checkpoint SET " SET("note", 1, "41"), STORE_NONE,
                   STORE_NONE, "table checkpoint: the one of size 12");
    expect_finding("UPDATE checkpoint SET " SET("note", 18, "39"), STORE_NONE,
                   STORE_NONE, "table checkpoint: the one of size 12");
    expect_finding("UPDATE checkpoint SET note = x''", STORE_NONE, STORE_NONE,
                   "table checkpoint: the one of size 12");
    expect_finding("UPDATE checkpoint SET size = 9", STORE_NONE, STORE_NONE,
                   "size 9 has another size");
    expect_finding("UPDATE checkpoint SET size = -9", STORE_NONE, STORE_NONE,
                   "a checkpoint's size is none");
    anchor_tip(1);
    expect_finding("UPDATE meta SET value = value", STORE_NONE, STORE_NONE,
                   "has 1 good cosignatures of 2");
    /* Cosigned all the same: by nodes that lie. */
    executor_tip(node.executor, &size, &root);
    root.byte[0] ^= 1;
    anchor(size, &root, 3);
    expect_finding("UPDATE meta SET value = value", STORE_NONE, STORE_NONE,
                   "has another root than the log");
    anchor(size + 1, &root, 3);
    expect_finding("UPDATE meta SET value = value", STORE_NONE, STORE_NONE,
                   "more entries than the log has");
    end();
}

static void altered_meta_is_named(void)
{
    begin();
    expect_finding(
        "UPDATE meta SET " SET("value", 3, "00") " WHERE key = 'genesis'",
        STORE_NONE, STORE_NONE, "table meta: row genesis");
    expect_finding("UPDATE meta SET value = x'0000000000000001' WHERE key ="
                   " 'raft'",
                   STORE_NONE, STORE_NONE, "table meta: row raft");
    expect_finding(
        "UPDATE meta SET " SET("value", 9, "00") " WHERE key = 'cosigned'",
        STORE_NONE, STORE_NONE, "table meta: row cosigned");
    expect_finding(
        "UPDATE meta SET " SET("value", 1, "01") " WHERE key = 'cosigned'",
        STORE_NONE, STORE_NONE, "table meta: row cosigned");
    end();
}

/* A row that says what it did, with another seal. */
static void broken_seals_are_named(void)
{
    static const struct {
        const char *sql;
        const char *words;
    } cases[] = {
        {"UPDATE meta SET seal = seal + 1 WHERE key = 'genesis'",
         "table meta: row genesis"},
        {"UPDATE meta SET seal = seal + 1 WHERE key = 'raft'",
         "table meta: row raft"},
        {"UPDATE meta SET seal = seal + 1 WHERE key = 'cosigned'",
         "table meta: row cosigned"},
        {"UPDATE state SET seal = seal + 1 WHERE key = 'narrowed/north'",
         "table state: row narrowed/north"},
        {"UPDATE history SET seal = seal + 1 WHERE position = 4",
         "table history: row"},
        {"UPDATE nonce SET seal = seal + 1 WHERE position = 4",
         "table nonce: row"},
        {"UPDATE entry SET seal = seal + 1 WHERE position = 4",
         "table entry: row 4"},
        {"UPDATE entry SET writes = 9 WHERE position = 4",
         "table entry: row 4"},
    };

    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct audit_result result;

        alter(cases[i].sql, false);
        result = audit("copy.db");
        CU_ASSERT_FALSE(result.good);
        if (strstr(result.finding, cases[i].words) == NULL) {
            fprintf(stderr, "\n  %s: %s\n", cases[i].sql, result.finding);
            CU_FAIL("another finding");
        }
    }
    end();
}

static void other_tables_and_networks_are_no_audit(void)
{
    struct audit_result result;
    struct error err;

    begin();
    alter("UPDATE meta SET value = value;"
          "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM nonce; "
          "END",
          true);
    error_init(&err);
    CU_ASSERT_EQUAL(
        audit_run(&result, network.genesis, scratch_path(&scratch, "copy.db"),
                  scratch_path(&scratch, "scratch.db"), node.crew, &err),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not have the tables"));
    error_init(&err);
    CU_ASSERT_EQUAL(audit_run(&result, network.genesis,
                              scratch_path(&scratch, "nowhere.db"),
                              scratch_path(&scratch, "scratch.db"), node.crew,
                              &err),
                    E_INPUT);
    /* A scratch that is in use already. */
    error_init(&err);
    CU_ASSERT_EQUAL(
        audit_run(&result, network.genesis, scratch_path(&scratch, "state.db"),
                  scratch_path(&scratch, "state.db"), node.crew, &err),
        E_INPUT);
    end();
}

/* Pages whose indexes do not fit the rows. */
static void damaged_index_is_noticed(void)
{
    begin();
    expect_finding("PRAGMA writable_schema = ON;"
                   "UPDATE meta SET value = value;"
                   "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM"
                   " sqlite_schema WHERE name = 'node') WHERE name ="
                   " 'checkpoint'",
                   STORE_NONE, STORE_NONE, "checkpoint");
    end();
}

void suite_audit(void)
{
    static const struct test tests[] = {
        {"good database passes", good_database_passes},
        {"empty database passes", empty_database_passes},
        {"altered entry is named", altered_entry_is_named},
        {"other good signature is noticed", other_good_signature_is_noticed},
        {"missing and swapped entries are named",
         missing_and_swapped_entries_are_named},
        {"altered blocks are named", altered_blocks_are_named},
        {"made up header is noticed", made_up_header_is_noticed},
        {"altered tables are named", altered_tables_are_named},
        {"altered checkpoint is named", altered_checkpoint_is_named},
        {"altered meta is named", altered_meta_is_named},
        {"broken seals are named", broken_seals_are_named},
        {"other tables and networks are no audit",
         other_tables_and_networks_are_no_audit},
        {"damaged index is noticed", damaged_index_is_noticed},
    };

    suite_add("audit", tests, sizeof tests / sizeof tests[0]);
}
