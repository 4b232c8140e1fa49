#include "common/permitted.h"

#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/random.h"
#include "common/sign.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_oracle.h"

void suite_permitted(void);

#define ITEMS 5

static struct error err;

/* The seed 00 01 .. 1f. */
static struct permitted_seed first_seed(void)
{
    struct permitted_seed seed;

    for (size_t i = 0; i < sizeof seed.byte; i++)
        seed.byte[i] = (uint8_t)i;
    return seed;
}

static struct permitted item_of(uint8_t byte, uint64_t position)
{
    struct permitted item = {.position = position};

    memset(item.subject.byte, byte, sizeof item.subject.byte);
    return item;
}

/* The subjects 01 01 .., 11 11 .., to 41 41 .., at positions 10 to 14. */
static void encode_items(uint8_t list[ITEMS * PERMITTED_ITEM_SIZE])
{
    for (size_t i = 0; i < ITEMS; i++) {
        struct permitted item = item_of((uint8_t)(16 * i + 1), 10 + i);

        permitted_encode(&item, list + i * PERMITTED_ITEM_SIZE);
    }
}

static void expect_root(struct bytes list, const char *expected)
{
    struct permitted_seed seed = first_seed();
    char hex[DIGEST_HEX_SIZE];
    struct digest root;

    error_init(&err);
    CU_ASSERT_EQUAL(permitted_root(list, &seed, &root, &err), OK);
    digest_hex(&root, hex);
    CU_ASSERT_STRING_EQUAL(hex, expected);
}

/* By Python's hmac and hashlib, and the recursion of RFC 6962, 2.1. */
static void roots_are_those_that_another_program_computes(void)
{
    static const char *const expected[ITEMS + 1] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "0c64d751078ce8cda697df8e800f6c0d8ced2bba00177185d2cdd63fc68731b9",
        "a32059e100751e7532734cd50a8e49eb69a027b55d46be671f7e58019373ab29",
        "fa3e93a3ea17c86ec96abe9ba185ce4f3ed1f6227492dcfec02c5d7bc3e9464a",
        "2761d596a1a71412cd414ac55e68db00795869b95faf077f29d173ce76ae5c39",
        "4e6200ff3ffc79824ab49f9b0dc1e56d3bbf0f3c47d445721ce47ea5d36ea16d"};
    uint8_t list[ITEMS * PERMITTED_ITEM_SIZE];
    struct permitted last = item_of(0x01, UINT64_MAX);

    encode_items(list);
    for (size_t count = 0; count <= ITEMS; count++)
        expect_root(bytes_of(list, count * PERMITTED_ITEM_SIZE),
                    expected[count]);
    permitted_encode(&last, list);
    expect_root(
        bytes_of(list, PERMITTED_ITEM_SIZE),
        "43c379e6867e03de1eba0b0c32a56619ef4d633d5da318ad0d2172611c0db2f7");
}

/* ---- against hmac_sha256 and the definition of the tree ---- */

#define RANDOM_MAX 300
#define RANDOM_ROUNDS 40

static void oracle_hash(const struct permitted_seed *seed, const uint8_t *item,
                        struct digest *hash)
{
    static const char label[] = "anchorite permitted 1";
    uint8_t message[sizeof label + SUBJECT_ID_SIZE];
    uint8_t leaf[HMAC_SIZE + PERMITTED_ITEM_SIZE];

    memcpy(message, label, sizeof label);
    memcpy(message + sizeof label, item, SUBJECT_ID_SIZE);
    CU_ASSERT_EQUAL(hmac_sha256(bytes_of(seed->byte, sizeof seed->byte),
                                bytes_of(message, sizeof message), leaf, &err),
                    OK);
    memcpy(leaf + HMAC_SIZE, item, PERMITTED_ITEM_SIZE);
    oracle_leaf(hash, bytes_of(leaf, sizeof leaf));
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, SUBJECT_ID_SIZE);
}

static void random_bytes(struct random *random, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)random_next(random);
}

