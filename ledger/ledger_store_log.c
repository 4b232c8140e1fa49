#include <string.h>

#include "ledger/ledger_store_internal.h"

/* ---- log ---- */

void stored_entry_init(struct stored_entry *entry)
{
    *entry = (struct stored_entry){0};
    text_init(&entry->bytes);
    text_init(&entry->signatures);
}

void stored_entry_clear(struct stored_entry *entry)
{
    text_clear(&entry->bytes);
    text_clear(&entry->signatures);
}

static struct sealed_row sealed_nonce(const char *nonce, uint64_t position)
{
    return (struct sealed_row){
        "nonce", bytes_of_string(nonce), {0}, {position}};
}

static struct sealed_row sealed_entry(const struct digest *id,
                                      uint64_t position, uint64_t verdict,
                                      uint64_t block, uint64_t writes)
{
    return (struct sealed_row){"entry",
                               bytes_of(id->byte, DIGEST_SIZE),
                               {0},
                               {position, verdict, block, writes}};
}

static enum status add_nonce(struct ledger_store *store,
                             const struct new_entry *entry, struct error *err)
{
    struct sealed_row row = sealed_nonce(entry->nonce, entry->position);
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_ADD_NONCE, &statement, err);

    if (status != OK)
        return status;
    /* Of two entries with one nonce, the first keeps it. */
    sql_bind_text(statement, 1, entry->nonce);
    sql_bind_number(statement, 2, entry->position);
    sql_bind_integer(statement, 3, store_seal(&row));
    return store_run(store, statement, err);
}

enum status ledger_store_add_entry(struct ledger_store *store,
                                   const struct new_entry *entry,
                                   struct error *err)
{
    struct sealed_row row =
        sealed_entry(entry->id, entry->position, entry->verdict, entry->block,
                     store->writes);
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_ADD_ENTRY, &statement, err);

    if (status != OK)
        return status;
    sql_bind_number(statement, 1, entry->position);
    store_bind_digest(statement, 2, entry->id);
    sql_bind_bytes(statement, 3, entry->bytes);
    sql_bind_bytes(statement, 4, entry->signatures);
    sql_bind_number(statement, 5, entry->verdict);
    sql_bind_number(statement, 6, entry->block);
    sql_bind_number(statement, 7, store->writes);
    sql_bind_integer(statement, 8, store_seal(&row));
    status = store_run(store, statement, err);
    if (status == OK)
        status = add_nonce(store, entry, err);
    store->writes = 0;
    return status;
}

static bool column_verdict(struct sql_statement *statement, int at,
                           enum entry_verdict *verdict)
{
    switch (sql_column_integer(statement, at)) {
#define VERDICT_CASE(byte, id, name)                                           \
    case byte:                                                                 \
        *verdict = VERDICT_##id;                                               \
        return true;
        VERDICT_TABLE(VERDICT_CASE)
#undef VERDICT_CASE
    default:
        return false;
    }
}

/* The columns that all statements about entries begin with. */
enum entry_column {
    POSITION,
    ID,
    VERDICT,
    BLOCK,
    WRITES,
    SEAL,
    BYTES,
    SIGNATURES
};

static enum status read_head(const struct ledger_store *store,
                             struct sql_statement *statement,
                             struct stored_entry *entry, struct error *err)
{
    enum status status = store_column_fixed(store, statement, ID, &entry->id,
                                            sizeof entry->id, err);

    if (status == OK &&
        (!sql_column_number(statement, POSITION, &entry->position) ||
         !column_verdict(statement, VERDICT, &entry->verdict) ||
         !sql_column_number(statement, BLOCK, &entry->block) ||
         !sql_column_number(statement, WRITES, &entry->writes)))
        status =
            store_altered(store, "an entry's verdict or block is none", err);
    return status;
}

/* Without its seal: whoever has all of the entry has its leaf's hash. */
static enum status read_entry(const struct ledger_store *store,
                              struct sql_statement *statement,
                              struct stored_entry *entry, struct error *err)
{
    struct bytes bytes = sql_column_bytes(statement, BYTES);
    struct bytes signatures = sql_column_bytes(statement, SIGNATURES);
    enum status status = read_head(store, statement, entry, err);

    text_reset(&entry->bytes);
    text_reset(&entry->signatures);
    if (status == OK)
        status = text_append(&entry->bytes, bytes.data, bytes.size, err);
    if (status == OK)
        status = text_append(&entry->signatures, signatures.data,
                             signatures.size, err);
    return status;
}

enum status ledger_store_entry(struct ledger_store *store, uint64_t position,
                               struct stored_entry *entry, bool *found,
                               struct error *err)
{
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_ENTRY, &statement, err);

    *found = false;
    if (status != OK || position > INT64_MAX)
        return status;
    sql_bind_number(statement, 1, position);
    status = store_step(store, statement, found, err);
    if (status == OK && *found)
        status = read_entry(store, statement, entry, err);
    sql_store_reset(statement);
    return status;
}

enum status ledger_store_answer(struct ledger_store *store,
                                const struct digest *id,
                                struct stored_answer *answer, struct error *err)
{
    struct stored_entry entry = {.position = STORE_NONE};
    struct sql_statement *statement = NULL;
    bool found = false;
    enum status status = store_prepare(store, SQL_FIND, &statement, err);

