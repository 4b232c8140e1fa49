#include "common/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/files.h"
#include "common/number.h"
#include "common/process.h"
#include "common/sign.h"

/* ---- options ---- */

/* The value behind option i, and on to it. */
static const char *value_of(int argc, char **argv, int *i)
{
    return *i + 1 < argc ? argv[++*i] : NULL;
}

enum status program_options_parse(struct program_options *options, int argc,
                                  char **argv, struct error *err)
{
    uint64_t number;

    *options = (struct program_options){.ready_fd = -1};
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];

        if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
            options->help = true;
            return OK;
        }
        if (strcmp(option, "--check") == 0) {
            options->check = true;
        } else if (strcmp(option, "--config") == 0) {
            options->config = value_of(argc, argv, &i);
            if (options->config == NULL)
                return error_set(err, E_USAGE, "--config: expected a file");
        } else if (strcmp(option, "--ready-fd") == 0) {
            const char *value = value_of(argc, argv, &i);

            if (value == NULL || !number_parse_unsigned(bytes_of_string(value),
                                                        0, INT32_MAX, &number))
                return error_set(err, E_USAGE, "--ready-fd: expected a number");
            options->ready_fd = (int)number;
            if (fcntl(options->ready_fd, F_GETFD) < 0)
                return error_set(err, E_USAGE,
                                 "--ready-fd %d: no such descriptor is open",
                                 options->ready_fd);
        } else {
            return error_set(err, E_USAGE, "there is no option \"%s\"", option);
        }
    }
    if (options->config == NULL)
        return error_set(err, E_USAGE, "--config FILE is missing");
    return OK;
}

/* ---- whose service it is ---- */

enum status program_identity_load(const struct program_identity *identity,
                                  struct network_user *self, struct error *err)
{
    enum status status =
        certificate_load(&self->certificate, identity->certificate, err);

    if (status == OK)
        status = private_key_load(&self->key, identity->key, err);
    if (status == OK)
        status = curve_pair_load(&self->pair, identity->curve, err);
    return status;
}

enum status program_identity_check(const struct program_identity *identity,
                                   const struct network_user *self,
                                   struct error *err)
{
    struct public_key *key = NULL;
    enum status status = private_key_public(self->key, &key, err);

    if (status == OK &&
        !public_key_equal(key, certificate_key(self->certificate)))
        status = error_set(err, E_INPUT, "%s: is not the key of %s",
                           identity->key, identity->certificate);
    public_key_destroy(&key);
    return status;
}

/* ---- running ---- */

static enum status on_start(struct service *service, void *context,
                            struct error *err)
{
    const struct program *program = context;

    return program->start(service, program->context, err);
}

static void on_closed(void *context)
{
    service_finished(context);
}

static void on_stop(struct service *service, void *context)
{
    const struct program *program = context;

    program->close(program->context, on_closed, service);
}

static void on_end(struct service *service, void *context)
{
    const struct program *program = context;

    (void)service;
    program->close(program->context, NULL, NULL);
}

static enum status run(const struct program *program, int ready_fd,
                       struct error *err)
{
    struct program copy = *program;
    const struct service_settings settings = {.name = program->name,
                                              .shutdown_ms =
                                                  program->shutdown_ms,
                                              .ready_fd = ready_fd,
                                              .start = on_start,
                                              .stop = on_stop,
                                              .end = on_end,
                                              .context = &copy};

    if (program->open != NULL && program->open(program->context, err) != OK)
        return err->status;
    return service_run(&settings, err);
}

static enum status check(const struct program *program, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = program->print(program->context, &text, err);
    if (status == OK)
        status = text_append_string(&text, "\n", err);
    if (status == OK)
        status = descriptor_write(STDOUT_FILENO, text_bytes(&text),
                                  "standard output", err);
    text_clear(&text);
    return status;
}

int program_main(const struct program *program, int argc, char **argv)
{
    struct program_options options;
    enum log_level log = LOG_LEVEL_INFO;
    struct error err;
    enum status status;

    process_protect();
    error_init(&err);
    status = program_options_parse(&options, argc, argv, &err);
    if (status == OK && options.help) {
        fputs(program->help, stdout);
        return status_exit_code(OK);
    }
    /* Before the first key is read. */
    if (status == OK)
        status = private_key_lock_memory(&err);
    if (status == OK)
        status = program->load(program->context, options.config, &log, &err);
    if (status == OK && options.check) {
        status = check(program, &err);
    } else if (status == OK) {
        log_open(program->name, log);
        status = run(program, options.ready_fd, &err);
    }
    program->clear(program->context);
    if (status != OK)
        fprintf(stderr, "%s: %s\n", program->name, err.text);
    return status_exit_code(status);
}
