/*
 * anonymizer/worker.h - the anonymizer's service.
 *
 *     desk (worker_desk.c)     answers; its handlers run on one thread
 *     runner (worker.c)        takes jobs on, one step after the other, on a
 *                              thread of its own; anchors access events
 *
 * Both share the journal (worker_store), the vault (worker_vault) and the
 * access events (worker_events), which have locks of their own, and nothing
 * else but which job runs.
 *
 *     message              what happens
 *     ingest, rows, ingested, name    worker_ingest.h
 *     permit, job          worker_job.h
 *     sign                 worker_proposal.h, worker_guard.h
 *     publish              worker_publication.h
 *     fetch                worker_fetch.h
 *     events               worker_events.h
 *     denied, denials      worker_denials.h, worker_events.h
 *     erase                worker_vault.h
 */
#ifndef ANONYMIZER_WORKER_H
#define ANONYMIZER_WORKER_H

#include "anonymizer/worker_config.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/network.h"
#include "common/proof.h"

struct uv_loop_s;
struct worker;

/* Borrowed for its life. */
struct worker_options {
    struct uv_loop_s *loop;
    const struct worker_config *config;
    const struct genesis *genesis;
    const struct network *network;
    const struct trust *trust;
    const struct network_user *self;
};

/* Makes databases and keys where the service never ran before. */
MUST_USE enum status worker_open(struct worker **worker,
                                 const struct worker_options *options,
                                 struct error *err);

/* The step that runs comes to its end or is left where it stands, beside the
 * loop, which goes on; `closed` comes from it.  Nulls *worker, accepts NULL in
 * it (closed is then not called). */
void worker_close(struct worker **worker, void (*closed)(void *context),
                  void *context);

#endif
