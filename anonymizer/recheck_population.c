#include "anonymizer/recheck_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "anonymizer/csv.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/subset.h"
#include "common/json.h"

/* ---- k-map by estimate ----
 * Another way than the search's: the tail of the Poisson distribution is an
 * incomplete gamma function, P(X > q) = P(q + 1, mean), by its power series
 * below its mean and by its continued fraction above (Abramowitz, Stegun,
 * Handbook of Mathematical Functions, 6.5.29 and 6.5.31; the fraction evaluated
 * as by Thompson, Barnett, Coulomb and Bessel Functions of Complex Arguments
 * and Order, 1986). */

#define GAMMA_PRECISION 1e-19L
#define GAMMA_TINY 1e-4000L

static long double gamma_series(long double a, long double x)
{
    long double term = 1 / a, sum = term, n = a;

    while (term > sum * GAMMA_PRECISION) {
        n++;
        term *= x / n;
        sum += term;
    }
    return sum;
}

static long double gamma_fraction(long double a, long double x)
{
    long double b = x + 1 - a, c = 1 / GAMMA_TINY, d = 1 / b, h = d;

    for (int i = 1;; i++) {
        long double an = -i * (i - a), change;

        b += 2;
        d = an * d + b;
        d = 1 / (fabsl(d) < GAMMA_TINY ? GAMMA_TINY : d);
        c = b + an / c;
        c = fabsl(c) < GAMMA_TINY ? GAMMA_TINY : c;
        change = d * c;
        h *= change;
        if (fabsl(change - 1) <= GAMMA_PRECISION * 10)
            return h;
    }
}

static long double poisson_tail(long double mean, uint64_t count)
{
    long double a = (long double)count + 1;
    long double scale = expl(a * logl(mean) - mean - lgammal(a));

    return mean < a + 1 ? scale * gamma_series(a, mean)
                        : 1 - scale * gamma_fraction(a, mean);
}

uint64_t recheck_map_k(const struct privacy_criterion *criterion, uint64_t rows)
{
    bool truncated = criterion->map == K_MAP_ZERO_TRUNCATED_POISSON;
    long double mean = criterion->k * (double)rows / criterion->population;
    long double scale = truncated ? -expm1l(-mean) : 1;
    uint64_t count = truncated, step = 1, needed;

    assert(rows > 0);
    /* The least count whose tail is small enough: in steps that double, then
     * that halve. */
    while (count + step <= criterion->k &&
           poisson_tail(mean, count + step - 1) >
               criterion->significance * scale)
        step *= 2;
    for (; step > 0; step /= 2)
        if (count + step <= criterion->k &&
            poisson_tail(mean, count + step - 1) >
                criterion->significance * scale)
            count += step;
    needed = count + (truncated ? 1 : 2);
    if (needed > criterion->k)
        needed = criterion->k;
    return needed < rows ? needed : rows;
}

/* ---- the input, generalized again ---- */

struct population {
    struct recount *recount;
    const struct subset *subset;
    size_t field[RECHECK_COLUMNS_MAX]; /* of each quasi-identifier */
    uint32_t missing_row[RECHECK_COLUMNS_MAX];
    struct recheck_tally tally; /* their codes, then: of the subset? */
    uint64_t row;
};

static bool is_needed(const struct policy *policy)
{
    for (size_t i = 0; i < policy->criterion_count; i++)
        if (privacy_model_needs_population(&policy->criterion[i]))
            return true;
    return false;
}

static enum status population_bind(struct population *population,
                                   const struct csv_record *header,
                                   struct error *err)
{
    const struct recount *recount = population->recount;
    const struct policy *policy = recount->policy;

