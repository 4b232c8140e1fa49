#include "tests/lib/tree_oracle.h"

#include <stdlib.h>
#include <string.h>

static void demand_digest(struct digest *hash, struct bytes data)
{
    struct error err;

    if (digest_bytes(hash, data, &err) != OK)
        abort();
}

void oracle_leaf(struct digest *hash, struct bytes leaf)
{
    uint8_t *data = malloc(leaf.size + 1);

    if (data == NULL)
        abort();
    data[0] = 0;
    if (leaf.size > 0)
        memcpy(data + 1, leaf.data, leaf.size);
    demand_digest(hash, bytes_of(data, leaf.size + 1));
    free(data);
}

void oracle_node(struct digest *hash, const struct digest *left,
                 const struct digest *right)
{
    uint8_t data[1 + 2 * DIGEST_SIZE] = {1};

    memcpy(data + 1, left->byte, DIGEST_SIZE);
    memcpy(data + 1 + DIGEST_SIZE, right->byte, DIGEST_SIZE);
    demand_digest(hash, bytes_of(data, sizeof data));
}

/* The largest power of two below size; size > 1. */
static uint64_t split(uint64_t size)
{
    uint64_t k = 1;

    while (k < size - k)
        k *= 2;
    return k;
}

void oracle_root(const struct digest *leaf, size_t size, struct digest *root)
{
    struct digest left, right;
    size_t k;

    if (size == 0) {
        demand_digest(root, bytes_of(NULL, 0));
        return;
    }
    if (size == 1) {
        *root = leaf[0];
        return;
    }
    k = split(size);
    oracle_root(leaf, k, &left);
    oracle_root(leaf + k, size - k, &right);
    oracle_node(root, &left, &right);
}

size_t oracle_inclusion(const struct digest *leaf, size_t index, size_t size,
                        struct digest *proof)
{
    size_t k, count;

    if (size == 1)
        return 0;
    k = split(size);
    if (index < k) {
        count = oracle_inclusion(leaf, index, k, proof);
        oracle_root(leaf + k, size - k, &proof[count]);
    } else {
        count = oracle_inclusion(leaf + k, index - k, size - k, proof);
        oracle_root(leaf, k, &proof[count]);
    }
    return count + 1;
}

/* SUBPROOF; `known`: the verifier has the root of these size1 leaves. */
static size_t subproof(const struct digest *leaf, size_t size1, size_t size2,
                       bool known, struct digest *proof)
{
    size_t k, count;

    if (size1 == size2) {
        if (!known)
            oracle_root(leaf, size1, proof);
        return known ? 0 : 1;
    }
    k = split(size2);
    if (size1 <= k) {
        count = subproof(leaf, size1, k, known, proof);
        oracle_root(leaf + k, size2 - k, &proof[count]);
    } else {
        count = subproof(leaf + k, size1 - k, size2 - k, false, proof);
        oracle_root(leaf, k, &proof[count]);
    }
    return count + 1;
}

size_t oracle_consistency(const struct digest *leaf, size_t size1, size_t size2,
                          struct digest *proof)
{
    return subproof(leaf, size1, size2, true, proof);
}

bool oracle_inclusion_root(const struct digest *leaf_hash, uint64_t index,
                           uint64_t size, const struct digest *proof,
                           size_t count, struct digest *root)
{
    uint64_t k;

    if (size == 1) {
        *root = *leaf_hash;
        return count == 0;
    }
    if (count == 0)
        return false;
    count--;
    k = split(size);
    if (index < k) {
        if (!oracle_inclusion_root(leaf_hash, index, k, proof, count, root))
            return false;
        oracle_node(root, root, &proof[count]);
    } else {
        if (!oracle_inclusion_root(leaf_hash, index - k, size - k, proof, count,
                                   root))
            return false;
        oracle_node(root, &proof[count], root);
    }
    return true;
}

/* `known` is the root of these size1 leaves, or NULL. */
static bool subroots(uint64_t size1, uint64_t size2, const struct digest *known,
                     const struct digest *proof, size_t count,
                     struct digest *got1, struct digest *got2)
{
    uint64_t k;

    if (size1 == size2) {
        if (count != (known == NULL ? 1 : 0))
            return false;
        *got1 = *got2 = known == NULL ? proof[0] : *known;
        return true;
    }
    if (count == 0)
        return false;
    count--;
    k = split(size2);
    if (size1 <= k) {
        if (!subroots(size1, k, known, proof, count, got1, got2))
            return false;
        oracle_node(got2, got2, &proof[count]);
    } else {
        if (!subroots(size1 - k, size2 - k, NULL, proof, count, got1, got2))
            return false;
        oracle_node(got1, &proof[count], got1);
        oracle_node(got2, &proof[count], got2);
    }
    return true;
}

bool oracle_consistency_roots(uint64_t size1, uint64_t size2,
                              const struct digest *root1,
                              const struct digest *proof, size_t count,
                              struct digest *got1, struct digest *got2)
{
    return subroots(size1, size2, root1, proof, count, got1, got2);
}
