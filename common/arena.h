/*
 * common/arena.h - the memory of one job: taken in pieces, released at once.
 *
 *     struct arena arena;
 *
 *     arena_init(&arena, cap);
 *     if ((row = ARENA_NEW(&arena, uint32_t, count, "rows", err)) == NULL)
 *         goto done;                      err says why
 *     ...
 *     arena_clear(&arena);                all of it is gone
 *
 * The cap bounds what one job can take from the machine; it counts whole
 * blocks as they come from malloc.  Pieces that serve for a while only are
 * taken between arena_mark and arena_rewind, like a stack.
 *
 * Nothing is wiped: keys have no place here.  One thread at a time.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"

struct arena_block;

/* Initialised by arena_init; the fields are the arena's own. */
struct arena {
    struct arena_block *newest; /* the one that pieces are taken from */
    size_t taken;               /* bytes of all blocks, <= cap */
    size_t cap;
};

/* A point to come back to. */
struct arena_mark {
    struct arena_block *newest;
    size_t used;
};

void arena_init(struct arena *arena, size_t cap);

/* Release everything; the arena is then as after init. */
void arena_clear(struct arena *arena);

/* `count` items of `size` bytes, not initialised; never NULL for count 0.
 * NULL and *err set: E_LIMIT when the cap is reached, E_MEMORY when the
 * machine has no more; the arena is then as it was.  `alignment` is a power of
 * two; `what` is built from it, for the message. */
MUST_USE void *arena_allocate(struct arena *arena, size_t count, size_t size,
                              size_t alignment, const char *what,
                              struct error *err);

/* The same, filled with zeros. */
MUST_USE void *arena_allocate_zeroed(struct arena *arena, size_t count,
                                     size_t size, size_t alignment,
                                     const char *what, struct error *err);

/* A copy that ends with a NUL. */
MUST_USE char *arena_string(struct arena *arena, struct bytes string,
                            const char *what, struct error *err);

#define ARENA_NEW(arena, type, count, what, err)                               \
    ((type *)arena_allocate((arena), (count), sizeof(type), _Alignof(type),    \
                            (what), (err)))

#define ARENA_ZEROED(arena, type, count, what, err)                            \
    ((type *)arena_allocate_zeroed((arena), (count), sizeof(type),             \
                                   _Alignof(type), (what), (err)))

struct arena_mark arena_mark(const struct arena *arena);

/* Release what was taken since the mark; marks made since are void. */
void arena_rewind(struct arena *arena, struct arena_mark mark);

#endif
