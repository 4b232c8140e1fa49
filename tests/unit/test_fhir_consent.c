#include "broker/fhir_consent.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/lib/cases.h"
#include "tests/lib/fhir_words.h"
#include "tests/lib/suite.h"

void suite_fhir_consent(void);

#define SUBJECT "00112233445566778899aabbccddeeff"
#define HL7 "http://terminology.hl7.org/CodeSystem/"

/* All that is carried, and a little that is evaluated.  Invented. */
static const char whole[] =
    "{\n"
    "  \"resourceType\": \"Consent\",\n"
    "  \"id\": \"example\",\n"
    "  \"meta\": {\"versionId\": \"1\", \"security\": [{\"code\": \"R\"}]},\n"
    "  \"language\": \"en\",\n"
    "  \"text\": {\"status\": \"generated\", \"div\": \"<div>Yes.</div>\"},\n"
    "  \"identifier\": [{\"system\": \"urn:example\", \"value\": \"17\"}],\n"
    "  \"status\": \"active\",\n"
    "  \"scope\": {\"coding\": [{\"system\": \"" HL7 "consentscope\",\n"
    "    \"code\": \"research\", \"display\": \"Research\"}], \"text\": "
    "\"r\"},\n"
    "  \"category\": [{\"text\": \"whatever\"}],\n"
    "  \"patient\": {\"reference\": \"Patient/p1\", \"identifier\": {\n"
    "    \"system\": \"urn:example:number\", \"value\": \"0815\"},\n"
    "    \"display\": \"A. Nobody\"},\n"
    "  \"dateTime\": \"2024-01-02\",\n"
    "  \"performer\": [{\"reference\": \"Patient/p1\"}],\n"
    "  \"organization\": [{\"display\": \"Some Hospital\"}],\n"
    "  \"sourceAttachment\": {\"title\": \"scan\"},\n"
    "  \"policy\": [{\"uri\": \"https://example.org/policy\"}],\n"
    "  \"policyRule\": {\"coding\": [{\"system\": \"" HL7 "v3-ActCode\",\n"
    "    \"code\": \"OPTIN\"}], \"text\": \"opt-in\"},\n"
    "  \"verification\": [{\"verified\": true}],\n"
    "  \"provision\": {\n"
    "    \"id\": \"root\",\n"
    "    \"type\": \"permit\",\n"
    "    \"period\": {\"start\": \"2024-01-02\", \"end\": \"2034-12-31\"},\n"
    "    \"purpose\": [{\"system\": \"" HL7 "v3-ActReason\",\n"
    "      \"code\": \"HRESCH\", \"version\": \"3\"}],\n"
    "    \"actor\": [{\"role\": {\"coding\": [{\"system\":\n"
    "      \"" HL7 "v3-ParticipationType\", \"code\": \"PRCP\"}]},\n"
    "      \"reference\": {\"identifier\": {\"system\":\n"
    "      \"urn:anchorite:organisation\", \"value\": \"institute\"}}}],\n"
    "    \"provision\": [{\"type\": \"deny\",\n"
    "      \"period\": {\"start\": \"2026\", \"end\": \"2026\"}}]\n"
    "  }\n"
    "}\n";

static enum status take(struct consent *consent, struct fhir_patient *patient,
                        const char *text, struct error *err)
{
    error_init(err);
    consent_init(consent);
    return fhir_consent_read(consent, patient, bytes_of_string(text), err);
}

/* Periods: 2024-01-02 is 1704153600 by date(1), 2035-01-01 2051222400, 2026
 * from 1767225600 to 1798761600. */
