#include "anonymizer/evaluator.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/rollup.h"

struct evaluator {
    const struct problem *problem;
    struct grouper grouper;
    struct classes classes; /* of the node at hand */
    bool *lost;             /* [class] */
    uint32_t *sorted[SENSITIVE_MAX];
    uint64_t *scratch; /* for the values of a class */
    struct sample_scratch sample;
    struct rollup rollup;
    uint64_t judgements;
    uint64_t *metric_scratch;
};

enum status evaluator_create(struct evaluator **out,
                             const struct problem *problem, struct error *err)
{
    struct evaluator *evaluator = calloc(1, sizeof *evaluator);
    const struct table *table = problem->table;
    uint32_t values = 0;
    enum status status;

    *out = NULL;
    if (evaluator == NULL)
        return error_memory(err, "the search");
    evaluator->problem = problem;
    rollup_init(&evaluator->rollup, problem->lattice, &problem->bottom,
                problem->criteria->needs_histograms);
    status = grouper_init(&evaluator->grouper, &problem->bottom, table, err);
    if (status == OK)
        status = classes_reserve(&evaluator->classes, &problem->bottom, err);
    if (status == OK) {
        evaluator->lost = calloc(table->tuple_count, sizeof *evaluator->lost);
        evaluator->metric_scratch =
            calloc(problem->metric->scratch_size + 1, sizeof(uint64_t));
        if (evaluator->lost == NULL || evaluator->metric_scratch == NULL)
            status = error_memory(err, "the search");
    }
    for (size_t s = 0; status == OK && s < table->sensitive_count; s++) {
        if (table->sensitive[s].value_count > values)
            values = table->sensitive[s].value_count;
        evaluator->sorted[s] = calloc(table->sensitive[s].value_count,
                                      sizeof *evaluator->sorted[s]);
        if (evaluator->sorted[s] == NULL)
            status = error_memory(err, "the search");
    }
    if (status == OK) {
        evaluator->scratch =
            calloc((size_t)values + 1, sizeof *evaluator->scratch);
        if (evaluator->scratch == NULL)
            status = error_memory(err, "the search");
    }
    if (status == OK && problem->criteria->sample.count > 0)
        status =
            sample_scratch_init(&evaluator->sample, table->tuple_count, err);
    if (status != OK)
        evaluator_destroy(&evaluator);
    *out = evaluator;
    return status;
}

void evaluator_destroy(struct evaluator **handle)
{
    struct evaluator *evaluator = *handle;

    if (evaluator == NULL)
        return;
    rollup_clear(&evaluator->rollup);
    for (size_t s = 0; s < SENSITIVE_MAX; s++)
        free(evaluator->sorted[s]);
    free(evaluator->scratch);
    free(evaluator->metric_scratch);
    sample_scratch_clear(&evaluator->sample);
    free(evaluator->lost);
    classes_clear(&evaluator->classes);
    grouper_clear(&evaluator->grouper);
    free(evaluator);
    *handle = NULL;
}

/* ---- judging ---- */

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x < y) - (x > y);
}

/* Short lists are the rule: a class has few values. */
static void sort_descending(uint32_t *number, uint32_t count)
{
    if (count > 64) {
        qsort(number, count, sizeof *number, descending);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        uint32_t moving = number[i], at = i;

        for (; at > 0 && number[at - 1] < moving; at--)
            number[at] = number[at - 1];
        number[at] = moving;
    }
}

static void view_class(struct evaluator *evaluator, uint32_t class,
                       struct class_view *view)
{
    const struct criteria *criteria = evaluator->problem->criteria;
    const struct classes *classes = &evaluator->classes;

    view->size = classes->size[class];
    view->scratch = evaluator->scratch;
    for (size_t s = 0; s < classes->sensitive_count; s++) {
        const struct histograms *histogram = &classes->histogram[s];
        const uint32_t *number = histogram->number + histogram->begin[class];

        view->distinct[s] =
            (uint32_t)(histogram->begin[class + 1] - histogram->begin[class]);
        view->value[s] = histogram->value + histogram->begin[class];
        view->value_number[s] = number;
        view->number[s] = number;
        if (!criteria->needs_order[s])
            continue;
        memcpy(evaluator->sorted[s], number,
               view->distinct[s] * sizeof *number);
        sort_descending(evaluator->sorted[s], view->distinct[s]);
        view->number[s] = evaluator->sorted[s];
    }
}

