/*
 * ledger/transport.h - Raft's messages between nodes, over TCP and mutual TLS.
 *
 *     libraft -> socket pair -> [connection: TLS] -> TCP -> [connection: TLS]
 *                                                 -> socket pair -> libraft
 *
 * libraft asks for streams that it writes to (it connects) and is given streams
 * that it reads from (it accepts); each connection carries one direction alone.
 * What stands between stream and network is a connection of ours:
 *
 *   1. TCP, then TLS 1.3 with certificates on both sides (ledger/tls.h);
 *   2. the connector asks `is_member` whether the certificate is that of the
 *      node it has dialled, and says who it is itself (ledger/preamble.h);
 *   3. the acceptor asks `is_member` whether the certificate is that of the
 *      node it claims to be, and whether that one listens at the address it
 *      claims, and answers with one byte;
 *   4. only then libraft sees a stream.
 *
 * All that within TRANSPORT_GREETING_MS.  Strangers cost a bounded amount of
 * memory: at most TRANSPORT_STRANGERS_MAX of them are listened to, and no size
 * that they claim is believed.  A connection admitted from a node replaces the
 * one before from the same node.
 *
 * Behind the greeting libraft believes the sizes of its peer's messages, so a
 * member that lies can exhaust our memory, as it can stop the cluster in other
 * ways: Raft tolerates nodes that fail, not ones that lie.
 *
 * Belongs to the loop's thread; the process ignores SIGPIPE.  Addresses are as
 * in ledger/address.h.
 */
#ifndef LEDGER_TRANSPORT_H
#define LEDGER_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/identity.h"
#include "ledger/tls.h"

struct raft_uv_transport;
struct transport;
struct uv_loop_s;

/* Is this the certificate, neither replaced nor revoked, of the member with
 * that Raft id?  And does it listen there?  `address` is NULL when we have
 * dialled it ourselves.  Role and chain have been checked; must not call the
 * transport. */
typedef bool transport_is_member(void *context, uint64_t id,
                                 const char *address,
                                 const struct certificate *certificate);

struct transport_options {
    struct uv_loop_s *loop;
    struct tls_credentials credentials;
    const char *listen; /* NULL: at the node's own address */
    transport_is_member *is_member;
    void *context; /* of is_member */
};

/* Copies what it needs of the options but the credentials. */
MUST_USE enum status transport_create(struct transport **transport,
                                      const struct transport_options *options,
                                      struct error *err);

/* After the replica that used it was closed. */
void transport_destroy(struct transport **transport);

/* For raft_uv_init. */
struct raft_uv_transport *transport_raft(struct transport *transport);

/* Why listening failed; empty if it did not. */
const struct error *transport_error(const struct transport *transport);

/* The members have changed: break connections with those who are none any
 * more. */
void transport_review(struct transport *transport);

/* Break each connection that is open; libraft makes new ones.  For tests. */
void transport_sever(struct transport *transport);

struct transport_figures {
    uint64_t admitted; /* connections that libraft was given */
    uint64_t refused;  /* connections that did not come so far */
    unsigned open, strangers;
};
struct transport_figures transport_figures(const struct transport *transport);

#endif
