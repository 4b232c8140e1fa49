#include "ledger/audit.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/merkle.h"
#include "common/note.h"
#include "ledger/executor.h"
#include "ledger/ledger_store.h"

struct audit {
    struct audit_result *result;
    const struct genesis *genesis;
    struct ledger_store *store;   /* the node's */
    struct ledger_store *scratch; /* ours */
    struct executor *executor;
    struct text note;        /* of the newest anchored checkpoint */
    uint64_t anchored;       /* the size that the store gives for it */
    bool anchored_ends_here; /* some block ends at that size */
};

/* Only the first finding counts: what follows may be its consequence. */
static void __attribute__((format(printf, 4, 5)))
find(struct audit *audit, uint64_t block, uint64_t position, const char *format,
     ...)
{
    struct audit_result *result = audit->result;
    va_list args;

    if (!result->good)
        return;
    result->good = false;
    result->bad_block = block;
    result->bad_position = position;
    va_start(args, format);
    vsnprintf(result->finding, sizeof result->finding, format, args);
    va_end(args);
}

/* What the database itself says is wrong is a finding, not a failure. */
static enum status finding_or_error(struct audit *audit, uint64_t block,
                                    uint64_t position, enum status status,
                                    const struct error *err)
{
    if (status != E_INPUT && status != E_LIMIT)
        return status;
    find(audit, block, position, "%s", err->text);
    return OK;
}

/* ---- one block ---- */

static void find_entry(struct audit *audit, uint64_t number, uint64_t position,
                       const char *what)
{
    find(audit, number, position, "block %ju: entry %ju: %s", (uintmax_t)number,
         (uintmax_t)position, what);
}

/* The entries from `first` on, as a batch. */
static enum status collect(struct audit *audit, const struct block *block,
                           uint64_t first, struct text *batch,
                           struct error *err)
{
    struct stored_entry entry;
    enum status status = batch_begin(batch, err);

    stored_entry_init(&entry);
    for (uint64_t at = first;
         status == OK && audit->result->good && at < block->size; at++) {
        bool found;

        status = finding_or_error(
            audit, block->number, at,
            ledger_store_entry(audit->store, at, &entry, &found, err), err);
        if (status != OK || !audit->result->good)
            break;
        if (!found)
            find_entry(audit, block->number, at, "is missing");
        else if (entry.block != block->number)
            find_entry(audit, block->number, at,
                       "says that it is of another block");
        else
            status =
                finding_or_error(audit, block->number, at,
                                 batch_add(batch, text_bytes(&entry.bytes),
                                           text_bytes(&entry.signatures), err),
                                 err);
    }
    stored_entry_clear(&entry);
    /* The block's own time counts, not the batch's. */
    if (status == OK)
        status = batch_end(batch, 0, block->entries, err);
    return status;
}

/* What the execution found against what is stored; NULL if nothing. */
static const char *compare_entry(const struct outcome *outcome,
                                 const struct stored_entry *stored,
                                 const struct digest *leaf)
{
    if (!outcome->well_formed)
        return "its bytes and signatures are not those of an entry of this "
               "log";
    if (memcmp(&outcome->id, &stored->id, sizeof stored->id) != 0)
        return "its bytes do not have the id that is stored";
    if (outcome->seen_before)
        return "it stands in the log a second time";
    if (outcome->verdict == VERDICT_UNKNOWN_SIGNER)
        return "a signer has no enrolled certificate";
    if (outcome->verdict == VERDICT_BAD_SIGNATURE)
        return "a signature does not hold";
    if (outcome->verdict != stored->verdict)
        return "another verdict is stored than the rules give";
    if (memcmp(&outcome->leaf, leaf, sizeof *leaf) != 0)
        return "its leaf in the tree was made of something else";
    return NULL;
}

static enum status compare_entries(struct audit *audit,
                                   const struct block *block, uint64_t first,
                                   const struct executed *executed,
                                   struct error *err)
{
    struct stored_entry stored;
    enum status status = OK;

    stored_entry_init(&stored);
    for (uint32_t i = 0;
         status == OK && audit->result->good && i < executed->count; i++) {
        uint64_t position = first + i;
        struct digest leaf;
        const char *what;
        bool found = false;

        status =
            ledger_store_entry(audit->store, position, &stored, &found, err);
        if (status == OK)
            status =
                ledger_store_get_node(audit->store, 0, position, &leaf, err);
        if (status == E_INPUT)
            find(audit, block->number, position, "block %ju: entry %ju: %s",
                 (uintmax_t)block->number, (uintmax_t)position, err->text);
        if (status != OK)
            break;
        assert(found); /* collect() has read it, and we see one state */
        what = compare_entry(&executed->outcome[i], &stored, &leaf);
        if (what != NULL)
            find_entry(audit, block->number, position, what);
    }
    stored_entry_clear(&stored);
    return status == E_INPUT ? OK : status;
}

/* Execute it, name the entry that is not what it should be, or else the
 * block. */
