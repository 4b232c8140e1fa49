/*
 * broker/main.c - anchorite-broker, which keeps what patients have said and
 * proposes what may be released.
 */
#include <stdio.h>
#include <string.h>

#include "broker/broker_config.h"
#include "broker/follower.h"
#include "broker/ports.h"
#include "broker/requests_taken.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "common/service.h"
#include "common/sign.h"

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

/* All that the service borrows. */
struct program {
    struct broker_config *config;
    struct genesis *genesis;
    struct network *network;
    struct network_user self;
    struct anonymizer_link *link;
    struct broker broker;
    struct desk_settings settings;
    struct desk *desk;
};

static void program_clear(struct program *program)
{
    broker_store_close(&program->broker.store);
    anonymizer_link_close(&program->link);
    network_user_clear(&program->self);
    network_destroy(&program->network);
    genesis_destroy(&program->genesis);
    broker_config_destroy(&program->config);
}

/* Files that are there must belong together. */
static enum status check_identity(const struct program *program,
                                  struct error *err)
{
    const struct certificate *certificate = program->self.certificate;
    struct public_key *key = NULL;
    enum status status;

    if (certificate_subject(certificate)->is_authority ||
        certificate_subject(certificate)->role != IDENTITY_BROKER)
        return error_set(err, E_INPUT, "%s: is no broker's certificate",
                         program->config->certificate);
    if (strcmp(program->network->origin, program->genesis->origin) != 0 ||
        strcmp(program->network->channel, program->genesis->channel) != 0)
        return error_set(err, E_INPUT, "%s: is of another network than %s",
                         program->config->genesis, program->config->network);
    status = private_key_public(program->self.key, &key, err);
    if (status == OK && !public_key_equal(key, certificate_key(certificate)))
        status = error_set(err, E_INPUT, "%s: is not the key of %s",
                           program->config->key, program->config->certificate);
    public_key_destroy(&key);
    return status;
}

static enum status program_load(struct program *program, const char *path,
                                struct error *err)
{
    const struct broker_config *config;
    enum status status = broker_config_load(&program->config, path, err);

    if (status != OK)
        return status;
    config = program->config;
    status = genesis_load(&program->genesis, config->genesis, err);
    if (status == OK)
        status = network_load(&program->network, config->network, err);
    if (status == OK)
        status = certificate_load(&program->self.certificate,
                                  config->certificate, err);
    if (status == OK)
        status = private_key_load(&program->self.key, config->key, err);
    if (status == OK)
        status = curve_pair_load(&program->self.pair, config->curve, err);
    return status == OK ? check_identity(program, err) : status;
}

/* What only a service needs. */
static enum status program_open(struct program *program, struct error *err)
{
    const struct broker_config *config = program->config;
    struct anonymizer_link_options link = {.network = program->network,
                                           .name = config->anonymizer,
                                           .self = &program->self,
                                           .timeout_ms = ANONYMIZER_TIMEOUT_MS};
    struct broker *broker = &program->broker;
    bool fresh = false;
    enum status status = anonymizer_link_open(&program->link, &link, err);

    if (status != OK)
        return status;
    *broker = (struct broker){
        .genesis = program->genesis,
        .author = {.origin = program->genesis->origin,
                   .channel = program->genesis->channel,
                   .certificate = program->self.certificate,
                   .key = program->self.key},
        .anonymizer = ports_anonymizer(program->link),
        .now_ms = clock_now_ms,
    };
    status = broker_store_open(&broker->store, config->database,
                               &program->genesis->digest, &fresh, err);
    /* Those who are there already are not added twice. */
    return status == OK ? follower_begin(broker, err) : status;
}

static enum status on_start(struct service *service, void *context,
                            struct error *err)
{
    struct program *program = context;
    struct desk_settings *settings = &program->settings;

    *settings = (struct desk_settings){.loop = service_loop(service),
                                       .name = program->config->name,
                                       .network = program->network,
                                       .genesis = program->genesis,
                                       .self = &program->self,
                                       .listen = program->config->listen,
                                       .ledger_timeout_ms = LEDGER_TIMEOUT_MS,
                                       .idle = requests_idle,
                                       .idle_ms = IDLE_MS,
                                       .context = &program->broker};
    settings->row = requests_taken(&settings->row_count);
    return desk_open(&program->desk, settings, err);
}

static void on_closed(void *context)
{
    service_finished(context);
}

static void on_stop(struct service *service, void *context)
{
    struct program *program = context;

    if (program->desk == NULL) {
        service_finished(service);
        return;
    }
    anonymizer_link_cancel(program->link);
    desk_close(&program->desk, on_closed, service);
}

/* The desk is still there if starting failed after it. */
static void on_end(struct service *service, void *context)
{
    struct program *program = context;

    (void)service;
    desk_close(&program->desk, NULL, NULL);
}

static int fail(const struct error *err)
{
    fprintf(stderr, "anchorite-broker: %s\n", err->text);
    return status_exit_code(err->status);
}

static enum status check(const struct program *program, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = broker_config_print(program->config, &text, err);
    if (status == OK)
        printf("%s\n", text.data);
    text_clear(&text);
    return status;
}

int main(int argc, char **argv)
{
    struct program program = {0};
    struct service_options options;
    struct service_settings settings = {.name = "anchorite-broker",
                                        .shutdown_ms = SHUTDOWN_MS,
                                        .start = on_start,
                                        .stop = on_stop,
                                        .end = on_end,
                                        .context = &program};
    struct error err;
    enum status status;

    process_protect();
    error_init(&err);
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
        log_open("anchorite-broker", program.config->log);
        settings.ready_fd = options.ready_fd;
        status = program_open(&program, &err);
        if (status == OK)
            status = service_run(&settings, &err);
    }
    program_clear(&program);
    return status == OK ? status_exit_code(OK) : fail(&err);
}
