/*
 * tests/fuzz/fuzz_dsse.c - whatever bytes, as an envelope: what is refused is
 * refused with words and leaves nothing; what is accepted is written as it can
 * be read again, and nobody's key has signed it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/dsse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static bool same(const struct dsse *a, const struct dsse *b)
{
    if (!bytes_equal(text_bytes(&a->payload), text_bytes(&b->payload)) ||
        a->signature_count != b->signature_count)
        return false;
    for (size_t i = 0; i < a->signature_count; i++)
        if (strcmp(a->signature[i].by, b->signature[i].by) != 0 ||
            !bytes_equal(bytes_of(a->signature[i].bytes, a->signature[i].size),
                         bytes_of(b->signature[i].bytes, b->signature[i].size)))
            return false;
    return true;
}

/* Of a root that has signed nothing but itself. */
static const struct certificate *stranger(void)
{
    static struct certificate *certificate;
    struct certificate_subject subject = {
        .organisation = "x", .name = "x", .is_authority = true};
    struct certificate_terms terms = {&subject, 0, 0};
    struct private_key *key = NULL;
    struct error err;

    if (certificate == NULL) {
        demand(private_key_generate(&key, KEY_P256, &err) == OK);
        demand(certificate_create_root(&certificate, key, &terms, &err) == OK);
        private_key_destroy(&key);
    }
    return certificate;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsse dsse, again;
    struct text text;
    struct error err;
    enum status status;

    error_init(&err);
    status = dsse_parse(&dsse, bytes_of(data, size), &err);
    if (status != OK) {
        demand((status == E_INPUT || status == E_LIMIT) &&
               err.text[0] != '\0' && dsse.payload.size == 0 &&
               dsse.signature_count == 0);
        return 0;
    }
    demand(dsse.signature_count >= 1 &&
           dsse.signature_count <= DSSE_SIGNATURES_MAX);
    text_init(&text);
    demand(dsse_write(text_bytes(&dsse.payload), dsse.signature,
                      dsse.signature_count, &text, &err) == OK);
    demand(dsse_parse(&again, text_bytes(&text), &err) == OK);
    demand(same(&dsse, &again));
    demand(dsse_verify(&dsse, stranger(), &err) == E_NO);
    dsse_clear(&again);
    dsse_clear(&dsse);
    text_clear(&text);
    return 0;
}
