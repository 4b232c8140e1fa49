#include "broker/permit_audit.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/proposal.h"
#include "broker/recording.h"
#include "broker/resolution.h"
#include "common/merkle.h"
#include "common/random.h"
#include "tests/lib/broker_world.h"
#include "tests/lib/fixture.h"
#include "tests/lib/forged_permit.h"
#include "tests/lib/suite.h"

void suite_permit_audit(void);

#define HOUR_MS INT64_C(3600000)
#define SUBJECTS_MAX 8

static struct broker_world world;
static struct permit_audit_result result;
static struct error err;

/* Where each of them has consented, as the test itself has seen it. */
static uint64_t said_at[SUBJECTS_MAX];

static void begin(void)
{
    error_init(&err);
    broker_world_open(&world);
}

static void end(void)
{
    broker_world_close(&world);
}

static void says(unsigned number, const char *what)
{
    said_at[number] = log_world_size(world.log);
    broker_world_says(&world, number, what);
}

/* Subjects 1, 2 and 3 consent. */
static void begin_with_three(void)
{
    begin();
    for (unsigned i = 1; i <= 3; i++)
        says(i, PERMIT_ALL);
}

/* ---- the audit ---- */

/* By the leaves as common/entry.h has them, not as the audit walks. */
static struct digest root_of_log(uint64_t size)
{
    struct merkle_tree tree;
    struct digest root, hash;

    merkle_tree_init(&tree);
    for (uint64_t at = 0; at < size; at++) {
        struct log_item item;
        struct text leaf;

        text_init(&leaf);
        if (!log_world_find(world.log, at, NULL, &item))
            abort();
        CU_ASSERT_EQUAL(entry_leaf(text_bytes(&item.bytes),
                                   text_bytes(&item.signatures), item.verdict,
                                   item.block, &leaf, &err),
                        OK);
        merkle_leaf(&hash, text_bytes(&leaf));
        CU_ASSERT_EQUAL(merkle_append(&tree, &hash, NULL, NULL, &err), OK);
        text_clear(&leaf);
        log_item_clear(&item);
    }
    merkle_root(&tree, &root);
    return root;
}

static struct permit_audit_options options_now(void)
{
    return (struct permit_audit_options){
        .source = {.ledger = &world.broker.ledger,
                   .store = world.broker.store,
                   .genesis = world.broker.genesis,
                   .organisation = "north",
                   .size = log_world_size(world.log),
                   .root = root_of_log(log_world_size(world.log))},
        .now_ms = (int64_t)log_world_time(world.log)};
}

static void audit(void)
{
    struct permit_audit_options options = options_now();

    error_init(&err);
    CU_ASSERT_EQUAL(permit_audit_run(&result, &options, &err), OK);
    if (err.status != OK)
        fprintf(stderr, "%s\n", err.text);
}

static void finds_at(uint64_t index, uint64_t position, const char *words)
{
    char hex[SUBJECT_ID_HEX_SIZE];

    audit();
    CU_ASSERT_FALSE(result.good);
    CU_ASSERT_EQUAL(result.index, index);
    CU_ASSERT_EQUAL(result.position, position);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.finding, words));
    if (strstr(result.finding, words) == NULL)
        fprintf(stderr, "found: %s\n", result.finding);
    for (unsigned i = 0; i < SUBJECTS_MAX; i++) {
        struct subject_id subject = broker_world_subject(i);

        subject_id_hex(&subject, hex);
        CU_ASSERT_PTR_NULL(strstr(result.finding, hex));
    }
}

static void finds(const char *words)
{
    finds_at(PERMIT_AUDIT_NONE, PERMIT_AUDIT_NONE, words);
}

/* ---- permits, honest or not ---- */

static int compare_items(const void *left, const void *right)
{
    const struct permitted *a = left, *b = right;

    return subject_id_compare(&a->subject, &b->subject);
}

