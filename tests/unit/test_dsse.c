#include "common/dsse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "tests/lib/federation.h"
#include "tests/lib/suite.h"

void suite_dsse(void);

static const char statement[] =
    "{\"_type\":\"https://in-toto.io/Statement/v1\"}";

/* There is one. */
static struct network network;

static const struct network_identity *who(enum identity_role role)
{
    return network_who(&network, NORTH, role);
}

static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err->text);
    abort();
}

static void make(struct text *out, const struct network_identity *const *signer,
                 size_t count)
{
    struct dsse_signature signature[DSSE_SIGNATURES_MAX];
    struct error err;

    error_init(&err);
    text_init(out);
    for (size_t i = 0; i < count; i++)
        demand(dsse_sign(bytes_of_string(statement),
                         certificate_id(signer[i]->certificate), signer[i]->key,
                         &signature[i], &err),
               &err);
    demand(dsse_write(bytes_of_string(statement), signature, count, out, &err),
           &err);
}

/* The example of the specification, protocol.md of
 * secure-systems-lab/dsse. */
static void what_is_signed_is_as_the_specification_has_it(void)
{
    struct text out;
    struct error err;

    text_init(&out);
    demand(dsse_encode("http://example.com/HelloWorld",
                       bytes_of_string("hello world"), &out, &err),
           &err);
    CU_ASSERT_STRING_EQUAL(
        out.data, "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    text_clear(&out);
    demand(dsse_encode("", bytes_of("\0\n", 2), &out, &err), &err);
    CU_ASSERT(bytes_equal(text_bytes(&out), bytes_of("DSSEv1 0  2 \0\n", 14)));
    text_clear(&out);
}

static void what_is_written_is_read_and_holds(void)
{
    const struct network_identity *signer[] = {who(IDENTITY_ANONYMIZER),
                                               who(IDENTITY_BROKER)};
    struct text text;
    struct dsse dsse;
    struct error err;

    network_open(&network);
    error_init(&err);
    make(&text, signer, 2);
    demand(dsse_parse(&dsse, text_bytes(&text), &err), &err);
    CU_ASSERT(bytes_equal_string(text_bytes(&dsse.payload), statement));
    CU_ASSERT_EQUAL(dsse.signature_count, 2);
    CU_ASSERT(strcmp(dsse.signature[0].by, dsse.signature[1].by) < 0);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(dsse_verify(&dsse, signer[i]->certificate, &err), OK);
    CU_ASSERT_EQUAL(
        dsse_verify(&dsse, who(IDENTITY_CUSTODIAN)->certificate, &err), E_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "there is no signature by"));
    dsse_clear(&dsse);
    CU_ASSERT_EQUAL(dsse.payload.size, 0);
    text_clear(&text);
    network_close(&network);
}

/* Form or signature: nothing of an envelope can be altered. */
static void every_byte_of_an_envelope_counts(void)
{
    const struct network_identity *signer[] = {who(IDENTITY_ANONYMIZER)};
    struct text text;
    struct error err;
    size_t accepted = 0;

    network_open(&network);
    make(&text, signer, 1);
    for (size_t i = 0; i < text.size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct dsse dsse;

            text.data[i] = (char)(text.data[i] ^ (1 << bit));
            error_init(&err);
            if (dsse_parse(&dsse, text_bytes(&text), &err) == OK) {
                accepted +=
                    dsse_verify(&dsse, signer[0]->certificate, &err) == OK;
                CU_ASSERT_EQUAL(err.status, E_NO);
            } else
                CU_ASSERT_EQUAL(err.status, E_INPUT);
            dsse_clear(&dsse);
            text.data[i] = (char)(text.data[i] ^ (1 << bit));
        }
    CU_ASSERT_EQUAL(accepted, 0);
    text_clear(&text);
    network_close(&network);
}

