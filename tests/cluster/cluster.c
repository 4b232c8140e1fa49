#include "tests/cluster/cluster.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/encoding.h"

#define CLOSING_STEPS_MAX 1000

uint64_t cluster_seed, cluster_case;

void cluster_fail(const struct cluster *cluster, const char *format, ...)
{
    va_list args;

    fprintf(stderr,
            "cluster: at %llu ms, after %zu batches: ", cluster->fixture.time,
            cluster->logged);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr,
            "\ncluster: again with: make cluster SEED=%" PRIu64 " CASE=%" PRIu64
            "\n",
            cluster_seed, cluster_case);
    exit(1);
}

/* ---- what the nodes do -----------------------------------------------------
 */

static uint64_t batch_of(const struct server *server, struct bytes bytes)
{
    uint64_t batch;

    if (bytes.size != 8)
        cluster_fail(server->cluster, "server %u applies %zu bytes",
                     server->number, bytes.size);
    batch = get_be64(bytes.data);
    if (batch >= server->cluster->proposed)
        cluster_fail(server->cluster, "server %u applies what nobody proposed",
                     server->number);
    return batch;
}

static void on_apply(void *context, uint64_t index, struct bytes bytes)
{
    struct server *server = context;
    struct cluster *cluster = server->cluster;
    uint64_t batch = batch_of(server, bytes);
    size_t place = server->applied++;

    if (index <= server->last_index)
        cluster_fail(cluster,
                     "server %u goes from index %" PRIu64 " to %" PRIu64,
                     server->number, server->last_index, index);
    server->last_index = index;
    if (cluster->fate[batch] == FATE_REFUSED)
        cluster_fail(cluster, "server %u applies a batch that was refused",
                     server->number);
    if (place < cluster->logged) {
        if (cluster->log[place].batch != batch ||
            cluster->log[place].index != index)
            cluster_fail(cluster,
                         "server %u applies batch %" PRIu64
                         " at place %zu, another one had %" PRIu64,
                         server->number, batch, place,
                         cluster->log[place].batch);
        return;
    }
    if (cluster->is_logged[batch])
        cluster_fail(cluster, "batch %" PRIu64 " is applied twice", batch);
    cluster->is_logged[batch] = true;
    cluster->log[place].batch = batch;
    cluster->log[place].index = index;
    cluster->logged = place + 1;
}

static void on_changed(void *context, const struct replica_status *status)
{
    const struct server *server = context;
    struct cluster *cluster = server->cluster;
    size_t acknowledged = 0;

    if (status->state != REPLICA_LEADER)
        return;
    cluster->elections++;
    assert(status->term < CLUSTER_TERMS_MAX);
    for (uint64_t term = 0; term <= status->term; term++)
        if (acknowledged < cluster->acknowledged[term])
            acknowledged = cluster->acknowledged[term];
    if (server->applied < acknowledged)
        cluster_fail(cluster,
                     "server %u is ready to lead with %zu of %zu acknowledged "
                     "batches",
                     server->number, server->applied, acknowledged);
}

/* What was executed is durable now and then. */
static enum status on_snapshot(void *context, uint64_t index,
                               struct text *manifest, struct error *err)
{
    const struct server *server = context;
    struct cluster *cluster = server->cluster;
    uint8_t bytes[16];

    if (random_below(cluster->random, 2) == 0)
        return error_set(err, E_NO, "not durable yet");
    if (index < server->last_index)
        cluster_fail(cluster,
                     "server %u is asked for a snapshot at %" PRIu64
                     " after it has applied %" PRIu64,
                     server->number, index, server->last_index);
    put_be64(bytes, server->applied);
    put_be64(bytes + 8, server->last_index);
    cluster->snapshots++;
    return text_append(manifest, bytes, sizeof bytes, err);
}

static enum status on_restore(void *context, uint64_t index,
                              struct bytes manifest, struct error *err)
{
    struct server *server = context;
    struct cluster *cluster = server->cluster;
    uint64_t place, last;

    (void)err;
    if (manifest.size != 16)
        cluster_fail(cluster, "server %u gets a manifest of %zu bytes",
                     server->number, manifest.size);
    place = get_be64(manifest.data);
    last = get_be64(manifest.data + 8);
    if (place < server->applied || place > cluster->logged || last > index ||
        (place > 0 && cluster->log[place - 1].index != last))
        cluster_fail(cluster,
                     "server %u gets a snapshot at %" PRIu64
                     " that is none of this log",
                     server->number, index);
    server->applied = place;
    server->last_index = last;
    cluster->installed++;
    return OK;
}

/* A proposal without an answer. */
struct asked {
    struct server *server;
    uint64_t batch;
};

