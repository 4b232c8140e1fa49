/*
 * anonymizer/worker_store.h - what the anonymizer has to remember (state.db):
 * the journal of jobs, which dataset is which entry, what was signed, who has
 * been erased, and all access events.
 *
 * Each change is synced when its function returns.  A job's row is changed only
 * from the state that its changer knows, so that of two threads that move one
 * job, one is told that it came too late.
 *
 * Several threads may use it at once; each call takes the lock for itself.
 *
 * Elsewhere: what states mean (anonymizer/worker_job.h), what events say
 * (anonymizer/worker_events.h).
 */
#ifndef ANONYMIZER_WORKER_STORE_H
#define ANONYMIZER_WORKER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/vault.h"
#include "common/access_chain.h"
#include "common/bytes.h"
#include "common/commitment.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/limits.h"
#include "common/permitted.h"
#include "common/seal.h"
#include "common/states.h"
#include "common/subject_id.h"
#include "common/text.h"

struct worker_store;

/* *fresh: the tables were made, in a transaction that is still open: finish
 * what belongs to the beginning, then worker_store_begun. */
MUST_USE enum status worker_store_open(struct worker_store **store,
                                       const char *path, bool *fresh,
                                       struct error *err);
MUST_USE enum status worker_store_begun(struct worker_store *store,
                                        struct error *err);
void worker_store_close(struct worker_store **store);

/* ---- jobs ---- */

#define JOB_STATES(X)                                                          \
    X(JOB_RECEIVED, "received",                                                \
      STATES_TO(JOB_PERMITTED) | STATES_TO(JOB_REFUSED))                       \
    X(JOB_PERMITTED, "permitted",                                              \
      STATES_TO(JOB_LOADED) | STATES_TO(JOB_FOUND) | STATES_TO(JOB_REFUSED))   \
    X(JOB_LOADED, "loaded", STATES_TO(JOB_FOUND) | STATES_TO(JOB_REFUSED))     \
    X(JOB_FOUND, "found", STATES_TO(JOB_RECHECKED) | STATES_TO(JOB_REFUSED))   \
    X(JOB_RECHECKED, "rechecked",                                              \
      STATES_TO(JOB_PROPOSED) | STATES_TO(JOB_REFUSED))                        \
    X(JOB_PROPOSED, "proposed",                                                \
      STATES_TO(JOB_ANCHORED) | STATES_TO(JOB_REFUSED))                        \
    X(JOB_ANCHORED, "anchored", STATES_TO(JOB_PUBLISHED))                      \
    X(JOB_PUBLISHED, "published", 0)                                           \
    X(JOB_REFUSED, "refused", 0)

enum job_state { JOB_STATES(STATES_ENUM) };

const char *job_state_name(enum job_state state);
bool job_state_may_move(enum job_state from, enum job_state to);

#define RELEASE_TEXT_SIZE 33 /* 128 bits in hex, and a NUL */

/* Secrets of a job, drawn or received before its first step. */
struct job_secrets {
    struct permitted_seed permitted; /* of the permit's list */
    uint8_t shuffle[32];             /* order of the released rows */
    struct commitment_salt salt;     /* of the release statement */
};

/* A row of the journal.  Digests of entries are their ids. */
struct job_record {
    enum job_state state;
    struct digest permit;
    char broker[CERTIFICATE_ID_SIZE]; /* who sent it */
    struct digest approve, request;
    struct digest package; /* SHA-256 of package and list: what was sent */
    char release[RELEASE_TEXT_SIZE];
    uint8_t sealed[sizeof(struct job_secrets) + SEAL_EXTRA];
    /* from PERMITTED on */
    struct dataset_id dataset;
    struct digest members; /* of the permitted subjects in it; keyed */
    struct digest policy;
    char recipient[CERTIFICATE_ID_SIZE];
    char organisation[IDENTITY_NAME_MAX + 1];
    uint64_t expires; /* Unix milliseconds */
    uint64_t size;    /* of the log, at which consent was evaluated */
    /* from RECHECKED on */
    struct digest output;
    struct text statement; /* empty before */
    char delimiter;        /* 0 before */
    /* as soon as publication is asked for */
    bool has_entry;
    struct digest entry;
    /* of REFUSED */
    enum status status;
    char why[ERROR_TEXT_MAX];
};

