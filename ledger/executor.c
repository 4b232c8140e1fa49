#include "ledger/executor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/merkle.h"
#include "ledger/block.h"
#include "ledger/rules.h"

/* One item of a batch on its way. */
struct item {
    struct entry entry;
    bool well_formed;
    const struct public_key *key[ENTRY_SIGNATURES_MAX]; /* NULL: unknown */
    bool signatures_hold;                               /* those with a key */
    enum status failure;                                /* of this node */
};

/* All that a batch changes; becomes the executor's when it is committed. */
struct tip {
    struct merkle_tree tree;
    struct block block;
    struct digest block_hash;
    bool has_block;
    uint64_t raft_index;
};

struct executor {
    const struct genesis *genesis;
    struct ledger_store *store;
    struct crew *crew;
    struct registry *registry;
    struct tip tip;
    const struct batch *batch; /* while it is read */
    struct item item[BATCH_ENTRIES_MAX];
    struct batch_item replayed[BATCH_ENTRIES_MAX];
    struct outcome outcome[BATCH_ENTRIES_MAX];
    struct executed executed;
    struct text leaf;
};

/* ---- opening ---- */

/* Numbers that our own arithmetic cannot have led to, and that would lead it
 * astray. */
static bool plausible(const struct tip *tip)
{
    return tip->block.number <= BATCH_TIME_MAX &&
           tip->block.time_ms <= 2 * BATCH_TIME_MAX &&
           tip->block.raft_index <= tip->raft_index;
}

static enum status load_tip(struct executor *executor, struct error *err)
{
    struct tip *tip = &executor->tip;
    struct digest root;
    enum status status =
        ledger_store_raft_index(executor->store, &tip->raft_index, err);

    merkle_tree_init(&tip->tree);
    if (status == OK)
        status = ledger_store_tip(executor->store, &tip->block,
                                  &tip->block_hash, &tip->has_block, err);
    if (status != OK || !tip->has_block)
        return status;
    status = merkle_tree_load(&tip->tree, tip->block.size,
                              ledger_store_get_node, executor->store, err);
    if (status != OK)
        return status;
    merkle_root(&tip->tree, &root);
    if (!plausible(tip) || memcmp(&root, &tip->block.root, sizeof root) != 0)
        return error_set(err, E_INPUT,
                         "the log's tree and raft index are not those that its "
                         "last block names; the database was altered");
    return OK;
}

enum status executor_create(struct executor **out,
                            const struct genesis *genesis,
                            struct ledger_store *store, struct crew *crew,
                            struct error *err)
{
    struct executor *executor = calloc(1, sizeof *executor);
    enum status status;

    *out = NULL;
    if (executor == NULL)
        return error_memory(err, "the executor");
    executor->genesis = genesis;
    executor->store = store;
    executor->crew = crew;
    executor->executed.outcome = executor->outcome;
    text_init(&executor->leaf);
    status = registry_create(&executor->registry, genesis, store, err);
    if (status == OK)
        status = load_tip(executor, err);
    if (status != OK)
        executor_destroy(&executor);
    *out = executor;
    return status;
}

void executor_destroy(struct executor **executor)
{
    if (*executor == NULL)
        return;
    registry_destroy(&(*executor)->registry);
    text_clear(&(*executor)->leaf);
    free(*executor);
    *executor = NULL;
}

/* ---- reading a batch ---- */

static void parse_task(void *context, size_t index)
{
    struct executor *executor = context;
    struct item *item = &executor->item[index];
    const struct genesis *genesis = executor->genesis;
    struct error reason;
    enum status status;

    error_init(&reason);
    status = entry_parse(&item->entry, executor->batch->item[index].entry,
                         executor->batch->item[index].signatures, &reason);
    item->well_formed = status == OK;
    if (rules_own_failure(status))
        item->failure = status;
    if (status == OK && (strcmp(item->entry.origin, genesis->origin) != 0 ||
                         strcmp(item->entry.channel, genesis->channel) != 0)) {
        entry_clear(&item->entry);
        item->well_formed = false;
    }
}

static enum status find_key(struct executor *executor, struct item *item,
                            size_t at, struct error *err)
{
    const struct registered *found = NULL;
    enum status status = registry_find(
        executor->registry, item->entry.signature[at].by, &found, err);

    if (status == OK && found != NULL)
        item->key[at] = certificate_key(found->certificate);
    return status;
}

