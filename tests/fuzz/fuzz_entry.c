/*
 * tests/fuzz/fuzz_entry.c - an entry, a newline and its signatures from
 * whatever bytes: what is accepted is what we would write ourselves.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void check_entry(const struct entry *entry)
{
    uint8_t nonce[ENTRY_NONCE_SIZE];
    struct entry_draft draft = {
        .type = entry->type,
        .origin = entry->origin,
        .channel = entry->channel,
        .author = entry->author,
        .nonce = nonce,
        .payload = entry->payload,
    };
    struct text again;
    struct error err;

    demand(hex_decode(bytes_of_string(entry->nonce), nonce, sizeof nonce));
    text_init(&again);
    demand(entry_write(&draft, &again, &err) == OK);
    demand(bytes_equal(text_bytes(&again), entry->bytes));
    text_reset(&again);
    demand(entry_write_signatures(entry->signature, entry->signature_count,
                                  &again, &err) == OK);
    demand(bytes_equal(text_bytes(&again), entry->signature_bytes));
    text_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    struct bytes bytes = bytes_of(data, size);
    struct bytes signatures = bytes_of(NULL, 0);
    struct entry entry;
    struct error err;
    enum status status;

    if (newline != NULL) {
        bytes.size = (size_t)(newline - data);
        signatures = bytes_of(newline + 1, size - bytes.size - 1);
    }
    error_init(&err);
    status = entry_parse(&entry, bytes, signatures, &err);
    if (status == OK) {
        demand(err.text[0] == '\0');
        check_entry(&entry);
    } else {
        demand(status == E_INPUT || status == E_LIMIT);
        demand(err.text[0] != '\0' && entry.json == NULL);
    }
    entry_clear(&entry);
    return 0;
}
