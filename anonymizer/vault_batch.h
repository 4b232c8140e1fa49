/*
 * anonymizer/vault_batch.h - some rows of a dataset at once, checked and opened
 * by several threads.
 *
 *     fetch    one thread: what is stored of rows that follow each other
 *     check    all threads: each row's leaf, and who is permitted
 *     choose   which rows to open
 *     open     all threads: key, commitment, cells
 *
 * Only for the reader (vault_reader.c), which does between the steps what has
 * to be in order.
 */
#ifndef ANONYMIZER_VAULT_BATCH_H
#define ANONYMIZER_VAULT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/keyring_crew.h"
#include "anonymizer/vault_internal.h"

#define NOT_PERMITTED SIZE_MAX

struct batch_row {
    struct row_head head;
    struct digest leaf;
    struct digest sealed_digest; /* after check, as what follows */
    size_t permitted;            /* index, or NOT_PERMITTED */
    size_t begin, size;          /* in sealed; in plain, less SEAL_EXTRA */
};

struct batch_place {
    struct row_home home;
    uint64_t number; /* of the dataset */
    uint64_t rows;   /* of it */
};

struct vault_batch {
    const struct vault *vault;
    const struct keyring *keyring;
    const struct vault_request *request;
    struct batch_place place;
    struct batch_row *row;
    size_t count;
    size_t *chosen; /* rows to open, ascending */
    size_t chosen_count;
    const struct wrapped_key *key; /* [permitted], for open */
    struct text sealed, plain;
    struct keyring_crew *crew;
};

/* All that is given is borrowed.  On failure clear it, too. */
MUST_USE enum status vault_batch_init(struct vault_batch *batch,
                                      const struct vault *vault,
                                      const struct keyring *keyring,
                                      const struct vault_request *request,
                                      struct error *err);
void vault_batch_clear(struct vault_batch *batch);

/* Rows from `next` on, until the batch is full or the dataset ends: then there
 * are none.  E_INPUT if they are not those that should follow. */
MUST_USE enum status vault_batch_fetch(struct vault_batch *batch, uint64_t next,
                                       struct error *err);

/* E_INPUT, named by its row, if one does not have its leaf. */
MUST_USE enum status vault_batch_check(struct vault_batch *batch,
                                       struct error *err);

/* The chosen rows, into plain.  E_INPUT if one was altered. */
MUST_USE enum status vault_batch_open(struct vault_batch *batch,
                                      const struct wrapped_key *key,
                                      struct error *err);

/* Cells of a row that was opened: false if it has not just so many. */
MUST_USE bool vault_batch_split(const struct vault_batch *batch, size_t row,
                                struct bytes *cell, size_t count);

void vault_batch_wipe(struct vault_batch *batch);

#endif
