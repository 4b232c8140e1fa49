#include "broker/resolution.h"

#include "broker/follower.h"
#include "broker/recording.h"

/* The entry itself, with what it commits to: kept like one of our own, so that
 * an audit finds what our lists rest on (broker/testimony.h). */
static enum status keep(struct broker *broker,
                        const struct unresolved *unresolved,
                        const struct commitment_salt *salt,
                        struct bytes statement, const struct shown *shown,
                        struct error *err)
{
    struct own_entry own;
    enum status status;

    own_entry_init(&own);
    own.id = unresolved->id;
    own.type = unresolved->type;
    own.salt = *salt;
    status = text_append(&own.bytes, shown->entry.bytes.data,
                         shown->entry.bytes.size, err);
    if (status == OK)
        status = text_append(&own.signatures, shown->entry.signature_bytes.data,
                             shown->entry.signature_bytes.size, err);
    if (status == OK)
        status =
            text_append(&own.statement, statement.data, statement.size, err);
    if (status == OK)
        status =
            broker_store_add_own(broker->store, &own, bytes_of(NULL, 0), err);
    if (status == OK)
        status = broker_store_settle(broker->store, &own.id,
                                     unresolved->position, VERDICT_VALID, err);
    own_entry_clear(&own);
    return status;
}

static enum status apply(struct broker *broker,
                         const struct unresolved *unresolved,
                         const struct commitment_salt *salt,
                         struct bytes statement, struct error *err)
{
    const struct ledger_port *ledger = &broker->ledger;
    struct shown shown = {.position = 0};
    char which[DIGEST_HEX_SIZE];
    enum status status;

    digest_hex(&unresolved->id, which);
    status = ledger->show(ledger->context, which, &shown, err);
    if (status == OK)
        status = broker_store_begin(broker->store, err);
    if (status == OK) {
        status = follower_apply_statement(broker, unresolved->type, statement,
                                          unresolved->position, err);
        if (status == OK)
            status = keep(broker, unresolved, salt, statement, &shown, err);
        if (status == OK)
            status = broker_store_drop_unresolved(broker->store,
                                                  &unresolved->id, err);
        status = broker_store_end(broker->store, status, err);
    }
    shown_clear(&shown);
    return status;
}

enum status resolution_apply(struct broker *broker, const struct digest *entry,
                             const struct commitment_salt *salt,
                             struct bytes statement, uint64_t *position,
                             struct error *err)
{
    struct unresolved unresolved;
    bool found = false;
    enum status status = recording_finish(broker, err);

    if (status == OK)
        status = follower_search_end(broker, err);
    if (status == OK)
        status = broker_store_find_unresolved(broker->store, entry, &unresolved,
                                              &found, err);
    if (status == OK && !found)
        status = error_set(err, E_INPUT,
                           "no consent or withdrawal with this id waits for "
                           "its statement");
    if (status == OK)
        status = commitment_check(salt, statement, unresolved.commitment, err);
    if (status == E_NO)
        return error_set(err, E_REFUSED,
                         "the entry does not commit to this statement");
    if (status == OK)
        status = apply(broker, &unresolved, salt, statement, err);
    if (status == OK)
        *position = unresolved.position;
    return status;
}
