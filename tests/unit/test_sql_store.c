#include "common/sql_store.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_sql_store(void);

enum { ADD, FIND, COUNT, STATEMENT_COUNT };
static const char *const statements[] = {
    [ADD] = "INSERT INTO thing(id, value) VALUES(?1, ?2)",
    [FIND] = "SELECT value FROM thing WHERE id = ?1",
    [COUNT] = "SELECT count(*) FROM thing",
};
static const char *const schema[] = {
    "CREATE TABLE thing(id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT"};
static const struct sql_plan plain = {.what = "a box",
                                      .schema = schema,
                                      .table_count = 1,
                                      .statement = statements,
                                      .statement_count = STATEMENT_COUNT,
                                      .cache_kib = 1024};
static const struct sql_plan ahead = {.what = "a box",
                                      .schema = schema,
                                      .table_count = 1,
                                      .statement = statements,
                                      .statement_count = STATEMENT_COUNT,
                                      .cache_kib = 1024,
                                      .write_ahead = true};
static const struct sql_plan shared = {.what = "a box",
                                       .schema = schema,
                                       .table_count = 1,
                                       .statement = statements,
                                       .statement_count = STATEMENT_COUNT,
                                       .cache_kib = 1024,
                                       .write_ahead = true,
                                       .shared = true,
                                       .sync_later = true,
                                       .log_kib = 64};

static struct scratch scratch;
static struct error err;

static const char *path(void)
{
    return scratch_path(&scratch, "box.db");
}

static void begin(void)
{
    scratch_open(&scratch);
    error_init(&err);
}

static void end(void)
{
    scratch_close(&scratch);
}

static struct sql_store *open_as(const struct sql_plan *plan, enum sql_open how,
                                 enum status expected)
{
    struct sql_store *store = NULL;

    error_init(&err);
    CU_ASSERT_EQUAL(sql_store_open(&store, path(), plan, how, NULL, &err),
                    expected);
    CU_ASSERT_EQUAL(store == NULL, expected != OK);
    return store;
}

static void sql(const char *statement)
{
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path(), &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_exec(db, statement, NULL, NULL, NULL),
                          SQLITE_OK);
    sqlite3_close(db);
}

static enum status add(struct sql_store *store, uint64_t id, const char *value)
{
    struct sql_statement *statement = NULL;

    CU_ASSERT_EQUAL_FATAL(sql_store_prepare(store, ADD, &statement, &err), OK);
    sql_bind_number(statement, 1, id);
    sql_bind_bytes(statement, 2, bytes_of_string(value));
    return sql_store_run(store, statement, &err);
}

static bool holds(struct sql_store *store, uint64_t id, const char *value)
{
    struct sql_statement *statement = NULL;
    bool found = false, same;

    CU_ASSERT_EQUAL_FATAL(sql_store_prepare(store, FIND, &statement, &err), OK);
    sql_bind_number(statement, 1, id);
    CU_ASSERT_EQUAL(sql_store_step(store, statement, &found, &err), OK);
    same = found && bytes_equal_string(sql_column_bytes(statement, 0), value);
    sql_store_reset(statement);
    return same;
}

