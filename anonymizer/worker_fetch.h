/*
 * anonymizer/worker_fetch.h - releases for those who asked for them.
 *
 * Only the certificate that the request names gets a release, piece by piece.
 * A fetch is an access event, durable before its first byte; a piece that does
 * not go on where the last one ended is another fetch.  Refusals are for
 * whoever calls to tell (anonymizer/worker_denials.h).
 *
 * One thread at a time (the desk's).
 */
#ifndef ANONYMIZER_WORKER_FETCH_H
#define ANONYMIZER_WORKER_FETCH_H

#include <stdint.h>

#include "anonymizer/worker_events.h"
#include "anonymizer/worker_store.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/text.h"

struct worker_fetches;

/* `folder` has a folder for each release; all is borrowed. */
MUST_USE enum status worker_fetches_create(struct worker_fetches **fetches,
                                           struct worker_store *store,
                                           struct worker_events *events,
                                           const char *folder,
                                           struct error *err);
void worker_fetches_destroy(struct worker_fetches **fetches);

enum fetch_file { FETCH_TABLE, FETCH_CERTIFICATE };

struct fetch_call {
    const struct certificate *certificate; /* of who asks */
    struct bytes release;                  /* as the message has it */
    uint64_t file;                         /* enum fetch_file */
    uint64_t offset;
};

/* Append up to PIECE_SIZE_MAX bytes from the offset on; *size is that of the
 * whole.  E_REFUSED if it is not theirs, or there is none: who has no right to
 * it is not told which. */
MUST_USE enum status worker_fetches_piece(struct worker_fetches *fetches,
                                          const struct fetch_call *call,
                                          uint64_t *size, struct text *out,
                                          struct error *err);

#endif
