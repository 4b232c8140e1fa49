#include "common/curve.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_curve(void);

/* The pair of the server in the manual page zmq_curve(7). */
#define PUBLIC "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define SECRET "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
#define FILE_TEXT "anchorite curve 1\npublic " PUBLIC "\nsecret " SECRET "\n"
/* That of the client there. */
#define OTHER "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static struct scratch scratch;
static struct error err;

static void write_key(const char *text)
{
    scratch_write(&scratch, "curve.key", text);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path(&scratch, "curve.key"), 0600), 0);
}
static enum status load(struct curve_pair *pair)
{
    error_init(&err);
    return curve_pair_load(pair, scratch_path(&scratch, "curve.key"), &err);
}

static void known_pair_is_loaded(void)
{
    struct curve_pair pair;

    scratch_open(&scratch);
    write_key(FILE_TEXT);
    CU_ASSERT_EQUAL(load(&pair), OK);
    CU_ASSERT_STRING_EQUAL(pair.key.text, PUBLIC);
    CU_ASSERT_STRING_EQUAL(pair.secret, SECRET);
    curve_pair_clear(&pair);
    CU_ASSERT_EQUAL(pair.secret[0], '\0');
    scratch_close(&scratch);
}

static void saved_pair_is_private_and_comes_back(void)
{
    struct curve_pair pair, again;
    struct stat is;
    const char *path;

    scratch_open(&scratch);
    path = scratch_path(&scratch, "curve.key");
    CU_ASSERT_EQUAL_FATAL(curve_pair_generate(&pair, &err), OK);
    CU_ASSERT_EQUAL(curve_pair_save(&pair, path, &err), OK);
    CU_ASSERT_EQUAL(stat(path, &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL(load(&again), OK);
    CU_ASSERT(curve_key_equal(&pair.key, &again.key));
    CU_ASSERT_STRING_EQUAL(pair.secret, again.secret);
    /* Never over another one. */
    CU_ASSERT_EQUAL(curve_pair_generate(&again, &err), OK);
    CU_ASSERT_EQUAL(curve_pair_save(&again, path, &err), E_INPUT);
    CU_ASSERT_EQUAL(load(&again), OK);
    CU_ASSERT_STRING_EQUAL(pair.secret, again.secret);
    scratch_close(&scratch);
}

static void file_that_is_no_pair_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "anchorite curve 1\n",
        "anchorite curve 1\npublic " PUBLIC "\nsecret " SECRET,
        "anchorite curve 1\npublic " PUBLIC "\nsecret " SECRET "\n\n",
        "anchorite curve 2\npublic " PUBLIC "\nsecret " SECRET "\n",
        "anchorite curve 1\nsecret " SECRET "\npublic " PUBLIC "\n",
        "anchorite curve 1\npublic " OTHER "\nsecret " SECRET "\n",
        "anchorite curve 1\npublic " PUBLIC "\nsecret " OTHER "\n",
    };
    struct curve_pair pair;

    scratch_open(&scratch);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_key(wrong[i]);
        CU_ASSERT_EQUAL(load(&pair), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "curve.key"));
        CU_ASSERT_PTR_NULL(strstr(err.text, SECRET));
    }
    scratch_close(&scratch);
}

static void file_that_others_may_read_is_refused(void)
{
    struct curve_pair pair;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(load(&pair), E_INPUT);
    write_key(FILE_TEXT);
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "curve.key"), 0640), 0);
    CU_ASSERT_EQUAL(load(&pair), E_REFUSED);
    scratch_close(&scratch);
}

/* The example of ZeroMQ RFC 32: 86 4F D2 6F B5 59 F7 5B is HelloWorld. */
static void z85_is_that_of_its_specification(void)
{
    static const uint8_t raw[32] = {0x86, 0x4F, 0xD2, 0x6F,
                                    0xB5, 0x59, 0xF7, 0x5B};
    struct curve_key key, again;

    curve_key_encode(&key, raw);
    CU_ASSERT_STRING_EQUAL(key.text,
                           "HelloWorld000000000000000000000000000000");
    CU_ASSERT(curve_key_parse(&again, bytes_of_string(key.text)));
    CU_ASSERT(curve_key_equal(&key, &again));
}

