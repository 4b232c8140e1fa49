#include "common/upload.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

void suite_upload(void);

/* Ids of certificates have 32 hex digits. */
#define NORTH "00000000000000000000000000000001"
#define SOUTH "00000000000000000000000000000002"

static struct uploads *uploads;
static struct error err;
static uint64_t size;

static void begin(void)
{
    error_init(&err);
    size = 0;
    CU_ASSERT_EQUAL_FATAL(uploads_create(&uploads, &err), OK);
}

static void end(void)
{
    uploads_destroy(&uploads);
    CU_ASSERT_PTR_NULL(uploads);
    uploads_destroy(&uploads);
}

/* Uploads have ids of equal bytes here. */
static struct upload_id id_of(uint8_t byte)
{
    struct upload_id id;

    memset(id.byte, byte, sizeof id.byte);
    return id;
}

static enum status take(const char *owner, uint8_t id, uint64_t offset,
                        struct bytes bytes, uint64_t now_ms)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
    struct upload_id upload = id_of(id);
    struct message part;

    error_init(&err);
    message_init(&part, MESSAGE_PART, none);
    message_set_bytes(&part, PART_UPLOAD,
                      bytes_of(upload.byte, sizeof upload.byte));
    message_set_number(&part, PART_OFFSET, offset);
    message_set_bytes(&part, PART_BYTES, bytes);
    return uploads_take(uploads, owner, &part, now_ms, &size, &err);
}

static enum status take_text(const char *owner, uint8_t id, uint64_t offset,
                             const char *text)
{
    return take(owner, id, offset, bytes_of_string(text), 0);
}

static enum status look(const char *owner, uint8_t id, struct bytes *bytes)
{
    struct upload_id upload = id_of(id);

    error_init(&err);
    return uploads_find(uploads, owner,
                        bytes_of(upload.byte, sizeof upload.byte), bytes, &err);
}

static void drop(uint8_t id)
{
    struct upload_id upload = id_of(id);

    uploads_drop(uploads, bytes_of(upload.byte, sizeof upload.byte));
}

static void expect(const char *owner, uint8_t id, const char *text)
{
    struct bytes bytes;

    CU_ASSERT_EQUAL_FATAL(look(owner, id, &bytes), OK);
    CU_ASSERT(bytes_equal_string(bytes, text));
}

static void expect_none(const char *owner, uint8_t id)
{
    struct bytes bytes = bytes_of("x", 1);

    CU_ASSERT_EQUAL(look(owner, id, &bytes), E_INPUT);
    CU_ASSERT_EQUAL(bytes.size, 1);
}

static void parts_in_order_make_an_upload(void)
{
    begin();
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 0, "one "), OK);
    CU_ASSERT_EQUAL(size, 4);
    CU_ASSERT_EQUAL(take_text(NORTH, 2, 0, "another"), OK);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 4, "after "), OK);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 10, "the other"), OK);
    CU_ASSERT_EQUAL(size, 19);
    expect(NORTH, 1, "one after the other");
    expect(NORTH, 2, "another");
    drop(1);
    expect_none(NORTH, 1);
    expect(NORTH, 2, "another");
    drop(1);
    drop(3);
    end();
}

static void the_same_part_again_changes_nothing(void)
{
    begin();
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 0, "abc"), OK);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 0, "abc"), OK);
    CU_ASSERT_EQUAL(size, 3);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 3, "def"), OK);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 3, "def"), OK);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 0, "abc"), OK);
    CU_ASSERT_EQUAL(size, 6);
    expect(NORTH, 1, "abcdef");
    end();
}

static void expect_out_of_order(uint64_t offset, const char *text)
{
    CU_ASSERT_EQUAL(take_text(NORTH, 1, offset, text), E_INPUT);
    expect(NORTH, 1, "abcdef");
}

static void parts_that_do_not_follow_are_refused(void)
{
    begin();
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 1, "b"), E_INPUT);
    expect_none(NORTH, 1);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 0, "abcdef"), OK);
    expect_out_of_order(7, "h");
    expect_out_of_order(UINT64_MAX, "h");
    expect_out_of_order(UINT64_MAX - 3, "abcdef");
    /* Other bytes, or further than what is there, though they begin there. */
    expect_out_of_order(0, "abcdeg");
    expect_out_of_order(3, "deg");
    expect_out_of_order(3, "defg");
    end();
}

static void an_upload_is_its_owners_alone(void)
{
    begin();
    CU_ASSERT_EQUAL(take_text(NORTH, 1, 0, "abc"), OK);
    CU_ASSERT_EQUAL(take_text(SOUTH, 1, 3, "x"), E_INPUT);
    CU_ASSERT_EQUAL(take_text(SOUTH, 1, 0, "abc"), E_INPUT);
    expect_none(SOUTH, 1);
    expect(NORTH, 1, "abc");
    end();
}

