#include "anonymizer/search.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/frontier.h"
#include "common/hash.h"

/* Level vectors, as a list. */
struct vectors {
    uint8_t *level;
    size_t count, capacity;
};

/* What all threads know and add to; behind the lock. */
struct search {
    const struct problem *problem;
    atomic_bool *cancel;
    pthread_mutex_t lock;
    struct frontier frontier;
    struct vectors dead;   /* no one below another */
    struct vectors judged; /* those that were counted out and are not dead */
    struct hash_key key;
    uint32_t *slot; /* hash table of judged: index + 1, 0 empty */
    size_t slot_count;
    uint64_t judgements;
    bool found;
    struct rank best;
    struct verdict best_verdict;
    enum status status;
    struct error err;
};

/* ---- what is known ---- */

static size_t width(const struct search *search)
{
    return search->problem->lattice->dimension_count;
}

static enum status vectors_add(struct vectors *vectors, const uint8_t *level,
                               size_t size, struct error *err)
{
    if (vectors->count == vectors->capacity) {
        size_t capacity = vectors->capacity == 0 ? 64 : 2 * vectors->capacity;
        uint8_t *more = reallocarray(vectors->level, capacity, size);

        if (more == NULL)
            return error_memory(err, "the search");
        vectors->level = more;
        vectors->capacity = capacity;
    }
    memcpy(vectors->level + vectors->count++ * size, level, size);
    return OK;
}

static bool is_dead(const struct search *search, const uint8_t *level)
{
    size_t size = width(search);

    for (size_t i = 0; i < search->dead.count; i++)
        if (lattice_below(search->problem->lattice, level,
                          search->dead.level + i * size))
            return true;
    return false;
}

/* Those below the new one are said by it. */
static enum status add_dead(struct search *search, const uint8_t *level,
                            struct error *err)
{
    struct vectors *dead = &search->dead;
    size_t size = width(search), kept = 0;

    for (size_t i = 0; i < dead->count; i++)
        if (!lattice_below(search->problem->lattice, dead->level + i * size,
                           level))
            memmove(dead->level + kept++ * size, dead->level + i * size, size);
    dead->count = kept;
    return vectors_add(dead, level, size, err);
}

static size_t judged_slot(const struct search *search, const uint8_t *level)
{
    size_t size = width(search);
    size_t at = hash_bytes(&search->key, bytes_of(level, size)) &
                (search->slot_count - 1);

    while (search->slot[at] != 0 &&
           memcmp(search->judged.level + (search->slot[at] - 1) * size, level,
                  size) != 0)
        at = (at + 1) & (search->slot_count - 1);
    return at;
}

static bool is_judged(const struct search *search, const uint8_t *level)
{
    return search->slot_count > 0 &&
           search->slot[judged_slot(search, level)] != 0;
}

static enum status add_judged(struct search *search, const uint8_t *level,
                              struct error *err)
{
    if (2 * (search->judged.count + 1) > search->slot_count) {
        size_t count = search->slot_count == 0 ? 256 : 2 * search->slot_count;
        uint32_t *slot = calloc(count, sizeof *slot);

        if (slot == NULL)
            return error_memory(err, "the search");
        free(search->slot);
        search->slot = slot;
        search->slot_count = count;
        for (size_t i = 0; i < search->judged.count; i++)
            slot[judged_slot(search, search->judged.level +
                                         i * width(search))] = (uint32_t)i + 1;
    }
    if (is_judged(search, level))
        return OK; /* another thread was there, too */
    /* Where there is no room for it, nobody may look for it: other threads go
     * on until they are told. */
    if (vectors_add(&search->judged, level, width(search), err) != OK)
        return err->status;
    search->slot[judged_slot(search, level)] = (uint32_t)search->judged.count;
    return OK;
}

/* The one place where a judgement changes what is known. */
static enum status learn(struct search *search, const uint8_t *level,
                         const struct verdict *verdict, struct error *err)
{
    struct rank rank;

    search->judgements++;
    if (verdict->dead)
        return add_dead(search, level, err);
    if (verdict->valid) {
        memcpy(rank.score, verdict->score, sizeof rank.score);
        memcpy(rank.level, level, width(search));
        rank.height = lattice_height(search->problem->lattice, level);
        if (!search->found ||
            rank_compare(search->problem->metric, &rank, &search->best) < 0) {
            search->found = true;
            search->best = rank;
            search->best_verdict = *verdict;
        }
    }
    return add_judged(search, level, err);
}

