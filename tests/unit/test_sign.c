#include "common/sign.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/encoding.h"
#include "common/random.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_sign(void);

#define SEED 20260214

static struct scratch scratch;
static struct error err;

/* Digits of either case, as RFCs have both. */
static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t size = strlen(hex) / 2;

    for (size_t i = 0; i < 2 * size; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, hex[i] | 0x20);

        CU_ASSERT_PTR_NOT_NULL_FATAL(digit);
        if (i % 2 == 0)
            out[i / 2] = 0;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit - digits));
    }
    return size;
}

/* A key with its public half and one signature over `message`. */
struct signer {
    struct private_key *key;
    struct public_key *public_key;
    struct bytes message;
    uint8_t signature[SIGNATURE_SIZE_MAX];
    size_t size;
};

static void signer_open(struct signer *signer, enum key_type type)
{
    *signer = (struct signer){.message = bytes_of_string("an entry")};
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(private_key_generate(&signer->key, type, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        private_key_public(signer->key, &signer->public_key, &err), OK);
    CU_ASSERT_EQUAL_FATAL(private_key_sign(signer->key, signer->message,
                                           signer->signature, &signer->size,
                                           &err),
                          OK);
}

static void signer_close(struct signer *signer)
{
    private_key_destroy(&signer->key);
    public_key_destroy(&signer->public_key);
    CU_ASSERT_PTR_NULL(signer->key);
    CU_ASSERT_PTR_NULL(signer->public_key);
}

static enum status verify(const struct signer *signer)
{
    error_init(&err);
    return public_key_verify(signer->public_key, signer->message,
                             bytes_of(signer->signature, signer->size), &err);
}

static void for_both_types(void (*body)(struct signer *signer))
{
    for (int type = KEY_P256; type <= KEY_ED25519; type++) {
        struct signer signer;

        signer_open(&signer, (enum key_type)type);
        body(&signer);
        signer_close(&signer);
    }
}

/* ---- vectors ---- */

/* RFC 6979, A.2.5: P-256 and SHA-256.  s of the first is above n / 2; its other
 * spelling n - s was worked out by hand (bc). */
#define RFC6979_KEY                                                            \
    "3059301306072a8648ce3d020106082a8648ce3d030107034200"                     \
    "04"                                                                       \
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"         \
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
#define RFC6979_SAMPLE_R                                                       \
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
#define RFC6979_SAMPLE_S                                                       \
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
#define RFC6979_SAMPLE_LOW_S                                                   \
    "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9"
#define RFC6979_TEST_R                                                         \
    "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
#define RFC6979_TEST_S                                                         \
    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"

static struct public_key *key_of(const char *der_hex)
{
    uint8_t der[PUBLIC_KEY_SIZE_MAX];
    struct public_key *key = NULL;

    CU_ASSERT_EQUAL_FATAL(
        public_key_decode(&key, bytes_of(der, from_hex(der_hex, der)), &err),
        OK);
    return key;
}

static enum status verify_hex(const char *der_hex, const char *message)
{
    struct public_key *key = key_of(RFC6979_KEY);
    uint8_t signature[128];
    size_t size = from_hex(der_hex, signature);
    enum status status;

    error_init(&err);
    status = public_key_verify(key, bytes_of_string(message),
                               bytes_of(signature, size), &err);
    public_key_destroy(&key);
    return status;
}

static void p256_is_that_of_rfc_6979(void)
{
    const char *sample =
        "3045022100" RFC6979_SAMPLE_R "0220" RFC6979_SAMPLE_LOW_S;
    const char *test = "3045022100" RFC6979_TEST_R "0220" RFC6979_TEST_S;

    CU_ASSERT_EQUAL(verify_hex(sample, "sample"), OK);
    CU_ASSERT_EQUAL(verify_hex(test, "test"), OK);
    CU_ASSERT_EQUAL(verify_hex(sample, "test"), E_REFUSED);
    CU_ASSERT_EQUAL(verify_hex(test, "sample"), E_REFUSED);
}

static void high_s_is_refused(void)
{
    CU_ASSERT_EQUAL(verify_hex("3046022100" RFC6979_SAMPLE_R
                               "022100" RFC6979_SAMPLE_S,
                               "sample"),
                    E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "high s"));
    /* n - s of the second one (bc): the number is right, its half is not. */
    CU_ASSERT_EQUAL(
        verify_hex(
            "3046022100" RFC6979_TEST_R "022100"
            "fe60beeb8bd5d4ec42da6d94b639b6ea5dc07c4cd3965338e6f1887217f424ce",
            "test"),
        E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "high s"));
}

