#include "broker/permit.h"

#include <assert.h>
#include <stdlib.h>

#include "common/encoding.h"

void permit_evaluation_init(struct permit_evaluation *evaluation)
{
    *evaluation = (struct permit_evaluation){.until_ms = PERIOD_ENDLESS};
    text_init(&evaluation->list);
}

void permit_evaluation_clear(struct permit_evaluation *evaluation)
{
    text_clear(&evaluation->list);
    permit_evaluation_init(evaluation);
}

/* ---- one wish ---- */

/* Whose it is does not matter to what follows from it. */
#define NOBODY "00000000000000000000000000000000"

static enum status judge(struct bytes says,
                         const struct decision_request *request,
                         struct decision *decision, struct error *err)
{
    struct decision_consent said = {.position = 0};
    struct consent consent;
    struct text reduced;
    enum status status;

    text_init(&reduced);
    consent_init(&consent);
    status = text_append_string(&reduced, "{\"consent\":1,\"says\":", err);
    if (status == OK)
        status = text_append(&reduced, says.data, says.size, err);
    if (status == OK)
        status =
            text_append_string(&reduced, ",\"subject\":\"" NOBODY "\"}", err);
    if (status == OK)
        status = consent_read(&consent, text_bytes(&reduced), err);
    if (status == OK) {
        said.consent = &consent;
        *decision = decision_make(&said, 1, request);
    } else {
        status = error_wrap(err, "a wish that was stored");
    }
    consent_clear(&consent);
    text_clear(&reduced);
    return status;
}

/* Until when a wish permits; INT64_MIN if it does not at all. */
#define NOT_PERMITTED INT64_MIN

static int64_t until_of(const struct decision *decision)
{
    return decision_permits(decision) ? decision->until_ms : NOT_PERMITTED;
}

/* ---- all wishes ---- */

struct judging {
    const struct decision_request *request;
    int64_t *until; /* by wish; that of a withdrawal is NOT_PERMITTED */
    size_t count, capacity;
};

static enum status grow(struct judging *judging, struct error *err)
{
    size_t capacity = judging->capacity == 0 ? 1024 : 2 * judging->capacity;
    int64_t *until =
        reallocarray(judging->until, capacity, sizeof *judging->until);

    if (until == NULL)
        return error_memory(err, "decisions");
    judging->until = until;
    judging->capacity = capacity;
    return OK;
}

static enum status judge_one(void *context, uint64_t wish, struct bytes says,
                             struct error *err)
{
    struct judging *judging = context;
    struct decision decision;
    enum status status = OK;

    if (wish != judging->count)
        return error_set(err, E_INPUT,
                         "a wish is missing; the database was altered");
    if (judging->count == judging->capacity)
        status = grow(judging, err);
    if (status == OK)
        status = judge(says, judging->request, &decision, err);
    if (status == OK)
        judging->until[judging->count++] = until_of(&decision);
    return status;
}

static enum status judge_all(struct broker_store *store,
                             struct judging *judging, struct error *err)
{
    enum status status = grow(judging, err);

    if (status != OK)
        return status;
    judging->until[WISH_WITHDRAWN] = NOT_PERMITTED;
    judging->count = WISH_WITHDRAWN + 1;
    return broker_store_each_wish(store, judge_one, judging, err);
}

/* ---- all subjects ---- */

struct gathering {
    struct judging judging;
    struct permit_evaluation *evaluation;
    /* The subject that is being looked at, up to its newest position so far. */
    bool begun;
    struct said newest;
    int64_t until;
};

static enum status append_permitted(struct gathering *gathering,
                                    struct error *err)
{
    struct permit_evaluation *evaluation = gathering->evaluation;
    struct permitted item = {.subject = gathering->newest.subject,
                             .position = gathering->newest.position};
    uint8_t bytes[PERMITTED_ITEM_SIZE];

    if (!gathering->begun || gathering->until == NOT_PERMITTED)
        return OK;
    if (evaluation->list.size + sizeof bytes > UPLOAD_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "more than %zu subjects are permitted, which is the "
                         "limit",
                         UPLOAD_SIZE_MAX / sizeof bytes);
    if (gathering->until < evaluation->until_ms)
        evaluation->until_ms = gathering->until;
    evaluation->count++;
    permitted_encode(&item, bytes);
    return text_append(&evaluation->list, bytes, sizeof bytes, err);
}

static enum status gather_one(void *context, const struct said *said,
                              struct error *err)
{
    struct gathering *gathering = context;
    int64_t until;
    enum status status = OK;

    if (said->wish >= gathering->judging.count)
        return error_set(err, E_INPUT,
                         "a subject's wish is not there; the database was "
                         "altered");
    until = gathering->judging.until[said->wish];
    if (gathering->begun &&
        subject_id_compare(&gathering->newest.subject, &said->subject) == 0) {
        bool same_entry = gathering->newest.position == said->position;

        if (!same_entry || until < gathering->until)
            gathering->until = until;
        gathering->newest = *said;
        return OK;
    }
    status = append_permitted(gathering, err);
    gathering->begun = true;
    gathering->newest = *said;
    gathering->until = until;
    return status;
}

