#include "broker/reception.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/broker_world.h"
#include "tests/lib/suite.h"

void suite_reception(void);

static struct broker_world world;
static struct error err;

/* A request entry in the log, and what is brought for it. */
static struct {
    struct digest id;
    struct commitment_salt salt;
    struct text terms;
    struct arrival arrival;
} brought;

/* Blanks to be filled in. */
struct wish_terms {
    const char *organisation, *purpose, *recipient;
    enum log_place dataset_of;
};

static const struct certificate *institute(void)
{
    return log_world_certificate(world.log, LOG_EAST,
                                 IDENTITY_RESEARCH_INSTITUTE);
}

static void bring(const struct wish_terms *wanted)
{
    char payload[512], dataset[DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
    struct digest commitment;
    struct log_answer answer = log_world_add(
        world.log, ENTRY_DATASET, wanted->dataset_of, IDENTITY_CUSTODIAN,
        "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");

    digest_hex(&answer.id, dataset);
    memset(&brought.salt, 3, sizeof brought.salt);
    text_reset(&brought.terms);
    CU_ASSERT_EQUAL_FATAL(
        text_printf(&brought.terms, &err,
                    "{\"dataset\":\"%s\",\"organisation\":\"%s\",\"policy\":"
                    "\"" BROKER_WORLD_POLICY "\",\"purposes\":[\"%s\"],"
                    "\"recipient\":\"%s\",\"statement\":\"terms 1\"}",
                    dataset, wanted->organisation, wanted->purpose,
                    wanted->recipient),
        OK);
    CU_ASSERT_EQUAL_FATAL(commitment_make(&brought.salt,
                                          text_bytes(&brought.terms),
                                          &commitment, &err),
                          OK);
    digest_hex(&commitment, hex);
    snprintf(payload, sizeof payload, "{\"dataset\":\"%s\",\"terms\":\"%s\"}",
             dataset, hex);
    answer = log_world_add(world.log, ENTRY_REQUEST, LOG_EAST,
                           IDENTITY_RESEARCH_INSTITUTE, payload);
    CU_ASSERT_EQUAL(answer.verdict, VERDICT_VALID);
    brought.id = answer.id;
    brought.arrival =
        (struct arrival){.from = institute(),
                         .id = &brought.id,
                         .salt = &brought.salt,
                         .terms = text_bytes(&brought.terms),
                         .bundle = bytes_of_string("{\"policy\":1}")};
}

static void begin(void)
{
    error_init(&err);
    text_init(&brought.terms);
    broker_world_open(&world);
    bring(&(struct wish_terms){.organisation = "east",
                               .purpose = "DUO:0000042",
                               .recipient = certificate_id(institute())});
}

static void end(void)
{
    text_clear(&brought.terms);
    broker_world_close(&world);
}

static enum status take(void)
{
    uint64_t position;

    error_init(&err);
    return reception_take(&world.broker, &brought.arrival, &position, &err);
}

static void what_fits_is_taken_once(void)
{
    uint64_t position = 0;
    bool found = true;

    begin();
    CU_ASSERT_EQUAL(reception_find(&world.broker, &brought.arrival, &position,
                                   &found, &err),
                    OK);
    CU_ASSERT_FALSE(found);
    CU_ASSERT_EQUAL(take(), OK);
    CU_ASSERT_EQUAL(reception_find(&world.broker, &brought.arrival, &position,
                                   &found, &err),
                    OK);
    CU_ASSERT(found);
    CU_ASSERT_EQUAL(position, 1);
    brought.arrival.from =
        log_world_certificate(world.log, LOG_EAST, IDENTITY_INSURER);
    CU_ASSERT_EQUAL(reception_find(&world.broker, &brought.arrival, &position,
                                   &found, &err),
                    E_REFUSED);
    end();
}

static void terms_for_somebody_else_are_refused(void)
{
    begin();
    bring(
        &(struct wish_terms){.organisation = "east",
                             .purpose = "DUO:0000042",
                             .recipient = "00112233445566778899aabbccddeeff"});
    CU_ASSERT_EQUAL(take(), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another certificate"));
    bring(&(struct wish_terms){.organisation = "west",
                               .purpose = "DUO:0000042",
                               .recipient = certificate_id(institute())});
    CU_ASSERT_EQUAL(take(), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another organisation"));
    end();
}

static void a_request_that_somebody_else_wrote_is_refused(void)
{
    begin();
    brought.arrival.from =
        log_world_certificate(world.log, LOG_EAST, IDENTITY_INSURER);
    /* He even says that the terms are his own. */
    text_reset(&brought.terms);
    CU_ASSERT_EQUAL(
        text_printf(&brought.terms, &err,
                    "{\"dataset\":\"" BROKER_WORLD_POLICY
                    "\",\"organisation\":\"east\",\"policy\":"
                    "\"" BROKER_WORLD_POLICY "\",\"purposes\":["
                    "\"DUO:0000042\"],\"recipient\":\"%s\",\"statement\":"
                    "\"terms 1\"}",
                    certificate_id(brought.arrival.from)),
        OK);
    brought.arrival.terms = text_bytes(&brought.terms);
    CU_ASSERT_EQUAL(take(), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "the request entry is another certificate's");
    end();
}

static void other_terms_or_another_salt_are_refused(void)
{
    begin();
    brought.salt.byte[0] ^= 1;
    CU_ASSERT_EQUAL(take(), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "the request entry does not commit to these terms");
    end();
}

static void a_purpose_that_cannot_be_asked_for_is_refused(void)
{
    static const char *const purposes[] = {"DUO:0000001", "DUO:0000045",
                                           "HRESCH", "research"};

    begin();
    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++) {
        bring(&(struct wish_terms){.organisation = "east",
                                   .purpose = purposes[i],
                                   .recipient = certificate_id(institute())});
        CU_ASSERT_EQUAL(take(), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the terms: "));
    }
    end();
}

static void a_dataset_of_another_organisation_is_refused(void)
{
    begin();
    bring(&(struct wish_terms){.organisation = "east",
                               .purpose = "DUO:0000042",
                               .recipient = certificate_id(institute()),
                               .dataset_of = LOG_EAST});
    CU_ASSERT_EQUAL(take(), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text, "the dataset is another organisation's");
    end();
}

static void a_request_that_is_not_in_the_log_is_refused(void)
{
    begin();
    brought.id.byte[0] ^= 1;
    CU_ASSERT_EQUAL(take(), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text, "the log has no such request entry");
    end();
}

static void a_policy_that_is_no_json_is_refused(void)
{
    begin();
    brought.arrival.bundle = bytes_of_string("{\"policy\"");
    CU_ASSERT_EQUAL(take(), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the policy: "));
    end();
}

/* ---- telling ---- */

static bool tells(const struct certificate *to, const struct digest *id,
                  const char *text)
{
    struct text told;
    bool holds;

    error_init(&err);
    text_init(&told);
    holds = reception_tell(&world.broker, to, id, &told, &err) == OK &&
            strstr(told.data, text) != NULL;
    text_clear(&told);
    return holds;
}

static void a_request_is_told_to_custodian_and_requester(void)
{
    const struct certificate *custodian, *foreign, *insurer;

    begin();
    custodian = log_world_certificate(world.log, LOG_NORTH, IDENTITY_CUSTODIAN);
    foreign = log_world_certificate(world.log, LOG_EAST, IDENTITY_CUSTODIAN);
    insurer = log_world_certificate(world.log, LOG_EAST, IDENTITY_INSURER);
    CU_ASSERT(tells(custodian, NULL, "{\"requests\":[]}"));
    CU_ASSERT_EQUAL(take(), OK);
    CU_ASSERT(tells(custodian, NULL, "\"state\":\"open\""));
    CU_ASSERT(tells(custodian, &brought.id, "\"terms\":\"{"));
    CU_ASSERT(tells(institute(), NULL, "\"state\":\"open\""));
    CU_ASSERT(tells(institute(), &brought.id, "\"approve\":\"\""));
    CU_ASSERT(tells(foreign, NULL, "{\"requests\":[]}"));
    CU_ASSERT_FALSE(tells(foreign, &brought.id, ""));
    CU_ASSERT_EQUAL(err.status, E_INPUT);
    CU_ASSERT(tells(insurer, NULL, "{\"requests\":[]}"));
    CU_ASSERT_FALSE(tells(insurer, &brought.id, ""));
    CU_ASSERT_STRING_EQUAL(err.text, "there is no such request");
    broker_world_approve(&world, &brought.id);
    CU_ASSERT(tells(custodian, NULL, "\"state\":\"approved\""));
    end();
}

void suite_reception(void)
{
    static const struct test tests[] = {
        {"what fits is taken once", what_fits_is_taken_once},
        {"terms for somebody else are refused",
         terms_for_somebody_else_are_refused},
        {"a request that somebody else wrote is refused",
         a_request_that_somebody_else_wrote_is_refused},
        {"other terms or another salt are refused",
         other_terms_or_another_salt_are_refused},
        {"a purpose that cannot be asked for is refused",
         a_purpose_that_cannot_be_asked_for_is_refused},
        {"a dataset of another organisation is refused",
         a_dataset_of_another_organisation_is_refused},
        {"a request that is not in the log is refused",
         a_request_that_is_not_in_the_log_is_refused},
        {"a policy that is no JSON is refused",
         a_policy_that_is_no_json_is_refused},
        {"a request is told to custodian and requester",
         a_request_is_told_to_custodian_and_requester},
    };

    suite_add("reception", tests, sizeof tests / sizeof *tests);
}