struct lie {
    struct permitted item[SUBJECTS_MAX];
    size_t count;
    uint64_t more, size_more, expires_more; /* added in the statement */
    const char *organisation, *recipient;   /* NULL: as it should be */
};

static void list(struct lie *lie, unsigned number, uint64_t position)
{
    lie->item[lie->count++] = (struct permitted){
        .subject = broker_world_subject(number), .position = position};
    qsort(lie->item, lie->count, sizeof *lie->item, compare_items);
}

static size_t index_of(const struct lie *lie, unsigned number)
{
    struct subject_id subject = broker_world_subject(number);

    for (size_t i = 0; i < lie->count; i++)
        if (subject_id_compare(&lie->item[i].subject, &subject) == 0)
            return i;
    return SIZE_MAX;
}

static void store_permit(const struct permit_record *permit,
                         struct own_entry *own)
{
    CU_ASSERT_EQUAL(broker_store_add_permit(world.broker.store, permit, &err),
                    OK);
    CU_ASSERT_EQUAL_FATAL(
        recording_record(&world.broker, own, bytes_of(NULL, 0), &err), OK);
}

/* A request that an honest broker would not take: its terms name another
 * organisation than the recipient's, or a recipient whom nobody knows. */
static void ask_for(const struct lie *lie, struct digest *request)
{
    const struct certificate *institute =
        log_world_certificate(world.log, LOG_EAST, IDENTITY_RESEARCH_INSTITUTE);
    struct request_record record;
    char payload[512], dataset[DIGEST_HEX_SIZE], commitment[DIGEST_HEX_SIZE];
    struct log_answer answer;
    struct digest digest;

    request_record_init(&record);
    record.salt.byte[0] = 5;
    answer =
        log_world_add(world.log, ENTRY_DATASET, LOG_NORTH, IDENTITY_CUSTODIAN,
                      "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
    digest_hex(&answer.id, dataset);
    CU_ASSERT_EQUAL(
        text_printf(&record.terms, &err,
                    "{\"dataset\":\"%s\",\"organisation\":\"%s\","
                    "\"policy\":\"" BROKER_WORLD_POLICY
                    "\",\"purposes\":[\"DUO:0000042\"],\"recipient\":\"%s\","
                    "\"statement\":\"terms 1\"}",
                    dataset,
                    lie->organisation != NULL ? lie->organisation : "east",
                    lie->recipient != NULL ? lie->recipient
                                           : certificate_id(institute)),
        OK);
    CU_ASSERT_EQUAL(
        commitment_make(&record.salt, text_bytes(&record.terms), &digest, &err),
        OK);
    digest_hex(&digest, commitment);
    snprintf(payload, sizeof payload, "{\"dataset\":\"%s\",\"terms\":\"%s\"}",
             dataset, commitment);
    answer = log_world_add(world.log, ENTRY_REQUEST, LOG_EAST,
                           IDENTITY_RESEARCH_INSTITUTE, payload);
    record.id = *request = answer.id;
    record.position = answer.position;
    memcpy(record.author, certificate_id(institute), sizeof record.author);
    CU_ASSERT_EQUAL(broker_store_add_request(world.broker.store, &record,
                                             bytes_of_string("{}"), &err),
                    OK);
    request_record_clear(&record);
}

/* Requested and approved by all rules, signed by the broker, valid in the
 * log. */
static void permit(const struct lie *lie)
{
    uint8_t bytes[SUBJECTS_MAX * PERMITTED_ITEM_SIZE];
    struct request_record request;
    struct answer_record approval;
    struct permit_record record;
    struct own_entry own;
    struct digest id;
    bool found = false;
    struct forged_permit forged = {
        .request = &request,
        .approval = &approval.id,
        .list = bytes_of(bytes, lie->count * PERMITTED_ITEM_SIZE),
        .count = lie->count + lie->more,
        .size_more = lie->size_more,
        .expires_more = lie->expires_more};

    request_record_init(&request);
    permit_record_init(&record);
    own_entry_init(&own);
    for (size_t i = 0; i < lie->count; i++)
        permitted_encode(&lie->item[i], bytes + i * PERMITTED_ITEM_SIZE);
    if (lie->organisation != NULL || lie->recipient != NULL)
        ask_for(lie, &id);
    else
        broker_world_ask(&world, &id);
    broker_world_approve(&world, &id);
    CU_ASSERT_EQUAL(recording_finish(&world.broker, &err), OK);
    CU_ASSERT_EQUAL(broker_store_find_request(world.broker.store, &id, &request,
                                              &found, &err),
                    OK);
    CU_ASSERT_EQUAL(broker_store_find_answer(world.broker.store, &id, &approval,
                                             &found, &err),
                    OK);
    CU_ASSERT_TRUE_FATAL(found);
    forged.size = log_world_size(world.log);
    forged.expires_ms = log_world_time(world.log) + 12 * HOUR_MS;
    CU_ASSERT_EQUAL(
        forged_permit_make(&forged, &world.broker.author, &record, &own, &err),
        OK);
    store_permit(&record, &own);
    request_record_clear(&request);
    permit_record_clear(&record);
    own_entry_clear(&own);
}

/* ---- honest ---- */

static void permits_of_an_honest_broker_are_right(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    says(4, DENY_ALL);
    broker_world_withdraws(&world, 2);
    list(&lie, 1, said_at[1]);
    list(&lie, 3, said_at[3]);
    permit(&lie);
    /* What is said behind the size does not make it wrong. */
    broker_world_withdraws(&world, 1);
    lie.count = 0;
    says(1, PERMIT_ALL);
    list(&lie, 1, said_at[1]);
    permit(&lie);
    audit();
    CU_ASSERT_TRUE(result.good);
    CU_ASSERT_EQUAL(result.permits, 2);
    CU_ASSERT_EQUAL(result.subjects, 3);
    CU_ASSERT_EQUAL(result.entries, log_world_size(world.log));
    end();
}

/* ---- a lying broker ---- */

static void subject_without_a_consent_is_found(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    for (unsigned i = 1; i <= 3; i++)
        list(&lie, i, said_at[i]);
    list(&lie, 7, said_at[1]);
    permit(&lie);
    finds_at(index_of(&lie, 7), said_at[1], "is not of this subject");
    end();
}

static void another_subjects_consent_is_found(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    says(4, DENY_ALL);
    list(&lie, 4, said_at[2]);
    permit(&lie);
    finds_at(0, said_at[2], "is not of this subject");
    end();
}

static void entry_that_is_no_consent_is_found(void)
{
    struct lie lie = {.count = 0};
    uint64_t position;

    begin_with_three();
    position = log_world_size(world.log); /* the dataset's, see permit() */
    list(&lie, 1, said_at[1]);
    list(&lie, 7, position);
    permit(&lie);
    finds_at(index_of(&lie, 7), position, "no consent of the organisation");
    end();
}

static void position_above_the_size_is_found(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    list(&lie, 1, 1000);
    permit(&lie);
    finds_at(0, 1000, "not below the permit's size");
    end();
}

static void withdrawn_consent_is_found(void)
{
    struct lie lie = {.count = 0};
    uint64_t position;

    begin_with_three();
    position = log_world_size(world.log);
    broker_world_withdraws(&world, 2);
    list(&lie, 2, said_at[2]);
    permit(&lie);
    finds_at(0, position, "withdrew");
    end();
}

static void newer_consent_is_found(void)
{
    struct lie lie = {.count = 0};
    uint64_t position;

    begin_with_three();
    position = said_at[2];
    says(2, DENY_ALL);
    list(&lie, 2, position);
    permit(&lie);
    finds_at(0, said_at[2], "said something newer");
    end();
}

static void denial_is_found(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    says(2, DENY_ALL);
    list(&lie, 2, said_at[2]);
    permit(&lie);
    finds_at(0, said_at[2], "does not permit these terms: denied");
    end();
}

static void says_in_period(unsigned number, int64_t from_ms, int64_t to_ms)
{
    int64_t now = (int64_t)log_world_time(world.log);
    char text[256];

    snprintf(text, sizeof text,
             "{\"base\":\"permit\",\"rule\":{\"period\":{\"end_ms\":%" PRId64
             ",\"start_ms\":%" PRId64
             "},\"type\":\"permit\"},\"status\":\"active\"}",
             now + to_ms, now + from_ms);
    says(number, text);
}

static void expired_consent_is_found(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    says_in_period(4, -2 * HOUR_MS, -HOUR_MS);
    list(&lie, 4, said_at[4]);
    permit(&lie);
    finds_at(0, said_at[4], "does not permit these terms: ended");
    end();
}

static void consent_that_ends_before_the_permit_is_found(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    says_in_period(4, -HOUR_MS, HOUR_MS);
    list(&lie, 4, said_at[4]);
    permit(&lie);
    finds_at(0, said_at[4], "ends before the permit");
    end();
}

static void consent_that_has_not_begun_is_found(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    says_in_period(4, HOUR_MS, 100 * HOUR_MS);
    list(&lie, 4, said_at[4]);
    permit(&lie);
    finds_at(0, said_at[4], "does not permit these terms: not-begun");
    end();
}

static void changed_count_is_found(void)
{
    struct lie lie = {.more = 1};

    begin_with_three();
    list(&lie, 1, said_at[1]);
    permit(&lie);
    finds("its list has 1 subjects, its statement says 2");
    end();
}

static void statement_that_differs_from_its_entry_is_found(void)
{
    struct lie size = {.size_more = 1}, end_later = {.expires_more = 1};

    begin_with_three();
    list(&size, 1, said_at[1]);
    permit(&size);
    finds("its statement says size ");
    end();
    begin_with_three();
    list(&end_later, 1, said_at[1]);
    permit(&end_later);
    finds("end at different times");
    end();
}

static void recipient_of_another_organisation_is_found(void)
{
    struct lie organisation = {.organisation = "north"};
    struct lie recipient = {.recipient = "00112233445566778899aabbccddeeff"};

    begin_with_three();
    list(&organisation, 1, said_at[1]);
    permit(&organisation);
    finds("not of the organisation that the terms name");
    end();
    begin_with_three();
    list(&recipient, 1, said_at[1]);
    permit(&recipient);
    finds("its recipient was never enrolled");
    end();
}

/* ---- an altered database ---- */

static void alter(const char *sql)
{
    sqlite3 *db = NULL;

    broker_store_close(&world.broker.store);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_open(scratch_path(&world.scratch, "state.db"), &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_changes(db) > 0, 1);
    sqlite3_close(db);
    broker_world_restart(&world);
}

/* One honest permit, of all three. */
static void begin_with_permit(void)
{
    struct lie lie = {.count = 0};

    begin_with_three();
    for (unsigned i = 1; i <= 3; i++)
        list(&lie, i, said_at[i]);
    permit(&lie);
}

static void altered(const char *sql, const char *words)
{
    begin_with_permit();
    alter(sql);
    finds(words);
    end();
}

static void list_of_another_root_is_found(void)
{
    altered("UPDATE permit SET seed = zeroblob(32)",
            "its list does not have the statement's root");
    altered("UPDATE permit SET list = substr(list, 1, 48)",
            "its list does not have the statement's root");
    altered("UPDATE permit SET list = zeroblob(48)", "its list: ");
    altered("DELETE FROM permit", "its list: ");
}

static void statement_that_is_not_the_entrys_is_found(void)
{
    altered("UPDATE own SET salt = zeroblob(32) WHERE type = 7",
            "its statement: ");
    altered("DELETE FROM own WHERE type = 7",
            "its statement: the broker has none");
    altered("UPDATE request SET salt = zeroblob(32)", "its terms: ");
    altered("DELETE FROM request", "its terms: the broker has none");
}

static void consent_without_statement_is_found(void)
{
    begin_with_permit();
    alter("DELETE FROM own WHERE number = 2");
    finds_at(PERMIT_AUDIT_NONE, said_at[2],
             "no statement for the consent entry");
    end();
    begin_with_permit();
    alter("UPDATE own SET statement = (SELECT statement FROM own WHERE number ="
          " 1) WHERE number = 2");
    finds_at(PERMIT_AUDIT_NONE, said_at[2], "not the one that it commits to");
    end();
}

/* The list rests on the older consent, and the broker has thrown the newer
 * withdrawal away with all that it knew of it. */
static void withdrawal_that_was_thrown_away_is_found(void)
{
    struct lie lie = {.count = 0};
    uint64_t position;

    begin_with_three();
    position = log_world_size(world.log);
    broker_world_withdraws(&world, 2);
    list(&lie, 2, said_at[2]);
    permit(&lie);
    alter("DELETE FROM own WHERE type = 2");
    finds_at(PERMIT_AUDIT_NONE, position,
             "no statement for the withdraw entry");
    end();
}

static void what_was_resolved_can_be_audited(void)
{
    struct subject_id subject = broker_world_subject(3);
    struct commitment_salt salt = {.byte = {9}};
    char hex[DIGEST_HEX_SIZE], id[SUBJECT_ID_HEX_SIZE];
    char statement[256], payload[256];
    struct log_answer answer;
    struct digest commitment;
    struct lie lie = {.count = 0};
    uint64_t position = 0;

    begin_with_three();
    subject_id_hex(&subject, id);
    snprintf(statement, sizeof statement,
             "{\"statement\":\"withdraw 1\",\"subject\":\"%s\"}", id);
    CU_ASSERT_EQUAL(
        commitment_make(&salt, bytes_of_string(statement), &commitment, &err),
        OK);
    digest_hex(&commitment, hex);
    snprintf(payload, sizeof payload, "{\"commitment\":\"%s\"}", hex);
    answer = log_world_add(world.log, ENTRY_WITHDRAW, LOG_NORTH,
                           IDENTITY_PATIENT, payload);
    CU_ASSERT_EQUAL(resolution_apply(&world.broker, &answer.id, &salt,
                                     bytes_of_string(statement), &position,
                                     &err),
                    OK);
    list(&lie, 1, said_at[1]);
    permit(&lie);
    audit();
    CU_ASSERT_TRUE(result.good);
    lie.count = 0;
    list(&lie, 3, said_at[3]);
    permit(&lie);
    finds_at(0, answer.position, "withdrew");
    end();
}

/* ---- whatever was said ---- */

static void says_something(struct random *random, unsigned number)
{
    switch (random_below(random, 6)) {
    case 0:
        broker_world_withdraws(&world, number);
        break;
    case 1:
        says(number, DENY_ALL);
        break;
    case 2:
        says_in_period(number, -HOUR_MS, 100 * HOUR_MS);
        break;
    case 3:
        says_in_period(number, -2 * HOUR_MS, -HOUR_MS);
        break;
    default:
        says(number, PERMIT_ALL);
        break;
    }
}

/* What the broker's own code permits passes; with one more, whoever it is and
 * whatever he has said last, it does not. */
static void honest_lists_pass_and_one_more_subject_does_not(void)
{
    struct random random;

    random_init(&random, fixture_seed("permit_audit: random consents"));
    begin();
    for (unsigned round = 0; round < 12; round++) {
        struct proposal_progress progress;
        struct lie lie = {.count = 0};
        struct digest request;
        size_t permitted;
        unsigned other;

        broker_world_again(&world);
        memset(said_at, 0, sizeof said_at);
        says(1, PERMIT_ALL);
        for (size_t i = random_below(&random, 16); i > 0; i--)
            says_something(&random, 2 + (unsigned)random_below(&random, 5));
        broker_world_request(&world, &request);
        proposal_progress_init(&progress);
        CU_ASSERT_EQUAL(
            proposal_advance(&world.broker, &request, &progress, &err), OK);
        proposal_progress_clear(&progress);
        audit();
        CU_ASSERT_TRUE(result.good);
        CU_ASSERT_EQUAL(result.permits, 1);
        permitted = world.list.size / PERMITTED_ITEM_SIZE;
        CU_ASSERT_EQUAL(result.subjects, permitted);
        for (size_t i = 0; i < permitted; i++)
            lie.item[lie.count++] = permitted_item(text_bytes(&world.list), i);
        do
            other = 2 + (unsigned)random_below(&random, 6);
        while (broker_world_listed(&world, other)); /* 7 never is */
        list(&lie, other, said_at[other]);
        permit(&lie);
        audit();
        CU_ASSERT_FALSE(result.good);
        CU_ASSERT_EQUAL(result.index, index_of(&lie, other));
    }
    end();
}

/* ---- what cannot be audited ---- */

static void another_log_than_the_signed_one_is_refused(void)
{
    struct permit_audit_options options;

    begin_with_permit();
    options = options_now();
    options.source.root.byte[0] ^= 1;
    CU_ASSERT_EQUAL(permit_audit_run(&result, &options, &err), E_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "their root is another"));
    end();
}

