/* The actions of cli/ledger_requests.h about proofs and checkpoints. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/ledger_requests.h"
#include "cli/session.h"
#include "common/encoding.h"
#include "common/files.h"
#include "common/ledger_questions.h"
#include "common/number.h"
#include "common/proof.h"

/* Ten million lines, as many as load can keep. */
#define KEPT_SIZE_MAX (1u << 30)

/* ---- prove ---- */

static enum status load_trust(struct trust **trust, const char *folder,
                              struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = network_path(folder, "trust.json", &path, err);
    if (status == OK)
        status = trust_load(trust, path.data, err);
    text_clear(&path);
    return status;
}

/* What a node gives is verified before anybody gets it.  *last is as
 * proof_verify_next wants it. */
static enum status check_proof(const struct trust *trust,
                               struct trusted_checkpoint *last,
                               struct bytes text, struct error *err)
{
    struct proof *proof = NULL;
    enum status status = proof_parse(&proof, text, err);

    if (status == OK)
        status = proof_verify_next(proof, trust, last, err);
    proof_destroy(&proof);
    return status;
}

static enum status write_output(const char *path, const struct text *text,
                                struct error *err)
{
    struct new_file *file = NULL;
    enum status status;

    if (strcmp(path, "-") == 0) {
        fwrite(text->data, 1, text->size, stdout);
        return command_finish_output(err);
    }
    status = new_file_create(&file, path, 0666, err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(file), text_bytes(text),
                                  path, err);
    if (status == OK)
        status = new_file_publish(&file, err);
    new_file_discard(&file);
    return status;
}

enum status ledger_prove(const struct ledger_request *request,
                         struct error *err)
{
    struct trusted_checkpoint last = {.signed_count = 0};
    struct shown shown = {.position = 0};
    struct trust *trust = NULL;
    struct session session;
    struct text text;
    enum status status = session_open(&session, request->folder, request->user,
                                      request->timeout_ms, err);

    text_init(&text);
    if (status == OK)
        status = shown_ask(&shown, session.client, request->operand, err);
    if (status == OK)
        status = proof_ask(&shown, session.client, &text, err);
    if (status == OK)
        status = load_trust(&trust, request->folder, err);
    if (status == OK && check_proof(trust, &last, text_bytes(&text), err) != OK)
        status = error_wrap(err, "the proof that came does not hold");
    if (status == OK)
        status = text_append_string(&text, "\n", err);
    if (status == OK)
        status = write_output(request->output, &text, err);
    shown_clear(&shown);
    trust_destroy(&trust);
    text_clear(&text);
    session_close(&session);
    return status;
}

/* ---- check ---- */

/* "<id> <position>" as `load --keep` writes it; *line goes behind it. */
static enum status take_kept(struct bytes *rest, char id[DIGEST_HEX_SIZE],
                             uint64_t *position, struct error *err)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    const size_t digits = DIGEST_HEX_SIZE - 1;
    struct digest digest;

    if (end == NULL || size <= digits + 1 || rest->data[digits] != ' ' ||
        !hex_decode(bytes_of(rest->data, digits), digest.byte, DIGEST_SIZE) ||
        !number_parse_unsigned(
            bytes_of(rest->data + digits + 1, size - digits - 1), 0, INT64_MAX,
            position))
        return error_set(err, E_INPUT, "expected an id and a position");
    memcpy(id, rest->data, digits);
    id[digits] = '\0';
    *rest = bytes_of(end + 1, rest->size - size - 1);
    return OK;
}

static enum status check_kept(struct client *client, const struct trust *trust,
                              struct trusted_checkpoint *last, const char *id,
                              uint64_t position, struct error *err)
{
    struct shown shown = {.position = 0};
    struct text text;
    enum status status = shown_ask(&shown, client, id, err);

    text_init(&text);
    if (status == OK && shown.position != position)
        status = error_set(err, E_NO,
                           "entry %s: acknowledged at position %ju, shown at "
                           "%ju",
                           id, (uintmax_t)position, (uintmax_t)shown.position);
    if (status == OK)
        status = proof_ask(&shown, client, &text, err);
    if (status == OK)
        status = check_proof(trust, last, text_bytes(&text), err);
    shown_clear(&shown);
    text_clear(&text);
    return status;
}

