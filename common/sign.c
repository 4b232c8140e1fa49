#include "common/sign.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "common/digest.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/sign_internal.h"

#define P256_SIZE 32          /* of a number below the group's order */
#define POINT_SIZE (size_t)65 /* 0x04 and both coordinates */
/* Smallest piece of the locked memory. */
#define KEY_PIECE_SIZE 32
#define DER_INTEGER 0x02
#define DER_SEQUENCE 0x30

struct private_key {
    EVP_PKEY *handle;
    enum key_type type;
};

struct public_key {
    EVP_PKEY *handle;
    enum key_type type;
    size_t size;
    uint8_t der[PUBLIC_KEY_SIZE_MAX];
};

/* A SubjectPublicKeyInfo is these bytes (RFC 5480, RFC 8410) and the key: 0x04
 * and both coordinates, or 32 raw bytes. */
static const uint8_t p256_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
                                      0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                      0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
                                      0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t ed25519_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define P256_KEY_SIZE (sizeof p256_prefix - 1 + POINT_SIZE)
#define ED25519_DER_SIZE (sizeof ed25519_prefix + ED25519_KEY_SIZE)

/* The order n of the group of P-256 (SP 800-186, 3.2.1.3), and (n - 1) / 2. */
static const uint8_t p256_order[P256_SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
    0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t p256_half_order[P256_SIZE] = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
    0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

/* ---- OpenSSL ---- */

enum status sign_failure(struct error *err, const char *what)
{
    bool memory = false;
    unsigned long code;

    while ((code = ERR_get_error()) != 0)
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            memory = true;
    if (memory)
        return error_memory(err, what);
    return error_set(err, E_SYSTEM, "%s failed in OpenSSL", what);
}

enum status sign_refusal(struct error *err, const char *what)
{
    enum status status = sign_failure(err, what);

    if (status == E_MEMORY)
        return status;
    return error_set(err, E_INPUT, "%s", what);
}

/* Looking an algorithm up takes longer than a short digest: once is enough.
 * Of two threads that come first, one gives its own back. */
const EVP_MD *sign_sha256(void)
{
    static _Atomic(EVP_MD *) known;
    EVP_MD *found = atomic_load(&known), *none = NULL;

    if (found != NULL)
        return found;
    found = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (found == NULL || atomic_compare_exchange_strong(&known, &none, found))
        return found;
    EVP_MD_free(found);
    return none;
}

/* A context of HMAC-SHA256 without a key, to be copied. */
static const EVP_MAC_CTX *hmac_template(void)
{
    static _Atomic(EVP_MAC_CTX *) known;
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *found = atomic_load(&known), *none = NULL;
    EVP_MAC *mac;

    if (found != NULL)
        return found;
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (mac != NULL)
        found = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context has a share of it */
    if (found != NULL && EVP_MAC_CTX_set_params(found, parameters) != 1) {
        EVP_MAC_CTX_free(found);
        return NULL;
    }
    if (found == NULL || atomic_compare_exchange_strong(&known, &none, found))
        return found;
    EVP_MAC_CTX_free(found);
    return none;
}

enum status private_key_lock_memory(struct error *err)
{
    int done = CRYPTO_secure_malloc_init(KEY_MEMORY_SIZE, KEY_PIECE_SIZE);

    if (done == 1)
        return OK;
    ERR_clear_error();
    return error_set(err, E_SYSTEM,
                     "memory for keys cannot be locked; \"ulimit -l\" must "
                     "allow %u KiB",
                     KEY_MEMORY_SIZE >> 10);
}

/* The type of a key that OpenSSL has made or read; false: neither. */
static bool type_of(const EVP_PKEY *handle, enum key_type *type)
{
    char group[32];
    size_t size;

    if (EVP_PKEY_is_a(handle, "ED25519")) {
        *type = KEY_ED25519;
        return true;
    }
    *type = KEY_P256;
    return EVP_PKEY_is_a(handle, "EC") &&
           EVP_PKEY_get_group_name(handle, group, sizeof group, &size) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

struct evp_pkey_st *private_key_handle(const struct private_key *key)
{
    return key->handle;
}

struct evp_pkey_st *public_key_handle(const struct public_key *key)
{
    return key->handle;
}

/* ---- private keys ---- */

/* Takes the handle in any case. */
static enum status private_key_wrap(struct private_key **key, EVP_PKEY *handle,
                                    enum key_type type, struct error *err)
{
    struct private_key *made = malloc(sizeof *made);

    if (made == NULL) {
        EVP_PKEY_free(handle);
        return error_memory(err, "a private key");
    }
    *made = (struct private_key){handle, type};
    *key = made;
    return OK;
}

enum status private_key_generate(struct private_key **key, enum key_type type,
                                 struct error *err)
{
    EVP_PKEY *handle = type == KEY_ED25519
                           ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                           : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    if (handle == NULL)
        return sign_failure(err, "making a private key");
    return private_key_wrap(key, handle, type, err);
}

/* What a file of a private key must be, before a byte of it is read. */
static enum status check_key_file(int fd, const char *path, struct error *err)
{
    struct stat is;

    if (fstat(fd, &is) != 0)
        return error_set_errno(err, E_IO, errno, "%s: reading failed", path);
    if (!S_ISREG(is.st_mode))
        return error_set(err, E_INPUT, "%s: is not a regular file", path);
    if ((is.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(err, E_INPUT,
                         "%s: has mode %04o; a private key is for its owner "
                         "alone: chmod 600",
                         path, (unsigned)(is.st_mode & 07777));
    if (is.st_size > KEY_FILE_SIZE_MAX)
        return error_set(err, E_LIMIT, "%s: has %jd bytes, the limit is %d",
                         path, (intmax_t)is.st_size, KEY_FILE_SIZE_MAX);
    return OK;
}

/* Value of a digit of base64, or -1. */
static int base64_value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);

    return found == NULL ? -1 : (int)(found - digits);
}

/* Four digits to three bytes; at the end of all, one or two "=" for the bytes
 * that are missing, and no bits that mean nothing.  The number of bytes, 0 if
 * it is not base64. */
static size_t decode_group(const char group[4], uint8_t out[3])
{
    size_t size = group[3] != '=' ? 3 : group[2] != '=' ? 2 : 1;
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i <= size ? base64_value(group[i]) : 0;

        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return (size < 3 && out[size] != 0) ? 0 : size;
}

/* Take `words` and the end of a line off the front. */
static bool take_line(struct bytes *pem, const char *words)
{
    size_t size = strlen(words);

    if (pem->size < size || memcmp(pem->data, words, size) != 0)
        return false;
    if (pem->size > size && pem->data[size] == '\r')
        size++;
    if (pem->size > size && pem->data[size] == '\n')
        size++;
    else if (pem->size > size)
        return false;
    *pem = bytes_of(pem->data + size, pem->size - size);
    return true;
}

/* By hand, since OpenSSL passes over what stands around a block, and does not
 * always tell a lack of memory from a wrong text. */
bool sign_pem_decode(struct bytes pem, const char *begin, const char *end,
                     uint8_t *der, size_t der_size_max, size_t *size)
{
    char group[4];
    size_t digits = 0, more = 3;

    *size = 0;
    if (!take_line(&pem, begin))
        return false;
    for (; pem.size > 0 && pem.data[0] != '-';
         pem = bytes_of(pem.data + 1, pem.size - 1)) {
        if (pem.data[0] == '\n' || pem.data[0] == '\r')
            continue;
        group[digits++] = (char)pem.data[0];
        if (digits < 4)
            continue;
        digits = 0;
        /* A group that was filled up was the last one. */
        if (more != 3 || *size > der_size_max - 3 ||
            (more = decode_group(group, der + *size)) == 0)
            return false;
        *size += more;
    }
    OPENSSL_cleanse(group, sizeof group);
    return digits == 0 && *size > 0 && take_line(&pem, end) && pem.size == 0;
}

static EVP_PKEY *decode_pem(struct bytes pem)
{
    uint8_t der[KEY_FILE_SIZE_MAX];
    PKCS8_PRIV_KEY_INFO *info = NULL;
    EVP_PKEY *handle = NULL;
    const unsigned char *at = der;
    size_t size;

    if (sign_pem_decode(pem, "-----BEGIN PRIVATE KEY-----",
                        "-----END PRIVATE KEY-----", der, sizeof der, &size))
        info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)size);
    if (info != NULL && at == der + size)
        handle = EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info); /* wipes it */
    OPENSSL_cleanse(der, sizeof der);
    return handle;
}

