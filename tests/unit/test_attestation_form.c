#include "anonymizer/attestation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/attestation_internal.h"
#include "tests/lib/attested.h"
#include "tests/lib/suite.h"

void suite_attestation_form(void);

/* ---- form ---- */

static enum status parse(const struct text *text, struct error *err)
{
    struct attestation *attestation = NULL;
    enum status status;

    error_init(err);
    status = attestation_parse(&attestation, text_bytes(text), err);
    CU_ASSERT_EQUAL(attestation == NULL, status != OK);
    attestation_destroy(&attestation);
    return status;
}

/* Is it a certificate, and does it say anything that holds? */
static bool holds(const struct text *text)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct error err;

    error_init(&err);
    if (attestation_parse(&attestation, text_bytes(text), &err) == OK &&
        attestation_verify(attestation, &attested_world.trust, &findings,
                           &err) != OK)
        CU_ASSERT_EQUAL(err.status, E_NO);
    CU_ASSERT(err.status != E_SYSTEM && err.status != E_MEMORY);
    attestation_destroy(&attestation);
    return err.status == OK;
}

static bool envelope_holds(const struct text *text)
{
    struct dsse dsse;
    struct error err;
    bool is_good;

    error_init(&err);
    is_good =
        dsse_parse(&dsse, text_bytes(text), &err) == OK &&
        dsse_verify(&dsse, attested_world.certifier->certificate, &err) == OK;
    dsse_clear(&dsse);
    return is_good;
}

/* Nothing in it is there for nothing: whichever byte changes, the signature
 * does not hold or it is no envelope any more.  Each sixteenth takes the whole
 * way as well. */
static void every_byte_of_a_certificate_counts(void)
{
    struct text *text = &attested_world.certificate;
    size_t accepted = 0;

    attested_begin();
    released_walk(&attested_world);
    attested_certify();
    CU_ASSERT(holds(text) && envelope_holds(text));
    for (size_t i = 0; i < text->size; i++) {
        char bit = (char)(1 << i % 8);

        text->data[i] = (char)(text->data[i] ^ bit);
        accepted += envelope_holds(text);
        if (i % 16 == 0)
            accepted += holds(text);
        text->data[i] = (char)(text->data[i] ^ bit);
    }
    CU_ASSERT_EQUAL(accepted, 0);
    attested_end();
}

/* Sign what `edit` makes of the statement, and expect this refusal. */
static void expect_refused(const char *from, const char *to, enum status status,
                           const char *words)
{
    struct dsse_signature signature;
    struct text edited, envelope;
    struct dsse dsse;
    struct error err;
    const char *at;

    error_init(&err);
    text_init(&edited);
    text_init(&envelope);
    attested_demand(
        dsse_parse(&dsse, text_bytes(&attested_world.certificate), &err), &err);
    at = strstr(dsse.payload.data, from);
    if (at == NULL) {
        fprintf(stderr, "\nno %s\n", from);
        abort();
    }
    attested_demand(text_append(&edited, dsse.payload.data,
                                (size_t)(at - dsse.payload.data), &err),
                    &err);
    attested_demand(text_append_string(&edited, to, &err), &err);
    attested_demand(text_append_string(&edited, at + strlen(from), &err), &err);
    attested_demand(
        dsse_sign(text_bytes(&edited),
                  certificate_id(attested_world.certifier->certificate),
                  attested_world.certifier->key, &signature, &err),
        &err);
    attested_demand(
        dsse_write(text_bytes(&edited), &signature, 1, &envelope, &err), &err);
    CU_ASSERT_EQUAL(parse(&envelope, &err), status);
    if (strstr(err.text, words) == NULL) {
        fprintf(stderr, "\nno \"%s\" in: %s\n", words, err.text);
        CU_FAIL("another message");
    }
    dsse_clear(&dsse);
    text_clear(&envelope);
    text_clear(&edited);
}

