/*
 * cli/service_process.h - starts and ends the process of a node or a
 * service, and no other.
 *
 * FOLDER/pid says which process it is:
 *
 *     <pid> <start time> <boot id>
 *
 * A process with that number that started at another time, or after another
 * boot, is somebody else's.  It is written by the process itself, before it
 * becomes the service, so that there is none without.  Signals go by descriptor
 * (pidfd), which never means another process.
 *
 * A process that has been killed is not running.  Its end is waited for, since
 * until then it holds the service's locks and ports.
 *
 * What it says goes to FOLDER/log.
 */
#ifndef CLI_SERVICE_PROCESS_H
#define CLI_SERVICE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/text.h"

/* *running: is it there?  *descriptor (may be NULL) is then to be closed.
 * E_SYSTEM if it was killed and does not end all the same. */
MUST_USE enum status service_process_find(const char *folder, bool *running,
                                          pid_t *pid, int *descriptor,
                                          struct error *err);

/* Start `program` on FOLDER/config.json.  *ready gets a line when it is ready,
 * or ends; the caller closes it. */
MUST_USE enum status service_process_start(const char *program,
                                           const char *folder, int *ready,
                                           struct error *err);

/* Ask it to end; nothing to do if it is not running. */
MUST_USE enum status service_process_end(const char *folder, struct error *err);

/* Wait until it has ended, kill it when it does not within `timeout_ms`, and
 * remove FOLDER/pid.  *killed (may be NULL): it had to be. */
MUST_USE enum status service_process_wait(const char *folder, int timeout_ms,
                                          bool *killed, struct error *err);

/* Append the last lines of its log; "" if there are none. */
MUST_USE enum status service_process_log(const char *folder, struct text *out,
                                         struct error *err);

#endif
