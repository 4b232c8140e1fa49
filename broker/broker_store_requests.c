/* Requests, answers, permits and how far releases have come. */
#include <assert.h>

#include "broker/broker_store_internal.h"
#include "broker/proposal.h"
#include "common/sign.h"

static enum status copy_column(struct sql_statement *row, int at,
                               struct text *out, struct error *err)
{
    struct bytes bytes = sql_column_bytes(row, at);

    text_reset(out);
    return text_append(out, bytes.data, bytes.size, err);
}

/* ---- requests ---- */

void request_record_init(struct request_record *request)
{
    *request = (struct request_record){.position = 0};
    text_init(&request->terms);
}

void request_record_clear(struct request_record *request)
{
    text_clear(&request->terms);
    secret_wipe(&request->salt, sizeof request->salt);
    request_record_init(request);
}

enum status broker_store_add_request(struct broker_store *store,
                                     const struct request_record *request,
                                     struct bytes bundle, struct error *err)
{
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_REQUEST, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(&request->id, sizeof request->id));
    sql_bind_number(add, 2, request->position);
    sql_bind_text(add, 3, request->author);
    sql_bind_bytes(add, 4, bytes_of(&request->salt, sizeof request->salt));
    sql_bind_bytes(add, 5, text_bytes(&request->terms));
    sql_bind_bytes(add, 6, bundle);
    return sql_store_run(store->sql, add, err);
}

static enum status read_request(struct broker_store *store,
                                struct sql_statement *row,
                                struct request_record *request, bool *found,
                                struct error *err)
{
    enum status status = sql_store_step(store->sql, row, found, err);

    if (status == OK && *found &&
        (!sql_column_fixed(row, 0, &request->id, sizeof request->id) ||
         !sql_column_number(row, 1, &request->position) ||
         !broker_store_string(row, 2, request->author,
                              sizeof request->author) ||
         !sql_column_fixed(row, 3, &request->salt, sizeof request->salt)))
        status = broker_store_altered(store, "a request", err);
    if (status == OK && *found)
        status = copy_column(row, 4, &request->terms, err);
    sql_store_reset(row);
    return status;
}

enum status broker_store_find_request(struct broker_store *store,
                                      const struct digest *id,
                                      struct request_record *request,
                                      bool *found, struct error *err)
{
    struct sql_statement *find = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_FIND_REQUEST, &find, err);

    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, bytes_of(id, sizeof *id));
    return read_request(store, find, request, found, err);
}

enum status broker_store_next_request(struct broker_store *store,
                                      uint64_t position,
                                      struct request_record *request,
                                      bool *found, struct error *err)
{
    struct sql_statement *next = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_NEXT_REQUEST, &next, err);

    if (status != OK)
        return status;
    sql_bind_number(next, 1, position);
    return read_request(store, next, request, found, err);
}

enum status broker_store_bundle(struct broker_store *store,
                                const struct digest *request,
                                struct text *bundle, struct error *err)
{
    struct sql_statement *get = NULL;
    bool found = false;
    enum status status =
        sql_store_prepare(store->sql, BROKER_GET_BUNDLE, &get, err);

    if (status != OK)
        return status;
    sql_bind_bytes(get, 1, bytes_of(request, sizeof *request));
    status = sql_store_step(store->sql, get, &found, err);
    if (status == OK && !found)
        status = broker_store_altered(store, "a request", err);
    if (status == OK)
        status = copy_column(get, 0, bundle, err);
    sql_store_reset(get);
    return status;
}

/* ---- what has had its use ---- */

static enum status drop(struct broker_store *store, size_t which,
                        const struct digest *id, struct error *err)
{
    struct sql_statement *drop = NULL;
    enum status status = sql_store_prepare(store->sql, which, &drop, err);

    if (status != OK)
        return status;
    sql_bind_bytes(drop, 1, bytes_of(id, sizeof *id));
    return sql_store_run(store->sql, drop, err);
}

