#include "ledger/reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/entry.h"
#include "common/merkle.h"
#include "common/note.h"
#include "ledger/block.h"
#include "ledger/ledger_store.h"

/* Bytes of blocks in one answer; a block more may come on top. */
#define PULL_SIZE ((size_t)2 << 20)

struct reader {
    const struct genesis *genesis;
    struct ledger_store *store;
    struct stored_entry entry;
    struct text leaf;
    struct text note;           /* the newest anchored checkpoint ... */
    struct checkpoint anchored; /* ... and what it says; size 0: none */
    struct text judged;         /* the note that was found to be one */
};

void answer_init(struct answer *answer)
{
    *answer = (struct answer){0};
    for (size_t i = 0; i < ANSWER_TEXTS_MAX; i++)
        text_init(&answer->text[i]);
}

void answer_clear(struct answer *answer)
{
    for (size_t i = 0; i < ANSWER_TEXTS_MAX; i++)
        text_clear(&answer->text[i]);
}

enum status reader_open(struct reader **out, const struct genesis *genesis,
                        const char *database, struct error *err)
{
    struct reader *reader = calloc(1, sizeof *reader);
    enum status status;

    *out = NULL;
    if (reader == NULL)
        return error_memory(err, "a reader");
    reader->genesis = genesis;
    stored_entry_init(&reader->entry);
    text_init(&reader->leaf);
    text_init(&reader->note);
    text_init(&reader->judged);
    status = ledger_store_open_reader(&reader->store, database, err);
    if (status != OK)
        reader_close(&reader);
    *out = reader;
    return status;
}

void reader_close(struct reader **reader)
{
    if (*reader == NULL)
        return;
    ledger_store_close(&(*reader)->store);
    stored_entry_clear(&(*reader)->entry);
    text_clear(&(*reader)->leaf);
    text_clear(&(*reader)->note);
    text_clear(&(*reader)->judged);
    free(*reader);
    *reader = NULL;
}

static enum status altered(struct error *err, const char *what,
                           uint64_t position)
{
    return error_set(err, E_INPUT, "entry %ju: %s; the database was altered",
                     (uintmax_t)position, what);
}

/* ---- checks ---- */

/* Is it what this node stores: of this log, cosigned by k nodes? */
static enum status judge_note(struct reader *reader, struct error *err)
{
    const struct genesis *genesis = reader->genesis;
    struct note_verifier verifier[GENESIS_NODES_MAX];
    bool signed_by[GENESIS_NODES_MAX] = {false};
    struct checkpoint checkpoint;
    struct note note;
    size_t count = 0;
    enum status status;

    for (size_t i = 0; i < genesis->node_count; i++)
        verifier[i] = genesis->node[i].cosigner;
    status = note_parse(&note, text_bytes(&reader->note), err);
    if (status == OK)
        status = note_verify(&note, verifier, genesis->node_count, signed_by,
                             NULL, err);
    if (status == OK)
        status = checkpoint_parse(&checkpoint, note.text, err);
    for (size_t i = 0; i < genesis->node_count; i++)
        count += signed_by[i];
    if (status == E_MEMORY || status == E_SYSTEM)
        return status;
    if (status != OK || count < genesis_quorum(genesis) ||
        strcmp(checkpoint.origin, genesis->origin) != 0)
        return error_set(err, E_INPUT,
                         "the newest checkpoint is not the one that was "
                         "stored; the database was altered");
    text_reset(&reader->judged);
    status =
        text_append(&reader->judged, reader->note.data, reader->note.size, err);
    if (status == OK)
        reader->anchored = checkpoint;
    return status;
}

/* The newest checkpoint that k nodes cosigned, as it was stored. */
static enum status load_anchored(struct reader *reader, struct error *err)
{
    uint64_t size;
    enum status status =
        ledger_store_anchored(reader->store, &size, &reader->note, err);

    if (status != OK)
        return status;
    if (size == 0) {
        reader->anchored.size = 0;
        text_reset(&reader->judged);
        return OK;
    }
    if (!bytes_equal(text_bytes(&reader->note), text_bytes(&reader->judged)))
        status = judge_note(reader, err);
    if (status == OK && reader->anchored.size != size)
        status = error_set(err, E_INPUT,
                           "the newest checkpoint is of another size than it "
                           "was stored for; the database was altered");
    return status;
}

