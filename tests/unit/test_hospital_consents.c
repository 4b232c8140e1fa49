#include "datasets/hospital_consents.h"

#include <string.h>

#include "common/digest.h"
#include "common/json.h"
#include "tests/lib/hospital_capture.h"
#include "tests/lib/suite.h"

void suite_hospital_consents(void);

enum { PATIENTS = 20000 };

/* Recorded with sha256sum(1), from builds of gcc and of clang. */
#define GOLDEN                                                                 \
    "b8f5410eb00a5802c8da858fda0961220a72b91d239b167c1e14515a67b39c16"

static struct consent_mix mix_of(const char *list)
{
    struct consent_mix mix;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(consent_mix_parse(list, &mix, &err), OK);
    return mix;
}

/* ---- the mix ---- */

static void mix_is_read(void)
{
    struct consent_mix mix = mix_of("deny=1,permit=99");

    CU_ASSERT_EQUAL(mix.percent[CONSENT_PERMIT], 99);
    CU_ASSERT_EQUAL(mix.percent[CONSENT_DENY], 1);
    CU_ASSERT_EQUAL(mix.percent[CONSENT_NONE], 0);
    mix = mix_of(CONSENT_MIX_DEFAULT);
    CU_ASSERT_EQUAL(mix.percent[CONSENT_EXPIRED], 7);
}

