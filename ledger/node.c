#include "ledger/node.h"

#include <stdlib.h>

#include "common/log.h"
#include "ledger/node_internal.h"

/* Between two looks at what waits: deadlines are in seconds. */
#define TICK_MS 100
/* So long without room for Raft's log before the disk counts as full. */
#define ROOM_PATIENCE_MS 1000

void node_refuse(struct node *node, uint64_t peer, const uint8_t *request_id,
                 const struct error *err, bool retry)
{
    struct message answer;
    struct error unsent;

    message_fail(&answer, request_id, err, retry, node_leader_name(node));
    if (bus_send(node->bus, peer, &answer, &unsent) != OK)
        log_debug("a refusal found nobody: %s", unsent.text);
}

const char *node_leader_name(const struct node *node)
{
    const struct genesis_node *leader =
        genesis_node(node->options.genesis, node->replica_status.leader);

    return leader != NULL ? leader->name : "";
}

/* True if that is news. */
static bool note_damage(struct node *node, const struct error *err)
{
    if (node->damaged)
        return false;
    log_error("the database is damaged, no cosignatures until it is healed: "
              "%s",
              err->text);
    node->damaged = true;
    atomic_store(&node->halted, true);
    return true;
}

void node_damaged(struct node *node, const struct error *err)
{
    if (note_damage(node, err))
        catchup_heal(node);
}

void node_fail(struct node *node, const struct error *why)
{
    if (node->failure.status != OK)
        return;
    log_error("this node cannot go on: %s", why->text);
    node->failure = *why;
    atomic_store(&node->halted, true);
}

bool node_executes(const struct node *node)
{
    return !node->damaged && !catchup_running(node) &&
           !atomic_load(&node->halted) && !atomic_load(&node->stalled);
}

/* ---- each tick ---- */

/* Not each moment in which the next file is not ready yet: it is written while
 * the log goes on. */
static void watch_room(struct node *node)
{
    if (node->replica_status.has_room) {
        if (node->full)
            log_info("the disk of Raft's log has room again");
        node->full = false;
        node->lacks_room_ms = 0;
        return;
    }
    node->lacks_room_ms += TICK_MS;
    if (node->full || node->lacks_room_ms < ROOM_PATIENCE_MS)
        return;
    log_error("the disk of Raft's log is full: nothing more is ordered here "
              "until it has room");
    node->full = true;
}

static void on_tick(uv_timer_t *timer)
{
    struct node *node = timer->data;

    if (node->failure.status != OK) {
        uv_timer_stop(timer);
        node->options.failed(node->options.context, &node->failure);
        return;
    }
    intake_tick(node);
    anchor_advance(node);
    catchup_tick(node);
    node_scrub(node);
    watch_room(node);
    /* Who cannot execute answers nobody, who has no room orders nothing;
     * another may. */
    if (!node_executes(node) || node->full)
        replica_step_down(node->replica);
}

/* ---- opening ---- */

static void on_link(struct bus *bus, uint64_t peer, enum bus_news news,
                    const struct error *err, void *context)
{
    struct node *node = context;

    (void)bus;
    for (size_t i = 0; i < node->options.peer_count; i++)
        if (node->link[i] == peer) {
            if (node->link_ready[i] && news == BUS_LOST)
                log_warning("the link to %s is lost: %s",
                            node->options.peer[i].endpoint, err->text);
            node->link_ready[i] = news == BUS_READY;
        }
}

/* What is altered is healed, at the start as later on. */
static enum status found_damage(struct node *node, enum status status,
                                const struct error *err)
{
    if (status != E_INPUT)
        return status;
    (void)note_damage(node, err);
    return OK;
}

static enum status open_executor(struct node *node, struct error *err)
{
    enum status status = executor_create(&node->executor, node->options.genesis,
                                         node->store, node->crew, err);

    if (status == OK)
        node_read_tip(node->executor, &node->tip);
    if (found_damage(node, status, err) != OK)
        return status;
    status = ledger_store_cosigned(node->store, &node->promise.size,
                                   &node->promise.root, err);
    return found_damage(node, status, err);
}

enum status node_open_store(struct node *node, struct error *err)
{
    const struct node_options *options = &node->options;
    enum status status = ledger_store_open(&node->store, options->database,
                                           &options->genesis->digest, err);

    return status == OK ? ledger_store_copy_aside(node->store, err) : status;
}

enum status node_open_readers(struct node *node, struct error *err)
{
    const struct node_options *options = &node->options;
    enum status status =
        reader_open(&node->reader, options->genesis, options->database, err);

    if (status == OK)
        status = ledger_store_open_reader(&node->admission_store,
                                          options->database, err);
    if (status == OK)
        status = registry_create(&node->registry, options->genesis,
                                 node->admission_store, err);
    return status;
}

static enum status open_log(struct node *node, struct error *err)
{
    enum status status = crew_create(&node->crew, node->options.threads, err);

