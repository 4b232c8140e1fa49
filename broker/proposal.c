#include "broker/proposal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "broker/follower.h"
#include "broker/permit.h"
#include "broker/recording.h"
#include "broker/release_statement.h"
#include "common/log.h"
#include "common/sign.h"

static const struct states_row rows[] = {PROPOSAL_STATES(STATES_ROW)};
static const struct states_table table = STATES_TABLE("release", rows);

const char *proposal_state_name(enum proposal_state state)
{
    assert(state < table.count);
    return rows[state].name;
}

void proposal_progress_init(struct proposal_progress *progress)
{
    *progress = (struct proposal_progress){.state = ""};
    text_init(&progress->entry);
    text_init(&progress->statement);
    text_init(&progress->why);
}

void proposal_progress_clear(struct proposal_progress *progress)
{
    text_clear(&progress->entry);
    text_clear(&progress->statement);
    text_clear(&progress->why);
    secret_wipe(&progress->salt, sizeof progress->salt);
    proposal_progress_init(progress);
}

/* All that one question works with. */
struct proposal {
    struct broker *broker;
    struct request_record request;
    struct request_terms terms;
    struct answer_record approval;
    struct permit_record permit; /* once there is one */
    struct release_record release;
    bool begun; /* there is a record of the release */
    char job[IDENTITY_NAME_MAX + 1];
};

static void proposal_clear(struct proposal *proposal)
{
    request_record_clear(&proposal->request);
    permit_record_clear(&proposal->permit);
    release_record_clear(&proposal->release);
}

/* ---- moves ---- */

/* Within a transaction: what is put is what was decided. */
static enum status put(struct proposal *proposal, enum proposal_state to,
                       struct error *err)
{
    struct states states;

    if (proposal->begun) {
        states_init(&states, &table, proposal->release.state, NULL, NULL);
        states_move(&states, to);
    }
    proposal->release.state = to;
    return broker_store_put_release(proposal->broker->store, &proposal->release,
                                    err);
}

static void log_move(const struct proposal *proposal)
{
    char request[DIGEST_HEX_SIZE];

    digest_hex(&proposal->request.id, request);
    log_info("request %s: %s", request,
             proposal_state_name((enum proposal_state)proposal->release.state));
}

/* The end of the transaction that has the move. */
static enum status end_move(struct proposal *proposal, enum status status,
                            struct error *err)
{
    status = broker_store_end(proposal->broker->store, status, err);
    if (status == OK)
        log_move(proposal);
    return status;
}

/* One move that changes nothing else. */
static enum status move(struct proposal *proposal, enum proposal_state to,
                        struct error *err)
{
    enum status status = broker_store_begin(proposal->broker->store, err);

    if (status != OK)
        return status;
    return end_move(proposal, put(proposal, to, err), err);
}

/* Within a transaction: the draft is nobody's any more. */
static enum status drop_draft(struct proposal *proposal, struct error *err)
{
    if (proposal->release.drafts == 0)
        return OK;
    return broker_store_drop_statement(proposal->broker->store,
                                       &proposal->release.draft, err);
}

/* It is over, for now: the reason is kept for whoever asks. */
static enum status refuse(struct proposal *proposal, enum status why,
                          const char *words, struct error *err)
{
    struct release_record *release = &proposal->release;
    enum status status;

    release->status = why;
    text_reset(&release->statement);
    secret_wipe(&release->salt, sizeof release->salt);
    text_reset(&release->why);
    status = text_append_string(&release->why, words, err);
    if (status == OK)
        status = broker_store_begin(proposal->broker->store, err);
    if (status != OK)
        return status;
    status = drop_draft(proposal, err);
    if (status == OK)
        status = put(proposal, PROPOSAL_REFUSED, err);
    return end_move(proposal, status, err);
}

/* ---- may there be a release at all? ---- */

