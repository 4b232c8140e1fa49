#include "anonymizer/rollup.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A judged node is remembered if its classes are at most this part of what
 * they were made from: less shrinkage does not pay for the copy. */
#define SHRINKAGE 2

/* A prefix, which is sure to be asked for again, if it saves a quarter. */
#define PREFIX_SHRINKAGE_NUMERATOR 3
#define PREFIX_SHRINKAGE_DENOMINATOR 4

/* Longer prefixes are shared by too few nodes. */
#define PREFIX_MAX 4

/* Tuples that the order of dimensions is estimated from. */
#define SAMPLE_MAX 4096

/* ---- the order of dimensions ---- */

/* Entropy of a dimension's values in a sample, spread over all tuples.
 * sum n log n says it, the smaller the more. */
static double concentration(const struct lattice *lattice, size_t d,
                            const struct classes *bottom)
{
    const struct dimension *dimension = &lattice->dimension[d];
    uint32_t step = bottom->count / SAMPLE_MAX + 1;
    uint16_t count[256] = {0};
    double sum = 0;

    for (uint32_t i = 0; i < bottom->count; i += step) {
        uint64_t code = bottom->key[i * bottom->words + dimension->word] >>
                        dimension->shift;

        if (dimension->bits < 64)
            code &= (UINT64_C(1) << dimension->bits) - 1;
        /* More values than places fall together at random: what matters is
         * which dimensions have many. */
        count[(code * UINT64_C(0x9e3779b97f4a7c15)) >> 56]++;
    }
    for (size_t i = 0; i < 256; i++)
        if (count[i] > 1)
            sum += count[i] * log((double)count[i]);
    return sum;
}

static void order_dimensions(struct rollup *rollup)
{
    double sum[QUASI_IDENTIFIERS_MAX];

    for (size_t d = 0; d < rollup->lattice->dimension_count; d++) {
        size_t at = d;

        sum[d] = concentration(rollup->lattice, d, rollup->bottom);
        for (; at > 0 && sum[rollup->order[at - 1]] > sum[d]; at--)
            rollup->order[at] = rollup->order[at - 1];
        rollup->order[at] = (uint8_t)d;
    }
}

/* ---- memory ---- */

void rollup_init(struct rollup *rollup, const struct lattice *lattice,
                 const struct classes *bottom, bool with_histograms)
{
    *rollup = (struct rollup){.lattice = lattice,
                              .bottom = bottom,
                              .with_histograms = with_histograms};
    rollup->bytes_max = ROLLUP_SHARE * classes_bytes(bottom);
    if (rollup->bytes_max < ROLLUP_BYTES)
        rollup->bytes_max = ROLLUP_BYTES;
    order_dimensions(rollup);
}

void rollup_clear(struct rollup *rollup)
{
    for (size_t i = 0; i < ROLLUP_MEMORIES; i++)
        classes_clear(&rollup->memory[i].classes);
    rollup->bytes = 0;
}

/* A free place, and `bytes` to fill it with: what was used least recently
 * goes. */
static struct rollup_memory *make_room(struct rollup *rollup, size_t bytes)
{
    assert(bytes <= rollup->bytes_max);
    for (;;) {
        struct rollup_memory *oldest = NULL, *place = NULL;

        for (size_t i = 0; i < ROLLUP_MEMORIES; i++) {
            struct rollup_memory *memory = &rollup->memory[i];

            if (memory->used == 0)
                place = memory;
            else if (oldest == NULL || memory->used < oldest->used)
                oldest = memory;
        }
        if (place != NULL && rollup->bytes + bytes <= rollup->bytes_max)
            return place;
        assert(oldest != NULL);
        rollup->bytes -= classes_bytes(&oldest->classes);
        classes_clear(&oldest->classes);
        oldest->used = 0;
    }
}