/* The two halves of a key may be of different keys. */
static bool halves_fit(EVP_PKEY *handle)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, handle, NULL);
    bool fit = context != NULL && EVP_PKEY_pairwise_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    return fit;
}

enum status private_key_load(struct private_key **key, const char *path,
                             struct error *err)
{
    char pem[KEY_FILE_SIZE_MAX];
    EVP_PKEY *handle = NULL;
    enum key_type type;
    size_t size = 0;
    enum status status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return error_set_errno(err, E_INPUT, errno, "%s: cannot be opened",
                               path);
    if ((status = check_key_file(fd, path, err)) == OK)
        status = descriptor_read(fd, pem, sizeof pem, &size, path, err);
    close(fd);
    if (status != OK)
        goto done;
    ERR_clear_error();
    if ((handle = decode_pem(bytes_of(pem, size))) == NULL)
        status = sign_refusal(err, "is not one private key in PEM (PKCS #8, "
                                   "\"BEGIN PRIVATE KEY\", not encrypted)");
    else if (!type_of(handle, &type))
        status = sign_refusal(err, "is neither a P-256 nor an Ed25519 key");
    else if (!halves_fit(handle))
        status = sign_refusal(
            err, "has a private and a public half that do not fit");
    else {
        status = private_key_wrap(key, handle, type, err);
        handle = NULL;
    }
    if (status != OK)
        status = error_wrap(err, "%s", path);
done:
    EVP_PKEY_free(handle);
    OPENSSL_cleanse(pem, sizeof pem);
    return status;
}

