#include "ledger/node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/number.h"
#include "ledger/node_internal.h"
#include "ledger/transport.h"

/* Between two looks at what waits: deadlines are in seconds. */
#define TICK_MS 100
/* Entries checked against the tree in the background, per tick: the whole of a
 * million entries in about twenty minutes, for a few per cent of a core. */
#define SCRUB_ENTRIES 80
/* The same while the log grows by more than that: who waits for an entry comes
 * first. */
#define SCRUB_ENTRIES_BUSY 8
/* From the end of a log that is soon read to its beginning: how long damage in
 * a small log goes unnoticed. */
#define SCRUB_PAUSE_MS 1000
/* So long without room for Raft's log before the disk counts as full. */
#define ROOM_PATIENCE_MS 1000
/* Pause before an execution that failed for want of disk or memory is tried
 * again. */
#define EXECUTE_RETRY_MS 200L

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

void node_damaged(struct node *node, const struct error *err)
{
    if (node->damaged)
        return;
    log_error("the database is damaged, no cosignatures until it is healed: "
              "%s",
              err->text);
    node->damaged = true;
    atomic_store(&node->halted, true);
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

/* ---- executing ---- */

struct execute_job {
    struct lane_job job;
    struct node *node;
    uint64_t raft_index;
    struct text batch;
    struct outcome *outcome;
    uint32_t count;
    struct tip tip;
    enum status status;
    struct error err;
};

void node_read_tip(const struct executor *executor, struct tip *tip)
{
    struct digest hash;
    struct block block;

    executor_tip(executor, &tip->size, &tip->root);
    tip->raft_index = executor_raft_index(executor);
    tip->block = 0;
    if (executor_block(executor, &block, &hash)) {
        tip->block = block.number;
        tip->time_ms = block.time_ms;
    }
}

static enum status keep_outcomes(struct execute_job *job,
                                 const struct executed *executed)
{
    if (executed->count == 0)
        return OK;
    job->outcome = malloc(executed->count * sizeof *job->outcome);
    if (job->outcome == NULL)
        return error_memory(&job->err, "what was executed");
    memcpy(job->outcome, executed->outcome,
           executed->count * sizeof *job->outcome);
    job->count = executed->count;
    return OK;
}

static void wait_for_better(struct execute_job *job, bool *told)
{
    struct timespec pause = {0, EXECUTE_RETRY_MS * 1000000};

    atomic_store(&job->node->stalled, true);
    if (!*told)
        log_error("cannot execute, trying again: %s", job->err.text);
    *told = true;
    nanosleep(&pause, NULL);
}

/* Executed in order or not at all: behind one that is not, none is. */
static bool may_execute(struct node *node)
{
    return !atomic_load(&node->closing) && !atomic_load(&node->halted);
}

/* What was ordered must be executed: a full disk is waited out, since nothing
 * can come after it. */
static void execute_work(struct lane_job *lane_job)
{
    struct execute_job *job = (struct execute_job *)lane_job;
    struct node *node = job->node;
    const struct executed *executed;
    bool told = false;

    job->status = E_CANCELLED;
    while (may_execute(node)) {
        job->status =
            executor_apply(node->executor, job->raft_index,
                           text_bytes(&job->batch), &executed, &job->err);
        if (job->status == OK || job->status == E_INPUT)
            break;
        wait_for_better(job, &told);
        job->status = E_CANCELLED;
    }
    if (job->status == E_INPUT)
        atomic_store(&node->halted, true);
    while (job->status == OK && keep_outcomes(job, executed) != OK &&
           !atomic_load(&node->closing))
        wait_for_better(job, &told);
    if (told && job->status == OK)
        log_info("executing again");
    if (told)
        atomic_store(&node->stalled, false);
    if (job->status == OK)
        node_read_tip(node->executor, &job->tip);
}

static void forget_revoked(struct node *node, const struct outcome *outcome,
                           uint32_t count)
{
    bool changed = false;

    for (uint32_t i = 0; i < count; i++) {
        changed |= outcome[i].changes_identities;
        if (outcome[i].revoked[0] != '\0')
            (void)bus_forget(node->bus, outcome[i].revoked);
    }
    if (!changed)
        return;
    registry_reset(node->registry);
    /* None any more while closing. */
    if (node->replica != NULL)
        transport_review(replica_transport(node->replica));
}

static void execute_done(struct lane_job *lane_job)
{
    struct execute_job *job = (struct execute_job *)lane_job;
    struct node *node = job->node;

    if (job->status == OK) {
        node->tip = job->tip;
        /* It was under way when healing began; the new one needs it, too. */
        if (catchup_running(node))
            catchup_until(node, job->raft_index, 0);
        if (!atomic_load(&node->closing))
            intake_executed(node, job->outcome, job->count);
        forget_revoked(node, job->outcome, job->count);
        anchor_advance(node);
    } else if (!atomic_load(&node->closing)) {
        if (job->status == E_INPUT)
            node_damaged(node, &job->err);
        catchup_hold(node, job->raft_index, text_bytes(&job->batch));
    }
    free(job->outcome);
    text_clear(&job->batch);
    free(job);
}

void node_execute(struct node *node, uint64_t raft_index, struct bytes batch)
{
    struct execute_job *job = calloc(1, sizeof *job);
    struct error err;

    if (job == NULL) {
        (void)!error_memory(&err, "a batch");
        node_fail(node, &err);
        return;
    }
    job->job.work = execute_work;
    job->job.done = execute_done;
    job->node = node;
    job->raft_index = raft_index;
    text_init(&job->batch);
    if (text_append(&job->batch, batch.data, batch.size, &err) != OK) {
        free(job);
        node_fail(node, &err);
        return;
    }
    lane_push(node->writing, &job->job);
}

static void on_apply(void *context, uint64_t index, struct bytes batch)
{
    struct node *node = context;

    node->ordered = index;
    /* After the end they come again, when the node is started again. */
    if (atomic_load(&node->closing) || node->failure.status != OK)
        return;
    if (catchup_running(node))
        catchup_hold(node, index, batch);
    else
        node_execute(node, index, batch);
}

/* ---- Raft's other callbacks ---- */

static void on_changed(void *context, const struct replica_status *status)
{
    struct node *node = context;
    struct replica_status before = node->replica_status;
    const char *leader;

    node->replica_status = *status;
    leader = node_leader_name(node);
    if (status->state != before.state || status->term != before.term)
        log_info("%s, term %ju, leader %s", replica_state_name(status->state),
                 (uintmax_t)status->term,
                 leader[0] != '\0' ? leader : "unknown");
    if (status->state == REPLICA_FAILED)
        node_fail(node, replica_error(node->replica));
}

static const char manifest_head[] = "anchorite manifest 1\n";

/* The manifest says how large the log is when everything up to `index` is
 * executed: here, durably. */
static enum status on_snapshot(void *context, uint64_t index,
                               struct text *manifest, struct error *err)
{
    struct node *node = context;

    if (node->tip.raft_index < node->ordered || node->damaged ||
        catchup_running(node))
        return error_set(err, E_NO, "executed only up to %ju",
                         (uintmax_t)node->tip.raft_index);
    if (ledger_store_sync(node->store, err) != OK)
        return err->status;
    return text_printf(manifest, err, "%s%ju\n%ju\n", manifest_head,
                       (uintmax_t)index, (uintmax_t)node->tip.size);
}

/* A number and the end of its line, in front of *rest. */
static bool take_line(struct bytes *rest, uint64_t *number)
{
    const uint8_t *end =
        rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    size_t size;

    if (end == NULL)
        return false;
    size = (size_t)(end - rest->data);
    if (!number_parse_unsigned(bytes_of(rest->data, size), 0, INT64_MAX,
                               number))
        return false;
    *rest = bytes_of(end + 1, rest->size - size - 1);
    return true;
}

static enum status on_restore(void *context, uint64_t index,
                              struct bytes manifest, struct error *err)
{
    struct node *node = context;
    size_t head = sizeof manifest_head - 1;
    struct bytes rest;
    uint64_t named, size;

    if (manifest.size < head || memcmp(manifest.data, manifest_head, head) != 0)
        return error_set(err, E_INPUT, "a snapshot that is no manifest");
    rest = bytes_of(manifest.data + head, manifest.size - head);
    if (!take_line(&rest, &named) || !take_line(&rest, &size) ||
        rest.size != 0 || named != index)
        return error_set(err, E_INPUT, "a manifest of another form");
    /* The log grows with what is executed: so large, it has all of it. */
    if (node->damaged || node->tip.size < size)
        catchup_until(node, index, size);
    return OK;
}

/* ---- reading ---- */

struct read_job {
    struct lane_job job;
    struct node *node;
    uint64_t peer;
    struct message request;
    struct text field; /* what the request's field borrows */
    struct answer answer;
    enum status status;
    struct error err;
};

static void read_work(struct lane_job *lane_job)
{
    struct read_job *job = (struct read_job *)lane_job;

    job->status = reader_answer(job->node->reader, &job->request, &job->answer,
                                &job->err);
}

static void read_done(struct lane_job *lane_job)
{
    struct read_job *job = (struct read_job *)lane_job;
    struct node *node = job->node;
    struct error err;

    if (job->status == E_INPUT && !atomic_load(&node->closing))
        node_damaged(node, &job->err);
    if (job->status != OK)
        node_refuse(node, job->peer, job->request.request_id, &job->err,
                    job->status != E_NO);
    else if (bus_send(node->bus, job->peer, &job->answer.message, &err) != OK)
        log_debug("an answer found nobody: %s", err.text);
    answer_clear(&job->answer);
    text_clear(&job->field);
    free(job);
}

static enum status push_read(struct node *node, const struct bus_sender *sender,
                             const struct message *message, struct error *err)
{
    struct read_job *job;
    struct bytes *borrowed;
    enum status status;

    if (atomic_load(&node->closing))
        return error_set(err, E_SYSTEM, "the node is stopping");
    if (node->damaged)
        return error_set(err, E_SYSTEM, "this node is healing its database");
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return error_memory(err, "an answer");
    job->job.work = read_work;
    job->job.done = read_done;
    job->node = node;
    job->peer = sender->peer;
    job->request = *message;
    answer_init(&job->answer);
    text_init(&job->field);
    /* Questions have one field of bytes at most, the first. */
    borrowed = &job->request.field[0].bytes;
    status = text_append(&job->field, borrowed->data, borrowed->size, err);
    if (status != OK) {
        text_clear(&job->field);
        free(job);
        return status;
    }
    *borrowed = text_bytes(&job->field);
    lane_push(node->reading, &job->job);
    return OK;
}

static void on_question(struct bus *bus, const struct bus_sender *sender,
                        const struct message *message, void *context)
{
    struct node *node = context;
    struct error err;

    (void)bus;
    if (push_read(node, sender, message, &err) != OK)
        node_refuse(node, sender->peer, message->request_id, &err, true);
}

/* Of what this node asked its peers. */
static void on_failed(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct node *node = context;

    (void)bus;
    if (atomic_load(&node->closing))
        return;
    anchor_failed(node, sender, message);
    catchup_failed(node, message);
}

static void on_status(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct node *node = context;
    struct message answer;
    struct error err;

    if (atomic_load(&node->closing)) {
        (void)!error_set(&err, E_SYSTEM, "the node is stopping");
        node_refuse(node, sender->peer, message->request_id, &err, true);
        return;
    }
    message_init(&answer, MESSAGE_STATE, message->request_id);
    message_set_string(&answer, STATE_ROLE,
                       node->damaged
                           ? "healing"
                           : replica_state_name(node->replica_status.state));
    message_set_string(&answer, STATE_LEADER, node_leader_name(node));
    message_set_number(&answer, STATE_TERM, node->replica_status.term);
    message_set_number(&answer, STATE_SIZE, node->tip.size);
    message_set_number(&answer, STATE_BLOCK, node->tip.block);
    message_set_bytes(&answer, STATE_ROOT,
                      bytes_of(node->tip.root.byte, DIGEST_SIZE));
    message_set_number(&answer, STATE_ANCHORED, node->anchored);
    message_set_number(&answer, STATE_BEHIND, lane_backlog(node->writing));
    if (bus_send(bus, sender->peer, &answer, &err) != OK)
        log_debug("an answer found nobody: %s", err.text);
}

/* ---- scrubbing ---- */

struct scrub_job {
    struct lane_job job;
    struct node *node;
    uint64_t from, count, next;
    enum status status;
    struct error err;
};

static void scrub_work(struct lane_job *lane_job)
{
    struct scrub_job *job = (struct scrub_job *)lane_job;

    job->status = reader_scrub(job->node->reader, job->from, job->count,
                               &job->next, &job->err);
}

static void scrub_done(struct lane_job *lane_job)
{
    struct scrub_job *job = (struct scrub_job *)lane_job;
    struct node *node = job->node;

    node->scrubbing = false;
    if (job->status == OK)
        node->scrub_next = job->next;
    else if (job->status == E_INPUT && !atomic_load(&node->closing))
        node_damaged(node, &job->err);
    if (node->scrub_next == 0)
        node->scrub_after_ms = uv_now(node->options.loop) + SCRUB_PAUSE_MS;
    free(job);
}

static void scrub(struct node *node)
{
    struct scrub_job *job;

    if (node->scrubbing || node->damaged || node->tip.size == 0 ||
        uv_now(node->options.loop) < node->scrub_after_ms)
        return;
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return; /* at the next tick */
    job->job.work = scrub_work;
    job->job.done = scrub_done;
    job->node = node;
    job->from = node->scrub_next;
    job->count = node->tip.size > node->scrub_size + SCRUB_ENTRIES
                     ? SCRUB_ENTRIES_BUSY
                     : SCRUB_ENTRIES;
    node->scrub_size = node->tip.size;
    node->scrubbing = true;
    lane_push(node->reading, &job->job);
}

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
    scrub(node);
    watch_room(node);
    /* Who cannot execute answers nobody, who has no room orders nothing;
     * another may. */
    if (!node_executes(node) || node->full)
        replica_step_down(node->replica);
}

