#include "common/merkle.h"

#include <string.h>

#include "tests/lib/suite.h"
#include "tests/lib/tree_oracle.h"

void suite_merkle_large(void);

static struct error err;

/* As large as a tree can be.
 *
 * With equal leaves all nodes of a level are equal, so that a tree of any size
 * fits in a table of 64 hashes. */

static struct digest uniform[MERKLE_DEPTH_MAX + 1];
static uint64_t uniform_size;
static unsigned uniform_fetched;

static bool equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static enum status fetch_uniform(void *context, unsigned level, uint64_t index,
                                 struct digest *hash, struct error *error)
{
    (void)context;
    (void)error;
    CU_ASSERT_FATAL(level <= MERKLE_DEPTH_MAX);
    CU_ASSERT(index < uniform_size >> level);
    uniform_fetched++;
    *hash = uniform[level];
    return OK;
}

static void uniform_root(uint64_t size, struct merkle_tree *tree,
                         struct digest *root)
{
    uniform_size = size;
    CU_ASSERT_EQUAL_FATAL(
        merkle_tree_load(tree, size, fetch_uniform, NULL, &err), OK);
    merkle_root(tree, root);
}

static void make_uniform(void)
{
    merkle_leaf(&uniform[0], bytes_of_string("the same"));
    for (int i = 0; i < MERKLE_DEPTH_MAX; i++)
        merkle_node(&uniform[i + 1], &uniform[i], &uniform[i]);
}

static const uint64_t large_sizes[] = {
    1,
    2,
    3,
    (UINT64_C(1) << 32) - 1,
    UINT64_C(1) << 32,
    (UINT64_C(1) << 32) + 1,
    UINT64_C(0x5555555555555555),
    UINT64_C(0x2aaaaaaaaaaaaaaa),
    MERKLE_SIZE_MAX / 2 - 1,
    MERKLE_SIZE_MAX / 2,
    MERKLE_SIZE_MAX / 2 + 1,
    MERKLE_SIZE_MAX - 2,
    MERKLE_SIZE_MAX - 1,
    MERKLE_SIZE_MAX,
};
#define LARGE_SIZES (sizeof large_sizes / sizeof large_sizes[0])

static void check_large_inclusion(uint64_t index, uint64_t size,
                                  const struct digest *root)
{
    struct merkle_proof proof;
    struct digest got;

    uniform_size = size;
    uniform_fetched = 0;
    CU_ASSERT_EQUAL_FATAL(
        merkle_prove_inclusion(&proof, index, size, fetch_uniform, NULL, &err),
        OK);
    CU_ASSERT(uniform_fetched <= 2 * MERKLE_DEPTH_MAX);
    CU_ASSERT(proof.count <= MERKLE_DEPTH_MAX);
    CU_ASSERT(oracle_inclusion_root(&uniform[0], index, size, proof.hash,
                                    proof.count, &got));
    CU_ASSERT(equal(&got, root));
    CU_ASSERT(merkle_verify_inclusion(&uniform[0], index, size, proof.hash,
                                      proof.count, root));
}

static void check_large_consistency(uint64_t size1, uint64_t size2)
{
    struct merkle_proof proof;
    struct merkle_tree tree;
    struct digest root1, root2, got1, got2;

    uniform_root(size1, &tree, &root1);
    uniform_root(size2, &tree, &root2);
    uniform_fetched = 0;
    CU_ASSERT_EQUAL_FATAL(merkle_prove_consistency(&proof, size1, size2,
                                                   fetch_uniform, NULL, &err),
                          OK);
    CU_ASSERT(uniform_fetched <= 2 * MERKLE_DEPTH_MAX);
    CU_ASSERT(proof.count <= MERKLE_PROOF_MAX);
    CU_ASSERT(oracle_consistency_roots(size1, size2, &root1, proof.hash,
                                       proof.count, &got1, &got2));
    CU_ASSERT(equal(&got1, &root1) && equal(&got2, &root2));
    CU_ASSERT(merkle_verify_consistency(size1, size2, proof.hash, proof.count,
                                        &root1, &root2));
}

static void the_largest_trees_are_proven(void)
{
    struct merkle_tree tree;
    struct digest root;

    make_uniform();
    for (size_t i = 0; i < LARGE_SIZES; i++) {
        uint64_t size = large_sizes[i];

        uniform_root(size, &tree, &root);
        check_large_inclusion(0, size, &root);
        check_large_inclusion(size / 3, size, &root);
        check_large_inclusion(size / 2, size, &root);
        check_large_inclusion(size - 1, size, &root);
        for (size_t j = 0; j <= i; j++)
            if (large_sizes[j] <= size)
                check_large_consistency(large_sizes[j], size);
    }
}

/* The first from the last power of two: a sibling on each level, and the node
 * that the path begins with. */
static void the_longest_proof_has_room(void)
{
    struct merkle_proof proof;

    make_uniform();
    uniform_size = MERKLE_SIZE_MAX;
    CU_ASSERT_EQUAL(merkle_prove_consistency(&proof, MERKLE_SIZE_MAX - 1,
                                             MERKLE_SIZE_MAX, fetch_uniform,
                                             NULL, &err),
                    OK);
    CU_ASSERT_EQUAL(proof.count, MERKLE_PROOF_MAX);
    CU_ASSERT_EQUAL(merkle_prove_inclusion(&proof, 0, MERKLE_SIZE_MAX,
                                           fetch_uniform, NULL, &err),
                    OK);
    CU_ASSERT_EQUAL(proof.count, MERKLE_DEPTH_MAX);
}

static void a_full_tree_takes_no_leaf(void)
{
    struct merkle_tree tree, before;
    struct digest root;

    make_uniform();
    uniform_root(MERKLE_SIZE_MAX - 1, &tree, &root);
    CU_ASSERT_EQUAL(merkle_append(&tree, &uniform[0], NULL, NULL, &err), OK);
    CU_ASSERT_EQUAL(tree.size, MERKLE_SIZE_MAX);
    merkle_root(&tree, &root);
    CU_ASSERT(equal(&root, &uniform[MERKLE_DEPTH_MAX]));

    before = tree;
    CU_ASSERT_EQUAL(merkle_append(&tree, &uniform[0], NULL, NULL, &err),
                    E_LIMIT);
    CU_ASSERT_EQUAL(tree.size, before.size);
    CU_ASSERT(equal(&tree.root[0], &before.root[0]));
    CU_ASSERT_STRING_EQUAL(err.text, "the log holds 2^63 leaves, the limit");

    CU_ASSERT_EQUAL(
        merkle_tree_load(&tree, MERKLE_SIZE_MAX + 1, fetch_uniform, NULL, &err),
        E_LIMIT);
    CU_ASSERT_EQUAL(tree.size, before.size);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "9223372036854775809 leaves, the limit is 2^63");
}

void suite_merkle_large(void)
{
    static const struct test tests[] = {
        {"the largest trees are proven", the_largest_trees_are_proven},
        {"the longest proof has room", the_longest_proof_has_room},
        {"a full tree takes no leaf", a_full_tree_takes_no_leaf},
    };

    suite_add("merkle_large", tests, sizeof tests / sizeof tests[0]);
}