/* A key signs entries, too: what it signed there holds nowhere else. */
static void a_signature_over_the_bare_statement_does_not_hold(void)
{
    const struct network_identity *signer = who(IDENTITY_ANONYMIZER);
    struct dsse_signature signature = {.size = 0};
    struct text text;
    struct dsse dsse;
    struct error err;

    network_open(&network);
    error_init(&err);
    text_init(&text);
    snprintf(signature.by, sizeof signature.by, "%s",
             certificate_id(signer->certificate));
    demand(private_key_sign(signer->key, bytes_of_string(statement),
                            signature.bytes, &signature.size, &err),
           &err);
    demand(dsse_write(bytes_of_string(statement), &signature, 1, &text, &err),
           &err);
    demand(dsse_parse(&dsse, text_bytes(&text), &err), &err);
    CU_ASSERT_EQUAL(dsse_verify(&dsse, signer->certificate, &err), E_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not hold"));
    dsse_clear(&dsse);
    text_clear(&text);
    network_close(&network);
}

static void what_cannot_be_read_again_is_not_written(void)
{
    const struct network_identity *signer = who(IDENTITY_ANONYMIZER);
    struct dsse_signature signature[2];
    struct text text;
    struct error err;

    network_open(&network);
    error_init(&err);
    text_init(&text);
    demand(dsse_sign(bytes_of_string(statement),
                     certificate_id(signer->certificate), signer->key,
                     &signature[0], &err),
           &err);
    signature[1] = signature[0];
    CU_ASSERT_EQUAL(
        dsse_write(bytes_of_string(statement), signature, 2, &text, &err),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "two signatures by"));
    CU_ASSERT_EQUAL(
        dsse_write(bytes_of_string(statement), signature, 0, &text, &err),
        E_INPUT);
    CU_ASSERT_EQUAL(dsse_write(bytes_of_string(statement), signature,
                               DSSE_SIGNATURES_MAX + 1, &text, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(dsse_write(bytes_of(statement, DSSE_PAYLOAD_SIZE_MAX + 1),
                               signature, 1, &text, &err),
                    E_LIMIT);
    CU_ASSERT_EQUAL(text.size, 0);
    network_close(&network);
}

#define TYPE "\"payloadType\":\"application/vnd.in-toto+json\""
#define ID_1 "00112233445566778899aabbccddeeff"
#define ID_2 "10112233445566778899aabbccddeeff"
/* The smallest that can be: r = s = 1. */
#define SIG "MAYCAQECAQE="
#define BY(id) "{\"keyid\":\"" id "\",\"sig\":\"" SIG "\"}"
#define ENVELOPE(signatures)                                                   \
    "{\"payload\":\"e30=\"," TYPE ",\"signatures\":[" signatures "]}"

static void an_envelope_that_is_none_is_refused(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "line 1"},
        {"[]", "expected an object"},
        {"{}", "no \"payload\""},
        {"{\"payload\":\"e30=\"," TYPE "}", "no \"signatures\""},
        {"{\"payload\":\"e30=\",\"signatures\":[" BY(ID_1) "]}",
         "no \"payloadType\""},
        {"{\"payload\":\"e30\"}", "\"payload\""},
        {"{\"payload\":\"e31=\"}", "\"payload\""},
        /* The alphabet for URLs: '-' for '+'. */
        {"{\"payload\":\"-A==\"}", "\"payload\""},
        {"{\"payload\":1}", "is a number"},
        {"{\"payloadType\":\"application/json\"}", "is another"},
        {ENVELOPE(""), "has another number"},
        {ENVELOPE("1"), "a signature is an object"},
        {ENVELOPE("{\"sig\":\"" SIG "\"}"), "no \"keyid\""},
        {ENVELOPE("{\"keyid\":\"" ID_1 "\"}"), "no \"sig\""},
        {ENVELOPE("{\"keyid\":\"\",\"sig\":\"" SIG "\"}"), "is none"},
        {ENVELOPE(BY("0011223344556677889AAABBCCDDEEFF")), "is none"},
        {ENVELOPE("{\"keyid\":\"" ID_1 "\",\"sig\":\"AAAA\"}"), "is none"},
        {ENVELOPE("{\"keyid\":\"" ID_1 "\",\"sig\":\"\"}"), "is none"},
        {ENVELOPE("{\"keyid\":\"" ID_1 "\",\"sig\":\"" SIG "\",\"cert\":\"\"}"),
         "unknown key \"cert\""},
        {ENVELOPE(BY(ID_1) "," BY(ID_1)), "ascending by keyid"},
        {ENVELOPE(BY(ID_2) "," BY(ID_1)), "ascending by keyid"},
        {ENVELOPE(BY(ID_1)) "x", "line 1"},
        {"{\"payload\":\"e30=\",\"payload\":\"e30=\"}", "payload"},
    };
    struct dsse dsse;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(dsse_parse(&dsse,
                               bytes_of_string(ENVELOPE(BY(ID_1) "," BY(ID_2))),
                               &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(dsse.payload.data, "{}");
    dsse_clear(&dsse);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_init(&err);
        CU_ASSERT_EQUAL(dsse_parse(&dsse, bytes_of_string(cases[i].text), &err),
                        E_INPUT);
        CU_ASSERT(dsse.payload.size == 0 && dsse.signature_count == 0);
        if (strstr(err.text, cases[i].words) == NULL) {
            fprintf(stderr, "\nno \"%s\" in: %s\n", cases[i].words, err.text);
            CU_FAIL("another message");
        }
    }
}

static void too_large_an_envelope_is_refused(void)
{
    struct text text;
    struct dsse dsse;
    struct error err;

    error_init(&err);
    text_init(&text);
    demand(text_reserve(&text, DSSE_SIZE_MAX + 1, &err), &err);
    memset(text.data, ' ', DSSE_SIZE_MAX + 1);
    text.size = DSSE_SIZE_MAX + 1;
    text.data[text.size] = '\0';
    CU_ASSERT_EQUAL(dsse_parse(&dsse, text_bytes(&text), &err), E_LIMIT);
    text_clear(&text);
}

void suite_dsse(void)
{
    static const struct test tests[] = {
        {"what is signed is as the specification has it",
         what_is_signed_is_as_the_specification_has_it},
        {"what is written is read and holds",
         what_is_written_is_read_and_holds},
        {"every byte of an envelope counts", every_byte_of_an_envelope_counts},
        {"a signature over the bare statement does not hold",
         a_signature_over_the_bare_statement_does_not_hold},
        {"what cannot be read again is not written",
         what_cannot_be_read_again_is_not_written},
        {"an envelope that is none is refused",
         an_envelope_that_is_none_is_refused},
        {"too large an envelope is refused", too_large_an_envelope_is_refused},
    };

    suite_add("dsse", tests, sizeof tests / sizeof *tests);
}
