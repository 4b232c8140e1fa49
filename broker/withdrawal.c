#include "broker/withdrawal.h"

#include <stdio.h>

#include "broker/recording.h"
#include "broker/statement.h"

/* Ascending by position: the last one stays. */
static enum status keep(void *context, const struct said *said,
                        struct error *err)
{
    struct said *newest = context;

    (void)err;
    *newest = *said;
    return OK;
}

/* The entry by which this subject has withdrawn. */
static enum status find_entry(struct broker *broker, uint64_t position,
                              struct withdrawal *withdrawal, struct error *err)
{
    struct shown shown;
    char which[24];
    enum status status;

    snprintf(which, sizeof which, "%ju", (uintmax_t)position);
    status = broker->ledger.show(broker->ledger.context, which, &shown, err);
    if (status != OK)
        return error_wrap(err, "the withdrawal that is there");
    *withdrawal =
        (struct withdrawal){.id = shown.entry.id, .position = position};
    shown_clear(&shown);
    return OK;
}

static enum status record(struct broker *broker,
                          const struct subject_id *subject,
                          struct withdrawal *withdrawal, struct error *err)
{
    struct json *statement = NULL, *payload = NULL;
    struct own_entry own;
    enum status status;

    own_entry_init(&own);
    status = statement_of_withdrawal(&statement, subject, err);
    if (status == OK)
        status = own_entry_state(&own, statement, err);
    if (status == OK)
        status = json_create(&payload, err);
    if (status == OK)
        status = own_entry_write(&own, &broker->author, ENTRY_WITHDRAW, payload,
                                 err);
    if (status == OK)
        status = own_entry_sign(&own, &broker->author, err);
    if (status == OK)
        status = recording_record(broker, &own, bytes_of(NULL, 0), err);
    if (status == OK)
        *withdrawal =
            (struct withdrawal){.id = own.id, .position = own.position};
    json_destroy(&payload);
    json_destroy(&statement);
    own_entry_clear(&own);
    return status;
}

enum status withdrawal_make(struct broker *broker,
                            const struct subject_id *subject,
                            struct withdrawal *withdrawal, struct error *err)
{
    struct said newest = {.wish = WISH_WITHDRAWN + 1};
    enum status status = recording_finish(broker, err);

    if (status == OK)
        status =
            broker_store_said_by(broker->store, subject, keep, &newest, err);
    if (status != OK)
        return status;
    return newest.wish == WISH_WITHDRAWN
               ? find_entry(broker, newest.position, withdrawal, err)
               : record(broker, subject, withdrawal, err);
}
