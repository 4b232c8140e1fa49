#include "tests/lib/cases.h"

#include <CUnit/CUnit.h>
#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* The byte that <XX> at `text` stands for. */
static bool hex_byte(const char *text, uint8_t *byte)
{
    char digits[3] = {0};

    if (text[0] != '<' || !isxdigit((unsigned char)text[1]) ||
        !isxdigit((unsigned char)text[2]) || text[3] != '>')
        return false;
    memcpy(digits, text + 1, 2);
    *byte = (uint8_t)strtoul(digits, NULL, 16);
    return true;
}

/* In place. */
static size_t unescape(char *text)
{
    size_t size = 0;
    uint8_t byte;

    for (const char *at = text; *at != '\0'; size++) {
        if (hex_byte(at, &byte)) {
            text[size] = (char)byte;
            at += 4;
        } else {
            text[size] = *at++;
        }
    }
    return size;
}

static bool run_row(char *row, void (*run)(const struct test_case *test))
{
    char *input = strstr(row, " | ");
    char *expected = input != NULL ? strstr(input + 3, " | ") : NULL;
    struct test_case test;
    uint8_t *exact;
    size_t size;

    if (expected == NULL)
        return false;
    *input = *expected = '\0';
    input = trim(input + 3);
    size = unescape(input);
    exact = malloc(size > 0 ? size : 1);
    assert(exact != NULL);
    memcpy(exact, input, size);
    test.name = trim(row);
    test.input = bytes_of(exact, size);
    test.expected = trim(expected + 3);
    run(&test);
    free(exact);
    return true;
}

void cases_run(const char *path, void (*run)(const struct test_case *test))
{
    FILE *file = fopen(path, "r");
    char *row = NULL;
    size_t capacity = 0;
    unsigned line = 0, count = 0;

    if (file == NULL) {
        fprintf(stderr, "\n%s: cannot be opened\n", path);
        CU_FAIL("a file of cases cannot be opened");
        return;
    }
    while (getline(&row, &capacity, file) >= 0) {
        line++;
        if (*trim(row) == '\0' || *trim(row) == '#')
            continue;
        count++;
        if (!run_row(row, run)) {
            fprintf(stderr, "\n%s:%u: no case\n", path, line);
            CU_FAIL("a row is no case");
        }
    }
    CU_ASSERT(count > 0);
    free(row);
    fclose(file);
}

void case_expect(const struct test_case *test, const char *got)
{
    bool same = strcmp(test->expected, got) == 0;

    if (!same)
        fprintf(stderr, "\ncase \"%s\"\n  expected: %s\n  got:      %s\n",
                test->name, test->expected, got);
    CU_ASSERT(same);
}
