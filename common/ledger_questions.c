#include "common/ledger_questions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/proof.h"

void question_init(struct message *request, enum message_type type)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];

    message_init(request, type, none);
}

enum status verdict_of(uint64_t number, enum entry_verdict *verdict,
                       struct error *err)
{
    switch (number) {
#define VERDICT_CASE(byte, id, name)                                           \
    case byte:                                                                 \
        *verdict = VERDICT_##id;                                               \
        return OK;
        VERDICT_TABLE(VERDICT_CASE)
#undef VERDICT_CASE
    default:
        return error_set(err, E_SYSTEM,
                         "the node answered with verdict %ju, "
                         "which there is not",
                         (uintmax_t)number);
    }
}

enum status hashes_of(struct bytes bytes, struct merkle_proof *proof,
                      struct error *err)
{
    proof->count = bytes.size / DIGEST_SIZE;
    if (bytes.size % DIGEST_SIZE != 0 || proof->count > MERKLE_PROOF_MAX)
        return error_set(err, E_SYSTEM,
                         "the node answered with %zu bytes of hashes",
                         bytes.size);
    if (bytes.size > 0)
        memcpy(proof->hash, bytes.data, bytes.size);
    return OK;
}

/* ---- an entry ---- */

/* What is asked for: a position, or an id where `by_id`. */
struct which {
    bool by_id;
    struct digest id;
    uint64_t position;
};

static enum status parse_which(const char *text, struct which *which,
                               struct error *err)
{
    char *end;

    which->by_id =
        hex_decode(bytes_of_string(text), which->id.byte, DIGEST_SIZE);
    if (which->by_id)
        return OK;
    errno = 0;
    which->position = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9')
        return error_set(err, E_USAGE,
                         "expected an entry's id, 64 lower-case hex digits, or "
                         "its position in the log");
    return OK;
}

static enum status take_shown(struct shown *shown, const struct which *which,
                              struct error *err)
{
    const struct message *message = &shown->answer.message;
    enum status status = verdict_of(message_number(message, SHOWN_VERDICT),
                                    &shown->verdict, err);

    shown->position = message_number(message, SHOWN_POSITION);
    shown->block = message_number(message, SHOWN_BLOCK);
    if (status == OK &&
        entry_parse(&shown->entry, message_bytes(message, SHOWN_ENTRY),
                    message_bytes(message, SHOWN_SIGNATURES), err) != OK) {
        err->status = E_SYSTEM;
        status = error_wrap(err, "the node answered with what is no entry");
    }
    if (status == OK && (which->by_id ? memcmp(&which->id, &shown->entry.id,
                                               sizeof which->id) != 0
                                      : which->position != shown->position))
        status =
            error_set(err, E_SYSTEM, "the node answered with another entry");
    return status;
}

static enum status ask_shown(struct shown *shown, struct client *client,
                             const struct which *which, struct error *err)
{
    struct message request;

    question_init(&request, which->by_id ? MESSAGE_SHOW : MESSAGE_FIND);
    if (which->by_id)
        message_set_bytes(&request, SHOW_ID,
                          bytes_of(which->id.byte, DIGEST_SIZE));
    else
        message_set_number(&request, FIND_POSITION, which->position);
    return client_ask(client, &request, MESSAGE_SHOWN, &shown->answer, err);
}

/* Who knows an id has it from somebody: perhaps from a node that has
 * acknowledged the entry and is gone since.  Then those that are left have it
 * in Raft's log, and execute it when they have a new leader, which is a matter
 * of an election (ledger/replica.c) and not of this question. */
#define ELECTED_MS 3000
#define ELECTED_PAUSE_MS 50

static enum status ask_named(struct shown *shown, struct client *client,
                             const struct which *which, struct error *err)
{
    const struct timespec pause = {0, ELECTED_PAUSE_MS * 1000000L};
    uint64_t until_ms = clock_steady_ms() + ELECTED_MS;
    enum status status;
    struct error why;

    for (;;) {
        error_init(&why);
        status = ask_shown(shown, client, which, &why);
        if (status != E_NO || !which->by_id || client_all_have_said(client) ||
            clock_steady_ms() >= until_ms)
            break;
        nanosleep(&pause, NULL);
    }
    if (status != OK)
        *err = why;
    return status;
}

enum status shown_ask(struct shown *shown, struct client *client,
                      const char *text, struct error *err)
{
    struct which which;
    enum status status = parse_which(text, &which, err);

    *shown = (struct shown){.position = 0};
    if (status != OK)
        return status;
    status = ask_named(shown, client, &which, err);
    if (status == OK)
        status = take_shown(shown, &which, err);
    if (status != OK)
        shown_clear(shown);
    return status;
}

void shown_clear(struct shown *shown)
{
    entry_clear(&shown->entry);
    client_answer_clear(&shown->answer);
}

/* ---- how much there is ---- */

static enum status take_size(void *context, const struct message *answer,
                             struct error *err)
{
    uint64_t *size = context, said = message_number(answer, STATE_SIZE);

    (void)err;
    if (said > *size)
        *size = said;
    return OK;
}