static void refuse_mix(const char *list, const char *words)
{
    struct consent_mix mix = {{42}};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(consent_mix_parse(list, &mix, &err), E_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_EQUAL(mix.percent[0], 42);
}

static void bad_mix_is_refused(void)
{
    refuse_mix("", "kind=percent");
    refuse_mix("permit", "kind=percent");
    refuse_mix("permit=100,", "kind=percent");
    refuse_mix("allow=100", "there is no kind of consent \"allow\"");
    refuse_mix("=100", "there is no kind");
    refuse_mix("permit=50,permit=50", "permit stands there twice");
    refuse_mix("permit=101", "whole number from 0 to 100");
    refuse_mix("permit=-1,deny=101", "whole number from 0 to 100");
    refuse_mix("permit=1.5", "whole number from 0 to 100");
    refuse_mix("permit=", "whole number from 0 to 100");
    refuse_mix("permit=60,deny=39", "sum up to 99 percent");
    refuse_mix("permit=60,deny=60", "sum up to 120 percent");
}

/* ---- resources, checked field by field ---- */

/* The member of an object; ends the test if it is not there or of another
 * kind. */
static const struct json_value *get(const struct json_value *object,
                                    const char *key, enum json_kind kind)
{
    const struct json_value *member = json_member(object, key);

    CU_ASSERT_PTR_NOT_NULL_FATAL(member);
    CU_ASSERT_EQUAL_FATAL(json_kind(member), kind);
    return member;
}

static const char *get_string(const struct json_value *object, const char *key)
{
    return json_string(get(object, key, JSON_STRING));
}

/* system and code of the only coding of a CodeableConcept. */
static void check_concept(const struct json_value *concept, const char *system,
                          const char *code)
{
    const struct json_value *codings = get(concept, "coding", JSON_ARRAY);
    const struct json_value *coding = json_first(codings);

    CU_ASSERT_EQUAL_FATAL(json_length(codings), 1);
    CU_ASSERT_STRING_EQUAL(get_string(coding, "system"), system);
    CU_ASSERT_STRING_EQUAL(get_string(coding, "code"), code);
}

static void check_date(const char *text)
{
    CU_ASSERT_EQUAL_FATAL(strlen(text), 10);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT(i == 4 || i == 7 ? text[i] == '-'
                                   : text[i] >= '0' && text[i] <= '9');
    CU_ASSERT(strcmp(text, "2022-01-01") >= 0);
}

/* What R4 asks of a Consent, as far as it is used here: status, scope,
 * category and a policy (invariant ppc-1) must be there. */
static void check_frame(const struct json_value *consent)
{
    const struct json_value *category = get(consent, "category", JSON_ARRAY);
    const struct json_value *patient = get(consent, "patient", JSON_OBJECT);
    const struct json_value *who = get(patient, "identifier", JSON_OBJECT);
    const char *psn = get_string(who, "value");

    CU_ASSERT_STRING_EQUAL(get_string(consent, "resourceType"), "Consent");
    CU_ASSERT_STRING_EQUAL(get_string(consent, "status"), "active");
    check_concept(get(consent, "scope", JSON_OBJECT),
                  "http://terminology.hl7.org/CodeSystem/consentscope",
                  "research");
    CU_ASSERT_EQUAL_FATAL(json_length(category), 1);
    check_concept(json_first(category),
                  "http://terminology.hl7.org/CodeSystem/consentcategorycodes",
                  "research");
    CU_ASSERT_STRING_EQUAL(get_string(who, "system"),
                           "urn:anchorite:hospital:psn");
    CU_ASSERT_EQUAL(strlen(psn), 10);
    /* The id is the psn, a hyphen and the resource's index. */
    CU_ASSERT_EQUAL(strncmp(get_string(consent, "id"), psn, 10), 0);
    check_date(get_string(consent, "dateTime"));
    CU_ASSERT_EQUAL(json_length(get(consent, "organization", JSON_ARRAY)), 1);
}

static bool is_broad(const struct json_value *purposes)
{
    const struct json_value *first = json_first(purposes);

    return json_length(purposes) == 2 &&
           strcmp(get_string(first, "code"), "HRESCH") == 0 &&
           strcmp(get_string(json_next(first), "code"), "DUO:0000042") == 0;
}

static void check_limited(const struct json_value *purposes)
{
    static const struct {
        const char *system, *code;
    } known[] = {
        {"http://terminology.hl7.org/CodeSystem/v3-ActReason", "HRESCH"},
        {"http://purl.obolibrary.org/obo/duo.owl", "DUO:0000006"},
        {"http://purl.obolibrary.org/obo/duo.owl", "DUO:0000011"},
        {"http://purl.obolibrary.org/obo/duo.owl", "DUO:0000043"},
    };
    const struct json_value *purpose = json_first(purposes);
    size_t i = 0;

    CU_ASSERT_EQUAL_FATAL(json_length(purposes), 1);
    while (i < 4 && strcmp(get_string(purpose, "code"), known[i].code) != 0)
        i++;
    CU_ASSERT_FATAL(i < 4);
    CU_ASSERT_STRING_EQUAL(get_string(purpose, "system"), known[i].system);
}

/* What one resource says on 2025-01-01. */
static enum consent_kind kind_of(const struct json_value *consent)
{
    const struct json_value *provision = get(consent, "provision", JSON_OBJECT);
    const struct json_value *rule = get(consent, "policyRule", JSON_OBJECT);
    const struct json_value *period, *purposes;
    const char *act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

    if (strcmp(get_string(provision, "type"), "deny") == 0) {
        check_concept(rule, act, "OPTOUT");
        CU_ASSERT_EQUAL(json_length(provision), 1);
        return CONSENT_DENY;
    }
    CU_ASSERT_STRING_EQUAL(get_string(provision, "type"), "permit");
    check_concept(rule, act, "OPTIN");
    period = get(provision, "period", JSON_OBJECT);
    purposes = get(provision, "purpose", JSON_ARRAY);
    CU_ASSERT_STRING_EQUAL(get_string(period, "start"),
                           get_string(consent, "dateTime"));
    check_date(get_string(period, "end"));
    if (is_broad(purposes))
        return strcmp(get_string(period, "end"), "2025-01-01") < 0
                   ? CONSENT_EXPIRED
                   : CONSENT_PERMIT;
    check_limited(purposes);
    CU_ASSERT_STRING_EQUAL(get_string(period, "end"), "2034-12-31");
    return CONSENT_LIMITED;
}

/* The kind of each patient, from what stands in the lines alone. */
struct census {
    enum consent_kind kind[PATIENTS + 1];
    char last_date[11];
    uint32_t last;
};

static uint32_t patient_of(const struct json_value *consent)
{
    const char *id = get_string(consent, "id");
    uint32_t number = 0;

    CU_ASSERT_EQUAL_FATAL(id[0], 'P');
    for (size_t i = 1; i < 10; i++)
        number = number * 10 + (uint32_t)(id[i] - '0');
    CU_ASSERT_FATAL(number >= 1 && number <= PATIENTS);
    CU_ASSERT_EQUAL(id[10], '-');
    return number;
}

static void census_add(struct census *census, const struct json_value *consent)
{
    uint32_t patient = patient_of(consent);
    const char *date = get_string(consent, "dateTime");
    const char *index = get_string(consent, "id") + 11;
    enum consent_kind kind = kind_of(consent);

    check_frame(consent);
    if (census->kind[patient] == CONSENT_NONE) {
        CU_ASSERT(patient > census->last);
        CU_ASSERT_STRING_EQUAL(index, "1");
        census->kind[patient] = kind;
    } else {
        /* A second one withdraws a permit that came before it. */
        CU_ASSERT_EQUAL(patient, census->last);
        CU_ASSERT_STRING_EQUAL(index, "2");
        CU_ASSERT_EQUAL(census->kind[patient], CONSENT_PERMIT);
        CU_ASSERT_EQUAL(kind, CONSENT_DENY);
        CU_ASSERT(strcmp(date, census->last_date) > 0);
        census->kind[patient] = CONSENT_WITHDRAWN;
    }
    census->last = patient;
    memcpy(census->last_date, date, sizeof census->last_date);
}

static void take_census(struct census *census, const struct text *text)
{
    const char *line = text->data;

    memset(census, 0, sizeof *census);
    for (size_t i = 0; i <= PATIENTS; i++)
        census->kind[i] = CONSENT_NONE;
    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        struct json *json = NULL;
        struct error err;

        CU_ASSERT_PTR_NOT_NULL_FATAL(end);
        error_init(&err);
        CU_ASSERT_EQUAL_FATAL(
            json_parse(&json, bytes_of(line, (size_t)(end - line)), &err), OK);
        census_add(census, json_root(json));
        json_destroy(&json);
        line = end + 1;
    }
}

