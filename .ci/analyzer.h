/*
 * .ci/analyzer.h - what clang's analyzer cannot see from one source file.
 *
 * It reads one file at a time, so to it error_set() may return OK, and then
 * whatever a failed call left unset looks used.  `make tidy` forces this header
 * in: to the analyzer a function of common/error.h returns what it promises.
 */
#ifndef CI_ANALYZER_H
#define CI_ANALYZER_H

#include "common/error.h"

#define error_set(err, status, ...)                                            \
    ((void)error_set(err, status, __VA_ARGS__), (status))
#define error_set_errno(err, status, ...)                                      \
    ((void)error_set_errno(err, status, __VA_ARGS__), (status))
/* Any failure will do. */
#define error_wrap(...) ((void)error_wrap(__VA_ARGS__), E_IO)
#define error_memory(...) ((void)error_memory(__VA_ARGS__), E_MEMORY)

#endif
