#include "anonymizer/search.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/frontier.h"
#include "anonymizer/knowledge.h"
#include "anonymizer/search_internal.h"

/* What each child of a node that comes out counts for, in classes looked at
 * (search.h). */
#define ADVANCE_WORK 8

/* Gallops for each that hits. */
#define GALLOP_TRUST 3

/* What all threads share; behind the lock. */
struct search {
    const struct problem *problem;
    atomic_bool *cancel;
    struct search_watch *watch;
    const struct search_budget *budget; /* NULL: none; else one thread */
    enum search_end end;
    double bound[QUASI_IDENTIFIERS_MAX]; /* of the last that came out */
    pthread_mutex_t lock;
    struct frontier frontier;
    struct knowledge knowledge;
    uint64_t gallops,
        gallop_hits; /* begun; with a dead node in the first step */
    enum status status;
    struct error err;
};

static size_t width(const struct search *search)
{
    return search->problem->lattice->dimension_count;
}

/* ---- chains ---- */

struct chain {
    uint8_t level[QUASI_IDENTIFIERS_MAX * HIERARCHY_LEVELS_MAX]
                 [QUASI_IDENTIFIERS_MAX];
    size_t count;  /* of nodes that could beat the best */
    size_t length; /* with those above, that could not */
};

/* From `level` upwards, always to the successor with the best bound. */
static void build_chain(struct search *search, const uint8_t *level,
                        struct chain *chain)
{
    struct knowledge *known = &search->knowledge;
    const struct lattice *lattice = search->problem->lattice;
    const struct metric *metric = search->problem->metric;
    size_t size = width(search);

    memcpy(chain->level[0], level, size);
    chain->count = chain->length = 1;
    for (;;) {
        uint8_t *next = chain->level[chain->length];
        size_t raised = size;
        struct rank best, rank;

        memcpy(next, chain->level[chain->length - 1], size);
        for (size_t d = 0; d < size; d++) {
            if (next[d] == lattice->dimension[d].level_max)
                continue;
            next[d]++;
            rank_of_bound(metric, next, &rank);
            next[d]--;
            if (raised == size || rank_compare(metric, &rank, &best) < 0) {
                best = rank;
                raised = d;
            }
        }
        if (raised == size)
            return;
        next[raised]++;
        chain->length++;
        if (knowledge_beats(known, &best) &&
            chain->count + 1 == chain->length &&
            !knowledge_is_beyond(known, next))
            chain->count = chain->length;
    }
}

/* False when nothing is left of it, which search->end says, too. */
static bool has_budget(struct search *search, const struct evaluator *evaluator)
{
    uint64_t work = evaluator_work(evaluator) + search->knowledge.work;

    search->end = search_budget_end(search->budget, work);
    return search->end == SEARCH_FINISHED;
}

/* Judge one node, without the lock, unless that is known to be of no use.
 * *dead says what came out.  Nothing is judged when the budget is spent, which
 * search->end says. */
static enum status probe(struct search *search, struct evaluator *evaluator,
                         const uint8_t *level, bool *dead, struct error *err)
{
    struct verdict verdict;
    enum status status;

    *dead = knowledge_is_dead(&search->knowledge, level);
    if (*dead || knowledge_is_settled(&search->knowledge, level))
        return OK;
    if (search->cancel != NULL && atomic_load(search->cancel))
        return error_set(err, E_CANCELLED, "interrupted");
    if (!has_budget(search, evaluator))
        return OK;
    pthread_mutex_unlock(&search->lock);
    status = evaluator_judge(evaluator, level, &verdict, err);
    pthread_mutex_lock(&search->lock);
    if (status != OK)
        return status;
    search_watch_judged(search->watch, &verdict, search->bound);
    status = knowledge_learn(&search->knowledge, level, &verdict, err);
    *dead = knowledge_is_dead(&search->knowledge, level);
    return status;
}

/* All nodes of the chain that could beat the best are dead.  Those above could
 * not; but the higher a node that is found dead, the more it settles, most of
 * all where many nodes have the same bound.  Where that hardly ever succeeds it
 * is given up. */
