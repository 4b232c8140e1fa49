#include "anonymizer/classes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common/hash.h"

/* Masked keys of up to so many bits index the slots directly: 2^16 slots are
 * 256 KiB, which stays in the cache of a core. */
#define DENSE_BITS 16

/* Keys of so many bits fit into a slot together with a class's size. */
#define GATHERED_BITS 32

/* Values of a sensitive attribute that fit into the bits of a word. */
#define FEW_VALUES 64

/* How far ahead the slot of a key is fetched. */
#define PREFETCH_DISTANCE 12

/* ---- memory ---- */

enum status classes_bottom(struct classes *classes, const struct table *table,
                           const struct lattice *lattice, struct error *err)
{
    *classes = (struct classes){.words = lattice->words,
                                .count = table->tuple_count,
                                .key = lattice->key,
                                .size = table->tuple_rows,
                                .population = table->tuple_population,
                                .sensitive_count = table->sensitive_count,
                                .borrowed = true};
    if (table->sensitive_count == 0)
        return OK;
    classes->histogram =
        calloc(table->sensitive_count, sizeof *classes->histogram);
    if (classes->histogram == NULL)
        return error_memory(err, "the classes");
    for (size_t s = 0; s < table->sensitive_count; s++)
        classes->histogram[s] = table->sensitive[s].histograms;
    return OK;
}

