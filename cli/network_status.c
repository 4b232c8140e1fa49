#include "cli/network_status.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/network_site.h"
#include "cli/service_process.h"
#include "cli/session.h"

/* It waits so long for a node or service that does not answer. */
#define STATUS_MS 2000

struct seat_state {
    struct client_answer answer; /* of a node: of type state, if it answers */
    pid_t pid;
    bool running; /* its process, as up has started it */
    bool answers;
};

/* What was asked for: of whom, and what they said. */
struct survey {
    struct site site;
    struct session session;
    struct seat_state state[SITE_SEATS_MAX];
};

/* ---- asking ---- */

/* Ask node `node` of that client's network.  A service has no state to tell,
 * and says so. */
static enum status ask(struct client *client, size_t node, bool is_service,
                       struct seat_state *state, struct error *err)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
    struct message request;
    struct error said;
    enum status status;

    message_init(&request, MESSAGE_STATUS, none);
    error_init(&said);
    status = client_ask_node(client, node, &request, MESSAGE_STATE,
                             &state->answer, &said);
    state->answers = status == (is_service ? E_VERSION : OK);
    if (status != E_CANCELLED && status != E_REFUSED)
        return OK;
    *err = said;
    return status;
}

/* A service is a network of its own, as far as a client is concerned. */
static enum status ask_service(const struct session *session,
                               const struct network_node *about,
                               struct seat_state *state, struct error *err)
{
    struct client_options options = session->options;
    struct client *client = NULL;
    struct network service;
    enum status status = network_service(session->network, about->organisation,
                                         about->role, &service, err);

    options.network = &service;
    if (status == OK)
        status = client_open(&client, &options, err);
    if (status == OK)
        status = ask(client, 0, true, state, err);
    client_close(&client);
    return status;
}

static enum status ask_all(struct survey *survey, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < survey->site.seat_count; i++) {
        const struct seat *seat = &survey->site.seat[i];
        struct seat_state *state = &survey->state[i];

        status = service_process_find(seat->folder.data, &state->running,
                                      &state->pid, NULL, err);
        if (status == OK && seat->about->role == IDENTITY_NODE)
            status = ask(survey->session.client, i, false, state, err);
        else if (status == OK)
            status = ask_service(&survey->session, seat->about, state, err);
    }
    return status;
}

/* ---- a table ---- */

static uint64_t number_of(const struct seat_state *state,
                          enum message_field field)
{
    return message_number(&state->answer.message, field);
}

/* A field of text, which is no longer than a name. */
static void name_of(const struct seat_state *state, enum message_field field,
                    char name[IDENTITY_NAME_MAX + 1])
{
    struct bytes bytes = message_bytes(&state->answer.message, field);

    snprintf(name, IDENTITY_NAME_MAX + 1, "%.*s", (int)bytes.size,
             (const char *)bytes.data);
}

/* Somebody else's text, filled up to ten columns. */
static void print_role(const char *role)
{
    size_t size = strlen(role);

    command_print_lines(stdout, role);
    printf("%*s", size < 10 ? (int)(10 - size) : 0, "");
}

/* Whom it takes for the leader, unless that is itself. */
static void print_follows(const struct network_node *node, const char *leader)
{
    bool follows = leader[0] != '\0' && strcmp(leader, node->name) != 0;

    fputs("  ", stdout);
    command_print_lines(stdout, follows ? leader : "-");
    putchar('\n');
}

static const char *why_silent(const struct seat_state *state)
{
    return state->running ? "no answer" : "not running";
}

static void print_node(const struct network_node *node,
                       const struct seat_state *state)
{
    char role[IDENTITY_NAME_MAX + 1], leader[IDENTITY_NAME_MAX + 1];

    printf("%-10s %-12s ", node->name, node->organisation);
    if (!state->answers) {
        puts(why_silent(state));
        return;
    }
    name_of(state, STATE_ROLE, role);
    name_of(state, STATE_LEADER, leader);
    print_role(role);
    printf(" %6ju %10ju %10ju %8ju", (uintmax_t)number_of(state, STATE_TERM),
           (uintmax_t)number_of(state, STATE_SIZE),
           (uintmax_t)number_of(state, STATE_ANCHORED),
           (uintmax_t)number_of(state, STATE_BEHIND));
    print_follows(node, leader);
}

