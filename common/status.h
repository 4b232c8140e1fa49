/*
 * common/status.h - what a function reports, and what its caller may do.
 *
 * One table: name, exit code of a command that ends with it, words.  The code
 * tells the caller what it may do next; the text in struct error (error.h)
 * tells a person what went wrong and where.
 */
#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

#include <stdint.h>

#define STATUS_TABLE(X)                                                        \
    X(OK, 0, "done")                                                           \
    X(E_NO, 1, "the honest answer is no")                                      \
    X(E_USAGE, 2, "the command was called wrongly")                            \
    X(E_INPUT, 2, "the input cannot be used")                                  \
    X(E_LIMIT, 2, "the input exceeds a limit")                                 \
    X(E_VERSION, 2, "not in this version")                                     \
    X(E_IO, 3, "reading or writing failed")                                    \
    X(E_MEMORY, 3, "out of memory")                                            \
    X(E_CANCELLED, 3, "interrupted")                                           \
    X(E_SYSTEM, 3, "the system failed")                                        \
    X(E_REFUSED, 4, "refused")

enum status {
#define STATUS_ENUM(name, exit_code, words) name,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

/* The result of such a function must be looked at. */
#define MUST_USE __attribute__((warn_unused_result))

/* Exit code of the contract: 0 done, 1 no, 2 bad input, 3 failed, 4 refused. */
int status_exit_code(enum status status);

/* Of a number that somebody else sent as that of a failure: E_SYSTEM if it is
 * none. */
enum status status_of_failure(uint64_t number);

/* A short phrase for people, never NULL. */
const char *status_words(enum status status);

#endif
