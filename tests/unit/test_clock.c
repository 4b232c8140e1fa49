#include "common/clock.h"

#include <time.h>

#include "tests/lib/suite.h"

void suite_clock(void);

/* time(2) may lag behind by a tick. */
static void time_of_day_is_that_of_the_library(void)
{
    uint64_t before = (uint64_t)time(NULL);
    uint64_t now = clock_now_ms();

    CU_ASSERT(now >= before * 1000);
    CU_ASSERT(now < ((uint64_t)time(NULL) + 2) * 1000);
}

static void steady_time_goes_on(void)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    uint64_t before = clock_steady_ms(), after;

    CU_ASSERT_EQUAL(nanosleep(&pause, NULL), 0);
    after = clock_steady_ms();
    /* 20 ms, of which the first may have begun. */
    CU_ASSERT(after >= before + 19);
    CU_ASSERT(clock_steady_ms() >= after);
}

void suite_clock(void)
{
    static const struct test tests[] = {
        {"time of day is that of the library",
         time_of_day_is_that_of_the_library},
        {"steady time goes on", steady_time_goes_on},
    };

    suite_add("clock", tests, sizeof tests / sizeof tests[0]);
}
