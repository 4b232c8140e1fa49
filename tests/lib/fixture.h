/*
 * tests/lib/fixture.h - a policy, a table and what the engine makes of them,
 * from strings.
 *
 *     struct fixture fixture;
 *
 *     fixture_init(&fixture);
 *     fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
 *                       "31;30-39;*\n47;40-49;*\n");
 *     fixture_k(&fixture, 2);
 *     fixture_load(&fixture, "age\n31\n47\n");
 *     ... fixture.table, fixture.lattice, fixture.problem ...
 *     fixture_clear(&fixture);
 *
 * The policy is filled in here, not read from a file, so that a test of the
 * engine can change any part of it, before the table is loaded.  What cannot be
 * set up ends the program, save what fixture_read reports.  The table's file is
 * in memory.
 */
#ifndef TESTS_LIB_FIXTURE_H
#define TESTS_LIB_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/evaluator.h"
#include "anonymizer/policy.h"
#include "anonymizer/table.h"
#include "common/error.h"
#include "common/random.h"

#define FIXTURE_ATTRIBUTES_MAX 64
#define FIXTURE_MODELS_MAX 8

struct fixture {
    struct policy policy;
    struct policy_attribute attribute[FIXTURE_ATTRIBUTES_MAX];
    struct privacy_criterion criterion[FIXTURE_MODELS_MAX];
    int fd; /* of the table, -1 before it is read */
    struct table *table;
    struct lattice *lattice;
    struct criteria *criteria;
    struct metric *metric;
    struct problem problem;
};

/* No attributes, no models, no tokens for missing values, suppression limit 0,
 * arithmetic mean, gs-factor 0.5. */
void fixture_init(struct fixture *fixture);
void fixture_clear(struct fixture *fixture);

/* `hierarchy` is CSV, NULL: none.  Returns the index of the attribute. */
size_t fixture_attribute(struct fixture *fixture, const char *name,
                         enum role role, const char *hierarchy);

void fixture_k(struct fixture *fixture, uint32_t k);
/* `model` is copied. */
void fixture_model(struct fixture *fixture,
                   const struct privacy_criterion *model);

/* The rows for which the rule holds (anonymizer/subset_rule.h). */
void fixture_subset(struct fixture *fixture, const char *rule);

/* The table's file, not read yet; replaces the table before. */
void fixture_open(struct fixture *fixture, const char *csv);

/* Open and read a table. */
MUST_USE enum status fixture_read(struct fixture *fixture, const char *csv,
                                  struct error *err);

/* Lattice, criteria, metric and problem of the table that was read.  Replaces
 * those before. */
void fixture_build(struct fixture *fixture);

/* Read and build. */
void fixture_load(struct fixture *fixture, const char *csv);

/* ---- random ones ---- */

struct fixture_shape {
    size_t quasi_max;     /* quasi-identifiers: 1 .. this */
    uint32_t domain_max;  /* rows of a hierarchy: 1 .. this */
    uint32_t levels_max;  /* 2 .. this */
    uint32_t rows_max;    /* rows of the table: 1 .. this */
    size_t sensitive_max; /* judged sensitive attributes: 0 .. this */
    bool subsets;         /* half of the tables have one: every third row, and
                             most of those a model over their population */
};

/* A whole problem, models, limits, weights and aggregate included, loaded. */
void fixture_random(struct fixture *fixture, struct random *random,
                    const struct fixture_shape *shape);

/* Seed of the random tests: ANCHORITE_TEST_SEED, or the same one always.
 * Printed, with the name of the test. */
uint64_t fixture_seed(const char *test);

/* ---- all nodes ---- */

/* level := the lowest node; then the next one in lexicographic order, false
 * behind the last. */
void fixture_first_node(const struct fixture *fixture, uint8_t *level);
bool fixture_next_node(const struct fixture *fixture, uint8_t *level);

#endif
