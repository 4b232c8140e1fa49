#include "anonymizer/frontier.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int rank_compare(const struct metric *metric, const struct rank *a,
                 const struct rank *b)
{
    int order = metric_compare(metric, a->score, b->score);

    if (order != 0)
        return order;
    if (a->height != b->height)
        return a->height < b->height ? -1 : 1;
    return memcmp(a->level, b->level, metric->lattice->dimension_count);
}

void rank_of_bound(const struct metric *metric, const uint8_t *level,
                   struct rank *rank)
{
    memcpy(rank->level, level, metric->lattice->dimension_count);
    rank->height = lattice_height(metric->lattice, level);
    metric_bound(metric, level, rank->score);
}

void frontier_init(struct frontier *frontier, const struct metric *metric,
                   uint32_t limit)
{
    *frontier =
        (struct frontier){.metric = metric,
                          .level_count = metric->lattice->dimension_count,
                          .score_count = metric->score_count,
                          .limit = limit};
}

void frontier_clear(struct frontier *frontier)
{
    free(frontier->score);
    free(frontier->height);
    free(frontier->level);
    free(frontier->heap);
    *frontier = (struct frontier){0};
}

static enum status grow(struct frontier *frontier, struct error *err)
{
    uint32_t capacity = frontier->capacity == 0 ? 256 : 2 * frontier->capacity;
    size_t scores = frontier->score_count * sizeof *frontier->score;
    void *more;

    if (capacity > frontier->limit)
        return error_set(err, E_LIMIT,
                         "the search needs to remember more than %u "
                         "transformations; narrow it with min_level and "
                         "max_level or with fewer quasi-identifiers, or let "
                         "the policy's \"search\" be {\"strategy\": "
                         "\"time-limited\", \"seconds\": ...}, which returns "
                         "the best that it finds",
                         frontier->limit);
    more = reallocarray(frontier->score, capacity, scores);
    if (more == NULL)
        return error_memory(err, "the search");
    frontier->score = more;
    more = reallocarray(frontier->height, capacity, sizeof *frontier->height);
    if (more == NULL)
        return error_memory(err, "the search");
    frontier->height = more;
    more = reallocarray(frontier->level, capacity, frontier->level_count + 1);
    if (more == NULL)
        return error_memory(err, "the search");
    frontier->level = more;
    more = reallocarray(frontier->heap, capacity, sizeof *frontier->heap);
    if (more == NULL)
        return error_memory(err, "the search");
    frontier->heap = more;
    for (uint32_t i = frontier->capacity; i < capacity; i++)
        frontier->heap[i] = i;
    frontier->capacity = capacity;
    return OK;
}

static const uint8_t *slot_level(const struct frontier *frontier, uint32_t slot)
{
    return frontier->level + (size_t)slot * (frontier->level_count + 1);
}

static bool comes_before(const struct frontier *frontier, uint32_t a,
                         uint32_t b)
{
    int order = metric_compare(frontier->metric,
                               frontier->score + a * frontier->score_count,
                               frontier->score + b * frontier->score_count);

    if (order == 0 && frontier->height[a] != frontier->height[b])
        order = frontier->height[a] < frontier->height[b] ? -1 : 1;
    if (order == 0)
        order = memcmp(slot_level(frontier, a), slot_level(frontier, b),
                       frontier->level_count);
    return order < 0;
}

static enum status push(struct frontier *frontier, const struct rank *rank,
                        uint8_t last_raised, struct error *err)
{
    uint32_t *heap;
    uint32_t slot, at;
    uint8_t *level;
    enum status status;

    if (frontier->count == frontier->capacity) {
        status = grow(frontier, err);
        if (status != OK)
            return status;
    }
    heap = frontier->heap;
    at = frontier->count++;
    slot = heap[at];
    memcpy(frontier->score + slot * frontier->score_count, rank->score,
           frontier->score_count * sizeof *frontier->score);
    frontier->height[slot] = rank->height;
    level = frontier->level + (size_t)slot * (frontier->level_count + 1);
    memcpy(level, rank->level, frontier->level_count);
    level[frontier->level_count] = last_raised;
    for (; at > 0 && comes_before(frontier, slot, heap[(at - 1) / 2]);
         at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = slot;
    return OK;
}

/* The last one sinks from the top; the slot of the first becomes free. */
static void pop(struct frontier *frontier)
{
    uint32_t *heap = frontier->heap;
    uint32_t freed = heap[0], sinking = heap[--frontier->count];
    uint32_t count = frontier->count, at = 0, child;

    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count &&
            comes_before(frontier, heap[child + 1], heap[child]))
            child++;
        if (!comes_before(frontier, heap[child], sinking))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
    heap[count] = freed;
}

enum status frontier_start(struct frontier *frontier, struct error *err)
{
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    struct rank rank;

    for (size_t d = 0; d < frontier->level_count; d++)
        level[d] = (uint8_t)frontier->metric->lattice->dimension[d].level_min;
    rank_of_bound(frontier->metric, level, &rank);
    return push(frontier, &rank, 0, err);
}

bool frontier_peek(const struct frontier *frontier, struct rank *next)
{
    uint32_t slot;

    if (frontier->count == 0)
        return false;
    slot = frontier->heap[0];
    memcpy(next->score, frontier->score + slot * frontier->score_count,
           frontier->score_count * sizeof *next->score);
    next->height = frontier->height[slot];
    memcpy(next->level, slot_level(frontier, slot), frontier->level_count);
    return true;
}

void frontier_reach(const struct frontier *frontier, uint8_t *level)
{
    const struct lattice *lattice = frontier->metric->lattice;
    const uint8_t *next;

    assert(frontier->count > 0);
    next = slot_level(frontier, frontier->heap[0]);
    memcpy(level, next, frontier->level_count);
    for (size_t d = next[frontier->level_count]; d < frontier->level_count; d++)
        level[d] = (uint8_t)lattice->dimension[d].level_max;
}

void frontier_drop(struct frontier *frontier)
{
    assert(frontier->count > 0);
    pop(frontier);
}

enum status frontier_advance(struct frontier *frontier, const struct rank *best,
                             struct error *err)
{
    const struct lattice *lattice = frontier->metric->lattice;
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    struct rank child;
    size_t first;
    enum status status = OK;

    assert(frontier->count > 0);
    memcpy(level, slot_level(frontier, frontier->heap[0]),
           frontier->level_count);
    first = slot_level(frontier, frontier->heap[0])[frontier->level_count];
    pop(frontier);
    for (size_t d = first; status == OK && d < frontier->level_count; d++) {
        if (level[d] == lattice->dimension[d].level_max)
            continue;
        level[d]++;
        rank_of_bound(frontier->metric, level, &child);
        if (best == NULL || rank_compare(frontier->metric, &child, best) < 0)
            status = push(frontier, &child, (uint8_t)d, err);
        level[d]--;
    }
    return status;
}