static void acknowledge(struct server *server, uint64_t batch, uint64_t index)
{
    struct cluster *cluster = server->cluster;
    uint64_t term = machine_status(&server->machine).term;
    size_t place = cluster->logged;

    while (place > 0 && cluster->log[place - 1].batch != batch)
        place--;
    if (place == 0 || place > server->applied ||
        cluster->log[place - 1].index != index)
        cluster_fail(cluster,
                     "server %u acknowledges batch %" PRIu64
                     " at index %" PRIu64
                     ": it has applied %zu batches, that one %s",
                     server->number, batch, index, server->applied,
                     place == 0 ? "never" : "elsewhere");
    assert(term < CLUSTER_TERMS_MAX);
    if (cluster->acknowledged[term] < place)
        cluster->acknowledged[term] = place;
}

static void on_done(void *context, enum replica_outcome outcome, uint64_t index)
{
    struct asked *asked = context;
    struct cluster *cluster = asked->server->cluster;
    enum fate *fate = &cluster->fate[asked->batch];

    if (*fate != FATE_OPEN)
        cluster_fail(cluster, "batch %" PRIu64 " is answered twice",
                     asked->batch);
    if (outcome == REPLICA_COMMITTED) {
        acknowledge(asked->server, asked->batch, index);
        *fate = FATE_COMMITTED;
        cluster->committed++;
    } else {
        *fate = FATE_UNKNOWN;
        cluster->unknown++;
    }
    free(asked);
}

void cluster_propose(struct cluster *cluster, unsigned number)
{
    struct server *server = &cluster->server[number];
    struct asked *asked = malloc(sizeof *asked);
    uint8_t bytes[8];
    struct error err;
    enum status status;

    assert(asked != NULL && cluster->proposed < CLUSTER_BATCHES_MAX);
    *asked = (struct asked){server, cluster->proposed++};
    put_be64(bytes, asked->batch);
    status = machine_propose(&server->machine, bytes_of(bytes, sizeof bytes),
                             on_done, asked, &err);
    if (status == OK)
        return;
    if (status != E_SYSTEM)
        cluster_fail(cluster, "proposing failed: %s", err.text);
    cluster->fate[asked->batch] = FATE_REFUSED;
    cluster->refused++;
    free(asked);
}

/* ---- what happens to them --------------------------------------------------
 */

static void check(bool went_well, const char *what)
{
    if (went_well)
        return;
    fprintf(stderr, "cluster: %s failed\n", what);
    exit(2);
}

/* Half of it, in KiB, is the room that the fixture's disks say they have. */
#define SEGMENT_SIZE (8u << 20)

/* Few enough entries that a node misses snapshots in the time that it hangs. */
#define SNAPSHOT_EVERY_MAX 12

/* libraft's messages about what it does; nobody could read them all. */
static void say_nothing(struct raft_tracer *tracer, int type, const void *info)
{
    (void)tracer;
    (void)type;
    (void)info;
}

static struct raft_tracer silence = {.version = 2, .emit = say_nothing};

static void set_up(struct server *server, struct raft *raft)
{
    const struct replica_settings settings = {
        .election_ms = 1000,
        .snapshot_every = server->cluster->snapshot_every,
        .segment_size = SEGMENT_SIZE};

    server->machine.raft = raft;
    raft->tracer = &silence;
    /* A new start finds the io as it was before the first. */
    if (server->io.version == 0)
        server->io = *raft->io;
    raft->io->start = server->io.start;
    raft->io->send = server->io.send;
    disk_attach(&server->disk, raft->io);
    machine_attach(&server->machine, raft->io);
    machine_configure(&server->machine, &settings);
}

void cluster_open(struct cluster *cluster, unsigned count,
                  struct random *random)
{
    struct raft_configuration configuration;

    *cluster = (struct cluster){.count = count, .random = random};
    cluster->snapshot_every =
        1 + (unsigned)random_below(random, SNAPSHOT_EVERY_MAX);
    check(raft_fixture_initialize(&cluster->fixture) == 0, "the fixture");
    for (unsigned i = 0; i < count; i++) {
        struct server *server = &cluster->server[i];
        const struct replica_callbacks callbacks = {
            on_apply, on_changed, on_snapshot, on_restore, server};

        server->cluster = cluster;
        server->number = i;
        disk_open(&server->disk, &cluster->fixture.time);
        machine_init(&server->machine, NULL, &callbacks);
        check(raft_fixture_grow(&cluster->fixture, &server->machine.fsm) == 0,
              "growing");
        set_up(server, raft_fixture_get(&cluster->fixture, i));
    }
    check(raft_fixture_configuration(&cluster->fixture, count,
                                     &configuration) == 0 &&
              raft_fixture_bootstrap(&cluster->fixture, &configuration) == 0 &&
              raft_fixture_start(&cluster->fixture) == 0,
          "the start");
    raft_configuration_close(&configuration);
}