/* ---- chains ---- */

struct chain {
    uint8_t level[QUASI_IDENTIFIERS_MAX * HIERARCHY_LEVELS_MAX]
                 [QUASI_IDENTIFIERS_MAX];
    size_t count;
};

static bool beats_best(const struct search *search, const struct rank *rank)
{
    return !search->found ||
           rank_compare(search->problem->metric, rank, &search->best) < 0;
}

/* From `level` upwards, always to the successor with the best bound, as long
 * as one could beat the best. */
static void build_chain(const struct search *search, const uint8_t *level,
                        struct chain *chain)
{
    const struct lattice *lattice = search->problem->lattice;
    const struct metric *metric = search->problem->metric;
    size_t size = width(search);

    memcpy(chain->level[0], level, size);
    chain->count = 1;
    for (;;) {
        uint8_t *next = chain->level[chain->count];
        size_t raised = size;
        struct rank best, rank;

        memcpy(next, chain->level[chain->count - 1], size);
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
        if (raised == size || !beats_best(search, &best))
            return;
        next[raised]++;
        chain->count++;
    }
}

/* Judge one node, without the lock.  *dead says what came out. */
static enum status probe(struct search *search, struct evaluator *evaluator,
                         const uint8_t *level, bool *dead, struct error *err)
{
    struct verdict verdict;
    enum status status;

    *dead = is_dead(search, level);
    if (*dead || is_judged(search, level))
        return OK;
    if (search->cancel != NULL && atomic_load(search->cancel))
        return error_set(err, E_CANCELLED, "interrupted");
    pthread_mutex_unlock(&search->lock);
    status = evaluator_judge(evaluator, level, &verdict, err);
    pthread_mutex_lock(&search->lock);
    if (status != OK)
        return status;
    *dead = verdict.dead;
    return learn(search, level, &verdict, err);
}

/* Settle chain->level[0]: judged, or dead with something above it. */
static enum status climb(struct search *search, struct evaluator *evaluator,
                         const struct chain *chain, struct error *err)
{
    size_t low = 0, high = chain->count - 1;
    bool dead;
    enum status status =
        probe(search, evaluator, chain->level[high], &dead, err);

    if (status != OK || dead)
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
    uint8_t reach[QUASI_IDENTIFIERS_MAX];
    struct rank next;
    enum status status = OK;

    while (status == OK && search->status == OK &&
           frontier_peek(&search->frontier, &next) &&
           beats_best(search, &next)) {
        bool dead = is_dead(search, next.level);

        if (search->cancel != NULL && atomic_load(search->cancel))
            return error_set(err, E_CANCELLED, "interrupted");
        frontier_reach(&search->frontier, reach);
        /* A dead node says nothing about those above it, unless the highest
         * that is reached by way of it is dead, too. */
        if (dead && is_dead(search, reach)) {
            frontier_drop(&search->frontier);
            continue;
        }
        status = frontier_advance(&search->frontier,
                                  search->found ? &search->best : NULL, err);
        if (status != OK || dead || is_judged(search, next.level))
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
static enum status explain_no(const struct problem *problem, struct error *err)
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

static enum status answer(const struct search *search,
                          struct search_result *result, struct error *err)
{
    if (search->status != OK) {
        *err = search->err;
        return search->status;
    }
    if (!search->found)
        return explain_no(search->problem, err);
    memcpy(result->level, search->best.level, sizeof result->level);
    result->verdict = search->best_verdict;
    result->judged = search->judgements;
    return OK;
}

enum status search_run(struct search_result *result,
                       const struct problem *problem, unsigned threads,
                       atomic_bool *cancel, struct error *err)
{
    struct search search = {.problem = problem, .cancel = cancel};
    enum status status;

    assert(threads >= 1 && threads <= THREADS_MAX);
    frontier_init(&search.frontier, problem->metric, SEARCH_QUEUE_MAX);
    pthread_mutex_init(&search.lock, NULL);
    status = hash_key_draw(&search.key, err);
    if (status == OK)
        status = frontier_start(&search.frontier, err);
    if (status == OK) {
        run_threads(&search, threads);
        status = answer(&search, result, err);
    }
    pthread_mutex_destroy(&search.lock);
    frontier_clear(&search.frontier);
    free(search.dead.level);
    free(search.judged.level);
    free(search.slot);
    return status;
}
