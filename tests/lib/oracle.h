/*
 * tests/lib/oracle.h - the independent judge: what a de-identification must
 * give, by its definition and brute force.
 *
 *     task (strings) -> every vector of levels -> groups by sorting strings
 *                    -> models -> metric -> the best vector -> expected table
 *
 * Nothing here is clever and nothing is shared with the engine but the names
 * of roles, models, metrics and aggregates.  Definitions: docs/privacy.md.  N
 * is the number of rows, R_d the number of rows of the domain (the hierarchy
 * file) of quasi-identifier d, S the number of suppressed rows.
 *
 *   group    rows whose labels are equal in every quasi-identifier
 *   outlier  a group that breaks a model, or that is `*` everywhere; all of
 *            its rows are suppressed
 *   valid    S <= floor(suppression_limit * N), and there is no group without
 *            rows (all of the population alone) that breaks a model
 *   cost_d   by the metric of attributes, and the score of one of classes:
 *            docs/quality.md, there also the order of sums and the cut to ten
 *            decimals
 *   score    the aggregate of the cost_d, weighted, in order of the columns
 *
 * Among valid vectors of exactly equal score the one with the lowest sum of
 * levels is chosen, then the lexicographically smallest.
 *
 * A vector has one level per quasi-identifier, in order of the columns.  Out
 * of memory and impossible tasks abort: this is for tests.
 */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"

/* Brute force over more quasi-identifiers does not end. */
#define ORACLE_QI_MAX 10

struct oracle_column {
    const char *name;
    enum role role;
    /* The hierarchy file: domain[row * levels + level]; NULL: none. */
    const char **domain;
    size_t domain_rows, levels;
    size_t level_min, level_max; /* within the levels; without a hierarchy
                                    there are two, value and `*` */
    double weight;
    enum value_type type; /* of a sensitive attribute */
};

struct oracle_model {
    enum privacy_model model;
    size_t column; /* of the sensitive attribute */
    uint32_t k;
    double l, c, t, delta, beta;
    enum entropy_estimator estimator;
    double min, max;           /* delta-presence */
    enum k_map_population map; /* k-map, and by estimate: */
    double significance, population;
    double threshold, highest_risk, records_at_risk;
    enum population_estimator population_estimator;
};

/* All of it is borrowed. */
struct oracle_task {
    struct oracle_column *column; /* in order of the table */
    size_t column_count;
    const char **cell; /* cell[row * column_count + column] */
    size_t row_count;
    size_t outside_count; /* rows behind those: of the population alone */
    const char **missing; /* tokens that are one value */
    size_t missing_count;
    struct oracle_model *model;
    size_t model_count;
    double suppression_limit, gs_factor;
    enum quality_metric metric;
    enum aggregate aggregate; /* if the metric has one */
    bool drop_suppressed;
};

/* The classes of a table; all 0 when there are none. */
struct oracle_figures {
    size_t rows, suppressed;
    size_t count, min, max, uniques;
};

/* One vector of levels, judged. */
struct oracle_verdict {
    bool valid;
    struct oracle_figures figures;
    double cost[ORACLE_QI_MAX];  /* per quasi-identifier, not weighted; 0 of
                                    a metric of classes */
    double score[ORACLE_QI_MAX]; /* one, or for rank all, descending */
    size_t score_count;
};

/* A released table; its strings are the task's and the oracle's. */
struct oracle_table {
    size_t *column; /* which columns of the task are there */
    size_t column_count;
    const char **cell;
    size_t row_count;
};

struct oracle;

struct oracle *oracle_create(const struct oracle_task *task);
void oracle_destroy(struct oracle **oracle);

/* How many vectors of levels there are. */
double oracle_lattice_size(const struct oracle *oracle);

void oracle_judge(const struct oracle *oracle, const size_t *level,
                  struct oracle_verdict *verdict);

/* False if no vector is valid; then nothing is set. */
bool oracle_search(const struct oracle *oracle, size_t *level,
                   struct oracle_verdict *verdict);

/* The largest l for which the group of `row` under these levels is entropy-l
 * diverse in `column`, were it not for rounding. */
double oracle_entropy_l(const struct oracle *oracle, const size_t *level,
                        size_t row, size_t column,
                        enum entropy_estimator estimator);

/* How far the group of `row` under these levels is from the whole table, in the
 * unit of the model's parameter. */
double oracle_group_distance(const struct oracle *oracle, const size_t *level,
                             size_t row, const struct oracle_model *model);

/* What the release under these levels must hold. */
void oracle_release(const struct oracle *oracle, const size_t *level,
                    struct oracle_table *table);
void oracle_table_clear(struct oracle_table *table);

/* The classes of a table whose columns are those of `task` numbered in
 * `table->column`, by its cells as they stand. */
void oracle_count(const struct oracle_task *task,
                  const struct oracle_table *table,
                  struct oracle_figures *figures);

/* The task's own table, before anything is done to it. */
void oracle_input(const struct oracle_task *task, struct oracle_table *table);

#endif
