/* What subjects have said: wishes, each text once, and who said which. */
#include "broker/broker_store_internal.h"

/* ---- saying ---- */

/* *found is false, and *wish untouched, if there is none. */
static enum status find_wish(struct broker_store *store, struct bytes says,
                             uint64_t *wish, bool *found, struct error *err)
{
    struct sql_statement *find = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_FIND_WISH, &find, err);

    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, says);
    status = sql_store_step(store->sql, find, found, err);
    if (status == OK && *found && !sql_column_number(find, 0, wish))
        status = broker_store_altered(store, "a wish", err);
    sql_store_reset(find);
    return status;
}

static enum status add_wish(struct broker_store *store, struct bytes says,
                            uint64_t *wish, struct error *err)
{
    struct sql_statement *add = NULL;
    bool found = false;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_WISH, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, says);
    status = sql_store_step(store->sql, add, &found, err);
    if (status == OK && (!found || !sql_column_number(add, 0, wish)))
        status = broker_store_altered(store, "a wish", err);
    /* A statement that returns rows is done when it has none left. */
    if (status == OK)
        status = sql_store_step(store->sql, add, &found, err);
    sql_store_reset(add);
    return status;
}

static enum status add_said(struct broker_store *store, const struct said *said,
                            struct error *err)
{
    struct bytes subject = bytes_of(said->subject.byte, SUBJECT_ID_SIZE);
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_SAID, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, subject);
    sql_bind_number(add, 2, said->position);
    sql_bind_number(add, 3, said->wish);
    status = sql_store_run(store->sql, add, err);
    if (status == OK)
        status = sql_store_prepare(store->sql, BROKER_ADD_SAID_AT, &add, err);
    if (status != OK)
        return status;
    sql_bind_number(add, 1, said->position);
    sql_bind_bytes(add, 2, subject);
    return sql_store_run(store->sql, add, err);
}

enum status broker_store_say(struct broker_store *store,
                             const struct subject_id *subject,
                             uint64_t position, struct bytes says,
                             struct error *err)
{
    struct said said = {
        .subject = *subject, .position = position, .wish = WISH_WITHDRAWN};
    bool found = true;
    enum status status = OK;

    if (says.size > 0)
        status = find_wish(store, says, &said.wish, &found, err);
    if (status == OK && !found)
        status = add_wish(store, says, &said.wish, err);
    return status == OK ? add_said(store, &said, err) : status;
}

/* ---- visiting ---- */

enum status broker_store_each_wish(struct broker_store *store,
                                   wish_visit *visit, void *context,
                                   struct error *err)
{
    struct sql_statement *each = NULL;
    bool found = false;
    enum status status =
        sql_store_prepare(store->sql, BROKER_EACH_WISH, &each, err);

    if (status != OK)
        return status;
    while ((status = sql_store_step(store->sql, each, &found, err)) == OK &&
           found) {
        uint64_t wish;

        if (!sql_column_number(each, 0, &wish) || wish == WISH_WITHDRAWN)
            status = broker_store_altered(store, "a wish", err);
        else
            status = visit(context, wish, sql_column_bytes(each, 1), err);
        if (status != OK)
            break;
    }
    sql_store_reset(each);
    return status;
}

/* Takes a statement whose parameters are bound. */
static enum status visit_said(struct broker_store *store,
                              struct sql_statement *each, said_visit *visit,
                              void *context, struct error *err)
{
    struct said said;
    bool found = false;
    enum status status;

    while ((status = sql_store_step(store->sql, each, &found, err)) == OK &&
           found) {
        if (!sql_column_fixed(each, 0, said.subject.byte, SUBJECT_ID_SIZE) ||
            !sql_column_number(each, 1, &said.position) ||
            !sql_column_number(each, 2, &said.wish))
            status = broker_store_altered(store, "what a subject said", err);
        else
            status = visit(context, &said, err);
        if (status != OK)
            break;
    }
    sql_store_reset(each);
    return status;
}

enum status broker_store_each_said(struct broker_store *store,
                                   said_visit *visit, void *context,
                                   struct error *err)
{
    struct sql_statement *each = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_EACH_SAID, &each, err);

    return status == OK ? visit_said(store, each, visit, context, err) : status;
}

