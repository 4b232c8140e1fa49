#include "common/merkle.h"

#include <string.h>

#include "tests/lib/suite.h"
#include "tests/lib/tree_oracle.h"

void suite_merkle(void);

/* All sizes up to this one are tried: all shapes of a tree of seven levels, and
 * the first of eight. */
#define LEAVES 130
#define LEVELS 8

static struct error err;

/* ---- a log ---- */

struct nodes {
    struct digest hash[LEVELS][LEAVES];
    uint64_t count[LEVELS];
    unsigned stored, fetched;
    unsigned fail_at; /* the call that fails, from 1 */
};

static struct nodes nodes;
static struct digest leaf[LEAVES + 1]; /* hashes */

static bool equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Nodes of a level come in order, each once. */
static enum status store(void *context, unsigned level, uint64_t index,
                         const struct digest *hash, struct error *error)
{
    struct nodes *to = (struct nodes *)context;

    if (++to->stored == to->fail_at)
        return error_set(error, E_IO, "no room");
    CU_ASSERT_FATAL(level < LEVELS && index < LEAVES);
    CU_ASSERT_EQUAL(index, to->count[level]);
    to->hash[level][index] = *hash;
    to->count[level] = index + 1;
    return OK;
}

static enum status fetch(void *context, unsigned level, uint64_t index,
                         struct digest *hash, struct error *error)
{
    struct nodes *from = (struct nodes *)context;

    if (++from->fetched == from->fail_at)
        return error_set(error, E_IO, "unreadable");
    CU_ASSERT_FATAL(level < LEVELS && index < from->count[level]);
    *hash = from->hash[level][index];
    return OK;
}

/* The first `size` leaves, each its own number in two bytes. */
static void build(struct merkle_tree *tree, size_t size)
{
    memset(&nodes, 0, sizeof nodes);
    merkle_tree_init(tree);
    for (size_t i = 0; i < size; i++) {
        uint8_t text[2] = {(uint8_t)(i >> 8), (uint8_t)i};

        merkle_leaf(&leaf[i], bytes_of(text, sizeof text));
        CU_ASSERT_EQUAL_FATAL(
            merkle_append(tree, &leaf[i], store, &nodes, &err), OK);
    }
}

/* ---- roots ---- */

/* The leaves of the tests of Certificate Transparency and the roots of the
 * first 0 to 8 of them. */