/* The half of the order itself is the largest low s; it fits no message that
 * anybody knows, so the words tell which check it failed. */
static void bound_of_low_s_is_half_the_order(void)
{
    CU_ASSERT_EQUAL(
        verify_hex("3045022100" RFC6979_TEST_R "0220"
                   "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce561"
                   "7e3192a8",
                   "test"),
        E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not one of this key"));
    CU_ASSERT_EQUAL(
        verify_hex("3045022100" RFC6979_TEST_R "0220"
                   "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce561"
                   "7e3192a9",
                   "test"),
        E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "high s"));
}

/* Other spellings of RFC 6979's "test", which BER would allow, and no numbers
 * of a signature: X.690, 8.1.3, 8.3 and 10.1. */
static void other_spellings_are_refused(void)
{
    static const char *const spellings[] = {
        "",
        "30",
        "3000",
        /* a byte more behind, inside and outside of the sequence */
        "3046022100" RFC6979_TEST_R "0220" RFC6979_TEST_S "00",
        "3045022100" RFC6979_TEST_R "0220" RFC6979_TEST_S "00",
        /* long forms of lengths, the indefinite one */
        "308145022100" RFC6979_TEST_R "0220" RFC6979_TEST_S,
        "304602812100" RFC6979_TEST_R "0220" RFC6979_TEST_S,
        "3080022100" RFC6979_TEST_R "0220" RFC6979_TEST_S "0000",
        /* zeros before r and s */
        "304602220000" RFC6979_TEST_R "0220" RFC6979_TEST_S,
        "3046022100" RFC6979_TEST_R "022100" RFC6979_TEST_S,
        /* r is negative */
        "30440220" RFC6979_TEST_R "0220" RFC6979_TEST_S,
        /* s is missing, empty, 0, cut off */
        "3023022100" RFC6979_TEST_R,
        "3025022100" RFC6979_TEST_R "0200",
        "3026022100" RFC6979_TEST_R "020100",
        "3045022100" RFC6979_TEST_R "0220019F41",
        /* other tags */
        "3145022100" RFC6979_TEST_R "0220" RFC6979_TEST_S,
        "3045032100" RFC6979_TEST_R "0220" RFC6979_TEST_S,
        "3045022100" RFC6979_TEST_R "0320" RFC6979_TEST_S,
        /* r of 264 bits */
        "304602220100" RFC6979_TEST_R "0220" RFC6979_TEST_S,
    };

    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        CU_ASSERT_EQUAL(verify_hex(spellings[i], "test"), E_REFUSED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not the DER"));
    }
    /* r = n: of the right form, and still no signature */
    CU_ASSERT_EQUAL(
        verify_hex("3045022100"
                   "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2"
                   "fc632551"
                   "0220" RFC6979_TEST_S,
                   "test"),
        E_REFUSED);
}