enum status broker_store_drop_bundle(struct broker_store *store,
                                     const struct digest *request,
                                     struct error *err)
{
    return drop(store, BROKER_DROP_BUNDLE, request, err);
}

enum status broker_store_drop_list(struct broker_store *store,
                                   const struct digest *id, struct error *err)
{
    return drop(store, BROKER_DROP_LIST, id, err);
}

enum status broker_store_drop_statement(struct broker_store *store,
                                        const struct digest *id,
                                        struct error *err)
{
    return drop(store, BROKER_DROP_STATEMENT, id, err);
}

/* ---- answers ---- */

enum status broker_store_add_answer(struct broker_store *store,
                                    const struct digest *request,
                                    const struct answer_record *answer,
                                    struct error *err)
{
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_ANSWER, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(request, sizeof *request));
    sql_bind_bytes(add, 2, bytes_of(&answer->id, sizeof answer->id));
    sql_bind_number(add, 3, answer->approved);
    sql_bind_text(add, 4, answer->author);
    return sql_store_run(store->sql, add, err);
}

enum status broker_store_find_answer(struct broker_store *store,
                                     const struct digest *request,
                                     struct answer_record *answer, bool *found,
                                     struct error *err)
{
    struct sql_statement *find = NULL;
    uint64_t approved = 0;
    enum status status =
        sql_store_prepare(store->sql, BROKER_FIND_ANSWER, &find, err);

    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, bytes_of(request, sizeof *request));
    status = sql_store_step(store->sql, find, found, err);
    if (status == OK && *found &&
        (!sql_column_fixed(find, 0, &answer->id, sizeof answer->id) ||
         !sql_column_number(find, 1, &approved) || approved > 1 ||
         !broker_store_string(find, 2, answer->author, sizeof answer->author)))
        status = broker_store_altered(store, "an answer", err);
    answer->approved = approved != 0;
    sql_store_reset(find);
    return status;
}

/* ---- permits ---- */

void permit_record_init(struct permit_record *permit)
{
    *permit = (struct permit_record){.size = 0};
    text_init(&permit->list);
}

void permit_record_clear(struct permit_record *permit)
{
    text_clear(&permit->list);
    secret_wipe(&permit->seed, sizeof permit->seed);
    permit_record_init(permit);
}

enum status broker_store_add_permit(struct broker_store *store,
                                    const struct permit_record *permit,
                                    struct error *err)
{
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_PERMIT, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(&permit->id, sizeof permit->id));
    sql_bind_bytes(add, 2, bytes_of(&permit->request, sizeof permit->request));
    sql_bind_number(add, 3, permit->size);
    sql_bind_number(add, 4, permit->expires_ms);
    sql_bind_bytes(add, 5, bytes_of(&permit->seed, sizeof permit->seed));
    sql_bind_bytes(add, 6, text_bytes(&permit->list));
    return sql_store_run(store->sql, add, err);
}

enum status broker_store_permit(struct broker_store *store,
                                const struct digest *id,
                                struct permit_record *permit, struct error *err)
{
    struct sql_statement *get = NULL;
    bool found = false;
    enum status status =
        sql_store_prepare(store->sql, BROKER_GET_PERMIT, &get, err);

    if (status != OK)
        return status;
    sql_bind_bytes(get, 1, bytes_of(id, sizeof *id));
    status = sql_store_step(store->sql, get, &found, err);
    if (status == OK &&
        (!found ||
         !sql_column_fixed(get, 0, &permit->request, sizeof permit->request) ||
         !sql_column_number(get, 1, &permit->size) ||
         !sql_column_number(get, 2, &permit->expires_ms) ||
         !sql_column_fixed(get, 3, &permit->seed, sizeof permit->seed)))
        status = broker_store_altered(store, "a permit", err);
    permit->id = *id;
    sql_store_reset(get);
    return status;
}