void job_record_init(struct job_record *record);
void job_record_clear(struct job_record *record);

/* A new one, RECEIVED.  E_LIMIT if too many are under way. */
MUST_USE enum status worker_store_add_job(struct worker_store *store,
                                          const struct job_record *record,
                                          struct error *err);
/* `record` was initialised. */
MUST_USE enum status worker_store_find_job(struct worker_store *store,
                                           const struct digest *permit,
                                           struct job_record *record,
                                           bool *found, struct error *err);
MUST_USE enum status worker_store_find_release(struct worker_store *store,
                                               const char *release,
                                               struct job_record *record,
                                               bool *found, struct error *err);
/* The row is as the record says, if its state is `from` still: else *moved is
 * false and nothing is changed. */
MUST_USE enum status worker_store_move_job(struct worker_store *store,
                                           enum job_state from,
                                           const struct job_record *record,
                                           bool *moved, struct error *err);

/* Which jobs, in the order in which they came; *permit is to be freed. */
enum job_choice {
    JOBS_UNDER_WAY,  /* neither PUBLISHED nor REFUSED; `of` is nothing */
    JOBS_OF_APPROVE, /* of that approval, under way */
    JOBS_OF_DATASET  /* PROPOSED or later, of that dataset */
};
MUST_USE enum status worker_store_jobs(struct worker_store *store,
                                       enum job_choice choice, struct bytes of,
                                       struct digest **permit, size_t *count,
                                       struct error *err);

/* That we are about to sign this entry for that job, which moves from
 * RECHECKED to PROPOSED or is there. */
MUST_USE enum status worker_store_propose(struct worker_store *store,
                                          const struct job_record *record,
                                          const struct digest *entry,
                                          bool *moved, struct error *err);
/* Entries signed for that job, to be freed. */
MUST_USE enum status worker_store_signed(struct worker_store *store,
                                         const struct digest *permit,
                                         struct digest **entry, size_t *count,
                                         struct error *err);

/* ---- datasets ---- */

struct dataset_record {
    struct dataset_id id;
    uint8_t ingest[UPLOAD_ID_SIZE];
    bool named;
    struct digest entry;  /* if named */
    struct text subjects; /* SUBJECT_ID_SIZE each, ascending; or empty, where
                             not asked for */
};

MUST_USE enum status
worker_store_add_dataset(struct worker_store *store,
                         const struct dataset_record *record,
                         struct error *err);
MUST_USE enum status worker_store_name_dataset(struct worker_store *store,
                                               const struct dataset_id *id,
                                               const struct digest *entry,
                                               struct error *err);

/* One without a name is forgotten. */
MUST_USE enum status worker_store_drop_dataset(struct worker_store *store,
                                               const struct dataset_id *id,
                                               struct error *err);

struct dataset_name {
    struct dataset_id id;
    bool named;
};
/* Append a struct dataset_name of each, ascending by id. */
MUST_USE enum status worker_store_datasets(struct worker_store *store,
                                           struct text *datasets,
                                           struct error *err);

enum dataset_key { DATASET_BY_ID, DATASET_BY_ENTRY, DATASET_BY_INGEST };
/* `record` was zeroed; its subjects are filled if they are `wanted`. */
MUST_USE enum status worker_store_find_dataset(struct worker_store *store,
                                               enum dataset_key key,
                                               struct bytes value,
                                               bool subjects_wanted,
                                               struct dataset_record *record,
                                               bool *found, struct error *err);
void dataset_record_clear(struct dataset_record *record);

/* ---- who was erased ---- */

