/*
 * tests/lib/tree_oracle.h - Merkle trees and proofs as RFC 6962 defines them,
 * for common/merkle to be compared with.
 *
 * Everything is the recursion of the definition (2.1, 2.1.1, 2.1.2), from the
 * root downwards; the code under test runs loops over bits, from the leaves
 * upwards.
 */
#ifndef TESTS_LIB_TREE_ORACLE_H
#define TESTS_LIB_TREE_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"

void oracle_leaf(struct digest *hash, struct bytes leaf);
void oracle_node(struct digest *hash, const struct digest *left,
                 const struct digest *right);

/* The root of leaves that are given by their hashes. */
void oracle_root(const struct digest *leaf, size_t size, struct digest *root);

/* PATH and PROOF; return how many hashes were written. */
size_t oracle_inclusion(const struct digest *leaf, size_t index, size_t size,
                        struct digest *proof);
size_t oracle_consistency(const struct digest *leaf, size_t size1, size_t size2,
                          struct digest *proof);

/* The root to which a proof of inclusion leads; false if it has not as many
 * hashes as a proof at this place has.  index < size. */
bool oracle_inclusion_root(const struct digest *leaf_hash, uint64_t index,
                           uint64_t size, const struct digest *proof,
                           size_t count, struct digest *root);

/* The roots to which a proof of consistency leads, given the old one (which is
 * used where the proof leaves it out); 0 < size1 <= size2. */
bool oracle_consistency_roots(uint64_t size1, uint64_t size2,
                              const struct digest *root1,
                              const struct digest *proof, size_t count,
                              struct digest *got1, struct digest *got2);

#endif
