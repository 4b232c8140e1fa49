#include "common/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "common/limits.h"
#include "common/random.h"
#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_arena(void);

static struct error err;

static void empty_arena_owns_nothing(void)
{
    struct arena arena;

    arena_init(&arena, 100);
    CU_ASSERT_PTR_NULL(arena.newest);
    arena_clear(&arena);
    CU_ASSERT_EQUAL(arena.taken, 0);
    CU_ASSERT_EQUAL(arena.cap, 100);
}

/* Fill each piece with a byte of its own and look at all of them again. */
static void pieces_do_not_touch_each_other(void)
{
    enum { COUNT = 2000 };
    static unsigned char *piece[COUNT];
    static size_t size[COUNT];
    struct random random;
    struct arena arena;
    bool whole = true;

    random_init(&random, 21);
    arena_init(&arena, 64u << 20);
    for (size_t i = 0; i < COUNT; i++) {
        size_t alignment = (size_t)1 << random_below(&random, 9);

        size[i] = (size_t)random_below(&random, i % 100 == 0 ? 200000 : 300);
        piece[i] = arena_allocate(&arena, size[i], 1, alignment, "a", &err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(piece[i]);
        CU_ASSERT_EQUAL((uintptr_t)piece[i] % alignment, 0);
        memset(piece[i], (int)(i % 251), size[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t at = 0; at < size[i]; at++)
            whole = whole && piece[i][at] == i % 251;
    CU_ASSERT(whole);
    arena_clear(&arena);
    CU_ASSERT_PTR_NULL(arena.newest);
}

static void types_are_aligned(void)
{
    struct arena arena;
    char *byte;
    double *number;
    max_align_t *widest;

    arena_init(&arena, 1 << 20);
    byte = ARENA_NEW(&arena, char, 1, "a byte", &err);
    number = ARENA_NEW(&arena, double, 3, "numbers", &err);
    widest = ARENA_NEW(&arena, max_align_t, 1, "the widest", &err);
    CU_ASSERT(byte != NULL && number != NULL && widest != NULL);
    CU_ASSERT_EQUAL((uintptr_t)number % alignof(double), 0);
    CU_ASSERT_EQUAL((uintptr_t)widest % alignof(max_align_t), 0);
    arena_clear(&arena);
}

static void zeroed_items_are_zero_after_a_rewind_too(void)
{
    struct arena arena;
    struct arena_mark mark;
    uint64_t *number;
    bool zero = true;

    arena_init(&arena, 1 << 20);
    mark = arena_mark(&arena);
    for (int round = 0; round < 2; round++) {
        number = ARENA_ZEROED(&arena, uint64_t, 100, "numbers", &err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(number);
        for (int i = 0; i < 100; i++)
            zero = zero && number[i] == 0;
        memset(number, 0xff, 100 * sizeof *number);
        if (round == 0) {
            CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, char, 1, "c", &err));
            arena_rewind(&arena, mark);
            CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, char, 8, "c", &err));
        }
    }
    CU_ASSERT(zero);
    arena_clear(&arena);
}

static void no_items_are_a_piece_too(void)
{
    struct arena arena;

    arena_init(&arena, 1 << 20);
    CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, double, 0, "nothing", &err));
    arena_clear(&arena);
}

static void string_is_copied_and_ended(void)
{
    struct arena arena;
    char source[] = "diagnosis", *copy;

    arena_init(&arena, 1 << 20);
    copy = arena_string(&arena, bytes_of(source, 4), "a name", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    source[0] = 'X';
    CU_ASSERT_STRING_EQUAL(copy, "diag");
    copy = arena_string(&arena, bytes_of(NULL, 0), "a name", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_STRING_EQUAL(copy, "");
    arena_clear(&arena);
}

static void cap_is_a_limit_and_leaves_the_arena_usable(void)
{
    struct arena arena;
    size_t taken;

    error_init(&err);
    arena_init(&arena, 10000);
    CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, char, 5000, "rows", &err));
    CU_ASSERT_EQUAL(err.status, OK);
    taken = arena.taken;
    CU_ASSERT_PTR_NULL(ARENA_NEW(&arena, char, 5000, "rows", &err));
    CU_ASSERT_EQUAL(err.status, E_LIMIT);
    CU_ASSERT_STRING_EQUAL(
        err.text, "the limit of 10000 bytes for this job is reached by rows");
    CU_ASSERT_EQUAL(arena.taken, taken);
    CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, char, 4000, "rows", &err));
    CU_ASSERT(arena.taken <= arena.cap);
    arena_clear(&arena);
    CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, char, 9000, "rows", &err));
    arena_clear(&arena);
    arena_init(&arena, 0);
    CU_ASSERT_PTR_NULL(ARENA_NEW(&arena, char, 1, "rows", &err));
    CU_ASSERT_EQUAL(err.status, E_LIMIT);
}

