#include "broker/proposal.h"

#include <stdio.h>
#include <string.h>

#include "broker/follower.h"
#include "broker/recording.h"
#include "broker/resolution.h"
#include "tests/lib/broker_world.h"
#include "tests/lib/suite.h"

void suite_proposal(void);

static struct broker_world world;
static struct digest request;
static struct proposal_progress progress;
static struct error err;

static void begin(void)
{
    error_init(&err);
    proposal_progress_init(&progress);
    broker_world_open(&world);
}

static void end(void)
{
    proposal_progress_clear(&progress);
    broker_world_close(&world);
}

/* Subjects 1, 2 and 3 consent, and a request is approved. */
static void three_consent(void)
{
    for (unsigned i = 1; i <= 3; i++)
        broker_world_says(&world, i, PERMIT_ALL);
    broker_world_request(&world, &request);
}

static void begin_with_three(void)
{
    begin();
    three_consent();
}

static enum status advance(void)
{
    error_init(&err);
    proposal_progress_clear(&progress);
    return proposal_advance(&world.broker, &request, &progress, &err);
}

static bool is(const char *state)
{
    return strcmp(progress.state, state) == 0;
}

/* `who` signs what is there to sign. */
static enum status endorse_as(enum identity_role role)
{
    struct entry_signature signature;
    struct proposal_endorsement endorsement = {
        .request = &request,
        .custodian =
            log_world_certificate(world.log, LOG_NORTH, IDENTITY_CUSTODIAN)};
    struct digest entry;
    enum status status;

    error_init(&err);
    CU_ASSERT_FATAL(progress.entry.size > 0);
    CU_ASSERT_EQUAL_FATAL(
        digest_bytes(&entry, text_bytes(&progress.entry), &err), OK);
    CU_ASSERT_EQUAL_FATAL(entry_sign(text_bytes(&progress.entry),
                                     certificate_id(endorsement.custodian),
                                     log_world_key(world.log, LOG_NORTH, role),
                                     &signature, &err),
                          OK);
    endorsement.entry = &entry;
    endorsement.signature = bytes_of(signature.bytes, signature.size);
    proposal_progress_clear(&progress);
    status = proposal_endorse(&world.broker, &endorsement, &progress, &err);
    return status;
}

static enum status endorse(void)
{
    return endorse_as(IDENTITY_CUSTODIAN);
}

/* How many entries of this type and verdict the log has. */
static unsigned entries(enum entry_type type, enum entry_verdict verdict)
{
    unsigned count = 0;

    for (uint64_t i = 0; i < log_world_size(world.log); i++) {
        struct log_item item;
        struct entry entry;

        CU_ASSERT_FATAL(log_world_find(world.log, i, NULL, &item));
        CU_ASSERT_EQUAL_FATAL(entry_parse(&entry, text_bytes(&item.bytes),
                                          text_bytes(&item.signatures), &err),
                              OK);
        count += entry.type == type && item.verdict == verdict;
        entry_clear(&entry);
        log_item_clear(&item);
    }
    return count;
}

static unsigned valid_entries(enum entry_type type)
{
    return entries(type, VERDICT_VALID);
}

/* ---- the straight road ---- */

static void from_approval_to_publication(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("loaded")); /* what the anonymizer's job says */
    CU_ASSERT_EQUAL(world.permits, 1);
    CU_ASSERT(broker_world_listed(&world, 1));
    CU_ASSERT_EQUAL(world.list.size, (size_t)3 * PERMITTED_ITEM_SIZE);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("endorse"));
    CU_ASSERT_STRING_EQUAL(progress.release, BROKER_WORLD_RELEASE);
    CU_ASSERT_PTR_NOT_NULL(strstr(progress.statement.data, "release 1"));
    world.not_anchored = true;
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("released"));
    CU_ASSERT_EQUAL(world.publications, 0);
    world.not_anchored = false;
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(world.publications, 1);
    CU_ASSERT_EQUAL(valid_entries(ENTRY_RELEASE), 1);
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 1);
    /* Said again nothing happens. */
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(world.publications, 1);
    end();
}

/* ---- what is refused ---- */

static void without_a_patient_nothing_is_permitted(void)
{
    begin();
    broker_world_says(&world, 1, DENY_ALL);
    broker_world_request(&world, &request);
    CU_ASSERT_EQUAL(advance(), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text, "no patient has consented");
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 0);
    end();
}

