#include "anonymizer/worker_permit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/policy_bundle.h"
#include "common/encoding.h"
#include "tests/lib/released.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_permit(void);

#define SUBJECTS 3

#define POLICY                                                                 \
    "{\"policy\":1,\"attributes\":{\"patient\":{\"role\":\"subject\"},"        \
    "\"city\":{\"role\":\"quasi-identifying\"}},"                              \
    "\"privacy\":[{\"model\":\"k-anonymity\",\"k\":2}]}"
#define OTHER_POLICY                                                           \
    "{\"policy\":1,\"attributes\":{\"patient\":{\"role\":\"subject\"},"        \
    "\"city\":{\"role\":\"quasi-identifying\"}},"                              \
    "\"privacy\":[{\"model\":\"k-anonymity\",\"k\":3}]}"

/* There is one of each, made anew by each test. */
static struct network network;
static struct released world;
static struct scratch scratch;
static uint8_t list[SUBJECTS * PERMITTED_ITEM_SIZE];
static struct permitted_seed seed;
static char root_hex[DIGEST_HEX_SIZE];
static struct text bundle;
static struct worker_package package;
static struct worker_proofs proofs;
static struct permit_case given;
static struct error err;

static void demand(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err.text);
    abort();
}

static void pack(const char *policy, struct text *out)
{
    scratch_write(&scratch, "policy.json", policy);
    demand(
        policy_bundle_pack(scratch_path(&scratch, "policy.json"), out, &err));
}

static void begin(void)
{
    struct policy *policy = NULL;
    struct digest root;

    error_init(&err);
    network_open(&network);
    scratch_open(&scratch);
    released_open(&world, &network);
    for (uint8_t i = 0; i < SUBJECTS; i++) {
        struct permitted item = {.position = 4};

        memset(item.subject.byte, 0x10 * (i + 1), SUBJECT_ID_SIZE);
        permitted_encode(&item, list + (size_t)i * PERMITTED_ITEM_SIZE);
    }
    memset(seed.byte, 0x5e, sizeof seed.byte);
    demand(permitted_root(bytes_of(list, sizeof list), &seed, &root, &err));
    digest_hex(&root, root_hex);
    text_init(&bundle);
    pack(POLICY, &bundle);
    demand(policy_bundle_open(&policy, text_bytes(&bundle), &err));
    digest_hex(&policy->digest, world.policy_digest);
    policy_close(&policy);
    world.count = SUBJECTS;
    world.list_root = root_hex;
}

/* Entries, log, proofs, and what the broker sends with them. */
static void walk(void)
{
    static const enum attestation_step step[PERMIT_STEPS] = {
        STEP_REQUEST, STEP_APPROVE, STEP_PERMIT};

    released_walk(&world);
    package = (struct worker_package){
        .request = world.entry[STEP_REQUEST].id,
        .approve = world.entry[STEP_APPROVE].id,
        .permit = world.entry[STEP_PERMIT].id,
        .terms = {world.parts.terms.salt, text_bytes(&world.terms)},
        .permitted = {world.parts.permit.salt, text_bytes(&world.permit)},
        .bundle = text_bytes(&bundle)};
    worker_proofs_init(&proofs);
    for (size_t i = 0; i < PERMIT_STEPS; i++)
        demand(worker_proofs_add(&proofs, text_bytes(&world.proof[step[i]]),
                                 &err));
    given = (struct permit_case){
        .permit = &package.permit,
        .broker = certificate_id(world.author[STEP_PERMIT]->certificate),
        .package = &package,
        .list = bytes_of(list, sizeof list),
        .seed = &seed,
        .proofs = &proofs,
        .trust = &world.trust,
        .now_ms = world.expires - 1};
}

static void end(void)
{
    worker_proofs_clear(&proofs);
    text_clear(&bundle);
    released_close(&world);
    scratch_close(&scratch);
    network_close(&network);
}

static enum status check(struct worker_permit *permit)
{
    error_init(&err);
    return worker_permit_check(permit, &given, &err);
}

/* Refused with these words; ends the test. */
static void expect_no(const char *words)
{
    struct worker_permit permit;
    enum status status = check(&permit);

    CU_ASSERT(status == E_REFUSED || status == E_INPUT);
    CU_ASSERT_PTR_NULL(permit.policy);
    if (strstr(err.text, words) == NULL) {
        fprintf(stderr, "\nexpected \"%s\": %s\n", words, err.text);
        CU_FAIL("another reason");
    }
    end();
}

