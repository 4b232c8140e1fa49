#include "broker/recording.h"

#include <assert.h>

#include "broker/follower.h"
#include "common/log.h"

/* Can the same succeed later?  Else all nodes have said no, at the door. */
static bool may_succeed(enum status status)
{
    return status == E_SYSTEM || status == E_IO || status == E_MEMORY ||
           status == E_CANCELLED;
}

/* One of ours that depends on nobody else can be refused at the door only
 * because we are not enrolled yet. */
static enum status turned_away(struct broker *broker,
                               const struct own_entry *own, struct error *err)
{
    if (own->type != ENTRY_RELEASE)
        return error_wrap(err, "a %s entry that is pending",
                          entry_type_name(own->type));
    log_warning("no node takes a release entry: %s", err->text);
    return broker_store_drop_pending(broker->store, &own->id, err);
}

static enum status finish_one(struct broker *broker, struct own_entry *own,
                              struct error *err)
{
    const struct ledger_port *ledger = &broker->ledger;
    struct receipt receipt;
    bool found = false;
    enum status status =
        ledger->submit(ledger->context, text_bytes(&own->bytes),
                       text_bytes(&own->signatures), &receipt, err);

    if (status != OK)
        return may_succeed(status) ? status : turned_away(broker, own, err);
    status = follower_reach(broker, receipt.position + 1, err);
    if (status == OK)
        status =
            broker_store_find_own(broker->store, &own->id, own, &found, err);
    if (status == OK && (!found || !own->settled))
        status = error_set(err, E_SYSTEM,
                           "a node answered that our entry is at position %ju "
                           "of the log, and another one is there",
                           (uintmax_t)receipt.position);
    return status;
}

enum status recording_finish(struct broker *broker, struct error *err)
{
    struct own_entry own;
    bool found = true;
    enum status status = OK;

    own_entry_init(&own);
    while (status == OK && found) {
        status = broker_store_first_pending(broker->store, &own, &found, err);
        if (status == OK && found)
            status = finish_one(broker, &own, err);
    }
    own_entry_clear(&own);
    return status == OK ? follower_catch_up(broker, err) : status;
}

enum status recording_check(const struct own_entry *own, struct error *err)
{
    if (own->settled && own->verdict == VERDICT_VALID)
        return OK;
    return error_set(err, E_REFUSED, "the log refuses the %s entry: %s",
                     entry_type_name(own->type),
                     own->settled ? entry_verdict_name(own->verdict)
                                  : "no node takes it");
}

enum status recording_record(struct broker *broker, struct own_entry *own,
                             struct bytes asked, struct error *err)
{
    bool found = false;
    enum status status;

    assert(own->signatures.size > 0);
    status = broker_store_begin(broker->store, err);
    if (status == OK)
        status = broker_store_end(
            broker->store, broker_store_add_own(broker->store, own, asked, err),
            err);
    if (status == OK)
        status = recording_finish(broker, err);
    if (status == OK)
        status =
            broker_store_find_own(broker->store, &own->id, own, &found, err);
    if (status != OK)
        return status;
    assert(found);
    return recording_check(own, err);
}
