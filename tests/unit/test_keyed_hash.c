#include "common/keyed_hash.h"

#include <stdlib.h>

#include "tests/lib/suite.h"

void suite_keyed_hash(void);

static const struct hash_key key = {
    {UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)}};

static void keys_differ(void)
{
    struct hash_key a, b;
    struct error err;

    CU_ASSERT_EQUAL(hash_key_draw(&a, &err), OK);
    CU_ASSERT_EQUAL(hash_key_draw(&b, &err), OK);
    CU_ASSERT_NOT_EQUAL(a.word[0], b.word[0]);
    CU_ASSERT_NOT_EQUAL(a.word[1], b.word[1]);
    CU_ASSERT_NOT_EQUAL(keyed_hash(&a, bytes_of("x", 1)),
                        keyed_hash(&b, bytes_of("x", 1)));
}

static void place_does_not_matter(void)
{
    char text[80];

    memset(text, 'a', sizeof text);
    for (size_t size = 0; size < 60; size++)
        CU_ASSERT_EQUAL(keyed_hash(&key, bytes_of(text, size)),
                        keyed_hash(&key, bytes_of(text + 13, size)));
}

/* Each byte of each size must move about half of the 64 bits; a quarter is
 * far outside of what chance does. */
static void every_byte_counts(void)
{
    uint8_t text[70];

    for (size_t size = 1; size <= sizeof text; size++)
        for (size_t i = 0; i < size; i++) {
            uint64_t before, after;

            memset(text, 0, sizeof text);
            before = keyed_hash(&key, bytes_of(text, size));
            text[i] ^= 1;
            after = keyed_hash(&key, bytes_of(text, size));
            CU_ASSERT(__builtin_popcountll(before ^ after) >= 16);
        }
}

static void sizes_differ(void)
{
    static const uint8_t zeros[64];

    for (size_t a = 0; a < sizeof zeros; a++)
        for (size_t b = 0; b < a; b++)
            CU_ASSERT_NOT_EQUAL(keyed_hash(&key, bytes_of(zeros, a)),
                                keyed_hash(&key, bytes_of(zeros, b)));
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* 200,000 numbers as text: for random 64 bit hashes two equal ones have a
 * chance of 1e-9; the upper 32 bits alone have about n^2 / 2^33 = 4.7. */
static void numbers_do_not_collide(void)
{
    enum { COUNT = 200000 };
    uint64_t *hash = malloc(COUNT * sizeof *hash);
    unsigned upper = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(hash);
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        int size = snprintf(text, sizeof text, "%d", i);

        hash[i] = keyed_hash(&key, bytes_of(text, (size_t)size));
    }
    qsort(hash, COUNT, sizeof *hash, compare);
    for (int i = 1; i < COUNT; i++) {
        if (hash[i] == hash[i - 1])
            CU_FAIL("two numbers have one hash");
        upper += hash[i] >> 32 == hash[i - 1] >> 32;
    }
    CU_ASSERT(upper < 20);
    free(hash);
}

void suite_keyed_hash(void)
{
    static const struct test tests[] = {
        {"two keys differ", keys_differ},
        {"the place in memory does not matter", place_does_not_matter},
        {"every byte counts", every_byte_counts},
        {"zeros of several sizes differ", sizes_differ},
        {"numbers do not collide", numbers_do_not_collide},
    };

    suite_add("keyed_hash", tests, sizeof tests / sizeof tests[0]);
}