static enum status check_person(const struct proposal *proposal, const char *id,
                                const char *what, struct error *err)
{
    struct person person;
    bool found = false;
    enum status status = broker_store_find_person(proposal->broker->store, id,
                                                  &person, &found, err);

    if (status == OK && (!found || person.revoked))
        status = error_set(err, E_REFUSED,
                           "the certificate of %s is not enrolled or was "
                           "revoked",
                           what);
    return status;
}

/* At the size that has been applied. */
static enum status check_basis(struct proposal *proposal, struct error *err)
{
    bool found = false;
    enum status status =
        broker_store_find_answer(proposal->broker->store, &proposal->request.id,
                                 &proposal->approval, &found, err);

    if (status == OK && !found)
        status = error_set(err, E_REFUSED, "the request is not approved");
    if (status == OK && !proposal->approval.approved)
        status = error_set(err, E_REFUSED, "the request was rejected");
    if (status == OK)
        status = check_person(proposal, proposal->request.author,
                              "who requests the data", err);
    if (status == OK)
        status = check_person(proposal, proposal->approval.author,
                              "who has approved the request", err);
    return status == OK ? broker_check_resolved(proposal->broker, err) : status;
}

/* ---- permits ---- */

static struct permit_basis basis_of(const struct proposal *proposal)
{
    return (struct permit_basis){.request = &proposal->request,
                                 .terms = &proposal->terms,
                                 .approval = &proposal->approval};
}

/* In the place of what there was. */
static enum status store_permit(struct proposal *proposal,
                                const struct own_entry *own, uint64_t restarts,
                                struct error *err)
{
    struct broker_store *store = proposal->broker->store;
    struct release_record *release = &proposal->release;
    unsigned state = release->state;
    enum status status = broker_store_begin(store, err);

    if (status != OK)
        return status;
    status = drop_draft(proposal, err);
    release_record_clear(release);
    release->state = state;
    release->request = proposal->request.id;
    release->restarts = restarts;
    release->permit = own->id;
    if (status == OK)
        status = broker_store_add_own(store, own, bytes_of(NULL, 0), err);
    if (status == OK)
        status = broker_store_add_permit(store, &proposal->permit, err);
    if (status == OK)
        status = put(proposal, PROPOSAL_PERMITTING, err);
    return end_move(proposal, status, err);
}

/* A permit, the first or the next one. */
static enum status begin(struct proposal *proposal, uint64_t restarts,
                         struct error *err)
{
    struct permit_basis basis = basis_of(proposal);
    struct own_entry own;
    enum status status = follower_search_end(proposal->broker, err);

    if (status == OK)
        status = check_basis(proposal, err);
    if (status != OK)
        return status;
    own_entry_init(&own);
    permit_record_clear(&proposal->permit);
    status = permit_make(proposal->broker, &basis, proposal->broker->now_ms(),
                         &proposal->permit, &own, err);
    if (status == OK) {
        status = store_permit(proposal, &own, restarts, err);
        proposal->begun = true;
    }
    own_entry_clear(&own);
    return status;
}

static enum status restart(struct proposal *proposal, const char *why,
                           struct error *err)
{
    if (proposal->release.restarts >= PROPOSAL_RESTARTS_MAX) {
        char words[128];

        snprintf(words, sizeof words,
                 "%d permits one after the other could not be used; the last: "
                 "%s",
                 PROPOSAL_RESTARTS_MAX + 1, why);
        return refuse(proposal, E_SYSTEM, words, err);
    }
    log_info("a release needs a new permit: %s", why);
    return begin(proposal, proposal->release.restarts + 1, err);
}

/* permitting: is the permit in the log? */
static enum status look_for_permit(struct proposal *proposal, struct error *err)
{
    struct own_entry own;
    struct error verdict;
    bool found = false;
    enum status status;

