#include "common/digest.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

void suite_digest(void);

static struct error err;

/* Examples of FIPS 180-2 (appendix B) and the digest of no bytes. */
static const struct {
    const char *text, *hex;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void digests_are_those_of_the_standard(void)
{
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        CU_ASSERT_EQUAL(
            digest_bytes(&digest, bytes_of_string(vectors[i].text), &err), OK);
        digest_hex(&digest, hex);
        CU_ASSERT_STRING_EQUAL(hex, vectors[i].hex);
    }
}

/* FIPS 180-2, B.3: a million times the letter a. */
static void stream_takes_bytes_in_any_pieces(void)
{
    struct digest_stream *stream = NULL;
    struct digest digest;
    char hex[DIGEST_HEX_SIZE], block[1000];
    size_t left = 1000000, size = 1;

    memset(block, 'a', sizeof block);
    CU_ASSERT_EQUAL_FATAL(digest_open(&stream, &err), OK);
    while (left > 0) {
        if (size > left)
            size = left;
        CU_ASSERT_EQUAL(digest_update(stream, bytes_of(block, size), &err), OK);
        left -= size;
        size = size % sizeof block + 1;
    }
    CU_ASSERT_EQUAL(digest_update(stream, bytes_of(NULL, 0), &err), OK);
    CU_ASSERT_EQUAL(digest_finish(&stream, &digest, &err), OK);
    CU_ASSERT_PTR_NULL(stream);
    digest_hex(&digest, hex);
    CU_ASSERT_STRING_EQUAL(
        hex,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* However a text is cut in two, with nothing before, between and behind. */
static void parts_are_one_run_of_bytes(void)
{
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct bytes text = bytes_of_string(vectors[i].text);

        for (size_t cut = 0; cut <= text.size; cut++) {
            const struct bytes part[] = {
                bytes_of(NULL, 0), bytes_of(text.data, cut),
                bytes_of(NULL, 0), bytes_of(text.data + cut, text.size - cut),
                bytes_of(NULL, 0),
            };

            digest_parts(&digest, part, 5);
            digest_hex(&digest, hex);
            CU_ASSERT_STRING_EQUAL(hex, vectors[i].hex);
        }
    }
    digest_parts(&digest, NULL, 0);
    digest_hex(&digest, hex);
    CU_ASSERT_STRING_EQUAL(hex, vectors[0].hex);
}

static void discarded_stream_is_gone(void)
{
    struct digest_stream *stream = NULL;

    digest_discard(&stream);
    CU_ASSERT_EQUAL_FATAL(digest_open(&stream, &err), OK);
    CU_ASSERT_EQUAL(digest_update(stream, bytes_of_string("x"), &err), OK);
    digest_discard(&stream);
    CU_ASSERT_PTR_NULL(stream);
}

void suite_digest(void)
{
    static const struct test tests[] = {
        {"digests are those of the standard",
         digests_are_those_of_the_standard},
        {"a stream takes bytes in any pieces",
         stream_takes_bytes_in_any_pieces},
        {"parts are one run of bytes", parts_are_one_run_of_bytes},
        {"a discarded stream is gone", discarded_stream_is_gone},
    };

    suite_add("digest", tests, sizeof tests / sizeof tests[0]);
}
