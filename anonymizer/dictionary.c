#include "anonymizer/dictionary.h"

#include <assert.h>
#include <stdlib.h>

void dictionary_init(struct dictionary *dictionary)
{
    *dictionary = (struct dictionary){0};
    text_init(&dictionary->bytes);
}

void dictionary_clear(struct dictionary *dictionary)
{
    text_clear(&dictionary->bytes);
    free(dictionary->entry);
    free(dictionary->slot);
    free(dictionary->first);
    dictionary_init(dictionary);
}

static struct bytes entry_text(const struct dictionary *dictionary,
                               const struct dictionary_entry *entry)
{
    return bytes_of(dictionary->bytes.data + entry->offset, entry->size);
}

uint32_t dictionary_find(const struct dictionary *dictionary, struct bytes text)
{
    uint32_t mask = dictionary->slot_count - 1;
    uint64_t hash;

    if (dictionary->slot_count == 0)
        return DICTIONARY_NONE;
    hash = hash_bytes(&dictionary->key, text);
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        uint32_t slot = dictionary->slot[at];
        const struct dictionary_entry *entry;

        if (slot == 0)
            return DICTIONARY_NONE;
        entry = &dictionary->entry[slot - 1];
        if (entry->hash == (uint32_t)(hash >> 32) &&
            bytes_equal(entry_text(dictionary, entry), text))
            return entry->code;
    }
}

static void place(struct dictionary *dictionary, uint32_t index, uint64_t hash)
{
    uint32_t mask = dictionary->slot_count - 1;
    uint32_t at = (uint32_t)hash & mask;

    while (dictionary->slot[at] != 0)
        at = (at + 1) & mask;
    dictionary->slot[at] = index + 1;
}

/* Slots stay at most half full. */
static enum status grow_slots(struct dictionary *dictionary, struct error *err)
{
    uint32_t count =
        dictionary->slot_count == 0 ? 64 : 2 * dictionary->slot_count;
    uint32_t *slot;

    if (dictionary->slot_count == 0 &&
        hash_key_draw(&dictionary->key, err) != OK)
        return err->status;
    slot = calloc(count, sizeof *slot);
    if (slot == NULL)
        return error_memory(err, "a dictionary");
    free(dictionary->slot);
    dictionary->slot = slot;
    dictionary->slot_count = count;
    for (uint32_t i = 0; i < dictionary->entry_count; i++)
        place(dictionary, i,
              hash_bytes(&dictionary->key,
                         entry_text(dictionary, &dictionary->entry[i])));
    return OK;
}

static enum status grow_entries(struct dictionary *dictionary,
                                struct error *err)
{
    uint32_t capacity =
        dictionary->entry_capacity == 0 ? 32 : 2 * dictionary->entry_capacity;
    struct dictionary_entry *entry =
        reallocarray(dictionary->entry, capacity, sizeof *entry);
    uint32_t *first;

    if (entry == NULL)
        return error_memory(err, "a dictionary");
    dictionary->entry = entry;
    first = reallocarray(dictionary->first, capacity, sizeof *first);
    if (first == NULL)
        return error_memory(err, "a dictionary");
    dictionary->first = first;
    dictionary->entry_capacity = capacity;
    return OK;
}

enum status dictionary_alias(struct dictionary *dictionary, struct bytes text,
                             uint32_t code, struct error *err)
{
    uint64_t hash;
    size_t offset = dictionary->bytes.size;
    enum status status;

    assert(code <= dictionary->code_count);
    if (dictionary->entry_count >= UINT32_MAX / 4)
        return error_set(err, E_LIMIT, "more than %u distinct values",
                         UINT32_MAX / 4);
    if (dictionary->entry_count == dictionary->entry_capacity) {
        status = grow_entries(dictionary, err);
        if (status != OK)
            return status;
    }
    if (2 * (dictionary->entry_count + 1) > dictionary->slot_count) {
        status = grow_slots(dictionary, err);
        if (status != OK)
            return status;
    }
    hash = hash_bytes(&dictionary->key, text);
    status = text_append(&dictionary->bytes, text.data, text.size, err);
    if (status != OK)
        return status;
    if (code == dictionary->code_count)
        dictionary->first[dictionary->code_count++] = dictionary->entry_count;
    dictionary->entry[dictionary->entry_count] = (struct dictionary_entry){
        offset, (uint32_t)text.size, code, (uint32_t)(hash >> 32)};
    place(dictionary, dictionary->entry_count++, hash);
    return OK;
}

enum status dictionary_add(struct dictionary *dictionary, struct bytes text,
                           uint32_t *code, struct error *err)
{
    uint32_t new_code = dictionary->code_count;
    enum status status = dictionary_alias(dictionary, text, new_code, err);

    if (status == OK)
        *code = new_code;
    return status;
}

struct bytes dictionary_text(const struct dictionary *dictionary, uint32_t code)
{
    assert(code < dictionary->code_count);
    return entry_text(dictionary, &dictionary->entry[dictionary->first[code]]);
}
