#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/files.h"
#include "common/text.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_command_hierarchy(void);

/* ---- a command with its output caught ---- */

struct caught {
    int exit_code;
    struct text out;
    struct text err;
};

/* Let `descriptor` be the file `name`; returns what it was. */
static int redirect(int descriptor, const struct scratch *scratch,
                    const char *name)
{
    int before = dup(descriptor);
    int file = open(scratch_path(scratch, name),
                    O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    CU_ASSERT_FATAL(before >= 0 && file >= 0);
    CU_ASSERT_FATAL(dup2(file, descriptor) == descriptor);
    close(file);
    return before;
}

static void restore(int descriptor, int before)
{
    CU_ASSERT_FATAL(dup2(before, descriptor) == descriptor);
    close(before);
}

/* Words end with NULL. */
static struct caught run(const struct scratch *scratch, const char *const *word)
{
    char *argv[8] = {(char[]){"hierarchy"}};
    struct caught caught;
    struct error err;
    int argc = 1, out, error;

    for (; word[argc - 1] != NULL; argc++) {
        CU_ASSERT_FATAL(argc < 7);
        argv[argc] = strdup(word[argc - 1]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(argv[argc]);
    }
    fflush(stdout);
    out = redirect(STDOUT_FILENO, scratch, "out");
    error = redirect(STDERR_FILENO, scratch, "err");
    caught.exit_code = command_hierarchy(argc, argv);
    fflush(stdout);
    restore(STDOUT_FILENO, out);
    restore(STDERR_FILENO, error);
    text_init(&caught.out);
    text_init(&caught.err);
    CU_ASSERT_EQUAL(
        file_read(scratch_path(scratch, "out"), 1 << 20, &caught.out, &err),
        OK);
    CU_ASSERT_EQUAL(
        file_read(scratch_path(scratch, "err"), 1 << 20, &caught.err, &err),
        OK);
    /* getopt moves the words: they are freed in any order. */
    for (int i = 1; i < argc; i++)
        free(argv[i]);
    return caught;
}

static void expect(const struct scratch *scratch, const char *const *word,
                   int exit_code, const char *out, const char *err)
{
    struct caught caught = run(scratch, word);

    CU_ASSERT_EQUAL(caught.exit_code, exit_code);
    if (strcmp(caught.out.data, out) != 0)
        fprintf(stderr, "got\n%sexpected\n%s", caught.out.data, out);
    CU_ASSERT_STRING_EQUAL(caught.out.data, out);
    if (strcmp(caught.err.data, err) != 0)
        fprintf(stderr, "got\n%sexpected\n%s", caught.err.data, err);
    CU_ASSERT_STRING_EQUAL(caught.err.data, err);
    text_clear(&caught.out);
    text_clear(&caught.err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- tests ---- */

static void shows_the_tree(void)
{
    struct scratch scratch;
    struct text out;
    struct error err;
    const char *path;

    scratch_open(&scratch);
    scratch_write(&scratch, "h.csv", "39;30s;*\n41;40s;*\n31;30s;*\n");
    path = scratch_path(&scratch, "h.csv");
    text_init(&out);
    CU_ASSERT_EQUAL(text_printf(&out, &err,
                                "%s: 3 values, 3 levels\n\n"
                                "level       nodes    smallest     largest\n"
                                "    0           3           1           1\n"
                                "    1           2           1           2\n"
                                "    2           1           3           3\n\n"
                                "* (3)\n"
                                "  30s (2)\n"
                                "    39\n"
                                "    31\n"
                                "  40s (1)\n"
                                "    41\n",
                                path),
                    OK);
    expect(&scratch, WORDS("show", path), 0, out.data, "");
    text_reset(&out);
    CU_ASSERT_EQUAL(
        text_printf(
            &out, &err,
            "{\n  \"file\": \"%s\",\n  \"rows\": 3,\n  \"levels\": [\n"
            "    {\n      \"level\": 0,\n      \"nodes\": 3,\n"
            "      \"smallest\": 1,\n      \"largest\": 1\n    },\n"
            "    {\n      \"level\": 1,\n      \"nodes\": 2,\n"
            "      \"smallest\": 1,\n      \"largest\": 2\n    },\n"
            "    {\n      \"level\": 2,\n      \"nodes\": 1,\n"
            "      \"smallest\": 3,\n      \"largest\": 3\n    }\n  ]\n}\n",
            path),
        OK);
    expect(&scratch, WORDS("show", path, "--json"), 0, out.data, "");
    text_clear(&out);
    scratch_close(&scratch);
}

static void cuts_long_lists(void)
{
    struct scratch scratch;
    struct caught caught;
    struct text text;
    struct error err;

    scratch_open(&scratch);
    text_init(&text);
    for (int i = 0; i < 15; i++)
        CU_ASSERT_EQUAL(text_printf(&text, &err, "v%d;*\n", i), OK);
    scratch_write(&scratch, "h.csv", text.data);
    caught = run(&scratch, WORDS("show", scratch_path(&scratch, "h.csv")));
    CU_ASSERT_EQUAL(caught.exit_code, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(caught.out.data, "\n  v11\n  ... 3 more\n"));
    CU_ASSERT_PTR_NULL(strstr(caught.out.data, "v12"));
    text_clear(&caught.out);
    text_clear(&caught.err);
    caught =
        run(&scratch, WORDS("--all", "show", scratch_path(&scratch, "h.csv")));
    CU_ASSERT_EQUAL(caught.exit_code, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(caught.out.data, "\n  v12\n  v13\n  v14\n"));
    CU_ASSERT_PTR_NULL(strstr(caught.out.data, "more"));
    text_clear(&caught.out);
    text_clear(&caught.err);
    text_clear(&text);
    scratch_close(&scratch);
}

static void control_characters_do_not_reach_the_terminal(void)
{
    struct scratch scratch;
    struct caught caught;

    scratch_open(&scratch);
    scratch_write(&scratch, "h.csv",
                  "\x1b[2J;*\n\"a\nb\";*\n\xc2\x9b"
                  "x;*\n\xc2\xb5g;*\n;*\n");
    caught = run(&scratch, WORDS("show", scratch_path(&scratch, "h.csv")));
    CU_ASSERT_PTR_NOT_NULL(strstr(caught.out.data, "* (5)\n"
                                                   "  \\x1b[2J\n"
                                                   "  a\\x0ab\n"
                                                   "  \\xc2\\x9bx\n"
                                                   "  \xc2\xb5g\n"
                                                   "  \"\"\n"));
    text_clear(&caught.out);
    text_clear(&caught.err);
    scratch_close(&scratch);
}

static void refusals_are_told(void)
{
    static const char hint[] = "Try \"anchorite hierarchy --help\".\n";
    struct scratch scratch;
    struct text text;
    struct error err;
    const char *path;

    scratch_open(&scratch);
    scratch_write(&scratch, "h.csv", "a;*\na;*\n");
    path = scratch_path(&scratch, "h.csv");
    text_init(&text);
    CU_ASSERT_EQUAL(text_printf(&text, &err,
                                "anchorite: %s: line 2: the value of line 1 "
                                "again; each value stands once\n",
                                path),
                    OK);
    expect(&scratch, WORDS("show", path), 2, "", text.data);
    expect(&scratch, WORDS("show", path, "--json"), 2, "", text.data);
    expect(&scratch, WORDS("show", "--json", "\xff.csv"), 2, "",
           "anchorite: the name of the file is not UTF-8 and cannot stand in "
           "JSON\n");

#define EXPECT_MISUSE(words, message)                                          \
    do {                                                                       \
        text_reset(&text);                                                     \
        CU_ASSERT_EQUAL(text_printf(&text, &err, "%s\n%s", message, hint),     \
                        OK);                                                   \
        expect(&scratch, words, 2, "", text.data);                             \
    } while (false)
    EXPECT_MISUSE(WORDS("build"),
                  "anchorite hierarchy: build: the table is missing");
    EXPECT_MISUSE(WORDS("build", "t", "u"),
                  "anchorite hierarchy: build: one table, not 2");
    EXPECT_MISUSE(WORDS("build", "t", "--all"),
                  "anchorite hierarchy: build: --all is not for it");
    EXPECT_MISUSE(WORDS("show", "t", "--type=date"),
                  "anchorite hierarchy: show: --type is not for it");
    EXPECT_MISUSE(WORDS("build", "t", "-b{}", "-oh"),
                  "anchorite hierarchy: build: --column is missing");
    EXPECT_MISUSE(WORDS("build", "t", "-b{}", "-ca"),
                  "anchorite hierarchy: build: --output is missing");
    EXPECT_MISUSE(WORDS("build", "t", "-ca", "-oh"),
                  "anchorite hierarchy: build: --policy or --builder, one of "
                  "them");
    EXPECT_MISUSE(WORDS("build", "t", "-ca", "-oh", "-pp", "-Tdate"),
                  "anchorite hierarchy: build: --type and --format are for "
                  "--builder; the policy says them itself");
    EXPECT_MISUSE(WORDS("show"), "anchorite hierarchy: show: the file is "
                                 "missing");
    EXPECT_MISUSE(WORDS("--json"),
                  "anchorite hierarchy: what to do is missing: show or "
                  "build");
    EXPECT_MISUSE(WORDS("shew"), "anchorite hierarchy: show and build are "
                                 "known, \"shew\" is not");
    EXPECT_MISUSE(WORDS("show", "a", "b"),
                  "anchorite hierarchy: show: one file, not 2");
    EXPECT_MISUSE(WORDS("show", "--treee"),
                  "anchorite hierarchy: there is no option --treee");
#undef EXPECT_MISUSE
    text_clear(&text);
    scratch_close(&scratch);
}

static void helps(void)
{
    struct scratch scratch;
    struct caught caught;

    scratch_open(&scratch);
    caught = run(&scratch, WORDS("--help"));
    CU_ASSERT_EQUAL(caught.exit_code, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(caught.out.data, "Example:\n"));
    CU_ASSERT_STRING_EQUAL(caught.err.data, "");
    text_clear(&caught.out);
    text_clear(&caught.err);
    scratch_close(&scratch);
}

void suite_command_hierarchy(void)
{
    static const struct test tests[] = {
        {"the tree is shown from the top", shows_the_tree},
        {"long lists are cut unless all is asked for", cuts_long_lists},
        {"control characters do not reach the terminal",
         control_characters_do_not_reach_the_terminal},
        {"refusals are told on standard error", refusals_are_told},
        {"help has an example", helps},
    };

    suite_add("command_hierarchy", tests, sizeof tests / sizeof tests[0]);
}
