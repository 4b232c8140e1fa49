#include "common/turn.h"

#include "common/team.h"
#include "tests/lib/suite.h"

void suite_turn(void);

#define PIECES 2000

struct work {
    struct turn turn;
    uint64_t order[PIECES]; /* in which turns came */
    uint64_t done;
    uint64_t stop_at; /* this piece fails */
};

static void member(void *context, unsigned index)
{
    struct work *work = context;
    uint64_t number;

    (void)index;
    while ((number = turn_take(&work->turn)) < PIECES) {
        if (number == work->stop_at) {
            turn_stop(&work->turn);
            return;
        }
        if (!turn_wait(&work->turn, number))
            return;
        work->order[work->done++] = number;
        turn_pass(&work->turn);
    }
}

static void turns_come_in_order(void)
{
    static struct work work;
    uint64_t wrong = 0;

    work = (struct work){.stop_at = UINT64_MAX};
    turn_init(&work.turn);
    team_run(4, member, &work);
    turn_clear(&work.turn);
    CU_ASSERT_EQUAL(work.done, PIECES);
    for (uint64_t i = 0; i < PIECES; i++)
        wrong += work.order[i] != i;
    CU_ASSERT_EQUAL(wrong, 0);
}

static void stopping_ends_all(void)
{
    static struct work work;
    uint64_t wrong = 0;

    work = (struct work){.stop_at = 700};
    turn_init(&work.turn);
    team_run(4, member, &work);
    turn_clear(&work.turn);
    /* Those before it may have been stopped too; none behind had its turn. */
    CU_ASSERT(work.done <= 700);
    for (uint64_t i = 0; i < work.done; i++)
        wrong += work.order[i] != i;
    CU_ASSERT_EQUAL(wrong, 0);
}

static void count_member(void *context, unsigned index)
{
    ((unsigned *)context)[index]++;
}

static void team_has_so_many_members(void)
{
    unsigned called[5] = {0};

    team_run(1, count_member, called);
    CU_ASSERT(called[0] == 1 && called[1] == 0);
    team_run(4, count_member, called);
    CU_ASSERT(called[0] == 2 && called[1] == 1 && called[2] == 1);
    CU_ASSERT(called[3] == 1 && called[4] == 0);
}

void suite_turn(void)
{
    static const struct test tests[] = {
        {"turns come in the order of numbers, whoever is first",
         turns_come_in_order},
        {"who stops them lets nobody wait", stopping_ends_all},
        {"a team has so many members", team_has_so_many_members},
    };

    suite_add("turn", tests, sizeof tests / sizeof *tests);
}
