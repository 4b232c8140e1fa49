#include "ledger/tls.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/sign_internal.h"

struct tls_context {
    SSL_CTX *ssl;
    struct tls_credentials use;
};

struct tls {
    struct tls_context *context;
    SSL *ssl;
    BIO *in, *out; /* the SSL's own */
    struct certificate *peer;
    bool done;
    struct error refusal; /* why we refused the peer */
};

/* ---- who is let in ---------------------------------------------------------
 */

/* The last refusal is the one that is told: mostly there is one authority of
 * the peer's organisation. */
static enum status check_chains(const struct tls_credentials *use,
                                const struct certificate *peer,
                                struct error *err)
{
    const char *organisation = certificate_subject(peer)->organisation;
    enum status status =
        error_set(err, E_REFUSED, "no authority of its organisation is known");
    int64_t time_ms = (int64_t)clock_now_ms();

    for (size_t i = 0; i < use->authority_count; i++) {
        const struct certificate *authority = use->authority[i];

        if (strcmp(certificate_subject(authority)->organisation,
                   organisation) != 0)
            continue;
        for (size_t k = 0; k < use->root_count; k++) {
            status = certificate_check_chain(peer, authority, use->root[k],
                                             time_ms, err);
            if (status == OK)
                return OK;
        }
    }
    return status;
}

static enum status admit(struct tls *tls, X509 *leaf, struct error *err)
{
    const struct certificate_subject *subject;
    struct certificate *peer = NULL;
    unsigned char *der = NULL;
    enum status status;
    int size = leaf != NULL ? i2d_X509(leaf, &der) : -1;

    if (size < 0)
        return error_set(err, E_REFUSED, "there is no certificate");
    status = certificate_decode(&peer, bytes_of(der, (size_t)size), err);
    OPENSSL_free(der);
    if (status != OK)
        return error_wrap(err, "its certificate");
    subject = certificate_subject(peer);
    if (subject->is_authority || subject->role != IDENTITY_NODE)
        status =
            error_set(err, E_REFUSED, "its certificate is not that of a node");
    else
        status = check_chains(&tls->context->use, peer, err);
    if (status == OK)
        tls->peer = peer;
    else
        certificate_destroy(&peer);
    return status;
}

/* In place of OpenSSL's own search for a chain, so that one piece of code,
 * common/identity, says everywhere whose certificate counts. */
static int on_certificate(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl =
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);

    (void)unused;
    assert(tls->peer == NULL);
    if (admit(tls, X509_STORE_CTX_get0_cert(store), &tls->refusal) == OK)
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* ---- what connections share ------------------------------------------------
 */

static bool use_own(SSL_CTX *ssl, const struct tls_credentials *use)
{
    struct bytes der = certificate_der(use->certificate);

    return der.size <= TLS_CERTIFICATES_MAX &&
           SSL_CTX_use_certificate_ASN1(ssl, (int)der.size, der.data) == 1 &&
           SSL_CTX_use_PrivateKey(ssl, private_key_handle(use->key)) == 1 &&
           SSL_CTX_check_private_key(ssl) == 1;
}

