#include "common/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/bus.h"
#include "common/network_peers.h"

/* A node that does not answer within it is passed over for the next; an entry
 * takes two round trips and two syncs of a disk. */
#define ATTEMPT_MS 3000
/* Between a node that could not and the next try. */
#define PAUSE_MS 50
/* What a node that is there needs to say so. */
#define GREETING_MS 2000
/* How often the cancel flag is looked at. */
#define TICK_MS 50

/* What became of the request on its way. */
enum outcome { PENDING, ANSWERED, LOST };

struct client_node {
    struct client *client;
    const struct network_node *about;
    uint64_t peer;
    bool ready;
    bool refused;    /* it does not accept us, or we do not accept it */
    bool is_silent;  /* from a question without an answer to the next answer */
    bool was_tried;  /* was asked what is asked now */
    bool has_said;   /* answered that for good, if only by a no */
    bool has_denied; /* and this: there is no such thing */
    bool has_answered; /* or what was wanted */
    struct error lost; /* why it is not ready */
};

struct client {
    const struct client_options *options;
    uv_loop_t loop;
    uv_timer_t tick;
    struct bus *bus;
    struct client_node node[NETWORK_NODES_MAX];
    size_t node_count;
    size_t next;  /* whom to ask first */
    bool was_led; /* to it, by the one asked before */
    uint64_t opened_ms;

    /* The request that is on its way. */
    struct client_node *asked; /* NULL: none */
    uint8_t request_id[MESSAGE_REQUEST_ID_SIZE];
    enum outcome outcome;
    struct client_answer *answer;
    struct error broken; /* no memory for the answer */
    struct error no;     /* the last one for good */
};

static uint64_t clock_ms(void)
{
    return uv_hrtime() / 1000000;
}

static const char *name_of(const struct client_node *node)
{
    return node->about->name;
}

/* ---- answers ---- */

void client_answer_clear(struct client_answer *answer)
{
    free(answer->memory);
    *answer = (struct client_answer){.memory = NULL};
}

static enum status answer_copy(struct client_answer *answer,
                               const struct message *message, struct error *err)
{
    /* Never nothing, which malloc may give NULL for. */
    answer->memory = malloc(message_borrowed(message) + 1);
    if (answer->memory == NULL)
        return error_memory(err, "an answer");
    message_copy(&answer->message, message, answer->memory);
    return OK;
}

/* Any answer: a late one to an earlier request says only that it is awake. */
static void take_answer(struct bus *bus, const struct bus_sender *sender,
                        const struct message *message, void *context)
{
    struct client *client = context;

    (void)bus;
    for (size_t i = 0; i < client->node_count; i++)
        if (client->node[i].peer == sender->peer)
            client->node[i].is_silent = false;
    if (client->asked == NULL || client->outcome != PENDING ||
        sender->peer != client->asked->peer ||
        memcmp(message->request_id, client->request_id,
               sizeof client->request_id) != 0)
        return;
    if (answer_copy(client->answer, message, &client->broken) != OK) {
        client->outcome = LOST;
        return;
    }
    client->answer->node = (size_t)(client->asked - client->node);
    client->outcome = ANSWERED;
}

/* ---- connections ---- */

static void watch(struct bus *bus, uint64_t peer, enum bus_news news,
                  const struct error *err, void *context)
{
    struct client_node *node = context;

    (void)bus;
    (void)peer;
    node->ready = news == BUS_READY;
    if (news == BUS_READY) {
        node->refused = false;
        node->is_silent = false;
        return;
    }
    node->lost = *err;
    node->refused = err->status == E_REFUSED;
    if (node->client->asked == node && node->client->outcome == PENDING)
        node->client->outcome = LOST;
}

static enum status admit(const struct certificate *certificate,
                         const char *service, void *context, struct error *err)
{
    const struct client *client = context;

    return network_admit(client->options->network, certificate, service, err);
}