static void right_permit_is_taken_with_what_it_says(void)
{
    struct worker_permit permit;

    begin();
    walk();
    CU_ASSERT_EQUAL_FATAL(check(&permit), OK);
    CU_ASSERT_STRING_EQUAL(permit.terms.recipient, world.recipient);
    CU_ASSERT_STRING_EQUAL(permit.terms.organisation, "south");
    CU_ASSERT_EQUAL(permit.permitted.count, SUBJECTS);
    CU_ASSERT_EQUAL(permit.permitted.expires, world.expires);
    CU_ASSERT_EQUAL(permit.permitted.size, 5);
    CU_ASSERT_EQUAL(permit.policy->criterion[0].k, 2);
    worker_permit_clear(&permit);
    end();
}

/* ---- the log ---- */

static void entry_that_too_few_nodes_cosigned_is_none(void)
{
    begin();
    world.cosigners = 1;
    walk();
    expect_no("entry");
}

static void proof_for_another_trust_is_none(void)
{
    begin();
    walk();
    world.trust.minimum_size = RELEASED_LEAVES + 1;
    expect_no("entry");
}

static void entry_that_was_found_not_valid_permits_nothing(void)
{
    for (int step = STEP_REQUEST; step <= STEP_PERMIT; step++) {
        begin();
        world.verdict[step] = VERDICT_STALE;
        walk();
        expect_no("found it stale");
    }
}

static void entry_of_another_type_permits_nothing(void)
{
    static const enum entry_type other[PERMIT_STEPS] = {
        ENTRY_DATASET, ENTRY_REJECT, ENTRY_RELEASE};

    for (int step = STEP_REQUEST; step <= STEP_PERMIT; step++) {
        begin();
        world.type[step] = other[step];
        walk();
        expect_no("of another type");
    }
}

static void package_about_another_permit_is_refused(void)
{
    struct digest other;

    begin();
    walk();
    other = package.permit;
    other.byte[0] ^= 1;
    given.permit = &other;
    expect_no("about another one");
}

static void proof_of_another_entry_is_refused(void)
{
    begin();
    walk();
    package.request.byte[31] ^= 1;
    expect_no("of another entry");
}

static void missing_proof_is_refused(void)
{
    begin();
    walk();
    proofs.count--;
    expect_no("2 proofs, expected 3");
}

/* ---- the chain ---- */

static void approval_of_another_request_is_refused(void)
{
    begin();
    world.names[STEP_APPROVE] = NETWORK_OTHER_HEX;
    walk();
    expect_no("approval is of another request");
}

static void permit_for_another_approval_is_refused(void)
{
    begin();
    world.names[STEP_PERMIT] = NETWORK_OTHER_HEX;
    walk();
    expect_no("for another approval");
}

static void permit_of_another_broker_is_refused(void)
{
    begin();
    world.author[STEP_PERMIT] = network_who(&network, EAST, IDENTITY_BROKER);
    walk();
    given.broker = certificate_id(
        network_who(&network, NORTH, IDENTITY_BROKER)->certificate);
    expect_no("another broker");
}

/* ---- the terms ---- */

static void other_terms_in_any_entry_are_refused(void)
{
    for (int step = STEP_REQUEST; step <= STEP_PERMIT; step++) {
        begin();
        world.terms_of[step] = NETWORK_OTHER_HEX;
        walk();
        expect_no("terms");
    }
}

static void terms_with_another_salt_are_refused(void)
{
    begin();
    walk();
    package.terms.salt.byte[0] ^= 1;
    expect_no("its terms is not what the entry stands for");
}

static void terms_with_another_byte_are_refused(void)
{
    struct text other;

    begin();
    walk();
    text_init(&other);
    demand(text_append(&other, world.terms.data, world.terms.size, &err));
    other.data[other.size / 2] ^= 1;
    package.terms.text = text_bytes(&other);
    expect_no("its terms is not what the entry stands for");
    text_clear(&other);
}

static void terms_about_another_dataset_are_refused(void)
{
    begin();
    world.requested_dataset = NETWORK_OTHER_HEX;
    walk();
    expect_no("another dataset");
}

static void terms_for_another_recipient_are_refused(void)
{
    begin();
    world.recipient = certificate_id(
        network_who(&network, EAST, IDENTITY_RESEARCH_INSTITUTE)->certificate);
    walk();
    expect_no("another recipient");
}

