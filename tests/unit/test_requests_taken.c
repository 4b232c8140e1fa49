#include "broker/requests_taken.h"

#include <string.h>

#include "common/message.h"
#include "tests/lib/broker_world.h"
#include "tests/lib/suite.h"

void suite_requests_taken(void);

#define SUBJECT "00112233445566778899aabbccddeeff"

static struct broker_world world;
static struct error err;

static void begin(void)
{
    error_init(&err);
    broker_world_open(&world);
}

/* As the desk does when the east's institute is refused. */
static enum status deny(const struct message *message, const char *words)
{
    struct error why;
    const struct desk_request request = {
        .message = message,
        .certificate = log_world_certificate(world.log, LOG_EAST,
                                             IDENTITY_RESEARCH_INSTITUTE)};

    error_init(&why);
    CU_ASSERT_EQUAL(error_set(&why, E_REFUSED, "%s", words), E_REFUSED);
    return requests_denied(&world.broker, &request, &why, &err);
}

static bool is_zero(const void *bytes, size_t size)
{
    static const uint8_t zero[DIGEST_SIZE];

    return memcmp(bytes, zero, size) == 0;
}

static void the_anonymizer_is_told_who_asked_what_and_why(void)
{
    struct digest id = {{1, 2, 3}};
    struct message message;

    begin();
    question_init(&message, MESSAGE_RELEASE);
    message_set_bytes(&message, RELEASE_REQUEST,
                      bytes_of(id.byte, DIGEST_SIZE));
    CU_ASSERT_EQUAL(deny(&message, "no patient has consented"), OK);
    CU_ASSERT_EQUAL(world.denials, 1);
    CU_ASSERT_STRING_EQUAL(
        world.denied_by,
        certificate_id(log_world_certificate(world.log, LOG_EAST,
                                             IDENTITY_RESEARCH_INSTITUTE)));
    CU_ASSERT_STRING_EQUAL(world.denied_asked, "release");
    CU_ASSERT_STRING_EQUAL(world.denied_why, "no patient has consented");
    CU_ASSERT_EQUAL(memcmp(&world.denied_request, &id, sizeof id), 0);
    CU_ASSERT(is_zero(&world.denied_subject, sizeof world.denied_subject));
    broker_world_close(&world);
}

static void a_denial_about_a_patient_says_about_whom(void)
{
    static const struct {
        enum message_type type;
        enum message_field field;
        const char *name;
    } asked[] = {
        {MESSAGE_SAID, SAID_SUBJECT, "said"},
        {MESSAGE_WITHDRAW, WITHDRAW_SUBJECT, "withdraw"},
    };

    begin();
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct message message;
        struct subject_id subject;

        question_init(&message, asked[i].type);
        message_set_string(&message, asked[i].field, SUBJECT);
        CU_ASSERT_EQUAL(deny(&message, "no"), OK);
        CU_ASSERT_STRING_EQUAL(world.denied_asked, asked[i].name);
        CU_ASSERT(subject_id_parse(&subject, bytes_of_string(SUBJECT)));
        CU_ASSERT_EQUAL(memcmp(&world.denied_subject, &subject, sizeof subject),
                        0);
        CU_ASSERT(is_zero(&world.denied_request, DIGEST_SIZE));
        /* What is no subject id is about nobody. */
        question_init(&message, asked[i].type);
        message_set_string(&message, asked[i].field,
                           "0011223344556677889900AABBCCDDEE");
        CU_ASSERT_EQUAL(deny(&message, "no"), OK);
        CU_ASSERT(is_zero(&world.denied_subject, sizeof subject));
    }
    broker_world_close(&world);
}

static void a_denial_about_requests_says_which(void)
{
    struct digest id = {{9, 8, 7}};
    struct message message;

    begin();
    question_init(&message, MESSAGE_REQUESTS);
    message_set_bytes(&message, REQUESTS_ID, bytes_of(NULL, 0));
    CU_ASSERT_EQUAL(deny(&message, "no"), OK);
    CU_ASSERT(is_zero(&world.denied_request, DIGEST_SIZE));
    message_set_bytes(&message, REQUESTS_ID, bytes_of(id.byte, 31));
    CU_ASSERT_EQUAL(deny(&message, "no"), OK);
    CU_ASSERT(is_zero(&world.denied_request, DIGEST_SIZE));
    message_set_bytes(&message, REQUESTS_ID, bytes_of(id.byte, DIGEST_SIZE));
    CU_ASSERT_EQUAL(deny(&message, "no"), OK);
    CU_ASSERT_EQUAL(memcmp(&world.denied_request, &id, sizeof id), 0);
    question_init(&message, MESSAGE_ENDORSE);
    message_set_bytes(&message, ENDORSE_REQUEST,
                      bytes_of(id.byte, DIGEST_SIZE));
    CU_ASSERT_EQUAL(deny(&message, "no"), OK);
    CU_ASSERT_EQUAL(memcmp(&world.denied_request, &id, sizeof id), 0);
    question_init(&message, MESSAGE_REQUEST);
    message_set_bytes(&message, REQUEST_ID, bytes_of(id.byte, DIGEST_SIZE));
    CU_ASSERT_EQUAL(deny(&message, "no"), OK);
    CU_ASSERT_EQUAL(memcmp(&world.denied_request, &id, sizeof id), 0);
    question_init(&message, MESSAGE_CONSENTS);
    CU_ASSERT_EQUAL(deny(&message, "no"), OK);
    CU_ASSERT_STRING_EQUAL(world.denied_asked, "consents");
    CU_ASSERT(is_zero(&world.denied_request, DIGEST_SIZE));
    CU_ASSERT_EQUAL(world.denials, 6);
    broker_world_close(&world);
}

static void without_an_anonymizer_nothing_is_told(void)
{
    struct message message;

    begin();
    world.anonymizer_fails = E_SYSTEM;
    question_init(&message, MESSAGE_CONSENTS);
    CU_ASSERT_EQUAL(deny(&message, "no"), E_SYSTEM);
    CU_ASSERT_EQUAL(world.denials, 0);
    broker_world_close(&world);
}

void suite_requests_taken(void)
{
    static const struct test tests[] = {
        {"the anonymizer is told who asked, what, and why",
         the_anonymizer_is_told_who_asked_what_and_why},
        {"a denial about a patient says about whom",
         a_denial_about_a_patient_says_about_whom},
        {"a denial about requests says which",
         a_denial_about_requests_says_which},
        {"without an anonymizer nothing is told",
         without_an_anonymizer_nothing_is_told},
    };

    suite_add("requests_taken", tests, sizeof tests / sizeof *tests);
}
