/*
 * anonymizer/release.h - writes the de-identified table.
 *
 * A second pass over the input: identifying columns go, quasi-identifiers are
 * generalized, all other cells are copied as they stand, quotes included.  A
 * suppressed row has `*` in every quasi-identifier, or is left out, as are all
 * rows outside of a subset.  Delimiter
 * and line ends are the input's; a byte order mark is not repeated.
 *
 * A file is read in blocks (csv_blocks.h) by several threads, each of which
 * writes its lines where they belong; the digest is taken in the order of the
 * file, while others render and write.  The output is the same for any number
 * of threads.
 */
#ifndef ANONYMIZER_RELEASE_H
#define ANONYMIZER_RELEASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/lattice.h"
#include "anonymizer/policy.h"
#include "anonymizer/table.h"
#include "common/digest.h"
#include "common/error.h"

struct release_plan {
    const struct policy *policy;
    const struct table *table;
    const struct lattice *lattice;
    const uint8_t *level;   /* [dimension] */
    const bool *suppressed; /* [tuple] */
    unsigned threads;       /* 0 is 1 */
};

/* Read `input` again from offset 0, write to `output` from its current offset
 * on; *digest is that of what was written.  `cancel` may be NULL.  E_INPUT if
 * the input is not what was read before. */
MUST_USE enum status release_write(const struct release_plan *plan, int input,
                                   const char *input_name, int output,
                                   const char *output_name, atomic_bool *cancel,
                                   struct digest *digest, struct error *err);
/* The same where the table came from a stream. */
MUST_USE enum status
release_write_stream(const struct release_plan *plan,
                     const struct csv_stream *input, const char *input_name,
                     int output, const char *output_name, atomic_bool *cancel,
                     struct digest *digest, struct error *err);

#endif
