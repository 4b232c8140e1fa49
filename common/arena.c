#include "common/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

/* One malloc for many pieces would hide an overrun from the address
 * sanitizer: it is told which bytes are taken. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(from, size) ASAN_POISON_MEMORY_REGION((from), (size))
#define UNPOISON(from, size) ASAN_UNPOISON_MEMORY_REGION((from), (size))
#define GAP 16 /* between pieces, so that an overrun meets poison */
#else
#define POISON(from, size) ((void)(from), (void)(size))
#define UNPOISON(from, size) ((void)(from), (void)(size))
#define GAP 0
#endif

struct arena_block {
    struct arena_block *older;
    size_t size; /* of memory */
    size_t used;
    alignas(max_align_t) unsigned char memory[];
};

void arena_init(struct arena *arena, size_t cap)
{
    *arena = (struct arena){.cap = cap};
}

static void drop_newest(struct arena *arena)
{
    struct arena_block *block = arena->newest;

    arena->newest = block->older;
    arena->taken -= sizeof *block + block->size;
    UNPOISON(block->memory, block->size);
    free(block);
}

void arena_clear(struct arena *arena)
{
    while (arena->newest != NULL)
        drop_newest(arena);
    assert(arena->taken == 0);
}

/* Size of a new block for `needed` bytes: twice the newest one between the
 * bounds, so that their number stays small; less where the cap is near.  0 if
 * the cap does not admit it. */
static size_t block_size(const struct arena *arena, size_t needed)
{
    size_t left = arena->cap - arena->taken;
    size_t size = ARENA_BLOCK_MIN;

    if (left < sizeof(struct arena_block) ||
        left - sizeof(struct arena_block) < needed)
        return 0;
    left -= sizeof(struct arena_block);
    if (arena->newest != NULL && arena->newest->size >= ARENA_BLOCK_MAX / 2)
        size = ARENA_BLOCK_MAX;
    else if (arena->newest != NULL && arena->newest->size > size / 2)
        size = 2 * arena->newest->size;
    if (size < needed)
        size = needed;
    return size < left ? size : left;
}

static enum status over_cap(const struct arena *arena, const char *what,
                            struct error *err)
{
    return error_set(err, E_LIMIT,
                     "the limit of %zu bytes for this job is reached by %s",
                     arena->cap, what);
}

static enum status add_block(struct arena *arena, size_t needed,
                             const char *what, struct error *err)
{
    size_t size = block_size(arena, needed);
    struct arena_block *block;

    if (size == 0)
        return over_cap(arena, what, err);
    block = malloc(sizeof *block + size);
    if (block == NULL)
        return error_memory(err, what);
    block->older = arena->newest;
    block->size = size;
    block->used = 0;
    POISON(block->memory, size);
    arena->newest = block;
    arena->taken += sizeof *block + size;
    return OK;
}

/* Take `size` bytes from the block, NULL if they do not fit. */
static void *take(struct arena_block *block, size_t size, size_t alignment)
{
    uintptr_t from = (uintptr_t)(block->memory + block->used);
    size_t skip = (size_t)(-from & (alignment - 1));
    unsigned char *piece;

    if (block->size - block->used < skip ||
        block->size - block->used - skip < size)
        return NULL;
    piece = block->memory + block->used + skip;
    block->used += skip + size;
    UNPOISON(piece, size);
    return piece;
}

void *arena_allocate(struct arena *arena, size_t count, size_t size,
                     size_t alignment, const char *what, struct error *err)
{
    size_t wanted, slack = alignment - 1;
    void *piece = NULL;

    assert(size > 0);
    assert(alignment > 0 && alignment <= ARENA_ALIGNMENT_MAX &&
           (alignment & (alignment - 1)) == 0);
    if (count > (SIZE_MAX / 2) / size) {
        (void)!over_cap(arena, what, err);
        return NULL;
    }
    if (alignment <= alignof(max_align_t))
        slack = 0; /* a new block begins so */
    wanted = count * size + GAP;
    if (arena->newest != NULL)
        piece = take(arena->newest, wanted, alignment);
    if (piece == NULL) {
        if (add_block(arena, wanted + slack, what, err) != OK)
            return NULL;
        piece = take(arena->newest, wanted, alignment);
    }
    assert(piece != NULL);
    POISON((unsigned char *)piece + count * size, GAP);
    return piece;
}

void *arena_allocate_zeroed(struct arena *arena, size_t count, size_t size,
                            size_t alignment, const char *what,
                            struct error *err)
{
    void *piece = arena_allocate(arena, count, size, alignment, what, err);

    if (piece != NULL)
        memset(piece, 0, count * size);
    return piece;
}

char *arena_string(struct arena *arena, struct bytes string, const char *what,
                   struct error *err)
{
    char *copy;

    assert(string.size < SIZE_MAX);
    copy = arena_allocate(arena, string.size + 1, 1, 1, what, err);
    if (copy == NULL)
        return NULL;
    if (string.size > 0)
        memcpy(copy, string.data, string.size);
    copy[string.size] = '\0';
    return copy;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    struct arena_mark mark = {arena->newest, 0};

    if (mark.newest != NULL)
        mark.used = mark.newest->used;
    return mark;
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    while (arena->newest != mark.newest) {
        assert(arena->newest != NULL); /* or the mark is of another arena */
        drop_newest(arena);
    }
    if (mark.newest == NULL)
        return;
    assert(mark.used <= mark.newest->used);
    mark.newest->used = mark.used;
    POISON(mark.newest->memory + mark.used, mark.newest->size - mark.used);
}
