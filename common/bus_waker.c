#include <assert.h>
#include <stdlib.h>

#include "common/bus_internal.h"

/* What there is to do is seen elsewhere, so there is nothing in it but libuv's
 * handle. */
struct bus_waker {
    uv_poll_t poll;
};

static void wake(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

static void waker_free(uv_handle_t *handle)
{
    free(handle->data);
}

enum status bus_waker_open(struct bus_waker **out, uv_loop_t *loop, int fd,
                           struct error *err)
{
    struct bus_waker *waker = malloc(sizeof *waker);
    int code;

    if (waker == NULL)
        return error_memory(err, "a socket");
    waker->poll.data = waker;
    code = uv_poll_init(loop, &waker->poll, fd);
    if (code != 0) {
        free(waker);
        return error_set(err, E_SYSTEM, "watching a socket: %s",
                         uv_strerror(code));
    }
    *out = waker;
    code = uv_poll_start(&waker->poll, UV_READABLE, wake);
    assert(code == 0);
    return OK;
}

void bus_waker_close(struct bus_waker **waker)
{
    if (*waker != NULL)
        uv_close((uv_handle_t *)&(*waker)->poll, waker_free);
    *waker = NULL;
}
