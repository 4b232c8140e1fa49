/*
 * Expected values come from hand calculation, from sums and products written
 * out term by term in long double, from searching for the maximum of the
 * likelihood that Pitman's equations are the derivatives of, and, where they
 * lie beside the project, from figures of ARX.
 */
#include "anonymizer/population.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/population_newton.h"
#include "anonymizer/population_series.h"
#include "common/json.h"
#include "common/random.h"
#include "tests/lib/suite.h"

void suite_population(void);

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define SEED 20261120

static bool near(double got, long double expected, double tolerance)
{
    bool is = fabsl(got - expected) <= tolerance * fabsl(expected);

    if (!is)
        printf("\n  got %.17g, expected %.17Lg\n", got, expected);
    return is;
}

/* ---- series ---- */

static void sums_of_reciprocals_are_those_of_their_terms(void)
{
    static const double from[] = {1e-9, 0.01, 0.5,    1,   3.7, 15.999,
                                  16,   1000, 123456, 1e8, 1e14};
    static const int count[] = {0, 1, 2, 15, 16, 17, 1000, 50000};

    for (size_t f = 0; f < COUNT_OF(from); f++)
        for (size_t c = 0; c < COUNT_OF(count); c++) {
            long double sum = 0, squares = 0;

            for (int i = 0; i < count[c]; i++) {
                long double term = (long double)from[f] + i;

                sum += 1 / term;
                squares += 1 / (term * term);
            }
            CU_ASSERT(near(series_reciprocals(from[f], count[c]), sum, 1e-14));
            CU_ASSERT(near(series_squares(from[f], count[c]), squares, 1e-14));
        }
}

/* Where digamma and trigamma are known: digamma(1) = -gamma,
 * digamma(1/2) = -gamma - 2 ln 2, trigamma(1) = pi^2/6, trigamma(1/2) =
 * pi^2/2.  So 1/(1/2) + 1/(3/2) + ... up to x, less 1/1 + 1/2 + ..., tends to
 * 2 ln 2, and the squares to pi^2/2 and pi^2/6. */
static void they_are_differences_of_digamma_and_trigamma(void)
{
    const double pi = 3.14159265358979323846, many = 1e15;

    CU_ASSERT(near(series_reciprocals(0.5, many) - series_reciprocals(1, many),
                   2 * logl(2), 1e-13));
    CU_ASSERT(near(series_squares(1, many), (long double)(pi * pi / 6), 1e-14));
    CU_ASSERT(
        near(series_squares(0.5, many), (long double)(pi * pi / 2), 1e-14));
}

static void terms_below_zero_count_as_such(void)
{
    static const double from[] = {-0.5, -7.25, -40.1, -3000.75, -1e6 - 0.5};
    static const int count[] = {1, 7, 8, 100, 5000};

    for (size_t f = 0; f < COUNT_OF(from); f++)
        for (size_t c = 0; c < COUNT_OF(count); c++) {
            long double sum = 0, squares = 0, size = 0;

            for (int i = 0; i < count[c]; i++) {
                long double term = (long double)from[f] + i;

                sum += 1 / term;
                size += fabsl(1 / term);
                squares += 1 / (term * term);
            }
            CU_ASSERT(fabsl(series_reciprocals(from[f], count[c]) - sum) <=
                      1e-14L * size);
            CU_ASSERT(near(series_squares(from[f], count[c]), squares, 1e-14));
        }
}

static void a_term_of_zero_has_no_reciprocal(void)
{
    CU_ASSERT_FALSE(isfinite(series_reciprocals(0, 1)));
    CU_ASSERT_FALSE(isfinite(series_reciprocals(-3, 4)));
    CU_ASSERT_FALSE(isfinite(series_squares(-3, 9)));
    CU_ASSERT(isfinite(series_reciprocals(-3, 3)));
    CU_ASSERT(isnan(series_reciprocals(INFINITY, 3)));
    CU_ASSERT(isnan(series_squares(NAN, 3)));
}

