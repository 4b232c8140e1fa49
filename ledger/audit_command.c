#include "ledger/audit_command.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/crew.h"
#include "common/files.h"
#include "common/genesis.h"
#include "common/json.h"
#include "common/process.h"
#include "common/text.h"
#include "ledger/audit.h"
#include "ledger/ledger_store.h"

/* Threads that verify signatures besides the one that executes. */
#define CREW_MAX 16

static const char help[] =
    "usage: anchorite-ledger --audit --genesis FILE --database FILE "
    "[--json]\n\n"
    "Recomputes everything from a node's database and names the first thing "
    "that is\nwrong.\n";

struct options {
    const char *genesis;
    const char *database;
    bool json;
    bool help;
};

/* ---- the result ---- */

static enum status print_text(const struct audit_result *result,
                              struct error *err)
{
    printf("recomputed: %ju entries in %ju blocks, anchored up to %ju\n",
           (uintmax_t)result->entries, (uintmax_t)result->blocks,
           (uintmax_t)result->anchored);
    if (result->good)
        puts("everything is as recomputed");
    else
        printf("wrong: %s\n", result->finding);
    if (fflush(stdout) != 0)
        return error_set_errno(err, E_IO, errno, "standard output");
    return OK;
}

/* Absent unless the finding is in one. */
static enum status add_place(struct json_value *root, const char *key,
                             uint64_t place, struct error *err)
{
    if (place == STORE_NONE)
        return OK;
    return json_add_integer(root, key, (int64_t)place, err);
}

static enum status print_json(const struct audit_result *result,
                              struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    struct text text;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    text_init(&text);
    root = json_edit_root(json);
    status = json_add_boolean(root, "good", result->good, err);
    if (status == OK)
        status = json_add_integer(root, "blocks", (int64_t)result->blocks, err);
    if (status == OK)
        status =
            json_add_integer(root, "entries", (int64_t)result->entries, err);
    if (status == OK)
        status =
            json_add_integer(root, "anchored", (int64_t)result->anchored, err);
    if (status == OK && !result->good)
        status = json_add_string(root, "finding", result->finding, err);
    if (status == OK && !result->good)
        status = add_place(root, "block", result->bad_block, err);
    if (status == OK && !result->good)
        status = add_place(root, "position", result->bad_position, err);
    if (status == OK)
        status = json_print(json_root(json), &text, err);
    if (status == OK) {
        puts(text.data);
        if (fflush(stdout) != 0)
            status = error_set_errno(err, E_IO, errno, "standard output");
    }
    text_clear(&text);
    json_destroy(&json);
    return status;
}

/* ---- the scratch folder ---- */

static enum status scratch_make(struct text *folder, struct error *err)
{
    const char *base = getenv("TMPDIR");
    enum status status;

    if (base == NULL || base[0] != '/')
        base = "/tmp";
    status = text_printf(folder, err, "%s/anchorite-audit.XXXXXX", base);
    if (status == OK && mkdtemp(folder->data) == NULL)
        status = error_set_errno(err, E_SYSTEM, errno, "a folder in %s", base);
    return status;
}

/* ---- the audit ---- */

static enum status audit(const struct options *options, const char *folder,
                         bool *good, struct error *err)
{
    struct audit_result result = {.good = false};
    struct genesis *genesis = NULL;
    struct crew *crew = NULL;
    struct text scratch;
    enum status status = genesis_load(&genesis, options->genesis, err);

    text_init(&scratch);
    if (status == OK)
        status = text_printf(&scratch, err, "%s/state.db", folder);
    if (status == OK)
        status = crew_create(&crew, process_cores(CREW_MAX + 1) - 1, err);
    if (status == OK)
        status = audit_run(&result, genesis, options->database, scratch.data,
                           crew, err);
    if (status == OK)
        status =
            options->json ? print_json(&result, err) : print_text(&result, err);
    *good = result.good;
    crew_destroy(&crew);
    text_clear(&scratch);
    genesis_destroy(&genesis);
    return status;
}

static int audit_in(const struct options *options, const char *folder)
{
    struct error err;
    bool good;

    error_init(&err);
    if (audit(options, folder, &good, &err) != OK) {
        fprintf(stderr, "anchorite-ledger: audit: %s\n", err.text);
        return status_exit_code(err.status);
    }
    return status_exit_code(good ? OK : E_NO);
}

/* The audit is a process of its own that any signal may end at any time; this
 * one outlives it and tidies up. */
static int audit_in_child(const struct options *options, const char *folder)
{
    sigset_t ending, before;
    int how, number = 0;
    pid_t child;

    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ending, &before);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        _exit(audit_in(options, folder));
    }
    if (child < 0) {
        fprintf(stderr, "anchorite-ledger: audit: a new process: %s\n",
                strerror(errno));
        return status_exit_code(E_SYSTEM);
    }
    while (waitpid(child, &how, WNOHANG) == 0)
        if (sigwait(&ending, &number) == 0 && number != SIGCHLD)
            kill(child, SIGKILL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (WIFEXITED(how))
        return WEXITSTATUS(how);
    fprintf(stderr, "anchorite-ledger: audit: ended by signal %d\n",
            number != 0 && number != SIGCHLD ? number : WTERMSIG(how));
    return status_exit_code(E_CANCELLED);
}

/* ---- the call ---- */

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"audit", no_argument, NULL, 'a'},
        {"genesis", required_argument, NULL, 'g'},
        {"database", required_argument, NULL, 'b'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *options = (struct options){.json = false};
    optind = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (option) {
        case 'a':
            break;
        case 'g':
            options->genesis = optarg;
            break;
        case 'b':
            options->database = optarg;
            break;
        case 'j':
            options->json = true;
            break;
        case 'h':
            options->help = true;
            break;
        default:
            return false;
        }
    return options->help || (optind == argc && options->genesis != NULL &&
                             options->database != NULL);
}

int audit_command(int argc, char **argv)
{
    struct options options;
    struct text folder;
    struct error err;
    int exit_code;

    if (!parse_options(argc, argv, &options)) {
        fputs(help, stderr);
        return status_exit_code(E_USAGE);
    }
    if (options.help) {
        fputs(help, stdout);
        return status_exit_code(OK);
    }
    error_init(&err);
    text_init(&folder);
    if (scratch_make(&folder, &err) == OK) {
        exit_code = audit_in_child(&options, folder.data);
        folder_remove(folder.data);
    } else {
        fprintf(stderr, "anchorite-ledger: audit: %s\n", err.text);
        exit_code = status_exit_code(err.status);
    }
    text_clear(&folder);
    return exit_code;
}
