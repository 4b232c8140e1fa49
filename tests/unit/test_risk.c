#include "anonymizer/risk.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bytes.h"
#include "tests/lib/suite.h"

void suite_risk(void);

/* The ten rows of docs/risk.md, and every figure of theirs by hand. */
#define TEN                                                                    \
    "age,sex,w,house,illness\n"                                                \
    "30,f,10,A,flu\n30,f,20,A,flu\n30,f,30,B,cold\n30,m,10,B,flu\n"            \
    "30,m,30,C,gout\n40,f,50,C,cold\n40,f,25,D,flu\n40,m,40,D,cold\n"          \
    "50,f,5,E,flu\n*,*,9,E,flu\n"

/* `more` is what the policy says besides. */
#define POLICY(more)                                                           \
    "{\"policy\": 1, \"attributes\": {"                                        \
    "\"age\": {\"role\": \"quasi-identifying\"},"                              \
    "\"sex\": {\"role\": \"quasi-identifying\"},"                              \
    "\"w\": {\"role\": \"insensitive\"}, "                                     \
    "\"house\": {\"role\": \"insensitive\"},"                                  \
    "\"illness\": {\"role\": \"sensitive\"}},"                                 \
    "\"privacy\": [{\"model\": \"k-anonymity\", \"k\": 2}]" more "}"

struct measured {
    struct policy *policy;
    struct risk_table *table;
    struct risk *risk;
    struct error err;
    enum status status;
};