static void what_does_not_grow_goes_after_a_minute(void)
{
    begin();
    CU_ASSERT_EQUAL(take(NORTH, 1, 0, bytes_of("a", 1), 1000), OK);
    CU_ASSERT_EQUAL(take(NORTH, 3, 0, bytes_of("c", 1), 1000), OK);
    CU_ASSERT_EQUAL(take(NORTH, 2, 0, bytes_of("b", 1), 2000), OK);
    CU_ASSERT_EQUAL(take(NORTH, 1, 1, bytes_of("a", 1), 30000), OK);
    /* The same again is no growth. */
    CU_ASSERT_EQUAL(take(NORTH, 3, 0, bytes_of("c", 1), 50000), OK);
    uploads_expire(uploads, 60999);
    expect(NORTH, 3, "c");
    uploads_expire(uploads, 61000);
    expect_none(NORTH, 3);
    expect(NORTH, 2, "b");
    expect(NORTH, 1, "aa");
    CU_ASSERT_EQUAL(take(NORTH, 2, 1, bytes_of("b", 1), 62000), E_INPUT);
    expect_none(NORTH, 2);
    expect(NORTH, 1, "aa");
    end();
}

/* ---- too much ---- */

static uint8_t full[PART_SIZE_MAX];
#define PARTS (UPLOAD_SIZE_MAX / PART_SIZE_MAX)

static void fill(const char *owner, uint8_t id, size_t parts)
{
    for (size_t i = 0; i < parts; i++) {
        full[0] = (uint8_t)i;
        CU_ASSERT_EQUAL_FATAL(
            take(owner, id, i * PART_SIZE_MAX, bytes_of(full, sizeof full), 0),
            OK);
    }
}

static void an_upload_ends_at_its_limit(void)
{
    struct bytes bytes;

    begin();
    fill(NORTH, 1, PARTS);
    CU_ASSERT_EQUAL(size, UPLOAD_SIZE_MAX);
    CU_ASSERT_EQUAL(take_text(NORTH, 1, UPLOAD_SIZE_MAX, "x"), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "an upload would take 67108865 bytes, the limit is 67108864");
    CU_ASSERT_EQUAL_FATAL(look(NORTH, 1, &bytes), OK);
    CU_ASSERT_EQUAL(bytes.size, UPLOAD_SIZE_MAX);
    for (size_t i = 0; i < PARTS; i++)
        CU_ASSERT_EQUAL(bytes.data[i * PART_SIZE_MAX], (uint8_t)i);
    end();
}

static void one_owner_cannot_take_what_others_need(void)
{
    begin();
    fill(NORTH, 1, PARTS);
    fill(NORTH, 2, PARTS);
    CU_ASSERT_EQUAL(take_text(NORTH, 3, 0, "x"), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "the uploads of one certificate would take "
                           "134217729 bytes, the limit is 134217728");
    CU_ASSERT_EQUAL(take_text(SOUTH, 4, 0, "x"), OK);
    drop(1);
    CU_ASSERT_EQUAL(take_text(NORTH, 3, 0, "x"), OK);
    end();
    begin();
    for (uint8_t i = 0; i < UPLOADS_OWNER_MAX; i++)
        CU_ASSERT_EQUAL(take_text(NORTH, i, 0, "x"), OK);
    CU_ASSERT_EQUAL(take_text(NORTH, 99, 0, "x"), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text, "16 uploads of one certificate wait to be "
                                     "used, the limit is 16");
    /* What is begun may be finished. */
    CU_ASSERT_EQUAL(take_text(NORTH, 0, 1, "y"), OK);
    CU_ASSERT_EQUAL(take_text(SOUTH, 99, 0, "x"), OK);
    end();
}

static void all_together_end_at_their_limit(void)
{
    char owner[33] = NORTH;

    begin();
    fill(NORTH, 1, PARTS);
    fill(NORTH, 2, PARTS);
    fill(SOUTH, 3, PARTS);
    fill(SOUTH, 4, PARTS);
    owner[0] = '7';
    CU_ASSERT_EQUAL(take_text(owner, 5, 0, "x"), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text, "all uploads would take 268435457 bytes, "
                                     "the limit is 268435456");
    end();
    begin();
    for (uint8_t i = 0; i < UPLOADS_MAX; i++) {
        owner[0] = (char)('0' + i / UPLOADS_OWNER_MAX);
        CU_ASSERT_EQUAL(take_text(owner, i, 0, "x"), OK);
    }
    CU_ASSERT_EQUAL(take_text("f", 99, 0, "x"), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "64 uploads wait to be used, the limit is 64");
    end();
}

void suite_upload(void)
{
    static const struct test tests[] = {
        {"parts in order make an upload", parts_in_order_make_an_upload},
        {"the same part again changes nothing",
         the_same_part_again_changes_nothing},
        {"parts that do not follow are refused",
         parts_that_do_not_follow_are_refused},
        {"an upload is its owner's alone", an_upload_is_its_owners_alone},
        {"what does not grow goes after a minute",
         what_does_not_grow_goes_after_a_minute},
        {"an upload ends at its limit", an_upload_ends_at_its_limit},
        {"one owner cannot take what others need",
         one_owner_cannot_take_what_others_need},
        {"all together end at their limit", all_together_end_at_their_limit},
    };

    suite_add("upload", tests, sizeof tests / sizeof *tests);
}
