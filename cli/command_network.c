#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/companion.h"
#include "cli/network_files.h"
#include "cli/node_process.h"
#include "cli/options.h"
#include "cli/session.h"
#include "common/clock.h"
#include "common/network.h"
#include "common/process.h"

#define NODES_DEFAULT 3
/* A node opens a database and a log and is ready; it waits for nobody. */
#define READY_MS 20000
/* A node finishes what is under way within five seconds. */
#define END_MS 10000
/* `status` waits so long for a node that does not answer. */
#define STATUS_MS 2000
#define TICK_MS 100

static const char help[] =
    "usage: anchorite network up     --dir DIR [--nodes N]\n"
    "       anchorite network down   --dir DIR\n"
    "       anchorite network status --dir DIR [--as USER] [--json]\n\n"
    "A network of ledger nodes on this machine, for trying out: up makes DIR "
    "with all\nkeys, certificates and configurations if it is not there, and "
    "starts the nodes\nthat are not running; down ends them; status asks each "
    "(exit code 1 if one does\nnot answer).  All keys are made on this "
    "machine: "
    "what the network proves, it\nproves to those who trust this machine.\n\n"
    "  -d, --dir DIR    the folder of the network\n"
    "  -n, --nodes N    how many nodes a new network has, 1 to 15 (3)\n"
    "  -u, --as USER    who asks, ORGANISATION.ROLE (the first node's "
    "auditor)\n"
    "  -j, --json       print one JSON object\n"
    "  -h, --help       this text\n\n"
    "Example:\n"
    "  anchorite network up --dir /tmp/demo\n";

struct options {
    const char *action;
    const char *folder;
    const char *user;
    uint64_t nodes; /* 0: not said */
    bool json;
};

/* What up and down work on; nodes are in the order of network.json. */
struct site {
    const struct options *options;
    struct network *network;
    struct text folder[NETWORK_NODES_MAX];
    int lock;
};

/* ---- the folder ---- */

/* One `up` or `down` at a time: two would start a node twice. */
static enum status site_lock(struct site *site, struct error *err)
{
    const char *folder = site->options->folder;

    site->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->lock < 0)
        return error_set_errno(err, E_INPUT, errno, "%s", folder);
    if (flock(site->lock, LOCK_EX | LOCK_NB) == 0)
        return OK;
    if (errno == EWOULDBLOCK)
        return error_set(err, E_INPUT,
                         "%s: another `anchorite network` is at work on it",
                         folder);
    return error_set_errno(err, E_SYSTEM, errno, "%s", folder);
}

static enum status site_open(struct site *site, const struct options *options,
                             bool locks, struct error *err)
{
    enum status status;

    *site = (struct site){.options = options, .lock = -1};
    for (size_t i = 0; i < NETWORK_NODES_MAX; i++)
        text_init(&site->folder[i]);
    status = network_load(&site->network, options->folder, err);
    if (status == OK)
        status = process_check_folder(options->folder, err);
    if (status == OK && locks)
        status = site_lock(site, err);
    for (size_t i = 0; status == OK && i < site->network->node_count; i++)
        status = network_path(options->folder, site->network->node[i].name,
                              &site->folder[i], err);
    return status;
}

static void site_close(struct site *site)
{
    for (size_t i = 0; i < NETWORK_NODES_MAX; i++)
        text_clear(&site->folder[i]);
    network_destroy(&site->network);
    if (site->lock >= 0)
        close(site->lock);
}

/* ---- up ---- */

/* A node that was started now, until its line of readiness comes. */
struct starting {
    size_t node;
    int ready; /* -1: it is */
};

static enum status not_started(const struct site *site, size_t node,
                               const char *why, struct error *err)
{
    struct text tail;
    struct error unread;

    text_init(&tail);
    if (node_process_log(site->folder[node].data, &tail, &unread) == OK &&
        tail.size > 0) {
        fprintf(stderr, "The last lines of %s/log:\n", site->folder[node].data);
        command_print_lines(stderr, tail.data);
        if (tail.data[tail.size - 1] != '\n')
            fputc('\n', stderr);
    }
    text_clear(&tail);
    return error_set(err, E_SYSTEM, "%s %s", site->network->node[node].name,
                     why);
}

