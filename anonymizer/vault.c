#include "anonymizer/vault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "anonymizer/vault_internal.h"
#include "common/encoding.h"
#include "common/json.h"

/* Raised with every change of what vault.db holds. */
#define SCHEMA_VERSION 1

static const char *const statements[VAULT_STATEMENT_COUNT] = {
    [VAULT_GET_META] = "SELECT value FROM meta WHERE key = ?1",
    [VAULT_PUT_META] = "INSERT INTO meta(key, value) VALUES(?1, ?2)",
    [VAULT_ADD_DATASET] =
        "INSERT INTO dataset(number, id, schema, row_count, root, complete)"
        " VALUES((SELECT coalesce(max(number), 0) + 1 FROM dataset), ?1, ?2, 0,"
        " x'', 0) RETURNING number",
    [VAULT_FINISH_DATASET] = "UPDATE dataset SET row_count = ?2, root = ?3,"
                             " complete = 1 WHERE number = ?1",
    [VAULT_FIND_DATASET] =
        "SELECT number, schema, row_count, root FROM dataset WHERE id = ?1 AND"
        " complete = 1",
    [VAULT_COUNT_DATASETS] = "SELECT count(*) FROM dataset",
    [VAULT_DATASETS] = "SELECT id FROM dataset ORDER BY id",
    [VAULT_UNFINISHED] = "SELECT number FROM dataset WHERE complete = 0 AND"
                         " row_count = 0 AND length(root) = 0 ORDER BY number"
                         " LIMIT 1",
    [VAULT_DROP_DATASET] = "DELETE FROM dataset WHERE number = ?1",
    [VAULT_DROP_ROWS] = "DELETE FROM row WHERE place >= ?1 AND place < ?2",
    [VAULT_ADD_ROW] = "INSERT INTO row(place, subject, key, token, commitment,"
                      " leaf, sealed) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [VAULT_NEXT_ROWS] = "SELECT place, subject, key, token, commitment, leaf,"
                        " sealed FROM row WHERE place >= ?1 AND place < ?2"
                        " ORDER BY place",
};

