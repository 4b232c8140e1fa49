#include "broker/permit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/lib/broker_world.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_permit(void);

static struct broker_world world;
static struct error err;

static void begin(void)
{
    error_init(&err);
    broker_world_open(&world);
}

static void end(void)
{
    broker_world_close(&world);
}

/* ---- against a naive evaluation ---- */

#define SUBJECTS 60
#define SAID_MAX 600
#define POSITIONS 40
#define NOW 1000

/* Who said what, where; NULL: withdrew. */
static struct {
    unsigned subject;
    uint64_t position;
    const char *says;
} said[SAID_MAX];
static size_t said_count;

static const char *const wishes[] = {
    PERMIT_ALL,
    DENY_ALL,
    "{\"base\":\"permit\",\"rule\":{\"type\":\"permit\"},\"status\":"
    "\"inactive\"}",
    "{\"base\":\"permit\",\"rule\":{\"period\":{\"end_ms\":2000,\"start_ms\":"
    "500},\"type\":\"permit\"},\"status\":\"active\"}",
    "{\"base\":\"permit\",\"rule\":{\"period\":{\"end_ms\":900,\"start_ms\":"
    "500},\"type\":\"permit\"},\"status\":\"active\"}",
    "{\"base\":\"permit\",\"rule\":{\"purposes\":[\"HRESCH\"],\"type\":"
    "\"permit\"},\"status\":\"active\"}",
    "{\"base\":\"permit\",\"rule\":{\"purposes\":[\"DUO:0000006\"],\"type\":"
    "\"permit\"},\"status\":\"active\"}",
    "{\"base\":\"permit\",\"rule\":{\"recipients\":[\"east\"],\"type\":"
    "\"permit\"},\"status\":\"active\"}",
    "{\"base\":\"permit\",\"rule\":{\"recipients\":[\"west\"],\"type\":"
    "\"permit\"},\"status\":\"active\"}",
    "{\"base\":\"permit\",\"rule\":{\"exceptions\":[{\"period\":{\"end_ms\":"
    "9000,\"start_ms\":3000},\"type\":\"deny\"}],\"type\":\"permit\"},"
    "\"status\":\"active\"}",
};

static struct decision_request general_research(void)
{
    struct decision_request request = {.recipient = "east", .instant_ms = NOW};

    CU_ASSERT_EQUAL(purposes_add_requested(&request.purposes,
                                           bytes_of_string("DUO:0000042"),
                                           &err),
                    OK);
    return request;
}

/* Reads all consents of the subject's newest position, as a person would. */
static bool naive(unsigned subject, const struct decision_request *request,
                  uint64_t *position, int64_t *until)
{
    struct decision_consent list[SAID_MAX] = {{.position = 0}};
    struct decision decision;
    size_t count = 0;
    bool any = false, withdrew = false;

    *position = 0;
    for (size_t i = 0; i < said_count; i++)
        if (said[i].subject == subject) {
            any = true;
            if (said[i].position > *position)
                *position = said[i].position;
        }
    for (size_t i = 0; any && i < said_count; i++) {
        struct consent *consent;
        struct text text;

        if (said[i].subject != subject || said[i].position != *position)
            continue;
        if (said[i].says == NULL) {
            withdrew = true;
            continue;
        }
        consent = malloc(sizeof *consent);
        text_init(&text);
        if (consent == NULL ||
            text_printf(&text, &err,
                        "{\"consent\":1,\"says\":%s,\"subject\":"
                        "\"00000000000000000000000000000000\"}",
                        said[i].says) != OK)
            abort();
        consent_init(consent);
        CU_ASSERT_EQUAL_FATAL(consent_read(consent, text_bytes(&text), &err),
                              OK);
        text_clear(&text);
        list[count++] = (struct decision_consent){.position = *position,
                                                  .consent = consent};
    }
    decision = decision_make(list, count, request);
    for (size_t i = 0; i < count; i++) {
        struct consent *consent = (struct consent *)list[i].consent;

        consent_clear(consent);
        free(consent);
    }
    *until = decision.until_ms;
    return !withdrew && decision_permits(&decision);
}

static void say_something(struct random *random, uint64_t from)
{
    size_t wish = (size_t)random_below(random, sizeof wishes / sizeof *wishes);
    struct subject_id id;

    said[said_count].subject = (unsigned)random_below(random, SUBJECTS);
    said[said_count].position = from + random_below(random, POSITIONS);
    said[said_count].says = random_below(random, 8) == 0 ? NULL : wishes[wish];
    id = broker_world_subject(said[said_count].subject);
    CU_ASSERT_EQUAL(
        broker_store_say(world.broker.store, &id, said[said_count].position,
                         said[said_count].says == NULL
                             ? bytes_of(NULL, 0)
                             : bytes_of_string(said[said_count].says),
                         &err),
        OK);
    said_count++;
}