static void without_approval_nothing_is_permitted(void)
{
    char payload[128], hex[DIGEST_HEX_SIZE];

    begin();
    broker_world_says(&world, 1, PERMIT_ALL);
    broker_world_ask(&world, &request);
    CU_ASSERT_EQUAL(advance(), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text, "the request is not approved");
    digest_hex(&request, hex);
    snprintf(payload, sizeof payload, "{\"request\":\"%s\"}", hex);
    log_world_add(world.log, ENTRY_REJECT, LOG_NORTH, IDENTITY_CUSTODIAN,
                  payload);
    CU_ASSERT_EQUAL(advance(), E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text, "the request was rejected");
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 0);
    end();
}

static void an_unknown_request_is_refused(void)
{
    begin();
    memset(&request, 1, sizeof request);
    CU_ASSERT_EQUAL(advance(), E_INPUT);
    end();
}

static void revoke(enum log_place place, enum identity_role role)
{
    char payload[256];

    snprintf(payload, sizeof payload,
             "{\"certificate\":\"%s\",\"reason\":\"left\"}",
             certificate_id(log_world_certificate(world.log, place, role)));
    CU_ASSERT_EQUAL(log_world_add(world.log, ENTRY_REVOKE, place,
                                  IDENTITY_HOSPITAL_MANAGER, payload)
                        .verdict,
                    VERDICT_VALID);
}

static void a_revoked_recipient_or_approver_ends_it(void)
{
    static const struct {
        enum log_place place;
        enum identity_role role;
    } revoked[] = {{LOG_EAST, IDENTITY_RESEARCH_INSTITUTE},
                   {LOG_NORTH, IDENTITY_CUSTODIAN}};

    for (unsigned i = 0; i < 4; i++) {
        begin_with_three();
        if (i >= 2) { /* between permit and draft */
            CU_ASSERT_EQUAL(advance(), OK);
            world.job = "rechecked";
        }
        revoke(revoked[i % 2].place, revoked[i % 2].role);
        CU_ASSERT_EQUAL(advance(), E_REFUSED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "revoked"));
        end();
    }
}

static void what_the_anonymizer_refuses_is_told_and_may_be_said_again(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "refused";
    world.job_status = E_NO;
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("refused"));
    CU_ASSERT_EQUAL(progress.status, E_NO);
    CU_ASSERT_STRING_EQUAL(progress.why.data, "k cannot be met");
    world.job = "loaded";
    world.job_status = OK;
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("loaded"));
    CU_ASSERT_EQUAL(progress.status, OK);
    CU_ASSERT_EQUAL(world.permits, 2);
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 2);
    end();
}

/* Of a job for which no entry was drafted; told by a liar. */
static void what_a_job_cannot_be_is_not_believed(void)
{
    static const char *const told[] = {"proposed", "anchored", "published",
                                       "endorse",  "Loaded",   "\33[2J"};

    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        begin_with_three();
        CU_ASSERT_EQUAL(advance(), OK);
        world.job = told[i];
        CU_ASSERT_EQUAL(advance(), E_SYSTEM);
        CU_ASSERT_PTR_NULL(strstr(err.text, told[i]));
        CU_ASSERT_EQUAL(progress.entry.size, 0);
        world.job = "found"; /* it comes to its senses */
        CU_ASSERT_EQUAL(advance(), OK);
        CU_ASSERT(is("found"));
        CU_ASSERT_EQUAL(world.permits, 1);
        end();
    }
}

static void a_released_job_cannot_go_back(void)
{
    static const char *const told[] = {"refused", "received", "rechecked"};

    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    world.publishing = "anchored";
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("released"));
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        world.publishing = told[i];
        CU_ASSERT_EQUAL(advance(), E_SYSTEM);
    }
    world.publishing = NULL;
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 1);
    end();
}

/* Who never comes to an end holds up nothing for longer than a permit. */
static void a_job_that_outlives_its_permit_gets_another_one(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("loaded"));
    log_world_pass(world.log, UINT64_C(24) * 60 * 60 * 1000);
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("loaded"));
    CU_ASSERT_EQUAL(world.permits, 2);
    end();
}

static void a_statement_of_another_permit_is_not_proposed(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    world.statement_permit =
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    CU_ASSERT_EQUAL(advance(), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another \"permit\""));
    CU_ASSERT_EQUAL(progress.entry.size, 0);
    end();
}

/* ---- what stays ---- */

/* Bytes that the broker's store has of a request's policy, of what its own
 * entry commits to, and of a permit's list. */
struct kept {
    size_t bundle, statement, list;
};