static void ratios_of_gamma_functions_are_exact(void)
{
    static const double x[] = {1e-6, 0.3, 1, 2, 7.7, 16, 33.3, 4000};

    for (size_t i = 0; i < COUNT_OF(x); i++)
        for (size_t j = 0; j < COUNT_OF(x); j++) {
            long double expected = lgammal(x[i]) - lgammal(x[j]);

            CU_ASSERT(fabsl(series_gamma_ratio(x[i], x[j]) - expected) <=
                      1e-13L * (1 + fabsl(expected)));
        }
    /* Gamma(x + 1) / Gamma(x) = x, where each of them is beyond any double. */
    CU_ASSERT(near(series_gamma_ratio(1e12 + 1, 1e12), logl(1e12L), 1e-14));
}

/* ---- Newton ---- */

/* A circle and a line: (x - 3)^2 + y^2 = 2, y = x - 3, so (4, 1), (2, -1). */
static bool circle_and_line(const void *context, const double *x,
                            struct newton_values *values)
{
    const double *least = context;

    if (x[0] < *least)
        return false;
    values->f[0] = (x[0] - 3) * (x[0] - 3) + x[1] * x[1] - 2;
    values->f[1] = x[1] - x[0] + 3;
    values->magnitude[0] = values->magnitude[1] = 1;
    values->slope[0][0] = 2 * (x[0] - 3);
    values->slope[0][1] = 2 * x[1];
    values->slope[1][0] = -1;
    values->slope[1][1] = 1;
    return true;
}

