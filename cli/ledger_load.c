#include "cli/ledger_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "cli/command.h"
#include "cli/entry_maker.h"
#include "common/bus.h"
#include "common/encoding.h"
#include "common/ledger_questions.h"
#include "common/network_peers.h"

/* How often is looked for what is due: also the pause between a node that could
 * not and the next try. */
#define TICK_MS 5
/* An entry takes two round trips and two syncs of a disk: who is silent for so
 * long is passed over. */
#define ATTEMPT_MS 2000
/* Threads that sign: three nodes on this machine have work to do as well. */
#define THREADS 2

#define NS_PER_MS UINT64_C(1000000)

/* One entry on its way, or waiting to be sent again. */
struct flight {
    struct made_entry *made; /* NULL: none */
    uint32_t sequence;       /* of its last attempt, in the request id */
    uint64_t first_ns;       /* first sent; 0: not yet */
    uint64_t sent_ns;
    size_t node;
    bool on_way;
};

struct load_node {
    struct load *load;
    const struct network_node *about;
    uint64_t peer;
    bool ready;
    struct error lost;
};

struct load {
    const struct ledger_request *request;
    struct network *network;
    struct network_user user;
    struct maker *maker;
    const atomic_bool *cancel;
    FILE *keep; /* NULL: none */

    uv_loop_t loop;
    uv_timer_t tick;
    struct bus *bus;
    struct load_node node[NETWORK_NODES_MAX];
    size_t current; /* whom entries go to */
    bool settled;   /* it takes them */

    struct flight *flight; /* request->in_flight of them */
    size_t flying;         /* with an entry */
    size_t on_way;
    uint32_t sequence;
    uint8_t run[8];   /* in the request ids */
    uint64_t to_take; /* entries that are not begun */
    uint64_t begun;

    uint32_t *latency_us;
    size_t latency_capacity;
    uint64_t acknowledged, repeated, starved;
    uint64_t start_ns, last_ns; /* last: newest answer */
    uint64_t pause_ns;          /* the longest between two answers */

    bool failed;
    struct error why;
};

static void fail(struct load *load, const struct error *why)
{
    if (!load->failed)
        load->why = *why;
    load->failed = true;
}

/* ---- sending ---- */

static void request_id(const struct load *load, const struct flight *flight,
                       uint8_t id[MESSAGE_REQUEST_ID_SIZE])
{
    memcpy(id, load->run, sizeof load->run);
    put_be32(id + 8, (uint32_t)(flight - load->flight));
    put_be32(id + 12, flight->sequence);
}

/* The flight that an answer belongs to; NULL if it is late or none of ours. */
static struct flight *flight_of(struct load *load,
                                const struct message *message)
{
    uint32_t index = get_be32(message->request_id + 8);
    struct flight *flight;

    if (memcmp(message->request_id, load->run, sizeof load->run) != 0 ||
        index >= load->request->in_flight)
        return NULL;
    flight = &load->flight[index];
    if (!flight->on_way ||
        flight->sequence != get_be32(message->request_id + 12))
        return NULL;
    return flight;
}

static void unsettle(struct load *load)
{
    load->settled = false;
    load->current = (load->current + 1) % load->network->node_count;
}

/* False: not now. */
static bool send_flight(struct load *load, struct flight *flight)
{
    const struct load_node *node = &load->node[load->current];
    uint8_t id[MESSAGE_REQUEST_ID_SIZE];
    struct message message;
    struct error err;

    flight->sequence = load->sequence++;
    request_id(load, flight, id);
    message_init(&message, MESSAGE_SUBMIT, id);
    message_set_bytes(&message, SUBMIT_ENTRY, made_entry_bytes(flight->made));
    message_set_bytes(&message, SUBMIT_SIGNATURES,
                      made_entry_signatures(flight->made));
    if (bus_send(load->bus, node->peer, &message, &err) != OK)
        return false;
    flight->node = load->current;
    flight->sent_ns = uv_hrtime();
    load->repeated += flight->first_ns != 0;
    if (flight->first_ns == 0)
        flight->first_ns = flight->sent_ns;
    flight->on_way = true;
    load->on_way++;
    return true;
}