static struct kept kept_of(const struct digest *entry,
                           const struct digest *permit)
{
    struct own_entry own;
    struct text text;
    struct kept kept;
    bool found = false;

    text_init(&text);
    own_entry_init(&own);
    CU_ASSERT_EQUAL(
        broker_store_bundle(world.broker.store, &request, &text, &err), OK);
    kept.bundle = text.size;
    text_reset(&text);
    CU_ASSERT_EQUAL(
        broker_store_find_own(world.broker.store, entry, &own, &found, &err),
        OK);
    CU_ASSERT(found);
    kept.statement = own.statement.size;
    CU_ASSERT_EQUAL(
        broker_store_permit_list(world.broker.store, permit, &text, &err), OK);
    kept.list = text.size;
    own_entry_clear(&own);
    text_clear(&text);
    return kept;
}

static void what_had_its_use_goes_and_what_is_audited_stays(void)
{
    struct digest draft, permit;
    struct kept kept;

    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    permit = world.permit;
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(digest_bytes(&draft, text_bytes(&progress.entry), &err),
                    OK);
    kept = kept_of(&draft, &permit);
    CU_ASSERT(kept.bundle > 0 && kept.statement > 0 && kept.list > 0);
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("published"));
    broker_world_restart(&world);
    kept = kept_of(&draft, &permit);
    CU_ASSERT(kept.bundle == 0 && kept.statement == 0);
    CU_ASSERT_EQUAL(kept.list, (size_t)3 * PERMITTED_ITEM_SIZE);
    CU_ASSERT(kept_of(&permit, &permit).statement > 0);
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("published"));
    end();
}

static void a_draft_that_is_not_used_leaves_no_statement(void)
{
    struct digest draft, permit;

    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    permit = world.permit;
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(digest_bytes(&draft, text_bytes(&progress.entry), &err),
                    OK);
    broker_world_withdraws(&world, 2);
    world.job = "loaded";
    CU_ASSERT_EQUAL(advance(), OK); /* another permit */
    CU_ASSERT_EQUAL(world.permits, 2);
    CU_ASSERT_EQUAL(kept_of(&draft, &permit).statement, 0);
    CU_ASSERT(kept_of(&draft, &permit).bundle > 0);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(digest_bytes(&draft, text_bytes(&progress.entry), &err),
                    OK);
    world.anonymizer_fails = E_REFUSED;
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("refused"));
    CU_ASSERT_EQUAL(kept_of(&draft, &permit).statement, 0);
    /* It may be said again, which needs the policy. */
    CU_ASSERT(kept_of(&draft, &permit).bundle > 0);
    end();
}

static void a_statement_of_another_policy_is_not_proposed(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    world.statement_policy = "other";
    CU_ASSERT_EQUAL(advance(), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another \"policy\""));
    CU_ASSERT_EQUAL(entries(ENTRY_RELEASE, VERDICT_VALID), 0);
    end();
}

/* A name that the message may have, and a release may not. */
static void a_release_whose_name_is_none_is_not_proposed(void)
{
    static const char *const names[] = {
        BROKER_WORLD_RELEASE "0123456789abcdef0123456789abcdef",
        BROKER_WORLD_RELEASE "0",
        "0123456789ABCDEF0123456789abcdef",
        "..",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        begin_with_three();
        CU_ASSERT_EQUAL(advance(), OK);
        world.job = "rechecked";
        world.name = names[i];
        CU_ASSERT_EQUAL(advance(), E_REFUSED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "32 hex digits"));
        CU_ASSERT_EQUAL(entries(ENTRY_RELEASE, VERDICT_VALID), 0);
        end();
    }
}

static void what_the_anonymizer_does_not_sign_is_refused(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("endorse"));
    world.anonymizer_fails = E_REFUSED;
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("refused"));
    CU_ASSERT_EQUAL(progress.status, E_REFUSED);
    CU_ASSERT(progress.why.size > 0);
    CU_ASSERT_EQUAL(entries(ENTRY_RELEASE, VERDICT_VALID), 0);
    world.anonymizer_fails = OK;
    world.job = "loaded";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(world.permits, 2);
    end();
}

static void a_signature_of_somebody_else_is_refused(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(endorse_as(IDENTITY_BROKER), E_REFUSED);
    CU_ASSERT_EQUAL(world.signs, 0);
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("endorse"));
    end();
}

/* No node takes an entry with a signature that does not hold: another draft. */
static void a_wrong_signature_of_the_anonymizer_costs_a_draft(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    world.signs_badly = true;
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("endorse"));
    world.signs_badly = false;
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(valid_entries(ENTRY_RELEASE), 1);
    end();
}

