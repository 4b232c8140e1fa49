/*
 * anonymizer/keyring_crew.h - threads that work with subjects' keys.
 *
 *     keyring_crew_run(crew, count, open_row, batch, err)
 *
 * calls open_row(batch, share, item, err) once for each item < count, on all
 * threads.  The items are divided into KEYRING_SHARES runs, one behind the
 * other; each has a seal and room for one key of its own, which are wiped at
 * the end.
 */
#ifndef ANONYMIZER_KEYRING_CREW_H
#define ANONYMIZER_KEYRING_CREW_H

#include <stddef.h>

#include "common/error.h"
#include "common/seal.h"

struct keyring_crew;
struct subject_key;

struct keyring_share {
    struct seal *seal;
    struct subject_key *key;
};

typedef enum status keyring_work(void *context,
                                 const struct keyring_share *share, size_t item,
                                 struct error *err);

/* So many threads, the caller's included; 0 is taken for 1. */
MUST_USE enum status keyring_crew_create(struct keyring_crew **crew,
                                         unsigned threads, struct error *err);
void keyring_crew_destroy(struct keyring_crew **crew);

/* A run of items ends with the first of them that fails.  The failure with the
 * lowest item is the one that is returned. */
MUST_USE enum status keyring_crew_run(struct keyring_crew *crew, size_t count,
                                      keyring_work *work, void *context,
                                      struct error *err);

#endif
