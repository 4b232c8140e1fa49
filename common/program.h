/*
 * common/program.h - the main() of a service, from its options to its exit
 * code.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct node_parts parts = {.config = NULL};
 *         const struct program program = {
 *             .name = "anchorite-ledger", .help = help, .load = load, ...
 *             .context = &parts,
 *         };
 *
 *         return program_main(&program, argc, argv);
 *     }
 *
 *     options     --config FILE [--check] [--ready-fd N] | --help
 *        |        memory is locked, before the first key is read
 *     load()      the configuration and what it names: files that are there and
 *        |        belong together
 *        |------> --check: print(), and that is all
 *     open()      what only a running service needs
 *        |
 *     start()     on the loop of common/service.h, which says when it is ready
 *     close()     and ends on signals
 *        |
 *     clear()     whatever there is by now
 *
 * What goes wrong is one line on standard error, and the exit code of its
 * status.
 *
 * Elsewhere: rows of a configuration (common/config_keys.h).
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/log.h"
#include "common/network.h"
#include "common/service.h"
#include "common/text.h"

typedef void program_closed(void *context);

/* The functions get the program's context. */
struct program {
    const char *name; /* of its file; what errors and the log begin with */
    const char *help;
    uint64_t shutdown_ms; /* for what is in flight at the first SIGTERM */
    /* *log: how much it logs. */
    enum status (*load)(void *context, const char *config, enum log_level *log,
                        struct error *err);
    /* Append the configuration in full, with what was left out. */
    enum status (*print)(const void *context, struct text *out,
                         struct error *err);
    enum status (*open)(void *context, struct error *err); /* may be NULL */
    enum status (*start)(struct service *service, void *context,
                         struct error *err);
    /* Close what start() has made, if it is still there, and say closed() when
     * nothing is in flight any more.  At the first SIGTERM, and once more, with
     * NULL for it, at the end: starting may have failed half way. */
    void (*close)(void *context, program_closed *closed, void *closed_context);
    void (*clear)(void *context);
    void *context;
};

/* Returns the exit code.  Once in a process, first thing in main(). */
MUST_USE int program_main(const struct program *program, int argc, char **argv);

/* ---- options ---- */

struct program_options {
    const char *config; /* path */
    int ready_fd;       /* -1: none */
    bool check;         /* print the configuration and exit */
    bool help;
};

/* E_USAGE with the reason. */
MUST_USE enum status program_options_parse(struct program_options *options,
                                           int argc, char **argv,
                                           struct error *err);

/* ---- for load(): whose service it is ---- */

/* As its configuration names them. */
struct program_identity {
    const char *certificate, *key, *curve;
};

/* What could be read is there even when it failed: network_user_clear(). */
MUST_USE enum status
program_identity_load(const struct program_identity *identity,
                      struct network_user *self, struct error *err);

/* E_INPUT unless the key is the certificate's. */
MUST_USE enum status
program_identity_check(const struct program_identity *identity,
                       const struct network_user *self, struct error *err);

#endif
