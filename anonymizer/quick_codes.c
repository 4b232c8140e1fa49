#include "anonymizer/quick_codes.h"

#include <assert.h>
#include <stdlib.h>

/* Few columns have more values. */
#define SLOTS_FIRST 128

const uint8_t quick_ones[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                255, 255, 255, 255, 255, 255, 255, 255};

enum status quick_codes_init(struct quick_codes *quick, struct error *err)
{
    *quick = (struct quick_codes){.mask = SLOTS_FIRST - 1};
    quick->slot = calloc(SLOTS_FIRST, sizeof *quick->slot);
    if (quick->slot == NULL)
        return error_memory(err, "the values of a column");
    return hash_key_draw(&quick->key, err);
}

void quick_codes_clear(struct quick_codes *quick)
{
    free(quick->slot);
    *quick = (struct quick_codes){0};
}

static void place(struct quick_codes *quick, const struct quick_code *code)
{
    uint32_t at = quick_place(quick, code->word);

    while (quick->slot[at].code != 0)
        at = (at + 1) & quick->mask;
    quick->slot[at] = *code;
}

/* Slots stay at most half full. */
static enum status grow(struct quick_codes *quick, struct error *err)
{
    struct quick_code *old = quick->slot;
    uint32_t slots = quick->mask + 1;

    quick->slot = calloc(2 * (size_t)slots, sizeof *quick->slot);
    if (quick->slot == NULL) {
        quick->slot = old;
        return error_memory(err, "the values of a column");
    }
    quick->mask = 2 * slots - 1;
    for (uint32_t i = 0; i < slots; i++)
        if (old[i].code != 0)
            place(quick, &old[i]);
    free(old);
    return OK;
}

enum status quick_codes_add(struct quick_codes *quick, struct bytes text,
                            uint32_t code, struct error *err)
{
    struct quick_code added = {.size = (uint32_t)text.size, .code = code + 1};

    assert(code < QUICK_NONE);
    if (text.size > QUICK_TEXT_MAX || quick->count == QUICK_CODES_MAX)
        return OK;
    if (2 * (quick->count + 1) > quick->mask + 1) {
        enum status status = grow(quick, err);

        if (status != OK)
            return status;
    }
    quick_words(text, added.word);
    place(quick, &added);
    quick->count++;
    return OK;
}
