/*
 * common/access_chain.h - how access events are chained and mapped, so that a
 * history shows by itself that nothing which was anchored is left out.
 *
 * Whoever opens records writes an event about it: JSON in RFC 8785 form, with a
 * random salt inside, so that nobody can guess it from its digest.  Events are
 * told of a *handle*, which stands for a subject, a release, or all that was
 * refused in a day:
 *
 *     handle   first 16 bytes of HMAC-SHA256( key, kind || 0x00 || id )
 *     event    SHA-256( text )
 *     head 0   32 zero bytes
 *     head n   SHA-256( "anchorite access chain 1" 0x00 || handle || be64(n) ||
 *                       head n-1 || event )
 *
 * The map has each handle once, with the length and the head of its chain.  It
 * is a binary trie over the handles' bits, from the highest on:
 *
 *     no handle     32 zero bytes
 *     one handle    SHA-256( 0x00 || handle || be64(length) || head )
 *     several       SHA-256( 0x01 || trie of those with a 0 || those with a 1 )
 *     root          SHA-256( 0x02 || SHA-256(key) || be64(handles) || trie )
 *
 * The bits of a handle lead to one place of it, so that there is one chain for
 * each handle, or the proof that there is none.  The root is what a service
 * has anchored in the log (docs/protocol.md, `access`).
 *
 * Elsewhere: a whole history (common/access_history.h), who keeps them
 * (anonymizer/worker_events.h).
 */
#ifndef COMMON_ACCESS_CHAIN_H
#define COMMON_ACCESS_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"

#define ACCESS_HANDLE_SIZE 16
#define ACCESS_HANDLE_BITS ((size_t)8 * ACCESS_HANDLE_SIZE)
#define ACCESS_KEY_SIZE 32

struct access_handle {
    uint8_t byte[ACCESS_HANDLE_SIZE];
};

/* Where a handle's chain stands. */
struct access_end {
    struct access_handle handle;
    uint64_t length;
    struct digest head;
};

#define ACCESS_SUBJECT "subject" /* id: 16 bytes */
#define ACCESS_RELEASE "release" /* id: its text */
#define ACCESS_DENIALS "denials" /* id: their day in UTC, "2025-01-31" */

void access_handle_make(const uint8_t key[ACCESS_KEY_SIZE], const char *kind,
                        struct bytes id, struct access_handle *handle);

static inline int access_handle_compare(const struct access_handle *a,
                                        const struct access_handle *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte);
}

/* Bit 0 is the highest of the first byte. */
static inline unsigned access_handle_bit(const struct access_handle *handle,
                                         unsigned bit)
{
    return (unsigned)handle->byte[bit / 8] >> (7 - bit % 8) & 1;
}

/* One event more: length and head change. */
void access_chain_extend(struct access_end *end, const struct digest *event);

void access_leaf(struct digest *hash, const struct access_end *end);
void access_node(struct digest *hash, const struct digest *left,
                 const struct digest *right);
void access_root(struct digest *root, const uint8_t key[ACCESS_KEY_SIZE],
                 uint64_t handles, const struct digest *trie);

/* The way from a handle's place to the trie.  At the place stands its own chain
 * (length > 0), that of another handle, or nothing (length 0 in both). */
struct access_path {
    struct access_end end;   /* the handle's own; length 0: it has none */
    struct access_end other; /* what stands there instead, where length > 0 */
    size_t depth;
    struct digest
        beside[ACCESS_HANDLE_BITS]; /* [0] is next to the trie's top */
};

/* The trie that has this path.  False if there can be none: too deep, two
 * chains in one place, or one that does not belong there. */
MUST_USE bool access_path_trie(const struct access_path *path,
                               struct digest *trie);

#endif
