/*
 * datasets/output.h - where generated lines go: a file that appears whole, or
 * standard output.
 *
 *     open -> [output_room -> write into it -> output_advance]* -> publish
 *                                                              -> discard
 *
 * Buffered, so that a line costs no call.
 */
#ifndef DATASETS_OUTPUT_H
#define DATASETS_OUTPUT_H

#include <stddef.h>

#include "common/error.h"

struct output;

/* `path` (borrowed for the output's life) NULL or "-" is standard output. */
MUST_USE enum status output_open(struct output **output, const char *path,
                                 struct error *err);

/* The same on a descriptor that stays the caller's; `name` is for errors. */
MUST_USE enum status output_attach(struct output **output, int fd,
                                   const char *name, struct error *err);

/* Where the next bytes go: at least `size` fit, size <= OUTPUT_ROOM_MAX. */
#define OUTPUT_ROOM_MAX 4096
MUST_USE enum status output_room(struct output *output, size_t size,
                                 char **room, struct error *err);

/* So many bytes were written there. */
void output_advance(struct output *output, size_t size);

/* Write `size` bytes, however many. */
MUST_USE enum status output_append(struct output *output, const char *data,
                                   size_t size, struct error *err);

/* All of it is written out; a file gets its name.  Takes *output in any case.
 */
MUST_USE enum status output_publish(struct output **output, struct error *err);

/* Forget it.  Takes *output, accepts NULL in it. */
void output_discard(struct output **output);

#endif
