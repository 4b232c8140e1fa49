#include "broker/follower.h"

#include <string.h>

#include "broker/statement.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/log.h"

/* ---- what a subject said ---- */

/* For statement_visit. */
struct saying {
    struct broker_store *store;
    uint64_t position;
};

static enum status say(void *context, const struct subject_id *subject,
                       struct bytes says, struct error *err)
{
    const struct saying *saying = context;

    return broker_store_say(saying->store, subject, saying->position, says,
                            err);
}

enum status follower_apply_statement(struct broker *broker,
                                     enum entry_type type,
                                     struct bytes statement, uint64_t position,
                                     struct error *err)
{
    struct saying saying = {.store = broker->store, .position = position};

    return statement_read(type, statement, say, &saying, err);
}

static const char *text_of(const struct shown *shown, const char *member)
{
    const struct json_value *value = json_member(shown->entry.payload, member);

    return value != NULL && json_kind(value) == JSON_STRING ? json_string(value)
                                                            : "";
}

/* A consent or a withdrawal, valid, of our organisation. */
static enum status apply_said(struct broker *broker, const struct shown *shown,
                              const struct own_entry *own, struct error *err)
{
    const char *commitment = text_of(shown, "commitment");
    enum status status;

    if (own == NULL) {
        log_warning("the %s entry at position %ju of the log is not our own: "
                    "nothing is released until it is resolved",
                    entry_type_name(shown->entry.type),
                    (uintmax_t)shown->position);
        return broker_store_add_unresolved(broker->store, &shown->entry.id,
                                           shown->position, shown->entry.type,
                                           commitment, err);
    }
    status = commitment_check(&own->salt, text_bytes(&own->statement),
                              commitment, err);
    if (status == E_NO)
        status = error_set(err, E_INPUT,
                           "the statement of our entry at position %ju is not "
                           "the one that it commits to; the database was "
                           "altered",
                           (uintmax_t)shown->position);
    if (status == OK)
        status = follower_apply_statement(broker, shown->entry.type,
                                          text_bytes(&own->statement),
                                          shown->position, err);
    return status;
}

/* ---- other entries ---- */

static enum status apply_answer(struct broker *broker,
                                const struct shown *shown, struct error *err)
{
    struct answer_record answer = {
        .id = shown->entry.id, .approved = shown->entry.type == ENTRY_APPROVE};
    struct digest request;
    enum status status;

    if (!hex_decode(bytes_of_string(text_of(shown, "request")), request.byte,
                    DIGEST_SIZE))
        return error_set(err, E_SYSTEM, "the node showed an answer to nothing");
    memcpy(answer.author, shown->entry.author, sizeof answer.author);
    status = broker_store_add_answer(broker->store, &request, &answer, err);
    /* Nobody will make anything by its policy. */
    if (status == OK && !answer.approved)
        status = broker_store_drop_bundle(broker->store, &request, err);
    return status;
}

static enum status apply_enrol(struct broker *broker, const struct shown *shown,
                               struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse_pem(
        &certificate, bytes_of_string(text_of(shown, "certificate")), err);

    if (status == OK)
        status = broker_store_add_person(broker->store, certificate, err);
    certificate_destroy(&certificate);
    return status;
}

static enum status narrow(struct broker *broker, const struct shown *shown,
                          struct error *err)
{
    return broker_store_set_number(broker->store, BROKER_NARROWED,
                                   shown->position + 1, err);
}

/* Whose was revoked may matter to a release: it is drafted anew, and looked at
 * then. */
static enum status apply_revoke(struct broker *broker,
                                const struct shown *shown, struct error *err)
{
    enum status status = broker_store_revoke_person(
        broker->store, text_of(shown, "certificate"), err);

    return status == OK ? narrow(broker, shown, err) : status;
}

/* A valid entry. */
static enum status apply_valid(struct broker *broker, const struct shown *shown,
                               const struct own_entry *own, struct error *err)
{
    struct person author;
    bool found = false, ours;
    enum status status = broker_store_find_person(
        broker->store, shown->entry.author, &author, &found, err);

    if (status != OK)
        return status;
    if (!found)
        return error_set(err, E_SYSTEM,
                         "the node showed a valid entry whose author was never "
                         "enrolled");
    ours = strcmp(author.organisation, broker_organisation(broker)) == 0;
    switch (shown->entry.type) {
    case ENTRY_CONSENT:
    case ENTRY_WITHDRAW:
        status = ours ? apply_said(broker, shown, own, err) : OK;
        break;
    case ENTRY_APPROVE:
    case ENTRY_REJECT:
        status = apply_answer(broker, shown, err);
        break;
    case ENTRY_ENROL:
        return apply_enrol(broker, shown, err);
    case ENTRY_REVOKE:
        return apply_revoke(broker, shown, err);
    case ENTRY_DATASET:
    case ENTRY_REQUEST:
    case ENTRY_PERMIT:
    case ENTRY_RELEASE:
    case ENTRY_ACCESS:
    case ENTRY_MEMBER:
    case ENTRY_ERASE:
    case ENTRY_TYPE_COUNT:
        break;
    }
    if (status == OK && ours &&
        (shown->entry.type == ENTRY_CONSENT ||
         shown->entry.type == ENTRY_WITHDRAW ||
         shown->entry.type == ENTRY_ERASE || shown->entry.type == ENTRY_REJECT))
        status = narrow(broker, shown, err);
    return status;
}

/* ---- one entry ---- */

static enum status apply(struct broker *broker, const struct shown *shown,
                         struct error *err)
{
    struct own_entry own;
    bool found = false;
    enum status status;

