#include "ledger/block.h"

#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_block(void);

static struct error err;

static void fill(uint8_t *bytes, uint8_t with)
{
    memset(bytes, with, DIGEST_SIZE);
}

static struct block sample(void)
{
    struct block block = {.number = 0x0102030405060708,
                          .entries = 0x11121314,
                          .bytes = 0x2122232425262728,
                          .size = 0x3132333435363738,
                          .time_ms = 0x4142434445464748,
                          .raft_index = 0x5152535455565758};

    fill(block.previous.byte, 0xaa);
    fill(block.entries_root.byte, 0xbb);
    fill(block.root.byte, 0xcc);
    return block;
}

/* docs/protocol.md, written out. */
static const char sample_hex[] =
    "0102030405060708"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "11121314"
    "2122232425262728"
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "3132333435363738"
    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
    "4142434445464748"
    "5152535455565758";

static void header_has_its_fields_in_order(void)
{
    struct block block = sample(), back;
    uint8_t header[BLOCK_HEADER_SIZE];
    char hex[2 * BLOCK_HEADER_SIZE + 1];

    block_encode(&block, header);
    hex_encode(bytes_of(header, sizeof header), hex);
    CU_ASSERT_STRING_EQUAL(hex, sample_hex);
    block_decode(&back, header);
    CU_ASSERT_EQUAL(back.number, block.number);
    CU_ASSERT_EQUAL(back.entries, block.entries);
    CU_ASSERT_EQUAL(back.bytes, block.bytes);
    CU_ASSERT_EQUAL(back.size, block.size);
    CU_ASSERT_EQUAL(back.time_ms, block.time_ms);
    CU_ASSERT_EQUAL(back.raft_index, block.raft_index);
    CU_ASSERT_EQUAL(memcmp(&back.root, &block.root, DIGEST_SIZE), 0);
    CU_ASSERT_EQUAL(memcmp(&back.previous, &block.previous, DIGEST_SIZE), 0);
    CU_ASSERT_EQUAL(
        memcmp(&back.entries_root, &block.entries_root, DIGEST_SIZE), 0);
}

static void hash_is_of_tag_and_header(void)
{
    struct block block = sample();
    char hex[DIGEST_HEX_SIZE];
    struct digest hash;

    block_hash(&block, &hash);
    digest_hex(&hash, hex);
    /* By Python: sha256(b"anchorite block 1\n" + bytes.fromhex(...)). */
    CU_ASSERT_STRING_EQUAL(
        hex,
        "aba761dc05883ecbfdead968b0cae1f36908bbe74e4c3a1f5b5f25398fa06273");
}

/* ---- batches ---- */

static void make(struct text *out, const char *const *item, uint32_t count,
                 uint64_t time_ms)
{
    text_init(out);
    CU_ASSERT_EQUAL(batch_begin(out, &err), OK);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(batch_add(out, bytes_of_string(item[2 * i]),
                                  bytes_of_string(item[2 * i + 1]), &err),
                        OK);
    CU_ASSERT_EQUAL(batch_end(out, time_ms, count, &err), OK);
}

static void batch_is_read_as_it_was_written(void)
{
    static const char *const item[] = {"entry", "sig", "", "", "x", "abcdefg"};
    /* 12, 4+5+4+3, 8, 4+1+4+7: 52, padded to 56. */
    static const char expected[] = "000000000000002a"
                                   "00000003"
                                   "00000005"
                                   "656e747279"
                                   "00000003"
                                   "736967"
                                   "00000000"
                                   "00000000"
                                   "00000001"
                                   "78"
                                   "00000007"
                                   "61626364656667"
                                   "00000000";
    struct batch batch;
    struct text text;
    char hex[128];

    make(&text, item, 3, 42);
    CU_ASSERT_EQUAL_FATAL(text.size, 56);
    hex_encode(text_bytes(&text), hex);
    CU_ASSERT_STRING_EQUAL(hex, expected);
    CU_ASSERT_EQUAL_FATAL(batch_parse(&batch, text_bytes(&text), &err), OK);
    CU_ASSERT_EQUAL(batch.time_ms, 42);
    CU_ASSERT_EQUAL_FATAL(batch.count, 3);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT(bytes_equal_string(batch.item[i].entry, item[2 * i]));
        CU_ASSERT(
            bytes_equal_string(batch.item[i].signatures, item[2 * i + 1]));
    }
    batch_clear(&batch);
    text_clear(&text);
}