/* First by size alone, which needs no histograms. */
static uint64_t mark_small(struct evaluator *evaluator)
{
    const struct classes *classes = &evaluator->classes;
    uint32_t least = evaluator->problem->criteria->class_size_min;
    uint64_t rows = 0;

    for (uint32_t c = 0; c < classes->count; c++) {
        evaluator->lost[c] = classes->size[c] < least;
        rows += evaluator->lost[c] ? classes->size[c] : 0;
    }
    return rows;
}

/* Then by the population.  False if one without rows fails, which nothing
 * mends, here or in a finer transformation. */
static bool mark_population(struct evaluator *evaluator, uint64_t *suppressed,
                            uint64_t *doomed)
{
    const struct criteria *criteria = evaluator->problem->criteria;
    const struct classes *classes = &evaluator->classes;
    bool possible = true;

    if (!criteria->needs_population)
        return true;
    for (uint32_t c = 0; c < classes->count; c++) {
        uint32_t rows = classes->size[c], population = classes->population[c];

        if ((evaluator->lost[c] && rows > 0) ||
            criteria_population_hold(criteria, rows, population))
            continue;
        evaluator->lost[c] = true;
        possible = possible && rows > 0;
        if (rows == 0)
            continue;
        *suppressed += rows;
        *doomed += criteria_population_removal(criteria, rows, population);
    }
    return possible;
}

/* Then by what is in them.  *doomed: rows that every finer transformation
 * loses too; counted only as far as needed to say more than allowed. */
static void mark_failing(struct evaluator *evaluator, uint64_t *suppressed,
                         uint64_t *doomed)
{
    const struct problem *problem = evaluator->problem;
    const struct classes *classes = &evaluator->classes;
    struct class_view view;

    for (uint32_t c = 0; c < classes->count; c++) {
        if (evaluator->lost[c])
            continue;
        view_class(evaluator, c, &view);
        if (criteria_final(problem->criteria, &view))
            *doomed += view.size;
        else if (criteria_hold(problem->criteria, &view))
            continue;
        else if (*doomed <= problem->suppressed_max)
            *doomed += criteria_removal(problem->criteria, &view);
        evaluator->lost[c] = true;
        *suppressed += view.size;
    }
}

/* Last, what says nothing about anybody. */
static uint64_t mark_all_star(struct evaluator *evaluator, const uint8_t *level)
{
    const struct lattice *lattice = evaluator->problem->lattice;
    const struct classes *classes = &evaluator->classes;
    uint64_t rows = 0;

    if (!lattice_may_be_all_star(lattice, level))
        return 0;
    for (uint32_t c = 0; c < classes->count; c++)
        if (!evaluator->lost[c] &&
            lattice_all_star(lattice, level,
                             classes->key + c * classes->words)) {
            evaluator->lost[c] = true;
            rows += classes->size[c];
        }
    return rows;
}

static struct metric_node node_of(const struct evaluator *evaluator,
                                  const uint8_t *level, uint64_t suppressed)
{
    return (struct metric_node){.level = level,
                                .classes = &evaluator->classes,
                                .lost = evaluator->lost,
                                .suppressed = suppressed,
                                .scratch = evaluator->metric_scratch};
}

/* Rows that every finer transformation loses because of the models of all
 * classes together.  Asked when no class is marked but those too small. */
static uint64_t sample_doom(struct evaluator *evaluator)
{
    const struct sample_models *models = &evaluator->problem->criteria->sample;

    if (!models->bounds)
        return 0;
    return sample_models_removal(
        models, &evaluator->sample,
        sample_sizes(&evaluator->sample, &evaluator->classes, evaluator->lost));
}

/* What is left must satisfy the models of all classes together.  The classes to
 * lose are only chosen where that matters: if they are not too many. */
static uint64_t mark_sample(struct evaluator *evaluator, const uint8_t *level,
                            uint64_t rows_max)
{
    const struct problem *problem = evaluator->problem;
    struct class_sizes sizes =
        sample_sizes(&evaluator->sample, &evaluator->classes, evaluator->lost);
    struct sample_cut cut = sample_models_cut(&problem->criteria->sample,
                                              &evaluator->sample, sizes);

    if (cut.classes > 0 && cut.rows <= rows_max)
        sample_suppress(&evaluator->sample, &cut, problem->metric, level,
                        &evaluator->classes, evaluator->lost);
    return cut.rows;
}

static void price(struct evaluator *evaluator, const uint8_t *level,
                  struct verdict *verdict)
{
    const struct metric_node node =
        node_of(evaluator, level, verdict->suppressed);