    own_entry_init(&own);
    error_init(&verdict);
    status = broker_store_find_own(
        proposal->broker->store, &proposal->release.permit, &own, &found, err);
    if (status == OK)
        status = recording_check(&own, &verdict) == OK
                     ? move(proposal, PROPOSAL_PERMITTED, err)
                     : refuse(proposal, E_REFUSED, verdict.text, err);
    if (status == OK && proposal->release.state == PROPOSAL_REFUSED)
        status = broker_store_drop_list(proposal->broker->store,
                                        &proposal->permit.id, err);
    own_entry_clear(&own);
    return status;
}

/* Read only where it is needed: `release` is said ten times a second. */
static enum status load_list(struct proposal *proposal, struct error *err)
{
    if (proposal->permit.list.size > 0)
        return OK;
    return broker_store_permit_list(proposal->broker->store,
                                    &proposal->permit.id,
                                    &proposal->permit.list, err);
}

/* permitted: the anonymizer gets it, once more if we do not know whether it
 * has. */
static enum status deliver(struct proposal *proposal, struct error *err)
{
    const struct anonymizer_port *anonymizer = &proposal->broker->anonymizer;
    struct permit_basis basis = basis_of(proposal);
    struct permit_delivery delivery = {.id = &proposal->permit.id,
                                       .seed = &proposal->permit.seed};
    struct job_progress job;
    struct own_entry own;
    struct text package;
    bool found = false;
    enum status status;

    text_init(&package);
    own_entry_init(&own);
    job_progress_init(&job);
    status = broker_store_find_own(proposal->broker->store,
                                   &proposal->permit.id, &own, &found, err);
    if (status == OK)
        status = load_list(proposal, err);
    if (status == OK)
        status = permit_package(proposal->broker, &basis, &own, &package, err);
    delivery.package = text_bytes(&package);
    delivery.list = text_bytes(&proposal->permit.list);
    if (status == OK)
        status = anonymizer->permit(anonymizer->context, &delivery, &job, err);
    if (status == OK)
        status = move(proposal, PROPOSAL_WORKING, err);
    job_progress_clear(&job);
    own_entry_clear(&own);
    text_clear(&package);
    return status;
}

/* ---- drafts ---- */

static enum status write_draft(struct proposal *proposal, uint64_t checked,
                               struct own_entry *own, struct error *err)
{
    struct release_record *release = &proposal->release;
    char permit[DIGEST_HEX_SIZE], terms[DIGEST_HEX_SIZE];
    struct json *payload = NULL;
    struct json_value *root;
    struct digest commitment;
    enum status status =
        commitment_make(&proposal->request.salt,
                        text_bytes(&proposal->request.terms), &commitment, err);

    own->salt = release->salt;
    if (status == OK)
        status = text_append(&own->statement, release->statement.data,
                             release->statement.size, err);
    if (status == OK)
        status = json_create(&payload, err);
    if (status != OK)
        return status;
    digest_hex(&release->permit, permit);
    digest_hex(&commitment, terms);
    root = json_edit_root(payload);
    status = json_add_string(root, "permit", permit, err);
    if (status == OK)
        status = json_add_string(root, "terms", terms, err);
    if (status == OK)
        status = json_add_integer(root, "checked", (int64_t)checked, err);
    if (status == OK)
        status = own_entry_write(own, &proposal->broker->author, ENTRY_RELEASE,
                                 payload, err);
    json_destroy(&payload);
    return status;
}

static enum status store_draft(struct proposal *proposal, uint64_t checked,
                               const struct own_entry *own, struct error *err)
{
    struct broker_store *store = proposal->broker->store;
    enum status status = broker_store_begin(store, err);

    if (status != OK)
        return status;
    status = broker_store_add_own(store, own, bytes_of(NULL, 0), err);
    /* The draft in whose place it comes is nobody's any more. */
    if (status == OK)
        status = drop_draft(proposal, err);
    proposal->release.draft = own->id;
    proposal->release.checked = checked;
    proposal->release.drafts++;
    if (status == OK)
        status = put(proposal, PROPOSAL_ENDORSE, err);
    return end_move(proposal, status, err);
}

/* A draft at the present size of the log, if all permitted subjects still are
 * permitted there. */
