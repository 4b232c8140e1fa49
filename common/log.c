#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"

static const char *const names[] = {
#define LOG_LEVEL_ROW(id, name) [id] = (name),
    LOG_LEVEL_TABLE(LOG_LEVEL_ROW)
#undef LOG_LEVEL_ROW
};

#define LEVEL_COUNT (sizeof names / sizeof names[0])

/* Standard error is one per process, and so is its log. */
static const char *log_program;
static atomic_int log_level_now;

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++)
        if (strcmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

const char *log_level_name(enum log_level level)
{
    assert((size_t)level < LEVEL_COUNT);
    return names[level];
}

void log_set_level(enum log_level level)
{
    assert((size_t)level < LEVEL_COUNT);
    atomic_store(&log_level_now, (int)level);
}

void log_open(const char *program, enum log_level level)
{
    assert(program != NULL);
    log_program = program;
    log_set_level(level);
}

/* Behind a line that was cut. */
static const char cut_mark[] = "...";

/* A line in the making.  Room for the mark and the newline is always kept. */
struct line {
    char data[LOG_LINE_MAX];
    size_t size;
    bool cut;
};

/* All of it or nothing: an escape is never cut in two. */
static void line_add(struct line *line, const char *data, size_t size)
{
    if (size > sizeof line->data - sizeof cut_mark - line->size) {
        line->cut = true;
        return;
    }
    memcpy(line->data + line->size, data, size);
    line->size += size;
}

static void add_head(struct line *line, enum log_level level)
{
    struct timespec now;
    struct tm date;
    char head[128];
    size_t size;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    size = strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &date);
    size += (size_t)snprintf(head + size, sizeof head - size, ".%03dZ %s ",
                             (int)(now.tv_nsec / 1000000), names[level]);
    assert(size < sizeof head);
    line_add(line, head, size);
}

/* In UTF-8 the control characters of Latin-1, U+0080 to U+009F, are C2 80 to
 * C2 9F; some terminals obey them. */
static bool is_latin_control(const char *at)
{
    return (uint8_t)at[0] == 0xc2 && (uint8_t)at[1] >= 0x80 &&
           (uint8_t)at[1] <= 0x9f;
}

static void add_escaped(struct line *line, const char *string)
{
    for (const char *at = string; *at != '\0' && !line->cut; at++) {
        uint8_t byte = (uint8_t)*at;
        char escaped[16];

        if (byte == '\n')
            line_add(line, "\\n", 2);
        else if (byte == '\\')
            line_add(line, "\\\\", 2);
        else if (byte < 0x20 || byte == 0x7f) {
            snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            line_add(line, escaped, 4);
        } else if (is_latin_control(at)) {
            snprintf(escaped, sizeof escaped, "\\u00%02x", (uint8_t)at[1]);
            line_add(line, escaped, 6);
            at++;
        } else
            line_add(line, at, 1);
    }
}

/* End the line; a cut one says so, and does not end within a character of
 * UTF-8. */
static void add_end(struct line *line)
{
    if (line->cut) {
        while ((uint8_t)line->data[line->size - 1] >= 0x80)
            line->size--;
        memcpy(line->data + line->size, cut_mark, sizeof cut_mark - 1);
        line->size += sizeof cut_mark - 1;
    }
    line->data[line->size++] = '\n';
}

__attribute__((format(printf, 2, 0))) static void
write_line(enum log_level level, const char *format, va_list args)
{
    int kept_errno = errno;
    struct line line = {.size = 0};
    char text[LOG_LINE_MAX];
    ssize_t written;

    assert(log_program != NULL); /* log_open was called */
    if ((int)level > atomic_load(&log_level_now))
        return;
    add_head(&line, level);
    add_escaped(&line, log_program);
    line_add(&line, ": ", 2);
    /* What does not fit here does not fit behind the head either, so that the
     * line will be marked as cut. */
    vsnprintf(text, sizeof text, format, args);
    add_escaped(&line, text);
    add_end(&line);
    do
        written = write(STDERR_FILENO, line.data, line.size);
    while (written < 0 && errno == EINTR);
    errno = kept_errno;
}

#define LOG_FUNCTION(name, level)                                              \
    void name(const char *format, ...)                                         \
    {                                                                          \
        va_list args;                                                          \
                                                                               \
        va_start(args, format);                                                \
        write_line(level, format, args);                                       \
        va_end(args);                                                          \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
