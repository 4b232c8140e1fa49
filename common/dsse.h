/*
 * common/dsse.h - signed statements in an envelope (DSSE 1.0,
 * secure-systems-lab).
 *
 *     {"payload": base64 of the statement's bytes,
 *      "payloadType": "application/vnd.in-toto+json",
 *      "signatures": [{"keyid": certificate id, "sig": base64 of DER}, ...]}
 *
 * A signature is not over this JSON but over the pre-authentication encoding of
 * the bytes that were put into it,
 *
 *     PAE = "DSSEv1" SP size(type) SP type SP size(statement) SP statement
 *
 * with sizes in decimal, so that nobody has to spell JSON the same way to
 * verify, and no other message that our keys sign can be taken for one.
 *
 * Of what the specification leaves open we take the narrow way: one payload
 * type, base64 in its standard alphabet and one spelling, signatures ascending
 * by keyid and one by each, ECDSA P-256 in its one spelling (common/sign.h), no
 * further members.
 *
 * Elsewhere: whose certificates count, and what the statement says
 * (anonymizer/attestation.h).
 */
#ifndef COMMON_DSSE_H
#define COMMON_DSSE_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/sign.h"
#include "common/text.h"

#define DSSE_PAYLOAD_TYPE "application/vnd.in-toto+json"
/* An anonymizer, and others who may sign beside it. */
#define DSSE_SIGNATURES_MAX 8
/* A statement is read as JSON (JSON_SIZE_MAX); base64 makes four of three. */
#define DSSE_PAYLOAD_SIZE_MAX (11u << 20)
#define DSSE_SIZE_MAX (16u << 20)

struct dsse_signature {
    char by[CERTIFICATE_ID_SIZE];
    uint8_t bytes[SIGNATURE_SIZE_MAX];
    size_t size;
};

/* An envelope taken apart; all of it is its own. */
struct dsse {
    struct text payload;
    struct dsse_signature signature[DSSE_SIGNATURES_MAX];
    size_t signature_count;
};

/* What is signed: append the encoding of `payload` as a statement of `type`. */
MUST_USE enum status dsse_encode(const char *type, struct bytes payload,
                                 struct text *out, struct error *err);

/* One signature over an in-toto statement; the key is ECDSA P-256. */
MUST_USE enum status dsse_sign(struct bytes payload, const char *certificate_id,
                               const struct private_key *key,
                               struct dsse_signature *signature,
                               struct error *err);

/* Append the envelope in RFC 8785 form; the signatures, 1 to
 * DSSE_SIGNATURES_MAX, may come in any order.  E_INPUT or E_LIMIT for what
 * dsse_parse would refuse. */
MUST_USE enum status dsse_write(struct bytes payload,
                                const struct dsse_signature *signature,
                                size_t count, struct text *out,
                                struct error *err);

/* Form only: E_INPUT or E_LIMIT with the reason; *dsse is then as after
 * clear. */
MUST_USE enum status dsse_parse(struct dsse *dsse, struct bytes text,
                                struct error *err);
/* All zero is as good as clear. */
void dsse_clear(struct dsse *dsse);

/* Has the holder of this certificate signed?  E_NO if there is no signature of
 * that id, or if it does not hold.  E_MEMORY and E_SYSTEM say that it could not
 * be checked. */
MUST_USE enum status dsse_verify(const struct dsse *dsse,
                                 const struct certificate *certificate,
                                 struct error *err);

#endif