static void resource_is_reduced(void)
{
    struct consent consent;
    struct fhir_patient patient;
    struct text text;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(take(&consent, &patient, whole, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    CU_ASSERT_STRING_EQUAL(patient.reference, "Patient/p1");
    CU_ASSERT_STRING_EQUAL(patient.system, "urn:example:number");
    CU_ASSERT_STRING_EQUAL(patient.value, "0815");
    CU_ASSERT_STRING_EQUAL(consent.subject, "");
    memcpy(consent.subject, SUBJECT, sizeof SUBJECT);
    text_init(&text);
    CU_ASSERT_EQUAL(consent_write(&consent, &text, &err), OK);
    CU_ASSERT_STRING_EQUAL(
        text.data,
        "{\"consent\":1,\"says\":{\"base\":\"permit\",\"rule\":{\"exceptions\":"
        "[{\"period\":{\"end_ms\":1798761600000,\"start_ms\":1767225600000},"
        "\"type\":\"deny\"}],\"period\":{\"end_ms\":2051222400000,"
        "\"start_ms\":1704153600000},\"purposes\":[\"HRESCH\"],"
        "\"recipients\":[\"institute\"],\"type\":\"permit\"},"
        "\"status\":\"active\"},\"subject\":\"" SUBJECT "\"}");
    text_clear(&text);
    consent_clear(&consent);
}

/* ---- the first place of `before` in `whole` becomes `after` ---- */

static void change(const struct test_case *test, char *text, size_t size)
{
    char row[1024];
    char *after;
    const char *at;

    CU_ASSERT_FATAL(test->input.size < sizeof row);
    memcpy(row, test->input.data, test->input.size);
    row[test->input.size] = '\0';
    after = strstr(row, " =>");
    CU_ASSERT_PTR_NOT_NULL_FATAL(after);
    *after = '\0';
    after += 3;
    after += *after == ' ';
    at = strstr(whole, row);
    if (at == NULL)
        fprintf(stderr, "not there: %s\n", row);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(text, size, "%.*s%s%s", (int)(at - whole), whole, after,
             at + strlen(row));
}

static void run_refusal(const struct test_case *test)
{
    char text[4096];
    struct consent consent;
    struct fhir_patient patient;
    struct error err;
    enum status status;

    change(test, text, sizeof text);
    status = take(&consent, &patient, text, &err);
    CU_ASSERT_EQUAL(status, strstr(err.text, "not evaluated") != NULL ||
                                    strstr(err.text, "missing where") != NULL
                                ? E_REFUSED
                                : E_INPUT);
    CU_ASSERT_PTR_NULL(consent.rule);
    CU_ASSERT_STRING_EQUAL(patient.reference, "");
    CU_ASSERT_STRING_EQUAL(patient.value, "");
    case_expect(test, err.text);
    consent_clear(&consent);
}

static void everything_else_is_refused_by_name(void)
{
    cases_run("tests/data/fhir_consent/refused.cases", run_refusal);
}

/* ---- members in few words, and what they are reduced to ---- */

static void run_reduction(const struct test_case *test)
{
    static const char head[] = "{\"consent\":1,\"says\":";
    static const char tail[] = ",\"subject\":\"" SUBJECT "\"}";
    char members[1024];
    struct text resource, got;
    struct consent consent;
    struct fhir_patient patient;
    struct error err;

    CU_ASSERT_FATAL(test->input.size < sizeof members);
    if (test->input.size > 0)
        memcpy(members, test->input.data, test->input.size);
    members[test->input.size] = '\0';
    text_init(&resource);
    text_init(&got);
    fhir_consent(&resource, members);
    if (take(&consent, &patient, resource.data, &err) != OK) {
        case_expect(test, err.text);
    } else {
        memcpy(consent.subject, SUBJECT, sizeof SUBJECT);
        CU_ASSERT_EQUAL_FATAL(consent_write(&consent, &got, &err), OK);
        CU_ASSERT_FATAL(got.size > strlen(head) + strlen(tail));
        got.data[got.size - strlen(tail)] = '\0';
        case_expect(test, got.data + strlen(head));
    }
    consent_clear(&consent);
    text_clear(&got);
    text_clear(&resource);
}

static void members_are_reduced(void)
{
    cases_run("tests/data/fhir_consent/reduced.cases", run_reduction);
}

/* ---- HL7's own examples, where they are at hand ---- */

/* Verdicts transcribed by hand from the resources.  All of R4's have the scope
 * patient-privacy, so that none is a consent to research; read as if it were
 * one, most decide by something that we do not evaluate.  What basic and
 * notTime say is a period, in force until the day behind its last. */
static const struct example {
    const char *name;
    const char *refused;     /* field by which it is refused, with that scope */
    const char *start, *end; /* or its period, days of the end included */
} examples[] = {
    {"Emergency", "provision.type", NULL, NULL},
    {"Out", "provision.type", NULL, NULL},
    {"basic", NULL, "1964-01-01", "2016-01-01"},
    {"grantor", "provision.action", NULL, NULL},
    {"notAuthor", "provision.type", NULL, NULL},
    {"notOrg", "provision.action", NULL, NULL},
    {"notThem", "provision.action", NULL, NULL},
    {"notThis", "provision.data", NULL, NULL},
    {"notTime", NULL, "2015-01-01", "2015-02-01"},
    {"pkb", "provision.action", NULL, NULL},
    {"signature", "provision.type", NULL, NULL},
    {"smartonfhir", "provision.provision[0].action", NULL, NULL},
};

/* The resource in a NUL-terminated text, to be cleared; false if the examples
 * are not there. */
static bool load_example(const char *release, const char *name,
                         struct text *resource)
{
    const char *shared = getenv("ANCHORITE_SHARED");
    struct text path;
    struct error err;

    text_init(&path);
    CU_ASSERT_EQUAL_FATAL(
        text_printf(&path, &err,
                    "%s/data/fhir-consent/%s/Consent-consent-example-%s.json",
                    shared != NULL ? shared : "../shared", release, name),
        OK);
    if (access(path.data, R_OK) != 0) {
        printf("skipped, no %s ", path.data);
        text_clear(&path);
        return false;
    }
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        file_read(path.data, CONSENT_RESOURCE_SIZE_MAX, resource, &err), OK);
    text_clear(&path);
    return true;
}

static void expect_refused(const char *resource, const char *field)
{
    struct consent consent;
    struct fhir_patient patient;
    struct error err;
    char words[128];

    snprintf(words, sizeof words, ": %s: ", field);
    CU_ASSERT_NOT_EQUAL(take(&consent, &patient, resource, &err), OK);
    CU_ASSERT_PTR_NULL(consent.rule);
    if (strstr(err.text, words) == NULL)
        fprintf(stderr, "expected %s, got %s\n", field, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    consent_clear(&consent);
}

static void expect_period(const char *resource, const struct example *example)
{
    struct consent consent;
    struct fhir_patient patient;
    struct period period;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(take(&consent, &patient, resource, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        period_parse(example->start, example->end, &period, &err), OK);
    CU_ASSERT_EQUAL(consent.base, CONSENT_TYPE_PERMIT);
    CU_ASSERT_EQUAL(consent.rule->type, CONSENT_TYPE_PERMIT);
    CU_ASSERT_EQUAL(consent.rule->period.start_ms, period.start_ms);
    CU_ASSERT_EQUAL(consent.rule->period.end_ms, period.end_ms);
    CU_ASSERT(!consent.rule->purposes_listed && !consent.rule->actors_listed);
    CU_ASSERT_PTR_NULL(consent.rule->exception);
    CU_ASSERT_STRING_EQUAL(patient.reference, "Patient/f001");
    consent_clear(&consent);
}

static void examples_of_r4_are_read_as_by_hand(void)
{
    static const char privacy[] = "\"patient-privacy\"";
    static const char research[] = "       \"research\"";

    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct text resource;
        char *scope;

        text_init(&resource);
        if (!load_example("official-r4", examples[i].name, &resource))
            return;
        expect_refused(resource.data, "scope");
        static_assert(sizeof privacy == sizeof research, "replaced in place");
        scope = strstr(resource.data, privacy);
        CU_ASSERT_PTR_NOT_NULL_FATAL(scope);
        memcpy(scope, research, sizeof research - 1);
        if (examples[i].refused != NULL)
            expect_refused(resource.data, examples[i].refused);
        else
            expect_period(resource.data, &examples[i]);
        text_clear(&resource);
    }
}

/* STU3 had other fields, with other meanings, under the same resourceType: the
 * first of them refuses.  Its policyRule was a string. */
static void examples_of_stu3_are_refused(void)
{
    static const struct {
        const char *name, *field;
    } old[] = {
        {"Emergency", "policyRule"}, {"Out", "actor"},
        {"basic", "period"},         {"grantor", "policyRule"},
        {"notAuthor", "policyRule"}, {"notOrg", "policyRule"},
        {"notThem", "policyRule"},   {"notThis", "policyRule"},
        {"notTime", "policyRule"},   {"pkb", "policyRule"},
        {"signature", "period"},     {"smartonfhir", "period"},
    };

    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
        struct text resource;

        text_init(&resource);
        if (!load_example("official-stu3", old[i].name, &resource))
            return;
        expect_refused(resource.data, old[i].field);
        text_clear(&resource);
    }
}

/* ---- limits ---- */

static void append(struct text *text, const char *string)
{
    struct error err;

    CU_ASSERT_EQUAL_FATAL(text_append_string(text, string, &err), OK);
}

static void expect(const char *members, enum status expected, const char *words)
{
    struct text resource;
    struct consent consent;
    struct fhir_patient patient;
    struct error err;

    text_init(&resource);
    fhir_consent(&resource, members);
    CU_ASSERT_EQUAL(take(&consent, &patient, resource.data, &err), expected);
    if (expected != OK)
        CU_ASSERT_STRING_EQUAL(err.text, words);
    consent_clear(&consent);
    text_clear(&resource);
}

static void nest(struct text *text, size_t depth)
{
    text_init(text);
    append(text, "\"policyRule\":@OPTIN,\"provision\":{");
    for (size_t i = 1; i < depth; i++)
        append(text, "\"provision\":[{");
    append(text, "\"period\":{\"end\":\"2030\"}");
    for (size_t i = 1; i < depth; i++)
        append(text, "}]");
    append(text, "}");
}

static void list(struct text *text, const char *start, const char *item,
                 size_t count)
{
    text_init(text);
    append(text, start);
    for (size_t i = 0; i < count; i++) {
        append(text, i > 0 ? "," : "");
        append(text, item);
    }
    append(text, "]}");
}

static void provisions_have_limits(void)
{
    static const char exceptions[] =
        "\"policyRule\":@OPTIN,\"provision\":{\"provision\":[";
    struct text text;

    nest(&text, CONSENT_DEPTH_MAX);
    expect(text.data, OK, "");
    text_clear(&text);
    nest(&text, CONSENT_DEPTH_MAX + 1);
    expect(text.data, E_LIMIT,
           "consent: line 1: provision.provision[0].provision[0].provision[0]"
           ".provision[0].provision[0].provision[0].provision[0].provision[0]: "
           "rules within rules, expected at most 8 levels");
    text_clear(&text);
    list(&text, exceptions, "{\"type\":\"deny\"}", CONSENT_RULES_MAX - 1);
    expect(text.data, OK, "");
    text_clear(&text);
    list(&text, exceptions, "{\"type\":\"deny\"}", CONSENT_RULES_MAX);
    expect(text.data, E_LIMIT,
           "consent: line 1: provision.provision[63]: too many rules, expected "
           "at most 64");
    text_clear(&text);
    list(&text, exceptions, "{\"type\":\"deny\"}", CONSENT_RULES_MAX + 1);
    expect(text.data, E_LIMIT,
           "consent: line 1: provision.provision: 65 items, expected at most "
           "64");
    text_clear(&text);
}

static void lists_have_limits(void)
{
    static const char actors[] =
        "\"policyRule\":@OPTIN,\"provision\":{\"type\":\"deny\",\"actor\":[";
    static const char purposes[] =
        "\"policyRule\":@OPTIN,\"provision\":{\"type\":\"deny\",\"purpose\":[";
    struct text text;

    list(&text, actors, "@literal", CONSENT_ACTORS_MAX);
    expect(text.data, OK, "");
    text_clear(&text);
    list(&text, actors, "@literal", CONSENT_ACTORS_MAX + 1);
    expect(text.data, E_LIMIT,
           "consent: line 1: provision.actor: 65 actors, expected at most 64");
    text_clear(&text);
    list(&text, purposes, "@06", CONSENT_PURPOSES_MAX);
    expect(text.data, OK, "");
    text_clear(&text);
    list(&text, purposes, "@06", CONSENT_PURPOSES_MAX + 1);
    expect(text.data, E_LIMIT,
           "consent: line 1: provision.purpose: 65 items, expected at most 64");
    text_clear(&text);
}

static void resource_has_a_limit(void)
{
    struct text text;
    struct consent consent;
    struct fhir_patient patient;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_printf(&text, &err, "%*s",
                                (int)CONSENT_RESOURCE_SIZE_MAX + 1, "{}"),
                    OK);
    CU_ASSERT_EQUAL(take(&consent, &patient, "[]", &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "consent: an array, expected a resource");
    CU_ASSERT_EQUAL(take(&consent, &patient, "{}", &err), E_INPUT);
    CU_ASSERT_EQUAL(take(&consent, &patient, text.data, &err), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "consent: 1048577 bytes, expected at most 1048576");
    consent_clear(&consent);
    text_clear(&text);
}

void suite_fhir_consent(void)
{
    static const struct test tests[] = {
        {"a resource is reduced to what is evaluated", resource_is_reduced},
        {"everything else is refused, by name",
         everything_else_is_refused_by_name},
        {"members are reduced as they mean", members_are_reduced},
        {"examples of R4 are read as by hand",
         examples_of_r4_are_read_as_by_hand},
        {"examples of STU3 are refused", examples_of_stu3_are_refused},
        {"provisions have limits", provisions_have_limits},
        {"lists have limits", lists_have_limits},
        {"a resource is an object, and has a limit", resource_has_a_limit},
    };

    suite_add("fhir_consent", tests, sizeof tests / sizeof tests[0]);
}
