#include "tests/cluster/schedule.h"

#include <inttypes.h>
#include <stdio.h>

#define FAULTS_MS_MIN 8000
#define FAULTS_MS_SPREAD 12000
#define FAULT_EVERY_MS 700
#define BATCH_EVERY_MS 80

/* Of a server that is well. */
#define DISK_MS 10
#define NETWORK_MS 15
#define CAPACITY_KB 4096

/* Kind, weight among all. */
#define FAULT_TABLE(X)                                                         \
    X(PARTITION, 3)                                                            \
    X(ISOLATION, 2)                                                            \
    X(ONE_WAY, 4)                                                              \
    X(LOSS, 6)                                                                 \
    X(HEALING, 6)                                                              \
    X(DISCONNECTION, 3)                                                        \
    X(SLOW_NETWORK, 4)                                                         \
    X(SLOW_DISK, 4)                                                            \
    X(FULL_DISK, 2)                                                            \
    X(FREE_DISK, 3)                                                            \
    X(HANGING, 3)                                                              \
    X(CRASH, 4)                                                                \
    X(REVIVAL, 5)                                                              \
    X(TIMEOUTS, 6)

enum fault {
#define FAULT_ENUM(id, weight) id,
    FAULT_TABLE(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_COUNT
};

static const unsigned weights[] = {
#define FAULT_WEIGHT(id, weight) weight,
    FAULT_TABLE(FAULT_WEIGHT)
#undef FAULT_WEIGHT
};

static const char *const names[] = {
#define FAULT_NAME(id, weight) #id,
    FAULT_TABLE(FAULT_NAME)
#undef FAULT_NAME
};

static uint64_t happened[FAULT_COUNT];

static unsigned below(struct random *random, unsigned bound)
{
    return (unsigned)random_below(random, bound);
}

static enum fault draw(struct random *random)
{
    unsigned total = 0, mark;
    enum fault fault = 0;

    for (unsigned i = 0; i < FAULT_COUNT; i++)
        total += weights[i];
    for (mark = below(random, total); mark >= weights[fault]; fault++)
        mark -= weights[fault];
    return fault;
}

/* ---- faults ----------------------------------------------------------------
 */

static void heal(struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++)
        for (unsigned k = 0; k < cluster->count; k++) {
            cluster_cut(cluster, i, k, false);
            if (i != k)
                raft_fixture_reconnect(&cluster->fixture, i, k);
        }
}

static void divide(struct cluster *cluster, struct random *random)
{
    unsigned side = below(random, 1u << cluster->count);

    for (unsigned i = 0; i < cluster->count; i++)
        for (unsigned k = 0; k < cluster->count; k++)
            cluster_cut(cluster, i, k, (side >> i & 1) != (side >> k & 1));
}

static void isolate(struct cluster *cluster, unsigned number)
{
    for (unsigned i = 0; i < cluster->count; i++) {
        cluster_cut(cluster, i, number, true);
        cluster_cut(cluster, number, i, true);
    }
}

/* Some ways lose everything, until the next such event. */
static void lose(struct cluster *cluster, struct random *random)
{
    for (unsigned i = 0; i < cluster->count; i++)
        for (unsigned k = 0; k < cluster->count; k++)
            cluster_cut(cluster, i, k, below(random, 4) == 0);
}

/* Mostly a little, now and then much. */
static unsigned draw_ms(struct random *random, unsigned little, unsigned much)
{
    return 1 + below(random, below(random, 4) == 0 ? much : little);
}

static void set_disk(struct cluster *cluster, unsigned number, unsigned ms,
                     bool is_full)
{
    struct server *server = &cluster->server[number];

    server->disk.latency_ms = ms;
    server->disk.is_full = is_full;
    server->machine.raft->io->capacity = is_full ? 0 : CAPACITY_KB;
}

static void set_timeouts(struct cluster *cluster, struct random *random)
{
    for (unsigned i = 0; i < cluster->count; i++)
        raft_fixture_set_randomized_election_timeout(
            &cluster->fixture, i, 1000 + below(random, 1000));
}

static void inflict(struct cluster *cluster, struct random *random,
                    enum fault fault, unsigned one)
{
    unsigned other =
        (one + 1 + below(random, cluster->count - 1)) % cluster->count;

