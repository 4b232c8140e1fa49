/*
 * tests/lib/chain.h - root, authority and certificate of one chain, to try
 * out what certificates bear.
 *
 * What should succeed and does not fails the test that runs.
 */
#ifndef TESTS_LIB_CHAIN_H
#define TESTS_LIB_CHAIN_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "common/error.h"
#include "common/identity.h"
#include "common/sign.h"

/* date -u -d @...: 2026-03-01 00:00:00, 2027-03-01 00:00:00 and
 * 2026-06-01 12:00:00 */
#define CHAIN_FIRST_MS 1772323200000
#define CHAIN_LAST_MS 1803859200999
#define CHAIN_NOON_MS 1780315200000

extern const struct certificate_subject chain_root_subject;
extern const struct certificate_subject chain_authority_subject;
extern const struct certificate_subject chain_leaf_subject;

/* Root, intermediate of H, certificate, with their keys. */
struct chain {
    struct private_key *root_key, *authority_key, *leaf_key;
    struct certificate *root, *authority, *leaf;
};

void chain_open(struct chain *chain);
void chain_close(struct chain *chain);

/* From CHAIN_FIRST_MS to CHAIN_LAST_MS. */
struct certificate_terms chain_terms(const struct certificate_subject *subject);

struct private_key *chain_new_key(void);

/* As certificate_issue; err is empty on success. */
enum status chain_issue(const struct private_key *key,
                        const struct certificate_terms *terms,
                        const struct certificate *issuer,
                        const struct private_key *issuer_key,
                        struct certificate **certificate, struct error *err);

/* As certificate_check_chain. */
enum status chain_check(const struct chain *chain, int64_t time_ms,
                        struct error *err);

/* For changes: OpenSSL's own; who calls releases it. */
X509 *chain_take_apart(const struct certificate *certificate);

/* Sign and decode, with a low s. */
enum status chain_put_together(X509 *x509, const struct private_key *key,
                               const EVP_MD *digest,
                               struct certificate **certificate,
                               struct error *err);

#endif
