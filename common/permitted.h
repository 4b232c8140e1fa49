/*
 * common/permitted.h - the list of subjects that a permit is for, and its root.
 *
 *     list   subject id (16 bytes) || be64(position), ascending by id, none
 *            twice; position is that of the entry whose consent permits
 *     salt   HMAC-SHA256( seed, "anchorite permitted 1" 0x00 || subject id )
 *     leaf   salt || subject id || be64(position)
 *     root   RFC 6962 root over the leaves
 *
 * The permit's statement has root and count.  The broker keeps the list and the
 * seed, the anonymizer gets both; who is shown one salt learns of that subject
 * alone, with the path that it was permitted and by which entry.
 */
#ifndef COMMON_PERMITTED_H
#define COMMON_PERMITTED_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/subject_id.h"

#define PERMITTED_SEED_SIZE 32
#define PERMITTED_ITEM_SIZE (SUBJECT_ID_SIZE + 8)

struct permitted_seed {
    uint8_t byte[PERMITTED_SEED_SIZE];
};

/* One item of a list, which has list.size / PERMITTED_ITEM_SIZE of them. */
struct permitted {
    struct subject_id subject;
    uint64_t position;
};
void permitted_encode(const struct permitted *item,
                      uint8_t out[PERMITTED_ITEM_SIZE]);
/* Asserts that there is one at this index. */
struct permitted permitted_item(struct bytes list, size_t index);

/* Its root.  E_INPUT if it is no list as above: cut off, or not ascending. */
MUST_USE enum status permitted_root(struct bytes list,
                                    const struct permitted_seed *seed,
                                    struct digest *root, struct error *err);

#endif
