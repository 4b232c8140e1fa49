#include "broker/consent_batch.h"

#include "broker/recording.h"
#include "broker/statement.h"

/* ---- in ---- */

static enum status count_one(void *context, const struct subject_id *subject,
                             struct bytes says, struct error *err)
{
    size_t *count = context;

    (void)subject;
    (void)says;
    (void)err;
    ++*count;
    return OK;
}

enum status consent_batch_find(struct broker *broker, struct bytes upload,
                               struct consent_batch *batch, bool *found,
                               struct error *err)
{
    struct own_entry own;
    enum status status = recording_finish(broker, err);

    *found = false;
    if (status != OK)
        return status;
    own_entry_init(&own);
    status = broker_store_find_asked(broker->store, upload, &own, found, err);
    if (status == OK && *found)
        status = recording_check(&own, err);
    *batch = (struct consent_batch){.id = own.id, .position = own.position};
    if (status == OK && *found)
        status = statement_read(own.type, text_bytes(&own.statement), count_one,
                                &batch->count, err);
    own_entry_clear(&own);
    return status;
}

enum status consent_batch_record(struct broker *broker, struct bytes upload,
                                 struct bytes list, struct consent_batch *batch,
                                 struct error *err)
{
    struct json *statement = NULL, *payload = NULL;
    struct own_entry own;
    enum status status;

    own_entry_init(&own);
    status = statement_of_consents(&statement, list, &batch->count, err);
    if (status == OK)
        status = own_entry_state(&own, statement, err);
    if (status == OK)
        status = json_create(&payload, err);
    if (status == OK)
        status =
            own_entry_write(&own, &broker->author, ENTRY_CONSENT, payload, err);
    if (status == OK)
        status = own_entry_sign(&own, &broker->author, err);
    if (status == OK)
        status = recording_record(broker, &own, upload, err);
    if (status == OK) {
        batch->id = own.id;
        batch->position = own.position;
    }
    json_destroy(&payload);
    json_destroy(&statement);
    own_entry_clear(&own);
    return status;
}

/* ---- out ---- */

struct telling {
    struct broker_store *store;
    struct json_value *list;
};

static enum status tell_wish(const struct telling *telling, uint64_t wish,
                             struct json_value *item, struct error *err)
{
    struct json *says = NULL;
    struct text text;
    enum status status;

    text_init(&text);
    status = broker_store_wish(telling->store, wish, &text, err);
    if (status == OK)
        status = json_parse(&says, text_bytes(&text), err);
    if (status == OK)
        status = json_add_copy(item, "says", json_root(says), err);
    json_destroy(&says);
    text_clear(&text);
    return status;
}

static enum status tell_one(void *context, const struct said *said,
                            struct error *err)
{
    const struct telling *telling = context;
    struct json_value *item;
    enum status status = json_add_object(telling->list, NULL, &item, err);

    if (status == OK)
        status =
            json_add_integer(item, "position", (int64_t)said->position, err);
    if (status != OK)
        return status;
    return said->wish == WISH_WITHDRAWN
               ? json_add_boolean(item, "withdrawn", true, err)
               : tell_wish(telling, said->wish, item, err);
}

enum status consent_batch_tell(struct broker *broker,
                               const struct subject_id *subject,
                               struct text *out, struct error *err)
{
    struct telling telling = {.store = broker->store};
    char hex[SUBJECT_ID_HEX_SIZE];
    struct json *json = NULL;
    enum status status = recording_finish(broker, err);

    if (status == OK)
        status = json_create(&json, err);
    if (status == OK)
        status =
            json_add_array(json_edit_root(json), "said", &telling.list, err);
    if (status == OK)
        status = broker_store_said_by(broker->store, subject, tell_one,
                                      &telling, err);
    subject_id_hex(subject, hex);
    if (status == OK)
        status = json_add_string(json_edit_root(json), "subject", hex, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    if (status == OK && out->size > TOLD_SIZE_MAX)
        status = error_set(err, E_LIMIT,
                           "what this subject has said has more than %u bytes",
                           TOLD_SIZE_MAX);
    json_destroy(&json);
    return status;
}
