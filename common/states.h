/*
 * common/states.h - a life as a table of states with allowed moves.
 *
 * One X-macro table per kind of life gives the state's name for people and the
 * states that may follow:
 *
 *     #define JOB_STATES(X)                                               \
 *         X(JOB_READ, "read", STATES_TO(JOB_WRITE) | STATES_TO(JOB_FAILED)) \
 *         X(JOB_WRITE, "write", STATES_TO(JOB_DONE) | STATES_TO(JOB_FAILED)) \
 *         X(JOB_DONE, "done", 0)                                          \
 *         X(JOB_FAILED, "failed", 0)
 *
 *     enum job_state { JOB_STATES(STATES_ENUM) };
 *     static const struct states_row rows[] = { JOB_STATES(STATES_ROW) };
 *     static const struct states_table job_table = STATES_TABLE("job", rows);
 *
 * A move that the table does not allow is a mistake of ours and stops the
 * program: better no release than one that skipped a step.
 */
#ifndef COMMON_STATES_H
#define COMMON_STATES_H

#include <stdbool.h>
#include <stdint.h>

/* A set of states is a bit mask, so a table has at most 32. */
#define STATES_COUNT_MAX 32
#define STATES_TO(id) (UINT32_C(1) << (id))

#define STATES_ENUM(id, name, moves) id,
#define STATES_ROW(id, name, moves) [id] = {name, moves},
#define STATES_TABLE(kind, rows)                                               \
    {                                                                          \
        (kind), (rows), sizeof(rows) / sizeof(rows)[0]                         \
    }

struct states_row {
    const char *name;
    uint32_t moves; /* the states that may follow; 0: the end */
};

struct states_table {
    const char *kind; /* "job", for messages */
    const struct states_row *row;
    unsigned count;
};

struct states;

/* Told of each move after it was made. */
typedef void states_watch(const struct states *states, unsigned from,
                          void *context);

/* One life.  A plain value: nothing to release. */
struct states {
    const struct states_table *table;
    unsigned now;
    states_watch *watch; /* may be NULL */
    void *context;
};

/* Begin in state `first`.  Asserts that the table is sound: names given, moves
 * only to states that it has. */
void states_init(struct states *states, const struct states_table *table,
                 unsigned first, states_watch *watch, void *context);

/* Asserts that the table allows it. */
void states_move(struct states *states, unsigned to);

bool states_may_move(const struct states *states, unsigned to);

/* Is this the end? */
bool states_final(const struct states *states);

/* The present state's name. */
const char *states_name(const struct states *states);

#endif
