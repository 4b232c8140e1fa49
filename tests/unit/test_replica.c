/*
 * Three nodes in one process and loop, over TLS on the loopback and with real
 * files; times are real, so each test waits for what it expects, with an end.
 */
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "common/digest.h"
#include "common/encoding.h"
#include "common/files.h"
#include "common/log.h"
#include "ledger/replica.h"
#include "ledger/replica_internal.h"
#include "ledger/transport.h"
#include "tests/lib/certified.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_replica(void);

#define NODES 3
#define BATCHES_MAX 4096
#define WORLD_MS UINT64_C(30000)
#define SEGMENT_SIZE (256u << 10)

struct world;

struct node {
    struct world *world;
    uint64_t id;
    char address[32];
    struct replica *replica;
    bool is_closed;
    enum replica_state state;
    uint64_t batch[BATCHES_MAX]; /* as executed */
    size_t executed;
    uint64_t index; /* of the last */
    unsigned restored;
    bool is_refusing; /* snapshots */
};

struct world {
    uv_loop_t loop;
    struct scratch scratch;
    struct certified certified;
    struct node node[NODES];
    unsigned snapshot_every;
    uint64_t proposed, committed, unknown;
    bool has_expired; /* the patience */
};

/* ---- what the nodes do ---- */

/* Like the executor: what it has, it skips. */
static void on_apply(void *context, uint64_t index, struct bytes batch)
{
    struct node *node = context;

    if (index <= node->index)
        return;
    CU_ASSERT_EQUAL_FATAL(batch.size % 8, 0);
    CU_ASSERT_TRUE_FATAL(node->executed < BATCHES_MAX);
    node->index = index;
    node->batch[node->executed++] = get_be64(batch.data);
}

static void on_changed(void *context, const struct replica_status *status)
{
    struct node *node = context;

    node->state = status->state;
}

/* Executed at once, so durable at once. */
static enum status on_snapshot(void *context, uint64_t index,
                               struct text *manifest, struct error *err)
{
    const struct node *node = context;
    uint8_t bytes[9];

    (void)index;
    put_be64(bytes, node->executed);
    bytes[8] = (uint8_t)node->id; /* an odd size */
    return text_append(manifest, bytes, sizeof bytes, err);
}

/* Pulls what it lacks from the node that has taken the snapshot. */
static enum status on_restore(void *context, uint64_t index,
                              struct bytes manifest, struct error *err)
{
    struct node *node = context;
    const struct node *source;
    uint64_t executed;

    if (manifest.size != 9 || manifest.data[8] < 1 || manifest.data[8] > NODES)
        return error_set(err, E_INPUT, "no manifest");
    if (node->is_refusing)
        return error_set(err, E_INPUT, "of no use");
    executed = get_be64(manifest.data);
    source = &node->world->node[manifest.data[8] - 1];
    node->restored++;
    if (executed <= node->executed)
        return OK;
    memcpy(node->batch, source->batch, executed * sizeof *node->batch);
    node->executed = executed;
    node->index = index;
    return OK;
}

static enum status open_node(struct world *world, size_t i, bool is_founding,
                             struct error *err)
{
    struct node *node = &world->node[i];
    const struct replica_callbacks callbacks = {on_apply, on_changed,
                                                on_snapshot, on_restore, node};
    struct replica_peer founders[NODES];
    char name[32];
    struct transport_options transport_options = {
        .loop = &world->loop,
        .credentials = certified_credentials(&world->certified, node->id),
        .is_member = certified_is_member,
        .context = &world->certified};
    struct replica_options options = {.loop = &world->loop,
                                      .id = node->id,
                                      .address = node->address,
                                      .executed = node->index,
                                      .snapshot_every = world->snapshot_every,
                                      .segment_size = SEGMENT_SIZE};
    struct transport *transport = NULL;

    for (size_t k = 0; k < NODES; k++)
        founders[k] =
            (struct replica_peer){world->node[k].id, world->node[k].address};
    if (is_founding) {
        options.founders = founders;
        options.founder_count = NODES;
    }
    snprintf(name, sizeof name, "raft%zu", i);
    options.folder = scratch_path(&world->scratch, name);
    (void)mkdir(options.folder, 0700);
    CU_ASSERT_EQUAL_FATAL(transport_create(&transport, &transport_options, err),
                          OK);
    return replica_open(&node->replica, &transport, &options, &callbacks, err);
}

