#include "anonymizer/key_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Fewer slots than this are in the cache of a core; pairs of group and code
 * that are no more index them directly. */
#define DIRECT_SLOTS ((size_t)1 << 16)

enum status refiner_init(struct refiner *refiner, size_t tuples,
                         struct error *err)
{
    *refiner = (struct refiner){.slot_count = DIRECT_SLOTS};
    while (refiner->slot_count < 2 * tuples)
        refiner->slot_count *= 2;
    if (hash_key_draw(&refiner->key, err) != OK)
        return err->status;
    refiner->pair = calloc(refiner->slot_count, sizeof *refiner->pair);
    refiner->slot = calloc(refiner->slot_count, sizeof *refiner->slot);
    if (refiner->pair == NULL || refiner->slot == NULL) {
        refiner_clear(refiner);
        return error_memory(err, "groups of tuples");
    }
    return OK;
}

void refiner_clear(struct refiner *refiner)
{
    free(refiner->pair);
    free(refiner->slot);
    *refiner = (struct refiner){.slot_count = 0};
}

static uint32_t refine_direct(struct refiner *refiner, const uint32_t *tuple,
                              size_t count, const uint32_t *group, size_t slots,
                              const uint32_t *code, uint32_t code_count,
                              uint32_t *refined)
{
    uint32_t *slot = refiner->slot;
    uint32_t groups = 0;

    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)group[i] * code_count + code[tuple[i]];

        if (slot[at] == 0)
            slot[at] = ++groups;
        refined[i] = slot[at] - 1;
    }
    memset(slot, 0, slots * sizeof *slot);
    return groups;
}

static uint32_t refine_hashed(struct refiner *refiner, const uint32_t *tuple,
                              size_t count, const uint32_t *group,
                              const uint32_t *code, uint32_t *refined)
{
    size_t slots = 64;
    uint32_t *slot = refiner->slot;
    uint32_t groups = 0;

    while (slots < 2 * count)
        slots *= 2;
    for (size_t i = 0; i < count; i++) {
        uint64_t pair = (uint64_t)group[i] << 32 | code[tuple[i]];
        size_t at =
            hash_fold(pair ^ refiner->key.word[0], refiner->key.word[1] | 1) &
            (slots - 1);

        while (slot[at] != 0 && refiner->pair[at] != pair)
            at = (at + 1) & (slots - 1);
        if (slot[at] == 0) {
            slot[at] = ++groups;
            refiner->pair[at] = pair;
        }
        refined[i] = slot[at] - 1;
    }
    memset(slot, 0, slots * sizeof *slot);
    return groups;
}

uint32_t refine(struct refiner *refiner, const uint32_t *tuple, size_t count,
                const uint32_t *group, uint32_t group_count,
                const uint32_t *code, uint32_t code_count, uint32_t *refined)
{
    uint64_t pairs = (uint64_t)group_count * code_count;

    assert(2 * count <= refiner->slot_count);
    if (count == 0)
        return 0;
    /* No larger than what has to be emptied is worth. */
    if (pairs <= DIRECT_SLOTS && pairs <= 4 * (uint64_t)count)
        return refine_direct(refiner, tuple, count, group, (size_t)pairs, code,
                             code_count, refined);
    return refine_hashed(refiner, tuple, count, group, code, refined);
}