static void verify(struct item *item, size_t at)
{
    const struct entry_signature *signature = &item->entry.signature[at];
    struct error reason;
    enum status status;

    error_init(&reason);
    status =
        public_key_verify(item->key[at], item->entry.bytes,
                          bytes_of(signature->bytes, signature->size), &reason);
    item->signatures_hold &= status == OK;
    if (rules_own_failure(status))
        item->failure = status;
}

static void verify_task(void *context, size_t index)
{
    struct item *item = &((struct executor *)context)->item[index];

    if (!item->well_formed)
        return;
    item->signatures_hold = true;
    for (size_t i = 0; i < item->entry.signature_count; i++)
        if (item->key[i] != NULL)
            verify(item, i);
}

static enum status check_failure(const struct item *item, struct error *err)
{
    if (item->failure == OK)
        return OK;
    return error_set(err, item->failure,
                     "an entry could not be read or its signatures not be "
                     "verified: %s",
                     status_words(item->failure));
}

/* Forms and signatures, on all threads; in between the keys, on this one. */
static enum status read_items(struct executor *executor,
                              const struct batch *batch, struct error *err)
{
    enum status status = OK;

    for (uint32_t i = 0; i < batch->count; i++)
        executor->item[i] = (struct item){0};
    executor->batch = batch;
    crew_run(executor->crew, batch->count, parse_task, executor);
    for (uint32_t i = 0; status == OK && i < batch->count; i++) {
        struct item *item = &executor->item[i];

        status = check_failure(item, err);
        if (!item->well_formed)
            continue;
        for (size_t at = 0; status == OK && at < item->entry.signature_count;
             at++)
            status = find_key(executor, item, at, err);
    }
    if (status == OK)
        crew_run(executor->crew, batch->count, verify_task, executor);
    for (uint32_t i = 0; status == OK && i < batch->count; i++)
        status = check_failure(&executor->item[i], err);
    return status;
}

/* A signer enrolled by an entry before it in the same batch was unknown when
 * the batch was read. */
static enum status verify_rest(struct executor *executor, struct item *item,
                               struct error *err)
{
    for (size_t i = 0; i < item->entry.signature_count; i++) {
        if (item->key[i] != NULL)
            continue;
        if (find_key(executor, item, i, err) != OK)
            return err->status;
        if (item->key[i] != NULL)
            verify(item, i);
    }
    return check_failure(item, err);
}

static void clear_items(struct executor *executor, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (executor->item[i].well_formed)
            entry_clear(&executor->item[i].entry);
    executor->batch = NULL;
}

/* ---- executing it ---- */

/* The answer of the first time, if there was one. */
static enum status find_before(struct executor *executor,
                               struct outcome *outcome, struct error *err)
{
    struct stored_answer answer;
    enum status status =
        ledger_store_answer(executor->store, &outcome->id, &answer, err);

    if (status != OK)
        return status;
    outcome->seen_before = answer.position != STORE_NONE;
    outcome->position = answer.position;
    outcome->verdict = answer.verdict;
    outcome->block = answer.block;
    return OK;
}

static enum status append_leaf(struct executor *executor, struct tip *tip,
                               struct merkle_tree *block_tree,
                               const struct entry *entry,
                               struct outcome *outcome, struct error *err)
{
    enum status status;

    text_reset(&executor->leaf);
    status = entry_leaf(entry->bytes, entry->signature_bytes, outcome->verdict,
                        outcome->block, &executor->leaf, err);
    if (status != OK)
        return status;
    merkle_leaf(&outcome->leaf, text_bytes(&executor->leaf));
    status = merkle_append(block_tree, &outcome->leaf, NULL, NULL, err);
    if (status == OK)
        status = merkle_append(&tip->tree, &outcome->leaf,
                               ledger_store_put_node, executor->store, err);
    return status;
}

/* What whoever keeps certificates at hand must know. */
static void note_identity(const struct entry *entry, struct outcome *outcome)
{
    outcome->changes_identities =
        entry->type == ENTRY_ENROL || entry->type == ENTRY_REVOKE;
    if (entry->type == ENTRY_REVOKE)
        memcpy(outcome->revoked,
               json_string(json_member(entry->payload, "certificate")),
               CERTIFICATE_ID_SIZE);
}

/* A new entry with its verdict, and what it changes. */
static enum status add_entry(struct executor *executor, struct tip *tip,
                             struct merkle_tree *block_tree,
                             const struct rules_context *context,
                             const struct entry *entry, struct outcome *outcome,
                             struct error *err)
{
    struct new_entry row = {.position = tip->tree.size,
                            .id = &entry->id,
                            .nonce = entry->nonce,
                            .bytes = entry->bytes,
                            .signatures = entry->signature_bytes,
                            .verdict = outcome->verdict,
                            .block = tip->block.number};
    enum status status = OK;

