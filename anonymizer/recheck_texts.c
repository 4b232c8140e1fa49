#include "anonymizer/recheck_texts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

struct recheck_text {
    size_t offset; /* in characters */
    uint32_t size;
    uint32_t code;
};

/* The hash stands here too, so that most slots of other texts are passed
 * without looking at the texts. */
struct recheck_slot {
    uint32_t hash;
    uint32_t entry; /* index + 1; 0: free */
};

enum status recheck_texts_init(struct recheck_texts *texts, struct error *err)
{
    *texts = (struct recheck_texts){0};
    text_init(&texts->characters);
    return hash_key_draw(&texts->key, err);
}

void recheck_texts_clear(struct recheck_texts *texts)
{
    free(texts->entry);
    free(texts->slot);
    text_clear(&texts->characters);
    *texts = (struct recheck_texts){0};
    text_init(&texts->characters);
}

static uint32_t hash_of(const struct recheck_texts *texts, struct bytes value)
{
    return (uint32_t)(hash_bytes(&texts->key, value) >> 32);
}

static struct bytes text_of(const struct recheck_texts *texts,
                            const struct recheck_text *entry)
{
    return bytes_of(texts->characters.data + entry->offset, entry->size);
}

/* The slot that holds `value`, or the free one where it belongs. */
static struct recheck_slot *probe(const struct recheck_texts *texts,
                                  struct bytes value, uint32_t hash)
{
    size_t mask = texts->slot_count - 1;
    size_t place = hash & mask;

    for (;; place = (place + 1) & mask) {
        struct recheck_slot *slot = &texts->slot[place];

        if (slot->entry == 0)
            return slot;
        if (slot->hash == hash &&
            bytes_equal(text_of(texts, &texts->entry[slot->entry - 1]), value))
            return slot;
    }
}

/* At least half of the slots stay free, which also ends every probe. */
static enum status slots_grow(struct recheck_texts *texts, struct error *err)
{
    size_t count = texts->slot_count == 0 ? SLOTS_FIRST : 2 * texts->slot_count;
    struct recheck_slot *slot;

    slot = calloc(count, sizeof *slot);
    if (slot == NULL)
        return error_memory(err, "the texts of a column");
    for (size_t i = 0; i < texts->slot_count; i++) {
        struct recheck_slot old = texts->slot[i];
        size_t place = old.hash & (count - 1);

        if (old.entry == 0)
            continue;
        while (slot[place].entry != 0)
            place = (place + 1) & (count - 1);
        slot[place] = old;
    }
    free(texts->slot);
    texts->slot = slot;
    texts->slot_count = count;
    return OK;
}

static enum status entries_grow(struct recheck_texts *texts, struct error *err)
{
    size_t capacity =
        texts->entry_capacity == 0 ? 16 : 2 * texts->entry_capacity;
    struct recheck_text *entry;

    entry = reallocarray(texts->entry, capacity, sizeof *entry);
    if (entry == NULL)
        return error_memory(err, "the texts of a column");
    texts->entry = entry;
    texts->entry_capacity = capacity;
    return OK;
}

/* A text that is not there yet. */
static enum status insert(struct recheck_texts *texts, struct bytes value,
                          uint32_t hash, uint32_t code, struct error *err)
{
    enum status status = OK;
    struct recheck_text entry = {texts->characters.size, (uint32_t)value.size,
                                 code};

    assert(value.size <= UINT32_MAX);
    if (texts->entry_count == UINT32_MAX - 1)
        return error_set(err, E_LIMIT,
                         "more than %zu different texts in one column",
                         texts->entry_count);
    if (texts->entry_count == texts->entry_capacity)
        status = entries_grow(texts, err);
    if (status == OK && 2 * (texts->entry_count + 1) > texts->slot_count)
        status = slots_grow(texts, err);
    if (status == OK)
        status = text_append(&texts->characters, value.data, value.size, err);
    if (status != OK)
        return status;
    texts->entry[texts->entry_count++] = entry;
    *probe(texts, value, hash) =
        (struct recheck_slot){hash, (uint32_t)texts->entry_count};
    return OK;
}

uint32_t recheck_texts_find(const struct recheck_texts *texts,
                            struct bytes value)
{
    const struct recheck_slot *slot;

    if (texts->slot_count == 0)
        return RECHECK_TEXTS_NONE;
    slot = probe(texts, value, hash_of(texts, value));
    return slot->entry == 0 ? RECHECK_TEXTS_NONE
                            : texts->entry[slot->entry - 1].code;
}

enum status recheck_texts_code(struct recheck_texts *texts, struct bytes value,
                               uint32_t *code, struct error *err)
{
    uint32_t hash = hash_of(texts, value);
    enum status status;

    if (texts->slot_count > 0) {
        const struct recheck_slot *slot = probe(texts, value, hash);

        if (slot->entry != 0) {
            *code = texts->entry[slot->entry - 1].code;
            return OK;
        }
    }
    status = insert(texts, value, hash, texts->code_count, err);
    if (status == OK)
        *code = texts->code_count++;
    return status;
}

enum status recheck_texts_join(struct recheck_texts *texts, char *const *value,
                               size_t count, struct error *err)
{
    uint32_t code = texts->code_count;

    for (size_t i = 0; i < count; i++) {
        struct bytes token = bytes_of_string(value[i]);
        enum status status;

        if (recheck_texts_find(texts, token) != RECHECK_TEXTS_NONE)
            continue;
        status = insert(texts, token, hash_of(texts, token), code, err);
        if (status != OK)
            return status;
        texts->code_count = code + 1;
    }
    return OK;
}

void recheck_texts_list(const struct recheck_texts *texts, struct bytes *text)
{
    for (size_t i = 0; i < texts->entry_count; i++)
        text[texts->entry[i].code] = text_of(texts, &texts->entry[i]);
}
