/*
 * broker/main.c - anchorite-broker, which keeps what patients have said and
 * proposes what may be released.
 */
#include <string.h>

#include "broker/broker_config.h"
#include "broker/follower.h"
#include "broker/ports.h"
#include "broker/requests_taken.h"
#include "common/clock.h"
#include "common/program.h"

/* A request that is being worked on is finished within this time. */
#define SHUTDOWN_MS 15000
/* Questions to the nodes, and to the anonymizer: below what a client of ours
 * waits for. */
#define LEDGER_TIMEOUT_MS 8000
#define ANONYMIZER_TIMEOUT_MS 8000
/* How often the log is looked at while nobody asks anything: so soon what
 * others write there counts. */
#define IDLE_MS 200

static const char help[] =
    "usage: anchorite-broker --config FILE [--check] [--ready-fd N]\n\n"
    "Runs an organisation's broker: keeps what patients have consented to, "
    "says "
    "who\nmay be in a release, and proposes releases to the ledger.\n\n"
    "  --config FILE   the broker's config.json; \"anchorite network up\" "
    "makes "
    "one\n"
    "  --check         print the configuration in full and exit\n"
    "  --ready-fd N    write a line to descriptor N when clients may come\n"
    "  --help          this text\n\n"
    "The first SIGTERM ends it when what is in flight is done, the second at "
    "once.\n";

/* All that the desk borrows, and the desk. */
struct broker_parts {
    struct broker_config *config;
    struct genesis *genesis;
    struct network *network;
    struct network_user self;
    struct anonymizer_link *link;
    struct broker broker;
    struct desk_settings settings;
    struct desk *desk;
};

static struct program_identity identity(const struct broker_config *config)
{
    return (struct program_identity){.certificate = config->certificate,
                                     .key = config->key,
                                     .curve = config->curve};
}

/* Files that are there must belong together. */
static enum status check_files(const struct broker_parts *parts,
                               struct error *err)
{
    const struct broker_config *config = parts->config;
    const struct program_identity files = identity(config);
    const struct certificate_subject *subject =
        certificate_subject(parts->self.certificate);

    if (subject->is_authority || subject->role != IDENTITY_BROKER)
        return error_set(err, E_INPUT, "%s: is no broker's certificate",
                         config->certificate);
    if (strcmp(parts->network->origin, parts->genesis->origin) != 0 ||
        strcmp(parts->network->channel, parts->genesis->channel) != 0)
        return error_set(err, E_INPUT, "%s: is of another network than %s",
                         config->genesis, config->network);
    return program_identity_check(&files, &parts->self, err);
}

static enum status load(void *context, const char *path, enum log_level *log,
                        struct error *err)
{
    struct broker_parts *parts = context;
    const struct broker_config *config;
    struct program_identity files;
    enum status status = broker_config_load(&parts->config, path, err);

    if (status != OK)
        return status;
    config = parts->config;
    files = identity(config);
    *log = config->log;
    status = genesis_load(&parts->genesis, config->genesis, err);
    if (status == OK)
        status = network_load(&parts->network, config->network, err);
    if (status == OK)
        status = program_identity_load(&files, &parts->self, err);
    return status == OK ? check_files(parts, err) : status;
}

static enum status print(const void *context, struct text *out,
                         struct error *err)
{
    const struct broker_parts *parts = context;

    return broker_config_print(parts->config, out, err);
}

static enum status open_store(void *context, struct error *err)
{
    struct broker_parts *parts = context;
    const struct broker_config *config = parts->config;
    struct anonymizer_link_options link = {.network = parts->network,
                                           .name = config->anonymizer,
                                           .self = &parts->self,
                                           .timeout_ms = ANONYMIZER_TIMEOUT_MS};
    struct broker *broker = &parts->broker;
    bool fresh = false;
    enum status status = anonymizer_link_open(&parts->link, &link, err);

    if (status != OK)
        return status;
    *broker = (struct broker){
        .genesis = parts->genesis,
        .author = {.origin = parts->genesis->origin,
                   .channel = parts->genesis->channel,
                   .certificate = parts->self.certificate,
                   .key = parts->self.key},
        .anonymizer = ports_anonymizer(parts->link),
        .now_ms = clock_now_ms,
    };
    status = broker_store_open(&broker->store, config->database,
                               &parts->genesis->digest, &fresh, err);
    /* Those who are there already are not added twice. */
    return status == OK ? follower_begin(broker, err) : status;
}

static enum status start(struct service *service, void *context,
                         struct error *err)
{
    struct broker_parts *parts = context;
    struct desk_settings *settings = &parts->settings;

    *settings = (struct desk_settings){.loop = service_loop(service),
                                       .name = parts->config->name,
                                       .network = parts->network,
                                       .genesis = parts->genesis,
                                       .self = &parts->self,
                                       .listen = parts->config->listen,
                                       .ledger_timeout_ms = LEDGER_TIMEOUT_MS,
                                       .idle = requests_idle,
                                       .idle_ms = IDLE_MS,
                                       .denied = requests_denied,
                                       .context = &parts->broker};
    settings->row = requests_taken(&settings->row_count);
    return desk_open(&parts->desk, settings, err);
}

static void close_desk(void *context, program_closed *closed,
                       void *closed_context)
{
    struct broker_parts *parts = context;

    anonymizer_link_cancel(parts->link);
    desk_close(&parts->desk, closed, closed_context);
}

static void clear(void *context)
{
    struct broker_parts *parts = context;

    broker_store_close(&parts->broker.store);
    anonymizer_link_close(&parts->link);
    network_user_clear(&parts->self);
    network_destroy(&parts->network);
    genesis_destroy(&parts->genesis);
    broker_config_destroy(&parts->config);
}

int main(int argc, char **argv)
{
    struct broker_parts parts = {.config = NULL};
    const struct program program = {.name = "anchorite-broker",
                                    .help = help,
                                    .shutdown_ms = SHUTDOWN_MS,
                                    .load = load,
                                    .print = print,
                                    .open = open_store,
                                    .start = start,
                                    .close = close_desk,
                                    .clear = clear,
                                    .context = &parts};

    return program_main(&program, argc, argv);
}