static enum status draft(struct proposal *proposal, struct error *err)
{
    struct broker *broker = proposal->broker;
    uint64_t now_ms = broker->now_ms(), checked = 0;
    struct decision_request request = {.purposes = proposal->terms.purposes,
                                       .recipient =
                                           proposal->terms.organisation,
                                       .instant_ms = (int64_t)now_ms};
    struct own_entry own;
    bool affected = false;
    enum status status = recording_finish(broker, err);

    if (status == OK)
        status = check_basis(proposal, err);
    if (status == OK)
        status =
            broker_store_number(broker->store, BROKER_CURSOR, &checked, err);
    if (status == OK && now_ms >= proposal->permit.expires_ms)
        return restart(proposal, "the permit has expired", err);
    if (status == OK)
        status = load_list(proposal, err);
    if (status == OK)
        status = permit_affected(broker->store, &proposal->permit, &request,
                                 &affected, err);
    if (status != OK)
        return status;
    if (affected)
        return restart(proposal, "a permitted patient has said otherwise", err);
    if (proposal->release.drafts >= PROPOSAL_DRAFTS_MAX)
        return refuse(proposal, E_SYSTEM,
                      "too many drafts of the release entry have become stale",
                      err);
    own_entry_init(&own);
    status = write_draft(proposal, checked, &own, err);
    if (status == OK)
        status = store_draft(proposal, checked, &own, err);
    own_entry_clear(&own);
    return status;
}

/* ---- the anonymizer's work ---- */

/* The release's statement, from RECHECKED on. */
static enum status take_statement(struct proposal *proposal,
                                  const struct job_progress *job,
                                  struct error *err)
{
    struct release_record *release = &proposal->release;
    const struct release_expected expected = {.permit = &release->permit,
                                              .policy = proposal->terms.policy,
                                              .release = job->release};
    enum status status =
        release_statement_check(text_bytes(&job->statement), &expected, err);

    if (status != OK)
        return error_wrap(err, "the anonymizer");
    memcpy(release->name, job->release, strlen(job->release) + 1);
    release->salt = job->salt;
    text_reset(&release->statement);
    return text_append(&release->statement, job->statement.data,
                       job->statement.size, err);
}

/* No entry was drafted under this permit, so its job can be no further. */
static bool is_making(const struct job_progress *job)
{
    static const char *const making[] = {"received", "permitted", "loaded",
                                         "found"};

    for (size_t i = 0; i < sizeof making / sizeof *making; i++)
        if (strcmp(job->state, making[i]) == 0)
            return job->statement.size == 0;
    return false;
}

/* What cannot be, be it told by whom we would believe. */
static enum status impossible(struct error *err)
{
    return error_set(err, E_SYSTEM,
                     "the anonymizer says of its job what cannot be");
}

static enum status look_at_job(struct proposal *proposal, bool *waits,
                               struct error *err)
{
    const struct anonymizer_port *anonymizer = &proposal->broker->anonymizer;
    struct job_progress job;
    enum status status;

    job_progress_init(&job);
    status = anonymizer->job(anonymizer->context, &proposal->release.permit,
                             &job, err);
    if (status == OK && strcmp(job.state, "refused") == 0) {
        status = refuse(proposal, job.status == OK ? E_REFUSED : job.status,
                        job.why.data, err);
    } else if (status == OK &&
               proposal->broker->now_ms() >= proposal->permit.expires_ms) {
        status = restart(proposal, "the permit has expired", err);
    } else if (status == OK && strcmp(job.state, "rechecked") == 0 &&
               job.statement.size > 0) {
        status = take_statement(proposal, &job, err);
        if (status == OK)
            status = draft(proposal, err);
    } else if (status == OK && is_making(&job)) {
        *waits = true;
        memcpy(proposal->job, job.state, sizeof proposal->job);
    } else if (status == OK) {
        status = impossible(err);
    }
    job_progress_clear(&job);
    return status;
}

/* ---- the log's answer ---- */

