#include "anonymizer/search_walk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/random.h"

/* In classes looked at. */
#define LOOK_WORK 64

/* Where a walk stands. */
struct place {
    bool valid;
    uint64_t suppressed;
    struct rank rank; /* score if valid */
};

/* What a judgement said, by level vector. */
struct walk_memory {
    uint64_t suppressed;
    bool used;
    bool valid;
    double *score; /* [score_count] */
    uint8_t level[QUASI_IDENTIFIERS_MAX];
};

struct walk {
    struct search_lane *lane;
    const struct lattice *lattice;
    const struct metric *metric;
    struct evaluator *evaluator;
    struct random random;
    struct walk_memory *memory; /* [WALK_MEMORIES], direct mapped */
    double *scores;
    struct place here;
    struct place best; /* of the walk, valid or not */
    uint64_t thrift;   /* work that looks without judging count for */
    bool over;         /* the lane's budget is spent */
};

/* A step: one dimension up or down. */
struct step {
    uint8_t dimension;
    int8_t by;
};

/* ---- judging ---- */

static size_t memory_slot(const struct walk *walk, const uint8_t *level)
{
    uint64_t hash = 0;

    for (size_t d = 0; d < walk->lattice->dimension_count; d++)
        hash = (hash ^ level[d]) * UINT64_C(0x9e3779b97f4a7c15) + d;
    return hash >> 40 & (WALK_MEMORIES - 1);
}

/* False when nothing is left of the budget. */
static bool has_budget(struct walk *walk)
{
    struct search_lane *lane = walk->lane;

    lane->end = search_budget_end(
        lane->budget, evaluator_work(walk->evaluator) + walk->thrift);
    walk->over = lane->end != SEARCH_FINISHED;
    return !walk->over;
}

/* A look at what is remembered costs a little, too: in a small lattice that is
 * all that there is in the end. */
static void spend(struct walk *walk)
{
    walk->thrift += LOOK_WORK;
    if (walk->thrift % (UINT64_C(1024) * LOOK_WORK) == 0)
        has_budget(walk);
}

static enum status judge(struct walk *walk, struct place *place,
                         struct error *err)
{
    struct search_lane *lane = walk->lane;
    struct verdict verdict;
    enum status status;

    if (lane->cancel != NULL && atomic_load(lane->cancel))
        return error_set(err, E_CANCELLED, "interrupted");
    if (!has_budget(walk))
        return OK;
    status = evaluator_judge(walk->evaluator, place->rank.level, &verdict, err);
    if (status != OK)
        return status;
    search_watch_judged(lane->watch, &verdict, NULL);
    lane->judged++;
    place->valid = verdict.valid;
    place->suppressed = verdict.suppressed;
    if (!verdict.valid)
        return OK;
    memcpy(place->rank.score, verdict.score, sizeof place->rank.score);
    if (!lane->found ||
        rank_compare(walk->metric, &place->rank, &lane->best) < 0) {
        lane->found = true;
        lane->best = place->rank;
        lane->best_verdict = verdict;
    }
    return OK;
}

/* place->rank.level and height are given. */
static enum status look(struct walk *walk, struct place *place,
                        struct error *err)
{
    struct walk_memory *memory =
        &walk->memory[memory_slot(walk, place->rank.level)];
    size_t width = walk->lattice->dimension_count;
    size_t scores = walk->metric->score_count * sizeof *memory->score;
    enum status status;

    if (memory->used && memcmp(memory->level, place->rank.level, width) == 0) {
        spend(walk);
        place->valid = memory->valid;
        place->suppressed = memory->suppressed;
        memcpy(place->rank.score, memory->score, scores);
        return OK;
    }
    status = judge(walk, place, err);
    if (status != OK || walk->over)
        return status;
    memory->used = true;
    memory->valid = place->valid;
    memory->suppressed = place->suppressed;
    memcpy(memory->score, place->rank.score, scores);
    memcpy(memory->level, place->rank.level, width);
    return OK;
}

static bool is_better(const struct walk *walk, const struct place *a,
                      const struct place *b)
{
    if (a->valid != b->valid)
        return a->valid;
    if (a->valid)
        return rank_compare(walk->metric, &a->rank, &b->rank) < 0;
    if (a->suppressed != b->suppressed)
        return a->suppressed < b->suppressed;
    return a->rank.height < b->rank.height;
}

/* ---- steps ---- */

static bool can_take(const struct walk *walk, const struct place *from,
                     struct step step)
{
    const struct dimension *dimension =
        &walk->lattice->dimension[step.dimension];
    int level = from->rank.level[step.dimension] + step.by;

    return level >= (int)dimension->level_min &&
           level <= (int)dimension->level_max;
}