enum status private_key_save(const struct private_key *key, const char *path,
                             struct error *err)
{
    struct new_file *file = NULL;
    struct stat is;
    BIO *pem = NULL;
    char *data;
    long size;
    enum status status;

    /* Publishing would see it, too, but a wrong word is sooner mended. */
    if (lstat(path, &is) == 0)
        return error_set(err, E_INPUT,
                         "%s: exists already, and is not "
                         "overwritten",
                         path);
    status = new_file_create(&file, path, 0600, err);
    if (status != OK)
        return status;
    pem = BIO_new(BIO_s_secmem());
    if (pem == NULL || PEM_write_bio_PKCS8PrivateKey(pem, key->handle, NULL,
                                                     NULL, 0, NULL, NULL) != 1)
        status = sign_failure(err, "writing a private key");
    else {
        size = BIO_get_mem_data(pem, &data);
        status = descriptor_write(new_file_descriptor(file),
                                  bytes_of(data, (size_t)size), path, err);
    }
    BIO_free(pem);
    if (status == OK)
        status = new_file_publish_fresh(&file, err);
    new_file_discard(&file);
    return status;
}

void private_key_destroy(struct private_key **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_free((*key)->handle); /* wipes it */
    free(*key);
    *key = NULL;
}

enum key_type private_key_type(const struct private_key *key)
{
    return key->type;
}

/* ---- public keys ---- */

/* The public key alone, so that nobody who verifies has the private one. */
enum status private_key_public(const struct private_key *key,
                               struct public_key **public_key,
                               struct error *err)
{
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(key->handle, &der);
    enum status status;

