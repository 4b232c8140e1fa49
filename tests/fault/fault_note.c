#include "common/note.h"

#include <errno.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_note(void);

#define ROOT "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I="
static const char checkpoint_text[] = "log.example/demo\n42\n" ROOT "\n";

/* Of test 1 in RFC 8032, section 7.1; the signature by Python's cryptography,
 * see tests/data/note/verify.cases. */
static const char verifier_key[] =
    "node.example/a+20c3152d+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
static const char note_text[] =
    "log.example/demo\n42\n" ROOT "\n\n"
    "\xE2\x80\x94 node.example/a IMMVLQAAAABlU/EAULnY9oLs2IB5svc2Ju55FS0X040y3s"
    "M9zOOauG4RosI9b/+Ixa4fhAD8HzdVJ/El3IGDs1b9fYoe5xivmP0EAw==\n";

static struct note_verifier verifier_of(void)
{
    struct note_verifier verifier;
    struct note note;
    struct error err;
    bool signed_by;

    CU_ASSERT_EQUAL_FATAL(
        note_verifier_parse(&verifier, bytes_of_string(verifier_key), &err),
        OK);
    CU_ASSERT_EQUAL_FATAL(note_parse(&note, bytes_of_string(note_text), &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(
        note_verify(&note, &verifier, 1, &signed_by, NULL, &err), OK);
    CU_ASSERT(signed_by);
    return verifier;
}

static void verifier_without_memory_is_none(void)
{
    struct note_verifier warm = verifier_of();
    struct error err;

    note_verifier_clear(&warm);
    fault_spare_openssl(true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct note_verifier verifier = {.key_id = 7};
        enum status status;

        error_init(&err);
        fault_on();
        status =
            note_verifier_parse(&verifier, bytes_of_string(verifier_key), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(verifier.public_key != NULL, status == OK);
        CU_ASSERT_EQUAL(verifier.key_id == 7, status != OK);
        note_verifier_clear(&verifier);
    }
    fault_spare_openssl(false);
}

static void verifier_is_written_whole_or_not(void)
{
    struct note_verifier verifier = verifier_of();
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = note_verifier_append(&verifier, &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(out.data, status == OK ? verifier_key : "");
        text_clear(&out);
    }
    note_verifier_clear(&verifier);
}

static void checkpoint_is_copied_whole_or_not(void)
{
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct checkpoint checkpoint = {.size = 7};
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = checkpoint_parse(&checkpoint, bytes_of_string(checkpoint_text),
                                  &err);
        if (status == OK)
            status = checkpoint_append(&checkpoint, &out, &err);
        else
            CU_ASSERT_EQUAL(checkpoint.size, 7);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(out.data, status == OK ? checkpoint_text : "");
        text_clear(&out);
    }
}

static void note_is_not_taken_for_malformed(void)
{
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct note note = {.text = bytes_of(NULL, 0)};
        enum status status;

        error_init(&err);
        fault_on();
        status = note_parse(&note, bytes_of_string(note_text), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(note.text.size > 0, status == OK);
    }
}

static void signature_is_not_taken_for_wrong(void)
{
    struct note_verifier verifier = verifier_of();
    struct note note;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(note_parse(&note, bytes_of_string(note_text), &err),
                          OK);
    fault_spare_openssl(true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        bool signed_by = true;
        enum status status;

        error_init(&err);
        fault_on();
        status = note_verify(&note, &verifier, 1, &signed_by, NULL, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(signed_by, status == OK);
    }
    fault_spare_openssl(false);
    note_verifier_clear(&verifier);
}

static void cosignature_is_written_whole_or_not(void)
{
    struct private_key *key = NULL;
    struct text expected;
    struct error err;

    text_init(&expected);
    CU_ASSERT_EQUAL_FATAL(private_key_generate(&key, KEY_ED25519, &err), OK);
    CU_ASSERT_EQUAL_FATAL(note_cosign("node", key,
                                      bytes_of_string(checkpoint_text),
                                      1700000000, &expected, &err),
                          OK);
    fault_spare_openssl(true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = note_cosign("node", key, bytes_of_string(checkpoint_text),
                             1700000000, &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(out.data, status == OK ? expected.data : "");
        text_clear(&out);
    }
    fault_spare_openssl(false);
    text_clear(&expected);
    private_key_destroy(&key);
}

void suite_note(void)
{
    static const struct test tests[] = {
        {"verifier without memory is none", verifier_without_memory_is_none},
        {"verifier is written whole or not", verifier_is_written_whole_or_not},
        {"checkpoint is copied whole or not",
         checkpoint_is_copied_whole_or_not},
        {"note is not taken for malformed without memory",
         note_is_not_taken_for_malformed},
        {"signature is not taken for wrong without memory",
         signature_is_not_taken_for_wrong},
        {"cosignature is written whole or not",
         cosignature_is_written_whole_or_not},
    };

    suite_add("note", tests, sizeof tests / sizeof tests[0]);
}
