#include "broker/period.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/cases.h"
#include "tests/lib/suite.h"

void suite_period(void);

static void run_time(const struct test_case *test)
{
    char text[128], got[64] = "refused";
    struct period time = {42, 43};
    struct error err;

    CU_ASSERT_FATAL(test->input.size < sizeof text);
    if (test->input.size > 0)
        memcpy(text, test->input.data, test->input.size);
    text[test->input.size] = '\0';
    error_init(&err);
    if (period_parse_time(text, &time, &err) == OK) {
        snprintf(got, sizeof got, "%" PRId64 " %" PRId64, time.start_ms,
                 time.end_ms);
        CU_ASSERT_STRING_EQUAL(err.text, "");
    } else {
        CU_ASSERT_EQUAL(err.status, E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "expected YYYY"));
        CU_ASSERT_EQUAL(time.start_ms, 42);
    }
    case_expect(test, got);
}

static void times_are_intervals(void)
{
    cases_run("tests/data/period/times.cases", run_time);
}

static struct period period_of(const char *start, const char *end)
{
    struct period period;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(period_parse(start, end, &period, &err), OK);
    return period;
}

/* Instants by date(1): 2024-01-01 is 1704067200, a day has 86,400 s. */
static void period_covers_whole_days(void)
{
    struct period period = period_of("2024-01-01", "2024-01-02");

    CU_ASSERT(!period_contains(period, 1704067199999));
    CU_ASSERT(period_contains(period, 1704067200000));
    CU_ASSERT(period_contains(period, 1704239999999));
    CU_ASSERT(!period_contains(period, 1704240000000));
}

static void period_is_open_where_nothing_is_said(void)
{
    struct period period = period_of(NULL, "2024-01-01");

    CU_ASSERT(period_contains(period, INT64_MIN));
    CU_ASSERT(!period_contains(period, 1704153600000));
    period = period_of("2024-01-01", NULL);
    CU_ASSERT(!period_contains(period, 1704067199999));
    CU_ASSERT(period_contains(period, INT64_MAX - 1));
}

static void period_of_one_time_is_that_time(void)
{
    struct period period = period_of("2024", "2024");

    CU_ASSERT_EQUAL(period.end_ms - period.start_ms,
                    INT64_C(366) * 24 * 3600 * 1000);
    /* An imprecise end covers what is left of it. */
    period = period_of("2024-12-31T23:59:59Z", "2024");
    CU_ASSERT_EQUAL(period.end_ms - period.start_ms, 1000);
}

static void refuse(const char *start, const char *end, const char *words)
{
    struct period period = {42, 43};
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(period_parse(start, end, &period, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_EQUAL(period.start_ms, 42);
    CU_ASSERT_EQUAL(period.end_ms, 43);
}

static void bad_period_is_refused(void)
{
    refuse("2024-01-02", "2024-01-01", "the end lies before the start");
    refuse("2024-01-01T00:00:00+01:00", "2023-12-31T22:00:00Z",
           "the end lies before the start");
    refuse("soon", "2024", "start: no time");
    refuse("2024", "later", "end: no time");
}

void suite_period(void)
{
    static const struct test tests[] = {
        {"times are intervals, as long as they are imprecise",
         times_are_intervals},
        {"a period covers its whole days", period_covers_whole_days},
        {"a period is open where nothing is said",
         period_is_open_where_nothing_is_said},
        {"a period from a time to itself is that time",
         period_of_one_time_is_that_time},
        {"a bad period is refused", bad_period_is_refused},
    };

    suite_add("period", tests, sizeof tests / sizeof tests[0]);
}
