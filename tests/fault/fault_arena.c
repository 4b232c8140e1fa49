#include "common/arena.h"

#include <errno.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_arena(void);

static void arena_is_as_it_was_without_memory(void)
{
    struct arena arena;
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        size_t taken = 0;
        char *piece = NULL;
        int made = 0;

        error_init(&err);
        arena_init(&arena, 1u << 20);
        fault_on();
        for (made = 0; made < 20; made++) {
            taken = arena.taken;
            piece = ARENA_ZEROED(&arena, char, 3000, "a piece", &err);
            if (piece == NULL)
                break;
            memset(piece, 'x', 3000);
        }
        fault_off();
        fault_expect(err.status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(made == 20, err.status == OK);
        if (piece == NULL) {
            CU_ASSERT_STRING_EQUAL(err.text, "out of memory for a piece");
            CU_ASSERT_EQUAL(arena.taken, taken);
            /* The machine has memory again: the arena serves on. */
            CU_ASSERT_PTR_NOT_NULL(
                ARENA_NEW(&arena, char, 3000, "a piece", &err));
        }
        arena_clear(&arena);
    }
}

static void string_without_memory_is_null(void)
{
    struct arena arena;
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        char *copy;

        error_init(&err);
        arena_init(&arena, 1u << 20);
        fault_on();
        copy = arena_string(&arena, bytes_of_string("age"), "a name", &err);
        fault_off();
        fault_expect(err.status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(copy == NULL, fault_happened());
        arena_clear(&arena);
    }
}

void suite_arena(void)
{
    static const struct test tests[] = {
        {"an arena is as it was without memory",
         arena_is_as_it_was_without_memory},
        {"a string without memory is null", string_without_memory_is_null},
    };

    suite_add("arena", tests, sizeof tests / sizeof tests[0]);
}
