#include <time.h>

#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/identity_internal.h"
#include "common/sign_internal.h"

#define UTC_TIME_SIZE 13         /* YYMMDDhhmmssZ */
#define GENERALIZED_TIME_SIZE 15 /* YYYYMMDDhhmmssZ */
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE 0x30

/* AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758). */
static const uint8_t signature_algorithm[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

/* ---- values ---- */

/* Take a value with this tag off the front of `from`; lengths in the one form
 * that DER has for them, up to what two bytes can say. */
static bool take_value(struct bytes *from, uint8_t tag, struct bytes *whole,
                       struct bytes *content)
{
    size_t header = 2, size;

    if (from->size < 2 || from->data[0] != tag)
        return false;
    size = from->data[1];
    if (size >= 0x80) {
        size_t digits = size - 0x80;

        header = 2 + digits;
        if (digits < 1 || digits > 2 || from->size < header)
            return false;
        size = digits == 1 ? from->data[2]
                           : (size_t)from->data[2] << 8 | from->data[3];
        if (size < (digits == 1 ? 0x80u : 0x100u))
            return false;
    }
    if (size > from->size - header)
        return false;
    *whole = bytes_of(from->data, header + size);
    *content = bytes_of(from->data + header, size);
    *from = bytes_of(from->data + header + size, from->size - header - size);
    return true;
}

bool identity_split_signed(struct bytes der, struct bytes *tbs,
                           struct bytes *signature)
{
    struct bytes whole, body, content, algorithm;

    if (!take_value(&der, DER_SEQUENCE, &whole, &body) || der.size != 0 ||
        !take_value(&body, DER_SEQUENCE, tbs, &content) ||
        !take_value(&body, DER_SEQUENCE, &algorithm, &content) ||
        !bytes_equal(algorithm, bytes_of(signature_algorithm,
                                         sizeof signature_algorithm)) ||
        !take_value(&body, DER_BIT_STRING, &whole, &content) ||
        body.size != 0 || content.size < 2 || content.data[0] != 0)
        return false;
    *signature = bytes_of(content.data + 1, content.size - 1);
    return true;
}

enum status identity_key_read(X509_PUBKEY *encoded, struct public_key **key,
                              struct error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(encoded, &der);
    enum status status;

    if (size <= 0)
        return sign_failure(err, "encoding a public key");
    status = public_key_decode(key, bytes_of(der, (size_t)size), err);
    OPENSSL_free(der);
    if (status == OK && public_key_type(*key) != KEY_P256) {
        public_key_destroy(key);
        status = error_set(err, E_INPUT, "its key is not of P-256");
    }
    return status;
}

static bool two_digits(const unsigned char *at, int min, int max, int *number)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *number = 10 * (at[0] - '0') + (at[1] - '0');
    return *number >= min && *number <= max;
}

bool identity_time_read(const ASN1_TIME *time, int64_t *seconds)
{
    const unsigned char *at = ASN1_STRING_get0_data(time);
    int size = ASN1_STRING_length(time), century, year;
    struct tm tm = {0}, given;

    if (ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME &&
        size == GENERALIZED_TIME_SIZE) {
        if (!two_digits(at, 0, 99, &century))
            return false;
        at += 2;
    } else if (ASN1_STRING_type(time) == V_ASN1_UTCTIME &&
               size == UTC_TIME_SIZE) {
        century = at[0] < '5' ? 20 : 19;
    } else {
        return false;
    }
    if (!two_digits(at, 0, 99, &year) ||
        !two_digits(at + 2, 1, 12, &tm.tm_mon) ||
        !two_digits(at + 4, 1, 31, &tm.tm_mday) ||
        !two_digits(at + 6, 0, 23, &tm.tm_hour) ||
        !two_digits(at + 8, 0, 59, &tm.tm_min) ||
        !two_digits(at + 10, 0, 59, &tm.tm_sec) || at[12] != 'Z')
        return false;
    tm.tm_year = 100 * century + year - 1900;
    tm.tm_mon--;
    given = tm;
    *seconds = timegm(&tm);
    return tm.tm_mday == given.tm_mday; /* else there is no such day */
}

/* ---- PEM ---- */

enum status identity_append_pem(struct bytes der, const char *name,
                                struct text *out, struct error *err)
{
    BIO *pem = BIO_new(BIO_s_mem());
    char *data;
    long size;
    enum status status;

    if (pem == NULL ||
        PEM_write_bio(pem, name, "", der.data, (long)der.size) <= 0)
        status = sign_failure(err, "writing PEM");
    else {
        size = BIO_get_mem_data(pem, &data);
        status = text_append(out, data, (size_t)size, err);
    }
    BIO_free(pem);
    return status;
}
