#include "anonymizer/row_codes.h"

enum status row_codes_reserve(struct row_codes *codes, uint64_t rows,
                              struct error *err)
{
    for (size_t w = 0; w < ROW_CODES_WIDTHS; w++) {
        enum status status =
            region_resize(&codes->width[w], (size_t)rows << w, "the rows", err);

        if (status != OK)
            return status;
    }
    return OK;
}

void row_codes_clear(struct row_codes *codes)
{
    for (size_t w = 0; w < ROW_CODES_WIDTHS; w++)
        region_clear(&codes->width[w]);
}

unsigned row_codes_widen(struct row_codes *codes, unsigned width,
                         uint64_t first, uint64_t end, uint32_t code)
{
    unsigned wide = code >> 16 != 0 ? 2 : 1;

    for (uint64_t row = first; row < end; row++)
        row_codes_set_at(codes, wide, row, row_codes_get(codes, width, row));
    return wide;
}
