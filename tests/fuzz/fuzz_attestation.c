/*
 * tests/fuzz/fuzz_attestation.c - whatever bytes, as a release's certificate:
 * what is refused is refused with words; what is accepted keeps within its
 * limits, and proves nothing to whom trusts other keys.
 *
 * First byte 's': the statement stands behind it, and gets an envelope; else
 * the envelope does.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/attestation.h"
#include "common/dsse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* A key that nobody has: the public key of RFC 8032's second test. */
static const struct trust *strange_trust(void)
{
    static const char key[] =
        "node.example/b+1930b2a1+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";
    static struct trust trust = {
        .origin = "log.example/test", .node_count = 1, .quorum = 1};
    struct error err;

    if (trust.node[0].public_key == NULL)
        demand(note_verifier_parse(&trust.node[0], bytes_of_string(key),
                                   &err) == OK);
    return &trust;
}

static void try_certificate(struct bytes bytes)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct error err;
    enum status status;

    error_init(&err);
    status = attestation_parse(&attestation, bytes, &err);
    if (status != OK) {
        demand(attestation == NULL && err.text[0] != '\0' &&
               (status == E_INPUT || status == E_LIMIT || status == E_VERSION));
        return;
    }
    demand(attestation->signer_count >= 1 &&
           attestation->signer_count <= ATTESTATION_SIGNERS_MAX);
    demand(attestation->policy->without_hierarchies);
    demand(strlen(attestation->release) == RELEASE_ID_HEX_SIZE - 1);
    demand(json_length(attestation->terms_said.purposes) >= 1);
    demand(attestation_verify(attestation, strange_trust(), &findings, &err) ==
           E_NO);
    demand(findings.failed < ATTESTATION_RECOUNTED);
    attestation_destroy(&attestation);
}

/* In the smallest envelope that can be: r = s = 1. */
static void try_statement(struct bytes bytes)
{
    static const struct dsse_signature signature = {
        .by = "00112233445566778899aabbccddeeff",
        .bytes = {0x30, 6, 2, 1, 1, 2, 1, 1},
        .size = 8};
    struct text envelope;
    struct error err;

    error_init(&err);
    text_init(&envelope);
    demand(dsse_write(bytes, &signature, 1, &envelope, &err) == OK);
    try_certificate(text_bytes(&envelope));
    text_clear(&envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 's')
        try_statement(bytes_of(data + 1, size - 1));
    else if (size > 0)
        try_certificate(bytes_of(data + 1, size - 1));
    return 0;
}