enum status ledger_check(const struct ledger_request *request,
                         struct error *err)
{
    struct trusted_checkpoint last = {.signed_count = 0};
    char id[DIGEST_HEX_SIZE];
    struct trust *trust = NULL;
    struct session session;
    struct bytes rest;
    struct text text;
    uint64_t position, line = 0;
    enum status status = session_open(&session, request->folder, request->user,
                                      request->timeout_ms, err);

    text_init(&text);
    if (status == OK)
        status = load_trust(&trust, request->folder, err);
    if (status == OK)
        status = file_read(request->operand, KEPT_SIZE_MAX, &text, err);
    rest = text_bytes(&text);
    while (status == OK && rest.size > 0) {
        line++;
        status = take_kept(&rest, id, &position, err);
        if (status == OK)
            status =
                check_kept(session.client, trust, &last, id, position, err);
        if (status != OK)
            status = error_wrap(err, "%s: line %ju", request->operand,
                                (uintmax_t)line);
    }
    if (status == OK) {
        printf("%ju entries are where they were acknowledged, and proven\n",
               (uintmax_t)line);
        status = command_finish_output(err);
    }
    trust_destroy(&trust);
    text_clear(&text);
    session_close(&session);
    return status;
}

/* ---- verify ---- */

/* How long `count` verifications take, each with reading the proof; all but the
 * first may rest on a checkpoint that is known. */
static enum status time_verify(struct bytes text, const struct trust *trust,
                               bool known, uint64_t count, double *us,
                               struct error *err)
{
    struct trusted_checkpoint trusted = {.signed_count = 0};
    struct timespec start, end;
    enum status status = OK;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (uint64_t i = 0; status == OK && i < count; i++) {
        struct proof *proof = NULL;

        status = proof_parse(&proof, text, err);
        if (status == OK)
            status = (known ? proof_verify_next : proof_verify)(proof, trust,
                                                                &trusted, err);
        proof_destroy(&proof);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    *us = ((double)(end.tv_sec - start.tv_sec) * 1e9 +
           (double)(end.tv_nsec - start.tv_nsec)) /
          1e3 / (double)count;
    return status;
}

static enum status repeat_verify(const struct ledger_request *request,
                                 const struct trust *trust, struct error *err)
{
    double alone = 0, one_of_many = 0;
    struct text text;
    enum status status;

    text_init(&text);
    status = file_read(request->operand, PROOF_SIZE_MAX, &text, err);
    if (status == OK)
        status = time_verify(text_bytes(&text), trust, false, request->repeat,
                             &alone, err);
    if (status == OK)
        status = time_verify(text_bytes(&text), trust, true, request->repeat,
                             &one_of_many, err);
    if (status == OK) {
        printf("%.1f us for a proof alone, %.1f us for one of many of the same "
               "checkpoint; %ju verifications each\n",
               alone, one_of_many, (uintmax_t)request->repeat);
        status = command_finish_output(err);
    }
    text_clear(&text);
    return status;
}

static enum status add_signers(struct json_value *object,
                               const struct trust *trust,
                               const struct trusted_checkpoint *trusted,
                               struct error *err)
{
    struct json_value *list;
    enum status status = json_add_array(object, "cosigned_by", &list, err);

    for (size_t i = 0; status == OK && i < trust->node_count; i++)
        if (trusted->signed_by[i])
            status = json_add_string(list, NULL, trust->node[i].name, err);
    if (status == OK)
        status = json_add_integer(object, "quorum", trust->quorum, err);
    if (status == OK)
        status = json_add_boolean(object, "demo", trust->demo, err);
    return status;
}

static enum status add_checkpoint(struct json_value *object,
                                  const struct checkpoint *checkpoint,
                                  struct error *err)
{
    char root[DIGEST_HEX_SIZE];
    enum status status =
        json_add_string(object, "origin", checkpoint->origin, err);