static void start(struct world *world, size_t i, bool is_founding)
{
    struct error err;
    enum status status;

    error_init(&err);
    status = open_node(world, i, is_founding, &err);
    if (status != OK)
        fprintf(stderr, "%s\n", err.text);
    CU_ASSERT_EQUAL_FATAL(status, OK);
}

/* ---- waiting ---- */

static void on_expired(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Turn the loop until it is so; false if that takes too long. */
static bool wait_until(struct world *world, bool (*is_so)(struct world *world))
{
    uv_timer_t *timer = malloc(sizeof *timer);

    CU_ASSERT_PTR_NOT_NULL_FATAL(timer);
    world->has_expired = false;
    uv_timer_init(&world->loop, timer);
    timer->data = &world->has_expired;
    uv_timer_start(timer, on_expired, suite_patience() * WORLD_MS, 0);
    while (!is_so(world) && !world->has_expired)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)timer, on_timer_closed);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    return !world->has_expired;
}

static struct node *leader_of(struct world *world)
{
    for (size_t i = 0; i < NODES; i++)
        if (world->node[i].replica != NULL &&
            replica_status(world->node[i].replica).state == REPLICA_LEADER)
            return &world->node[i];
    return NULL;
}

static bool has_leader(struct world *world)
{
    return leader_of(world) != NULL;
}

static bool is_even(struct world *world)
{
    for (size_t i = 0; i < NODES; i++)
        if (world->node[i].executed != world->node[0].executed)
            return false;
    return world->node[0].executed >= world->committed;
}

static bool all_answered(struct world *world)
{
    return world->committed + world->unknown == world->proposed;
}

static bool is_anybody_closing(struct world *world)
{
    for (size_t i = 0; i < NODES; i++)
        if (world->node[i].replica == NULL && !world->node[i].is_closed)
            return true;
    return false;
}

static bool all_closed(struct world *world)
{
    return !is_anybody_closing(world);
}

static void on_closed(void *context)
{
    struct node *node = context;

    node->is_closed = true;
}

static void stop(struct world *world, size_t i)
{
    world->node[i].is_closed = false;
    replica_close(&world->node[i].replica, on_closed, &world->node[i]);
    CU_ASSERT_TRUE_FATAL(wait_until(world, all_closed));
}

/* ---- proposing ---- */

static void on_done(void *context, enum replica_outcome outcome, uint64_t index)
{
    struct world *world = context;

    CU_ASSERT_TRUE(index > 0);
    if (outcome == REPLICA_COMMITTED)
        world->committed++;
    else
        world->unknown++;
}

