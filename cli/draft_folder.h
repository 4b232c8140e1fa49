/*
 * cli/draft_folder.h - a drafted policy and its hierarchies as a new folder.
 *
 *     DIR/policy.json
 *     DIR/column-02-age.csv ...
 *
 * The folder is made under another name beside it, and gets its own when all is
 * in it: a run that fails or is interrupted leaves nothing.  0700 and 0600: the
 * hierarchies hold the table's values.
 */
#ifndef CLI_DRAFT_FOLDER_H
#define CLI_DRAFT_FOLDER_H

#include "anonymizer/profile.h"

/* E_INPUT if something stands there already. */
MUST_USE enum status draft_folder_check(const char *path, struct error *err);

MUST_USE enum status draft_folder_write(const char *path,
                                        const struct profile *profile,
                                        struct error *err);

#endif
