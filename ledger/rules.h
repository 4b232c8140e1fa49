/*
 * ledger/rules.h - what makes an entry valid: one table, one function.
 *
 * docs/protocol.md has the table in words.  rules_judge() is deterministic: it
 * reads the entry, its signers, the state before it and the block's time, and
 * nothing else; every node finds the same.
 *
 *     role x type    rules_role_may()
 *     payload        members that must be there, and no others
 *     type's rule    references, once only, terms repeated, not stale
 *     endorsement    the genesis's policy for the type
 *
 * rules_apply() writes what a valid entry changes.
 */
#ifndef LEDGER_RULES_H
#define LEDGER_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/identity.h"
#include "ledger/ledger_store.h"
#include "ledger/registry.h"

/* May this role write entries of this type? */
bool rules_role_may(enum identity_role role, enum entry_type type);

/* Versions that one entry can have read: each is looked up. */
#define RULES_READS_MAX 64

/* The longest that a permit may be good for. */
#define RULES_PERMIT_MS (INT64_C(24) * 60 * 60 * 1000)

struct rules_context {
    const struct genesis *genesis;
    struct registry *registry;
    struct ledger_store *store;
    uint64_t position; /* where the entry will stand */
    uint64_t time_ms;  /* of the block */
};

/* *verdict says what all nodes find.  An error is one of this node alone (its
 * disk, its memory). */
MUST_USE enum status rules_judge(const struct rules_context *context,
                                 const struct entry *entry,
                                 bool signatures_hold,
                                 enum entry_verdict *verdict,
                                 struct error *err);

/* Is it a failure of this node alone, about which others know nothing?  Then it
 * is no reason to find an entry wrong. */
bool rules_own_failure(enum status status);

/* Only for what was judged valid. */
MUST_USE enum status rules_apply(const struct rules_context *context,
                                 const struct entry *entry, struct error *err);

#endif
