/*
 * common/secret_file.h - a secret of a fixed size, in a file for its owner
 * alone.
 *
 *     file = secret || SHA-256( "anchorite secret file 1" || 0x00 || secret )
 *
 * The digest is there for damage: a secret with a flipped bit would be another
 * secret, and nothing else would tell.  Secrets are random and at least
 * SECRET_SIZE_MIN long, so that their digest does not give them away.
 *
 * The file has mode 0600 and one name; the folder it lies in is checked by
 * whoever knows which one that is.
 */
#ifndef COMMON_SECRET_FILE_H
#define COMMON_SECRET_FILE_H

#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"

#define SECRET_SIZE_MIN 16

/* E_INPUT if it is no folder, is not ours, or lets others in. */
MUST_USE enum status secret_folder_check(const char *path, struct error *err);

/* Make `path`, whole, with its name synced; E_INPUT if there is one, which is
 * never overwritten. */
MUST_USE enum status secret_file_create(const char *path, struct bytes secret,
                                        struct error *err);

/* E_INPUT if it cannot be opened, is no regular file, may be read or written
 * by others, or does not hold an undamaged secret of `size` bytes. */
MUST_USE enum status secret_file_read(const char *path, void *secret,
                                      size_t size, struct error *err);

/* Overwrite it in place, sync, take its name away, sync the folder.  What a
 * disk or a file system keeps of overwritten blocks (flash, copy on write,
 * snapshots, backups) is out of reach of this.  One that is not there is
 * destroyed. */
MUST_USE enum status secret_file_destroy(const char *path, struct error *err);

#endif
