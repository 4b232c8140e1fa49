/*
 * common/upload.h - things larger than a message, in parts.
 *
 *     client: upload_send() --part, part, ...--> service: uploads_take()
 *     client: a request that names the upload --> uploads_find() and use
 *
 * The sender draws the id.  Parts come in order; the same part again (an answer
 * was lost) is taken for the one that is there.  An upload belongs to the
 * certificate that began it, is in memory only, and goes when it was used, when
 * it has not grown for a minute, or with the service: whoever sent it sends it
 * again.  An id that somebody else has begun is as good as none: neither can it
 * be added to nor is it found.
 */
#ifndef COMMON_UPLOAD_H
#define COMMON_UPLOAD_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/client.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/message.h"

struct upload_id {
    uint8_t byte[UPLOAD_ID_SIZE];
};

/* ---- the client's side ---- */

/* Draw an id and send all of it, at least one byte. */
MUST_USE enum status upload_send(struct client *client, struct bytes bytes,
                                 struct upload_id *id, struct error *err);

/* ---- the service's side; one thread at a time ---- */

struct uploads;

MUST_USE enum status uploads_create(struct uploads **uploads,
                                    struct error *err);
void uploads_destroy(struct uploads **uploads);

/* Take one `part` from the owner of the certificate with that id; *size is what
 * there is of the upload now.  E_INPUT for a part that does not follow, E_LIMIT
 * when there is too much.  Whatever fails leaves the upload as it was. `now_ms`
 * is of clock_steady_ms(). */
MUST_USE enum status uploads_take(struct uploads *uploads, const char *owner,
                                  const struct message *part, uint64_t now_ms,
                                  uint64_t *size, struct error *err);

/* Borrowed until it is dropped.  E_INPUT if there is none of this owner. */
MUST_USE enum status uploads_find(struct uploads *uploads, const char *owner,
                                  struct bytes id, struct bytes *bytes,
                                  struct error *err);
void uploads_drop(struct uploads *uploads, struct bytes id);

/* Drop what has not grown for UPLOAD_IDLE_MS; uploads_take does so, too. */
void uploads_expire(struct uploads *uploads, uint64_t now_ms);

#endif