    outcome->position = row.position;
    outcome->block = row.block;
    if (outcome->verdict == VERDICT_VALID)
        status = rules_apply(context, entry, err);
    if (status == OK)
        status = ledger_store_add_entry(executor->store, &row, err);
    if (status == OK && outcome->verdict == VERDICT_VALID)
        note_identity(entry, outcome);
    if (status == OK)
        status = append_leaf(executor, tip, block_tree, entry, outcome, err);
    tip->block.entries++;
    tip->block.bytes += entry->bytes.size + entry->signature_bytes.size;
    return status;
}

static enum status execute_item(struct executor *executor, struct tip *tip,
                                struct merkle_tree *block_tree,
                                struct item *item, struct outcome *outcome,
                                struct error *err)
{
    struct entry *entry = &item->entry;
    struct rules_context context = {.genesis = executor->genesis,
                                    .registry = executor->registry,
                                    .store = executor->store,
                                    .position = tip->tree.size,
                                    .time_ms = tip->block.time_ms};
    enum status status;

    *outcome = (struct outcome){.position = STORE_NONE,
                                .well_formed = item->well_formed};
    if (!item->well_formed)
        return OK;
    outcome->id = entry->id;
    status = find_before(executor, outcome, err);
    if (status != OK || outcome->seen_before)
        return status;
    status = verify_rest(executor, item, err);
    if (status == OK)
        status = rules_judge(&context, entry, item->signatures_hold,
                             &outcome->verdict, err);
    if (status != OK || outcome->verdict == VERDICT_UNKNOWN_SIGNER ||
        outcome->verdict == VERDICT_BAD_SIGNATURE)
        return status;
    return add_entry(executor, tip, block_tree, &context, entry, outcome, err);
}

/* The block that a batch will become, if anything in it is new. */
static void begin_block(const struct executor *executor, struct tip *tip,
                        uint64_t time_ms, uint64_t raft_index)
{
    const struct tip *last = &executor->tip;

    *tip = *last;
    tip->raft_index = raft_index;
    tip->block = (struct block){.time_ms = time_ms, .raft_index = raft_index};
    tip->block.previous =
        last->has_block ? last->block_hash : executor->genesis->digest;
    if (!last->has_block)
        return;
    tip->block.number = last->block.number + 1;
    if (time_ms <= last->block.time_ms)
        tip->block.time_ms = last->block.time_ms + 1;
}

static enum status end_block(struct executor *executor, struct tip *tip,
                             const struct merkle_tree *block_tree,
                             struct error *err)
{
    if (tip->block.entries == 0) {
        tip->block = executor->tip.block;
        return OK;
    }
    tip->block.size = tip->tree.size;
    merkle_root(block_tree, &tip->block.entries_root);
    merkle_root(&tip->tree, &tip->block.root);
    block_hash(&tip->block, &tip->block_hash);
    tip->has_block = true;
    return ledger_store_add_block(executor->store, &tip->block,
                                  &tip->block_hash, err);
}

/* Inside the transaction; *tip is what the executor becomes with it. */
static enum status execute_batch(struct executor *executor, uint64_t raft_index,
                                 const struct batch *batch, struct tip *tip,
                                 struct error *err)
{
    struct merkle_tree block_tree;
    enum status status;

    merkle_tree_init(&block_tree);
    begin_block(executor, tip, batch->time_ms, raft_index);
    status = read_items(executor, batch, err);
    for (uint32_t i = 0; status == OK && i < batch->count; i++)
        status = execute_item(executor, tip, &block_tree, &executor->item[i],
                              &executor->outcome[i], err);
    if (status == OK)
        status = end_block(executor, tip, &block_tree, err);
    if (status == OK)
        status = ledger_store_set_raft_index(executor->store, raft_index, err);
    clear_items(executor, batch->count);
    return status;
}

static enum status compare_headers(const struct block *expected,
                                   const struct block *got, struct error *err)
{
    uint8_t a[BLOCK_HEADER_SIZE], b[BLOCK_HEADER_SIZE];

    block_encode(expected, a);
    block_encode(got, b);
    if (memcmp(a, b, sizeof a) == 0)
        return OK;
    return error_set(
        err, E_INPUT, "executed again, it has another %s than its header says",
        got->entries != expected->entries || got->bytes != expected->bytes
            ? "number or size of entries"
        : got->time_ms != expected->time_ms ? "time"
        : memcmp(&got->entries_root, &expected->entries_root,
                 sizeof got->entries_root) != 0
            ? "root of its entries"
            : "size or root of the log");
}

