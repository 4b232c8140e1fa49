#include "common/digest.h"

/* digest_parts needs what OpenSSL calls its low-level interface. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/encoding.h"

/* The stream is OpenSSL's context under our name. */
static EVP_MD_CTX *context_of(struct digest_stream *stream)
{
    return (EVP_MD_CTX *)(void *)stream;
}

enum status digest_open(struct digest_stream **stream, struct error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context == NULL)
        return error_memory(err, "a digest");
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return error_set(err, E_SYSTEM,
                         "SHA-256 is not available: out of memory, or not in "
                         "this OpenSSL");
    }
    *stream = (struct digest_stream *)(void *)context;
    return OK;
}

enum status digest_update(struct digest_stream *stream, struct bytes data,
                          struct error *err)
{
    if (EVP_DigestUpdate(context_of(stream), data.data, data.size) != 1)
        return error_set(err, E_SYSTEM, "SHA-256 failed");
    return OK;
}

enum status digest_finish(struct digest_stream **stream, struct digest *digest,
                          struct error *err)
{
    unsigned size = 0;
    int done = EVP_DigestFinal_ex(context_of(*stream), digest->byte, &size);

    digest_discard(stream);
    if (done != 1)
        return error_set(err, E_SYSTEM, "SHA-256 failed");
    assert(size == DIGEST_SIZE);
    return OK;
}

void digest_discard(struct digest_stream **stream)
{
    if (*stream != NULL)
        EVP_MD_CTX_free(context_of(*stream));
    *stream = NULL;
}

enum status digest_bytes(struct digest *digest, struct bytes data,
                         struct error *err)
{
    struct digest_stream *stream = NULL;
    enum status status = digest_open(&stream, err);

    if (status == OK)
        status = digest_update(stream, data, err);
    if (status == OK)
        return digest_finish(&stream, digest, err);
    digest_discard(&stream);
    return status;
}

/* By EVP each digest of OpenSSL 3.0 allocates, even with a context that is
 * used again, and so can fail; it also takes 40 % longer for 65 bytes.  The
 * low-level functions run the same code on a context of ours and always
 * return 1. */
static int update(SHA256_CTX *context, const struct bytes *part, size_t count)
{
    int done = 1;

    for (size_t i = 0; i < count; i++)
        if (part[i].size > 0)
            done &= SHA256_Update(context, part[i].data, part[i].size);
    return done;
}

void digest_parts(struct digest *digest, const struct bytes *part, size_t count)
{
    SHA256_CTX context;
    int done = SHA256_Init(&context);

    done &= update(&context, part, count);
    done &= SHA256_Final(digest->byte, &context);
    assert(done == 1);
}

#define HMAC_BLOCK_SIZE 64

/* SHA-256(key ^ 5c5c.. || SHA-256(key ^ 3636.. || parts)) */
void digest_hmac(struct digest *digest, struct bytes key,
                 const struct bytes *part, size_t count)
{
    uint8_t pad[HMAC_BLOCK_SIZE] = {0};
    struct digest short_key = {{0}}, inner;
    SHA256_CTX context;
    int done = 1;

    if (key.size > sizeof pad) {
        digest_parts(&short_key, &key, 1);
        key = bytes_of(short_key.byte, DIGEST_SIZE);
    }
    if (key.size > 0)
        memcpy(pad, key.data, key.size);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    done &= SHA256_Init(&context);
    done &= SHA256_Update(&context, pad, sizeof pad);
    done &= update(&context, part, count);
    done &= SHA256_Final(inner.byte, &context);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    done &= SHA256_Init(&context);
    done &= SHA256_Update(&context, pad, sizeof pad);
    done &= SHA256_Update(&context, inner.byte, DIGEST_SIZE);
    done &= SHA256_Final(digest->byte, &context);
    assert(done == 1);
    OPENSSL_cleanse(pad, sizeof pad);
    OPENSSL_cleanse(&short_key, sizeof short_key);
    OPENSSL_cleanse(&context, sizeof context);
}

void digest_hex(const struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
    hex_encode(bytes_of(digest->byte, DIGEST_SIZE), hex);
}
