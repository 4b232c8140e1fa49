#include "ledger/ledger_store_internal.h"

static const struct {
    const char *table;
    const char *rows; /* the key first, in its order */
} compared[] = {
    {"entry", "SELECT position, id, bytes, signatures, verdict, block, writes,"
              " seal FROM entry ORDER BY position"},
    {"block", "SELECT number, header, hash FROM block ORDER BY number"},
    {"nonce", "SELECT nonce, position, seal FROM nonce ORDER BY nonce"},
    {"node", "SELECT place, hash FROM node ORDER BY place"},
    {"state", "SELECT key, value, version, seal FROM state ORDER BY key"},
    {"history", "SELECT key, position, previous, seal FROM history ORDER BY"
                " key, position"},
};

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
    for (int i = 0; i < sqlite3_column_count(a); i++)
        if (sqlite3_column_type(a, i) != sqlite3_column_type(b, i) ||
            !bytes_equal(store_column_bytes(a, i), store_column_bytes(b, i)))
            return false;
    return true;
}

static void name_row(struct store_difference *difference, const char *table,
                     sqlite3_stmt *row)
{
    difference->table = table;
    if (sqlite3_column_type(row, 0) == SQLITE_INTEGER &&
        !store_column_number(row, 0, &difference->number))
        difference->number = STORE_NONE;
    store_printable(store_column_bytes(row, 0), difference->key);
}

static enum status compare_rows(struct ledger_store *a, sqlite3_stmt *rows_a,
                                struct ledger_store *b, sqlite3_stmt *rows_b,
                                const char *table,
                                struct store_difference *difference,
                                struct error *err)
{
    bool more_a = true, more_b = true;
    enum status status = OK;

    while (more_a && difference->table == NULL) {
        status = store_step(a, rows_a, &more_a, err);
        if (status == OK)
            status = store_step(b, rows_b, &more_b, err);
        if (status != OK)
            return status;
        if (more_a != more_b || (more_a && !same_row(rows_a, rows_b)))
            name_row(difference, table, more_a ? rows_a : rows_b);
    }
    return status;
}

/* One table of both. */
static enum status compare_table(struct ledger_store *a, struct ledger_store *b,
                                 size_t which,
                                 struct store_difference *difference,
                                 struct error *err)
{
    sqlite3_stmt *rows_a = NULL, *rows_b = NULL;
    enum status status = OK;
    int code =
        sqlite3_prepare_v2(a->db, compared[which].rows, -1, &rows_a, NULL);

    if (code != SQLITE_OK)
        status = store_failed(a, code, err);
    if (status == OK) {
        code =
            sqlite3_prepare_v2(b->db, compared[which].rows, -1, &rows_b, NULL);
        if (code != SQLITE_OK)
            status = store_failed(b, code, err);
    }
    if (status == OK)
        status = compare_rows(a, rows_a, b, rows_b, compared[which].table,
                              difference, err);
    sqlite3_finalize(rows_a);
    sqlite3_finalize(rows_b);
    return status;
}

enum status ledger_store_compare(struct ledger_store *a, struct ledger_store *b,
                                 struct store_difference *difference,
                                 struct error *err)
{
    enum status status = OK;

    *difference = (struct store_difference){.number = STORE_NONE};
    for (size_t i = 0; status == OK && difference->table == NULL &&
                       i < sizeof compared / sizeof compared[0];
         i++)
        status = compare_table(a, b, i, difference, err);
    return status;
}

enum status ledger_store_check(struct ledger_store *store, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(1)", -1,
                                  &statement, NULL);
    enum status status =
        code == SQLITE_OK ? OK : store_failed(store, code, err);

    if (status == OK)
        status = store_step(store, statement, &found, err);
    if (status == OK &&
        (!found || !bytes_equal_string(store_column_bytes(statement, 0), "ok")))
        status = error_set(err, E_INPUT,
                           "%s: the database is damaged: its pages or indexes "
                           "do not fit together",
                           store->path);
    sqlite3_finalize(statement);
    return status;
}
