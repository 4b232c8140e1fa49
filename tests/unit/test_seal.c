#include "common/seal.h"

#include <string.h>

#include "common/encoding.h"
#include "tests/lib/suite.h"

void suite_seal(void);

static struct seal *seal;
static struct error err;

static void begin(void)
{
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(seal_create(&seal, &err), OK);
}

static void end(void)
{
    seal_destroy(&seal);
    CU_ASSERT_PTR_NULL(seal);
}

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t size = strlen(hex) / 2;

    CU_ASSERT_FATAL(hex_decode(bytes_of_string(hex), out, size));
    return size;
}

/* D. McGrew, J. Viega: The Galois/Counter Mode of Operation (GCM), appendix B,
 * test cases 13, 14 and 16: those of a key of 256 bits and a nonce of 96. */
static const struct {
    const char *key, *associated, *sealed, *plain;
} vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "",
     "000000000000000000000000"
     "530f8afbc74536b9a963b4f1c4cb738b",
     ""},
    {"0000000000000000000000000000000000000000000000000000000000000000", "",
     "000000000000000000000000"
     "cea7403d4d606b6e074ec5d3baf39d18"
     "d0d1c8a799996bf0265b98b5d48ab919",
     "00000000000000000000000000000000"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "cafebabefacedbaddecaf888"
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"},
};

static void vectors_open_to_what_they_hold(void)
{
    begin();
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t key[SEAL_KEY_SIZE], associated[32], sealed[128], expected[128];
        uint8_t plain[128] = {0};
        size_t a, s, p;

        from_hex(vectors[i].key, key);
        a = from_hex(vectors[i].associated, associated);
        s = from_hex(vectors[i].sealed, sealed);
        p = from_hex(vectors[i].plain, expected);
        CU_ASSERT_EQUAL_FATAL(s, p + SEAL_EXTRA);
        CU_ASSERT_EQUAL(seal_open(seal, key, bytes_of(associated, a),
                                  bytes_of(sealed, s), plain, &err),
                        OK);
        CU_ASSERT_EQUAL(memcmp(plain, expected, p), 0);
    }
    end();
}

static const uint8_t key[SEAL_KEY_SIZE] = {1, 2, 3};

static void what_is_sealed_opens_again_and_never_looks_the_same(void)
{
    uint8_t plain[300], first[300 + SEAL_EXTRA], second[300 + SEAL_EXTRA];
    uint8_t back[300];

    begin();
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(7 * i);
    for (size_t size = 0; size <= sizeof plain; size += 25) {
        struct bytes associated = bytes_of_string("here"),
                     text = bytes_of(plain, size);

        CU_ASSERT_EQUAL(seal_close(seal, key, associated, text, first, &err),
                        OK);
        CU_ASSERT_EQUAL(seal_close(seal, key, associated, text, second, &err),
                        OK);
        CU_ASSERT_NOT_EQUAL(memcmp(first, second, SEAL_NONCE_SIZE), 0);
        CU_ASSERT_EQUAL(seal_open(seal, key, associated,
                                  bytes_of(first, size + SEAL_EXTRA), back,
                                  &err),
                        OK);
        CU_ASSERT_EQUAL(memcmp(back, plain, size), 0);
    }
    end();
}

static enum status open_changed(const uint8_t *opener, const char *associated,
                                struct bytes sealed, uint8_t back[64])
{
    error_init(&err);
    memset(back, 0x55, 64);
    return seal_open(seal, opener, bytes_of_string(associated), sealed, back,
                     &err);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void every_flipped_bit_is_refused_and_nothing_is_left(void)
{
    static const char words[] = "nobody reads this";
    uint8_t sealed[sizeof words + SEAL_EXTRA], other[SEAL_KEY_SIZE], back[64];
    struct bytes all = bytes_of(sealed, sizeof sealed);

    begin();
    CU_ASSERT_EQUAL(seal_close(seal, key, bytes_of_string("a"),
                               bytes_of(words, sizeof words), sealed, &err),
                    OK);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(open_changed(key, "a", all, back), E_REFUSED);
        CU_ASSERT(is_zero(back, sizeof words));
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        memcpy(other, key, sizeof other);
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(open_changed(other, "a", all, back), E_REFUSED);
        CU_ASSERT(is_zero(back, sizeof words));
    }
    CU_ASSERT_EQUAL(open_changed(key, "b", all, back), E_REFUSED);
    CU_ASSERT_EQUAL(open_changed(key, "", all, back), E_REFUSED);
    CU_ASSERT_EQUAL(open_changed(key, "a", all, back), OK);
    end();
}

static void what_is_cut_or_too_short_is_refused(void)
{
    uint8_t sealed[10 + SEAL_EXTRA], back[64];

    begin();
    CU_ASSERT_EQUAL(seal_close(seal, key, bytes_of(NULL, 0),
                               bytes_of("0123456789", 10), sealed, &err),
                    OK);
    for (size_t size = 0; size < sizeof sealed; size++)
        CU_ASSERT_EQUAL(open_changed(key, "", bytes_of(sealed, size), back),
                        E_REFUSED);
    CU_ASSERT_EQUAL(
        open_changed(key, "", bytes_of(sealed, SEAL_EXTRA - 1), back),
        E_REFUSED);
    CU_ASSERT_STRING_EQUAL(err.text, "what is sealed has 27 bytes, at least 28 "
                                     "were expected");
    end();
}

void suite_seal(void)
{
    static const struct test tests[] = {
        {"the vectors of GCM open to what they hold",
         vectors_open_to_what_they_hold},
        {"what is sealed opens again, and never looks the same",
         what_is_sealed_opens_again_and_never_looks_the_same},
        {"every flipped bit is refused, and nothing is left",
         every_flipped_bit_is_refused_and_nothing_is_left},
        {"what is cut or too short is refused",
         what_is_cut_or_too_short_is_refused},
    };

    suite_add("seal", tests, sizeof tests / sizeof tests[0]);
}
