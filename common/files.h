/*
 * common/files.h - files that are read whole, and files that appear whole.
 *
 * A new file is written beside its place without a name (O_TMPFILE; under a
 * hidden temporary name where the file system has none), and gets its name
 * only when it is complete and synced:
 *
 *     create -> write* -> [read back] -> publish      the file is there
 *                                     -> discard      nothing is there
 *
 * so that a killed process leaves no partial file.  publish replaces an
 * existing file atomically.  It replaces the file behind a symbolic link and
 * leaves the link; other hard links to the old file keep the old contents.
 */
#ifndef COMMON_FILES_H
#define COMMON_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

/* Append the whole file at `path` to `out`.  E_INPUT if it cannot be opened
 * or is no regular file or pipe, E_LIMIT if it is longer than `size_max`, E_IO
 * if reading fails later.  The error names the path.  On failure `out` holds
 * what it held. */
MUST_USE enum status file_read(const char *path, size_t size_max,
                               struct text *out, struct error *err);

/* What a file says is put into the target; the content is borrowed. */
typedef enum status file_taker(struct bytes content, void *target,
                               struct error *err);
/* Read the file and have it taken; an error of the taker gets the path. */
MUST_USE enum status file_load(const char *path, size_t size_max,
                               file_taker *take, void *target,
                               struct error *err);

/* A file that is being written. */
struct new_file;

/* `path` is where it will appear.  E_INPUT if the folder does not exist or
 * cannot be written to, or if what stands at path is no regular file, must not
 * be written or is a symbolic link to nothing.  `mode` as for open(2), less
 * the umask, and never more than the file has that is replaced. */
MUST_USE enum status new_file_create(struct new_file **file, const char *path,
                                     mode_t mode, struct error *err);

/* Its descriptor, open for reading and writing. */
int new_file_descriptor(const struct new_file *file);

/* Sync it, as publish does: to learn of a full disk before the last moment. */
MUST_USE enum status new_file_sync(const struct new_file *file,
                                   struct error *err);

/* Sync, give it its name, sync the folder.  Takes *file in any case: after a
 * failure nothing new is at `path` and what was there before still is, save
 * that a file already replaced stays replaced, by the whole new one, when
 * only the folder's sync fails. */
MUST_USE enum status new_file_publish(struct new_file **file,
                                      struct error *err);

/* The same, but what stands at `path` already is never replaced: E_INPUT. */
MUST_USE enum status new_file_publish_fresh(struct new_file **file,
                                            struct error *err);

/* Forget it.  Takes *file, accepts NULL in it. */
void new_file_discard(struct new_file **file);

/* An unnamed file in the folder for temporary files (TMPDIR, else /tmp) that
 * vanishes when its descriptor *fd is closed. */
MUST_USE enum status temporary_open(int *fd, struct error *err);

/* Write all of it to fd; `name` is for messages.  E_IO if that fails. */
MUST_USE enum status descriptor_write(int fd, struct bytes data,
                                      const char *name, struct error *err);

/* The same from `offset` on, of a regular file, wherever it stands. */
MUST_USE enum status descriptor_write_at(int fd, uint64_t offset,
                                         struct bytes data, const char *name,
                                         struct error *err);

/* Read until `size` bytes or the end; *got says how many. */
MUST_USE enum status descriptor_read(int fd, void *data, size_t size,
                                     size_t *got, const char *name,
                                     struct error *err);

/* All `size` bytes from `offset` on, of a regular file, wherever it stands;
 * E_IO if it ends before. */
MUST_USE enum status descriptor_read_at(int fd, uint64_t offset, void *data,
                                        size_t size, const char *name,
                                        struct error *err);

/* After a read(2) or write(2) that failed with errno: can it be tried again?
 * A descriptor that we inherited may be non-blocking: then this waits for
 * `events`, POLLIN or POLLOUT. */
bool descriptor_can_go_on(int fd, short events);

/* Sync what is in a file that somebody else writes, a library say.  E_IO, also
 * if there is none. */
MUST_USE enum status file_sync(const char *path, struct error *err);
/* Sync the folder of `path`: that the name is there. */
MUST_USE enum status file_sync_folder(const char *path, struct error *err);

/* Are both the same file (device and inode)?  False if either is missing. */
bool file_same(const char *a, const char *b);
bool file_is_open_as(const char *path, int fd);

/* Remove a folder of ours and all that is in it; links are removed, not
 * followed.  False, at the first thing that cannot be removed. */
bool folder_remove(const char *path);

/* First of all in a program: a standard descriptor that is closed would go to
 * the next file that is opened, and what is printed into that.  It gets one
 * that can neither be read nor written. */
MUST_USE enum status standard_descriptors_occupy(struct error *err);

/* Append to `out`: `name` if it is absolute, else `name` in the folder of
 * `beside`. */
MUST_USE enum status path_beside(const char *beside, const char *name,
                                 struct text *out, struct error *err);

#endif
