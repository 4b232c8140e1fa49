#include "common/permitted.h"

#include <assert.h>

#include "common/encoding.h"
#include "common/merkle.h"
#include "common/sign.h"

/* With the NUL at its end. */
static const char label[] = "anchorite permitted 1";

/* Of SHA-256: what HMAC fills the key up to. */
#define BLOCK_SIZE 64

/* The seed as HMAC (RFC 2104) puts it in front, inside and outside.  By hand
 * over digest_parts(): that one neither allocates nor looks an algorithm up,
 * which takes longer than the digests of 38 bytes that a list has a million
 * of. */
struct salting {
    uint8_t inner[BLOCK_SIZE];
    uint8_t outer[BLOCK_SIZE];
};

static void salting_init(struct salting *salting,
                         const struct permitted_seed *seed)
{
    memset(salting->inner, 0x36, BLOCK_SIZE);
    memset(salting->outer, 0x5c, BLOCK_SIZE);
    for (size_t i = 0; i < PERMITTED_SEED_SIZE; i++) {
        salting->inner[i] ^= seed->byte[i];
        salting->outer[i] ^= seed->byte[i];
    }
}

static void leaf_hash(const struct salting *salting, const uint8_t *item,
                      struct digest *hash)
{
    uint8_t leaf[DIGEST_SIZE + PERMITTED_ITEM_SIZE];
    const struct bytes inner[] = {
        bytes_of(salting->inner, BLOCK_SIZE),
        bytes_of(label, sizeof label),
        bytes_of(item, SUBJECT_ID_SIZE),
    };
    struct digest digest;
    const struct bytes outer[] = {
        bytes_of(salting->outer, BLOCK_SIZE),
        bytes_of(digest.byte, DIGEST_SIZE),
    };

    digest_parts(&digest, inner, sizeof inner / sizeof *inner);
    digest_parts(&digest, outer, sizeof outer / sizeof *outer);
    memcpy(leaf, digest.byte, DIGEST_SIZE);
    memcpy(leaf + DIGEST_SIZE, item, PERMITTED_ITEM_SIZE);
    merkle_leaf(hash, bytes_of(leaf, sizeof leaf));
}

void permitted_encode(const struct permitted *item,
                      uint8_t out[PERMITTED_ITEM_SIZE])
{
    memcpy(out, item->subject.byte, SUBJECT_ID_SIZE);
    put_be64(out + SUBJECT_ID_SIZE, item->position);
}

struct permitted permitted_item(struct bytes list, size_t index)
{
    struct permitted item;
    const uint8_t *at;

    assert(index < list.size / PERMITTED_ITEM_SIZE);
    at = list.data + index * PERMITTED_ITEM_SIZE;
    memcpy(item.subject.byte, at, SUBJECT_ID_SIZE);
    item.position = get_be64(at + SUBJECT_ID_SIZE);
    return item;
}

enum status permitted_root(struct bytes list, const struct permitted_seed *seed,
                           struct digest *root, struct error *err)
{
    struct salting salting;
    struct merkle_tree tree;
    enum status status = OK;

    if (list.size % PERMITTED_ITEM_SIZE != 0)
        return error_set(err, E_INPUT,
                         "permitted subjects: %zu bytes are not a number of "
                         "items of %d",
                         list.size, PERMITTED_ITEM_SIZE);
    salting_init(&salting, seed);
    merkle_tree_init(&tree);
    for (size_t at = 0; status == OK && at < list.size;
         at += PERMITTED_ITEM_SIZE) {
        const uint8_t *item = list.data + at;
        struct digest hash;

        if (at > 0 &&
            memcmp(item - PERMITTED_ITEM_SIZE, item, SUBJECT_ID_SIZE) >= 0) {
            status = error_set(err, E_INPUT,
                               "permitted subjects: item %zu is not above the "
                               "one before it",
                               at / PERMITTED_ITEM_SIZE + 1);
            break;
        }
        leaf_hash(&salting, item, &hash);
        status = merkle_append(&tree, &hash, NULL, NULL, err);
    }
    if (status == OK)
        merkle_root(&tree, root);
    secret_wipe(&salting, sizeof salting);
    return status;
}