static enum status replay(struct audit *audit, const struct block *block,
                          uint64_t first, struct bytes bytes, struct error *err)
{
    const struct executed *executed = NULL;
    struct batch batch;
    struct error refusal;
    enum status status = batch_parse(&batch, bytes, err);

    assert(status != E_INPUT); /* collect() wrote it */
    if (status != OK)
        return status;
    error_init(&refusal);
    status = executor_replay(audit->executor, block, batch.item, batch.count,
                             &executed, &refusal);
    batch_clear(&batch);
    if (status != OK && status != E_INPUT) {
        *err = refusal;
        return status;
    }
    if (compare_entries(audit, block, first, executed, err) != OK)
        return err->status;
    if (status == E_INPUT)
        find(audit, block->number, STORE_NONE, "block %ju: %s",
             (uintmax_t)block->number, refusal.text);
    return OK;
}

static enum status audit_block(struct audit *audit, const struct block *block,
                               uint64_t first, struct error *err)
{
    struct text batch;
    enum status status;

    if (block->entries < 1 || block->entries > BATCH_ENTRIES_MAX ||
        block->size != first + block->entries) {
        find(audit, block->number, STORE_NONE,
             "block %ju: its header has an impossible number of entries",
             (uintmax_t)block->number);
        return OK;
    }
    text_init(&batch);
    status = collect(audit, block, first, &batch, err);
    if (status == OK && audit->result->good)
        status = replay(audit, block, first, text_bytes(&batch), err);
    text_clear(&batch);
    if (status != OK || !audit->result->good)
        return status;
    audit->result->entries = block->size;
    audit->result->blocks = block->number + 1;
    audit->anchored_ends_here |= block->size == audit->anchored;
    return OK;
}

/* There is no block of this number: is there one behind it? */
static enum status audit_end(struct audit *audit, uint64_t number,
                             struct error *err)
{
    struct block tip;
    bool found = false;
    enum status status =
        ledger_store_tip(audit->store, &tip, NULL, &found, err);

    if (status == E_INPUT || (status == OK && found && tip.number > number))
        find(audit, number, STORE_NONE, "block %ju is missing",
             (uintmax_t)number);
    return status;
}

static enum status audit_blocks(struct audit *audit, struct error *err)
{
    enum status status = OK;

    for (uint64_t number = 0; status == OK && audit->result->good; number++) {
        struct block block;
        bool found = false;

        status =
            ledger_store_block(audit->store, number, &block, NULL, &found, err);
        if (status == E_INPUT)
            find(audit, number, STORE_NONE, "block %ju: %s", (uintmax_t)number,
                 err->text);
        if (status == OK && !found)
            return finding_or_error(audit, number, STORE_NONE,
                                    audit_end(audit, number, err), err);
        if (status == OK)
            status = audit_block(audit, &block, audit->result->entries, err);
    }
    return status == E_INPUT ? OK : status;
}

/* ---- what is not in blocks ---- */

static enum status audit_tables(struct audit *audit, struct error *err)
{
    struct store_difference difference;
    enum status status =
        ledger_store_compare(audit->store, audit->scratch, &difference, err);

    if (status == OK && difference.table != NULL)
        find(audit,
             strcmp(difference.table, "block") == 0 ? difference.number
                                                    : STORE_NONE,
             strcmp(difference.table, "entry") == 0 ? difference.number
                                                    : STORE_NONE,
             "table %s: row %s is not what the log's entries make of it",
             difference.table, difference.key);
    return finding_or_error(audit, STORE_NONE, STORE_NONE, status, err);
}

/* The root of the first `size` leaves, from our own tree. */
static enum status root_at(struct audit *audit, uint64_t size,
                           struct digest *root, struct error *err)
{
    struct merkle_tree tree;
    enum status status;

    if (size > audit->result->entries)
        return error_set(err, E_INPUT, "is of more entries than the log has");
    status = merkle_tree_load(&tree, size, ledger_store_get_node,
                              audit->scratch, err);
    if (status == OK)
        merkle_root(&tree, root);
    return status;
}

/* What this node says that it was told and did. */
static enum status audit_meta(struct audit *audit, struct error *err)
{
    struct digest genesis, cosigned, root;
    uint64_t raft_index = 0, size = 0;
    enum status status = ledger_store_genesis(audit->store, &genesis, err);

    if (status == OK &&
        memcmp(&genesis, &audit->genesis->digest, sizeof genesis) != 0)
        status = error_set(err, E_INPUT,
                           "table meta: row genesis is of another network");
    if (status == OK)
        status = ledger_store_raft_index(audit->store, &raft_index, err);
    if (status == OK && raft_index < executor_raft_index(audit->executor))
        status = error_set(err, E_INPUT,
                           "table meta: row raft is behind the last block");
    if (status == OK)
        status = ledger_store_cosigned(audit->store, &size, &cosigned, err);
    if (status != OK || size == 0)
        return status;
    if (root_at(audit, size, &root, err) != OK)
        return error_wrap(err, "table meta: row cosigned");
    if (memcmp(&cosigned, &root, sizeof root) != 0)
        return error_set(err, E_INPUT,
                         "table meta: row cosigned has another root than the "
                         "log");
    return OK;
}

