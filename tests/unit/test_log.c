#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/files.h"
#include "common/limits.h"
#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_log(void);

#define HEAD_SIZE (sizeof "2026-03-01T08:15:30.042Z " - 1)

static int kept_stderr;
static int captured;
static struct text output;

/* From here to capture_end standard error goes to a file. */
static void capture_begin(void)
{
    struct error err;

    fflush(stderr);
    CU_ASSERT_EQUAL_FATAL(temporary_open(&captured, &err), OK);
    kept_stderr = dup(STDERR_FILENO);
    CU_ASSERT_FATAL(kept_stderr >= 0);
    CU_ASSERT_FATAL(dup2(captured, STDERR_FILENO) >= 0);
}

static void capture_end(void)
{
    struct error err;
    off_t size = lseek(captured, 0, SEEK_END);
    size_t got = 0;

    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    CU_ASSERT_FATAL(size >= 0 && lseek(captured, 0, SEEK_SET) == 0);
    text_init(&output);
    CU_ASSERT_EQUAL_FATAL(text_reserve(&output, (size_t)size, &err), OK);
    CU_ASSERT_EQUAL(
        descriptor_read(captured, output.data, (size_t)size, &got, "log", &err),
        OK);
    output.data[got] = '\0';
    output.size = got;
    close(captured);
}

/* What stands behind the time, for one logged text. */
static void expect_line(const char *text, const char *expected)
{
    log_open("unit", LOG_LEVEL_INFO);
    capture_begin();
    log_error("%s", text);
    capture_end();
    CU_ASSERT_FATAL(output.size > HEAD_SIZE);
    CU_ASSERT_STRING_EQUAL(output.data + HEAD_SIZE, expected);
    text_clear(&output);
}

static void line_has_time_level_program_and_text(void)
{
    time_t before = time(NULL), logged;
    struct tm date = {.tm_isdst = 0};
    regex_t form;

    log_open("anchorite-broker", LOG_LEVEL_INFO);
    capture_begin();
    log_warning("%d of %d peers answer", 2, 3);
    capture_end();
    CU_ASSERT_EQUAL_FATAL(
        regcomp(&form,
                "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                "\\.[0-9]{3}Z warning anchorite-broker: 2 of 3 peers answer\n$",
                REG_EXTENDED | REG_NOSUB),
        0);
    CU_ASSERT_EQUAL(regexec(&form, output.data, 0, NULL, 0), 0);
    regfree(&form);
    CU_ASSERT_PTR_NOT_NULL(strptime(output.data, "%Y-%m-%dT%H:%M:%S", &date));
    logged = timegm(&date);
    CU_ASSERT(logged >= before && logged <= time(NULL));
    text_clear(&output);
}

static size_t count_lines(const char *data)
{
    size_t count = 0;

    for (; (data = strchr(data, '\n')) != NULL; data++)
        count++;
    return count;
}

