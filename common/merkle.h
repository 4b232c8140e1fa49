/*
 * common/merkle.h - the Merkle tree of RFC 6962, its proofs as verified by RFC
 * 9162.
 *
 *     leaf hash    SHA-256(0x00 || leaf)
 *     node hash    SHA-256(0x01 || left || right)
 *     root of n    the left subtree has the largest power of two below n
 *     empty tree   SHA-256("")
 *
 * The log keeps the hash of every complete subtree that ever was: node (level,
 * index) covers the leaves index * 2^level .. (index + 1) * 2^level - 1.  Those
 * never change, so proofs for any two sizes cost a logarithmic number of
 * look-ups.
 *
 * A tree value is a compact range: the roots of the complete subtrees of which
 * a tree of `size` leaves consists, largest first, one for each set bit of
 * size.  Appending needs nothing else.
 *
 * Verification trusts nothing: sizes and indexes out of range, proofs too
 * long or too short and trailing hashes are refused.
 *
 * What a proof of inclusion does not prove is the size of the tree: for some
 * other sizes the same hashes are combined in the same order (leaf 0 of 3 and
 * of 4, say).  Size and root belong together and come from a checkpoint
 * (common/note.h); so do the sizes of a proof of consistency.
 */
#ifndef COMMON_MERKLE_H
#define COMMON_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"

/* 2^63 leaves, which no log will have: no path is longer, no sum of two
 * positions overflows. */
#define MERKLE_DEPTH_MAX 63
#define MERKLE_SIZE_MAX (UINT64_C(1) << MERKLE_DEPTH_MAX)
/* A consistency proof has at most one more. */
#define MERKLE_PROOF_MAX (MERKLE_DEPTH_MAX + 1)

/* A plain value: copy it to take a snapshot. */
struct merkle_tree {
    uint64_t size;
    struct digest root[MERKLE_DEPTH_MAX]; /* root[0] is the largest's */
};

struct merkle_proof {
    size_t count;
    struct digest hash[MERKLE_PROOF_MAX];
};

/* These cannot fail: see digest_parts().  `hash` may be one of the operands. */
void merkle_leaf(struct digest *hash, struct bytes leaf);
void merkle_node(struct digest *hash, const struct digest *left,
                 const struct digest *right);

void merkle_tree_init(struct merkle_tree *tree);

/* Called for each node that an appended leaf completes, from level 0 up. */
typedef enum status merkle_store(void *context, unsigned level, uint64_t index,
                                 const struct digest *hash, struct error *err);

/* Append a leaf hash.  `store` (may be NULL) gets the new complete nodes, the
 * leaf hash first; if it fails, the tree is as it was.  E_LIMIT if there are
 * MERKLE_SIZE_MAX already. */
MUST_USE enum status merkle_append(struct merkle_tree *tree,
                                   const struct digest *leaf_hash,
                                   merkle_store *store, void *context,
                                   struct error *err);

void merkle_root(const struct merkle_tree *tree, struct digest *root);

/* The hash of a complete node, from where the log keeps it. */
typedef enum status merkle_fetch(void *context, unsigned level, uint64_t index,
                                 struct digest *hash, struct error *err);

/* The compact range of the first `size` leaves.  E_LIMIT if there are more than
 * MERKLE_SIZE_MAX; on failure the tree is as it was. */
MUST_USE enum status merkle_tree_load(struct merkle_tree *tree, uint64_t size,
                                      merkle_fetch *fetch, void *context,
                                      struct error *err);

/* The proofs fetch at most 2 * MERKLE_DEPTH_MAX nodes, none twice.  Positions
 * out of range are the caller's to refuse: they are asserted. */

/* That leaf `index` is in the tree of the first `size` leaves; index < size. */
MUST_USE enum status merkle_prove_inclusion(struct merkle_proof *proof,
                                            uint64_t index, uint64_t size,
                                            merkle_fetch *fetch, void *context,
                                            struct error *err);

/* That the first size1 leaves are a prefix of the first size2;
 * 0 < size1 <= size2.  Empty for equal sizes. */
MUST_USE enum status merkle_prove_consistency(struct merkle_proof *proof,
                                              uint64_t size1, uint64_t size2,
                                              merkle_fetch *fetch,
                                              void *context, struct error *err);

/* RFC 9162, 2.1.3.2.  Any size and index may come. */
MUST_USE bool merkle_verify_inclusion(const struct digest *leaf_hash,
                                      uint64_t index, uint64_t size,
                                      const struct digest *proof, size_t count,
                                      const struct digest *root);

/* RFC 9162, 2.1.4.2; of equal sizes the roots must be equal and the proof
 * empty.  size1 = 0 is refused: nothing is proven by it. */
MUST_USE bool merkle_verify_consistency(uint64_t size1, uint64_t size2,
                                        const struct digest *proof,
                                        size_t count,
                                        const struct digest *root1,
                                        const struct digest *root2);

#endif
