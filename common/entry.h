/*
 * common/entry.h - what is written into the log: an entry, its signatures, its
 * leaf.
 *
 * An entry is a JSON object in its RFC 8785 form, and nothing but that form is
 * accepted, so that its bytes are its identity:
 *
 *     {"author": certificate id, "channel": name, "nonce": 32 hex digits,
 *      "origin": of the log, "payload": object, "type": name}
 *
 * id = SHA-256 of the bytes.  The payload holds strings, booleans, arrays,
 * objects and whole numbers up to 2^53; fractions are strings, and what is not
 * known is left out, not null.  Origins are names as in common/note.h,
 * certificate ids are 32 lower-case hex digits.
 *
 * Signatures stand outside: a JSON array in RFC 8785 form of
 *
 *     {"by": certificate id, "signature": base64 of DER}
 *
 * ascending by "by" and at most one by each, each over the entry's bytes, the
 * author's among them.
 *
 *     leaf = be32(entry size) || entry || SHA-256(signatures) || verdict byte
 *            || be64(block number)
 *
 * so that a proof of inclusion also proves that all nodes found the entry
 * valid, or why not.
 *
 * Elsewhere: whether signatures are right and who may write what is the
 * ledger's to say (ledger/rules.h); each type's payload is described in
 * docs/protocol.md.
 */
#ifndef COMMON_ENTRY_H
#define COMMON_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/json.h"
#include "common/sign.h"
#include "common/text.h"

/* Commitments and ids: a real entry has some hundred bytes. */
#define ENTRY_SIZE_MAX (64u << 10)
/* Endorsers of one entry, its author included. */
#define ENTRY_SIGNATURES_MAX 16
/* 16 signatures in their form have 2,450. */
#define ENTRY_SIGNATURES_SIZE_MAX (4u << 10)
#define ENTRY_NONCE_SIZE 16
#define ENTRY_NONCE_HEX_SIZE (2 * ENTRY_NONCE_SIZE + 1)
/* A channel's name is the name of a folder, too. */
#define ENTRY_CHANNEL_MAX 64

/* 1 to ENTRY_CHANNEL_MAX lower-case letters, digits and dashes, a letter
 * first. */
bool entry_channel_valid(struct bytes channel);

#define ENTRY_TYPE_TABLE(X)                                                    \
    X("dataset", DATASET)                                                      \
    X("consent", CONSENT)                                                      \
    X("withdraw", WITHDRAW)                                                    \
    X("erase", ERASE)                                                          \
    X("request", REQUEST)                                                      \
    X("approve", APPROVE)                                                      \
    X("reject", REJECT)                                                        \
    X("permit", PERMIT)                                                        \
    X("release", RELEASE)                                                      \
    X("access", ACCESS)                                                        \
    X("enrol", ENROL)                                                          \
    X("revoke", REVOKE)                                                        \
    X("member", MEMBER)

enum entry_type {
#define ENTRY_TYPE_ENUM(name, id) ENTRY_##id,
    ENTRY_TYPE_TABLE(ENTRY_TYPE_ENUM)
#undef ENTRY_TYPE_ENUM
        ENTRY_TYPE_COUNT
};

const char *entry_type_name(enum entry_type type);
MUST_USE bool entry_type_parse(struct bytes name, enum entry_type *type);

/* What all nodes find, by the same rules: byte in the leaf, name, words. */
#define VERDICT_TABLE(X)                                                       \
    X(0, VALID, "valid")                                                       \
    X(1, UNKNOWN_SIGNER, "unknown-signer")                                     \
    X(2, BAD_SIGNATURE, "bad-signature")                                       \
    X(3, EXPIRED, "expired")                                                   \
    X(4, REVOKED, "revoked")                                                   \
    X(5, FORBIDDEN, "forbidden")                                               \
    X(6, NOT_ENDORSED, "not-endorsed")                                         \
    X(7, CONFLICT, "conflict")                                                 \
    X(8, STALE, "stale")                                                       \
    X(9, AGAINST_RULE, "against-rule")

enum entry_verdict {
#define VERDICT_ENUM(byte, id, name) VERDICT_##id = (byte),
    VERDICT_TABLE(VERDICT_ENUM)
#undef VERDICT_ENUM
};

const char *entry_verdict_name(enum entry_verdict verdict);

struct entry_signature {
    char by[CERTIFICATE_ID_SIZE];
    uint8_t bytes[SIGNATURE_SIZE_MAX];
    size_t size;
};

/* An entry taken apart.  bytes and signature_bytes are borrowed from whoever
 * gave them; json is owned. */
struct entry {
    struct bytes bytes;
    struct bytes signature_bytes;
    struct digest id;
    struct json *json;
    enum entry_type type;
    char author[CERTIFICATE_ID_SIZE];
    char nonce[ENTRY_NONCE_HEX_SIZE];
    const char *origin;  /* in json */
    const char *channel; /* in json */
    const struct json_value *payload;
    struct entry_signature signature[ENTRY_SIGNATURES_MAX];
    size_t signature_count;
};

/* Form only: canonical, complete, within limits, signatures well-formed and
 * the author's among them.  E_INPUT or E_LIMIT with the reason.  On failure the
 * entry is as after clear; what was in it before is not released. */
MUST_USE enum status entry_parse(struct entry *entry, struct bytes bytes,
                                 struct bytes signatures, struct error *err);
/* All zero is as good as clear. */
void entry_clear(struct entry *entry);

/* ---- making one ---- */

struct entry_draft {
    enum entry_type type;
    const char *origin;
    const char *channel;
    const char *author;               /* certificate id */
    const uint8_t *nonce;             /* ENTRY_NONCE_SIZE bytes */
    const struct json_value *payload; /* an object */
};

/* Append the entry's bytes.  E_INPUT or E_LIMIT for what entry_parse would
 * refuse. */
MUST_USE enum status entry_write(const struct entry_draft *draft,
                                 struct text *out, struct error *err);

/* Append the array of 1 to ENTRY_SIGNATURES_MAX signatures, which may come in
 * any order.  E_INPUT for what entry_parse would refuse. */
MUST_USE enum status
entry_write_signatures(const struct entry_signature *signature, size_t count,
                       struct text *out, struct error *err);

/* One signature over the entry's bytes; the key is ECDSA P-256. */
MUST_USE enum status entry_sign(struct bytes entry, const char *certificate_id,
                                const struct private_key *key,
                                struct entry_signature *signature,
                                struct error *err);

/* Append the leaf. */
MUST_USE enum status entry_leaf(struct bytes entry, struct bytes signatures,
                                enum entry_verdict verdict, uint64_t block,
                                struct text *out, struct error *err);

#endif