/* endorse: is the draft still worth a signature? */
static enum status look_at_draft(struct proposal *proposal, bool *waits,
                                 struct error *err)
{
    uint64_t narrowed = 0;
    enum status status = broker_store_number(proposal->broker->store,
                                             BROKER_NARROWED, &narrowed, err);

    if (status != OK)
        return status;
    if (narrowed > proposal->release.checked ||
        proposal->broker->now_ms() >= proposal->permit.expires_ms)
        return draft(proposal, err);
    *waits = true;
    return OK;
}

/* proposed: whatever was pending is settled, or no node takes it. */
static enum status look_for_release(struct proposal *proposal,
                                    struct error *err)
{
    struct own_entry own;
    struct error verdict;
    bool found = false,
         expired = proposal->broker->now_ms() >= proposal->permit.expires_ms;
    enum status status;

    own_entry_init(&own);
    error_init(&verdict);
    status = broker_store_find_own(proposal->broker->store,
                                   &proposal->release.draft, &own, &found, err);
    if (status == OK && !found)
        status = error_set(err, E_INPUT,
                           "the release entry that was handed in is none that "
                           "we have drafted; the database was altered");
    if (status != OK)
        goto done;
    if (recording_check(&own, &verdict) == OK)
        status = move(proposal, PROPOSAL_RELEASED, err);
    else if (!own.settled || own.verdict == VERDICT_STALE || expired)
        status = draft(proposal, err);
    else
        status = refuse(proposal, E_REFUSED, verdict.text, err);
done:
    own_entry_clear(&own);
    return status;
}

/* A request is released once.  What only served to get there goes: the policy
 * that the anonymizer was to have, and what the release entry commits to, which
 * stands in the certificate.  What an audit of the permit needs stays. */
static enum status end_published(struct proposal *proposal, struct error *err)
{
    struct broker_store *store = proposal->broker->store;
    struct release_record *release = &proposal->release;
    enum status status = broker_store_begin(store, err);

    if (status != OK)
        return status;
    status = broker_store_drop_bundle(store, &release->request, err);
    if (status == OK)
        status = drop_draft(proposal, err);
    text_reset(&release->statement);
    secret_wipe(&release->salt, sizeof release->salt);
    if (status == OK)
        status = put(proposal, PROPOSAL_PUBLISHED, err);
    return end_move(proposal, status, err);
}

/* released: anchored before published. */
static enum status publish(struct proposal *proposal, bool *waits,
                           struct error *err)
{
    struct broker *broker = proposal->broker;
    struct job_progress job;
    struct own_entry own;
    struct error unanchored;
    bool found = false;
    enum status status;

    own_entry_init(&own);
    job_progress_init(&job);
    error_init(&unanchored);
    status = broker_store_find_own(broker->store, &proposal->release.draft,
                                   &own, &found, err);
    if (status != OK)
        goto done;
    status = broker->ledger.anchored(broker->ledger.context, own.position,
                                     &unanchored);
    if (status == E_NO) {
        *waits = true;
        status = OK;
        goto done;
    }
    if (status != OK) {
        *err = unanchored;
        goto done;
    }
    status = broker->anonymizer.publish(broker->anonymizer.context,
                                        &proposal->release.permit, &own.id,
                                        &job, err);
    if (status == OK && strcmp(job.state, "published") == 0)
        status = end_published(proposal, err);
    else if (status == OK && (strcmp(job.state, "proposed") == 0 ||
                              strcmp(job.state, "anchored") == 0))
        *waits = true;
    else if (status == OK)
        status = impossible(err);
done:
    job_progress_clear(&job);
    own_entry_clear(&own);
    return status;
}

/* ---- one question ---- */

/* *waits: for somebody else, or there is nothing more to do. */
static enum status step(struct proposal *proposal, bool *waits,
                        struct error *err)
{
    enum status status = OK;