    own_entry_init(&own);
    status = broker_store_find_own(broker->store, &shown->entry.id, &own,
                                   &found, err);
    /* The store has looked that `own` has this digest: they can only differ if
     * SHA-256 is broken, or we are. */
    if (status == OK && found &&
        !bytes_equal(text_bytes(&own.bytes), shown->entry.bytes))
        status = error_set(err, E_SYSTEM,
                           "position %ju of the log has not the entry that was "
                           "handed in",
                           (uintmax_t)shown->position);
    if (status == OK && found)
        status = broker_store_settle(broker->store, &own.id, shown->position,
                                     shown->verdict, err);
    if (status == OK && shown->verdict == VERDICT_VALID)
        status = apply_valid(broker, shown, found ? &own : NULL, err);
    if (status == OK)
        status = broker_store_set_number(broker->store, BROKER_CURSOR,
                                         shown->position + 1, err);
    own_entry_clear(&own);
    return status;
}

/* *end: there is none at this position, as far as this node knows. */
static enum status show_at(struct broker *broker, uint64_t position,
                           struct shown *shown, bool *end, struct error *err)
{
    const struct ledger_port *ledger = &broker->ledger;
    struct error answer;
    char which[24];
    enum status status;

    error_init(&answer);
    snprintf(which, sizeof which, "%ju", (uintmax_t)position);
    status = ledger->show(ledger->context, which, shown, &answer);
    *end = status == E_NO;
    if (status == OK || *end)
        return OK;
    *err = answer;
    return error_wrap(err, "position %ju of the log", (uintmax_t)position);
}

/* Up to `until`, in the open transaction.  *may_commit: if it fails, then to
 * get the next one, and those before are applied as a whole. */
static enum status apply_batch(struct broker *broker, uint64_t cursor,
                               uint64_t until, bool *may_commit,
                               struct error *err)
{
    bool end = false;
    enum status status = OK;

    for (; status == OK && !end && cursor < until; cursor++) {
        struct shown shown = {.position = 0};

        *may_commit = true;
        status = show_at(broker, cursor, &shown, &end, err);
        if (status != OK || end)
            return status;
        *may_commit = false;
        status = apply(broker, &shown, err);
        shown_clear(&shown);
    }
    return status;
}

static enum status follow_batch(struct broker *broker, uint64_t cursor,
                                uint64_t until, struct error *err)
{
    bool may_commit = false;
    struct error commit;
    enum status status = broker_store_begin(broker->store, err);

    if (status != OK)
        return status;
    status = apply_batch(broker, cursor, until, &may_commit, err);
    if (status == OK || !may_commit)
        return broker_store_end(broker->store, status, err);
    error_init(&commit);
    if (broker_store_end(broker->store, OK, &commit) != OK)
        *err = commit;
    return err->status;
}

enum status follower_turn(struct broker *broker, bool *end, struct error *err)
{
    uint64_t cursor = 0, before, size = 0, first;
    enum status status =
        broker->ledger.size(broker->ledger.context, &size, err);

    if (status == OK)
        status =
            broker_store_number(broker->store, BROKER_CURSOR, &cursor, err);
    first = before = cursor;
    *end = cursor >= size;
    while (status == OK && !*end && cursor - first < FOLLOWER_TURN_MAX) {
        uint64_t until = cursor + FOLLOWER_BATCH_MAX;

        status = follow_batch(broker, cursor, until < size ? until : size, err);
        if (status == OK)
            status =
                broker_store_number(broker->store, BROKER_CURSOR, &cursor, err);
        /* Nobody shows what a node has said it has: another time. */
        *end = cursor >= size || cursor == before;
        before = cursor;
    }
    return status;
}

enum status follower_catch_up(struct broker *broker, struct error *err)
{
    bool end = false;
    enum status status = OK;

    while (status == OK && !end)
        status = follower_turn(broker, &end, err);
    return status;
}

enum status follower_search_end(struct broker *broker, struct error *err)
{
    uint64_t cursor = 0, before;
    enum status status;

    do {
        status = follower_catch_up(broker, err);
        if (status == OK)
            status =
                broker_store_number(broker->store, BROKER_CURSOR, &cursor, err);
        before = cursor;
        if (status == OK)
            status = follow_batch(broker, cursor, cursor + 1, err);
        if (status == OK)
            status =
                broker_store_number(broker->store, BROKER_CURSOR, &cursor, err);
    } while (status == OK && cursor != before);
    return status;
}

enum status follower_reach(struct broker *broker, uint64_t size,
                           struct error *err)
{
    uint64_t until = clock_steady_ms() + FOLLOWER_WAIT_MS, cursor = 0;

    for (;;) {
        enum status status = follower_catch_up(broker, err);

        if (status == OK)
            status =
                broker_store_number(broker->store, BROKER_CURSOR, &cursor, err);
        if (status != OK || cursor >= size)
            return status;
        if (clock_steady_ms() >= until)
            return error_set(err, E_SYSTEM,
                             "the log has %ju entries as far as the nodes show "
                             "it, and one has answered for %ju",
                             (uintmax_t)cursor, (uintmax_t)size);
        broker->ledger.pause(broker->ledger.context);
    }
}

/* ---- the beginning ---- */

static enum status add_all(struct broker *broker,
                           const struct genesis_certificates *list,
                           struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < list->count; i++)
        status = broker_store_add_person(broker->store, list->item[i], err);
    return status;
}

enum status follower_begin(struct broker *broker, struct error *err)
{
    const struct genesis *genesis = broker->genesis;
    enum status status = broker_store_begin(broker->store, err);

    if (status != OK)
        return status;
    status = add_all(broker, &genesis->members, err);
    for (size_t i = 0; status == OK && i < genesis->node_count; i++)
        status = broker_store_add_person(broker->store,
                                         genesis->node[i].certificate, err);
    return broker_store_end(broker->store, status, err);
}
