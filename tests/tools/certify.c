/*
 * tests/tools/certify.c - for end-to-end tests: a certificate for a table that
 * went no road at all.
 *
 *     certify FOLDER POLICY TABLE DELIMITER
 *         FOLDER/certificate.json and FOLDER/trust.json, by a network that
 *         exists for the moment only; POLICY is what TABLE, without suppressed
 *         rows, was made under
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/lib/released.h"

/* A table that tests are patient enough for. */
#define TABLE_SIZE_MAX (1u << 30)

static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "certify: %s\n", err->text);
    exit(status_exit_code(err->status));
}

static void save(const char *folder, const char *name, const struct text *text)
{
    struct text path;
    struct new_file *file = NULL;
    struct error err;

    error_init(&err);
    text_init(&path);
    demand(text_printf(&path, &err, "%s/%s", folder, name), &err);
    demand(new_file_create(&file, path.data, 0666, &err), &err);
    demand(descriptor_write(new_file_descriptor(file), text_bytes(text),
                            path.data, &err),
           &err);
    demand(new_file_publish(&file, &err), &err);
    text_clear(&path);
}

/* What the file itself says of it. */
static void recount(struct released *world, const struct policy *policy,
                    const char *path)
{
    struct recheck_result *result = NULL;
    struct text table;
    struct error err;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    error_init(&err);
    text_init(&table);
    demand(recheck_table(&result, policy, fd, path, NULL, &err), &err);
    close(fd);
    demand(file_read(path, TABLE_SIZE_MAX, &table, &err), &err);
    demand(digest_bytes(&world->output, text_bytes(&table), &err), &err);
    text_clear(&table);
    world->table = NULL;
    world->after = world->before = result->classes;
    world->facts.rows = world->count = result->classes.rows;
    world->facts.suppressed = 0;
    recheck_destroy(&result);
}

int main(int argc, char **argv)
{
    static struct network network;
    static struct released world;
    struct policy *policy = NULL;
    struct text trust;
    struct error err;

    if (argc != 5 || strlen(argv[4]) != 1) {
        fputs("usage: certify FOLDER POLICY TABLE DELIMITER\n", stderr);
        return 2;
    }
    error_init(&err);
    text_init(&trust);
    network_open(&network);
    released_open(&world, &network);
    demand(policy_open(&policy, argv[2], &err), &err);
    if (policy->attribute_count > RELEASED_ATTRIBUTES_MAX)
        abort();
    recount(&world, policy, argv[3]);
    world.policy_text = policy->canonical.data;
    for (size_t i = 0; i < policy->attribute_count; i++)
        world.level[i] = policy->attribute[i].level_min;
    released_walk(&world);
    world.parts.delimiter = argv[4][0];
    demand(released_certify(&world, &err), &err);
    save(argv[1], "certificate.json", &world.certificate);
    world.trust.demo = true;
    demand(trust_write(&world.trust, &trust, &err), &err);
    save(argv[1], "trust.json", &trust);
    text_clear(&trust);
    policy_close(&policy);
    released_close(&world);
    network_close(&network);
    return 0;
}
