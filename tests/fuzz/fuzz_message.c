/*
 * tests/fuzz/fuzz_message.c - whatever frames: what is refused is refused with
 * words, and what is accepted encodes to the same frames.
 *
 * An input is be16(size) || frame, repeated; a size that reaches behind the end
 * takes what there is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES_MAX 16 /* more than any message has */

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* Frames of their own on the heap, so that a sanitizer sees who reads on. */
static size_t cut(const uint8_t *data, size_t size, struct bytes *frame,
                  uint8_t **copies)
{
    size_t count = 0;

    while (size >= 2 && count < FRAMES_MAX) {
        size_t length = (size_t)data[0] << 8 | data[1];
        uint8_t *copy;

        data += 2;
        size -= 2;
        if (length > size)
            length = size;
        copy = malloc(length > 0 ? length : 1);
        demand(copy != NULL);
        memcpy(copy, data, length);
        copies[count] = copy;
        frame[count++] = bytes_of(copy, length);
        data += length;
        size -= length;
    }
    return count;
}

static void check_same(const struct message *message, const struct bytes *frame,
                       size_t count)
{
    struct message_frames frames;
    struct error err;

    demand(message_encode(message, &frames, &err) == OK);
    demand(frames.count == count);
    for (size_t i = 0; i < count; i++)
        demand(bytes_equal(frames.frame[i], frame[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes frame[FRAMES_MAX];
    uint8_t *copies[FRAMES_MAX];
    struct message message;
    struct error err;
    size_t count = cut(data, size, frame, copies);
    enum status status;

    error_init(&err);
    status = message_decode(&message, frame, count, &err);
    if (status == OK) {
        demand(err.text[0] == '\0');
        check_same(&message, frame, count);
    } else {
        demand(status == E_INPUT || status == E_LIMIT);
        demand(err.status == status && err.text[0] != '\0');
    }
    for (size_t i = 0; i < count; i++)
        free(copies[i]);
    return 0;
}