static enum status connect_all(struct client *client, struct error *err)
{
    const struct network *network = client->options->network;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < network->node_count; i++) {
        struct client_node *node = &client->node[i];
        struct bus_target target = {.endpoint = network->node[i].endpoint,
                                    .service = network->node[i].name,
                                    .key = &network->node[i].curve,
                                    .watch = watch,
                                    .context = node};

        *node =
            (struct client_node){.client = client, .about = &network->node[i]};
        error_init(&node->lost);
        status = bus_connect(client->bus, &target, &node->peer, err);
        client->node_count++;
    }
    return status;
}

static void tick(uv_timer_t *timer)
{
    (void)timer; /* only to wake the loop */
}

static enum status start(struct client *client, struct error *err)
{
    const struct network_user *user = client->options->user;
    struct bus_settings settings = {.loop = &client->loop,
                                    .service = "anchorite",
                                    .pair = &user->pair,
                                    .certificate = user->certificate,
                                    .key = user->key,
                                    .admit = admit,
                                    .context = client};
    enum status status = bus_open(&client->bus, &settings, err);

    for (unsigned type = 0; status == OK && type < MESSAGE_TYPE_COUNT; type++)
        if (message_direction(type) == MESSAGE_IS_ANSWER &&
            type != MESSAGE_WELCOME)
            bus_handle(client->bus, type, take_answer, client);
    if (status == OK)
        status = connect_all(client, err);
    return status;
}

enum status client_open(struct client **out,
                        const struct client_options *options, struct error *err)
{
    struct client *client = calloc(1, sizeof *client);
    int result;

    *out = NULL;
    if (client == NULL)
        return error_memory(err, "a client");
    client->options = options;
    result = uv_loop_init(&client->loop);
    if (result != 0) {
        free(client);
        return error_set(err, E_SYSTEM, "an event loop: %s",
                         uv_strerror(result));
    }
    client->opened_ms = clock_ms();
    /* Neither can fail: the loop and the callback are there. */
    uv_timer_init(&client->loop, &client->tick);
    uv_timer_start(&client->tick, tick, TICK_MS, TICK_MS);
    if (start(client, err) != OK)
        client_close(&client);
    *out = client;
    return client != NULL ? OK : err->status;
}

void client_close(struct client **handle)
{
    struct client *client = *handle;

    if (client == NULL)
        return;
    bus_close(&client->bus);
    uv_close((uv_handle_t *)&client->tick, NULL);
    uv_run(&client->loop, UV_RUN_DEFAULT);
    /* All handles are closed: a loop that is still busy is our mistake. */
    if (uv_loop_close(&client->loop) != 0)
        abort();
    free(client);
    *handle = NULL;
}

/* ---- waiting ---- */

/* One turn of the loop.  E_CANCELLED, E_SYSTEM when the time is over. */
static enum status turn(struct client *client, uint64_t deadline_ms,
                        struct error *err)
{
    if (atomic_load(client->options->cancel))
        return error_set(err, E_CANCELLED, "interrupted");
    if (clock_ms() >= deadline_ms)
        return error_set(err, E_SYSTEM, "no answer in time");
    uv_run(&client->loop, UV_RUN_ONCE);
    return OK;
}

static enum status pause_for(struct client *client, uint64_t ms,
                             uint64_t deadline_ms, struct error *err)
{
    uint64_t until = clock_ms() + ms;
    enum status status = OK;

    while (status == OK && clock_ms() < until)
        status = turn(client, deadline_ms, err);
    return status;
}

/* ---- one attempt ---- */

/* What a `failed` says, as our own error; a node's numbers are not believed
 * further than they can be. */
static enum status failed_error(const struct client_node *node,
                                const struct message *failed, struct error *err)
{
    struct bytes text = message_bytes(failed, FAILED_TEXT);

    return error_set(
        err, status_of_failure(message_number(failed, FAILED_STATUS)),
        "%s: %.*s", name_of(node), (int)text.size, (const char *)text.data);
}

/* Send it and wait; E_IO when the node is lost or silent. */
static enum status attempt(struct client *client, struct client_node *node,
                           struct message *request, uint64_t deadline_ms,
                           struct client_answer *answer, struct error *err)
{
    uint64_t until = clock_ms() + ATTEMPT_MS;
    enum status status;

