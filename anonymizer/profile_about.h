/*
 * anonymizer/profile_about.h - what a column is about: its type, and which
 * kinds of identifier it is likely to hold.
 *
 * Type, of the distinct values that are not missing: integer or decimal (as
 * common/number.h has them: 007 is a name), date in one spelling, ordinal where
 * all are ranges of numbers ("55-59", "80 or older"), else string.
 *
 * Confidence in a kind, from the column's name and its values:
 *
 *     by_name     profile_name.h; halved where there are no more than two
 *                 values in 20 rows or more ("phone: yes, no"), a quarter of an
 *                 age that is no number from 0 to 130
 *     by_values   share of the distinct values that have a form (above one
 *                 half) times its strength; persons' names: 0.5 + share from
 *                 0.15 on, at most 0.9
 *     together    1 - (1 - by_name) (1 - by_values)
 *
 * `some`: less than half of the values have a form that one value is worth
 * telling of (FORM_TELLING): an e-mail address in a column of remarks.
 */
#ifndef ANONYMIZER_PROFILE_ABOUT_H
#define ANONYMIZER_PROFILE_ABOUT_H

#include "anonymizer/profile_column.h"
#include "anonymizer/profile_date.h"
#include "anonymizer/profile_value.h"

enum profile_type {
    PROFILE_EMPTY, /* no value that is not missing */
    PROFILE_STRING,
    PROFILE_ORDINAL,
    PROFILE_INTEGER,
    PROFILE_DECIMAL,
    PROFILE_DATE
};

/* From here on a finding decides the role that is proposed. */
#define FINDING_DECIDES 0.5

struct profile_finding {
    enum profile_kind kind;
    double confidence;
    double by_name, by_values;
    enum value_form form; /* VALUE_FORM_COUNT: none */
    bool some;
};

struct profile_about {
    enum profile_type type;
    enum date_format date; /* of a date */
    bool date_has_time;
    bool date_ambiguous; /* day and month could be the other way around */
    double least, most;  /* of a number; never shown */
    bool whole;          /* numbers, and none has a fraction */
    bool over_89;        /* an age above 89 occurs */
    bool each_row_own;   /* no value stands in two rows, none is missing */
    bool mostly_own;     /* at least 20 rows have a value, and more than half of
                            them one that no other row has */
    bool even_size;      /* all values have the same number of characters */
    struct profile_finding finding[KIND_COUNT]; /* surest first */
    size_t findings;
};

void profile_about_judge(struct profile_about *about,
                         const struct profile_column *column, uint64_t rows);

const char *profile_type_name(enum profile_type type);

/* NULL if it is not there. */
const struct profile_finding *
profile_about_find(const struct profile_about *about, enum profile_kind kind);

#endif
