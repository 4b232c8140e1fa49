#include "anonymizer/worker_proofs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/ledger_questions.h"
#include "common/limits.h"

void worker_proofs_init(struct worker_proofs *proofs)
{
    *proofs = (struct worker_proofs){.count = 0};
    for (size_t i = 0; i < WORKER_PROOFS_MAX; i++)
        text_init(&proofs->text[i]);
}

void worker_proofs_clear(struct worker_proofs *proofs)
{
    for (size_t i = 0; i < WORKER_PROOFS_MAX; i++) {
        text_clear(&proofs->text[i]);
        proof_destroy(&proofs->proof[i]);
    }
    proofs->count = 0;
}

enum status worker_proofs_add(struct worker_proofs *proofs, struct bytes text,
                              struct error *err)
{
    size_t at = proofs->count;
    enum status status;

    assert(at < WORKER_PROOFS_MAX);
    status = text_append(&proofs->text[at], text.data, text.size, err);
    if (status == OK)
        status =
            proof_parse(&proofs->proof[at], text_bytes(&proofs->text[at]), err);
    if (status == OK)
        proofs->count++;
    return status;
}

/* ---- asking ---- */

static enum status ask_one(struct worker_proofs *proofs, struct client *client,
                           const struct digest *id, struct error *err)
{
    struct shown shown;
    struct text text;
    char hex[DIGEST_HEX_SIZE];
    enum status status;

    digest_hex(id, hex);
    status = shown_ask(&shown, client, hex, err);
    if (status != OK)
        return error_wrap(err, "entry %s", hex);
    text_init(&text);
    status = proof_ask(&shown, client, &text, err);
    if (status == E_NO)
        err->status = status = E_SYSTEM; /* it is there: later it is anchored */
    if (status == OK)
        status = worker_proofs_add(proofs, text_bytes(&text), err);
    text_clear(&text);
    shown_clear(&shown);
    return status == OK ? OK : error_wrap(err, "entry %s", hex);
}

/* The bytes of its note say which checkpoint a proof is of: nodes give the
 * newest one that they have. */
static bool of_one_checkpoint(const struct worker_proofs *proofs)
{
    for (size_t i = 1; i < proofs->count; i++)
        if (!bytes_equal(proofs->proof[i]->parts.note,
                         proofs->proof[0]->parts.note))
            return false;
    return true;
}

enum status worker_proofs_ask(struct worker_proofs *proofs,
                              struct client *client, const struct trust *trust,
                              const struct digest *id, size_t count,
                              struct error *err)
{
    bool together = false;
    enum status status = OK;

    assert(count <= WORKER_PROOFS_MAX);
    for (int i = 0; status == OK && !together && i < WORKER_PROOF_TRIES; i++) {
        worker_proofs_clear(proofs);
        for (size_t j = 0; status == OK && j < count; j++)
            status = ask_one(proofs, client, &id[j], err);
        together = of_one_checkpoint(proofs);
    }
    if (status == OK && !together)
        status = error_set(err, E_SYSTEM,
                           "checkpoints come faster than proofs of one");
    if (status == OK)
        status = worker_proofs_check(proofs, trust, id, count, err);
    return status;
}

/* ---- checking ---- */

static enum status check_one(const struct proof *proof,
                             const struct trust *trust, const struct digest *id,
                             struct trusted_checkpoint *checkpoint,
                             struct error *err)
{
    enum status status;

    if (memcmp(&proof->entry.id, id, sizeof *id) != 0)
        return error_set(err, E_REFUSED, "the proof is of another entry");
    status = proof_verify_next(proof, trust, checkpoint, err);
    if (status == E_NO)
        err->status = status = E_REFUSED;
    if (status == OK && proof->parts.verdict != VERDICT_VALID)
        status = error_set(err, E_REFUSED, "the nodes found it %s",
                           entry_verdict_name(proof->parts.verdict));
    return status;
}

enum status worker_proofs_check(const struct worker_proofs *proofs,
                                const struct trust *trust,
                                const struct digest *id, size_t count,
                                struct error *err)
{
    struct trusted_checkpoint checkpoint = {.signed_count = 0};
    enum status status = OK;

    if (proofs->count != count)
        return error_set(err, E_REFUSED, "%zu proofs, expected %zu",
                         proofs->count, count);
    for (size_t i = 0; status == OK && i < count; i++) {
        status = check_one(proofs->proof[i], trust, &id[i], &checkpoint, err);
        if (status != OK) {
            char hex[DIGEST_HEX_SIZE];

            digest_hex(&id[i], hex);
            status = error_wrap(err, "entry %s", hex);
        }
    }
    return status;
}

/* ---- certificates ---- */

static const struct certificate *founder(const struct genesis *genesis,
                                         const char *id)
{
    for (size_t i = 0; i < genesis->members.count; i++)
        if (strcmp(certificate_id(genesis->members.item[i]), id) == 0)
            return genesis->members.item[i];
    return NULL;
}

/* The entries that wrote about it. */
static enum status ask_positions(struct client *client, const char *id,
                                 struct text *positions, struct error *err)
{
    char key[sizeof "certificate/" + CERTIFICATE_ID_SIZE];
    bool more = false;
    enum status status;

    snprintf(key, sizeof key, "certificate/%s", id);
    status = history_ask(client, key, 0, positions, &more, err);
    if (status == OK && positions->size / 8 > WORKER_CERTIFICATE_VERSIONS)
        status = error_set(err, E_SYSTEM,
                           "the node answered with what is no history of a "
                           "certificate");
    return status;
}

/* The one that it enrols, if that is the one asked for; else NULL. */
static enum status enrolled_by(const struct shown *shown, const char *id,
                               struct certificate **certificate,
                               struct error *err)
{
    const struct json_value *pem =
        json_member(shown->entry.payload, "certificate");
    enum status status;

    *certificate = NULL;
    if (shown->entry.type != ENTRY_ENROL || pem == NULL ||
        json_kind(pem) != JSON_STRING)
        return OK;
    status = certificate_parse_pem(certificate,
                                   bytes_of_string(json_string(pem)), err);
    if (status == OK && strcmp(certificate_id(*certificate), id) != 0)
        certificate_destroy(certificate);
    return status;
}

static enum status ask_enrolled(struct certificate **certificate,
                                struct client *client, struct bytes positions,
                                const char *id, struct error *err)
{
    enum status status = OK;

    for (size_t at = 0;
         status == OK && *certificate == NULL && at < positions.size; at += 8) {
        struct shown shown;
        char which[24];

        snprintf(which, sizeof which, "%ju",
                 (uintmax_t)get_be64(positions.data + at));
        status = shown_ask(&shown, client, which, err);
        if (status == OK)
            status = enrolled_by(&shown, id, certificate, err);
        shown_clear(&shown);
    }
    return status;
}

enum status worker_certificate_ask(struct certificate **certificate,
                                   struct client *client,
                                   const struct genesis *genesis,
                                   const char *id, struct error *err)
{
    const struct certificate *known = founder(genesis, id);
    struct text positions;
    enum status status;

    *certificate = NULL;
    if (known != NULL)
        return certificate_decode(certificate, certificate_der(known), err);
    text_init(&positions);
    status = ask_positions(client, id, &positions, err);
    if (status == OK)
        status =
            ask_enrolled(certificate, client, text_bytes(&positions), id, err);
    if (status == OK && *certificate == NULL)
        status =
            error_set(err, E_REFUSED, "certificate %s is not enrolled", id);
    text_clear(&positions);
    return status;
}
