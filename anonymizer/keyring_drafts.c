#include "anonymizer/keyring_drafts.h"

#include <assert.h>
#include <stdlib.h>

#include "common/limits.h"

#define SLOTS_MIN ((size_t)1024)

static_assert(KEYRING_BATCH_MAX <= UINT32_MAX / 4, "slots count in 32 bits");

void keyring_drafts_init(struct keyring_drafts *drafts)
{
    *drafts = (struct keyring_drafts){0};
}

void keyring_drafts_clear(struct keyring_drafts *drafts)
{
    free(drafts->item);
    free(drafts->slot);
    keyring_drafts_init(drafts);
}

/* The slot of a subject, or the empty one where it would stand. */
static uint32_t *find_slot(const struct keyring_drafts *drafts,
                           const struct subject_id *subject)
{
    size_t mask = drafts->slot_count - 1;
    size_t at =
        hash_bytes(&drafts->hash, bytes_of(subject->byte, SUBJECT_ID_SIZE)) &
        mask;

    while (drafts->slot[at] != 0 &&
           subject_id_compare(&drafts->item[drafts->slot[at] - 1].subject,
                              subject) != 0)
        at = (at + 1) & mask;
    return &drafts->slot[at];
}

const struct wrapped_key *
keyring_drafts_find(const struct keyring_drafts *drafts,
                    const struct subject_id *subject)
{
    uint32_t found;

    if (drafts->count == 0)
        return NULL;
    found = *find_slot(drafts, subject);
    return found == 0 ? NULL : &drafts->item[found - 1].key;
}

static enum status grow_slots(struct keyring_drafts *drafts, size_t items,
                              struct error *err)
{
    size_t wider = drafts->slot_count > 0 ? drafts->slot_count : SLOTS_MIN;
    uint32_t *slot;

    /* At most two of three are taken. */
    while (3 * items > 2 * wider)
        wider *= 2;
    if (wider == drafts->slot_count)
        return OK;
    if (drafts->slot_count == 0 && hash_key_draw(&drafts->hash, err) != OK)
        return err->status;
    slot = calloc(wider, sizeof *slot);
    if (slot == NULL)
        return error_memory(err, "new keys");
    free(drafts->slot);
    drafts->slot = slot;
    drafts->slot_count = wider;
    for (size_t i = 0; i < drafts->count; i++)
        *find_slot(drafts, &drafts->item[i].subject) = (uint32_t)i + 1;
    return OK;
}

enum status keyring_drafts_reserve(struct keyring_drafts *drafts, size_t more,
                                   struct error *err)
{
    size_t items = drafts->count + more;
    size_t capacity = drafts->capacity > 0 ? drafts->capacity : 256;
    struct draft *item;

    while (capacity < items)
        capacity *= 2;
    if (capacity > drafts->capacity) {
        item = reallocarray(drafts->item, capacity, sizeof *item);
        if (item == NULL)
            return error_memory(err, "new keys");
        drafts->item = item;
        drafts->capacity = capacity;
    }
    return grow_slots(drafts, items, err);
}

void keyring_drafts_add(struct keyring_drafts *drafts,
                        const struct subject_id *subject,
                        const struct wrapped_key *key)
{
    uint32_t *slot = find_slot(drafts, subject);

    assert(*slot == 0 && drafts->count < drafts->capacity);
    drafts->item[drafts->count++] = (struct draft){*subject, *key};
    *slot = (uint32_t)drafts->count;
}

static int compare_drafts(const void *a, const void *b)
{
    const struct draft *const *left = a;
    const struct draft *const *right = b;

    return subject_id_compare(&(*left)->subject, &(*right)->subject);
}

const struct draft **keyring_drafts_sorted(const struct keyring_drafts *drafts)
{
    const struct draft **sorted = malloc((drafts->count + 1) * sizeof *sorted);

    for (size_t i = 0; sorted != NULL && i < drafts->count; i++)
        sorted[i] = &drafts->item[i];
    if (sorted != NULL)
        qsort(sorted, drafts->count, sizeof *sorted, compare_drafts);
    return sorted;
}