/* At whoever leads, as many as are taken. */
static bool propose(struct world *world, uint64_t count)
{
    uint64_t end = world->proposed + count;

    while (world->proposed < end) {
        struct node *leader = leader_of(world);
        uint8_t batch[300] = {0};
        struct error err;

        put_be64(batch, world->proposed);
        if (leader != NULL &&
            replica_propose(leader->replica, bytes_of(batch, sizeof batch),
                            on_done, world, &err) == OK) {
            world->proposed++;
            continue;
        }
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    return wait_until(world, all_answered);
}

static void expect_all_equal(struct world *world)
{
    CU_ASSERT_TRUE_FATAL(wait_until(world, is_even));
    for (size_t i = 1; i < NODES; i++)
        CU_ASSERT_EQUAL(
            memcmp(world->node[i].batch, world->node[0].batch,
                   world->node[0].executed * sizeof *world->node[0].batch),
            0);
}

/* ---- a world ---- */

static struct world *world_open(unsigned snapshot_every)
{
    struct world *world = calloc(1, sizeof *world);

    CU_ASSERT_PTR_NOT_NULL_FATAL(world);
    signal(SIGPIPE, SIG_IGN);
    log_open("test", LOG_LEVEL_ERROR);
    uv_loop_init(&world->loop);
    scratch_open(&world->scratch);
    certified_open(&world->certified, NODES);
    world->snapshot_every = snapshot_every;
    for (size_t i = 0; i < NODES; i++) {
        world->node[i].world = world;
        world->node[i].id = i + 1;
        world->node[i].is_closed = true;
        certified_free_address(world->node[i].address);
    }
    for (size_t i = 0; i < NODES; i++)
        start(world, i, true);
    CU_ASSERT_TRUE_FATAL(wait_until(world, has_leader));
    return world;
}

static void world_close(struct world *world)
{
    for (size_t i = 0; i < NODES; i++)
        if (world->node[i].replica != NULL)
            stop(world, i);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    CU_ASSERT_EQUAL(uv_loop_close(&world->loop), 0);
    certified_close(&world->certified);
    scratch_close(&world->scratch);
    free(world);
}

/* ---- tests ---- */

static double seconds_since(uint64_t start_ns)
{
    return (double)(uv_hrtime() - start_ns) / 1e9;
}

static void orders_the_same_everywhere(void)
{
    struct world *world = world_open(0);
    uint64_t start_ns = uv_hrtime();

    CU_ASSERT_TRUE(propose(world, 1000));
    printf("\n    1000 proposals, %d in flight: %.0f a second; ",
           REPLICA_IN_FLIGHT_MAX, 1000 / seconds_since(start_ns));
    CU_ASSERT_EQUAL(world->committed, 1000);
    expect_all_equal(world);
    for (uint64_t i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(world->node[0].batch[i], i);
    world_close(world);
}

static void a_lost_leader_is_replaced(void)
{
    struct world *world = world_open(0);
    size_t first = (size_t)(leader_of(world) - world->node);
    uint64_t start_ns;

    CU_ASSERT_TRUE(propose(world, 50));
    start_ns = uv_hrtime();
    stop(world, first);
    CU_ASSERT_TRUE_FATAL(wait_until(world, has_leader));
    printf("\n    without a leader for %.2f s; ", seconds_since(start_ns));
    CU_ASSERT_TRUE(propose(world, 50));
    start(world, first, false);
    expect_all_equal(world);
    CU_ASSERT_EQUAL(world->committed, 100);
    world_close(world);
}

static void a_node_that_was_away_catches_up_by_the_log(void)
{
    struct world *world = world_open(1000);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;

    CU_ASSERT_TRUE(propose(world, 10));
    stop(world, away);
    CU_ASSERT_TRUE(propose(world, 300));
    start(world, away, false);
    expect_all_equal(world);
    CU_ASSERT_EQUAL(world->node[away].restored, 0);
    world_close(world);
}

static void a_node_that_was_away_for_long_gets_a_snapshot(void)
{
    struct world *world = world_open(8);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;

    CU_ASSERT_TRUE(propose(world, 10));
    stop(world, away);
    CU_ASSERT_TRUE(propose(world, 300));
    world->node[away].restored = 0;
    start(world, away, false);
    CU_ASSERT_TRUE(propose(world, 10));
    expect_all_equal(world);
    CU_ASSERT_TRUE(world->node[away].restored > 0);
    world_close(world);
}

static void all_nodes_start_again_where_they_were(void)
{
    struct world *world = world_open(16);

    CU_ASSERT_TRUE(propose(world, 100));
    expect_all_equal(world);
    for (size_t i = 0; i < NODES; i++)
        stop(world, i);
    for (size_t i = 0; i < NODES; i++)
        start(world, i, true);
    CU_ASSERT_TRUE_FATAL(wait_until(world, has_leader));
    CU_ASSERT_TRUE(propose(world, 100));
    expect_all_equal(world);
    CU_ASSERT_EQUAL(world->node[0].executed, 200);
    world_close(world);
}

static void broken_connections_are_made_again(void)
{
    struct world *world = world_open(0);

    for (unsigned i = 0; i < 5; i++) {
        CU_ASSERT_TRUE(propose(world, 20));
        for (size_t k = 0; k < NODES; k++)
            transport_sever(replica_transport(world->node[k].replica));
    }
    CU_ASSERT_TRUE(propose(world, 20));
    expect_all_equal(world);
    world_close(world);
}

/* Garbage, and connections that say nothing, to all of them. */
static void intrude(struct world *world, int *fd)
{
    for (size_t i = 0; i < NODES; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        const char *port = strchr(world->node[i].address, ':') + 1;

        address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CU_ASSERT_EQUAL_FATAL(
            connect(fd[i], (const struct sockaddr *)&address, sizeof address),
            0);
        if (i > 0)
            CU_ASSERT_EQUAL(send(fd[i], world, 1000, MSG_NOSIGNAL), 1000);
    }
}

static void intruders_do_not_disturb(void)
{
    struct world *world = world_open(0);
    struct node *leader = leader_of(world);
    uint64_t term = replica_status(leader->replica).term;
    uint64_t refused = 0;
    int fd[20][NODES];

    for (size_t i = 0; i < 20; i++) {
        intrude(world, fd[i]);
        CU_ASSERT_TRUE(propose(world, 5));
    }
    expect_all_equal(world);
    CU_ASSERT_EQUAL(world->committed, 100);
    CU_ASSERT_EQUAL(replica_status(leader->replica).term, term);
    for (size_t k = 0; k < NODES; k++)
        refused += transport_figures(replica_transport(world->node[k].replica))
                       .refused;
    /* The garbage; those that are silent are still waited for. */
    CU_ASSERT_EQUAL(refused, 40);
    for (size_t i = 0; i < 20; i++)
        for (size_t k = 0; k < NODES; k++)
            close(fd[i][k]);
    world_close(world);
}

static void only_the_leader_takes_proposals(void)
{
    struct world *world = world_open(0);
    struct node *leader = leader_of(world);
    struct node *other = &world->node[leader->id % NODES];
    static uint8_t large[REPLICA_PAYLOAD_MAX + 1];
    struct error err;

    CU_ASSERT_EQUAL(replica_propose(other->replica, bytes_of(large, 8), on_done,
                                    world, &err),
                    E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "leads, not this one"));
    CU_ASSERT_EQUAL(replica_propose(leader->replica,
                                    bytes_of(large, sizeof large), on_done,
                                    world, &err),
                    E_LIMIT);
    CU_ASSERT_EQUAL(replica_propose(leader->replica, bytes_of(large, 0),
                                    on_done, world, &err),
                    E_LIMIT);
    for (unsigned i = 0; i < REPLICA_IN_FLIGHT_MAX; i++) {
        CU_ASSERT_EQUAL(replica_propose(leader->replica, bytes_of(large, 9),
                                        on_done, world, &err),
                        OK);
        world->proposed++;
    }
    CU_ASSERT_EQUAL(replica_propose(leader->replica, bytes_of(large, 9),
                                    on_done, world, &err),
                    E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "in flight"));
    CU_ASSERT_TRUE(wait_until(world, all_answered));
    CU_ASSERT_EQUAL(world->unknown, 0);
    world_close(world);
}

