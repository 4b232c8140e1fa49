#include "common/subject_id.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/limits.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_subject_id(void);

static struct scratch scratch;
static struct subject_id_key *key;
static struct error err;

/* The key 00 01 .. 1f as its file holds it; the digest behind it, and the ids
 * below, are by Python's hashlib and hmac. */
static const char key_file[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    "7a9a5134ebb3a3b72d90edddc458249d1788f0321353d71b0c9ba7942f4d947c";

static void begin(void)
{
    uint8_t bytes[64];
    struct new_file *file = NULL;

    scratch_open(&scratch);
    error_init(&err);
    CU_ASSERT_FATAL(hex_decode(bytes_of_string(key_file), bytes, 64));
    CU_ASSERT_EQUAL_FATAL(
        new_file_create(&file, scratch_path(&scratch, "key"), 0600, &err), OK);
    CU_ASSERT_EQUAL_FATAL(descriptor_write(new_file_descriptor(file),
                                           bytes_of(bytes, 64), "key", &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(new_file_publish(&file, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        subject_id_key_open(&key, scratch_path(&scratch, "key"), &err), OK);
}

static void end(void)
{
    subject_id_key_close(&key);
    CU_ASSERT_PTR_NULL(key);
    scratch_close(&scratch);
}

static void expect_id(const char *organisation, struct bytes number,
                      const char *expected)
{
    struct subject_id id, parsed;
    char hex[SUBJECT_ID_HEX_SIZE];

    CU_ASSERT_EQUAL(subject_id_derive(key, organisation, number, &id, &err),
                    OK);
    subject_id_hex(&id, hex);
    CU_ASSERT_STRING_EQUAL(hex, expected);
    CU_ASSERT(subject_id_parse(&parsed, bytes_of_string(hex)));
    CU_ASSERT_EQUAL(subject_id_compare(&id, &parsed), 0);
}

static void ids_are_those_that_another_program_computes(void)
{
    char longest[PATIENT_NUMBER_MAX];

    begin();
    expect_id("north", bytes_of_string("0012345"),
              "a1017c119d7ad403b01706ffdc819e83");
    expect_id("south", bytes_of_string("0012345"),
              "f88e1325bc38cf18d86b9d3ba5b774b7");
    /* The same letters, cut elsewhere. */
    expect_id("n", bytes_of_string("orth0012345"),
              "03ec31f9e07e978947a48720de5425ba");
    for (size_t i = 0; i < sizeof longest; i += 2)
        memcpy(longest + i, "\xc3\xa9", 2);
    expect_id("north", bytes_of(longest, sizeof longest),
              "88b210fb8449fb8576fc4aac0d0a19a1");
    end();
}

static void empty_and_too_long_numbers_are_refused(void)
{
    char longer[PATIENT_NUMBER_MAX + 1];
    char name[66];
    struct subject_id id;

    begin();
    memset(longer, '7', sizeof longer);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CU_ASSERT_EQUAL(
        subject_id_derive(key, "north", bytes_of(NULL, 0), &id, &err), E_INPUT);
    CU_ASSERT_EQUAL(subject_id_derive(key, "north",
                                      bytes_of(longer, sizeof longer), &id,
                                      &err),
                    E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "a patient's number has 257 bytes, the limit is "
                           "256");
    CU_ASSERT_EQUAL(subject_id_derive(key, name, bytes_of("1", 1), &id, &err),
                    E_LIMIT);
    end();
}

static void texts_that_are_no_id_are_refused(void)
{
    static const char *const wrong[] = {"", "a1017c119d7ad403b01706ffdc819e8",
                                        "a1017c119d7ad403b01706ffdc819e833",
                                        "A1017C119D7AD403B01706FFDC819E83",
                                        "g1017c119d7ad403b01706ffdc819e83"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct subject_id id = {{7}};

        CU_ASSERT(!subject_id_parse(&id, bytes_of_string(wrong[i])));
        CU_ASSERT_EQUAL(id.byte[0], 7);
    }
}

static void new_keys_differ_and_are_never_overwritten(void)
{
    struct subject_id_key *one = NULL, *two = NULL, *none = NULL;
    struct subject_id a, b;

    begin();
    CU_ASSERT_EQUAL(subject_id_key_create(scratch_path(&scratch, "one"), &err),
                    OK);
    CU_ASSERT_EQUAL(subject_id_key_create(scratch_path(&scratch, "two"), &err),
                    OK);
    CU_ASSERT_EQUAL(subject_id_key_create(scratch_path(&scratch, "two"), &err),
                    E_INPUT);
    CU_ASSERT_EQUAL_FATAL(
        subject_id_key_open(&one, scratch_path(&scratch, "one"), &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        subject_id_key_open(&two, scratch_path(&scratch, "two"), &err), OK);
    CU_ASSERT_EQUAL(subject_id_derive(one, "north", bytes_of("1", 1), &a, &err),
                    OK);
    CU_ASSERT_EQUAL(subject_id_derive(two, "north", bytes_of("1", 1), &b, &err),
                    OK);
    CU_ASSERT_NOT_EQUAL(subject_id_compare(&a, &b), 0);
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "one"), 0640), 0);
    CU_ASSERT_EQUAL(
        subject_id_key_open(&none, scratch_path(&scratch, "one"), &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(none);
    subject_id_key_close(&one);
    subject_id_key_close(&two);
    end();
}

void suite_subject_id(void)
{
    static const struct test tests[] = {
        {"ids are those that another program computes",
         ids_are_those_that_another_program_computes},
        {"empty and too long numbers are refused",
         empty_and_too_long_numbers_are_refused},
        {"texts that are no id are refused", texts_that_are_no_id_are_refused},
        {"new keys differ, and are never overwritten",
         new_keys_differ_and_are_never_overwritten},
    };

    suite_add("subject_id", tests, sizeof tests / sizeof tests[0]);
}