/* ---- withdrawals ---- */

static void others_cost_a_draft_and_no_permit(void)
{
    struct digest first;

    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(digest_bytes(&first, text_bytes(&progress.entry), &err),
                    OK);
    for (unsigned i = 0; i < 5; i++) {
        struct digest next;

        broker_world_withdraws(&world, 100 + i);
        CU_ASSERT_EQUAL(endorse(), OK); /* of the draft before */
        CU_ASSERT(is("endorse"));
        CU_ASSERT_EQUAL(digest_bytes(&next, text_bytes(&progress.entry), &err),
                        OK);
        CU_ASSERT(memcmp(&first, &next, sizeof first) != 0);
        first = next;
    }
    CU_ASSERT_EQUAL(world.signs, 0); /* none of these was signed */
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 1);
    CU_ASSERT_EQUAL(world.permits, 1);
    end();
}

static void erase_somebody(struct broker_world *here)
{
    log_world_add(here->log, ENTRY_ERASE, LOG_NORTH, IDENTITY_CUSTODIAN,
                  "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
}

static void stale_in_the_log_costs_a_draft(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    world.before = erase_somebody;
    world.before_type = ENTRY_RELEASE;
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("endorse"));
    CU_ASSERT_EQUAL(entries(ENTRY_RELEASE, VERDICT_STALE), 1);
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(valid_entries(ENTRY_RELEASE), 1);
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 1);
    end();
}

static void a_permitted_patient_who_withdraws_is_in_no_release(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(broker_world_listed(&world, 2));
    broker_world_withdraws(&world, 2);
    world.job = "loaded";
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("loaded"));
    CU_ASSERT_EQUAL(world.permits, 2);
    CU_ASSERT_FALSE(broker_world_listed(&world, 2));
    CU_ASSERT(broker_world_listed(&world, 1));
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(valid_entries(ENTRY_RELEASE), 1);
    end();
}

/* Who says the same again, or something else that permits, ends nothing. */
static void a_permitted_patient_who_still_permits_costs_no_permit(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    broker_world_says(&world, 2, PERMIT_ALL);
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("endorse"));
    CU_ASSERT_EQUAL(world.permits, 1);
    end();
}

static void after_five_restarts_it_gives_up_and_may_be_said_again(void)
{
    begin();
    for (unsigned i = 1; i <= 9; i++)
        broker_world_says(&world, i, PERMIT_ALL);
    broker_world_request(&world, &request);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    for (unsigned i = 1; i <= 5; i++) {
        broker_world_withdraws(&world, i);
        CU_ASSERT_EQUAL(advance(), OK);
        CU_ASSERT(is("endorse"));
        CU_ASSERT_EQUAL(world.permits, i + 1);
    }
    broker_world_withdraws(&world, 6);
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("refused"));
    CU_ASSERT_EQUAL(progress.status, E_SYSTEM);
    CU_ASSERT_STRING_EQUAL(progress.why.data,
                           "6 permits one after the other could not be used; "
                           "the last: a permitted patient has said otherwise");
    CU_ASSERT_EQUAL(world.permits, 6);
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("endorse"));
    CU_ASSERT_EQUAL(world.permits, 7);
    CU_ASSERT_FALSE(broker_world_listed(&world, 6));
    CU_ASSERT_EQUAL(world.list.size, (size_t)3 * PERMITTED_ITEM_SIZE);
    end();
}

static void an_expired_permit_is_not_used(void)
{
    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("endorse"));
    log_world_pass(world.log, UINT64_C(24) * 60 * 60 * 1000);
    world.job = "loaded";
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("loaded"));
    CU_ASSERT_EQUAL(world.permits, 2);
    CU_ASSERT_EQUAL(entries(ENTRY_RELEASE, VERDICT_AGAINST_RULE), 0);
    end();
}

/* ---- what others wrote ---- */