/* Is the next entry due?  At a given rate they begin in even steps, however
 * long the answers take. */
static bool is_time(const struct load *load)
{
    uint64_t rate = load->request->rate;

    return rate == 0 ||
           (double)load->begun * 1e9 <=
               (double)(uv_hrtime() - load->start_ns) * (double)rate;
}

/* Give it a new entry, if there is to be one. */
static bool refill(struct load *load, struct flight *flight)
{
    struct error err;

    if (flight->made != NULL)
        return true;
    if (load->to_take == 0 || load->failed || !is_time(load))
        return false;
    if (maker_take(load->maker, &flight->made, &err) != OK) {
        fail(load, &err);
        return false;
    }
    if (flight->made == NULL) {
        load->starved++;
        return false;
    }
    load->to_take--;
    load->begun++;
    load->flying++;
    flight->first_ns = 0;
    return true;
}

/* What can be sent now. */
static void send_due(struct load *load)
{
    if (!load->settled && load->on_way > 0)
        return;
    for (size_t i = 0; i < load->request->in_flight; i++) {
        struct flight *flight = &load->flight[i];

        if (flight->on_way || !refill(load, flight))
            continue;
        if (!send_flight(load, flight) || !load->settled)
            return;
    }
}

/* ---- answers ---- */

static void note_latency(struct load *load, uint64_t ns, struct error *err)
{
    uint64_t us = ns / 1000;

    if (load->acknowledged == load->latency_capacity) {
        size_t capacity = load->latency_capacity * 2 + 4096;
        uint32_t *grown =
            reallocarray(load->latency_us, capacity, sizeof *grown);

        if (grown == NULL) {
            (void)!error_memory(err, "latencies");
            fail(load, err);
            return;
        }
        load->latency_us = grown;
        load->latency_capacity = capacity;
    }
    load->latency_us[load->acknowledged++] =
        us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void keep(struct load *load, const struct digest *id, uint64_t position)
{
    char hex[DIGEST_HEX_SIZE];
    struct error err;

    if (load->keep == NULL)
        return;
    digest_hex(id, hex);
    if (fprintf(load->keep, "%s %ju\n", hex, (uintmax_t)position) < 0) {
        (void)!error_set_errno(&err, E_IO, errno, "%s", load->request->keep);
        fail(load, &err);
    }
}

static enum status check_receipt(const struct flight *flight,
                                 const struct message *message,
                                 struct error *err)
{
    struct bytes id = message_bytes(message, SUBMITTED_ID);
    enum entry_verdict verdict;
    enum status status =
        verdict_of(message_number(message, SUBMITTED_VERDICT), &verdict, err);

    if (status != OK)
        return status;
    if (!bytes_equal(id, bytes_of(flight->made->id.byte, DIGEST_SIZE)))
        return error_set(err, E_SYSTEM, "the node answered for another entry");
    if (verdict != VERDICT_VALID)
        return error_set(err, E_REFUSED, "an entry is recorded as %s",
                         entry_verdict_name(verdict));
    return OK;
}

static void on_submitted(struct bus *bus, const struct bus_sender *sender,
                         const struct message *message, void *context)
{
    struct load *load = context;
    struct flight *flight = flight_of(load, message);
    uint64_t now_ns = uv_hrtime();
    struct error err;
    bool was_settled = load->settled;

    (void)bus;
    if (flight == NULL || load->node[flight->node].peer != sender->peer)
        return;
    flight->on_way = false;
    load->on_way--;
    if (check_receipt(flight, message, &err) != OK) {
        fail(load, &err);
        return;
    }
    if (load->acknowledged == 0)
        load->start_ns = now_ns; /* who leads is known, and connected */
    else if (now_ns - load->last_ns > load->pause_ns)
        load->pause_ns = now_ns - load->last_ns;
    load->last_ns = now_ns;
    note_latency(load, now_ns - flight->first_ns, &err);
    keep(load, &flight->made->id, message_number(message, SUBMITTED_POSITION));
    free(flight->made);
    flight->made = NULL;
    load->flying--;
    /* A late answer of one that is no longer asked settles nothing. */
    if (flight->node == load->current)
        load->settled = true;
    if (!was_settled)
        send_due(load);
    else if (load->settled && refill(load, flight))
        (void)send_flight(load, flight); /* else at the next tick */
}

/* The node that could not tells who leads, or the next one is asked. */
static void follow(struct load *load, struct bytes leader)
{
    unsettle(load);
    for (size_t i = 0; i < load->network->node_count && leader.size > 0; i++)
        if (load->node[i].ready && network_node_is(load->node[i].about, leader))
            load->current = i;
}

static void on_failed(struct bus *bus, const struct bus_sender *sender,
                      const struct message *message, void *context)
{
    struct load *load = context;
    struct flight *flight = flight_of(load, message);
    struct bytes leader = message_bytes(message, FAILED_LEADER);
    struct bytes text = message_bytes(message, FAILED_TEXT);
    const struct load_node *node;
    struct error err;

    (void)bus;
    if (flight == NULL || load->node[flight->node].peer != sender->peer)
        return;
    node = &load->node[flight->node];
    flight->on_way = false;
    load->on_way--;
    if (message_number(message, FAILED_RETRY) == 0) {
        (void)!error_set(&err, E_REFUSED, "%s: %.*s", node->about->name,
                         (int)text.size, (const char *)text.data);
        fail(load, &err);
    } else if (flight->node == load->current &&
               !network_node_is(node->about, leader)) {
        follow(load, leader);
    } /* else it leads and is busy, or another is asked already */
}

/* ---- links ---- */

static enum status admit(const struct certificate *certificate,
                         const char *service, void *context, struct error *err)
{
    const struct load *load = context;

    return network_admit(load->network, certificate, service, err);
}

/* What is on its way to this node is in doubt. */
static void take_back(struct load *load, size_t node)
{
    for (size_t i = 0; i < load->request->in_flight; i++) {
        struct flight *flight = &load->flight[i];

        if (!flight->on_way || flight->node != node)
            continue;
        flight->on_way = false;
        load->on_way--;
    }
    if (node == load->current)
        unsettle(load);
}

static void watch(struct bus *bus, uint64_t peer, enum bus_news news,
                  const struct error *err, void *context)
{
    struct load_node *node = context;

    (void)bus;
    (void)peer;
    node->ready = news == BUS_READY;
    if (news == BUS_READY)
        return;
    node->lost = *err;
    take_back(node->load, (size_t)(node - node->load->node));
}

/* ---- time ---- */

static void look_for_silence(struct load *load, uint64_t now_ns)
{
    for (size_t i = 0; i < load->request->in_flight; i++) {
        const struct flight *flight = &load->flight[i];

        if (flight->on_way && now_ns > flight->sent_ns &&
            now_ns - flight->sent_ns > ATTEMPT_MS * NS_PER_MS)
            take_back(load, flight->node);
    }
}

static void look_for_end(struct load *load, uint64_t now_ns)
{
    const struct ledger_request *request = load->request;
    const char *heard = load->node[load->current].lost.text;
    struct error err;

    if (atomic_load(load->cancel) ||
        (request->seconds > 0 &&
         now_ns - load->start_ns >= request->seconds * 1000 * NS_PER_MS))
        load->to_take = 0;
    if (now_ns > load->last_ns &&
        now_ns - load->last_ns > request->timeout_ms * NS_PER_MS) {
        (void)!error_set(&err, E_SYSTEM,
                         "no quorum: no answer for %ju ms, after %ju entries"
                         "%s%s",
                         (uintmax_t)request->timeout_ms,
                         (uintmax_t)load->acknowledged,
                         heard[0] != '\0' ? "; last: " : "", heard);
        fail(load, &err);
    }
    if (load->failed || (load->to_take == 0 && load->flying == 0))
        uv_stop(&load->loop);
}

static void on_tick(uv_timer_t *timer)
{
    struct load *load = timer->data;
    uint64_t now_ns = uv_hrtime();

    if (!load->node[load->current].ready)
        unsettle(load);
    look_for_silence(load, now_ns);
    send_due(load);
    if (load->keep != NULL)
        fflush(load->keep);
    look_for_end(load, now_ns);
}

/* ---- figures ---- */

static int compare_latencies(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

struct figures {
    double seconds, per_second, p50_ms, p99_ms, max_ms, pause_ms;
};

/* The smallest latency that so many of a hundred do not exceed. */
static double percentile_ms(const struct load *load, unsigned percent)
{
    uint64_t rank = (load->acknowledged * percent + 99) / 100;

    return rank == 0 ? 0 : load->latency_us[rank - 1] / 1e3;
}

static void take_figures(struct load *load, struct figures *figures)
{
    *figures = (struct figures){.pause_ms = (double)load->pause_ns / 1e6};
    if (load->acknowledged == 0)
        return;
    qsort(load->latency_us, load->acknowledged, sizeof *load->latency_us,
          compare_latencies);
    figures->seconds = (double)(load->last_ns - load->start_ns) / 1e9;
    figures->per_second = (double)load->acknowledged / figures->seconds;
    figures->p50_ms = percentile_ms(load, 50);
    figures->p99_ms = percentile_ms(load, 99);
    figures->max_ms = percentile_ms(load, 100);
}

static enum status print_json(const struct load *load,
                              const struct figures *figures, struct error *err)
{
    const struct {
        const char *key;
        double number;
    } member[] = {{"acknowledged", (double)load->acknowledged},
                  {"seconds", figures->seconds},
                  {"per_second", figures->per_second},
                  {"p50_ms", figures->p50_ms},
                  {"p99_ms", figures->p99_ms},
                  {"max_ms", figures->max_ms},
                  {"longest_pause_ms", figures->pause_ms},
                  {"repeated", (double)load->repeated},
                  {"starved", (double)load->starved}};
    struct json *json = NULL;
    enum status status = json_create(&json, err);

    for (size_t i = 0; status == OK && i < sizeof member / sizeof *member; i++)
        status = json_add_number(json_edit_root(json), member[i].key,
                                 member[i].number, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status print_figures(struct load *load, struct error *err)
{
    struct figures figures;

    take_figures(load, &figures);
    if (load->request->json)
        return print_json(load, &figures, err);
    printf("acknowledged   %ju entries in %.1f s, %.0f a second\n"
           "latency        p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n"
           "longest pause  %.0f ms without an answer\n"
           "sent again     %ju times\n",
           (uintmax_t)load->acknowledged, figures.seconds, figures.per_second,
           figures.p50_ms, figures.p99_ms, figures.max_ms, figures.pause_ms,
           (uintmax_t)load->repeated);
    if (load->starved > 0)
        printf("held up        %ju times by the signing of entries, not by the "
               "network\n",
               (uintmax_t)load->starved);
    return command_finish_output(err);
}

/* ---- life ---- */

static enum status connect_all(struct load *load, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < load->network->node_count; i++) {
        struct load_node *node = &load->node[i];
        struct bus_target target = {.watch = watch, .context = node};

        node->load = load;
        node->about = &load->network->node[i];
        error_init(&node->lost);
        target.endpoint = node->about->endpoint;
        target.service = node->about->name;
        target.key = &node->about->curve;
        status = bus_connect(load->bus, &target, &node->peer, err);
    }
    return status;
}

static enum status open_bus(struct load *load, struct error *err)
{
    struct bus_settings settings = {.loop = &load->loop,
                                    .service = "anchorite",
                                    .pair = &load->user.pair,
                                    .certificate = load->user.certificate,
                                    .key = load->user.key,
                                    .admit = admit,
                                    .context = load};
    enum status status = bus_open(&load->bus, &settings, err);

    if (status != OK)
        return status;
    bus_handle(load->bus, MESSAGE_SUBMITTED, on_submitted, load);
    bus_handle(load->bus, MESSAGE_FAILED, on_failed, load);
    return connect_all(load, err);
}

static enum status run_loop(struct load *load, struct error *err)
{
    int result = uv_loop_init(&load->loop);
    enum status status;

    if (result != 0)
        return error_set(err, E_SYSTEM, "an event loop: %s",
                         uv_strerror(result));
    uv_timer_init(&load->loop, &load->tick);
    load->tick.data = load;
    status = open_bus(load, err);
    if (status == OK) {
        uv_update_time(&load->loop);
        uv_timer_start(&load->tick, on_tick, 0, TICK_MS);
        load->start_ns = load->last_ns = uv_hrtime();
        uv_run(&load->loop, UV_RUN_DEFAULT);
        if (load->failed) {
            *err = load->why;
            status = err->status;
        }
    }
    bus_close(&load->bus);
    uv_close((uv_handle_t *)&load->tick, NULL);
    uv_run(&load->loop, UV_RUN_DEFAULT);
    /* All handles are closed: a loop that is still busy is our mistake. */
    if (uv_loop_close(&load->loop) != 0)
        abort();
    return status;
}

static enum status prepare(struct load *load, struct error *err)
{
    const struct ledger_request *request = load->request;
    struct maker_options options = {.user = &load->user,
                                    .count = load->to_take,
                                    .ready_max = request->beforehand,
                                    .threads = THREADS};
    enum status status = network_load(&load->network, request->folder, err);

    if (status == OK)
        status =
            network_user_load(&load->user, request->folder, request->user, err);
    if (status == OK)
        status = random_secret(load->run, sizeof load->run, err);
    if (status != OK)
        return status;
    options.network = load->network;
    load->flight = calloc(request->in_flight, sizeof *load->flight);
    if (load->flight == NULL)
        return error_memory(err, "entries on their way");
    if (request->keep != NULL) {
        load->keep = fopen(request->keep, "ae");
        if (load->keep == NULL)
            return error_set_errno(err, E_INPUT, errno, "%s", request->keep);
    }
    status = maker_create(&load->maker, &options, err);
    if (status == OK)
        status = maker_wait(load->maker, load->cancel, err);
    return status;
}

static enum status close_kept(struct load *load, struct error *err)
{
    FILE *file = load->keep;

    load->keep = NULL;
    if (file != NULL && fclose(file) != 0)
        return error_set_errno(err, E_IO, errno, "%s", load->request->keep);
    return OK;
}

enum status ledger_load(const struct ledger_request *request, struct error *err)
{
    struct load *load = calloc(1, sizeof *load);
    struct error unkept;
    enum status status;

    if (load == NULL)
        return error_memory(err, "the load");
    load->request = request;
    load->cancel = command_cancel();
    load->to_take = request->count;
    status = prepare(load, err);
    if (status == OK)
        status = run_loop(load, err);
    if (close_kept(load, &unkept) != OK && status == OK) {
        *err = unkept;
        status = err->status;
    }
    if (status == OK)
        status = print_figures(load, err);
    maker_destroy(&load->maker);
    for (size_t i = 0; load->flight != NULL && i < request->in_flight; i++)
        free(load->flight[i].made);
    free(load->flight);
    free(load->latency_us);
    network_user_clear(&load->user);
    network_destroy(&load->network);
    free(load);
    return status;
}
