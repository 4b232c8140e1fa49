#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/number.h"
#include "ledger/node_internal.h"
#include "ledger/transport.h"

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

/* ---- snapshots ---- */

struct sync_job {
    struct lane_job job;
    struct node *node;
    struct error err;
};

static void sync_work(struct lane_job *lane_job)
{
    struct sync_job *job = (struct sync_job *)lane_job;

    (void)!ledger_store_sync(job->node->store, &job->err);
}

static void sync_done(struct lane_job *lane_job)
{
    struct sync_job *job = (struct sync_job *)lane_job;

    /* What could not be synced, on_snapshot cannot either, and tells. */
    job->node->ahead = SYNCED;
    free(job);
}

static enum status sync_ahead(struct node *node, struct error *err)
{
    struct sync_job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return error_memory(err, "a snapshot");
    job->job.work = sync_work;
    job->job.done = sync_done;
    job->node = node;
    node->ahead = BEING_SYNCED;
    lane_push(node->syncing, &job->job);
    return OK;
}

static const char manifest_head[] = "anchorite manifest 1\n";

/* The manifest says how large the log is when everything up to `index` is
 * executed: here, durably.  Which takes a sync in this very moment, since the
 * index is that of this moment; but most has gone to the disk before, while the
 * loop went round. */
static enum status on_snapshot(void *context, uint64_t index,
                               struct text *manifest, struct error *err)
{
    struct node *node = context;

    if (node->tip.raft_index < node->ordered || node->damaged ||
        catchup_running(node))
        return error_set(err, E_NO, "executed only up to %ju",
                         (uintmax_t)node->tip.raft_index);
    if (node->ahead == NOT_SYNCED && sync_ahead(node, err) != OK)
        return err->status;
    if (node->ahead == BEING_SYNCED)
        return error_set(err, E_NO, "executed, but not on the disk yet");
    node->ahead = NOT_SYNCED;
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

enum status node_open_replica(struct node *node, struct error *err)
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
        .is_member = node_admits_member,
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
