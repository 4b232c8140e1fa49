#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker_store_internal.h"
#include "common/encoding.h"
#include "common/merkle.h"

/* RFC 6962's of be64(number) || SHA-256(text) || members || be64(count): what a
 * batch in the log stands for, see worker_events.h. */
static void hash_act(const struct act_record *act, struct digest *leaf)
{
    uint8_t bytes[8 + DIGEST_SIZE + DIGEST_SIZE + 8], *to = bytes;
    struct digest event;

    digest_parts(&event, &act->text, 1);
    put_be64(to, act->number);
    to += 8;
    memcpy(to, event.byte, DIGEST_SIZE);
    to += DIGEST_SIZE;
    memcpy(to, act->members.byte, DIGEST_SIZE);
    to += DIGEST_SIZE;
    put_be64(to, act->count);
    merkle_leaf(leaf, bytes_of(bytes, sizeof bytes));
}

/* Rows of a list have no numbers: its act's members tell whether all of them
 * are there. */
#define LIST_PART 0

/* ---- writing ---- */

void worker_store_row_digest(struct digest *digest, uint64_t act, uint64_t part,
                             struct bytes row)
{
    uint8_t numbers[16];
    const struct bytes parts[] = {bytes_of(numbers, sizeof numbers), row};

    put_be64(numbers, act);
    put_be64(numbers + 8, part);
    digest_parts(digest, parts, sizeof parts / sizeof *parts);
}

static struct bytes handle_bytes(const struct access_handle *handle,
                                 size_t count)
{
    _Static_assert(sizeof *handle == ACCESS_HANDLE_SIZE, "without padding");
    return bytes_of(handle->byte, count * ACCESS_HANDLE_SIZE);
}

static enum status add_act(struct worker_store *store,
                           const struct act_record *act,
                           const struct access_handle *handle,
                           struct error *err)
{
    struct sql_statement *add;
    struct digest leaf;
    struct text copy; /* with a NUL behind */
    enum status status =
        sql_store_prepare(store->sql, WORKER_ADD_ACT, &add, err);

    text_init(&copy);
    if (status == OK)
        status = text_append(&copy, act->text.data, act->text.size, err);
    if (status == OK) {
        hash_act(act, &leaf);
        sql_bind_number(add, 1, act->number);
        sql_bind_text(add, 2, copy.data);
        sql_bind_bytes(add, 3, bytes_of(act->members.byte, DIGEST_SIZE));
        sql_bind_number(add, 4, act->count);
        sql_bind_bytes(add, 5, bytes_of(leaf.byte, DIGEST_SIZE));
        sql_bind_bytes(add, 6, handle_bytes(handle, act->count == 1 ? 1 : 0));
        status = sql_store_run(store->sql, add, err);
    }
    text_clear(&copy);
    return status;
}

/* One row of an act's list. */
static enum status add_row(struct worker_store *store, uint64_t act,
                           struct bytes handles, struct error *err)
{
    struct sql_statement *add;
    struct digest digest;
    enum status status =
        sql_store_prepare(store->sql, WORKER_ADD_LIST, &add, err);

    if (status != OK)
        return status;
    worker_store_row_digest(&digest, act, LIST_PART, handles);
    sql_bind_number(add, 1, act);
    sql_bind_bytes(add, 2, bytes_of(handles.data, ACCESS_HANDLE_SIZE));
    sql_bind_bytes(add, 3, handles);
    sql_bind_bytes(add, 4, bytes_of(digest.byte, DIGEST_SIZE));
    return sql_store_run(store->sql, add, err);
}

static enum status add_list(struct worker_store *store,
                            const struct act_record *act,
                            const struct access_handle *handle,
                            struct error *err)
{
    enum status status = OK;

    for (uint64_t i = 0; status == OK && i < act->count; i += WORKER_LIST_MAX) {
        uint64_t left = act->count - i;

        status = add_row(store, act->number,
                         handle_bytes(handle + i, left < WORKER_LIST_MAX
                                                      ? left
                                                      : WORKER_LIST_MAX),
                         err);
    }
    return status;
}

enum status worker_store_add_act(struct worker_store *store,
                                 const struct act_record *act,
                                 const struct access_handle *handle,
                                 struct error *err)
{
    enum status status;

