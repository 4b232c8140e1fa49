/*
 * common/crew.h - a few threads that do many small things at once.
 *
 *     crew_run(crew, count, check_signature, batch);
 *
 * calls check_signature(batch, i) once for each i < count, on all threads of
 * the crew and the caller's, and returns when all are done.  One caller at a
 * time.
 */
#ifndef COMMON_CREW_H
#define COMMON_CREW_H

#include <stddef.h>

#include "common/error.h"

struct crew;

/* So many threads besides the caller's; 0 is allowed. */
MUST_USE enum status crew_create(struct crew **crew, unsigned threads,
                                 struct error *err);
/* Waits for them to end. */
void crew_destroy(struct crew **crew);

void crew_run(struct crew *crew, size_t count,
              void (*task)(void *context, size_t index), void *context);

#endif
