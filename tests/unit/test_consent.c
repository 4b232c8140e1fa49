#include "broker/consent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/cases.h"
#include "tests/lib/suite.h"

void suite_consent(void);

#define SUBJECT "00112233445566778899aabbccddeeff"
#define CONSENT(says)                                                          \
    "{\"consent\":1,\"says\":" says ",\"subject\":\"" SUBJECT "\"}"

/* Everything that there is, in its one spelling, written by hand. */
static const char whole[] = CONSENT(
    "{\"base\":\"deny\",\"rule\":{\"exceptions\":[{\"exceptions\":[{"
    "\"purposes\":[\"DUO:0000011\",\"undecided\"],\"type\":\"permit\"}],"
    "\"other_actors\":true,\"type\":\"deny\"},{\"period\":{\"end_ms\":-5},"
    "\"type\":\"deny\"}],\"period\":{\"end_ms\":2051222400000,\"start_ms\":"
    "1704067200000},\"purposes\":[\"DUO:0000006\",\"DUO:0000042\",\"HRESCH\","
    "\"other-reason\"],\"recipients\":[\"Anna-Institute\",\"b\",\"b2\"],"
    "\"type\":\"permit\"},\"status\":\"active\"}");

static enum status take(struct consent *consent, const char *text,
                        struct error *err)
{
    error_init(err);
    consent_init(consent);
    return consent_read(consent, bytes_of_string(text), err);
}