enum status permit_evaluate(struct broker_store *store,
                            const struct decision_request *request,
                            struct permit_evaluation *evaluation,
                            struct error *err)
{
    struct gathering gathering = {.judging.request = request,
                                  .evaluation = evaluation};
    enum status status;

    assert(evaluation->count == 0);
    status = judge_all(store, &gathering.judging, err);
    if (status == OK)
        status = broker_store_each_said(store, gather_one, &gathering, err);
    if (status == OK)
        status = append_permitted(&gathering, err);
    free(gathering.judging.until);
    return status;
}

/* ---- again, for those who have said something since ---- */

/* The newest wishes of one subject, judged one by one. */
struct looking {
    struct broker_store *store;
    const struct decision_request *request;
    uint64_t position;
    int64_t until;
};

static enum status find_newest(void *context, const struct said *said,
                               struct error *err)
{
    struct looking *looking = context;

    (void)err;
    looking->position = said->position;
    return OK;
}

static enum status judge_newest(void *context, const struct said *said,
                                struct error *err)
{
    struct looking *looking = context;
    int64_t until = NOT_PERMITTED;
    enum status status = OK;

    if (said->position != looking->position)
        return OK;
    if (said->wish != WISH_WITHDRAWN) {
        struct decision decision;
        struct text says;

        text_init(&says);
        status = broker_store_wish(looking->store, said->wish, &says, err);
        if (status == OK)
            status = judge(text_bytes(&says), looking->request, &decision, err);
        if (status == OK)
            until = until_of(&decision);
        text_clear(&says);
    }
    if (until < looking->until)
        looking->until = until;
    return status;
}

static enum status permitted_until(struct broker_store *store,
                                   const struct subject_id *subject,
                                   const struct decision_request *request,
                                   int64_t *until, struct error *err)
{
    struct looking looking = {
        .store = store, .request = request, .until = PERIOD_ENDLESS};
    enum status status =
        broker_store_said_by(store, subject, find_newest, &looking, err);

    if (status == OK)
        status =
            broker_store_said_by(store, subject, judge_newest, &looking, err);
    *until = looking.until;
    return status;
}

