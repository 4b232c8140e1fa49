/*
 * anonymizer/policy.h - what a release must satisfy, as the policy file says.
 *
 * The file is one JSON object (docs/formats.md).  Reading it checks all that
 * can be checked without the table: known keys, types, ranges, models that
 * name a sensitive attribute, hierarchies that exist.  What later versions
 * will do is E_VERSION, "not in this version".
 *
 * Elsewhere: columns of a table against a policy (anonymizer/table.h), a policy
 * with its hierarchies as one text (anonymizer/policy_bundle.h).
 */
#ifndef ANONYMIZER_POLICY_H
#define ANONYMIZER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/policy_risk.h"
#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/text.h"

struct builder;
struct hierarchy;
struct subset;

enum role {
    ROLE_SUBJECT,
    ROLE_IDENTIFYING,
    ROLE_QUASI_IDENTIFYING,
    ROLE_SENSITIVE,
    ROLE_INSENSITIVE
};

enum value_type {
    TYPE_STRING,
    TYPE_ORDINAL,
    TYPE_INTEGER,
    TYPE_DECIMAL,
    TYPE_DATE
};

/* As the policy file calls it. */
const char *attribute_role_name(enum role role);

/* No upper bound given for the levels of an attribute. */
#define LEVEL_UNLIMITED UINT32_MAX

struct policy_attribute {
    char *name;
    enum role role;
    enum value_type type;
    struct hierarchy *hierarchy; /* NULL: value and `*`; owned by the policy */
    char *hierarchy_path;        /* of its file, NULL without */
    bool has_hierarchy; /* also where its digest alone is known, or built */
    struct builder *builder; /* it is built over a table's values, `hierarchy`
                                is NULL until then; NULL: it is not */
    char *format;            /* of a date; NULL: MOMENT_FORMAT_DEFAULT */
    uint32_t level_min;
    uint32_t level_max; /* LEVEL_UNLIMITED, or below the hierarchy's levels */
    double weight;      /* 1 if not given, >= 0 */
    unsigned line;      /* in the policy file */
};

/* Models of this version: name in the file, enumerator. */
#define PRIVACY_MODEL_TABLE(X)                                                 \
    X("k-anonymity", K_ANONYMITY)                                              \
    X("distinct-l-diversity", DISTINCT_L_DIVERSITY)                            \
    X("entropy-l-diversity", ENTROPY_L_DIVERSITY)                              \
    X("recursive-cl-diversity", RECURSIVE_CL_DIVERSITY)                        \
    X("t-closeness-equal", T_CLOSENESS_EQUAL)                                  \
    X("t-closeness-ordered", T_CLOSENESS_ORDERED)                              \
    X("t-closeness-hierarchical", T_CLOSENESS_HIERARCHICAL)                    \
    X("delta-disclosure", DELTA_DISCLOSURE)                                    \
    X("basic-beta-likeness", BASIC_BETA_LIKENESS)                              \
    X("enhanced-beta-likeness", ENHANCED_BETA_LIKENESS)                        \
    X("delta-presence", DELTA_PRESENCE)                                        \
    X("k-map", K_MAP)                                                          \
    X("average-risk", AVERAGE_RISK)                                            \
    X("sample-uniqueness", SAMPLE_UNIQUENESS)                                  \
    X("population-uniqueness", POPULATION_UNIQUENESS)

enum privacy_model {
#define PRIVACY_MODEL_ENUM(name, id) MODEL_##id,
    PRIVACY_MODEL_TABLE(PRIVACY_MODEL_ENUM)
#undef PRIVACY_MODEL_ENUM
};

const char *privacy_model_name(enum privacy_model model);

/* Does it compare a class with all rows of the table, suppressed ones
 * included? */
bool privacy_model_compares(enum privacy_model model);

/* Is it a condition on all released classes together, not on each? */
bool privacy_model_is_of_sample(enum privacy_model model);

enum entropy_estimator { ESTIMATOR_SHANNON, ESTIMATOR_GRASSBERGER };

/* What a k-map takes the population from: a subset of it, or an estimate. */
enum k_map_population {
    K_MAP_POISSON,
    K_MAP_ZERO_TRUNCATED_POISSON,
    K_MAP_SUBSET
};

/* As the policy file calls an estimator. */
const char *k_map_population_name(enum k_map_population map);
/* Of population-uniqueness (population.h). */
enum population_estimator {
    POPULATION_PITMAN,
    POPULATION_ZAYATZ,
    POPULATION_SNB,
    POPULATION_DANKAR
};

const char *population_estimator_name(enum population_estimator estimator);

#define NO_ATTRIBUTE SIZE_MAX

/* One model with its parameters; those that it does not have are 0. */
struct privacy_criterion {
    enum privacy_model model;
    size_t attribute; /* index into policy.attribute, or NO_ATTRIBUTE */
    uint32_t k;       /* k-anonymity, k-map, >= 1 */
    double l;         /* >= 1; whole for distinct and recursive */
    double c;         /* recursive-(c,l), > 0 */
    double t;         /* t-closeness, 0..1 */
    double delta;     /* delta-disclosure, bits, > 0 */
    double beta;      /* beta-likeness, > 0 */
    enum entropy_estimator estimator; /* entropy-l */
    double min, max;                  /* delta-presence, 0 <= min <= max <= 1 */
    enum k_map_population map;        /* k-map */
    double significance;              /* k-map by estimate, 0..1, not these */
    double population; /* k-map by estimate, population-uniqueness: its rows,
                          whole */
    double
        threshold; /* average-risk, sample- and population-uniqueness, 0..1 */
    double highest_risk;    /* average-risk, above 0, up to 1; 0: not given */
    double records_at_risk; /* average-risk, 0..1, with highest_risk */
    enum population_estimator population_estimator; /* population-uniqueness */
};