    digest_hex(&checkpoint->root, root);
    if (status == OK && checkpoint->size > (UINT64_C(1) << 53))
        status = error_set(err, E_LIMIT, "a log of more than 2^53 entries");
    if (status == OK)
        status =
            json_add_integer(object, "size", (int64_t)checkpoint->size, err);
    if (status == OK)
        status = json_add_string(object, "root", root, err);
    return status;
}

static enum status print_proven_json(const struct proof *proof,
                                     const struct trust *trust,
                                     const struct trusted_checkpoint *trusted,
                                     struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    char id[DIGEST_HEX_SIZE];
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    digest_hex(&proof->entry.id, id);
    status = json_add_boolean(root, "proven", true, err);
    if (status == OK)
        status = json_add_string(root, "id", id, err);
    if (status == OK)
        status = json_add_string(root, "type",
                                 entry_type_name(proof->entry.type), err);
    if (status == OK)
        status = json_add_string(root, "author", proof->entry.author, err);
    if (status == OK)
        status = json_add_string(root, "verdict",
                                 entry_verdict_name(proof->parts.verdict), err);
    /* Both came out of JSON: below 2^53. */
    if (status == OK)
        status =
            json_add_integer(root, "index", (int64_t)proof->parts.index, err);
    if (status == OK)
        status =
            json_add_integer(root, "block", (int64_t)proof->parts.block, err);
    if (status == OK)
        status = add_checkpoint(root, &trusted->checkpoint, err);
    if (status == OK)
        status = add_signers(root, trust, trusted, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static void print_signers(FILE *out, const struct trust *trust,
                          const struct trusted_checkpoint *trusted)
{
    bool first = true;

    for (size_t i = 0; i < trust->node_count; i++)
        if (trusted->signed_by[i]) {
            fprintf(out, "%s%s", first ? "" : ", ", trust->node[i].name);
            first = false;
        }
}

static void say_if_demo(const struct trust *trust)
{
    if (trust->demo)
        fputs("This is a demonstration: all keys were on one machine, and "
              "whoever has that\nmachine can make any proof.\n",
              stderr);
}

static enum status print_proven(const struct proof *proof,
                                const struct trust *trust,
                                const struct trusted_checkpoint *trusted,
                                struct error *err)
{
    char id[DIGEST_HEX_SIZE];

    digest_hex(&proof->entry.id, id);
    printf("proven:\n"
           "  entry     %s\n"
           "  type      %s, by certificate %s\n"
           "  verdict   %s, in block %ju\n"
           "  position  %ju of %ju entries of log %s\n"
           "  cosigned  by ",
           id, entry_type_name(proof->entry.type), proof->entry.author,
           entry_verdict_name(proof->parts.verdict),
           (uintmax_t)proof->parts.block, (uintmax_t)proof->parts.index,
           (uintmax_t)trusted->checkpoint.size, trusted->checkpoint.origin);
    print_signers(stdout, trust, trusted);
    printf("; %u of %zu nodes must\n", (unsigned)trust->quorum,
           trust->node_count);
    return command_finish_output(err);
}

/* The no, for programs; the reason goes to standard error as well. */
static enum status print_unproven_json(const struct error *why,
                                       struct error *err)
{
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    if (status == OK)
        status = json_add_boolean(json_edit_root(json), "proven", false, err);
    if (status == OK)
        status =
            json_add_string(json_edit_root(json), "failed", why->text, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

enum status ledger_verify(const struct ledger_request *request,
                          struct error *err)
{
    struct trusted_checkpoint trusted;
    struct trust *trust = NULL;
    struct proof *proof = NULL;
    struct error why;
    enum status status = trust_load(&trust, request->trust, err);

    error_init(&why);
    if (status == OK && request->repeat > 1) {
        status = repeat_verify(request, trust, err);
        trust_destroy(&trust);
        return status;
    }
    if (status == OK)
        status = proof_load(&proof, request->operand, err);
    if (status == OK && proof_verify(proof, trust, &trusted, &why) != OK) {
        if (why.status == E_NO && request->json)
            status = print_unproven_json(&why, err);
        if (status == OK) {
            *err = why;
            status = error_wrap(err, "%s", request->operand);
        }
    } else if (status == OK) {
        status = request->json ? print_proven_json(proof, trust, &trusted, err)
                               : print_proven(proof, trust, &trusted, err);
        if (status == OK)
            say_if_demo(trust);
    }
    proof_destroy(&proof);
    trust_destroy(&trust);
    return status;
}

/* ---- checkpoint ---- */

/* The older checkpoint, which must have been trustworthy itself. */
static enum status load_old(const char *path, const struct trust *trust,
                            struct trusted_checkpoint *old, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = file_read(path, NOTE_SIZE_MAX, &text, err);
    if (status == OK) {
        status = trust_check_note(trust, text_bytes(&text), old, err);
        if (status == OK && old->checkpoint.size == 0)
            status = error_set(err, E_INPUT,
                               "an empty log, every log is consistent with it");
        if (status != OK)
            status = error_wrap(err, "%s", path);
    }
    text_clear(&text);
    return status;
}

static enum status ask_checkpoint(struct client *client,
                                  const struct trusted_checkpoint *old,
                                  struct client_answer *answer,
                                  struct bytes *note, struct error *err)
{
    struct message request;
    enum status status;

    if (old == NULL) {
        question_init(&request, MESSAGE_CHECKPOINT);
        status = client_ask(client, &request, MESSAGE_ANCHORED, answer, err);
        if (status == OK)
            *note = message_bytes(&answer->message, ANCHORED_NOTE);
        return status;
    }
    question_init(&request, MESSAGE_EXTEND);
    message_set_number(&request, EXTEND_SIZE, old->checkpoint.size);
    status = client_ask(client, &request, MESSAGE_EXTENDED, answer, err);
    if (status == OK)
        *note = message_bytes(&answer->message, EXTENDED_NOTE);
    return status;
}

static enum status check_extended(const struct client_answer *answer,
                                  const struct trusted_checkpoint *old,
                                  const struct trusted_checkpoint *trusted,
                                  struct error *err)
{
    const struct checkpoint *from = &old->checkpoint;
    const struct checkpoint *to = &trusted->checkpoint;
    struct merkle_proof path;
    enum status status =
        hashes_of(message_bytes(&answer->message, EXTENDED_HASHES), &path, err);

    if (status == OK &&
        !merkle_verify_consistency(from->size, to->size, path.hash, path.count,
                                   &from->root, &to->root))
        status = error_set(err, E_NO,
                           "consistency: the log of %ju entries is not proven "
                           "to begin with the %ju of the old checkpoint",
                           (uintmax_t)to->size, (uintmax_t)from->size);
    return status;
}

static enum status print_checkpoint(const struct ledger_request *request,
                                    const struct trust *trust,
                                    struct bytes note,
                                    const struct trusted_checkpoint *trusted,
                                    const struct trusted_checkpoint *old,
                                    struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    enum status status;

    if (!request->json) {
        /* As it is: it is what --from reads. */
        fwrite(note.data, 1, note.size, stdout);
        if (old != NULL)
            fprintf(stderr, "The log only grew, from %ju to %ju entries.\n",
                    (uintmax_t)old->checkpoint.size,
                    (uintmax_t)trusted->checkpoint.size);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = add_checkpoint(root, &trusted->checkpoint, err);
    if (status == OK)
        status = add_signers(root, trust, trusted, err);
    if (status == OK && old != NULL)
        status = json_add_integer(root, "consistent_from",
                                  (int64_t)old->checkpoint.size, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

enum status ledger_checkpoint(const struct ledger_request *request,
                              struct error *err)
{
    struct trusted_checkpoint trusted, old_trusted, *old = NULL;
    struct client_answer answer = {.memory = NULL};
    struct bytes note = {.data = NULL};
    struct trust *trust = NULL;
    struct session session;
    struct text path;
    enum status status = session_open(&session, request->folder, request->user,
                                      request->timeout_ms, err);

    text_init(&path);
    if (status == OK)
        status = network_path(request->folder, "trust.json", &path, err);
    if (status == OK)
        status = trust_load(&trust, path.data, err);
    if (status == OK && request->from != NULL) {
        old = &old_trusted;
        status = load_old(request->from, trust, old, err);
    }
    if (status == OK)
        status = ask_checkpoint(session.client, old, &answer, &note, err);
    if (status == OK)
        status = trust_check_note(trust, note, &trusted, err);
    if (status == OK && old != NULL)
        status = check_extended(&answer, old, &trusted, err);
    if (status == OK)
        status = print_checkpoint(request, trust, note, &trusted, old, err);
    client_answer_clear(&answer);
    trust_destroy(&trust);
    text_clear(&path);
    session_close(&session);
    return status;
}
