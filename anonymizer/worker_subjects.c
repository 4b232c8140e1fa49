#include "anonymizer/worker_subjects.h"

#include <assert.h>
#include <string.h>

void common_subjects_add(struct common_subjects *common, struct bytes list,
                         size_t item_size)
{
    assert(common->count < SUBJECT_LISTS_MAX);
    assert(item_size >= SUBJECT_ID_SIZE && list.size % item_size == 0);
    common->list[common->count].rest = list;
    common->list[common->count++].item_size = item_size;
}

static void skip(struct common_subjects *common, size_t i)
{
    struct bytes rest = common->list[i].rest;
    size_t size = common->list[i].item_size;

    common->list[i].rest = bytes_of(rest.data + size, rest.size - size);
}

/* The first of list i that is not before `subject`: false if there is none. */
static bool reach(struct common_subjects *common, size_t i,
                  const struct subject_id *subject, struct subject_id *reached)
{
    for (; common->list[i].rest.size > 0; skip(common, i)) {
        memcpy(reached->byte, common->list[i].rest.data, SUBJECT_ID_SIZE);
        if (subject_id_compare(reached, subject) >= 0)
            return true;
    }
    return false;
}

bool common_subjects_next(struct common_subjects *common,
                          struct subject_id *subject)
{
    struct subject_id wanted = {{0}};
    size_t equal = 0;

    /* As soon as one list has nothing before a later subject, all others have
     * to reach that one. */
    for (size_t i = 0; equal < common->count; i = (i + 1) % common->count) {
        struct subject_id reached;

        if (!reach(common, i, &wanted, &reached))
            return false;
        equal = subject_id_compare(&reached, &wanted) == 0 ? equal + 1 : 1;
        wanted = reached;
    }
    for (size_t i = 0; i < common->count; i++)
        skip(common, i);
    *subject = wanted;
    return common->count > 0;
}
