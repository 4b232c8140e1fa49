/*
 * tests/lib/released.h - a release with everything that leads to it and all
 * that proves it, made up for tests.
 *
 *     struct released world;
 *
 *     released_open(&world, &network);    everything as it should be
 *     world.count = 4;              ... but for what a test wants otherwise
 *     released_walk(&world);        entries, log, checkpoint, proofs -> parts
 *     world.parts.release = ...     ... and here, too
 *     released_certify(&world);     -> world.certificate
 *     released_close(&world);
 *
 * The north is the hospital, the south has the institute.  The table is that of
 * tests/golden/six-rows, worked out by hand there: six rows of which one is
 * dropped.  The log is a tree of RELEASED_LEAVES leaves, most of which are none
 * of ours.  What cannot be set up ends the program.
 */
#ifndef TESTS_LIB_RELEASED_H
#define TESTS_LIB_RELEASED_H

#include <stddef.h>
#include <stdint.h>

#include "anonymizer/attestation.h"
#include "common/proof.h"
#include "tests/lib/federation.h"

#define RELEASED_LEAVES 11
#define RELEASED_ATTRIBUTES_MAX 64
#define RELEASED_ID "5f0a5f0a5f0a5f0a0123456789abcdef"

#define RELEASED_TABLE                                                         \
    "age;city;disease\n"                                                       \
    "20-29;A;flu\n"                                                            \
    "20-29;A;cold\n"                                                           \
    "20-29;A;flu\n"                                                            \
    "30-39;B;flu\n"                                                            \
    "30-39;B;cold\n"

/* In canonical form; the hierarchy is known by its digest. */
#define RELEASED_POLICY                                                        \
    "{\"attributes\":{\"age\":{\"hierarchy\":{\"sha256\":\"" NETWORK_HEX       \
    "\"},\"max_level\":2,\"min_level\":1,\"role\":\"quasi-identifying\"},"     \
    "\"city\":{\"role\":\"quasi-identifying\"},"                               \
    "\"disease\":{\"role\":\"sensitive\"},"                                    \
    "\"name\":{\"role\":\"identifying\"},"                                     \
    "\"patient\":{\"role\":\"subject\"}},"                                     \
    "\"policy\":1,\"privacy\":[{\"k\":2,\"model\":\"k-anonymity\"},"           \
    "{\"attribute\":\"disease\",\"l\":2,\"model\":\"distinct-l-diversity\"}]," \
    "\"suppressed_rows\":\"drop\",\"suppression_limit\":0.17}"

struct released {
    struct network *network; /* borrowed; one may serve many worlds */
    struct trust trust;

    /* ---- what is to be made; all right after released_open ---- */
    const struct network_identity *author[ATTESTATION_STEPS];
    const struct network_identity *endorser[4]; /* of the release; NULL ends */
    const struct network_identity *certifier;
    enum entry_type type[ATTESTATION_STEPS];
    enum entry_verdict verdict[ATTESTATION_STEPS];
    uint64_t position[ATTESTATION_STEPS];
    uint64_t block[ATTESTATION_STEPS];
    const char *names[ATTESTATION_STEPS]; /* id that it names; NULL: the right
                                             one */
    const char *terms_of[ATTESTATION_STEPS]; /* the same for the commitment */
    size_t cosigners;
    uint64_t cosigned_at; /* Unix seconds */
    const char *origin;   /* of the checkpoint */
    /* terms */
    const char *dataset, *requested_dataset, *organisation, *recipient;
    char policy_digest[DIGEST_HEX_SIZE];
    const char *list_root; /* of the permitted subjects */
    /* permit: in the statement, and in the entry's payload */
    uint64_t count, size, expires, payload_size, payload_expires, checked;
    /* release statement; permit is set unless `other_permit` */
    const char *policy_text;
    const char *table; /* NULL: `output` is its digest */
    struct release_facts facts;
    struct class_figures before, after;
    uint32_t level[RELEASED_ATTRIBUTES_MAX];
    const char *other_permit;  /* hex */
    const char *other_release; /* id */

    /* ---- what came of it ---- */
    struct policy *policy;
    struct digest output, permit_id;
    struct text terms, permit, outcome, note, proof[ATTESTATION_STEPS];
    struct network_entry entry[ATTESTATION_STEPS];
    const struct certificate *signer[ATTESTATION_SIGNERS_MAX];
    const struct certificate *authority[ATTESTATION_SIGNERS_MAX];
    struct attestation_parts parts;
    struct text certificate;
};

void released_open(struct released *world, struct network *network);
void released_walk(struct released *world);
/* Fails where attestation_write does. */
MUST_USE enum status released_certify(struct released *world,
                                      struct error *err);
void released_close(struct released *world);

#endif
