#include "common/ledger_questions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

enum status shown_ask(struct shown *shown, struct client *client,
                      const char *text, struct error *err)
{
    struct message request;
    struct which which;
    enum status status = parse_which(text, &which, err);

    *shown = (struct shown){.position = 0};
    if (status != OK)
        return status;
    question_init(&request, which.by_id ? MESSAGE_SHOW : MESSAGE_FIND);
    if (which.by_id)
        message_set_bytes(&request, SHOW_ID,
                          bytes_of(which.id.byte, DIGEST_SIZE));
    else
        message_set_number(&request, FIND_POSITION, which.position);
    status = client_ask(client, &request, MESSAGE_SHOWN, &shown->answer, err);
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