/* Does the path from the leaf lead to the anchored root? */
static enum status check_anchored(struct reader *reader, uint64_t position,
                                  const struct digest *leaf,
                                  struct merkle_proof *proof, struct error *err)
{
    enum status status =
        merkle_prove_inclusion(proof, position, reader->anchored.size,
                               ledger_store_get_node, reader->store, err);

    if (status == OK && !merkle_verify_inclusion(
                            leaf, position, reader->anchored.size, proof->hash,
                            proof->count, &reader->anchored.root))
        status = altered(err, "its path does not lead to the anchored root",
                         position);
    return status;
}

/* Bytes, id, leaf and tree agree about reader->entry. */
static enum status check_entry(struct reader *reader, struct digest *leaf,
                               struct error *err)
{
    struct stored_entry *entry = &reader->entry;
    struct digest id, stored;
    enum status status = digest_bytes(&id, text_bytes(&entry->bytes), err);

    if (status == OK && memcmp(&id, &entry->id, sizeof id) != 0)
        status = altered(err, "its bytes have another id", entry->position);
    text_reset(&reader->leaf);
    if (status == OK)
        status = entry_leaf(text_bytes(&entry->bytes),
                            text_bytes(&entry->signatures), entry->verdict,
                            entry->block, &reader->leaf, err);
    if (status == OK)
        status = ledger_store_get_node(reader->store, 0, entry->position,
                                       &stored, err);
    if (status != OK)
        return status;
    merkle_leaf(leaf, text_bytes(&reader->leaf));
    if (memcmp(leaf, &stored, sizeof stored) != 0)
        return altered(err, "it is not the leaf that is in the tree",
                       entry->position);
    return OK;
}

/* Load and check; E_NO if the log is shorter.  proof (may be NULL) is filled
 * if the entry is anchored. */
static enum status load_entry(struct reader *reader, uint64_t position,
                              struct merkle_proof *proof, struct error *err)
{
    struct merkle_proof unused;
    struct digest leaf;
    bool found = false;
    enum status status = ledger_store_entry(reader->store, position,
                                            &reader->entry, &found, err);

    if (status == OK && !found)
        return error_set(err, E_NO, "there is no entry %ju",
                         (uintmax_t)position);
    if (status == OK)
        status = check_entry(reader, &leaf, err);
    if (status == OK)
        status = load_anchored(reader, err);
    if (status == OK && position < reader->anchored.size)
        status = check_anchored(reader, position, &leaf,
                                proof != NULL ? proof : &unused, err);
    return status;
}

enum status reader_root(struct reader *reader, uint64_t size,
                        struct digest *root, struct error *err)
{
    struct merkle_tree tree;
    struct block block;
    bool found;
    enum status status =
        ledger_store_tip(reader->store, &block, NULL, &found, err);

    if (status == OK && (!found || size > block.size))
        return error_set(err, E_NO, "the log is shorter than %ju",
                         (uintmax_t)size);
    if (status == OK)
        status = merkle_tree_load(&tree, size, ledger_store_get_node,
                                  reader->store, err);
    if (status == OK)
        merkle_root(&tree, root);
    return status;
}

/* Does the block say what it said when it was made, and follow the one before
 * it?  `position` is of one of its entries. */
static enum status check_block(struct reader *reader, uint64_t number,
                               uint64_t position, struct error *err)
{
    struct digest previous = reader->genesis->digest;
    struct block block;
    bool found = true;
    enum status status = OK;

    if (number > 0)
        status = ledger_store_block(reader->store, number - 1, &block,
                                    &previous, &found, err);
    if (status == OK && found)
        status = ledger_store_block(reader->store, number, &block, NULL, &found,
                                    err);
    if (status != OK)
        return status;
    if (!found || position >= block.size ||
        block.size - position > block.entries ||
        memcmp(&block.previous, &previous, sizeof previous) != 0)
        return altered(err, "its block is not the one it was in", position);
    return OK;
}

/* The log's end: the tree has the root that the newest block says. */
static enum status check_tip(struct reader *reader, uint64_t size,
                             struct error *err)
{
    struct digest root;
    struct block block;
    bool found;
    enum status status =
        ledger_store_tip(reader->store, &block, NULL, &found, err);