/* On the heap, without a byte behind, so that a sanitizer sees who reads too
 * far. */
static void refuse(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    struct batch batch;

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, data, size);
    error_init(&err);
    CU_ASSERT_EQUAL(batch_parse(&batch, bytes_of(copy, size), &err), E_INPUT);
    CU_ASSERT_PTR_NULL(batch.item);
    CU_ASSERT_STRING_NOT_EQUAL(err.text, "");
    free(copy);
}

static void what_is_not_exactly_a_batch_is_refused(void)
{
    static const char *const item[] = {"entry", "sig", "y", "abc"};
    struct text text;
    uint8_t bytes[64];

    make(&text, item, 2, 42); /* 40 bytes, none of padding */
    CU_ASSERT_EQUAL_FATAL(text.size, 40);
    for (size_t size = 0; size < 40; size++)
        refuse((const uint8_t *)text.data, size);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, text.data, 40);
    refuse(bytes, 48); /* more padding than needed */
    refuse(bytes, 41);
    bytes[11] = 3; /* entries */
    refuse(bytes, 40);
    bytes[11] = 1;
    refuse(bytes, 40);
    bytes[11] = 0;
    refuse(bytes, 40);
    bytes[8] = 0xff;
    refuse(bytes, 40);
    bytes[8] = 0;
    bytes[11] = 2;
    bytes[12] = 0xff; /* size of the first entry */
    refuse(bytes, 40);
    bytes[12] = 0;
    bytes[0] = 0xff; /* clock */
    refuse(bytes, 40);
    text_clear(&text);
    make(&text, item, 1, 42); /* 28 bytes and 4 of padding */
    CU_ASSERT_EQUAL_FATAL(text.size, 32);
    text.data[31] = 1;
    refuse((const uint8_t *)text.data, 32);
    text_clear(&text);
}

static void batch_has_a_largest_size_clock_and_count(void)
{
    static uint8_t large[BATCH_SIZE_MAX];
    struct batch batch;
    struct text text;

    text_init(&text);
    CU_ASSERT_EQUAL(batch_begin(&text, &err), OK);
    error_init(&err);
    CU_ASSERT_EQUAL(batch_add(&text, bytes_of(large, sizeof large),
                              bytes_of(NULL, 0), &err),
                    E_LIMIT);
    CU_ASSERT_EQUAL(text.size, 12);
    /* 12, 8 and this are 5 below the limit. */
    CU_ASSERT_EQUAL(batch_add(&text, bytes_of(large, sizeof large - 27),
                              bytes_of(NULL, 0), &err),
                    OK);
    CU_ASSERT_EQUAL(
        batch_add(&text, bytes_of(large, 0), bytes_of(NULL, 0), &err), E_LIMIT);
    CU_ASSERT_EQUAL(batch_end(&text, BATCH_TIME_MAX, 1, &err), OK);
    CU_ASSERT_EQUAL(text.size, sizeof large);
    CU_ASSERT_EQUAL(batch_parse(&batch, text_bytes(&text), &err), OK);
    CU_ASSERT_EQUAL(batch.time_ms, BATCH_TIME_MAX);
    batch_clear(&batch);
    text_clear(&text);
}

static int end_too_late(void)
{
    struct text text;

    text_init(&text);
    if (batch_begin(&text, &err) != OK)
        return 1;
    return batch_end(&text, BATCH_TIME_MAX + 1, 1, &err) == OK;
}

static void impossible_clock_is_asserted(void)
{
    CU_ASSERT(child_aborts(end_too_late));
}

void suite_block(void)
{
    static const struct test tests[] = {
        {"header has its fields in order", header_has_its_fields_in_order},
        {"hash is of tag and header", hash_is_of_tag_and_header},
        {"batch is read as it was written", batch_is_read_as_it_was_written},
        {"what is not exactly a batch is refused",
         what_is_not_exactly_a_batch_is_refused},
        {"batch has a largest size, clock and count",
         batch_has_a_largest_size_clock_and_count},
        {"impossible clock is asserted", impossible_clock_is_asserted},
    };

    suite_add("block", tests, sizeof tests / sizeof tests[0]);
}
