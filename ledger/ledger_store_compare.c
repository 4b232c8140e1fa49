#include "ledger/ledger_store_internal.h"

static const struct {
    const char *table;
    enum statement rows; /* the key first, in its order */
} compared[] = {
    {"entry", SQL_ALL_ENTRIES}, {"block", SQL_ALL_BLOCKS},
    {"nonce", SQL_ALL_NONCES},  {"node", SQL_ALL_NODES},
    {"state", SQL_ALL_STATES},  {"history", SQL_ALL_HISTORY},
};

static void name_row(struct store_difference *difference, const char *table,
                     struct sql_statement *row)
{
    difference->table = table;
    if (sql_column_is_integer(row, 0) &&
        !sql_column_number(row, 0, &difference->number))
        difference->number = STORE_NONE;
    store_printable(sql_column_bytes(row, 0), difference->key);
}

static enum status compare_rows(struct ledger_store *a,
                                struct sql_statement *rows_a,
                                struct ledger_store *b,
                                struct sql_statement *rows_b, const char *table,
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
        if (more_a != more_b || (more_a && !sql_rows_equal(rows_a, rows_b)))
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
    struct sql_statement *rows_a = NULL, *rows_b = NULL;
    enum status status = store_prepare(a, compared[which].rows, &rows_a, err);

    if (status == OK)
        status = store_prepare(b, compared[which].rows, &rows_b, err);
    if (status == OK)
        status = compare_rows(a, rows_a, b, rows_b, compared[which].table,
                              difference, err);
    sql_store_reset(rows_a);
    sql_store_reset(rows_b);
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
    struct sql_statement *statement = NULL;
    bool found = false;
    enum status status = store_prepare(store, SQL_CHECK, &statement, err);

    if (status == OK)
        status = store_step(store, statement, &found, err);
    if (status == OK &&
        (!found || !bytes_equal_string(sql_column_bytes(statement, 0), "ok")))
        status = error_set(err, E_INPUT,
                           "%s: the database is damaged: its pages or indexes "
                           "do not fit together",
                           sql_store_path(store->sql));
    sql_store_reset(statement);
    return status;
}