    if (status == OK)
        status = node_open_store(node, err);
    if (status == OK)
        status = open_executor(node, err);
    return status == OK ? node_open_readers(node, err) : status;
}

static enum status read_anchored(struct node *node, struct error *err)
{
    struct text note;
    enum status status;

    text_init(&note);
    status = ledger_store_anchored(node->store, &node->anchored, &note, err);
    text_clear(&note);
    return found_damage(node, status, err);
}

static enum status open_lanes(struct node *node, struct error *err)
{
    enum status status = lane_open(&node->writing, node->options.loop, err);

    if (status == OK)
        status = lane_open(&node->syncing, node->options.loop, err);
    if (status == OK)
        status = lane_open(&node->reading, node->options.loop, err);
    return status;
}

static enum status open_bus(struct node *node, struct error *err)
{
    const struct node_options *options = &node->options;
    const char *name = genesis_node(options->genesis, options->id)->name;
    struct bus_settings settings = {.loop = options->loop,
                                    .service = name,
                                    .pair = options->curve,
                                    .certificate = options->certificate,
                                    .key = options->key,
                                    .admit = node_admit,
                                    .context = node};
    enum status status = bus_open(&node->bus, &settings, err);

    if (status != OK)
        return status;
    node_answer(node);
    for (size_t i = 0; status == OK && i < options->peer_count; i++) {
        const struct node_peer *peer = &options->peer[i];
        struct bus_target target = {
            .endpoint = peer->endpoint,
            .service = genesis_node(options->genesis, peer->id)->name,
            .key = &peer->curve,
            .watch = on_link,
            .context = node};

        status = bus_connect(node->bus, &target, &node->link[i], err);
    }
    return status;
}

enum status node_open(struct node **out, const struct node_options *options,
                      struct error *err)
{
    struct node *node = calloc(1, sizeof *node);
    char actual[ENDPOINT_SIZE_MAX];
    enum status status;

    *out = NULL;
    if (node == NULL)
        return error_memory(err, "a node");
    node->options = *options;
    node->replica_status.has_room = true; /* until it says something else */
    /* First, so that closing has one way only. */
    uv_timer_init(options->loop, &node->tick);
    node->tick.data = node;
    status = open_log(node, err);
    if (status == OK)
        status = read_anchored(node, err);
    if (status == OK)
        status = open_lanes(node, err);
    if (status == OK)
        status = open_bus(node, err);
    if (status == OK)
        status = intake_open(node, err);
    if (status == OK)
        status = anchor_open(node, err);
    if (status == OK)
        status = catchup_open(node, err);
    if (status == OK && node->damaged)
        catchup_heal(node);
    if (status == OK)
        status = node_open_replica(node, err);
    /* Last: who comes in finds everything there. */
    if (status == OK)
        status = bus_listen(node->bus, options->listen, actual, err);
    if (status != OK) {
        node_close(&node, NULL, NULL);
        return status;
    }
    uv_timer_start(&node->tick, on_tick, TICK_MS, TICK_MS);
    *out = node;
    return OK;
}

/* ---- closing ----
 * Raft first, so that nothing is ordered any more; then the lanes, which finish
 * what was; then the bus, whose last answers those were. */

static void free_node(struct node *node)
{
    void (*closed)(void *context) = node->closed;
    void *context = node->context;

    registry_destroy(&node->registry);
    ledger_store_close(&node->admission_store);
    reader_close(&node->reader);
    executor_destroy(&node->executor);
    ledger_store_close(&node->store);
    crew_destroy(&node->crew);
    free(node);
    if (closed != NULL)
        closed(context);
}

static void handle_closed(uv_handle_t *handle)
{
    free_node(handle->data);
}

static void reading_closed(void *context)
{
    struct node *node = context;

    catchup_close(node);
    anchor_close(node);
    bus_close(&node->bus);
    uv_close((uv_handle_t *)&node->tick, handle_closed);
}

static void syncing_closed(void *context)
{
    struct node *node = context;

    if (node->reading == NULL)
        reading_closed(node);
    else
        lane_close(&node->reading, reading_closed, node);
}

static void writing_closed(void *context)
{
    struct node *node = context;

    if (node->syncing == NULL)
        syncing_closed(node);
    else
        lane_close(&node->syncing, syncing_closed, node);
}

static void replica_closed(void *context)
{
    struct node *node = context;

    intake_close(node);
    if (node->writing == NULL)
        writing_closed(node);
    else
        lane_close(&node->writing, writing_closed, node);
}

void node_close(struct node **handle, void (*closed)(void *context),
                void *context)
{
    struct node *node = *handle;

    if (node == NULL)
        return;
    *handle = NULL;
    node->closed = closed;
    node->context = context;
    atomic_store(&node->closing, true);
    uv_timer_stop(&node->tick);
    if (node->replica != NULL)
        replica_close(&node->replica, replica_closed, node);
    else
        replica_closed(node);
}
