#include "common/merkle.h"

#include <assert.h>
#include <string.h>

/* ---- hashes ---- */

/* In front of what is hashed, so that no node can be taken for a leaf. */
static const uint8_t leaf_mark = 0x00;
static const uint8_t node_mark = 0x01;

void merkle_leaf(struct digest *hash, struct bytes leaf)
{
    const struct bytes part[] = {bytes_of(&leaf_mark, 1), leaf};

    digest_parts(hash, part, 2);
}

void merkle_node(struct digest *hash, const struct digest *left,
                 const struct digest *right)
{
    const struct bytes part[] = {
        bytes_of(&node_mark, 1),
        bytes_of(left->byte, DIGEST_SIZE),
        bytes_of(right->byte, DIGEST_SIZE),
    };

    digest_parts(hash, part, 3);
}

static bool same(const struct digest *a, const struct digest *b)
{
    return memcmp(a->byte, b->byte, DIGEST_SIZE) == 0;
}

/* ---- the tree ---- */

void merkle_tree_init(struct merkle_tree *tree)
{
    tree->size = 0;
}

static size_t root_count(uint64_t size)
{
    return (size_t)__builtin_popcountll(size);
}

enum status merkle_append(struct merkle_tree *tree,
                          const struct digest *leaf_hash, merkle_store *store,
                          void *context, struct error *err)
{
    size_t count = root_count(tree->size);
    struct digest hash = *leaf_hash;
    unsigned level = 0;

    if (tree->size >= MERKLE_SIZE_MAX)
        return error_set(err, E_LIMIT, "the log holds 2^%d leaves, the limit",
                         MERKLE_DEPTH_MAX);
    for (;; level++) {
        if (store != NULL) {
            enum status status =
                store(context, level, tree->size >> level, &hash, err);

            if (status != OK)
                return status;
        }
        /* As a carry does in an addition of 1. */
        if ((tree->size >> level & 1) == 0)
            break;
        merkle_node(&hash, &tree->root[--count], &hash);
    }
    tree->root[count] = hash;
    tree->size++;
    return OK;
}

void merkle_root(const struct merkle_tree *tree, struct digest *root)
{
    size_t count = root_count(tree->size);

    if (count == 0) {
        digest_parts(root, NULL, 0);
        return;
    }
    *root = tree->root[--count];
    while (count > 0)
        merkle_node(root, &tree->root[--count], root);
}

enum status merkle_tree_load(struct merkle_tree *tree, uint64_t size,
                             merkle_fetch *fetch, void *context,
                             struct error *err)
{
    struct merkle_tree loaded = {.size = size};
    size_t count = 0;

    if (size > MERKLE_SIZE_MAX)
        return error_set(err, E_LIMIT, "%ju leaves, the limit is 2^%d",
                         (uintmax_t)size, MERKLE_DEPTH_MAX);
    for (unsigned level = MERKLE_DEPTH_MAX + 1; level-- > 0;) {
        enum status status;

        if ((size >> level & 1) == 0)
            continue;
        status = fetch(context, level, (size >> level) - 1,
                       &loaded.root[count++], err);
        if (status != OK)
            return status;
    }
    *tree = loaded;
    return OK;
}

/* ---- proofs ---- */

/* Where the nodes are, and of how many leaves the tree is. */
struct source {
    uint64_t size;
    merkle_fetch *fetch;
    void *context;
};

/* The root of the leaves from `begin` to the end of the tree, of which there is
 * one at least and fewer than the lowest set bit of `begin`: complete subtrees
 * one for each set bit of their number, the smallest on the right. */
static enum status fetch_rest(const struct source *source, uint64_t begin,
                              struct digest *hash, struct error *err)
{
    uint64_t end = source->size;
    bool first = true;

    while (end > begin) {
        unsigned level = (unsigned)__builtin_ctzll(end);
        struct digest left;
        enum status status = source->fetch(source->context, level,
                                           (end >> level) - 1, &left, err);

        if (status != OK)
            return status;
        if (first)
            *hash = left;
        else
            merkle_node(hash, &left, hash);
        first = false;
        end &= end - 1;
    }
    assert(end == begin && !first);
    return OK;
}

/* Append to the proof the siblings on the way from node (level, index) up to
 * the root.  Left siblings are complete, and so are right ones but for the one
 * that holds the last leaf; above that one nothing is on the right. */
