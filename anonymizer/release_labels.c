#include "anonymizer/release_labels.h"

#include <stdlib.h>

#include "anonymizer/hierarchy.h"
#include "common/hash.h"

/* Class of the suppressed rows. */
#define STARS 0

/* ---- parts ---- */

static enum status find_parts(struct labels *labels, const struct table *table,
                              struct error *err)
{
    labels->part = calloc(table->column_count, sizeof *labels->part);
    if (labels->part == NULL)
        return error_memory(err, "the columns of the release");
    for (size_t c = 0; c < table->column_count; c++) {
        enum column_fate fate = table->column[c].fate;
        struct label_part *part = &labels->part[labels->part_count];

        if (fate == COLUMN_REMOVED)
            continue;
        if (fate == COLUMN_KEPT)
            *part = (struct label_part){.copied = true, .column = c};
        else if (labels->part_count > 0 && !part[-1].copied)
            continue; /* the run goes on */
        else
            *part = (struct label_part){.run = labels->run_count++};
        labels->part_count++;
    }
    return OK;
}

/* ---- classes ---- */

/* Masked keys of the classes so far, and where to find them. */
struct class_finder {
    size_t words;
    uint64_t mask[QUASI_IDENTIFIERS_MAX];
    struct hash_key key;
    uint32_t *slot; /* a tuple of the class + 1; 0 empty */
    size_t slot_count;
};

static bool same_class(const struct class_finder *finder, const uint64_t *a,
                       const uint64_t *b)
{
    for (size_t w = 0; w < finder->words; w++)
        if (((a[w] ^ b[w]) & finder->mask[w]) != 0)
            return false;
    return true;
}

static uint64_t class_hash(const struct class_finder *finder,
                           const uint64_t *key)
{
    uint64_t state = finder->key.word[0];

    for (size_t w = 0; w < finder->words; w++)
        state =
            hash_fold(state ^ (key[w] & finder->mask[w]), finder->key.word[1]);
    return hash_fold(state ^ finder->key.word[0], finder->key.word[1]);
}

/* The class of a tuple that is released, a new one if it is the first. */
static uint32_t find_class(struct class_finder *finder, struct labels *labels,
                           const struct lattice *lattice, uint32_t tuple)
{
    const uint64_t *key = lattice->key + tuple * lattice->words;
    size_t at = class_hash(finder, key) & (finder->slot_count - 1);

    for (; finder->slot[at] != 0; at = (at + 1) & (finder->slot_count - 1)) {
        uint32_t other = finder->slot[at] - 1;

        if (same_class(finder, key, lattice->key + other * lattice->words))
            return labels->class_of_tuple[other];
    }
    finder->slot[at] = tuple + 1;
    return labels->class_count++;
}

static enum status append_label(struct labels *labels,
                                const struct release_plan *plan, size_t q,
                                uint32_t tuple, struct error *err)
{
    const struct table *table = plan->table;
    const struct quasi_identifier *quasi = &table->quasi[q];
    uint32_t value = table->value[tuple * table->quasi_count + q];
    uint32_t level = plan->level[q];
    uint32_t node = hierarchy_node(quasi->hierarchy, level, quasi->row[value]);

    return csv_append_field(&labels->text,
                            hierarchy_label(quasi->hierarchy, level, node),
                            table->delimiter, err);
}

/* The runs of a new class: of one of its tuples, or of stars. */
static enum status append_class(struct labels *labels,
                                const struct release_plan *plan, bool stars,
                                uint32_t tuple, struct error *err)
{
    const struct table *table = plan->table;
    size_t begin = labels->text.size, run = 0;
    bool within = false;
    enum status status = OK;

    for (size_t c = 0; status == OK && c < table->column_count; c++) {
        const struct table_column *column = &table->column[c];

        if (column->fate == COLUMN_KEPT)
            within = false;
        if (column->fate != COLUMN_GENERALIZED)
            continue;
        if (within)
            status = text_append(&labels->text, &table->delimiter, 1, err);
        else
            labels
                ->begin[(size_t)(labels->class_count - 1) * labels->run_count +
                        run++] = labels->text.size;
        within = true;
        if (status == OK)
            status =
                stars ? text_append_string(&labels->text, HIERARCHY_STAR, err)
                      : append_label(labels, plan, column->quasi, tuple, err);
    }
    if (labels->text.size - begin > labels->size_max)
        labels->size_max = labels->text.size - begin;
    return status;
}

static enum status grow_begin(struct labels *labels, size_t *capacity,
                              struct error *err)
{
    size_t more = *capacity == 0 ? 64 : 2 * *capacity;
    uint64_t *begin;

    if ((size_t)labels->class_count < *capacity)
        return OK;
    begin = reallocarray(labels->begin, more * (labels->run_count + 1) + 1,
                         sizeof *begin);
    if (begin == NULL)
        return error_memory(err, "the labels");
    labels->begin = begin;
    *capacity = more;
    return OK;
}

static enum status find_classes(struct labels *labels,
                                struct class_finder *finder,
                                const struct release_plan *plan,
                                struct error *err)
{
    const struct table *table = plan->table;
    size_t capacity = 0;
    enum status status = grow_begin(labels, &capacity, err);

    labels->class_count = STARS + 1;
    if (status == OK)
        status = append_class(labels, plan, true, 0, err);
    for (uint32_t t = 0; status == OK && t < table->tuple_count; t++) {
        uint32_t known = labels->class_count;

        if (plan->suppressed[t]) {
            labels->class_of_tuple[t] = STARS;
            continue;
        }
        status = grow_begin(labels, &capacity, err);
        if (status != OK)
            break;
        labels->class_of_tuple[t] =
            find_class(finder, labels, plan->lattice, t);
        if (labels->class_count > known)
            status = append_class(labels, plan, false, t, err);
    }
    if (status != OK)
        return status;
    labels->begin[(size_t)labels->class_count * labels->run_count] =
        labels->text.size;
    status = text_reserve(&labels->text, LABEL_PAD, err);
    if (status == OK)
        memset(labels->text.data + labels->text.size, 0, LABEL_PAD);
    return status;
}

enum status labels_create(struct labels *labels,
                          const struct release_plan *plan, struct error *err)
{
    const struct table *table = plan->table;
    struct class_finder finder = {.words = plan->lattice->words,
                                  .slot_count = 64};
    enum status status;

    *labels = (struct labels){0};
    text_init(&labels->text);
    status = find_parts(labels, table, err);
    if (status == OK)
        status = hash_key_draw(&finder.key, err);
    if (status != OK)
        return status;
    while (finder.slot_count < 2 * (size_t)table->tuple_count)
        finder.slot_count *= 2;
    finder.slot = calloc(finder.slot_count, sizeof *finder.slot);
    labels->class_of_tuple =
        calloc((size_t)table->tuple_count + 1, sizeof *labels->class_of_tuple);
    lattice_mask(plan->lattice, plan->level, finder.mask);
    if (finder.slot == NULL || labels->class_of_tuple == NULL)
        status = error_memory(err, "the labels");
    else
        status = find_classes(labels, &finder, plan, err);
    free(finder.slot);
    return status;
}

void labels_clear(struct labels *labels)
{
    free(labels->part);
    free(labels->class_of_tuple);
    free(labels->begin);
    text_clear(&labels->text);
    *labels = (struct labels){0};
    text_init(&labels->text);
}
