#include "broker/fhir_consent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static enum status read(struct consent *consent, struct fhir_patient *patient,
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

    CU_ASSERT_EQUAL_FATAL(read(&consent, &patient, whole, &err), OK);
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
    status = read(&consent, &patient, text, &err);
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
    if (read(&consent, &patient, resource.data, &err) != OK) {
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
    CU_ASSERT_EQUAL(read(&consent, &patient, resource.data, &err), expected);
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
    CU_ASSERT_EQUAL(read(&consent, &patient, "[]", &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "consent: an array, expected a resource");
    CU_ASSERT_EQUAL(read(&consent, &patient, "{}", &err), E_INPUT);
    CU_ASSERT_EQUAL(read(&consent, &patient, text.data, &err), E_LIMIT);
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
        {"provisions have limits", provisions_have_limits},
        {"lists have limits", lists_have_limits},
        {"a resource is an object, and has a limit", resource_has_a_limit},
    };

    suite_add("fhir_consent", tests, sizeof tests / sizeof tests[0]);
}