/* What came through the pipe: a line, the end, or not yet anything whole. */
static enum status take_ready(const struct site *site,
                              struct starting *starting, struct error *err)
{
    char buffer[64];
    ssize_t size = read(starting->ready, buffer, sizeof buffer);

    if (size < 0 && errno == EINTR)
        return OK;
    if (size <= 0)
        return not_started(site, starting->node, "did not start", err);
    if (memchr(buffer, '\n', (size_t)size) == NULL)
        return OK;
    close(starting->ready);
    starting->ready = -1;
    return OK;
}

static enum status await_ready(const struct site *site,
                               struct starting *starting, size_t count,
                               struct error *err)
{
    uint64_t deadline_ms = clock_steady_ms() + READY_MS;
    atomic_bool *cancel = command_cancel();
    enum status status = OK;

    for (size_t i = 0; status == OK && i < count;) {
        struct pollfd poll_fd = {.fd = starting[i].ready, .events = POLLIN};

        if (starting[i].ready < 0) {
            i++;
        } else if (atomic_load(cancel)) {
            status = error_set(err, E_CANCELLED, "interrupted");
        } else if (clock_steady_ms() >= deadline_ms) {
            status = not_started(site, starting[i].node,
                                 "is not ready within 20 seconds", err);
        } else if (poll(&poll_fd, 1, TICK_MS) > 0) {
            status = take_ready(site, &starting[i], err);
        }
    }
    return status;
}

static void end_started(const struct site *site,
                        const struct starting *starting, size_t count)
{
    struct error unheard;

    /* The first failure is told; what cannot be ended, too. */
    for (size_t i = 0; i < count; i++)
        if (node_process_end(site->folder[starting[i].node].data, &unheard) !=
            OK)
            (void)command_fail(&unheard);
    for (size_t i = 0; i < count; i++)
        if (node_process_wait(site->folder[starting[i].node].data, END_MS, NULL,
                              &unheard) != OK)
            (void)command_fail(&unheard);
}

static enum status start_nodes(const struct site *site, size_t *started,
                               struct error *err)
{
    struct starting starting[NETWORK_NODES_MAX];
    struct text program;
    size_t count = 0;
    enum status status;

    text_init(&program);
    status = companion_path("anchorite-ledger", &program, err);
    for (size_t i = 0; status == OK && i < site->network->node_count; i++) {
        bool running;
        pid_t pid;

        status =
            node_process_find(site->folder[i].data, &running, &pid, NULL, err);
        if (status == OK && !running) {
            status = node_process_start(program.data, site->folder[i].data,
                                        &starting[count].ready, err);
            starting[count].node = i;
            count += status == OK;
        }
    }
    if (status == OK)
        status = await_ready(site, starting, count, err);
    for (size_t i = 0; i < count; i++)
        if (starting[i].ready >= 0)
            close(starting[i].ready);
    if (status != OK)
        end_started(site, starting, count);
    text_clear(&program);
    *started = count;
    return status;
}

/* Two at once make one each: the first to put it in its place wins, and the
 * other goes on with that one. */
static enum status make_network(const struct options *options, const char *path,
                                struct error *err)
{
    size_t nodes = options->nodes > 0 ? options->nodes : NODES_DEFAULT;
    struct error why;

    if (network_files_make(options->folder, nodes, command_cancel(), &why) ==
        OK) {
        fprintf(stderr,
                "Made %s: keys of %zu nodes and their users, all on this "
                "machine, for trying out.\n",
                options->folder, nodes);
        return OK;
    }
    if (why.status == E_INPUT && access(path, F_OK) == 0)
        return OK;
    *err = why;
    return err->status;
}

/* Is there a network already?  Else make one. */
static enum status make_if_missing(const struct options *options,
                                   struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = network_path(options->folder, "network.json", &path, err);
    if (status == OK && access(path.data, F_OK) != 0)
        status = make_network(options, path.data, err);
    text_clear(&path);
    return status;
}