    if (size <= 0)
        return sign_failure(err, "encoding a public key");
    status = public_key_decode(public_key, bytes_of(der, (size_t)size), err);
    OPENSSL_free(der);
    return status;
}

enum status private_key_raw(const struct private_key *key,
                            uint8_t raw[ED25519_KEY_SIZE], struct error *err)
{
    size_t size = ED25519_KEY_SIZE;

    assert(key->type == KEY_ED25519);
    ERR_clear_error();
    if (EVP_PKEY_get_raw_public_key(key->handle, raw, &size) != 1)
        return sign_failure(err, "encoding a public key");
    assert(size == ED25519_KEY_SIZE);
    return OK;
}

static bool starts_with(struct bytes der, const uint8_t *prefix, size_t size)
{
    return der.size > size && memcmp(der.data, prefix, size) == 0;
}

/* Not by d2i_PUBKEY, which hides from us why it fails. */
static EVP_PKEY *p256_handle(const uint8_t *point, size_t size)
{
    char group[] = "prime256v1";
    uint8_t copy[POINT_SIZE];
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, size),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *handle = NULL;

    assert(size == sizeof copy);
    memcpy(copy, point, size);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &handle, EVP_PKEY_PUBLIC_KEY, parameters) !=
            1)
        handle = NULL;
    EVP_PKEY_CTX_free(context);
    return handle;
}

/* Does OpenSSL's queue say that the bytes are no point? */
static bool found_no_point(void)
{
    unsigned long code = ERR_peek_error();

    return ERR_GET_LIB(code) == ERR_LIB_EC &&
           (ERR_GET_REASON(code) == EC_R_POINT_IS_NOT_ON_CURVE ||
            ERR_GET_REASON(code) == EC_R_INVALID_ENCODING);
}

enum status public_key_decode(struct public_key **key, struct bytes der,
                              struct error *err)
{
    struct public_key *made;
    enum status status;

    if ((der.size != ED25519_DER_SIZE ||
         !starts_with(der, ed25519_prefix, sizeof ed25519_prefix)) &&
        (der.size != P256_KEY_SIZE ||
         !starts_with(der, p256_prefix, sizeof p256_prefix)))
        return error_set(err, E_INPUT,
                         "not the DER of a public key of P-256 (uncompressed) "
                         "or Ed25519");
    if ((made = malloc(sizeof *made)) == NULL)
        return error_memory(err, "a public key");
    made->type = der.size == ED25519_DER_SIZE ? KEY_ED25519 : KEY_P256;
    made->size = der.size;
    memcpy(made->der, der.data, der.size);
    ERR_clear_error();
    if (made->type == KEY_ED25519)
        made->handle = EVP_PKEY_new_raw_public_key_ex(
            NULL, "ED25519", NULL, der.data + sizeof ed25519_prefix,
            ED25519_KEY_SIZE);
    else /* the last byte of the prefix is the first of the point */
        made->handle =
            p256_handle(der.data + sizeof p256_prefix - 1, POINT_SIZE);
    if (made->handle != NULL) {
        *key = made;
        return OK;
    }
    free(made);
    if (!found_no_point())
        return sign_failure(err, "decoding a public key");
    status =
        error_set(err, E_INPUT, "a public key that is no point of its curve");
    ERR_clear_error();
    return status;
}

enum status public_key_ed25519(struct public_key **key,
                               const uint8_t raw[ED25519_KEY_SIZE],
                               struct error *err)
{
    uint8_t der[ED25519_DER_SIZE];

    memcpy(der, ed25519_prefix, sizeof ed25519_prefix);
    memcpy(der + sizeof ed25519_prefix, raw, ED25519_KEY_SIZE);
    return public_key_decode(key, bytes_of(der, sizeof der), err);
}

struct bytes public_key_der(const struct public_key *key)
{
    return bytes_of(key->der, key->size);
}