enum status broker_store_said_by(struct broker_store *store,
                                 const struct subject_id *subject,
                                 said_visit *visit, void *context,
                                 struct error *err)
{
    struct sql_statement *each = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_SAID_BY, &each, err);

    if (status != OK)
        return status;
    sql_bind_bytes(each, 1, bytes_of(subject->byte, SUBJECT_ID_SIZE));
    return visit_said(store, each, visit, context, err);
}

enum status broker_store_said_since(struct broker_store *store,
                                    uint64_t position, said_visit *visit,
                                    void *context, struct error *err)
{
    struct sql_statement *each = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_SAID_SINCE, &each, err);

    if (status != OK)
        return status;
    sql_bind_number(each, 1, position);
    return visit_said(store, each, visit, context, err);
}

enum status broker_store_wish(struct broker_store *store, uint64_t wish,
                              struct text *says, struct error *err)
{
    struct sql_statement *get = NULL;
    bool found = false;
    enum status status =
        sql_store_prepare(store->sql, BROKER_GET_WISH, &get, err);

    if (status != OK)
        return status;
    sql_bind_number(get, 1, wish);
    status = sql_store_step(store->sql, get, &found, err);
    if (status == OK && !found)
        status = broker_store_altered(store, "a wish", err);
    if (status == OK)
        status = text_append(says, sql_column_bytes(get, 0).data,
                             sql_column_bytes(get, 0).size, err);
    sql_store_reset(get);
    return status;
}

/* ---- what we cannot read ---- */

enum status broker_store_add_unresolved(struct broker_store *store,
                                        const struct digest *id,
                                        uint64_t position, enum entry_type type,
                                        const char *commitment,
                                        struct error *err)
{
    struct sql_statement *add = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_ADD_UNRESOLVED, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(id, sizeof *id));
    sql_bind_number(add, 2, position);
    sql_bind_number(add, 3, type);
    sql_bind_text(add, 4, commitment);
    return sql_store_run(store->sql, add, err);
}

static enum status read_unresolved(struct broker_store *store,
                                   struct sql_statement *find,
                                   struct unresolved *unresolved, bool *found,
                                   struct error *err)
{
    uint64_t type;
    enum status status = sql_store_step(store->sql, find, found, err);

    if (status == OK && *found) {
        if (!sql_column_fixed(find, 0, &unresolved->id,
                              sizeof unresolved->id) ||
            !sql_column_number(find, 1, &unresolved->position) ||
            !sql_column_number(find, 2, &type) || type >= ENTRY_TYPE_COUNT ||
            !broker_store_string(find, 3, unresolved->commitment,
                                 sizeof unresolved->commitment))
            status = broker_store_altered(store, "an unresolved entry", err);
        else
            unresolved->type = (enum entry_type)type;
    }
    sql_store_reset(find);
    return status;
}

enum status broker_store_first_unresolved(struct broker_store *store,
                                          struct unresolved *unresolved,
                                          bool *found, struct error *err)
{
    struct sql_statement *first = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_FIRST_UNRESOLVED, &first, err);

    return status == OK ? read_unresolved(store, first, unresolved, found, err)
                        : status;
}

enum status broker_store_find_unresolved(struct broker_store *store,
                                         const struct digest *id,
                                         struct unresolved *unresolved,
                                         bool *found, struct error *err)
{
    struct sql_statement *find = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_FIND_UNRESOLVED, &find, err);

    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, bytes_of(id, sizeof *id));
    return read_unresolved(store, find, unresolved, found, err);
}

enum status broker_store_drop_unresolved(struct broker_store *store,
                                         const struct digest *id,
                                         struct error *err)
{
    struct sql_statement *drop = NULL;
    enum status status =
        sql_store_prepare(store->sql, BROKER_DROP_UNRESOLVED, &drop, err);

    if (status != OK)
        return status;
    sql_bind_bytes(drop, 1, bytes_of(id, sizeof *id));
    return sql_store_run(store->sql, drop, err);
}