static void file_is_for_its_owner_alone_or_refused(void)
{
    struct sql_store *store;
    struct stat is;

    begin();
    store = open_as(&plain, SQL_CREATE, OK);
    CU_ASSERT_EQUAL(stat(path(), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    sql_store_close(&store);
    CU_ASSERT_EQUAL(chmod(path(), 0640), 0);
    open_as(&plain, SQL_OPEN_EXISTING, E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "chmod 600"));
    CU_ASSERT_EQUAL(unlink(path()), 0);
    CU_ASSERT_EQUAL(mkdir(path(), 0700), 0);
    open_as(&plain, SQL_OPEN_OR_CREATE, E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no regular file"));
    end();
}

static void missing_and_present_files_are_told_apart(void)
{
    struct sql_store *store;

    begin();
    open_as(&plain, SQL_OPEN_EXISTING, E_INPUT);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    store = open_as(&plain, SQL_OPEN_OR_CREATE, OK);
    CU_ASSERT_EQUAL(add(store, 1, "one"), OK);
    sql_store_close(&store);
    open_as(&plain, SQL_CREATE, E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "exists already"));
    store = open_as(&plain, SQL_OPEN_EXISTING, OK);
    CU_ASSERT(holds(store, 1, "one"));
    CU_ASSERT(!holds(store, 2, "one"));
    sql_store_close(&store);
    end();
}

/* The lock is one of open files, so this process is no better than another. */
static void second_opening_is_refused(void)
{
    struct sql_store *store;

    begin();
    store = open_as(&plain, SQL_CREATE, OK);
    for (int i = 0; i < 2; i++) {
        open_as(&plain, SQL_OPEN_EXISTING, E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another process is using it"));
        /* The refusal took nothing from the one that has it. */
        CU_ASSERT_EQUAL(add(store, (uint64_t)i, "one"), OK);
    }
    sql_store_close(&store);
    store = open_as(&plain, SQL_OPEN_EXISTING, OK);
    CU_ASSERT(holds(store, 1, "one"));
    sql_store_close(&store);
    end();
}

static void other_tables_are_refused_and_left_alone(void)
{
    static const char *const changes[] = {
        "CREATE TABLE more(id INTEGER)",
        "CREATE TRIGGER t AFTER INSERT ON thing BEGIN DELETE FROM thing; END",
        "CREATE VIEW v AS SELECT * FROM thing",
        "CREATE INDEX i ON thing(value)",
        "ALTER TABLE thing RENAME TO other",
        "DROP TABLE thing"};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct sql_store *store;
        struct stat is, later;

        begin();
        store = open_as(&plain, SQL_CREATE, OK);
        sql_store_close(&store);
        sql(changes[i]);
        CU_ASSERT_EQUAL(stat(path(), &is), 0);
        open_as(&ahead, SQL_OPEN_EXISTING, E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(err.text, "does not have the tables of a box"));
        CU_ASSERT_EQUAL(stat(path(), &later), 0);
        CU_ASSERT_EQUAL(memcmp(&is.st_mtim, &later.st_mtim, sizeof is.st_mtim),
                        0);
        end();
    }
}

static void what_is_no_database_is_refused(void)
{
    begin();
    scratch_write(&scratch, "box.db",
                  "this is a text, and by no means a database of any kind, "
                  "although it is long enough to have the header of one, which "
                  "has 100 bytes");
    CU_ASSERT_EQUAL(chmod(path(), 0600), 0);
    open_as(&plain, SQL_OPEN_OR_CREATE, E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "damaged"));
    end();
}

static void what_is_not_committed_is_not_there(void)
{
    const struct sql_plan *plans[] = {&plain, &ahead};

    for (size_t i = 0; i < 2; i++) {
        struct sql_store *store;

        begin();
        store = open_as(plans[i], SQL_CREATE, OK);
        CU_ASSERT_EQUAL(sql_store_begin(store, &err), OK);
        CU_ASSERT_EQUAL(add(store, 1, "one"), OK);
        CU_ASSERT_EQUAL(sql_store_changes(store), 1);
        sql_store_rollback(store);
        CU_ASSERT(!holds(store, 1, "one"));
        CU_ASSERT_EQUAL(sql_store_begin(store, &err), OK);
        CU_ASSERT_EQUAL(add(store, 2, "two"), OK);
        CU_ASSERT_EQUAL(sql_store_commit(store, &err), OK);
        CU_ASSERT_EQUAL(sql_store_begin(store, &err), OK);
        CU_ASSERT_EQUAL(add(store, 3, "three"), OK);
        sql_store_close(&store);
        store = open_as(plans[i], SQL_OPEN_EXISTING, OK);
        CU_ASSERT(holds(store, 2, "two"));
        CU_ASSERT(!holds(store, 3, "three"));
        sql_store_close(&store);
        end();
    }
}

