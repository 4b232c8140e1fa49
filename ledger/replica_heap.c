#include <raft.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/replica_internal.h"

static void *zeroed(void *unused, size_t size)
{
    (void)unused;
    return calloc(1, size);
}

static void *zeroed_array(void *unused, size_t count, size_t size)
{
    (void)unused;
    return calloc(count, size);
}

static void *resized(void *unused, void *memory, size_t size)
{
    (void)unused;
    return realloc(memory, size);
}

static void *aligned(void *unused, size_t alignment, size_t size)
{
    void *memory = aligned_alloc(alignment, size);

    (void)unused;
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

static void freed(void *unused, void *memory)
{
    (void)unused;
    free(memory);
}

static void freed_aligned(void *unused, size_t alignment, void *memory)
{
    (void)unused;
    (void)alignment;
    free(memory);
}

void replica_use_zeroed_memory(void)
{
    static struct raft_heap heap = {.malloc = zeroed,
                                    .free = freed,
                                    .calloc = zeroed_array,
                                    .realloc = resized,
                                    .aligned_alloc = aligned,
                                    .aligned_free = freed_aligned};

    raft_heap_set(&heap);
}
