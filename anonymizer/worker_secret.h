/*
 * anonymizer/worker_secret.h - what the anonymizer keeps to itself.
 *
 * One file (common/secret_file.h) with two keys:
 *
 *     seal     seeds and salts in state.db are sealed with it, so that a copy
 *              of the database alone undoes no shuffling and opens no
 *              commitment
 *     handles  stands for subjects and releases in access events
 *              (common/access_chain.h)
 *
 * Several threads may use it at once.
 */
#ifndef ANONYMIZER_WORKER_SECRET_H
#define ANONYMIZER_WORKER_SECRET_H

#include <stdint.h>

#include "common/access_chain.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/seal.h"
#include "common/text.h"

struct worker_secret;

/* Draw both into a new file; E_INPUT if there is one. */
MUST_USE enum status worker_secret_create(const char *path, struct error *err);
MUST_USE enum status worker_secret_open(struct worker_secret **secret,
                                        const char *path, struct error *err);
/* Wipes them. */
void worker_secret_close(struct worker_secret **secret);

/* ACCESS_KEY_SIZE bytes. */
const uint8_t *worker_secret_handles(const struct worker_secret *secret);

/* plain.size + SEAL_EXTRA bytes.  `about` says what it is and whose. */
MUST_USE enum status worker_secret_seal(struct worker_secret *secret,
                                        struct bytes about, struct bytes plain,
                                        uint8_t *sealed, struct error *err);
/* Exactly `size` bytes of plain.  E_INPUT if it was altered. */
MUST_USE enum status worker_secret_reveal(struct worker_secret *secret,
                                          struct bytes about,
                                          struct bytes sealed, void *plain,
                                          size_t size, struct error *err);

#endif