static enum status up(const struct options *options, struct error *err)
{
    struct site site;
    size_t started = 0;
    enum status status;

    (void)command_cancel();
    if (make_if_missing(options, err) != OK)
        return err->status;
    status = site_open(&site, options, true, err);
    if (status == OK && options->nodes > 0 &&
        options->nodes != site.network->node_count)
        status =
            error_set(err, E_INPUT, "%s: is a network of %zu nodes already",
                      options->folder, site.network->node_count);
    if (status == OK)
        status = start_nodes(&site, &started, err);
    if (status == OK) {
        printf("%zu of %zu nodes started, all are running\n", started,
               site.network->node_count);
        status = command_finish_output(err);
    }
    site_close(&site);
    return status;
}

/* ---- down ---- */

static enum status down(const struct options *options, struct error *err)
{
    struct site site;
    size_t ended = 0;
    enum status status = site_open(&site, options, true, err);

    for (size_t i = 0; status == OK && i < site.network->node_count; i++) {
        bool running;
        pid_t pid;

        status =
            node_process_find(site.folder[i].data, &running, &pid, NULL, err);
        ended += status == OK && running;
        if (status == OK)
            status = node_process_end(site.folder[i].data, err);
    }
    for (size_t i = 0; status == OK && i < site.network->node_count; i++) {
        bool killed;

        status = node_process_wait(site.folder[i].data, END_MS, &killed, err);
        if (status == OK && killed)
            fprintf(stderr, "%s did not end within 10 seconds and was killed\n",
                    site.network->node[i].name);
    }
    if (status == OK) {
        printf("%zu of %zu nodes ended\n", ended, site.network->node_count);
        status = command_finish_output(err);
    }
    site_close(&site);
    return status;
}

/* ---- status ---- */

struct node_state {
    struct client_answer answer; /* of type state, if it answers */
    pid_t pid;
    bool running; /* its process, as up has started it */
    bool answers;
};

static enum status ask_states(const struct site *site, struct node_state *state,
                              struct error *err)
{
    struct session session;
    enum status status = session_open(&session, site->options->folder,
                                      site->options->user, STATUS_MS, err);

    for (size_t i = 0; status == OK && i < site->network->node_count; i++) {
        static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
        struct message request;
        struct error said;

        status = node_process_find(site->folder[i].data, &state[i].running,
                                   &state[i].pid, NULL, err);
        if (status != OK)
            break;
        message_init(&request, MESSAGE_STATUS, none);
        error_init(&said);
        state[i].answers =
            client_ask_node(session.client, i, &request, MESSAGE_STATE,
                            &state[i].answer, &said) == OK;
        if (said.status == E_CANCELLED || said.status == E_REFUSED) {
            *err = said;
            status = said.status;
        }
    }
    session_close(&session);
    return status;
}

static uint64_t number_of(const struct node_state *state,
                          enum message_field field)
{
    return message_number(&state->answer.message, field);
}

