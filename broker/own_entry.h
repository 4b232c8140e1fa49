/*
 * broker/own_entry.h - an entry in the broker's own name, and the statement
 * that it stands for.
 *
 *     made --signed by all--> pending --handed in, read back--> settled
 *
 * It is stored (broker/broker_store.h) before anybody hears of it, so that
 * after a crash the same bytes are handed in again and the log knows them.
 */
#ifndef BROKER_OWN_ENTRY_H
#define BROKER_OWN_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/commitment.h"
#include "common/digest.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/json.h"
#include "common/sign.h"
#include "common/text.h"

/* In whose name, and into which log.  Borrowed. */
struct own_author {
    const char *origin;
    const char *channel;
    const struct certificate *certificate;
    const struct private_key *key;
};

struct own_entry {
    struct digest id;
    enum entry_type type;
    struct text bytes;
    struct text signatures; /* empty: others have to sign, too */
    struct text statement;
    struct commitment_salt salt;
    bool settled; /* it was read back from the log */
    uint64_t position;
    enum entry_verdict verdict;
};

void own_entry_init(struct own_entry *entry);
void own_entry_clear(struct own_entry *entry);

/* Take a JSON document for the statement, in its RFC 8785 form, and draw a
 * salt. */
MUST_USE enum status own_entry_state(struct own_entry *entry,
                                     const struct json *statement,
                                     struct error *err);

/* Write the entry: `payload` and the commitment to its statement, under a new
 * nonce. */
MUST_USE enum status own_entry_write(struct own_entry *entry,
                                     const struct own_author *author,
                                     enum entry_type type, struct json *payload,
                                     struct error *err);

/* The author's signature, the only one that it needs. */
MUST_USE enum status own_entry_sign(struct own_entry *entry,
                                    const struct own_author *author,
                                    struct error *err);

/* The same with those of others, at most ENTRY_SIGNATURES_MAX - 1. */
MUST_USE enum status own_entry_endorse(struct own_entry *entry,
                                       const struct own_author *author,
                                       const struct entry_signature *other,
                                       size_t count, struct error *err);

#endif
