/*
 * tests/property/sample.h - a random case: table, hierarchies, policy.
 *
 * A sample follows from its seed and number alone, so that one can be replayed
 * without those before it.  It is what the policy says (a struct oracle_task)
 * and how it is written down (order, delimiters, quotes, line ends).
 *
 * Cases are small but awkward: domains with rows that never occur, labels that
 * repeat from level to level or are other rows' values, several roots, `*`
 * below the top, missing tokens, cells with quotes, delimiters, line ends,
 * spaces at their ends and other than ASCII characters.
 */
#ifndef TESTS_PROPERTY_SAMPLE_H
#define TESTS_PROPERTY_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "tests/lib/oracle.h"
#include "tests/property/dice.h"

#define SAMPLE_COLUMNS_MAX 12

struct sample {
    struct oracle_task task;

    struct oracle_column column[SAMPLE_COLUMNS_MAX];
    struct oracle_model model[4];
    const char *missing[4];
    bool *member;       /* of the file's rows: is it in the subset? */
    const char *subset; /* the rule that says so; NULL: a list, if any row is
                           outside */
    bool has_subset, subset_header;
    size_t policy_order[SAMPLE_COLUMNS_MAX]; /* of the attributes */
    bool unlisted[SAMPLE_COLUMNS_MAX];       /* not named in the policy */
    bool any_unlisted;
    char hierarchy_delimiter[SAMPLE_COLUMNS_MAX];
    char delimiter;
    bool delimiter_named;
    const char *newline;
    bool byte_order_mark, last_newline;
    bool aggregate_named, gs_factor_named;
    bool no_recheck;
    uint64_t quotes_seed; /* which cells are quoted without need */

    void **memory;
    size_t memory_count;
};

void sample_init(struct sample *sample, uint64_t seed, uint64_t number);
void sample_clear(struct sample *sample);

/* The row is taken out of the table. */
void sample_remove_row(struct sample *sample, size_t row);

/* Append the file in question to `out`. */
void sample_write_table(const struct sample *sample, struct text *out);
void sample_write_hierarchy(const struct sample *sample, size_t column,
                            struct text *out);
void sample_write_policy(const struct sample *sample, struct text *out);
/* Any table of the sample's columns, in the sample's manner. */
void sample_write_cells(const struct sample *sample,
                        const struct oracle_table *table, struct text *out);

/* The list of the subset's rows. */
void sample_write_subset(const struct sample *sample, struct text *out);

/* Name of a column's hierarchy file. */
void sample_hierarchy_name(size_t column, char name[32]);

#endif
