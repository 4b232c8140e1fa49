/*
 * tests/fuzz/fuzz_batch.c - whatever bytes: what is accepted as a batch is
 * written again byte for byte from its parts, what is refused leaves nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void check_again(const struct batch *batch, struct bytes bytes)
{
    struct text text;
    struct error err;

    text_init(&text);
    demand(batch_begin(&text, &err) == OK);
    for (uint32_t i = 0; i < batch->count; i++)
        demand(batch_add(&text, batch->item[i].entry, batch->item[i].signatures,
                         &err) == OK);
    demand(batch_end(&text, batch->time_ms, batch->count, &err) == OK);
    demand(bytes_equal(text_bytes(&text), bytes));
    text_clear(&text);
}

/* Any header is one: encoding gives back what was decoded. */
static void check_header(const uint8_t *data)
{
    uint8_t again[BLOCK_HEADER_SIZE];
    struct block block;

    block_decode(&block, data);
    block_encode(&block, again);
    demand(memcmp(again, data, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch batch;
    struct error err;
    enum status status;

    error_init(&err);
    status = batch_parse(&batch, bytes_of(data, size), &err);
    demand(status == OK || status == E_INPUT);
    if (status == OK) {
        demand(err.text[0] == '\0' && batch.count > 0);
        check_again(&batch, bytes_of(data, size));
        batch_clear(&batch);
    } else {
        demand(err.text[0] != '\0' && batch.item == NULL);
    }
    if (size >= BLOCK_HEADER_SIZE)
        check_header(data);
    return 0;
}
