/*
 * common/proof.h - that an entry is in the log, and what the nodes found about
 * it, for whoever has no service at hand; and whom to trust for that.
 *
 * trust.json comes by another road than the proof:
 *
 *     {"trust": 1, "origin": of the log, "quorum": k,
 *      "nodes": [{"name": name, "key": verifier key, see common/note.h}, ...],
 *      "roots": [certificate in PEM, ...], "minimum_size": n, "demo": true}
 *
 * minimum_size: no checkpoint of a smaller log is believed, which keeps an old
 * state of the log from passing as today's.  demo, which may be left out: all
 * keys were made on one machine, so that k signatures are not those of k
 * parties.
 *
 * A proof holds all that goes into the leaf (common/entry.h), the path from
 * the leaf to the root, and a checkpoint with cosignatures:
 *
 *     {"proof": 1, "entry": text of the entry, "signatures": text of its
 *      signatures, "verdict": name, "block": number, "index": position,
 *      "hashes": [base64 of 32 bytes, ...], "note": text of the signed note}
 *
 * Both are decoded strictly.  What a proof proves, when proof_verify says so:
 * a log of this origin and of the checkpoint's size, for whose root at least k
 * trusted nodes have signed, has at `index` this entry with these signatures;
 * and all nodes found `verdict` about it when they executed block `block`.
 * Not: that its signatures hold, other than by the nodes' word.
 *
 * Elsewhere: consistency of two checkpoints (common/merkle.h).
 */
#ifndef COMMON_PROOF_H
#define COMMON_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/merkle.h"
#include "common/note.h"
#include "common/text.h"

/* The nodes of one network are at most 15; a quorum over more would be a
 * network of networks. */
#define TRUST_NODES_MAX 15
/* A root for each party, with its successors. */
#define TRUST_ROOTS_MAX 32
/* So many certificates in PEM, and keys. */
#define TRUST_SIZE_MAX (512u << 10)
/* An entry whose every byte is escaped (six for one), its signatures, 64
 * hashes, a note of the largest size, escaped as well. */
#define PROOF_SIZE_MAX (2u << 20)

/* ---- whom to trust ---- */

struct trust {
    char origin[NOTE_NAME_MAX + 1];
    struct note_verifier node[TRUST_NODES_MAX];
    size_t node_count;
    uint32_t quorum;
    struct certificate *root[TRUST_ROOTS_MAX];
    size_t root_count;
    uint64_t minimum_size;
    bool demo;
};

/* E_INPUT with line and reason if it is none: two nodes of one key or name, a
 * quorum of nobody or of more than there are, a root that is no authority. */
MUST_USE enum status trust_parse(struct trust **trust, struct bytes text,
                                 struct error *err);
MUST_USE enum status trust_load(struct trust **trust, const char *path,
                                struct error *err);
/* Takes *trust, accepts NULL in it. */
void trust_destroy(struct trust **trust);

/* Append it, as trust_parse reads it. */
MUST_USE enum status trust_write(const struct trust *trust, struct text *out,
                                 struct error *err);

/* A checkpoint that is believed, and who signed it. */
struct trusted_checkpoint {
    struct checkpoint checkpoint;
    bool signed_by[TRUST_NODES_MAX];
    uint64_t signed_at[TRUST_NODES_MAX]; /* Unix seconds */
    size_t signed_count;
    struct digest note; /* SHA-256 of what was believed; zero if nothing was */
};

/* Is this a signed note over a checkpoint of the trusted log, cosigned by a
 * quorum, of at least the minimum size?  E_NO with the check that failed. */
MUST_USE enum status trust_check_note(const struct trust *trust,
                                      struct bytes note,
                                      struct trusted_checkpoint *checkpoint,
                                      struct error *err);

/* ---- proofs ---- */

/* What a proof is made of.  Borrowed, except in a struct proof. */
struct proof_parts {
    struct bytes entry;
    struct bytes signatures;
    enum entry_verdict verdict;
    uint64_t block;
    uint64_t index;
    struct merkle_proof path;
    struct bytes note;
};

/* Append it, as proof_parse reads it. E_INPUT if a part is no UTF-8, E_LIMIT
 * if a number is beyond 2^53. */
MUST_USE enum status proof_write(const struct proof_parts *parts,
                                 struct text *out, struct error *err);

/* A proof taken apart; parts and entry borrow from its own memory. */
struct proof {
    struct json *json;
    struct proof_parts parts;
    struct entry entry;
};

/* Form only: E_INPUT or E_LIMIT with the reason. */
MUST_USE enum status proof_parse(struct proof **proof, struct bytes text,
                                 struct error *err);
MUST_USE enum status proof_load(struct proof **proof, const char *path,
                                struct error *err);
void proof_destroy(struct proof **proof);

/* E_NO with the check that failed, if it proves nothing to whom trusts so. */
MUST_USE enum status proof_verify(const struct proof *proof,
                                  const struct trust *trust,
                                  struct trusted_checkpoint *checkpoint,
                                  struct error *err);
/* The same for one of many: *checkpoint is that of the proof before, by the
 * same trust; all zero for the first.  The signatures of a note that was
 * believed a moment ago are not verified again, which is nearly all that a
 * verification costs. */
MUST_USE enum status proof_verify_next(const struct proof *proof,
                                       const struct trust *trust,
                                       struct trusted_checkpoint *checkpoint,
                                       struct error *err);

#endif