static void random_lists_have_the_root_of_the_definition(void)
{
    static uint8_t list[RANDOM_MAX * PERMITTED_ITEM_SIZE];
    static struct digest leaf[RANDOM_MAX];
    struct random random;

    random_init(&random, fixture_seed("permitted roots"));
    for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
        size_t count = random_below(&random, RANDOM_MAX) + 1;
        struct permitted_seed seed;
        struct digest root, expected;

        error_init(&err);
        random_bytes(&random, seed.byte, sizeof seed.byte);
        random_bytes(&random, list, count * PERMITTED_ITEM_SIZE);
        qsort(list, count, PERMITTED_ITEM_SIZE, compare);
        for (size_t i = 0; i < count; i++)
            oracle_hash(&seed, list + i * PERMITTED_ITEM_SIZE, &leaf[i]);
        oracle_root(leaf, count, &expected);
        CU_ASSERT_EQUAL(
            permitted_root(bytes_of(list, count * PERMITTED_ITEM_SIZE), &seed,
                           &root, &err),
            OK);
        CU_ASSERT_EQUAL(memcmp(&root, &expected, sizeof root), 0);
    }
}

/* ---- what is no list ---- */

static void expect_refusal(struct bytes list, const char *words)
{
    struct permitted_seed seed = first_seed();
    struct digest root = {{7}};

    error_init(&err);
    CU_ASSERT_EQUAL(permitted_root(list, &seed, &root, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, words);
    CU_ASSERT_EQUAL(root.byte[0], 7);
}

static void lists_that_are_cut_off_are_refused(void)
{
    uint8_t list[ITEMS * PERMITTED_ITEM_SIZE];

    encode_items(list);
    expect_refusal(bytes_of(list, 1),
                   "permitted subjects: 1 bytes are not a number of items of "
                   "24");
    expect_refusal(bytes_of(list, sizeof list - 1),
                   "permitted subjects: 119 bytes are not a number of items "
                   "of 24");
}

static void lists_that_do_not_ascend_are_refused(void)
{
    uint8_t list[ITEMS * PERMITTED_ITEM_SIZE];
    uint8_t *third = list + (size_t)2 * PERMITTED_ITEM_SIZE;
    struct permitted_seed seed = first_seed();
    struct permitted item;
    struct digest root;

    /* The same subject, by another entry. */
    encode_items(list);
    item = item_of(0x11, 12);
    permitted_encode(&item, third);
    expect_refusal(bytes_of(list, sizeof list),
                   "permitted subjects: item 3 is not above the one before it");
    item = item_of(0x10, 12);
    permitted_encode(&item, third);
    expect_refusal(bytes_of(list, sizeof list),
                   "permitted subjects: item 3 is not above the one before it");
    /* Unsigned bytes: 0x7f, then 0x80, goes. */
    item = item_of(0x7f, 12);
    permitted_encode(&item, list);
    item = item_of(0x80, 12);
    permitted_encode(&item, list + PERMITTED_ITEM_SIZE);
    error_init(&err);
    CU_ASSERT_EQUAL(
        permitted_root(bytes_of(list, (size_t)2 * PERMITTED_ITEM_SIZE), &seed,
                       &root, &err),
        OK);
}

static void items_come_back_as_they_went_in(void)
{
    uint8_t list[ITEMS * PERMITTED_ITEM_SIZE];

    encode_items(list);
    for (size_t i = 0; i < ITEMS; i++) {
        struct permitted item = permitted_item(bytes_of(list, sizeof list), i);
        struct permitted expected = item_of((uint8_t)(16 * i + 1), 10 + i);

        CU_ASSERT_EQUAL(subject_id_compare(&item.subject, &expected.subject),
                        0);
        CU_ASSERT_EQUAL(item.position, 10 + i);
    }
}

void suite_permitted(void)
{
    static const struct test tests[] = {
        {"roots are those that another program computes",
         roots_are_those_that_another_program_computes},
        {"random lists have the root of the definition",
         random_lists_have_the_root_of_the_definition},
        {"lists that are cut off are refused",
         lists_that_are_cut_off_are_refused},
        {"lists that do not ascend are refused",
         lists_that_do_not_ascend_are_refused},
        {"items come back as they went in", items_come_back_as_they_went_in},
    };

    suite_add("permitted", tests, sizeof tests / sizeof *tests);
}