/* ---- who may come in ---- */

static bool is_founder(const struct genesis *genesis,
                       const struct certificate *certificate)
{
    const char *id = certificate_id(certificate);

    for (size_t i = 0; i < genesis->node_count; i++)
        if (strcmp(certificate_id(genesis->node[i].certificate), id) == 0)
            return true;
    for (size_t i = 0; i < genesis->members.count; i++)
        if (strcmp(certificate_id(genesis->members.item[i]), id) == 0)
            return true;
    return false;
}

/* A certificate of the network, valid now, enrolled and not revoked. */
static enum status check_identity(struct node *node,
                                  const struct certificate *certificate,
                                  struct error *err)
{
    const struct registered *found = NULL;
    enum status status = genesis_check_certificate(
        node->options.genesis, certificate, (int64_t)clock_now_ms(), err);

    if (status != OK)
        return status;
    /* Between a database that is gone and the end of the process. */
    if (node->registry == NULL)
        return error_set(err, E_SYSTEM, "the node is stopping");
    status =
        registry_find(node->registry, certificate_id(certificate), &found, err);
    if (status == E_INPUT && node->catchup != NULL)
        node_damaged(node, err);
    /* A damaged database must not keep away those who can heal it. */
    if (node->damaged && is_founder(node->options.genesis, certificate))
        return OK;
    if (status == OK && found == NULL)
        status = error_set(err, E_REFUSED, "the certificate is not enrolled");
    if (status == OK && found->revoked)
        status = error_set(err, E_REFUSED, "the certificate is revoked");
    return status;
}

