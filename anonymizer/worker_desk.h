/*
 * anonymizer/worker_desk.h - the table of requests that an anonymizer takes
 * (docs/protocol.md, "Messages"), and their handlers.
 */
#ifndef ANONYMIZER_WORKER_DESK_H
#define ANONYMIZER_WORKER_DESK_H

#include <stddef.h>

#include "anonymizer/worker_internal.h"
#include "common/client.h"
#include "common/desk.h"
#include "common/error.h"

/* Handlers' context is the struct worker. */
const struct desk_row *worker_desk_rows(size_t *count);

/* What is refused is an access event: for desk_settings. */
enum status worker_desk_denied(void *context,
                               const struct desk_request *request,
                               const struct error *why, struct error *err);

/* Between requests: likewise. */
enum status worker_desk_idle(void *context, struct client *ledger,
                             struct error *err);

#endif
