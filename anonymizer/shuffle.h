/*
 * anonymizer/shuffle.h - the records of a finished table in random order.
 *
 * The order of a release tells nothing of the order of the vault: whoever knows
 * when patients came could find them by it.  The seed of 32 random bytes lies
 * in the job's journal before the first byte is written, so that a restart
 * gives the same file; it is secret, and in no certificate.
 *
 *     Fisher-Yates, from the end:
 *         for i = count - 1 .. 1: swap item[i], item[j]
 *     with j = the next of 0 .. i from the seed's key stream
 *     (common/keystream.h)
 *
 *     R. Durstenfeld: Algorithm 235, Random permutation.  Communications of
 *     the ACM 7 (7), 1964.
 */
#ifndef ANONYMIZER_SHUFFLE_H
#define ANONYMIZER_SHUFFLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"

#define SHUFFLE_SEED_SIZE 32

struct shuffle_seed {
    uint8_t byte[SHUFFLE_SEED_SIZE];
};

/* Put the items in the seed's order; at most TABLE_ROWS_MAX. */
MUST_USE enum status shuffle_items(const struct shuffle_seed *seed,
                                   uint64_t *item, size_t count,
                                   struct error *err);

/* A table to shuffle, as release_write leaves it: no byte order mark, every
 * record ends in the same way. */
struct shuffle_input {
    int fd; /* of a regular file; its offset moves */
    const char *name;
    char delimiter;
    /* A file up to so long is held in memory, SHUFFLE_HELD_MAX say; in a longer
     * one each record is looked up, which takes five times as long. */
    size_t held_max;
};

/* Write the header of `input` and then its records, in the seed's order and
 * each as it stands, to `output` from its current offset on; *digest is of what
 * was written.  Memory is 8 bytes a record, and the file where it is held.
 * E_INPUT if the input is no such
 * table, E_LIMIT if it has more than 2^40 bytes.  `cancel` may be NULL. */
MUST_USE enum status shuffle_table(const struct shuffle_seed *seed,
                                   const struct shuffle_input *input,
                                   int output, const char *output_name,
                                   atomic_bool *cancel, struct digest *digest,
                                   struct error *err);

#endif