static enum status append_siblings(struct merkle_proof *proof, unsigned level,
                                   uint64_t index, const struct source *source,
                                   struct error *err)
{
    uint64_t last = (source->size - 1) >> level;

    for (; last > 0; level++, index >>= 1, last >>= 1) {
        struct digest *hash = &proof->hash[proof->count];
        uint64_t sibling = index ^ 1;
        enum status status;

        if (sibling > last)
            continue;
        assert(proof->count < MERKLE_PROOF_MAX);
        if (sibling == last && (sibling + 1) << level > source->size)
            status = fetch_rest(source, sibling << level, hash, err);
        else
            status = source->fetch(source->context, level, sibling, hash, err);
        if (status != OK)
            return status;
        proof->count++;
    }
    return OK;
}

enum status merkle_prove_inclusion(struct merkle_proof *proof, uint64_t index,
                                   uint64_t size, merkle_fetch *fetch,
                                   void *context, struct error *err)
{
    const struct source source = {size, fetch, context};

    assert(index < size && size <= MERKLE_SIZE_MAX);
    proof->count = 0;
    return append_siblings(proof, 0, index, &source, err);
}

/* The last complete subtree of the old tree is a node of the new one.  From it
 * and its siblings both roots can be computed; if it is the whole old tree, the
 * verifier knows it already. */
enum status merkle_prove_consistency(struct merkle_proof *proof, uint64_t size1,
                                     uint64_t size2, merkle_fetch *fetch,
                                     void *context, struct error *err)
{
    const struct source source = {size2, fetch, context};
    unsigned level;
    uint64_t index;

    assert(0 < size1 && size1 <= size2 && size2 <= MERKLE_SIZE_MAX);
    proof->count = 0;
    if (size1 == size2)
        return OK;
    level = (unsigned)__builtin_ctzll(size1);
    index = (size1 >> level) - 1;
    if (index > 0) {
        enum status status = fetch(context, level, index, &proof->hash[0], err);

        if (status != OK)
            return status;
        proof->count = 1;
    }
    return append_siblings(proof, level, index, &source, err);
}

/* ---- verification ----
 *
 * The loops of RFC 9162 with its letters: fn is the node on the path and sn the
 * last node of the same level.  A level on which the last node has no sibling
 * adds no hash to a proof and is passed over. */

/* Is the next hash of the proof the left sibling? */
static bool sibling_is_left(uint64_t fn, uint64_t sn)
{
    return (fn & 1) == 1 || fn == sn;
}

static void climb(uint64_t *fn, uint64_t *sn)
{
    if (sibling_is_left(*fn, *sn))
        while ((*fn & 1) == 0 && *fn != 0) {
            *fn >>= 1;
            *sn >>= 1;
        }
    *fn >>= 1;
    *sn >>= 1;
}

bool merkle_verify_inclusion(const struct digest *leaf_hash, uint64_t index,
                             uint64_t size, const struct digest *proof,
                             size_t count, const struct digest *root)
{
    struct digest r = *leaf_hash;
    uint64_t fn = index, sn = size - 1;

    if (index >= size)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (sn == 0)
            return false;
        if (sibling_is_left(fn, sn))
            merkle_node(&r, &proof[i], &r);
        else
            merkle_node(&r, &r, &proof[i]);
        climb(&fn, &sn);
    }
    return sn == 0 && same(&r, root);
}

bool merkle_verify_consistency(uint64_t size1, uint64_t size2,
                               const struct digest *proof, size_t count,
                               const struct digest *root1,
                               const struct digest *root2)
{
    struct digest fr, sr;
    uint64_t fn = size1 - 1, sn = size2 - 1;
    size_t next = 0;

    if (size1 == 0 || size1 > size2)
        return false;
    if (size1 == size2)
        return count == 0 && same(root1, root2);
    if (count == 0)
        return false;
    while ((fn & 1) == 1) {
        fn >>= 1;
        sn >>= 1;
    }
    /* A power of two: the old tree is itself the node that the path begins
     * with. */
    fr = (size1 & (size1 - 1)) == 0 ? *root1 : proof[next++];
    sr = fr;
    for (; next < count; next++) {
        if (sn == 0)
            return false;
        if (sibling_is_left(fn, sn)) {
            merkle_node(&fr, &proof[next], &fr);
            merkle_node(&sr, &proof[next], &sr);
        } else
            merkle_node(&sr, &sr, &proof[next]);
        climb(&fn, &sn);
    }
    return sn == 0 && same(&fr, root1) && same(&sr, root2);
}
