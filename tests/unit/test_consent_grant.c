#include "cli/consent_grant.h"

#include <string.h>

#include "broker/decision.h"
#include "broker/fhir_consent.h"
#include "tests/lib/suite.h"

void suite_consent_grant(void);

#define SYSTEM "urn:example:numbers"

/* 2026-06-01T00:00:00Z and 2099-12-31T23:59:59Z, by date(1). */
#define IN_2026_MS INT64_C(1780272000000)
#define LATE_2099_MS INT64_C(4102444799000)
#define IN_2100_MS INT64_C(4102444800000)

static enum decision_reason decide(struct consent *consent, const char *code,
                                   const char *recipient, int64_t instant_ms)
{
    struct decision_consent said = {.position = 1, .consent = consent};
    struct decision_request request = {.recipient = recipient,
                                       .instant_ms = instant_ms};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(
        purposes_add_requested(&request.purposes, bytes_of_string(code), &err),
        OK);
    return decision_make(&said, 1, &request).reason;
}

/* What was typed is what the broker's own reader and rules make of it. */
static void what_is_granted_is_permitted_and_nothing_else(void)
{
    struct consent_grant grant = {.patient = "P17",
                                  .system = SYSTEM,
                                  .purposes = "DUO:0000042,DUO:0000006",
                                  .recipients = "institute,clinic",
                                  .until = "2099-12-31"};
    struct fhir_patient patient;
    struct consent consent;
    struct text resource;
    struct error err;

    error_init(&err);
    text_init(&resource);
    consent_init(&consent);
    CU_ASSERT_EQUAL_FATAL(consent_grant_write(&grant, &resource, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        fhir_consent_read(&consent, &patient, text_bytes(&resource), &err), OK);
    CU_ASSERT_STRING_EQUAL(patient.system, SYSTEM);
    CU_ASSERT_STRING_EQUAL(patient.value, "P17");
    CU_ASSERT_EQUAL(decide(&consent, "DUO:0000042", "institute", IN_2026_MS),
                    DECISION_PERMITTED);
    CU_ASSERT_EQUAL(decide(&consent, "DUO:0000006", "clinic", LATE_2099_MS),
                    DECISION_PERMITTED);
    CU_ASSERT_EQUAL(decide(&consent, "DUO:0000007", "institute", IN_2026_MS),
                    DECISION_OTHER_PURPOSE);
    CU_ASSERT_EQUAL(decide(&consent, "DUO:0000042", "other", IN_2026_MS),
                    DECISION_OTHER_RECIPIENT);
    CU_ASSERT_EQUAL(decide(&consent, "DUO:0000042", "institute", IN_2100_MS),
                    DECISION_ENDED);
    consent_clear(&consent);
    text_clear(&resource);
}

static void what_cannot_be_granted_is_refused(void)
{
    static const struct {
        struct consent_grant grant;
        const char *words;
    } cases[] = {
        {{.purposes = "DUO:0000099"}, "--purpose"},
        {{.purposes = "DUO:0000001"}, "--purpose"},
        {{.purposes = ""}, "--purpose"},
        {{.purposes = "HRESCH,"}, "--purpose"},
        {{.purposes = "other-reason"}, "--purpose"},
        {{.purposes = "HRESCH", .recipients = "a b"}, "--recipient"},
        {{.purposes = "HRESCH", .until = "tomorrow"}, "--until"},
        {{.purposes = "HRESCH", .until = "2001-01-01"}, "is over already"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct consent_grant grant = cases[i].grant;
        struct text resource;
        struct error err;

        grant.patient = "P17";
        grant.system = SYSTEM;
        error_init(&err);
        text_init(&resource);
        CU_ASSERT_EQUAL(consent_grant_write(&grant, &resource, &err), E_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].words));
        CU_ASSERT_PTR_NULL(strstr(err.text, "P17"));
        text_clear(&resource);
    }
}

void suite_consent_grant(void)
{
    static const struct test tests[] = {
        {"what is granted is permitted and nothing else",
         what_is_granted_is_permitted_and_nothing_else},
        {"what cannot be granted is refused",
         what_cannot_be_granted_is_refused},
    };

    suite_add("consent_grant", tests, sizeof tests / sizeof *tests);
}
