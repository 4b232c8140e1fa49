#include "broker/resolution.h"

#include "broker/follower.h"
#include "broker/recording.h"

static enum status apply(struct broker *broker,
                         const struct unresolved *unresolved,
                         struct bytes statement, struct error *err)
{
    enum status status = broker_store_begin(broker->store, err);

    if (status != OK)
        return status;
    status = follower_apply_statement(broker, unresolved->type, statement,
                                      unresolved->position, err);
    if (status == OK)
        status =
            broker_store_drop_unresolved(broker->store, &unresolved->id, err);
    return broker_store_end(broker->store, status, err);
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
        status = apply(broker, &unresolved, statement, err);
    if (status == OK)
        *position = unresolved.position;
    return status;
}
