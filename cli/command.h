/*
 * cli/command.h - the subcommands of `anchorite`, and what they share.
 *
 * A command gets its own name as argv[0] and returns the exit code of the
 * contract.  Results go to standard output, everything else to standard
 * error.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"
#include "common/json.h"

/* Name, function, one line of help. */
#define COMMAND_TABLE(X)                                                       \
    X("anonymize", command_anonymize,                                          \
      "de-identify a table under a policy, with the least loss")               \
    X("check", command_check, "does a table satisfy a policy?")                \
    X("risk", command_risk,                                                    \
      "how easily are the people behind a table found again?")                 \
    X("profile", command_profile,                                              \
      "what is in a table, who could be found by it, a policy to begin with")  \
    X("hierarchy", command_hierarchy,                                          \
      "show or build a generalization hierarchy")                              \
    X("identity", command_identity, "keys, certificates and who signs them")   \
    X("network", command_network,                                              \
      "a local network of nodes and services: up, down, status")               \
    X("ingest", command_ingest, "put a table into the vault")                  \
    X("consent", command_consent,                                              \
      "what patients allow: import, grant, withdraw, show")                    \
    X("request", command_request, "ask for a release of a dataset")            \
    X("requests", command_requests, "what was asked for, and how far it is")   \
    X("approve", command_approve, "the custodian approves a request")          \
    X("reject", command_reject, "the custodian rejects a request")             \
    X("release", command_release,                                              \
      "release what was approved; fetch a release")                            \
    X("history", command_history, "who has seen a patient's records")          \
    X("erase", command_erase, "make a patient's records unreadable")           \
    X("ledger", command_ledger,                                                \
      "submit, show and prove entries of the ledger; verify proofs")           \
    X("audit", command_audit, "recompute everything from one node's files")    \
    X("verify", command_verify, "is a release what its certificate says?")

#define COMMAND_DECLARE(name, function, help)                                  \
    int function(int argc, char **argv);
COMMAND_TABLE(COMMAND_DECLARE)
#undef COMMAND_DECLARE

/* Whose errors are told from now on; a constant. */
void command_runs(const char *name);

/* Print "anchorite <command>: <text>" and return the exit code. */
int command_fail(const struct error *err);

/* A wrong call: print "anchorite <command>: <text>" and where help is; 2.
 * Without a command (NULL) it is one of `anchorite` itself. */
int command_misuse(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print the help; the exit code. */
int command_help(const char *text);

/* Print a text from a file or the command line.  It may hold what a terminal
 * would obey: control characters come out as question marks. */
void command_print_harmless(FILE *out, const char *text);

/* Print lines of somebody else's: what a terminal would obey is a question
 * mark. */
void command_print_lines(FILE *out, const char *text);

/* From here on SIGINT and SIGTERM say "interrupted" and end the process, with
 * the exit code of E_CANCELLED: nothing that waits for a pipe holds them up. */
void command_watch_signals(void);

/* From the first call on there is something to clean up: the first of these
 * signals sets this flag, which is to be looked at often; a second one ends
 * the process at once. */
atomic_bool *command_cancel(void);

/* Open a table for reading; "-" is standard input.  *name is how messages
 * call it (borrowed from path or static).  With `rewindable` a pipe is first
 * copied into an unnamed temporary file. */
MUST_USE enum status command_open_input(const char *path, bool rewindable,
                                        int *fd, const char **name,
                                        struct error *err);

/* Print a document and a newline on standard output. */
MUST_USE enum status command_print_json(const struct json *json,
                                        struct error *err);

/* All of what was printed on standard output has arrived. */
MUST_USE enum status command_finish_output(struct error *err);

#endif
