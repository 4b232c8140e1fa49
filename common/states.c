#include "common/states.h"

#include <assert.h>
#include <stddef.h>

void states_init(struct states *states, const struct states_table *table,
                 unsigned first, states_watch *watch, void *context)
{
    assert(table->kind != NULL);
    assert(table->count > 0 && table->count <= STATES_COUNT_MAX);
    assert(first < table->count);
    for (unsigned i = 0; i < table->count; i++) {
        assert(table->row[i].name != NULL);
        assert((uint64_t)table->row[i].moves >> table->count == 0);
    }
    *states = (struct states){table, first, watch, context};
}

bool states_may_move(const struct states *states, unsigned to)
{
    return to < states->table->count &&
           (states->table->row[states->now].moves & STATES_TO(to)) != 0;
}

void states_move(struct states *states, unsigned to)
{
    unsigned from = states->now;

    assert(states_may_move(states, to));
    states->now = to;
    if (states->watch != NULL)
        states->watch(states, from, states->context);
}

bool states_final(const struct states *states)
{
    return states->table->row[states->now].moves == 0;
}

const char *states_name(const struct states *states)
{
    return states->table->row[states->now].name;
}