    node->was_tried = true;
    client->answer = answer;
    client->outcome = PENDING;
    client->asked = node;
    error_init(&client->broken);
    status = bus_send(client->bus, node->peer, request, err);
    while (status == OK && client->outcome == PENDING && clock_ms() < until)
        status = turn(client, deadline_ms, err);
    client->asked = NULL;
    if (client->outcome == ANSWERED)
        return OK;
    if (client->broken.status != OK) {
        *err = client->broken;
        return err->status;
    }
    if (status == OK && client->outcome == LOST)
        status =
            error_set(err, E_IO, "%s: lost while it was asked", name_of(node));
    else if (status == OK) {
        node->is_silent = true;
        status = error_set(err, E_IO, "%s: silent for %d ms", name_of(node),
                           ATTEMPT_MS);
    }
    return status;
}

/* ---- whom to ask ---- */

/* False: the next one, since no other is known to be the leader. */
static bool prefer(struct client *client, const struct client_node *asked,
                   struct bytes leader)
{
    for (size_t i = 0; i < client->node_count && leader.size > 0; i++)
        if (&client->node[i] != asked &&
            network_node_is(client->node[i].about, leader)) {
            client->next = i;
            return true;
        }
    client->next++;
    return false;
}

/* How many have to say the same before it counts: whatever is anchored is known
 * to so many nodes, and any two such majorities share one. */
static size_t majority(const struct client *client)
{
    return client->node_count / 2 + 1;
}

/* Those that have said something for good. */
static size_t count_said(const struct client *client)
{
    size_t count = 0;

    for (size_t i = 0; i < client->node_count; i++)
        count += client->node[i].has_said;
    return count;
}

/* Once a majority has spoken each of the others is heard, too, if it answers:
 * it may know more.  Nobody is waited for twice. */
static bool may_choose(const struct client_node *node, bool settled)
{
    return node->ready && !node->has_said &&
           !(settled && (node->was_tried || node->is_silent));
}

/* The next one that can be asked, a silent one only if there is no other; NULL
 * if there is none now. */
static struct client_node *choose(struct client *client)
{
    bool settled = count_said(client) >= majority(client);
    struct client_node *chosen = NULL;

    for (size_t i = 0; i < client->node_count; i++) {
        size_t index = (client->next + i) % client->node_count;
        struct client_node *node = &client->node[index];

        if (may_choose(node, settled) &&
            (chosen == NULL || (chosen->is_silent && !node->is_silent)))
            chosen = node;
    }
    if (chosen != NULL)
        client->next = (size_t)(chosen - client->node);
    return chosen;
}

/* Can nobody be expected any more?  A majority has said no, or refuses us, and
 * the others have had the time to appear; or all refuse us.  One that refuses
 * us may only not have heard yet that we are enrolled: it is greeted again, and
 * has that time, too. */
static bool is_over(const struct client *client)
{
    bool greeted = clock_ms() - client->opened_ms >= GREETING_MS;
    size_t refused = 0, absent = 0;

    for (size_t i = 0; i < client->node_count; i++) {
        const struct client_node *node = &client->node[i];

        refused += node->refused && !node->has_said;
        absent += !node->refused && !node->has_said && !node->ready;
    }
    if (refused == client->node_count)
        return true;
    return count_said(client) >= majority(client)
               ? greeted || absent == 0
               : greeted && refused >= majority(client);
}

/* The last word when the time is over: what was heard last, if anything. */
static enum status no_quorum(const struct client *client,
                             const struct error *last, struct error *err)
{
    const char *heard = last->text;

    for (size_t i = 0; i < client->node_count && heard[0] == '\0'; i++)
        heard = client->node[i].lost.text;
    /* A service is alone, and what it answers takes no quorum of it. */
    if (client->node[0].about->role != IDENTITY_NODE)
        return error_set(err, E_SYSTEM, "%s: no answer within %ju ms%s%s",
                         name_of(&client->node[0]),
                         (uintmax_t)client->options->timeout_ms,
                         heard[0] != '\0' ? "; last: " : "", heard);
    if (count_said(client) > 0)
        return error_set(err, E_SYSTEM,
                         "no quorum: %zu of %zu nodes answered within %ju ms, "
                         "and this takes %zu%s%s",
                         count_said(client), client->node_count,
                         (uintmax_t)client->options->timeout_ms,
                         majority(client), heard[0] != '\0' ? "; last: " : "",
                         heard);
    return error_set(err, E_SYSTEM,
                     "no quorum: no answer within %ju ms from any of %zu "
                     "nodes%s%s",
                     (uintmax_t)client->options->timeout_ms, client->node_count,
                     heard[0] != '\0' ? "; last: " : "", heard);
}

