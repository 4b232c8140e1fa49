#include "cli/line_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/lib/suite.h"

void suite_line_reader(void);

/* A reader over a pipe that holds `text`. */
static void open_over(struct line_reader *reader, struct bytes text,
                      size_t size_max)
{
    struct error err;
    int fd = -1;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(temporary_open(&fd, &err), OK);
    CU_ASSERT_EQUAL_FATAL(descriptor_write(fd, text, "a file", &err), OK);
    CU_ASSERT_EQUAL_FATAL(lseek(fd, 0, SEEK_SET), 0);
    line_reader_open(reader, fd, "lines", size_max);
}

static void lines_come_one_after_the_other(void)
{
    static const struct {
        const char *text;
        const char *line[4];
        size_t count;
    } cases[] = {
        {"", {NULL}, 0},
        {"a", {"a"}, 1},
        {"a\n", {"a"}, 1},
        {"\n", {""}, 1},
        {"a\nbc\n\nd", {"a", "bc", "", "d"}, 4},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct line_reader reader;
        struct bytes line;
        struct error err;
        bool end = false;

        error_init(&err);
        open_over(&reader, bytes_of_string(cases[i].text), 100);
        for (size_t k = 0; k < cases[i].count; k++) {
            CU_ASSERT_EQUAL_FATAL(line_reader_next(&reader, &line, &end, &err),
                                  OK);
            CU_ASSERT_FALSE_FATAL(end);
            CU_ASSERT(bytes_equal_string(line, cases[i].line[k]));
            CU_ASSERT_EQUAL(reader.line, k + 1);
        }
        CU_ASSERT_EQUAL(line_reader_next(&reader, &line, &end, &err), OK);
        CU_ASSERT_TRUE(end);
        line_reader_close(&reader);
    }
}

/* Lines across the blocks in which the file is read (65,536 bytes). */
static void long_lines_are_whole(void)
{
    size_t size = 3 * 65536 + 17;
    char *text = malloc(2 * size);
    struct line_reader reader;
    struct bytes line;
    struct error err;
    bool end = false;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, 'x', size);
    text[size - 1] = '\n';
    memset(text + size, 'y', size);
    text[2 * size - 1] = '\n';
    error_init(&err);
    open_over(&reader, bytes_of(text, 2 * size), size);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(line_reader_next(&reader, &line, &end, &err), OK);
        CU_ASSERT_EQUAL(line.size, size - 1);
        CU_ASSERT_EQUAL(line.data[0], i == 0 ? 'x' : 'y');
        CU_ASSERT_EQUAL(line.data[size - 2], i == 0 ? 'x' : 'y');
    }
    CU_ASSERT_EQUAL(line_reader_next(&reader, &line, &end, &err), OK);
    CU_ASSERT_TRUE(end);
    line_reader_close(&reader);
    free(text);
}

static void a_line_that_is_too_long_is_refused_by_its_number(void)
{
    struct line_reader reader;
    struct bytes line;
    struct error err;
    bool end = false;

    error_init(&err);
    open_over(&reader, bytes_of_string("abc\nabcd\n"), 3);
    CU_ASSERT_EQUAL(line_reader_next(&reader, &line, &end, &err), OK);
    CU_ASSERT_EQUAL(line_reader_next(&reader, &line, &end, &err), E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "lines: line 2"));
    CU_ASSERT_PTR_NULL(strstr(err.text, "abc"));
    line_reader_close(&reader);
}

void suite_line_reader(void)
{
    static const struct test tests[] = {
        {"lines come one after the other", lines_come_one_after_the_other},
        {"long lines are whole", long_lines_are_whole},
        {"a line that is too long is refused by its number",
         a_line_that_is_too_long_is_refused_by_its_number},
    };

    suite_add("line_reader", tests, sizeof tests / sizeof *tests);
}