    if (status != OK || (!found && size == 0))
        return status;
    if (!found || block.size != size)
        return error_set(err, E_INPUT,
                         "the log has %ju entries, its newest block says "
                         "something else; the database was altered",
                         (uintmax_t)size);
    status = reader_root(reader, size, &root, err);
    if (status == OK && memcmp(&root, &block.root, sizeof root) != 0)
        return error_set(err, E_INPUT,
                         "block %ju: the tree has another root than it says; "
                         "the database was altered",
                         (uintmax_t)block.number);
    return status;
}

/* What makes the next verdicts and no hash of the log covers: is the entry
 * found by its id and its nonce, and is all there that it wrote? */
static enum status check_traces(struct reader *reader, struct error *err)
{
    const struct stored_entry *stored = &reader->entry;
    uint64_t by_id = STORE_NONE, by_nonce = STORE_NONE;
    struct entry entry;
    enum status status = entry_parse(&entry, text_bytes(&stored->bytes),
                                     text_bytes(&stored->signatures), err);

    if (status != OK)
        return status;
    status = ledger_store_find(reader->store, &stored->id, &by_id, err);
    if (status == OK)
        status =
            ledger_store_find_nonce(reader->store, entry.nonce, &by_nonce, err);
    entry_clear(&entry);
    if (status == OK && by_id != stored->position)
        status = altered(err, "it is not found by its id", stored->position);
    /* Another entry may have had the nonce before. */
    if (status == OK && by_nonce > stored->position)
        status = altered(err, "it is not found by its nonce", stored->position);
    return status == OK ? ledger_store_check_writes(reader->store, stored, err)
                        : status;
}

static enum status scrub(struct reader *reader, uint64_t from, uint64_t count,
                         uint64_t *next, struct error *err)
{
    uint64_t block = STORE_NONE;

    for (*next = from; *next - from < count; ++*next) {
        enum status status = load_entry(reader, *next, NULL, err);

        if (status == E_NO) {
            status = check_tip(reader, *next, err);
            *next = 0;
            return status;
        }
        if (status == OK && reader->entry.block != block)
            status = check_block(reader, reader->entry.block, *next, err);
        if (status == OK)
            status = check_traces(reader, err);
        if (status != OK)
            return status;
        block = reader->entry.block;
    }
    return OK;
}

enum status reader_scrub(struct reader *reader, uint64_t from, uint64_t count,
                         uint64_t *next, struct error *err)
{
    enum status status;

    /* While nothing is written, pages of a small log stay at hand for ever, and
     * what happens to the file would never be seen. */
    ledger_store_read_anew(reader->store);
    /* Of one state, though blocks are added meanwhile. */
    status = ledger_store_begin(reader->store, err);
    if (status != OK)
        return status;
    status = scrub(reader, from, count, next, err);
    ledger_store_rollback(reader->store);
    return status;
}

/* ---- answers ---- */

static void begin(struct answer *answer, const struct message *request,
                  enum message_type type)
{
    message_init(&answer->message, type, request->request_id);
}

static void set_text(struct answer *answer, enum message_field field, size_t i)
{
    message_set_bytes(&answer->message, field, text_bytes(&answer->text[i]));
}

static enum status answer_entry(struct reader *reader, uint64_t position,
                                const struct message *request,
                                struct answer *answer, struct error *err)
{
    const struct stored_entry *entry = &reader->entry;
    enum status status = load_entry(reader, position, NULL, err);

    if (status == OK)
        status = text_append(&answer->text[0], entry->bytes.data,
                             entry->bytes.size, err);
    if (status == OK)
        status = text_append(&answer->text[1], entry->signatures.data,
                             entry->signatures.size, err);
    if (status != OK)
        return status;
    begin(answer, request, MESSAGE_SHOWN);
    message_set_number(&answer->message, SHOWN_POSITION, position);
    message_set_number(&answer->message, SHOWN_BLOCK, entry->block);
    message_set_number(&answer->message, SHOWN_VERDICT, entry->verdict);
    set_text(answer, SHOWN_ENTRY, 0);
    set_text(answer, SHOWN_SIGNATURES, 1);
    return status;
}

static enum status answer_show(struct reader *reader,
                               const struct message *request,
                               struct answer *answer, struct error *err)
{
    struct digest id;
    uint64_t position;
    enum status status;