    assert(act->count > 0);
    pthread_mutex_lock(&store->lock);
    status = sql_store_begin(store->sql, err);
    if (status == OK)
        status = add_act(store, act, handle, err);
    if (status == OK && act->count > 1)
        status = add_list(store, act, handle, err);
    status = worker_store_end(store, status, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- reading ---- */

/* The act that the row is; its text is borrowed. */
static enum status take_act(struct worker_store *store,
                            struct sql_statement *row, struct act_record *act,
                            struct error *err)
{
    struct digest leaf;

    act->text = sql_column_bytes(row, 1);
    if (!sql_column_number(row, 0, &act->number) ||
        !sql_column_fixed(row, 2, act->members.byte, DIGEST_SIZE) ||
        !sql_column_number(row, 3, &act->count) || act->count == 0 ||
        act->count > ACCESS_HANDLES_MAX ||
        !sql_column_fixed(row, 4, act->leaf.byte, DIGEST_SIZE) ||
        sql_column_bytes(row, 5).size !=
            (act->count == 1 ? ACCESS_HANDLE_SIZE : 0))
        return worker_store_altered(store, "an event", err);
    hash_act(act, &leaf);
    return memcmp(&leaf, &act->leaf, sizeof leaf) == 0
               ? OK
               : worker_store_altered(store, "an event", err);
}

/* To the next act of a statement whose parameters are bound. */
static enum status next_act(struct worker_store *store,
                            struct sql_statement *rows, struct act_record *act,
                            bool *found, struct error *err)
{
    enum status status = sql_store_step(store->sql, rows, found, err);

    return status == OK && *found ? take_act(store, rows, act, err) : status;
}

enum status worker_store_acts(struct worker_store *store, uint64_t behind,
                              worker_store_each_act *each, void *context,
                              struct error *err)
{
    struct sql_statement *rows;
    bool found = true;
    enum status status = worker_store_take(store, WORKER_ACTS, &rows, err);

    if (status != OK)
        return status;
    sql_bind_number(rows, 1, behind);
    while (status == OK && found) {
        struct act_record act;

        status = next_act(store, rows, &act, &found, err);
        if (status == OK && found)
            status = each(context, &act, err);
    }
    return worker_store_give(store, rows, status);
}

/* The handles of a row of a list; borrowed. */
static enum status take_row(struct worker_store *store,
                            struct sql_statement *row, uint64_t act,
                            struct bytes *handles, struct error *err)
{
    struct digest said, digest;

    *handles = sql_column_bytes(row, 0);
    worker_store_row_digest(&digest, act, LIST_PART, *handles);
    if (handles->size == 0 || handles->size % ACCESS_HANDLE_SIZE != 0 ||
        !sql_column_fixed(row, 1, said.byte, DIGEST_SIZE) ||
        memcmp(&said, &digest, sizeof said) != 0)
        return worker_store_altered(store, "the list of an event", err);
    return OK;
}

/* Its rows in `handle`, which has room for act->count. */
static enum status take_list(struct worker_store *store,
                             const struct act_record *act,
                             struct access_handle *handle, struct error *err)
{
    struct sql_statement *rows;
    size_t room = act->count * sizeof *handle;
    uint8_t *to = handle->byte;
    bool found = true;
    enum status status =
        sql_store_prepare(store->sql, WORKER_LISTS, &rows, err);

    if (status != OK)
        return status;
    sql_bind_number(rows, 1, act->number);
    while (status == OK) {
        struct bytes row;

        status = sql_store_step(store->sql, rows, &found, err);
        if (status != OK || !found)
            break;
        status = take_row(store, rows, act->number, &row, err);
        if (status != OK || row.size > room)
            break;
        memcpy(to, row.data, row.size);
        to += row.size;
        room -= row.size;
    }
    sql_store_reset(rows);
    if (status == OK && (found || room > 0))
        status = worker_store_altered(store, "the list of an event", err);
    return status;
}

/* Of the act that the row is; to be freed. */
static enum status take_handles(struct worker_store *store,
                                struct sql_statement *row,
                                const struct act_record *act,
                                struct access_handle **handle,
                                struct error *err)
{
    *handle = calloc(act->count, sizeof **handle);
    if (*handle == NULL)
        return error_memory(err, "an event's handles");
    if (act->count > 1)
        return take_list(store, act, *handle, err);
    memcpy(*handle, sql_column_bytes(row, 5).data, ACCESS_HANDLE_SIZE);
    return OK;
}

enum status worker_store_told(struct worker_store *store, uint64_t behind,
                              worker_store_each_told *each, void *context,
                              struct error *err)
{
    struct sql_statement *rows;
    bool found = true;
    enum status status = worker_store_take(store, WORKER_ACTS, &rows, err);

    if (status != OK)
        return status;
    sql_bind_number(rows, 1, behind);
    while (status == OK) {
        struct access_handle *handle = NULL;
        struct act_record act;

        status = next_act(store, rows, &act, &found, err);
        if (status != OK || !found)
            break;
        status = take_handles(store, rows, &act, &handle, err);
        if (status == OK)
            status = each(context, &act, handle, err);
        free(handle);
    }
    return worker_store_give(store, rows, status);
}

/* ---- a history ---- */

static bool is_in(struct bytes handles, const struct access_handle *handle)
{
    size_t begin = 0, end = handles.size / ACCESS_HANDLE_SIZE;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        int order = memcmp(handles.data + middle * ACCESS_HANDLE_SIZE,
                           handle->byte, ACCESS_HANDLE_SIZE);

        if (order == 0)
            return true;
        if (order < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return false;
}

/* Is the handle in this act's list?  It is in one row of it, or in none. */
static enum status look_up(struct worker_store *store, uint64_t act,
                           const struct access_handle *handle, bool *told,
                           struct error *err)
{
    struct sql_statement *row;
    struct bytes handles;
    enum status status =
        sql_store_prepare(store->sql, WORKER_LIST_WITH, &row, err);

    if (status != OK)
        return status;
    sql_bind_number(row, 1, act);
    sql_bind_bytes(row, 2, handle_bytes(handle, 1));
    status = sql_store_step(store->sql, row, told, err);
    if (status == OK && *told) {
        status = take_row(store, row, act, &handles, err);
        *told = status == OK && is_in(handles, handle);
    }
    sql_store_reset(row);
    return status;
}

enum status worker_store_history(struct worker_store *store,
                                 const struct access_handle *handle,
                                 worker_store_each_act *each, void *context,
                                 struct error *err)
{
    struct sql_statement *rows;
    bool found = true;
    enum status status = worker_store_take(store, WORKER_ACTS_OF, &rows, err);

    if (status != OK)
        return status;
    sql_bind_bytes(rows, 1, handle_bytes(handle, 1));
    while (status == OK) {
        struct act_record act;
        bool told = true;

        status = next_act(store, rows, &act, &found, err);
        if (status != OK || !found)
            break;
        if (act.count > 1)
            status = look_up(store, act.number, handle, &told, err);
        if (status == OK && told)
            status = each(context, &act, err);
    }
    return worker_store_give(store, rows, status);
}

enum status worker_store_last_act(struct worker_store *store, uint64_t *number,
                                  struct error *err)
{
    struct sql_statement *row;
    bool found = false;
    enum status status = worker_store_take(store, WORKER_LAST_ACT, &row, err);

    *number = 0;
    if (status != OK)
        return status;
    status = sql_store_step(store->sql, row, &found, err);
    if (status == OK && (!found || !sql_column_number(row, 0, number)))
        status = worker_store_altered(store, "the number of events", err);
    return worker_store_give(store, row, status);
}

/* ---- anchors ---- */

void anchor_record_clear(struct anchor_record *record)
{
    text_clear(&record->statement);
    text_clear(&record->entry);
    text_clear(&record->signatures);
}

enum status worker_store_add_anchor(struct worker_store *store,
                                    const struct anchor_record *record,
                                    struct error *err)
{
    struct sql_statement *add;
    enum status status = worker_store_take(store, WORKER_ADD_ANCHOR, &add, err);

    if (status != OK)
        return status;
    sql_bind_number(add, 1, record->last);
    sql_bind_text(add, 2, record->statement.data);
    sql_bind_bytes(add, 3, bytes_of(record->salt, sizeof record->salt));
    sql_bind_bytes(add, 4, text_bytes(&record->entry));
    sql_bind_bytes(add, 5, text_bytes(&record->signatures));
    sql_bind_number(add, 6, record->done);
    status = sql_store_run(store->sql, add, err);
    return worker_store_give(store, add, status);
}

static enum status take_bytes(struct text *out, struct sql_statement *row,
                              int at, struct error *err)
{
    struct bytes bytes = sql_column_bytes(row, at);

    return text_append(out, bytes.data, bytes.size, err);
}

static enum status take_anchor(struct worker_store *store,
                               struct sql_statement *row,
                               struct anchor_record *record, struct error *err)
{
    uint64_t done = 0;
    enum status status;

    if (!sql_column_number(row, 0, &record->last) ||
        !sql_column_fixed(row, 2, record->salt, sizeof record->salt) ||
        !sql_column_number(row, 5, &done) || done > 1)
        return worker_store_altered(store, "an anchor", err);
    record->done = done == 1;
    status = take_bytes(&record->statement, row, 1, err);
    if (status == OK)
        status = take_bytes(&record->entry, row, 3, err);
    if (status == OK)
        status = take_bytes(&record->signatures, row, 4, err);
    return status;
}

enum status worker_store_last_anchor(struct worker_store *store,
                                     struct anchor_record *record, bool *found,
                                     struct error *err)
{
    struct sql_statement *row;
    enum status status =
        worker_store_take(store, WORKER_LAST_ANCHOR, &row, err);

    *found = false;
    *record = (struct anchor_record){.last = 0};
    text_init(&record->statement);
    text_init(&record->entry);
    text_init(&record->signatures);
    if (status != OK)
        return status;
    status = sql_store_step(store->sql, row, found, err);
    if (status == OK && *found)
        status = take_anchor(store, row, record, err);
    if (status != OK)
        anchor_record_clear(record);
    return worker_store_give(store, row, status);
}

static enum status change_anchor(struct worker_store *store,
                                 enum worker_statement which, uint64_t last,
                                 struct error *err)
{
    struct sql_statement *change;
    enum status status = worker_store_take(store, which, &change, err);

    if (status != OK)
        return status;
    sql_bind_number(change, 1, last);
    status = sql_store_run(store->sql, change, err);
    return worker_store_give(store, change, status);
}

enum status worker_store_anchored(struct worker_store *store, uint64_t last,
                                  struct error *err)
{
    return change_anchor(store, WORKER_ANCHORED, last, err);
}

enum status worker_store_drop_anchor(struct worker_store *store, uint64_t last,
                                     struct error *err)
{
    return change_anchor(store, WORKER_DROP_ANCHOR, last, err);
}
