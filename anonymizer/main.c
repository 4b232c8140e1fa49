/*
 * anonymizer/main.c - anchorite-anonymizer, an organisation's anonymizer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker.h"
#include "common/log.h"
#include "common/process.h"
#include "common/service.h"
#include "common/sign.h"

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
struct program {
    struct worker_config *config;
    struct genesis *genesis;
    struct network *network;
    struct trust *trust;
    struct network_user self;
    struct worker *worker;
};

static void program_clear(struct program *program)
{
    network_user_clear(&program->self);
    trust_destroy(&program->trust);
    network_destroy(&program->network);
    genesis_destroy(&program->genesis);
    worker_config_destroy(&program->config);
}

/* Files that are there must belong together. */
static enum status check_key(const struct program *program, struct error *err)
{
    struct public_key *key = NULL;
    enum status status = private_key_public(program->self.key, &key, err);

    if (status == OK &&
        !public_key_equal(key, certificate_key(program->self.certificate)))
        status = error_set(err, E_INPUT, "%s: is not the key of %s",
                           program->config->key, program->config->certificate);
    public_key_destroy(&key);
    return status;
}

static const struct network_node *find_self(const struct program *program)
{
    const struct network *network = program->network;

    for (size_t i = 0; i < network->service_count; i++)
        if (strcmp(network->service[i].name, program->config->name) == 0)
            return &network->service[i];
    return NULL;
}

static enum status check_identity(const struct program *program,
                                  struct error *err)
{
    const struct worker_config *config = program->config;
    const struct network_node *self = find_self(program);

    if (self == NULL || self->role != IDENTITY_ANONYMIZER)
        return error_set(err, E_INPUT,
                         "%s: network.json has no anonymizer \"%s\"",
                         config->network, config->name);
    if (strcmp(self->certificate, certificate_id(program->self.certificate)) !=
        0)
        return error_set(
            err, E_INPUT,
            "%s: is not the certificate that network.json names for %s",
            config->certificate, config->name);
    if (!curve_key_equal(&self->curve, &program->self.pair.key))
        return error_set(err, E_INPUT,
                         "%s: is not the key that network.json names for %s",
                         config->curve, config->name);
    if (strcmp(program->trust->origin, program->genesis->origin) != 0)
        return error_set(err, E_INPUT, "%s: trusts another log than %s begins",
                         config->trust, config->genesis);
    return check_key(program, err);
}

static enum status program_load(struct program *program, const char *path,
                                struct error *err)
{
    const struct worker_config *config;
    enum status status = worker_config_load(&program->config, path, err);

    if (status != OK)
        return status;
    config = program->config;
    status = genesis_load(&program->genesis, config->genesis, err);
    if (status == OK)
        status = network_load(&program->network, config->network, err);
    if (status == OK)
        status = trust_load(&program->trust, config->trust, err);
    if (status == OK)
        status = certificate_load(&program->self.certificate,
                                  config->certificate, err);
    if (status == OK)
        status = private_key_load(&program->self.key, config->key, err);
    if (status == OK)
        status = curve_pair_load(&program->self.pair, config->curve, err);
    return status == OK ? check_identity(program, err) : status;
}

static enum status on_start(struct service *service, void *context,
                            struct error *err)
{
    struct program *program = context;
    const struct worker_options options = {.loop = service_loop(service),
                                           .config = program->config,
                                           .genesis = program->genesis,
                                           .network = program->network,
                                           .trust = program->trust,
                                           .self = &program->self};

    return worker_open(&program->worker, &options, err);
}

static void on_closed(void *context)
{
    service_finished(context);
}

static void on_stop(struct service *service, void *context)
{
    struct program *program = context;

    if (program->worker == NULL)
        service_finished(service);
    else
        worker_close(&program->worker, on_closed, service);
}

/* The worker is still there if starting failed after it. */
static void on_end(struct service *service, void *context)
{
    struct program *program = context;

    (void)service;
    worker_close(&program->worker, NULL, NULL);
}

static int fail(const struct error *err)
{
    fprintf(stderr, "anchorite-anonymizer: %s\n", err->text);
    return status_exit_code(err->status);
}

static enum status check(const struct program *program, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = worker_config_print(program->config, &text, err);
    if (status == OK)
        printf("%s\n", text.data);
    text_clear(&text);
    return status;
}

int main(int argc, char **argv)
{
    struct program program = {0};
    struct service_options options;
    struct service_settings settings = {.name = "anchorite-anonymizer",
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
        log_open("anchorite-anonymizer", program.config->log);
        settings.ready_fd = options.ready_fd;
        status = service_run(&settings, &err);
    }
    program_clear(&program);
    return status == OK ? status_exit_code(OK) : fail(&err);
}
