/*
 * anonymizer/worker_map.h - the map of all access chains in memory, and its
 * root (common/access_chain.h).
 *
 * Ends of chains lie in the order of their handles.  The first bits of a handle
 * name its bucket; tries of buckets are kept, and only those that changed are
 * made anew: a root after one event costs some thousand hashes, whatever the
 * size of the map.
 *
 *     worker_map_reserve -> (make it durable) -> worker_map_put
 *
 * so that what is durable is always in memory, too.  One thread at a time.
 */
#ifndef ANONYMIZER_WORKER_MAP_H
#define ANONYMIZER_WORKER_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/access_chain.h"
#include "common/error.h"

struct worker_map;

MUST_USE enum status worker_map_create(struct worker_map **map,
                                       struct error *err);
void worker_map_destroy(struct worker_map **map);

uint64_t worker_map_size(const struct worker_map *map);

/* All of them, ascending by handle, worker_map_size.  Borrowed until the next
 * put. */
const struct access_end *worker_map_ends(const struct worker_map *map);

/* The ends of these handles, ascending and none twice; length 0 where there is
 * no chain. */
void worker_map_look_up(const struct worker_map *map,
                        const struct access_handle *handle, size_t count,
                        struct access_end *end);

/* Room for so many more.  E_LIMIT beyond ACCESS_HANDLES_MAX. */
MUST_USE enum status worker_map_reserve(struct worker_map *map, size_t more,
                                        struct error *err);

/* New ends, ascending by handle, none twice; each replaces its own or is new.
 * Room for all of them was reserved. */
void worker_map_put(struct worker_map *map, const struct access_end *end,
                    size_t count);

/* The trie over all of them, without the root's hash. */
void worker_map_trie(struct worker_map *map, struct digest *trie);

/* The way from this handle, which may have no chain, to the trie. */
void worker_map_path(struct worker_map *map, const struct access_handle *handle,
                     struct access_path *path);

#endif
