/*
 * anonymizer/worker_publication.h - a release becomes visible.
 *
 *     publish (entry)     the entry is one that we have signed, it is valid,
 *                         and k nodes have cosigned that: anchored
 *     the runner          certificate beside the file, in a folder of their own
 *                         that gets its name in one step: published
 *
 * So nothing is visible that is not anchored, and a file never without its
 * certificate.  Killed in between, the second step is done again; the
 * certificate that comes out may have another signature, nobody saw the first.
 */
#ifndef ANONYMIZER_WORKER_PUBLICATION_H
#define ANONYMIZER_WORKER_PUBLICATION_H

#include "anonymizer/worker_internal.h"
#include "common/client.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/text.h"

/* From proposed to anchored.  E_REFUSED if we have not signed this entry for
 * this job, or the nodes found it other than valid; E_SYSTEM if it is not
 * anchored yet. */
MUST_USE enum status worker_publication_anchor(struct worker *worker,
                                               struct client *client,
                                               struct job_record *record,
                                               const struct digest *entry,
                                               struct error *err);

/* From anchored to published; on the runner. */
MUST_USE enum status worker_publication_make(struct worker *worker,
                                             struct job_record *record,
                                             struct error *err);

/* Append releases/<release>/<name>; the folder itself for NULL. */
MUST_USE enum status worker_publication_path(const struct worker *worker,
                                             const char *release,
                                             const char *name, struct text *out,
                                             struct error *err);

MUST_USE enum status worker_publication_digest(const char *path,
                                               struct digest *digest,
                                               struct error *err);

/* Write the file at `path` to `to`.  E_INPUT if it is not the one of that
 * digest. */
MUST_USE enum status worker_publication_copy(const char *path, int to,
                                             const char *to_name,
                                             const struct digest *expected,
                                             struct error *err);

#endif
