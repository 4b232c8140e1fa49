/*
 * ledger/tls.h - TLS between two nodes, without sockets: bytes in, bytes out.
 *
 *                     tls_feed -->  [     ] --> tls_read
 *     socket, ciphertext            [ tls ]               plaintext, the node
 *                   tls_output <--  [     ] <-- tls_write
 *
 * TLS 1.3 alone, both sides with certificates, no session tickets, no early
 * data.  A peer is let in if its certificate (common/identity.h) has the role
 * `node` and is signed by one of the authorities, and that by one of the roots,
 * all in force now; what else it sends along does not count.  Which node it is
 * and whether it is a member is for the caller to ask, of tls_peer, before it
 * believes a byte.
 *
 * After each feed: tls_handshake until it is done, then tls_read until nothing
 * comes; after each call, tls_output.  Failure of any of them is final; there
 * may still be output, an alert that tells the peer why.
 */
#ifndef LEDGER_TLS_H
#define LEDGER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/identity.h"
#include "common/sign.h"

/* All of it is borrowed for as long as the context lives. */
struct tls_credentials {
    const struct private_key *key;
    const struct certificate *certificate;
    const struct certificate *const *authority;
    size_t authority_count;
    const struct certificate *const *root;
    size_t root_count;
};

struct tls_context; /* what all connections of a node share */
struct tls;         /* one connection */

/* E_INPUT if key and certificate do not belong together. */
MUST_USE enum status tls_context_create(struct tls_context **context,
                                        const struct tls_credentials *use,
                                        struct error *err);
/* After the last connection. */
void tls_context_destroy(struct tls_context **context);

MUST_USE enum status tls_create(struct tls **tls, struct tls_context *context,
                                bool is_connector, struct error *err);
void tls_destroy(struct tls **tls);

/* What the socket gave. */
MUST_USE enum status tls_feed(struct tls *tls, struct bytes ciphertext,
                              struct error *err);

/* E_REFUSED if the peer's certificate is not let in, or the peer refuses
 * ours; E_INPUT if it does not speak TLS 1.3. */
MUST_USE enum status tls_handshake(struct tls *tls, bool *done,
                                   struct error *err);

/* *got is 0 when more has to be fed first.  E_IO when the peer has ended or
 * broken the connection. */
MUST_USE enum status tls_read(struct tls *tls, void *out, size_t size,
                              size_t *got, struct error *err);

MUST_USE enum status tls_write(struct tls *tls, struct bytes plaintext,
                               struct error *err);

/* What the socket must be given; borrowed until the next call.  Then say that
 * it was taken. */
struct bytes tls_output(struct tls *tls);
void tls_output_taken(struct tls *tls);

/* NULL before the handshake is done. */
const struct certificate *tls_peer(const struct tls *tls);

#endif
