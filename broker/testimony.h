/*
 * broker/testimony.h - what subjects have said, told by the log alone: for
 * those who check a broker and do not believe its state.
 *
 *     log, position by position --leaf--> root, which must be the checkpoint's
 *       consent, withdraw --commitment--> statement in the broker's store
 *                                           --> who said what, at which
 * position permit            --> what is to be checked enrol             -->
 * whose certificate is of which organisation
 *
 * Of the store only statements and salts are read, and none is believed that
 * does not open the commitment in the log.  Since the root is that of the whole
 * log, neither the broker nor a node can leave an entry out: a withdrawal whose
 * statement the broker has thrown away is noticed as one that is missing.
 */
#ifndef BROKER_TESTIMONY_H
#define BROKER_TESTIMONY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/broker.h"
#include "common/hash.h"

/* Of a checkpoint that somebody trusts.  Borrowed. */
struct testimony_source {
    const struct ledger_port *ledger; /* size and show are asked */
    struct broker_store *store;
    const struct genesis *genesis;
    const char *organisation; /* the broker's */
    uint64_t size;
    struct digest root;
};

/* A wish is an index of testimony_wish, or WISH_WITHDRAWN. */
struct utterance {
    struct subject_id subject;
    uint64_t position;
    uint32_t wish;
};

/* A permit entry of the organisation that the nodes found valid. */
struct testimony_permit {
    struct digest id;
    uint64_t position;
    char approve[DIGEST_HEX_SIZE];
    char terms[DIGEST_HEX_SIZE];
    char commitment[DIGEST_HEX_SIZE];
    uint64_t size, expires_ms;
};

/* A consent or a withdrawal of the organisation. */
enum testimony_gap {
    TESTIMONY_READ,
    TESTIMONY_NO_STATEMENT,   /* the broker has none for this entry */
    TESTIMONY_OTHER_STATEMENT /* one that the entry does not commit to */
};
struct testimony_entry {
    uint64_t position;
    enum entry_type type;
    enum testimony_gap gap;
};

struct testimony_person {
    char certificate[CERTIFICATE_ID_SIZE];
    char organisation[IDENTITY_NAME_MAX + 1];
};

struct testimony {
    struct utterance *said; /* ascending by subject, position, wish */
    size_t said_count, said_capacity;
    struct testimony_permit *permit; /* ascending by position */
    size_t permit_count, permit_capacity;
    struct testimony_entry *entry; /* ascending by position */
    size_t entry_count, entry_capacity;
    struct testimony_person *person; /* ascending by certificate */
    size_t person_count, person_capacity;
    /* Texts of wishes one behind the other, each once; where each begins, from
     * 1 on, and behind the last; a table of them by their hash. */
    struct text texts;
    size_t *begin;
    uint32_t wish_count, wish_capacity;
    uint32_t *slot;
    uint32_t slot_count;
    struct hash_key key;
};

void testimony_init(struct testimony *testimony);
void testimony_clear(struct testimony *testimony);

/* Of an empty one.  E_NO if what the nodes show has another root: it is not
 * the log that was signed. */
MUST_USE enum status testimony_take(struct testimony *testimony,
                                    const struct testimony_source *source,
                                    struct error *err);

/* consent_says() of a wish from 1 to wish_count. */
struct bytes testimony_wish(const struct testimony *testimony, uint32_t wish);

/* NULL if it is no entry of that kind. */
const struct testimony_entry *
testimony_entry_at(const struct testimony *testimony, uint64_t position);

/* NULL if nobody of that certificate was ever enrolled. */
const char *testimony_organisation(const struct testimony *testimony,
                                   const char *certificate);

#endif