static bool list_has(struct bytes list, unsigned subject, uint64_t *position)
{
    struct subject_id id = broker_world_subject(subject);

    for (size_t i = 0; i < list.size / PERMITTED_ITEM_SIZE; i++) {
        struct permitted item = permitted_item(list, i);

        if (subject_id_compare(&item.subject, &id) == 0) {
            *position = item.position;
            return true;
        }
    }
    return false;
}

static void compare(const struct permit_evaluation *evaluation,
                    const struct decision_request *request)
{
    struct permitted_seed seed = {.byte = {1}};
    int64_t earliest = PERIOD_ENDLESS;
    struct digest root;
    size_t count = 0;

    for (unsigned i = 0; i < SUBJECTS; i++) {
        uint64_t position, listed_at = 0;
        int64_t until;
        bool permitted = naive(i, request, &position, &until);

        CU_ASSERT_EQUAL(list_has(text_bytes(&evaluation->list), i, &listed_at),
                        permitted);
        if (!permitted)
            continue;
        CU_ASSERT_EQUAL(listed_at, position);
        count++;
        if (until < earliest)
            earliest = until;
    }
    CU_ASSERT_EQUAL(evaluation->count, count);
    CU_ASSERT_EQUAL(evaluation->until_ms, earliest);
    /* Ascending, none twice. */
    CU_ASSERT_EQUAL(
        permitted_root(text_bytes(&evaluation->list), &seed, &root, &err), OK);
}

/* Then more is said, and the same subjects are looked at again. */
static void compare_affected(struct permit_evaluation *evaluation,
                             const struct decision_request *request,
                             struct random *random)
{
    struct permit_record permit = {.size = POSITIONS,
                                   .expires_ms =
                                       (uint64_t)(evaluation->until_ms < 1500
                                                      ? evaluation->until_ms
                                                      : 1500),
                                   .list = evaluation->list};
    bool affected = true, expected = false;

    CU_ASSERT_EQUAL(
        permit_affected(world.broker.store, &permit, request, &affected, &err),
        OK);
    CU_ASSERT_FALSE(affected);
    for (size_t i = random_below(random, 6); i > 0; i--)
        say_something(random, POSITIONS);
    for (unsigned i = 0; i < SUBJECTS; i++) {
        uint64_t position;
        int64_t until;

        if (list_has(text_bytes(&permit.list), i, &position) &&
            (!naive(i, request, &position, &until) ||
             until < (int64_t)permit.expires_ms))
            expected = true;
    }
    CU_ASSERT_EQUAL(
        permit_affected(world.broker.store, &permit, request, &affected, &err),
        OK);
    CU_ASSERT_EQUAL(affected, expected);
}

static void random_consents_as_a_naive_evaluation_has_it(void)
{
    struct random random;

    random_init(&random, fixture_seed("permit: random consents"));
    begin();
    for (unsigned round = 0; round < 60; round++) {
        struct decision_request request = general_research();
        struct permit_evaluation evaluation;

        broker_world_again(&world);
        said_count = 0;
        for (size_t i = random_below(&random, 300); i > 0; i--)
            say_something(&random, 0);
        permit_evaluation_init(&evaluation);
        CU_ASSERT_EQUAL(
            permit_evaluate(world.broker.store, &request, &evaluation, &err),
            OK);
        compare(&evaluation, &request);
        compare_affected(&evaluation, &request, &random);
        permit_evaluation_clear(&evaluation);
    }
    end();
}

/* ---- the entry ---- */

static void make(struct permit_record *permit, struct own_entry *own,
                 const char *says)
{
    struct request_record request;
    struct request_terms terms;
    struct answer_record approval = {.approved = true};
    struct permit_basis basis = {
        .request = &request, .terms = &terms, .approval = &approval};
    struct digest id;
    bool found = false;

    request_record_init(&request);
    permit_record_init(permit);
    own_entry_init(own);
    broker_world_says(&world, 1, says);
    broker_world_ask(&world, &id);
    CU_ASSERT_EQUAL(broker_store_find_request(world.broker.store, &id, &request,
                                              &found, &err),
                    OK);
    CU_ASSERT_EQUAL(
        request_terms_read(&terms, text_bytes(&request.terms), &err), OK);
    CU_ASSERT_EQUAL_FATAL(permit_make(&world.broker, &basis,
                                      log_world_time(world.log), permit, own,
                                      &err),
                          OK);
    request_record_clear(&request);
}

