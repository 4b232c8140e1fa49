/*
 * anonymizer/subjects.h - does any patient have more than one row?
 *
 * k counts rows and promises patients, so each patient may stand in one row
 * only.  One pass keeps a 64-bit hash per row; only hashes that occur twice
 * are suspicious, and a second pass over the file compares those texts
 * themselves.  8 bytes a row instead of a set of strings.
 *
 *     subjects_add (per row) -> subjects_suspects
 *                            -> subjects_confirm (per row of a second pass)
 */
#ifndef ANONYMIZER_SUBJECTS_H
#define ANONYMIZER_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/dictionary.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/hash.h"

struct subjects {
    struct hash_key key; /* drawn with the first row */
    uint64_t *hash;      /* a row each; after suspects: repeated ones, sorted */
    size_t count, capacity;
    bool borrowed;          /* hash is somebody else's */
    struct dictionary seen; /* suspicious texts of the second pass */
    uint64_t *line;         /* by code of seen */
    size_t line_capacity;
};

void subjects_init(struct subjects *subjects);
void subjects_clear(struct subjects *subjects);

MUST_USE enum status subjects_add(struct subjects *subjects,
                                  struct bytes subject, struct error *err);

/* Instead of adding them: the hashes of so many subjects, by this key.  They
 * are sorted where they are, and must outlive it. */
void subjects_use(struct subjects *subjects, struct hash_key key,
                  uint64_t *hash, size_t count);

/* How many hashes occur more than once; 0: no subject has two rows. */
size_t subjects_suspects(struct subjects *subjects);

/* In the second pass: *first_line is 0, or the line where this subject stood
 * before. */
MUST_USE enum status subjects_confirm(struct subjects *subjects,
                                      struct bytes subject, uint64_t line,
                                      uint64_t *first_line, struct error *err);

#endif