MUST_USE enum status worker_store_add_erased(struct worker_store *store,
                                             const struct subject_id *subject,
                                             struct error *err);
/* Those, ascending, in the order of their ids; to be freed. */
MUST_USE enum status worker_store_erased(struct worker_store *store,
                                         struct subject_id **subject,
                                         size_t *count, struct error *err);

/* ---- access events ---- */

/*
 * An event that one handle is told of is a row; whom a larger one is told of is
 * a list of handles in a few large rows, written one behind the other.  What a
 * handle's chain comes to is not kept with each event: it follows from all
 * acts.  So that this does not take longer and longer, the ends of all chains
 * are saved now and then, and only acts behind them are told once more.
 */

/* One event, told of one or many handles at once. */
struct act_record {
    uint64_t number; /* from 1 */
    struct bytes text;
    struct digest members; /* of the handles, see worker_events.h */
    uint64_t count;        /* of the handles */
    struct digest leaf;    /* of all of that; the store makes and checks it */
};

/* Of these handles, ascending, none twice; all of it in one transaction. */
MUST_USE enum status worker_store_add_act(struct worker_store *store,
                                          const struct act_record *act,
                                          const struct access_handle *handle,
                                          struct error *err);

/* Called for each; what it returns but OK ends it. */
typedef enum status worker_store_each_act(void *context,
                                          const struct act_record *act,
                                          struct error *err);
/* With all handles of it, act->count. */
typedef enum status worker_store_each_told(void *context,
                                           const struct act_record *act,
                                           const struct access_handle *handle,
                                           struct error *err);
/* Ends that follow each other, ascending by handle. */
typedef enum status worker_store_each_ends(void *context,
                                           const struct access_end *end,
                                           size_t count, struct error *err);

/* Acts behind that number, in order. */
MUST_USE enum status worker_store_acts(struct worker_store *store,
                                       uint64_t behind,
                                       worker_store_each_act *each,
                                       void *context, struct error *err);
MUST_USE enum status worker_store_told(struct worker_store *store,
                                       uint64_t behind,
                                       worker_store_each_told *each,
                                       void *context, struct error *err);
/* A handle's acts, in the order of its chain. */
MUST_USE enum status worker_store_history(struct worker_store *store,
                                          const struct access_handle *handle,
                                          worker_store_each_act *each,
                                          void *context, struct error *err);
MUST_USE enum status worker_store_last_act(struct worker_store *store,
                                           uint64_t *number, struct error *err);

/* All ends after this act, ascending by handle, instead of those that were
 * saved before. */
MUST_USE enum status worker_store_save_ends(struct worker_store *store,
                                            uint64_t act,
                                            const struct access_end *end,
                                            size_t count, struct error *err);
/* Those that were saved, after *act; 0 where none were. */
MUST_USE enum status worker_store_ends(struct worker_store *store,
                                       worker_store_each_ends *each,
                                       void *context, uint64_t *act,
                                       struct error *err);

/* What anchors acts: an entry, kept before it is handed in. */
struct anchor_record {
    uint64_t last; /* act that it covers, with all before */
    struct text statement, entry, signatures;
    uint8_t salt[COMMITMENT_SALT_SIZE + SEAL_EXTRA]; /* sealed */
    bool done;                                       /* valid in the log */
};

void anchor_record_clear(struct anchor_record *record);

MUST_USE enum status worker_store_add_anchor(struct worker_store *store,
                                             const struct anchor_record *record,
                                             struct error *err);
/* The last one; `record` was zeroed. */
MUST_USE enum status worker_store_last_anchor(struct worker_store *store,
                                              struct anchor_record *record,
                                              bool *found, struct error *err);
/* It is in the log. */
MUST_USE enum status worker_store_anchored(struct worker_store *store,
                                           uint64_t last, struct error *err);
/* It will never be: another one takes its place. */
MUST_USE enum status worker_store_drop_anchor(struct worker_store *store,
                                              uint64_t last, struct error *err);

#endif