/* ---- the permit's statement ---- */

static void statement_with_another_salt_is_refused(void)
{
    begin();
    walk();
    package.permitted.salt.byte[31] ^= 0x80;
    expect_no("its statement is not what the entry stands for");
}

static void statement_with_another_end_than_its_entry_is_refused(void)
{
    begin();
    world.payload_expires++;
    walk();
    expect_no("another end");
}

static void statement_with_another_size_than_its_entry_is_refused(void)
{
    begin();
    world.payload_size--;
    walk();
    expect_no("another size");
}

static void permit_is_no_good_from_its_end_on(void)
{
    begin();
    walk();
    given.now_ms = world.expires;
    expect_no("it has expired");
}

/* ---- list, policy ---- */

static void list_of_another_length_is_refused(void)
{
    begin();
    world.count = SUBJECTS + 1;
    walk();
    expect_no("another length");
}

static void list_with_another_subject_is_refused(void)
{
    begin();
    walk();
    list[PERMITTED_ITEM_SIZE] ^= 1;
    expect_no("another root");
}

static void list_with_another_position_is_refused(void)
{
    begin();
    walk();
    list[PERMITTED_ITEM_SIZE - 1] ^= 1;
    expect_no("another root");
}

static void list_under_another_seed_is_refused(void)
{
    begin();
    walk();
    seed.byte[5] ^= 1;
    expect_no("another root");
}

static void list_that_is_cut_off_is_refused(void)
{
    begin();
    walk();
    given.list.size--;
    expect_no("");
}

static void other_policy_is_refused(void)
{
    begin();
    walk();
    text_reset(&bundle);
    pack(OTHER_POLICY, &bundle);
    package.bundle = text_bytes(&bundle);
    expect_no("the policy is another one");
}

static void policy_that_cannot_be_read_is_refused(void)
{
    begin();
    walk();
    package.bundle = bytes_of_string("{}");
    expect_no("");
}

void suite_worker_permit(void)
{
    static const struct test tests[] = {
        {"a right permit is taken with what it says",
         right_permit_is_taken_with_what_it_says},
        {"an entry that too few nodes have cosigned is none",
         entry_that_too_few_nodes_cosigned_is_none},
        {"a proof for another trust is none", proof_for_another_trust_is_none},
        {"an entry that was found not valid permits nothing",
         entry_that_was_found_not_valid_permits_nothing},
        {"an entry of another type permits nothing",
         entry_of_another_type_permits_nothing},
        {"a package about another permit is refused",
         package_about_another_permit_is_refused},
        {"a proof of another entry is refused",
         proof_of_another_entry_is_refused},
        {"a missing proof is refused", missing_proof_is_refused},
        {"an approval of another request is refused",
         approval_of_another_request_is_refused},
        {"a permit for another approval is refused",
         permit_for_another_approval_is_refused},
        {"a permit of another broker is refused",
         permit_of_another_broker_is_refused},
        {"other terms in any entry are refused",
         other_terms_in_any_entry_are_refused},
        {"terms with another salt are refused",
         terms_with_another_salt_are_refused},
        {"terms with another byte are refused",
         terms_with_another_byte_are_refused},
        {"terms about another dataset are refused",
         terms_about_another_dataset_are_refused},
        {"terms for another recipient are refused",
         terms_for_another_recipient_are_refused},
        {"a statement with another salt is refused",
         statement_with_another_salt_is_refused},
        {"a statement with another end than its entry is refused",
         statement_with_another_end_than_its_entry_is_refused},
        {"a statement with another size than its entry is refused",
         statement_with_another_size_than_its_entry_is_refused},
        {"a permit is no good from its end on",
         permit_is_no_good_from_its_end_on},
        {"a list of another length is refused",
         list_of_another_length_is_refused},
        {"a list with another subject is refused",
         list_with_another_subject_is_refused},
        {"a list with another position is refused",
         list_with_another_position_is_refused},
        {"a list under another seed is refused",
         list_under_another_seed_is_refused},
        {"a list that is cut off is refused", list_that_is_cut_off_is_refused},
        {"another policy is refused", other_policy_is_refused},
        {"a policy that cannot be read is refused",
         policy_that_cannot_be_read_is_refused},
    };

    suite_add("worker_permit", tests, sizeof tests / sizeof tests[0]);
}
