/*
 * tests/fuzz/fuzz_identity.c - whatever certificate, certificate request,
 * public key or signature.
 *
 * The first byte says what the rest is: 'c' DER of a certificate, 'C' PEM of
 * one, 'r' PEM of a request, 'k' DER of a public key, 's' a signature.  What is
 * refused is refused with words; what is accepted has all that others rely on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/sign_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void check_subject(const struct certificate_subject *subject)
{
    demand(identity_name_valid(bytes_of_string(subject->organisation)));
    demand(identity_name_valid(bytes_of_string(subject->name)));
    demand((unsigned)subject->role < IDENTITY_ROLE_COUNT);
}

static void check_refusal(enum status status, const struct error *err)
{
    demand(status == E_INPUT || status == E_LIMIT || status == E_REFUSED);
    demand(err->status == status && err->text[0] != '\0');
}

/* It is itself again through PEM, and no chain of its own. */
static void check_certificate(const struct certificate *certificate)
{
    struct certificate *again = NULL;
    struct text pem;
    struct error err;
    int64_t first, last;

    text_init(&pem);
    check_subject(certificate_subject(certificate));
    check_subject(certificate_issuer(certificate));
    demand(certificate_issuer(certificate)->is_authority);
    certificate_validity(certificate, &first, &last);
    demand(first < last && first % 1000 == 0);
    demand(strlen(certificate_id(certificate)) == CERTIFICATE_ID_SIZE - 1);
    demand(public_key_type(certificate_key(certificate)) == KEY_P256);
    demand(certificate_append_pem(certificate, &pem, &err) == OK);
    demand(certificate_parse_pem(&again, text_bytes(&pem), &err) == OK);
    demand(bytes_equal(certificate_der(again), certificate_der(certificate)));
    demand(strcmp(certificate_id(again), certificate_id(certificate)) == 0);
    demand(certificate_check_chain(certificate, certificate, certificate, first,
                                   &err) == E_REFUSED);
    certificate_destroy(&again);
    text_clear(&pem);
}

static void try_certificate(struct bytes input, bool pem)
{
    struct certificate *certificate = NULL;
    struct error err;
    enum status status;

    error_init(&err);
    status = pem ? certificate_parse_pem(&certificate, input, &err)
                 : certificate_decode(&certificate, input, &err);
    demand((status == OK) == (certificate != NULL));
    if (status != OK)
        check_refusal(status, &err);
    else
        check_certificate(certificate);
    if (status == OK && !pem)
        demand(bytes_equal(certificate_der(certificate), input));
    certificate_destroy(&certificate);
}

static void try_request(struct bytes input)
{
    struct certificate_subject subject;
    struct public_key *key = NULL;
    struct error err;
    enum status status;

    error_init(&err);
    status = request_open(input, &key, &subject, &err);
    demand((status == OK) == (key != NULL));
    if (status == OK)
        check_subject(&subject);
    else
        check_refusal(status, &err);
    public_key_destroy(&key);
}

static void try_key(struct bytes input)
{
    struct public_key *key = NULL;
    struct error err;
    enum status status;

    error_init(&err);
    status = public_key_decode(&key, input, &err);
    demand((status == OK) == (key != NULL));
    if (status != OK)
        check_refusal(status, &err);
    else
        demand(bytes_equal(public_key_der(key), input));
    public_key_destroy(&key);
}

/* Under the generator of P-256 as a key: its private half is 1. */
static void try_signature(struct bytes input)
{
    static const uint8_t generator[] = {
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
        0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
        0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8,
        0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
        0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
        0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
        0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb,
        0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    struct public_key *key = NULL;
    struct error err;
    enum status status;

    error_init(&err);
    demand(public_key_decode(&key, bytes_of(generator, sizeof generator),
                             &err) == OK);
    status = public_key_verify(key, bytes_of("", 0), input, &err);
    if (status != OK)
        check_refusal(status, &err);
    else
        demand(signature_is_low(input));
    public_key_destroy(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest;

    if (size == 0)
        return 0;
    rest = bytes_of(data + 1, size - 1);
    switch (data[0]) {
    case 'c':
        try_certificate(rest, false);
        break;
    case 'C':
        try_certificate(rest, true);
        break;
    case 'r':
        try_request(rest);
        break;
    case 'k':
        try_key(rest);
        break;
    case 's':
        try_signature(rest);
        break;
    default:
        break;
    }
    return 0;
}