    for (size_t i = 0; i < recount->quasi_count; i++) {
        const struct policy_attribute *attribute =
            &policy->attribute[recount->column[i].attribute];
        size_t field = 0;

        while (field < header->count &&
               !bytes_equal_string(header->field[field].value, attribute->name))
            field++;
        if (field == header->count)
            return error_set(err, E_SYSTEM,
                             "%s: recheck: column %s is not there any more",
                             recount->claim->population->name,
                             json_quote(attribute->name).text);
        population->field[i] = field;
        population->missing_row[i] = HIERARCHY_NONE;
        for (size_t m = 0;
             attribute->hierarchy != NULL && m < policy->missing_count &&
             population->missing_row[i] == HIERARCHY_NONE;
             m++)
            population->missing_row[i] = hierarchy_find(
                attribute->hierarchy, bytes_of_string(policy->missing[m]));
    }
    return OK;
}

/* What the release must show of a cell, as a code. */
static enum status population_code(struct population *population, size_t index,
                                   struct bytes cell, uint32_t *code,
                                   struct error *err)
{
    struct recount *recount = population->recount;
    struct recheck_column *column = &recount->column[index];
    const struct policy_attribute *attribute =
        &recount->policy->attribute[column->attribute];
    const struct hierarchy *hierarchy = attribute->hierarchy;
    uint32_t level = recount->claim->level[column->attribute];
    uint32_t row;

    if (hierarchy == NULL) {
        if (level > 0)
            cell = bytes_of_string(HIERARCHY_STAR);
        return recheck_texts_code(&column->texts, cell, code, err);
    }
    row = hierarchy_find(hierarchy, cell);
    if (row == HIERARCHY_NONE && policy_is_missing(recount->policy, cell))
        row = population->missing_row[index];
    if (row == HIERARCHY_NONE)
        return error_set(err, E_SYSTEM,
                         "%s: recheck: column %s: a value that is not in its "
                         "hierarchy",
                         recount->claim->population->name,
                         json_quote(attribute->name).text);
    return recheck_texts_code(
        &column->texts,
        hierarchy_label(hierarchy, level,
                        hierarchy_node(hierarchy, level, row)),
        code, err);
}

static enum status population_add(struct population *population,
                                  const struct csv_record *record,
                                  struct error *err)
{
    uint32_t codes[RECHECK_COLUMNS_MAX];
    size_t count = population->recount->quasi_count;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < count; i++)
        status = population_code(population, i,
                                 record->field[population->field[i]].value,
                                 &codes[i], err);
    if (status != OK)
        return status;
    codes[count] = subset_contains(population->subset, population->row++);
    return recheck_tally_add(&population->tally, codes, err);
}

static enum status population_read(struct population *population,
                                   atomic_bool *cancel, struct error *err)
{
    const struct recheck_claim *claim = population->recount->claim;
    struct csv_options options = {.delimiter = claim->delimiter};
    const struct csv_record *record = NULL;
    struct csv_reader *reader = NULL;
    enum status status;

    if (lseek(claim->population->fd, 0, SEEK_SET) != 0)
        return error_set(err, E_IO, "%s: cannot be read again",
                         claim->population->name);
    status = csv_open(&reader, claim->population->fd, claim->population->name,
                      options, err);
    if (status == OK)
        status = population_bind(population, csv_header(reader), err);
    while (status == OK) {
        status = csv_next(reader, &record, err);
        if (status == OK && cancel != NULL &&
            atomic_load_explicit(cancel, memory_order_relaxed))
            status = error_set(err, E_CANCELLED, "interrupted");
        if (status != OK || record == NULL)
            break;
        status = population_add(population, record, err);
    }
    csv_close(&reader);
    return status == OK ? recheck_tally_finish(&population->tally, err)
                        : status;
}

/* ---- its classes beside those of the release ---- */

/* Tuples first..end-1 of the input, which are of one class. */
struct population_class {
    size_t first;
    size_t end;
    uint64_t rows; /* of the population */
    uint64_t members;
};

static struct population_class
population_at(const struct population *population, size_t first)
{
    const struct recheck_tally *tally = &population->tally;
    struct population_class class = {.first = first, .end = first};

    while (class.end < recheck_tally_size(tally) &&
           recheck_tally_same(tally, first, class.end)) {
        uint64_t count = recheck_tally_count(tally, class.end);

        class.rows += count;
        if (recheck_tally_code(tally, class.end,
                               population->recount->quasi_count) != 0)
            class.members += count;
        class.end++;
    }
    return class;
}