bool public_key_equal(const struct public_key *a, const struct public_key *b)
{
    return bytes_equal(public_key_der(a), public_key_der(b));
}

void public_key_raw(const struct public_key *key, uint8_t raw[ED25519_KEY_SIZE])
{
    assert(key->type == KEY_ED25519);
    memcpy(raw, key->der + sizeof ed25519_prefix, ED25519_KEY_SIZE);
}

enum key_type public_key_type(const struct public_key *key)
{
    return key->type;
}

void public_key_destroy(struct public_key **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_free((*key)->handle);
    free(*key);
    *key = NULL;
}

/* ---- ECDSA signatures: SEQUENCE { INTEGER r, INTEGER s } ---- */

struct ecdsa_signature {
    uint8_t r[P256_SIZE], s[P256_SIZE]; /* big-endian */
};

/* Take a positive INTEGER off the front of `der`, minimal and below 2^256. */
static bool take_number(struct bytes *der, uint8_t number[P256_SIZE])
{
    const uint8_t *digits = der->data + 2;
    size_t size;

    if (der->size < 3 || der->data[0] != DER_INTEGER)
        return false;
    size = der->data[1];
    if (size == 0 || size > P256_SIZE + 1 || size > der->size - 2)
        return false;
    *der = bytes_of(digits + size, der->size - 2 - size);
    if ((digits[0] & 0x80) != 0) /* negative */
        return false;
    if (digits[0] == 0) {
        /* It keeps the number positive, or has no business here; so 0 goes,
         * too, which is no part of a signature. */
        if (size == 1 || (digits[1] & 0x80) == 0)
            return false;
        digits++;
        size--;
    }
    if (size > P256_SIZE)
        return false;
    memset(number, 0, P256_SIZE - size);
    memcpy(number + P256_SIZE - size, digits, size);
    return true;
}

static bool ecdsa_decode(struct ecdsa_signature *signature, struct bytes der)
{
    if (der.size < 2 || der.size > SIGNATURE_SIZE_MAX ||
        der.data[0] != DER_SEQUENCE || der.data[1] != der.size - 2)
        return false;
    der = bytes_of(der.data + 2, der.size - 2);
    return take_number(&der, signature->r) && take_number(&der, signature->s) &&
           der.size == 0;
}

static size_t put_number(uint8_t *out, const uint8_t number[P256_SIZE])
{
    size_t skip = 0, sign;

    while (number[skip] == 0)
        skip++; /* it is not 0 */
    sign = number[skip] >> 7;
    out[0] = DER_INTEGER;
    out[1] = (uint8_t)(P256_SIZE - skip + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, number + skip, P256_SIZE - skip);
    return 2 + sign + P256_SIZE - skip;
}

static size_t ecdsa_encode(const struct ecdsa_signature *signature,
                           uint8_t der[SIGNATURE_SIZE_MAX])
{
    size_t size = 2;

    size += put_number(der + size, signature->r);
    size += put_number(der + size, signature->s);
    der[0] = DER_SEQUENCE;
    der[1] = (uint8_t)(size - 2);
    return size;
}

static bool is_low(const uint8_t s[P256_SIZE])
{
    return memcmp(s, p256_half_order, P256_SIZE) <= 0;
}

bool signature_is_low(struct bytes signature)
{
    struct ecdsa_signature parts;

    return ecdsa_decode(&parts, signature) && is_low(parts.s);
}

/* s = n - s */
static void negate(uint8_t s[P256_SIZE])
{
    int borrow = 0;

    for (size_t i = P256_SIZE; i-- > 0;) {
        int digit = p256_order[i] - s[i] - borrow;

        borrow = digit < 0;
        s[i] = (uint8_t)digit;
    }
    assert(borrow == 0);
}

/* ---- signing and verifying ---- */

