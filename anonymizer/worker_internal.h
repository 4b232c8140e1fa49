/*
 * anonymizer/worker_internal.h - the anonymizer's service between its own
 * files.
 */
#ifndef ANONYMIZER_WORKER_INTERNAL_H
#define ANONYMIZER_WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/worker.h"
#include "anonymizer/worker_denials.h"
#include "anonymizer/worker_events.h"
#include "anonymizer/worker_fetch.h"
#include "anonymizer/worker_ingest.h"
#include "anonymizer/worker_package.h"
#include "anonymizer/worker_secret.h"
#include "anonymizer/worker_store.h"
#include "anonymizer/worker_vault.h"
#include "common/client.h"
#include "common/desk.h"
#include "common/digest.h"
#include "common/lane.h"

/* How often a job's step has failed by the machine. */
struct job_tries {
    struct digest permit;
    unsigned count;
};

/* The runner's end, for which the loop does not stand still. */
struct runner_end {
    struct lane_job job; /* the first member */
    pthread_t thread;
};

struct worker {
    struct worker_options options;
    struct worker_store *store;
    struct worker_secret *secret;
    struct worker_vault *vault;
    struct worker_events *events;
    struct desk_settings desk_settings; /* the desk borrows it */
    struct desk *desk;

    /* the desk's thread alone */
    struct worker_ingests *ingests;
    struct worker_fetches *fetches;
    struct worker_denials *denials;

    /* the runner's thread alone */
    struct client_options client_options; /* the client borrows them */
    struct client *client;
    struct job_tries tries[WORKER_JOBS_MAX];
    size_t tries_count;
    struct error told; /* the last failure that was logged */

    struct runner_end runner;
    bool started;
    struct lane *lane;    /* of the runner's end alone */
    atomic_bool stopping; /* for questions to the nodes, too */
    atomic_bool cancel;   /* of the search that runs */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t kicked;
    bool kick;
    bool runs;
    struct digest running;

    void (*closed)(void *context);
    void *context;
};

/* Look at the jobs now. */
void worker_kick(struct worker *worker);
/* End the search for this job, if it runs. */
void worker_cancel(struct worker *worker, const struct digest *permit);

#endif
