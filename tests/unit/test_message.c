#include "common/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/commitment.h"
#include "common/digest.h"
#include "common/entry.h"
#include "common/files.h"
#include "common/identity.h"
#include "common/merkle.h"
#include "common/note.h"
#include "common/permitted.h"
#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_message(void);

static const uint8_t id[MESSAGE_REQUEST_ID_SIZE] = {
    '0', '1', '2', '3', '4', '5', '6', '7',
    '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
static struct error err;

/* The table once more, by kinds as words. */
static const struct row {
    const char *message, *name, *kind;
    size_t min, max;
} rows[] = {
#define MESSAGE(id, name, direction) {name, NULL, #direction, 0, 0},
#define FIELD(message, id, name, kind, size_min, size_max)                     \
    {NULL, name, #kind, size_min, size_max},
#include "common/messages.def"
};
static const size_t row_count = sizeof rows / sizeof rows[0];

/* ---- by hand ---- */

static void frames_are_those_of_the_protocol(void)
{
    static const uint8_t four[8] = {0, 0, 0, 0, 0, 0, 1, 4};
    struct message message;
    struct message_frames frames;

    message_init(&message, MESSAGE_HISTORY, id);
    message_set_string(&message, HISTORY_KEY, "entry/ä");
    message_set_number(&message, HISTORY_FROM, 260);
    CU_ASSERT_EQUAL_FATAL(message_encode(&message, &frames, &err), OK);
    CU_ASSERT_EQUAL_FATAL(frames.count, 4);
    CU_ASSERT(bytes_equal_string(frames.frame[0], "history"));
    CU_ASSERT(bytes_equal_string(frames.frame[1], "0123456789abcdef"));
    CU_ASSERT(bytes_equal_string(frames.frame[2], "entry/\xC3\xA4"));
    CU_ASSERT(bytes_equal(frames.frame[3], bytes_of(four, 8)));
}

static void frames_become_the_message(void)
{
    struct bytes frame[] = {
        bytes_of_string("history"),
        bytes_of(id, sizeof id),
        bytes_of_string("narrowed/north"),
        bytes_of("\xFF\0\0\0\0\0\0\x01", 8),
    };
    struct message message;

    CU_ASSERT_EQUAL_FATAL(message_decode(&message, frame, 4, &err), OK);
    CU_ASSERT_EQUAL(message.type, MESSAGE_HISTORY);
    CU_ASSERT_EQUAL(memcmp(message.request_id, id, sizeof id), 0);
    CU_ASSERT(bytes_equal_string(message_bytes(&message, HISTORY_KEY),
                                 "narrowed/north"));
    CU_ASSERT_EQUAL(message_number(&message, HISTORY_FROM),
                    UINT64_C(0xFF00000000000001));
}

static enum status decode(struct bytes *frame, size_t count)
{
    struct message message;

    error_init(&err);
    return message_decode(&message, frame, count, &err);
}

static void frames_out_of_form_are_refused(void)
{
    struct bytes frame[] = {
        bytes_of_string("history"), bytes_of(id, sizeof id),
        bytes_of_string("key"),     bytes_of("\0\0\0\0\0\0\0\1", 8),
        bytes_of_string("more"),
    };
    struct bytes good;

    CU_ASSERT_EQUAL(decode(frame, 4), OK);
    for (size_t count = 0; count <= 5; count++)
        CU_ASSERT_EQUAL(decode(frame, count), count == 4 ? OK : E_INPUT);
    good = frame[0];
    frame[0] = bytes_of_string("History");
    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    frame[0] = bytes_of_string("histor");
    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    frame[0] = bytes_of("history", 8); /* the NUL, too */
    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    frame[0] = bytes_of(NULL, 0);
    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    frame[0] = good;
    frame[1].size--;
    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    frame[1] = bytes_of_string("0123456789abcdef0");
    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    frame[1] = bytes_of(id, sizeof id);
    frame[3].size = 7;
    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    frame[3] = bytes_of_string("123456789");
    CU_ASSERT_EQUAL(decode(frame, 4), E_LIMIT);
}

static void text_that_is_no_utf8_is_refused_both_ways(void)
{
    struct bytes frame[] = {
        bytes_of_string("history"),
        bytes_of(id, sizeof id),
        bytes_of_string("k\xC3"),
        bytes_of("\0\0\0\0\0\0\0\1", 8),
    };
    struct message message;
    struct message_frames frames;

    CU_ASSERT_EQUAL(decode(frame, 4), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "history: key is not UTF-8");
    message_init(&message, MESSAGE_HISTORY, id);
    message_set_string(&message, HISTORY_KEY, "k\xC3");
    message_set_number(&message, HISTORY_FROM, 0);
    CU_ASSERT_EQUAL(message_encode(&message, &frames, &err), E_INPUT);
}

/* A peer's bytes must not get into our log by an error. */
static void errors_quote_nothing_of_the_message(void)
{
    struct bytes frame[] = {
        bytes_of_string("Secret"),
        bytes_of(id, sizeof id),
        bytes_of_string("Secret\xFF"),
        bytes_of_string("Secret--x"),
    };

    CU_ASSERT_NOT_EQUAL(decode(frame, 4), OK);
    CU_ASSERT_PTR_NULL(strstr(err.text, "Secret"));
    frame[0] = bytes_of_string("history");
    CU_ASSERT_NOT_EQUAL(decode(frame, 4), OK);
    CU_ASSERT_PTR_NULL(strstr(err.text, "Secret"));
}

/* ---- all of the table ---- */

/* Frames of the message in row `at` whose fields have `sizes` bytes; field
 * `odd` has `difference` more. */
static enum status try_sizes(size_t at, bool largest, size_t odd,
                             int difference)
{
    static char filler[BLOCKS_SIZE_MAX + 1];
    struct bytes frame[MESSAGE_FRAMES_MAX];
    struct message message;
    struct message_frames frames;
    size_t count = 2;

    memset(filler, 'x', sizeof filler);
    frame[0] = bytes_of_string(rows[at].message);
    frame[1] = bytes_of(id, sizeof id);
    for (size_t i = at + 1; i < row_count && rows[i].name != NULL; i++) {
        size_t size = largest ? rows[i].max : rows[i].min;

        if (i == odd && difference < 0 && size == 0)
            return OK;
        if (i == odd)
            size = difference < 0 ? size - 1 : size + 1;
        frame[count++] = bytes_of(filler, size);
    }
    enum status status = message_decode(&message, frame, count, &err);
    if (status == OK) {
        CU_ASSERT_STRING_EQUAL(message_name(message.type), rows[at].message);
        CU_ASSERT_EQUAL(message_encode(&message, &frames, &err), OK);
        CU_ASSERT_EQUAL(frames.count, count);
        for (size_t i = 0; i < count; i++)
            CU_ASSERT(bytes_equal(frames.frame[i], frame[i]));
    }
    return status;
}

static void every_message_keeps_to_its_sizes(void)
{
    size_t messages = 0;

    for (size_t at = 0; at < row_count; at++) {
        if (rows[at].message == NULL)
            continue;
        CU_ASSERT_STRING_EQUAL(message_name((enum message_type)messages),
                               rows[at].message);
        CU_ASSERT_EQUAL(message_direction((enum message_type)messages++),
                        strcmp(rows[at].kind, "REQUEST") == 0
                            ? MESSAGE_IS_REQUEST
                            : MESSAGE_IS_ANSWER);
        CU_ASSERT_EQUAL(try_sizes(at, false, row_count, 0), OK);
        CU_ASSERT_EQUAL(try_sizes(at, true, row_count, 0), OK);
        for (size_t i = at + 1; i < row_count && rows[i].name != NULL; i++) {
            CU_ASSERT_EQUAL(try_sizes(at, true, i, 1), E_LIMIT);
            CU_ASSERT_EQUAL(try_sizes(at, false, i, -1),
                            rows[i].min == 0 ? OK : E_INPUT);
        }
    }
    CU_ASSERT_EQUAL(messages, MESSAGE_TYPE_COUNT);
}

/* A part, 256 KiB; some blocks, 8 MiB. */
static void largest_frames_are_a_part_and_blocks(void)
{
    CU_ASSERT_EQUAL(message_frame_max(MESSAGE_IS_REQUEST), 262144);
    CU_ASSERT_EQUAL(message_frame_max(MESSAGE_IS_ANSWER), 8388608);
}

/* How often `word` stands in the `size` bytes at `text`. */
static size_t words(const char *text, size_t size, const char *word)
{
    size_t count = 0;

    for (size_t i = 0; i + strlen(word) <= size; i++)
        count += memcmp(text + i, word, strlen(word)) == 0;
    return count;
}

/* Row `at`, as a row of the document's table: "| `name` | .. | fields | .. |"
 */
static void check_document(const char *document, size_t at)
{
    char start[64], field[64];
    const char *line, *end, *next;
    size_t count = 0;

    snprintf(start, sizeof start, "\n| `%s` | ", rows[at].message);
    line = strstr(document, start);
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    CU_ASSERT_PTR_NULL(strstr(line + 1, start));
    line = strchr(line + strlen(start), '|');
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    end = strchr(line + 1, '|');
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    next = line;
    for (size_t i = at + 1; i < row_count && rows[i].name != NULL; i++) {
        snprintf(field, sizeof field, " %s %s", rows[i].name,
                 strcmp(rows[i].kind, "U64") == 0     ? "u64"
                 : strcmp(rows[i].kind, "BYTES") == 0 ? "bytes"
                                                      : "text");
        next = strstr(next, field);
        CU_ASSERT(next != NULL && next < end);
        if (next == NULL || next >= end) {
            printf("\n    docs/protocol.md: %s:%s\n", rows[at].message, field);
            return;
        }
        next += strlen(field);
        count++;
    }
    CU_ASSERT_EQUAL(words(line, (size_t)(end - line), " u64") +
                        words(line, (size_t)(end - line), " bytes") +
                        words(line, (size_t)(end - line), " text"),
                    count + words(line, (size_t)(end - line), " text text") +
                        words(line, (size_t)(end - line), " bytes bytes"));
}

static void document_has_the_same_table(void)
{
    struct text document;
    const char *messages;

    text_init(&document);
    CU_ASSERT_EQUAL_FATAL(
        file_read("docs/protocol.md", 1 << 20, &document, &err), OK);
    /* Entries have tables of their own, and some of the names. */
    messages = strstr(document.data, "\n## Messages\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(messages);
    for (size_t at = 0; at < row_count; at++)
        if (rows[at].message != NULL)
            check_document(messages, at);
    text_clear(&document);
}

/* ---- failed ---- */

static void failed_tells_the_error(void)
{
    struct message message;
    struct message_frames frames;

    CU_ASSERT_EQUAL(error_set(&err, E_REFUSED, "no right"), E_REFUSED);
    message_fail(&message, id, &err, true, "node2");
    CU_ASSERT_EQUAL(message_number(&message, FAILED_STATUS), 10);
    CU_ASSERT_EQUAL(message_number(&message, FAILED_RETRY), 1);
    CU_ASSERT(
        bytes_equal_string(message_bytes(&message, FAILED_LEADER), "node2"));
    CU_ASSERT(
        bytes_equal_string(message_bytes(&message, FAILED_TEXT), "no right"));
    CU_ASSERT_EQUAL(message_encode(&message, &frames, &err), OK);
}

static void failed_stays_utf8_whatever_the_error_says(void)
{
    struct message message;
    struct message_frames frames;

    CU_ASSERT_EQUAL(error_set(&err, E_IO, "file a\xC3"), E_IO);
    message_fail(&message, id, &err, false, "");
    CU_ASSERT(
        bytes_equal_string(message_bytes(&message, FAILED_TEXT), "file a"));
    CU_ASSERT_EQUAL(message_encode(&message, &frames, &err), OK);
    /* The longest that an error can be. */
    CU_ASSERT_EQUAL(error_set(&err, E_IO, "%*s", 2 * ERROR_TEXT_MAX, "x"),
                    E_IO);
    message_fail(&message, id, &err, false, "");
    CU_ASSERT_EQUAL(message_encode(&message, &frames, &err), OK);
}

/* ---- keeping ---- */

static void a_copy_outlives_what_was_copied(void)
{
    char words[] = "words", leader[] = "node1";
    struct message message, copy;
    uint8_t memory[16];

    message_init(&message, MESSAGE_FAILED, id);
    message_set_number(&message, FAILED_STATUS, 3);
    message_set_number(&message, FAILED_RETRY, 1);
    message_set_string(&message, FAILED_LEADER, leader);
    message_set_string(&message, FAILED_TEXT, words);
    CU_ASSERT_EQUAL_FATAL(message_borrowed(&message), 10);
    memset(memory, 'x', sizeof memory);
    message_copy(&copy, &message, memory);
    memset(words, 0, sizeof words);
    memset(leader, 0, sizeof leader);
    memset(&message, 0, sizeof message);
    CU_ASSERT_EQUAL(copy.type, MESSAGE_FAILED);
    CU_ASSERT_EQUAL(memcmp(copy.request_id, id, sizeof id), 0);
    CU_ASSERT_EQUAL(message_number(&copy, FAILED_STATUS), 3);
    CU_ASSERT_EQUAL(message_number(&copy, FAILED_RETRY), 1);
    CU_ASSERT(bytes_equal_string(message_bytes(&copy, FAILED_LEADER), "node1"));
    CU_ASSERT(bytes_equal_string(message_bytes(&copy, FAILED_TEXT), "words"));
    CU_ASSERT_EQUAL(memory[10], 'x');
    /* Nothing borrowed, nothing needed. */
    message_init(&message, MESSAGE_STATUS, id);
    CU_ASSERT_EQUAL(message_borrowed(&message), 0);
    message_copy(&copy, &message, NULL);
    CU_ASSERT_EQUAL(copy.type, MESSAGE_STATUS);
}

/* ---- our own mistakes ---- */

static int read_field_of_another_message(void)
{
    struct message message;

    message_init(&message, MESSAGE_FIND, id);
    message_set_number(&message, PROVE_POSITION, 1);
    return 0;
}
static int read_field_of_another_kind(void)
{
    struct message message;

    message_init(&message, MESSAGE_FIND, id);
    message_set_string(&message, FIND_POSITION, "1");
    return 0;
}
static int send_without_a_field(void)
{
    struct message message;
    struct message_frames frames;

    message_init(&message, MESSAGE_FIND, id);
    return message_encode(&message, &frames, &err) == OK;
}

static void mistakes_of_ours_stop_the_program(void)
{
    CU_ASSERT(child_aborts(read_field_of_another_message));
    CU_ASSERT(child_aborts(read_field_of_another_kind));
    CU_ASSERT(child_aborts(send_without_a_field));
}

void suite_message(void)
{
    static const struct test tests[] = {
        {"frames are those of the protocol", frames_are_those_of_the_protocol},
        {"frames become the message", frames_become_the_message},
        {"frames out of form are refused", frames_out_of_form_are_refused},
        {"a text that is no UTF-8 is refused both ways",
         text_that_is_no_utf8_is_refused_both_ways},
        {"errors quote nothing of the message",
         errors_quote_nothing_of_the_message},
        {"every message keeps to its sizes", every_message_keeps_to_its_sizes},
        {"the largest frames are a part and blocks",
         largest_frames_are_a_part_and_blocks},
        {"the document has the same table", document_has_the_same_table},
        {"failed tells the error", failed_tells_the_error},
        {"failed stays UTF-8 whatever the error says",
         failed_stays_utf8_whatever_the_error_says},
        {"a copy outlives what was copied", a_copy_outlives_what_was_copied},
        {"mistakes of ours stop the program",
         mistakes_of_ours_stop_the_program},
    };

    suite_add("message", tests, sizeof tests / sizeof tests[0]);
}
