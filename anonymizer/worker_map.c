#include "anonymizer/worker_map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

/* Buckets: of a million handles 244 each; their tries take 128 KiB. */
#define BUCKET_BITS 12
#define BUCKETS ((size_t)1 << BUCKET_BITS)

struct bucket {
    struct digest trie;
    bool known;
};

struct worker_map {
    struct access_end *end; /* ascending by handle */
    size_t count, capacity;
    struct bucket bucket[BUCKETS];
};

/* A run of ends. */
struct run {
    size_t begin, end;
};

static size_t bucket_of(const struct access_handle *handle)
{
    return (size_t)handle->byte[0] << 4 | (size_t)handle->byte[1] >> 4;
}

enum status worker_map_create(struct worker_map **map, struct error *err)
{
    *map = calloc(1, sizeof **map);
    return *map == NULL ? error_memory(err, "the map of access chains") : OK;
}

void worker_map_destroy(struct worker_map **handle)
{
    struct worker_map *map = *handle;

    if (map == NULL)
        return;
    free(map->end);
    free(map);
    *handle = NULL;
}

uint64_t worker_map_size(const struct worker_map *map)
{
    return map->count;
}

/* The first end that is not below `handle`. */
static size_t lower_bound(const struct worker_map *map,
                          const struct access_handle *handle)
{
    size_t begin = 0, end = map->count;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;

        if (access_handle_compare(&map->end[middle].handle, handle) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

enum status worker_map_reserve(struct worker_map *map, size_t more,
                               struct error *err)
{
    size_t capacity = map->capacity > 0 ? map->capacity : 1024;
    struct access_end *end;

    if (more > ACCESS_HANDLES_MAX - map->count)
        return error_set(err, E_LIMIT, "more than %u access chains",
                         ACCESS_HANDLES_MAX);
    if (map->count + more <= map->capacity)
        return OK;
    while (capacity < map->count + more)
        capacity *= 2;
    end = realloc(map->end, capacity * sizeof *end);
    if (end == NULL)
        return error_memory(err, "the map of access chains");
    map->end = end;
    map->capacity = capacity;
    return OK;
}

/* The same for one of `count` handles in ascending order; `at` is that of the
 * one before it.  Many are looked up in one walk along the map. */
static size_t next_bound(const struct worker_map *map, size_t at,
                         const struct access_handle *handle, size_t count)
{
    if (count < map->count / 8)
        return lower_bound(map, handle);
    while (at < map->count &&
           access_handle_compare(&map->end[at].handle, handle) < 0)
        at++;
    return at;
}

static bool stands_at(const struct worker_map *map, size_t at,
                      const struct access_handle *handle)
{
    return at < map->count &&
           access_handle_compare(&map->end[at].handle, handle) == 0;
}

const struct access_end *worker_map_ends(const struct worker_map *map)
{
    return map->end;
}

void worker_map_look_up(const struct worker_map *map,
                        const struct access_handle *handle, size_t count,
                        struct access_end *end)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        assert(i == 0 || access_handle_compare(&handle[i - 1], &handle[i]) < 0);
        at = next_bound(map, at, &handle[i], count);
        end[i] = stands_at(map, at, &handle[i])
                     ? map->end[at]
                     : (struct access_end){.handle = handle[i]};
    }
}

/* Those that are there are replaced; how many are not. */
static size_t replace(struct worker_map *map, const struct access_end *end,
                      size_t count)
{
    size_t at = 0, fresh = 0;

    for (size_t i = 0; i < count; i++) {
        assert(i == 0 ||
               access_handle_compare(&end[i - 1].handle, &end[i].handle) < 0);
        at = next_bound(map, at, &end[i].handle, count);
        if (stands_at(map, at, &end[i].handle))
            map->end[at] = end[i];
        else
            fresh++;
        map->bucket[bucket_of(&end[i].handle)].known = false;
    }
    return fresh;
}

void worker_map_put(struct worker_map *map, const struct access_end *end,
                    size_t count)
{
    size_t fresh = replace(map, end, count), old = map->count, to = old + fresh;

    assert(to <= map->capacity);
    map->count = to;
    /* From behind, so that each moves once; replaced ones are equal. */
    for (size_t i = count; to > old;) {
        int order = old == 0 ? -1
                             : access_handle_compare(&map->end[old - 1].handle,
                                                     &end[i - 1].handle);

        if (order > 0) {
            map->end[--to] = map->end[--old];
        } else if (order == 0) {
            i--;
        } else {
            map->end[--to] = end[--i];
        }
    }
}

/* ---- hashes ---- */

/* Where the handles of the run, which agree before it, begin to have a 1 in
 * this bit. */
static size_t split(const struct worker_map *map, struct run run, unsigned bit)
{
    while (run.begin < run.end) {
        size_t middle = run.begin + (run.end - run.begin) / 2;

        if (access_handle_bit(&map->end[middle].handle, bit) == 0)
            run.begin = middle + 1;
        else
            run.end = middle;
    }
    return run.begin;
}

/* The trie of a run whose handles agree in the first `bit` bits.  As deep as
 * handles agree: 128 calls at most. */
static void hash_run(struct worker_map *map, struct run run, unsigned bit,
                     struct digest *hash)
{
    struct bucket *bucket = NULL;
    struct digest left, right;
    size_t middle;

    if (run.begin == run.end) {
        *hash = (struct digest){{0}};
        return;
    }
    if (run.end - run.begin == 1) {
        access_leaf(hash, &map->end[run.begin]);
        return;
    }
    if (bit == BUCKET_BITS) {
        bucket = &map->bucket[bucket_of(&map->end[run.begin].handle)];
        if (bucket->known) {
            *hash = bucket->trie;
            return;
        }
    }
    middle = split(map, run, bit);
    hash_run(map, (struct run){run.begin, middle}, bit + 1, &left);
    hash_run(map, (struct run){middle, run.end}, bit + 1, &right);
    access_node(hash, &left, &right);
    if (bucket != NULL)
        *bucket = (struct bucket){*hash, true};
}

void worker_map_trie(struct worker_map *map, struct digest *trie)
{
    hash_run(map, (struct run){0, map->count}, 0, trie);
}

void worker_map_path(struct worker_map *map, const struct access_handle *handle,
                     struct access_path *path)
{
    struct run run = {0, map->count};
    unsigned bit = 0;

    *path = (struct access_path){.end.handle = *handle};
    for (; run.end - run.begin > 1; bit++) {
        size_t middle = split(map, run, bit);
        struct run left = {run.begin, middle}, right = {middle, run.end};
        bool goes_right = access_handle_bit(handle, bit) == 1;

        hash_run(map, goes_right ? left : right, bit + 1, &path->beside[bit]);
        run = goes_right ? right : left;
    }
    path->depth = bit;
    if (run.begin == run.end)
        return;
    if (access_handle_compare(&map->end[run.begin].handle, handle) == 0)
        path->end = map->end[run.begin];
    else
        path->other = map->end[run.begin];
}