static void what_is_in_flight_is_answered_at_the_end(void)
{
    struct world *world = world_open(0);
    struct node *leader = leader_of(world);
    uint8_t batch[8] = {0};
    struct error err;

    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(replica_propose(leader->replica, bytes_of(batch, 8),
                                        on_done, world, &err),
                        OK);
        world->proposed++;
    }
    stop(world, (size_t)(leader - world->node));
    CU_ASSERT_TRUE(all_answered(world));
    CU_ASSERT_EQUAL(world->unknown, 4);
    world_close(world);
}

/* ---- folders that cannot be used ---- */

static void expect_refusal(struct world *world, size_t i, bool is_founding,
                           enum status expected, const char *words)
{
    struct error err;
    enum status status;

    error_init(&err);
    status = open_node(world, i, is_founding, &err);
    CU_ASSERT_EQUAL(status, expected);
    if (strstr(err.text, words) == NULL)
        fprintf(stderr, "\"%s\" lacks \"%s\"\n", err.text, words);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_PTR_NULL(world->node[i].replica);
    for (unsigned k = 0; k < 10; k++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

static void a_folder_belongs_to_one_process(void)
{
    struct world *world = world_open(0);
    struct replica *first = world->node[0].replica;

    world->node[0].replica = NULL;
    expect_refusal(world, 0, false, E_INPUT, "another process uses this");
    world->node[0].replica = first;
    CU_ASSERT_TRUE(propose(world, 10));
    world_close(world);
}

static void another_nodes_log_is_refused(void)
{
    struct world *world = world_open(0);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;
    size_t other = (away + 1) % NODES;
    char mine[SCRATCH_PATH_MAX], theirs[SCRATCH_PATH_MAX], name[32];

    CU_ASSERT_TRUE(propose(world, 20));
    CU_ASSERT_TRUE(wait_until(world, is_even));
    stop(world, away);
    stop(world, other);
    snprintf(name, sizeof name, "raft%zu", away);
    snprintf(mine, sizeof mine, "%s", scratch_path(&world->scratch, name));
    snprintf(name, sizeof name, "raft%zu", other);
    snprintf(theirs, sizeof theirs, "%s", scratch_path(&world->scratch, name));
    CU_ASSERT_EQUAL(
        renameat2(AT_FDCWD, mine, AT_FDCWD, theirs, RENAME_EXCHANGE), 0);
    expect_refusal(world, away, false, E_INPUT, "another node's log");
    expect_refusal(world, other, false, E_INPUT, "another node's log");
    CU_ASSERT_EQUAL(
        renameat2(AT_FDCWD, mine, AT_FDCWD, theirs, RENAME_EXCHANGE), 0);
    start(world, away, false);
    start(world, other, false);
    CU_ASSERT_TRUE(propose(world, 20));
    world_close(world);
}

/* The lock's text, torn by a crash, is written anew; any other is no one's. */
static void a_torn_owner_is_mended(void)
{
    struct world *world = world_open(0);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;
    char name[32];

    stop(world, away);
    snprintf(name, sizeof name, "raft%zu/lock", away);
    scratch_write(&world->scratch, name, "nod");
    start(world, away, false);
    stop(world, away);
    scratch_write(&world->scratch, name, "mode 1\n");
    expect_refusal(world, away, false, E_INPUT, "another node's log");
    world_close(world);
}

/* Change a byte of the first file of the log, named FIRST-LAST. */
static void damage(struct world *world, const char *folder)
{
    const char *path = scratch_path(&world->scratch, folder);
    DIR *directory = opendir(path);
    const struct dirent *entry;
    char first[NAME_MAX + 1] = "", file[SCRATCH_PATH_MAX + NAME_MAX + 2];
    uint8_t byte = 0;
    int fd;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] == '0' && strchr(entry->d_name, '-') != NULL &&
            (first[0] == '\0' || strcmp(entry->d_name, first) < 0))
            snprintf(first, sizeof first, "%s", entry->d_name);
    closedir(directory);
    CU_ASSERT_TRUE_FATAL(first[0] != '\0');
    snprintf(file, sizeof file, "%s/%s", path, first);
    fd = open(file, O_RDWR | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && pread(fd, &byte, 1, 40) == 1);
    byte ^= 1;
    CU_ASSERT_EQUAL_FATAL(pwrite(fd, &byte, 1, 40), 1);
    close(fd);
}

