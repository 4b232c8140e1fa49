/*
 * ledger/preamble.h - the first words on a connection between two nodes, said
 * inside TLS by the one that connected:
 *
 *     "anchraft" | version, 1 byte | be64(raft id) | be16(size) | address
 *
 * The acceptor answers with PREAMBLE_WELCOME, one byte, once it has found that
 * the certificate is that of the node with this id.  Only then Raft's own
 * messages follow, all in the direction of the connector.
 *
 * The address (ledger/address.h) is where the connector itself listens.  A
 * whole preamble fits PREAMBLE_SIZE_MAX bytes, whatever the size field says,
 * so that who reads one needs a buffer of that size and nothing more.
 */
#ifndef LEDGER_PREAMBLE_H
#define LEDGER_PREAMBLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/limits.h"
#include "common/status.h"

#define PREAMBLE_VERSION 1
#define PREAMBLE_HEAD_SIZE 19
#define PREAMBLE_SIZE_MAX (PREAMBLE_HEAD_SIZE + ADDRESS_MAX)
#define PREAMBLE_WELCOME 0x06

struct preamble {
    uint64_t id; /* at least 1 */
    char address[ADDRESS_MAX + 1];
};

/* Returns the size.  The preamble is ours: id and address are asserted. */
size_t preamble_encode(const struct preamble *preamble,
                       uint8_t out[PREAMBLE_SIZE_MAX]);

enum preamble_reading {
    PREAMBLE_MORE,   /* so far right, and not all of it */
    PREAMBLE_WHOLE,  /* *preamble is filled */
    PREAMBLE_FOREIGN /* whatever follows, this is none */
};

/* `data` is all that has come.  What is behind a preamble makes it foreign:
 * nobody has been welcomed yet. */
MUST_USE enum preamble_reading preamble_decode(struct bytes data,
                                               struct preamble *preamble);

#endif
