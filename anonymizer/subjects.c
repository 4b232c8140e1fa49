#include "anonymizer/subjects.h"

#include <stdlib.h>

void subjects_init(struct subjects *subjects)
{
    *subjects = (struct subjects){0};
    dictionary_init(&subjects->seen);
}

void subjects_clear(struct subjects *subjects)
{
    if (!subjects->borrowed)
        free(subjects->hash);
    free(subjects->line);
    dictionary_clear(&subjects->seen);
    subjects_init(subjects);
}

enum status subjects_add(struct subjects *subjects, struct bytes subject,
                         struct error *err)
{
    if (subjects->count == subjects->capacity) {
        size_t capacity =
            subjects->capacity == 0 ? 1024 : 2 * subjects->capacity;
        uint64_t *hash;

        if (subjects->capacity == 0 && hash_key_draw(&subjects->key, err) != OK)
            return err->status;
        hash = reallocarray(subjects->hash, capacity, sizeof *hash);
        if (hash == NULL)
            return error_memory(err, "the list of subjects");
        subjects->hash = hash;
        subjects->capacity = capacity;
    }
    subjects->hash[subjects->count++] = hash_bytes(&subjects->key, subject);
    return OK;
}

void subjects_use(struct subjects *subjects, struct hash_key key,
                  uint64_t *hash, size_t count)
{
    subjects->key = key;
    subjects->hash = hash;
    subjects->count = subjects->capacity = count;
    subjects->borrowed = true;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* So few are sorted by insertion. */
#define FEW 24

static void sort_few(uint64_t *hash, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t moved = hash[i];
        size_t at = i;

        for (; at > 0 && hash[at - 1] > moved; at--)
            hash[at] = hash[at - 1];
        hash[at] = moved;
    }
}

/* By the byte at `shift` and those below it, in place: the American flag sort
 * (McIlroy, Bostic, McIlroy 1993).  Hashes are spread evenly, so that it is
 * linear; qsort would take as much memory again. */
static void sort_hashes(uint64_t *hash, size_t count, unsigned shift)
{
    size_t next[256] = {0}, end[256], begin = 0;

    if (count <= FEW) {
        sort_few(hash, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        next[hash[i] >> shift & 0xff]++;
    for (size_t b = 0; b < 256; b++) {
        size_t size = next[b];

        next[b] = begin;
        begin += size;
        end[b] = begin;
    }
    for (size_t b = 0; b < 256; b++)
        while (next[b] < end[b]) {
            uint64_t moved = hash[next[b]];
            size_t to = moved >> shift & 0xff;

            hash[next[b]] = hash[next[to]];
            hash[next[to]++] = moved;
        }
    for (size_t b = 0; shift > 0 && b < 256; b++) {
        size_t from = b == 0 ? 0 : end[b - 1];

        sort_hashes(hash + from, end[b] - from, shift - 8);
    }
}

size_t subjects_suspects(struct subjects *subjects)
{
    uint64_t *hash = subjects->hash;
    size_t kept = 0;

    if (subjects->count == 0)
        return 0;
    sort_hashes(hash, subjects->count, 56);
    for (size_t i = 1; i < subjects->count; i++)
        if (hash[i] == hash[i - 1] && (kept == 0 || hash[kept - 1] != hash[i]))
            hash[kept++] = hash[i];
    subjects->count = kept;
    return kept;
}

enum status subjects_confirm(struct subjects *subjects, struct bytes subject,
                             uint64_t line, uint64_t *first_line,
                             struct error *err)
{
    uint64_t hash = hash_bytes(&subjects->key, subject);
    uint32_t code;
    enum status status;

    *first_line = 0;
    if (bsearch(&hash, subjects->hash, subjects->count, sizeof hash,
                compare_hashes) == NULL)
        return OK;
    code = dictionary_find(&subjects->seen, subject);
    if (code != DICTIONARY_NONE) {
        *first_line = subjects->line[code];
        return OK;
    }
    if (subjects->seen.code_count == subjects->line_capacity) {
        size_t capacity =
            subjects->line_capacity == 0 ? 64 : 2 * subjects->line_capacity;
        uint64_t *lines = reallocarray(subjects->line, capacity, sizeof *lines);

        if (lines == NULL)
            return error_memory(err, "the list of subjects");
        subjects->line = lines;
        subjects->line_capacity = capacity;
    }
    status = dictionary_add(&subjects->seen, subject, &code, err);
    if (status == OK)
        subjects->line[code] = line;
    return status;
}
