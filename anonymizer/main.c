/*
 * anonymizer/main.c - anchorite-anonymizer, an organisation's anonymizer.
 */
#include <string.h>

#include "anonymizer/worker.h"
#include "common/program.h"

/* What is in flight is finished within this time, or told to try again. */
#define SHUTDOWN_MS 8000

static const char help[] =
    "usage: anchorite-anonymizer --config FILE [--check] [--ready-fd N]\n\n"
    "Holds the records of an organisation's patients, encrypted, makes "
    "releases "
    "of\nthem as permits say, and records every access.\n\n"
    "  --config FILE   the service's config.json; \"anchorite network up\" "
    "makes "
    "one\n"
    "  --check         print the configuration in full and exit\n"
    "  --ready-fd N    write a line to descriptor N when clients may come\n"
    "  --help          this text\n\n"
    "The first SIGTERM ends it when what is in flight is done, the second at "
    "once.\nA release that is being made goes on when it is started again.\n";

/* All that the worker borrows. */
struct anonymizer {
    struct worker_config *config;
    struct genesis *genesis;
    struct network *network;
    struct trust *trust;
    struct network_user self;
    struct worker *worker;
};

static struct program_identity identity(const struct worker_config *config)
{
    return (struct program_identity){.certificate = config->certificate,
                                     .key = config->key,
                                     .curve = config->curve};
}

static const struct network_node *find_self(const struct anonymizer *anonymizer)
{
    const struct network *network = anonymizer->network;

    for (size_t i = 0; i < network->service_count; i++)
        if (strcmp(network->service[i].name, anonymizer->config->name) == 0)
            return &network->service[i];
    return NULL;
}

/* Files that are there must belong together. */
static enum status check_files(const struct anonymizer *anonymizer,
                               struct error *err)
{
    const struct worker_config *config = anonymizer->config;
    const struct program_identity files = identity(config);
    const struct network_node *self = find_self(anonymizer);

    if (self == NULL || self->role != IDENTITY_ANONYMIZER)
        return error_set(err, E_INPUT,
                         "%s: network.json has no anonymizer \"%s\"",
                         config->network, config->name);
    if (strcmp(self->certificate,
               certificate_id(anonymizer->self.certificate)) != 0)
        return error_set(
            err, E_INPUT,
            "%s: is not the certificate that network.json names for %s",
            config->certificate, config->name);
    if (!curve_key_equal(&self->curve, &anonymizer->self.pair.key))
        return error_set(err, E_INPUT,
                         "%s: is not the key that network.json names for %s",
                         config->curve, config->name);
    if (strcmp(anonymizer->trust->origin, anonymizer->genesis->origin) != 0)
        return error_set(err, E_INPUT, "%s: trusts another log than %s begins",
                         config->trust, config->genesis);
    return program_identity_check(&files, &anonymizer->self, err);
}

static enum status load(void *context, const char *path, enum log_level *log,
                        struct error *err)
{
    struct anonymizer *anonymizer = context;
    const struct worker_config *config;
    struct program_identity files;
    enum status status = worker_config_load(&anonymizer->config, path, err);

    if (status != OK)
        return status;
    config = anonymizer->config;
    files = identity(config);
    *log = config->log;
    status = genesis_load(&anonymizer->genesis, config->genesis, err);
    if (status == OK)
        status = network_load(&anonymizer->network, config->network, err);
    if (status == OK)
        status = trust_load(&anonymizer->trust, config->trust, err);
    if (status == OK)
        status = program_identity_load(&files, &anonymizer->self, err);
    return status == OK ? check_files(anonymizer, err) : status;
}

static enum status print(const void *context, struct text *out,
                         struct error *err)
{
    const struct anonymizer *anonymizer = context;

    return worker_config_print(anonymizer->config, out, err);
}

static enum status start(struct service *service, void *context,
                         struct error *err)
{
    struct anonymizer *anonymizer = context;
    const struct worker_options options = {.loop = service_loop(service),
                                           .config = anonymizer->config,
                                           .genesis = anonymizer->genesis,
                                           .network = anonymizer->network,
                                           .trust = anonymizer->trust,
                                           .self = &anonymizer->self};

    return worker_open(&anonymizer->worker, &options, err);
}

static void close_worker(void *context, program_closed *closed,
                         void *closed_context)
{
    struct anonymizer *anonymizer = context;

    worker_close(&anonymizer->worker, closed, closed_context);
}

static void clear(void *context)
{
    struct anonymizer *anonymizer = context;

    network_user_clear(&anonymizer->self);
    trust_destroy(&anonymizer->trust);
    network_destroy(&anonymizer->network);
    genesis_destroy(&anonymizer->genesis);
    worker_config_destroy(&anonymizer->config);
}

int main(int argc, char **argv)
{
    struct anonymizer anonymizer = {.config = NULL};
    const struct program program = {.name = "anchorite-anonymizer",
                                    .help = help,
                                    .shutdown_ms = SHUTDOWN_MS,
                                    .load = load,
                                    .print = print,
                                    .start = start,
                                    .close = close_worker,
                                    .clear = clear,
                                    .context = &anonymizer};

    return program_main(&program, argc, argv);
}
