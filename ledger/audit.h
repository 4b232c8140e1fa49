/*
 * ledger/audit.h - recomputes everything from one node's files.
 *
 * Every block is executed again, from the first, into a scratch ledger that
 * begins with nothing but genesis.json: signatures, verdicts, tree, state.
 * Then both are compared, row by row, and the newest anchored checkpoint is
 * held against the tree and the nodes' keys.  The node may be running: one
 * state of its database is audited.  The first thing that is wrong is named:
 * block and entry, or table and key.
 *
 * The scratch ledger lies in a folder of the caller's and is left to him.
 */
#ifndef LEDGER_AUDIT_H
#define LEDGER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crew.h"
#include "common/error.h"
#include "common/genesis.h"

/* What is wrong, in words for people; "" if nothing is. */
#define AUDIT_FINDING_MAX 512

struct audit_result {
    uint64_t blocks, entries; /* recomputed */
    uint64_t anchored;        /* size of the newest anchored checkpoint */
    bool good;
    uint64_t bad_block;    /* STORE_NONE if it is not in a block */
    uint64_t bad_position; /* STORE_NONE if it is not one entry */
    char finding[AUDIT_FINDING_MAX];
};

/* `database` is a node's state.db, `scratch` a path where nothing is yet.  An
 * error means that the audit could not be made; a finding is none. */
MUST_USE enum status audit_run(struct audit_result *result,
                               const struct genesis *genesis,
                               const char *database, const char *scratch,
                               struct crew *crew, struct error *err);

#endif
