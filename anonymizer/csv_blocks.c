#include "anonymizer/csv_blocks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/csv_internal.h"
#include "common/turn.h"
#include "common/utf8.h"

/* Bytes behind a block that are read with it, for the end of its last record:
 * most records are shorter. */
#define TAIL_SIZE 4096

/* A cell may be read so far beyond its end. */
#define CELL_PAD 64

struct csv_blocks {
    const char *name;
    int fd;
    uint8_t delimiter;
    size_t columns;
    uint64_t begin; /* of the first record, in the file */
    uint64_t end;   /* of the file */
    uint64_t count;
    struct csv_blocks_tuning tuning;
    atomic_bool *cancel;
    struct turn turn;
    /* Of the blocks whose turn it was: */
    unsigned inside; /* 1: their quotes are odd in number */
    uint64_t rows;   /* their lines */

    atomic_bool stop;
    atomic_bool odd;
    pthread_mutex_t lock;
    uint64_t first_empty; /* where the first line without a byte is */
    uint64_t last_record;
};

struct csv_block {
    struct csv_blocks *blocks;
    uint64_t number;
    uint64_t offset; /* of data[0] in the file */
    uint64_t first_row;
    /* data[own, end) belongs to the next block; data[end] is 0 and has a bit
     * in the mask. */
    uint8_t *data;
    uint64_t *mask;
    size_t own;
    size_t end;
    bool ended; /* the file ends at `end` */
    bool quotes;
    bool high; /* bytes above 0x7F */
    size_t first;
    size_t next; /* where the next record begins */
    struct csv_cursor cursor;
    bool has_empty;
    size_t first_empty;
    bool has_record;
    size_t last_record;
    uint32_t *at;
};

/* ---- all of them ---- */

struct csv_blocks_tuning csv_blocks_tuning_default(void)
{
    return (struct csv_blocks_tuning){CSV_BLOCK_SIZE, csv_scan_best(),
                                      csv_mark_best()};
}

enum status csv_blocks_open_tuned(struct csv_blocks **out,
                                  const struct csv_reader *reader, int fd,
                                  const char *name,
                                  struct csv_blocks_tuning tuning,
                                  atomic_bool *cancel, struct error *err)
{
    struct csv_blocks *blocks;
    struct stat file;

    assert(tuning.block_size % 64 == 0 && tuning.block_size > 0);
    assert(tuning.block_size <= CSV_BLOCKS_SIZE_MAX);
    *out = NULL;
    if (fstat(fd, &file) != 0)
        return error_set(err, E_IO, "%s: cannot be looked at", name);
    blocks = calloc(1, sizeof *blocks);
    if (blocks == NULL)
        return error_memory(err, "a table");
    blocks->name = name;
    blocks->fd = fd;
    blocks->delimiter = (uint8_t)csv_delimiter(reader);
    blocks->columns = csv_width(reader);
    blocks->begin = csv_offset(reader);
    blocks->end = (uint64_t)file.st_size;
    /* The file was cut since. */
    if (blocks->end < blocks->begin)
        blocks->end = blocks->begin;
    blocks->tuning = tuning;
    blocks->count = (blocks->end - blocks->begin + tuning.block_size - 1) /
                    tuning.block_size;
    blocks->cancel = cancel;
    blocks->first_empty = UINT64_MAX;
    atomic_init(&blocks->stop, false);
    atomic_init(&blocks->odd, false);
    pthread_mutex_init(&blocks->lock, NULL);
    turn_init(&blocks->turn);
    *out = blocks;
    return OK;
}

enum status csv_blocks_open(struct csv_blocks **blocks,
                            const struct csv_reader *reader, int fd,
                            const char *name, atomic_bool *cancel,
                            struct error *err)
{
    return csv_blocks_open_tuned(blocks, reader, fd, name,
                                 csv_blocks_tuning_default(), cancel, err);
}

void csv_blocks_close(struct csv_blocks **blocks)
{
    if (*blocks == NULL)
        return;
    turn_clear(&(*blocks)->turn);
    pthread_mutex_destroy(&(*blocks)->lock);
    free(*blocks);
    *blocks = NULL;
}

/* Each record has at least a byte for each cell's delimiter or newline, and one
 * of a single column a value; the last one may lack its newline. */
uint64_t csv_blocks_rows_max(const struct csv_blocks *blocks)
{
    uint64_t least = blocks->columns > 1 ? blocks->columns : 2;

    return (blocks->end - blocks->begin) / least + 1;
}

uint64_t csv_blocks_count(const struct csv_blocks *blocks)
{
    return blocks->count;
}

