#include "cli/draft_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "common/files.h"
#include "common/json.h"

#define POLICY_FILE "policy.json"

enum status draft_folder_check(const char *path, struct error *err)
{
    struct stat about;

    if (lstat(path, &about) == 0)
        return error_set(err, E_INPUT,
                         "%s: is there already; expected the name of a new "
                         "folder",
                         path);
    if (errno != ENOENT)
        return error_set_errno(err, E_INPUT, errno, "%s", path);
    return OK;
}

static enum status write_file(const char *folder, const char *name,
                              struct bytes content, struct error *err)
{
    struct new_file *file = NULL;
    struct text path;
    enum status status;

    text_init(&path);
    status = text_printf(&path, err, "%s/%s", folder, name);
    if (status == OK)
        status = new_file_create(&file, path.data, 0600, err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(file), content, path.data,
                                  err);
    if (status == OK)
        status = new_file_publish(&file, err);
    new_file_discard(&file);
    text_clear(&path);
    return status;
}

static enum status write_policy(const char *folder,
                                const struct profile *profile,
                                struct error *err)
{
    struct json *json = NULL;
    struct text text;
    enum status status = json_create(&json, err);

    text_init(&text);
    if (status == OK)
        status = profile_draft_policy(&profile->draft, &profile->columns,
                                      profile->about, &profile->roles,
                                      json_edit_root(json), err);
    if (status == OK)
        status = json_print(json_root(json), &text, err);
    if (status == OK)
        status = text_append(&text, "\n", 1, err);
    if (status == OK)
        status = write_file(folder, POLICY_FILE, text_bytes(&text), err);
    text_clear(&text);
    json_destroy(&json);
    return status;
}

static enum status fill(const char *folder, const struct profile *profile,
                        const atomic_bool *cancel, struct error *err)
{
    const struct profile_draft *draft = &profile->draft;

    for (size_t i = 0; i < draft->count; i++) {
        if (atomic_load(cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        if (draft->at[i].file != NULL &&
            write_file(folder, draft->at[i].file,
                       text_bytes(&draft->at[i].hierarchy), err) != OK)
            return err->status;
    }
    return write_policy(folder, profile, err);
}

enum status draft_folder_write(const char *path, const struct profile *profile,
                               struct error *err)
{
    const atomic_bool *cancel = command_cancel();
    struct text folder;
    size_t size = strlen(path);
    bool made = false;
    enum status status;

    while (size > 1 && path[size - 1] == '/')
        size--;
    text_init(&folder);
    status = text_printf(&folder, err, "%.*s.XXXXXX", (int)size, path);
    if (status == OK) {
        made = mkdtemp(folder.data) != NULL;
        if (!made)
            status = error_set_errno(err, E_INPUT, errno, "%s", path);
    }
    if (status == OK)
        status = fill(folder.data, profile, cancel, err);
    if (status == OK &&
        renameat2(AT_FDCWD, folder.data, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", path);
    if (status == OK)
        status = file_sync_folder(path, err);
    else if (made)
        folder_remove(folder.data);
    text_clear(&folder);
    return status;
}
