#include "broker/testimony.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/statement.h"
#include "common/json_keys.h"
#include "common/merkle.h"

void testimony_init(struct testimony *testimony)
{
    *testimony = (struct testimony){.said = NULL};
    text_init(&testimony->texts);
}

void testimony_clear(struct testimony *testimony)
{
    free(testimony->said);
    free(testimony->permit);
    free(testimony->entry);
    free(testimony->person);
    free(testimony->begin);
    free(testimony->slot);
    text_clear(&testimony->texts);
    testimony_init(testimony);
}

/* Room for one more behind `count` of `item_size` bytes each; `place` is that
 * of the pointer to them. */
static enum status make_room(void *place, size_t count, size_t *capacity,
                             size_t item_size, struct error *err)
{
    size_t wanted = *capacity == 0 ? 64 : 2 * *capacity;
    void *array;

    if (count < *capacity)
        return OK;
    if (wanted > TESTIMONY_ITEMS_MAX)
        return error_set(err, E_LIMIT,
                         "the log says more than %u things of one kind",
                         TESTIMONY_ITEMS_MAX);
    memcpy(&array, place, sizeof array);
    array = reallocarray(array, wanted, item_size);
    if (array == NULL)
        return error_memory(err, "what the log says");
    memcpy(place, &array, sizeof array);
    *capacity = wanted;
    return OK;
}

