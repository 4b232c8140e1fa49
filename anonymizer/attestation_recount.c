/* What can be seen in the released file itself. */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/attestation_internal.h"
#include "common/files.h"

/* What is digested at once. */
#define CHUNK_SIZE (256u << 10)

struct recount {
    const struct attestation *attestation;
    int fd;
    const char *name;
    atomic_bool *cancel;
    struct attestation_findings *findings;
    struct recheck_result *result;
};

static enum status rewind_file(const struct recount *recount, struct error *err)
{
    if (lseek(recount->fd, 0, SEEK_SET) == 0)
        return OK;
    return error_set(err, E_IO, "%s: cannot be read from the beginning",
                     recount->name);
}

static enum status digest_file(const struct recount *recount,
                               struct digest *digest, struct error *err)
{
    struct digest_stream *stream = NULL;
    struct text chunk;
    size_t got = 0;
    enum status status;

    text_init(&chunk);
    status = digest_open(&stream, err);
    if (status == OK)
        status = text_reserve(&chunk, CHUNK_SIZE, err);
    do {
        if (recount->cancel != NULL && atomic_load(recount->cancel))
            status = error_set(err, E_CANCELLED, "interrupted");
        if (status == OK)
            status = descriptor_read(recount->fd, chunk.data, CHUNK_SIZE, &got,
                                     recount->name, err);
        if (status == OK)
            status = digest_update(stream, bytes_of(chunk.data, got), err);
    } while (status == OK && got == CHUNK_SIZE);
    if (status == OK)
        status = digest_finish(&stream, digest, err);
    digest_discard(&stream);
    text_clear(&chunk);
    return status;
}

static enum status check_digest(struct recount *recount, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct digest digest;
    enum status status = rewind_file(recount, err);

    if (status == OK)
        status = digest_file(recount, &digest, err);
    if (status != OK)
        return status;
    digest_hex(&digest, hex);
    if (strcmp(hex, recount->attestation->output) != 0)
        return attestation_no(recount->findings, CHECK_DIGEST, err,
                              "the file has SHA-256 %s, the certificate is for "
                              "%s",
                              hex, recount->attestation->output);
    return OK;
}

/* The file is what the anonymizer has signed.  If it is no table all the same,
 * or has columns that nobody named, that is the answer no. */
static enum status check_table(struct recount *recount, struct error *err)
{
    /* The header that is left need not show the delimiter any more. */
    struct policy policy = *recount->attestation->policy;
    enum status status = rewind_file(recount, err);

    policy.delimiter = recount->attestation->delimiter;
    /* The anonymizer drops them, whatever the policy says; a file from which
     * none were dropped shows all that a model compares with. */
    policy.drop_suppressed = recount->attestation->outcome_said.suppressed > 0;
    if (status == OK)
        status = recheck_table(&recount->result, &policy, recount->fd,
                               recount->name, recount->cancel, err);
    if (status == E_INPUT || status == E_LIMIT)
        return attestation_doubt(recount->findings, CHECK_TABLE, "released",
                                 err);
    if (status == OK && recount->result->unremoved_count > 0)
        return attestation_no(recount->findings, CHECK_TABLE, err,
                              "column %s is there, which the policy removes",
                              json_quote(recount->result->unremoved[0]).text);
    return status;
}

static enum status check_rows(struct recount *recount, struct error *err)
{
    const struct attested_outcome *outcome =
        &recount->attestation->outcome_said;
    const struct class_figures *found = &recount->result->classes;
    uint64_t stated = outcome->rows - outcome->suppressed;

    if (found->rows != stated)
        return attestation_no(recount->findings, CHECK_ROWS, err,
                              "the file has %ju rows, %ju were released",
                              (uintmax_t)found->rows, (uintmax_t)stated);
    if (found->suppressed > 0)
        return attestation_no(recount->findings, CHECK_ROWS, err,
                              "%ju suppressed rows are there, which a release "
                              "drops",
                              (uintmax_t)found->suppressed);
    return OK;
}

static enum status check_models(struct recount *recount, struct error *err)
{
    const struct policy *policy = recount->attestation->policy;
    const struct recheck_result *result = recount->result;

    for (size_t i = 0; i < result->criterion_count; i++) {
        enum privacy_model model = policy->criterion[i].model;

        if (!result->criterion[i].judged || result->criterion[i].satisfied)
            continue;
        if (privacy_model_is_of_sample(model))
            return attestation_no(recount->findings, CHECK_MODELS, err,
                                  "%s is broken by the classes together",
                                  privacy_model_name(model));
        return attestation_no(recount->findings, CHECK_MODELS, err,
                              "%s is broken by %ju classes",
                              privacy_model_name(model),
                              (uintmax_t)result->criterion[i].violating);
    }
    return OK;
}

/* Both were counted by the same arithmetic, from the same bytes. */
static enum status check_figures(struct recount *recount, struct error *err)
{
    const struct class_figures *found = &recount->result->classes;
    const struct class_figures *stated =
        &recount->attestation->outcome_said.after;
    const char *differs = NULL;

    if (found->count != stated->count)
        differs = "the number of classes";
    else if (found->min != stated->min)
        differs = "the smallest class";
    else if (found->max != stated->max)
        differs = "the largest class";
    else if (found->average != stated->average)
        differs = "the average class";
    else if (found->uniques != stated->uniques)
        differs = "the number of sample uniques";
    else if (found->risk_highest != stated->risk_highest)
        differs = "the highest risk";
    else if (found->risk_average != stated->risk_average)
        differs = "the average risk";
    if (differs == NULL)
        return OK;
    return attestation_no(recount->findings, CHECK_FIGURES, err,
                          "%s is another than stated", differs);
}

enum status attestation_recount(const struct attestation *attestation, int fd,
                                const char *name, atomic_bool *cancel,
                                struct attestation_findings *findings,
                                struct recheck_result **result,
                                struct error *err)
{
    static enum status (*const checks[])(struct recount *, struct error *) = {
        check_digest, check_table, check_rows, check_models, check_figures};
    struct recount recount = {.attestation = attestation,
                              .fd = fd,
                              .name = name,
                              .cancel = cancel,
                              .findings = findings};
    enum status status = OK;

    static_assert(COUNT_OF(checks) ==
                      ATTESTATION_CHECK_COUNT - ATTESTATION_RECOUNTED,
                  "every check on the file is made");
    for (size_t i = 0; status == OK && i < COUNT_OF(checks); i++)
        status = checks[i](&recount, err);
    *result = recount.result;
    return status;
}
