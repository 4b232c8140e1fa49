#include "anonymizer/knowledge.h"

#include <stdlib.h>
#include <string.h>

/* What a look at a node counts for, in classes looked at; a comparison with a
 * dead node is a quarter of one. */
#define LOOK_WORK 32

static size_t width(const struct knowledge *knowledge)
{
    return knowledge->problem->lattice->dimension_count;
}

enum status knowledge_init(struct knowledge *knowledge,
                           const struct problem *problem, struct error *err)
{
    const struct lattice *lattice = problem->lattice;

    *knowledge = (struct knowledge){.problem = problem};
    for (size_t d = 0; d < lattice->dimension_count; d++)
        knowledge->bottom[d] = (uint8_t)lattice->dimension[d].level_min;
    return hash_key_draw(&knowledge->key, err);
}

void knowledge_clear(struct knowledge *knowledge)
{
    free(knowledge->dead.level);
    free(knowledge->beyond.level);
    free(knowledge->floors.level.level);
    free(knowledge->floors.score);
    free(knowledge->judged.level);
    free(knowledge->slot);
    *knowledge = (struct knowledge){0};
}

/* ---- dead nodes ---- */

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

bool knowledge_is_dead(struct knowledge *knowledge, const uint8_t *level)
{
    const struct vectors *dead = &knowledge->dead;
    size_t size = width(knowledge);

    knowledge->work += LOOK_WORK + dead->count / 4;
    for (size_t i = 0; i < dead->count; i++)
        if (lattice_below(knowledge->problem->lattice, level,
                          dead->level + i * size))
            return true;
    return false;
}

/* Those below the new one are said by it. */
static enum status add_dead(struct knowledge *knowledge, const uint8_t *level,
                            struct error *err)
{
    struct vectors *dead = &knowledge->dead;
    size_t size = width(knowledge), kept = 0;

    for (size_t i = 0; i < dead->count; i++)
        if (!lattice_below(knowledge->problem->lattice, dead->level + i * size,
                           level))
            memmove(dead->level + kept++ * size, dead->level + i * size, size);
    dead->count = kept;
    return vectors_add(dead, level, size, err);
}

/* ---- judged ones ---- */

static size_t judged_slot(const struct knowledge *knowledge,
                          const uint8_t *level)
{
    size_t size = width(knowledge);
    size_t at = hash_bytes(&knowledge->key, bytes_of(level, size)) &
                (knowledge->slot_count - 1);

    while (knowledge->slot[at] != 0 &&
           memcmp(knowledge->judged.level + (knowledge->slot[at] - 1) * size,
                  level, size) != 0)
        at = (at + 1) & (knowledge->slot_count - 1);
    return at;
}

static bool is_judged(const struct knowledge *knowledge, const uint8_t *level)
{
    return knowledge->slot_count > 0 &&
           knowledge->slot[judged_slot(knowledge, level)] != 0;
}

static enum status add_judged(struct knowledge *knowledge, const uint8_t *level,
                              struct error *err)
{
    if (2 * (knowledge->judged.count + 1) > knowledge->slot_count) {
        size_t count =
            knowledge->slot_count == 0 ? 256 : 2 * knowledge->slot_count;
        uint32_t *slot = calloc(count, sizeof *slot);

        if (slot == NULL)
            return error_memory(err, "the search");
        free(knowledge->slot);
        knowledge->slot = slot;
        knowledge->slot_count = count;
        for (size_t i = 0; i < knowledge->judged.count; i++)
            slot[judged_slot(knowledge,
                             knowledge->judged.level + i * width(knowledge))] =
                (uint32_t)i + 1;
    }
    if (is_judged(knowledge, level))
        return OK; /* another thread was there, too */
    /* Where there is no room for it, nobody may look for it: other threads go
     * on until they are told. */
    if (vectors_add(&knowledge->judged, level, width(knowledge), err) != OK)
        return err->status;
    knowledge->slot[judged_slot(knowledge, level)] =
        (uint32_t)knowledge->judged.count;
    return OK;
}

/* ---- surcharges ---- */

bool knowledge_beats(const struct knowledge *knowledge, const struct rank *rank)
{
    return !knowledge->found ||
           rank_compare(knowledge->problem->metric, rank, &knowledge->best) < 0;
}

/* Is a node's bound, with this surcharge, no better than the best? */
static bool is_too_dear(const struct knowledge *knowledge, const uint8_t *level,
                        const struct surcharge *surcharge)
{
    const struct metric *metric = knowledge->problem->metric;
    struct rank rank;

    memcpy(rank.level, level, width(knowledge));
    rank.height = lattice_height(knowledge->problem->lattice, level);
    metric_bound_below(metric, level, surcharge->amount, rank.score);
    return !knowledge_beats(knowledge, &rank);
}

bool knowledge_is_settled(struct knowledge *knowledge, const uint8_t *level)
{
    const struct lattice *lattice = knowledge->problem->lattice;

    if (knowledge_is_dead(knowledge, level) ||
        knowledge_is_beyond(knowledge, level) || is_judged(knowledge, level))
        return true;
    if (!knowledge->found)
        return false;
    for (size_t i = 0; i < knowledge->surcharge_count; i++) {
        struct surcharge useful = knowledge->surcharge[i];

        if (!lattice_below(lattice, level, useful.level) ||
            !is_too_dear(knowledge, level, &useful))
            continue;
        /* To the front: what settles one node settles its neighbours. */
        memmove(knowledge->surcharge + 1, knowledge->surcharge,
                i * sizeof *knowledge->surcharge);
        knowledge->surcharge[0] = useful;
        return true;
    }
    return false;
}

/* Does it settle all nodes below it?  The score alone says: heights and levels
 * differ among them. */
