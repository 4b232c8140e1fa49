#include "common/upload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/ledger_questions.h"
#include "common/sign.h"

/* ---- the client's side ---- */

static enum status send_part(struct client *client, const struct upload_id *id,
                             uint64_t offset, struct bytes bytes,
                             struct error *err)
{
    struct client_answer answer;
    struct message part;
    enum status status;
    uint64_t size;

    question_init(&part, MESSAGE_PART);
    message_set_bytes(&part, PART_UPLOAD, bytes_of(id->byte, sizeof id->byte));
    message_set_number(&part, PART_OFFSET, offset);
    message_set_bytes(&part, PART_BYTES, bytes);
    status = client_ask(client, &part, MESSAGE_TAKEN, &answer, err);
    if (status != OK)
        return status;
    size = message_number(&answer.message, TAKEN_SIZE);
    client_answer_clear(&answer);
    if (size != offset + bytes.size)
        return error_set(err, E_SYSTEM,
                         "the service has %ju bytes of an upload, %ju were "
                         "sent",
                         (uintmax_t)size, (uintmax_t)(offset + bytes.size));
    return OK;
}

enum status upload_send(struct client *client, struct bytes bytes,
                        struct upload_id *id, struct error *err)
{
    enum status status;

    assert(bytes.size > 0);
    if (bytes.size > UPLOAD_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "%zu bytes for one request, the limit is %u",
                         bytes.size, UPLOAD_SIZE_MAX);
    status = random_secret(id->byte, sizeof id->byte, err);
    for (size_t at = 0; status == OK && at < bytes.size; at += PART_SIZE_MAX) {
        size_t rest = bytes.size - at;

        status = send_part(
            client, id, at,
            bytes_of(bytes.data + at,
                     rest < PART_SIZE_MAX ? rest : (size_t)PART_SIZE_MAX),
            err);
    }
    return status;
}

/* ---- the service's side ---- */

struct upload {
    struct upload_id id;
    char owner[CERTIFICATE_ID_SIZE];
    uint8_t *data;
    size_t size, capacity;
    uint64_t grew_ms;
};

/* Few enough to be looked through. */
struct uploads {
    struct upload item[UPLOADS_MAX];
    size_t count;
};

enum status uploads_create(struct uploads **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? OK : error_memory(err, "uploads");
}

void uploads_destroy(struct uploads **uploads)
{
    if (*uploads == NULL)
        return;
    for (size_t i = 0; i < (*uploads)->count; i++)
        free((*uploads)->item[i].data);
    free(*uploads);
    *uploads = NULL;
}

static void drop_at(struct uploads *uploads, size_t index)
{
    free(uploads->item[index].data);
    uploads->item[index] = uploads->item[--uploads->count];
}

static struct upload *find(struct uploads *uploads, struct bytes id)
{
    for (size_t i = 0; i < uploads->count; i++)
        if (bytes_equal(id, bytes_of(uploads->item[i].id.byte, UPLOAD_ID_SIZE)))
            return &uploads->item[i];
    return NULL;
}

static bool is_of(const struct upload *upload, const char *owner)
{
    return strcmp(upload->owner, owner) == 0;
}

void uploads_expire(struct uploads *uploads, uint64_t now_ms)
{
    /* Backwards, as the last one takes the place of the one that goes. */
    for (size_t i = uploads->count; i-- > 0;)
        if (now_ms - uploads->item[i].grew_ms >= UPLOAD_IDLE_MS)
            drop_at(uploads, i);
}

/* Is there room for so many bytes more, of a new upload or an old one? */
static enum status check_room(const struct uploads *uploads, const char *owner,
                              bool is_new, size_t more, struct error *err)
{
    size_t count = 0, size = 0, all = 0;

    for (size_t i = 0; i < uploads->count; i++) {
        const struct upload *upload = &uploads->item[i];
        bool own = is_of(upload, owner);

        all += upload->size;
        size += own ? upload->size : 0;
        count += own;
    }
    if (is_new && count >= UPLOADS_OWNER_MAX)
        return error_set(err, E_LIMIT,
                         "%zu uploads of one certificate wait to be used, the "
                         "limit is %d",
                         count, UPLOADS_OWNER_MAX);
    if (is_new && uploads->count >= UPLOADS_MAX)
        return error_set(err, E_LIMIT,
                         "%zu uploads wait to be used, the limit is %d",
                         uploads->count, UPLOADS_MAX);
    if (size + more > UPLOADS_OWNER_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "the uploads of one certificate would take %zu bytes, "
                         "the limit is %u",
                         size + more, UPLOADS_OWNER_SIZE_MAX);
    if (all + more > UPLOADS_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "all uploads would take %zu bytes, the limit is %u",
                         all + more, UPLOADS_SIZE_MAX);
    return OK;
}