static const char *const schema[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE dataset(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " schema BLOB NOT NULL, row_count INTEGER NOT NULL, root BLOB NOT NULL,"
    " complete INTEGER NOT NULL) STRICT",
    "CREATE TABLE row(place INTEGER PRIMARY KEY, subject BLOB NOT NULL,"
    " key BLOB NOT NULL, token BLOB NOT NULL, commitment BLOB NOT NULL,"
    " leaf BLOB NOT NULL, sealed BLOB NOT NULL) STRICT",
};

/* Written ahead: batches of an ingest are synced one after the other. */
static const struct sql_plan plan = {
    .what = "a vault",
    .schema = schema,
    .table_count = sizeof schema / sizeof schema[0],
    .statement = statements,
    .statement_count = VAULT_STATEMENT_COUNT,
    .cache_kib = VAULT_CACHE_KIB,
    .write_ahead = true,
};

/* ---- names ---- */

void dataset_id_hex(const struct dataset_id *id, char hex[DATASET_ID_HEX_SIZE])
{
    hex_encode(bytes_of(id->byte, DATASET_ID_SIZE), hex);
}

bool dataset_id_parse(struct dataset_id *id, struct bytes text)
{
    return hex_decode(text, id->byte, DATASET_ID_SIZE);
}

enum status vault_refuse(const struct vault *vault, const struct dataset_id *id,
                         struct error *err, const char *format, ...)
{
    char hex[DATASET_ID_HEX_SIZE], words[256];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    dataset_id_hex(id, hex);
    return error_set(err, E_INPUT, "%s: dataset %s: %s",
                     sql_store_path(vault->store), hex, words);
}

/* ---- opening ---- */

static enum status check_version(struct vault *vault, bool fresh,
                                 struct error *err)
{
    static const uint8_t ours = SCHEMA_VERSION;
    struct sql_statement *statement = NULL;
    uint8_t version = 0;
    bool found = false;
    enum status status = sql_store_prepare(
        vault->store, fresh ? VAULT_PUT_META : VAULT_GET_META, &statement, err);

    if (status != OK)
        return status;
    sql_bind_text(statement, 1, "schema");
    if (fresh) {
        sql_bind_bytes(statement, 2, bytes_of(&ours, 1));
        status = sql_store_run(vault->store, statement, err);
        return status == OK ? sql_store_commit(vault->store, err) : status;
    }
    status = sql_store_step(vault->store, statement, &found, err);
    if (status == OK &&
        (!found || !sql_column_fixed(statement, 0, &version, 1) ||
         version != ours))
        status = error_set(err, E_INPUT, "%s: is of another version",
                           sql_store_path(vault->store));
    sql_store_reset(statement);
    return status;
}

enum status vault_drop(struct vault *vault, uint64_t number, struct error *err)
{
    struct sql_statement *drop = NULL;
    enum status status = sql_store_begin(vault->store, err);

    if (status == OK)
        status = sql_store_prepare(vault->store, VAULT_DROP_ROWS, &drop, err);
    if (status == OK) {
        sql_bind_number(drop, 1, number << VAULT_PLACE_BITS);
        sql_bind_number(drop, 2, (number + 1) << VAULT_PLACE_BITS);
        status = sql_store_run(vault->store, drop, err);
    }
    if (status == OK)
        status =
            sql_store_prepare(vault->store, VAULT_DROP_DATASET, &drop, err);
    if (status == OK) {
        sql_bind_number(drop, 1, number);
        status = sql_store_run(vault->store, drop, err);
    }
    if (status == OK)
        status = sql_store_commit(vault->store, err);
    if (status != OK)
        sql_store_rollback(vault->store);
    return status;
}

/* What an ingest has left whose process is gone: there is no other one.  Three
 * marks say so, since one of them could be a flipped bit of a dataset that is
 * complete. */
static enum status drop_unfinished(struct vault *vault, struct error *err)
{
    bool found = true;
    enum status status = OK;

    while (status == OK && found) {
        struct sql_statement *next = NULL;
        uint64_t number = 0;

        status = sql_store_prepare(vault->store, VAULT_UNFINISHED, &next, err);
        if (status == OK)
            status = sql_store_step(vault->store, next, &found, err);
        if (status == OK && found &&
            (!sql_column_number(next, 0, &number) ||
             number >= VAULT_NUMBER_MAX))
            status =
                error_set(err, E_INPUT,
                          "%s: a dataset has a wrong number; the database was "
                          "altered",
                          sql_store_path(vault->store));
        sql_store_reset(next);
        if (status == OK && found)
            status = vault_drop(vault, number, err);
    }
    return status;
}

enum status vault_open(struct vault **out, const char *path, struct error *err)
{
    struct vault *vault = calloc(1, sizeof *vault);
    bool fresh = false;
    enum status status;

    *out = NULL;
    if (vault == NULL)
        return error_memory(err, "a vault");
    vault->threads = 1;
    status = sql_store_open(&vault->store, path, &plan, SQL_OPEN_OR_CREATE,
                            &fresh, err);
    if (status == OK)
        status = check_version(vault, fresh, err);
    if (status == OK)
        status = drop_unfinished(vault, err);
    if (status != OK)
        vault_close(&vault);
    *out = vault;
    return status;
}

void vault_close(struct vault **handle)
{
    struct vault *vault = *handle;

    if (vault == NULL)
        return;
    sql_store_close(&vault->store);
    free(vault);
    *handle = NULL;
}

void vault_use_threads(struct vault *vault, unsigned threads)
{
    vault->threads = threads;
}

/* ---- finding ---- */

/* The schema's bytes go to *json where it is not NULL. */
static enum status find(struct vault *vault, const struct dataset_id *id,
                        struct vault_dataset *dataset, uint64_t *number,
                        struct text *json, bool *found, struct error *err)
{
    struct sql_statement *find = NULL;
    struct bytes encoded;
    enum status status =
        sql_store_prepare(vault->store, VAULT_FIND_DATASET, &find, err);

    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, bytes_of(id->byte, DATASET_ID_SIZE));
    status = sql_store_step(vault->store, find, found, err);
    if (status != OK || !*found)
        goto done;
    dataset->id = *id;
    encoded = sql_column_bytes(find, 1);
    digest_parts(&dataset->schema, &encoded, 1);
    if (!sql_column_number(find, 0, number) || *number > VAULT_NUMBER_MAX ||
        !sql_column_number(find, 2, &dataset->rows) || dataset->rows == 0 ||
        dataset->rows > TABLE_ROWS_MAX ||
        !sql_column_fixed(find, 3, dataset->root.byte, DIGEST_SIZE))
        status = vault_refuse(vault, id, err, "was altered");
    else if (json != NULL)
        status = text_append(json, encoded.data, encoded.size, err);
done:
    sql_store_reset(find);
    return status;
}

