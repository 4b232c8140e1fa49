/*
 * anonymizer/csv_internal.h - parts of the CSV reader that its tests turn, and
 * reading from memory.
 *
 * The reader looks at bytes only where a quote, the delimiter, CR or LF
 * stands.  A scan finds these places for a whole block at once and leaves a
 * bit for each:
 *
 *     block   3 9 ; " a ; b " \n
 *     mask    0 0 1 1 0 1 0 1 1     bit i of mask[i / 64] is byte i
 */
#ifndef ANONYMIZER_CSV_INTERNAL_H
#define ANONYMIZER_CSV_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/csv.h"

/* What else a scan saw on its way: most blocks need no second look. */
struct csv_seen {
    bool nul;
    bool high; /* a byte above 0x7F */
};

/* Scan 64 * words bytes at `data` into mask[0..words). */
typedef struct csv_seen csv_scan(const uint8_t *data, size_t words,
                                 uint8_t delimiter, uint64_t *mask);

/* In plain C: eight bytes at a time. */
csv_scan csv_scan_plain;

/* The fastest one that this processor has. */
csv_scan *csv_scan_best(void);

/* The second-level cache holds a block and its mask between read(), scan and
 * walk.  64 KiB to 1 MiB measured the same, 2 GB/s. */
#define CSV_BLOCK_SIZE (256u << 10)

/* Room for a byte order mark, which is looked for in the first block. */
#define CSV_BLOCK_SIZE_MIN 4

struct csv_tuning {
    size_t block_size; /* at least CSV_BLOCK_SIZE_MIN; grows with a record */
    csv_scan *scan;
};

struct csv_tuning csv_tuning_default(void);

/* Where the bytes come from: fd, or where that is -1 a stream, or where that is
 * NULL memory (both borrowed for the reader's life). */
struct csv_source {
    int fd;
    const struct csv_stream *stream;
    struct bytes memory;
};

/* Back to the first byte, for a second pass; of fd or a stream. */
MUST_USE enum status csv_source_rewind(const struct csv_source *source,
                                       const char *name, struct error *err);

MUST_USE enum status csv_open_source(struct csv_reader **reader,
                                     struct csv_source source, const char *name,
                                     struct csv_options options,
                                     struct csv_tuning tuning,
                                     struct error *err);

#endif
