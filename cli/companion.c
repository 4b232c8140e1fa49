#include "cli/companion.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum status companion_path(const char *name, struct text *path,
                           struct error *err)
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (size < 0)
        return error_set_errno(err, E_SYSTEM, errno, "/proc/self/exe");
    self[size] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return error_set(err, E_SYSTEM, "/proc/self/exe: not a path");
    slash[1] = '\0';
    if (text_printf(path, err, "%s%s", self, name) != OK)
        return err->status;
    if (access(path->data, X_OK) != 0)
        return error_set_errno(err, E_SYSTEM, errno, "%s", path->data);
    return OK;
}
