/*
 * ledger/main.c - anchorite-ledger, one organisation's node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "common/process.h"
#include "common/service.h"
#include "common/sign.h"
#include "ledger/audit_command.h"
#include "ledger/config.h"
#include "ledger/node.h"

/* What is in flight is finished within this time, or told to try again. */
#define SHUTDOWN_MS 5000

static const char help[] =
    "usage: anchorite-ledger --config FILE [--check] [--ready-fd N]\n"
    "       anchorite-ledger --audit ...\n\n"
    "Runs one node of the ledger: orders entries with the other nodes, "
    "executes "
    "all\nof them, proves what is in the log.\n\n"
    "  --config FILE   the node's config.json; \"anchorite network up\" makes "
    "one\n"
    "  --check         print the configuration in full and exit\n"
    "  --ready-fd N    write a line to descriptor N when clients may come\n"
    "  --audit         recompute everything from a node's files; --audit "
    "--help\n"
    "  --help          this text\n\n"
    "The first SIGTERM ends it when what is in flight is done, the second at "
    "once.\n";

/* All that the node borrows. */
struct program {
    struct config *config;
    struct genesis *genesis;
    struct certificate *certificate;
    struct private_key *key, *cosign_key;
    struct curve_pair curve;
    struct node_peer peer[GENESIS_NODES_MAX];
    struct node *node;
};

static void program_clear(struct program *program)
{
    curve_pair_clear(&program->curve);
    private_key_destroy(&program->cosign_key);
    private_key_destroy(&program->key);
    certificate_destroy(&program->certificate);
    genesis_destroy(&program->genesis);
    config_destroy(&program->config);
}

/* Files that are there must belong together. */
static enum status check_key(const struct program *program, struct error *err)
{
    struct public_key *key = NULL;
    enum status status = private_key_public(program->key, &key, err);

    if (status == OK &&
        !public_key_equal(key, certificate_key(program->certificate)))
        status = error_set(err, E_INPUT, "%s: is not the key of %s",
                           program->config->key, program->config->certificate);
    public_key_destroy(&key);
    return status;
}

static enum status check_cosigner(const struct program *program,
                                  const struct genesis_node *self,
                                  struct error *err)
{
    struct public_key *cosigner = NULL;
    uint8_t raw[ED25519_KEY_SIZE];
    enum status status;

    if (private_key_type(program->cosign_key) != KEY_ED25519)
        return error_set(err, E_INPUT, "%s: is not an Ed25519 key",
                         program->config->cosign);
    status = private_key_public(program->cosign_key, &cosigner, err);
    if (status != OK)
        return status;
    public_key_raw(cosigner, raw);
    public_key_destroy(&cosigner);
    if (memcmp(raw, self->cosigner.key, sizeof raw) != 0)
        return error_set(
            err, E_INPUT, "%s: is not the key that %s names for %s",
            program->config->cosign, program->config->genesis, self->name);
    return OK;
}

static enum status check_identity(const struct program *program,
                                  struct error *err)
{
    const struct genesis_node *self =
        genesis_node(program->genesis, program->config->node);
    enum status status;

    if (self == NULL)
        return error_set(err, E_INPUT, "%s: there is no node %ju",
                         program->config->genesis,
                         (uintmax_t)program->config->node);
    if (strcmp(certificate_id(self->certificate),
               certificate_id(program->certificate)) != 0)
        return error_set(
            err, E_INPUT, "%s: is not the certificate that %s names for %s",
            program->config->certificate, program->config->genesis, self->name);
    status = check_key(program, err);
    if (status == OK)
        status = check_cosigner(program, self, err);
    return status;
}

static enum status program_load(struct program *program, const char *path,
                                struct error *err)
{
    const struct config *config;
    enum status status = config_load(&program->config, path, err);

    if (status != OK)
        return status;
    config = program->config;
    status = genesis_load(&program->genesis, config->genesis, err);
    if (status == OK)
        status =
            certificate_load(&program->certificate, config->certificate, err);
    if (status == OK)
        status = private_key_load(&program->key, config->key, err);
    if (status == OK)
        status = private_key_load(&program->cosign_key, config->cosign, err);
    if (status == OK)
        status = curve_pair_load(&program->curve, config->curve, err);
    if (status == OK)
        status = process_check_folder(config->raft_folder, err);
    if (status == OK)
        status = check_identity(program, err);
    for (size_t i = 0; status == OK && i < config->peer_count; i++)
        program->peer[i] =
            (struct node_peer){.id = config->peer[i].id,
                               .raft_address = config->peer[i].raft,
                               .endpoint = config->peer[i].bus,
                               .curve = config->peer[i].curve};
    return status;
}

/* Besides the lanes, the loop and libuv's own threads. */
static unsigned verifying_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores > 1 ? (unsigned)cores - 1 : 0;
}

static void on_failed(void *context, const struct error *why)
{
    service_fail(context, why);
}

static enum status on_start(struct service *service, void *context,
                            struct error *err)
{
    struct program *program = context;
    const struct config *config = program->config;
    struct node_options options = {.loop = service_loop(service),
                                   .genesis = program->genesis,
                                   .id = config->node,
                                   .listen = config->listen,
                                   .raft_address = config->raft,
                                   .database = config->database,
                                   .raft_folder = config->raft_folder,
                                   .certificate = program->certificate,
                                   .key = program->key,
                                   .cosign_key = program->cosign_key,
                                   .curve = &program->curve,
                                   .peer = program->peer,
                                   .peer_count = config->peer_count,
                                   .threads = verifying_threads(),
                                   .failed = on_failed,
                                   .context = service};

    return node_open(&program->node, &options, err);
}

static void on_closed(void *context)
{
    service_finished(context);
}

static void on_stop(struct service *service, void *context)
{
    struct program *program = context;

    if (program->node == NULL)
        service_finished(service);
    else
        node_close(&program->node, on_closed, service);
}

/* The node is still there if starting failed after it. */
static void on_end(struct service *service, void *context)
{
    struct program *program = context;

    (void)service;
    node_close(&program->node, NULL, NULL);
}

static int fail(const struct error *err)
{
    fprintf(stderr, "anchorite-ledger: %s\n", err->text);
    return status_exit_code(err->status);
}

static enum status check(const struct program *program, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = config_print(program->config, &text, err);
    if (status == OK)
        printf("%s\n", text.data);
    text_clear(&text);
    return status;
}

int main(int argc, char **argv)
{
    struct program program = {0};
    struct service_options options;
    struct service_settings settings = {.name = "anchorite-ledger",
                                        .shutdown_ms = SHUTDOWN_MS,
                                        .start = on_start,
                                        .stop = on_stop,
                                        .end = on_end,
                                        .context = &program};
    struct error err;
    enum status status;

    process_protect();
    error_init(&err);
    if (argc > 1 && strcmp(argv[1], "--audit") == 0)
        return audit_command(argc - 1, argv + 1);
    status = service_options_parse(&options, argc, argv, &err);
    if (status == OK && options.help) {
        fputs(help, stdout);
        return 0;
    }
    /* Before the first key is read. */
    if (status == OK)
        status = private_key_lock_memory(&err);
    if (status == OK)
        status = program_load(&program, options.config, &err);
    if (status == OK && options.check) {
        status = check(&program, &err);
    } else if (status == OK) {
        log_open("anchorite-ledger", program.config->log);
        settings.ready_fd = options.ready_fd;
        status = service_run(&settings, &err);
    }
    program_clear(&program);
    return status == OK ? status_exit_code(OK) : fail(&err);
}
