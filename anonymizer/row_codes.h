/*
 * anonymizer/row_codes.h - a code for each row, in as few bytes as it needs.
 *
 * Rows come in spans, each filled by one thread.  A span's codes take one, two
 * or four bytes, as its largest one needs; spans of each width lie in a region
 * (common/region.h) of their own, at their rows, so that what no span uses
 * takes no memory.
 */
#ifndef ANONYMIZER_ROW_CODES_H
#define ANONYMIZER_ROW_CODES_H

#include <stdint.h>

#include "common/error.h"
#include "common/region.h"

/* 1, 2, 4 bytes. */
#define ROW_CODES_WIDTHS 3

struct row_codes {
    struct region width[ROW_CODES_WIDTHS];
};

/* Room for so many rows; again: for more of them, while nobody writes. */
MUST_USE enum status row_codes_reserve(struct row_codes *codes, uint64_t rows,
                                       struct error *err);
void row_codes_clear(struct row_codes *codes);

/* *width, 0 at the beginning of a span, is that of its rows, which began at
 * `first`; the code of `row`, the next of them, may raise it. */
static inline void row_codes_set_at(struct row_codes *codes, unsigned width,
                                    uint64_t row, uint32_t code)
{
    if (width == 0)
        ((uint8_t *)codes->width[0].data)[row] = (uint8_t)code;
    else if (width == 1)
        ((uint16_t *)codes->width[1].data)[row] = (uint16_t)code;
    else
        ((uint32_t *)codes->width[2].data)[row] = code;
}

static inline uint32_t row_codes_get(const struct row_codes *codes,
                                     unsigned width, uint64_t row)
{
    if (width == 0)
        return ((const uint8_t *)codes->width[0].data)[row];
    if (width == 1)
        return ((const uint16_t *)codes->width[1].data)[row];
    return ((const uint32_t *)codes->width[2].data)[row];
}

/* Move rows first .. end - 1 to the width that `code` needs; returns it. */
unsigned row_codes_widen(struct row_codes *codes, unsigned width,
                         uint64_t first, uint64_t end, uint32_t code);

static inline void row_codes_set(struct row_codes *codes, uint8_t *width,
                                 uint64_t first, uint64_t row, uint32_t code)
{
    if (*width < ROW_CODES_WIDTHS - 1 && code >> (8u << *width) != 0)
        *width = (uint8_t)row_codes_widen(codes, *width, first, row, code);
    row_codes_set_at(codes, *width, row, code);
}

#endif