static void check_leaders(struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++) {
        struct raft *raft = cluster->server[i].machine.raft;
        raft_term term = raft_current_term(raft);

        if (raft_state(raft) != RAFT_LEADER)
            continue;
        assert(term < CLUSTER_TERMS_MAX);
        if (cluster->leader[term] != 0 && cluster->leader[term] != i + 1)
            cluster_fail(cluster, "term %llu has two leaders", term);
        cluster->leader[term] = i + 1;
    }
}

void cluster_step(struct cluster *cluster)
{
    raft_fixture_step(&cluster->fixture);
    for (unsigned i = 0; i < cluster->count; i++) {
        struct server *server = &cluster->server[i];

        if (server->is_down)
            continue;
        disk_turn(&server->disk);
        machine_watch(&server->machine);
    }
    check_leaders(cluster);
}

static bool is_idle(const struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++)
        if (cluster->server[i].disk.oldest != NULL)
            return false;
    return true;
}

void cluster_close(struct cluster *cluster)
{
    /* What a disk answers to the end is sent into a network that is gone. */
    for (unsigned i = 0; i < CLOSING_STEPS_MAX && !is_idle(cluster); i++)
        cluster_step(cluster);
    for (unsigned i = 0; i < cluster->count; i++)
        cluster->server[i].machine.is_closing = true;
    raft_fixture_close(&cluster->fixture);
    for (unsigned i = 0; i < cluster->count; i++)
        disk_close(&cluster->server[i].disk);
    for (uint64_t i = 0; i < cluster->proposed; i++)
        if (cluster->fate[i] == FATE_OPEN)
            cluster_fail(cluster, "batch %" PRIu64 " was never answered", i);
}

unsigned cluster_leader(const struct cluster *cluster)
{
    unsigned found = cluster->count;
    uint64_t term = 0;

    for (unsigned i = 0; i < cluster->count; i++) {
        struct replica_status status =
            machine_status(&cluster->server[i].machine);

        if (cluster->server[i].is_down || status.state != REPLICA_LEADER ||
            status.term < term)
            continue;
        term = status.term;
        found = i;
    }
    return found;
}

/* The fixture's own kill and revive change what is cut. */
static void lay_cables(struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++)
        for (unsigned k = 0; k < cluster->count; k++) {
            if (i == k)
                continue;
            if (cluster->cut[i][k] || cluster->server[i].is_down ||
                cluster->server[k].is_down)
                raft_fixture_saturate(&cluster->fixture, i, k);
            else
                raft_fixture_desaturate(&cluster->fixture, i, k);
        }
}

void cluster_cut(struct cluster *cluster, unsigned from, unsigned to,
                 bool is_cut)
{
    if (from != to)
        cluster->cut[from][to] = is_cut;
    lay_cables(cluster);
}

void cluster_stop(struct cluster *cluster, unsigned number)
{
    struct server *server = &cluster->server[number];

    assert(!server->is_down);
    raft_fixture_kill(&cluster->fixture, number);
    server->is_down = true;
    server->down_since = raft_fixture_time(&cluster->fixture);
    lay_cables(cluster);
}

void cluster_crash(struct cluster *cluster, unsigned number)
{
    struct server *server = &cluster->server[number];

    if (!server->is_down)
        cluster_stop(cluster, number);
    if (!server->has_crashed)
        disk_crash(&server->disk, cluster->random);
    server->has_crashed = true;
}

/* The fixture answers what the old life has sent as soon as time passes. */
static void start_again(struct server *server)
{
    struct raft *raft = server->machine.raft;
    const struct replica_callbacks callbacks = server->machine.callbacks;
    struct raft_io *io = raft->io;
    char address[16];

    server->machine.is_closing = true;
    raft_close(raft, NULL);
    server->applied = 0;
    server->last_index = 0;
    machine_init(&server->machine, raft, &callbacks);
    /* As a process that starts has it: raft_init does not set all of it. */
    *raft = (struct raft){0};
    snprintf(address, sizeof address, "%u", server->number + 1);
    check(raft_init(raft, io, &server->machine.fsm, server->number + 1,
                    address) == 0,
          "a new start");
    set_up(server, raft);
    check(raft_start(raft) == 0, "a new start");
}

bool cluster_revive(struct cluster *cluster, unsigned number)
{
    struct server *server = &cluster->server[number];

    assert(server->is_down);
    if (raft_fixture_time(&cluster->fixture) <= server->down_since)
        return false;
    if (server->has_crashed)
        start_again(server);
    server->has_crashed = false;
    raft_fixture_revive(&cluster->fixture, number);
    server->is_down = false;
    lay_cables(cluster);
    return true;
}

bool cluster_is_even(const struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++)
        if (cluster->server[i].applied != cluster->logged)
            return false;
    return true;
}