static enum status append(struct upload *upload, struct bytes bytes,
                          struct error *err)
{
    size_t needed = upload->size + bytes.size, capacity = upload->capacity;
    uint8_t *data;

    if (needed > capacity) {
        capacity = 2 * capacity < needed ? needed : 2 * capacity;
        if (capacity > UPLOAD_SIZE_MAX)
            capacity = UPLOAD_SIZE_MAX;
        data = realloc(upload->data, capacity);
        if (data == NULL)
            return error_memory(err, "an upload");
        upload->data = data;
        upload->capacity = capacity;
    }
    memcpy(upload->data + upload->size, bytes.data, bytes.size);
    upload->size = needed;
    return OK;
}

/* An answer was lost, and the part came again.  False: other bytes. */
static bool is_there(const struct upload *upload, uint64_t offset,
                     struct bytes bytes)
{
    return offset + bytes.size <= upload->size &&
           memcmp(upload->data + offset, bytes.data, bytes.size) == 0;
}

static enum status begin(struct uploads *uploads, const char *owner,
                         struct bytes id, struct bytes bytes, uint64_t now_ms,
                         struct error *err)
{
    struct upload upload = {.grew_ms = now_ms};
    enum status status = check_room(uploads, owner, true, bytes.size, err);

    assert(strlen(owner) < sizeof upload.owner);
    if (status == OK)
        status = append(&upload, bytes, err);
    if (status != OK)
        return status;
    memcpy(upload.id.byte, id.data, sizeof upload.id.byte);
    memcpy(upload.owner, owner, strlen(owner));
    uploads->item[uploads->count++] = upload;
    return OK;
}

static enum status grow(struct uploads *uploads, struct upload *upload,
                        uint64_t offset, struct bytes bytes, uint64_t now_ms,
                        struct error *err)
{
    enum status status;

    if (offset < upload->size && is_there(upload, offset, bytes))
        return OK;
    if (offset != upload->size)
        return error_set(err, E_INPUT,
                         "a part begins at byte %ju of an upload that has %zu",
                         (uintmax_t)offset, upload->size);
    if (upload->size + bytes.size > UPLOAD_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "an upload would take %zu bytes, the limit is %u",
                         upload->size + bytes.size, UPLOAD_SIZE_MAX);
    status = check_room(uploads, upload->owner, false, bytes.size, err);
    if (status == OK)
        status = append(upload, bytes, err);
    if (status == OK)
        upload->grew_ms = now_ms;
    return status;
}

static enum status no_such(struct error *err)
{
    return error_set(err, E_INPUT,
                     "there is no such upload of this certificate; it may have "
                     "waited for too long");
}

enum status uploads_take(struct uploads *uploads, const char *owner,
                         const struct message *part, uint64_t now_ms,
                         uint64_t *size, struct error *err)
{
    struct bytes id = message_bytes(part, PART_UPLOAD);
    struct bytes bytes = message_bytes(part, PART_BYTES);
    uint64_t offset = message_number(part, PART_OFFSET);
    struct upload *upload;
    enum status status;

    uploads_expire(uploads, now_ms);
    upload = find(uploads, id);
    if (upload != NULL && is_of(upload, owner))
        status = grow(uploads, upload, offset, bytes, now_ms, err);
    else if (upload != NULL || offset != 0)
        status = no_such(err);
    else
        status = begin(uploads, owner, id, bytes, now_ms, err);
    if (status == OK)
        *size = find(uploads, id)->size;
    return status;
}

enum status uploads_find(struct uploads *uploads, const char *owner,
                         struct bytes id, struct bytes *bytes,
                         struct error *err)
{
    const struct upload *upload = find(uploads, id);

    if (upload == NULL || !is_of(upload, owner))
        return no_such(err);
    *bytes = bytes_of(upload->data, upload->size);
    return OK;
}

void uploads_drop(struct uploads *uploads, struct bytes id)
{
    struct upload *upload = find(uploads, id);

    if (upload != NULL)
        drop_at(uploads, (size_t)(upload - uploads->item));
}
