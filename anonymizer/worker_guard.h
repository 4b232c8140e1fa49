/*
 * anonymizer/worker_guard.h - one dataset, one release.
 *
 * Two releases of k-anonymous data that differ by a few patients give away
 * those patients.  So a dataset is released once; asked again, for the same
 * permitted patients by the same policy, the same bytes are released again, and
 * anything else is refused.  The permitted patients are those who are in the
 * dataset: what others permit changes nothing.
 *
 * A release counts from the moment at which we have signed its entry: from then
 * on it may come to be without us.
 *
 * A patient who was erased cannot be in a release that is served again, and the
 * file that has them is never made anew: refused, too.
 */
#ifndef ANONYMIZER_WORKER_GUARD_H
#define ANONYMIZER_WORKER_GUARD_H

#include "anonymizer/worker_store.h"
#include "common/bytes.h"
#include "common/error.h"

enum guard_answer {
    GUARD_FIRST, /* there is none */
    GUARD_SAME,  /* the same again: *first is published */
    GUARD_WAIT   /* the same again, once that one is published or refused */
};

/* May this job, PERMITTED or about to be, go on?  `list` is its permitted list.
 * E_REFUSED if not.  `first` was initialised. */
MUST_USE enum status
worker_guard_ask(struct worker_store *store, const struct job_record *job,
                 struct bytes list, enum guard_answer *answer,
                 struct job_record *first, struct error *err);

/* May its release entry be signed?  `job` is RECHECKED or PROPOSED.  Another
 * release of the dataset may have come to be since it was made: E_REFUSED
 * unless that one has the same bytes, E_SYSTEM if that is not known yet. */
MUST_USE enum status worker_guard_sign(struct worker_store *store,
                                       const struct job_record *job,
                                       struct bytes list, struct error *err);

#endif
