#include "broker/follower.h"

#include <stdio.h>
#include <string.h>

#include "broker/consent_batch.h"
#include "broker/recording.h"
#include "broker/withdrawal.h"
#include "tests/lib/broker_world.h"
#include "tests/lib/suite.h"

void suite_follower(void);

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

static uint64_t number(enum broker_number which)
{
    uint64_t value = UINT64_MAX;

    CU_ASSERT_EQUAL(
        broker_store_number(world.broker.store, which, &value, &err), OK);
    return value;
}

/* ---- what a subject has said ---- */

struct heard {
    unsigned count;
    struct said last;
};

static enum status hear(void *context, const struct said *said,
                        struct error *error)
{
    struct heard *heard = context;

    (void)error;
    heard->count++;
    heard->last = *said;
    return OK;
}

static struct heard heard_of(unsigned subject)
{
    struct subject_id id = broker_world_subject(subject);
    struct heard heard = {.count = 0};

    CU_ASSERT_EQUAL(
        broker_store_said_by(world.broker.store, &id, hear, &heard, &err), OK);
    return heard;
}

static enum status consent(unsigned subject, const char *says, uint8_t upload)
{
    uint8_t id[UPLOAD_ID_SIZE] = {upload};
    struct consent_batch batch;
    struct text list;
    enum status status;

    text_init(&list);
    CU_ASSERT_EQUAL(text_append_string(&list, "[", &err), OK);
    broker_world_item(&list, subject, says);
    CU_ASSERT_EQUAL(text_append_string(&list, "]", &err), OK);
    error_init(&err);
    status = consent_batch_record(&world.broker, bytes_of(id, sizeof id),
                                  text_bytes(&list), &batch, &err);
    text_clear(&list);
    return status;
}

static enum status withdraw(unsigned subject, struct withdrawal *withdrawal)
{
    struct subject_id id = broker_world_subject(subject);

    error_init(&err);
    return withdrawal_make(&world.broker, &id, withdrawal, &err);
}

/* ---- consents ---- */

