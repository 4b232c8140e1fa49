/*
 * tests/lib/fake_ledger.h - a node of a network, on a thread of its own, that
 * says of certificates what a test wants it to say.
 *
 *     network_files_make(folder, 1, ...);
 *     fake_ledger_open(&ledger, folder);
 *     fake_ledger_enrol(ledger, certificate);
 *     ... standing_check(client, ...) ...
 *     fake_ledger_close(&ledger);
 *
 * It answers `history`, `find`, `show` and `status`, by entries in their right
 * form that nobody has judged: a test may have it lie.  What cannot be set up
 * ends the program.
 */
#ifndef TESTS_LIB_FAKE_LEDGER_H
#define TESTS_LIB_FAKE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/identity.h"
#include "common/network.h"

/* Entries that one can hold. */
#define FAKE_LEDGER_ENTRIES_MAX 64

struct fake_ledger;

void fake_ledger_open(struct fake_ledger **ledger, const char *folder);
/* As node1, the only one; or as this one of several, from 1 on. */
void fake_ledger_open_node(struct fake_ledger **ledger, const char *folder,
                           unsigned number);
void fake_ledger_close(struct fake_ledger **ledger);

void fake_ledger_enrol(struct fake_ledger *ledger,
                       const struct certificate *certificate);
void fake_ledger_revoke(struct fake_ledger *ledger, const char *id);

/* Any entry, as one that wrote of the certificate with that id.  `origin`:
 * NULL for the network's. */
struct fake_entry {
    enum entry_type type;
    const char *payload; /* JSON */
    enum entry_verdict verdict;
    const char *origin;
};
void fake_ledger_write(struct fake_ledger *ledger, const char *id,
                       const struct fake_entry *entry);

/* It takes questions and does not answer; or does so again. */
void fake_ledger_hush(struct fake_ledger *ledger, bool silent);

/* It is behind, by so many of the entries that it was told last. */
void fake_ledger_hide(struct fake_ledger *ledger, size_t hidden);

/* It gives a history and has none of the entries in it. */
void fake_ledger_forget(struct fake_ledger *ledger, bool forgets);

/* It lets nobody in, from now on; or does so again. */
void fake_ledger_shut(struct fake_ledger *ledger, bool is_shut);

/* How many histories it was asked for. */
unsigned fake_ledger_asked(struct fake_ledger *ledger);

/* Somebody new, with a certificate by the folder's authority of that
 * organisation, whom the ledger does not know yet. */
void fake_ledger_newcomer(struct network_user *user, const char *folder,
                          const char *organisation, enum identity_role role);

#endif