/* One transaction: all of it or nothing.  `expected` is NULL, or what must come
 * out. */
static enum status execute(struct executor *executor, uint64_t raft_index,
                           const struct batch *batch,
                           const struct block *expected, struct error *err)
{
    struct executed *executed = &executor->executed;
    struct tip tip = executor->tip;
    enum status status;

    registry_trim(executor->registry);
    status = ledger_store_begin(executor->store, err);
    if (status == OK)
        status = execute_batch(executor, raft_index, batch, &tip, err);
    if (status == OK) {
        executed->count = batch->count;
        executed->new_block = tip.tree.size > executor->tip.tree.size;
        executed->block = tip.block;
    }
    if (status == OK && expected != NULL)
        status = compare_headers(expected, &tip.block, err);
    if (status == OK)
        status = ledger_store_commit(executor->store, err);
    if (status == OK) {
        executor->tip = tip;
        return OK;
    }
    ledger_store_rollback(executor->store);
    /* What was enrolled or revoked in it is not so. */
    registry_reset(executor->registry);
    return status;
}

static void nothing_executed(struct executor *executor)
{
    executor->executed.count = 0;
    executor->executed.new_block = false;
    executor->executed.block = executor->tip.block;
}

enum status executor_apply(struct executor *executor, uint64_t raft_index,
                           struct bytes bytes, const struct executed **executed,
                           struct error *err)
{
    struct batch batch = {0};
    struct error reason;
    enum status status;

    nothing_executed(executor);
    *executed = &executor->executed;
    if (raft_index <= executor->tip.raft_index)
        return OK;
    error_init(&reason);
    /* A batch that is none is passed over on all nodes; only a leader with
     * other code could have proposed it. */
    if (batch_parse(&batch, bytes, &reason) != OK && reason.status != E_INPUT) {
        *err = reason;
        return err->status;
    }
    status = execute(executor, raft_index, &batch, NULL, err);
    if (status != OK)
        nothing_executed(executor);
    batch_clear(&batch);
    return status;
}

/* Is it the block behind the last one? */
static enum status check_next(const struct executor *executor,
                              const struct block *block, uint32_t count,
                              struct error *err)
{
    const struct tip *tip = &executor->tip;
    const struct digest *previous =
        tip->has_block ? &tip->block_hash : &executor->genesis->digest;

    if (block->number != (tip->has_block ? tip->block.number + 1 : 0))
        return error_set(err, E_INPUT, "it is not the next one");
    if (memcmp(&block->previous, previous, sizeof *previous) != 0)
        return error_set(err, E_INPUT,
                         "it does not follow the block before it");
    if (block->raft_index <= tip->raft_index)
        return error_set(err, E_INPUT, "its raft index is not a later one");
    if (block->entries != count || count < 1 || count > BATCH_ENTRIES_MAX)
        return error_set(err, E_INPUT,
                         "it has an impossible number of entries");
    if (block->time_ms > 2 * BATCH_TIME_MAX)
        return error_set(err, E_INPUT, "it is of an impossible time");
    return OK;
}

enum status executor_replay(struct executor *executor,
                            const struct block *block,
                            const struct batch_item *item, uint32_t count,
                            const struct executed **executed, struct error *err)
{
    struct batch batch = {.time_ms = block->time_ms, .count = count};
    enum status status;

    nothing_executed(executor);
    *executed = &executor->executed;
    status = check_next(executor, block, count, err);
    if (status != OK)
        return status;
    memcpy(executor->replayed, item, count * sizeof *item);
    batch.item = executor->replayed;
    return execute(executor, block->raft_index, &batch, block, err);
}

void executor_tip(const struct executor *executor, uint64_t *size,
                  struct digest *root)
{
    *size = executor->tip.tree.size;
    merkle_root(&executor->tip.tree, root);
}

uint64_t executor_raft_index(const struct executor *executor)
{
    return executor->tip.raft_index;
}

bool executor_block(const struct executor *executor, struct block *block,
                    struct digest *hash)
{
    *block = executor->tip.block;
    *hash = executor->tip.block_hash;
    return executor->tip.has_block;
}
