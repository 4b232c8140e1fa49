/*
 * tests/cluster/schedule.h - a random life of a cluster: what fails, when, and
 * who proposes meanwhile.
 */
#ifndef TESTS_CLUSTER_SCHEDULE_H
#define TESTS_CLUSTER_SCHEDULE_H

#include "common/random.h"
#include "tests/cluster/cluster.h"

/* An election takes at most 2 s if it succeeds at once.  Several in a row may
 * fail, and what a slow disk was given before has to be written. */
#define SCHEDULE_HEALING_MS 30000

/* Some seconds of faults; then everything is mended, and within
 * SCHEDULE_HEALING_MS a batch must be committed and all nodes be even. */
void schedule_run(struct cluster *cluster, struct random *random);

/* How often each kind of fault was made to happen, over all schedules. */
void schedule_print(void);

#endif
