#include "ledger/ledger_store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/sql_store_internal.h"
#include "ledger/ledger_store_internal.h"
#include "tests/lib/child.h"
#include "tests/lib/row_seal.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_ledger_store(void);

static struct scratch scratch;
static struct ledger_store *store;
static struct error err;

static const struct digest genesis = {.byte = {7}};

static void open_it(void)
{
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(ledger_store_open(&store,
                                            scratch_path(&scratch, "state.db"),
                                            &genesis, &err),
                          OK);
}

static void begin(void)
{
    scratch_open(&scratch);
    open_it();
}

static void end(void)
{
    ledger_store_close(&store);
    scratch_close(&scratch);
}

/* With seals that fit what the rows say then. */
static void sql(const char *statement)
{
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(scratch_path(&scratch, "state.db"), &db),
                          SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_exec(db, statement, NULL, NULL, NULL),
                          SQLITE_OK);
    row_seal_all(db);
    sqlite3_close(db);
}

static enum status add(uint64_t position, uint8_t id, const char *nonce)
{
    struct digest digest = {.byte = {id}};

    return ledger_store_add_entry(
        store,
        &(struct new_entry){.position = position,
                            .id = &digest,
                            .nonce = nonce,
                            .bytes = bytes_of("entry", 5),
                            .signatures = bytes_of(NULL, 0),
                            .verdict = VERDICT_STALE,
                            .block = 3},
        &err);
}

/* ---- opening ---- */

static void file_is_for_its_owner_alone(void)
{
    struct stat is;

    begin();
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "state.db"), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "state.db-wal"), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 0777, 0600);
    end();
}

static enum status open_second(void)
{
    struct ledger_store *second = NULL;
    enum status status;

    error_init(&err);
    status = ledger_store_open(&second, scratch_path(&scratch, "state.db"),
                               &genesis, &err);
    CU_ASSERT_PTR_NULL(second);
    ledger_store_close(&second);
    return status;
}

static int second_is_refused(void)
{
    struct ledger_store *second = NULL;
    enum status status = ledger_store_open(
        &second, scratch_path(&scratch, "state.db"), &genesis, &err);

    _exit(status == E_INPUT && strstr(err.text, "another process") ? 0 : 1);
}

