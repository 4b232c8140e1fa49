/*
 * ledger/registry.h - the certificates that count: enrolled, not revoked.
 *
 * The genesis's members and nodes count from the beginning; entries enrol and
 * revoke others.  Kept in the state of the ledger, under "certificate/<id>",
 * as one byte (1 enrolled, 0 revoked) and the DER.  Decoded ones are kept in
 * memory, their chain verified once, since both cost more than verifying an
 * entry's signature.
 *
 * Belongs to one thread; what it gives out may be read by others until trim or
 * reset.
 */
#ifndef LEDGER_REGISTRY_H
#define LEDGER_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/genesis.h"
#include "common/identity.h"
#include "ledger/ledger_store.h"

struct registry;

struct registered {
    struct certificate *certificate;
    struct genesis_validity validity; /* its authority and root included */
    bool revoked;
    uint64_t revoked_at; /* position of the entry that did it */
};

/* Decoded certificates that are kept: some 4 KiB each. */
#define REGISTRY_KEPT_MAX (16u << 10)

/* Borrows both. */
MUST_USE enum status registry_create(struct registry **registry,
                                     const struct genesis *genesis,
                                     struct ledger_store *store,
                                     struct error *err);
void registry_destroy(struct registry **registry);

/* *found is NULL if nobody with this id is or was enrolled; else it stays until
 * trim or reset.  E_INPUT if the state is not what was written. */
MUST_USE enum status registry_find(struct registry *registry, const char *id,
                                   const struct registered **found,
                                   struct error *err);

/* Write it into the state, as the entry at `position` says. */
MUST_USE enum status registry_enrol(struct registry *registry,
                                    const struct certificate *certificate,
                                    uint64_t position, struct error *err);
MUST_USE enum status registry_revoke(struct registry *registry, const char *id,
                                     uint64_t position, struct error *err);

/* Forget what was decoded: a transaction was rolled back. */
void registry_reset(struct registry *registry);
/* The same, if it is more than REGISTRY_KEPT_MAX: between two batches. */
void registry_trim(struct registry *registry);

#endif