static void row_that_is_there_already_is_told_without_its_value(void)
{
    struct sql_store *store;

    begin();
    store = open_as(&plain, SQL_CREATE, OK);
    CU_ASSERT_EQUAL(add(store, 1, "one"), OK);
    CU_ASSERT_EQUAL(add(store, 1, "secret"), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a new row is there already"));
    CU_ASSERT_PTR_NULL(strstr(err.text, "secret"));
    CU_ASSERT(holds(store, 1, "one"));
    sql_store_close(&store);
    end();
}

static void columns_of_another_size_or_sign_are_seen(void)
{
    struct sql_statement *find = NULL;
    struct sql_store *store;
    uint64_t number = 0;
    char four[4];
    bool found;

    begin();
    store = open_as(&plain, SQL_CREATE, OK);
    CU_ASSERT_EQUAL(add(store, 1, "12345"), OK);
    CU_ASSERT_EQUAL(sql_store_prepare(store, FIND, &find, &err), OK);
    sql_bind_number(find, 1, 1);
    CU_ASSERT_EQUAL(sql_store_step(store, find, &found, &err), OK);
    CU_ASSERT(found);
    CU_ASSERT(!sql_column_fixed(find, 0, four, 4));
    CU_ASSERT(!sql_column_fixed(find, 0, four, 0));
    sql_store_reset(find);
    CU_ASSERT_EQUAL(sql_store_prepare(store, COUNT, &find, &err), OK);
    CU_ASSERT_EQUAL(sql_store_step(store, find, &found, &err), OK);
    CU_ASSERT(sql_column_number(find, 0, &number));
    CU_ASSERT_EQUAL(number, 1);
    CU_ASSERT_EQUAL(sql_store_step(store, find, &found, &err), OK);
    CU_ASSERT(!found);
    sql_store_close(&store);
    end();
}

static void shared_file_is_read_beside_one_writer(void)
{
    struct sql_store *store, *reader;

    begin();
    open_as(&shared, SQL_READ, E_INPUT);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    store = open_as(&shared, SQL_OPEN_OR_CREATE, OK);
    CU_ASSERT_EQUAL(chmod(path(), 0644), 0);
    open_as(&shared, SQL_OPEN_EXISTING, E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another process is using it"));
    reader = open_as(&shared, SQL_READ, OK);
    CU_ASSERT_EQUAL(sql_store_begin(reader, &err), OK);
    CU_ASSERT(!holds(reader, 1, "one"));
    CU_ASSERT_EQUAL(add(store, 1, "one"), OK);
    CU_ASSERT(!holds(reader, 1, "one"));
    CU_ASSERT_EQUAL(sql_store_commit(reader, &err), OK);
    CU_ASSERT(holds(reader, 1, "one"));
    CU_ASSERT_EQUAL(add(reader, 2, "two"), E_IO);
    CU_ASSERT_EQUAL(sql_store_sync(store, &err), OK);
    sql_store_close(&reader);
    sql_store_close(&store);
    store = open_as(&shared, SQL_OPEN_EXISTING, OK);
    CU_ASSERT(holds(store, 1, "one"));
    sql_store_close(&store);
    end();
}

static void reader_takes_only_a_file_with_its_tables(void)
{
    begin();
    scratch_write(&scratch, "box.db", "");
    open_as(&shared, SQL_READ, E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err.text, "does not have the tables of a box"));
    end();
}

static off_t size_of(const char *name)
{
    struct stat is;

    return stat(scratch_path(&scratch, name), &is) == 0 ? is.st_size : 0;
}

/* What a log of 64 KiB may grow to while it is copied (eight times as much, and
 * the transaction that finds that out). */
#define LOG_MOST ((off_t)(8 * 64 + 64) << 10)

/* The database grows without the writer's doing, and the log begins anew: it
 * stays far smaller than what went through it. */
static void log_is_copied_beside_the_writer(void)
{
    static char value[2001];
    struct sql_store *store;
    off_t empty;

    begin();
    store = open_as(&shared, SQL_CREATE, OK);
    empty = size_of("box.db");
    CU_ASSERT_EQUAL_FATAL(sql_store_copy_aside(store, &err), OK);
    for (unsigned i = 0; i < 2000; i++) {
        memset(value, (int)('a' + i % 26), sizeof value - 1);
        CU_ASSERT_EQUAL(add(store, i, value), OK);
    }
    for (int tries = 0; tries < 1000 && size_of("box.db") <= empty; tries++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    CU_ASSERT(size_of("box.db") > empty);
    CU_ASSERT(size_of("box.db-wal") < LOG_MOST);
    sql_store_close(&store);
    store = open_as(&shared, SQL_OPEN_EXISTING, OK);
    for (unsigned i = 0; i < 2000; i += 7) {
        memset(value, (int)('a' + i % 26), sizeof value - 1);
        CU_ASSERT(holds(store, i, value));
    }
    sql_store_close(&store);
    end();
}

/* It cannot begin anew while somebody reads it, and does so afterwards. */
static void log_that_is_read_grows_and_is_cut_down_again(void)
{
    static char value[2001];
    struct sql_store *store, *reader;

    memset(value, 'a', sizeof value - 1);
    begin();
    store = open_as(&shared, SQL_CREATE, OK);
    reader = open_as(&shared, SQL_READ, OK);
    CU_ASSERT_EQUAL_FATAL(sql_store_copy_aside(store, &err), OK);
    CU_ASSERT_EQUAL(add(store, 0, value), OK);
    CU_ASSERT_EQUAL(sql_store_begin(reader, &err), OK);
    CU_ASSERT(holds(reader, 0, value));
    for (unsigned i = 1; i < 1000; i++)
        CU_ASSERT_EQUAL(add(store, i, value), OK);
    CU_ASSERT(size_of("box.db-wal") > 1000 * (off_t)sizeof value);
    CU_ASSERT_EQUAL(sql_store_commit(reader, &err), OK);
    for (unsigned i = 1000; i < 2000; i++)
        CU_ASSERT_EQUAL(add(store, i, value), OK);
    CU_ASSERT(size_of("box.db-wal") < LOG_MOST);
    CU_ASSERT(holds(reader, 1999, value));
    sql_store_close(&reader);
    sql_store_close(&store);
    end();
}

static int64_t number_of(const char *pragma)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;
    int64_t number;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path(), &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, pragma, -1, &statement, NULL),
                          SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

/* The log of one that has other pages is as large in bytes: it is copied
 * there. */
static void pages_are_of_the_size_that_a_new_file_got(void)
{
    static char value[2001];
    struct sql_plan small = shared;
    struct sql_store *store;

    memset(value, 'a', sizeof value - 1);
    small.page_size = 1024;
    begin();
    store = open_as(&small, SQL_CREATE, OK);
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(add(store, i, value), OK);
    CU_ASSERT(size_of("box.db-wal") < (off_t)(2 * 64) << 10);
    sql_store_close(&store);
    CU_ASSERT_EQUAL(number_of("PRAGMA page_size"), 1024);
    store = open_as(&shared, SQL_OPEN_EXISTING, OK);
    CU_ASSERT(holds(store, 999, value));
    for (unsigned i = 1000; i < 2000; i++)
        CU_ASSERT_EQUAL(add(store, i, value), OK);
    CU_ASSERT(size_of("box.db-wal") < (off_t)(2 * 64) << 10);
    sql_store_close(&store);
    CU_ASSERT_EQUAL(number_of("PRAGMA page_size"), 1024);
    end();
}

static void rows_are_compared_by_their_values(void)
{
    static const struct {
        const char *first, *second;
        bool same;
    } pairs[] = {{"one", "one", true},
                 {"one", "two", false},
                 {"one", "on", false},
                 {"", "", true}};
    struct sql_statement *rows = NULL, *others = NULL;
    bool found;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sql_store *store, *reader;

        begin();
        store = open_as(&shared, SQL_CREATE, OK);
        reader = open_as(&shared, SQL_READ, OK);
        CU_ASSERT_EQUAL(add(store, 1, pairs[i].first), OK);
        CU_ASSERT_EQUAL(add(store, 2, pairs[i].second), OK);
        CU_ASSERT_EQUAL(sql_store_prepare(store, FIND, &rows, &err), OK);
        CU_ASSERT_EQUAL(sql_store_prepare(reader, FIND, &others, &err), OK);
        sql_bind_number(rows, 1, 1);
        sql_bind_number(others, 1, 2);
        CU_ASSERT_EQUAL(sql_store_step(store, rows, &found, &err), OK);
        CU_ASSERT_EQUAL(sql_store_step(reader, others, &found, &err), OK);
        CU_ASSERT_EQUAL(sql_rows_equal(rows, others), pairs[i].same);
        sql_store_close(&reader);
        sql_store_close(&store);
        end();
    }
}