bool csv_blocks_odd(const struct csv_blocks *blocks)
{
    return atomic_load(&blocks->odd) ||
           (blocks->last_record > blocks->first_empty);
}

void csv_blocks_stop(struct csv_blocks *blocks)
{
    atomic_store(&blocks->stop, true);
    turn_stop(&blocks->turn);
}

bool csv_blocks_stopped(const struct csv_blocks *blocks)
{
    return atomic_load(&blocks->stop);
}

/* ---- one ---- */

enum status csv_block_create(struct csv_block **out, struct csv_blocks *blocks,
                             struct error *err)
{
    size_t size = 2 * blocks->tuning.block_size;
    struct csv_block *block = calloc(1, sizeof *block);

    *out = NULL;
    if (block == NULL)
        return error_memory(err, "a block of the table");
    block->blocks = blocks;
    block->data = malloc(size + 64 + CELL_PAD);
    block->mask = malloc((size / 64 + 1) * sizeof *block->mask);
    block->at =
        calloc(CSV_BATCH_ROWS, (blocks->columns + 1) * sizeof(uint32_t));
    if (block->data == NULL || block->mask == NULL || block->at == NULL) {
        csv_block_destroy(&block);
        return error_memory(err, "a block of the table");
    }
    *out = block;
    return OK;
}

void csv_block_destroy(struct csv_block **block)
{
    if (*block == NULL)
        return;
    free((*block)->data);
    free((*block)->mask);
    free((*block)->at);
    free(*block);
    *block = NULL;
}

uint64_t csv_block_number(const struct csv_block *block)
{
    return block->number;
}

uint64_t csv_block_first_row(const struct csv_block *block)
{
    return block->first_row;
}

/* Something is wrong here; whatever else the threads find is not wanted. */
static void block_odd(struct csv_block *block)
{
    atomic_store(&block->blocks->odd, true);
    csv_blocks_stop(block->blocks);
}

/* Read on to data[to]; less only if the file is shorter than it was, which is
 * odd. */
static enum status block_read(struct csv_block *block, size_t to,
                              struct error *err)
{
    while (block->end < to) {
        ssize_t got =
            pread(block->blocks->fd, block->data + block->end, to - block->end,
                  (off_t)(block->offset + block->end));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, E_IO, errno, "%s: reading failed",
                                   block->blocks->name);
        if (got == 0) {
            block_odd(block);
            return OK;
        }
        block->end += (size_t)got;
    }
    return OK;
}

/* Scan what was read from word `from` on, and set the mark at the end. */
static void block_scan_tail(struct csv_block *block, size_t from)
{
    size_t last = block->end / 64;
    uint8_t *end = block->data + block->end;

    memset(end, ' ', 64 * (last + 1) - block->end);
    if (from <= last) {
        struct csv_seen seen = block->blocks->tuning.scan(
            block->data + 64 * from, last + 1 - from, block->blocks->delimiter,
            block->mask + from);

        if (seen.nul)
            block_odd(block);
        block->high |= seen.high;
    }
    block->mask[last] &= (UINT64_C(1) << (block->end % 64)) - 1;
    block->mask[last] |= UINT64_C(1) << (block->end % 64);
    memset(end, 0, 64 * (last + 1) - block->end);
}

/* Read the block and count it; OK with nothing read if it is odd. */
static enum status block_fill(struct csv_block *block, struct csv_marks *marks,
                              struct error *err)
{
    struct csv_blocks *blocks = block->blocks;
    size_t size = blocks->tuning.block_size;
    uint64_t left;
    size_t words, to;
    enum status status;

    block->offset = blocks->begin + block->number * size;
    left = blocks->end - block->offset;
    block->own = left < size ? (size_t)left : size;
    to = left < size + TAIL_SIZE ? (size_t)left : size + TAIL_SIZE;
    if (to > 2 * size)
        to = 2 * size;
    block->end = 0;
    block->ended = to == left;
    status = block_read(block, to, err);
    if (status != OK || block->end < to)
        return status;
    words = (block->own + 63) / 64;
    if (to == block->own)
        memset(block->data + to, ' ', 64 * words - to);
    *marks =
        blocks->tuning.mark(block->data, words, blocks->delimiter, block->mask);
    block->quotes = marks->quotes > 0 ||
                    memchr(block->data + block->own, '"', to - block->own);
    block->high = marks->seen.high;
    if (marks->seen.nul)
        block_odd(block);
    /* A last word that is not full was scanned with spaces behind. */
    block_scan_tail(block, block->own % 64 == 0 ? words : words - 1);
    return OK;
}

/* Where does the first record begin?  Behind the first newline that no quotes
 * are around. */
