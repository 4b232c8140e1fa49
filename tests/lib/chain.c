#include "tests/lib/chain.h"

#include <CUnit/CUnit.h>

#include "common/sign_internal.h"

const struct certificate_subject chain_root_subject = {
    .organisation = "Region", .name = "root", .is_authority = true};
const struct certificate_subject chain_authority_subject = {
    .organisation = "H", .name = "ca", .is_authority = true};
const struct certificate_subject chain_leaf_subject = {
    .organisation = "H", .name = "ward-3.anna_k", .role = IDENTITY_CUSTODIAN};

struct certificate_terms chain_terms(const struct certificate_subject *subject)
{
    return (struct certificate_terms){subject, CHAIN_FIRST_MS, CHAIN_LAST_MS};
}

struct private_key *chain_new_key(void)
{
    struct private_key *key = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(private_key_generate(&key, KEY_P256, &err), OK);
    return key;
}

enum status chain_issue(const struct private_key *key,
                        const struct certificate_terms *terms,
                        const struct certificate *issuer,
                        const struct private_key *issuer_key,
                        struct certificate **certificate, struct error *err)
{
    struct public_key *public_key = NULL;
    enum status status;

    error_init(err);
    CU_ASSERT_EQUAL_FATAL(private_key_public(key, &public_key, err), OK);
    status = certificate_issue(certificate, public_key, terms, issuer,
                               issuer_key, err);
    CU_ASSERT_EQUAL(*certificate == NULL, status != OK);
    public_key_destroy(&public_key);
    return status;
}

void chain_open(struct chain *chain)
{
    struct certificate_terms terms = chain_terms(&chain_root_subject);
    struct error err;

    *chain = (struct chain){
        chain_new_key(), chain_new_key(), chain_new_key(), NULL, NULL, NULL};
    CU_ASSERT_EQUAL_FATAL(
        certificate_create_root(&chain->root, chain->root_key, &terms, &err),
        OK);
    terms.subject = &chain_authority_subject;
    CU_ASSERT_EQUAL_FATAL(chain_issue(chain->authority_key, &terms, chain->root,
                                      chain->root_key, &chain->authority, &err),
                          OK);
    terms.subject = &chain_leaf_subject;
    CU_ASSERT_EQUAL_FATAL(chain_issue(chain->leaf_key, &terms, chain->authority,
                                      chain->authority_key, &chain->leaf, &err),
                          OK);
}

void chain_close(struct chain *chain)
{
    private_key_destroy(&chain->root_key);
    private_key_destroy(&chain->authority_key);
    private_key_destroy(&chain->leaf_key);
    certificate_destroy(&chain->root);
    certificate_destroy(&chain->authority);
    certificate_destroy(&chain->leaf);
}

enum status chain_check(const struct chain *chain, int64_t time_ms,
                        struct error *err)
{
    error_init(err);
    return certificate_check_chain(chain->leaf, chain->authority, chain->root,
                                   time_ms, err);
}

X509 *chain_take_apart(const struct certificate *certificate)
{
    struct bytes der = certificate_der(certificate);
    const unsigned char *at = der.data;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(x509);
    return x509;
}

enum status chain_put_together(X509 *x509, const struct private_key *key,
                               const EVP_MD *digest,
                               struct certificate **certificate,
                               struct error *err)
{
    const ASN1_BIT_STRING *signature;
    unsigned char *der = NULL;
    enum status status;
    int size;

    do {
        CU_ASSERT_FATAL(X509_sign(x509, private_key_handle(key), digest) > 0);
        X509_get0_signature(&signature, NULL, x509);
    } while (!signature_is_low(
        bytes_of(signature->data, (size_t)signature->length)));
    size = i2d_X509(x509, &der);
    CU_ASSERT_FATAL(size > 0);
    error_init(err);
    status = certificate_decode(certificate, bytes_of(der, (size_t)size), err);
    OPENSSL_free(der);
    return status;
}
