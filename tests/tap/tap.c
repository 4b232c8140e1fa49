/*
 * tests/tap/tap.c - for end-to-end tests: every message that a program sends or
 * gets, in the clear, in $ANCHORITE_TAP/<program>.<pid>.
 *
 * On the wire nothing can be read (CURVE), so programs of their own are linked
 * with this one between them and common/message.c: the linker turns a call of f
 * into one of __wrap_f, and __real_f into the true one (--wrap).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/message.h"
#include "common/text.h"

enum status __real_message_encode(const struct message *message,
                                  struct message_frames *frames,
                                  struct error *err);
enum status __wrap_message_encode(const struct message *message,
                                  struct message_frames *frames,
                                  struct error *err);
enum status __real_message_decode(struct message *message,
                                  const struct bytes *frame, size_t count,
                                  struct error *err);
enum status __wrap_message_decode(struct message *message,
                                  const struct bytes *frame, size_t count,
                                  struct error *err);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int tap = -1;

/* A test that taps and gets nothing would find nothing. */
static void fail(const char *what)
{
    perror(what);
    abort();
}

static void open_tap(void)
{
    const char *folder = getenv("ANCHORITE_TAP");
    char path[4096];

    if (folder == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s.%ld", folder,
             program_invocation_short_name, (long)getpid());
    tap = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (tap < 0)
        fail(path);
}

/* A message in one piece: its name, and all frames behind it. */
static void note(const char *direction, const struct bytes *frame, size_t count)
{
    struct text line;
    struct error err;
    enum status status;

    (void)pthread_once(&once, open_tap);
    if (tap < 0)
        return;
    error_init(&err);
    text_init(&line);
    status = text_append_string(&line, direction, &err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = text_append(&line, frame[i].data, frame[i].size, &err);
    if (status == OK)
        status = text_append_string(&line, "\n", &err);
    if (status != OK || write(tap, line.data, line.size) != (ssize_t)line.size)
        fail("a message");
    text_clear(&line);
}

enum status __wrap_message_encode(const struct message *message,
                                  struct message_frames *frames,
                                  struct error *err)
{
    enum status status = __real_message_encode(message, frames, err);

    if (status == OK)
        note(">", frames->frame, frames->count);
    return status;
}

enum status __wrap_message_decode(struct message *message,
                                  const struct bytes *frame, size_t count,
                                  struct error *err)
{
    note("<", frame, count);
    return __real_message_decode(message, frame, count, err);
}
