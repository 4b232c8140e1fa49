/*
 * The case of paper 000, section 5.2, by definition and brute force: what the
 * policies paper000-*.json give on the table made for them.  policies/README.md
 * says how we read the paper; that the engine comes to the same is shown by
 * tests/e2e/21-hospital.sh.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/csv.h"
#include "anonymizer/policy.h"
#include "datasets/hospital_hierarchies.h"
#include "tests/lib/hospital_capture.h"
#include "tests/lib/oracle.h"
#include "tests/lib/suite.h"

void suite_hospital_paper(void);

enum { ROWS = 100, COLUMNS = 12 };

/* A policy and the hundred visits of one day, as the oracle wants them. */
struct paper {
    struct policy *policy;
    struct oracle_task task;
    struct oracle_column column[COLUMNS];
    struct oracle_model model;
    struct text hierarchy[COLUMNS]; /* what the domains point into */
    char *name[COLUMNS];
    char *cell[ROWS * COLUMNS];
};

static char *copy(struct bytes from)
{
    char *to = strndup((const char *)from.data, from.size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    return to;
}

static void read_table(struct paper *paper)
{
    struct hospital_options options = {.seed = 1, .days = 1, .visits = 1};
    int fd = capture_table_file(options, (struct patient_range){1, ROWS});
    const struct csv_record *record;
    struct csv_reader *reader;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(
        csv_open(&reader, fd, "table", (struct csv_options){0}, &err), OK);
    record = csv_header(reader);
    CU_ASSERT_EQUAL_FATAL(record->count, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        paper->name[i] = copy(record->field[i].value);
    for (size_t row = 0; row < ROWS; row++) {
        CU_ASSERT_EQUAL_FATAL(csv_next(reader, &record, &err), OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(record);
        for (size_t i = 0; i < COLUMNS; i++)
            paper->cell[row * COLUMNS + i] = copy(record->field[i].value);
    }
    csv_close(&reader);
    close(fd);
}

/* Cut the text at every `;` and line break. */
static void read_domain(struct oracle_column *column, struct text *text)
{
    size_t index = 0, cells = 0, next = 0;
    char *rest;

    while (strcmp(hospital_hierarchy_name(index), column->name) != 0)
        index++;
    capture_hierarchy(text, index);
    for (const char *c = text->data; *c != '\0'; c++) {
        cells += *c == ';' || *c == '\n';
        column->domain_rows += *c == '\n';
    }
    column->levels = cells / column->domain_rows;
    CU_ASSERT_EQUAL_FATAL(cells, column->levels * column->domain_rows);
    column->domain = calloc(cells, sizeof *column->domain);
    CU_ASSERT_PTR_NOT_NULL_FATAL(column->domain);
    rest = text->data;
    while (next < cells) {
        size_t length = strcspn(rest, ";\n");

        column->domain[next++] = rest;
        rest[length] = '\0';
        rest += length + 1;
    }
}

static void read_column(struct paper *paper, size_t i)
{
    struct oracle_column *column = &paper->column[i];
    const struct policy_attribute *attribute =
        policy_find(paper->policy, bytes_of_string(paper->name[i]));

    column->name = paper->name[i];
    column->weight = 1;
    column->role = ROLE_IDENTIFYING;
    text_init(&paper->hierarchy[i]);
    if (attribute == NULL)
        return;
    column->role = attribute->role;
    if (attribute->role == ROLE_SENSITIVE)
        paper->model.column = i;
    if (attribute->role != ROLE_QUASI_IDENTIFYING)
        return;
    read_domain(column, &paper->hierarchy[i]);
    column->level_min = attribute->level_min;
    column->level_max = attribute->level_max == LEVEL_UNLIMITED
                            ? column->levels - 1
                            : attribute->level_max;
}

static void paper_open(struct paper *paper, const char *policy)
{
    struct error err;

    memset(paper, 0, sizeof *paper);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(policy_open(&paper->policy, policy, &err), OK);
    read_table(paper);
    for (size_t i = 0; i < COLUMNS; i++)
        read_column(paper, i);
    /* What is the same in all three. */
    CU_ASSERT(paper->policy->unlisted_remove);
    CU_ASSERT_EQUAL_FATAL(paper->policy->criterion_count, 1);
    CU_ASSERT_EQUAL(paper->policy->criterion[0].model,
                    MODEL_DISTINCT_L_DIVERSITY);
    CU_ASSERT_EQUAL(paper->policy->criterion[0].l, 2);
    CU_ASSERT_EQUAL(paper->policy->suppression_limit, 0);
    paper->model.model = MODEL_DISTINCT_L_DIVERSITY;
    paper->model.l = 2;
    paper->task = (struct oracle_task){
        .column = paper->column,
        .column_count = COLUMNS,
        .cell = (const char **)paper->cell,
        .row_count = ROWS,
        .model = &paper->model,
        .model_count = 1,
        .gs_factor = 0.5,
        .aggregate = AGGREGATE_GEOMETRIC_MEAN,
    };
}

static void paper_close(struct paper *paper)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        free(paper->column[i].domain);
        text_clear(&paper->hierarchy[i]);
        free(paper->name[i]);
    }
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++)
        free(paper->cell[i]);
    policy_close(&paper->policy);
}