static int table_open(const char *csv)
{
    int fd = memfd_create("table", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_FATAL(write(fd, csv, strlen(csv)) == (ssize_t)strlen(csv));
    CU_ASSERT_FATAL(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void measure(struct measured *m, const char *policy, const char *csv)
{
    int fd = table_open(csv);

    *m = (struct measured){.policy = NULL};
    error_init(&m->err);
    m->status = policy_parse(&m->policy, bytes_of_string(policy), "policy.json",
                             &m->err);
    if (m->status == OK)
        m->status = risk_table_read(&m->table, m->policy, fd, "table.csv", 1,
                                    NULL, &m->err);
    if (m->status == OK)
        m->status = risk_compute(&m->risk, m->policy, m->table, NULL, &m->err);
    close(fd);
}

static void measured_clear(struct measured *m)
{
    risk_destroy(&m->risk);
    risk_table_destroy(&m->table);
    policy_close(&m->policy);
}

static void near(double figure, double expected)
{
    CU_ASSERT_DOUBLE_EQUAL(figure, expected, 1e-12);
}

/* ---- classes and attackers ---- */

static void ten_rows_have_five_classes(void)
{
    struct measured m;

    measure(&m, POLICY(", \"risk\": {\"thresholds\": [0.33, 0.34, 0.5]}"), TEN);
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    CU_ASSERT_EQUAL(m.risk->rows, 10);
    CU_ASSERT_EQUAL(m.risk->records, 9);
    CU_ASSERT_EQUAL(m.risk->suppressed, 1);
    CU_ASSERT_EQUAL(m.risk->classes, 5);
    CU_ASSERT_EQUAL(m.risk->min, 1);
    CU_ASSERT_EQUAL(m.risk->max, 3);
    near(m.risk->average_size, 1.8);
    CU_ASSERT_EQUAL_FATAL(m.risk->histogram_count, 3);
    CU_ASSERT_EQUAL(m.risk->histogram[0].number, 2);
    CU_ASSERT_EQUAL(m.risk->histogram[1].number, 2);
    CU_ASSERT_EQUAL(m.risk->histogram[2].number, 1);
    CU_ASSERT_EQUAL(m.risk->sample_uniques, 2);
    near(m.risk->prosecutor.highest, 1);
    near(m.risk->prosecutor.lowest, 1.0 / 3);
    near(m.risk->prosecutor.average, 5.0 / 9);
    near(m.risk->journalist.average, 5.0 / 9);
    near(m.risk->marketer, 5.0 / 9);
    CU_ASSERT_EQUAL(m.risk->at_highest, 2);
    CU_ASSERT_EQUAL(m.risk->at_lowest, 3);
    near(m.risk->threshold[0].prosecutor, 1);
    near(m.risk->threshold[1].prosecutor, 6.0 / 9);
    near(m.risk->threshold[2].prosecutor, 2.0 / 9); /* not above a half */
    near(m.risk->threshold[2].journalist, 2.0 / 9);
    measured_clear(&m);
}

/* Rows 1, 3, 5, 7, 9: the classes have 2, 1, 1, 1 records, and 3, 2, 2, 1
 * people in the whole table. */
static void a_subset_has_a_population(void)
{
    struct measured m;

    measure(&m,
            POLICY(", \"subset\": {\"rows\": \"i % 2 == 0\"}, "
                   "\"risk\": {\"thresholds\": [0.34]}"),
            TEN);
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    CU_ASSERT_EQUAL(m.risk->rows, 5);
    CU_ASSERT_EQUAL(m.risk->records, 5);
    CU_ASSERT_EQUAL(m.risk->classes, 4);
    near(m.risk->prosecutor.average, 0.8);
    near(m.risk->prosecutor.lowest, 0.5);
    near(m.risk->journalist.highest, 1);
    near(m.risk->journalist.lowest, 1.0 / 3);
    near(m.risk->marketer, (2.0 / 3 + 0.5 + 0.5 + 1) / 5);
    near(m.risk->journalist.average, m.risk->marketer); /* above 4 of 8 */
    near(m.risk->threshold[0].prosecutor, 1);
    near(m.risk->threshold[0].journalist, 0.6);
    measured_clear(&m);
}

/* 1/t, and where that overshoots t by a hundredth of it, one more. */
static void thresholds_allow_whole_classes(void)
{
    near(risk_effective_threshold(0.2), 0.2);
    near(risk_effective_threshold(0.33),
         1.0 / 3 - 0.33 >= 0.0033 ? 0.25 : 1.0 / 3);
    near(risk_effective_threshold(0.09), 1.0 / 12);
    near(risk_effective_threshold(1), 1);
    near(risk_effective_threshold(0), 0);
}

/* ---- records ---- */

static void each_record_has_a_risk(void)
{
    struct measured m;

    measure(&m, POLICY(", \"risk\": {\"weight\": \"w\"}"), TEN);
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    near(m.risk->individual.plain.expected, 5);
    near(m.risk->individual.plain.share, 5.0 / 9);
    near(m.risk->individual.plain.highest, 1);
    near(m.risk->individual.frequency_sum, 9 + 4 + 4 + 1 + 1);
    CU_ASSERT_EQUAL(m.risk->individual.sample_uniques, 2);
    CU_ASSERT_EQUAL(m.risk->individual.violations[0], 2);
    CU_ASSERT_EQUAL(m.risk->individual.violations[1], 6);
    CU_ASSERT_EQUAL(m.risk->individual.violations[2], 9);
    near(m.risk->individual.weight_sum, 220);
    /* 3 of 60, 2 of 40, 2 of 75, 1 of 40, 1 of 5. */
    CU_ASSERT_DOUBLE_EQUAL(m.risk->individual.weighted.expected,
                           3 * 0.0243902 + 2 * 0.0443332 + 2 * 0.0246768 +
                               0.0945866 + 0.4023595,
                           1e-6);
    CU_ASSERT_DOUBLE_EQUAL(m.risk->individual.weighted.highest, 0.4023595,
                           1e-7);
    measured_clear(&m);
}

/* 5/9, 2/3, 3/4, 1 and 1, of 2, 2, 2, 2 and 1 records. */
static void households_are_found_by_any_member(void)
{
    struct measured m;

    measure(&m, POLICY(", \"risk\": {\"household\": \"house\"}"), TEN);
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    CU_ASSERT_EQUAL(m.risk->household.households, 5);
    near(m.risk->household.plain.expected, 125.0 / 18);
    near(m.risk->household.plain.highest, 1);
    measured_clear(&m);
}

/* Of two keys: 40 m is alone with both, 50 with its age. */
static void two_records_are_special(void)
{
    struct measured m;

    measure(&m, POLICY(", \"risk\": {\"suda\": {}, \"subset_size\": 2}"), TEN);
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    CU_ASSERT_EQUAL(m.risk->suda->records, 2);
    near(m.risk->suda->score_sum, 2);
    near(m.risk->suda->contribution[0], 1);
    near(m.risk->suda->contribution[1], 0.5);
    near(m.risk->suda->dis_sum, 2.0 / 199);
    CU_ASSERT_EQUAL_FATAL(m.risk->subset_count, 3);
    CU_ASSERT_EQUAL(m.risk->subset[0].columns, 2); /* sex */
    near(m.risk->subset[0].distinction, 2.0 / 9);
    near(m.risk->subset[0].separation, 0.5);
    near(m.risk->subset[1].separation, 23.0 / 36);
    near(m.risk->subset[2].separation, 31.0 / 36);
    measured_clear(&m);
}

static void sensitive_values_differ_around_a_record(void)
{
    struct measured m;

    measure(&m, POLICY(""), TEN);
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    CU_ASSERT_EQUAL_FATAL(m.risk->sensitive_count, 1);
    CU_ASSERT_EQUAL(m.risk->sensitive[0].attribute, 4);
    near(m.risk->sensitive[0].distinct.min, 1);
    near(m.risk->sensitive[0].distinct.sum, 16);
    near(m.risk->sensitive[0].entropy.sum, 9 / pow(2, 2.0 / 3) + 10);
    near(m.risk->sensitive[0].recursive.sum, 13);
    CU_ASSERT_EQUAL(m.risk->sensitive[0].below[0], 2);
    CU_ASSERT_EQUAL(m.risk->sensitive[0].below[1], 9);
    measured_clear(&m);
}

/* ---- what is not there ---- */

static void nobody_is_left_of_suppressed_rows(void)
{
    struct measured m;

    measure(&m, POLICY(", \"risk\": {\"suda\": {}, \"subset_size\": 1}"),
            "age,sex,w,house,illness\n*,*,1,A,flu\n");
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    CU_ASSERT_EQUAL(m.risk->records, 0);
    CU_ASSERT_EQUAL(m.risk->classes, 0);
    CU_ASSERT(isnan(m.risk->prosecutor.highest));
    CU_ASSERT(isnan(m.risk->threshold[0].prosecutor));
    CU_ASSERT(isnan(m.risk->individual.plain.highest));
    CU_ASSERT_EQUAL(m.risk->suda->records, 0);
    near(m.risk->subset[0].distinction, 0);
    measured_clear(&m);
}

static void one_row_is_its_class(void)
{
    struct measured m;

    measure(&m, POLICY(""), "age,sex,w,house,illness\n30,f,1,A,\n");
    CU_ASSERT_EQUAL_FATAL(m.status, OK);
    near(m.risk->prosecutor.highest, 1);
    near(m.risk->prosecutor.lowest, 1);
    CU_ASSERT_EQUAL(m.risk->at_highest, 1);
    near(m.risk->sensitive[0].distinct.min, 1);
    measured_clear(&m);
}

static void expect_refused(const char *policy, const char *csv,
                           const char *words)
{
    struct measured m;

    measure(&m, policy, csv);
    CU_ASSERT_EQUAL(m.status, E_INPUT);
    if (strstr(m.err.text, words) == NULL) {
        fprintf(stderr, "\nnot \"%s\": %s\n", words, m.err.text);
        CU_FAIL("another refusal");
    }
    measured_clear(&m);
}

static void weights_are_numbers_above_0(void)
{
    static const char *const wrong[] = {"0", "-1", "", "many", "1e999"};
    char csv[128];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(csv, sizeof csv,
                 "age,sex,w,house,illness\n30,f,1,A,flu\n30,m,%s,B,flu\n",
                 wrong[i]);
        expect_refused(POLICY(", \"risk\": {\"weight\": \"w\"}"), csv,
                       "table.csv: line 3: column \"w\": a weight is something "
                       "else, expected a decimal number above 0");
    }
}

static void a_policy_asks_for_what_there_is(void)
{
    expect_refused(POLICY(", \"risk\": {\"weight\": \"nobody\"}"), TEN,
                   "policy.json: line 1: \"weight\" names no attribute");
    expect_refused(POLICY(", \"risk\": {\"household\": \"age\"}"), TEN,
                   "\"household\" names a quasi-identifier");
    expect_refused(POLICY(", \"risk\": {\"thresholds\": [2]}"), TEN,
                   "a threshold is something else, expected a number from 0 "
                   "to 1");
    expect_refused(POLICY(", \"risk\": {\"population\": [0]}"), TEN,
                   "a population is something else");
    expect_refused(POLICY(", \"risk\": {\"region\": \"Atlantis\"}"), TEN,
                   "there is no region of this name, expected one of Africa");
    expect_refused(POLICY(", \"risk\": {\"suda\": {\"score\": \"best\"}}"), TEN,
                   "\"score\"");
    expect_refused(POLICY(", \"risk\": {\"treshold\": []}"), TEN,
                   "did you mean \"thresholds\"?");
}

void suite_risk(void)
{
    static const struct test tests[] = {
        {"ten rows have five classes", ten_rows_have_five_classes},
        {"a subset has a population", a_subset_has_a_population},
        {"thresholds allow whole classes", thresholds_allow_whole_classes},
        {"each record has a risk", each_record_has_a_risk},
        {"households are found by any member",
         households_are_found_by_any_member},
        {"two records are special", two_records_are_special},
        {"sensitive values differ around a record",
         sensitive_values_differ_around_a_record},
        {"nobody is left of suppressed rows",
         nobody_is_left_of_suppressed_rows},
        {"one row is its class", one_row_is_its_class},
        {"weights are numbers above 0", weights_are_numbers_above_0},
        {"a policy asks for what there is", a_policy_asks_for_what_there_is},
    };

    suite_add("risk", tests, sizeof tests / sizeof *tests);
}