/* RFC 8032, 7.1, tests 1 to 3. */
static const struct {
    const char *key, *message, *signature;
} ed25519_vectors[] = {
    {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void ed25519_is_that_of_rfc_8032(void)
{
    for (size_t i = 0; i < 3; i++) {
        uint8_t raw[ED25519_KEY_SIZE], back[ED25519_KEY_SIZE];
        uint8_t message[2], signature[ED25519_SIGNATURE_SIZE];
        struct public_key *key = NULL;
        struct bytes text = {message, 0};

        from_hex(ed25519_vectors[i].key, raw);
        text.size = from_hex(ed25519_vectors[i].message, message);
        from_hex(ed25519_vectors[i].signature, signature);
        CU_ASSERT_EQUAL_FATAL(public_key_ed25519(&key, raw, &err), OK);
        CU_ASSERT_EQUAL(public_key_type(key), KEY_ED25519);
        CU_ASSERT_EQUAL(
            public_key_verify(key, text, bytes_of(signature, 64), &err), OK);
        public_key_raw(key, back);
        CU_ASSERT_EQUAL(memcmp(raw, back, sizeof raw), 0);
        signature[i] ^= 1;
        CU_ASSERT_EQUAL(
            public_key_verify(key, text, bytes_of(signature, 64), &err),
            E_REFUSED);
        public_key_destroy(&key);
    }
}

/* RFC 8032, 5.1.7: S below the order L; S + L of test 1 (bc) would fit, too. */
static void ed25519_has_one_spelling(void)
{
    uint8_t raw[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];
    struct public_key *key = NULL;

    from_hex(ed25519_vectors[0].key, raw);
    from_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065"
             "22490155"
             "4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b",
             signature);
    CU_ASSERT_EQUAL_FATAL(public_key_ed25519(&key, raw, &err), OK);
    CU_ASSERT_EQUAL(public_key_verify(key, bytes_of(NULL, 0),
                                      bytes_of(signature, 64), &err),
                    E_REFUSED);
    public_key_destroy(&key);
}

/* RFC 4231, test cases 1 to 4, 6 and 7 (5 cuts the result). */
static void hmac_is_that_of_rfc_4231(void)
{
    static const struct {
        const char *key; /* hex, or one byte that is repeated */
        size_t repeated;
        const char *message; /* text, or one byte that is repeated */
        size_t message_repeated;
        const char *expected;
    } vectors[] = {
        {"0b", 20, "Hi There", 0,
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", 0, "what do ya want for nothing?", 0,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"aa", 20, "\xdd", 50,
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819", 0, "\xcd", 50,
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {"aa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"aa", 131,
         "This is a test using a larger than block-size key and a larger than "
         "block-size data. The key needs to be hashed before being used by the "
         "HMAC algorithm.",
         0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t key[131], message[152], out[HMAC_SIZE];
        size_t key_size = from_hex(vectors[i].key, key);
        size_t size = strlen(vectors[i].message);
        char hex[2 * HMAC_SIZE + 1];
        struct digest parts;

        if (vectors[i].repeated > 0)
            memset(key, key[0], key_size = vectors[i].repeated);
        memcpy(message, vectors[i].message, size);
        if (vectors[i].message_repeated > 0)
            memset(message, message[0], size = vectors[i].message_repeated);
        CU_ASSERT_EQUAL(hmac_sha256(bytes_of(key, key_size),
                                    bytes_of(message, size), out, &err),
                        OK);
        for (size_t j = 0; j < HMAC_SIZE; j++)
            snprintf(hex + 2 * j, 3, "%02x", out[j]);
        CU_ASSERT_STRING_EQUAL(hex, vectors[i].expected);
        /* The other one, in parts. */
        digest_hmac(&parts, bytes_of(key, key_size),
                    (struct bytes[]){{message, size / 3},
                                     {NULL, 0},
                                     {message + size / 3, size - size / 3}},
                    3);
        digest_hex(&parts, hex);
        CU_ASSERT_STRING_EQUAL(hex, vectors[i].expected);
    }
}

/* HMAC-SHA256 of nothing under no key (Python's hmac). */
static void hmac_takes_empty_keys_and_messages(void)
{
    uint8_t out[HMAC_SIZE], expected[HMAC_SIZE];

    from_hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
             expected);
    CU_ASSERT_EQUAL(hmac_sha256(bytes_of_string("another"),
                                bytes_of_string("before"), out, &err),
                    OK);
    CU_ASSERT_EQUAL(
        hmac_sha256(bytes_of(NULL, 0), bytes_of(NULL, 0), out, &err), OK);
    CU_ASSERT_EQUAL(memcmp(out, expected, HMAC_SIZE), 0);
}

/* ---- signing and verifying ---- */

static void check_signature(struct signer *signer)
{
    CU_ASSERT_EQUAL(verify(signer), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    signer->message = bytes_of_string("an entrz");
    CU_ASSERT_EQUAL(verify(signer), E_REFUSED);
    signer->message = bytes_of_string("an entry and more");
    CU_ASSERT_EQUAL(verify(signer), E_REFUSED);
    signer->message = bytes_of(NULL, 0);
    CU_ASSERT_EQUAL(verify(signer), E_REFUSED);
}

static void signature_holds_for_its_message_alone(void)
{
    for_both_types(check_signature);
}

static void check_other_key(struct signer *signer)
{
    struct signer other;

    signer_open(&other, public_key_type(signer->public_key));
    CU_ASSERT_FALSE(public_key_equal(signer->public_key, other.public_key));
    memcpy(other.signature, signer->signature, signer->size);
    other.size = signer->size;
    CU_ASSERT_EQUAL(verify(&other), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not one of this key"));
    signer_close(&other);
}

static void another_key_is_refused(void)
{
    for_both_types(check_other_key);
}

static void check_flipped_bits(struct signer *signer)
{
    for (size_t i = 0; i < 8 * signer->size; i++) {
        signer->signature[i / 8] ^= (uint8_t)(1 << i % 8);
        CU_ASSERT_EQUAL(verify(signer), E_REFUSED);
        signer->signature[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    CU_ASSERT_EQUAL(verify(signer), OK);
}

static void every_flipped_bit_is_refused(void)
{
    for_both_types(check_flipped_bits);
}

static void check_lengths(struct signer *signer)
{
    size_t whole = signer->size;

    for (signer->size = 0; signer->size < whole; signer->size++)
        CU_ASSERT_EQUAL(verify(signer), E_REFUSED);
    for (size_t size = whole + 1; size <= SIGNATURE_SIZE_MAX; size++) {
        signer->signature[size - 1] = 0;
        signer->size = size;
        CU_ASSERT_EQUAL(verify(signer), E_REFUSED);
    }
}

static void cut_or_longer_signatures_are_refused(void)
{
    for_both_types(check_lengths);
}

/* Half of what OpenSSL makes has a high s: among 200 it comes with certainty,
 * and all verify here, where it is refused. */
static void own_signatures_have_one_spelling(void)
{
    struct signer signer;
    uint8_t message[8] = {0};

    signer_open(&signer, KEY_P256);
    signer.message = bytes_of(message, sizeof message);
    for (int i = 0; i < 200; i++) {
        message[0] = (uint8_t)i;
        CU_ASSERT_EQUAL(private_key_sign(signer.key, signer.message,
                                         signer.signature, &signer.size, &err),
                        OK);
        CU_ASSERT(signer.size <= 71);
        CU_ASSERT_EQUAL(verify(&signer), OK);
    }
    signer_close(&signer);
}

static struct signer shared;

static void *sign_and_verify(void *failed)
{
    struct error own_err;
    uint8_t signature[SIGNATURE_SIZE_MAX];
    size_t size;

    for (int i = 0; i < 50; i++)
        if (private_key_sign(shared.key, shared.message, signature, &size,
                             &own_err) != OK ||
            public_key_verify(shared.public_key, shared.message,
                              bytes_of(signature, size), &own_err) != OK)
            *(bool *)failed = true;
    return NULL;
}

static void threads_share_keys(void)
{
    pthread_t thread[4];
    bool failed[4] = {false};

    signer_open(&shared, KEY_P256);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&thread[i], NULL, sign_and_verify, &failed[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT_FALSE(failed[i]);
    }
    signer_close(&shared);
}

/* ---- public keys ---- */

static void check_key_round(struct signer *signer)
{
    struct bytes der = public_key_der(signer->public_key);
    struct public_key *again = NULL;

    CU_ASSERT_EQUAL_FATAL(public_key_decode(&again, der, &err), OK);
    CU_ASSERT_EQUAL(public_key_type(again),
                    public_key_type(signer->public_key));
    CU_ASSERT(bytes_equal(public_key_der(again), der));
    CU_ASSERT(public_key_equal(again, signer->public_key));
    public_key_destroy(&signer->public_key);
    signer->public_key = again;
    CU_ASSERT_EQUAL(verify(signer), OK);
}

static void public_keys_come_back_from_their_bytes(void)
{
    for_both_types(check_key_round);
}

static void refuse_key(const char *hex)
{
    uint8_t der[256];
    struct public_key *key = NULL;

    error_init(&err);
    CU_ASSERT_EQUAL(
        public_key_decode(&key, bytes_of(der, from_hex(hex, der)), &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(key);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "public key"));
}

static void other_public_keys_are_refused(void)
{
    refuse_key("");
    refuse_key(RFC6979_KEY "00");
    /* the same point compressed: its y is odd */
    refuse_key("3039301306072a8648ce3d020106082a8648ce3d03010703220003"
               "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E"
               "60F29FB6");
    /* a point beside the curve: the last bit of y */
    refuse_key("3059301306072a8648ce3d020106082a8648ce3d03010703420004"
               "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E"
               "60F29FB6"
               "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294"
               "D4462298");
    /* secp256k1 by name (1.3.132.0.10), with its generator */
    refuse_key("3056301006072a8648ce3d020106052b8104000a03420004"
               "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b"
               "16f81798"
               "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08f"
               "fb10d4b8");
    /* X25519 (1.3.101.110) in the form of Ed25519 (1.3.101.112) */
    refuse_key("302a300506032b656e032100"
               "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68"
               "f707511a");
    /* Ed25519 with parameters */
    refuse_key("302c300706032b65700500032100"
               "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68"
               "f707511a");
}

/* ---- files ---- */

static void scratch_setup(void)
{
    scratch_open(&scratch);
    error_init(&err);
}

static void check_file(struct signer *signer)
{
    const char *path = scratch_path(&scratch, "key.pem");
    struct private_key *key = NULL;
    struct stat is;

    CU_ASSERT_EQUAL(private_key_save(signer->key, path, &err), OK);
    CU_ASSERT_EQUAL_FATAL(stat(path, &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL_FATAL(private_key_load(&key, path, &err), OK);
    CU_ASSERT_EQUAL(private_key_type(key), private_key_type(signer->key));
    CU_ASSERT_EQUAL(private_key_sign(key, signer->message, signer->signature,
                                     &signer->size, &err),
                    OK);
    CU_ASSERT_EQUAL(verify(signer), OK);
    private_key_destroy(&key);
    unlink(path);
}

static void keys_come_back_from_files(void)
{
    scratch_setup();
    for_both_types(check_file);
    scratch_close(&scratch);
}

static void umask_does_not_widen_a_key(void)
{
    mode_t before = umask(0);

    keys_come_back_from_files();
    umask(before);
}

static void key_is_never_overwritten(void)
{
    struct signer signer;

    scratch_setup();
    signer_open(&signer, KEY_P256);
    scratch_write(&scratch, "key.pem", "precious");
    CU_ASSERT_EQUAL(
        private_key_save(signer.key, scratch_path(&scratch, "key.pem"), &err),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "key.pem: exists already"));
    CU_ASSERT(scratch_holds(&scratch, "key.pem", "precious"));
    CU_ASSERT_EQUAL(symlink("nowhere", scratch_path(&scratch, "link")), 0);
    CU_ASSERT_EQUAL(
        private_key_save(signer.key, scratch_path(&scratch, "link"), &err),
        E_INPUT);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 2);
    CU_ASSERT_EQUAL(
        private_key_save(signer.key, scratch_path(&scratch, "no/key"), &err),
        E_INPUT);
    signer_close(&signer);
    scratch_close(&scratch);
}

static void refuse_file(const char *name, const char *words)
{
    const char *path = scratch_path(&scratch, name);
    struct private_key *key = NULL;
    enum status status;

    error_init(&err);
    status = private_key_load(&key, path, &err);
    CU_ASSERT(status == E_INPUT || status == E_LIMIT);
    CU_ASSERT_PTR_NULL(key);
    CU_ASSERT_EQUAL(strncmp(err.text, path, strlen(path)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
}

static void key_that_others_may_touch_is_refused(void)
{
    static const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601, 0644};
    struct signer signer;
    const char *path;

    scratch_setup();
    signer_open(&signer, KEY_P256);
    path = scratch_path(&scratch, "key");
    CU_ASSERT_EQUAL(private_key_save(signer.key, path, &err), OK);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        CU_ASSERT_EQUAL(chmod(path, modes[i]), 0);
        refuse_file("key", "for its owner alone");
    }
    CU_ASSERT_EQUAL(chmod(path, 0400), 0);
    private_key_destroy(&signer.key);
    CU_ASSERT_EQUAL(private_key_load(&signer.key, path, &err), OK);
    signer_close(&signer);
    scratch_close(&scratch);
}

static void write_key(const char *name, const char *pem)
{
    scratch_write(&scratch, name, pem);
    chmod(scratch_path(&scratch, name), 0600);
}

/* Keys for these cases, made with the openssl command.  They guard nothing. */
static const char good_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgB/xGDR+N1cvqM6Sd\n"
    "K2n2v14inuuYsqTt9Wj/au0E9nWhRANCAARZn8PYmac4DlVLV2tcqI+hgh8dZAJQ\n"
    "cxwtetxQCaQ5zRfhjQZxxWHpqZASH2944Ncl4+SUgUVpXO/Lm+Q93qyG\n"
    "-----END PRIVATE KEY-----\n";

static const char encrypted_key[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgqUYQfX9GJ/gICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEED0tpn8LRavgHcRRKgP2XK4EgZA5\n"
    "NMCiUyreLj4goj/CjtZGFYU723vnE83Y+Q4KfisQ81HXsjlA0dzgUPykE23IUJJp\n"
    "pykuTPy0sFYW1C3B00y7szlxembmtcBHANqRiazy9nUmu1DkvA0ZlR3EGNdDBkyj\n"
    "kI2DWl/XOFei0ApEccgb824bQJ1j6lClBXKx1gSgkYCo2Ik+cu4qwlErsVy+N74=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sec1_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEICdMmPealJySdainDfo0KAaGcFxoGqMpIXLdtjkqrmFboAoGCCqGSM49\n"
    "AwEHoUQDQgAE7AXuuJ54UZcGxaGGzZ6+zxEF7xcWtUdVk6seu84VJQ+o6KGiuCMD\n"
    "jjCzgXbHLKohwb0luGHsoc3MRhurf/9PoA==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char p384_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBT2RiT6HzzWyFcEJb1\n"
    "fs8TjrXvgXtYAGHEHQijOfQXfWAKEL4QkHyk0Kw3WfHypvihZANiAAQY99d0Yytb\n"
    "SywspSFeIba92JCfdsW7QWv2gMJTs0rrwd5qlulNiTKwvPVQ8lDHHxjb4cTwpiqN\n"
    "MWepqMFvZe9nrnX1YbivRvoOD3rpWn89G26B5TIYMXfG4IDluvkszVs=\n"
    "-----END PRIVATE KEY-----\n";

static const char x25519_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEIFgjw2F5Eu9DCW8UEgKSjpw076yUjGHaiI+jQyolA1NN\n"
    "-----END PRIVATE KEY-----\n";

/* The private half of one key with the public half of another. */
static const char misfit_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgB/xGDR+N1cvqM6Sd\n"
    "K2n2v14inuuYsqTt9Wj/au0E9nWhRANCAATXOz8vVN4hHPG8/G7OzSw5+27ZbJRe\n"
    "rPON224NltJ4K+wuFMKh05wvSpr7Bqt10vEpxW0UCXXKZG5ah0LGMuVN\n"
    "-----END PRIVATE KEY-----\n";

static void what_is_no_key_is_refused(void)
{
    char long_file[KEY_FILE_SIZE_MAX + 2];

    scratch_setup();
    refuse_file("missing", "cannot be opened");
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "folder"), 0700), 0);
    refuse_file("folder", "not a regular file");
    CU_ASSERT_EQUAL(mkfifo(scratch_path(&scratch, "pipe"), 0600), 0);
    refuse_file("pipe", "not a regular file");
    memset(long_file, '\n', sizeof long_file);
    long_file[sizeof long_file - 1] = '\0';
    write_key("long", long_file);
    refuse_file("long", "the limit is");
    write_key("empty", "");
    refuse_file("empty", "not one private key");
    write_key("text", "not a key at all, and long enough to be looked at\n");
    refuse_file("text", "not one private key");
    write_key("encrypted", encrypted_key);
    refuse_file("encrypted", "not one private key");
    write_key("sec1", sec1_key);
    refuse_file("sec1", "not one private key");
    write_key("p384", p384_key);
    refuse_file("p384", "neither a P-256 nor an Ed25519");
    write_key("x25519", x25519_key);
    refuse_file("x25519", "neither a P-256 nor an Ed25519");
    write_key("misfit", misfit_key);
    refuse_file("misfit", "do not fit");
    scratch_close(&scratch);
}

static void load_altered(const char *before, const char *body,
                         const char *after, enum status expected)
{
    struct private_key *key = NULL;
    char pem[1024];

    snprintf(pem, sizeof pem, "%s%s%s", before, body, after);
    write_key("key", pem);
    if (expected == OK) {
        CU_ASSERT_EQUAL(
            private_key_load(&key, scratch_path(&scratch, "key"), &err), OK);
        private_key_destroy(&key);
    } else {
        refuse_file("key", "not one private key");
    }
}

static void file_holds_one_key_and_nothing_else(void)
{
    char cut[1024];

    scratch_setup();
    load_altered("", good_key, "", OK);
    load_altered("", good_key, "\n", E_INPUT);
    load_altered("", good_key, good_key, E_INPUT);
    load_altered("\n", good_key, "", E_INPUT);
    load_altered("# mine\n", good_key, "", E_INPUT);
    snprintf(cut, sizeof cut, "%s", good_key);
    for (size_t size = strlen(cut) - 1; size-- > 0;) {
        cut[size] = '\0';
        load_altered("", cut, "", E_INPUT);
    }
    scratch_close(&scratch);
}

/* ---- secrets ---- */

static void random_bytes_differ(void)
{
    uint8_t a[32] = {0}, b[32] = {0};

    CU_ASSERT_EQUAL(random_secret(a, sizeof a, &err), OK);
    CU_ASSERT_EQUAL(random_secret(b, sizeof b, &err), OK);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    CU_ASSERT_EQUAL(random_secret(a, 0, &err), OK);
    secret_wipe(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        CU_ASSERT_EQUAL(a[i], 0);
}

/* In a child, since there is no way back: 100 keys, and signatures. */
static int lock_and_sign(void)
{
    struct private_key *key[100];
    struct public_key *public_key = NULL;
    uint8_t signature[SIGNATURE_SIZE_MAX];
    size_t size;
    struct error own_err;

    if (private_key_lock_memory(&own_err) != OK)
        return own_err.status == E_SYSTEM ? 77 : 1;
    for (int i = 0; i < 100; i++)
        if (private_key_generate(&key[i], i % 2 == 0 ? KEY_P256 : KEY_ED25519,
                                 &own_err) != OK ||
            private_key_sign(key[i], bytes_of_string("x"), signature, &size,
                             &own_err) != OK)
            return 2;
    if (private_key_public(key[99], &public_key, &own_err) != OK ||
        public_key_verify(public_key, bytes_of_string("x"),
                          bytes_of(signature, size), &own_err) != OK)
        return 3;
    public_key_destroy(&public_key);
    for (int i = 0; i < 100; i++)
        private_key_destroy(&key[i]);
    return 0;
}

static void keys_work_in_locked_memory(void)
{
    int result = child_run(lock_and_sign);

    if (result == 77)
        printf("(memory cannot be locked here) ");
    else
        CU_ASSERT_EQUAL(result, 0);
}

/* Random bytes as signatures and keys: refused, and nothing worse. */
static void noise_is_refused(void)
{
    struct random random;
    struct signer signer;
    struct public_key *key = NULL;

    printf("(seed %d) ", SEED);
    random_init(&random, SEED);
    signer_open(&signer, KEY_P256);
    for (int i = 0; i < 2000; i++) {
        uint8_t noise[SIGNATURE_SIZE_MAX];
        size_t size = (size_t)random_below(&random, sizeof noise + 1);

        for (size_t j = 0; j < sizeof noise; j++)
            noise[j] = (uint8_t)random_next(&random);
        CU_ASSERT_EQUAL(public_key_verify(signer.public_key, signer.message,
                                          bytes_of(noise, size), &err),
                        E_REFUSED);
        CU_ASSERT_EQUAL(public_key_decode(&key, bytes_of(noise, size), &err),
                        E_INPUT);
    }
    signer_close(&signer);
}

void suite_sign(void)
{
    static const struct test tests[] = {
        {"P-256 is that of RFC 6979", p256_is_that_of_rfc_6979},
        {"a high s is refused", high_s_is_refused},
        {"the bound of a low s is half the order",
         bound_of_low_s_is_half_the_order},
        {"other spellings of a signature are refused",
         other_spellings_are_refused},
        {"Ed25519 is that of RFC 8032", ed25519_is_that_of_rfc_8032},
        {"an Ed25519 signature has one spelling", ed25519_has_one_spelling},
        {"HMAC is that of RFC 4231", hmac_is_that_of_rfc_4231},
        {"HMAC takes empty keys and messages",
         hmac_takes_empty_keys_and_messages},
        {"a signature holds for its message alone",
         signature_holds_for_its_message_alone},
        {"a signature of another key is refused", another_key_is_refused},
        {"every flipped bit of a signature is refused",
         every_flipped_bit_is_refused},
        {"cut and longer signatures are refused",
         cut_or_longer_signatures_are_refused},
        {"own signatures have one spelling", own_signatures_have_one_spelling},
        {"threads share keys", threads_share_keys},
        {"public keys come back from their bytes",
         public_keys_come_back_from_their_bytes},
        {"other public keys are refused", other_public_keys_are_refused},
        {"keys come back from files", keys_come_back_from_files},
        {"a umask does not widen a key", umask_does_not_widen_a_key},
        {"a key is never overwritten", key_is_never_overwritten},
        {"a key that others may touch is refused",
         key_that_others_may_touch_is_refused},
        {"what is no key is refused", what_is_no_key_is_refused},
        {"a file holds one key and nothing else",
         file_holds_one_key_and_nothing_else},
        {"random bytes differ", random_bytes_differ},
        {"keys work in locked memory", keys_work_in_locked_memory},
        {"noise is refused as signature and key", noise_is_refused},
    };

    suite_add("sign", tests, sizeof tests / sizeof tests[0]);
}
