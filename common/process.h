/*
 * common/process.h - what every program of ours is careful about.
 *
 * Records of patients and private keys must end up neither in a core file nor
 * in another user's hands.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include "common/error.h"

/* First of all in main(): no core files, not traceable by others; too large a
 * file, or a reader that went away, is an error to report and no signal. */
void process_protect(void);

/* E_REFUSED unless the folder is ours and nobody else may look into it; the
 * text says what to do.  E_INPUT if it is no folder. */
MUST_USE enum status process_check_folder(const char *path, struct error *err);

/* The same for a file with a secret. */
MUST_USE enum status process_check_secret(const char *path, struct error *err);

/* Processors that are online: 1 .. max. */
unsigned process_cores(unsigned max);

#endif