    memcpy(&id, message_bytes(request, SHOW_ID).data, sizeof id);
    status = ledger_store_find(reader->store, &id, &position, err);
    if (status == OK && position == STORE_NONE)
        return error_set(err, E_NO, "there is no entry with this id");
    if (status == OK)
        status = answer_entry(reader, position, request, answer, err);
    if (status == OK && memcmp(&reader->entry.id, &id, sizeof id) != 0)
        status = altered(err, "it was found by another id", position);
    return status;
}

static enum status answer_history(struct reader *reader,
                                  const struct message *request,
                                  struct answer *answer, struct error *err)
{
    struct bytes name = message_bytes(request, HISTORY_KEY);
    struct text key;
    bool more = false;
    enum status status;

    text_init(&key);
    status = text_append(&key, name.data, name.size, err);
    if (status == OK)
        status = ledger_store_begin(reader->store, err);
    if (status == OK) {
        status = ledger_store_history(
            reader->store, key.data, message_number(request, HISTORY_FROM),
            HISTORY_POSITIONS_MAX, &answer->text[0], &more, err);
        ledger_store_rollback(reader->store);
    }
    text_clear(&key);
    /* A no, not an empty list: this node may only be behind the others. */
    if (status == OK && answer->text[0].size == 0 &&
        message_number(request, HISTORY_FROM) == 0)
        return error_set(err, E_NO, "no entry has written this key");
    if (status != OK)
        return status;
    begin(answer, request, MESSAGE_POSITIONS);
    set_text(answer, POSITIONS_POSITIONS, 0);
    message_set_number(&answer->message, POSITIONS_MORE, more);
    return status;
}

static enum status put_proof(struct reader *reader,
                             const struct merkle_proof *proof,
                             struct answer *answer, struct error *err)
{
    enum status status = text_append(&answer->text[0], proof->hash,
                                     proof->count * sizeof proof->hash[0], err);

    if (status == OK)
        status = text_append(&answer->text[1], reader->note.data,
                             reader->note.size, err);
    return status;
}

static enum status answer_prove(struct reader *reader,
                                const struct message *request,
                                struct answer *answer, struct error *err)
{
    uint64_t position = message_number(request, PROVE_POSITION);
    struct merkle_proof proof;
    enum status status = load_entry(reader, position, &proof, err);

    if (status == OK && position >= reader->anchored.size)
        return error_set(err, E_NO, "entry %ju is not anchored yet",
                         (uintmax_t)position);
    if (status == OK)
        status = put_proof(reader, &proof, answer, err);
    if (status != OK)
        return status;
    begin(answer, request, MESSAGE_PROVEN);
    message_set_number(&answer->message, PROVEN_POSITION, position);
    set_text(answer, PROVEN_HASHES, 0);
    set_text(answer, PROVEN_NOTE, 1);
    return status;
}

static enum status answer_extend(struct reader *reader,
                                 const struct message *request,
                                 struct answer *answer, struct error *err)
{
    uint64_t size = message_number(request, EXTEND_SIZE);
    struct merkle_proof proof;
    struct merkle_tree tree;
    struct digest root;
    enum status status = load_anchored(reader, err);

    if (status == OK && (size < 1 || size > reader->anchored.size))
        return error_set(err, E_NO,
                         "size %ju is not below the newest checkpoint's, %ju",
                         (uintmax_t)size, (uintmax_t)reader->anchored.size);
    if (status == OK)
        status =
            merkle_prove_consistency(&proof, size, reader->anchored.size,
                                     ledger_store_get_node, reader->store, err);
    if (status == OK)
        status = merkle_tree_load(&tree, size, ledger_store_get_node,
                                  reader->store, err);
    if (status != OK)
        return status;
    merkle_root(&tree, &root);
    if (!merkle_verify_consistency(size, reader->anchored.size, proof.hash,
                                   proof.count, &root, &reader->anchored.root))
        return error_set(err, E_INPUT,
                         "the tree does not lead from size %ju to the anchored "
                         "root; the database was altered",
                         (uintmax_t)size);
    status = put_proof(reader, &proof, answer, err);
    if (status != OK)
        return status;
    begin(answer, request, MESSAGE_EXTENDED);
    set_text(answer, EXTENDED_HASHES, 0);
    set_text(answer, EXTENDED_NOTE, 1);
    return status;
}