static enum status most_refused(const struct client *client, struct error *err)
{
    const struct client_node *node = client->node;

    while (!node->refused)
        node++;
    *err = node->lost;
    return error_wrap(err, "%s", name_of(node));
}

/* Does it, instead of an answer of its own, send us to one that has said no for
 * good?  Then that is its answer, too. */
static bool leads_to_no(const struct client *client,
                        const struct message *message)
{
    struct bytes leader = message_bytes(message, FAILED_LEADER);

    if (message_number(message, FAILED_RETRY) == 0)
        return false;
    for (size_t i = 0; i < client->node_count && leader.size > 0; i++)
        if (client->node[i].has_said && !client->node[i].has_answered &&
            network_node_is(client->node[i].about, leader))
            return true;
    return false;
}

/* It could not, or not now: whom to ask next, and when.  Two that call each
 * other the leader are not followed in a circle without a pause. */
static bool take_failed(struct client *client, struct client_node *node,
                        struct client_answer *answer, struct error *last)
{
    const struct message *message = &answer->message;
    bool led = false;

    if (message->type != MESSAGE_FAILED) {
        node->has_said = true;
        (void)!error_set(last, E_SYSTEM, "%s: answered \"%s\"", name_of(node),
                         message_name(message->type));
    } else if (leads_to_no(client, message)) {
        node->has_said = true;
        *last = client->no;
    } else {
        (void)!failed_error(node, message, last);
        node->has_said = message_number(message, FAILED_RETRY) == 0;
        node->has_denied = node->has_said && last->status == E_NO;
        led = prefer(client, node, message_bytes(message, FAILED_LEADER)) &&
              !client->was_led;
    }
    if (node->has_said)
        client->no = *last;
    client->was_led = led;
    client_answer_clear(answer);
    return !led;
}

/* One node, one attempt; *done when it has answered.  Why it has not is kept in
 * *last. */
static enum status ask_once(struct client *client, struct client_node *node,
                            struct message *request, enum message_type expected,
                            uint64_t deadline_ms, struct client_answer *answer,
                            bool *done, struct error *last, struct error *err)
{
    struct error now;
    enum status status;
    bool pauses = true;

    error_init(&now);
    status = attempt(client, node, request, deadline_ms, answer, &now);
    if (status == E_SYSTEM)
        return OK; /* the time is over, the caller says so */
    if (status != OK && status != E_IO) {
        *err = now;
        return status;
    }
    if (status == E_IO) {
        *last = now;
        client->next++;
    } else if (answer->message.type == expected) {
        *done = true;
        return OK;
    } else {
        pauses = take_failed(client, node, answer, last);
    }
    if (pauses &&
        pause_for(client, PAUSE_MS, deadline_ms, &now) == E_CANCELLED) {
        *err = now;
        return E_CANCELLED;
    }
    return OK;
}

/* One id for all attempts: whoever is asked twice knows it for the same, and
 * the answer to the first is as good as one to the second. */
static enum status begin(struct client *client, struct message *request,
                         struct client_answer *answer, struct error *err)
{
    enum status status = bus_request_id(client->request_id, err);

    *answer = (struct client_answer){.memory = NULL};
    for (size_t i = 0; i < client->node_count; i++)
        client->node[i].was_tried = client->node[i].has_said =
            client->node[i].has_denied = client->node[i].has_answered = false;
    if (status == OK)
        memcpy(request->request_id, client->request_id,
               sizeof request->request_id);
    return status;
}

