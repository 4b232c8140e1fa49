#include "common/note.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/cases.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_note(void);

/* Made by github.com/transparency-dev/formats v0.1.1 and
 * golang.org/x/mod/sumdb/note: a log's plain signature and a cosignature.  The
 * seed of the witness is SHA-256 of "r2notary test vector: witness key", as its
 * publisher says; openssl pkeyutl finds the same about both. */
#define VECTOR_NAME "witness.example.com/vector"
#define VECTOR_KEY                                                             \
    VECTOR_NAME "+416f103d+BK/QmJFVP3SKJOqAMhFxBQPtylo3sjwWibyFDAlZKK8B"
#define VECTOR_TIME 1791014171
#define VECTOR_TEXT                                                            \
    "example.com/vector-log\n1234\n"                                           \
    "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n"
#define VECTOR_LOG_LINE                                                        \
    "\xE2\x80\x94 example.com/vector-log "                                     \
    "RRah2qlLrSlk6J8DA1HmNewppUM15Quhs5cAIb1KjBsV3otVirJTW8AFVsQtJkTW1Zny7Guo" \
    "AxZpI6bUPcpM68QOIgE=\n"
#define VECTOR_LINE                                                            \
    "\xE2\x80\x94 " VECTOR_NAME " "                                            \
    "QW8QPQAAAABqwLUbDdj7sDNRIVjmjYgqFI6y4UJhPg/UAA8J8wAdqSd3q4PedRhkgXA4xFN/" \
    "Jg5uWn7ZkBA+H/UHQs5d9hITdXmQAA==\n"

/* The seed in PKCS #8, by hand: 302e020100300506032b657004220420 before it. */
static const char vector_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJEX3xv88eoQIKT4E+GkxZcXaJCYlQfi/GJ3NDFmZIW8\n"
    "-----END PRIVATE KEY-----\n";

/* Keys of tests 1 and 2 in RFC 8032, section 7.1; ids by Python's hashlib. */
#define KEY_A                                                                  \
    "node.example/a+20c3152d+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define KEY_B                                                                  \
    "node.example/b+1930b2a1+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"

/* One of no known key. */
#define ANY_LINE "\xE2\x80\x94 k AAAAAQI=\n"

static struct note_verifier verifier_of(const char *key)
{
    struct note_verifier verifier = {.public_key = NULL};
    struct error err;

    error_init(&err);
    if (note_verifier_parse(&verifier, bytes_of_string(key), &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the verifier key is refused");
    }
    CU_ASSERT_STRING_EQUAL(err.text, "");
    return verifier;
}

static struct note note_of(struct bytes bytes)
{
    struct note note = {.text = bytes_of(NULL, 0)};
    struct error err;

    error_init(&err);
    if (note_parse(&note, bytes, &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the note is refused");
    }
    CU_ASSERT_STRING_EQUAL(err.text, "");
    return note;
}

static struct private_key *vector_private_key(void)
{
    struct private_key *key = NULL;
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    scratch_write(&scratch, "key.pem", vector_pem);
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "key.pem"), 0600), 0);
    CU_ASSERT_EQUAL_FATAL(
        private_key_load(&key, scratch_path(&scratch, "key.pem"), &err), OK);
    scratch_close(&scratch);
    return key;
}

/* ---- a vector by others ---- */

static void published_cosignature_verifies(void)
{
    static const char bytes[] = VECTOR_TEXT "\n" VECTOR_LOG_LINE VECTOR_LINE;
    struct note_verifier verifier = verifier_of(VECTOR_KEY);
    struct note note = note_of(bytes_of_string(bytes));
    struct checkpoint checkpoint;
    bool signed_by = false;
    uint64_t time_seconds = 0;
    struct error err;

    CU_ASSERT_STRING_EQUAL(verifier.name, VECTOR_NAME);
    CU_ASSERT_EQUAL(verifier.key_id, 0x416f103d);
    CU_ASSERT(bytes_equal_string(note.text, VECTOR_TEXT));
    CU_ASSERT_EQUAL(
        note_verify(&note, &verifier, 1, &signed_by, &time_seconds, &err), OK);
    CU_ASSERT(signed_by);
    CU_ASSERT_EQUAL(time_seconds, VECTOR_TIME);
    signed_by = false;
    CU_ASSERT_EQUAL(note_verify(&note, &verifier, 1, &signed_by, NULL, &err),
                    OK);
    CU_ASSERT(signed_by);
    CU_ASSERT_EQUAL(checkpoint_parse(&checkpoint, note.text, &err), OK);
    CU_ASSERT_STRING_EQUAL(checkpoint.origin, "example.com/vector-log");
    CU_ASSERT_EQUAL(checkpoint.size, 1234);
    note_verifier_clear(&verifier);
    note_verifier_clear(&verifier);
}

