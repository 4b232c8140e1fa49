/*
 * cli/companion.h - the programs beside this one.
 *
 * The command starts services that were built and installed with it, from its
 * own folder: not whatever has their name in PATH.
 */
#ifndef CLI_COMPANION_H
#define CLI_COMPANION_H

#include "common/error.h"
#include "common/text.h"

/* Append the path of program `name`; E_SYSTEM if it is not there. */
MUST_USE enum status companion_path(const char *name, struct text *path,
                                    struct error *err);

#endif
