/*
 * common/endpoint.h - where a service listens, as a file says it.
 *
 *     ipc://socket                 beside the file
 *     ipc:///run/anchorite/node1   there
 *     tcp://10.0.0.7:7001
 *
 * Names in files are relative to the file, so that a folder can be moved.
 *
 * Elsewhere: what else an endpoint must be (common/bus.h).
 */
#ifndef COMMON_ENDPOINT_H
#define COMMON_ENDPOINT_H

#include "common/error.h"
#include "common/limits.h"

/* `endpoint` as the file at `file` means it, the path of a local socket made
 * absolute.  E_LIMIT with what to do if that path is longer than the system
 * takes, E_INPUT if the endpoint is longer than any. */
MUST_USE enum status endpoint_beside(const char *file, const char *endpoint,
                                     char out[ENDPOINT_SIZE_MAX],
                                     struct error *err);

#endif