#define MAKE_ROOM(testimony, of, err)                                          \
    make_room(&(testimony)->of, (testimony)->of##_count,                       \
              &(testimony)->of##_capacity, sizeof *(testimony)->of, err)

/* ---- wishes ---- */

struct bytes testimony_wish(const struct testimony *testimony, uint32_t wish)
{
    size_t begin = testimony->begin[wish - 1];

    return bytes_of(testimony->texts.data + begin,
                    testimony->begin[wish] - begin);
}

/* Where this text is, or would be: an empty slot has 0. */
static uint32_t *find_slot(const struct testimony *testimony, struct bytes says)
{
    uint32_t mask = testimony->slot_count - 1;
    uint32_t at = (uint32_t)hash_bytes(&testimony->key, says) & mask;

    while (testimony->slot[at] != 0 &&
           !bytes_equal(testimony_wish(testimony, testimony->slot[at]), says))
        at = (at + 1) & mask;
    return &testimony->slot[at];
}

/* At least half of the slots are empty. */
static enum status grow_wishes(struct testimony *testimony, struct error *err)
{
    uint32_t capacity =
        testimony->wish_capacity == 0 ? 256 : 2 * testimony->wish_capacity;
    size_t *begin;
    uint32_t *slot;

    if (capacity > TESTIMONY_ITEMS_MAX)
        return error_set(err, E_LIMIT, "more than %u different wishes",
                         TESTIMONY_ITEMS_MAX);
    begin = reallocarray(testimony->begin, (size_t)capacity + 1, sizeof *begin);
    if (begin == NULL)
        return error_memory(err, "wishes");
    testimony->begin = begin;
    slot = calloc((size_t)capacity * 2, sizeof *slot);
    if (slot == NULL)
        return error_memory(err, "wishes");
    free(testimony->slot);
    testimony->slot = slot;
    testimony->slot_count = 2 * capacity;
    testimony->wish_capacity = capacity;
    testimony->begin[0] = 0;
    for (uint32_t wish = 1; wish <= testimony->wish_count; wish++)
        *find_slot(testimony, testimony_wish(testimony, wish)) = wish;
    return OK;
}

static enum status number_wish(struct testimony *testimony, struct bytes says,
                               uint32_t *wish, struct error *err)
{
    enum status status = OK;
    uint32_t *slot;

    if (testimony->wish_count == testimony->wish_capacity)
        status = grow_wishes(testimony, err);
    if (status != OK)
        return status;
    slot = find_slot(testimony, says);
    if (*slot == 0) {
        status = text_append(&testimony->texts, says.data, says.size, err);
        if (status != OK)
            return status;
        *slot = ++testimony->wish_count;
        testimony->begin[*slot] = testimony->texts.size;
    }
    *wish = *slot;
    return OK;
}

/* ---- people ---- */

/* The first that is not below this one. */
static size_t person_place(const struct testimony *testimony,
                           const char *certificate)
{
    size_t low = 0, high = testimony->person_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(testimony->person[middle].certificate, certificate) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *testimony_organisation(const struct testimony *testimony,
                                   const char *certificate)
{
    size_t at = person_place(testimony, certificate);

    if (at == testimony->person_count ||
        strcmp(testimony->person[at].certificate, certificate) != 0)
        return NULL;
    return testimony->person[at].organisation;
}

static enum status add_person(struct testimony *testimony,
                              const struct certificate *certificate,
                              struct error *err)
{
    const char *id = certificate_id(certificate);
    size_t at = person_place(testimony, id);
    struct testimony_person *person;
    enum status status;

    if (testimony_organisation(testimony, id) != NULL)
        return OK;
    status = MAKE_ROOM(testimony, person, err);
    if (status != OK)
        return status;
    person = &testimony->person[at];
    memmove(person + 1, person,
            (testimony->person_count - at) * sizeof *person);
    testimony->person_count++;
    snprintf(person->certificate, sizeof person->certificate, "%s", id);
    snprintf(person->organisation, sizeof person->organisation, "%s",
             certificate_subject(certificate)->organisation);
    return OK;
}

static enum status add_members(struct testimony *testimony,
                               const struct genesis *genesis, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < genesis->members.count; i++)
        status = add_person(testimony, genesis->members.item[i], err);
    for (size_t i = 0; status == OK && i < genesis->node_count; i++)
        status = add_person(testimony, genesis->node[i].certificate, err);
    return status;
}

static const char *text_of(const struct shown *shown, const char *member)
{
    const struct json_value *value = json_member(shown->entry.payload, member);

    return value != NULL && json_kind(value) == JSON_STRING ? json_string(value)
                                                            : "";
}

static enum status take_enrol(struct testimony *testimony,
                              const struct shown *shown, struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse_pem(
        &certificate, bytes_of_string(text_of(shown, "certificate")), err);

    if (status == OK)
        status = add_person(testimony, certificate, err);
    certificate_destroy(&certificate);
    return status;
}

/* ---- what was said ---- */

/* For statement_visit. */
struct hearing {
    struct testimony *testimony;
    uint64_t position;
};

static enum status hear(void *context, const struct subject_id *subject,
                        struct bytes says, struct error *err)
{
    const struct hearing *hearing = context;
    struct testimony *testimony = hearing->testimony;
    uint32_t wish = WISH_WITHDRAWN;
    enum status status = OK;

    if (says.size > 0)
        status = number_wish(testimony, says, &wish, err);
    if (status == OK)
        status = MAKE_ROOM(testimony, said, err);
    if (status == OK)
        testimony->said[testimony->said_count++] = (struct utterance){
            .subject = *subject, .position = hearing->position, .wish = wish};
    return status;
}

/* A statement that opens its commitment is the broker's own word: one that
 * cannot be read is as good as none. */
static enum status read_statement(struct testimony *testimony,
                                  const struct shown *shown,
                                  const struct own_entry *own,
                                  enum testimony_gap *gap, struct error *err)
{
    struct hearing hearing = {.testimony = testimony,
                              .position = shown->position};
    size_t before = testimony->said_count;
    struct error why;
    enum status status;

    error_init(&why);
    *gap = TESTIMONY_OTHER_STATEMENT;
    status = commitment_check(&own->salt, text_bytes(&own->statement),
                              text_of(shown, "commitment"), &why);
    if (status == OK)
        status = statement_read(shown->entry.type, text_bytes(&own->statement),
                                hear, &hearing, &why);
    if (status == OK) {
        *gap = TESTIMONY_READ;
        return OK;
    }
    testimony->said_count = before;
    if (status == E_NO || status == E_INPUT || status == E_VERSION)
        return OK;
    *err = why;
    return status;
}

static enum status take_said(struct testimony *testimony,
                             struct broker_store *store,
                             const struct shown *shown, struct error *err)
{
    struct testimony_entry entry = {.position = shown->position,
                                    .type = shown->entry.type,
                                    .gap = TESTIMONY_NO_STATEMENT};
    struct own_entry own;
    bool found = false;
    enum status status = MAKE_ROOM(testimony, entry, err);

    own_entry_init(&own);
    if (status == OK)
        status =
            broker_store_find_own(store, &shown->entry.id, &own, &found, err);
    if (status == OK && found)
        status = read_statement(testimony, shown, &own, &entry.gap, err);
    if (status == OK)
        testimony->entry[testimony->entry_count++] = entry;
    own_entry_clear(&own);
    return status;
}

const struct testimony_entry *
testimony_entry_at(const struct testimony *testimony, uint64_t position)
{
    size_t low = 0, high = testimony->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (testimony->entry[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < testimony->entry_count &&
                   testimony->entry[low].position == position
               ? &testimony->entry[low]
               : NULL;
}

/* ---- permits ---- */

static bool digest_valid(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (memchr("0123456789abcdef", text.data[i], 16) == NULL)
            return false;
    return text.size == DIGEST_HEX_SIZE - 1;
}

#define DIGEST_KEY(member)                                                     \
    JSON_KEY_NAME(#member, struct testimony_permit, member, digest_valid,      \
                  "64 hex digits")
#define NUMBER_KEY(key, member)                                                \
    {                                                                          \
        .name = (key), .kind = JSON_NUMBER, .expected = "a whole number",      \
        .take = json_take_u64, .required = true,                               \
        .offset = offsetof(struct testimony_permit, member),                   \
        .max = (double)(INT64_C(1) << 53)                                      \
    }

static const struct json_key permit_keys[] = {
    DIGEST_KEY(approve),
    DIGEST_KEY(terms),
    DIGEST_KEY(commitment),
    NUMBER_KEY("size", size),
    NUMBER_KEY("expires", expires_ms),
};

static enum status take_permit(struct testimony *testimony,
                               const struct shown *shown, struct error *err)
{
    struct testimony_permit permit = {.id = shown->entry.id,
                                      .position = shown->position};
    enum status status = MAKE_ROOM(testimony, permit, err);

    if (status == OK)
        status = json_take_object(shown->entry.payload, permit_keys,
                                  sizeof permit_keys / sizeof *permit_keys,
                                  &permit, err);
    if (status == OK)
        testimony->permit[testimony->permit_count++] = permit;
    return status;
}

/* ---- the log ---- */

static enum status take_entry(struct testimony *testimony,
                              const struct testimony_source *source,
                              const struct shown *shown, struct error *err)
{
    const char *organisation =
        testimony_organisation(testimony, shown->entry.author);
    bool ours =
        organisation != NULL && strcmp(organisation, source->organisation) == 0;

    if (shown->verdict != VERDICT_VALID)
        return OK;
    switch (shown->entry.type) {
    case ENTRY_CONSENT:
    case ENTRY_WITHDRAW:
        return ours ? take_said(testimony, source->store, shown, err) : OK;
    case ENTRY_PERMIT:
        return ours ? take_permit(testimony, shown, err) : OK;
    case ENTRY_ENROL:
        return take_enrol(testimony, shown, err);
    case ENTRY_DATASET:
    case ENTRY_ERASE:
    case ENTRY_REQUEST:
    case ENTRY_APPROVE:
    case ENTRY_REJECT:
    case ENTRY_RELEASE:
    case ENTRY_ACCESS:
    case ENTRY_REVOKE:
    case ENTRY_MEMBER:
    case ENTRY_TYPE_COUNT:
        break;
    }
    return OK;
}

static enum status append_leaf(struct merkle_tree *tree, struct text *leaf,
                               const struct shown *shown, struct error *err)
{
    struct digest hash;
    enum status status;

    text_reset(leaf);
    status = entry_leaf(shown->entry.bytes, shown->entry.signature_bytes,
                        shown->verdict, shown->block, leaf, err);
    if (status != OK)
        return status;
    merkle_leaf(&hash, text_bytes(leaf));
    return merkle_append(tree, &hash, NULL, NULL, err);
}

static enum status walk(struct testimony *testimony,
                        const struct testimony_source *source,
                        struct digest *root, struct error *err)
{
    const struct ledger_port *ledger = source->ledger;
    struct merkle_tree tree;
    struct text leaf;
    enum status status = OK;

    text_init(&leaf);
    merkle_tree_init(&tree);
    for (uint64_t at = 0; status == OK && at < source->size; at++) {
        struct shown shown = {.position = 0};
        char which[24];

        snprintf(which, sizeof which, "%" PRIu64, at);
        status = ledger->show(ledger->context, which, &shown, err);
        if (status == OK)
            status = append_leaf(&tree, &leaf, &shown, err);
        if (status == OK)
            status = take_entry(testimony, source, &shown, err);
        shown_clear(&shown);
        if (status != OK)
            status = error_wrap(err, "position %" PRIu64 " of the log", at);
    }
    merkle_root(&tree, root);
    text_clear(&leaf);
    return status;
}

static int compare_said(const void *left, const void *right)
{
    const struct utterance *a = left, *b = right;
    int order = subject_id_compare(&a->subject, &b->subject);

    if (order != 0)
        return order;
    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return (a->wish > b->wish) - (a->wish < b->wish);
}

enum status testimony_take(struct testimony *testimony,
                           const struct testimony_source *source,
                           struct error *err)
{
    struct digest root;
    enum status status = hash_key_draw(&testimony->key, err);

    if (status == OK)
        status = grow_wishes(testimony, err);
    if (status == OK)
        status = add_members(testimony, source->genesis, err);
    if (status == OK)
        status = walk(testimony, source, &root, err);
    if (status == OK && memcmp(&root, &source->root, sizeof root) != 0)
        status =
            error_set(err, E_NO,
                      "the %" PRIu64 " entries that the nodes show are not "
                      "the log that was signed: their root is another",
                      source->size);
    if (status == OK && testimony->said_count > 0)
        qsort(testimony->said, testimony->said_count, sizeof *testimony->said,
              compare_said);
    return status;
}
