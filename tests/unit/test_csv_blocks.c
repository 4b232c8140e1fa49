#include "anonymizer/csv_blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "anonymizer/csv_internal.h"
#include "common/team.h"
#include "common/text.h"
#include "tests/lib/suite.h"

void suite_csv_blocks(void);

/* xorshift (Marsaglia 2003): tables differ, and are the same in each run. */
static uint64_t state;

static void draw_init(void)
{
    state = UINT64_C(0x20261120);
    printf("(seed %ju) ", (uintmax_t)state);
}

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 11) % below);
}

/* CUnit's counters are not for threads. */
static void must(bool holds)
{
    if (!holds)
        abort();
}

static int file_of(const struct text *table)
{
    int fd = memfd_create("table", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, table->data, table->size), (ssize_t)table->size);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void append_cell(struct text *out, struct bytes raw, struct bytes value)
{
    struct error err;

    must(text_append(out, raw.data, raw.size, &err) == OK);
    must(text_append_string(out, "|", &err) == OK);
    must(text_append(out, value.data, value.size, &err) == OK);
    must(text_append_string(out, "|", &err) == OK);
}

/* What csv_next() says of it. */
static enum status read_records(int fd, struct text *out)
{
    struct csv_options options = {.delimiter = ';'};
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    struct error err;
    enum status status = csv_open(&reader, fd, "t.csv", options, &err);

    CU_ASSERT_EQUAL_FATAL(status, OK);
    while ((status = csv_next(reader, &record, &err)) == OK && record != NULL) {
        for (size_t c = 0; c < record->count; c++)
            append_cell(out, record->field[c].raw, record->field[c].value);
        CU_ASSERT_EQUAL(text_append_string(out, "\n", &err), OK);
    }
    csv_close(&reader);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    return status;
}

/* The rows that one thread read of a block. */
struct part {
    struct text text;
    uint64_t first_row;
    uint64_t rows;
};

struct together {
    struct csv_blocks *blocks;
    struct part *part; /* [block] */
    enum status status;
};

static void read_part(struct csv_block *block, struct part *part,
                      enum status *status)
{
    uint8_t *unquoted = malloc(CSV_BLOCK_CELL_MAX);
    struct csv_batch batch;
    struct error err;

    must(unquoted != NULL);
    part->first_row = csv_block_first_row(block);
    for (;;) {
        *status = csv_block_rows(block, &batch, &err);
        if (*status != OK || batch.rows == 0)
            break;
        part->rows += batch.rows;
        for (size_t r = 0; r < batch.rows; r++) {
            for (size_t c = 0; c < batch.columns; c++)
                append_cell(&part->text, csv_batch_raw(&batch, r, c),
                            csv_batch_value(&batch, r, c, unquoted));
            must(text_append_string(&part->text, "\n", &err) == OK);
        }
    }
    free(unquoted);
}

static void member(void *context, unsigned index)
{
    struct together *together = context;
    struct csv_block *block = NULL;
    struct error err;
    bool found = false;

    (void)index;
    must(csv_block_create(&block, together->blocks, &err) == OK);
    for (;;) {
        enum status status = csv_block_next(block, &found, &err);

        if (status == OK && found)
            read_part(block, &together->part[csv_block_number(block)], &status);
        if (status != OK)
            together->status = status;
        if (status != OK || !found)
            break;
    }
    csv_block_destroy(&block);
}

/* The same in blocks; false if they say that something is odd. */
static bool read_blocks(int fd, struct csv_blocks_tuning tuning,
                        unsigned threads, struct text *out)
{
    struct csv_options options = {.delimiter = ';'};
    struct csv_reader *reader = NULL;
    struct together together = {.status = OK};
    struct error err;
    uint64_t rows = 0, count;
    bool odd;

    CU_ASSERT_EQUAL_FATAL(csv_open(&reader, fd, "t.csv", options, &err), OK);
    CU_ASSERT_EQUAL_FATAL(csv_blocks_open_tuned(&together.blocks, reader, fd,
                                                "t.csv", tuning, NULL, &err),
                          OK);
    count = csv_blocks_count(together.blocks);
    together.part = calloc(count + 1, sizeof *together.part);
    CU_ASSERT_PTR_NOT_NULL_FATAL(together.part);
    for (uint64_t i = 0; i < count; i++)
        text_init(&together.part[i].text);
    team_run(threads, member, &together);
    odd = csv_blocks_odd(together.blocks);
    CU_ASSERT_EQUAL(together.status, OK);
    for (uint64_t i = 0; i < count; i++) {
        struct part *part = &together.part[i];

        if (!odd && part->rows > 0)
            CU_ASSERT_EQUAL(part->first_row, rows);
        rows += part->rows;
        CU_ASSERT_EQUAL(
            text_append(out, part->text.data, part->text.size, &err), OK);
        text_clear(&part->text);
    }
    CU_ASSERT(odd || rows <= csv_blocks_rows_max(together.blocks));
    free(together.part);
    csv_blocks_close(&together.blocks);
    csv_close(&reader);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    return !odd;
}

