#include "ledger/executor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/encoding.h"
#include "tests/lib/child.h"
#include "tests/lib/federation.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_oracle.h"

void suite_executor(void);

#define COMMITMENT "{\"commitment\":\"" NETWORK_HEX "\"}"
#define OTHER_COMMITMENT "{\"commitment\":\"" NETWORK_OTHER_HEX "\"}"

static struct scratch scratch;
static struct network network;
static struct network_node node;

static void begin(void)
{
    scratch_open(&scratch);
    network_open(&network);
    network_node_open(&node, &network, scratch_path(&scratch, "state.db"), 0);
}

static void end(void)
{
    network_node_close(&node);
    network_close(&network);
    scratch_close(&scratch);
}

static const struct network_identity *who(enum identity_role role)
{
    return network_who(&network, NORTH, role);
}

static void make(struct network_entry *entry, enum entry_type type,
                 enum identity_role role, const char *payload)
{
    network_entry_make(entry, &network, type, who(role), payload);
}

static uint64_t log_size(const struct network_node *of)
{
    struct digest root;
    uint64_t size;

    executor_tip(of->executor, &size, &root);
    return size;
}

/* ---- the same again ---- */

static void same_entry_again_gets_the_first_answer(void)
{
    struct network_entry valid, refused;
    const struct executed *executed;

    begin();
    make(&valid, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    make(&refused, ENTRY_DATASET, IDENTITY_DOCTOR, COMMITMENT);
    executed = network_apply_all(
        &node, (const struct network_entry *[]){&valid, &refused, &valid}, 3);
    CU_ASSERT_EQUAL_FATAL(executed->count, 3);
    CU_ASSERT_EQUAL(executed->outcome[0].position, 0);
    CU_ASSERT_FALSE(executed->outcome[0].seen_before);
    CU_ASSERT_EQUAL(executed->outcome[1].position, 1);
    CU_ASSERT_EQUAL(executed->outcome[2].position, 0);
    CU_ASSERT(executed->outcome[2].seen_before);
    CU_ASSERT_EQUAL(executed->block.entries, 2);

    executed = network_apply_all(
        &node, (const struct network_entry *[]){&refused, &valid}, 2);
    CU_ASSERT_EQUAL_FATAL(executed->count, 2);
    CU_ASSERT_FALSE(executed->new_block);
    CU_ASSERT_EQUAL(executed->block.number, 0);
    CU_ASSERT_EQUAL(executed->outcome[0].position, 1);
    CU_ASSERT_EQUAL(executed->outcome[0].verdict, VERDICT_FORBIDDEN);
    CU_ASSERT_EQUAL(executed->outcome[0].block, 0);
    CU_ASSERT_EQUAL(executed->outcome[1].verdict, VERDICT_VALID);
    CU_ASSERT_EQUAL(log_size(&node), 2);
    CU_ASSERT_EQUAL(executor_raft_index(node.executor), 2);
    network_entry_clear(&valid);
    network_entry_clear(&refused);
    end();
}

static void same_nonce_with_other_content_is_a_conflict(void)
{
    struct network_entry first, second, third;

    begin();
    network_entry_with_nonce(&first, &network, ENTRY_DATASET,
                             who(IDENTITY_CUSTODIAN), 77, COMMITMENT);
    network_entry_with_nonce(&second, &network, ENTRY_DATASET,
                             who(IDENTITY_CUSTODIAN), 77, OTHER_COMMITMENT);
    network_entry_with_nonce(&third, &network, ENTRY_DATASET,
                             who(IDENTITY_DOCTOR), 77, COMMITMENT);
    CU_ASSERT_EQUAL(network_apply(&node, &first), VERDICT_VALID);
    CU_ASSERT_EQUAL(network_apply(&node, &second), VERDICT_CONFLICT);
    CU_ASSERT_EQUAL(node.outcome.position, 1);
    CU_ASSERT_EQUAL(network_apply(&node, &third), VERDICT_CONFLICT);
    CU_ASSERT_EQUAL(network_apply(&node, &first), VERDICT_VALID);
    CU_ASSERT_EQUAL(node.outcome.position, 0);
    network_entry_clear(&first);
    network_entry_clear(&second);
    network_entry_clear(&third);
    end();
}

/* "revoked" comes before "conflict": the nonce is taken all the same. */
static void taken_nonce_of_a_revoked_signer_stops_nobody(void)
{
    struct network_entry first, revoke, second;
    char payload[128];

    begin();
    network_entry_with_nonce(&first, &network, ENTRY_DATASET,
                             who(IDENTITY_CUSTODIAN), 77, COMMITMENT);
    network_entry_with_nonce(&second, &network, ENTRY_DATASET,
                             who(IDENTITY_CUSTODIAN), 77, OTHER_COMMITMENT);
    snprintf(payload, sizeof payload,
             "{\"certificate\":\"%s\",\"reason\":\"left\"}",
             certificate_id(who(IDENTITY_CUSTODIAN)->certificate));
    make(&revoke, ENTRY_REVOKE, IDENTITY_GOVERNOR, payload);
    CU_ASSERT_EQUAL(network_apply(&node, &first), VERDICT_VALID);
    CU_ASSERT_EQUAL(network_apply(&node, &revoke), VERDICT_VALID);
    CU_ASSERT_EQUAL(network_apply(&node, &second), VERDICT_REVOKED);
    CU_ASSERT_EQUAL(node.outcome.position, 2);
    network_entry_clear(&first);
    network_entry_clear(&revoke);
    network_entry_clear(&second);
    end();
}

static void raft_index_done_already_is_passed_over(void)
{
    const struct executed *executed = NULL;
    struct network_entry first, second;
    struct text batch;
    struct error err;

    begin();
    error_init(&err);
    make(&first, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    make(&second, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    CU_ASSERT_EQUAL(network_apply(&node, &first), VERDICT_VALID);
    text_init(&batch);
    network_batch(&batch, node.time_ms,
                  (const struct network_entry *[]){&second}, 1);
    CU_ASSERT_EQUAL(
        executor_apply(node.executor, 1, text_bytes(&batch), &executed, &err),
        OK);
    CU_ASSERT_EQUAL(executed->count, 0);
    CU_ASSERT_EQUAL(executed->block.size, 1);
    CU_ASSERT_EQUAL(log_size(&node), 1);
    text_clear(&batch);
    network_entry_clear(&first);
    network_entry_clear(&second);
    end();
}

/* ---- what is passed over ---- */

static void what_is_no_batch_is_passed_over(void)
{
    static const uint8_t junk[24] = {1, 2, 3};
    const struct executed *executed = NULL;
    struct error err;

    begin();
    error_init(&err);
    CU_ASSERT_EQUAL(
        executor_apply(node.executor, 9, bytes_of(junk, 24), &executed, &err),
        OK);
    CU_ASSERT_EQUAL(executed->count, 0);
    CU_ASSERT_FALSE(executed->new_block);
    CU_ASSERT_EQUAL(executor_raft_index(node.executor), 9);
    CU_ASSERT_EQUAL(
        executor_apply(node.executor, 10, bytes_of(NULL, 0), &executed, &err),
        OK);
    CU_ASSERT_EQUAL(executor_raft_index(node.executor), 10);
    CU_ASSERT_EQUAL(log_size(&node), 0);
    end();
}

static void spoil(struct text *text, const char *from, const char *to)
{
    char *at = strstr(text->data, from);

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_EQUAL_FATAL(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
}

static void what_is_no_entry_of_this_log_is_passed_over(void)
{
    struct network_entry broken, origin, channel, good;
    const struct executed *executed;

    begin();
    make(&broken, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    make(&origin, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    make(&channel, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    make(&good, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    spoil(&broken.bytes, "{\"author", "[\"author");
    spoil(&origin.bytes, "log.example", "log.elsewhr");
    spoil(&channel.bytes, "\"main\"", "\"maim\"");
    network_entry_sign(&origin, (const struct network_identity *[]){
                                    who(IDENTITY_CUSTODIAN), NULL});
    network_entry_sign(&channel, (const struct network_identity *[]){
                                     who(IDENTITY_CUSTODIAN), NULL});
    executed = network_apply_all(
        &node,
        (const struct network_entry *[]){&broken, &origin, &channel, &good}, 4);
    CU_ASSERT_EQUAL_FATAL(executed->count, 4);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_FALSE(executed->outcome[i].well_formed);
        CU_ASSERT_EQUAL(executed->outcome[i].position, STORE_NONE);
    }
    CU_ASSERT(executed->outcome[3].well_formed);
    CU_ASSERT_EQUAL(executed->outcome[3].position, 0);
    CU_ASSERT_EQUAL(executed->block.entries, 1);
    network_entry_clear(&broken);
    network_entry_clear(&origin);
    network_entry_clear(&channel);
    network_entry_clear(&good);
    end();
}

/* Neither the id nor the nonce is used up by somebody who only copied the
 * entry's bytes. */
static void bad_signature_takes_nothing_from_the_good_one(void)
{
    struct network_entry good, bad;

    begin();
    network_entry_with_nonce(&good, &network, ENTRY_DATASET,
                             who(IDENTITY_CUSTODIAN), 5, COMMITMENT);
    network_entry_with_nonce(&bad, &network, ENTRY_DATASET,
                             who(IDENTITY_CUSTODIAN), 5, OTHER_COMMITMENT);
    text_clear(&bad.bytes);
    CU_ASSERT_EQUAL(text_append(&bad.bytes, good.bytes.data, good.bytes.size,
                                &(struct error){0}),
                    OK);
    CU_ASSERT_EQUAL(network_apply(&node, &bad), VERDICT_BAD_SIGNATURE);
    CU_ASSERT_EQUAL(node.outcome.position, STORE_NONE);
    CU_ASSERT_EQUAL(log_size(&node), 0);
    CU_ASSERT_EQUAL(network_apply(&node, &good), VERDICT_VALID);
    network_entry_clear(&good);
    network_entry_clear(&bad);
    end();
}

/* ---- certificates within a batch ---- */

static void certificates_count_from_the_very_next_entry(void)
{
    struct network_entry before, enrol, after, revoke, late;
    struct network_identity person;
    const struct executed *executed;
    char *pem, payload[128];

    begin();
    network_person_make(&person, &network,
                        (struct network_person){.role = IDENTITY_CUSTODIAN,
                                                .name = "newcomer"});
    pem = network_enrol_payload(&person);
    snprintf(payload, sizeof payload,
             "{\"certificate\":\"%s\",\"reason\":\"left\"}",
             certificate_id(person.certificate));
    network_entry_make(&before, &network, ENTRY_DATASET, &person, COMMITMENT);
    make(&enrol, ENTRY_ENROL, IDENTITY_HOSPITAL_MANAGER, pem);
    network_entry_make(&after, &network, ENTRY_DATASET, &person, COMMITMENT);
    make(&revoke, ENTRY_REVOKE, IDENTITY_HOSPITAL_MANAGER, payload);
    network_entry_make(&late, &network, ENTRY_DATASET, &person, COMMITMENT);
    executed = network_apply_all(&node,
                                 (const struct network_entry *[]){
                                     &before, &enrol, &after, &revoke, &late},
                                 5);
    CU_ASSERT_EQUAL_FATAL(executed->count, 5);
    CU_ASSERT_EQUAL(executed->outcome[0].verdict, VERDICT_UNKNOWN_SIGNER);
    CU_ASSERT_EQUAL(executed->outcome[1].verdict, VERDICT_VALID);
    CU_ASSERT_EQUAL(executed->outcome[2].verdict, VERDICT_VALID);
    CU_ASSERT_EQUAL(executed->outcome[3].verdict, VERDICT_VALID);
    CU_ASSERT_EQUAL(executed->outcome[4].verdict, VERDICT_REVOKED);
    CU_ASSERT_EQUAL(executed->block.entries, 4);
    free(pem);
    network_person_clear(&person);
    network_entry_clear(&before);
    network_entry_clear(&enrol);
    network_entry_clear(&after);
    network_entry_clear(&revoke);
    network_entry_clear(&late);
    end();
}

/* A forged signature of somebody who is enrolled in the same batch. */
static void newcomers_signature_is_verified_too(void)
{
    struct network_entry enrol, forged, other;
    struct network_identity person;
    const struct executed *executed;
    char *pem;

    begin();
    network_person_make(&person, &network,
                        (struct network_person){.role = IDENTITY_CUSTODIAN,
                                                .name = "newcomer"});
    pem = network_enrol_payload(&person);
    make(&enrol, ENTRY_ENROL, IDENTITY_HOSPITAL_MANAGER, pem);
    network_entry_make(&forged, &network, ENTRY_DATASET, &person, COMMITMENT);
    network_entry_make(&other, &network, ENTRY_DATASET, &person, COMMITMENT);
    text_clear(&forged.signatures);
    CU_ASSERT_EQUAL(text_append(&forged.signatures, other.signatures.data,
                                other.signatures.size, &(struct error){0}),
                    OK);
    executed = network_apply_all(
        &node, (const struct network_entry *[]){&enrol, &forged}, 2);
    CU_ASSERT_EQUAL(executed->outcome[0].verdict, VERDICT_VALID);
    CU_ASSERT_EQUAL(executed->outcome[1].verdict, VERDICT_BAD_SIGNATURE);
    free(pem);
    network_person_clear(&person);
    network_entry_clear(&enrol);
    network_entry_clear(&forged);
    network_entry_clear(&other);
    end();
}

/* ---- many batches ---- */

#define BATCHES 12
#define BATCH_OF 9

struct story {
    struct network_entry entry[BATCHES][BATCH_OF];
    struct text batch[BATCHES];
};

/* Valid ones, refused ones, duplicates, conflicts, narrowing ones. */
static void tell(struct story *story)
{
    for (size_t b = 0; b < BATCHES; b++) {
        const struct network_entry *item[BATCH_OF + 2];

        for (size_t i = 0; i < BATCH_OF; i++) {
            static const struct {
                enum entry_type type;
                enum identity_role role;
            } kind[] = {{ENTRY_DATASET, IDENTITY_CUSTODIAN},
                        {ENTRY_WITHDRAW, IDENTITY_PATIENT},
                        {ENTRY_DATASET, IDENTITY_NURSE},
                        {ENTRY_ERASE, IDENTITY_CUSTODIAN},
                        {ENTRY_PERMIT, IDENTITY_BROKER}};
            size_t k = (b + i) % (sizeof kind / sizeof kind[0]);
            uint64_t nonce = 1000 + b * BATCH_OF + i;

            if (i == 4)
                nonce -= 4; /* somebody else's */
            network_entry_with_nonce(&story->entry[b][i], &network,
                                     kind[k].type, who(kind[k].role), nonce,
                                     COMMITMENT);
            item[i] = &story->entry[b][i];
        }
        item[BATCH_OF] = &story->entry[b / 2][3];
        item[BATCH_OF + 1] = &story->entry[b][0];
        text_init(&story->batch[b]);
        /* A clock that goes back now and then. */
        network_batch(&story->batch[b],
                      NETWORK_TIME + (int64_t)(b % 5) * 700 + (int64_t)b, item,
                      BATCH_OF + 2);
    }
}

static void forget(struct story *story)
{
    for (size_t b = 0; b < BATCHES; b++) {
        for (size_t i = 0; i < BATCH_OF; i++)
            network_entry_clear(&story->entry[b][i]);
        text_clear(&story->batch[b]);
    }
}

static void apply_batch(struct network_node *to, const struct story *story,
                        size_t b)
{
    const struct executed *executed;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(executor_apply(to->executor, 10 + b,
                                   text_bytes(&story->batch[b]), &executed,
                                   &err),
                    OK);
}

static void expect_same(struct network_node *a, struct network_node *b)
{
    struct store_difference difference;
    struct digest root_a, root_b;
    uint64_t size_a, size_b;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(ledger_store_compare(a->store, b->store, &difference, &err),
                    OK);
    if (difference.table != NULL)
        fprintf(stderr, "\n  %s: %s\n", difference.table, difference.key);
    CU_ASSERT_PTR_NULL(difference.table);
    executor_tip(a->executor, &size_a, &root_a);
    executor_tip(b->executor, &size_b, &root_b);
    CU_ASSERT_EQUAL(size_a, size_b);
    CU_ASSERT_EQUAL(memcmp(&root_a, &root_b, sizeof root_a), 0);
    CU_ASSERT_EQUAL(executor_raft_index(a->executor),
                    executor_raft_index(b->executor));
}

/* No threads against three; one restarts after each of the given batches and
 * gets some of them a second time. */
static void same_batches_give_the_same_ledger_on_every_node(void)
{
    static struct story story;
    struct network_node other;

    begin();
    tell(&story);
    for (size_t b = 0; b < BATCHES; b++)
        apply_batch(&node, &story, b);
    CU_ASSERT(log_size(&node) > BATCHES);
    for (size_t at = 1; at < BATCHES; at += 3) {
        const char *path = scratch_path(&scratch, "other.db");

        network_node_open(&other, &network, path, 3);
        for (size_t b = 0; b < at; b++)
            apply_batch(&other, &story, b);
        network_node_close(&other);
        network_node_open(&other, &network, path, 1);
        for (size_t b = at / 2; b < BATCHES; b++)
            apply_batch(&other, &story, b);
        expect_same(&node, &other);
        network_node_close(&other);
        unlink(path);
        unlink(scratch_path(&scratch, "other.db-wal"));
        unlink(scratch_path(&scratch, "other.db-shm"));
    }
    forget(&story);
    end();
}

/* leaf = be32(entry size) || entry || SHA-256(signatures) || verdict byte ||
 * be64(block), by hand from what the store gives. */
static void leaf_by_hand(const struct stored_entry *entry, struct digest *hash)
{
    struct digest signatures;
    uint8_t number[8];
    struct text leaf;
    struct error err;

    text_init(&leaf);
    for (int i = 0; i < 4; i++)
        number[i] = (uint8_t)(entry->bytes.size >> (24 - 8 * i));
    CU_ASSERT_EQUAL(text_append(&leaf, number, 4, &err), OK);
    CU_ASSERT_EQUAL(
        text_append(&leaf, entry->bytes.data, entry->bytes.size, &err), OK);
    CU_ASSERT_EQUAL(
        digest_bytes(&signatures, text_bytes(&entry->signatures), &err), OK);
    CU_ASSERT_EQUAL(text_append(&leaf, signatures.byte, 32, &err), OK);
    number[0] = (uint8_t)entry->verdict;
    CU_ASSERT_EQUAL(text_append(&leaf, number, 1, &err), OK);
    for (int i = 0; i < 8; i++)
        number[i] = (uint8_t)(entry->block >> (56 - 8 * i));
    CU_ASSERT_EQUAL(text_append(&leaf, number, 8, &err), OK);
    oracle_leaf(hash, text_bytes(&leaf));
    text_clear(&leaf);
}

static void roots_are_those_of_leaves_built_by_hand(void)
{
    static struct story story;
    static struct digest leaf[BATCHES * BATCH_OF];
    struct stored_entry entry;
    struct digest root, previous = {0};
    struct error err;
    struct block block;
    uint64_t first = 0, time_ms = 0;
    bool found = true;

    begin();
    error_init(&err);
    tell(&story);
    for (size_t b = 0; b < BATCHES; b++)
        apply_batch(&node, &story, b);
    stored_entry_init(&entry);
    for (uint64_t i = 0; i < log_size(&node); i++) {
        CU_ASSERT_EQUAL(ledger_store_entry(node.store, i, &entry, &found, &err),
                        OK);
        CU_ASSERT_FATAL(found && i < sizeof leaf / sizeof *leaf);
        leaf_by_hand(&entry, &leaf[i]);
    }
    for (uint64_t number = 0;; number++) {
        struct digest hash;

        CU_ASSERT_EQUAL(
            ledger_store_block(node.store, number, &block, &hash, &found, &err),
            OK);
        if (!found)
            break;
        CU_ASSERT_EQUAL(block.size, first + block.entries);
        oracle_root(leaf + first, block.entries, &root);
        CU_ASSERT_EQUAL(memcmp(&root, &block.entries_root, sizeof root), 0);
        oracle_root(leaf, block.size, &root);
        CU_ASSERT_EQUAL(memcmp(&root, &block.root, sizeof root), 0);
        if (number == 0)
            previous = network.genesis->digest;
        CU_ASSERT_EQUAL(memcmp(&previous, &block.previous, sizeof previous), 0);
        CU_ASSERT_EQUAL(block.raft_index, 10 + number);
        CU_ASSERT(block.time_ms > time_ms);
        previous = hash;
        time_ms = block.time_ms;
        first = block.size;
    }
    CU_ASSERT_EQUAL(first, log_size(&node));
    stored_entry_clear(&entry);
    forget(&story);
    end();
}

/* ---- crashes ---- */

/* Killed in the middle of a transaction: SIGKILL, so that nothing runs that a
 * crash would not have run. */
static int write_half(void)
{
    struct error err;

    network_node_open(&node, &network, scratch_path(&scratch, "state.db"), 0);
    if (ledger_store_begin(node.store, &err) != OK ||
        ledger_store_put(node.store, "narrowed/north", bytes_of("x", 1), 5,
                         &err) != OK ||
        ledger_store_set_raft_index(node.store, 99, &err) != OK)
        return 1;
    raise(SIGKILL);
    return 1;
}

static void crash_in_the_middle_leaves_all_as_it_was(void)
{
    struct network_entry entry;
    struct text value;
    struct error err;
    uint64_t version;

    begin();
    text_init(&value);
    make(&entry, ENTRY_DATASET, IDENTITY_CUSTODIAN, COMMITMENT);
    CU_ASSERT_EQUAL(network_apply(&node, &entry), VERDICT_VALID);
    network_node_close(&node);
    CU_ASSERT_EQUAL(child_run(write_half), CHILD_KILLED + SIGKILL);
    network_node_open(&node, &network, scratch_path(&scratch, "state.db"), 0);
    CU_ASSERT_EQUAL(log_size(&node), 1);
    CU_ASSERT_EQUAL(executor_raft_index(node.executor), 1);
    CU_ASSERT_EQUAL(
        ledger_store_get(node.store, "narrowed/north", &value, &version, &err),
        OK);
    CU_ASSERT_EQUAL(version, STORE_NONE);
    text_clear(&value);
    network_entry_clear(&entry);
    end();
}

/* ---- blocks of others ---- */

struct pulled {
    struct block block;
    struct stored_entry stored[BATCH_OF + 2];
    struct batch_item item[BATCH_OF + 2];
    uint32_t count;
};

static void pull(struct pulled *pulled, uint64_t number)
{
    struct block *block = &pulled->block;
    struct error err;
    bool found;

    CU_ASSERT_EQUAL(
        ledger_store_block(node.store, number, block, NULL, &found, &err), OK);
    CU_ASSERT_FATAL(found && block->entries <= BATCH_OF + 2);
    pulled->count = block->entries;
    for (uint32_t i = 0; i < pulled->count; i++) {
        stored_entry_init(&pulled->stored[i]);
        CU_ASSERT_EQUAL(ledger_store_entry(node.store,
                                           block->size - block->entries + i,
                                           &pulled->stored[i], &found, &err),
                        OK);
        pulled->item[i].entry = text_bytes(&pulled->stored[i].bytes);
        pulled->item[i].signatures = text_bytes(&pulled->stored[i].signatures);
    }
}

static void let_go(struct pulled *pulled)
{
    for (uint32_t i = 0; i < pulled->count; i++)
        stored_entry_clear(&pulled->stored[i]);
}

static void pulled_blocks_give_the_same_ledger(void)
{
    static struct story story;
    const struct executed *executed;
    struct network_node other;
    struct pulled pulled;
    struct error err;

    begin();
    error_init(&err);
    tell(&story);
    for (size_t b = 0; b < BATCHES; b++)
        apply_batch(&node, &story, b);
    network_node_open(&other, &network, scratch_path(&scratch, "other.db"), 0);
    for (uint64_t number = 0; number < BATCHES; number++) {
        pull(&pulled, number);
        CU_ASSERT_EQUAL(executor_replay(other.executor, &pulled.block,
                                        pulled.item, pulled.count, &executed,
                                        &err),
                        OK);
        let_go(&pulled);
        /* Raft brings the batches, too, sooner or later. */
        apply_batch(&other, &story, number);
    }
    expect_same(&node, &other);
    network_node_close(&other);
    forget(&story);
    end();
}

/* Each field of the header, and the entries. */
static void alter(struct pulled *pulled, unsigned what)
{
    struct block *block = &pulled->block;

    switch (what) {
    case 0:
        block->number++;
        break;
    case 1:
        block->previous.byte[31] ^= 1;
        break;
    case 2:
        block->entries--;
        break;
    case 3:
        block->bytes++;
        break;
    case 4:
        block->entries_root.byte[0] ^= 1;
        break;
    case 5:
        block->size++;
        break;
    case 6:
        block->root.byte[0] ^= 1;
        break;
    case 7:
        block->time_ms = (uint64_t)NETWORK_TIME - 1;
        break;
    case 8:
        block->raft_index = 10;
        break;
    case 9: /* one left out */
        block->entries--;
        pulled->count--;
        break;
    case 10: /* two swapped */
        pulled->item[0] = pulled->item[1];
        pulled->item[1].entry = text_bytes(&pulled->stored[0].bytes);
        pulled->item[1].signatures = text_bytes(&pulled->stored[0].signatures);
        break;
    case 11: /* one twice */
        pulled->item[0] = pulled->item[1];
        break;
    case 12: /* none */
        block->entries = 0;
        pulled->count = 0;
        break;
    case 13:
        block->time_ms = UINT64_MAX;
        break;
    case 14: /* a signature of another entry */
        pulled->item[0].signatures = pulled->item[1].signatures;
        break;
    default:
        CU_FAIL_FATAL("no such alteration");
    }
}

static void altered_block_is_refused_and_changes_nothing(void)
{
    static struct story story;
    const struct executed *executed;
    struct network_node other;
    struct pulled pulled;

    begin();
    tell(&story);
    for (size_t b = 0; b < 2; b++)
        apply_batch(&node, &story, b);
    network_node_open(&other, &network, scratch_path(&scratch, "other.db"), 0);
    apply_batch(&other, &story, 0);
    for (unsigned what = 0; what < 15; what++) {
        uint64_t size = log_size(&other);
        uint32_t count;
        struct error err;

        error_init(&err);
        pull(&pulled, 1);
        count = pulled.count;
        alter(&pulled, what);
        CU_ASSERT_EQUAL(executor_replay(other.executor, &pulled.block,
                                        pulled.item, pulled.count, &executed,
                                        &err),
                        E_INPUT);
        CU_ASSERT_STRING_NOT_EQUAL(err.text, "");
        CU_ASSERT_EQUAL(log_size(&other), size);
        CU_ASSERT_EQUAL(executor_raft_index(other.executor), 10);
        pulled.count = count;
        let_go(&pulled);
    }
    /* And the right one is the next still. */
    apply_batch(&other, &story, 1);
    expect_same(&node, &other);
    network_node_close(&other);
    forget(&story);
    end();
}

void suite_executor(void)
{
    static const struct test tests[] = {
        {"same entry again gets the first answer",
         same_entry_again_gets_the_first_answer},
        {"same nonce with other content is a conflict",
         same_nonce_with_other_content_is_a_conflict},
        {"taken nonce of a revoked signer stops nobody",
         taken_nonce_of_a_revoked_signer_stops_nobody},
        {"raft index done already is passed over",
         raft_index_done_already_is_passed_over},
        {"what is no batch is passed over", what_is_no_batch_is_passed_over},
        {"what is no entry of this log is passed over",
         what_is_no_entry_of_this_log_is_passed_over},
        {"bad signature takes nothing from the good one",
         bad_signature_takes_nothing_from_the_good_one},
        {"certificates count from the very next entry",
         certificates_count_from_the_very_next_entry},
        {"newcomer's signature is verified, too",
         newcomers_signature_is_verified_too},
        {"same batches give the same ledger on every node",
         same_batches_give_the_same_ledger_on_every_node},
        {"roots are those of leaves built by hand",
         roots_are_those_of_leaves_built_by_hand},
        {"crash in the middle leaves all as it was",
         crash_in_the_middle_leaves_all_as_it_was},
        {"pulled blocks give the same ledger",
         pulled_blocks_give_the_same_ledger},
        {"altered block is refused and changes nothing",
         altered_block_is_refused_and_changes_nothing},
    };

    suite_add("executor", tests, sizeof tests / sizeof tests[0]);
}
