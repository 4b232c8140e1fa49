/*
 * anonymizer/worker_job.h - the life of a job: from a permit to a release.
 *
 *     received   package and list lie in jobs/<permit>/, the row in the journal
 *     permitted  permit, approval, request and terms hold against the log
 *                (worker_permit.h), and have not expired
 *     loaded     the permitted rows were read; each access was durable before
 *     found      the best transformation is written, in random order
 *     rechecked  the file holds what the policy wants, by other code; its name
 *                is release.csv, and our statement about it is stored
 *     proposed   we have signed an entry that says so
 *     anchored   such an entry is valid, and k nodes have cosigned it
 *     published  file and certificate are in releases/<release>/
 *     refused    by a check, by the policy, by time, or by a later permit
 *
 * Every move is synced before the next step begins.  What is drawn at random
 * (order of rows, salt, name of the release) is in the journal from the first
 * state on; so a job that was killed anywhere does its step again and gets the
 * same bytes, and no plain record ever waits on a disk: a job killed while
 * loaded reads the vault again.
 *
 * A refused job's folder is removed; the refusal is an access event.  No job
 * waits for longer than its permit lasts, whether or not the log knows the
 * permit: until the log was asked, until when is the broker's word, and at most
 * a day.
 */
#ifndef ANONYMIZER_WORKER_JOB_H
#define ANONYMIZER_WORKER_JOB_H

#include <stdbool.h>

#include "anonymizer/worker_internal.h"
#include "anonymizer/worker_permit.h"
#include "common/bytes.h"
#include "common/client.h"
#include "common/error.h"

/* What a `permit` brings; all borrowed. */
struct job_delivery {
    const struct digest *permit;
    const char *broker; /* certificate of who sends it */
    struct bytes seed, package, list;
};

/* Store it.  The same again is OK; the same permit with other contents is
 * refused.  Jobs of the same approval that are under way end: one permit takes
 * the place of another.  `record` was initialised. */
MUST_USE enum status worker_job_receive(struct worker *worker,
                                        const struct job_delivery *delivery,
                                        struct job_record *record,
                                        struct error *err);

/* Take it one step on.  *waits: nothing can be done now.  E_SYSTEM, E_IO,
 * E_MEMORY and E_CANCELLED: later, perhaps; what else it returns is the reason
 * for which the job has to be refused. */
MUST_USE enum status worker_job_step(struct worker *worker,
                                     struct job_record *record, bool *waits,
                                     struct error *err);

/* End it, from whatever state allows it; OK if it has ended already. */
MUST_USE enum status worker_job_refuse(struct worker *worker,
                                       const struct digest *permit,
                                       enum status why, const char *words,
                                       struct error *err);

/* ---- what a job has on the disk ---- */

/* Append jobs/<permit>/<name>; the folder itself for NULL. */
MUST_USE enum status worker_job_path(const struct worker *worker,
                                     const struct digest *permit,
                                     const char *name, struct text *out,
                                     struct error *err);

struct job_papers {
    struct text package_text, list;
    struct worker_package package;
};
/* E_INPUT if they are not those that were received.  All zero is as good as
 * clear. */
MUST_USE enum status worker_job_papers(const struct worker *worker,
                                       const struct job_record *record,
                                       struct job_papers *papers,
                                       struct error *err);
void job_papers_clear(struct job_papers *papers);

MUST_USE enum status worker_job_secrets(const struct worker *worker,
                                        const struct job_record *record,
                                        struct job_secrets *secrets,
                                        struct error *err);

/* Folders of jobs that are not under way: what a crash has left. */
MUST_USE enum status worker_job_sweep(struct worker *worker, struct error *err);

/* ---- steps that have files of their own ---- */

/* Is the file of this name, in the job's folder, the one of record->output? */
MUST_USE enum status worker_job_holds(const struct worker *worker,
                                      const struct job_record *record,
                                      bool *holds, struct error *err);

/* From permitted to rechecked (worker_making.c); again, where the file of a
 * later state is lost: E_SYSTEM if it comes out otherwise. */
MUST_USE enum status worker_job_make(struct worker *worker,
                                     struct job_record *record, bool *waits,
                                     struct error *err);

/* Move the record and its row.  E_CANCELLED if somebody else has moved it. */
MUST_USE enum status worker_job_move(struct worker *worker,
                                     struct job_record *record,
                                     enum job_state to, struct error *err);

#endif
