#include "common/message.h"

#include <assert.h>
#include <string.h>

#include "common/commitment.h"
#include "common/digest.h"
#include "common/encoding.h"
#include "common/entry.h"
#include "common/identity.h"
#include "common/merkle.h"
#include "common/note.h"
#include "common/permitted.h"
#include "common/sign.h"
#include "common/utf8.h"

enum field_kind { FIELD_BYTES, FIELD_TEXT, FIELD_U64 };

static const struct {
    const char *name;
    enum message_direction direction;
    unsigned first; /* field */
} messages[] = {
#define MESSAGE(id, name, direction)                                           \
    [MESSAGE_##id] = {name, MESSAGE_IS_##direction, id##_FIRST},
#define FIELD(message, id, name, kind, size_min, size_max)
#include "common/messages.def"
    /* Ends the fields of the last one. */
    [MESSAGE_TYPE_COUNT] = {NULL, MESSAGE_IS_REQUEST, MESSAGE_FIELD_COUNT},
};

static const struct {
    const char *name;
    enum message_type message;
    enum field_kind kind;
    size_t size_min, size_max;
} fields[] = {
#define MESSAGE(id, name, direction)
#define FIELD(message, id, name, kind, size_min, size_max)                     \
    [message##_##                                                              \
        id] = {name, MESSAGE_##message, FIELD_##kind, size_min, size_max},
#include "common/messages.def"
};

#define MESSAGE(id, name, direction)
#define FIELD(message, id, name, kind, size_min, size_max)                     \
    _Static_assert((int)message##_##id - (int)message##_FIRST <                \
                       MESSAGE_FIELDS_MAX,                                     \
                   "a message has more fields than MESSAGE_FIELDS_MAX");
#include "common/messages.def"

static size_t field_count(enum message_type type)
{
    return messages[type + 1].first - messages[type].first;
}

const char *message_name(enum message_type type)
{
    assert((size_t)type < MESSAGE_TYPE_COUNT);
    return messages[type].name;
}

enum message_direction message_direction(enum message_type type)
{
    assert((size_t)type < MESSAGE_TYPE_COUNT);
    return messages[type].direction;
}

size_t message_frame_max(enum message_direction direction)
{
    size_t max = MESSAGE_REQUEST_ID_SIZE;

    for (unsigned i = 1; i < MESSAGE_FIELD_COUNT; i++)
        if (messages[fields[i].message].direction == direction &&
            fields[i].size_max > max)
            max = fields[i].size_max;
    return max;
}

/* ---- fields ---- */

/* Its position, once it is clear that the message has such a field. */
static size_t position_of(const struct message *message,
                          enum message_field field, bool is_number)
{
    assert(field != MESSAGE_NO_FIELD && field < MESSAGE_FIELD_COUNT);
    assert(fields[field].message == message->type);
    assert((fields[field].kind == FIELD_U64) == is_number);
    return field - messages[message->type].first;
}

void message_init(struct message *message, enum message_type type,
                  const uint8_t request_id[MESSAGE_REQUEST_ID_SIZE])
{
    assert((size_t)type < MESSAGE_TYPE_COUNT);
    memset(message, 0, sizeof *message);
    message->type = type;
    memcpy(message->request_id, request_id, MESSAGE_REQUEST_ID_SIZE);
}

void message_fail(struct message *message,
                  const uint8_t request_id[MESSAGE_REQUEST_ID_SIZE],
                  const struct error *err, bool retry, const char *leader)
{
    struct bytes text = bytes_of_string(err->text);
    bool cut;

    assert(err->status != OK);
    /* A path in it need not be UTF-8, and error_set may cut a character. */
    text.size = utf8_prefix(text, &cut);
    message_init(message, MESSAGE_FAILED, request_id);
    message_set_number(message, FAILED_STATUS, (uint64_t)err->status);
    message_set_number(message, FAILED_RETRY, retry);
    message_set_string(message, FAILED_LEADER, leader);
    message_set_bytes(message, FAILED_TEXT, text);
}

void message_set_bytes(struct message *message, enum message_field field,
                       struct bytes bytes)
{
    size_t position = position_of(message, field, false);

    message->field[position].bytes = bytes;
    message->field[position].is_set = true;
}

void message_set_string(struct message *message, enum message_field field,
                        const char *string)
{
    message_set_bytes(message, field, bytes_of_string(string));
}

void message_set_number(struct message *message, enum message_field field,
                        uint64_t number)
{
    size_t position = position_of(message, field, true);

    message->field[position].number = number;
    message->field[position].is_set = true;
}

struct bytes message_bytes(const struct message *message,
                           enum message_field field)
{
    size_t position = position_of(message, field, false);

    assert(message->field[position].is_set);
    return message->field[position].bytes;
}

uint64_t message_number(const struct message *message, enum message_field field)
{
    size_t position = position_of(message, field, true);

    assert(message->field[position].is_set);
    return message->field[position].number;
}

/* ---- keeping ---- */

size_t message_borrowed(const struct message *message)
{
    size_t size = 0;

    for (size_t i = 0; i < MESSAGE_FIELDS_MAX; i++)
        size += message->field[i].bytes.size;
    return size;
}

void message_copy(struct message *copy, const struct message *message,
                  uint8_t *memory)
{
    *copy = *message;
    for (size_t i = 0; i < MESSAGE_FIELDS_MAX; i++) {
        struct bytes *bytes = &copy->field[i].bytes;

        if (bytes->size == 0)
            continue;
        memcpy(memory, bytes->data, bytes->size);
        bytes->data = memory;
        memory += bytes->size;
    }
}

/* ---- frames ---- */

/* Is this what the table says of the field? */
static enum status check_field(enum message_field field, struct bytes bytes,
                               struct error *err)
{
    const char *message = messages[fields[field].message].name;
    const char *name = fields[field].name;

    if (bytes.size > fields[field].size_max)
        return error_set(err, E_LIMIT, "%s: %s of %zu bytes, limit is %zu",
                         message, name, bytes.size, fields[field].size_max);
    if (bytes.size < fields[field].size_min)
        return error_set(err, E_INPUT, "%s: %s of %zu bytes, expected %zu",
                         message, name, bytes.size, fields[field].size_min);
    if (fields[field].kind == FIELD_TEXT && !utf8_valid(bytes))
        return error_set(err, E_INPUT, "%s: %s is not UTF-8", message, name);
    return OK;
}

enum status message_encode(const struct message *message,
                           struct message_frames *frames, struct error *err)
{
    enum message_type type = message->type;
    size_t count = field_count(type);

    frames->frame[0] = bytes_of_string(message_name(type));
    frames->frame[1] = bytes_of(message->request_id, MESSAGE_REQUEST_ID_SIZE);
    for (size_t i = 0; i < count; i++) {
        enum message_field field = messages[type].first + (unsigned)i;
        struct bytes bytes = message->field[i].bytes;
        enum status status;

        assert(message->field[i].is_set);
        if (fields[field].kind == FIELD_U64) {
            put_be64(frames->number[i], message->field[i].number);
            bytes = bytes_of(frames->number[i], sizeof frames->number[i]);
        }
        status = check_field(field, bytes, err);
        if (status != OK)
            return status;
        frames->frame[2 + i] = bytes;
    }
    frames->count = 2 + count;
    return OK;
}

/* The message of that name, MESSAGE_TYPE_COUNT if there is none.  Fewer than
 * thirty short names: looking at each takes no time. */
static enum message_type type_of(struct bytes name)
{
    enum message_type type = 0;

    while (type < MESSAGE_TYPE_COUNT &&
           !bytes_equal_string(name, messages[type].name))
        type++;
    return type;
}

enum status message_decode(struct message *message, const struct bytes *frame,
                           size_t count, struct error *err)
{
    enum message_type type;

    if (count < 2)
        return error_set(err, E_INPUT,
                         "a message of %zu frames has no name and request id",
                         count);
    type = type_of(frame[0]);
    if (type == MESSAGE_TYPE_COUNT)
        return error_set(err, E_INPUT, "a message of an unknown name");
    if (frame[1].size != MESSAGE_REQUEST_ID_SIZE)
        return error_set(
            err, E_INPUT, "%s: request id of %zu bytes, expected %d",
            messages[type].name, frame[1].size, MESSAGE_REQUEST_ID_SIZE);
    if (count - 2 != field_count(type))
        return error_set(err, E_INPUT, "%s: %zu fields, expected %zu",
                         messages[type].name, count - 2, field_count(type));
    message_init(message, type, frame[1].data);
    for (size_t i = 0; i < count - 2; i++) {
        enum message_field field = messages[type].first + (unsigned)i;
        struct bytes bytes = frame[2 + i];
        enum status status = check_field(field, bytes, err);

        if (status != OK)
            return status;
        if (fields[field].kind == FIELD_U64)
            message_set_number(message, field, get_be64(bytes.data));
        else
            message_set_bytes(message, field, bytes);
    }
    return OK;
}
