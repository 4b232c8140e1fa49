#include "common/keyed_hash.h"

#include <errno.h>
#include <sys/random.h>

enum status hash_key_draw(struct hash_key *key, struct error *err)
{
    ssize_t got;

    /* The manual promises up to 256 bytes at once. */
    do
        got = getrandom(key, sizeof *key, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof *key)
        return error_set_errno(err, E_SYSTEM, errno,
                               "the system gives no random bytes");
    return OK;
}
