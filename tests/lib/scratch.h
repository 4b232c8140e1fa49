/*
 * tests/lib/scratch.h - a folder of its own for one test.
 *
 *     struct scratch scratch;
 *
 *     scratch_open(&scratch);
 *     scratch_write(&scratch, "in.csv", "a,b\n");
 *     ... scratch_path(&scratch, "in.csv") ...
 *     scratch_close(&scratch);
 *
 * What cannot be set up ends the program: no test can mean anything then.
 */
#ifndef TESTS_LIB_SCRATCH_H
#define TESTS_LIB_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#define SCRATCH_PATH_MAX 512

struct scratch {
    char path[64];
};

/* Readable for all users, writable for the owner. */
void scratch_open(struct scratch *scratch);

/* Remove the folder and all that is in it. */
void scratch_close(struct scratch *scratch);

/* Path of `name` in the folder.  Borrowed: from a ring of eight buffers, so
 * that a line of code can use several. */
const char *scratch_path(const struct scratch *scratch, const char *name);

/* Make a file that holds `string`. */
void scratch_write(const struct scratch *scratch, const char *name,
                   const char *string);

/* Does the file `name` hold exactly `string`? */
bool scratch_holds(const struct scratch *scratch, const char *name,
                   const char *string);

/* Entries of the folder, hidden ones included. */
size_t scratch_count(const struct scratch *scratch);

#endif
