#include "tests/lib/attested.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

struct network attested_network;
struct released attested_world;

void attested_begin(void)
{
    network_open(&attested_network);
    released_open(&attested_world, &attested_network);
}

void attested_end(void)
{
    released_close(&attested_world);
    network_close(&attested_network);
}

void attested_demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err->text);
    abort();
}

static int open_table(const struct scratch *scratch, const char *table)
{
    int fd;

    scratch_write(scratch, "release.csv", table);
    fd = open(scratch_path(scratch, "release.csv"), O_RDONLY);
    if (fd < 0)
        abort();
    return fd;
}

enum status attested_ask(const struct attested_question *question,
                         struct attestation **attestation,
                         struct attestation_findings *findings,
                         struct recheck_result **result, struct error *err)
{
    struct scratch scratch;
    enum status status;
    int fd;

    *result = NULL;
    error_init(err);
    status =
        attestation_parse(attestation, text_bytes(question->certificate), err);
    if (status != OK)
        return status;
    status = attestation_verify(*attestation, question->trust, findings, err);
    if (status != OK)
        return status;
    scratch_open(&scratch);
    fd = open_table(&scratch, question->table);
    status = attestation_recount(*attestation, fd, "release.csv", NULL,
                                 findings, result, err);
    close(fd);
    scratch_close(&scratch);
    return status;
}

void attested_certify(void)
{
    struct error err;

    error_init(&err);
    attested_demand(released_certify(&attested_world, &err), &err);
}

void attested_expect_no(const struct attested_question *question,
                        enum attestation_check check, const char *words)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings = {.failed = ATTESTATION_CHECK_COUNT};
    struct recheck_result *result = NULL;
    struct error err;

    CU_ASSERT_EQUAL(
        attested_ask(question, &attestation, &findings, &result, &err), E_NO);
    CU_ASSERT_EQUAL(findings.failed, check);
    if (strstr(err.text, words) == NULL ||
        strncmp(err.text, attestation_check_name(check),
                strlen(attestation_check_name(check))) != 0) {
        fprintf(stderr, "\nnot \"%s ... %s\": %s\n",
                attestation_check_name(check), words, err.text);
        CU_FAIL("another refusal");
    }
    recheck_destroy(&result);
    attestation_destroy(&attestation);
}

void attested_try(const struct attested_attack *attack, size_t count)
{
    network_open(&attested_network);
    for (size_t i = 0; i < count; i++) {
        released_open(&attested_world, &attested_network);
        if (attack[i].plan != NULL)
            attack[i].plan();
        released_walk(&attested_world);
        if (attack[i].tamper != NULL)
            attack[i].tamper();
        attested_certify();
        attested_expect_no(
            &(struct attested_question){&attested_world.certificate,
                                        attested_world.table,
                                        &attested_world.trust},
            attack[i].check, attack[i].words);
        released_close(&attested_world);
    }
    network_close(&attested_network);
}

const struct network_identity *attested_who(enum network_organisation where,
                                            enum identity_role role)
{
    return network_who(&attested_network, where, role);
}
