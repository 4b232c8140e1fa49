#include "common/endpoint.h"

#include <string.h>

#include "common/files.h"
#include "common/text.h"

#define LOCAL "ipc://"

static enum status local_beside(const char *file, const char *name,
                                char out[ENDPOINT_SIZE_MAX], struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = path_beside(file, name, &path, err);
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
