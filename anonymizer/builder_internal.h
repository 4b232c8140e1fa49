/*
 * anonymizer/builder_internal.h - the parts of which builder.c is put together.
 *
 *     builder_read.c      the JSON object
 *     builder_number.c    numbers and dates as whole numbers
 *     builder.c           values, levels and the hierarchy made of them
 *     builder_groups.c    labels of intervals and of ordered groups
 *     builder_texts.c     labels of dates, redacted texts and priorities
 *
 * Numbers are exact.  An integer is itself, a decimal is counted in millionths
 * (its further digits cannot matter, since bounds have none), a date in
 * seconds: intervals are closed below and open above, so cutting off decides
 * the same.
 */
#ifndef ANONYMIZER_BUILDER_INTERNAL_H
#define ANONYMIZER_BUILDER_INTERNAL_H

#include "anonymizer/builder.h"
#include "common/text.h"

enum builder_kind {
    BUILD_INTERVAL,
    BUILD_ORDER,
    BUILD_REDACTION,
    BUILD_DATE,
    BUILD_PRIORITY
};

enum label_style {
    LABEL_INTERVAL,
    LABEL_SET,
    LABEL_BOUNDS,
    LABEL_COMMON_PREFIX
};

/* name, enumerator; from fine to coarse as far as that can be said. */
#define GRANULARITY_TABLE(X)                                                   \
    X("second", SECOND)                                                        \
    X("minute", MINUTE)                                                        \
    X("hour", HOUR)                                                            \
    X("day", DAY)                                                              \
    X("month-week", MONTH_WEEK)                                                \
    X("year-week", YEAR_WEEK)                                                  \
    X("month", MONTH)                                                          \
    X("quarter", QUARTER)                                                      \
    X("weekday", WEEKDAY)                                                      \
    X("week-number", WEEK_NUMBER)                                              \
    X("quarter-number", QUARTER_NUMBER)                                        \
    X("year", YEAR)                                                            \
    X("decade", DECADE)                                                        \
    X("century", CENTURY)                                                      \
    X("millennium", MILLENNIUM)

enum granularity {
#define GRANULARITY_ENUM(name, id) GRANULARITY_##id,
    GRANULARITY_TABLE(GRANULARITY_ENUM) GRANULARITIES
#undef GRANULARITY_ENUM
};

enum priority_by { PRIORITY_FREQUENCY, PRIORITY_TYPE, PRIORITY_GIVEN };

struct builder_interval {
    int64_t min, max; /* min <= number < max */
    char *label;      /* NULL: by style */
};

/* One end of the numbers. */
struct builder_range {
    bool coded, bounded;
    int64_t snap;  /* intervals reach to here ... */
    int64_t code;  /* ... the outermost one to here; beyond is one group */
    int64_t bound; /* beyond is an error */
};

struct builder_group {
    uint32_t fanout;
    char *label; /* NULL: by style */
};

/* Groups of one level, which repeat themselves. */
struct builder_level {
    struct builder_group *group;
    uint32_t group_count;
    int64_t fanout_sum;
};

/* A value by name: at its place in an explicit order, or with a priority. */
struct builder_named {
    char *value;
    int64_t number;
};

struct builder {
    enum builder_kind kind;
    const struct policy *policy;   /* only while it is being read */
    struct policy_attribute plain; /* type and format, for value_order.h */
    char *missing;                 /* label; NULL: the value itself */
    enum label_style style;
    struct builder_interval *interval;
    size_t interval_count;
    struct builder_range lower, upper;
    struct builder_level *level;
    size_t level_count;
    struct builder_named *named; /* sorted by their bytes */
    size_t named_count;
    bool explicit_order;
    enum granularity granularity[GRANULARITIES];
    size_t granularity_count;
    bool align_right, from_left;
    char *padding, *character; /* one each, in UTF-8 */
    enum priority_by by;
    bool keep_lowest;
    uint32_t levels_max;
};

/* The numbers' limit on both sides: sums of two stay within 64 bits, dates
 * within what a calendar can say. */
int64_t builder_number_max(const struct builder *builder);
/* Number of a value; false if it is none or beyond the limit. */
MUST_USE bool builder_number(const struct builder *builder, struct bytes value,
                             int64_t *number);
/* The same of what a policy says, which must be exact. */
MUST_USE bool builder_number_exact(const struct builder *builder,
                                   struct bytes value, int64_t *number);
MUST_USE enum status builder_print_number(const struct builder *builder,
                                          int64_t number, struct text *out,
                                          struct error *err);

/* The named value, NULL if there is none. */
const struct builder_named *builder_find(const struct builder *builder,
                                         struct bytes value);

/* Does the coarser one follow from the finer one, for every date? */
bool granularity_follows(enum granularity coarse, enum granularity fine);

/* ---- building ---- */

enum zone { ZONE_INSIDE, ZONE_BELOW, ZONE_ABOVE };

struct build_value {
    struct bytes text;
    uint64_t rows;
    int64_t number; /* interval, date; explicit order and priority */
    enum zone zone;
    bool missing;
};

struct build {
    const struct builder *builder;
    struct build_value *value; /* in the order of the hierarchy's rows */
    size_t count;
    size_t ranked; /* those before the missing one */
    uint32_t levels;
    struct text label[HIERARCHY_LEVELS_MAX]; /* of the row that is being made */
    size_t row; /* that these are of, + 1; 0: none */
};

/* Is the label of `level` that of the row before? */
bool build_groups_repeats(const struct build *build, size_t row,
                          uint32_t level);
/* Append a row's label at a level that is neither the first nor the last. */
typedef enum status build_label(const struct build *build, size_t row,
                                uint32_t level, struct text *out,
                                struct error *err);
build_label build_label_group;
build_label build_label_redaction;
build_label build_label_date;
build_label build_label_priority;

/* `<` or `>=` and where coding begins. */
MUST_USE enum status build_label_beyond(const struct builder *builder,
                                        enum zone zone, struct text *out,
                                        struct error *err);

/* Characters of a text in UTF-8. */
size_t build_characters(struct bytes text);

#endif