static bool settles_all(const struct knowledge *knowledge,
                        const struct surcharge *surcharge)
{
    const struct metric *metric = knowledge->problem->metric;
    double score[QUASI_IDENTIFIERS_MAX];

    metric_bound_below(metric, knowledge->bottom, surcharge->amount, score);
    return metric_compare(metric, score, knowledge->best.score) > 0;
}

/* Those that settle all below them become dead nodes. */
static enum status promote(struct knowledge *knowledge, struct error *err)
{
    size_t kept = 0;
    enum status status = OK;

    for (size_t i = 0; i < knowledge->surcharge_count; i++) {
        const struct surcharge *surcharge = &knowledge->surcharge[i];

        if (status == OK && settles_all(knowledge, surcharge))
            status = add_dead(knowledge, surcharge->level, err);
        else
            knowledge->surcharge[kept++] = *surcharge;
    }
    knowledge->surcharge_count = kept;
    return status;
}

/* In front; the one that was useful longest ago goes. */
static void add_surcharge(struct knowledge *knowledge, const uint8_t *level,
                          const struct verdict *verdict)
{
    size_t moved = knowledge->surcharge_count;
    struct surcharge *first = &knowledge->surcharge[0];

    if (moved == KNOWLEDGE_SURCHARGES)
        moved--;
    memmove(first + 1, first, moved * sizeof *first);
    memcpy(first->level, level, width(knowledge));
    memcpy(first->amount, verdict->surcharge,
           width(knowledge) * sizeof *first->amount);
    knowledge->surcharge_count = moved + 1;
}

/* ---- floors ---- */

bool knowledge_is_beyond(struct knowledge *knowledge, const uint8_t *level)
{
    const struct vectors *beyond = &knowledge->beyond;
    size_t size = width(knowledge);

    knowledge->work += beyond->count / 4;
    for (size_t i = 0; i < beyond->count; i++)
        if (lattice_below(knowledge->problem->lattice, beyond->level + i * size,
                          level))
            return true;
    return false;
}

/* Those above the new one are said by it. */
static enum status add_beyond(struct knowledge *knowledge, const uint8_t *level,
                              struct error *err)
{
    struct vectors *beyond = &knowledge->beyond;
    size_t size = width(knowledge), kept = 0;

    if (knowledge_is_beyond(knowledge, level))
        return OK;
    for (size_t i = 0; i < beyond->count; i++)
        if (!lattice_below(knowledge->problem->lattice, level,
                           beyond->level + i * size))
            memmove(beyond->level + kept++ * size, beyond->level + i * size,
                    size);
    beyond->count = kept;
    return vectors_add(beyond, level, size, err);
}

/* Is no node above this one better than the best?  They are higher than it. */
static bool closes(const struct knowledge *knowledge, const uint8_t *level,
                   const double *floor)
{
    int order;

    if (!knowledge->found)
        return false;
    order = metric_compare(knowledge->problem->metric, floor,
                           knowledge->best.score);
    return order > 0 ||
           (order == 0 && lattice_height(knowledge->problem->lattice, level) >=
                              knowledge->best.height);
}

static enum status add_floor(struct knowledge *knowledge, const uint8_t *level,
                             const double *floor, struct error *err)
{
    struct floors *floors = &knowledge->floors;
    size_t scores = knowledge->problem->metric->score_count;

    if (closes(knowledge, level, floor))
        return add_beyond(knowledge, level, err);
    if (floors->level.count == floors->capacity) {
        size_t capacity = floors->capacity == 0 ? 64 : 2 * floors->capacity;
        double *more = reallocarray(floors->score, capacity,
                                    scores * sizeof *floors->score);

        if (more == NULL)
            return error_memory(err, "the search");
        floors->score = more;
        floors->capacity = capacity;
    }
    memcpy(floors->score + floors->level.count * scores, floor,
           scores * sizeof *floor);
    return vectors_add(&floors->level, level, width(knowledge), err);
}

/* The best is better than before: more floors close what is above them. */
static enum status review_floors(struct knowledge *knowledge, struct error *err)
{
    struct floors *floors = &knowledge->floors;
    size_t scores = knowledge->problem->metric->score_count;
    size_t size = width(knowledge), kept = 0;
    enum status status = OK;

    for (size_t i = 0; i < floors->level.count; i++) {
        uint8_t *level = floors->level.level + i * size;
        double *score = floors->score + i * scores;

        if (status == OK && closes(knowledge, level, score)) {
            status = add_beyond(knowledge, level, err);
            continue;
        }
        memmove(floors->level.level + kept * size, level, size);
        memmove(floors->score + kept++ * scores, score, scores * sizeof *score);
    }
    floors->level.count = kept;
    return status;
}

/* ---- learning ---- */

enum status knowledge_learn(struct knowledge *knowledge, const uint8_t *level,
                            const struct verdict *verdict, struct error *err)
{
    struct rank rank;

    knowledge->judgements++;
    if (verdict->has_floor &&
        add_floor(knowledge, level, verdict->floor, err) != OK)
        return err->status;
    if (verdict->dead)
        return add_dead(knowledge, level, err);
    if (add_judged(knowledge, level, err) != OK)
        return err->status;
    if (verdict->has_surcharge)
        add_surcharge(knowledge, level, verdict);
    if (!verdict->valid)
        return OK;
    memcpy(rank.score, verdict->score, sizeof rank.score);
    memcpy(rank.level, level, width(knowledge));
    rank.height = lattice_height(knowledge->problem->lattice, level);
    if (knowledge_beats(knowledge, &rank)) {
        knowledge->found = true;
        knowledge->best = rank;
        knowledge->best_verdict = *verdict;
        if (review_floors(knowledge, err) != OK)
            return err->status;
    }
    return promote(knowledge, err);
}
