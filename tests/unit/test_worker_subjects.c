#include "anonymizer/worker_subjects.h"

#include <string.h>

#include "common/permitted.h"
#include "tests/lib/suite.h"

void suite_worker_subjects(void);

static void nobody_stands_in_no_list(void)
{
    struct common_subjects common = {.count = 0};
    struct subject_id subject;

    CU_ASSERT(!common_subjects_next(&common, &subject));
    common_subjects_add(&common, bytes_of(NULL, 0), SUBJECT_ID_SIZE);
    CU_ASSERT(!common_subjects_next(&common, &subject));
}

#define UNIVERSE 12

/* A list of those numbers whose bit is set, with items of that size. */
static size_t write_list(uint32_t members, size_t item_size, uint8_t *out)
{
    size_t size = 0;

    for (uint8_t i = 0; i < UNIVERSE; i++) {
        if ((members >> i & 1) == 0)
            continue;
        memset(out + size, 0xee, item_size);
        memset(out + size, 0, SUBJECT_ID_SIZE);
        out[size + (i % 2 == 0 ? 0 : SUBJECT_ID_SIZE - 1)] = i;
        size += item_size;
    }
    return size;
}

/* Numbers are written so that they ascend: odd ones in the last byte come
 * before even ones in the first, but for 0. */
static int order_of(uint8_t number)
{
    return number % 2 == 0 && number > 0 ? number + UNIVERSE : number;
}

static uint32_t take_all(struct common_subjects *common)
{
    struct subject_id subject;
    uint32_t members = 0;
    int last = -1;

    while (common_subjects_next(common, &subject)) {
        uint8_t number = subject.byte[0] != 0
                             ? subject.byte[0]
                             : subject.byte[SUBJECT_ID_SIZE - 1];

        CU_ASSERT(order_of(number) > last);
        last = order_of(number);
        members |= UINT32_C(1) << number;
    }
    return members;
}

/* By sets of bits: the intersection is their conjunction. */
static void who_stands_in_all_lists_is_told_in_order(void)
{
    static const size_t size[SUBJECT_LISTS_MAX] = {
        PERMITTED_ITEM_SIZE, SUBJECT_ID_SIZE, SUBJECT_ID_SIZE};
    uint32_t state = 1;

    for (int round = 0; round < 2000; round++) {
        uint8_t list[SUBJECT_LISTS_MAX][UNIVERSE * PERMITTED_ITEM_SIZE];
        struct common_subjects common = {.count = 0};
        uint32_t expected = (1u << UNIVERSE) - 1;
        size_t count = 1 + (size_t)round % SUBJECT_LISTS_MAX;

        for (size_t i = 0; i < count; i++) {
            uint8_t sorted[UNIVERSE * PERMITTED_ITEM_SIZE];
            uint32_t members, odd, even;
            size_t first, second;

            state = state * 1664525u + 1013904223u;
            members = state >> 16 & ((1u << UNIVERSE) - 1);
            expected &= members;
            /* 0 and the odd ones, then the even ones. */
            odd = members & 0xaabu;
            even = members & 0x554u;
            first = write_list(odd, size[i], sorted);
            memcpy(list[i], sorted, first);
            second = write_list(even, size[i], sorted);
            memcpy(list[i] + first, sorted, second);
            common_subjects_add(&common, bytes_of(list[i], first + second),
                                size[i]);
        }
        CU_ASSERT_EQUAL_FATAL(take_all(&common), expected);
    }
}

void suite_worker_subjects(void)
{
    static const struct test tests[] = {
        {"nobody stands in no list", nobody_stands_in_no_list},
        {"who stands in all lists is told in order",
         who_stands_in_all_lists_is_told_in_order},
    };

    suite_add("worker_subjects", tests, sizeof tests / sizeof *tests);
}
