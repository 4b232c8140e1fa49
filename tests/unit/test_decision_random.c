#include "broker/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/fhir_consent.h"
#include "tests/lib/consent_model.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_decision_random(void);

#define SUBJECT "00112233445566778899aabbccddeeff"

enum { CASES = 3000, REQUESTS = 5 };

/* The model as FHIR, read and reduced, written and read again: the way that a
 * consent takes to the broker. */
static void send_consent(const struct model *model, struct consent *received)
{
    struct fhir_patient patient;
    struct consent consent;
    struct text resource, reduced;
    struct error err;

    error_init(&err);
    text_init(&resource);
    text_init(&reduced);
    model_write(model, &resource);
    consent_init(&consent);
    consent_init(received);
    if (fhir_consent_read(&consent, &patient, text_bytes(&resource), &err) !=
        OK)
        fprintf(stderr, "%s\n%s\n", resource.data, err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(consent.rule);
    memcpy(consent.subject, SUBJECT, sizeof SUBJECT);
    CU_ASSERT_EQUAL_FATAL(consent_write(&consent, &reduced, &err), OK);
    CU_ASSERT_EQUAL_FATAL(consent_read(received, text_bytes(&reduced), &err),
                          OK);
    consent_clear(&consent);
    text_clear(&reduced);
    text_clear(&resource);
}

/* 2024-03-01 is 1709251200 by date(1). */
static int64_t instant_of(unsigned day)
{
    return INT64_C(1709251200000) + (int64_t)(day - 1) * 86400000;
}

static struct decision_request ask(const struct model_request *model)
{
    struct decision_request request = {.recipient = model->recipient,
                                       .instant_ms = instant_of(model->day)};
    char code[12] = "DUO:00000";
    struct error err;

    error_init(&err);
    for (size_t i = 0; i < MODEL_PURPOSES; i++) {
        if (!model->purpose[i])
            continue;
        memcpy(code + 9, model_purpose_code(i), 2);
        CU_ASSERT_EQUAL_FATAL(
            purposes_add_requested(&request.purposes, bytes_of(code, 11), &err),
            OK);
    }
    CU_ASSERT_EQUAL_FATAL(purposes_check_request(request.purposes, &err), OK);
    return request;
}

static struct decision decide(const struct consent *consent,
                              const struct model_request *request)
{
    struct decision_consent said = {1, consent};
    struct decision_request asked = ask(request);

    return decision_make(&said, 1, &asked);
}

static void report(const struct model *model,
                   const struct model_request *request, unsigned number)
{
    struct text text;

    text_init(&text);
    model_write(model, &text);
    fprintf(stderr, "\ncase %u: %s\nto %s on day %u for", number, text.data,
            request->recipient, request->day);
    for (size_t i = 0; i < MODEL_PURPOSES; i++)
        if (request->purpose[i])
            fprintf(stderr, " %s", model_purpose_code(i));
    fprintf(stderr, "\n");
    text_clear(&text);
}

/* True if the broker says what the oracle says. */
static bool agree(const struct model *model, const struct consent *consent,
                  const struct model_request *request)
{
    struct decision decision = decide(consent, request);
    unsigned until;

    if (decision_permits(&decision) != model_permits(model, request))
        return false;
    if (!decision_permits(&decision))
        return decision.until_ms == instant_of(request->day);
    until = model_permits_until(model, request);
    return decision.until_ms ==
           (until != 0 ? instant_of(until) : PERIOD_ENDLESS);
}

static void broker_and_oracle_agree(void)
{
    struct random random;
    unsigned permitted = 0, limited = 0;

    random_init(&random, fixture_seed("broker and oracle agree"));
    for (unsigned i = 0; i < CASES; i++) {
        struct model model;
        struct consent consent;

        model_random(&model, &random);
        send_consent(&model, &consent);
        for (unsigned j = 0; j < REQUESTS; j++) {
            struct model_request request;
            bool same;

            model_request_random(&request, &random);
            same = agree(&model, &consent, &request);
            CU_ASSERT(same);
            if (!same) {
                report(&model, &request, i);
                consent_clear(&consent);
                return;
            }
            permitted += model_permits(&model, &request);
            limited += model_permits(&model, &request) &&
                       model_permits_until(&model, &request) != 0;
        }
        consent_clear(&consent);
    }
    /* Neither answer is rare. */
    CU_ASSERT(permitted > CASES * REQUESTS / 20);
    CU_ASSERT(permitted < CASES * REQUESTS / 2);
    CU_ASSERT(limited > permitted / 10);
}

/* Who may use data for two things on some terms may use them for one of them
 * on the same terms. */
static void permit_of_several_uses_is_one_of_each(void)
{
    struct random random;

    random_init(&random, fixture_seed("permit of several uses"));
    for (unsigned i = 0; i < CASES; i++) {
        struct model model;
        struct model_request request, single;
        struct consent consent;
        struct decision decision;

        model_random(&model, &random);
        model_request_random(&request, &random);
        send_consent(&model, &consent);
        decision = decide(&consent, &request);
        for (size_t use = 0; use < MODEL_PURPOSES; use++) {
            if (!decision_permits(&decision) || !request.purpose[use] ||
                !model_purpose_is_use(use))
                continue;
            single = request;
            for (size_t other = 0; other < MODEL_PURPOSES; other++)
                if (other != use && model_purpose_is_use(other))
                    single.purpose[other] = false;
            decision = decide(&consent, &single);
            CU_ASSERT(decision_permits(&decision));
            if (!decision_permits(&decision))
                report(&model, &single, i);
        }
        consent_clear(&consent);
    }
}

/* One more denial below the root never permits what was not. */
static void further_denial_permits_nothing_more(void)
{
    struct random random;

    random_init(&random, fixture_seed("further denial"));
    for (unsigned i = 0; i < CASES; i++) {
        struct model model, donor;
        struct model_request request;
        struct consent before, after;
        struct decision was, is;
        struct model_rule *added;

        model_random(&model, &random);
        model_random(&donor, &random);
        if (!model.rule[0].permits || model.count == MODEL_RULES_MAX)
            continue;
        model_request_random(&request, &random);
        send_consent(&model, &before);
        added = &model.rule[model.count++];
        *added = donor.rule[donor.count - 1];
        added->parent = 0;
        added->permits = false;
        send_consent(&model, &after);
        was = decide(&before, &request);
        is = decide(&after, &request);
        CU_ASSERT(decision_permits(&was) || !decision_permits(&is));
        if (decision_permits(&is))
            CU_ASSERT(is.until_ms <= was.until_ms);
        consent_clear(&before);
        consent_clear(&after);
    }
}

void suite_decision_random(void)
{
    static const struct test tests[] = {
        {"broker and oracle agree on random consents", broker_and_oracle_agree},
        {"a permit of several uses is one of each",
         permit_of_several_uses_is_one_of_each},
        {"a further denial permits nothing more",
         further_denial_permits_nothing_more},
    };

    suite_add("decision_random", tests, sizeof tests / sizeof tests[0]);
}
