/*
 * anonymizer/recheck_sort.h - sorts records of a few 64-bit words.
 *
 * A record is `words` words, compared as unsigned numbers, the first word
 * first.  The work is linear in the number of records, whatever their order:
 * no table, however made, can make it slow.
 */
#ifndef ANONYMIZER_RECHECK_SORT_H
#define ANONYMIZER_RECHECK_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Sort `count` records at `record` in ascending order; `spare` has room for as
 * many. */
void recheck_sort(uint64_t *record, uint64_t *spare, size_t count,
                  size_t words);

/* Negative, 0, positive, as memcmp. */
static inline int recheck_compare(const uint64_t *a, const uint64_t *b,
                                  size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

#endif