static void impossible_count_is_a_limit(void)
{
    struct arena arena;

    arena_init(&arena, SIZE_MAX);
    error_init(&err);
    CU_ASSERT_PTR_NULL(
        ARENA_NEW(&arena, uint64_t, SIZE_MAX / 8 + 2, "rows", &err));
    CU_ASSERT_EQUAL(err.status, E_LIMIT);
    CU_ASSERT_PTR_NULL(arena.newest);
    arena_clear(&arena);
}

static void rewind_releases_what_came_after_the_mark(void)
{
    struct arena arena;
    struct arena_mark mark;
    char *kept, *first, *again;
    size_t taken;

    arena_init(&arena, 64u << 20);
    kept = ARENA_NEW(&arena, char, 10, "kept", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
    memset(kept, 'k', 10);
    mark = arena_mark(&arena);
    taken = arena.taken;
    first = ARENA_NEW(&arena, char, 10, "first", &err);
    CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, char, 9 << 20, "large", &err));
    CU_ASSERT_PTR_NOT_NULL(ARENA_NEW(&arena, char, 100, "small", &err));
    CU_ASSERT(arena.taken > taken);
    arena_rewind(&arena, mark);
    CU_ASSERT_EQUAL(arena.taken, taken);
    again = ARENA_NEW(&arena, char, 10, "again", &err);
    CU_ASSERT_PTR_EQUAL(again, first);
    CU_ASSERT_EQUAL(memcmp(kept, "kkkkkkkkkk", 10), 0);
    arena_clear(&arena);
}

static void blocks_stay_few(void)
{
    struct arena arena;
    unsigned blocks = 0;
    void *newest = NULL;

    arena_init(&arena, 64u << 20);
    for (int i = 0; i < 100000; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(
            ARENA_NEW(&arena, char, 64, "a row", &err));
        blocks += newest != (void *)arena.newest;
        newest = arena.newest;
    }
    /* 6.4 MB, with the sanitizer's gaps 8 MB: 4 KiB doubled to 1 MiB are 9
     * blocks and 2 MiB, the others have 1 MiB. */
    CU_ASSERT(blocks <= 9 + 7);
    arena_clear(&arena);
}

#ifdef __SANITIZE_ADDRESS__ /* gcc's word for it; one compiler is enough */
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* Neighbours in one block: only the arena's word tells the sanitizer. */
static int overrun_a_piece(void)
{
    volatile char *piece;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    piece = ARENA_NEW(&arena, char, 16, "a piece", &err);
    if (piece == NULL || ARENA_NEW(&arena, char, 16, "more", &err) == NULL)
        return 0;
    piece[16] = 'x';
    return 0;
}

static int use_a_piece_after_rewind(void)
{
    volatile char *piece;
    struct arena_mark mark;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    if (ARENA_NEW(&arena, char, 16, "before", &err) == NULL)
        return 0;
    mark = arena_mark(&arena);
    piece = ARENA_NEW(&arena, char, 16, "after", &err);
    arena_rewind(&arena, mark);
    piece[0] = 'x';
    return 0;
}

static void sanitizer_sees_misuse_of_pieces(void)
{
    if (!SANITIZED)
        return;
    CU_ASSERT(child_fails(overrun_a_piece));
    CU_ASSERT(child_fails(use_a_piece_after_rewind));
}

static int rewind_to_a_foreign_mark(void)
{
    struct arena one, other;

    arena_init(&one, 1 << 20);
    arena_init(&other, 1 << 20);
    if (ARENA_NEW(&one, char, 1, "c", &err) == NULL ||
        ARENA_NEW(&other, char, 1, "c", &err) == NULL)
        return 1;
    arena_rewind(&one, arena_mark(&other));
    return 0;
}

static int odd_alignment(void)
{
    struct arena arena;

    arena_init(&arena, 1 << 20);
    return arena_allocate(&arena, 1, 1, 3, "c", &err) == NULL;
}

static void misuse_stops_the_program(void)
{
    CU_ASSERT(child_aborts(rewind_to_a_foreign_mark));
    CU_ASSERT(child_aborts(odd_alignment));
}

void suite_arena(void)
{
    static const struct test tests[] = {
        {"an empty arena owns nothing", empty_arena_owns_nothing},
        {"pieces do not touch each other", pieces_do_not_touch_each_other},
        {"types are aligned", types_are_aligned},
        {"zeroed items are zero after a rewind too",
         zeroed_items_are_zero_after_a_rewind_too},
        {"no items are a piece too", no_items_are_a_piece_too},
        {"a string is copied and ended", string_is_copied_and_ended},
        {"the cap is a limit and leaves the arena usable",
         cap_is_a_limit_and_leaves_the_arena_usable},
        {"an impossible count is a limit", impossible_count_is_a_limit},
        {"rewind releases what came after the mark",
         rewind_releases_what_came_after_the_mark},
        {"blocks stay few", blocks_stay_few},
        {"the sanitizer sees misuse of pieces",
         sanitizer_sees_misuse_of_pieces},
        {"misuse stops the program", misuse_stops_the_program},
    };

    suite_add("arena", tests, sizeof tests / sizeof tests[0]);
}
