#include "common/access_chain.h"

#include <assert.h>
#include <string.h>

#include "common/encoding.h"
#include "common/limits.h"

static const char chain_tag[] = "anchorite access chain 1";

void access_handle_make(const uint8_t key[ACCESS_KEY_SIZE], const char *kind,
                        struct bytes id, struct access_handle *handle)
{
    const struct bytes part[] = {bytes_of(kind, strlen(kind) + 1), id};
    struct digest mac;

    assert(id.size <= ACCESS_ID_MAX);
    digest_hmac(&mac, bytes_of(key, ACCESS_KEY_SIZE), part,
                sizeof part / sizeof *part);
    memcpy(handle->byte, mac.byte, sizeof handle->byte);
}

void access_chain_extend(struct access_end *end, const struct digest *event)
{
    uint8_t length[8];
    const struct bytes part[] = {
        bytes_of(chain_tag, sizeof chain_tag),
        bytes_of(end->handle.byte, sizeof end->handle.byte),
        bytes_of(length, sizeof length),
        bytes_of(end->head.byte, DIGEST_SIZE),
        bytes_of(event->byte, DIGEST_SIZE),
    };
    struct digest head;

    put_be64(length, ++end->length);
    digest_parts(&head, part, sizeof part / sizeof *part);
    end->head = head;
}

void access_leaf(struct digest *hash, const struct access_end *end)
{
    static const uint8_t tag[] = {0x00};
    uint8_t length[8];
    const struct bytes part[] = {
        bytes_of(tag, sizeof tag),
        bytes_of(end->handle.byte, sizeof end->handle.byte),
        bytes_of(length, sizeof length),
        bytes_of(end->head.byte, DIGEST_SIZE),
    };

    put_be64(length, end->length);
    digest_parts(hash, part, sizeof part / sizeof *part);
}

void access_node(struct digest *hash, const struct digest *left,
                 const struct digest *right)
{
    static const uint8_t tag[] = {0x01};
    const struct bytes part[] = {
        bytes_of(tag, sizeof tag),
        bytes_of(left->byte, DIGEST_SIZE),
        bytes_of(right->byte, DIGEST_SIZE),
    };
    struct digest out;

    digest_parts(&out, part, sizeof part / sizeof *part);
    *hash = out;
}

void access_root(struct digest *root, const uint8_t key[ACCESS_KEY_SIZE],
                 uint64_t handles, const struct digest *trie)
{
    static const uint8_t tag[] = {0x02};
    const struct bytes key_bytes = bytes_of(key, ACCESS_KEY_SIZE);
    uint8_t count[8];
    struct digest key_digest, out;
    const struct bytes part[] = {
        bytes_of(tag, sizeof tag),
        bytes_of(key_digest.byte, DIGEST_SIZE),
        bytes_of(count, sizeof count),
        bytes_of(trie->byte, DIGEST_SIZE),
    };

    digest_parts(&key_digest, &key_bytes, 1);
    put_be64(count, handles);
    digest_parts(&out, part, sizeof part / sizeof *part);
    *root = out;
}

/* Do the first `bits` bits of both agree? */
static bool shares(const struct access_handle *a, const struct access_handle *b,
                   size_t bits)
{
    for (unsigned i = 0; i < bits; i++)
        if (access_handle_bit(a, i) != access_handle_bit(b, i))
            return false;
    return true;
}

bool access_path_trie(const struct access_path *path, struct digest *trie)
{
    const struct access_end *end = &path->end, *other = &path->other;
    struct digest hash = {{0}};

    if (path->depth > ACCESS_HANDLE_BITS)
        return false;
    if (end->length > 0 && other->length > 0)
        return false;
    if (other->length > 0 &&
        (access_handle_compare(&end->handle, &other->handle) == 0 ||
         !shares(&end->handle, &other->handle, path->depth)))
        return false;
    if (end->length > 0)
        access_leaf(&hash, end);
    else if (other->length > 0)
        access_leaf(&hash, other);
    for (size_t depth = path->depth; depth-- > 0;)
        if (access_handle_bit(&end->handle, (unsigned)depth) == 1)
            access_node(&hash, &path->beside[depth], &hash);
        else
            access_node(&hash, &hash, &path->beside[depth]);
    *trie = hash;
    return true;
}
