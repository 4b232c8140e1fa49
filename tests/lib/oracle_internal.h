/*
 * tests/lib/oracle_internal.h - the parts of which the oracle is put together.
 *
 *     oracle.c            groups of rows, verdicts, the search
 *     oracle_domain.c     quasi-identifiers, their domains, cells as values
 *     oracle_models.c     models of one group
 *     oracle_distance.c   models that compare a group with the whole table
 *     oracle_population.c models over a population
 *     oracle_sample.c     models of all groups together
 *     oracle_metric.c     what a vector of levels costs
 *     oracle_table.c      released tables, and their classes counted
 */
#ifndef TESTS_LIB_ORACLE_INTERNAL_H
#define TESTS_LIB_ORACLE_INTERNAL_H

#include "tests/lib/oracle.h"

/* A quasi-identifier: its domain, and where the rows of the table are in it. */
struct oracle_dimension {
    size_t column;
    size_t rows, levels;
    const char **label; /* label[level * rows + row] */
    size_t *leaves;     /* how many rows of the domain have that label there */
    size_t *place;      /* of each row of the table: its row of the domain */
    double weight;      /* divided by the largest */
};

struct oracle {
    const struct oracle_task *task;
    struct oracle_dimension dimension[ORACLE_QI_MAX];
    size_t dimension_count;
};

/* Rows as lists of strings, to be sorted: tuple[row * width + i]. */
struct oracle_tuples {
    const char **tuple;
    size_t width;
};

/* ---- oracle_domain.c ---- */

/* Zeroes; never NULL. */
void *oracle_allocate(size_t count, size_t size);

const char *oracle_cell(const struct oracle_task *task, size_t row,
                        size_t column);

/* Equal as a value: all missing tokens are one. */
const char *oracle_plain_value(const struct oracle_task *task,
                               const char *value);

/* The label of a row of the table at a level. */
const char *oracle_label(const struct oracle_dimension *dimension, size_t level,
                         size_t row);

/* ---- oracle.c ---- */

size_t *oracle_sorted_rows(struct oracle_tuples *tuples, size_t row_count);

/* One past the last position of the group that begins at `from`. */
size_t oracle_group_end(struct oracle_tuples *tuples, const size_t *order,
                        size_t from, size_t row_count);
bool oracle_all_stars(const struct oracle_tuples *tuples, size_t row);
void oracle_add_class(struct oracle_figures *figures, size_t size);

/* The rows of the group of `row`; returns how many. */
size_t oracle_find_group(const struct oracle *oracle, const size_t *level,
                         size_t row, size_t *member);

/* Judge every group; `suppressed[row]` is set for the rows of outliers, and
 * group_size[row] (if not NULL) for all.  False if one without rows breaks a
 * model. */
bool oracle_judge_groups(const struct oracle *oracle, const size_t *level,
                         bool *suppressed, size_t *group_size,
                         struct oracle_figures *figures);

/* ---- oracle_models.c, oracle_distance.c, oracle_population.c ---- */

int oracle_compare_strings(const void *a, const void *b);

/* Do these rows, as a group with so many of the population, satisfy all
 * models? */
bool oracle_satisfies_all(const struct oracle_task *task, const size_t *row,
                          size_t size, size_t population);

/* A model over the population, of a group with rows; and all, of one
 * without. */
bool oracle_population_holds(const struct oracle_task *task,
                             const struct oracle_model *model, size_t size,
                             size_t population);
bool oracle_absence_holds(const struct oracle_task *task);

/* A model that compares: do these rows satisfy it?  *distance: how far they are
 * from the whole table, in the unit of the model's parameter. */
bool oracle_is_near(const struct oracle_task *task,
                    const struct oracle_model *model, const size_t *row,
                    size_t size, double *distance);

/* ---- oracle_sample.c ---- */

/* Suppress more groups, until the models of all of them together hold. */
void oracle_judge_sample(const struct oracle *oracle, const size_t *level,
                         bool *suppressed, struct oracle_figures *figures);

/* ---- oracle_metric.c ---- */

/* Fill in cost and score; the figures are there. */
void oracle_price(const struct oracle *oracle, const size_t *level,
                  const bool *suppressed, const size_t *group_size,
                  struct oracle_verdict *verdict);

#endif
