/*
 * anonymizer/worker_desk_internal.h - what the desk's handlers share, and those
 * that stand in files of their own.
 */
#ifndef ANONYMIZER_WORKER_DESK_INTERNAL_H
#define ANONYMIZER_WORKER_DESK_INTERNAL_H

#include "anonymizer/worker_desk.h"

/* The certificate's id; borrowed from the request. */
const char *desk_asker(const struct desk_request *request);

/* A field of a digest's size: the message's form says so. */
struct digest desk_digest(const struct desk_request *request,
                          enum message_field field);

void desk_answer_taken(struct desk_answer *answer, uint64_t size);

/* With what stands in answer->memory. */
void desk_answer_told(struct desk_answer *answer);

/* Handlers of desk_row. */
enum status desk_on_events(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *err);
enum status desk_on_erase(void *context, const struct desk_request *request,
                          struct desk_answer *answer, struct error *err);
enum status desk_on_denied(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *err);
enum status desk_on_denials(void *context, const struct desk_request *request,
                            struct desk_answer *answer, struct error *err);

#endif