static bool restrict_to_ours(SSL_CTX *ssl)
{
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    SSL_CTX_set_cert_verify_callback(ssl, on_certificate, NULL);
    SSL_CTX_set_max_cert_list(ssl, TLS_CERTIFICATES_MAX);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    /* A system's openssl.cnf may forbid any of these: then we do not run. */
    return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(
               ssl, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") == 1 &&
           SSL_CTX_set1_groups_list(ssl, "X25519:P-256") == 1 &&
           SSL_CTX_set1_sigalgs_list(ssl, "ECDSA+SHA256") == 1 &&
           SSL_CTX_set_num_tickets(ssl, 0) == 1;
}

enum status tls_context_create(struct tls_context **context,
                               const struct tls_credentials *use,
                               struct error *err)
{
    struct tls_context *made = calloc(1, sizeof *made);
    enum status status;

    if (made == NULL)
        return error_memory(err, "TLS");
    made->use = *use;
    ERR_clear_error();
    made->ssl = SSL_CTX_new(TLS_method());
    if (made->ssl == NULL || !restrict_to_ours(made->ssl)) {
        status = sign_failure(err, "setting up TLS 1.3");
        goto failed;
    }
    if (!use_own(made->ssl, use)) {
        ERR_clear_error();
        status = error_set(err, E_INPUT,
                           "the node's key and its certificate do not belong "
                           "together");
        goto failed;
    }
    *context = made;
    return OK;

failed:
    tls_context_destroy(&made);
    return status;
}

void tls_context_destroy(struct tls_context **context)
{
    if (*context == NULL)
        return;
    SSL_CTX_free((*context)->ssl);
    free(*context);
    *context = NULL;
}

/* ---- one connection --------------------------------------------------------
 */

enum status tls_create(struct tls **tls, struct tls_context *context,
                       bool is_connector, struct error *err)
{
    struct tls *made = calloc(1, sizeof *made);

    if (made == NULL)
        return error_memory(err, "a TLS connection");
    ERR_clear_error();
    made->context = context;
    error_init(&made->refusal);
    made->ssl = SSL_new(context->ssl);
    made->in = BIO_new(BIO_s_mem());
    made->out = BIO_new(BIO_s_mem());
    if (made->ssl == NULL || made->in == NULL || made->out == NULL ||
        SSL_set_app_data(made->ssl, made) != 1) {
        BIO_free(made->in);
        BIO_free(made->out);
        SSL_free(made->ssl);
        free(made);
        return sign_failure(err, "making a TLS connection");
    }
    /* Empty means "more to come", not the end. */
    BIO_set_mem_eof_return(made->in, -1);
    BIO_set_mem_eof_return(made->out, -1);
    SSL_set_bio(made->ssl, made->in, made->out);
    if (is_connector)
        SSL_set_connect_state(made->ssl);
    else
        SSL_set_accept_state(made->ssl);
    *tls = made;
    return OK;
}

void tls_destroy(struct tls **tls)
{
    if (*tls == NULL)
        return;
    SSL_free((*tls)->ssl);
    certificate_destroy(&(*tls)->peer);
    free(*tls);
    *tls = NULL;
}

enum status tls_feed(struct tls *tls, struct bytes ciphertext,
                     struct error *err)
{
    assert(ciphertext.size <= TRANSPORT_READ_SIZE);
    if (ciphertext.size == 0 ||
        BIO_write(tls->in, ciphertext.data, (int)ciphertext.size) ==
            (int)ciphertext.size)
        return OK;
    return error_memory(err, "what came over TLS");
}

/* What SSL_do_handshake, SSL_read_ex or SSL_write_ex failed of. */
static enum status failure(struct tls *tls, int result, struct error *err)
{
    unsigned long code;

    if (tls->refusal.status != OK) {
        *err = tls->refusal;
        return err->status;
    }
    if (SSL_get_error(tls->ssl, result) == SSL_ERROR_ZERO_RETURN)
        return error_set(err, E_IO, "the peer has ended the connection");
    code = ERR_peek_error();
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        return sign_failure(err, "TLS");
    ERR_clear_error();
    /* An alert of the peer's: that it refuses our certificate, mostly. */
    if (ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET)
        return error_set(err, E_REFUSED, "the peer refuses: TLS alert %d",
                         ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET);
    return error_set(
        err, tls->done ? E_IO : E_INPUT, "not TLS as it must be: %s",
        code != 0 ? ERR_reason_error_string(code) : "the connection is broken");
}

enum status tls_handshake(struct tls *tls, bool *done, struct error *err)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(tls->ssl);
    *done = result == 1;
    if (result == 1) {
        /* Without a certificate OpenSSL fails before: see restrict_to_ours. */
        assert(tls->peer != NULL);
        tls->done = true;
        return OK;
    }
    if (SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
        return OK;
    return failure(tls, result, err);
}

enum status tls_read(struct tls *tls, void *out, size_t size, size_t *got,
                     struct error *err)
{
    int result;

    assert(tls->done && size > 0);
    *got = 0;
    ERR_clear_error();
    result = SSL_read_ex(tls->ssl, out, size, got);
    if (result == 1 || SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
        return OK;
    *got = 0;
    return failure(tls, result, err);
}

enum status tls_write(struct tls *tls, struct bytes plaintext,
                      struct error *err)
{
    size_t written = 0;
    int result;

    assert(tls->done && plaintext.size > 0);
    ERR_clear_error();
    /* Memory takes all of it, in as many records as that needs. */
    result = SSL_write_ex(tls->ssl, plaintext.data, plaintext.size, &written);
    if (result == 1 && written == plaintext.size)
        return OK;
    return failure(tls, result, err);
}

struct bytes tls_output(struct tls *tls)
{
    char *data = NULL;
    long size = BIO_get_mem_data(tls->out, &data);

    return bytes_of(data, size > 0 ? (size_t)size : 0);
}

void tls_output_taken(struct tls *tls)
{
    /* Of a writable memory BIO this cannot fail. */
    (void)BIO_reset(tls->out);
}

const struct certificate *tls_peer(const struct tls *tls)
{
    return tls->done ? tls->peer : NULL;
}
