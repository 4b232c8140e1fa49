/*
 * anonymizer/worker_chains.h - the chains of access events, in memory and on
 * the disk.
 *
 * On the disk is what was told, of whom (anonymizer/worker_store.h): a few
 * bytes for each handle, one behind the other, however many an event is told
 * of.  In memory is what the chains come to (anonymizer/worker_map.h).  After
 * an opening it is computed from the acts once more, and compared with what the
 * acts say of their members; those before the ends that were last saved are
 * spared.
 *
 * One thread at a time.
 */
#ifndef ANONYMIZER_WORKER_CHAINS_H
#define ANONYMIZER_WORKER_CHAINS_H

#include <stddef.h>
#include <stdint.h>

#include "anonymizer/worker_map.h"
#include "anonymizer/worker_store.h"
#include "common/access_chain.h"
#include "common/bytes.h"
#include "common/error.h"

struct worker_chains;

/* The store is borrowed.  E_INPUT if what it has was altered. */
MUST_USE enum status worker_chains_open(struct worker_chains **chains,
                                        struct worker_store *store,
                                        struct error *err);
void worker_chains_close(struct worker_chains **chains);

/* The number of the last act; 0: none. */
uint64_t worker_chains_last(const struct worker_chains *chains);
/* Of all of them. */
struct worker_map *worker_chains_map(struct worker_chains *chains);

/* An event of these handles, ascending, none twice, at least one.  Durable when
 * it returns OK; else nothing has changed. */
MUST_USE enum status worker_chains_tell(struct worker_chains *chains,
                                        struct bytes text,
                                        const struct access_handle *handle,
                                        size_t count, struct error *err);

/* The events of a chain; E_INPUT if they are not all that it was made of. */
MUST_USE enum status worker_chains_history(struct worker_chains *chains,
                                           const struct access_handle *handle,
                                           worker_store_each_act *each,
                                           void *context, struct error *err);

/* Save the ends of all chains, for the next opening. */
MUST_USE enum status worker_chains_save(struct worker_chains *chains,
                                        struct error *err);
/* Only if much was told since they were. */
MUST_USE enum status worker_chains_save_some(struct worker_chains *chains,
                                             struct error *err);

#endif
