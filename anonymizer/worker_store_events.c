#include <assert.h>

#include "anonymizer/worker_store_internal.h"

/* ---- writing ---- */

static enum status add_act(struct worker_store *store,
                           const struct act_record *act, struct error *err)
{
    struct sql_statement *add;
    struct text copy; /* with a NUL behind */
    enum status status =
        sql_store_prepare(store->sql, WORKER_ADD_ACT, &add, err);

    text_init(&copy);
    if (status == OK)
        status = text_append(&copy, act->text.data, act->text.size, err);
    if (status == OK) {
        sql_bind_number(add, 1, act->number);
        sql_bind_text(add, 2, copy.data);
        sql_bind_bytes(add, 3, bytes_of(act->members.byte, DIGEST_SIZE));
        sql_bind_number(add, 4, act->count);
        status = sql_store_run(store->sql, add, err);
    }
    text_clear(&copy);
    return status;
}

static enum status add_event(struct worker_store *store,
                             const struct act_record *act,
                             const struct access_end *end, struct error *err)
{
    struct bytes handle = bytes_of(end->handle.byte, ACCESS_HANDLE_SIZE);
    struct sql_statement *add, *put;
    enum status status =
        sql_store_prepare(store->sql, WORKER_ADD_EVENT, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, handle);
    sql_bind_number(add, 2, end->length);
    sql_bind_number(add, 3, act->number);
    status = sql_store_run(store->sql, add, err);
    if (status == OK)
        status = sql_store_prepare(store->sql, WORKER_PUT_END, &put, err);
    if (status != OK)
        return status;
    sql_bind_bytes(put, 1, handle);
    sql_bind_number(put, 2, end->length);
    sql_bind_bytes(put, 3, bytes_of(end->head.byte, DIGEST_SIZE));
    return sql_store_run(store->sql, put, err);
}

enum status worker_store_add_act(struct worker_store *store,
                                 const struct act_record *act,
                                 const struct access_end *end,
                                 struct error *err)
{
    enum status status;

    pthread_mutex_lock(&store->lock);
    status = sql_store_begin(store->sql, err);
    if (status == OK)
        status = add_act(store, act, err);
    for (uint64_t i = 0; status == OK && i < act->count; i++)
        status = add_event(store, act, &end[i], err);
    if (status == OK)
        status = sql_store_commit(store->sql, err);
    if (status != OK)
        sql_store_rollback(store->sql);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- reading ---- */

enum status worker_store_ends(struct worker_store *store,
                              worker_store_each_end *each, void *context,
                              struct error *err)
{
    struct sql_statement *rows;
    bool found = true;
    enum status status = worker_store_take(store, WORKER_ENDS, &rows, err);

    if (status != OK)
        return status;
    while (status == OK) {
        struct access_end end;

        status = sql_store_step(store->sql, rows, &found, err);
        if (status != OK || !found)
            break;
        if (!sql_column_fixed(rows, 0, end.handle.byte, ACCESS_HANDLE_SIZE) ||
            !sql_column_number(rows, 1, &end.length) || end.length == 0 ||
            !sql_column_fixed(rows, 2, end.head.byte, DIGEST_SIZE))
            status = worker_store_altered(store, "a chain", err);
        else
            status = each(context, &end, err);
    }
    return worker_store_give(store, rows, status);
}

/* The acts of a statement whose parameters are bound. */
static enum status each_act(struct worker_store *store,
                            struct sql_statement *rows,
                            worker_store_each_act *each, void *context,
                            struct error *err)
{
    bool found = true;
    enum status status = OK;

    while (status == OK) {
        struct act_record act;

        status = sql_store_step(store->sql, rows, &found, err);
        if (status != OK || !found)
            break;
        if (!sql_column_number(rows, 0, &act.number) ||
            !sql_column_fixed(rows, 2, act.members.byte, DIGEST_SIZE) ||
            !sql_column_number(rows, 3, &act.count)) {
            status = worker_store_altered(store, "an event", err);
        } else {
            act.text = sql_column_bytes(rows, 1);
            status = each(context, &act, err);
        }
    }
    return status;
}

enum status worker_store_acts(struct worker_store *store, uint64_t behind,
                              worker_store_each_act *each, void *context,
                              struct error *err)
{
    struct sql_statement *rows;
    enum status status = worker_store_take(store, WORKER_ACTS, &rows, err);

    if (status != OK)
        return status;
    sql_bind_number(rows, 1, behind);
    status = each_act(store, rows, each, context, err);
    return worker_store_give(store, rows, status);
}

enum status worker_store_history(struct worker_store *store,
                                 const struct access_handle *handle,
                                 worker_store_each_act *each, void *context,
                                 struct error *err)
{
    struct sql_statement *rows;
    enum status status = worker_store_take(store, WORKER_EVENTS, &rows, err);

    if (status != OK)
        return status;
    sql_bind_bytes(rows, 1, bytes_of(handle->byte, ACCESS_HANDLE_SIZE));
    status = each_act(store, rows, each, context, err);
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