static void newton_takes_the_first_start_that_leads_somewhere(void)
{
    static const double everywhere = -INFINITY, right = 2.5;
    static const struct newton_start starts[] = {
        {{3, 0}}, {{-5, -2}}, {{50, 7}}};
    struct newton_problem problem = {circle_and_line, &everywhere, starts, 3,
                                     INFINITY};
    double x[2];

    /* At the centre there is no step; from the left it goes left. */
    CU_ASSERT(newton_solve(&problem, x));
    CU_ASSERT_DOUBLE_EQUAL(x[0], 2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(x[1], -1, 1e-9);
    problem.context = &right;
    CU_ASSERT(newton_solve(&problem, x));
    CU_ASSERT_DOUBLE_EQUAL(x[0], 4, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(x[1], 1, 1e-9);
    problem.start_count = 2;
    CU_ASSERT_FALSE(newton_solve(&problem, x));
}

static void newton_ends_where_there_is_no_solution(void)
{
    static const double everywhere = -INFINITY;
    static const struct newton_start far = {{1e6, -1e6}};
    struct newton_problem problem = {circle_and_line, &everywhere, &far, 1,
                                     1e-3};
    double x[2];

    /* A hundred steps of a thousandth do not lead there. */
    CU_ASSERT_FALSE(newton_solve(&problem, x));
}

/* ---- Zayatz ---- */

static struct class_sizes sizes_of(const struct class_size *entry, size_t count)
{
    return (struct class_sizes){entry, count};
}

/* Two classes of 1 and one of 2: n = 4 of N = 8.  h(1) = 4/8, h(2) = 1 of the 2
 * in 4 draws of 8: 2 * C(6,3) / C(8,4) = 40/70.  p = (2/3 1/2) /
 * (2/3 1/2 + 1/3 4/7) = 7/11, uniques = 2 * 7/11 / (1/2) = 28/11. */
static void zayatz_by_hand(void)
{
    static const struct class_size entry[] = {{1, 2}, {2, 1}};
    struct population_estimate estimate =
        population_uniques(sizes_of(entry, 2), 8, POPULATION_ZAYATZ);

    CU_ASSERT_EQUAL(estimate.state, POPULATION_KNOWN);
    CU_ASSERT_EQUAL(estimate.used, POPULATION_ZAYATZ);
    CU_ASSERT(near(estimate.uniques, 28.0L / 11, 1e-15));
}

static long double choose(int n, int k)
{
    long double product = 1;

    if (k < 0 || k > n)
        return 0;
    for (int i = 1; i <= k; i++)
        product = product * (n - k + i) / i;
    return product;
}

/* The hypergeometric distribution by its binomial coefficients. */
static void zayatz_is_what_the_hypergeometric_distribution_says(void)
{
    struct random dice;

    random_init(&dice, SEED);
    for (int trial = 0; trial < 300; trial++) {
        struct class_size entry[6];
        int n = 0, u = 0, size = 0, population;
        long double sum = 0, p;
        struct population_estimate estimate;

        for (int i = 0; i < 6; i++) {
            size += 1 + (i > 0 ? (int)random_below(&dice, 6) : 0);
            entry[i].size = (uint64_t)size;
            entry[i].number = 1 + random_below(&dice, 5);
            n += size * (int)entry[i].number;
            u += (int)entry[i].number;
        }
        population = n + 1 + (int)random_below(&dice, 400);
        for (int i = 0; i < 6; i++) {
            int c = (int)entry[i].size;

            sum += (long double)entry[i].number / u * c *
                   (choose(population - c, n - 1) / choose(population, n));
        }
        p = (long double)entry[0].number / u * n / population / sum;
        estimate = population_uniques(sizes_of(entry, 6), population,
                                      POPULATION_ZAYATZ);
        CU_ASSERT(near(estimate.uniques,
                       (long double)entry[0].number * p * population / n,
                       1e-12));
    }
}

static void classes_larger_than_what_is_outside_weigh_nothing(void)
{
    /* n = 14 of N = 15: nobody has 12 of 13 outside of the sample. */
    static const struct class_size entry[] = {{1, 1}, {13, 1}};
    static const struct class_size huge[] = {{1, 3}, {4000000000u, 1}};
    struct population_estimate estimate =
        population_uniques(sizes_of(entry, 2), 15, POPULATION_ZAYATZ);

    CU_ASSERT(near(estimate.uniques, 15.0L / 14, 1e-15));
    estimate = population_uniques(sizes_of(huge, 2), 1e10, POPULATION_ZAYATZ);
    CU_ASSERT(near(estimate.uniques, 3 * 1e10L / 4000000003.0L, 1e-14));
}

/* ---- searching a plane ---- */

typedef long double plane(const void *context, double x, double y);

/* The place of the largest value, by grids that shrink around the best. */
static void find_highest(plane *height, const void *context, const double *low,
                         const double *high, double *best)
{
    double width[2] = {high[0] - low[0], high[1] - low[1]};
    double centre[2] = {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2};

    for (int round = 0; round < 45; round++) {
        long double most = -INFINITY;
        double found[2] = {centre[0], centre[1]};

        for (int i = -6; i <= 6; i++)
            for (int j = -6; j <= 6; j++) {
                double x =
                    fmin(fmax(centre[0] + width[0] * i / 12, low[0]), high[0]);
                double y =
                    fmin(fmax(centre[1] + width[1] * j / 12, low[1]), high[1]);
                long double here = height(context, x, y);

                if (here > most) {
                    most = here;
                    found[0] = x;
                    found[1] = y;
                }
            }
        memcpy(centre, found, sizeof centre);
        width[0] *= 0.6;
        width[1] *= 0.6;
    }
    memcpy(best, centre, sizeof centre);
}

/* ---- Pitman ---- */

/* ln of Pitman's sampling formula, without what the parameters do not change:
 * prod (theta + i alpha) / prod (theta + i) prod_classes prod (j - alpha). */
static long double likelihood(const void *context, double ln_theta,
                              double alpha)
{
    const struct class_sizes *sizes = context;
    long double theta = expl(ln_theta), sum = 0;
    uint64_t n = class_sizes_rows(*sizes), u = class_sizes_classes(*sizes);

    for (uint64_t i = 1; i < u; i++)
        if (theta + i * (long double)alpha <= 0)
            return -INFINITY;
        else
            sum += logl(theta + i * (long double)alpha);
    for (uint64_t i = 1; i < n; i++)
        sum -= logl(theta + i);
    for (size_t k = 0; k < sizes->count; k++)
        for (uint64_t j = 1; j < sizes->entry[k].size; j++)
            sum += sizes->entry[k].number * logl(j - (long double)alpha);
    return sum;
}

static void pitman_is_where_the_likelihood_is_highest(void)
{
    static const struct class_size one[] = {{1, 60}, {2, 25}, {3, 12}, {5, 7},
                                            {9, 4},  {20, 2}, {60, 1}};
    static const struct class_size two[] = {{1, 12}, {2, 9}, {3, 8},
                                            {6, 5},  {8, 3}, {11, 1}};
    static const struct class_size three[] = {{1, 200}, {2, 3}, {3, 1}};
    static const struct class_sizes sizes[] = {
        {one, COUNT_OF(one)}, {two, COUNT_OF(two)}, {three, COUNT_OF(three)}};
    static const double low[] = {-5, -3}, high[] = {12, 1 - 1e-6};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        const double population = 1e6;
        double best[2];
        struct population_estimate estimate =
            population_uniques(sizes[i], population, POPULATION_PITMAN);

        find_highest(likelihood, &sizes[i], low, high, best);
        CU_ASSERT_EQUAL(estimate.state, POPULATION_KNOWN);
        CU_ASSERT(near(estimate.uniques,
                       expl(lgammal(exp(best[0]) + 1) -
                            lgammal(exp(best[0]) + best[1]) +
                            best[1] * logl(population)),
                       1e-4));
    }
}

static void what_pitman_cannot_fit_is_not_known(void)
{
    /* All are unique; and uniques without pairs, but triples. */
    static const struct class_size unique[] = {{1, 50}};
    static const struct class_size single[] = {{1, 1}};
    struct population_estimate estimate =
        population_uniques(sizes_of(unique, 1), 1000, POPULATION_PITMAN);

    CU_ASSERT_NOT_EQUAL(estimate.state, POPULATION_KNOWN);
    CU_ASSERT(isnan(estimate.uniques));
    CU_ASSERT(strlen(population_state_text(estimate.state)) > 0);
    estimate = population_uniques(sizes_of(single, 1), 10, POPULATION_PITMAN);
    CU_ASSERT_NOT_EQUAL(estimate.state, POPULATION_KNOWN);
}

/* ---- SNB ---- */

struct snb_case {
    struct class_sizes sizes;
    long double f, k;
};

/* By the sizes' distribution itself: P(j) of j people, each in the sample with
 * the chance f. */
static long double snb_misfit(const void *context, double ln_a, double logit_b)
{
    const struct snb_case *snb = context;
    long double a = expl(ln_a), b = 1 / (1 + expl(-logit_b)), f = snb->f;
    long double p = powl(b, a), one = 0, two = 0, outside = 1;
    long double error[2];

    for (int j = 1; j <= 3000 && p * outside > 1e-30L; j++) {
        /* p = C(a + j - 2, j - 1) b^a (1-b)^(j-1) */
        one += p * j * f * outside;
        if (j >= 2)
            two += p * j * (j - 1) / 2 * f * f * outside / (1 - f);
        p *= (a + j - 1) / j * (1 - b);
        outside *= 1 - f;
    }
    error[0] = logl(snb->k * one / class_sizes_number(snb->sizes, 1));
    error[1] = logl(snb->k * two / class_sizes_number(snb->sizes, 2));
    return -(error[0] * error[0] + error[1] * error[1]);
}

static long double shlosser_term_by_term(struct class_sizes sizes,
                                         long double f)
{
    long double a = 0, b = 0, c = 0, d = 0;
    long double unique = class_sizes_number(sizes, 1);

    for (size_t k = 0; k < sizes.count; k++) {
        long double i = sizes.entry[k].size, number = sizes.entry[k].number;

        a += i * f * f * powl(1 - f * f, i - 1) * number;
        b += powl(1 - f, i) * (powl(1 + f, i) - 1) * number;
        c += powl(1 - f, i) * number;
        d += i * f * powl(1 - f, i - 1) * number;
    }
    return class_sizes_classes(sizes) + unique * (a / b) * (c / d) * (c / d);
}

static void snb_fits_the_classes_of_one_and_of_two(void)
{
    static const struct class_size entry[] = {{1, 300}, {2, 150}, {3, 90},
                                              {4, 50},  {6, 30},  {10, 8}};
    static const double fraction[] = {0.2, 0.5, 0.8, 0.9};
    static const double low[] = {-6, -6}, high[] = {4, 6};
    struct class_sizes sizes = {entry, COUNT_OF(entry)};
    double n = (double)class_sizes_rows(sizes);

    for (size_t i = 0; i < COUNT_OF(fraction); i++) {
        double population = floor(n / fraction[i]), best[2];
        struct snb_case snb = {
            sizes, (long double)n / population,
            shlosser_term_by_term(sizes, (long double)n / population)};
        struct population_estimate estimate =
            population_uniques(sizes, population, POPULATION_SNB);

        find_highest(snb_misfit, &snb, low, high, best);
        if (snb_misfit(&snb, best[0], best[1]) < -1e-12L) {
            CU_ASSERT_NOT_EQUAL(estimate.state, POPULATION_KNOWN);
            continue;
        }
        CU_ASSERT_EQUAL(estimate.state, POPULATION_KNOWN);
        CU_ASSERT(near(estimate.uniques,
                       snb.k * powl(1 / (1 + expl(-best[1])), expl(best[0])),
                       1e-4));
    }
}

/* A population of K classes drawn by the model itself: the estimate must come
 * near the classes of one that it has. */
static void snb_finds_back_a_population_of_its_own_kind(void)
{
    const long double k = 1e7L, a = 0.7L, b = 0.3L, f = 0.8L;
    struct class_size entry[40];
    struct population_estimate estimate;
    long double rows = 0;

    for (int i = 1; i <= 40; i++) {
        long double number = 0, p = powl(b, a);

        for (int j = 1; j <= 300; j++) {
            if (j >= i)
                number +=
                    k * p * choose(j, i) * powl(f, i) * powl(1 - f, j - i);
            p *= (a + j - 1) / j * (1 - b);
        }
        entry[i - 1] = (struct class_size){(uint64_t)i, (uint64_t)(number + 1)};
        rows += i * (number + 1);
    }
    estimate = population_uniques(sizes_of(entry, 40),
                                  floor((double)(rows / f)), POPULATION_SNB);
    CU_ASSERT_EQUAL(estimate.state, POPULATION_KNOWN);
    CU_ASSERT(near(estimate.uniques, k * powl(b, a), 0.03));
}

static void snb_without_pairs_is_not_known(void)
{
    static const struct class_size entry[] = {{1, 10}, {3, 5}};
    struct population_estimate estimate =
        population_uniques(sizes_of(entry, 2), 50, POPULATION_SNB);

    CU_ASSERT_EQUAL(estimate.state, POPULATION_NO_SOLUTION);
    CU_ASSERT(isnan(estimate.uniques));
}

/* ---- which ---- */

static void dankar_chooses_by_the_sampling_fraction(void)
{
    static const struct class_size entry[] = {{1, 300}, {2, 150}, {3, 90},
                                              {4, 50},  {6, 30},  {10, 8}};
    struct class_sizes sizes = {entry, COUNT_OF(entry)};
    double n = (double)class_sizes_rows(sizes);
    struct population_estimate dankar, zayatz, snb;

    dankar = population_uniques(sizes, 10 * n, POPULATION_DANKAR);
    CU_ASSERT_EQUAL(dankar.used, POPULATION_PITMAN);
    CU_ASSERT_EQUAL(
        dankar.uniques,
        population_uniques(sizes, 10 * n, POPULATION_PITMAN).uniques);
    for (int tenths = 11; tenths < 99; tenths += 4) {
        double population = floor(tenths * n / 10);

        dankar = population_uniques(sizes, population, POPULATION_DANKAR);
        zayatz = population_uniques(sizes, population, POPULATION_ZAYATZ);
        snb = population_uniques(sizes, population, POPULATION_SNB);
        CU_ASSERT_EQUAL(dankar.state, POPULATION_KNOWN);
        if (snb.state == POPULATION_KNOWN && snb.uniques <= zayatz.uniques) {
            CU_ASSERT_EQUAL(dankar.used, POPULATION_SNB);
            CU_ASSERT_EQUAL(dankar.uniques, snb.uniques);
        } else {
            CU_ASSERT_EQUAL(dankar.used, POPULATION_ZAYATZ);
            CU_ASSERT_EQUAL(dankar.uniques, zayatz.uniques);
        }
    }
}

static void without_sample_uniques_there_are_none(void)
{
    static const struct class_size entry[] = {{2, 7}, {5, 1}};

    for (int by = POPULATION_PITMAN; by <= POPULATION_DANKAR; by++) {
        struct population_estimate estimate = population_uniques(
            sizes_of(entry, 2), 1000, (enum population_estimator)by);

        CU_ASSERT_EQUAL(estimate.state, POPULATION_KNOWN);
        CU_ASSERT_EQUAL(estimate.uniques, 0);
        estimate = population_uniques(sizes_of(NULL, 0), 1000,
                                      (enum population_estimator)by);
        CU_ASSERT_EQUAL(estimate.state, POPULATION_KNOWN);
        CU_ASSERT_EQUAL(estimate.uniques, 0);
    }
}

static void a_sample_of_everybody_is_the_population(void)
{
    static const struct class_size entry[] = {{1, 3}, {2, 7}, {5, 1}};

    for (int by = POPULATION_PITMAN; by <= POPULATION_DANKAR; by++)
        CU_ASSERT_EQUAL(population_uniques(sizes_of(entry, 3), 22,
                                           (enum population_estimator)by)
                            .uniques,
                        3);
}

/* ---- figures of ARX ---- */

struct golden {
    struct class_size *entry;
    size_t count;
};

static struct golden golden_sizes(const struct json_value *risk)
{
    const struct json_value *pairs =
        json_member(risk, "classSizeHistogram_size_count_pairs");
    struct golden golden = {calloc(json_length(pairs), sizeof *golden.entry),
                            0};

    for (const struct json_value *v = json_first(pairs); v != NULL;
         v = json_next(json_next(v)))
        golden.entry[golden.count++] = (struct class_size){
            (uint64_t)json_number(v), (uint64_t)json_number(json_next(v))};
    return golden;
}

static unsigned golden_estimate(const struct json_value *model,
                                struct class_sizes sizes, const char *name,
                                enum population_estimator by)
{
    const struct json_value *figures = json_member(model, name);
    double population = json_number(json_member(model, "populationSize"));
    double expected = json_number(json_member(figures, "uniques"));
    struct population_estimate estimate;

    if (!json_boolean(json_member(figures, "available")))
        return 0;
    estimate = population_uniques(sizes, population, by);
    CU_ASSERT_EQUAL(estimate.state, POPULATION_KNOWN);
    CU_ASSERT(near(estimate.uniques, (long double)expected,
                   by == POPULATION_ZAYATZ ? 1e-11 : 1e-6));
    return 1;
}

static unsigned golden_line(struct bytes line)
{
    struct json *json = NULL;
    const struct json_value *root, *risk, *models;
    unsigned figures = 0;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(json_parse(&json, line, &err), OK);
    root = json_root(json);
    risk = json_member(root, "risk");
    models = json_member(root, "populationModels");
    if (risk != NULL && models != NULL) {
        struct golden golden = golden_sizes(risk);
        struct class_sizes sizes = {golden.entry, golden.count};

        for (const struct json_value *model = json_first(models); model != NULL;
             model = json_next(model)) {
            const struct json_value *dankar = json_member(model, "dankar");
            const struct json_value *chosen =
                json_member(dankar, "chosenModel");

            figures +=
                golden_estimate(model, sizes, "zayatz", POPULATION_ZAYATZ);
            figures +=
                golden_estimate(model, sizes, "pitman", POPULATION_PITMAN);
            /* Its SNB, and with that its choice, is not ours. */
            if (chosen != NULL && strcmp(json_string(chosen), "PITMAN") == 0)
                figures +=
                    golden_estimate(model, sizes, "dankar", POPULATION_DANKAR);
        }
        free(golden.entry);
    }
    json_destroy(&json);
    return figures;
}

static void estimates_are_those_of_the_reference(void)
{
    const char *shared = getenv("ANCHORITE_SHARED");
    char path[4096], *line = NULL;
    size_t capacity = 0;
    unsigned figures = 0;
    ssize_t size;
    FILE *file;

    snprintf(path, sizeof path, "%s/reference/arx-risk-golden.jsonl",
             shared != NULL ? shared : "../shared");
    file = fopen(path, "r");
    if (file == NULL) {
        printf("\n  skipped: no golden values beside the project\n  ");
        return;
    }
    while ((size = getline(&line, &capacity, file)) > 0)
        figures += golden_line(bytes_of(line, (size_t)size));
    CU_ASSERT(figures > 0);
    free(line);
    fclose(file);
}

void suite_population(void)
{
    static const struct test tests[] = {
        {"sums of reciprocals are those of their terms",
         sums_of_reciprocals_are_those_of_their_terms},
        {"they are differences of digamma and trigamma",
         they_are_differences_of_digamma_and_trigamma},
        {"terms below zero count as such", terms_below_zero_count_as_such},
        {"a term of zero has no reciprocal", a_term_of_zero_has_no_reciprocal},
        {"ratios of gamma functions are exact",
         ratios_of_gamma_functions_are_exact},
        {"Newton takes the first start that leads somewhere",
         newton_takes_the_first_start_that_leads_somewhere},
        {"Newton ends where there is no solution",
         newton_ends_where_there_is_no_solution},
        {"Zayatz by hand", zayatz_by_hand},
        {"Zayatz is what the hypergeometric distribution says",
         zayatz_is_what_the_hypergeometric_distribution_says},
        {"classes larger than what is outside weigh nothing",
         classes_larger_than_what_is_outside_weigh_nothing},
        {"Pitman is where the likelihood is highest",
         pitman_is_where_the_likelihood_is_highest},
        {"what Pitman cannot fit is not known",
         what_pitman_cannot_fit_is_not_known},
        {"SNB fits the classes of one and of two",
         snb_fits_the_classes_of_one_and_of_two},
        {"SNB finds back a population of its own kind",
         snb_finds_back_a_population_of_its_own_kind},
        {"SNB without pairs is not known", snb_without_pairs_is_not_known},
        {"Dankar chooses by the sampling fraction",
         dankar_chooses_by_the_sampling_fraction},
        {"without sample uniques there are none",
         without_sample_uniques_there_are_none},
        {"a sample of everybody is the population",
         a_sample_of_everybody_is_the_population},
        {"estimates are those of the reference",
         estimates_are_those_of_the_reference},
    };

    suite_add("population", tests, COUNT_OF(tests));
}