static void a_consent_counts_when_it_is_read_back(void)
{
    begin();
    world.lose = 1;
    CU_ASSERT_EQUAL(consent(1, PERMIT_ALL, 1), E_SYSTEM);
    CU_ASSERT_EQUAL(heard_of(1).count, 0);
    CU_ASSERT_EQUAL(recording_finish(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(heard_of(1).count, 1);
    CU_ASSERT_EQUAL(heard_of(1).last.position, 0);
    CU_ASSERT_EQUAL(number(BROKER_CURSOR), 1);
    CU_ASSERT_EQUAL(number(BROKER_NARROWED), 1);
    end();
}

static void killed_between_answer_and_commit_the_same_bytes_are_handed_in(void)
{
    begin();
    world.lose_after = 1;
    CU_ASSERT_EQUAL(consent(1, PERMIT_ALL, 1), E_SYSTEM);
    CU_ASSERT_EQUAL(log_world_size(world.log), 1);
    CU_ASSERT_EQUAL(heard_of(1).count, 0);
    broker_world_restart(&world);
    CU_ASSERT_EQUAL(recording_finish(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(log_world_size(world.log), 1);
    CU_ASSERT_EQUAL(heard_of(1).count, 1);
    end();
}

static void the_same_upload_again_is_the_same_entry(void)
{
    uint8_t upload[UPLOAD_ID_SIZE] = {7};
    struct consent_batch batch = {.count = 0};
    bool found = true;

    begin();
    CU_ASSERT_EQUAL(consent_batch_find(&world.broker,
                                       bytes_of(upload, sizeof upload), &batch,
                                       &found, &err),
                    OK);
    CU_ASSERT_FALSE(found);
    world.lose_after = 1;
    CU_ASSERT_EQUAL(consent(1, PERMIT_ALL, 7), E_SYSTEM);
    CU_ASSERT_EQUAL(consent_batch_find(&world.broker,
                                       bytes_of(upload, sizeof upload), &batch,
                                       &found, &err),
                    OK);
    CU_ASSERT(found);
    CU_ASSERT_EQUAL(batch.count, 1);
    CU_ASSERT_EQUAL(batch.position, 0);
    CU_ASSERT_EQUAL(log_world_size(world.log), 1);
    end();
}

static void a_batch_with_a_wrong_consent_changes_nothing(void)
{
    begin();
    CU_ASSERT_EQUAL(consent(1, "{\"base\":\"perhaps\"}", 1), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "consent 1: "));
    CU_ASSERT_EQUAL(log_world_size(world.log), 0);
    end();
}

/* ---- withdrawals ---- */

static void a_withdrawal_is_the_newest_word(void)
{
    struct withdrawal first, again;

    begin();
    CU_ASSERT_EQUAL(consent(1, PERMIT_ALL, 1), OK);
    CU_ASSERT_EQUAL(withdraw(1, &first), OK);
    CU_ASSERT_EQUAL(first.position, 1);
    CU_ASSERT_EQUAL(heard_of(1).last.wish, WISH_WITHDRAWN);
    /* Said again it is the same entry. */
    CU_ASSERT_EQUAL(withdraw(1, &again), OK);
    CU_ASSERT_EQUAL(memcmp(&first.id, &again.id, sizeof first.id), 0);
    CU_ASSERT_EQUAL(log_world_size(world.log), 2);
    /* And another one behind a further consent. */
    CU_ASSERT_EQUAL(consent(1, PERMIT_ALL, 2), OK);
    CU_ASSERT_EQUAL(withdraw(1, &again), OK);
    CU_ASSERT_EQUAL(again.position, 3);
    end();
}

static void who_never_spoke_can_withdraw(void)
{
    struct withdrawal withdrawal;

    begin();
    CU_ASSERT_EQUAL(withdraw(5, &withdrawal), OK);
    CU_ASSERT_EQUAL(heard_of(5).count, 1);
    end();
}

/* A consent whose answer was lost comes in before the withdrawal, not behind
 * it. */
static void order_is_kept_when_answers_are_lost(void)
{
    struct withdrawal withdrawal;

    begin();
    world.lose = 1;
    CU_ASSERT_EQUAL(consent(1, PERMIT_ALL, 1), E_SYSTEM);
    world.lose = 1;
    CU_ASSERT_EQUAL(withdraw(1, &withdrawal), E_SYSTEM);
    CU_ASSERT_EQUAL(log_world_size(world.log), 0);
    CU_ASSERT_EQUAL(withdraw(1, &withdrawal), OK);
    CU_ASSERT_EQUAL(withdrawal.position, 1);
    CU_ASSERT_EQUAL(heard_of(1).last.wish, WISH_WITHDRAWN);
    CU_ASSERT_EQUAL(heard_of(1).count, 2);
    end();
}

/* ---- nodes that are behind, or do not take us ---- */

static void nodes_that_are_behind_are_waited_for(void)
{
    struct withdrawal withdrawal;

    begin();
    world.hidden = 1;
    CU_ASSERT_EQUAL(withdraw(1, &withdrawal), OK);
    CU_ASSERT_EQUAL(world.pauses, 1);
    CU_ASSERT_EQUAL(number(BROKER_CURSOR), 1);
    end();
}

/* The first node that is asked lacks an entry that others have. */
static void the_end_is_where_no_node_has_more(void)
{
    begin();
    log_world_add(world.log, ENTRY_DATASET, LOG_NORTH, IDENTITY_CUSTODIAN,
                  "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
    world.unsaid = 1;
    CU_ASSERT_EQUAL(follower_catch_up(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(number(BROKER_CURSOR), 0);
    CU_ASSERT_EQUAL(follower_search_end(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(number(BROKER_CURSOR), 1);
    end();
}

static void turned_away_it_stays_pending(void)
{
    struct withdrawal withdrawal;

    begin();
    world.turn_away = 1;
    CU_ASSERT_EQUAL(withdraw(1, &withdrawal), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err.text, "a withdraw entry that is pending"));
    CU_ASSERT_EQUAL(recording_finish(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(heard_of(1).count, 1);
    end();
}

static void revoke(enum identity_role role)
{
    char payload[256];

    snprintf(payload, sizeof payload,
             "{\"certificate\":\"%s\",\"reason\":\"left\"}",
             certificate_id(log_world_certificate(world.log, LOG_NORTH, role)));
    CU_ASSERT_EQUAL(log_world_add(world.log, ENTRY_REVOKE, LOG_NORTH,
                                  IDENTITY_HOSPITAL_MANAGER, payload)
                        .verdict,
                    VERDICT_VALID);
}

/* It stands in the log, invalid, and has no effect. */
static void what_is_not_valid_is_not_applied(void)
{
    begin();
    revoke(IDENTITY_BROKER);
    CU_ASSERT_EQUAL(consent(1, PERMIT_ALL, 1), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "the log refuses the consent entry: revoked");
    CU_ASSERT_EQUAL(heard_of(1).count, 0);
    CU_ASSERT_EQUAL(number(BROKER_CURSOR), 2);
    end();
}

/* ---- others' entries ---- */

static void anothers_consent_is_unresolved(void)
{
    struct log_answer answer;
    struct unresolved unresolved;
    bool found = false;

    begin();
    /* Another organisation's is not our business. */
    log_world_add(world.log, ENTRY_CONSENT, LOG_EAST, IDENTITY_PATIENT,
                  "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
    CU_ASSERT_EQUAL(follower_catch_up(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(broker_check_resolved(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(number(BROKER_NARROWED), 0);
    answer =
        log_world_add(world.log, ENTRY_CONSENT, LOG_NORTH, IDENTITY_PATIENT,
                      "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
    CU_ASSERT_EQUAL(follower_catch_up(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(broker_check_resolved(&world.broker, &err), E_REFUSED);
    CU_ASSERT_EQUAL(broker_store_find_unresolved(world.broker.store, &answer.id,
                                                 &unresolved, &found, &err),
                    OK);
    CU_ASSERT(found);
    CU_ASSERT_EQUAL(unresolved.position, 1);
    CU_ASSERT_EQUAL(unresolved.type, ENTRY_CONSENT);
    CU_ASSERT_STRING_EQUAL(unresolved.commitment, BROKER_WORLD_POLICY);
    CU_ASSERT_EQUAL(number(BROKER_NARROWED), 2);
    end();
}

/* An older copy of the store: what it does not know any more is unresolved. */
static void our_own_entry_that_the_store_lacks_is_unresolved(void)
{
    begin();
    log_world_add(world.log, ENTRY_CONSENT, LOG_NORTH, IDENTITY_BROKER,
                  "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
    CU_ASSERT_EQUAL(follower_catch_up(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(broker_check_resolved(&world.broker, &err), E_REFUSED);
    end();
}

static void who_was_revoked_is_known(void)
{
    const char *id;
    struct person person;
    bool found = false;

    begin();
    id = certificate_id(
        log_world_certificate(world.log, LOG_NORTH, IDENTITY_CUSTODIAN));
    CU_ASSERT_EQUAL(
        broker_store_find_person(world.broker.store, id, &person, &found, &err),
        OK);
    CU_ASSERT(found);
    CU_ASSERT_FALSE(person.revoked);
    CU_ASSERT_STRING_EQUAL(person.organisation, "north");
    CU_ASSERT_EQUAL(person.role, IDENTITY_CUSTODIAN);
    revoke(IDENTITY_CUSTODIAN);
    CU_ASSERT_EQUAL(follower_catch_up(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(
        broker_store_find_person(world.broker.store, id, &person, &found, &err),
        OK);
    CU_ASSERT(person.revoked);
    /* A start does not make him somebody again. */
    broker_world_restart(&world);
    CU_ASSERT_EQUAL(
        broker_store_find_person(world.broker.store, id, &person, &found, &err),
        OK);
    CU_ASSERT(person.revoked);
    end();
}

static void a_long_log_is_followed_in_turns(void)
{
    bool is_end = true;

    begin();
    for (unsigned i = 0; i < FOLLOWER_TURN_MAX + 10; i++)
        log_world_add(world.log, ENTRY_DATASET, LOG_NORTH, IDENTITY_CUSTODIAN,
                      "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
    CU_ASSERT_EQUAL(follower_turn(&world.broker, &is_end, &err), OK);
    CU_ASSERT_FALSE(is_end);
    CU_ASSERT_EQUAL(number(BROKER_CURSOR), FOLLOWER_TURN_MAX);
    CU_ASSERT_EQUAL(follower_turn(&world.broker, &is_end, &err), OK);
    CU_ASSERT(is_end);
    CU_ASSERT_EQUAL(number(BROKER_CURSOR), FOLLOWER_TURN_MAX + 10);
    end();
}

/* ---- what is told ---- */

static void a_subject_is_told_what_it_said(void)
{
    struct subject_id id = broker_world_subject(1);
    struct withdrawal withdrawal;
    char expected[512], hex[SUBJECT_ID_HEX_SIZE];
    struct text told;

    begin();
    text_init(&told);
    subject_id_hex(&id, hex);
    CU_ASSERT_EQUAL(consent(1, DENY_ALL, 1), OK);
    CU_ASSERT_EQUAL(withdraw(1, &withdrawal), OK);
    CU_ASSERT_EQUAL(consent_batch_tell(&world.broker, &id, &told, &err), OK);
    snprintf(expected, sizeof expected,
             "{\"said\":[{\"position\":0,\"says\":" DENY_ALL
             "},{\"position\":1,\"withdrawn\":true}],\"subject\":\"%s\"}",
             hex);
    CU_ASSERT_STRING_EQUAL(told.data, expected);
    text_clear(&told);
    end();
}

void suite_follower(void)
{
    static const struct test tests[] = {
        {"a consent counts when it is read back",
         a_consent_counts_when_it_is_read_back},
        {"killed between answer and commit the same bytes are handed in",
         killed_between_answer_and_commit_the_same_bytes_are_handed_in},
        {"the same upload again is the same entry",
         the_same_upload_again_is_the_same_entry},
        {"a batch with a wrong consent changes nothing",
         a_batch_with_a_wrong_consent_changes_nothing},
        {"a withdrawal is the newest word", a_withdrawal_is_the_newest_word},
        {"who never spoke can withdraw", who_never_spoke_can_withdraw},
        {"order is kept when answers are lost",
         order_is_kept_when_answers_are_lost},
        {"nodes that are behind are waited for",
         nodes_that_are_behind_are_waited_for},
        {"the end is where no node has more",
         the_end_is_where_no_node_has_more},
        {"turned away it stays pending", turned_away_it_stays_pending},
        {"what is not valid is not applied", what_is_not_valid_is_not_applied},
        {"another's consent is unresolved", anothers_consent_is_unresolved},
        {"our own entry that the store lacks is unresolved",
         our_own_entry_that_the_store_lacks_is_unresolved},
        {"who was revoked is known", who_was_revoked_is_known},
        {"a long log is followed in turns", a_long_log_is_followed_in_turns},
        {"a subject is told what it said", a_subject_is_told_what_it_said},
    };

    suite_add("follower", tests, sizeof tests / sizeof *tests);
}
