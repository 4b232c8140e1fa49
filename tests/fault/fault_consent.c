#include "broker/consent.h"

#include <errno.h>
#include <string.h>

#include "broker/fhir_consent.h"
#include "tests/fault/fault.h"
#include "tests/lib/fhir_words.h"
#include "tests/lib/suite.h"

void suite_consent(void);

#define SUBJECT "00112233445566778899aabbccddeeff"

static const char reduced[] =
    "{\"consent\":1,\"says\":{\"base\":\"permit\",\"rule\":{\"exceptions\":["
    "{\"period\":{\"end_ms\":86400000},\"purposes\":[\"DUO:0000011\"],"
    "\"type\":\"deny\"}],\"recipients\":[\"a\",\"b\"],\"type\":\"permit\"},"
    "\"status\":\"active\"},\"subject\":\"" SUBJECT "\"}";

static const char members[] =
    "\"policyRule\":@OPTIN,\"provision\":{\"type\":\"permit\",\"actor\":"
    "[@to(b),@to(a)],\"provision\":[{\"type\":\"deny\",\"purpose\":[@11],"
    "\"period\":{\"end\":\"1970-01-01\"}}]}";

static void reduced_form_is_read_whole_or_not(void)
{
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct consent consent;
        enum status status;

        error_init(&err);
        consent_init(&consent);
        fault_on();
        status = consent_read(&consent, bytes_of_string(reduced), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(consent.rule != NULL, status == OK);
        CU_ASSERT_EQUAL(consent.rule_count, status == OK ? 2 : 0);
        consent_clear(&consent);
    }
}

static void resource_is_read_whole_or_not(void)
{
    struct text resource;
    struct error err;

    text_init(&resource);
    fhir_consent(&resource, members);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct consent consent;
        struct fhir_patient patient;
        enum status status;

        error_init(&err);
        consent_init(&consent);
        fault_on();
        status =
            fhir_consent_read(&consent, &patient, text_bytes(&resource), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(consent.rule != NULL, status == OK);
        CU_ASSERT_STRING_EQUAL(patient.reference,
                               status == OK ? "Patient/p1" : "");
        consent_clear(&consent);
    }
    text_clear(&resource);
}

static void consent_is_written_or_says_that_it_is_not(void)
{
    struct consent consent;
    struct text resource;
    struct fhir_patient patient;
    struct error err;

    error_init(&err);
    text_init(&resource);
    fhir_consent(&resource, members);
    consent_init(&consent);
    CU_ASSERT_EQUAL_FATAL(
        fhir_consent_read(&consent, &patient, text_bytes(&resource), &err), OK);
    memcpy(consent.subject, SUBJECT, sizeof SUBJECT);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = consent_write(&consent, &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        if (status == OK)
            CU_ASSERT_STRING_EQUAL(out.data, reduced);
        text_clear(&out);
    }
    consent_clear(&consent);
    text_clear(&resource);
}

void suite_consent(void)
{
    static const struct test tests[] = {
        {"reduced form is read whole or not",
         reduced_form_is_read_whole_or_not},
        {"resource is read whole or not", resource_is_read_whole_or_not},
        {"consent is written, or says that it is not",
         consent_is_written_or_says_that_it_is_not},
    };

    suite_add("consent", tests, sizeof tests / sizeof tests[0]);
}