static void second_writer_is_refused(void)
{
    begin();
    CU_ASSERT_EQUAL(open_second(), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another process is using it"));
    CU_ASSERT_EQUAL(child_run(second_is_refused), 0);
    /* The refusal took nothing from the one that has it. */
    CU_ASSERT_EQUAL(add(0, 1, "a"), OK);
    CU_ASSERT_EQUAL(child_run(second_is_refused), 0);
    end();
}

static void other_files_are_refused(void)
{
    static const struct digest other = {.byte = {8}};
    struct ledger_store *reader = NULL;

    begin();
    ledger_store_close(&store);
    error_init(&err);
    CU_ASSERT_EQUAL(ledger_store_open(&store,
                                      scratch_path(&scratch, "state.db"),
                                      &other, &err),
                    E_INPUT);
    CU_ASSERT_PTR_NULL(store);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another network"));
    sql("UPDATE meta SET value = x'63' WHERE key = 'schema'");
    CU_ASSERT_EQUAL(open_second(), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another version"));
    sql("UPDATE meta SET value = x'03' WHERE key = 'schema';"
        "CREATE VIEW v AS SELECT 1");
    CU_ASSERT_EQUAL(open_second(), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not have the tables"));
    sql("DROP VIEW v; DELETE FROM meta WHERE key = 'genesis'");
    CU_ASSERT_EQUAL(open_second(), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "genesis is missing"));
    scratch_write(&scratch, "text.db",
                  "This is no database, but long enough "
                  "to be looked at as if it were one. "
                  "This is no database, but long enough.");
    CU_ASSERT_EQUAL(ledger_store_open_reader(
                        &reader, scratch_path(&scratch, "text.db"), &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_open_reader(
                        &reader, scratch_path(&scratch, "none.db"), &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_open_reader(&reader, scratch.path, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_open(&store,
                                      scratch_path(&scratch, "no/state.db"),
                                      &genesis, &err),
                    E_INPUT);
    scratch_write(&scratch, "empty.db", "");
    CU_ASSERT_EQUAL(ledger_store_open_reader(
                        &reader, scratch_path(&scratch, "empty.db"), &err),
                    E_INPUT);
    CU_ASSERT_PTR_NULL(reader);
    end();
}

/* ---- what is kept ---- */

static void what_is_stored_is_found_again(void)
{
    struct digest id = {.byte = {1}}, root = {.byte = {9}}, back;
    struct stored_answer answer;
    struct stored_entry entry;
    struct text value;
    uint64_t number;
    bool found;

    begin();
    stored_entry_init(&entry);
    text_init(&value);
    CU_ASSERT_EQUAL(add(5, 1, "nonce"), OK);
    CU_ASSERT_EQUAL(ledger_store_set_raft_index(store, UINT64_MAX, &err), OK);
    CU_ASSERT_EQUAL(ledger_store_set_cosigned(store, 12, &root, &err), OK);
    CU_ASSERT_EQUAL(
        ledger_store_set_anchored(store, 5, bytes_of("old", 3), &err), OK);
    CU_ASSERT_EQUAL(
        ledger_store_set_anchored(store, 8, bytes_of("new", 3), &err), OK);
    CU_ASSERT_EQUAL(
        ledger_store_set_anchored(store, 7, bytes_of("late", 4), &err), OK);
    ledger_store_close(&store);
    open_it();
    CU_ASSERT_EQUAL(ledger_store_entry(store, 5, &entry, &found, &err), OK);
    CU_ASSERT(found);
    CU_ASSERT_STRING_EQUAL(entry.bytes.data, "entry");
    CU_ASSERT_EQUAL(entry.signatures.size, 0);
    CU_ASSERT_EQUAL(entry.verdict, VERDICT_STALE);
    CU_ASSERT_EQUAL(entry.block, 3);
    CU_ASSERT_EQUAL(ledger_store_entry(store, 4, &entry, &found, &err), OK);
    CU_ASSERT_FALSE(found);
    CU_ASSERT_EQUAL(ledger_store_entry(store, UINT64_MAX, &entry, &found, &err),
                    OK);
    CU_ASSERT_FALSE(found);
    CU_ASSERT_EQUAL(ledger_store_answer(store, &id, &answer, &err), OK);
    CU_ASSERT_EQUAL(answer.position, 5);
    CU_ASSERT_EQUAL(answer.verdict, VERDICT_STALE);
    CU_ASSERT_EQUAL(answer.block, 3);
    CU_ASSERT_EQUAL(ledger_store_find(store, &root, &number, &err), OK);
    CU_ASSERT_EQUAL(number, STORE_NONE);
    CU_ASSERT_EQUAL(ledger_store_find_nonce(store, "nonce", &number, &err), OK);
    CU_ASSERT_EQUAL(number, 5);
    CU_ASSERT_EQUAL(ledger_store_find_nonce(store, "nonc", &number, &err), OK);
    CU_ASSERT_EQUAL(number, STORE_NONE);
    CU_ASSERT_EQUAL(ledger_store_raft_index(store, &number, &err), OK);
    CU_ASSERT_EQUAL(number, UINT64_MAX);
    CU_ASSERT_EQUAL(ledger_store_cosigned(store, &number, &back, &err), OK);
    CU_ASSERT_EQUAL(number, 12);
    CU_ASSERT_EQUAL(memcmp(&back, &root, sizeof back), 0);
    CU_ASSERT_EQUAL(ledger_store_anchored(store, &number, &value, &err), OK);
    CU_ASSERT_EQUAL(number, 8);
    CU_ASSERT_STRING_EQUAL(value.data, "new");
    CU_ASSERT_EQUAL(ledger_store_genesis(store, &back, &err), OK);
    CU_ASSERT_EQUAL(memcmp(&back, &genesis, sizeof back), 0);
    CU_ASSERT_EQUAL(ledger_store_check(store, &err), OK);
    stored_entry_clear(&entry);
    text_clear(&value);
    end();
}

static void new_row_that_is_there_already_means_altered(void)
{
    begin();
    CU_ASSERT_EQUAL(add(0, 1, "a"), OK);
    CU_ASSERT_EQUAL(add(0, 2, "b"), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the database was altered"));
    CU_ASSERT_EQUAL(add(1, 1, "c"), E_INPUT);
    /* A nonce may come again: that is for the rules to judge. */
    CU_ASSERT_EQUAL(add(1, 3, "a"), OK);
    end();
}

static void tree_has_room_for_no_impossible_node(void)
{
    struct digest hash = {.byte = {4}}, back;

    begin();
    CU_ASSERT_EQUAL(ledger_store_put_node(store, 63, 0, &hash, &err), OK);
    CU_ASSERT_EQUAL(
        ledger_store_put_node(store, 0, (UINT64_C(1) << 57) - 1, &hash, &err),
        OK);
    CU_ASSERT_EQUAL(
        ledger_store_put_node(store, 0, UINT64_C(1) << 57, &hash, &err),
        E_LIMIT);
    CU_ASSERT_EQUAL(ledger_store_put_node(store, 64, 0, &hash, &err), E_LIMIT);
    CU_ASSERT_EQUAL(ledger_store_get_node(store, 63, 0, &back, &err), OK);
    CU_ASSERT_EQUAL(memcmp(&back, &hash, sizeof back), 0);
    CU_ASSERT_EQUAL(ledger_store_get_node(store, 63, 1, &back, &err), E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_get_node(store, 0, UINT64_MAX, &back, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_get_node(store, 64, 0, &back, &err), E_INPUT);
    end();
}

static void history_comes_in_pieces(void)
{
    struct text value, positions;
    uint64_t version;
    bool more;

    begin();
    text_init(&value);
    text_init(&positions);
    for (uint64_t at = 10; at < 15; at++)
        CU_ASSERT_EQUAL(
            ledger_store_put(store, "k", bytes_of(&at, 1), at, &err), OK);
    /* Twice by one entry is once. */
    CU_ASSERT_EQUAL(ledger_store_put(store, "k", bytes_of("z", 1), 14, &err),
                    OK);
    CU_ASSERT_EQUAL(ledger_store_get(store, "k", &value, &version, &err), OK);
    CU_ASSERT_STRING_EQUAL(value.data, "z");
    CU_ASSERT_EQUAL(version, 14);
    CU_ASSERT_EQUAL(
        ledger_store_history(store, "k", 11, 3, &positions, &more, &err), OK);
    CU_ASSERT_EQUAL_FATAL(positions.size, 24);
    CU_ASSERT_EQUAL(get_be64((const uint8_t *)positions.data), 11);
    CU_ASSERT_EQUAL(get_be64((const uint8_t *)positions.data + 16), 13);
    CU_ASSERT(more);
    text_reset(&positions);
    CU_ASSERT_EQUAL(
        ledger_store_history(store, "k", 14, 3, &positions, &more, &err), OK);
    CU_ASSERT_EQUAL(positions.size, 8);
    CU_ASSERT_FALSE(more);
    text_reset(&positions);
    CU_ASSERT_EQUAL(ledger_store_history(store, "k", UINT64_MAX, 3, &positions,
                                         &more, &err),
                    OK);
    CU_ASSERT_EQUAL(positions.size, 0);
    text_clear(&value);
    text_clear(&positions);
    end();
}

/* ---- transactions and readers ---- */

static void rollback_takes_everything_back(void)
{
    uint64_t position;
    struct digest id = {.byte = {1}};

    begin();
    CU_ASSERT_EQUAL(ledger_store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(add(0, 1, "a"), OK);
    ledger_store_rollback(store);
    ledger_store_rollback(store);
    CU_ASSERT_EQUAL(ledger_store_find(store, &id, &position, &err), OK);
    CU_ASSERT_EQUAL(position, STORE_NONE);
    CU_ASSERT_EQUAL(add(0, 1, "a"), OK);
    end();
}

static void reader_sees_one_state_while_others_write(void)
{
    struct ledger_store *reader = NULL;
    struct digest id = {.byte = {2}};
    uint64_t position;

    begin();
    CU_ASSERT_EQUAL(add(0, 1, "a"), OK);
    CU_ASSERT_EQUAL_FATAL(
        ledger_store_open_reader(&reader, scratch_path(&scratch, "state.db"),
                                 &err),
        OK);
    CU_ASSERT_EQUAL(ledger_store_begin(reader, &err), OK);
    CU_ASSERT_EQUAL(ledger_store_find(reader, &id, &position, &err), OK);
    CU_ASSERT_EQUAL(add(1, 2, "b"), OK);
    CU_ASSERT_EQUAL(ledger_store_find(reader, &id, &position, &err), OK);
    CU_ASSERT_EQUAL(position, STORE_NONE);
    CU_ASSERT_EQUAL(ledger_store_commit(reader, &err), OK);
    CU_ASSERT_EQUAL(ledger_store_find(reader, &id, &position, &err), OK);
    CU_ASSERT_EQUAL(position, 1);
    /* It writes nothing. */
    CU_ASSERT_EQUAL(ledger_store_set_raft_index(reader, 1, &err), E_IO);
    ledger_store_close(&reader);
    end();
}

static void altered_rows_are_refused_not_served(void)
{
    struct stored_entry entry;
    struct text value;
    uint64_t number;
    struct block block;
    bool found;

    begin();
    stored_entry_init(&entry);
    text_init(&value);
    CU_ASSERT_EQUAL(add(0, 1, "a"), OK);
    CU_ASSERT_EQUAL(ledger_store_put(store, "k", bytes_of("v", 1), 0, &err),
                    OK);
    ledger_store_close(&store);
    sql("UPDATE entry SET verdict = 10;"
        "UPDATE state SET version = -1;"
        "INSERT INTO block VALUES(0, zeroblob(140), zeroblob(32));"
        "INSERT INTO meta VALUES('raft', x'00', 0)");
    open_it();
    CU_ASSERT_EQUAL(ledger_store_entry(store, 0, &entry, &found, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_get(store, "k", &value, &number, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_block(store, 0, &block, NULL, &found, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_tip(store, &block, NULL, &found, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(ledger_store_raft_index(store, &number, &err), E_INPUT);
    stored_entry_clear(&entry);
    text_clear(&value);
    end();
}

/* What is read by its key, and what it must say then. */
static enum status read_all(struct error *why)
{
    struct digest id = {.byte = {1}};
    struct stored_answer answer;
    struct stored_entry entry;
    struct text text;
    uint64_t number;
    bool found, more;
    enum status status;

    error_init(why);
    text_init(&text);
    stored_entry_init(&entry);
    status = ledger_store_answer(store, &id, &answer, why);
    if (status == OK)
        status = ledger_store_find_nonce(store, "a", &number, why);
    if (status == OK)
        status = ledger_store_get(store, "k", &text, &number, why);
    text_reset(&text);
    if (status == OK)
        status = ledger_store_history(store, "k", 0, 9, &text, &more, why);
    if (status == OK)
        status = ledger_store_raft_index(store, &number, why);
    if (status == OK)
        status = ledger_store_entry(store, 7, &entry, &found, why);
    if (status == OK && found)
        status = ledger_store_check_writes(store, &entry, why);
    stored_entry_clear(&entry);
    text_clear(&text);
    return status;
}

/* No hash of the log covers these rows.  One bit is another everywhere. */
static void bit_flipped_in_a_sealed_row_is_found_when_it_is_read(void)
{
    static const char *const flips[] = {
        "UPDATE entry SET verdict = verdict - 8 WHERE position = 7",
        "UPDATE entry SET block = block + 4 WHERE position = 7",
        "UPDATE entry SET writes = writes + 2 WHERE position = 7",
        "UPDATE entry SET seal = seal + 1 WHERE position = 7",
        "UPDATE nonce SET position = 6",
        "UPDATE nonce SET seal = seal - 1",
        "UPDATE state SET value = CAST('w' AS BLOB)",
        "UPDATE state SET version = version - 1",
        "UPDATE state SET seal = -seal",
        "UPDATE history SET previous = 5 WHERE position = 7",
        "UPDATE history SET position = 6 WHERE position = 7",
        "UPDATE history SET position = 2 WHERE position = 3",
        "UPDATE history SET seal = seal + 256 WHERE position = 3",
        "DELETE FROM history WHERE position = 3",
        "DELETE FROM history WHERE position = 7",
        "DELETE FROM history",
        "DELETE FROM state",
        "UPDATE meta SET value = x'0000000000000008' WHERE key = 'raft'",
        "UPDATE meta SET seal = seal + 1 WHERE key = 'raft'",
    };
    struct error why;

    begin();
    CU_ASSERT_EQUAL(ledger_store_put(store, "k", bytes_of("u", 1), 3, &err),
                    OK);
    CU_ASSERT_EQUAL(ledger_store_put(store, "k", bytes_of("v", 1), 7, &err),
                    OK);
    store->writes = 1;
    CU_ASSERT_EQUAL(add(7, 1, "a"), OK);
    CU_ASSERT_EQUAL(ledger_store_set_raft_index(store, 9, &err), OK);
    CU_ASSERT_EQUAL(read_all(&why), OK);
    for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) {
        char *message = NULL;

        CU_ASSERT_EQUAL(ledger_store_begin(store, &err), OK);
        if (sqlite3_exec(store->sql->db, flips[i], NULL, NULL, &message) !=
            SQLITE_OK) {
            fprintf(stderr, "\n%s: %s\n", flips[i], message);
            CU_FAIL("the test's own SQL fails");
        }
        CU_ASSERT(sqlite3_changes(store->sql->db) > 0);
        if (read_all(&why) != E_INPUT) {
            fprintf(stderr, "\n%s: %s\n", flips[i], why.text);
            CU_FAIL("not noticed");
        }
        CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "the database was altered"));
        ledger_store_rollback(store);
        CU_ASSERT_EQUAL(read_all(&why), OK);
    }
    end();
}

/* The first eight bytes of the SHA-256 of sizes, numbers, table, key, value, by
 * another program. */
static void seals_are_made_by_the_rule(void)
{
    sqlite3_int64 before;

    begin();
    CU_ASSERT_EQUAL(ledger_store_put(store, "k", bytes_of("u", 1), 3, &err),
                    OK);
    CU_ASSERT_EQUAL(ledger_store_put(store, "k", bytes_of("v", 1), 7, &err),
                    OK);
    CU_ASSERT_EQUAL(add(7, 1, "a"), OK);
    before = row_seal_sum(store->sql->db);
    CU_ASSERT_NOT_EQUAL(before, 0);
    row_seal_all(store->sql->db);
    CU_ASSERT_EQUAL(row_seal_sum(store->sql->db), before);
    end();
}

static void comparison_names_the_first_difference(void)
{
    struct store_difference difference;
    struct ledger_store *other = NULL;

    begin();
    CU_ASSERT_EQUAL_FATAL(ledger_store_open(&other,
                                            scratch_path(&scratch, "other.db"),
                                            &genesis, &err),
                          OK);
    CU_ASSERT_EQUAL(ledger_store_compare(store, other, &difference, &err), OK);
    CU_ASSERT_PTR_NULL(difference.table);
    CU_ASSERT_EQUAL(ledger_store_put(other, "k", bytes_of("v", 1), 0, &err),
                    OK);
    CU_ASSERT_EQUAL(ledger_store_compare(store, other, &difference, &err), OK);
    CU_ASSERT_STRING_EQUAL(difference.table, "state");
    CU_ASSERT_STRING_EQUAL(difference.key, "k");
    CU_ASSERT_EQUAL(difference.number, STORE_NONE);
    CU_ASSERT_EQUAL(add(6, 1, "a"), OK);
    CU_ASSERT_EQUAL(ledger_store_compare(store, other, &difference, &err), OK);
    CU_ASSERT_STRING_EQUAL(difference.table, "entry");
    CU_ASSERT_EQUAL(difference.number, 6);
    ledger_store_close(&other);
    end();
}

/* Where the file has `words`, it has others: not by SQLite, which would know.
 */
static void overwrite(const char *words)
{
    const char *path = scratch_path(&scratch, "state.db");
    size_t size = strlen(words), found = 0;
    FILE *file = fopen(path, "r+b");
    struct stat is;
    char *content;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(stat(path, &is), 0);
    content = calloc(1, (size_t)is.st_size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(content);
    CU_ASSERT_EQUAL(fread(content, 1, (size_t)is.st_size, file),
                    (size_t)is.st_size);
    for (size_t i = 0; i + size <= (size_t)is.st_size; i++) {
        if (memcmp(content + i, words, size) != 0)
            continue;
        fseek(file, (long)i, SEEK_SET);
        fputc('N', file);
        found++;
    }
    CU_ASSERT(found > 0);
    fclose(file);
    free(content);
}

static void file_is_read_anew_when_asked(void)
{
    struct ledger_store *reader = NULL;
    uint64_t position;

    begin();
    CU_ASSERT_EQUAL(add(5, 1, "a nonce like no other"), OK);
    ledger_store_close(&store); /* all of it in the one file */
    CU_ASSERT_EQUAL_FATAL(
        ledger_store_open_reader(&reader, scratch_path(&scratch, "state.db"),
                                 &err),
        OK);
    CU_ASSERT_EQUAL(ledger_store_find_nonce(reader, "a nonce like no other",
                                            &position, &err),
                    OK);
    CU_ASSERT_EQUAL(position, 5);
    overwrite("a nonce like no other");
    /* Else nothing is shown below. */
    CU_ASSERT_EQUAL(ledger_store_find_nonce(reader, "a nonce like no other",
                                            &position, &err),
                    OK);
    CU_ASSERT_EQUAL(position, 5);
    ledger_store_read_anew(reader);
    CU_ASSERT(ledger_store_find_nonce(reader, "a nonce like no other",
                                      &position, &err) != OK ||
              position == STORE_NONE);
    ledger_store_close(&reader);
    end();
}

void suite_ledger_store(void)
{
    static const struct test tests[] = {
        {"file is for its owner alone", file_is_for_its_owner_alone},
        {"second writer is refused", second_writer_is_refused},
        {"other files are refused", other_files_are_refused},
        {"what is stored is found again", what_is_stored_is_found_again},
        {"new row that is there already means altered",
         new_row_that_is_there_already_means_altered},
        {"tree has room for no impossible node",
         tree_has_room_for_no_impossible_node},
        {"history comes in pieces", history_comes_in_pieces},
        {"rollback takes everything back", rollback_takes_everything_back},
        {"reader sees one state while others write",
         reader_sees_one_state_while_others_write},
        {"altered rows are refused, not served",
         altered_rows_are_refused_not_served},
        {"bit flipped in a sealed row is found when it is read",
         bit_flipped_in_a_sealed_row_is_found_when_it_is_read},
        {"seals are made by the rule", seals_are_made_by_the_rule},
        {"file is read anew when asked", file_is_read_anew_when_asked},
        {"comparison names the first difference",
         comparison_names_the_first_difference},
    };

    suite_add("ledger_store", tests, sizeof tests / sizeof tests[0]);
}