enum status broker_store_permit_list(struct broker_store *store,
                                     const struct digest *id, struct text *list,
                                     struct error *err)
{
    struct sql_statement *get = NULL;
    bool found = false;
    enum status status =
        sql_store_prepare(store->sql, BROKER_GET_PERMIT_LIST, &get, err);

    if (status != OK)
        return status;
    sql_bind_bytes(get, 1, bytes_of(id, sizeof *id));
    status = sql_store_step(store->sql, get, &found, err);
    if (status == OK &&
        (!found || sql_column_bytes(get, 0).size == 0 ||
         sql_column_bytes(get, 0).size % PERMITTED_ITEM_SIZE != 0))
        status = broker_store_altered(store, "a permit", err);
    if (status == OK)
        status = copy_column(get, 0, list, err);
    sql_store_reset(get);
    return status;
}

/* ---- releases ---- */

void release_record_init(struct release_record *release)
{
    *release = (struct release_record){.state = 0};
    text_init(&release->statement);
    text_init(&release->why);
}

void release_record_clear(struct release_record *release)
{
    text_clear(&release->statement);
    text_clear(&release->why);
    secret_wipe(&release->salt, sizeof release->salt);
    release_record_init(release);
}

enum status broker_store_put_release(struct broker_store *store,
                                     const struct release_record *release,
                                     struct error *err)
{
    struct sql_statement *put = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_PUT_RELEASE, &put, err);

    if (status != OK)
        return status;
    sql_bind_bytes(put, 1,
                   bytes_of(&release->request, sizeof release->request));
    sql_bind_number(put, 2, release->state);
    sql_bind_number(put, 3, release->restarts);
    sql_bind_number(put, 4, release->drafts);
    sql_bind_bytes(put, 5, bytes_of(&release->permit, sizeof release->permit));
    sql_bind_bytes(put, 6, bytes_of(&release->draft, sizeof release->draft));
    sql_bind_number(put, 7, release->checked);
    sql_bind_text(put, 8, release->name);
    sql_bind_bytes(put, 9, bytes_of(&release->salt, sizeof release->salt));
    sql_bind_bytes(put, 10, text_bytes(&release->statement));
    sql_bind_number(put, 11, release->status);
    sql_bind_bytes(put, 12, text_bytes(&release->why));
    return sql_store_run(store->sql, put, err);
}

static enum status read_release(struct broker_store *store,
                                struct sql_statement *row,
                                struct release_record *release,
                                struct error *err)
{
    uint64_t state, refusal;
    enum status status;

    if (!sql_column_number(row, 0, &state) || state > PROPOSAL_REFUSED ||
        !sql_column_number(row, 1, &release->restarts) ||
        !sql_column_number(row, 2, &release->drafts) ||
        !sql_column_fixed(row, 3, &release->permit, sizeof release->permit) ||
        !sql_column_fixed(row, 4, &release->draft, sizeof release->draft) ||
        !sql_column_number(row, 5, &release->checked) ||
        !broker_store_string(row, 6, release->name, sizeof release->name) ||
        !sql_column_fixed(row, 7, &release->salt, sizeof release->salt) ||
        !sql_column_number(row, 9, &refusal) || refusal > E_REFUSED)
        return broker_store_altered(store, "a release", err);
    release->state = (unsigned)state;
    release->status = (enum status)refusal;
    status = copy_column(row, 8, &release->statement, err);
    return status == OK ? copy_column(row, 10, &release->why, err) : status;
}

enum status broker_store_find_release(struct broker_store *store,
                                      const struct digest *request,
                                      struct release_record *release,
                                      bool *found, struct error *err)
{
    struct sql_statement *find = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_FIND_RELEASE, &find, err);

    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, bytes_of(request, sizeof *request));
    status = sql_store_step(store->sql, find, found, err);
    if (status == OK && *found)
        status = read_release(store, find, release, err);
    release->request = *request;
    sql_store_reset(find);
    return status;
}
