/*
 * tests/fuzz/fuzz_consent.c - whatever bytes, as a FHIR resource and as a
 * reduced consent: what is refused is refused with words and leaves nothing;
 * what is accepted is written in one spelling that reads back; and each
 * decision about it has a reason, an end behind the instant, and an answer at
 * that end that is a no.
 *
 * First byte 'r': a reduced consent behind it; else a resource.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/decision.h"
#include "broker/fhir_consent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void check_refusal(const struct consent *consent, enum status status,
                          const struct error *err)
{
    demand(status == E_INPUT || status == E_LIMIT || status == E_VERSION ||
           status == E_REFUSED);
    demand(err->text[0] != '\0');
    demand(consent->rule == NULL && consent->rule_count == 0);
}

static void check_rule(const struct consent_rule *rule, size_t depth,
                       size_t *count)
{
    demand(depth < CONSENT_DEPTH_MAX && ++*count <= CONSENT_RULES_MAX);
    demand(rule->period.start_ms < rule->period.end_ms);
    demand(rule->purposes_listed == (rule->purposes.set != 0));
    demand(rule->actors_listed ==
           (rule->recipient_count > 0 || rule->other_actors));
    for (const struct consent_rule *below = rule->exception; below != NULL;
         below = below->next) {
        demand(below->type != rule->type);
        check_rule(below, depth + 1, count);
    }
}

static void check_decision(const struct consent *consent,
                           const struct decision_request *request)
{
    struct decision_consent said = {1, consent};
    struct decision_request later = *request;
    struct decision decision = decision_make(&said, 1, request);

    demand(decision.reason != DECISION_NO_CONSENT);
    if (!decision_permits(&decision)) {
        demand(decision.until_ms == request->instant_ms);
        return;
    }
    demand(consent->status == CONSENT_STATUS_ACTIVE);
    demand(period_contains(consent->rule->period, request->instant_ms));
    demand(decision.until_ms > request->instant_ms &&
           decision.until_ms <= consent->rule->period.end_ms);
    later.instant_ms = decision.until_ms - 1;
    decision = decision_make(&said, 1, &later);
    demand(decision_permits(&decision));
    if (later.instant_ms + 1 == PERIOD_ENDLESS)
        return;
    later.instant_ms++;
    decision = decision_make(&said, 1, &later);
    demand(!decision_permits(&decision));
}

static void decide(const struct consent *consent)
{
    static const int64_t instants[] = {INT64_C(1704067200000), 0,
                                       INT64_C(4102444800000)};
    struct decision_request request = {.recipient = "a"};

    for (enum purpose use = 0; use < PURPOSE_HRESCH; use++) {
        struct purposes purposes = {0};
        struct error err;

        error_init(&err);
        if (purposes_add_requested(
                &purposes, bytes_of_string(purpose_code(use)), &err) != OK ||
            purposes_check_request(purposes, &err) != OK)
            continue;
        request.purposes = purposes;
        for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
            request.instant_ms = instants[i];
            check_decision(consent, &request);
        }
    }
}

/* What was accepted, from whichever form. */
static void check_accepted(const struct consent *consent, struct text *text)
{
    struct consent again;
    struct text second;
    struct error err;
    size_t count = 0;

    check_rule(consent->rule, 0, &count);
    demand(count == consent->rule_count);
    demand(consent_write(consent, text, &err) == OK);
    consent_init(&again);
    demand(consent_read(&again, text_bytes(text), &err) == OK);
    text_init(&second);
    demand(consent_write(&again, &second, &err) == OK);
    demand(bytes_equal(text_bytes(text), text_bytes(&second)));
    text_clear(&second);
    decide(&again);
    consent_clear(&again);
}

static void try_reduced(struct bytes bytes)
{
    struct consent consent;
    struct text text;
    struct error err;
    enum status status;

    error_init(&err);
    consent_init(&consent);
    status = consent_read(&consent, bytes, &err);
    if (status != OK) {
        check_refusal(&consent, status, &err);
    } else {
        text_init(&text);
        check_accepted(&consent, &text);
        demand(bytes_equal(text_bytes(&text), bytes));
        text_clear(&text);
    }
    consent_clear(&consent);
}

static void try_resource(struct bytes bytes)
{
    struct consent consent;
    struct fhir_patient patient;
    struct text text;
    struct error err;
    enum status status;

    error_init(&err);
    consent_init(&consent);
    status = fhir_consent_read(&consent, &patient, bytes, &err);
    if (status != OK) {
        check_refusal(&consent, status, &err);
        demand(patient.reference[0] == '\0' && patient.value[0] == '\0');
    } else {
        demand(patient.reference[0] != '\0' || patient.value[0] != '\0');
        memcpy(consent.subject, "00112233445566778899aabbccddeeff",
               CONSENT_SUBJECT_SIZE);
        text_init(&text);
        check_accepted(&consent, &text);
        text_clear(&text);
    }
    consent_clear(&consent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'r')
        try_reduced(bytes_of(data + 1, size - 1));
    else
        try_resource(bytes_of(data, size));
    return 0;
}