    switch ((enum proposal_state)proposal->release.state) {
    case PROPOSAL_PERMITTING:
        status = recording_finish(proposal->broker, err);
        return status == OK ? look_for_permit(proposal, err) : status;
    case PROPOSAL_PERMITTED:
        return deliver(proposal, err);
    case PROPOSAL_WORKING:
        return look_at_job(proposal, waits, err);
    case PROPOSAL_ENDORSE:
        return look_at_draft(proposal, waits, err);
    case PROPOSAL_PROPOSED:
        status = recording_finish(proposal->broker, err);
        return status == OK ? look_for_release(proposal, err) : status;
    case PROPOSAL_RELEASED:
        return publish(proposal, waits, err);
    case PROPOSAL_PUBLISHED:
    case PROPOSAL_REFUSED:
        *waits = true;
        return OK;
    }
    assert(false && "a state without a step");
    return OK;
}

static enum status load(struct proposal *proposal, const struct digest *request,
                        struct error *err)
{
    struct broker_store *store = proposal->broker->store;
    bool found = false;
    enum status status = broker_store_find_request(
        store, request, &proposal->request, &found, err);

    if (status == OK && !found)
        status = error_set(err, E_INPUT, "there is no such request");
    if (status == OK)
        status = request_terms_read(&proposal->terms,
                                    text_bytes(&proposal->request.terms), err);
    if (status == OK)
        status = broker_store_find_answer(store, request, &proposal->approval,
                                          &found, err);
    if (status == OK)
        status = broker_store_find_release(store, request, &proposal->release,
                                           &proposal->begun, err);
    if (status != OK || !proposal->begun)
        return status;
    return broker_store_permit(store, &proposal->release.permit,
                               &proposal->permit, err);
}

static enum status tell(const struct proposal *proposal,
                        struct proposal_progress *progress, struct error *err)
{
    const struct release_record *release = &proposal->release;
    enum proposal_state state = (enum proposal_state)release->state;
    struct own_entry own;
    bool found = false;
    enum status status = OK;

    own_entry_init(&own);
    memcpy(progress->job, proposal->job, sizeof progress->job);
    progress->state =
        progress->job[0] != '\0' ? progress->job : proposal_state_name(state);
    memcpy(progress->release, release->name, sizeof release->name);
    progress->status = release->status;
    status =
        text_append(&progress->why, release->why.data, release->why.size, err);
    if (status == OK && state == PROPOSAL_ENDORSE)
        status = broker_store_find_own(proposal->broker->store, &release->draft,
                                       &own, &found, err);
    if (status == OK && found)
        status =
            text_append(&progress->entry, own.bytes.data, own.bytes.size, err);
    if (status == OK && found)
        status = text_append(&progress->statement, own.statement.data,
                             own.statement.size, err);
    progress->salt = release->salt;
    own_entry_clear(&own);
    return status;
}

/* One that was refused begins anew; afterwards it is told. */
static enum status run(struct proposal *proposal,
                       struct proposal_progress *progress, struct error *err)
{
    bool waits = false;
    enum status status = OK;

    if (!proposal->begun || proposal->release.state == PROPOSAL_REFUSED)
        status = begin(proposal, 0, err);
    for (unsigned i = 0; status == OK && !waits; i++) {
        if (i == PROPOSAL_MOVES_MAX)
            break; /* said again it goes on */
        status = step(proposal, &waits, err);
    }
    return status == OK ? tell(proposal, progress, err) : status;
}

static void proposal_init(struct proposal *proposal, struct broker *broker)
{
    *proposal = (struct proposal){.broker = broker};
    request_record_init(&proposal->request);
    permit_record_init(&proposal->permit);
    release_record_init(&proposal->release);
}

enum status proposal_advance(struct broker *broker,
                             const struct digest *request,
                             struct proposal_progress *progress,
                             struct error *err)
{
    struct proposal proposal;
    enum status status;

    proposal_init(&proposal, broker);
    status = recording_finish(broker, err);
    if (status == OK)
        status = load(&proposal, request, err);
    if (status == OK)
        status = run(&proposal, progress, err);
    proposal_clear(&proposal);
    return status;
}