static void a_statement_of_another_form_is_refused(void)
{
    static const struct {
        const char *from, *to;
        enum status status;
        const char *words;
    } cases[] = {
        {"Statement/v1", "Statement/v0.1", E_VERSION, "\"_type\" is another"},
        {"urn:anchorite:release:1", "urn:anchorite:release:2", E_VERSION,
         "\"predicateType\" is another"},
        {"\"certificate\":1", "\"certificate\":2", E_VERSION, "version 2"},
        {"\"certificate\":1", "\"certificate\":1.5", E_INPUT, "is not whole"},
        {"\"certificate\":1", "\"stamp\":1", E_INPUT, "no \"certificate\""},
        {"{\"_type\"", "{\"more\":1,\"_type\"", E_INPUT, "unknown key"},
        {"\"certificate\":1", "\"certificate\":1,\"more\":1", E_INPUT,
         "unknown key \"more\""},
        {"\"delimiter\":\";\"", "\"delimiter\":\"\"", E_INPUT, "is none"},
        {"\"delimiter\":\";\"", "\"delimiter\":\"\\\"\"", E_INPUT, "is none"},
        {"\"delimiter\":\";\"", "\"delimiter\":\"\xC3\xA9\"", E_INPUT,
         "is none"},
        {"\"subject\":[{", "\"subject\":[1,{", E_INPUT, "has another number"},
        {".csv\"", ".CSV\"", E_INPUT, "\"name\" is another"},
        {"\"name\":\"5f0a", "\"name\":\"5F0a", E_INPUT, "\"name\" is another"},
        {"\"sha256\":\"", "\"sha512\":\"", E_INPUT, "sha512"},
        {"\"name\":\"5f0a", "\"name\":\"x5f0a", E_INPUT, "is another"},
        {"\"release\":\"5f0a", "\"release\":\"", E_INPUT, "is none"},
        {"\"salt\":\"", "\"salt\":\"0", E_INPUT, "\"salt\" is none"},
        {"\\\"statement\\\":\\\"terms 1\\\"",
         "\\\"statement\\\":\\\"terms 2\\\"", E_INPUT,
         "statement of the terms"},
        {"\\\"statement\\\":\\\"permit 1\\\"}",
         "\\\"statement\\\":\\\"permit 1\\\"} ", E_INPUT,
         "statement of the permit: is not in its canonical form"},
        {"\\\"DUO:0000042\\\"", "", E_INPUT, "has another number"},
        {"\\\"DUO:0000042\\\"", "\\\"\\\"", E_INPUT, "a purpose is a code"},
        {"\\\"levels\\\":{\\\"age\\\":1", "\\\"levels\\\":{\\\"age\\\":64",
         E_INPUT, "\"levels\" has something else"},
        {"\\\"levels\\\":{\\\"age\\\":1", "\\\"levels\\\":{\\\"age\\\":1.5",
         E_INPUT, "\"levels\" has something else"},
        {"\\\"rows\\\":6", "\\\"rows\\\":-6", E_INPUT, "\"rows\" is none"},
        {"\\\"highest\\\":0.5", "\\\"highest\\\":-0.5", E_INPUT,
         "out of range"},
        {"\\\"model\\\":\\\"k-anonymity\\\"", "\\\"model\\\":\\\"k-anon\\\"",
         E_INPUT, "\"policy\": "},
        {"\\\"policy\\\":1", "\\\"policy\\\": 1", E_INPUT, "canonical form"},
        {"\"verdict\":\"valid\"", "\"verdict\":\"fine\"", E_INPUT,
         "proof of the approve"},
        {"-----BEGIN CERTIFICATE", "-----BEGIN CERTIFICATF", E_INPUT, "line 1"},
    };

    attested_begin();
    released_walk(&attested_world);
    attested_certify();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_refused(cases[i].from, cases[i].to, cases[i].status,
                       cases[i].words);
    attested_end();
}

static void what_makes_no_certificate_is_not_written(void)
{
    static struct released other;
    struct attestation_parts right;
    struct error err;

    attested_begin();
    released_walk(&attested_world);
    right = attested_world.parts;
    released_open(&other, &attested_network);
    released_walk(&other);
    error_init(&err);
    attested_world.parts.proof[STEP_PERMIT] = other.parts.proof[STEP_PERMIT];
    CU_ASSERT_EQUAL(released_certify(&attested_world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "are from two checkpoints"));
    attested_world.parts = right;
    attested_world.parts.proof[STEP_PERMIT] = bytes_of_string("no proof");
    CU_ASSERT_EQUAL(released_certify(&attested_world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "proof of the permit"));
    attested_world.parts = right;
    attested_world.parts.outcome = right.permit;
    CU_ASSERT_EQUAL(released_certify(&attested_world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"output\""));
    attested_world.parts = right;
    attested_world.parts.terms = right.permit;
    CU_ASSERT_EQUAL(released_certify(&attested_world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "statement of the terms"));
    attested_world.parts = right;
    attested_world.parts.delimiter = '\n';
    CU_ASSERT_EQUAL(released_certify(&attested_world, &err), E_INPUT);
    attested_world.parts = right;
    attested_world.parts.policy = bytes_of("{}\0", 3);
    CU_ASSERT_EQUAL(released_certify(&attested_world, &err), E_INPUT);
    attested_world.parts = right;
    attested_world.parts.signer_count = 0;
    CU_ASSERT_EQUAL(released_certify(&attested_world, &err), E_INPUT);
    CU_ASSERT_EQUAL(attested_world.certificate.size, 0);
    released_close(&other);
    attested_end();
}

/* Others may sign envelopes together. */
static void a_certificate_with_two_signatures_is_refused(void)
{
    const struct network_identity *signer[2];
    struct dsse_signature signature[2];
    struct text envelope;
    struct dsse dsse;
    struct error err;

    error_init(&err);
    text_init(&envelope);
    attested_begin();
    released_walk(&attested_world);
    attested_certify();
    signer[0] = attested_world.certifier;
    signer[1] = attested_world.author[STEP_PERMIT];
    attested_demand(
        dsse_parse(&dsse, text_bytes(&attested_world.certificate), &err), &err);
    for (size_t i = 0; i < 2; i++)
        attested_demand(dsse_sign(text_bytes(&dsse.payload),
                                  certificate_id(signer[i]->certificate),
                                  signer[i]->key, &signature[i], &err),
                        &err);
    attested_demand(
        dsse_write(text_bytes(&dsse.payload), signature, 2, &envelope, &err),
        &err);
    CU_ASSERT_EQUAL(parse(&envelope, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "2 signatures, expected one"));
    dsse_clear(&dsse);
    text_clear(&envelope);
    attested_end();
}

static void a_file_that_is_not_there_is_named(void)
{
    struct attestation *attestation = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(
        attestation_load(&attestation, "/nowhere/certificate.json", &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(attestation);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/certificate.json"));
}

void suite_attestation_form(void)
{
    static const struct test tests[] = {
        {"every byte of a certificate counts",
         every_byte_of_a_certificate_counts},
        {"a statement of another form is refused",
         a_statement_of_another_form_is_refused},
        {"what makes no certificate is not written",
         what_makes_no_certificate_is_not_written},
        {"a certificate with two signatures is refused",
         a_certificate_with_two_signatures_is_refused},
        {"a file that is not there is named",
         a_file_that_is_not_there_is_named},
    };

    suite_add("attestation_form", tests, sizeof tests / sizeof *tests);
}
