/*
 * common/message.h - one message between programs, and its frames.
 *
 *     name | request id, 16 bytes | field | field | ...
 *
 * The table common/messages.def says which messages there are, which fields
 * each has and how large they may be.  A decoded message has all of its fields,
 * each of the right size, texts in UTF-8, and nothing else: a handler need not
 * look again.  Fields are named by the table's ids:
 *
 *     struct bytes entry = message_bytes(message, SUBMIT_ENTRY);
 *     uint64_t position = message_number(message, SHOWN_POSITION);
 *
 * A field of another message or kind is a mistake of ours and stops the
 * program.  The requester draws the request id; an answer repeats it.
 *
 * Elsewhere: how frames travel (common/bus.h), what messages mean
 * (docs/protocol.md).
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/limits.h"

#define MESSAGE_REQUEST_ID_SIZE 16

enum message_type {
#define MESSAGE(id, name, direction) MESSAGE_##id,
#define FIELD(message, id, name, kind, size_min, size_max)
#include "common/messages.def"
    MESSAGE_TYPE_COUNT
};

/* All fields of all messages, counted through from 1: SUBMIT_ENTRY is field
 * SUBMIT_ENTRY - SUBMIT_FIRST of submit.  (FIRST takes a number and BEFORE
 * gives it back.) */
enum message_field {
    MESSAGE_NO_FIELD,
#define MESSAGE(id, name, direction) id##_FIRST, id##_BEFORE = id##_FIRST - 1,
#define FIELD(message, id, name, kind, size_min, size_max) message##_##id,
#include "common/messages.def"
    MESSAGE_FIELD_COUNT
};

enum message_direction {
    MESSAGE_IS_REQUEST, /* to the side that listens */
    MESSAGE_IS_ANSWER   /* to the side that connected */
};

struct message {
    enum message_type type;
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE];
    /* By position.  Bytes and texts are borrowed from whoever gave them. */
    struct {
        struct bytes bytes;
        uint64_t number;
        bool is_set;
    } field[MESSAGE_FIELDS_MAX];
};

const char *message_name(enum message_type type);
enum message_direction message_direction(enum message_type type);

/* The largest frame that goes in this direction. */
size_t message_frame_max(enum message_direction direction);

/* ---- making one ---- */

/* No field is set yet. */
void message_init(struct message *message, enum message_type type,
                  const uint8_t request_id[MESSAGE_REQUEST_ID_SIZE]);

/* A `failed` with the words of `err`, cut to whole characters where they are
 * too long.  `retry`: may the same again succeed?  `leader` may be "". */
void message_fail(struct message *message,
                  const uint8_t request_id[MESSAGE_REQUEST_ID_SIZE],
                  const struct error *err, bool retry, const char *leader);

/* For BYTES and TEXT. */
void message_set_bytes(struct message *message, enum message_field field,
                       struct bytes bytes);
void message_set_string(struct message *message, enum message_field field,
                        const char *string);
void message_set_number(struct message *message, enum message_field field,
                        uint64_t number);

/* ---- reading one ---- */

/* For BYTES and TEXT; a text has no NUL behind it. */
struct bytes message_bytes(const struct message *message,
                           enum message_field field);
uint64_t message_number(const struct message *message,
                        enum message_field field);

/* ---- keeping one ---- */

/* Bytes that its fields borrow, and a copy whose fields borrow from `memory`,
 * which has room for so many. */
size_t message_borrowed(const struct message *message);
void message_copy(struct message *copy, const struct message *message,
                  uint8_t *memory);

/* ---- frames ---- */

struct message_frames {
    struct bytes frame[MESSAGE_FRAMES_MAX];
    size_t count;
    uint8_t number[MESSAGE_FIELDS_MAX][8]; /* what frames of U64 point to */
};

/* Frames borrow from the message's fields, and from *message and *frames
 * themselves.  Asserts that every field is set.  E_LIMIT if a field is too
 * large or too small, E_INPUT if a text is no UTF-8: such a message would be
 * refused at the other end. */
MUST_USE enum status message_encode(const struct message *message,
                                    struct message_frames *frames,
                                    struct error *err);

/* Fields borrow from `frame`.  E_INPUT, E_LIMIT where a field is too large. */
MUST_USE enum status message_decode(struct message *message,
                                    const struct bytes *frame, size_t count,
                                    struct error *err);

#endif