static enum status count_cosigners(struct audit *audit, const struct note *note,
                                   struct error *err)
{
    struct note_verifier verifier[GENESIS_NODES_MAX];
    bool signed_by[GENESIS_NODES_MAX];
    const struct genesis *genesis = audit->genesis;
    size_t good = 0;

    for (size_t i = 0; i < genesis->node_count; i++)
        verifier[i] = genesis->node[i].cosigner;
    if (note_verify(note, verifier, genesis->node_count, signed_by, NULL,
                    err) != OK)
        return err->status;
    for (size_t i = 0; i < genesis->node_count; i++)
        good += signed_by[i];
    if (good < genesis_quorum(genesis))
        return error_set(err, E_INPUT, "has %zu good cosignatures of %zu", good,
                         genesis_quorum(genesis));
    return OK;
}

static enum status check_note(struct audit *audit, struct error *err)
{
    struct checkpoint checkpoint;
    struct digest root;
    struct note note;
    enum status status = note_parse(&note, text_bytes(&audit->note), err);

    if (status == OK)
        status = checkpoint_parse(&checkpoint, note.text, err);
    if (status != OK)
        return status;
    if (strcmp(checkpoint.origin, audit->genesis->origin) != 0)
        return error_set(err, E_INPUT, "is for another log");
    if (checkpoint.size != audit->anchored)
        return error_set(err, E_INPUT, "has another size in its note");
    status = count_cosigners(audit, &note, err);
    if (status == OK)
        status = root_at(audit, checkpoint.size, &root, err);
    if (status == OK && memcmp(&root, &checkpoint.root, sizeof root) != 0)
        status = error_set(err, E_INPUT, "has another root than the log");
    if (status == OK && !audit->anchored_ends_here)
        status = error_set(err, E_INPUT, "is not for the end of a block");
    return status;
}

static enum status audit_checkpoint(struct audit *audit, struct error *err)
{
    enum status status;

    if (audit->note.size == 0 && audit->anchored == 0)
        return OK;
    status = check_note(audit, err);
    if (status == OK)
        audit->result->anchored = audit->anchored;
    if (status == E_INPUT || status == E_LIMIT || status == E_REFUSED) {
        find(audit, STORE_NONE, STORE_NONE,
             "table checkpoint: the one of size %ju %s",
             (uintmax_t)audit->anchored, err->text);
        return OK;
    }
    return status;
}

/* ---- all of it ---- */

static enum status open_both(struct audit *audit, const char *database,
                             const char *scratch, struct crew *crew,
                             struct error *err)
{
    enum status status = ledger_store_open_reader(&audit->store, database, err);

    /* One state of a ledger that may be growing. */
    if (status == OK)
        status = ledger_store_begin(audit->store, err);
    if (status == OK)
        status = ledger_store_open(&audit->scratch, scratch,
                                   &audit->genesis->digest, err);
    if (status == OK)
        status = ledger_store_spare_disk(audit->scratch, err);
    if (status == OK)
        status = executor_create(&audit->executor, audit->genesis,
                                 audit->scratch, crew, err);
    if (status == OK && executor_raft_index(audit->executor) > 0)
        status =
            error_set(err, E_INPUT, "%s: something is there already", scratch);
    return status;
}

static enum status audit_all(struct audit *audit, struct error *err)
{
    enum status status =
        finding_or_error(audit, STORE_NONE, STORE_NONE,
                         ledger_store_anchored(audit->store, &audit->anchored,
                                               &audit->note, err),
                         err);

    if (status == OK && audit->result->good)
        status = audit_blocks(audit, err);
    if (status == OK && audit->result->good)
        status = audit_tables(audit, err);
    if (status == OK && audit->result->good)
        status = finding_or_error(audit, STORE_NONE, STORE_NONE,
                                  audit_meta(audit, err), err);
    if (status == OK && audit->result->good)
        status = audit_checkpoint(audit, err);
    if (status == OK && audit->result->good)
        status = finding_or_error(audit, STORE_NONE, STORE_NONE,
                                  ledger_store_check(audit->store, err), err);
    return status;
}

enum status audit_run(struct audit_result *result,
                      const struct genesis *genesis, const char *database,
                      const char *scratch, struct crew *crew, struct error *err)
{
    struct audit audit = {.result = result, .genesis = genesis};
    struct error reason;
    enum status status;

    *result = (struct audit_result){
        .good = true, .bad_block = STORE_NONE, .bad_position = STORE_NONE};
    error_init(&reason);
    text_init(&audit.note);
    status = open_both(&audit, database, scratch, crew, &reason);
    if (status == OK)
        status = audit_all(&audit, &reason);
    if (status != OK)
        *err = reason;
    executor_destroy(&audit.executor);
    ledger_store_close(&audit.scratch);
    ledger_store_close(&audit.store);
    text_clear(&audit.note);
    return status;
}
