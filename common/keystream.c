#include "common/keystream.h"

#include <assert.h>

#include <openssl/evp.h>

#include "common/encoding.h"
#include "common/sign.h"
#include "common/sign_internal.h"

/* Made at once: a call of OpenSSL costs as much as some hundred bytes. */
#define BUFFER_SIZE 4096

struct keystream {
    EVP_CIPHER_CTX *context;
    size_t used; /* of the buffer */
    uint8_t buffer[BUFFER_SIZE];
};

enum status keystream_create(struct keystream **out,
                             const uint8_t key[KEYSTREAM_KEY_SIZE],
                             struct error *err)
{
    static const uint8_t counter[16];
    struct keystream *stream = secret_allocate(sizeof *stream);
    EVP_CIPHER *cipher = NULL;
    bool made = false;

    *out = NULL;
    if (stream == NULL)
        return error_memory(err, "a key stream");
    stream->used = BUFFER_SIZE;
    cipher = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    if (cipher != NULL)
        stream->context = EVP_CIPHER_CTX_new();
    if (stream->context != NULL)
        made = EVP_EncryptInit_ex2(stream->context, cipher, key, counter,
                                   NULL) == 1 &&
               EVP_CIPHER_CTX_get_key_length(stream->context) ==
                   KEYSTREAM_KEY_SIZE;
    EVP_CIPHER_free(cipher); /* the context has a share of it */
    if (!made) {
        keystream_destroy(&stream);
        return sign_failure(err, "setting up AES-256-CTR");
    }
    *out = stream;
    return OK;
}

void keystream_destroy(struct keystream **stream)
{
    if (*stream == NULL)
        return;
    EVP_CIPHER_CTX_free((*stream)->context); /* wipes it */
    secret_release(*stream, sizeof **stream);
    *stream = NULL;
}

/* What comes out of enciphering zeros. */
static enum status fill(struct keystream *stream, struct error *err)
{
    static const uint8_t zeros[BUFFER_SIZE];
    int size = 0;

    if (EVP_EncryptUpdate(stream->context, stream->buffer, &size, zeros,
                          BUFFER_SIZE) != 1)
        return sign_failure(err, "AES-256-CTR");
    assert(size == BUFFER_SIZE);
    stream->used = 0;
    return OK;
}

enum status keystream_below(struct keystream *stream, uint32_t bound,
                            uint32_t *number, struct error *err)
{
    uint64_t words = UINT64_C(1) << 32;
    uint64_t end;
    uint32_t word;

    assert(bound > 0);
    end = words - words % bound;
    do {
        if (stream->used == BUFFER_SIZE) {
            enum status status = fill(stream, err);

            if (status != OK)
                return status;
        }
        word = get_be32(stream->buffer + stream->used);
        stream->used += sizeof word;
    } while (word >= end);
    *number = word % bound;
    return OK;
}