static enum status sign_p256(const struct private_key *key,
                             struct bytes message,
                             uint8_t signature[SIGNATURE_SIZE_MAX],
                             size_t *size, struct error *err)
{
    const EVP_MD *sha256 = sign_sha256();
    uint8_t hash[DIGEST_SIZE];
    struct ecdsa_signature parts;
    EVP_PKEY_CTX *context = NULL;
    enum status status = OK;

    *size = SIGNATURE_SIZE_MAX;
    if (sha256 == NULL ||
        EVP_Digest(message.data, message.size, hash, NULL, sha256, NULL) != 1)
        return sign_failure(err, "SHA-256");
    context = EVP_PKEY_CTX_new_from_pkey(NULL, key->handle, NULL);
    if (context == NULL || EVP_PKEY_sign_init(context) != 1 ||
        EVP_PKEY_sign(context, signature, size, hash, sizeof hash) != 1)
        status = sign_failure(err, "signing");
    EVP_PKEY_CTX_free(context);
    if (status != OK)
        return status;
    if (!ecdsa_decode(&parts, bytes_of(signature, *size)))
        return error_set(err, E_SYSTEM, "OpenSSL gave no ECDSA signature");
    if (!is_low(parts.s))
        negate(parts.s);
    *size = ecdsa_encode(&parts, signature);
    return OK;
}

static enum status sign_ed25519(const struct private_key *key,
                                struct bytes message,
                                uint8_t signature[SIGNATURE_SIZE_MAX],
                                size_t *size, struct error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum status status = OK;

    *size = SIGNATURE_SIZE_MAX;
    if (context == NULL ||
        EVP_DigestSignInit(context, NULL, NULL, NULL, key->handle) != 1 ||
        EVP_DigestSign(context, signature, size, message.data, message.size) !=
            1)
        status = sign_failure(err, "signing");
    EVP_MD_CTX_free(context);
    return status;
}

enum status private_key_sign(const struct private_key *key,
                             struct bytes message,
                             uint8_t signature[SIGNATURE_SIZE_MAX],
                             size_t *size, struct error *err)
{
    return key->type == KEY_P256
               ? sign_p256(key, message, signature, size, err)
               : sign_ed25519(key, message, signature, size, err);
}

/* 1: good; 0: wrong, unless OpenSSL's queue tells of something else; negative:
 * it could not be told. */
static int verify_p256(const struct public_key *key, struct bytes message,
                       struct bytes signature)
{
    const EVP_MD *sha256 = sign_sha256();
    uint8_t hash[DIGEST_SIZE];
    EVP_PKEY_CTX *context = NULL;
    int result = -1;

    if (sha256 == NULL ||
        EVP_Digest(message.data, message.size, hash, NULL, sha256, NULL) != 1)
        return -1;
    context = EVP_PKEY_CTX_new_from_pkey(NULL, key->handle, NULL);
    if (context != NULL && EVP_PKEY_verify_init(context) == 1)
        result = EVP_PKEY_verify(context, signature.data, signature.size, hash,
                                 sizeof hash);
    EVP_PKEY_CTX_free(context);
    return result;
}

static int verify_ed25519(const struct public_key *key, struct bytes message,
                          struct bytes signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int result = -1;

    if (context != NULL &&
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->handle) == 1)
        result = EVP_DigestVerify(context, signature.data, signature.size,
                                  message.data, message.size);
    EVP_MD_CTX_free(context);
    return result;
}

/* When Ed25519 lacks memory, OpenSSL says "wrong" and nothing else.  So what is
 * found wrong counts only if, after it, a signature that is good is found good
 * (RFC 8032, 7.1, test 1), and then once more. */
