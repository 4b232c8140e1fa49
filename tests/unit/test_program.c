#include "common/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/certified.h"
#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_program(void);

/* A program in a process of its own: what was called, in order, by its first
 * letter: load, print, open, start, close (an end in sight: |), clear (-). */
static struct {
    char calls[32];
    enum status fails; /* what load, or where it says so open, returns */
    bool opening_fails;
} made;
static int out[2];
static struct error err;

static void note_call(const char *letter)
{
    size_t size = strlen(made.calls);

    snprintf(made.calls + size, sizeof made.calls - size, "%s", letter);
}

static enum status load(void *context, const char *config, enum log_level *log,
                        struct error *why)
{
    note_call(context == &made && strcmp(config, "c.json") == 0 ? "l" : "?");
    *log = LOG_LEVEL_ERROR;
    if (!made.opening_fails && made.fails != OK)
        return error_set(why, made.fails, "no key");
    return OK;
}
static enum status print(const void *context, struct text *text,
                         struct error *why)
{
    note_call(context == &made ? "p" : "?");
    return text_append_string(text, "{\"a\": 1}", why);
}
static enum status open_store(void *context, struct error *why)
{
    note_call(context == &made ? "o" : "?");
    if (made.opening_fails)
        return error_set(why, made.fails, "no store");
    return OK;
}
static enum status start(struct service *service, void *context,
                         struct error *why)
{
    (void)why;
    note_call(context == &made && !service_is_stopping(service) ? "s" : "?");
    kill(getpid(), SIGTERM);
    return OK;
}
static void finish(void *context, program_closed *closed, void *closed_context)
{
    (void)context;
    note_call(closed != NULL ? "c" : "|");
    if (closed != NULL)
        closed(closed_context);
}
static void clear(void *context)
{
    note_call(context == &made ? "-" : "?");
}

/* What a child returns: 0 for this exit code after these calls. */
static int ended(int argc, char **argv, int expected, const char *calls)
{
    const struct program program = {.name = "test",
                                    .help = "usage: test\n",
                                    .shutdown_ms = 60000,
                                    .load = load,
                                    .print = print,
                                    .open = open_store,
                                    .start = start,
                                    .close = finish,
                                    .clear = clear,
                                    .context = &made};
    int code;

    alarm(60 * suite_patience()); /* rather than hang */
    if (dup2(out[1], STDOUT_FILENO) < 0 || dup2(out[1], STDERR_FILENO) < 0)
        return 77;
    code = program_main(&program, argc, argv);
    fflush(stdout);
    return code != expected || strcmp(made.calls, calls) != 0;
}

/* `body`, in a child, writes exactly this. */
static void says(int (*body)(void), const char *expected)
{
    char text[128] = "";
    ssize_t got;

    CU_ASSERT_EQUAL_FATAL(pipe(out), 0);
    CU_ASSERT_EQUAL(child_run(body), 0);
    close(out[1]);
    got = read(out[0], text, sizeof text - 1);
    close(out[0]);
    CU_ASSERT(got >= 0);
    if (strcmp(text, expected) != 0) {
        fprintf(stderr, "\nexpected \"%s\": \"%s\"\n", expected, text);
        CU_FAIL("other words");
    }
}

static char *run_it[] = {"x", "--config", "c.json"};

static int run_to_the_end(void)
{
    return ended(3, run_it, 0, "losc|-");
}
static void parts_are_called_in_order(void)
{
    says(run_to_the_end, "");
}

static int fail_to_load(void)
{
    made.fails = E_REFUSED;
    return ended(3, run_it, 4, "l-");
}
static int fail_to_open(void)
{
    made.opening_fails = true;
    made.fails = E_IO;
    return ended(3, run_it, 3, "lo-");
}
static int misuse(void)
{
    char *wrong[] = {"x", "--nonsense"};

    return ended(2, wrong, 2, "-");
}
static void failures_end_it_with_their_words_and_exit_code(void)
{
    says(fail_to_load, "test: no key\n");
    says(fail_to_open, "test: no store\n");
    says(misuse, "test: there is no option \"--nonsense\"\n");
}

