/*
 * ledger/main.c - anchorite-ledger, one organisation's node.
 */
#include <string.h>

#include "common/process.h"
#include "common/program.h"
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

/* All that the node borrows, and the node. */
struct node_parts {
    struct config *config;
    struct genesis *genesis;
    struct network_user self;
    struct private_key *cosign_key;
    struct node_peer peer[GENESIS_NODES_MAX];
    struct node *node;
};

static struct program_identity identity(const struct config *config)
{
    return (struct program_identity){.certificate = config->certificate,
                                     .key = config->key,
                                     .curve = config->curve};
}

static enum status check_cosigner(const struct node_parts *parts,
                                  const struct genesis_node *self,
                                  struct error *err)
{
    const struct config *config = parts->config;
    struct public_key *cosigner = NULL;
    uint8_t raw[ED25519_KEY_SIZE];
    enum status status;

    if (private_key_type(parts->cosign_key) != KEY_ED25519)
        return error_set(err, E_INPUT, "%s: is not an Ed25519 key",
                         config->cosign);
    status = private_key_public(parts->cosign_key, &cosigner, err);
    if (status != OK)
        return status;
    public_key_raw(cosigner, raw);
    public_key_destroy(&cosigner);
    if (memcmp(raw, self->cosigner.key, sizeof raw) != 0)
        return error_set(err, E_INPUT,
                         "%s: is not the key that %s names for %s",
                         config->cosign, config->genesis, self->name);
    return OK;
}

/* Files that are there must belong together. */
static enum status check_files(const struct node_parts *parts,
                               struct error *err)
{
    const struct config *config = parts->config;
    const struct program_identity files = identity(config);
    const struct genesis_node *self =
        genesis_node(parts->genesis, config->node);
    enum status status;

    if (self == NULL)
        return error_set(err, E_INPUT, "%s: there is no node %ju",
                         config->genesis, (uintmax_t)config->node);
    if (strcmp(certificate_id(self->certificate),
               certificate_id(parts->self.certificate)) != 0)
        return error_set(err, E_INPUT,
                         "%s: is not the certificate that %s names for %s",
                         config->certificate, config->genesis, self->name);
    status = program_identity_check(&files, &parts->self, err);
    return status == OK ? check_cosigner(parts, self, err) : status;
}

static enum status load(void *context, const char *path, enum log_level *log,
                        struct error *err)
{
    struct node_parts *parts = context;
    const struct config *config;
    struct program_identity files;
    enum status status = config_load(&parts->config, path, err);

    if (status != OK)
        return status;
    config = parts->config;
    files = identity(config);
    *log = config->log;
    for (size_t i = 0; i < config->peer_count; i++)
        parts->peer[i] =
            (struct node_peer){.id = config->peer[i].id,
                               .raft_address = config->peer[i].raft,
                               .endpoint = config->peer[i].bus,
                               .curve = config->peer[i].curve};
    status = genesis_load(&parts->genesis, config->genesis, err);
    if (status == OK)
        status = program_identity_load(&files, &parts->self, err);
    if (status == OK)
        status = private_key_load(&parts->cosign_key, config->cosign, err);
    if (status == OK)
        status = process_check_folder(config->raft_folder, err);
    return status == OK ? check_files(parts, err) : status;
}

static enum status print(const void *context, struct text *out,
                         struct error *err)
{
    const struct node_parts *parts = context;

    return config_print(parts->config, out, err);
}

/* Besides the lanes, the loop and libuv's own threads. */
static unsigned verifying_threads(void)
{
    return process_cores(THREADS_MAX) - 1;
}

static void on_failed(void *context, const struct error *why)
{
    service_fail(context, why);
}

static enum status start(struct service *service, void *context,
                         struct error *err)
{
    struct node_parts *parts = context;
    const struct config *config = parts->config;
    struct node_options options = {.loop = service_loop(service),
                                   .genesis = parts->genesis,
                                   .id = config->node,
                                   .listen = config->listen,
                                   .raft_address = config->raft,
                                   .database = config->database,
                                   .raft_folder = config->raft_folder,
                                   .certificate = parts->self.certificate,
                                   .key = parts->self.key,
                                   .cosign_key = parts->cosign_key,
                                   .curve = &parts->self.pair,
                                   .peer = parts->peer,
                                   .peer_count = config->peer_count,
                                   .threads = verifying_threads(),
                                   .failed = on_failed,
                                   .context = service};

    return node_open(&parts->node, &options, err);
}

static void close_node(void *context, program_closed *closed,
                       void *closed_context)
{
    struct node_parts *parts = context;

    node_close(&parts->node, closed, closed_context);
}

static void clear(void *context)
{
    struct node_parts *parts = context;

    network_user_clear(&parts->self);
    private_key_destroy(&parts->cosign_key);
    genesis_destroy(&parts->genesis);
    config_destroy(&parts->config);
}

int main(int argc, char **argv)
{
    struct node_parts parts = {.config = NULL};
    const struct program program = {.name = "anchorite-ledger",
                                    .help = help,
                                    .shutdown_ms = SHUTDOWN_MS,
                                    .load = load,
                                    .print = print,
                                    .start = start,
                                    .close = close_node,
                                    .clear = clear,
                                    .context = &parts};

    if (argc > 1 && strcmp(argv[1], "--audit") == 0) {
        process_protect();
        return audit_command(argc - 1, argv + 1);
    }
    return program_main(&program, argc, argv);
}