static void a_patients_own_withdrawal_stops_it_until_it_is_resolved(void)
{
    struct commitment_salt salt = {.byte = {9}};
    struct subject_id subject = broker_world_subject(3);
    char statement[128], payload[128], hex[DIGEST_HEX_SIZE];
    char subject_hex[SUBJECT_ID_HEX_SIZE];
    struct log_answer answer;
    struct digest commitment;
    uint64_t position = 0;

    begin_with_three();
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    subject_id_hex(&subject, subject_hex);
    snprintf(statement, sizeof statement,
             "{\"statement\":\"withdraw 1\",\"subject\":\"%s\"}", subject_hex);
    CU_ASSERT_EQUAL(
        commitment_make(&salt, bytes_of_string(statement), &commitment, &err),
        OK);
    digest_hex(&commitment, hex);
    snprintf(payload, sizeof payload, "{\"commitment\":\"%s\"}", hex);
    answer = log_world_add(world.log, ENTRY_WITHDRAW, LOG_NORTH,
                           IDENTITY_PATIENT, payload);
    CU_ASSERT_EQUAL(advance(), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is not the broker's own"));
    salt.byte[0] = 8;
    CU_ASSERT_EQUAL(resolution_apply(&world.broker, &answer.id, &salt,
                                     bytes_of_string(statement), &position,
                                     &err),
                    E_REFUSED);
    salt.byte[0] = 9;
    CU_ASSERT_EQUAL(resolution_apply(&world.broker, &answer.id, &salt,
                                     bytes_of_string(statement), &position,
                                     &err),
                    OK);
    CU_ASSERT_EQUAL(position, answer.position);
    world.job = "loaded";
    CU_ASSERT_EQUAL(advance(), OK);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_FALSE(broker_world_listed(&world, 3));
    CU_ASSERT_EQUAL(resolution_apply(&world.broker, &answer.id, &salt,
                                     bytes_of_string(statement), &position,
                                     &err),
                    E_INPUT);
    end();
}

/* ---- killed ---- */

/* After each step the broker is started anew, and the log's answer to each
 * first submission is lost. */
static void killed_after_each_step_it_goes_on_and_nothing_is_doubled(void)
{
    for (unsigned lost = 0; lost < 3; lost++) {
        unsigned turns = 0;

        begin_with_three();
        world.job = "rechecked";
        while (!is("published") && turns++ < 50) {
            if (lost == 1)
                world.lose = turns % 2;
            if (lost == 2)
                world.lose_after = turns % 2;
            if (progress.entry.size > 0)
                (void)endorse();
            else
                (void)advance();
            broker_world_restart(&world);
        }
        CU_ASSERT(is("published"));
        CU_ASSERT_EQUAL(valid_entries(ENTRY_RELEASE), 1);
        CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 1);
        CU_ASSERT_EQUAL(valid_entries(ENTRY_CONSENT), 3);
        CU_ASSERT_EQUAL(world.publications, 1);
        end();
    }
}

static void a_silent_anonymizer_is_asked_again(void)
{
    begin_with_three();
    world.anonymizer_fails = E_SYSTEM;
    CU_ASSERT_EQUAL(advance(), E_SYSTEM);
    world.anonymizer_fails = OK;
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT_EQUAL(world.permits, 1);
    world.job = "rechecked";
    CU_ASSERT_EQUAL(advance(), OK);
    world.anonymizer_fails = E_SYSTEM;
    CU_ASSERT_EQUAL(endorse(), E_SYSTEM);
    world.anonymizer_fails = OK;
    CU_ASSERT_EQUAL(advance(), OK);
    CU_ASSERT(is("endorse"));
    CU_ASSERT_EQUAL(endorse(), OK);
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(valid_entries(ENTRY_PERMIT), 1);
    end();
}

/* ---- every order ---- */

/* Two patients withdraw, one of the permitted ones and one who never consented,
 * and something narrows behind the broker's back, each before one of the
 * custodian's turns; the last also while the release entry is on its way. */
#define TURNS 6
#define UNDER_WAY TURNS

struct order {
    unsigned permitted, other, erasure; /* before which turn */
};

/* The position of the valid release entry. */
static uint64_t released_at(void)
{
    uint64_t position = UINT64_MAX;

    for (uint64_t i = 0; i < log_world_size(world.log); i++) {
        struct log_item item;
        struct entry entry;

        CU_ASSERT_FATAL(log_world_find(world.log, i, NULL, &item));
        CU_ASSERT_EQUAL_FATAL(entry_parse(&entry, text_bytes(&item.bytes),
                                          text_bytes(&item.signatures), &err),
                              OK);
        if (entry.type == ENTRY_RELEASE && item.verdict == VERDICT_VALID)
            position = i;
        entry_clear(&entry);
        log_item_clear(&item);
    }
    return position;
}