static enum status on_admit(const struct certificate *certificate,
                            const char *service, void *context,
                            struct error *err)
{
    const struct certificate_subject *subject =
        certificate_subject(certificate);
    enum status status = check_identity(context, certificate, err);

    if (status == OK && service != NULL &&
        (subject->role != IDENTITY_NODE || strcmp(subject->name, service) != 0))
        status = error_set(err, E_REFUSED, "it is not the node %s", service);
    return status;
}

static bool on_member(void *context, uint64_t id, const char *address,
                      const struct certificate *certificate)
{
    struct node *node = context;
    const struct genesis_node *known = genesis_node(node->options.genesis, id);
    struct error err;

    if (known == NULL || strcmp(certificate_id(known->certificate),
                                certificate_id(certificate)) != 0)
        return false;
    if (check_identity(node, certificate, &err) != OK) {
        log_warning("node %s is not let in: %s", known->name, err.text);
        return false;
    }
    for (size_t i = 0; address != NULL && i < node->options.peer_count; i++)
        if (node->options.peer[i].id == id)
            return strcmp(node->options.peer[i].raft_address, address) == 0;
    return address == NULL;
}

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

/* ---- opening ---- */

/* What is altered is healed, at the start as later on. */
static enum status found_damage(struct node *node, enum status status,
                                const struct error *err)
{
    if (status != E_INPUT)
        return status;
    if (!node->damaged)
        log_error("the database is damaged, no cosignatures until it is "
                  "healed: %s",
                  err->text);
    node->damaged = true;
    atomic_store(&node->halted, true);
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

static enum status open_log(struct node *node, struct error *err)
{
    const struct node_options *options = &node->options;
    enum status status = crew_create(&node->crew, options->threads, err);

    if (status == OK)
        status = ledger_store_open(&node->store, options->database,
                                   &options->genesis->digest, err);
    if (status == OK)
        status = ledger_store_copy_aside(node->store, err);
    if (status == OK)
        status = open_executor(node, err);
    if (status == OK)
        status = reader_open(&node->reader, options->genesis, options->database,
                             err);
    if (status == OK)
        status = ledger_store_open_reader(&node->admission_store,
                                          options->database, err);
    if (status == OK)
        status = registry_create(&node->registry, options->genesis,
                                 node->admission_store, err);
    return status;
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
        status = lane_open(&node->reading, node->options.loop, err);
    return status;
}

static enum status open_bus(struct node *node, struct error *err)
{
    static const enum message_type questions[] = {
        MESSAGE_SHOW,   MESSAGE_FIND,       MESSAGE_HISTORY, MESSAGE_PROVE,
        MESSAGE_EXTEND, MESSAGE_CHECKPOINT, MESSAGE_PULL,
    };
    const struct node_options *options = &node->options;
    const char *name = genesis_node(options->genesis, options->id)->name;
    struct bus_settings settings = {.loop = options->loop,
                                    .service = name,
                                    .pair = options->curve,
                                    .certificate = options->certificate,
                                    .key = options->key,
                                    .admit = on_admit,
                                    .context = node};
    enum status status = bus_open(&node->bus, &settings, err);

    if (status != OK)
        return status;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        bus_handle(node->bus, questions[i], on_question, node);
    bus_handle(node->bus, MESSAGE_STATUS, on_status, node);
    bus_handle(node->bus, MESSAGE_FAILED, on_failed, node);
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

static enum status open_replica(struct node *node, struct error *err)
{
    const struct node_options *options = &node->options;
    const struct genesis *genesis = options->genesis;
    struct replica_peer founder[GENESIS_NODES_MAX];
    struct transport *transport = NULL;
    struct transport_options transport_options = {
        .loop = options->loop,
        .credentials =
            {.key = options->key,
             .certificate = options->certificate,
             .authority =
                 (const struct certificate *const *)genesis->authorities.item,
             .authority_count = genesis->authorities.count,
             .root = (const struct certificate *const *)genesis->roots.item,
             .root_count = genesis->roots.count},
        .is_member = on_member,
        .context = node};
    struct replica_options replica_options = {.loop = options->loop,
                                              .folder = options->raft_folder,
                                              .id = options->id,
                                              .address = options->raft_address,
                                              .founders = founder,
                                              .founder_count =
                                                  options->peer_count + 1,
                                              .executed = node->tip.raft_index};
    struct replica_callbacks callbacks = {.apply = on_apply,
                                          .changed = on_changed,
                                          .snapshot = on_snapshot,
                                          .restore = on_restore,
                                          .context = node};
    enum status status;

    founder[0] = (struct replica_peer){options->id, options->raft_address};
    for (size_t i = 0; i < options->peer_count; i++)
        founder[i + 1] = (struct replica_peer){options->peer[i].id,
                                               options->peer[i].raft_address};
    status = transport_create(&transport, &transport_options, err);
    if (status == OK)
        status = replica_open(&node->replica, &transport, &replica_options,
                              &callbacks, err);
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
        status = open_replica(node, err);
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

static void writing_closed(void *context)
{
    struct node *node = context;

    if (node->reading == NULL)
        reading_closed(node);
    else
        lane_close(&node->reading, reading_closed, node);
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
