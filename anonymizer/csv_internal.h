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

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/csv.h"
#include "anonymizer/csv_blocks.h"
#include "common/limits.h"

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

/* What a scan counts for blocks whose beginning may stand inside quotes. */
struct csv_marks {
    uint64_t quotes;
    uint64_t lines[2]; /* newlines with an even, an odd number of quotes
                          between the beginning and them */
    struct csv_seen seen;
};

/* A scan that counts. */
typedef struct csv_marks csv_mark(const uint8_t *data, size_t words,
                                  uint8_t delimiter, uint64_t *mask);
csv_mark csv_mark_plain;
csv_mark *csv_mark_best(void);

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

/* Where the next record begins, right after csv_open. */
uint64_t csv_offset(const struct csv_reader *reader);
size_t csv_width(const struct csv_reader *reader);

struct csv_blocks_tuning {
    size_t block_size; /* a multiple of 64, at most CSV_BLOCKS_SIZE_MAX */
    csv_scan *scan;
    csv_mark *mark;
};

/* Block and the end of its last record, which is no longer: then no cell can
 * exceed CSV_FIELD_MAX. */
#define CSV_BLOCKS_SIZE_MAX (CSV_FIELD_MAX / 2)

struct csv_blocks_tuning csv_blocks_tuning_default(void);

MUST_USE enum status csv_blocks_open_tuned(struct csv_blocks **blocks,
                                           const struct csv_reader *reader,
                                           int fd, const char *name,
                                           struct csv_blocks_tuning tuning,
                                           atomic_bool *cancel,
                                           struct error *err);

/* Back to the first byte, for a second pass; of fd or a stream. */
MUST_USE enum status csv_source_rewind(const struct csv_source *source,
                                       const char *name, struct error *err);

MUST_USE enum status csv_open_source(struct csv_reader **reader,
                                     struct csv_source source, const char *name,
                                     struct csv_options options,
                                     struct csv_tuning tuning,
                                     struct error *err);

/* The next special byte: `bits` are those of the word that were not met. */
struct csv_cursor {
    const uint64_t *mask;
    size_t word;
    uint64_t bits;
};

static inline struct csv_cursor csv_cursor_at(const uint64_t *mask, size_t at)
{
    return (struct csv_cursor){mask, at / 64,
                               mask[at / 64] & (UINT64_MAX << (at % 64))};
}

/* Must not be asked again behind the end of the block. */
static inline size_t csv_cursor_next(struct csv_cursor *cursor)
{
    size_t bit;

    while (cursor->bits == 0)
        cursor->bits = cursor->mask[++cursor->word];
    bit = (size_t)__builtin_ctzll(cursor->bits);
    cursor->bits &= cursor->bits - 1;
    return 64 * cursor->word + bit;
}

#endif