static enum status answer_checkpoint(struct reader *reader,
                                     const struct message *request,
                                     struct answer *answer, struct error *err)
{
    enum status status = load_anchored(reader, err);

    if (status == OK && reader->anchored.size == 0)
        return error_set(err, E_NO, "nothing is anchored yet");
    if (status == OK)
        status = text_append(&answer->text[0], reader->note.data,
                             reader->note.size, err);
    if (status != OK)
        return status;
    begin(answer, request, MESSAGE_ANCHORED);
    set_text(answer, ANCHORED_NOTE, 0);
    return status;
}

/* header || the block's entries as a batch */
static enum status append_block(struct reader *reader,
                                const struct block *block, uint64_t first,
                                struct text *out, struct error *err)
{
    uint8_t header[BLOCK_HEADER_SIZE], size[4];
    struct text batch;
    enum status status;

    text_init(&batch);
    status = batch_begin(&batch, err);
    for (uint64_t position = first; status == OK && position < block->size;
         position++) {
        status = load_entry(reader, position, NULL, err);
        if (status == OK)
            status = batch_add(&batch, text_bytes(&reader->entry.bytes),
                               text_bytes(&reader->entry.signatures), err);
    }
    if (status == OK)
        status = batch_end(&batch, block->time_ms, block->entries, err);
    block_encode(block, header);
    put_be32(size, (uint32_t)(sizeof header + batch.size));
    if (status == OK)
        status = text_append(out, size, sizeof size, err);
    if (status == OK)
        status = text_append(out, header, sizeof header, err);
    if (status == OK)
        status = text_append(out, batch.data, batch.size, err);
    text_clear(&batch);
    return status;
}

/* As many blocks as fit, from `number` on; *more says whether there are
 * others. */
static enum status append_blocks(struct reader *reader, uint64_t number,
                                 struct text *out, bool *more,
                                 struct error *err)
{
    struct block block;
    uint64_t first = 0;
    bool found = true;
    enum status status = OK;

    *more = true;
    if (number > 0) {
        status = ledger_store_block(reader->store, number - 1, &block, NULL,
                                    &found, err);
        first = block.size;
    }
    while (status == OK && found && out->size < PULL_SIZE) {
        status = ledger_store_block(reader->store, number++, &block, NULL,
                                    &found, err);
        if (status != OK || !found)
            break;
        status = append_block(reader, &block, first, out, err);
        first = block.size;
    }
    *more = found;
    /* An entry that is not there belongs to a block that is. */
    if (status == E_NO)
        status = error_set(err, E_INPUT,
                           "block %ju: its entries are not all there; the "
                           "database was altered",
                           (uintmax_t)number - 1);
    return status;
}

static enum status answer_pull(struct reader *reader,
                               const struct message *request,
                               struct answer *answer, struct error *err)
{
    uint64_t executed = STORE_NONE;
    bool more = true;
    enum status status = ledger_store_begin(reader->store, err);

    if (status != OK)
        return status;
    status = append_blocks(reader, message_number(request, PULL_FROM),
                           &answer->text[0], &more, err);
    if (status == OK && !more)
        status = ledger_store_raft_index(reader->store, &executed, err);
    ledger_store_rollback(reader->store);
    if (status != OK)
        return status;
    begin(answer, request, MESSAGE_BLOCKS);
    set_text(answer, BLOCKS_BLOCKS, 0);
    message_set_number(&answer->message, BLOCKS_EXECUTED, executed);
    return OK;
}

enum status reader_answer(struct reader *reader, const struct message *request,
                          struct answer *answer, struct error *err)
{
    switch (request->type) {
    case MESSAGE_SHOW:
        return answer_show(reader, request, answer, err);
    case MESSAGE_FIND:
        return answer_entry(reader, message_number(request, FIND_POSITION),
                            request, answer, err);
    case MESSAGE_HISTORY:
        return answer_history(reader, request, answer, err);
    case MESSAGE_PROVE:
        return answer_prove(reader, request, answer, err);
    case MESSAGE_EXTEND:
        return answer_extend(reader, request, answer, err);
    case MESSAGE_CHECKPOINT:
        return answer_checkpoint(reader, request, answer, err);
    case MESSAGE_PULL:
        return answer_pull(reader, request, answer, err);
    default:
        assert(false && "not a question about the log");
        return E_SYSTEM;
    }
}
