#include "anonymizer/recheck_sort.h"

#include <assert.h>
#include <string.h>

/* Up to here insertion is faster than clearing the counters of a radix sort;
 * measured, the exact value matters little. */
#define INSERTION_MAX 40

#define DIGITS 8 /* bytes of a word */
#define DIGIT_VALUES 256

static unsigned digit_of(uint64_t word, unsigned digit)
{
    return (unsigned)(word >> (8 * digit)) & (DIGIT_VALUES - 1);
}

static void copy_record(uint64_t *to, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] = from[i];
}

/* The words before `first` are known to be equal.  `spare` holds the record
 * that is being inserted. */
static void sort_by_insertion(uint64_t *record, uint64_t *spare, size_t count,
                              size_t words, size_t first)
{
    for (size_t i = 1; i < count; i++) {
        size_t place = i;

        copy_record(spare, record + i * words, words);
        while (place > 0 &&
               recheck_compare(record + (place - 1) * words + first,
                               spare + first, words - first) > 0) {
            copy_record(record + place * words, record + (place - 1) * words,
                        words);
            place--;
        }
        copy_record(record + place * words, spare, words);
    }
}

/* Turn the numbers of records per digit value into the places where the first
 * record of each goes.  False if all records have the same digit: there is
 * nothing to do then. */
static int counts_to_places(size_t place[DIGIT_VALUES], size_t count)
{
    size_t next = 0;

    for (unsigned value = 0; value < DIGIT_VALUES; value++) {
        size_t here = place[value];

        if (here == count)
            return 0;
        place[value] = next;
        next += here;
    }
    assert(next == count);
    return 1;
}

/* Stable, by one word of the records, least significant digit first (Knuth,
 * The Art of Computer Programming 3, 5.2.5, Algorithm R, on arrays). */
static void sort_by_word(uint64_t *record, uint64_t *spare, size_t count,
                         size_t words, size_t word)
{
    size_t place[DIGITS][DIGIT_VALUES];
    uint64_t *from = record, *to = spare;

    memset(place, 0, sizeof place);
    for (size_t i = 0; i < count; i++)
        for (unsigned digit = 0; digit < DIGITS; digit++)
            place[digit][digit_of(record[i * words + word], digit)]++;

    for (unsigned digit = 0; digit < DIGITS; digit++) {
        uint64_t *old = from;

        if (!counts_to_places(place[digit], count))
            continue;
        for (size_t i = 0; i < count; i++) {
            const uint64_t *source = from + i * words;
            size_t target = place[digit][digit_of(source[word], digit)]++;

            copy_record(to + target * words, source, words);
        }
        from = to;
        to = old;
    }
    if (from != record)
        memcpy(record, from, count * words * sizeof *record);
}

/* Records that agree in the words before `first`: sort by that word, then each
 * group of equals by the next one.  Most tables need one or two words, and
 * groups become small soon.  The depth is that of the words. */
static void sort_from(uint64_t *record, uint64_t *spare, size_t count,
                      size_t words, size_t first)
{
    if (count <= INSERTION_MAX) {
        sort_by_insertion(record, spare, count, words, first);
        return;
    }
    sort_by_word(record, spare, count, words, first);
    if (first + 1 == words)
        return;
    for (size_t start = 0, end; start < count; start = end) {
        uint64_t same = record[start * words + first];

        for (end = start + 1; end < count; end++)
            if (record[end * words + first] != same)
                break;
        if (end - start > 1)
            sort_from(record + start * words, spare, end - start, words,
                      first + 1);
    }
}

void recheck_sort(uint64_t *record, uint64_t *spare, size_t count, size_t words)
{
    assert(words > 0);
    sort_from(record, spare, count, words, 0);
}
