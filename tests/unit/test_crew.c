#include "common/crew.h"

#include <stdatomic.h>
#include <string.h>

#include "common/limits.h"
#include "tests/lib/suite.h"

void suite_crew(void);

#define TASKS 1000

static atomic_uint done[TASKS];

static void count_task(void *context, size_t index)
{
    atomic_fetch_add((atomic_uint *)context + index, 1);
}

static void each_task_is_done_once_by_any_number_of_threads(void)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, TASKS};

    for (unsigned threads = 0; threads < 5; threads++) {
        struct crew *crew = NULL;
        struct error err;

        CU_ASSERT_EQUAL_FATAL(crew_create(&crew, threads, &err), OK);
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            memset(done, 0, sizeof done);
            crew_run(crew, counts[c], count_task, done);
            for (size_t i = 0; i < TASKS; i++)
                CU_ASSERT_EQUAL(done[i], i < counts[c]);
        }
        crew_destroy(&crew);
        CU_ASSERT_PTR_NULL(crew);
    }
}

static void runs_follow_one_another(void)
{
    struct crew *crew = NULL;
    struct error err;

    memset(done, 0, sizeof done);
    CU_ASSERT_EQUAL_FATAL(crew_create(&crew, 3, &err), OK);
    for (int run = 0; run < 2000; run++)
        crew_run(crew, 5, count_task, done);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(done[i], 2000);
    crew_destroy(&crew);
}

static void idle_and_absent_crews_are_dismissed(void)
{
    struct crew *crew = NULL;
    struct error err;

    crew_destroy(&crew);
    CU_ASSERT_EQUAL(crew_create(&crew, 4, &err), OK);
    crew_destroy(&crew);
    CU_ASSERT_PTR_NULL(crew);
}

static void too_many_threads_are_refused(void)
{
    struct crew *crew = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(crew_create(&crew, THREADS_MAX + 1, &err), E_LIMIT);
    CU_ASSERT_PTR_NULL(crew);
}

void suite_crew(void)
{
    static const struct test tests[] = {
        {"each task is done once by any number of threads",
         each_task_is_done_once_by_any_number_of_threads},
        {"runs follow one another", runs_follow_one_another},
        {"idle and absent crews are dismissed",
         idle_and_absent_crews_are_dismissed},
        {"too many threads are refused", too_many_threads_are_refused},
    };

    suite_add("crew", tests, sizeof tests / sizeof tests[0]);
}
