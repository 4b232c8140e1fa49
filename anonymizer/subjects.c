#include "anonymizer/subjects.h"

#include <stdlib.h>

void subjects_init(struct subjects *subjects)
{
    *subjects = (struct subjects){0};
    dictionary_init(&subjects->seen);
}

void subjects_clear(struct subjects *subjects)
{
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

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

size_t subjects_suspects(struct subjects *subjects)
{
    uint64_t *hash = subjects->hash;
    size_t kept = 0;

    if (subjects->count == 0)
        return 0;
    qsort(hash, subjects->count, sizeof *hash, compare_hashes);
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
