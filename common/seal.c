#include "common/seal.h"

#include <assert.h>
#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/sign.h"
#include "common/sign_internal.h"

/* The struct is OpenSSL's context under our name. */
static EVP_CIPHER_CTX *context_of(struct seal *seal)
{
    return (EVP_CIPHER_CTX *)(void *)seal;
}

enum status seal_create(struct seal **seal, struct error *err)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    EVP_CIPHER_CTX *context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
    bool made = context != NULL &&
                EVP_CipherInit_ex2(context, cipher, NULL, NULL, 1, NULL) == 1 &&
                EVP_CIPHER_CTX_get_iv_length(context) == SEAL_NONCE_SIZE &&
                EVP_CIPHER_CTX_get_key_length(context) == SEAL_KEY_SIZE;

    EVP_CIPHER_free(cipher); /* the context has a share of it */
    if (made) {
        *seal = (struct seal *)(void *)context;
        return OK;
    }
    EVP_CIPHER_CTX_free(context);
    return sign_failure(err, "setting up AES-256-GCM");
}

void seal_destroy(struct seal **seal)
{
    if (*seal != NULL)
        EVP_CIPHER_CTX_free(context_of(*seal)); /* wipes it */
    *seal = NULL;
}

/* Everything but the tag.  GCM needs no room for padding: what goes in comes
 * out at once. */
static bool run_cipher(EVP_CIPHER_CTX *context, struct bytes associated,
                       struct bytes in, uint8_t *out)
{
    int size = 0;

    assert(associated.size <= INT_MAX && in.size <= INT_MAX);
    if (associated.size > 0 &&
        EVP_CipherUpdate(context, NULL, &size, associated.data,
                         (int)associated.size) != 1)
        return false;
    if (in.size == 0)
        return true;
    return EVP_CipherUpdate(context, out, &size, in.data, (int)in.size) == 1 &&
           (size_t)size == in.size;
}

enum status seal_close(struct seal *seal, const uint8_t key[SEAL_KEY_SIZE],
                       struct bytes associated, struct bytes plain,
                       uint8_t *sealed, struct error *err)
{
    EVP_CIPHER_CTX *context = context_of(seal);
    uint8_t *cipher = sealed + SEAL_NONCE_SIZE;
    uint8_t *tag = cipher + plain.size;
    int size = 0;
    enum status status = random_secret(sealed, SEAL_NONCE_SIZE, err);

    if (status != OK)
        return status;
    if (EVP_CipherInit_ex2(context, NULL, key, sealed, 1, NULL) != 1 ||
        !run_cipher(context, associated, plain, cipher) ||
        EVP_CipherFinal_ex(context, tag, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE,
                            tag) != 1)
        return sign_failure(err, "sealing");
    assert(size == 0);
    return OK;
}

enum status seal_open(struct seal *seal, const uint8_t key[SEAL_KEY_SIZE],
                      struct bytes associated, struct bytes sealed,
                      uint8_t *plain, struct error *err)
{
    EVP_CIPHER_CTX *context = context_of(seal);
    uint8_t tag[SEAL_TAG_SIZE], rest[SEAL_TAG_SIZE];
    struct bytes cipher;
    int size = 0;

    if (sealed.size < SEAL_EXTRA)
        return error_set(err, E_REFUSED,
                         "what is sealed has %zu bytes, at least %d were "
                         "expected",
                         sealed.size, SEAL_EXTRA);
    cipher = bytes_of(sealed.data + SEAL_NONCE_SIZE, sealed.size - SEAL_EXTRA);
    memcpy(tag, cipher.data + cipher.size, sizeof tag);
    if (EVP_CipherInit_ex2(context, NULL, key, sealed.data, 0, NULL) != 1 ||
        !run_cipher(context, associated, cipher, plain) ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) !=
            1) {
        secret_wipe(plain, cipher.size);
        return sign_failure(err, "opening what is sealed");
    }
    /* Compares the tags and does nothing else that could fail. */
    if (EVP_CipherFinal_ex(context, rest, &size) == 1)
        return OK;
    ERR_clear_error();
    secret_wipe(plain, cipher.size);
    return error_set(err, E_REFUSED,
                     "what is sealed was altered, or belongs elsewhere");
}
