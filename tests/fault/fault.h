/*
 * tests/fault/fault.h - let every call that can fail, fail.
 *
 * The fault program is linked so that calls of malloc, write, fsync, ... from
 * our code come here first (-Wl,--wrap; the list is in the Makefile).  A test
 * runs its subject again and again; in round n the n-th of the chosen calls
 * fails:
 *
 *     FAULT_LOOP(FAULT_MEMORY, ENOMEM)
 *     {
 *         ... prepare ...
 *         fault_on();
 *         status = policy_open(&policy, path, &err);
 *         fault_off();
 *         fault_expect(status, &err, E_MEMORY);
 *         CU_ASSERT((policy == NULL) == (status != OK));
 *         policy_close(&policy);
 *     }
 *
 * Each n has two rounds: the call fails once, and it fails from then on; with
 * EINTR once only, since no interruption lasts.  The loop ends with the round
 * that did not come as far as n.  After each round it checks that no memory
 * and no descriptor is left over, at its end that anything failed at all.
 *
 * Libraries that allocate by themselves are sent through malloc of ours in
 * tests/fault/main.c.
 */
#ifndef TESTS_FAULT_FAULT_H
#define TESTS_FAULT_FAULT_H

#include <stdbool.h>

#include "common/error.h"

/* Sets of calls. */
#define FAULT_MEMORY (1u << 0) /* malloc, strdup and so on */
#define FAULT_READ (1u << 1)
#define FAULT_WRITE (1u << 2)
#define FAULT_SEEK (1u << 3)
#define FAULT_STAT (1u << 4)
#define FAULT_OPEN (1u << 5)
#define FAULT_SYNC (1u << 6)
#define FAULT_LINK (1u << 7)
#define FAULT_RENAME (1u << 8)
#define FAULT_RANDOM (1u << 9)
#define FAULT_THREAD (1u << 10) /* pthread_create */
#define FAULT_UNLINK (1u << 11)

#define FAULT_LOOP(calls, errno_value)                                         \
    for (fault_loop_begin((calls), (errno_value)); fault_loop_next();)

void fault_loop_begin(unsigned calls, int errno_value);
bool fault_loop_next(void);

/* Only calls in between count and fail; none outside of loops. */
void fault_on(void);
void fault_off(void);

/* OpenSSL gets all the memory that it asks for, until switched off again: it
 * keeps texts of its errors and goes on without some of what it lacks, which is
 * no business of those who call common/sign.h. */
void fault_spare_openssl(bool spare);

/* SQLite's writes, truncations and unlinks count, too: FAULT_WRITE and
 * FAULT_UNLINK.  Until switched off again. */
void fault_with_sqlite(bool with);

/* The calls of this thread are OpenSSL's own; for main.c. */
void fault_within_openssl(bool within);

/* Did a call fail in this round? */
bool fault_happened(void);

/* `status` is `expected` and stands in err with words if a call failed, else
 * OK with err untouched since error_init. */
void fault_expect(enum status status, const struct error *err,
                  enum status expected);

/* Without a loop: the n-th of the calls, from 0, kills this process with
 * SIGKILL, in the middle of what it does.  For child processes. */
void fault_kill_at(unsigned calls, unsigned n);

/* ---- other worlds, until switched off again ---- */

/* Files without a name cannot be made (EOPNOTSUPP). */
void fault_without_tmpfile(bool without);

/* There is no /proc. */
void fault_without_proc(bool without);

/* File systems cannot sync folders: the errno that fsync gives; 0: they can. */
void fault_folder_sync(int errno_value);

/* read and write handle one byte a call. */
void fault_short_transfers(bool one_byte);

#endif