static const struct {
    const char *leaf;
    size_t size;
    const char *root;
} transparency[] = {
    {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"\x00", 1,
     "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"\x10", 1,
     "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"\x20\x21", 2,
     "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"\x30\x31", 2,
     "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"\x40\x41\x42\x43", 4,
     "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
     "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {NULL, 0,
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void roots_are_those_of_certificate_transparency(void)
{
    struct merkle_tree tree;
    struct digest root, hash;
    char hex[DIGEST_HEX_SIZE];

    merkle_tree_init(&tree);
    for (size_t i = 0;; i++) {
        merkle_root(&tree, &root);
        digest_hex(&root, hex);
        CU_ASSERT_STRING_EQUAL(hex, transparency[i].root);
        if (transparency[i].leaf == NULL)
            break;
        merkle_leaf(&hash,
                    bytes_of(transparency[i].leaf, transparency[i].size));
        CU_ASSERT_EQUAL(merkle_append(&tree, &hash, NULL, NULL, &err), OK);
        CU_ASSERT_EQUAL(tree.size, i + 1);
    }
}

static void hashes_of_leaves_and_nodes_are_apart(void)
{
    struct digest left, right, node, expected;
    uint8_t both[2 * DIGEST_SIZE];

    merkle_leaf(&left, bytes_of_string("left"));
    merkle_leaf(&right, bytes_of_string("right"));
    oracle_leaf(&expected, bytes_of_string("left"));
    CU_ASSERT(equal(&left, &expected));
    merkle_node(&node, &left, &right);
    oracle_node(&expected, &left, &right);
    CU_ASSERT(equal(&node, &expected));
    memcpy(both, left.byte, DIGEST_SIZE);
    memcpy(both + DIGEST_SIZE, right.byte, DIGEST_SIZE);
    merkle_leaf(&expected, bytes_of(both, sizeof both));
    CU_ASSERT(!equal(&node, &expected));
    /* The result may be one of the operands. */
    merkle_node(&left, &left, &right);
    CU_ASSERT(equal(&left, &node));
}

static void every_root_is_that_of_the_definition(void)
{
    struct merkle_tree tree, loaded;
    struct digest root, expected;

    for (size_t size = 0; size <= LEAVES; size++) {
        build(&tree, size);
        CU_ASSERT_EQUAL(tree.size, size);
        merkle_root(&tree, &root);
        oracle_root(leaf, size, &expected);
        CU_ASSERT(equal(&root, &expected));

        CU_ASSERT_EQUAL(merkle_tree_load(&loaded, size, fetch, &nodes, &err),
                        OK);
        CU_ASSERT_EQUAL(loaded.size, size);
        merkle_root(&loaded, &root);
        CU_ASSERT(equal(&root, &expected));
    }
}

static void stored_nodes_are_the_complete_subtrees(void)
{
    struct merkle_tree tree;
    struct digest expected;

    build(&tree, LEAVES);
    for (unsigned level = 0; level < LEVELS; level++) {
        CU_ASSERT_EQUAL(nodes.count[level], LEAVES >> level);
        for (uint64_t i = 0; i < nodes.count[level]; i++) {
            oracle_root(leaf + (i << level), (size_t)1 << level, &expected);
            CU_ASSERT(equal(&nodes.hash[level][i], &expected));
        }
    }
}

/* ---- every proof ---- */

/* Proofs of trees up to this size are changed in each byte, those of larger
 * ones in one byte of each hash, another one each time. */
#define ALL_BYTES_MAX 17

struct inclusion {
    struct digest leaf, root;
    uint64_t index, size;
    struct merkle_proof proof;
};

static bool verify_inclusion(const struct inclusion *it)
{
    return merkle_verify_inclusion(&it->leaf, it->index, it->size,
                                   it->proof.hash, it->proof.count, &it->root);
}

struct consistency {
    struct digest root1, root2;
    uint64_t size1, size2;
    struct merkle_proof proof;
};

static bool verify_consistency(const struct consistency *it)
{
    return merkle_verify_consistency(it->size1, it->size2, it->proof.hash,
                                     it->proof.count, &it->root1, &it->root2);
}

/* How often `verify` accepts the proof although a bit of `hash`, which is part
 * of it, is turned. */
static unsigned accepted_with_a_bit_turned(struct digest *hash, bool all_bytes,
                                           bool (*verify)(const void *it),
                                           const void *it)
{
    static unsigned turn;
    unsigned accepted = 0;

    for (size_t i = 0; i < (all_bytes ? DIGEST_SIZE : 1); i++) {
        size_t byte = all_bytes ? i : turn % DIGEST_SIZE;
        uint8_t bit = (uint8_t)(1u << turn % 8);

        turn++;
        hash->byte[byte] ^= bit;
        accepted += verify(it);
        hash->byte[byte] ^= bit;
    }
    return accepted;
}

/* The same with a hash too few or too many at either end. */
static unsigned accepted_with_another_count(struct merkle_proof *proof,
                                            const struct digest *behind,
                                            bool (*verify)(const void *it),
                                            const void *it)
{
    const struct merkle_proof kept = *proof;
    unsigned accepted = 0;

    proof->hash[proof->count++] = *behind;
    accepted += verify(it);
    *proof = kept;
    memmove(&proof->hash[1], &kept.hash[0], kept.count * sizeof kept.hash[0]);
    proof->hash[0] = *behind;
    proof->count++;
    accepted += verify(it);
    *proof = kept;
    if (kept.count > 0) {
        proof->count--;
        accepted += verify(it);
        memmove(&proof->hash[0], &kept.hash[1],
                proof->count * sizeof kept.hash[0]);
        accepted += verify(it);
        *proof = kept;
    }
    return accepted;
}

static bool is_inclusion(const void *it)
{
    return verify_inclusion((const struct inclusion *)it);
}

static bool is_consistency(const void *it)
{
    return verify_consistency((const struct consistency *)it);
}

static void check_inclusion_proof(struct inclusion *it)
{
    struct digest expected[LEVELS];
    bool all_bytes = it->size <= ALL_BYTES_MAX;
    unsigned accepted = 0;

    nodes.fetched = 0;
    CU_ASSERT_EQUAL_FATAL(merkle_prove_inclusion(&it->proof, it->index,
                                                 it->size, fetch, &nodes, &err),
                          OK);
    CU_ASSERT(nodes.fetched <= 2 * LEVELS);
    CU_ASSERT_EQUAL_FATAL(
        it->proof.count,
        oracle_inclusion(leaf, (size_t)it->index, (size_t)it->size, expected));
    for (size_t i = 0; i < it->proof.count; i++)
        CU_ASSERT(equal(&it->proof.hash[i], &expected[i]));
    CU_ASSERT(verify_inclusion(it));

    accepted +=
        accepted_with_a_bit_turned(&it->leaf, all_bytes, is_inclusion, it);
    accepted +=
        accepted_with_a_bit_turned(&it->root, all_bytes, is_inclusion, it);
    for (size_t i = 0; i < it->proof.count; i++)
        accepted += accepted_with_a_bit_turned(&it->proof.hash[i], all_bytes,
                                               is_inclusion, it);
    accepted +=
        accepted_with_another_count(&it->proof, &it->root, is_inclusion, it);
    accepted +=
        accepted_with_another_count(&it->proof, &it->leaf, is_inclusion, it);
    CU_ASSERT_EQUAL(accepted, 0);
}

static void every_inclusion_proof_is_that_of_the_definition(void)
{
    struct merkle_tree tree;
    struct inclusion it;

    build(&tree, LEAVES);
    for (it.size = 1; it.size <= LEAVES; it.size++) {
        oracle_root(leaf, (size_t)it.size, &it.root);
        for (it.index = 0; it.index < it.size; it.index++) {
            it.leaf = leaf[it.index];
            check_inclusion_proof(&it);
        }
    }
}

static void check_consistency_proof(struct consistency *it)
{
    struct digest expected[LEVELS + 1];
    bool all_bytes = it->size2 <= ALL_BYTES_MAX;
    unsigned accepted = 0;

    nodes.fetched = 0;
    CU_ASSERT_EQUAL_FATAL(merkle_prove_consistency(&it->proof, it->size1,
                                                   it->size2, fetch, &nodes,
                                                   &err),
                          OK);
    CU_ASSERT(nodes.fetched <= 2 * LEVELS);
    CU_ASSERT_EQUAL_FATAL(it->proof.count,
                          oracle_consistency(leaf, (size_t)it->size1,
                                             (size_t)it->size2, expected));
    for (size_t i = 0; i < it->proof.count; i++)
        CU_ASSERT(equal(&it->proof.hash[i], &expected[i]));
    CU_ASSERT(verify_consistency(it));

    accepted +=
        accepted_with_a_bit_turned(&it->root1, all_bytes, is_consistency, it);
    accepted +=
        accepted_with_a_bit_turned(&it->root2, all_bytes, is_consistency, it);
    for (size_t i = 0; i < it->proof.count; i++)
        accepted += accepted_with_a_bit_turned(&it->proof.hash[i], all_bytes,
                                               is_consistency, it);
    accepted +=
        accepted_with_another_count(&it->proof, &it->root1, is_consistency, it);
    accepted +=
        accepted_with_another_count(&it->proof, &it->root2, is_consistency, it);
    CU_ASSERT_EQUAL(accepted, 0);
}

static void every_consistency_proof_is_that_of_the_definition(void)
{
    struct merkle_tree tree;
    struct consistency it;

    build(&tree, LEAVES);
    for (it.size2 = 1; it.size2 <= LEAVES; it.size2++) {
        oracle_root(leaf, (size_t)it.size2, &it.root2);
        for (it.size1 = 1; it.size1 <= it.size2; it.size1++) {
            oracle_root(leaf, (size_t)it.size1, &it.root1);
            check_consistency_proof(&it);
        }
    }
}

/* ---- other places and sizes ----
 *
 * Roots do not bind sizes: with some other size a proof is as good.  Which
 * ones, the oracle says. */

#define PLACES_MAX 20

/* Places that a proof is tried at: all up to a little more than the largest,
 * and some that overflow if anything does. */
static uint64_t place_of(size_t i)
{
    static const uint64_t large[] = {
        UINT64_MAX,
        UINT64_MAX - 1,
        MERKLE_SIZE_MAX,
        MERKLE_SIZE_MAX - 1,
        MERKLE_SIZE_MAX + 1,
        UINT64_C(1) << 32,
        (UINT64_C(1) << 32) - 1,
    };

    return i <= PLACES_MAX + 1 ? i : large[i - PLACES_MAX - 2];
}
#define PLACES (PLACES_MAX + 2 + 7)

static bool is_included_by_definition(const struct inclusion *it)
{
    struct digest root;

    return it->index < it->size &&
           oracle_inclusion_root(&it->leaf, it->index, it->size, it->proof.hash,
                                 it->proof.count, &root) &&
           equal(&root, &it->root);
}

static void check_other_places(struct inclusion *it)
{
    const uint64_t index = it->index, size = it->size;

    for (size_t i = 0; i < PLACES; i++) {
        it->index = place_of(i);
        CU_ASSERT_EQUAL(verify_inclusion(it), it->index == index);
    }
    for (size_t i = 0; i < PLACES; i++)
        for (uint64_t d = 0; d < 3; d++) {
            it->index = index + d - 1;
            it->size = place_of(i);
            CU_ASSERT_EQUAL(verify_inclusion(it),
                            is_included_by_definition(it));
        }
    it->index = index;
    it->size = size;
}

static void inclusion_at_another_place_is_as_by_the_definition(void)
{
    struct merkle_tree tree;
    struct inclusion it;

    build(&tree, PLACES_MAX);
    for (it.size = 1; it.size <= PLACES_MAX; it.size++) {
        oracle_root(leaf, (size_t)it.size, &it.root);
        for (it.index = 0; it.index < it.size; it.index++) {
            it.leaf = leaf[it.index];
            CU_ASSERT_EQUAL_FATAL(merkle_prove_inclusion(&it.proof, it.index,
                                                         it.size, fetch, &nodes,
                                                         &err),
                                  OK);
            check_other_places(&it);
        }
    }
}

static bool is_consistent_by_definition(const struct consistency *it)
{
    struct digest root1, root2;

    return it->size1 > 0 && it->size1 <= it->size2 &&
           oracle_consistency_roots(it->size1, it->size2, &it->root1,
                                    it->proof.hash, it->proof.count, &root1,
                                    &root2) &&
           equal(&root1, &it->root1) && equal(&root2, &it->root2);
}

static void check_other_sizes(struct consistency *it)
{
    const uint64_t size1 = it->size1, size2 = it->size2;

    for (size_t i = 0; i < PLACES; i++) {
        it->size1 = place_of(i);
        CU_ASSERT_EQUAL(verify_consistency(it),
                        is_consistent_by_definition(it));
        it->size1 = size1;
        it->size2 = place_of(i);
        CU_ASSERT_EQUAL(verify_consistency(it),
                        is_consistent_by_definition(it));
        it->size2 = size2;
    }
    it->size1 = 0;
    CU_ASSERT(!verify_consistency(it));
    it->size1 = size2;
    it->size2 = size1;
    CU_ASSERT_EQUAL(verify_consistency(it), size1 == size2);
    it->size1 = size1;
    it->size2 = size2;
}

static void consistency_of_other_sizes_is_as_by_the_definition(void)
{
    struct merkle_tree tree;
    struct consistency it;

    build(&tree, PLACES_MAX);
    for (it.size2 = 1; it.size2 <= PLACES_MAX; it.size2++) {
        oracle_root(leaf, (size_t)it.size2, &it.root2);
        for (it.size1 = 1; it.size1 <= it.size2; it.size1++) {
            oracle_root(leaf, (size_t)it.size1, &it.root1);
            CU_ASSERT_EQUAL_FATAL(merkle_prove_consistency(&it.proof, it.size1,
                                                           it.size2, fetch,
                                                           &nodes, &err),
                                  OK);
            check_other_sizes(&it);
        }
    }
}

static void nothing_is_proven_about_an_empty_tree(void)
{
    struct digest empty, other;

    merkle_leaf(&other, bytes_of_string("x"));
    digest_parts(&empty, NULL, 0);
    CU_ASSERT(!merkle_verify_inclusion(&other, 0, 0, NULL, 0, &other));
    CU_ASSERT(!merkle_verify_inclusion(&empty, 0, 0, NULL, 0, &empty));
    CU_ASSERT(!merkle_verify_consistency(0, 0, NULL, 0, &empty, &empty));
    CU_ASSERT(!merkle_verify_consistency(0, 1, NULL, 0, &empty, &other));
    CU_ASSERT(!merkle_verify_consistency(0, 1, &other, 1, &empty, &other));
}

/* ---- a log that fails ---- */

static void failed_store_leaves_the_tree_as_it_was(void)
{
    struct merkle_tree tree;
    struct digest before, after;

    /* The 128th leaf completes a node on each of eight levels. */
    for (unsigned n = 1; n <= LEVELS; n++) {
        build(&tree, 127);
        merkle_root(&tree, &before);
        nodes.fail_at = nodes.stored + n;
        error_init(&err);
        CU_ASSERT_EQUAL(merkle_append(&tree, &leaf[0], store, &nodes, &err),
                        E_IO);
        CU_ASSERT_STRING_EQUAL(err.text, "no room");
        CU_ASSERT_EQUAL(tree.size, 127);
        merkle_root(&tree, &after);
        CU_ASSERT(equal(&before, &after));
    }
    build(&tree, 127);
    nodes.fail_at = nodes.stored + LEVELS + 1;
    CU_ASSERT_EQUAL(merkle_append(&tree, &leaf[0], store, &nodes, &err), OK);
}

static void failed_fetch_is_told(void)
{
    struct merkle_proof proof;
    struct merkle_tree tree, kept;
    enum status status[3] = {E_IO, E_IO, E_IO};

    build(&tree, 119); /* 1110111 in binary */
    kept = tree;
    for (unsigned n = 1; status[0] != OK || status[1] != OK || status[2] != OK;
         n++) {
        CU_ASSERT_FATAL(n <= 2 * LEVELS);
        nodes.fail_at = n;
        nodes.fetched = 0;
        status[0] = merkle_tree_load(&tree, 63, fetch, &nodes, &err);
        CU_ASSERT_EQUAL(tree.size, status[0] == OK ? 63 : kept.size);
        tree = kept;
        nodes.fetched = 0;
        status[1] = merkle_prove_inclusion(&proof, 5, 119, fetch, &nodes, &err);
        nodes.fetched = 0;
        status[2] =
            merkle_prove_consistency(&proof, 6, 119, fetch, &nodes, &err);
        for (int i = 0; i < 3; i++)
            CU_ASSERT(status[i] == OK || status[i] == E_IO);
    }
}

void suite_merkle(void)
{
    static const struct test tests[] = {
        {"roots are those of Certificate Transparency",
         roots_are_those_of_certificate_transparency},
        {"hashes of leaves and nodes are apart",
         hashes_of_leaves_and_nodes_are_apart},
        {"every root is that of the definition",
         every_root_is_that_of_the_definition},
        {"stored nodes are the complete subtrees",
         stored_nodes_are_the_complete_subtrees},
        {"every inclusion proof is that of the definition, and no other passes",
         every_inclusion_proof_is_that_of_the_definition},
        {"every consistency proof is that of the definition, and no other "
         "passes",
         every_consistency_proof_is_that_of_the_definition},
        {"inclusion at another place is as by the definition",
         inclusion_at_another_place_is_as_by_the_definition},
        {"consistency of other sizes is as by the definition",
         consistency_of_other_sizes_is_as_by_the_definition},
        {"nothing is proven about an empty tree",
         nothing_is_proven_about_an_empty_tree},
        {"a failed store leaves the tree as it was",
         failed_store_leaves_the_tree_as_it_was},
        {"a failed fetch is told", failed_fetch_is_told},
    };

    suite_add("merkle", tests, sizeof tests / sizeof tests[0]);
}