/* Does it need to know how many of the population are in each class? */
bool privacy_model_needs_population(const struct privacy_criterion *criterion);

/* What the gs-factor may be with a metric. */
enum gs_range {
    GS_NONE, /* it has no part in it */
    GS_WHOLE,
    GS_INNER /* 0 and 1 are left out */
};

/* Metrics: name in the file, enumerator, aggregate if not given (NONE: the
 * metric has none, it does not look at attributes one by one), gs-factor. */
#define QUALITY_METRIC_TABLE(X)                                                \
    X("loss", LOSS, GEOMETRIC_MEAN, WHOLE)                                     \
    X("precision", PRECISION, ARITHMETIC_MEAN, WHOLE)                          \
    X("precision-monotonic", PRECISION_MONOTONIC, ARITHMETIC_MEAN, WHOLE)      \
    X("height", HEIGHT, SUM, NONE)                                             \
    X("non-uniform-entropy", NON_UNIFORM_ENTROPY, SUM, WHOLE)                  \
    X("non-uniform-entropy-monotonic", NON_UNIFORM_ENTROPY_MONOTONIC, SUM,     \
      WHOLE)                                                                   \
    X("normalized-non-uniform-entropy", NORMALIZED_NON_UNIFORM_ENTROPY,        \
      ARITHMETIC_MEAN, NONE)                                                   \
    X("discernibility", DISCERNIBILITY, NONE, NONE)                            \
    X("discernibility-monotonic", DISCERNIBILITY_MONOTONIC, NONE, NONE)        \
    X("aecs", AECS, NONE, INNER)                                               \
    X("ambiguity", AMBIGUITY, NONE, NONE)

enum quality_metric {
#define QUALITY_METRIC_ENUM(name, id, aggregate, gs) METRIC_##id,
    QUALITY_METRIC_TABLE(QUALITY_METRIC_ENUM)
#undef QUALITY_METRIC_ENUM
};

enum aggregate {
    AGGREGATE_SUM,
    AGGREGATE_MAXIMUM,
    AGGREGATE_ARITHMETIC_MEAN,
    AGGREGATE_GEOMETRIC_MEAN,
    AGGREGATE_RANK,
    AGGREGATE_NONE /* of a metric that has none */
};

const char *quality_metric_name(enum quality_metric metric);
enum aggregate quality_metric_aggregate(enum quality_metric metric);
enum gs_range quality_metric_gs(enum quality_metric metric);
/* Not of AGGREGATE_NONE. */
const char *aggregate_name(enum aggregate aggregate);

/* How the best transformation is looked for (search.h). */
enum search_strategy { SEARCH_OPTIMAL, SEARCH_TIME_LIMITED };

struct policy {
    char *path;                         /* of the file, for messages */
    char *name;                         /* "" if not given */
    struct policy_attribute *attribute; /* in the order of the file */
    size_t attribute_count;
    struct privacy_criterion *criterion;
    size_t criterion_count; /* >= 1 */
    struct subset *subset;  /* the research sample; NULL: all rows */
    bool has_subset;        /* also where its digest alone is known */
    char *subset_path;      /* of its file, NULL without */
    char delimiter;         /* 0: auto */
    char **missing;         /* tokens that are one ordinary value */
    size_t missing_count;
    bool unlisted_remove;     /* columns not named here are removed */
    bool drop_suppressed;     /* suppressed rows are left out of the output */
    double suppression_limit; /* 0..1 */
    enum quality_metric metric;
    enum aggregate aggregate; /* the metric's own if not given */
    double gs_factor;         /* 0..1, 0.5 if not given */
    enum search_strategy strategy;
    double search_seconds;   /* of a time-limited search, else 0 */
    struct policy_risk risk; /* for `anchorite risk` */
    struct digest digest;    /* docs/formats.md, "Policy digest" */
    struct text canonical;   /* what it is the digest of */
    /* Hierarchies and a subset's list are known by their digests alone:
     * attribute.hierarchy and subset are NULL and say nothing.  Enough to check
     * a finished table by recheck_table; whatever generalizes asserts that it
     * is false. */
    bool without_hierarchies;
};

/* Read, check, open the hierarchies.  Errors name the file, line and key. */
MUST_USE enum status policy_open(struct policy **policy, const char *path,
                                 struct error *err);
/* The same from bytes; file names in it are relative to `path`. */
MUST_USE enum status policy_parse(struct policy **policy, struct bytes text,
                                  const char *path, struct error *err);
/* The policy whose `canonical` these bytes are: hierarchies are
 * {"sha256": hex}, and need not be there.  E_INPUT for anything else, a form
 * that is not canonical included. */
MUST_USE enum status policy_parse_canonical(struct policy **policy,
                                            struct bytes canonical,
                                            struct error *err);
void policy_close(struct policy **policy);

/* NULL if the policy does not name it. */
const struct policy_attribute *policy_find(const struct policy *policy,
                                           struct bytes name);

/* Is this cell one of the tokens of table.missing? */
bool policy_is_missing(const struct policy *policy, struct bytes value);

#endif