/* Which of the two stands first in the order of both tallies? */
static int population_compare(const struct population *population,
                              const struct population_class *class,
                              size_t released)
{
    const struct recount *recount = population->recount;

    for (size_t i = 0; i < recount->quasi_count; i++) {
        uint32_t a = recheck_tally_code(&population->tally, class->first, i);
        uint32_t b = recheck_tally_code(&recount->tally, released, i);

        if (a != b)
            return a < b ? -1 : 1;
    }
    return 0;
}

/* A class of the input with no row in the release: all suppressed, or of the
 * population alone, about which delta-presence has its say. */
static void absent_judge(const struct recount *recount,
                         struct recheck_result *result,
                         const struct population_class *class)
{
    for (size_t i = 0; class->members == 0 && i < result->criterion_count; i++)
        if (recount->policy->criterion[i].model == MODEL_DELTA_PRESENCE)
            result->criterion[i].violating +=
                recount->policy->criterion[i].min > 0;
}

static void released_judge(const struct recount *recount,
                           struct recheck_result *result,
                           const struct population_class *class)
{
    for (size_t i = 0; i < result->criterion_count; i++) {
        const struct privacy_criterion *criterion =
            &recount->policy->criterion[i];
        struct criterion_figures *figures = &result->criterion[i];
        double value = (double)class->rows;
        bool presence = criterion->model == MODEL_DELTA_PRESENCE, holds;

        if (!privacy_model_needs_population(criterion))
            continue;
        if (presence)
            value = (double)class->members / (double)class->rows;
        holds = presence ? criterion->min <= value && value <= criterion->max
                         : class->rows >= criterion->k;
        if (isnan(figures->value) ||
            (presence ? value > figures->value : value < figures->value))
            figures->value = value;
        figures->violating += !holds;
    }
}

static enum status rows_disagree(const struct recount *recount,
                                 struct error *err)
{
    return error_set(err, E_SYSTEM,
                     "%s: recheck: a class has other rows than the subset of "
                     "%s gives it",
                     recount->name, recount->claim->population->name);
}

/* Both are sorted: each class of the release is one of the input's, and has
 * all rows that the subset has there. */
static enum status population_judge(struct population *population,
                                    struct recheck_result *result,
                                    struct error *err)
{
    struct recount *recount = population->recount;
    size_t size = recheck_tally_size(&population->tally), at = 0, next;
    struct population_class class = {0};

    for (size_t i = 0; i < recheck_tally_size(&recount->tally); i = next) {
        struct recheck_class released = recheck_class_at(&recount->tally, i);
        int order = 1;

        next = released.end;
        if (recheck_class_is_suppressed(recount, &released))
            continue;
        while (at < size) {
            class = population_at(population, at);
            order = population_compare(population, &class, i);
            if (order >= 0)
                break;
            absent_judge(recount, result, &class);
            at = class.end;
        }
        if (order != 0 || class.members != released.rows)
            return rows_disagree(recount, err);
        released_judge(recount, result, &class);
        at = class.end;
    }
    for (; at < size; at = class.end) {
        class = population_at(population, at);
        absent_judge(recount, result, &class);
    }
    return OK;
}

enum status recheck_population(struct recount *recount,
                               struct recheck_result *result,
                               atomic_bool *cancel, struct error *err)
{
    struct population population = {.recount = recount,
                                    .subset = recount->policy->subset};
    size_t count = recount->quasi_count;
    enum status status;

    if (recount->claim == NULL || !is_needed(recount->policy))
        return OK;
    assert(recount->claim->population != NULL && population.subset != NULL);
    status = recheck_tally_init(&population.tally, count + 1, count, err);
    if (status == OK)
        status = population_read(&population, cancel, err);
    if (status == OK)
        status = population_judge(&population, result, err);
    recheck_tally_clear(&population.tally);
    return status;
}