    verdict->has_surcharge =
        verdict->has_surcharge && evaluator->problem->metric->has_surcharge;
    metric_score(evaluator->problem->metric, &node, verdict->score,
                 verdict->attribute_score,
                 verdict->has_surcharge ? verdict->surcharge : NULL);
}

/* Known as soon as the classes are, whatever becomes of them. */
static void find_floor(struct evaluator *evaluator, const uint8_t *level,
                       struct verdict *verdict)
{
    const struct metric_node node = node_of(evaluator, level, 0);

    verdict->has_floor = evaluator->problem->metric->has_floor;
    if (verdict->has_floor)
        metric_floor(evaluator->problem->metric, &node, verdict->floor);
}

/* Group, mark, price.  Everything is marked, even where a part would settle
 * the verdict, if `complete`. */
static void judge_from(struct evaluator *evaluator,
                       const struct classes *source, const uint8_t *level,
                       bool complete, struct verdict *verdict,
                       bool *has_histograms)
{
    const struct problem *problem = evaluator->problem;
    uint64_t mask[QUASI_IDENTIFIERS_MAX];
    uint64_t doomed;
    bool possible;

    lattice_mask(problem->lattice, level, mask);
    if (complete || problem->criteria->needs_histograms)
        classes_group(&evaluator->grouper, source, mask, &evaluator->classes);
    else
        classes_measure(&evaluator->grouper, source, mask, &evaluator->classes);
    find_floor(evaluator, level, verdict);
    verdict->suppressed = doomed = mark_small(evaluator);
    verdict->dead = doomed + sample_doom(evaluator) > problem->suppressed_max;
    possible = mark_population(evaluator, &verdict->suppressed, &doomed);
    verdict->dead =
        verdict->dead || !possible || doomed > problem->suppressed_max;
    *has_histograms = !problem->criteria->needs_histograms;
    if (problem->criteria->needs_histograms && (complete || !verdict->dead)) {
        classes_sum_histograms(&evaluator->grouper, source,
                               &evaluator->classes);
        mark_failing(evaluator, &verdict->suppressed, &doomed);
        *has_histograms = true;
    }
    verdict->dead = verdict->dead || doomed > problem->suppressed_max;
    verdict->valid = verdict->has_surcharge = false;
    if (verdict->dead && !complete)
        return;
    verdict->suppressed += mark_all_star(evaluator, level);
    if (problem->criteria->sample.count > 0 &&
        (complete || verdict->suppressed <= problem->suppressed_max))
        verdict->suppressed += mark_sample(evaluator, level,
                                           complete ? UINT64_MAX
                                                    : problem->suppressed_max -
                                                          verdict->suppressed);
    verdict->valid = possible && verdict->suppressed <= problem->suppressed_max;
    verdict->has_surcharge = verdict->valid && verdict->suppressed > 0 &&
                             verdict->suppressed == doomed;
    if (verdict->valid)
        price(evaluator, level, verdict);
}

enum status evaluator_judge(struct evaluator *evaluator, const uint8_t *level,
                            struct verdict *verdict, struct error *err)
{
    const struct classes *source;
    bool has_histograms;

    evaluator->judgements++;
    if (rollup_find(&evaluator->rollup, level, &evaluator->grouper,
                    &evaluator->classes, &source, err) != OK)
        return err->status;
    judge_from(evaluator, source, level, false, verdict, &has_histograms);
    return has_histograms ? rollup_remember(&evaluator->rollup, level,
                                            &evaluator->classes, source, err)
                          : OK;
}

uint64_t evaluator_work(const struct evaluator *evaluator)
{
    return evaluator->grouper.work +
           evaluator->judgements * EVALUATOR_JUDGEMENT_WORK;
}

uint64_t evaluator_suppressed(struct evaluator *evaluator, const uint8_t *level)
{
    struct verdict verdict;
    bool has_histograms;

    judge_from(evaluator, &evaluator->problem->bottom, level, true, &verdict,
               &has_histograms);
    return verdict.suppressed;
}

void evaluator_expand(struct evaluator *evaluator, const uint8_t *level,
                      struct verdict *verdict, bool *suppressed,
                      const struct classes **classes, const bool **lost)
{
    const struct problem *problem = evaluator->problem;
    bool has_histograms;

    judge_from(evaluator, &problem->bottom, level, true, verdict,
               &has_histograms);
    for (uint32_t t = 0; t < problem->table->tuple_count; t++)
        suppressed[t] = evaluator->lost[evaluator->grouper.class_of[t]];
    *classes = &evaluator->classes;
    *lost = evaluator->lost;
}