static void published_cosignature_is_made_again(void)
{
    struct private_key *key = vector_private_key();
    struct text out;
    struct error err;

    text_init(&out);
    CU_ASSERT_EQUAL(text_append_string(&out, "before\n", &err), OK);
    CU_ASSERT_EQUAL(note_cosign(VECTOR_NAME, key, bytes_of_string(VECTOR_TEXT),
                                VECTOR_TIME, &out, &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(out.data, "before\n" VECTOR_LINE);
    text_clear(&out);
    private_key_destroy(&key);
}

static void verifier_is_made_of_a_key(void)
{
    struct private_key *key = vector_private_key();
    struct public_key *public_key = NULL;
    struct note_verifier verifier;
    struct text out;
    struct error err;

    text_init(&out);
    CU_ASSERT_EQUAL_FATAL(private_key_public(key, &public_key, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        note_verifier_create(&verifier, VECTOR_NAME, public_key, &err), OK);
    public_key_destroy(&public_key);
    CU_ASSERT_EQUAL(note_verifier_append(&verifier, &out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out.data, VECTOR_KEY);
    note_verifier_clear(&verifier);
    text_clear(&out);
    private_key_destroy(&key);
}

/* c2sp.org/tlog-cosignature, the example at its top: its keys are not
 * published, its frame can be read. */
static void example_of_the_specification_is_read(void)
{
    static const char text[] = "example.com/behind-the-sofa\n"
                               "20852163\n"
                               "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    static const char lines[] =
        "\xE2\x80\x94 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5I"
        "ZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "\xE2\x80\x94 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DY"
        "n/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
        "\n";
    struct note_verifier verifier = verifier_of(KEY_A);
    struct checkpoint checkpoint;
    bool signed_by = true;
    struct text bytes, again;
    struct note note;
    struct error err;

    text_init(&bytes);
    text_init(&again);
    CU_ASSERT_EQUAL(text_printf(&bytes, &err, "%s\n%s", text, lines), OK);
    note = note_of(text_bytes(&bytes));
    CU_ASSERT(bytes_equal_string(note.text, text));
    CU_ASSERT(bytes_equal_string(note.signatures, lines));
    CU_ASSERT_EQUAL(note_verify(&note, &verifier, 1, &signed_by, NULL, &err),
                    OK);
    CU_ASSERT(!signed_by);
    CU_ASSERT_EQUAL(checkpoint_parse(&checkpoint, note.text, &err), OK);
    CU_ASSERT_EQUAL(checkpoint.size, 20852163);
    CU_ASSERT_EQUAL(checkpoint_append(&checkpoint, &again, &err), OK);
    CU_ASSERT_STRING_EQUAL(again.data, text);
    text_clear(&bytes);
    text_clear(&again);
    note_verifier_clear(&verifier);
}

/* ---- notes ---- */

static void refuse_note(const struct test_case *test)
{
    struct note note = {.text = bytes_of("kept", 4)};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(note_parse(&note, test->input, &err), E_INPUT);
    case_expect(test, err.text);
    CU_ASSERT(bytes_equal_string(note.text, "kept"));
}

static void malformed_notes_are_refused(void)
{
    cases_run("tests/data/note/notes.cases", refuse_note);
}

static void last_empty_line_separates(void)
{
    struct note note =
        note_of(bytes_of_string("one\n\n" ANY_LINE "\n\ntwo\n\n" ANY_LINE));

    CU_ASSERT(bytes_equal_string(note.text, "one\n\n" ANY_LINE "\n\ntwo\n"));
    CU_ASSERT(bytes_equal_string(note.signatures, ANY_LINE));
    note = note_of(bytes_of_string("\n\n" ANY_LINE ANY_LINE));
    CU_ASSERT(bytes_equal_string(note.text, "\n"));
    CU_ASSERT(bytes_equal_string(note.signatures, ANY_LINE ANY_LINE));
}

static void number_of_signatures_is_limited(void)
{
    struct note note;
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "text\n\n", &err), OK);
    for (int i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(text_append_string(&text, ANY_LINE, &err), OK);
    CU_ASSERT_EQUAL(note_parse(&note, text_bytes(&text), &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&text, ANY_LINE, &err), OK);
    CU_ASSERT_EQUAL(note_parse(&note, text_bytes(&text), &err), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text, "one signature more, expected at most 64");
    text_clear(&text);
}

static void size_is_limited(void)
{
    static const char end[] = "\n\n" ANY_LINE;
    struct note note;
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    for (size_t size = 131072; size <= 131073; size++) {
        text_reset(&text);
        CU_ASSERT_EQUAL_FATAL(text_reserve(&text, size, &err), OK);
        text.size = size - strlen(end);
        memset(text.data, 'x', text.size);
        CU_ASSERT_EQUAL(text_append_string(&text, end, &err), OK);
        CU_ASSERT_EQUAL(note_parse(&note, text_bytes(&text), &err),
                        size == 131072 ? OK : E_LIMIT);
    }
    CU_ASSERT_STRING_EQUAL(err.text,
                           "a note of 131073 bytes, expected at most 131072");
    text_clear(&text);
}

/* ---- verifying ---- */

static void verify(const struct test_case *test)
{
    struct note_verifier verifier[] = {verifier_of(KEY_A), verifier_of(KEY_B)};
    struct note note = note_of(test->input);
    bool signed_by[2] = {true, true};
    uint64_t time_seconds[2];
    char got[ERROR_TEXT_MAX] = "nobody";
    size_t used = 0;
    enum status status;
    struct error err;

    error_init(&err);
    status = note_verify(&note, verifier, 2, signed_by, time_seconds, &err);
    for (size_t i = 0; i < 2 && status == OK; i++)
        if (signed_by[i])
            used += (size_t)snprintf(got + used, sizeof got - used,
                                     "%s%c %" PRIu64, used > 0 ? " " : "",
                                     i == 0 ? 'a' : 'b', time_seconds[i]);
    if (status != OK) {
        CU_ASSERT_EQUAL(status, E_REFUSED);
        CU_ASSERT(!signed_by[0] && !signed_by[1]);
    }
    case_expect(test, status == OK ? got : err.text);
    note_verifier_clear(&verifier[0]);
    note_verifier_clear(&verifier[1]);
}

static void wrong_signatures_by_known_keys_are_refused(void)
{
    cases_run("tests/data/note/verify.cases", verify);
}

/* A note that was not parsed, or came from two places. */
static void lines_are_checked_when_verifying(void)
{
    struct note_verifier verifier = verifier_of(KEY_A);
    struct note note = {.text = bytes_of_string("text\n"),
                        .signatures = bytes_of_string(ANY_LINE "no line\n")};
    bool signed_by = true;
    struct error err;

    CU_ASSERT_EQUAL(note_verify(&note, &verifier, 1, &signed_by, NULL, &err),
                    E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "signature 2 of a note: another line, expected an "
                           "em dash, a name and a signature with single spaces "
                           "between them");
    CU_ASSERT(!signed_by);
    note_verifier_clear(&verifier);
}

static void nobody_counts_twice(void)
{
    struct note_verifier verifier[] = {verifier_of(KEY_A), verifier_of(KEY_B),
                                       verifier_of(KEY_A)};
    struct note note = note_of(bytes_of_string("text\n\n" ANY_LINE));
    bool signed_by[3] = {true, true, true};
    struct error err;

    /* Under another name it would have another id and its own signature. */
    memcpy(verifier[2].name, "node.example/z", 15);
    CU_ASSERT_EQUAL(note_verify(&note, verifier, 3, signed_by, NULL, &err),
                    E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "verifiers node.example/a and node.example/z have "
                           "the same key, expected one for each");
    CU_ASSERT(!signed_by[0] && !signed_by[1] && !signed_by[2]);
    for (size_t i = 0; i < 3; i++)
        note_verifier_clear(&verifier[i]);
}

/* ---- verifier keys ---- */

static void refuse_verifier(const struct test_case *test)
{
    struct note_verifier verifier = {.key_id = 7};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(note_verifier_parse(&verifier, test->input, &err), E_INPUT);
    case_expect(test, err.text);
    CU_ASSERT_EQUAL(verifier.key_id, 7);
    CU_ASSERT_PTR_NULL(verifier.public_key);
}

static void malformed_verifier_keys_are_refused(void)
{
    cases_run("tests/data/note/verifiers.cases", refuse_verifier);
}

static void longest_name_is_accepted(void)
{
    char name[NOTE_NAME_MAX + 2], key[256];
    struct note_verifier verifier;
    struct text out;
    struct error err;

    memset(name, 'n', sizeof name);
    name[NOTE_NAME_MAX] = '\0';
    /* The id by Python's hashlib, the key is that of A. */
    snprintf(key, sizeof key, "%s+af50b0b3+%s", name,
             "BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
    verifier = verifier_of(key);
    CU_ASSERT_STRING_EQUAL(verifier.name, name);
    text_init(&out);
    CU_ASSERT_EQUAL(note_verifier_append(&verifier, &out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out.data, key);
    text_clear(&out);
    note_verifier_clear(&verifier);
}

static void names_have_no_space_of_any_script(void)
{
    /* Unicode 15, White_Space=yes, beyond the control characters. */
    static const char *const bad[] = {
        "",
        " ",
        "a ",
        "a+b",
        "a\tb",
        "a\nb",
        "\x1f",
        "\xC2\x85",
        "\xC2\xA0",
        "\xE1\x9A\x80",
        "\xE2\x80\x80",
        "\xE2\x80\x81",
        "\xE2\x80\x82",
        "\xE2\x80\x83",
        "\xE2\x80\x84",
        "\xE2\x80\x85",
        "\xE2\x80\x86",
        "\xE2\x80\x87",
        "\xE2\x80\x88",
        "\xE2\x80\x89",
        "\xE2\x80\x8A",
        "\xE2\x80\xA8",
        "\xE2\x80\xA9",
        "\xE2\x80\xAF",
        "\xE2\x81\x9F",
        "\xE3\x80\x80",
        "\xFF",
        "a\xC2",
    };
    static const char *const good[] = {
        "a",
        "example.com/log42",
        "-",
        "\xC3\xA9",
        "\xE2\x80\x8B",
        "\xE2\x80\x94",
        "\xF0\x9F\x98\x80",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!note_name_valid(bytes_of_string(bad[i])));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT(note_name_valid(bytes_of_string(good[i])));
    CU_ASSERT(!note_name_valid(bytes_of("a\0b", 3)));
    CU_ASSERT(!note_name_valid(bytes_of(NULL, 0)));
}

/* ---- checkpoints ---- */

static void refuse_checkpoint(const struct test_case *test)
{
    struct checkpoint checkpoint = {.size = 7};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(checkpoint_parse(&checkpoint, test->input, &err), E_INPUT);
    case_expect(test, err.text);
    CU_ASSERT_EQUAL(checkpoint.size, 7);
}

static void malformed_checkpoints_are_refused(void)
{
    cases_run("tests/data/note/checkpoints.cases", refuse_checkpoint);
}

static void checkpoint_lines_are_written_and_read(void)
{
    static const uint64_t sizes[] = {0, 1, 9, 10, 42, INT64_MAX};
    struct checkpoint checkpoint, again;
    struct text text;
    struct error err;

    text_init(&text);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(&checkpoint, 0, sizeof checkpoint);
        memcpy(checkpoint.origin, "go.sum database tree", 21);
        checkpoint.size = sizes[i];
        for (size_t j = 0; j < DIGEST_SIZE; j++)
            checkpoint.root.byte[j] = (uint8_t)(8 * j + i);
        text_reset(&text);
        CU_ASSERT_EQUAL(checkpoint_append(&checkpoint, &text, &err), OK);
        CU_ASSERT_EQUAL_FATAL(checkpoint_parse(&again, text_bytes(&text), &err),
                              OK);
        CU_ASSERT_STRING_EQUAL(again.origin, checkpoint.origin);
        CU_ASSERT_EQUAL(again.size, checkpoint.size);
        CU_ASSERT_EQUAL(memcmp(again.root.byte, checkpoint.root.byte, 32), 0);
    }
    /* base64 of 0x05 0x0D 0x15 ... 0xFD by Python. */
    CU_ASSERT_STRING_EQUAL(text.data,
                           "go.sum database tree\n9223372036854775807\n"
                           "BQ0VHSUtNT1FTVVdZW11fYWNlZ2lrbW9xc3V3eXt9f0=\n");
    text_clear(&text);
}

static int append_empty_origin(void)
{
    struct checkpoint checkpoint = {.size = 1};
    struct text out;
    struct error err;

    text_init(&out);
    return checkpoint_append(&checkpoint, &out, &err) == OK ? 0 : 1;
}

static int append_large_size(void)
{
    struct checkpoint checkpoint = {.origin = "log", .size = UINT64_MAX};
    struct text out;
    struct error err;

    text_init(&out);
    return checkpoint_append(&checkpoint, &out, &err) == OK ? 0 : 1;
}

static void impossible_checkpoints_are_not_written(void)
{
    CU_ASSERT(child_aborts(append_empty_origin));
    CU_ASSERT(child_aborts(append_large_size));
}

/* ---- signing ---- */

static void nothing_but_checkpoints_is_signed(void)
{
    static const char *const texts[] = {"", "log\n1\n", VECTOR_TEXT "more\n",
                                        VECTOR_TEXT "\n",
                                        "cosignature/v1\ntime 5\n" VECTOR_TEXT};
    struct private_key *key = vector_private_key();
    struct text out;
    struct error err;

    text_init(&out);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        error_init(&err);
        CU_ASSERT_EQUAL(note_cosign(VECTOR_NAME, key, bytes_of_string(texts[i]),
                                    VECTOR_TIME, &out, &err),
                        E_INPUT);
        CU_ASSERT_EQUAL(strncmp(err.text, "a text to cosign: ", 18), 0);
        CU_ASSERT_EQUAL(out.size, 0);
    }
    CU_ASSERT_EQUAL(note_cosign("a+b", key, bytes_of_string(VECTOR_TEXT),
                                VECTOR_TIME, &out, &err),
                    E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "the name of a key, 3 bytes long, expected 1 to 128 "
                           "bytes of UTF-8 without spaces, control characters "
                           "and plus signs");
    CU_ASSERT_EQUAL(out.size, 0);
    private_key_destroy(&key);
}

static int cosign_with_p256(void)
{
    struct private_key *key = NULL;
    struct text out;
    struct error err;

    text_init(&out);
    if (private_key_generate(&key, KEY_P256, &err) != OK)
        return 0;
    return note_cosign("a", key, bytes_of_string(VECTOR_TEXT), 1, &out, &err) ==
                   OK
               ? 0
               : 1;
}

static int cosign_after_the_end_of_time(void)
{
    struct private_key *key = NULL;
    struct text out;
    struct error err;

    text_init(&out);
    if (private_key_generate(&key, KEY_ED25519, &err) != OK)
        return 0;
    return note_cosign("a", key, bytes_of_string(VECTOR_TEXT),
                       (uint64_t)INT64_MAX + 1, &out, &err) == OK
               ? 0
               : 1;
}

static void cosigning_needs_the_right_key_and_time(void)
{
    CU_ASSERT(child_aborts(cosign_with_p256));
    CU_ASSERT(child_aborts(cosign_after_the_end_of_time));
}

void suite_note(void)
{
    static const struct test tests[] = {
        {"published cosignature verifies", published_cosignature_verifies},
        {"published cosignature is made again byte for byte",
         published_cosignature_is_made_again},
        {"verifier is made of a key", verifier_is_made_of_a_key},
        {"example of the specification is read",
         example_of_the_specification_is_read},
        {"malformed notes are refused", malformed_notes_are_refused},
        {"last empty line separates text and signatures",
         last_empty_line_separates},
        {"number of signatures is limited", number_of_signatures_is_limited},
        {"size of a note is limited", size_is_limited},
        {"wrong signatures by known keys are refused, unknown ones passed over",
         wrong_signatures_by_known_keys_are_refused},
        {"lines are checked when verifying, too",
         lines_are_checked_when_verifying},
        {"nobody counts twice", nobody_counts_twice},
        {"malformed verifier keys are refused",
         malformed_verifier_keys_are_refused},
        {"longest name is accepted", longest_name_is_accepted},
        {"names have no space of any script",
         names_have_no_space_of_any_script},
        {"malformed checkpoints are refused",
         malformed_checkpoints_are_refused},
        {"checkpoint lines are written and read",
         checkpoint_lines_are_written_and_read},
        {"impossible checkpoints are not written",
         impossible_checkpoints_are_not_written},
        {"nothing but checkpoints is signed",
         nothing_but_checkpoints_is_signed},
        {"cosigning needs the right key and time",
         cosigning_needs_the_right_key_and_time},
    };

    suite_add("note", tests, sizeof tests / sizeof tests[0]);
}
