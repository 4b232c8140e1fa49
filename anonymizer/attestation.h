/*
 * anonymizer/attestation.h - the certificate of a release: what it says, how it
 * is written, and what can be proven by it without asking anybody.
 *
 * A certificate is a DSSE envelope (common/dsse.h), signed by the anonymizer,
 * around an in-toto Statement v1:
 *
 *     {"_type": "https://in-toto.io/Statement/v1",
 *      "subject": [{"name": "<release id>.csv", "digest": {"sha256": hex}}],
 *      "predicateType": "urn:anchorite:release:1",
 *      "predicate": {
 *        "certificate": 1, "release": id, "delimiter": of the file,
 *        "policy": the canonical text that the policy digest is of,
 *        "terms":   {"salt": hex, "statement": text},
 *        "permit":  {"salt": hex, "statement": text},
 *        "outcome": {"salt": hex, "statement": text},
 *        "proofs": {"request", "approve", "permit", "release"},
 *        "signers": [PEM, ...], "authorities": [PEM, ...]}}
 *
 * The chain, each entry proven in the log by common/proof.h:
 *
 *     request <-- approve <-- permit <-- release         named by entry id
 *        |           |           |          |
 *        +-----------+-----------+----------+-- terms    one commitment
 *                                |          |
 *                  permit statement         outcome: the release statement
 *                  (count, expires, ...)    (digest of the file, figures)
 *
 * docs/formats.md has every member; docs/decisions/018 says why.
 *
 * Order of calls: the anonymizer writes a release statement with
 * release_statement_write, has it in the log, then attestation_write.  Whoever
 * verifies calls attestation_parse, attestation_verify (the chain, by a trust
 * file alone) and attestation_recount (the file itself).
 *
 * What no certificate can show, because the file does not have it: that consent
 * was evaluated rightly (the broker's word), what the dropped rows and the
 * risk before were, and that no better transformation exists (the anonymizer's
 * word).
 */
#ifndef ANONYMIZER_ATTESTATION_H
#define ANONYMIZER_ATTESTATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "anonymizer/recheck.h"
#include "common/bytes.h"
#include "common/commitment.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/proof.h"
#include "common/sign.h"
#include "common/text.h"

/* Ids of releases: 128 random bits, lower-hex. */
#define RELEASE_ID_SIZE 16
#define RELEASE_ID_HEX_SIZE (2 * RELEASE_ID_SIZE + 1)

/* ---- the release statement ---- */

/* What the release entry commits to. */
struct release_facts {
    const char *release;         /* id */
    const struct digest *permit; /* id of the permit's entry */
    const struct digest *output; /* SHA-256 of the file */
    const struct policy *policy; /* its digest, and names for the levels */
    const uint32_t *level;       /* per policy.attribute */
    uint64_t rows;               /* of permitted subjects */
    uint64_t suppressed;         /* rows of them that were dropped */
    const struct class_figures *before;
    const struct class_figures *after; /* by recheck, of the finished file */
};

/* Append it in RFC 8785 form (docs/protocol.md, "Statements"). */
MUST_USE enum status release_statement_write(const struct release_facts *facts,
                                             struct text *out,
                                             struct error *err);

/* ---- writing ---- */

enum attestation_step {
    STEP_REQUEST,
    STEP_APPROVE,
    STEP_PERMIT,
    STEP_RELEASE,
    ATTESTATION_STEPS
};

/* "request", "approve", "permit", "release". */
const char *attestation_step_name(enum attestation_step step);

/* A statement off the ledger and what opens its commitment. */
struct attested_statement {
    struct commitment_salt salt;
    struct bytes text;
};

/* Authors of four entries and two endorsers; with room for policies that want
 * more of them. */
#define ATTESTATION_SIGNERS_MAX 16

/* All borrowed. */
struct attestation_parts {
    const char *release;               /* id */
    char delimiter;                    /* of the file */
    struct bytes policy;               /* the text that its digest is of */
    struct attested_statement terms;   /* "terms 1" */
    struct attested_statement permit;  /* "permit 1" */
    struct attested_statement outcome; /* "release 1" */
    /* As proof_write has written them, all four from one checkpoint: who gets
     * them from two, since the log went on meanwhile, asks again. */
    struct bytes proof[ATTESTATION_STEPS];
    /* Of everybody who has signed one of the four entries, each once, the
     * anonymizer among them; and their organisations' authorities. */
    const struct certificate *const *signer;
    size_t signer_count;
    const struct certificate *const *authority;
    size_t authority_count;
    const struct certificate *anonymizer; /* who signs the certificate */
    const struct private_key *key;        /* with this key */
};

/* Append the certificate, one line.  What was written is read again and must
 * be what attestation_parse accepts: E_INPUT or E_LIMIT with the reason if the
 * parts make no certificate (proofs of two checkpoints, a statement of another
 * kind).  Whether it convinces anybody is for attestation_verify to say, which
 * the anonymizer asks before it publishes. */
MUST_USE enum status attestation_write(const struct attestation_parts *parts,
                                       struct text *out, struct error *err);

#endif