static void members_reach_their_places(void)
{
    const struct consent_rule *root, *first, *second;
    struct consent consent;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(take(&consent, whole, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    CU_ASSERT_STRING_EQUAL(consent.subject, SUBJECT);
    CU_ASSERT_EQUAL(consent.status, CONSENT_STATUS_ACTIVE);
    CU_ASSERT_EQUAL(consent.base, CONSENT_TYPE_DENY);
    CU_ASSERT_EQUAL(consent.rule_count, 4);
    root = consent.rule;
    CU_ASSERT_EQUAL(root->type, CONSENT_TYPE_PERMIT);
    CU_ASSERT_EQUAL(root->period.start_ms, 1704067200000);
    CU_ASSERT_EQUAL(root->period.end_ms, 2051222400000);
    CU_ASSERT(root->purposes_listed && root->actors_listed);
    CU_ASSERT(!root->other_actors);
    CU_ASSERT_EQUAL(root->purposes.set, UINT32_C(1) << PURPOSE_DUO_0000006 |
                                            UINT32_C(1) << PURPOSE_DUO_0000042 |
                                            UINT32_C(1) << PURPOSE_HRESCH |
                                            UINT32_C(1)
                                                << PURPOSE_OTHER_REASON);
    CU_ASSERT_EQUAL_FATAL(root->recipient_count, 3);
    CU_ASSERT_STRING_EQUAL(root->recipient[0], "Anna-Institute");
    CU_ASSERT_STRING_EQUAL(root->recipient[2], "b2");
    CU_ASSERT_PTR_NULL(root->next);
    first = root->exception;
    CU_ASSERT(first->other_actors && first->actors_listed);
    CU_ASSERT(!first->purposes_listed);
    CU_ASSERT_EQUAL(first->period.start_ms, PERIOD_UNBEGUN);
    CU_ASSERT_EQUAL(first->period.end_ms, PERIOD_ENDLESS);
    CU_ASSERT_EQUAL(first->exception->type, CONSENT_TYPE_PERMIT);
    second = first->next;
    CU_ASSERT_EQUAL(second->period.start_ms, PERIOD_UNBEGUN);
    CU_ASSERT_EQUAL(second->period.end_ms, -5);
    CU_ASSERT_PTR_NULL(second->next);
    consent_clear(&consent);
    CU_ASSERT_PTR_NULL(consent.rule);
}

static void what_is_read_is_written_the_same(void)
{
    struct consent consent;
    struct text text;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(take(&consent, whole, &err), OK);
    text_init(&text);
    CU_ASSERT_EQUAL(consent_write(&consent, &text, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, whole);
    text_clear(&text);
    consent_clear(&consent);
}

static void what_is_said_does_not_depend_on_the_subject(void)
{
    static const char says[] = "{\"base\":\"permit\",\"rule\":{\"type\":"
                               "\"permit\"},\"status\":\"active\"}";
    static const char ones[] =
        CONSENT("{\"base\":\"permit\",\"rule\":{\"type\":\"permit\"},"
                "\"status\":\"active\"}");

    CU_ASSERT(bytes_equal_string(consent_says(bytes_of_string(ones)), says));
}

static void every_status_is_read(void)
{
    static const char *const names[] = {"active",   "draft",
                                        "inactive", "entered-in-error",
                                        "proposed", "rejected"};
    struct consent consent;
    struct error err;
    char text[256];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(text, sizeof text,
                 CONSENT("{\"base\":\"permit\",\"rule\":{\"type\":\"permit\"},"
                         "\"status\":\"%s\"}"),
                 names[i]);
        CU_ASSERT_EQUAL(take(&consent, text, &err), OK);
        CU_ASSERT_STRING_EQUAL(consent_status_name(consent.status), names[i]);
        consent_clear(&consent);
    }
}

/* ---- refusals: the first place of `before` in `whole` becomes `after` ---- */

static void run_change(const struct test_case *test)
{
    static const char arrow[] = " =>";
    char row[1024], text[2048];
    char *after;
    const char *at;
    struct consent consent;
    struct error err;
    enum status status;

    CU_ASSERT_FATAL(test->input.size < sizeof row);
    memcpy(row, test->input.data, test->input.size);
    row[test->input.size] = '\0';
    after = strstr(row, arrow);
    CU_ASSERT_PTR_NOT_NULL_FATAL(after);
    *after = '\0';
    after += strlen(arrow);
    after += *after == ' ';
    at = strstr(whole, row);
    if (at == NULL)
        fprintf(stderr, "not there: %s\n", row);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, after,
             at + strlen(row));
    status = take(&consent, text, &err);
    CU_ASSERT(status == E_INPUT || status == E_VERSION);
    CU_ASSERT_PTR_NULL(consent.rule);
    CU_ASSERT_STRING_EQUAL(consent.subject, "");
    case_expect(test, err.text);
    consent_clear(&consent);
}

static void other_forms_are_refused(void)
{
    cases_run("tests/data/consent/reduced.cases", run_change);
}

/* ---- limits ---- */

static void append(struct text *text, const char *string)
{
    struct error err;

    CU_ASSERT_EQUAL_FATAL(text_append_string(text, string, &err), OK);
}

/* `depth` rules within each other and `more` beside the innermost. */
static void nest(struct text *text, size_t depth, size_t more)
{
    text_init(text);
    append(text, "{\"consent\":1,\"says\":{\"base\":\"permit\",\"rule\":");
    for (size_t i = 1; i < depth; i++)
        append(text, "{\"exceptions\":[");
    append(text,
           depth % 2 == 1 ? "{\"type\":\"permit\"}" : "{\"type\":\"deny\"}");
    for (size_t i = 0; i < more; i++)
        append(text, depth % 2 == 1 ? ",{\"type\":\"permit\"}"
                                    : ",{\"type\":\"deny\"}");
    for (size_t i = depth - 1; i > 0; i--)
        append(text,
               i % 2 == 1 ? "],\"type\":\"permit\"}" : "],\"type\":\"deny\"}");
    append(text, ",\"status\":\"active\"},\"subject\":\"" SUBJECT "\"}");
}

static void expect(const char *text, enum status expected, const char *words)
{
    struct consent consent;
    struct error err;

    CU_ASSERT_EQUAL(take(&consent, text, &err), expected);
    if (expected != OK)
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    consent_clear(&consent);
}

static void nesting_and_rules_have_limits(void)
{
    struct text text;

    nest(&text, CONSENT_DEPTH_MAX, 0);
    expect(text.data, OK, "");
    text_clear(&text);
    nest(&text, CONSENT_DEPTH_MAX + 1, 0);
    expect(text.data, E_LIMIT, "rules within rules, expected at most 8 levels");
    text_clear(&text);
    nest(&text, 2, CONSENT_RULES_MAX - 2);
    expect(text.data, OK, "");
    text_clear(&text);
    nest(&text, 2, CONSENT_RULES_MAX - 1);
    expect(text.data, E_LIMIT, "too many rules, expected at most 64");
    text_clear(&text);
}

static void recipients_and_bytes_have_limits(void)
{
    struct text text;
    struct error err;

    for (unsigned count = CONSENT_ACTORS_MAX; count <= CONSENT_ACTORS_MAX + 1;
         count++) {
        text_init(&text);
        append(&text, "{\"consent\":1,\"says\":{\"base\":\"deny\",\"rule\":{"
                      "\"recipients\":[");
        for (unsigned i = 0; i < count; i++)
            CU_ASSERT_EQUAL(
                text_printf(&text, &err, "%s\"r%03u\"", i == 0 ? "" : ",", i),
                OK);
        append(&text, "],\"type\":\"deny\"},\"status\":\"active\"},"
                      "\"subject\":\"" SUBJECT "\"}");
        expect(text.data, count == CONSENT_ACTORS_MAX ? OK : E_LIMIT,
               "65 actors, expected at most 64");
        text_clear(&text);
    }
    text_init(&text);
    CU_ASSERT_EQUAL(
        text_printf(&text, &err, "%*s", (int)CONSENT_SIZE_MAX + 1, "1"), OK);
    expect(text.data, E_LIMIT, "65537 bytes, expected at most 65536");
    text_clear(&text);
}

static void subject_is_an_id(void)
{
    CU_ASSERT(consent_subject_valid(bytes_of_string(SUBJECT)));
    CU_ASSERT(!consent_subject_valid(bytes_of_string("")));
    CU_ASSERT(!consent_subject_valid(bytes_of_string(SUBJECT "0")));
    CU_ASSERT(!consent_subject_valid(bytes_of(SUBJECT, 31)));
    CU_ASSERT(!consent_subject_valid(
        bytes_of_string("00112233445566778899AABBCCDDEEFF")));
}

void suite_consent(void)
{
    static const struct test tests[] = {
        {"members reach their places", members_reach_their_places},
        {"what is read is written the same", what_is_read_is_written_the_same},
        {"what is said does not depend on the subject",
         what_is_said_does_not_depend_on_the_subject},
        {"every status is read", every_status_is_read},
        {"other forms are refused", other_forms_are_refused},
        {"nesting and rules have limits", nesting_and_rules_have_limits},
        {"recipients and bytes have limits", recipients_and_bytes_have_limits},
        {"a subject is an id", subject_is_an_id},
    };

    suite_add("consent", tests, sizeof tests / sizeof tests[0]);
}