/* One of each at least: an empty allocation may be NULL. */
static void *array(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

enum status classes_reserve(struct classes *classes, const struct classes *like,
                            struct error *err)
{
    *classes = (struct classes){.words = like->words,
                                .sensitive_count = like->sensitive_count};
    classes->key = array(like->count, like->words * sizeof *classes->key);
    classes->size = array(like->count, sizeof *classes->size);
    classes->histogram =
        array(like->sensitive_count, sizeof *classes->histogram);
    if (like->population != NULL)
        classes->population = array(like->count, sizeof *classes->population);
    if (classes->key == NULL || classes->size == NULL ||
        classes->histogram == NULL ||
        (classes->population == NULL) != (like->population == NULL))
        goto failed;
    for (size_t s = 0; s < like->sensitive_count; s++) {
        struct histograms *histogram = &classes->histogram[s];
        uint64_t entries = like->histogram[s].begin[like->count];

        histogram->begin =
            array((size_t)like->count + 1, sizeof *histogram->begin);
        histogram->value = array(entries, sizeof *histogram->value);
        histogram->number = array(entries, sizeof *histogram->number);
        if (histogram->begin == NULL || histogram->value == NULL ||
            histogram->number == NULL)
            goto failed;
    }
    return OK;
failed:
    classes_clear(classes);
    return error_memory(err, "the classes");
}

enum status classes_copy(struct classes *copy, const struct classes *classes,
                         struct error *err)
{
    enum status status = classes_reserve(copy, classes, err);
    size_t count = classes->count;

    if (status != OK)
        return status;
    copy->count = classes->count;
    memcpy(copy->key, classes->key, count * classes->words * sizeof *copy->key);
    memcpy(copy->size, classes->size, count * sizeof *copy->size);
    if (classes->population != NULL)
        memcpy(copy->population, classes->population,
               count * sizeof *copy->population);
    for (size_t s = 0; s < classes->sensitive_count; s++) {
        const struct histograms *from = &classes->histogram[s];
        struct histograms *to = &copy->histogram[s];

        memcpy(to->begin, from->begin, (count + 1) * sizeof *to->begin);
        memcpy(to->value, from->value, from->begin[count] * sizeof *to->value);
        memcpy(to->number, from->number,
               from->begin[count] * sizeof *to->number);
    }
    return OK;
}

void classes_clear(struct classes *classes)
{
    if (!classes->borrowed) {
        free(classes->key);
        free(classes->size);
        free(classes->population);
        for (size_t s = 0;
             classes->histogram != NULL && s < classes->sensitive_count; s++) {
            free(classes->histogram[s].begin);
            free(classes->histogram[s].value);
            free(classes->histogram[s].number);
        }
    }
    free(classes->histogram);
    *classes = (struct classes){0};
}

size_t classes_bytes(const struct classes *classes)
{
    size_t bytes = classes->count * (classes->words * sizeof *classes->key +
                                     sizeof *classes->size);

    if (classes->population != NULL)
        bytes += classes->count * sizeof *classes->population;
    for (size_t s = 0; s < classes->sensitive_count; s++)
        bytes +=
            classes->count * sizeof(uint64_t) +
            classes->histogram[s].begin[classes->count] * 2 * sizeof(uint32_t);
    return bytes;
}

/* PEXT gathers bits in one step on Intel since Haswell and AMD since Zen 3;
 * earlier AMD processors take hundreds of cycles, where hashing is quicker. */
static bool gathers_bits_quickly(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("bmi2") && !__builtin_cpu_is("bdver4") &&
           !__builtin_cpu_is("znver1") && !__builtin_cpu_is("znver2");
#else
    return false;
#endif
}

enum status grouper_init(struct grouper *grouper, const struct classes *bottom,
                         const struct table *table, struct error *err)
{
    uint32_t values = 1;

    *grouper = (struct grouper){.slot_count = (size_t)1 << DENSE_BITS};
    if (hash_key_draw(&grouper->key, err) != OK)
        return err->status;
    while (grouper->slot_count < 2 * (size_t)bottom->count)
        grouper->slot_count *= 2;
    for (size_t s = 0; s < table->sensitive_count; s++) {
        grouper->value_count[s] = table->sensitive[s].value_count;
        if (table->sensitive[s].value_count > values)
            values = table->sensitive[s].value_count;
    }
    grouper->slot = array(grouper->slot_count, sizeof *grouper->slot);
    grouper->wide = array(grouper->slot_count, sizeof *grouper->wide);
    grouper->place = array(bottom->count, sizeof *grouper->place);
    grouper->class_of = array(bottom->count, sizeof *grouper->class_of);
    grouper->begin = array((size_t)bottom->count + 1, sizeof *grouper->begin);
    grouper->member = array(bottom->count, sizeof *grouper->member);
    grouper->scratch = array(values, sizeof *grouper->scratch);
    grouper->bit_gather = gathers_bits_quickly();
    if (grouper->slot == NULL || grouper->wide == NULL ||
        grouper->place == NULL || grouper->class_of == NULL ||
        grouper->begin == NULL || grouper->member == NULL ||
        grouper->scratch == NULL) {
        grouper_clear(grouper);
        return error_memory(err, "the classes");
    }
    return OK;
}

void grouper_clear(struct grouper *grouper)
{
    free(grouper->slot);
    free(grouper->wide);
    free(grouper->place);
    free(grouper->class_of);
    free(grouper->begin);
    free(grouper->member);
    free(grouper->scratch);
    *grouper = (struct grouper){0};
}

/* ---- merging ----
 * Three ways to find the class of a masked key: by its gathered bits, where
 * they are few; by hashing one word; by hashing several.  Where sizes are all
 * that is wanted, a slot holds the size itself, so that a row costs one look at
 * memory.  Each leaves its slots empty. */

/* The high bits of a product depend on all bits of the key; with a random odd
 * multiplier, that nobody can choose keys for, two keys collide with a chance
 * of 2 / slots at most (Dietzfelbinger et al., A Reliable Randomized Algorithm
 * for the Closest-Pair Problem, 1997). */
static inline size_t slot_of(uint64_t key, uint64_t multiplier, unsigned shift)
{
    return (size_t)((key * multiplier) >> shift);
}

/* Whether a class is new is a toss-up for much of the rows, and a branch that
 * is guessed wrong costs more than all else here.  So it is computed: a new
 * class is the one behind the last, where everything is written in any case,
 * and the number of classes goes up or not. */

/* What is written of a class when it is found. */
static inline void note_class(struct grouper *grouper, struct classes *target,
                              uint64_t key, size_t at, bool is_new)
{
    target->key[target->count] = key;
    grouper->place[target->count] = (uint32_t)at;
    target->count += is_new;
}

#if defined(__x86_64__)
/* By bits: slot[gathered bits] is the size of a class, or 0. */
__attribute__((target("bmi2"))) static void
size_dense(struct grouper *grouper, const struct classes *source, uint64_t mask,
           struct classes *target)
{
    uint32_t *slot = grouper->slot;
    struct classes into = *target;

    for (uint32_t i = 0; i < source->count; i++) {
        uint64_t key = source->key[i];
        uint64_t at = _pext_u64(key, mask);
        uint32_t size = slot[at];

        slot[at] = size + source->size[i];
        note_class(grouper, &into, key & mask, at, size == 0);
    }
    target->count = into.count;
    for (uint32_t c = 0; c < into.count; c++) {
        target->size[c] = slot[grouper->place[c]];
        slot[grouper->place[c]] = 0;
    }
}

/* Is a slot taken, and not by these bits?  One condition, which hardly ever
 * holds: for two the compiler would make two branches. */
static inline bool belongs_to_another(uint64_t slot, uint64_t bits)
{
    uint64_t taken = 0 - (uint64_t)(slot != 0);

    return ((slot ^ bits) & UINT32_MAX & taken) != 0;
}

/* By hash: wide[hash of gathered bits] is the size of a class and its gathered
 * bits, or 0. */
__attribute__((target("bmi2"))) static void
size_hashed(struct grouper *grouper, const struct classes *source,
            uint64_t mask, size_t slots, struct classes *target)
{
    uint64_t *slot = grouper->wide;
    uint64_t multiplier = grouper->key.word[0] | 1;
    unsigned shift = 64 - (unsigned)__builtin_ctzll(slots);
    struct classes into = *target;

    for (uint32_t i = 0; i < source->count; i++) {
        uint64_t key = source->key[i];
        uint64_t bits = _pext_u64(key, mask);
        size_t at = slot_of(bits, multiplier, shift);
        uint64_t found = slot[at];

        if (i + PREFETCH_DISTANCE < source->count)
            __builtin_prefetch(&slot[slot_of(
                _pext_u64(source->key[i + PREFETCH_DISTANCE], mask), multiplier,
                shift)]);

        while (belongs_to_another(found, bits)) {
            at = (at + 1) & (slots - 1);
            found = slot[at];
        }
        slot[at] = ((found >> 32) + source->size[i]) << 32 | bits;
        note_class(grouper, &into, key & mask, at, found == 0);
    }
    target->count = into.count;
    for (uint32_t c = 0; c < into.count; c++) {
        target->size[c] = (uint32_t)(slot[grouper->place[c]] >> 32);
        slot[grouper->place[c]] = 0;
    }
}
#endif

/* From known = class + 1, or 0. */
static inline uint32_t class_number(uint32_t known, uint32_t count)
{
    uint32_t is_known = 0 - (uint32_t)(known != 0); /* all ones or zero */

    return ((known - 1) & is_known) | (count & ~is_known);
}

static inline void join(const struct classes *source, uint32_t from,
                        uint32_t known, uint32_t class, uint64_t key,
                        struct classes *target)
{
    uint32_t is_known = 0 - (uint32_t)(known != 0);

    target->key[class] = key;
    target->size[class] = (target->size[class] & is_known) + source->size[from];
    target->count += 1 + is_known;
}

#if defined(__x86_64__)
__attribute__((target("bmi2"))) static void
group_dense(struct grouper *grouper, const struct classes *source,
            uint64_t mask, struct classes *target)
{
    uint32_t *slot = grouper->slot;
    struct classes into = *target;

    for (uint32_t i = 0; i < source->count; i++) {
        uint64_t key = source->key[i];
        uint64_t at = _pext_u64(key, mask);
        uint32_t known = slot[at], class = class_number(known, into.count);

        join(source, i, known, class, key & mask, &into);
        slot[at] = class + 1;
        grouper->class_of[i] = class;
    }
    target->count = into.count;
    for (uint32_t c = 0; c < target->count; c++)
        slot[_pext_u64(target->key[c], mask)] = 0;
}
#endif

static void group_hashed(struct grouper *grouper, const struct classes *source,
                         uint64_t mask, size_t slots, struct classes *target)
{
    uint32_t *slot = grouper->slot;
    uint64_t multiplier = grouper->key.word[0] | 1;
    unsigned shift = 64 - (unsigned)__builtin_ctzll(slots);
    struct classes into = *target;

    for (uint32_t i = 0; i < source->count; i++) {
        uint64_t key = source->key[i] & mask;
        size_t at = slot_of(key, multiplier, shift);
        uint32_t known, class;

        if (i + PREFETCH_DISTANCE < source->count)
            __builtin_prefetch(&slot[slot_of(
                source->key[i + PREFETCH_DISTANCE] & mask, multiplier, shift)]);
        /* As if the class were new: then an empty slot, which points there,
         * needs no look of its own. */
        into.key[into.count] = key;
        for (;;) {
            known = slot[at];
            class = class_number(known, into.count);
            if (into.key[class] == key)
                break;
            at = (at + 1) & (slots - 1);
        }
        join(source, i, known, class, key, &into);
        slot[at] = class + 1;
        grouper->class_of[i] = class;
    }
    target->count = into.count;
    memset(slot, 0, slots * sizeof *slot);
}

static size_t wide_slot(const struct hash_key *hash_key, const uint64_t *key,
                        size_t words, unsigned shift)
{
    uint64_t hash = hash_key->word[0];

    for (size_t w = 0; w < words; w++)
        hash = hash_fold(hash ^ key[w], hash_key->word[1]);
    return (size_t)(hash >> shift);
}

static void group_wide(struct grouper *grouper, const struct classes *source,
                       const uint64_t *mask, size_t slots,
                       struct classes *target)
{
    uint64_t key[QUASI_IDENTIFIERS_MAX];
    uint32_t *slot = grouper->slot;
    size_t words = source->words, size = words * sizeof *key;
    unsigned shift = 64 - (unsigned)__builtin_ctzll(slots);

    for (uint32_t i = 0; i < source->count; i++) {
        size_t at;

        for (size_t w = 0; w < words; w++)
            key[w] = source->key[i * words + w] & mask[w];
        at = wide_slot(&grouper->key, key, words, shift);
        while (slot[at] != 0 &&
               memcmp(target->key + (slot[at] - 1) * words, key, size) != 0)
            at = (at + 1) & (slots - 1);
        if (slot[at] == 0) {
            memcpy(target->key + target->count * words, key, size);
            target->size[target->count] = source->size[i];
            slot[at] = ++target->count;
        } else {
            target->size[slot[at] - 1] += source->size[i];
        }
        grouper->class_of[i] = slot[at] - 1;
    }
    memset(slot, 0, slots * sizeof *slot);
}

/* Beside the sizes, where there is a subset: seldom, and a pass of its own
 * costs the others nothing. */
static void sum_populations(const struct grouper *grouper,
                            const struct classes *source,
                            struct classes *target)
{
    memset(target->population, 0, target->count * sizeof *target->population);
    for (uint32_t i = 0; i < source->count; i++)
        target->population[grouper->class_of[i]] += source->population[i];
}

/* Half full at most, and no larger than what must be emptied again. */
static size_t slots_for(const struct grouper *grouper,
                        const struct classes *source)
{
    size_t slots = 64;

    while (slots < 2 * (size_t)source->count)
        slots *= 2;
    assert(slots <= grouper->slot_count);
    return slots;
}

void classes_group(struct grouper *grouper, const struct classes *source,
                   const uint64_t *mask, struct classes *target)
{
    size_t slots = slots_for(grouper, source);

    assert(target->words == source->words && !target->borrowed);
    grouper->work += source->count;
    target->count = 0;
    if (source->words > 1)
        group_wide(grouper, source, mask, slots, target);
#if defined(__x86_64__)
    else if (grouper->bit_gather && __builtin_popcountll(mask[0]) <= DENSE_BITS)
        group_dense(grouper, source, mask[0], target);
#endif
    else
        group_hashed(grouper, source, mask[0], slots, target);
    if (source->population != NULL)
        sum_populations(grouper, source, target);
}

void classes_measure(struct grouper *grouper, const struct classes *source,
                     const uint64_t *mask, struct classes *target)
{
#if defined(__x86_64__)
    int bits = __builtin_popcountll(mask[0]);

    if (source->words == 1 && source->population == NULL &&
        grouper->bit_gather && bits <= GATHERED_BITS) {
        assert(target->words == 1 && !target->borrowed);
        grouper->work += source->count;
        target->count = 0;
        if (bits <= DENSE_BITS)
            size_dense(grouper, source, mask[0], target);
        else
            size_hashed(grouper, source, mask[0], slots_for(grouper, source),
                        target);
        return;
    }
#endif
    classes_group(grouper, source, mask, target);
}

/* ---- histograms ---- */

/* member[begin[c] .. begin[c + 1] - 1]: the source classes that went into
 * class c. */
static void sort_members(struct grouper *grouper, uint32_t source_count,
                         uint32_t target_count)
{
    uint32_t *begin = grouper->begin;
    uint32_t sum = 0;

    memset(begin, 0, ((size_t)target_count + 1) * sizeof *begin);
    for (uint32_t i = 0; i < source_count; i++)
        begin[grouper->class_of[i]]++;
    for (uint32_t c = 0; c <= target_count; c++) {
        uint32_t members = c < target_count ? begin[c] : 0;

        begin[c] = sum;
        sum += members;
    }
    for (uint32_t i = 0; i < source_count; i++)
        grouper->member[begin[grouper->class_of[i]]++] = i;
    /* Each begin[c] has moved to its end, which is where c + 1 begins. */
    memmove(begin + 1, begin, target_count * sizeof *begin);
    begin[0] = 0;
}

/* Of few values: a bit for each that was seen, so that no entry asks whether it
 * is the first of its value. */
static void sum_few(struct grouper *grouper, const struct histograms *source,
                    uint32_t count, struct histograms *target)
{
    uint32_t number[FEW_VALUES] = {0};
    uint64_t used = 0;

    for (uint32_t c = 0; c < count; c++) {
        uint64_t seen = 0;

        target->begin[c] = used;
        for (uint32_t m = grouper->begin[c]; m < grouper->begin[c + 1]; m++) {
            uint32_t i = grouper->member[m];

            for (uint64_t e = source->begin[i]; e < source->begin[i + 1]; e++) {
                number[source->value[e]] += source->number[e];
                seen |= UINT64_C(1) << source->value[e];
            }
        }
        for (; seen != 0; seen &= seen - 1) {
            uint32_t value = (uint32_t)__builtin_ctzll(seen);

            target->value[used] = value;
            target->number[used++] = number[value];
            number[value] = 0;
        }
    }
    target->begin[count] = used;
}

static void sum_many(struct grouper *grouper, const struct histograms *source,
                     uint32_t count, struct histograms *target)
{
    uint32_t *scratch = grouper->scratch;
    uint64_t used = 0;

    for (uint32_t c = 0; c < count; c++) {
        target->begin[c] = used;
        for (uint32_t m = grouper->begin[c]; m < grouper->begin[c + 1]; m++) {
            uint32_t i = grouper->member[m];

            for (uint64_t e = source->begin[i]; e < source->begin[i + 1]; e++) {
                if (scratch[source->value[e]] == 0)
                    target->value[used++] = source->value[e];
                scratch[source->value[e]] += source->number[e];
            }
        }
        for (uint64_t e = target->begin[c]; e < used; e++) {
            target->number[e] = scratch[target->value[e]];
            scratch[target->value[e]] = 0;
        }
    }
    target->begin[count] = used;
}

void classes_sum_histograms(struct grouper *grouper,
                            const struct classes *source,
                            struct classes *target)
{
    sort_members(grouper, source->count, target->count);
    for (size_t s = 0; s < source->sensitive_count; s++)
        grouper->work += source->histogram[s].begin[source->count];
    for (size_t s = 0; s < source->sensitive_count; s++)
        if (grouper->value_count[s] <= FEW_VALUES)
            sum_few(grouper, &source->histogram[s], target->count,
                    &target->histogram[s]);
        else
            sum_many(grouper, &source->histogram[s], target->count,
                     &target->histogram[s]);
}
