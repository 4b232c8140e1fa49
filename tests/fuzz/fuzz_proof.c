/*
 * tests/fuzz/fuzz_proof.c - whatever bytes, as a trust file and as a proof:
 * what is refused is refused with words; what is accepted survives writing and
 * reading again; and nothing proves anything to whom trusts other keys.
 *
 * First byte 't': a trust file behind it; else a proof.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static bool is_refusal(enum status status, const struct error *err)
{
    return (status == E_INPUT || status == E_LIMIT || status == E_VERSION) &&
           err->text[0] != '\0';
}

static void try_trust(struct bytes bytes)
{
    struct trust *trust = NULL, *again = NULL;
    struct text text, second;
    struct error err;
    enum status status;

    error_init(&err);
    status = trust_parse(&trust, bytes, &err);
    if (status != OK) {
        demand(trust == NULL && is_refusal(status, &err));
        return;
    }
    demand(trust->quorum >= 1 && trust->quorum <= trust->node_count);
    demand(trust->root_count >= 1);
    text_init(&text);
    text_init(&second);
    demand(trust_write(trust, &text, &err) == OK);
    demand(trust_parse(&again, text_bytes(&text), &err) == OK);
    demand(trust_write(again, &second, &err) == OK);
    demand(bytes_equal(text_bytes(&text), text_bytes(&second)));
    text_clear(&second);
    text_clear(&text);
    trust_destroy(&again);
    trust_destroy(&trust);
}

/* A key that nobody has: the public key of RFC 8032's second test. */
static struct trust *strange_trust(void)
{
    static const char key[] =
        "node.example/b+1930b2a1+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";
    static struct trust trust = {
        .origin = "log.example/1", .node_count = 1, .quorum = 1};
    struct error err;

    if (trust.node[0].public_key == NULL)
        demand(note_verifier_parse(&trust.node[0], bytes_of_string(key),
                                   &err) == OK);
    return &trust;
}

static void try_proof(struct bytes bytes)
{
    struct trusted_checkpoint checkpoint;
    struct proof *proof = NULL, *again = NULL;
    struct text text;
    struct error err;
    enum status status;

    error_init(&err);
    status = proof_parse(&proof, bytes, &err);
    if (status != OK) {
        demand(proof == NULL && is_refusal(status, &err));
        return;
    }
    text_init(&text);
    demand(proof_write(&proof->parts, &text, &err) == OK);
    demand(proof_parse(&again, text_bytes(&text), &err) == OK);
    demand(bytes_equal(again->parts.entry, proof->parts.entry) &&
           bytes_equal(again->parts.note, proof->parts.note) &&
           again->parts.path.count == proof->parts.path.count &&
           again->parts.index == proof->parts.index &&
           again->parts.verdict == proof->parts.verdict);
    demand(proof_verify(proof, strange_trust(), &checkpoint, &err) == E_NO);
    text_clear(&text);
    proof_destroy(&again);
    proof_destroy(&proof);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 't')
        try_trust(bytes_of(data + 1, size - 1));
    else if (size > 0)
        try_proof(bytes_of(data + 1, size - 1));
    return 0;
}