static void block_begin(struct csv_block *block, unsigned inside)
{
    struct csv_cursor cursor;
    size_t at = 0;

    block->has_empty = block->has_record = false;
    block->first = block->next = 0;
    block->cursor = csv_cursor_at(block->mask, 0);
    if (block->number == 0)
        return;
    for (cursor = block->cursor;;) {
        at = csv_cursor_next(&cursor);
        if (at >= block->own)
            break;
        inside ^= block->data[at] == '"';
        if (block->data[at] == '\n' && inside == 0)
            break;
    }
    /* None: behind the last place where one of its records may begin. */
    block->first = block->next = at + 1;
    if (at >= block->own)
        block->first = block->next = SIZE_MAX;
    else
        block->cursor = cursor;
}

enum status csv_block_next(struct csv_block *block, bool *found,
                           struct error *err)
{
    struct csv_blocks *blocks = block->blocks;
    struct csv_marks marks = {0};
    unsigned inside;
    enum status status;

    *found = false;
    if (blocks->cancel != NULL &&
        atomic_load_explicit(blocks->cancel, memory_order_relaxed)) {
        csv_blocks_stop(blocks);
        return error_set(err, E_CANCELLED, "interrupted");
    }
    if (atomic_load(&blocks->stop))
        return OK;
    block->number = turn_take(&blocks->turn);
    if (block->number >= blocks->count)
        return OK;
    status = block_fill(block, &marks, err);
    if (status != OK) {
        csv_blocks_stop(blocks);
        return status;
    }
    if (!turn_wait(&blocks->turn, block->number))
        return OK;
    inside = blocks->inside;
    block->first_row = blocks->rows;
    blocks->inside ^= (unsigned)(marks.quotes & 1);
    blocks->rows += marks.lines[inside] + (block->number == 0);
    turn_pass(&blocks->turn);
    block_begin(block, inside);
    *found = true;
    return OK;
}

/* ---- records ---- */

enum record_end { RECORD_DONE, RECORD_EMPTY, RECORD_MORE, RECORD_ODD };

/* A special byte that is not the expected delimiter at `at`. */
static enum record_end record_stop(const struct csv_block *block, size_t at)
{
    return at == block->end && !block->ended ? RECORD_MORE : RECORD_ODD;
}

/* `at` is the special byte behind the last cell; the record ends there, and the
 * next begins at *next. */
static inline enum record_end record_finish(const struct csv_block *block,
                                            struct csv_cursor *cursor,
                                            size_t at, size_t *next)
{
    if (block->data[at] == '\n') {
        *next = at + 1;
        return RECORD_DONE;
    }
    if (block->data[at] == '\r') {
        size_t feed = csv_cursor_next(cursor);

        if (feed != at + 1 || block->data[feed] != '\n')
            return record_stop(block, feed);
        *next = feed + 1;
        return RECORD_DONE;
    }
    if (at != block->end || !block->ended)
        return record_stop(block, at);
    *next = at;
    return RECORD_DONE;
}

/* The first special byte is the first of the record. */
static enum record_end record_empty(const struct csv_block *block,
                                    struct csv_cursor *cursor, size_t at,
                                    size_t *next)
{
    enum record_end end = record_finish(block, cursor, at, next);

    return end == RECORD_DONE ? RECORD_EMPTY : end;
}

static inline enum record_end record_plain(const struct csv_block *block,
                                           struct csv_cursor *cursor,
                                           uint32_t *out, size_t *next)
{
    size_t last = block->blocks->columns - 1, begin = *next, at;
    uint8_t delimiter = block->blocks->delimiter;

    out[0] = (uint32_t)begin;
    for (size_t c = 0; c < last; c++) {
        at = csv_cursor_next(cursor);
        if (block->data[at] != delimiter) {
            return at == begin ? record_empty(block, cursor, at, next)
                               : record_stop(block, at);
        }
        out[c + 1] = (uint32_t)(at + 1);
    }
    at = csv_cursor_next(cursor);
    out[last + 1] = (uint32_t)(at + 1);
    if (at == begin && last == 0)
        return record_empty(block, cursor, at, next);
    return record_finish(block, cursor, at, next);
}

/* The special byte behind the quoted cell whose first quote is the last that
 * the cursor met; SIZE_MAX if it breaks a rule, block->end if it may end behind
 * it. */
static size_t quoted_end(const struct csv_block *block,
                         struct csv_cursor *cursor)
{
    for (;;) {
        size_t here = csv_cursor_next(cursor), behind;

        if (here == block->end)
            return block->ended ? SIZE_MAX : block->end;
        if (block->data[here] != '"')
            continue;
        behind = csv_cursor_next(cursor);
        if (behind != here + 1)
            return SIZE_MAX;
        if (block->data[behind] != '"')
            return behind;
    }
}