static void print_table(const struct survey *survey)
{
    const struct site *site = &survey->site;
    size_t nodes = site->network->node_count;

    printf("%-10s %-12s %-10s %6s %10s %10s %8s  %s\n", "node", "organisation",
           "role", "term", "size", "anchored", "behind", "follows");
    for (size_t i = 0; i < nodes; i++)
        print_node(site->seat[i].about, &survey->state[i]);
    if (site->seat_count > nodes)
        printf("\n%-23s %s\n", "service", "state");
    for (size_t i = nodes; i < site->seat_count; i++)
        printf("%-23s %s\n", site->seat[i].about->name,
               survey->state[i].answers ? "answers"
                                        : why_silent(&survey->state[i]));
}

/* ---- JSON ---- */

static enum status add_state(struct json_value *object,
                             const struct seat_state *state, struct error *err)
{
    static const struct {
        const char *key;
        enum message_field field;
    } numbers[] = {
        {"term", STATE_TERM},     {"size", STATE_SIZE},
        {"block", STATE_BLOCK},   {"anchored", STATE_ANCHORED},
        {"behind", STATE_BEHIND},
    };
    const struct message *message = &state->answer.message;
    struct bytes root = message_bytes(message, STATE_ROOT);
    char name[IDENTITY_NAME_MAX + 1];
    char hex[DIGEST_HEX_SIZE];
    struct digest digest;
    enum status status;

    name_of(state, STATE_ROLE, name);
    status = json_add_string(object, "role", name, err);
    name_of(state, STATE_LEADER, name);
    if (status == OK)
        status = json_add_string(object, "leader", name, err);
    for (size_t i = 0; status == OK && i < sizeof numbers / sizeof *numbers;
         i++) {
        uint64_t number = number_of(state, numbers[i].field);

        if (number > (UINT64_C(1) << 53))
            return error_set(err, E_SYSTEM, "its %s is beyond 2^53",
                             numbers[i].key);
        status = json_add_integer(object, numbers[i].key, (int64_t)number, err);
    }
    memcpy(digest.byte, root.data, DIGEST_SIZE);
    digest_hex(&digest, hex);
    if (status == OK)
        status = json_add_string(object, "root", hex, err);
    return status;
}

static enum status add_seat(struct json_value *list, const struct seat *seat,
                            const struct seat_state *state, struct error *err)
{
    struct json_value *object;
    enum status status = json_add_object(list, NULL, &object, err);

    if (status == OK)
        status = json_add_string(object, "name", seat->about->name, err);
    if (status == OK)
        status = json_add_string(object, "organisation",
                                 seat->about->organisation, err);
    if (status == OK)
        status = json_add_boolean(object, "running", state->running, err);
    if (status == OK && state->running)
        status = json_add_integer(object, "pid", state->pid, err);
    if (status == OK)
        status = json_add_boolean(object, "answers", state->answers, err);
    if (status == OK && state->answers && seat->about->role == IDENTITY_NODE &&
        add_state(object, state, err) != OK)
        status = error_wrap(err, "%s", seat->about->name);
    return status;
}

static enum status print_json(const struct survey *survey, struct error *err)
{
    const struct site *site = &survey->site;
    size_t nodes = site->network->node_count;
    struct json *json = NULL;
    struct json_value *list = NULL;
    enum status status = json_create(&json, err);

    if (status == OK)
        status = json_add_array(json_edit_root(json), "nodes", &list, err);
    for (size_t i = 0; status == OK && i < nodes; i++)
        status = add_seat(list, &site->seat[i], &survey->state[i], err);
    if (status == OK)
        status = json_add_array(json_edit_root(json), "services", &list, err);
    for (size_t i = nodes; status == OK && i < site->seat_count; i++)
        status = add_seat(list, &site->seat[i], &survey->state[i], err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

/* ---- all of it ---- */

enum status network_status_show(const char *folder, const char *user,
                                bool as_json, bool *all, struct error *err)
{
    struct survey survey = {.site.lock = -1};
    enum status status = site_open(&survey.site, folder, false, err);

    if (status == OK)
        status = session_open(&survey.session, folder, user, STATUS_MS, err);
    if (status == OK)
        status = ask_all(&survey, err);
    *all = true;
    for (size_t i = 0; i < survey.site.seat_count; i++)
        *all = *all && survey.state[i].answers;
    if (status == OK && as_json) {
        status = print_json(&survey, err);
    } else if (status == OK) {
        print_table(&survey);
        status = command_finish_output(err);
    }
    for (size_t i = 0; i < SITE_SEATS_MAX; i++)
        client_answer_clear(&survey.state[i].answer);
    session_close(&survey.session);
    site_close(&survey.site);
    return status;
}