static int ask_for_help(void)
{
    char *help[] = {"x", "--config", "c.json", "--help"};

    return ended(4, help, 0, "");
}
static void help_is_all_that_help_does(void)
{
    says(ask_for_help, "usage: test\n");
}

static char *check_it[] = {"x", "--config", "c.json", "--check"};

static int check(void)
{
    return ended(4, check_it, 0, "lp-");
}
static int check_onto_a_full_disk(void)
{
    out[1] = open("/dev/full", O_WRONLY | O_CLOEXEC);
    return ended(4, check_it, 3, "lp-");
}
static void checking_prints_the_configuration_and_starts_nothing(void)
{
    says(check, "{\"a\": 1}\n");
    says(check_onto_a_full_disk, "");
}

/* ---- options ---- */

static enum status parse(struct program_options *options, int argc, char **argv)
{
    error_init(&err);
    return program_options_parse(options, argc, argv, &err);
}

static void options_are_parsed(void)
{
    char *all[] = {"x", "--config", "c.json", "--check", "--ready-fd", "2"};
    char *help[] = {"x", "--config", "c.json", "-h", "--nonsense"};
    struct program_options options;

    CU_ASSERT_EQUAL(parse(&options, 6, all), OK);
    CU_ASSERT_STRING_EQUAL(options.config, "c.json");
    CU_ASSERT(options.check && !options.help);
    CU_ASSERT_EQUAL(options.ready_fd, 2);
    CU_ASSERT_EQUAL(parse(&options, 3, all), OK);
    CU_ASSERT(!options.check);
    CU_ASSERT_EQUAL(options.ready_fd, -1);
    CU_ASSERT_EQUAL(parse(&options, 5, help), OK);
    CU_ASSERT(options.help);
}

static void wrong_options_are_refused(void)
{
    static char *wrong[][4] = {
        {"x"},
        {"x", "--config"},
        {"x", "--check"},
        {"x", "--ready-fd", "2"},
        {"x", "--ready-fd"},
        {"x", "--ready-fd", "-1"},
        {"x", "--ready-fd", "two"},
        {"x", "--ready-fd", "999999"},
        {"x", "--ready-fd", "99999999999"},
        {"x", "--verbose"},
        {"x", "file"},
    };
    struct program_options options;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int argc = 0;

        while (argc < 4 && wrong[i][argc] != NULL)
            argc++;
        CU_ASSERT_EQUAL(parse(&options, argc, wrong[i]), E_USAGE);
    }
}

/* ---- whose service it is ---- */

static void the_key_has_to_be_the_certificates(void)
{
    const struct program_identity identity = {.certificate = "its.pem",
                                              .key = "other.pem"};
    struct network_user self = {.key = NULL};
    struct certified certified;

    certified_open(&certified, 2);
    self.certificate = certified.certificate[0];
    self.key = certified.key[0];
    error_init(&err);
    CU_ASSERT_EQUAL(program_identity_check(&identity, &self, &err), OK);
    self.key = certified.key[1];
    CU_ASSERT_EQUAL(program_identity_check(&identity, &self, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "other.pem: is not the key of its.pem");
    certified_close(&certified);
}

void suite_program(void)
{
    static const struct test tests[] = {
        {"its parts are called in order", parts_are_called_in_order},
        {"failures end it with their words and exit code",
         failures_end_it_with_their_words_and_exit_code},
        {"--help is all that --help does", help_is_all_that_help_does},
        {"--check prints the configuration and starts nothing",
         checking_prints_the_configuration_and_starts_nothing},
        {"options are parsed", options_are_parsed},
        {"wrong options are refused", wrong_options_are_refused},
        {"the key has to be the certificate's",
         the_key_has_to_be_the_certificates},
    };

    suite_add("program", tests, sizeof tests / sizeof tests[0]);
}