static bool is_listed(struct bytes list, const struct subject_id *subject)
{
    size_t low = 0, high = list.size / PERMITTED_ITEM_SIZE;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct permitted item = permitted_item(list, middle);
        int order = subject_id_compare(&item.subject, subject);

        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Permitted subjects that have spoken, kept apart from the visit: asking about
 * them would disturb it. */
struct spoken {
    struct bytes list;
    struct text subjects;
};

static enum status note_spoken(void *context, const struct said *said,
                               struct error *err)
{
    struct spoken *spoken = context;

    if (!is_listed(spoken->list, &said->subject))
        return OK;
    return text_append(&spoken->subjects, said->subject.byte, SUBJECT_ID_SIZE,
                       err);
}

enum status permit_affected(struct broker_store *store,
                            const struct permit_record *permit,
                            const struct decision_request *request,
                            bool *affected, struct error *err)
{
    struct spoken spoken = {.list = text_bytes(&permit->list)};
    enum status status;

    *affected = false;
    text_init(&spoken.subjects);
    status =
        broker_store_said_since(store, permit->size, note_spoken, &spoken, err);
    for (size_t at = 0; status == OK && !*affected && at < spoken.subjects.size;
         at += SUBJECT_ID_SIZE) {
        struct subject_id subject;
        int64_t until = NOT_PERMITTED;

        memcpy(subject.byte, spoken.subjects.data + at, SUBJECT_ID_SIZE);
        status = permitted_until(store, &subject, request, &until, err);
        *affected = until < (int64_t)permit->expires_ms;
    }
    text_clear(&spoken.subjects);
    return status;
}

/* ---- the entry ---- */

/* `evaluation` permits somebody now, so that its end is ahead. */
static uint64_t expiry(const struct permit_evaluation *evaluation,
                       uint64_t now_ms)
{
    int64_t latest = (int64_t)now_ms + PERMIT_LONGEST_MS - PERMIT_SLACK_MS;

    assert(evaluation->until_ms > (int64_t)now_ms);
    return (uint64_t)(evaluation->until_ms < latest ? evaluation->until_ms
                                                    : latest);
}

static enum status write_statement(const struct permit_record *permit,
                                   size_t count, struct own_entry *own,
                                   struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    struct json_value *root;
    struct digest permitted;
    enum status status = permitted_root(text_bytes(&permit->list),
                                        &permit->seed, &permitted, err);

    if (status == OK)
        status = json_create(&json, err);
    if (status != OK)
        return status;
    digest_hex(&permitted, hex);
    root = json_edit_root(json);
    status = json_add_integer(root, "count", (int64_t)count, err);
    if (status == OK)
        status =
            json_add_integer(root, "expires", (int64_t)permit->expires_ms, err);
    if (status == OK)
        status = json_add_string(root, "root", hex, err);
    if (status == OK)
        status = json_add_integer(root, "size", (int64_t)permit->size, err);
    if (status == OK)
        status = json_add_string(root, "statement", "permit 1", err);
    if (status == OK)
        status = own_entry_state(own, json, err);
    json_destroy(&json);
    return status;
}

static enum status write_entry(const struct broker *broker,
                               const struct permit_basis *basis,
                               const struct permit_record *permit,
                               struct own_entry *own, struct error *err)
{
    char approve[DIGEST_HEX_SIZE], terms[DIGEST_HEX_SIZE];
    struct json *payload = NULL;
    struct json_value *root;
    struct digest commitment;
    enum status status =
        commitment_make(&basis->request->salt,
                        text_bytes(&basis->request->terms), &commitment, err);

    if (status == OK)
        status = json_create(&payload, err);
    if (status != OK)
        return status;
    digest_hex(&basis->approval->id, approve);
    digest_hex(&commitment, terms);
    root = json_edit_root(payload);
    status = json_add_string(root, "approve", approve, err);
    if (status == OK)
        status = json_add_string(root, "terms", terms, err);
    if (status == OK)
        status = json_add_integer(root, "size", (int64_t)permit->size, err);
    if (status == OK)
        status =
            json_add_integer(root, "expires", (int64_t)permit->expires_ms, err);
    if (status == OK)
        status =
            own_entry_write(own, &broker->author, ENTRY_PERMIT, payload, err);
    if (status == OK)
        status = own_entry_sign(own, &broker->author, err);
    json_destroy(&payload);
    return status;
}

enum status permit_make(struct broker *broker, const struct permit_basis *basis,
                        uint64_t now_ms, struct permit_record *permit,
                        struct own_entry *own, struct error *err)
{
    struct decision_request request = {.purposes = basis->terms->purposes,
                                       .recipient = basis->terms->organisation,
                                       .instant_ms = (int64_t)now_ms};
    struct permit_evaluation evaluation;
    enum status status;

    permit_evaluation_init(&evaluation);
    status =
        broker_store_number(broker->store, BROKER_CURSOR, &permit->size, err);
    if (status == OK)
        status = permit_evaluate(broker->store, &request, &evaluation, err);
    if (status == OK && evaluation.count == 0)
        status = error_set(err, E_REFUSED, "no patient has consented");
    if (status == OK) {
        /* Moved, not copied: it may have tens of megabytes. */
        text_clear(&permit->list);
        permit->list = evaluation.list;
        text_init(&evaluation.list);
        permit->request = basis->request->id;
        permit->expires_ms = expiry(&evaluation, now_ms);
        status =
            random_secret(permit->seed.byte, sizeof permit->seed.byte, err);
    }
    if (status == OK)
        status = write_statement(permit, evaluation.count, own, err);
    if (status == OK)
        status = write_entry(broker, basis, permit, own, err);
    permit->id = own->id;
    permit_evaluation_clear(&evaluation);
    return status;
}

/* ---- for the anonymizer ---- */

static enum status add_opening(struct json_value *root, const char *key,
                               const struct commitment_salt *salt,
                               const struct text *statement, struct error *err)
{
    char hex[2 * COMMITMENT_SALT_SIZE + 1];
    struct json_value *object;
    enum status status = json_add_object(root, key, &object, err);

    hex_encode(bytes_of(salt->byte, sizeof salt->byte), hex);
    if (status == OK)
        status = json_add_string(object, "salt", hex, err);
    if (status == OK)
        status = json_add_string(object, "statement", statement->data, err);
    secret_wipe(hex, sizeof hex);
    return status;
}

static enum status add_id(struct json_value *root, const char *key,
                          const struct digest *id, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(id, hex);
    return json_add_string(root, key, hex, err);
}

enum status permit_package(struct broker *broker,
                           const struct permit_basis *basis,
                           const struct own_entry *own, struct text *out,
                           struct error *err)
{
    const struct request_record *request = basis->request;
    struct json *json = NULL;
    struct json_value *root;
    struct text bundle;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    text_init(&bundle);
    root = json_edit_root(json);
    status = json_add_integer(root, "package", 1, err);
    if (status == OK)
        status = add_id(root, "request", &request->id, err);
    if (status == OK)
        status = add_id(root, "approve", &basis->approval->id, err);
    if (status == OK)
        status = add_id(root, "permit", &own->id, err);
    if (status == OK)
        status =
            add_opening(root, "terms", &request->salt, &request->terms, err);
    if (status == OK)
        status = add_opening(root, "permit_statement", &own->salt,
                             &own->statement, err);
    if (status == OK)
        status = broker_store_bundle(broker->store, &request->id, &bundle, err);
    if (status == OK)
        status = json_add_string(root, "bundle", bundle.data, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    text_clear(&bundle);
    json_destroy(&json);
    return status;
}
