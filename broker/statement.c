#include "broker/statement.h"

#include <string.h>

#include "broker/consent.h"
#include "common/digest.h"
#include "common/json_keys.h"

/* ---- one consent of a batch ---- */

struct item {
    char original[DIGEST_HEX_SIZE]; /* "": none */
    const char *reduced;            /* in the batch */
};

static bool original_valid(struct bytes text)
{
    if (text.size == 0)
        return true;
    for (size_t i = 0; i < text.size; i++)
        if (memchr("0123456789abcdef", text.data[i], 16) == NULL)
            return false;
    return text.size == DIGEST_HEX_SIZE - 1;
}

static enum status take_reduced(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct item *item = target;

    (void)key;
    (void)err;
    item->reduced = json_string(value);
    return OK;
}

static const struct json_key item_keys[] = {
    {.name = "original",
     .kind = JSON_STRING,
     .expected = "a commitment, 64 hex digits, or nothing",
     .take = json_take_name,
     .required = true,
     .offset = offsetof(struct item, original),
     .valid = original_valid,
     .size = DIGEST_HEX_SIZE},
    {.name = "reduced",
     .kind = JSON_STRING,
     .expected = "a consent in its reduced form",
     .take = take_reduced,
     .required = true},
};

static enum status take_item(const struct json_value *value, struct item *item,
                             struct subject_id *subject, struct error *err)
{
    struct consent consent;
    enum status status = json_take_root(
        value, item_keys, sizeof item_keys / sizeof *item_keys, item, err);

    if (status != OK)
        return status;
    consent_init(&consent);
    status = consent_read(&consent, bytes_of_string(item->reduced), err);
    if (status == OK &&
        !subject_id_parse(subject, bytes_of_string(consent.subject)))
        status = error_set(err, E_INPUT, "\"subject\" is no subject id");
    consent_clear(&consent);
    return status;
}

/* The caller's array of consents, each handed to `visit`; `copy`, where not
 * NULL, gets them all. */
static enum status each_item(const struct json_value *array,
                             struct json_value *copy, statement_visit *visit,
                             void *context, struct error *err)
{
    size_t number = 0;
    enum status status = OK;

    if (json_kind(array) != JSON_ARRAY || json_length(array) == 0)
        return error_set(err, E_INPUT, "expected a list of consents");
    if (json_length(array) > CONSENTS_BATCH_MAX)
        return error_set(err, E_LIMIT, "%zu consents, the limit is %d",
                         json_length(array), CONSENTS_BATCH_MAX);
    for (const struct json_value *value = json_first(array);
         status == OK && value != NULL; value = json_next(value)) {
        struct item item = {.reduced = NULL};
        struct subject_id subject;

        number++;
        status = take_item(value, &item, &subject, err);
        if (status == OK && copy != NULL)
            status = json_add_copy(copy, NULL, value, err);
        if (status == OK && visit != NULL)
            status = visit(context, &subject,
                           consent_says(bytes_of_string(item.reduced)), err);
        if (status != OK)
            status = error_wrap(err, "consent %zu", number);
    }
    return status;
}

/* ---- writing ---- */

enum status statement_of_consents(struct json **out, struct bytes batch,
                                  size_t *count, struct error *err)
{
    struct json *statement = NULL, *json = NULL;
    struct json_value *list;
    enum status status = json_parse(&json, batch, err);

    *out = NULL;
    if (status == OK)
        status = json_create(&statement, err);
    if (status == OK)
        status =
            json_add_array(json_edit_root(statement), "consents", &list, err);
    if (status == OK)
        status = each_item(json_root(json), list, NULL, NULL, err);
    if (status == OK)
        status = json_add_string(json_edit_root(statement), "statement",
                                 "consents 1", err);
    if (status == OK) {
        *count = json_length(json_root(json));
        *out = statement;
        statement = NULL;
    }
    json_destroy(&statement);
    json_destroy(&json);
    return status;
}

enum status statement_of_withdrawal(struct json **out,
                                    const struct subject_id *subject,
                                    struct error *err)
{
    char hex[SUBJECT_ID_HEX_SIZE];
    struct json *statement = NULL;
    enum status status = json_create(&statement, err);

    subject_id_hex(subject, hex);
    if (status == OK)
        status = json_add_string(json_edit_root(statement), "statement",
                                 "withdraw 1", err);
    if (status == OK)
        status =
            json_add_string(json_edit_root(statement), "subject", hex, err);
    if (status != OK)
        json_destroy(&statement);
    *out = statement;
    return status;
}

/* ---- reading ---- */

/* What takers work on. */
struct reading {
    const struct json_value *consents;
    struct subject_id subject;
};

static enum status take_kind(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    unsigned which;

    (void)target;
    return json_find_word(key, value, &which, err);
}

static enum status take_consents(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct reading *reading = target;

    (void)key;
    (void)err;
    reading->consents = value;
    return OK;
}

static enum status take_subject(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    struct reading *reading = target;

    if (!subject_id_parse(&reading->subject,
                          bytes_of_string(json_string(value))))
        return json_refuse(key, value, "is none", err);
    return OK;
}

static const struct json_word consents_word[] = {{"consents 1", false},
                                                 {NULL, false}};
static const struct json_key consents_keys[] = {
    {.name = "consents",
     .kind = JSON_ARRAY,
     .expected = "a list of consents",
     .take = take_consents,
     .required = true},
    {.name = "statement",
     .kind = JSON_STRING,
     .expected = "\"consents 1\"",
     .take = take_kind,
     .required = true,
     .word = consents_word},
};

static const struct json_word withdraw_word[] = {{"withdraw 1", false},
                                                 {NULL, false}};
static const struct json_key withdraw_keys[] = {
    {.name = "statement",
     .kind = JSON_STRING,
     .expected = "\"withdraw 1\"",
     .take = take_kind,
     .required = true,
     .word = withdraw_word},
    {.name = "subject",
     .kind = JSON_STRING,
     .expected = "a subject id, 32 hex digits",
     .take = take_subject,
     .required = true},
};

enum status statement_read(enum entry_type type, struct bytes statement,
                           statement_visit *visit, void *context,
                           struct error *err)
{
    bool withdraws = type == ENTRY_WITHDRAW;
    struct reading reading = {.consents = NULL};
    struct json *json = NULL;
    enum status status = json_parse(&json, statement, err);

    if (status == OK)
        status = json_take_root(
            json_root(json), withdraws ? withdraw_keys : consents_keys,
            sizeof consents_keys / sizeof *consents_keys, &reading, err);
    if (status == OK && withdraws)
        status = visit(context, &reading.subject, bytes_of(NULL, 0), err);
    else if (status == OK)
        status = each_item(reading.consents, NULL, visit, context, err);
    json_destroy(&json);
    return status == OK ? OK : error_wrap(err, "a statement");
}
