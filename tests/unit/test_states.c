#include "common/states.h"

#include <stddef.h>

#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_states(void);

#define DOOR_STATES(X)                                                         \
    X(DOOR_OPEN, "open", STATES_TO(DOOR_SHUT) | STATES_TO(DOOR_BROKEN))        \
    X(DOOR_SHUT, "shut", STATES_TO(DOOR_OPEN) | STATES_TO(DOOR_LOCKED))        \
    X(DOOR_LOCKED, "locked", STATES_TO(DOOR_SHUT))                             \
    X(DOOR_BROKEN, "broken", 0)

enum door_state { DOOR_STATES(STATES_ENUM) };

static const struct states_row door_rows[] = {DOOR_STATES(STATES_ROW)};
static const struct states_table door_table = STATES_TABLE("door", door_rows);

static void life_follows_its_table(void)
{
    struct states door;

    states_init(&door, &door_table, DOOR_OPEN, NULL, NULL);
    CU_ASSERT_EQUAL(door.now, DOOR_OPEN);
    CU_ASSERT_STRING_EQUAL(states_name(&door), "open");
    states_move(&door, DOOR_SHUT);
    states_move(&door, DOOR_LOCKED);
    CU_ASSERT_STRING_EQUAL(states_name(&door), "locked");
    states_move(&door, DOOR_SHUT);
    states_move(&door, DOOR_OPEN);
    CU_ASSERT(!states_final(&door));
    states_move(&door, DOOR_BROKEN);
    CU_ASSERT(states_final(&door));
}

/* Every pair of states against a matrix written by hand. */
static void only_moves_of_the_table_are_allowed(void)
{
    static const bool allowed[4][4] = {
        /* to open, shut, locked, broken */
        {false, true, false, true},
        {true, false, true, false},
        {false, true, false, false},
        {false, false, false, false},
    };
    struct states door;

    for (unsigned from = 0; from < 4; from++) {
        states_init(&door, &door_table, from, NULL, NULL);
        for (unsigned to = 0; to < 4; to++)
            CU_ASSERT_EQUAL(states_may_move(&door, to), allowed[from][to]);
        CU_ASSERT(!states_may_move(&door, 4));
        CU_ASSERT(!states_may_move(&door, 1000));
    }
}

struct seen {
    unsigned count, from, to;
};

static void see(const struct states *states, unsigned from, void *context)
{
    struct seen *seen = context;

    seen->count++;
    seen->from = from;
    seen->to = states->now;
}

static void watcher_is_told_of_each_move(void)
{
    struct seen seen = {0, 99, 99};
    struct states door;

    states_init(&door, &door_table, DOOR_SHUT, see, &seen);
    CU_ASSERT_EQUAL(seen.count, 0);
    states_move(&door, DOOR_LOCKED);
    CU_ASSERT(seen.count == 1 && seen.from == DOOR_SHUT &&
              seen.to == DOOR_LOCKED);
    states_move(&door, DOOR_SHUT);
    CU_ASSERT(seen.count == 2 && seen.from == DOOR_LOCKED &&
              seen.to == DOOR_SHUT);
}

static int skip_a_step(void)
{
    struct states door;

    states_init(&door, &door_table, DOOR_OPEN, NULL, NULL);
    states_move(&door, DOOR_LOCKED);
    return 0;
}

static int leave_the_end(void)
{
    struct states door;

    states_init(&door, &door_table, DOOR_BROKEN, NULL, NULL);
    states_move(&door, DOOR_OPEN);
    return 0;
}

static int move_to_no_state(void)
{
    struct states door;

    states_init(&door, &door_table, DOOR_OPEN, NULL, NULL);
    states_move(&door, 33); /* 1 << 33 would wrap to that of state 1 */
    return 0;
}

static int begin_with_a_move_to_nowhere(void)
{
    static const struct states_row rows[] = {{"only", STATES_TO(1)}};
    static const struct states_table table = STATES_TABLE("broken", rows);
    struct states states;

    states_init(&states, &table, 0, NULL, NULL);
    return 0;
}

static int begin_with_a_nameless_state(void)
{
    static const struct states_row rows[] = {{NULL, 0}};
    static const struct states_table table = STATES_TABLE("broken", rows);
    struct states states;

    states_init(&states, &table, 0, NULL, NULL);
    return 0;
}

static int begin_nowhere(void)
{
    struct states door;

    states_init(&door, &door_table, 4, NULL, NULL);
    return 0;
}

static void other_moves_stop_the_program(void)
{
    CU_ASSERT(child_aborts(skip_a_step));
    CU_ASSERT(child_aborts(leave_the_end));
    CU_ASSERT(child_aborts(move_to_no_state));
}

static void unsound_tables_stop_the_program(void)
{
    CU_ASSERT(child_aborts(begin_with_a_move_to_nowhere));
    CU_ASSERT(child_aborts(begin_with_a_nameless_state));
    CU_ASSERT(child_aborts(begin_nowhere));
}

void suite_states(void)
{
    static const struct test tests[] = {
        {"a life follows its table", life_follows_its_table},
        {"only moves of the table are allowed",
         only_moves_of_the_table_are_allowed},
        {"a watcher is told of each move", watcher_is_told_of_each_move},
        {"other moves stop the program", other_moves_stop_the_program},
        {"unsound tables stop the program", unsound_tables_stop_the_program},
    };

    suite_add("states", tests, sizeof tests / sizeof tests[0]);
}