/* ---- signatures ---- */

static enum status check_signature(const struct own_entry *own,
                                   const struct proposal_endorsement *given,
                                   struct entry_signature *signature,
                                   struct error *err)
{
    const char *id = certificate_id(given->custodian);
    enum status status =
        public_key_verify(certificate_key(given->custodian),
                          text_bytes(&own->bytes), given->signature, err);

    if (status != OK)
        return error_wrap(err, "the signature of the release entry");
    assert(given->signature.size <= sizeof signature->bytes);
    memcpy(signature->by, id, strlen(id) + 1);
    memcpy(signature->bytes, given->signature.data, given->signature.size);
    signature->size = given->signature.size;
    return OK;
}

static enum status store_signed(struct proposal *proposal,
                                const struct own_entry *own, struct error *err)
{
    struct broker_store *store = proposal->broker->store;
    enum status status = broker_store_begin(store, err);

    if (status != OK)
        return status;
    status = broker_store_sign_own(store, own, err);
    if (status == OK)
        status = put(proposal, PROPOSAL_PROPOSED, err);
    return end_move(proposal, status, err);
}

/* What the anonymizer refuses now it refuses for good: it is told why, and the
 * release may be ordered again.  *ended: so it was. */
static enum status ask_signature(struct proposal *proposal,
                                 const struct own_entry *own,
                                 struct entry_signature *signature, bool *ended,
                                 struct error *err)
{
    const struct anonymizer_port *anonymizer = &proposal->broker->anonymizer;
    struct error why;
    enum status status;

    error_init(&why);
    status = anonymizer->sign(anonymizer->context, &proposal->release.permit,
                              text_bytes(&own->bytes), signature, &why);
    *ended = status == E_REFUSED;
    if (*ended)
        return refuse(proposal, E_REFUSED, why.text, err);
    if (status != OK)
        *err = why;
    return status;
}

/* The draft that was signed is the present one: the anonymizer signs, we do,
 * and it is ready to go. */
static enum status endorse(struct proposal *proposal,
                           const struct proposal_endorsement *given,
                           struct error *err)
{
    struct entry_signature signature[2];
    struct own_entry own;
    bool found = false, ended = false;
    enum status status;

    own_entry_init(&own);
    status = broker_store_find_own(proposal->broker->store, given->entry, &own,
                                   &found, err);
    if (status == OK)
        status = check_signature(&own, given, &signature[0], err);
    if (status == OK)
        status = ask_signature(proposal, &own, &signature[1], &ended, err);
    if (status == OK && !ended)
        status = own_entry_endorse(&own, &proposal->broker->author, signature,
                                   2, err);
    if (status == OK && !ended)
        status = store_signed(proposal, &own, err);
    own_entry_clear(&own);
    return status;
}

enum status proposal_endorse(struct broker *broker,
                             const struct proposal_endorsement *endorsement,
                             struct proposal_progress *progress,
                             struct error *err)
{
    struct proposal proposal;
    bool waits = false;
    enum status status;

    proposal_init(&proposal, broker);
    status = recording_finish(broker, err);
    if (status == OK)
        status = load(&proposal, endorsement->request, err);
    if (status == OK && !proposal.begun)
        status = error_set(err, E_INPUT, "this request has no release entry");
    /* Stale by what has been applied since: there is another draft now. */
    if (status == OK && proposal.release.state == PROPOSAL_ENDORSE)
        status = step(&proposal, &waits, err);
    if (status == OK && proposal.release.state == PROPOSAL_ENDORSE &&
        memcmp(&proposal.release.draft, endorsement->entry,
               sizeof proposal.release.draft) == 0)
        status = endorse(&proposal, endorsement, err);
    if (status == OK && proposal.release.state == PROPOSAL_REFUSED)
        status = tell(&proposal, progress, err);
    else if (status == OK)
        status = run(&proposal, progress, err);
    proposal_clear(&proposal);
    return status;
}
