/*
 * anonymizer/key_match.h - how many records could be that of a tuple, where
 * missing values may match anything.
 *
 * A missing value is compatible with every value of its column; tuples are
 * compatible if their values are in all columns.  With alpha, the weight of a
 * match that rests on a missing value, the frequency of a tuple without one is
 *
 *     f = its own rows + alpha * rows of compatible tuples with one
 *
 * and that of a tuple with one
 *
 *     f = its own rows + rows of compatible tuples without one
 *       + alpha * rows of the other compatible tuples with one
 *
 * [sdcMicro freqCalc].  With alpha = 0 a missing value is a category of its
 * own, and the frequency of each tuple is its rows.
 *
 * Tuples are taken by their pattern of missing columns: two patterns meet in
 * the columns that neither lacks.  Cost: tuples times patterns.
 */
#ifndef ANONYMIZER_KEY_MATCH_H
#define ANONYMIZER_KEY_MATCH_H

#include "anonymizer/key_table.h"
#include "common/error.h"

/* Patterns of missing columns: their pairs are gone through. */
#define KEY_PATTERNS_MAX 4096

/* sum[tuple] := f with amount[tuple] (rows, or their weights) for its rows.
 * 0 <= alpha <= 1.  E_LIMIT if there are too many patterns. */
MUST_USE enum status key_match(const struct key_table *table,
                               const double *amount, double alpha, double *sum,
                               struct error *err);

#endif
