/*
 * Ambiguity: how many tuples of the domain a released row could stand for.
 *
 *     sum over classes of c prod_d r_d        prod_d R_d for a lost one
 *
 * with r_d the rows of the domain below the class's label of attribute d.
 * [Nergiz and Clifton, Thoughts on k-Anonymization, 2007.]
 *
 * Bounds.  A lost class costs at least what it would cost kept, and an r_d
 * never shrinks upwards; so F is the sum with all classes kept.  Without
 * counting: over the N rows i, the exponential function being convex,
 *
 *     sum_i prod_d r_di = sum_i exp(sum_d ln r_di) >= N exp(sum_d mean ln r_d)
 *
 * whose exponent is a sum of one number per attribute and level.  That number
 * is a mean of up to 2^24 terms below 17; the allowance for its rounding is as
 * in metric_classes.c.
 *
 * Surcharge: sum lost c (prod R_d - prod r_d), which the smaller r_d below only
 * make larger.
 *
 * A product is taken in the order of the columns, and is a whole number even
 * where it is rounded.  It may have more than a thousand bits, so the sum is
 * kept as a whole number of that many: it is exact, and does not depend on the
 * order of the classes.
 */
#include <string.h>

#include "anonymizer/metric_internal.h"

#define MEAN_SLACK 1e-5

/* ---- a wide sum ---- */

/* A double is below 2^1024, a class's rows below 2^32 and all classes' rows
 * together, too. */
#define WIDE_WORDS 17

struct wide {
    uint64_t word[WIDE_WORDS]; /* lowest first */
};

__extension__ typedef unsigned __int128 uint128;

/* += count * product; a whole number. */
static void wide_add(struct wide *sum, uint32_t count, double product)
{
    int exponent;
    uint64_t digits = (uint64_t)ldexp(frexp(product, &exponent), 53);
    unsigned shift = exponent > 53 ? (unsigned)exponent - 53 : 0;
    uint128 term, carry;
    size_t at = shift / 64;

    if (exponent < 53)
        digits >>= 53 - exponent;
    /* 53 bits by 32 bits, moved by less than 64: in three words. */
    term = (uint128)digits * count;
    carry = (uint128)sum->word[at] + (uint64_t)(term << shift % 64);
    sum->word[at++] = (uint64_t)carry;
    term = shift % 64 == 0 ? term >> 64 : term >> (64 - shift % 64);
    for (carry >>= 64; term > 0 || carry > 0; at++) {
        carry += (uint128)sum->word[at] + (uint64_t)term;
        sum->word[at] = (uint64_t)carry;
        carry >>= 64;
        term >>= 64;
    }
}

/* Cut off after at least 65 bits, then rounded: monotone. */
static double wide_value(const struct wide *sum)
{
    size_t top = WIDE_WORDS - 1;

    while (top > 0 && sum->word[top] == 0)
        top--;
    if (top == 0)
        return (double)sum->word[0];
    return ldexp((double)((uint128)sum->word[top] << 64 | sum->word[top - 1]),
                 (int)(64 * (top - 1)));
}

/* ---- the metric ---- */

/* base := mean of ln r at each level. */
static void ambiguity_prepare(struct metric *metric, size_t d,
                              const uint64_t *rows, uint64_t *room)
{
    const struct dimension *dimension = &metric->lattice->dimension[d];

    (void)room;
    for (uint32_t level = 0; level < dimension->levels; level++) {
        double sum = 0;

        for (uint32_t i = 0; i < dimension->leaf_count; i++)
            sum += (double)rows[i] *
                   log((double)metric_domain(metric, d, level, i));
        metric->dimension[d].base[level] = sum / (double)metric->rows;
    }
}

static double ambiguity_bound(const struct metric *metric, const uint8_t *level)
{
    double exponent = 0;

    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        exponent += metric->dimension[d].base[level[d]];
    return (double)metric->rows * exp(exponent) * (1 - MEAN_SLACK);
}

static double domain_product(const struct metric *metric)
{
    double product = 1;

    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        product *= metric->dimension[d].domain_size;
    return product;
}

static double class_product(const struct metric *metric, const uint8_t *level,
                            const uint64_t *key)
{
    double product = 1;

    for (size_t d = 0; d < metric->lattice->dimension_count; d++)
        product *=
            metric_domain(metric, d, level[d],
                          dimension_leaf(&metric->lattice->dimension[d], key));
    return product;
}

static double ambiguity_floor(const struct metric *metric,
                              const struct metric_node *node)
{
    struct wide sum = {{0}};

    for (uint32_t c = 0; c < node->classes->count; c++)
        wide_add(&sum, node->classes->size[c],
                 class_product(metric, node->level, metric_key(node, c)));
    return wide_value(&sum);
}

static void ambiguity_cost(const struct metric *metric,
                           const struct metric_node *node, double *x,
                           double *surcharge)
{
    double whole = domain_product(metric), more = 0;
    struct wide sum = {{0}};

    for (uint32_t c = 0; c < node->classes->count; c++) {
        uint32_t size = node->classes->size[c];
        double product =
            class_product(metric, node->level, metric_key(node, c));

        wide_add(&sum, size, node->lost[c] ? whole : product);
        more += node->lost[c] ? size * (whole - product) : 0;
    }
    x[0] = wide_value(&sum);
    if (surcharge != NULL)
        surcharge[0] = more * (1 - MEAN_SLACK);
}

static void ambiguity_below(const struct metric *metric, const uint8_t *level,
                            const double *surcharge, double *x)
{
    x[0] = ambiguity_bound(metric, level) + surcharge[0];
}

const struct metric_family metric_ambiguity = {.prepare = ambiguity_prepare,
                                               .cost = ambiguity_cost,
                                               .below = ambiguity_below,
                                               .bound = ambiguity_bound,
                                               .floor = ambiguity_floor};
