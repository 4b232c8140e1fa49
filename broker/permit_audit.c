#include "broker/permit_audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/decision.h"
#include "broker/request_terms.h"
#include "common/json_keys.h"

/* One permit, and all that is known about it. */
struct inspection {
    const struct permit_audit_options *options;
    const struct testimony *testimony;
    const struct testimony_permit *entry;
    struct permit_audit_result *result;
    struct permit_record record;
    struct request_terms terms;
    struct decision *decision; /* by wish, of these terms; none for 0 */
};

/* ---- findings ---- */

/* What follows is not looked at. */
static void find(const struct inspection *inspection, uint64_t index,
                 uint64_t position, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void find(const struct inspection *inspection, uint64_t index,
                 uint64_t position, const char *format, ...)
{
    struct permit_audit_result *result = inspection->result;
    va_list args;

    result->good = false;
    result->permit = inspection->entry->id;
    result->permit_position = inspection->entry->position;
    result->index = index;
    result->position = position;
    va_start(args, format);
    vsnprintf(result->finding, sizeof result->finding, format, args);
    va_end(args);
}

/* Of the permit as a whole. */
#define FIND(inspection, ...)                                                  \
    find(inspection, PERMIT_AUDIT_NONE, PERMIT_AUDIT_NONE, __VA_ARGS__)

/* What the broker has in its database may be anything: that it cannot be read
 * as what it should be is a finding.  What is left is an error of ours. */
static enum status found_in(const struct inspection *inspection,
                            const char *what, const struct error *why,
                            struct error *err)
{
    if (why->status == E_NO || why->status == E_INPUT ||
        why->status == E_VERSION) {
        FIND(inspection, "%s: %s", what, why->text);
        return OK;
    }
    *err = *why;
    return err->status;
}

/* ---- statement and list ---- */

struct permit_statement {
    uint64_t count, expires_ms, size;
    char root[DIGEST_HEX_SIZE];
    unsigned kind;
};

static bool root_valid(struct bytes text)
{
    return text.size == DIGEST_HEX_SIZE - 1;
}

#define NUMBER_KEY(key, member)                                                \
    {                                                                          \
        .name = (key), .kind = JSON_NUMBER, .expected = "a whole number",      \
        .take = json_take_u64, .required = true,                               \
        .offset = offsetof(struct permit_statement, member),                   \
        .max = (double)(INT64_C(1) << 53)                                      \
    }

static const struct json_word kind_word[] = {{"permit 1", false},
                                             {NULL, false}};
static const struct json_key statement_keys[] = {
    NUMBER_KEY("count", count),
    NUMBER_KEY("expires", expires_ms),
    NUMBER_KEY("size", size),
    JSON_KEY_NAME("root", struct permit_statement, root, root_valid,
                  "64 hex digits"),
    {.name = "statement",
     .kind = JSON_STRING,
     .expected = "\"permit 1\"",
     .take = json_take_word,
     .required = true,
     .offset = offsetof(struct permit_statement, kind),
     .word = kind_word},
};

/* The statement that the entry commits to. */
static enum status read_statement(const struct inspection *inspection,
                                  struct permit_statement *statement,
                                  struct error *err)
{
    const struct testimony_permit *entry = inspection->entry;
    struct own_entry own;
    struct error why;
    bool found = false;
    enum status status;

    error_init(&why);
    own_entry_init(&own);
    status = broker_store_find_own(inspection->options->source.store,
                                   &entry->id, &own, &found, &why);
    if (status == OK && !found)
        status = error_set(&why, E_NO, "the broker has none");
    if (status == OK)
        status = commitment_check(&own.salt, text_bytes(&own.statement),
                                  entry->commitment, &why);
    if (status == OK)
        status = json_take_text(text_bytes(&own.statement), statement_keys,
                                sizeof statement_keys / sizeof *statement_keys,
                                statement, &why);
    if (status != OK)
        status = found_in(inspection, "its statement", &why, err);
    own_entry_clear(&own);
    return status;
}

static void compare_statement(const struct inspection *inspection,
                              const struct permit_statement *statement)
{
    const struct testimony_permit *entry = inspection->entry;

    if (statement->size != entry->size)
        FIND(inspection,
             "its statement says size %" PRIu64 ", its entry %" PRIu64,
             statement->size, entry->size);
    else if (statement->expires_ms != entry->expires_ms)
        FIND(inspection, "statement and entry end at different times");
}

/* The list of the database is the one that the statement stands for. */
static enum status check_list(struct inspection *inspection,
                              const struct permit_statement *statement,
                              struct error *err)
{
    struct permit_record *record = &inspection->record;
    struct broker_store *store = inspection->options->source.store;
    char hex[DIGEST_HEX_SIZE];
    struct digest root;
    struct error why;
    size_t count;
    enum status status;

    error_init(&why);
    status = broker_store_permit(store, &inspection->entry->id, record, &why);
    if (status == OK)
        status = broker_store_permit_list(store, &inspection->entry->id,
                                          &record->list, &why);
    if (status == OK)
        status = permitted_root(text_bytes(&record->list), &record->seed, &root,
                                &why);
    if (status != OK)
        return found_in(inspection, "its list", &why, err);
    digest_hex(&root, hex);
    count = record->list.size / PERMITTED_ITEM_SIZE;
    if (strcmp(hex, statement->root) != 0)
        FIND(inspection, "its list does not have the statement's root");
    else if (count != statement->count)
        FIND(inspection,
             "its list has %zu subjects, its statement says %" PRIu64, count,
             statement->count);
    return OK;
}

/* ---- terms ---- */

static void check_recipient(const struct inspection *inspection)
{
    const struct request_terms *terms = &inspection->terms;
    const char *organisation =
        testimony_organisation(inspection->testimony, terms->recipient);

    if (organisation == NULL)
        FIND(inspection, "its recipient was never enrolled");
    else if (strcmp(organisation, terms->organisation) != 0)
        FIND(inspection,
             "its recipient is not of the organisation that the terms name");
}

static enum status check_terms(struct inspection *inspection, struct error *err)
{
    struct request_record request;
    struct error why;
    bool found = false;
    enum status status;

    error_init(&why);
    request_record_init(&request);
    status = broker_store_find_request(inspection->options->source.store,
                                       &inspection->record.request, &request,
                                       &found, &why);
    if (status == OK && !found)
        status = error_set(&why, E_NO, "the broker has none");
    if (status == OK)
        status = commitment_check(&request.salt, text_bytes(&request.terms),
                                  inspection->entry->terms, &why);
    if (status == OK)
        status = request_terms_read(&inspection->terms,
                                    text_bytes(&request.terms), &why);
    if (status == OK)
        check_recipient(inspection);
    else
        status = found_in(inspection, "its terms", &why, err);
    request_record_clear(&request);
    return status;
}

/* ---- what was said ---- */

/* A withdrawal that nobody can read might be that of anybody in the list. */
static void check_gaps(const struct inspection *inspection)
{
    const struct testimony *testimony = inspection->testimony;

    for (size_t i = 0; i < testimony->entry_count; i++) {
        const struct testimony_entry *entry = &testimony->entry[i];

        if (entry->position >= inspection->entry->size)
            return;
        if (entry->gap == TESTIMONY_READ)
            continue;
        find(inspection, PERMIT_AUDIT_NONE, entry->position,
             entry->gap == TESTIMONY_NO_STATEMENT
                 ? "the broker has no statement for the %s entry at position "
                   "%" PRIu64
                 : "the broker's statement for the %s entry at position "
                   "%" PRIu64 " is not the one that it commits to",
             entry_type_name(entry->type), entry->position);
        return;
    }
}

/* Whose it is does not matter to what follows from it. */
#define NOBODY "00000000000000000000000000000000"

static enum status judge(struct inspection *inspection, uint32_t wish,
                         const struct decision_request *request,
                         struct error *err)
{
    struct bytes says = testimony_wish(inspection->testimony, wish);
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
    said.consent = &consent;
    if (status == OK)
        inspection->decision[wish] = decision_make(&said, 1, request);
    consent_clear(&consent);
    text_clear(&reduced);
    return status;
}

static enum status judge_all(struct inspection *inspection, struct error *err)
{
    int64_t last = (int64_t)inspection->entry->expires_ms - 1;
    int64_t now = inspection->options->now_ms;
    struct decision_request request = {.purposes = inspection->terms.purposes,
                                       .recipient =
                                           inspection->terms.organisation,
                                       .instant_ms = now < last ? now : last};
    uint32_t count = inspection->testimony->wish_count;
    enum status status = OK;

    inspection->decision =
        calloc((size_t)count + 1, sizeof *inspection->decision);
    if (inspection->decision == NULL)
        return error_memory(err, "decisions");
    inspection->decision[WISH_WITHDRAWN].reason = DECISION_NO_CONSENT;
    for (uint32_t wish = 1; status == OK && wish <= count; wish++)
        status = judge(inspection, wish, &request, err);
    return status;
}

/* ---- the list, item by item ---- */

/* What one subject said, from the first to behind the last. */
struct turn {
    const struct utterance *at, *end;
};

/* Goes on to the subject of the next item: both ascend. */
static struct turn next_turn(const struct testimony *testimony, size_t *cursor,
                             const struct subject_id *subject)
{
    const struct utterance *said = testimony->said;
    struct turn turn;

    while (*cursor < testimony->said_count &&
           subject_id_compare(&said[*cursor].subject, subject) < 0)
        ++*cursor;
    turn.at = turn.end = said + *cursor;
    while (turn.end < said + testimony->said_count &&
           subject_id_compare(&turn.end->subject, subject) == 0)
        turn.end++;
    return turn;
}

/* Is the entry that the item names one that could be its subject's consent? */
static bool check_named(const struct inspection *inspection, uint64_t index,
                        uint64_t position, const struct turn *turn)
{
    const struct testimony_entry *entry =
        testimony_entry_at(inspection->testimony, position);

    if (position >= inspection->entry->size)
        find(inspection, index, position,
             "item %" PRIu64 " names position %" PRIu64
             ", which is not below the permit's size",
             index, position);
    else if (entry == NULL || entry->type != ENTRY_CONSENT)
        find(inspection, index, position,
             "item %" PRIu64 " names position %" PRIu64
             ", where no consent of the organisation is committed to",
             index, position);
    else {
        for (const struct utterance *at = turn->at; at < turn->end; at++)
            if (at->position == position)
                return true;
        find(inspection, index, position,
             "the consent entry at position %" PRIu64 ", which item %" PRIu64
             " names, is not of this subject",
             position, index);
    }
    return false;
}

/* False: found. */
static bool check_item(const struct inspection *inspection, uint64_t index,
                       uint64_t position, const struct turn *turn)
{
    int64_t end = (int64_t)inspection->entry->expires_ms;

    if (!check_named(inspection, index, position, turn))
        return false;
    for (const struct utterance *at = turn->at; at < turn->end; at++) {
        const struct decision *decision = &inspection->decision[at->wish];

        if (at->position < position || at->position >= inspection->entry->size)
            continue;
        if (at->position > position)
            find(inspection, index, at->position,
                 "item %" PRIu64 " names position %" PRIu64
                 ", and its subject %s at position %" PRIu64,
                 index, position,
                 at->wish == WISH_WITHDRAWN ? "withdrew"
                                            : "said something newer",
                 at->position);
        else if (!decision_permits(decision))
            find(inspection, index, position,
                 "the consent at position %" PRIu64 ", which item %" PRIu64
                 " names, does not permit these terms: %s",
                 position, index, decision_reason_name(decision->reason));
        else if (decision->until_ms < end)
            find(inspection, index, position,
                 "the consent at position %" PRIu64 ", which item %" PRIu64
                 " names, ends before the permit",
                 position, index);
        else
            continue;
        return false;
    }
    return true;
}

static void check_items(const struct inspection *inspection)
{
    struct bytes list = text_bytes(&inspection->record.list);
    size_t count = list.size / PERMITTED_ITEM_SIZE, cursor = 0;

    for (size_t i = 0; i < count; i++) {
        struct permitted item = permitted_item(list, i);
        struct turn turn =
            next_turn(inspection->testimony, &cursor, &item.subject);

        if (!check_item(inspection, i, item.position, &turn))
            return;
        inspection->result->subjects++;
    }
}

/* ---- all of it ---- */

static enum status inspect(struct inspection *inspection, struct error *err)
{
    struct permit_audit_result *result = inspection->result;
    struct permit_statement statement = {.count = 0};
    enum status status = read_statement(inspection, &statement, err);

    if (status == OK && result->good)
        compare_statement(inspection, &statement);
    if (status == OK && result->good)
        status = check_list(inspection, &statement, err);
    if (status == OK && result->good)
        status = check_terms(inspection, err);
    if (status == OK && result->good)
        check_gaps(inspection);
    if (status == OK && result->good)
        status = judge_all(inspection, err);
    if (status == OK && result->good)
        check_items(inspection);
    if (status == OK && result->good)
        result->permits++;
    return status;
}

static enum status inspect_all(struct permit_audit_result *result,
                               const struct permit_audit_options *options,
                               const struct testimony *testimony,
                               struct error *err)
{
    bool any = options->permit == NULL;
    enum status status = OK;

    for (size_t i = 0;
         status == OK && result->good && i < testimony->permit_count; i++) {
        struct inspection inspection = {.options = options,
                                        .testimony = testimony,
                                        .entry = &testimony->permit[i],
                                        .result = result};

        if (options->permit != NULL &&
            memcmp(options->permit, &inspection.entry->id, DIGEST_SIZE) != 0)
            continue;
        any = true;
        permit_record_init(&inspection.record);
        status = inspect(&inspection, err);
        permit_record_clear(&inspection.record);
        free(inspection.decision);
    }
    if (status == OK && !any)
        status = error_set(err, E_INPUT,
                           "no valid permit of %s has this id in the %" PRIu64
                           " entries that are signed",
                           options->source.organisation, result->entries);
    return status;
}

enum status permit_audit_run(struct permit_audit_result *result,
                             const struct permit_audit_options *options,
                             struct error *err)
{
    struct testimony testimony;
    enum status status;

    *result = (struct permit_audit_result){.entries = options->source.size,
                                           .good = true,
                                           .permit_position = PERMIT_AUDIT_NONE,
                                           .index = PERMIT_AUDIT_NONE,
                                           .position = PERMIT_AUDIT_NONE};
    testimony_init(&testimony);
    status = testimony_take(&testimony, &options->source, err);
    if (status == OK)
        status = inspect_all(result, options, &testimony, err);
    testimony_clear(&testimony);
    return status;
}
