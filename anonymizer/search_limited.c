#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/search_internal.h"

/* ---- progress ---- */

void search_watch_init(struct search_watch *watch,
                       const struct problem *problem,
                       const struct search_options *options)
{
    *watch =
        (struct search_watch){.options = options, .metric = problem->metric};
    pthread_mutex_init(&watch->lock, NULL);
}

void search_watch_clear(struct search_watch *watch)
{
    pthread_mutex_destroy(&watch->lock);
}

void search_watch_judged(struct search_watch *watch,
                         const struct verdict *verdict, const double *bound)
{
    struct search_progress *progress = &watch->progress;

    if (watch->options->on_progress == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    progress->judged++;
    if (bound != NULL)
        memcpy(progress->bound, bound, sizeof progress->bound);
    if (verdict->valid &&
        (!progress->found ||
         metric_compare(watch->metric, verdict->score, progress->score) < 0)) {
        progress->found = true;
        memcpy(progress->score, verdict->score, sizeof progress->score);
    }
    watch->options->on_progress(progress, watch->options->context);
    pthread_mutex_unlock(&watch->lock);
}

/* ---- the limit ---- */

enum search_end search_budget_end(const struct search_budget *budget,
                                  uint64_t work)
{
    const struct search_limit *limit;

    if (budget == NULL)
        return SEARCH_FINISHED;
    limit = budget->limit;
    if (work >= budget->work || atomic_load(budget->finished))
        return SEARCH_WORK_SPENT;
    if (limit->elapsed != NULL &&
        limit->elapsed(limit->context) >= budget->seconds)
        return SEARCH_TIME_OVER;
    return SEARCH_FINISHED;
}

/* ---- lanes ---- */

/* All lanes and who takes the next. */
struct lanes {
    const struct search_options *options;
    struct search_lane lane[SEARCH_LANES];
    struct search_budget budget[SEARCH_LANES];
    atomic_uint next;
    atomic_bool finished;
    pthread_mutex_t lock; /* of status and err */
    enum status status;
    struct error err;
};

static void prepare(struct lanes *lanes, const struct problem *problem,
                    const struct search_options *options,
                    struct search_watch *watch)
{
    const struct search_limit *limit = options->limit;
    unsigned at_once =
        options->threads < SEARCH_LANES ? options->threads : SEARCH_LANES;
    unsigned rounds = (SEARCH_LANES + at_once - 1) / at_once;

    lanes->options = options;
    pthread_mutex_init(&lanes->lock, NULL);
    for (unsigned i = 0; i < SEARCH_LANES; i++) {
        unsigned round = i / at_once + 1;

        lanes->budget[i] = (struct search_budget){
            .work =
                (uint64_t)(limit->seconds * (double)SEARCH_WORK / SEARCH_LANES),
            .seconds = limit->seconds * round / rounds,
            .limit = limit,
            .finished = &lanes->finished};
        lanes->lane[i] = (struct search_lane){.problem = problem,
                                              .budget = &lanes->budget[i],
                                              .watch = watch,
                                              .cancel = options->cancel,
                                              .seed = limit->seed + i};
    }
}

static void *lanes_thread(void *argument)
{
    struct lanes *lanes = argument;
    struct error err;
    unsigned i;

    error_init(&err);
    while ((i = atomic_fetch_add(&lanes->next, 1)) < SEARCH_LANES) {
        struct search_lane *lane = &lanes->lane[i];
        enum status status = i == 0 ? search_lane_prove(lane, &err)
                                    : search_lane_walk(lane, &err);

        if (status == OK && i == 0 && lane->end == SEARCH_FINISHED)
            atomic_store(&lanes->finished, true);
        if (status == OK)
            continue;
        /* No use in going on. */
        atomic_store(&lanes->finished, true);
        pthread_mutex_lock(&lanes->lock);
        if (lanes->status == OK) {
            lanes->status = status;
            lanes->err = err;
        }
        pthread_mutex_unlock(&lanes->lock);
        break;
    }
    return NULL;
}

/* The caller's thread is one of them. */
static void run_lanes(struct lanes *lanes, unsigned threads)
{
    pthread_t thread[SEARCH_LANES];
    unsigned started = 0;

    while (started + 1 < threads && started + 1 < SEARCH_LANES &&
           pthread_create(&thread[started], NULL, lanes_thread, lanes) == 0)
        started++;
    lanes_thread(lanes);
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
}

static const struct search_lane *best_lane(const struct lanes *lanes,
                                           const struct metric *metric)
{
    const struct search_lane *best = NULL;

    for (unsigned i = 0; i < SEARCH_LANES; i++) {
        const struct search_lane *lane = &lanes->lane[i];

        if (lane->found && (best == NULL ||
                            rank_compare(metric, &lane->best, &best->best) < 0))
            best = lane;
    }
    return best;
}

static enum status answer(const struct lanes *lanes,
                          const struct problem *problem,
                          struct search_result *result, struct error *err)
{
    const struct search_lane *prover = &lanes->lane[0];
    const struct search_lane *best = best_lane(lanes, problem->metric);

    if (lanes->status != OK) {
        *err = lanes->err;
        return lanes->status;
    }
    if (best == NULL && prover->end == SEARCH_FINISHED)
        return search_explain_no(problem, err);
    if (best == NULL)
        return error_set(err, E_LIMIT,
                         "no transformation that satisfies the policy was "
                         "found within the limit of the search, which does "
                         "not say that there is none: allow it more "
                         "\"seconds\"");
    *result = (struct search_result){.verdict = best->best_verdict,
                                     .end = prover->end};
    memcpy(result->level, best->best.level, sizeof result->level);
    memcpy(result->bound, prover->bound, sizeof result->bound);
    for (unsigned i = 0; i < SEARCH_LANES; i++) {
        result->judged += lanes->lane[i].judged;
        if (prover->end != SEARCH_FINISHED &&
            lanes->lane[i].end == SEARCH_TIME_OVER)
            result->end = SEARCH_TIME_OVER;
    }
    if (prover->end == SEARCH_FINISHED ||
        metric_compare(problem->metric, result->bound, best->best.score) > 0)
        memcpy(result->bound, best->best.score, sizeof result->bound);
    /* Nothing can be better than the bound; of what is equal, a proof would
     * take the first. */
    return OK;
}

enum status search_limited(struct search_result *result,
                           const struct problem *problem,
                           const struct search_options *options,
                           struct search_watch *watch, struct error *err)
{
    struct lanes *lanes = calloc(1, sizeof *lanes);
    enum status status;

    if (lanes == NULL)
        return error_memory(err, "the search");
    prepare(lanes, problem, options, watch);
    run_lanes(lanes, options->threads);
    status = answer(lanes, problem, result, err);
    pthread_mutex_destroy(&lanes->lock);
    free(lanes);
    return status;
}