/* Go to the place that one or two steps lead to, if it is better. */
static enum status try_steps(struct walk *walk, const struct step *step,
                             size_t count, bool *moved, struct error *err)
{
    struct place there = walk->here;
    enum status status;

    for (size_t i = 0; i < count; i++) {
        if (!can_take(walk, &there, step[i]))
            return OK;
        there.rank.level[step[i].dimension] =
            (uint8_t)(there.rank.level[step[i].dimension] + step[i].by);
    }
    rank_of_bound(walk->metric, there.rank.level, &there.rank);
    if (walk->here.valid &&
        rank_compare(walk->metric, &there.rank, &walk->here.rank) >= 0)
        return OK;
    status = look(walk, &there, err);
    if (status != OK || walk->over || !is_better(walk, &there, &walk->here))
        return status;
    walk->here = there;
    *moved = true;
    return OK;
}

static size_t all_steps(struct walk *walk, struct step *step)
{
    size_t count = 0;

    for (size_t d = 0; d < walk->lattice->dimension_count; d++) {
        step[count++] = (struct step){(uint8_t)d, 1};
        step[count++] = (struct step){(uint8_t)d, -1};
    }
    random_shuffle(&walk->random, step, count, sizeof *step);
    return count;
}

static enum status one_step(struct walk *walk, bool *moved, struct error *err)
{
    struct step step[2 * QUASI_IDENTIFIERS_MAX];
    size_t count = all_steps(walk, step);
    enum status status = OK;

    for (size_t i = 0; status == OK && !walk->over && !*moved && i < count; i++)
        status = try_steps(walk, &step[i], 1, moved, err);
    return status;
}

static enum status two_steps(struct walk *walk, bool *moved, struct error *err)
{
    struct step step[2 * QUASI_IDENTIFIERS_MAX];
    size_t count = all_steps(walk, step);
    enum status status = OK;

    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            const struct step both[] = {step[i], step[j]};

            if (step[i].dimension == step[j].dimension)
                continue;
            status = try_steps(walk, both, 2, moved, err);
            if (status != OK || walk->over || *moved)
                return status;
        }
    return status;
}

/* To a place none of whose neighbours is better. */
static enum status descend(struct walk *walk, struct error *err)
{
    enum status status = OK;
    bool moved = true;

    while (status == OK && !walk->over && moved) {
        moved = false;
        status = one_step(walk, &moved, err);
        if (status == OK && !walk->over && !moved)
            status = two_steps(walk, &moved, err);
    }
    return status;
}

/* Some dimensions of the best to random levels. */
static enum status leave(struct walk *walk, struct error *err)
{
    uint64_t moved =
        WALK_MOVED_MIN +
        random_below(&walk->random, WALK_MOVED_MAX - WALK_MOVED_MIN + 1);

    walk->here = walk->best;
    for (uint64_t i = 0; i < moved; i++) {
        size_t d = random_below(&walk->random, walk->lattice->dimension_count);
        const struct dimension *dimension = &walk->lattice->dimension[d];

        walk->here.rank.level[d] =
            (uint8_t)(dimension->level_min +
                      random_below(&walk->random, dimension->level_max -
                                                      dimension->level_min +
                                                      1));
    }
    rank_of_bound(walk->metric, walk->here.rank.level, &walk->here.rank);
    return look(walk, &walk->here, err);
}

/* ---- the walk ---- */

static enum status go(struct walk *walk, struct error *err)
{
    enum status status;

    for (size_t d = 0; d < walk->lattice->dimension_count; d++)
        walk->here.rank.level[d] =
            (uint8_t)walk->lattice->dimension[d].level_max;
    rank_of_bound(walk->metric, walk->here.rank.level, &walk->here.rank);
    status = look(walk, &walk->here, err);
    walk->best = walk->here;
    while (status == OK && !walk->over) {
        status = descend(walk, err);
        if (status != OK)
            break;
        if (is_better(walk, &walk->here, &walk->best))
            walk->best = walk->here;
        spend(walk);
        if (has_budget(walk))
            status = leave(walk, err);
    }
    return status;
}

enum status search_lane_walk(struct search_lane *lane, struct error *err)
{
    struct walk walk = {.lane = lane,
                        .lattice = lane->problem->lattice,
                        .metric = lane->problem->metric};
    size_t scores = walk.metric->score_count;
    enum status status = evaluator_create(&walk.evaluator, lane->problem, err);

    random_init(&walk.random, lane->seed);
    if (status == OK) {
        walk.memory = calloc(WALK_MEMORIES, sizeof *walk.memory);
        walk.scores = calloc(WALK_MEMORIES, scores * sizeof *walk.scores);
        if (walk.memory == NULL || walk.scores == NULL)
            status = error_memory(err, "the search");
    }
    if (status == OK) {
        for (size_t i = 0; i < WALK_MEMORIES; i++)
            walk.memory[i].score = walk.scores + i * scores;
        status = go(&walk, err);
    }
    free(walk.memory);
    free(walk.scores);
    evaluator_destroy(&walk.evaluator);
    return status;
}