static void lines_above_the_level_are_dropped(void)
{
    log_open("unit", LOG_LEVEL_WARNING);
    capture_begin();
    log_error("1");
    log_warning("2");
    log_info("3");
    log_debug("4");
    log_set_level(LOG_LEVEL_DEBUG);
    log_info("5");
    log_debug("6");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("7");
    capture_end();
    CU_ASSERT_EQUAL(count_lines(output.data), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.data, "Z error unit: 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.data, "Z warning unit: 2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.data, "Z info unit: 5\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.data, "Z debug unit: 6\n"));
    text_clear(&output);
}

static void levels_are_found_by_name(void)
{
    enum log_level level = LOG_LEVEL_DEBUG;

    CU_ASSERT(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
    CU_ASSERT(log_level_parse("warning", &level) && level == LOG_LEVEL_WARNING);
    CU_ASSERT(log_level_parse("info", &level) && level == LOG_LEVEL_INFO);
    CU_ASSERT(log_level_parse("debug", &level) && level == LOG_LEVEL_DEBUG);
    CU_ASSERT(!log_level_parse("ERROR", &level));
    CU_ASSERT(!log_level_parse("", &level));
    CU_ASSERT(!log_level_parse("warn", &level));
    CU_ASSERT_EQUAL(level, LOG_LEVEL_DEBUG);
}

static void text_cannot_pass_for_another_line(void)
{
    expect_line("a\nb\r\t\x1b[2J\x7f", "error unit: a\\nb\\x0d\\x09\\x1b[2J"
                                       "\\x7f\n");
    expect_line("back\\slash", "error unit: back\\\\slash\n");
    /* U+009B, which some terminals take for ESC [ */
    expect_line("\xc2\x9b"
                "2J",
                "error unit: \\u009b2J\n");
    /* U+00A0, U+00E9, U+4E2D pass */
    expect_line("\xc2\xa0\xc3\xa9\xe4\xb8\xad",
                "error unit: \xc2\xa0\xc3\xa9\xe4\xb8\xad\n");
    expect_line("\xc2", "error unit: \xc2\n");
}

static void long_line_is_cut_and_says_so(void)
{
    static char text[2 * LOG_LINE_MAX];
    const char *form[] = {"x", "\n", "\xc3\xa9"};

    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
        size_t unit = strlen(form[i]);

        for (size_t at = 0; at + unit < sizeof text; at += unit)
            memcpy(text + at, form[i], unit);
        log_open("unit", LOG_LEVEL_INFO);
        capture_begin();
        log_info("%s", text);
        capture_end();
        CU_ASSERT(output.size <= LOG_LINE_MAX);
        CU_ASSERT_EQUAL(count_lines(output.data), 1);
        CU_ASSERT_STRING_EQUAL(output.data + output.size - 4, "...\n");
        text_clear(&output);
    }
}

/* 4096 bytes with the newline: time, " info unit: ", text. */
static void line_fills_its_limit(void)
{
    size_t head = HEAD_SIZE + strlen("info unit: ");
    char text[LOG_LINE_MAX];
    size_t room = LOG_LINE_MAX - head - strlen("...\n");

    log_open("unit", LOG_LEVEL_INFO);
    memset(text, 'x', sizeof text);
    for (size_t over = 0; over < 2; over++) {
        text[room + over] = '\0';
        capture_begin();
        log_info("%s", text);
        capture_end();
        CU_ASSERT_EQUAL(output.size, over ? LOG_LINE_MAX : LOG_LINE_MAX - 3);
        CU_ASSERT_EQUAL(strstr(output.data, "...\n") != NULL, over == 1);
        text_clear(&output);
        text[room + over] = 'x';
    }
}

static void errno_is_kept(void)
{
    log_open("unit", LOG_LEVEL_INFO);
    capture_begin();
    close(STDERR_FILENO); /* nobody listens */
    errno = EDOM;
    log_error("unheard");
    CU_ASSERT_EQUAL(errno, EDOM);
    capture_end();
    CU_ASSERT_EQUAL(output.size, 0);
    text_clear(&output);
}

static void *log_many(void *letter)
{
    char text[101];

    memset(text, *(char *)letter, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 500; i++)
        log_info("%s", text);
    return NULL;
}

static void lines_of_threads_do_not_mix(void)
{
    char letters[] = "abcd";
    pthread_t thread[4];
    size_t sound = 0;
    char *line;

    log_open("unit", LOG_LEVEL_INFO);
    capture_begin();
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(pthread_create(&thread[i], NULL, log_many, &letters[i]),
                        0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    capture_end();
    line = output.data;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        size_t size = (size_t)(end - line);
        size_t head = HEAD_SIZE + strlen("info unit: ");

        if (size == head + 100 && strspn(line + head, "abcd") == 100 &&
            line[head] == line[head + 99])
            sound++;
    }
    CU_ASSERT_EQUAL(sound, 2000);
    text_clear(&output);
}

static int open_with_unknown_level(void)
{
    log_open("unit", (enum log_level)9);
    return 0;
}

static void unknown_level_stops_the_program(void)
{
    CU_ASSERT(child_aborts(open_with_unknown_level));
}

void suite_log(void)
{
    static const struct test tests[] = {
        {"a line has time, level, program and text",
         line_has_time_level_program_and_text},
        {"lines above the level are dropped",
         lines_above_the_level_are_dropped},
        {"levels are found by name", levels_are_found_by_name},
        {"text cannot pass for another line",
         text_cannot_pass_for_another_line},
        {"a long line is cut and says so", long_line_is_cut_and_says_so},
        {"a line fills its limit", line_fills_its_limit},
        {"errno is kept", errno_is_kept},
        {"lines of threads do not mix", lines_of_threads_do_not_mix},
        {"an unknown level stops the program", unknown_level_stops_the_program},
    };

    suite_add("log", tests, sizeof tests / sizeof tests[0]);
}