/* Of all vectors within the policy's levels, how many lose no record? */
static size_t count_valid(const struct paper *paper,
                          const struct oracle *oracle)
{
    const struct oracle_column *quasi[ORACLE_QI_MAX];
    size_t level[ORACLE_QI_MAX], count = 0, valid = 0, i;

    for (i = 0; i < COLUMNS; i++)
        if (paper->column[i].role == ROLE_QUASI_IDENTIFYING) {
            quasi[count] = &paper->column[i];
            level[count++] = paper->column[i].level_min;
        }
    do {
        struct oracle_verdict verdict;

        oracle_judge(oracle, level, &verdict);
        valid += verdict.valid;
        for (i = 0; i < count && ++level[i] > quasi[i]->level_max; i++)
            level[i] = quasi[i]->level_min;
    } while (i < count);
    return valid;
}

struct expected {
    size_t level[4]; /* of the quasi-identifiers, in order of the table */
    size_t quasi, classes, min, max, valid;
};

static void check(const char *policy, const struct expected *expected)
{
    size_t level[ORACLE_QI_MAX];
    struct oracle_verdict verdict;
    struct oracle *oracle;
    struct paper paper;

    paper_open(&paper, policy);
    oracle = oracle_create(&paper.task);
    CU_ASSERT_FATAL(oracle_search(oracle, level, &verdict));
    for (size_t i = 0; i < expected->quasi; i++)
        CU_ASSERT_EQUAL(level[i], expected->level[i]);
    CU_ASSERT_EQUAL(verdict.figures.rows, 100);
    CU_ASSERT_EQUAL(verdict.figures.suppressed, 0);
    CU_ASSERT_EQUAL(verdict.figures.count, expected->classes);
    CU_ASSERT_EQUAL(verdict.figures.min, expected->min);
    CU_ASSERT_EQUAL(verdict.figures.max, expected->max);
    CU_ASSERT_EQUAL(count_valid(&paper, oracle), expected->valid);
    oracle_destroy(&oracle);
    paper_close(&paper);
}

/* The paper: levels (0, 1, 2, 6, 5) of date, departments, doctor, diagnosis
 * and disease code; five classes; no record lost.  Sizes of the classes: by
 * sort and uniq on the columns of the table. */
static void medical_records_fall_into_five_classes(void)
{
    check("policies/paper000-medical.json",
          &(struct expected){{0, 1, 2, 6}, 4, 5, 11, 37, 1});
}

static void so_they_do_by_disease_code(void)
{
    check("policies/paper000-medical-code.json",
          &(struct expected){{0, 1, 2, 5}, 4, 5, 11, 37, 1});
}

/* Six vectors are l-diverse; one of them is `*` throughout, which counts as
 * suppressed. */
static void general_attributes_lose_no_record(void)
{
    check("policies/paper000-general.json",
          &(struct expected){{0, 3, 3}, 3, 10, 3, 17, 5});
}

void suite_hospital_paper(void)
{
    static const struct test tests[] = {
        {"medical records fall into five classes",
         medical_records_fall_into_five_classes},
        {"so they do by disease code", so_they_do_by_disease_code},
        {"general attributes lose no record",
         general_attributes_lose_no_record},
    };
    suite_add("hospital_paper", tests, sizeof tests / sizeof *tests);
}