static int verify_ed25519_twice(const struct public_key *key,
                                struct bytes message, struct bytes signature)
{
    static const uint8_t good_key[ED25519_KEY_SIZE] = {
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
        0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
        0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
    static const uint8_t good_signature[ED25519_SIGNATURE_SIZE] = {
        0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2,
        0xcc, 0x80, 0x6e, 0x82, 0x8a, 0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5,
        0xd9, 0x74, 0xd8, 0x73, 0xe0, 0x65, 0x22, 0x49, 0x01, 0x55, 0x5f,
        0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b, 0xac, 0xc6, 0x1e, 0x39, 0x70,
        0x1c, 0xf9, 0xb4, 0x6b, 0xd2, 0x5b, 0xf5, 0xf0, 0x59, 0x5b, 0xbe,
        0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b};
    struct public_key *control = NULL;
    struct error ignored;
    int result = verify_ed25519(key, message, signature);

    if (result != 0)
        return result;
    if (public_key_ed25519(&control, good_key, &ignored) != OK)
        return -1;
    if (verify_ed25519(control, bytes_of("", 0),
                       bytes_of(good_signature, sizeof good_signature)) == 1)
        result = verify_ed25519(key, message, signature);
    else
        result = -1;
    public_key_destroy(&control);
    return result;
}

/* The result of a check, as a status. */
static enum status judge(int result, struct error *err)
{
    enum status status;

    if (result == 1)
        return OK;
    status = sign_failure(err, "checking a signature");
    if (result < 0 || status == E_MEMORY)
        return status;
    return error_set(err, E_REFUSED,
                     "the signature is not one of this key over these bytes");
}

enum status sign_verify_any_half(const struct public_key *key,
                                 struct bytes message, struct bytes signature,
                                 struct error *err)
{
    struct ecdsa_signature parts;

    assert(key->type == KEY_P256);
    if (!ecdsa_decode(&parts, signature))
        return error_set(err, E_REFUSED,
                         "the signature is not the DER of an ECDSA signature");
    ERR_clear_error();
    return judge(verify_p256(key, message, signature), err);
}

enum status public_key_verify(const struct public_key *key,
                              struct bytes message, struct bytes signature,
                              struct error *err)
{
    struct ecdsa_signature parts;

    if (key->type == KEY_P256) {
        if (ecdsa_decode(&parts, signature) && !is_low(parts.s))
            return error_set(err, E_REFUSED,
                             "the signature has a high s: n - s is its only "
                             "valid spelling");
        return sign_verify_any_half(key, message, signature, err);
    }
    if (signature.size != ED25519_SIGNATURE_SIZE)
        return error_set(err, E_REFUSED,
                         "an Ed25519 signature has %d bytes, this has %zu",
                         ED25519_SIGNATURE_SIZE, signature.size);
    ERR_clear_error();
    return judge(verify_ed25519_twice(key, message, signature), err);
}

/* ---- commitments and random bytes ---- */

enum status hmac_sha256(struct bytes key, struct bytes message,
                        uint8_t out[HMAC_SIZE], struct error *err)
{
    /* Without a pointer, OpenSSL would look for a key of before. */
    const uint8_t *key_data = key.size == 0 ? out : key.data;
    const EVP_MAC_CTX *template = hmac_template();
    EVP_MAC_CTX *context = template == NULL ? NULL : EVP_MAC_CTX_dup(template);
    size_t size = 0;
    enum status status = OK;

    if (context == NULL ||
        EVP_MAC_init(context, key_data, key.size, NULL) != 1 ||
        EVP_MAC_update(context, message.data, message.size) != 1 ||
        EVP_MAC_final(context, out, &size, HMAC_SIZE) != 1)
        status = sign_failure(err, "HMAC");
    EVP_MAC_CTX_free(context);
    assert(status != OK || size == HMAC_SIZE);
    return status;
}

enum status random_secret(void *out, size_t size, struct error *err)
{
    if (RAND_priv_bytes_ex(NULL, out, size, 0) != 1)
        return sign_failure(err, "drawing random bytes");
    return OK;
}

void secret_wipe(void *secret, size_t size)
{
    OPENSSL_cleanse(secret, size);
}

void *secret_allocate(size_t size)
{
    return OPENSSL_secure_zalloc(size);
}

void secret_release(void *secret, size_t size)
{
    OPENSSL_secure_clear_free(secret, size);
}