enum status size_ask(struct client *client, uint64_t *size, struct error *err)
{
    struct message request;

    *size = 0;
    question_init(&request, MESSAGE_STATUS);
    return client_ask_most(client, &request, MESSAGE_STATE, take_size, size,
                           err);
}

/* ---- a key's history ---- */

/* Each from `from` on, and each larger than the one before. */
static enum status check_positions(struct bytes bytes, uint64_t from, bool more,
                                   struct error *err)
{
    if (bytes.size % 8 != 0 || (more && bytes.size == 0))
        return error_set(err, E_SYSTEM,
                         "the node answered with %zu bytes of positions",
                         bytes.size);
    for (size_t i = 0; i < bytes.size; i += 8) {
        uint64_t position = get_be64(bytes.data + i);

        if (position < from || position == UINT64_MAX)
            return error_set(err, E_SYSTEM,
                             "the node answered with positions out of order");
        from = position + 1;
    }
    return OK;
}

struct history_part {
    uint64_t from;
    struct text *positions;
    bool more;
};

/* All have the same ones from the first on, some not yet the last. */
static enum status take_longest(void *context, const struct message *answer,
                                struct error *err)
{
    struct history_part *part = context;
    struct bytes bytes = message_bytes(answer, POSITIONS_POSITIONS);
    bool more = message_number(answer, POSITIONS_MORE) != 0;
    enum status status = check_positions(bytes, part->from, more, err);

    if (status != OK || bytes.size < part->positions->size)
        return status;
    part->more = more || (part->more && bytes.size == part->positions->size);
    text_reset(part->positions);
    return text_append(part->positions, bytes.data, bytes.size, err);
}

enum status history_ask(struct client *client, const char *key, uint64_t from,
                        struct text *positions, bool *more, struct error *err)
{
    struct history_part part = {.from = from, .positions = positions};
    struct message request;
    enum status status;

    text_reset(positions);
    question_init(&request, MESSAGE_HISTORY);
    message_set_string(&request, HISTORY_KEY, key);
    message_set_number(&request, HISTORY_FROM, from);
    status = client_ask_most(client, &request, MESSAGE_POSITIONS, take_longest,
                             &part, err);
    *more = part.more;
    return status;
}

/* ---- handing one in ---- */

enum status receipt_ask(struct receipt *receipt, struct client *client,
                        struct bytes entry, struct bytes signatures,
                        struct error *err)
{
    struct client_answer answer;
    struct message request;
    struct bytes id;
    enum status status = digest_bytes(&receipt->id, entry, err);

    if (status != OK)
        return status;
    question_init(&request, MESSAGE_SUBMIT);
    message_set_bytes(&request, SUBMIT_ENTRY, entry);
    message_set_bytes(&request, SUBMIT_SIGNATURES, signatures);
    status = client_ask(client, &request, MESSAGE_SUBMITTED, &answer, err);
    if (status != OK)
        return status;
    id = message_bytes(&answer.message, SUBMITTED_ID);
    receipt->position = message_number(&answer.message, SUBMITTED_POSITION);
    receipt->block = message_number(&answer.message, SUBMITTED_BLOCK);
    status = verdict_of(message_number(&answer.message, SUBMITTED_VERDICT),
                        &receipt->verdict, err);
    if (status == OK &&
        !bytes_equal(id, bytes_of(receipt->id.byte, DIGEST_SIZE)))
        status =
            error_set(err, E_SYSTEM, "the node answered for another entry");
    client_answer_clear(&answer);
    return status;
}

/* ---- a proof ---- */

/* An entry that is there and cannot be proven is not anchored yet.  Where a
 * quorum cosigns it soon is: so long is asked again. */
#define ANCHORED_TRIES 60
#define ANCHORED_PAUSE_MS 50

static enum status ask_anchored(struct client *client, uint64_t position,
                                struct client_answer *answer, struct error *err)
{
    const struct timespec pause = {0, ANCHORED_PAUSE_MS * 1000000L};
    enum status status = E_NO;
    struct error why;

    error_init(&why);
    for (int i = 0; i < ANCHORED_TRIES && status == E_NO; i++) {
        struct message request;

        if (i > 0)
            nanosleep(&pause, NULL);
        question_init(&request, MESSAGE_PROVE);
        message_set_number(&request, PROVE_POSITION, position);
        status = client_ask(client, &request, MESSAGE_PROVEN, answer, &why);
    }
    if (status != OK)
        *err = why;
    return status;
}

enum status proof_ask(const struct shown *shown, struct client *client,
                      struct text *out, struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    struct proof_parts parts = {.entry = shown->entry.bytes,
                                .signatures = shown->entry.signature_bytes,
                                .verdict = shown->verdict,
                                .block = shown->block,
                                .index = shown->position};
    enum status status = ask_anchored(client, shown->position, &answer, err);

    if (status == OK)
        status = hashes_of(message_bytes(&answer.message, PROVEN_HASHES),
                           &parts.path, err);
    if (status == OK) {
        parts.note = message_bytes(&answer.message, PROVEN_NOTE);
        status = proof_write(&parts, out, err);
    }
    client_answer_clear(&answer);
    return status;
}
