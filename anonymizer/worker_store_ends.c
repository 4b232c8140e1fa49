#include <string.h>

#include "anonymizer/worker_store_internal.h"
#include "common/encoding.h"

#define END_SIZE (ACCESS_HANDLE_SIZE + 8 + DIGEST_SIZE)

/* ---- writing ---- */

/* What each row of them says besides its ends. */
struct row {
    uint64_t part, act;
    uint64_t count; /* in all rows */
};

static enum status add_row(struct worker_store *store, const struct row *row,
                           const struct access_end *end, size_t count,
                           struct error *err)
{
    uint8_t ends[WORKER_LIST_MAX * END_SIZE], *to = ends;
    struct bytes bytes = bytes_of(ends, count * END_SIZE);
    struct sql_statement *add;
    struct digest digest;
    enum status status =
        sql_store_prepare(store->sql, WORKER_ADD_ENDS, &add, err);

    if (status != OK)
        return status;
    for (size_t i = 0; i < count; i++, to += END_SIZE) {
        memcpy(to, end[i].handle.byte, ACCESS_HANDLE_SIZE);
        put_be64(to + ACCESS_HANDLE_SIZE, end[i].length);
        memcpy(to + ACCESS_HANDLE_SIZE + 8, end[i].head.byte, DIGEST_SIZE);
    }
    worker_store_row_digest(&digest, row->act, row->part, bytes);
    sql_bind_number(add, 1, row->part);
    sql_bind_number(add, 2, row->act);
    sql_bind_number(add, 3, row->count);
    sql_bind_bytes(add, 4, bytes);
    sql_bind_bytes(add, 5, bytes_of(digest.byte, DIGEST_SIZE));
    return sql_store_run(store->sql, add, err);
}

static enum status replace_rows(struct worker_store *store, uint64_t act,
                                const struct access_end *end, size_t count,
                                struct error *err)
{
    struct row row = {.act = act, .count = count};
    struct sql_statement *clear;
    enum status status =
        sql_store_prepare(store->sql, WORKER_CLEAR_ENDS, &clear, err);

    if (status == OK)
        status = sql_store_run(store->sql, clear, err);
    for (size_t i = 0; status == OK && i < count; i += WORKER_LIST_MAX) {
        size_t left = count - i;

        status = add_row(store, &row, end + i,
                         left < WORKER_LIST_MAX ? left : WORKER_LIST_MAX, err);
        row.part++;
    }
    return status;
}

enum status worker_store_save_ends(struct worker_store *store, uint64_t act,
                                   const struct access_end *end, size_t count,
                                   struct error *err)
{
    enum status status;

    pthread_mutex_lock(&store->lock);
    status = sql_store_begin(store->sql, err);
    if (status == OK)
        status = replace_rows(store, act, end, count, err);
    status = worker_store_end(store, status, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- reading ---- */

/* What was read so far. */
struct saved {
    struct row row; /* of the last one; part is that of the next */
    uint64_t count;
    struct access_handle last;
};

/* In the order of handles, from row to row. */
static bool decode(struct saved *saved, struct bytes bytes,
                   struct access_end *end)
{
    const uint8_t *from = bytes.data;

    for (size_t i = 0; i < bytes.size / END_SIZE; i++, from += END_SIZE) {
        memcpy(end[i].handle.byte, from, ACCESS_HANDLE_SIZE);
        end[i].length = get_be64(from + ACCESS_HANDLE_SIZE);
        memcpy(end[i].head.byte, from + ACCESS_HANDLE_SIZE + 8, DIGEST_SIZE);
        if (end[i].length == 0 ||
            (saved->count > 0 &&
             access_handle_compare(&saved->last, &end[i].handle) >= 0))
            return false;
        saved->last = end[i].handle;
        saved->count++;
    }
    return true;
}

/* False if it is not the row that was written behind the last one. */
static bool take_row(struct sql_statement *columns, struct saved *saved,
                     struct access_end end[WORKER_LIST_MAX], size_t *count)
{
    struct bytes bytes = sql_column_bytes(columns, 3);
    struct digest said, digest;
    struct row row;

    *count = bytes.size / END_SIZE;
    if (!sql_column_number(columns, 0, &row.part) ||
        !sql_column_number(columns, 1, &row.act) ||
        !sql_column_number(columns, 2, &row.count) ||
        !sql_column_fixed(columns, 4, said.byte, DIGEST_SIZE))
        return false;
    if (bytes.size == 0 || bytes.size % END_SIZE != 0 ||
        *count > WORKER_LIST_MAX || row.part != saved->row.part ||
        row.act == 0 ||
        (row.part > 0 &&
         (row.act != saved->row.act || row.count != saved->row.count)))
        return false;
    worker_store_row_digest(&digest, row.act, row.part, bytes);
    saved->row = row;
    saved->row.part++;
    return memcmp(&said, &digest, sizeof said) == 0 &&
           decode(saved, bytes, end);
}

enum status worker_store_ends(struct worker_store *store,
                              worker_store_each_ends *each, void *context,
                              uint64_t *act, struct error *err)
{
    struct access_end end[WORKER_LIST_MAX];
    struct saved saved = {.count = 0};
    struct sql_statement *rows;
    bool found = true;
    enum status status = worker_store_take(store, WORKER_ENDS, &rows, err);

    if (status != OK)
        return status;
    while (status == OK) {
        size_t count = 0;

        status = sql_store_step(store->sql, rows, &found, err);
        if (status != OK || !found)
            break;
        status = take_row(rows, &saved, end, &count)
                     ? each(context, end, count, err)
                     : worker_store_altered(store, "the ends of chains", err);
    }
    if (status == OK && saved.count != saved.row.count)
        status = worker_store_altered(store, "the ends of chains", err);
    *act = saved.row.act;
    return worker_store_give(store, rows, status);
}
