/*
 * tests/fuzz/fuzz_merkle.c - whatever proof: it is accepted if and only if the
 * recursion of the definition leads from it to the roots.
 *
 * An input is
 *
 *     kind (1) || number (8) || size (8) || hash (32) * n
 *
 * Bit 0 of kind says which proof, bit 1 that the roots are those to which the
 * proof leads, so that acceptance needs no luck; bit 2 takes the numbers as of
 * a tree of at most 64 leaves.  The first hashes are leaf and root, or both
 * roots; what is behind them is the proof.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/merkle.h"
#include "tests/lib/tree_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    KIND_CONSISTENCY = 1,
    KIND_LED_TO = 2,
    KIND_SMALL = 4,
};

#define HEAD_SIZE 17
/* More than any proof has, so that too long ones are tried. */
#define HASHES_MAX (2 + MERKLE_PROOF_MAX + 4)

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static bool equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

struct input {
    uint8_t kind;
    uint64_t number, size;
    struct digest first, second; /* leaf and root, or both roots */
    const struct digest *proof;
    size_t count;
};

static void try_inclusion(struct input *in)
{
    struct digest root;
    bool leads = in->number < in->size &&
                 oracle_inclusion_root(&in->first, in->number, in->size,
                                       in->proof, in->count, &root);

    if (leads && (in->kind & KIND_LED_TO) != 0)
        in->second = root;
    demand(merkle_verify_inclusion(&in->first, in->number, in->size, in->proof,
                                   in->count, &in->second) ==
           (leads && equal(&root, &in->second)));
}

static void try_consistency(struct input *in)
{
    struct digest root1, root2;
    bool leads = in->number > 0 && in->number <= in->size &&
                 oracle_consistency_roots(in->number, in->size, &in->first,
                                          in->proof, in->count, &root1, &root2);

    if (leads && (in->kind & KIND_LED_TO) != 0) {
        in->first = root1;
        in->second = root2;
    }
    demand(merkle_verify_consistency(in->number, in->size, in->proof, in->count,
                                     &in->first, &in->second) ==
           (leads && equal(&root1, &in->first) && equal(&root2, &in->second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest hash[HASHES_MAX];
    struct input in;
    size_t count;

    if (size < HEAD_SIZE + 2 * DIGEST_SIZE)
        return 0;
    count = (size - HEAD_SIZE) / DIGEST_SIZE;
    if (count > HASHES_MAX)
        count = HASHES_MAX;
    memcpy(hash, data + HEAD_SIZE, count * DIGEST_SIZE);
    in = (struct input){
        .kind = data[0],
        .number = get_be64(data + 1),
        .size = get_be64(data + 9),
        .first = hash[0],
        .second = hash[1],
        .proof = &hash[2],
        .count = count - 2,
    };
    if ((in.kind & KIND_SMALL) != 0) {
        in.number %= 65;
        in.size %= 65;
    }
    if ((in.kind & KIND_CONSISTENCY) != 0)
        try_consistency(&in);
    else
        try_inclusion(&in);
    return 0;
}