void suite_sql_store(void)
{
    static const struct test tests[] = {
        {"a file is for its owner alone, or refused",
         file_is_for_its_owner_alone_or_refused},
        {"missing and present files are told apart",
         missing_and_present_files_are_told_apart},
        {"a second opening is refused", second_opening_is_refused},
        {"other tables are refused, and left alone",
         other_tables_are_refused_and_left_alone},
        {"what is no database is refused", what_is_no_database_is_refused},
        {"what is not committed is not there",
         what_is_not_committed_is_not_there},
        {"a row that is there already is told without its value",
         row_that_is_there_already_is_told_without_its_value},
        {"columns of another size are seen",
         columns_of_another_size_or_sign_are_seen},
        {"a shared file is read beside one writer",
         shared_file_is_read_beside_one_writer},
        {"a reader takes only a file with its tables",
         reader_takes_only_a_file_with_its_tables},
        {"the log is copied beside the writer",
         log_is_copied_beside_the_writer},
        {"a log that is read grows, and is cut down again",
         log_that_is_read_grows_and_is_cut_down_again},
        {"pages are of the size that a new file got",
         pages_are_of_the_size_that_a_new_file_got},
        {"rows are compared by their values",
         rows_are_compared_by_their_values},
    };

    suite_add("sql_store", tests, sizeof tests / sizeof tests[0]);
}