static enum status keep(struct rollup *rollup, const uint8_t *level,
                        const struct classes *classes, struct error *err)
{
    size_t bytes = classes_bytes(classes);
    struct rollup_memory *place = make_room(rollup, bytes);
    enum status status = classes_copy(&place->classes, classes, err);

    if (status != OK)
        return status;
    rollup->bytes += bytes;
    place->used = ++rollup->now;
    memcpy(place->level, level, rollup->lattice->dimension_count);
    return OK;
}

enum status rollup_remember(struct rollup *rollup, const uint8_t *level,
                            const struct classes *classes,
                            const struct classes *source, struct error *err)
{
    if ((size_t)classes->count * SHRINKAGE > source->count)
        return OK;
    return keep(rollup, level, classes, err);
}

static const struct classes *find(struct rollup *rollup, const uint8_t *level)
{
    const struct classes *best = rollup->bottom;
    struct rollup_memory *found = NULL;

    for (size_t i = 0; i < ROLLUP_MEMORIES; i++) {
        struct rollup_memory *memory = &rollup->memory[i];

        if (memory->used > 0 && memory->classes.count < best->count &&
            lattice_below(rollup->lattice, memory->level, level)) {
            best = &memory->classes;
            found = memory;
        }
    }
    if (found != NULL)
        found->used = ++rollup->now;
    return best;
}

/* ---- prefixes ---- */

static uint64_t vector_hash(const struct rollup *rollup, const uint8_t *level)
{
    uint64_t hash = 1;

    for (size_t d = 0; d < rollup->lattice->dimension_count; d++)
        hash = (hash ^ level[d]) * UINT64_C(0x9e3779b97f4a7c15) + d;
    return hash | 1;
}

/* Make a prefix and remember it, or that it is not worth it. */
static enum status make_prefix(struct rollup *rollup, const uint8_t *prefix,
                               uint64_t hash, struct grouper *grouper,
                               struct classes *work, struct error *err)
{
    const struct classes *source = find(rollup, prefix);
    uint64_t mask[QUASI_IDENTIFIERS_MAX];

    lattice_mask(rollup->lattice, prefix, mask);
    if (rollup->with_histograms)
        classes_group(grouper, source, mask, work);
    else
        classes_measure(grouper, source, mask, work);
    if ((uint64_t)work->count * PREFIX_SHRINKAGE_DENOMINATOR >
        (uint64_t)source->count * PREFIX_SHRINKAGE_NUMERATOR) {
        rollup->poor[hash >> 32 & (ROLLUP_WISHES - 1)] = hash;
        return OK;
    }
    if (rollup->with_histograms)
        classes_sum_histograms(grouper, source, work);
    return keep(rollup, prefix, work, err);
}

static bool is_remembered(const struct rollup *rollup, const uint8_t *level)
{
    for (size_t i = 0; i < ROLLUP_MEMORIES; i++)
        if (rollup->memory[i].used > 0 &&
            memcmp(rollup->memory[i].level, level,
                   rollup->lattice->dimension_count) == 0)
            return true;
    return false;
}

enum status rollup_find(struct rollup *rollup, const uint8_t *level,
                        struct grouper *grouper, struct classes *work,
                        const struct classes **source, struct error *err)
{
    const struct lattice *lattice = rollup->lattice;
    uint8_t prefix[QUASI_IDENTIFIERS_MAX];
    enum status status = OK;

    for (size_t d = 0; d < lattice->dimension_count; d++)
        prefix[d] = (uint8_t)lattice->dimension[d].level_min;
    for (size_t j = 0, length = 0; status == OK && length < PREFIX_MAX &&
                                   j + 1 < lattice->dimension_count;
         j++) {
        size_t d = rollup->order[j], at;
        uint64_t hash;

        if (level[d] == prefix[d])
            continue;
        prefix[d] = level[d];
        length++;
        hash = vector_hash(rollup, prefix);
        at = hash >> 32 & (ROLLUP_WISHES - 1);
        if (rollup->wish[at] != hash)
            rollup->wish[at] = hash;
        else if (rollup->poor[at] != hash && !is_remembered(rollup, prefix))
            status = make_prefix(rollup, prefix, hash, grouper, work, err);
    }
    *source = find(rollup, level);
    return status;
}