enum status vault_find_numbered(struct vault *vault,
                                const struct dataset_id *id,
                                struct vault_dataset *dataset, uint64_t *number,
                                bool *found, struct error *err)
{
    return find(vault, id, dataset, number, NULL, found, err);
}

enum status vault_datasets(struct vault *vault, struct text *ids,
                           struct error *err)
{
    struct sql_statement *next = NULL;
    bool found = true;
    enum status status =
        sql_store_prepare(vault->store, VAULT_DATASETS, &next, err);

    if (status != OK)
        return status;
    while (status == OK) {
        struct dataset_id id;

        status = sql_store_step(vault->store, next, &found, err);
        if (status != OK || !found)
            break;
        status = sql_column_fixed(next, 0, id.byte, DATASET_ID_SIZE)
                     ? text_append(ids, id.byte, DATASET_ID_SIZE, err)
                     : error_set(err, E_INPUT, "%s: a dataset's id was altered",
                                 sql_store_path(vault->store));
    }
    sql_store_reset(next);
    return status;
}

enum status vault_find(struct vault *vault, const struct dataset_id *id,
                       struct vault_dataset *dataset, bool *found,
                       struct error *err)
{
    uint64_t number = 0;

    return find(vault, id, dataset, &number, NULL, found, err);
}

enum status vault_find_schema(struct vault *vault, const struct dataset_id *id,
                              struct vault_schema *out, struct error *err)
{
    struct vault_dataset dataset;
    struct text json;
    uint64_t number = 0;
    bool found = false;
    enum status status;

    text_init(&json);
    vault_schema_init(out);
    status = find(vault, id, &dataset, &number, &json, &found, err);
    if (status == OK && !found)
        status = vault_refuse(vault, id, err, "there is none");
    if (status == OK) {
        status = vault_schema_decode(out, text_bytes(&json), err);
        if (status == E_INPUT)
            status = vault_refuse(vault, id, err, "its schema was altered");
    }
    text_clear(&json);
    return status;
}

enum status vault_dataset_statement(const struct vault_dataset *dataset,
                                    struct text *out, struct error *err)
{
    char id[DATASET_ID_HEX_SIZE], root_hex[DIGEST_HEX_SIZE];
    char schema_hex[DIGEST_HEX_SIZE];
    struct json_value *root;
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    dataset_id_hex(&dataset->id, id);
    digest_hex(&dataset->root, root_hex);
    digest_hex(&dataset->schema, schema_hex);
    root = json_edit_root(json);
    if ((status = json_add_string(root, "statement", "dataset 1", err)) == OK &&
        (status = json_add_string(root, "dataset", id, err)) == OK &&
        (status = json_add_string(root, "root", root_hex, err)) == OK &&
        (status = json_add_integer(root, "rows", (int64_t)dataset->rows,
                                   err)) == OK &&
        (status = json_add_string(root, "schema", schema_hex, err)) == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}