/* Rows of up to four cells; in some a few bytes are changed afterwards. */
static void random_table(struct text *table)
{
    static const char *const cells[] = {
        "",         "x",      "abcdefghij", "\"\"",      "\"a;b\"",
        "\"\"\"\"", "\"\n\"", "\"c\r\nd\"", "\"\"\"x\"", "\xc3\xa9"};
    bool quotes = draw(3) > 0;
    uint32_t width = 1 + draw(4), rows = draw(120);
    size_t begin;
    struct error err;

    for (uint32_t j = 0; j < width; j++)
        CU_ASSERT_EQUAL(text_printf(table, &err, "%sh%u", j > 0 ? ";" : "", j),
                        OK);
    CU_ASSERT_EQUAL(text_append_string(table, "\n", &err), OK);
    begin = table->size;
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < width; j++) {
            const char *cell = cells[draw(10)];

            if ((!quotes && cell[0] == '"') || (width == 1 && cell[0] == 0))
                cell = "y";
            CU_ASSERT_EQUAL(
                text_printf(table, &err, "%s%s", j > 0 ? ";" : "", cell), OK);
        }
        if (i + 1 < rows || draw(2) == 0)
            CU_ASSERT_EQUAL(
                text_append_string(table, draw(3) == 0 ? "\r\n" : "\n", &err),
                OK);
    }
    for (uint32_t i = draw(4) == 0 ? draw(4) : 0; i > 0; i--)
        CU_ASSERT_EQUAL(text_append_string(table, "\n", &err), OK);
    for (uint32_t i = draw(3); i > 1 && table->size > begin; i--)
        table->data[begin + draw((uint32_t)(table->size - begin))] =
            "\";\r\nx\0\xff"[draw(7)];
}

static void blocks_agree_with_records(void)
{
    uint32_t accepted = 0, refused = 0;

    draw_init();
    for (int i = 0; i < 6000; i++) {
        struct csv_blocks_tuning tuning = {(size_t)64 * (1 + draw(5)),
                                           csv_scan_best(), csv_mark_best()};
        struct text table, expected, got;
        bool good;
        int fd;

        if (draw(2) == 0) {
            tuning.scan = csv_scan_plain;
            tuning.mark = csv_mark_plain;
        }
        text_init(&table);
        text_init(&expected);
        text_init(&got);
        random_table(&table);
        fd = file_of(&table);
        good = read_records(fd, &expected) == OK;
        *(good ? &accepted : &refused) += 1;
        CU_ASSERT_EQUAL(read_blocks(fd, tuning, 1 + draw(3), &got), good);
        if (good)
            CU_ASSERT_STRING_EQUAL(got.data, expected.data);
        close(fd);
        text_clear(&table);
        text_clear(&expected);
        text_clear(&got);
    }
    CU_ASSERT(accepted > 1000 && refused > 500);
}