static void play(const struct order *order)
{
    uint64_t withdrawn = UINT64_MAX;
    unsigned turn = 0;

    broker_world_again(&world);
    proposal_progress_clear(&progress);
    three_consent();
    if (order->erasure == UNDER_WAY) {
        world.before = erase_somebody;
        world.before_type = ENTRY_RELEASE;
    }
    for (; turn < 40 && !is("published"); turn++) {
        if (turn == order->permitted) {
            withdrawn = log_world_size(world.log);
            broker_world_withdraws(&world, 2);
        }
        if (turn == order->other)
            broker_world_withdraws(&world, 77);
        if (turn == order->erasure)
            erase_somebody(&world);
        world.job = turn % 2 == 0 ? "loaded" : "rechecked";
        CU_ASSERT_EQUAL(progress.entry.size > 0 ? endorse() : advance(), OK);
    }
    CU_ASSERT(is("published"));
    CU_ASSERT_EQUAL(valid_entries(ENTRY_RELEASE), 1);
    CU_ASSERT_EQUAL(world.publications, 1);
    /* Released is who had not withdrawn before. */
    CU_ASSERT_EQUAL(broker_world_listed(&world, 2), released_at() < withdrawn);
    CU_ASSERT(broker_world_listed(&world, 1));
    /* And only a permitted patient costs a permit. */
    CU_ASSERT_EQUAL(world.permits,
                    order->permitted > 0 && withdrawn < released_at() ? 2 : 1);
}

static void every_order_of_withdrawals_and_proposals(void)
{
    struct order order;

    begin();
    for (order.permitted = 0; order.permitted < TURNS; order.permitted++)
        for (order.other = 0; order.other < TURNS; order.other++)
            for (order.erasure = 0; order.erasure <= UNDER_WAY; order.erasure++)
                play(&order);
    end();
}

void suite_proposal(void)
{
    static const struct test tests[] = {
        {"from approval to publication", from_approval_to_publication},
        {"without a patient nothing is permitted",
         without_a_patient_nothing_is_permitted},
        {"without approval nothing is permitted",
         without_approval_nothing_is_permitted},
        {"an unknown request is refused", an_unknown_request_is_refused},
        {"a revoked recipient or approver ends it",
         a_revoked_recipient_or_approver_ends_it},
        {"what the anonymizer refuses is told, and may be said again",
         what_the_anonymizer_refuses_is_told_and_may_be_said_again},
        {"what a job cannot be is not believed",
         what_a_job_cannot_be_is_not_believed},
        {"a released job cannot go back", a_released_job_cannot_go_back},
        {"a job that outlives its permit gets another one",
         a_job_that_outlives_its_permit_gets_another_one},
        {"a statement of another permit is not proposed",
         a_statement_of_another_permit_is_not_proposed},
        {"what had its use goes, and what is audited stays",
         what_had_its_use_goes_and_what_is_audited_stays},
        {"a draft that is not used leaves no statement",
         a_draft_that_is_not_used_leaves_no_statement},
        {"a statement of another policy is not proposed",
         a_statement_of_another_policy_is_not_proposed},
        {"a release whose name is none is not proposed",
         a_release_whose_name_is_none_is_not_proposed},
        {"what the anonymizer does not sign is refused",
         what_the_anonymizer_does_not_sign_is_refused},
        {"a signature of somebody else is refused",
         a_signature_of_somebody_else_is_refused},
        {"a wrong signature of the anonymizer costs a draft",
         a_wrong_signature_of_the_anonymizer_costs_a_draft},
        {"others' withdrawals cost a draft and no permit",
         others_cost_a_draft_and_no_permit},
        {"stale in the log costs a draft", stale_in_the_log_costs_a_draft},
        {"a permitted patient who withdraws is in no release",
         a_permitted_patient_who_withdraws_is_in_no_release},
        {"a permitted patient who still permits costs no permit",
         a_permitted_patient_who_still_permits_costs_no_permit},
        {"after five restarts it gives up, and may be said again",
         after_five_restarts_it_gives_up_and_may_be_said_again},
        {"an expired permit is not used", an_expired_permit_is_not_used},
        {"a patient's own withdrawal stops it until it is resolved",
         a_patients_own_withdrawal_stops_it_until_it_is_resolved},
        {"killed after each step it goes on, and nothing is doubled",
         killed_after_each_step_it_goes_on_and_nothing_is_doubled},
        {"a silent anonymizer is asked again",
         a_silent_anonymizer_is_asked_again},
        {"every order of withdrawals and proposals",
         every_order_of_withdrawals_and_proposals},
    };

    suite_add("proposal", tests, sizeof tests / sizeof *tests);
}
