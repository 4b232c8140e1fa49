#include "ledger/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"

/* Keeps block hashes apart from every other SHA-256 that we publish. */
#define BLOCK_TAG "anchorite block 1\n"

#define BATCH_HEAD_SIZE 12

void block_encode(const struct block *block, uint8_t out[BLOCK_HEADER_SIZE])
{
    put_be64(out, block->number);
    memcpy(out + 8, block->previous.byte, DIGEST_SIZE);
    put_be32(out + 40, block->entries);
    put_be64(out + 44, block->bytes);
    memcpy(out + 52, block->entries_root.byte, DIGEST_SIZE);
    put_be64(out + 84, block->size);
    memcpy(out + 92, block->root.byte, DIGEST_SIZE);
    put_be64(out + 124, block->time_ms);
    put_be64(out + 132, block->raft_index);
}

void block_decode(struct block *block, const uint8_t in[BLOCK_HEADER_SIZE])
{
    block->number = get_be64(in);
    memcpy(block->previous.byte, in + 8, DIGEST_SIZE);
    block->entries = get_be32(in + 40);
    block->bytes = get_be64(in + 44);
    memcpy(block->entries_root.byte, in + 52, DIGEST_SIZE);
    block->size = get_be64(in + 84);
    memcpy(block->root.byte, in + 92, DIGEST_SIZE);
    block->time_ms = get_be64(in + 124);
    block->raft_index = get_be64(in + 132);
}

void block_hash(const struct block *block, struct digest *hash)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    struct bytes part[] = {bytes_of(BLOCK_TAG, sizeof BLOCK_TAG - 1),
                           bytes_of(header, sizeof header)};

    block_encode(block, header);
    digest_parts(hash, part, sizeof part / sizeof part[0]);
}

/* ---- batches ---- */

enum status batch_begin(struct text *out, struct error *err)
{
    static const uint8_t head[BATCH_HEAD_SIZE];

    assert(out->size == 0);
    return text_append(out, head, sizeof head, err);
}

enum status batch_add(struct text *out, struct bytes entry,
                      struct bytes signatures, struct error *err)
{
    uint8_t size[4];
    enum status status;

    /* 7: the padding. */
    if (entry.size > BATCH_SIZE_MAX || signatures.size > BATCH_SIZE_MAX ||
        out->size + 8 + entry.size + signatures.size + 7 > BATCH_SIZE_MAX)
        return error_set(err, E_LIMIT, "a batch has at most %u bytes",
                         BATCH_SIZE_MAX);
    /* Room for all, so that nothing below fails in the middle. */
    status = text_reserve(out, 8 + entry.size + signatures.size, err);
    if (status != OK)
        return status;
    put_be32(size, (uint32_t)entry.size);
    status = text_append(out, size, sizeof size, err);
    if (status == OK)
        status = text_append(out, entry.data, entry.size, err);
    put_be32(size, (uint32_t)signatures.size);
    if (status == OK)
        status = text_append(out, size, sizeof size, err);
    if (status == OK)
        status = text_append(out, signatures.data, signatures.size, err);
    return status;
}

enum status batch_end(struct text *out, uint64_t time_ms, uint32_t count,
                      struct error *err)
{
    static const uint8_t zeros[8];

    assert(out->size >= BATCH_HEAD_SIZE && time_ms <= BATCH_TIME_MAX);
    put_be64((uint8_t *)out->data, time_ms);
    put_be32((uint8_t *)out->data + 8, count);
    return text_append(out, zeros, (8 - out->size % 8) % 8, err);
}

/* be32(size) || bytes at *at; false if that is not there. */
static bool take_sized(struct bytes bytes, size_t *at, struct bytes *out)
{
    size_t size;

    if (bytes.size - *at < 4)
        return false;
    size = get_be32(bytes.data + *at);
    *at += 4;
    if (bytes.size - *at < size)
        return false;
    *out = bytes_of(bytes.data + *at, size);
    *at += size;
    return true;
}

static bool padding_ok(struct bytes bytes, size_t at)
{
    if (bytes.size % 8 != 0 || bytes.size - at >= 8)
        return false;
    for (; at < bytes.size; at++)
        if (bytes.data[at] != 0)
            return false;
    return true;
}

enum status batch_parse(struct batch *batch, struct bytes bytes,
                        struct error *err)
{
    size_t at = BATCH_HEAD_SIZE;

    *batch = (struct batch){0};
    if (bytes.size < BATCH_HEAD_SIZE || bytes.size > BATCH_SIZE_MAX)
        return error_set(err, E_INPUT, "a batch of %zu bytes", bytes.size);
    batch->time_ms = get_be64(bytes.data);
    batch->count = get_be32(bytes.data + 8);
    if (batch->time_ms > BATCH_TIME_MAX)
        return error_set(err, E_INPUT, "a batch of an impossible time");
    if (batch->count < 1 || batch->count > BATCH_ENTRIES_MAX)
        return error_set(err, E_INPUT, "a batch of %u entries, 1 to %d may be",
                         batch->count, BATCH_ENTRIES_MAX);
    batch->item = calloc(batch->count, sizeof *batch->item);
    if (batch->item == NULL)
        return error_memory(err, "a batch");
    for (uint32_t i = 0; i < batch->count; i++)
        if (!take_sized(bytes, &at, &batch->item[i].entry) ||
            !take_sized(bytes, &at, &batch->item[i].signatures)) {
            batch_clear(batch);
            return error_set(err, E_INPUT, "a batch that is cut off");
        }
    if (!padding_ok(bytes, at)) {
        batch_clear(batch);
        return error_set(err, E_INPUT, "a batch with something behind it");
    }
    return OK;
}

void batch_clear(struct batch *batch)
{
    free(batch->item);
    *batch = (struct batch){0};
}