/* A field of text, which is no longer than a name. */
static void name_of(const struct node_state *state, enum message_field field,
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

static void print_states(const struct site *site,
                         const struct node_state *state)
{
    printf("%-10s %-12s %-10s %6s %10s %10s %8s  %s\n", "node", "organisation",
           "role", "term", "size", "anchored", "behind", "follows");
    for (size_t i = 0; i < site->network->node_count; i++) {
        const struct network_node *node = &site->network->node[i];
        char role[IDENTITY_NAME_MAX + 1], leader[IDENTITY_NAME_MAX + 1];

        printf("%-10s %-12s ", node->name, node->organisation);
        if (!state[i].answers) {
            puts(state[i].running ? "no answer" : "not running");
            continue;
        }
        name_of(&state[i], STATE_ROLE, role);
        name_of(&state[i], STATE_LEADER, leader);
        print_role(role);
        printf(" %6ju %10ju %10ju %8ju",
               (uintmax_t)number_of(&state[i], STATE_TERM),
               (uintmax_t)number_of(&state[i], STATE_SIZE),
               (uintmax_t)number_of(&state[i], STATE_ANCHORED),
               (uintmax_t)number_of(&state[i], STATE_BEHIND));
        print_follows(node, leader);
    }
}

static enum status add_state(struct json_value *object,
                             const struct node_state *state, struct error *err)
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

static enum status print_states_json(const struct site *site,
                                     const struct node_state *state,
                                     struct error *err)
{
    struct json *json = NULL;
    struct json_value *list, *object;
    enum status status = json_create(&json, err);

    if (status == OK)
        status = json_add_array(json_edit_root(json), "nodes", &list, err);
    for (size_t i = 0; status == OK && i < site->network->node_count; i++) {
        const struct network_node *node = &site->network->node[i];

        status = json_add_object(list, NULL, &object, err);
        if (status == OK)
            status = json_add_string(object, "name", node->name, err);
        if (status == OK)
            status = json_add_string(object, "organisation", node->organisation,
                                     err);
        if (status == OK)
            status = json_add_boolean(object, "running", state[i].running, err);
        if (status == OK && state[i].running)
            status = json_add_integer(object, "pid", state[i].pid, err);
        if (status == OK)
            status = json_add_boolean(object, "answers", state[i].answers, err);
        if (status == OK && state[i].answers &&
            add_state(object, &state[i], err) != OK)
            status = error_wrap(err, "%s", node->name);
    }
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status show_status(const struct options *options, bool *all,
                               struct error *err)
{
    struct node_state state[NETWORK_NODES_MAX];
    struct site site;
    enum status status = site_open(&site, options, false, err);

    for (size_t i = 0; i < NETWORK_NODES_MAX; i++)
        state[i] = (struct node_state){.running = false};
    if (status == OK)
        status = ask_states(&site, state, err);
    *all = true;
    for (size_t i = 0; status == OK && i < site.network->node_count; i++)
        *all = *all && state[i].answers;
    if (status == OK && options->json) {
        status = print_states_json(&site, state, err);
    } else if (status == OK) {
        print_states(&site, state);
        status = command_finish_output(err);
    }
    for (size_t i = 0; i < NETWORK_NODES_MAX; i++)
        client_answer_clear(&state[i].answer);
    site_close(&site);
    return status;
}

/* ---- the command ---- */

static bool fits(const char *command, const struct options *options)
{
    const char *action = options->action;
    bool is_up = strcmp(action, "up") == 0;
    bool is_status = strcmp(action, "status") == 0;

    if (!is_up && !is_status && strcmp(action, "down") != 0)
        command_misuse(command, "up, down and status are known, \"%s\" is not",
                       action);
    else if (options->folder == NULL)
        command_misuse(command, "%s: --dir is missing", action);
    else if (options->nodes > 0 && !is_up)
        command_misuse(command, "%s: --nodes is for up", action);
    else if ((options->json || options->user != NULL) && !is_status)
        command_misuse(command, "%s: --json and --as are for status", action);
    else
        return true;
    return false;
}

static const struct option_row rows[] = {
    {"dir", 'd', OPTION_AT(TEXT, struct options, folder)},
    {"nodes", 'n', OPTION_AT(NUMBER, struct options, nodes), .min = 1,
     .max = NETWORK_NODES_MAX},
    {"as", 'u', OPTION_AT(TEXT, struct options, user)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;

    *options = (struct options){.action = NULL};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    if (operands.count != 1) {
        command_misuse(argv[0], "one of up, down and status is expected");
        return false;
    }
    options->action = operands.at[0];
    return fits(argv[0], options);
}

int command_network(int argc, char **argv)
{
    struct options options;
    struct error err;
    bool all = true;
    int exit_code;
    enum status status;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    if (strcmp(options.action, "up") == 0)
        status = up(&options, &err);
    else if (strcmp(options.action, "down") == 0)
        status = down(&options, &err);
    else
        status = show_status(&options, &all, &err);
    if (status != OK)
        return command_fail(&err);
    return status_exit_code(all ? OK : E_NO);
}