/* What is asked, and who is told of each answer: nobody, if the first one is
 * enough. */
struct question {
    struct message *request;
    enum message_type expected;
    client_take *take;
    void *context;
};

/* An answer that was wanted.  *done: it is enough. */
static enum status take_wanted(struct client *client, struct question *question,
                               struct client_answer *answer, bool *done,
                               struct error *err)
{
    struct client_node *node = &client->node[answer->node];
    enum status status;

    *done = question->take == NULL;
    if (*done)
        return OK;
    node->has_said = node->has_answered = true;
    status = question->take(question->context, &answer->message, err);
    client_answer_clear(answer);
    return status;
}

/* A majority has spoken, or refuses us. */
static enum status conclude(const struct client *client, struct error *err)
{
    size_t answered = 0, denied = 0;

    for (size_t i = 0; i < client->node_count; i++) {
        answered += client->node[i].has_answered;
        denied += client->node[i].has_denied;
    }
    if (count_said(client) < majority(client))
        return most_refused(client, err);
    if (answered > 0 && answered + denied >= majority(client))
        return OK;
    if (answered > 0 ||
        (client->no.status == E_NO && denied < majority(client)))
        return error_set(err, E_SYSTEM,
                         "no quorum: the nodes do not agree; last: %s",
                         client->no.text);
    *err = client->no;
    return err->status;
}

static enum status ask(struct client *client, struct question *question,
                       struct client_answer *answer, struct error *err)
{
    uint64_t deadline_ms = clock_ms() + client->options->timeout_ms;
    struct error last;
    bool done = false;
    enum status status = begin(client, question->request, answer, err);

    error_init(&last);
    while (status == OK && !done) {
        struct client_node *node = choose(client);

        if (node != NULL) {
            status =
                ask_once(client, node, question->request, question->expected,
                         deadline_ms, answer, &done, &last, err);
            if (status == OK && done)
                status = take_wanted(client, question, answer, &done, err);
        } else if (is_over(client)) {
            return conclude(client, err);
        } else if (turn(client, deadline_ms, err) == E_CANCELLED) {
            status = E_CANCELLED;
        }
        if (status == OK && !done && clock_ms() >= deadline_ms)
            return count_said(client) >= majority(client)
                       ? conclude(client, err)
                       : no_quorum(client, &last, err);
    }
    return status;
}

enum status client_ask(struct client *client, struct message *request,
                       enum message_type expected, struct client_answer *answer,
                       struct error *err)
{
    struct question question = {.request = request, .expected = expected};

    return ask(client, &question, answer, err);
}

enum status client_ask_most(struct client *client, struct message *request,
                            enum message_type expected, client_take *take,
                            void *context, struct error *err)
{
    struct question question = {.request = request,
                                .expected = expected,
                                .take = take,
                                .context = context};
    struct client_answer answer;

    return ask(client, &question, &answer, err);
}

bool client_all_have_said(const struct client *client)
{
    return count_said(client) == client->node_count;
}

enum status client_ask_node(struct client *client, size_t index,
                            struct message *request, enum message_type expected,
                            struct client_answer *answer, struct error *err)
{
    uint64_t deadline_ms = clock_ms() + client->options->timeout_ms;
    struct client_node *node = &client->node[index];
    enum status status = begin(client, request, answer, err);

    assert(index < client->node_count);
    while (status == OK && !node->ready) {
        if (node->refused) {
            *err = node->lost;
            return error_wrap(err, "%s", name_of(node));
        }
        status = turn(client, deadline_ms, err);
    }
    if (status == OK)
        status = attempt(client, node, request, deadline_ms, answer, err);
    if (status != OK)
        return status == E_CANCELLED
                   ? status
                   : error_set(err, E_SYSTEM, "%s: no answer", name_of(node));
    if (answer->message.type == expected)
        return OK;
    if (answer->message.type == MESSAGE_FAILED)
        status = failed_error(node, &answer->message, err);
    else
        status = error_set(err, E_SYSTEM, "%s: answered \"%s\"", name_of(node),
                           message_name(answer->message.type));
    client_answer_clear(answer);
    return status;
}
