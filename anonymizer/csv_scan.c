#include "anonymizer/csv_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LOW_BITS UINT64_C(0x7f7f7f7f7f7f7f7f)
#define HIGH_BITS UINT64_C(0x8080808080808080)
#define ONES UINT64_C(0x0101010101010101)

/* Byte i of memory in bits 8i..8i+7, on any machine; compilers make it one
 * load. */
static uint64_t load_eight(const uint8_t *data)
{
    uint64_t eight = 0;

    for (unsigned i = 0; i < 8; i++)
        eight |= (uint64_t)data[i] << (8 * i);
    return eight;
}

/* 0x80 in each byte that is zero, 0 elsewhere.  No carry leaves a byte (the
 * shorter x - ONES trick lets one, and then reports a 1 above a 0). */
static uint64_t zero_bytes(uint64_t eight)
{
    return ~(((eight & LOW_BITS) + LOW_BITS) | eight | LOW_BITS);
}

/* The top bits of eight bytes, gathered in order: bit 8i moves to 56 + i, no
 * two products meet. */
static uint64_t gather(uint64_t tops)
{
    return ((tops >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

struct csv_seen csv_scan_plain(const uint8_t *data, size_t words,
                               uint8_t delimiter, uint64_t *mask)
{
    const uint64_t delimiters = ONES * delimiter, quotes = ONES * '"';
    const uint64_t feeds = ONES * '\n', returns = ONES * '\r';
    uint64_t high = 0, nul = 0;

    for (size_t word = 0; word < words; word++) {
        uint64_t bits = 0;

        for (size_t i = 0; i < 8; i++) {
            uint64_t eight = load_eight(data + 64 * word + 8 * i);
            uint64_t found =
                zero_bytes(eight ^ delimiters) | zero_bytes(eight ^ quotes) |
                zero_bytes(eight ^ feeds) | zero_bytes(eight ^ returns);

            bits |= gather(found) << (8 * i);
            high |= eight & HIGH_BITS;
            nul |= zero_bytes(eight);
        }
        mask[word] = bits;
    }
    return (struct csv_seen){.nul = nul != 0, .high = high != 0};
}

/* Bit i: are bits 0..i of `bits` odd in number? */
static inline uint64_t prefix_parity(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

/* Count what one word of 64 bytes has; *inside is all ones while the quotes
 * before it are odd in number. */
static inline void count_word(struct csv_marks *marks, uint64_t *inside,
                              uint64_t quotes, uint64_t feeds)
{
    uint64_t odd = *inside;

    if (quotes != 0) {
        odd ^= prefix_parity(quotes);
        marks->quotes += (uint64_t)__builtin_popcountll(quotes);
        *inside = UINT64_C(0) - (odd >> 63);
    }
    marks->lines[0] += (uint64_t)__builtin_popcountll(feeds & ~odd);
    marks->lines[1] += (uint64_t)__builtin_popcountll(feeds & odd);
}

struct csv_marks csv_mark_plain(const uint8_t *data, size_t words,
                                uint8_t delimiter, uint64_t *mask)
{
    struct csv_marks marks = {0};
    uint64_t inside = 0;

    marks.seen = csv_scan_plain(data, words, delimiter, mask);
    for (size_t word = 0; word < words; word++) {
        uint64_t quotes = 0, feeds = 0;

        for (size_t i = 0; i < 8; i++) {
            uint64_t eight = load_eight(data + 64 * word + 8 * i);

            quotes |= gather(zero_bytes(eight ^ ONES * '"')) << (8 * i);
            feeds |= gather(zero_bytes(eight ^ ONES * '\n')) << (8 * i);
        }
        count_word(&marks, &inside, quotes, feeds);
    }
    return marks;
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static inline uint32_t
special_bits(__m256i bytes, __m256i delimiters)
{
    __m256i found = _mm256_or_si256(
        _mm256_or_si256(_mm256_cmpeq_epi8(bytes, delimiters),
                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'))),
        _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')),
                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\r'))));

    return (uint32_t)_mm256_movemask_epi8(found);
}

__attribute__((target("avx2"))) static struct csv_seen
csv_scan_avx2(const uint8_t *data, size_t words, uint8_t delimiter,
              uint64_t *mask)
{
    const __m256i delimiters = _mm256_set1_epi8((char)delimiter);
    __m256i high = _mm256_setzero_si256();
    __m256i least = _mm256_set1_epi8(-1); /* 255: no byte is greater */

    for (size_t word = 0; word < words; word++) {
        const uint8_t *from = data + 64 * word;
        __m256i low_half = _mm256_loadu_si256((const __m256i *)from);
        __m256i high_half = _mm256_loadu_si256((const __m256i *)(from + 32));

        mask[word] = special_bits(low_half, delimiters) |
                     (uint64_t)special_bits(high_half, delimiters) << 32;
        high = _mm256_or_si256(high, _mm256_or_si256(low_half, high_half));
        least = _mm256_min_epu8(least, _mm256_min_epu8(low_half, high_half));
    }
    least = _mm256_cmpeq_epi8(least, _mm256_setzero_si256());
    return (struct csv_seen){.nul = _mm256_movemask_epi8(least) != 0,
                             .high = _mm256_movemask_epi8(high) != 0};
}

__attribute__((target("avx2"))) static inline uint64_t
equal_bits(__m256i low, __m256i high, char byte)
{
    __m256i wanted = _mm256_set1_epi8(byte);

    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(
               _mm256_cmpeq_epi8(high, wanted))
               << 32;
}

__attribute__((target("avx2,popcnt"))) static struct csv_marks
csv_mark_avx2(const uint8_t *data, size_t words, uint8_t delimiter,
              uint64_t *mask)
{
    __m256i high = _mm256_setzero_si256();
    __m256i least = _mm256_set1_epi8(-1);
    struct csv_marks marks = {0};
    uint64_t inside = 0;

    for (size_t word = 0; word < words; word++) {
        const uint8_t *from = data + 64 * word;
        __m256i low_half = _mm256_loadu_si256((const __m256i *)from);
        __m256i high_half = _mm256_loadu_si256((const __m256i *)(from + 32));
        uint64_t quotes = equal_bits(low_half, high_half, '"');
        uint64_t feeds = equal_bits(low_half, high_half, '\n');

        mask[word] = equal_bits(low_half, high_half, (char)delimiter) |
                     equal_bits(low_half, high_half, '\r') | quotes | feeds;
        high = _mm256_or_si256(high, _mm256_or_si256(low_half, high_half));
        least = _mm256_min_epu8(least, _mm256_min_epu8(low_half, high_half));
        count_word(&marks, &inside, quotes, feeds);
    }
    least = _mm256_cmpeq_epi8(least, _mm256_setzero_si256());
    marks.seen = (struct csv_seen){.nul = _mm256_movemask_epi8(least) != 0,
                                   .high = _mm256_movemask_epi8(high) != 0};
    return marks;
}

csv_scan *csv_scan_best(void)
{
    return __builtin_cpu_supports("avx2") ? csv_scan_avx2 : csv_scan_plain;
}

csv_mark *csv_mark_best(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")
               ? csv_mark_avx2
               : csv_mark_plain;
}

#else

csv_scan *csv_scan_best(void)
{
    return csv_scan_plain;
}

csv_mark *csv_mark_best(void)
{
    return csv_mark_plain;
}

#endif
