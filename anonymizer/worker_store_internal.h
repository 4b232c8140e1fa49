/*
 * anonymizer/worker_store_internal.h - the anonymizer's database between its
 * own files: worker_store.c (jobs, datasets), worker_store_events.c.
 */
#ifndef ANONYMIZER_WORKER_STORE_INTERNAL_H
#define ANONYMIZER_WORKER_STORE_INTERNAL_H

#include <pthread.h>

#include "anonymizer/worker_store.h"
#include "common/sql_store.h"

/* Statements of the plan. */
enum worker_statement {
    WORKER_ADD_JOB,
    WORKER_COUNT_JOBS,
    WORKER_FIND_JOB,
    WORKER_FIND_RELEASE,
    WORKER_MOVE_JOB,
    WORKER_JOBS_UNDER_WAY,
    WORKER_JOBS_OF_APPROVE,
    WORKER_JOBS_OF_DATASET,
    WORKER_ADD_SIGNED,
    WORKER_SIGNED,
    WORKER_ADD_DATASET,
    WORKER_NAME_DATASET,
    WORKER_DATASET_BY_ID,
    WORKER_DATASET_BY_ENTRY,
    WORKER_DATASET_BY_INGEST,
    WORKER_ADD_ERASED,
    WORKER_ERASED,
    WORKER_ADD_ACT,
    WORKER_ADD_EVENT,
    WORKER_PUT_END,
    WORKER_ENDS,
    WORKER_ACTS,
    WORKER_EVENTS,
    WORKER_LAST_ACT,
    WORKER_ADD_ANCHOR,
    WORKER_LAST_ANCHOR,
    WORKER_ANCHORED,
    WORKER_DROP_ANCHOR,
    WORKER_STATEMENT_COUNT
};

struct worker_store {
    struct sql_store *sql;
    pthread_mutex_t lock;
};

/* The lock, and the statement. */
MUST_USE enum status worker_store_take(struct worker_store *store,
                                       enum worker_statement which,
                                       struct sql_statement **statement,
                                       struct error *err);
/* Give both back; returns `status`. */
enum status worker_store_give(struct worker_store *store,
                              struct sql_statement *statement,
                              enum status status);

/* E_INPUT: a row is not as we write it. */
MUST_USE enum status worker_store_altered(const struct worker_store *store,
                                          const char *what, struct error *err);

#endif