static void a_flipped_bit_in_the_log_is_noticed(void)
{
    struct world *world = world_open(0);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;
    char name[32];

    CU_ASSERT_TRUE(propose(world, 20));
    stop(world, away);
    snprintf(name, sizeof name, "raft%zu", away);
    damage(world, name);
    expect_refusal(world, away, false, E_INPUT, "the log is damaged");
    CU_ASSERT_TRUE(propose(world, 20));
    world_close(world);
}

/* Copy the file `name` of folder `from` to folder `to`. */
static void copy_file(struct world *world, const char *from, const char *to,
                      const char *name)
{
    char path[SCRATCH_PATH_MAX + NAME_MAX + 2];
    struct new_file *file = NULL;
    struct text content;
    struct error err;

    error_init(&err);
    text_init(&content);
    snprintf(path, sizeof path, "%s/%s", scratch_path(&world->scratch, from),
             name);
    CU_ASSERT_EQUAL_FATAL(file_read(path, 1 << 20, &content, &err), OK);
    snprintf(path, sizeof path, "%s/%s", scratch_path(&world->scratch, to),
             name);
    CU_ASSERT_EQUAL_FATAL(new_file_create(&file, path, 0600, &err), OK);
    CU_ASSERT_EQUAL_FATAL(descriptor_write(new_file_descriptor(file),
                                           text_bytes(&content), name, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(new_file_publish(&file, &err), OK);
    text_clear(&content);
}

/* libraft stores a snapshot that was sent to it, then removes the log; a
 * segment that it has made ahead is there all the time. */
static void a_node_killed_while_a_snapshot_is_installed_starts_again(void)
{
    struct world *world = world_open(8);
    struct node *leader = leader_of(world);
    size_t away = (size_t)(leader - world->node + 1) % NODES;
    size_t other = (away + 1) % NODES;
    char from[32], to[32];
    const struct dirent *entry;
    DIR *directory;
    size_t copied = 0;

    CU_ASSERT_TRUE(propose(world, 10));
    CU_ASSERT_TRUE(wait_until(world, is_even));
    stop(world, away);
    CU_ASSERT_TRUE(propose(world, 300));
    /* Nobody writes to what is copied. */
    stop(world, other);
    snprintf(from, sizeof from, "raft%zu", other);
    snprintf(to, sizeof to, "raft%zu", away);
    directory = opendir(scratch_path(&world->scratch, from));
    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    while ((entry = readdir(directory)) != NULL)
        if (strncmp(entry->d_name, "snapshot-", 9) == 0) {
            copy_file(world, from, to, entry->d_name);
            copied++;
        }
    closedir(directory);
    CU_ASSERT_TRUE_FATAL(copied >= 2);
    snprintf(from, sizeof from, "raft%zu/open-7", away);
    scratch_write(&world->scratch, from, "");
    world->node[away].restored = 0;
    start(world, other, false);
    start(world, away, false);
    CU_ASSERT_TRUE_FATAL(wait_until(world, has_leader));
    CU_ASSERT_TRUE(propose(world, 10));
    expect_all_equal(world);
    CU_ASSERT_TRUE(world->node[away].restored > 0);
    world_close(world);
}

/* A folder with these names of libraft's; the last one is written to. */
static size_t settled(const char *const *name, bool open_is_written)
{
    struct scratch scratch;
    struct error err;
    size_t left;

    error_init(&err);
    scratch_open(&scratch);
    for (size_t i = 0; name[i] != NULL; i++)
        scratch_write(&scratch, name[i],
                      strncmp(name[i], "open-", 5) == 0 && !open_is_written
                          ? ""
                          : "something");
    CU_ASSERT_EQUAL(replica_folder_settle(scratch.path, &err), OK);
    left = scratch_count(&scratch);
    scratch_close(&scratch);
    return left;
}

#define SEGMENT_1_90 "0000000000000001-0000000000000090"
#define SEGMENT_91_200 "0000000000000091-0000000000000200"

static void only_a_log_that_is_all_behind_a_snapshot_goes(void)
{
    static const char *const behind[] = {
        "snapshot-2-100-7", "snapshot-2-100-7.meta",
        SEGMENT_1_90,       "open-1",
        "metadata1",        NULL};
    static const char *const reaching[] = {"snapshot-2-100-7",
                                           "snapshot-2-100-7.meta",
                                           SEGMENT_1_90, SEGMENT_91_200, NULL};
    static const char *const half[] = {"snapshot-2-100-7.meta", SEGMENT_1_90,
                                       NULL};
    static const char *const other[] = {"snapshot-2-100-7.tmp",
                                        "snapshot-2-100-7", SEGMENT_1_90, NULL};

    CU_ASSERT_EQUAL(settled(behind, false), 4);
    CU_ASSERT_EQUAL(settled(behind, true), 5);
    CU_ASSERT_EQUAL(settled(reaching, false), 4);
    CU_ASSERT_EQUAL(settled(half, false), 2);
    CU_ASSERT_EQUAL(settled(other, false), 3);
}

static void a_lost_log_is_noticed(void)
{
    struct world *world = world_open(0);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;
    char name[32];

    CU_ASSERT_TRUE(propose(world, 20));
    CU_ASSERT_TRUE(wait_until(world, is_even));
    stop(world, away);
    snprintf(name, sizeof name, "raft%zu", away);
    CU_ASSERT_EQUAL(rename(scratch_path(&world->scratch, name),
                           scratch_path(&world->scratch, "lost")),
                    0);
    expect_refusal(world, away, true, E_INPUT, "the log is empty");
    world_close(world);
}

static void a_snapshot_of_no_use_ends_a_start(void)
{
    struct world *world = world_open(8);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;

    CU_ASSERT_TRUE(propose(world, 100));
    expect_all_equal(world);
    stop(world, away);
    world->node[away].is_refusing = true;
    expect_refusal(world, away, false, E_INPUT, "snapshot at index");
    world_close(world);
}

static bool has_anybody_failed(struct world *world)
{
    for (size_t i = 0; i < NODES; i++)
        if (world->node[i].state == REPLICA_FAILED)
            return true;
    return false;
}

static void a_snapshot_of_no_use_fails_a_node_and_no_other(void)
{
    struct world *world = world_open(8);
    size_t away = (size_t)(leader_of(world) - world->node + 1) % NODES;
    struct error err;
    uint8_t batch[8] = {0};

    CU_ASSERT_TRUE(propose(world, 2));
    stop(world, away);
    CU_ASSERT_TRUE(propose(world, 300));
    world->node[away].is_refusing = true;
    start(world, away, false);
    CU_ASSERT_TRUE_FATAL(wait_until(world, has_anybody_failed));
    CU_ASSERT_EQUAL(world->node[away].state, REPLICA_FAILED);
    CU_ASSERT_STRING_EQUAL(replica_state_name(world->node[away].state),
                           "failed");
    CU_ASSERT_EQUAL(replica_propose(world->node[away].replica,
                                    bytes_of(batch, 8), on_done, world, &err),
                    E_SYSTEM);
    CU_ASSERT_TRUE(propose(world, 20));
    CU_ASSERT_EQUAL(world->unknown, 0);
    world_close(world);
}

static void a_port_in_use_is_named(void)
{
    struct world *world = world_open(0);

    stop(world, 0);
    memcpy(world->node[0].address, world->node[1].address,
           sizeof world->node[0].address);
    expect_refusal(world, 0, false, E_INPUT, "listening at 127.0.0.1:");
    world_close(world);
}

void suite_replica(void)
{
    static const struct test tests[] = {
        {"three nodes order the same batches in the same order",
         orders_the_same_everywhere},
        {"a lost leader is replaced and finds its way back",
         a_lost_leader_is_replaced},
        {"a node that was away catches up by the log",
         a_node_that_was_away_catches_up_by_the_log},
        {"a node that was away for long gets a snapshot",
         a_node_that_was_away_for_long_gets_a_snapshot},
        {"all nodes start again where they were",
         all_nodes_start_again_where_they_were},
        {"broken connections are made again",
         broken_connections_are_made_again},
        {"garbage and silence on the ports do not disturb",
         intruders_do_not_disturb},
        {"only the leader takes proposals, of a size and up to a number",
         only_the_leader_takes_proposals},
        {"what is in flight is answered at the end",
         what_is_in_flight_is_answered_at_the_end},
        {"a folder belongs to one process", a_folder_belongs_to_one_process},
        {"another node's log is refused", another_nodes_log_is_refused},
        {"a torn owner is mended", a_torn_owner_is_mended},
        {"a flipped bit in the log is noticed",
         a_flipped_bit_in_the_log_is_noticed},
        {"a node killed while a snapshot is installed starts again",
         a_node_killed_while_a_snapshot_is_installed_starts_again},
        {"only a log that is all behind a snapshot goes",
         only_a_log_that_is_all_behind_a_snapshot_goes},
        {"a log that was lost is noticed", a_lost_log_is_noticed},
        {"a snapshot of no use ends a start",
         a_snapshot_of_no_use_ends_a_start},
        {"a snapshot of no use fails a node, and no other",
         a_snapshot_of_no_use_fails_a_node_and_no_other},
        {"a port in use is named", a_port_in_use_is_named},
    };

    suite_add("replica", tests, sizeof tests / sizeof *tests);
}
