#include "common/endpoint.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/files.h"
#include "common/text.h"

#define LOCAL "ipc://"

/* Whoever connects must not depend on the folder it works in. */
static enum status make_absolute(struct text *path, struct error *err)
{
    char folder[PATH_MAX];
    struct text whole;
    enum status status;

    if (path->data[0] == '/')
        return OK;
    if (getcwd(folder, sizeof folder) == NULL)
        return error_set_errno(err, E_INPUT, errno, "the working folder");
    text_init(&whole);
    status = text_printf(&whole, err, "%s/%s", folder, path->data);
    text_reset(path);
    if (status == OK)
        status = text_append(path, whole.data, whole.size, err);
    text_clear(&whole);
    return status;
}

static enum status local_beside(const char *file, const char *name,
                                char out[ENDPOINT_SIZE_MAX], struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = path_beside(file, name, &path, err);
    if (status == OK)
        status = make_absolute(&path, err);
    if (status == OK && path.size > ENDPOINT_PATH_MAX)
        status = error_set(err, E_LIMIT,
                           "%s: the path of a local socket, it has %zu bytes "
                           "and at most %d may be: use a folder with a shorter "
                           "name",
                           path.data, path.size, ENDPOINT_PATH_MAX);
    if (status == OK) {
        memcpy(out, LOCAL, strlen(LOCAL));
        memcpy(out + strlen(LOCAL), path.data, path.size + 1);
    }
    text_clear(&path);
    return status;
}

enum status endpoint_beside(const char *file, const char *endpoint,
                            char out[ENDPOINT_SIZE_MAX], struct error *err)
{
    size_t size = strlen(endpoint);

    _Static_assert(sizeof LOCAL + ENDPOINT_PATH_MAX <= ENDPOINT_SIZE_MAX,
                   "a path of a local socket fits");
    if (strncmp(endpoint, LOCAL, strlen(LOCAL)) == 0)
        return local_beside(file, endpoint + strlen(LOCAL), out, err);
    if (size >= ENDPOINT_SIZE_MAX)
        return error_set(err, E_INPUT,
                         "an endpoint of %zu bytes, at most %d may be", size,
                         ENDPOINT_SIZE_MAX - 1);
    memcpy(out, endpoint, size + 1);
    return OK;
}
