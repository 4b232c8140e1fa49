#include "broker/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/fhir_consent.h"
#include "tests/lib/cases.h"
#include "tests/lib/fhir_words.h"
#include "tests/lib/hospital_capture.h"
#include "tests/lib/suite.h"

void suite_decision(void);

#define SUBJECT "00112233445566778899aabbccddeeff"

static int64_t instant_of(const char *text)
{
    struct period time = {0, 0};
    struct error err;

    CU_ASSERT_EQUAL_FATAL(period_parse_time(text, &time, &err), OK);
    return time.start_ms;
}

/* Codes as "42,18". */
static struct purposes purposes_of(const char *codes)
{
    struct purposes purposes = {0};
    struct error err;
    char code[12] = "DUO:00000";

    error_init(&err);
    for (; *codes != '\0'; codes += codes[2] == ',' ? 3 : 2) {
        memcpy(code + 9, codes, 2);
        CU_ASSERT_EQUAL_FATAL(
            purposes_add_requested(&purposes, bytes_of(code, 11), &err), OK);
    }
    CU_ASSERT_EQUAL_FATAL(purposes_check_request(purposes, &err), OK);
    return purposes;
}

static void read_resource(struct consent *consent, struct bytes resource)
{
    struct fhir_patient patient;
    struct error err;

    error_init(&err);
    consent_init(consent);
    if (fhir_consent_read(consent, &patient, resource, &err) != OK)
        fprintf(stderr, "%s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(consent->rule);
    memcpy(consent->subject, SUBJECT, sizeof SUBJECT);
}

/* ---- rows of cases ---- */

enum { SAID_MAX = 4 };

/* "4 members ;; 9 members" */
static size_t read_said(char *row, struct consent *consent,
                        struct decision_consent *said)
{
    size_t count = 0;

    for (char *next = row; next != NULL && *next != '\0'; count++) {
        char *end = strstr(next, " ;; ");
        struct text resource;
        char *members;

        CU_ASSERT_FATAL(count < SAID_MAX);
        if (end != NULL)
            *end = '\0';
        said[count].position = strtoull(next, &members, 10);
        said[count].consent = &consent[count];
        text_init(&resource);
        fhir_consent(&resource, members + 1);
        read_resource(&consent[count], text_bytes(&resource));
        text_clear(&resource);
        next = end != NULL ? end + 4 : NULL;
    }
    return count;
}

static void put_verdict(const struct test_case *test,
                        const struct decision *decision, char *got, size_t size)
{
    static const char until[] = "permitted until ";

    if (!decision_permits(decision))
        snprintf(got, size, "%s", decision_reason_name(decision->reason));
    else if (decision->until_ms == PERIOD_ENDLESS)
        snprintf(got, size, "permitted for ever");
    else if (strncmp(test->expected, until, strlen(until)) == 0 &&
             instant_of(test->expected + strlen(until)) == decision->until_ms)
        snprintf(got, size, "%s", test->expected);
    else
        snprintf(got, size, "%s%" PRId64, until, decision->until_ms);
}

static void run_decision(const struct test_case *test)
{
    char row[1024], got[64], codes[64], recipient[64], instant[64];
    struct consent consent[SAID_MAX];
    struct decision_consent said[SAID_MAX];
    struct decision_request request;
    struct decision decision;
    size_t count;
    char *asked;

    CU_ASSERT_FATAL(test->input.size < sizeof row);
    memcpy(row, test->input.data, test->input.size);
    row[test->input.size] = '\0';
    asked = strstr(row, "?? ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(asked);
    CU_ASSERT_EQUAL_FATAL(
        sscanf(asked + 3, "%63s %63s %63s", codes, recipient, instant), 3);
    *asked = '\0';
    if (asked > row)
        asked[-1] = '\0';
    count = read_said(row, consent, said);
    request = (struct decision_request){.purposes = purposes_of(codes),
                                        .recipient = recipient,
                                        .instant_ms = instant_of(instant)};
    decision = decision_make(said, count, &request);
    put_verdict(test, &decision, got, sizeof got);
    case_expect(test, got);
    for (size_t i = 0; i < count; i++)
        consent_clear(&consent[i]);
}

static void cases_are_decided_as_by_hand(void)
{
    cases_run("tests/data/decision/decisions.cases", run_decision);
}

/* ---- status ---- */

static void only_an_active_consent_permits(void)
{
    struct decision_request request = {.purposes = purposes_of("42"),
                                       .recipient = "a"};
    struct consent consent;
    struct decision_consent said[] = {{3, &consent}};
    struct text resource;

    text_init(&resource);
    fhir_consent(&resource, "\"policyRule\":@OPTIN");
    read_resource(&consent, text_bytes(&resource));
    for (unsigned status = 0; status < CONSENT_STATUS_COUNT; status++) {
        struct decision decision;

        consent.status = (enum consent_status)status;
        decision = decision_make(said, 1, &request);
        CU_ASSERT_EQUAL(decision.reason, status == CONSENT_STATUS_ACTIVE
                                             ? DECISION_PERMITTED
                                             : DECISION_NOT_ACTIVE);
        CU_ASSERT_EQUAL(decision.position, 3);
    }
    consent_clear(&consent);
    text_clear(&resource);
}

/* An inactive one behind a permit is its withdrawal. */
static void newer_inactive_consent_ends_an_older_permit(void)
{
    struct decision_request request = {.purposes = purposes_of("42"),
                                       .recipient = "a"};
    struct consent permit, inactive;
    struct decision_consent said[] = {{3, &permit}, {4, &inactive}};
    struct decision decision;
    struct text resource;

    text_init(&resource);
    fhir_consent(&resource, "\"policyRule\":@OPTIN");
    read_resource(&permit, text_bytes(&resource));
    read_resource(&inactive, text_bytes(&resource));
    inactive.status = CONSENT_STATUS_INACTIVE;
    decision = decision_make(said, 2, &request);
    CU_ASSERT_EQUAL(decision.reason, DECISION_NOT_ACTIVE);
    CU_ASSERT_EQUAL(decision.position, 4);
    consent_clear(&permit);
    consent_clear(&inactive);
    text_clear(&resource);
}

/* ---- the synthetic hospital's ---- */

enum { PATIENTS = 4000 };

/* Decide for each patient of the hospital; how many are permitted. */
static unsigned count_permitted(struct text *resources, const char *codes,
                                const char *instant)
{
    struct decision_request request = {.purposes = purposes_of(codes),
                                       .recipient = "institute",
                                       .instant_ms = instant_of(instant)};
    char number[64] = "";
    unsigned permitted = 0;
    bool before = false; /* did the patient's consents so far permit? */

    for (char *line = resources->data; *line != '\0';) {
        char *end = strchr(line, '\n');
        struct fhir_patient patient;
        struct consent consent;
        struct decision_consent said = {1, &consent};
        struct decision decision;
        struct error err;

        CU_ASSERT_PTR_NOT_NULL_FATAL(end);
        error_init(&err);
        consent_init(&consent);
        CU_ASSERT_EQUAL_FATAL(
            fhir_consent_read(&consent, &patient,
                              bytes_of(line, (size_t)(end - line)), &err),
            OK);
        memcpy(consent.subject, SUBJECT, sizeof SUBJECT);
        CU_ASSERT_STRING_EQUAL(patient.system, HOSPITAL_PSN_SYSTEM);
        /* A later line of the same patient is a later consent. */
        if (strcmp(patient.value, number) == 0 && before)
            permitted--;
        snprintf(number, sizeof number, "%s", patient.value);
        decision = decision_make(&said, 1, &request);
        before = decision_permits(&decision);
        permitted += before;
        consent_clear(&consent);
        line = end + 1;
    }
    return permitted;
}

/* What the hospital says of its patients, counted on the generator's side. */
static unsigned count_kind(const struct consent_mix *mix,
                           enum consent_kind kind)
{
    struct hospital *hospital = hospital_make(hospital_plain(7));
    unsigned count = 0;

    for (uint32_t number = 1; number <= PATIENTS; number++)
        count += hospital_consent_kind(hospital, mix, number) == kind;
    hospital_destroy(&hospital);
    return count;
}

static void hospitals_consents_are_decided(void)
{
    struct consent_mix mix;
    struct text resources;
    struct error err;
    unsigned permit, limited, expired, general, clinical, health;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(consent_mix_parse(CONSENT_MIX_DEFAULT, &mix, &err),
                          OK);
    text_init(&resources);
    capture_consents(&resources, 7, &mix, (struct patient_range){1, PATIENTS});
    permit = count_kind(&mix, CONSENT_PERMIT);
    limited = count_kind(&mix, CONSENT_LIMITED);
    expired = count_kind(&mix, CONSENT_EXPIRED);

    /* Broad permits list HRESCH and general research.  Of the limited ones a
     * quarter have HRESCH alone, a quarter health research, a quarter ancestry,
     * a quarter clinical care. */
    general = count_permitted(&resources, "42", "2025-01-01");
    clinical = count_permitted(&resources, "43", "2025-01-01");
    health = count_permitted(&resources, "06", "2025-01-01");
    CU_ASSERT(general > permit && general < permit + limited);
    CU_ASSERT_DOUBLE_EQUAL(general - permit, limited / 4.0, 60);
    CU_ASSERT_DOUBLE_EQUAL(health - permit, limited / 2.0, 60);
    CU_ASSERT_DOUBLE_EQUAL(clinical, limited / 4.0, 60);
    printf("of %u: %u general research, %u health research, %u clinical care ",
           PATIENTS, general, health, clinical);

    /* All of them have ended by 2035, none has begun before 2022. */
    CU_ASSERT_EQUAL(count_permitted(&resources, "42", "2034-12-31"), general);
    CU_ASSERT_EQUAL(count_permitted(&resources, "42", "2035-01-01"), 0);
    CU_ASSERT_EQUAL(count_permitted(&resources, "42", "2021-12-31"), 0);
    /* Who has expired had permitted; within 180 days of 2024-06-30 not all
     * have. */
    CU_ASSERT(count_permitted(&resources, "42", "2024-06-30") <
              general + expired);
    CU_ASSERT(count_permitted(&resources, "42", "2024-06-30") > general);
    text_clear(&resources);
}

void suite_decision(void)
{
    static const struct test tests[] = {
        {"cases are decided as by hand", cases_are_decided_as_by_hand},
        {"only an active consent permits", only_an_active_consent_permits},
        {"a newer inactive consent ends an older permit",
         newer_inactive_consent_ends_an_older_permit},
        {"the synthetic hospital's consents are decided",
         hospitals_consents_are_decided},
    };

    suite_add("decision", tests, sizeof tests / sizeof tests[0]);
}