static enum status gallop(struct search *search, struct evaluator *evaluator,
                          const struct chain *chain, struct error *err)
{
    size_t at = chain->count - 1;
    bool dead = true;
    enum status status = OK;

    if (!search->knowledge.found || at + 1 >= chain->length ||
        search->gallops > GALLOP_TRUST * (search->gallop_hits + 1))
        return OK;
    search->gallops++;
    for (size_t step = 1; status == OK && dead && at + step < chain->length;
         step *= 2) {
        at += step;
        status = probe(search, evaluator, chain->level[at], &dead, err);
        search->gallop_hits += step == 1 && dead;
    }
    return status;
}

/* Settle chain->level[0]. */
static enum status climb(struct search *search, struct evaluator *evaluator,
                         const struct chain *chain, struct error *err)
{
    size_t low = 0, high = chain->count - 1;
    bool dead;
    enum status status =
        probe(search, evaluator, chain->level[high], &dead, err);

    if (status == OK && dead)
        return gallop(search, evaluator, chain, err);
    if (status != OK)
        return status;
    /* high is not dead; those before low are. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        status = probe(search, evaluator, chain->level[middle], &dead, err);
        if (status != OK)
            return status;
        if (dead)
            low = middle + 1;
        else
            high = middle;
    }
    return OK;
}

/* ---- threads ---- */

/* The lock is held on entry and on return. */
static enum status work(struct search *search, struct evaluator *evaluator,
                        struct chain *chain, struct error *err)
{
    struct knowledge *known = &search->knowledge;
    uint8_t reach[QUASI_IDENTIFIERS_MAX];
    struct rank next;
    enum status status = OK;

    while (status == OK && search->status == OK &&
           has_budget(search, evaluator) &&
           frontier_peek(&search->frontier, &next) &&
           knowledge_beats(known, &next)) {
        bool settled = knowledge_is_settled(known, next.level);

        memcpy(search->bound, next.score, sizeof search->bound);

        if (search->cancel != NULL && atomic_load(search->cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        if (settled && knowledge_is_beyond(known, next.level)) {
            frontier_drop(&search->frontier);
            continue;
        }
        frontier_reach(&search->frontier, reach);
        /* A settled node says nothing about those above it, unless the highest
         * that is reached by way of it is dead. */
        if (settled && knowledge_is_dead(known, reach)) {
            frontier_drop(&search->frontier);
            continue;
        }
        known->work += ADVANCE_WORK * width(search);
        status = frontier_advance(&search->frontier,
                                  known->found ? &known->best : NULL, err);
        if (status != OK || settled)
            continue;
        build_chain(search, next.level, chain);
        status = climb(search, evaluator, chain, err);
    }
    return status;
}

static void *work_thread(void *argument)
{
    struct search *search = argument;
    struct evaluator *evaluator = NULL;
    struct chain *chain = malloc(sizeof *chain);
    struct error err;
    enum status status;

    error_init(&err);
    if (chain == NULL)
        status = error_memory(&err, "the search");
    else
        status = evaluator_create(&evaluator, search->problem, &err);
    pthread_mutex_lock(&search->lock);
    if (status == OK)
        status = work(search, evaluator, chain, &err);
    if (status != OK && search->status == OK) {
        search->status = status;
        search->err = err;
    }
    pthread_mutex_unlock(&search->lock);
    evaluator_destroy(&evaluator);
    free(chain);
    return NULL;
}

/* The caller's thread is one of them.  A thread that the system does not give
 * costs time; the result is the same. */
static void run_threads(struct search *search, unsigned threads)
{
    pthread_t thread[THREADS_MAX];
    unsigned started = 0;

    while (started + 1 < threads &&
           pthread_create(&thread[started], NULL, work_thread, search) == 0)
        started++;
    work_thread(search);
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
}

/* What a person can do something about: how far off the highest levels are.
 * The search itself counts no further than needed. */
enum status search_explain_no(const struct problem *problem, struct error *err)
{
    uint8_t top[QUASI_IDENTIFIERS_MAX];
    struct evaluator *evaluator = NULL;
    enum status status = evaluator_create(&evaluator, problem, err);
    uint64_t suppressed;

    if (status != OK)
        return status;
    for (size_t d = 0; d < problem->lattice->dimension_count; d++)
        top[d] = (uint8_t)problem->lattice->dimension[d].level_max;
    suppressed = evaluator_suppressed(evaluator, top);
    evaluator_destroy(&evaluator);
    /* Then it is no question of suppression. */
    if (suppressed <= problem->suppressed_max)
        return error_set(
            err, E_NO,
            "no transformation satisfies the policy: even at the highest "
            "levels there are classes without a row of the subset, which "
            "delta-presence does not allow with a \"min\" above 0");
    return error_set(
        err, E_NO,
        "no transformation satisfies the policy: even at the highest levels "
        "%ju of %ju rows would be suppressed, and the limit is %ju%s",
        (uintmax_t)suppressed, (uintmax_t)problem->table->rows,
        (uintmax_t)problem->suppressed_max,
        lattice_may_be_all_star(problem->lattice, top)
            ? "; rows that are `*` in every quasi-identifier count as "
              "suppressed"
            : "");
}

static enum status start(struct search *search, uint32_t queue_max,
                         struct error *err)
{
    enum status status;

    frontier_init(&search->frontier, search->problem->metric, queue_max);
    pthread_mutex_init(&search->lock, NULL);
    status = knowledge_init(&search->knowledge, search->problem, err);
    return status == OK ? frontier_start(&search->frontier, err) : status;
}

static void clear(struct search *search)
{
    pthread_mutex_destroy(&search->lock);
    frontier_clear(&search->frontier);
    knowledge_clear(&search->knowledge);
}

static enum status answer(const struct search *search,
                          struct search_result *result, struct error *err)
{
    const struct knowledge *knowledge = &search->knowledge;

    if (search->status != OK) {
        *err = search->err;
        return search->status;
    }
    if (!knowledge->found)
        return search_explain_no(search->problem, err);
    memcpy(result->level, knowledge->best.level, sizeof result->level);
    memcpy(result->bound, knowledge->best.score, sizeof result->bound);
    result->verdict = knowledge->best_verdict;
    result->judged = knowledge->judgements;
    result->end = SEARCH_FINISHED;
    return OK;
}

enum status search_lane_prove(struct search_lane *lane, struct error *err)
{
    struct search search = {.problem = lane->problem,
                            .cancel = lane->cancel,
                            .watch = lane->watch,
                            .budget = lane->budget};
    enum status status = start(&search, SEARCH_LANE_QUEUE_MAX, err);

    if (status == OK) {
        work_thread(&search);
        status = search.status;
        *err = search.err;
    }
    /* A full queue is an end like any other: the bound stands. */
    if (status == E_LIMIT) {
        search.end = SEARCH_WORK_SPENT;
        status = OK;
    }
    lane->end = search.end;
    lane->found = search.knowledge.found;
    lane->best = search.knowledge.best;
    lane->best_verdict = search.knowledge.best_verdict;
    lane->judged = search.knowledge.judgements;
    memcpy(lane->bound, search.bound, sizeof lane->bound);
    clear(&search);
    return status;
}

static enum status search_all(struct search_result *result,
                              const struct problem *problem,
                              const struct search_options *options,
                              struct search_watch *watch, struct error *err)
{
    struct search search = {
        .problem = problem, .cancel = options->cancel, .watch = watch};
    enum status status = start(&search, SEARCH_QUEUE_MAX, err);

    if (status == OK) {
        run_threads(&search, options->threads);
        status = answer(&search, result, err);
    }
    clear(&search);
    return status;
}

enum status search_with(struct search_result *result,
                        const struct problem *problem,
                        const struct search_options *options, struct error *err)
{
    struct search_watch watch;
    enum status status;

    assert(options->threads >= 1 && options->threads <= THREADS_MAX);
    search_watch_init(&watch, problem, options);
    status = options->limit == NULL
                 ? search_all(result, problem, options, &watch, err)
                 : search_limited(result, problem, options, &watch, err);
    search_watch_clear(&watch);
    return status;
}

enum status search_run(struct search_result *result,
                       const struct problem *problem, unsigned threads,
                       atomic_bool *cancel, struct error *err)
{
    const struct search_options options = {.threads = threads,
                                           .cancel = cancel};

    return search_with(result, problem, &options, err);
}