    switch (fault) {
    case PARTITION:
        divide(cluster, random);
        break;
    case ISOLATION:
        isolate(cluster, one);
        break;
    case ONE_WAY:
        cluster_cut(cluster, one, other, true);
        break;
    case LOSS:
        lose(cluster, random);
        break;
    case HEALING:
        heal(cluster);
        break;
    case DISCONNECTION:
        raft_fixture_disconnect(&cluster->fixture, one, other);
        break;
    case SLOW_NETWORK:
        raft_fixture_set_network_latency(&cluster->fixture, one,
                                         draw_ms(random, 60, 800));
        break;
    case SLOW_DISK:
        set_disk(cluster, one, draw_ms(random, 100, 2000), false);
        break;
    case FULL_DISK:
        set_disk(cluster, one, DISK_MS, true);
        break;
    case FREE_DISK:
        set_disk(cluster, one, DISK_MS, false);
        break;
    case HANGING:
        if (!cluster->server[one].is_down)
            cluster_stop(cluster, one);
        break;
    case CRASH:
        cluster_crash(cluster, one);
        break;
    case REVIVAL:
        if (cluster->server[one].is_down)
            (void)cluster_revive(cluster, one);
        break;
    case TIMEOUTS:
        set_timeouts(cluster, random);
        break;
    case FAULT_COUNT:
        break;
    }
}

static void strike(struct cluster *cluster, struct random *random)
{
    enum fault fault = draw(random);
    unsigned one = below(random, cluster->count);
    unsigned leader = cluster_leader(cluster);

    /* Whoever leads is hit more often than by chance. */
    if (leader < cluster->count && below(random, 3) == 0)
        one = leader;
    happened[fault]++;
    inflict(cluster, random, fault, one);
}

/* ---- a life ----------------------------------------------------------------
 */

static void propose_somewhere(struct cluster *cluster, struct random *random)
{
    unsigned number = cluster_leader(cluster);

    /* The last ones are kept for the end. */
    if (cluster->proposed >= CLUSTER_BATCHES_MAX / 2)
        return;
    if (number == cluster->count || below(random, 8) == 0)
        number = below(random, cluster->count);
    if (!cluster->server[number].is_down)
        cluster_propose(cluster, number);
}

static void mend(struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++) {
        while (cluster->server[i].is_down && !cluster_revive(cluster, i))
            cluster_step(cluster);
        set_disk(cluster, i, DISK_MS, false);
        raft_fixture_set_network_latency(&cluster->fixture, i, NETWORK_MS);
        raft_fixture_set_randomized_election_timeout(&cluster->fixture, i,
                                                     1000 + i * 200);
    }
    heal(cluster);
}

/* A batch gets through, and all are even. */
static void expect_life(struct cluster *cluster)
{
    raft_time end = raft_fixture_time(&cluster->fixture) + SCHEDULE_HEALING_MS;
    raft_time next = 0;
    uint64_t before = cluster->committed;

    while (cluster->committed == before || !cluster_is_even(cluster)) {
        raft_time now = raft_fixture_time(&cluster->fixture);
        unsigned leader = cluster_leader(cluster);

        if (now >= end)
            cluster_fail(cluster,
                         "%d ms after everything was mended: %" PRIu64
                         " batches committed since, nodes %seven",
                         SCHEDULE_HEALING_MS, cluster->committed - before,
                         cluster_is_even(cluster) ? "" : "un");
        if (now >= next && leader < cluster->count &&
            cluster->committed == before) {
            cluster_propose(cluster, leader);
            next = now + 1000;
        }
        cluster_step(cluster);
    }
}

void schedule_run(struct cluster *cluster, struct random *random)
{
    raft_time end, next_fault = 1500, next_batch = 0;

    set_timeouts(cluster, random);
    end = FAULTS_MS_MIN + below(random, FAULTS_MS_SPREAD);
    while (raft_fixture_time(&cluster->fixture) < end) {
        raft_time now = raft_fixture_time(&cluster->fixture);

        if (now >= next_fault) {
            strike(cluster, random);
            next_fault = now + 1 + below(random, FAULT_EVERY_MS);
        }
        if (now >= next_batch) {
            propose_somewhere(cluster, random);
            next_batch = now + 1 + below(random, BATCH_EVERY_MS);
        }
        cluster_step(cluster);
    }
    mend(cluster);
    expect_life(cluster);
}

void schedule_print(void)
{
    for (unsigned i = 0; i < FAULT_COUNT; i++)
        printf("%s%s %" PRIu64, i > 0 ? ", " : "cluster: ", names[i],
               happened[i]);
    printf("\n");
}
