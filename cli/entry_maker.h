/*
 * cli/entry_maker.h - threads that make and sign entries ahead of who sends
 * them.
 *
 *     maker_create -> maker_wait -> maker_take, ... -> maker_destroy
 *
 * All are of type dataset and of one length; each has a nonce and a commitment
 * of its own.  Signing takes longer than sending: so many as `ready_max` wait
 * in memory, and what is taken is made good by the threads.
 */
#ifndef CLI_ENTRY_MAKER_H
#define CLI_ENTRY_MAKER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/network.h"

struct maker;

struct maker_options {
    const struct network *network;
    const struct network_user *user;
    uint64_t count;   /* so many in all */
    size_t ready_max; /* so many ahead */
    unsigned threads;
};

struct made_entry {
    struct made_entry *next;
    struct digest id;
    size_t entry_size, signatures_size;
    uint8_t bytes[]; /* the entry, then its signatures */
};

static inline struct bytes made_entry_bytes(const struct made_entry *made)
{
    return bytes_of(made->bytes, made->entry_size);
}

static inline struct bytes made_entry_signatures(const struct made_entry *made)
{
    return bytes_of(made->bytes + made->entry_size, made->signatures_size);
}

/* What options point to lives as long as the maker. */
MUST_USE enum status maker_create(struct maker **maker,
                                  const struct maker_options *options,
                                  struct error *err);
/* Waits for the threads to end.  Takes *maker, accepts NULL in it. */
void maker_destroy(struct maker **maker);

/* Until all are ready that may be, or *cancel. */
MUST_USE enum status maker_wait(struct maker *maker, const atomic_bool *cancel,
                                struct error *err);

/* The next one, to be freed; NULL in *made if none is ready just now.  An error
 * is that of a thread. */
MUST_USE enum status maker_take(struct maker *maker, struct made_entry **made,
                                struct error *err);

#endif