static enum record_end record_quoted(const struct csv_block *block,
                                     struct csv_cursor *cursor, uint32_t *out,
                                     size_t *next)
{
    size_t last = block->blocks->columns - 1, begin = *next;

    out[0] = (uint32_t)begin;
    for (size_t c = 0;; c++) {
        size_t at = csv_cursor_next(cursor);

        if (block->data[at] == '"') {
            if (at != out[c])
                return RECORD_ODD;
            at = quoted_end(block, cursor);
            if (at == SIZE_MAX)
                return RECORD_ODD;
        }
        out[c + 1] = (uint32_t)(at + 1);
        if (c < last && block->data[at] == block->blocks->delimiter)
            continue;
        if (at == begin)
            return record_empty(block, cursor, at, next);
        if (c < last)
            return record_stop(block, at);
        return record_finish(block, cursor, at, next);
    }
}

/* Read on for the record that begins at block->next; odd if it is longer than
 * a block. */
static enum status block_extend(struct csv_block *block, struct error *err)
{
    size_t size = block->blocks->tuning.block_size;
    size_t tail = 2 * (block->end - block->own), before = block->end;
    uint64_t left = block->blocks->end - block->offset;
    size_t to;
    enum status status;

    if (tail == 0)
        tail = 64;
    if (tail > size)
        tail = size;
    to = block->own + tail < left ? block->own + tail : (size_t)left;
    if (to == before) {
        block_odd(block);
        return OK;
    }
    block->ended = to == left;
    status = block_read(block, to, err);
    if (status != OK || block->end < to)
        return status;
    block_scan_tail(block, before / 64);
    if (memchr(block->data + before, '"', to - before) != NULL)
        block->quotes = true;
    block->cursor = csv_cursor_at(block->mask, block->next);
    return OK;
}

/* Bytes that are no UTF-8 are found when all records of the block have been
 * handed over: then nothing of what was read is used. */
static void block_finish(struct csv_block *block)
{
    struct csv_blocks *blocks = block->blocks;

    if (block->first > block->own)
        return;
    if (block->high && !utf8_valid(bytes_of(block->data + block->first,
                                            block->next - block->first)))
        block_odd(block);
    if (!block->has_empty && !block->has_record)
        return;
    pthread_mutex_lock(&blocks->lock);
    if (block->has_empty &&
        block->offset + block->first_empty < blocks->first_empty)
        blocks->first_empty = block->offset + block->first_empty;
    if (block->has_record &&
        block->offset + block->last_record > blocks->last_record)
        blocks->last_record = block->offset + block->last_record;
    pthread_mutex_unlock(&blocks->lock);
    block->has_empty = block->has_record = false;
}

enum status csv_block_rows(struct csv_block *block, struct csv_batch *batch,
                           struct error *err)
{
    size_t columns = block->blocks->columns, rows = 0;

    while (rows < CSV_BATCH_ROWS && block->next <= block->own &&
           !(block->ended && block->next == block->end)) {
        uint32_t *at = block->at + rows * (columns + 1);
        struct csv_cursor cursor = block->cursor;
        size_t next = block->next;
        enum record_end end = block->quotes
                                  ? record_quoted(block, &cursor, at, &next)
                                  : record_plain(block, &cursor, at, &next);

        if (end == RECORD_MORE && block_extend(block, err) != OK)
            return err->status;
        if (end == RECORD_ODD)
            block_odd(block);
        if (atomic_load_explicit(&block->blocks->odd, memory_order_relaxed)) {
            rows = 0;
            break;
        }
        if (end == RECORD_MORE)
            continue;
        if (end == RECORD_EMPTY && !block->has_empty) {
            block->has_empty = true;
            block->first_empty = block->next;
        } else if (end == RECORD_DONE) {
            block->has_record = true;
            block->last_record = block->next;
            rows++;
        }
        block->next = next;
        block->cursor = cursor;
    }
    if (rows == 0)
        block_finish(block);
    *batch = (struct csv_batch){block->data, block->at, columns, rows};
    return OK;
}

struct bytes csv_unquote(struct bytes raw, uint8_t *unquoted)
{
    const uint8_t *from = raw.data + 1;
    size_t size = raw.size - 2, used = 0;

    if (memchr(from, '"', size) == NULL)
        return bytes_of(from, size);
    for (size_t i = 0; i < size; i++) {
        unquoted[used++] = from[i];
        i += from[i] == '"'; /* the second one of a pair */
    }
    return bytes_of(unquoted, used);
}