    *answer = (struct stored_answer){.position = STORE_NONE};
    if (status != OK)
        return status;
    store_bind_digest(statement, 1, id);
    status = store_step(store, statement, &found, err);
    if (status == OK && found)
        status = read_head(store, statement, &entry, err);
    if (status == OK && found) {
        struct sealed_row row =
            sealed_entry(&entry.id, entry.position, entry.verdict, entry.block,
                         entry.writes);

        status = store_check_seal(store, statement, SEAL, &row, err);
    }
    if (status == OK && found)
        *answer = (struct stored_answer){.position = entry.position,
                                         .block = entry.block,
                                         .verdict = entry.verdict};
    sql_store_reset(statement);
    return status;
}

enum status ledger_store_find(struct ledger_store *store,
                              const struct digest *id, uint64_t *position,
                              struct error *err)
{
    struct stored_answer answer;
    enum status status = ledger_store_answer(store, id, &answer, err);

    *position = answer.position;
    return status;
}

enum status ledger_store_find_nonce(struct ledger_store *store,
                                    const char *nonce, uint64_t *position,
                                    struct error *err)
{
    struct sql_statement *statement = NULL;
    bool found = false;
    enum status status = store_prepare(store, SQL_NONCE, &statement, err);

    *position = STORE_NONE;
    if (status != OK)
        return status;
    sql_bind_text(statement, 1, nonce);
    status = store_step(store, statement, &found, err);
    if (status == OK && found) {
        struct sealed_row row;

        if (!sql_column_number(statement, 0, position))
            status = store_altered(store, "a nonce has no position", err);
        row = sealed_nonce(nonce, *position);
        if (status == OK)
            status = store_check_seal(store, statement, 1, &row, err);
    }
    sql_store_reset(statement);
    return status;
}

/* Level and index of a tree node as one number: levels are below 64, and no
 * log has 2^57 leaves. */
#define INDEX_BITS 57

static bool place_of(unsigned level, uint64_t index, uint64_t *place)
{
    *place = (uint64_t)level << INDEX_BITS | index;
    return level < 1u << (63 - INDEX_BITS) && index < UINT64_C(1) << INDEX_BITS;
}

enum status ledger_store_put_node(void *context, unsigned level, uint64_t index,
                                  const struct digest *hash, struct error *err)
{
    struct ledger_store *store = context;
    struct sql_statement *statement = NULL;
    uint64_t place;
    enum status status;

    if (!place_of(level, index, &place))
        return error_set(err, E_LIMIT, "%s: the log is full",
                         sql_store_path(store->sql));
    status = store_prepare(store, SQL_PUT_NODE, &statement, err);
    if (status != OK)
        return status;
    sql_bind_number(statement, 1, place);
    store_bind_digest(statement, 2, hash);
    return store_run(store, statement, err);
}

enum status ledger_store_get_node(void *context, unsigned level, uint64_t index,
                                  struct digest *hash, struct error *err)
{
    struct ledger_store *store = context;
    struct sql_statement *statement = NULL;
    uint64_t place;
    bool found = false;
    enum status status;

    if (!place_of(level, index, &place))
        return store_altered(store, "a log of an impossible size", err);
    status = store_prepare(store, SQL_GET_NODE, &statement, err);
    if (status != OK)
        return status;
    sql_bind_number(statement, 1, place);
    status = store_step(store, statement, &found, err);
    if (status == OK && !found)
        status = store_altered(store, "a node of the tree is missing", err);
    if (status == OK)
        status =
            store_column_fixed(store, statement, 0, hash, sizeof *hash, err);
    sql_store_reset(statement);
    return status;
}

enum status ledger_store_add_block(struct ledger_store *store,
                                   const struct block *block,
                                   const struct digest *hash, struct error *err)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_ADD_BLOCK, &statement, err);

    if (status != OK)
        return status;
    block_encode(block, header);
    sql_bind_number(statement, 1, block->number);
    sql_bind_bytes(statement, 2, bytes_of(header, sizeof header));
    store_bind_digest(statement, 3, hash);
    return store_run(store, statement, err);
}

static enum status first_block(struct ledger_store *store,
                               struct sql_statement *statement,
                               struct block *block, struct digest *hash,
                               bool *found, struct error *err)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    struct digest stored, computed;
    enum status status = store_step(store, statement, found, err);

    if (status != OK || !*found)
        goto done;
    status =
        store_column_fixed(store, statement, 1, header, sizeof header, err);
    if (status == OK)
        status = store_column_fixed(store, statement, 2, &stored, sizeof stored,
                                    err);
    if (status != OK)
        goto done;
    block_decode(block, header);
    block_hash(block, &computed);
    if ((int64_t)block->number != sql_column_integer(statement, 0) ||
        block->number > INT64_MAX)
        status =
            store_altered(store, "a block's header is of another block", err);
    else if (memcmp(&stored, &computed, sizeof stored) != 0)
        status = store_altered(store, "a block's header does not have its hash",
                               err);
    else if (hash != NULL)
        *hash = stored;
done:
    sql_store_reset(statement);
    return status;
}

enum status ledger_store_block(struct ledger_store *store, uint64_t number,
                               struct block *block, struct digest *hash,
                               bool *found, struct error *err)
{
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_BLOCK, &statement, err);

    *found = false;
    if (status != OK || number > INT64_MAX)
        return status;
    sql_bind_number(statement, 1, number);
    return first_block(store, statement, block, hash, found, err);
}

enum status ledger_store_tip(struct ledger_store *store, struct block *block,
                             struct digest *hash, bool *found,
                             struct error *err)
{
    struct sql_statement *statement = NULL;
    enum status status = store_prepare(store, SQL_TIP, &statement, err);

    if (status != OK)
        return status;
    return first_block(store, statement, block, hash, found, err);
}