static void one_permit_alone_is_audited(void)
{
    struct permit_audit_options options;
    struct lie lie = {.count = 0};
    struct digest bad, unknown = {.byte = {0}};

    begin_with_permit();
    list(&lie, 7, said_at[1]);
    permit(&lie);
    audit();
    CU_ASSERT_FALSE(result.good);
    bad = result.permit;
    options = options_now();
    options.permit = &bad;
    CU_ASSERT_EQUAL(permit_audit_run(&result, &options, &err), OK);
    CU_ASSERT_FALSE(result.good);
    options.permit = &unknown;
    CU_ASSERT_EQUAL(permit_audit_run(&result, &options, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no valid permit"));
    end();
}

void suite_permit_audit(void)
{
    static const struct test tests[] = {
        {"permits of an honest broker are right",
         permits_of_an_honest_broker_are_right},
        {"a subject without a consent is found",
         subject_without_a_consent_is_found},
        {"another subject's consent is found",
         another_subjects_consent_is_found},
        {"an entry that is no consent is found",
         entry_that_is_no_consent_is_found},
        {"a position above the size is found",
         position_above_the_size_is_found},
        {"a withdrawn consent is found", withdrawn_consent_is_found},
        {"a newer consent is found", newer_consent_is_found},
        {"a denial is found", denial_is_found},
        {"an expired consent is found", expired_consent_is_found},
        {"a consent that ends before the permit is found",
         consent_that_ends_before_the_permit_is_found},
        {"a consent that has not begun is found",
         consent_that_has_not_begun_is_found},
        {"a changed count is found", changed_count_is_found},
        {"a statement that differs from its entry is found",
         statement_that_differs_from_its_entry_is_found},
        {"a recipient of another organisation is found",
         recipient_of_another_organisation_is_found},
        {"a list of another root is found", list_of_another_root_is_found},
        {"a statement that is not the entry's is found",
         statement_that_is_not_the_entrys_is_found},
        {"a consent without its statement is found",
         consent_without_statement_is_found},
        {"a withdrawal that was thrown away is found",
         withdrawal_that_was_thrown_away_is_found},
        {"what was resolved can be audited", what_was_resolved_can_be_audited},
        {"honest lists pass, and with one more subject do not",
         honest_lists_pass_and_one_more_subject_does_not},
        {"another log than the signed one is refused",
         another_log_than_the_signed_one_is_refused},
        {"one permit alone is audited", one_permit_alone_is_audited},
    };

    suite_add("permit_audit", tests, sizeof tests / sizeof *tests);
}
