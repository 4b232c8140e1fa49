/*
 * anonymizer/worker_proofs.h - entries with their proofs, as the log has them.
 *
 * What the anonymizer acts on it does not believe of one node: each entry that
 * it rests on comes with a proof that k nodes have cosigned, all of one
 * checkpoint, as a certificate wants them, too.
 */
#ifndef ANONYMIZER_WORKER_PROOFS_H
#define ANONYMIZER_WORKER_PROOFS_H

#include <stddef.h>

#include "common/digest.h"
#include "common/error.h"
#include "common/genesis.h"
#include "common/proof.h"
#include "common/text.h"

struct client;

/* request, approve, permit, release. */
#define WORKER_PROOFS_MAX 4

struct worker_proofs {
    size_t count;
    struct text text[WORKER_PROOFS_MAX];
    struct proof *proof[WORKER_PROOFS_MAX];
};

void worker_proofs_init(struct worker_proofs *proofs);
void worker_proofs_clear(struct worker_proofs *proofs);

/* Those of these entries, proven by whom is trusted, all from one checkpoint.
 * E_NO if there is no such entry, E_REFUSED if a proof proves nothing or an
 * entry was found other than valid, E_SYSTEM if it is not anchored yet. */
MUST_USE enum status worker_proofs_ask(struct worker_proofs *proofs,
                                       struct client *client,
                                       const struct trust *trust,
                                       const struct digest *id, size_t count,
                                       struct error *err);

/* Append a proof's text and take it apart. */
MUST_USE enum status worker_proofs_add(struct worker_proofs *proofs,
                                       struct bytes text, struct error *err);

/* Are they proofs of exactly these entries, all valid, for whom trusts so?
 * E_REFUSED if not. */
MUST_USE enum status worker_proofs_check(const struct worker_proofs *proofs,
                                         const struct trust *trust,
                                         const struct digest *id, size_t count,
                                         struct error *err);

/* The certificate with that id: a founder's, or from the entry that enrolled
 * it.  The caller's to destroy. */
MUST_USE enum status worker_certificate_ask(struct certificate **certificate,
                                            struct client *client,
                                            const struct genesis *genesis,
                                            const char *id, struct error *err);

#endif