static struct census census;

static void kinds_have_the_documented_shares(void)
{
    struct consent_mix mix = mix_of(CONSENT_MIX_DEFAULT);
    struct hospital *hospital = hospital_make(hospital_plain(1));
    uint32_t count[CONSENT_KIND_COUNT] = {0};
    struct text text;
    int wrong = 0;

    text_init(&text);
    capture_consents(&text, 1, &mix, (struct patient_range){1, PATIENTS});
    take_census(&census, &text);
    for (uint32_t i = 1; i <= PATIENTS; i++) {
        count[census.kind[i]]++;
        wrong += census.kind[i] != hospital_consent_kind(hospital, &mix, i);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    for (size_t kind = 0; kind < CONSENT_KIND_COUNT; kind++) {
        double off = 100.0 * count[kind] / PATIENTS - mix.percent[kind];

        /* Four standard deviations of 55 percent are 1.4 points. */
        CU_ASSERT(off > -1.5 && off < 1.5);
    }
    text_clear(&text);
    hospital_destroy(&hospital);
}

static void a_mix_of_one_kind_has_no_other(void)
{
    struct patient_range range = {1, 500};
    struct consent_mix mix = mix_of("none=100");
    struct text text;

    text_init(&text);
    capture_consents(&text, 1, &mix, range);
    CU_ASSERT_EQUAL(text.size, 0);
    mix = mix_of("withdrawn=100");
    capture_consents(&text, 1, &mix, range);
    take_census(&census, &text);
    for (uint32_t i = 1; i <= 500; i++)
        CU_ASSERT_EQUAL(census.kind[i], CONSENT_WITHDRAWN);
    text_clear(&text);
}

/* ---- the same bytes ---- */

static void bytes_are_the_recorded_ones(void)
{
    struct consent_mix mix = mix_of(CONSENT_MIX_DEFAULT);
    char hex[DIGEST_HEX_SIZE];
    struct digest digest;
    struct text text;
    struct error err;

    text_init(&text);
    capture_consents(&text, 1, &mix, (struct patient_range){1, 1000});
    CU_ASSERT_EQUAL_FATAL(digest_bytes(&digest, text_bytes(&text), &err), OK);
    digest_hex(&digest, hex);
    CU_ASSERT_STRING_EQUAL(hex, GOLDEN);
    text_clear(&text);
}

static void slices_make_up_the_whole(void)
{
    struct consent_mix mix = mix_of(CONSENT_MIX_DEFAULT);
    struct text whole, parts;

    text_init(&whole);
    text_init(&parts);
    capture_consents(&whole, 3, &mix, (struct patient_range){1, 300});
    capture_consents(&parts, 3, &mix, (struct patient_range){1, 77});
    capture_consents(&parts, 3, &mix, (struct patient_range){78, 223});
    CU_ASSERT_STRING_EQUAL(whole.data, parts.data);
    text_reset(&parts);
    capture_consents(&parts, 4, &mix, (struct patient_range){1, 300});
    CU_ASSERT_STRING_NOT_EQUAL(whole.data, parts.data);
    text_clear(&whole);
    text_clear(&parts);
}

void suite_hospital_consents(void)
{
    static const struct test tests[] = {
        {"mix is read", mix_is_read},
        {"bad mix is refused", bad_mix_is_refused},
        {"kinds have the documented shares", kinds_have_the_documented_shares},
        {"a mix of one kind has no other", a_mix_of_one_kind_has_no_other},
        {"bytes are the recorded ones", bytes_are_the_recorded_ones},
        {"slices make up the whole", slices_make_up_the_whole},
    };
    suite_add("hospital_consents", tests, sizeof tests / sizeof *tests);
}