static void clear(struct permit_record *permit, struct own_entry *own)
{
    permit_record_clear(permit);
    own_entry_clear(own);
}

/* By the leader's clock, too, it must not last longer than a day. */
static void it_lasts_a_day_less_what_clocks_may_differ_by(void)
{
    struct permit_record permit;
    struct own_entry own;

    begin();
    make(&permit, &own, PERMIT_ALL);
    CU_ASSERT_EQUAL(permit.expires_ms, log_world_time(world.log) +
                                           INT64_C(24) * 60 * 60 * 1000 -
                                           60000);
    CU_ASSERT_EQUAL(permit.size, 3); /* consent, dataset, request */
    clear(&permit, &own);
    end();
}

static void it_ends_with_the_first_consent_that_ends(void)
{
    struct permit_record permit;
    struct own_entry own;
    uint64_t until;
    char says[256];

    begin();
    until = log_world_time(world.log) + 3600000;
    snprintf(says, sizeof says,
             "{\"base\":\"permit\",\"rule\":{\"period\":{\"end_ms\":%" PRIu64
             "},\"type\":\"permit\"},\"status\":\"active\"}",
             until);
    make(&permit, &own, says);
    CU_ASSERT_EQUAL(permit.expires_ms, until);
    CU_ASSERT_PTR_NOT_NULL(strstr(own.statement.data, "\"count\":1"));
    clear(&permit, &own);
    end();
}

/* ---- a million ---- */

/* ANCHORITE_PERMIT_SUBJECTS=1000000 measures; few are enough for a test. */
static void a_list_of_all_subjects_in_one_pass(void)
{
    const char *wanted = getenv("ANCHORITE_PERMIT_SUBJECTS");
    unsigned count =
        wanted == NULL ? 5000 : (unsigned)strtoul(wanted, NULL, 10);
    struct decision_request request = general_research();
    struct permit_evaluation evaluation;
    uint64_t began;

    begin();
    request.instant_ms = 1735689600000; /* 2025 */
    CU_ASSERT_EQUAL_FATAL(broker_store_begin(world.broker.store, &err), OK);
    for (unsigned i = 0; i < count; i++) {
        struct subject_id id = broker_world_subject(i);
        char says[256];

        snprintf(says, sizeof says,
                 "{\"base\":\"permit\",\"rule\":{\"period\":{\"end_ms\":%jd},"
                 "\"purposes\":[\"HRESCH\"],\"type\":\"permit\"},\"status\":"
                 "\"active\"}",
                 INTMAX_C(1735689600000) + (intmax_t)(i % 3000 + 1) * 86400000);
        CU_ASSERT_EQUAL(broker_store_say(world.broker.store, &id, i / 1024,
                                         bytes_of_string(says), &err),
                        OK);
    }
    CU_ASSERT_EQUAL(broker_store_end(world.broker.store, OK, &err), OK);
    permit_evaluation_init(&evaluation);
    began = clock_steady_ms();
    CU_ASSERT_EQUAL(
        permit_evaluate(world.broker.store, &request, &evaluation, &err), OK);
    CU_ASSERT_EQUAL(evaluation.count, count);
    if (wanted != NULL) {
        struct permitted_seed seed = {.byte = {1}};
        struct digest root;
        uint64_t evaluated = clock_steady_ms();

        CU_ASSERT_EQUAL(
            permitted_root(text_bytes(&evaluation.list), &seed, &root, &err),
            OK);
        printf("%u subjects: evaluated in %ju ms, root in %ju ms\n", count,
               (uintmax_t)(evaluated - began),
               (uintmax_t)(clock_steady_ms() - evaluated));
    }
    permit_evaluation_clear(&evaluation);
    end();
}

void suite_permit(void)
{
    static const struct test tests[] = {
        {"random consents, as a naive evaluation has it",
         random_consents_as_a_naive_evaluation_has_it},
        {"it lasts a day, less what clocks may differ by",
         it_lasts_a_day_less_what_clocks_may_differ_by},
        {"it ends with the first consent that ends",
         it_ends_with_the_first_consent_that_ends},
        {"a list of all subjects in one pass",
         a_list_of_all_subjects_in_one_pass},
    };

    suite_add("permit", tests, sizeof tests / sizeof *tests);
}