static void text_that_is_no_key_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "HelloWorld00000000000000000000000000000",
        "HelloWorld0000000000000000000000000000000",
        "HelloWorld00000000000000000000000000000 ",
        "HelloWorld00000000000000000000000000000\"",
        "HelloWorld00000000000000000000000000000\xC3",
        "#####00000000000000000000000000000000000", /* above 2^32 */
    };
    struct curve_key key;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CU_ASSERT(!curve_key_parse(&key, bytes_of_string(wrong[i])));
    CU_ASSERT(!curve_key_parse(
        &key, bytes_of("HelloWorld00\0000000000000000000000000000000", 40)));
}

/* ---- bindings ---- */

static struct private_key *private;
static struct public_key *public;

static struct curve_key one = {PUBLIC}, other = {OTHER};

static struct curve_binding usual(void)
{
    return (struct curve_binding){false, &one, &other, "north",
                                  UINT64_C(1767225600000)};
}

static void keys_open(void)
{
    CU_ASSERT_EQUAL_FATAL(private_key_generate(&private, KEY_P256, &err), OK);
    CU_ASSERT_EQUAL_FATAL(private_key_public(private, &public, &err), OK);
}
static void keys_close(void)
{
    private_key_destroy(&private);
    public_key_destroy(&public);
}

static void signed_text_is_that_of_the_protocol(void)
{
    static const char text[] =
        "anchorite hello 1\n" PUBLIC "\n" OTHER "\nnorth\n1767225600000\n";
    struct curve_binding binding = usual();
    uint8_t signature[SIGNATURE_SIZE_MAX];
    size_t size;

    keys_open();
    CU_ASSERT_EQUAL(
        curve_binding_sign(&binding, private, signature, &size, &err), OK);
    CU_ASSERT_EQUAL(public_key_verify(public, bytes_of_string(text),
                                      bytes_of(signature, size), &err),
                    OK);
    CU_ASSERT_EQUAL(private_key_sign(private, bytes_of_string(text), signature,
                                     &size, &err),
                    OK);
    CU_ASSERT_EQUAL(
        curve_binding_verify(&binding, public, bytes_of(signature, size), &err),
        OK);
    keys_close();
}

static void binding_holds_for_nothing_else(void)
{
    struct curve_binding wrong[6];
    struct curve_binding binding = usual();
    uint8_t signature[SIGNATURE_SIZE_MAX];
    size_t size;

    keys_open();
    CU_ASSERT_EQUAL(
        curve_binding_sign(&binding, private, signature, &size, &err), OK);
    for (size_t i = 0; i < 6; i++)
        wrong[i] = binding;
    wrong[0].by_listener = true;
    wrong[1].connecting = &other;
    wrong[2].listening = &one;
    wrong[3].service = "south";
    wrong[4].expiry_ms++;
    wrong[5].connecting = &other;
    wrong[5].listening = &one;
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(curve_binding_verify(&wrong[i], public,
                                             bytes_of(signature, size), &err),
                        E_REFUSED);
    CU_ASSERT_EQUAL(curve_binding_verify(&binding, public,
                                         bytes_of(signature, size - 1), &err),
                    E_REFUSED);
    keys_close();
}

void suite_curve(void)
{
    static const struct test tests[] = {
        {"a known pair is loaded", known_pair_is_loaded},
        {"a saved pair is private and comes back",
         saved_pair_is_private_and_comes_back},
        {"a file that is no pair is refused", file_that_is_no_pair_is_refused},
        {"a file that others may read is refused",
         file_that_others_may_read_is_refused},
        {"Z85 is that of its specification", z85_is_that_of_its_specification},
        {"a text that is no key is refused", text_that_is_no_key_is_refused},
        {"the signed text is that of the protocol",
         signed_text_is_that_of_the_protocol},
        {"a binding holds for nothing else", binding_holds_for_nothing_else},
    };

    suite_add("curve", tests, sizeof tests / sizeof tests[0]);
}
