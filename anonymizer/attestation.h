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
#include "common/dsse.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/json.h"
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

/* ---- reading ---- */

/* What the statements say.  Texts borrow from the attestation. */
struct attested_terms {
    char dataset[DIGEST_HEX_SIZE];            /* id of its entry */
    char policy[DIGEST_HEX_SIZE];             /* digest */
    char organisation[IDENTITY_NAME_MAX + 1]; /* the recipient's */
    char recipient[CERTIFICATE_ID_SIZE];
    const struct json_value *purposes; /* an array of strings */
};

struct attested_permit {
    char root[DIGEST_HEX_SIZE]; /* of the list of permitted subjects */
    uint64_t count;             /* of them */
    uint64_t size;              /* of the log at which consent was evaluated */
    uint64_t expires;           /* Unix milliseconds */
};

struct attested_outcome {
    char release[RELEASE_ID_HEX_SIZE];
    char permit[DIGEST_HEX_SIZE]; /* id of its entry */
    char output[DIGEST_HEX_SIZE];
    char policy[DIGEST_HEX_SIZE];
    const struct json_value *levels; /* an object: attribute, level */
    uint64_t rows, suppressed;
    /* count, min, max, average, uniques and the risks; rows and suppressed are
     * 0. */
    struct class_figures before, after;
};

/* A certificate taken apart; all of it is its own. */
struct attestation {
    struct dsse envelope;
    struct json *statement;
    char release[RELEASE_ID_HEX_SIZE];
    char subject[RELEASE_ID_HEX_SIZE]; /* the id in the subject's name */
    char output[DIGEST_HEX_SIZE];      /* the subject's digest */
    char delimiter;
    struct bytes policy_text;
    struct policy *policy; /* without hierarchies */
    struct attested_statement terms, permit, outcome;
    struct json *terms_json, *permit_json, *outcome_json;
    struct attested_terms terms_said;
    struct attested_permit permit_said;
    struct attested_outcome outcome_said;
    struct proof *proof[ATTESTATION_STEPS];
    struct certificate *signer[ATTESTATION_SIGNERS_MAX];
    size_t signer_count;
    struct certificate *authority[ATTESTATION_SIGNERS_MAX];
    size_t authority_count;
};

/* Form only: E_INPUT, E_LIMIT or E_VERSION with the reason. */
MUST_USE enum status attestation_parse(struct attestation **attestation,
                                       struct bytes text, struct error *err);
MUST_USE enum status attestation_load(struct attestation **attestation,
                                      const char *path, struct error *err);
/* Takes *attestation, accepts NULL in it. */
void attestation_destroy(struct attestation **attestation);

/* ---- verifying ----
 *
 * Each check has a name, and a sentence that is true once it has passed.  They
 * are made in this order, and the first that fails ends it. */
#define ATTESTATION_CHECKS(X)                                                  \
    X(CHECK_CERTIFICATE, "certificate", "it is signed by an anonymizer")       \
    X(CHECK_LOG, "log",                                                        \
      "all four entries are in the log, under one cosigned checkpoint")        \
    X(CHECK_VERDICT, "verdict", "all nodes found the four entries valid")      \
    X(CHECK_CHAIN, "chain",                                                    \
      "each of them names the one before it and stands behind it")             \
    X(CHECK_TERMS, "terms",                                                    \
      "dataset, purposes, recipient and policy are the same in all four")      \
    X(CHECK_COMMITMENTS, "commitments",                                        \
      "permit and release stand for the statements in the certificate")        \
    X(CHECK_SIGNERS, "signers",                                                \
      "each had the right role, by a certificate of a trusted root")           \
    X(CHECK_SIGNATURES, "signatures", "the signatures of all of them hold")    \
    X(CHECK_PERMIT, "permit",                                                  \
      "the release has no more rows than subjects were permitted")             \
    X(CHECK_POLICY, "policy",                                                  \
      "the policy is the one that was asked for, and its limits are kept")     \
    X(CHECK_RELEASE, "release", "the certificate is for this release alone")   \
    X(CHECK_DIGEST, "digest", "the file has the SHA-256 of the certificate")   \
    X(CHECK_TABLE, "table",                                                    \
      "the file is a table, and has no column that the policy removes")        \
    X(CHECK_ROWS, "rows", "it has as many rows as were released")              \
    X(CHECK_MODELS, "models", "no privacy model of the policy is broken")      \
    X(CHECK_FIGURES, "figures", "classes and risk are as stated")

enum attestation_check {
#define CHECK_ENUM(id, name, sentence) id,
    ATTESTATION_CHECKS(CHECK_ENUM)
#undef CHECK_ENUM
        ATTESTATION_CHECK_COUNT
};
/* The first check that needs the file. */
#define ATTESTATION_RECOUNTED CHECK_DIGEST

const char *attestation_check_name(enum attestation_check check);
const char *attestation_check_sentence(enum attestation_check check);

/* What was found.  After a no, `failed` is the check that said it. */
struct attestation_findings {
    enum attestation_check failed;
    struct trusted_checkpoint checkpoint;
    /* Unix seconds: all of the nodes had cosigned by then. */
    uint64_t cosigned_by;
    /* Was that before the permit's end?  If not, only the nodes' verdict says
     * that the release was ordered before it: no proof shows a block's time. */
    bool in_time;
    uint64_t checked; /* size of the log up to which consent was looked at */
    /* Borrowed from the attestation. */
    const struct certificate *institute;  /* of the request */
    const struct certificate *custodian;  /* of the approval */
    const struct certificate *broker;     /* of the permit */
    const struct certificate *anonymizer; /* of the certificate */
};

/* All checks that need no file, by what is trusted.  E_NO with the name of the
 * check in front and the reason.
 *
 * Times: a permit lasts 24 hours at most, so permit, release and certificate
 * were signed between 24 hours before its end and the end, or a minute behind
 * the cosignatures (clocks differ) where that is earlier; request and approval
 * some time before that.  A signer's certificate must have been valid at some
 * moment of that. */
MUST_USE enum status attestation_verify(const struct attestation *attestation,
                                        const struct trust *trust,
                                        struct attestation_findings *findings,
                                        struct error *err);

/* All checks on the file at fd, a regular file at any offset; `name` is for
 * errors, `cancel` (may be NULL) as for recheck_table.  E_NO as above.  *result
 * is what was counted, NULL if it did not come to that. */
MUST_USE enum status attestation_recount(const struct attestation *attestation,
                                         int fd, const char *name,
                                         atomic_bool *cancel,
                                         struct attestation_findings *findings,
                                         struct recheck_result **result,
                                         struct error *err);

#endif
