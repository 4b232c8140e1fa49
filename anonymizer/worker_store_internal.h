/*
 * anonymizer/worker_store_internal.h - the anonymizer's database between its
 * own files: worker_store.c (jobs, datasets), worker_store_events.c,
 * worker_store_ends.c (of access chains).
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
    WORKER_DROP_DATASET,
    WORKER_DATASETS,
    WORKER_NAME_DATASET,
    WORKER_DATASET_BY_ID,
    WORKER_DATASET_BY_ENTRY,
    WORKER_DATASET_BY_INGEST,
    WORKER_ADD_ERASED,
    WORKER_ERASED,
    WORKER_ADD_ACT,
    WORKER_ADD_LIST,
    WORKER_ACTS,
    WORKER_ACTS_OF,
    WORKER_LISTS,
    WORKER_LIST_WITH,
    WORKER_LAST_ACT,
    WORKER_CLEAR_ENDS,
    WORKER_ADD_ENDS,
    WORKER_ENDS,
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

/* With the lock held: commit if the status is OK, else nothing was done. */
MUST_USE enum status worker_store_end(struct worker_store *store,
                                      enum status status, struct error *err);

/* Of a large row, the part-th of its act: so that a flipped bit is noticed
 * where it is read. */
void worker_store_row_digest(struct digest *digest, uint64_t act, uint64_t part,
                             struct bytes row);

/* E_INPUT: a row is not as we write it. */
MUST_USE enum status worker_store_altered(const struct worker_store *store,
                                          const char *what, struct error *err);

#endif