static void long_record_is_left_to_the_other_reader(void)
{
    struct csv_blocks_tuning tuning = csv_blocks_tuning_default();
    struct text table, expected, got;
    struct error err;
    int fd;

    tuning.block_size = 128;
    text_init(&table);
    text_init(&expected);
    text_init(&got);
    CU_ASSERT_EQUAL(text_append_string(&table, "a;b\nx;", &err), OK);
    for (int i = 0; i < 300; i++)
        CU_ASSERT_EQUAL(text_append_string(&table, "y", &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&table, "\nz;z\n", &err), OK);
    fd = file_of(&table);
    CU_ASSERT_EQUAL(read_records(fd, &expected), OK);
    CU_ASSERT_FALSE(read_blocks(fd, tuning, 2, &got));
    tuning.block_size = 512;
    text_reset(&got);
    CU_ASSERT_TRUE(read_blocks(fd, tuning, 2, &got));
    CU_ASSERT_STRING_EQUAL(got.data, expected.data);
    close(fd);
    text_clear(&table);
    text_clear(&expected);
    text_clear(&got);
}

/* Counted byte by byte. */
static struct csv_marks count_marks(const uint8_t *data, size_t size)
{
    struct csv_marks marks = {0};

    for (size_t i = 0; i < size; i++) {
        marks.quotes += data[i] == '"';
        marks.lines[marks.quotes % 2] += data[i] == '\n';
        marks.seen.nul |= data[i] == 0;
        marks.seen.high |= data[i] > 0x7f;
    }
    return marks;
}

static void marks_are_counted(void)
{
    enum { WORDS = 20 };
    uint8_t data[64 * WORDS];
    uint64_t scanned[WORDS], marked[WORDS];
    csv_mark *const marks[] = {csv_mark_plain, csv_mark_best()};

    draw_init();
    for (int i = 0; i < 2000; i++) {
        uint32_t low = draw(2), span = draw(2) == 0 ? 127 : 255;
        size_t words = 1 + draw(WORDS);
        struct csv_marks expected;

        for (size_t j = 0; j < 64 * words; j++)
            data[j] = draw(4) == 0 ? (uint8_t) "\"\r\n;"[draw(4)]
                                   : (uint8_t)(low + draw(span));
        expected = count_marks(data, 64 * words);
        csv_scan_plain(data, words, ';', scanned);
        for (size_t m = 0; m < 2; m++) {
            struct csv_marks got = marks[m](data, words, ';', marked);

            CU_ASSERT_EQUAL(got.quotes, expected.quotes);
            CU_ASSERT_EQUAL(got.lines[0], expected.lines[0]);
            CU_ASSERT_EQUAL(got.lines[1], expected.lines[1]);
            CU_ASSERT_EQUAL(got.seen.nul, expected.seen.nul);
            CU_ASSERT_EQUAL(got.seen.high, expected.seen.high);
            CU_ASSERT_EQUAL(memcmp(scanned, marked, words * sizeof scanned[0]),
                            0);
        }
    }
}

static void cancelled_blocks_end(void)
{
    struct csv_options options = {.delimiter = ';'};
    struct csv_reader *reader = NULL;
    struct csv_blocks *blocks = NULL;
    struct csv_block *block = NULL;
    atomic_bool cancel = true;
    struct text table;
    struct error err;
    bool found = true;
    int fd;

    text_init(&table);
    CU_ASSERT_EQUAL(text_append_string(&table, "a;b\nx;y\n", &err), OK);
    fd = file_of(&table);
    CU_ASSERT_EQUAL_FATAL(csv_open(&reader, fd, "t.csv", options, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        csv_blocks_open(&blocks, reader, fd, "t.csv", &cancel, &err), OK);
    CU_ASSERT_EQUAL_FATAL(csv_block_create(&block, blocks, &err), OK);
    CU_ASSERT_EQUAL(csv_block_next(block, &found, &err), E_CANCELLED);
    CU_ASSERT_FALSE(found);
    CU_ASSERT_TRUE(csv_blocks_stopped(blocks));
    CU_ASSERT_FALSE(csv_blocks_odd(blocks));
    csv_block_destroy(&block);
    csv_blocks_close(&blocks);
    csv_close(&reader);
    close(fd);
    text_clear(&table);
}

void suite_csv_blocks(void)
{
    static const struct test tests[] = {
        {"blocks give the records that the reader gives, or say that "
         "something is odd",
         blocks_agree_with_records},
        {"a record longer than a block is left to the other reader",
         long_record_is_left_to_the_other_reader},
        {"quotes and lines of a block are counted", marks_are_counted},
        {"cancelled blocks end", cancelled_blocks_end},
    };

    suite_add("csv_blocks", tests, sizeof tests / sizeof *tests);
}
