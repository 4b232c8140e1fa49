#include "anonymizer/worker_publication.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/attestation.h"
#include "anonymizer/policy_bundle.h"
#include "anonymizer/worker_job.h"
#include "anonymizer/worker_proofs.h"
#include "common/files.h"
#include "common/log.h"
#include "common/sign.h"

#define COPY_SIZE ((size_t)64 << 10)

/* ---- files ---- */

enum status worker_publication_path(const struct worker *worker,
                                    const char *release, const char *name,
                                    struct text *out, struct error *err)
{
    const char *releases = worker->options.config->releases;

    return name == NULL
               ? text_printf(out, err, "%s/%s", releases, release)
               : text_printf(out, err, "%s/%s/%s", releases, release, name);
}

/* To `to` where it is a descriptor. */
static enum status read_through(int from, const char *from_name, int to,
                                const char *to_name, struct digest *digest,
                                struct error *err)
{
    struct digest_stream *stream = NULL;
    uint8_t *block = malloc(COPY_SIZE);
    size_t got = 1;
    enum status status = block == NULL ? error_memory(err, "a file's block")
                                       : digest_open(&stream, err);

    while (status == OK && got > 0) {
        status = descriptor_read(from, block, COPY_SIZE, &got, from_name, err);
        if (status == OK)
            status = digest_update(stream, bytes_of(block, got), err);
        if (status == OK && to >= 0)
            status = descriptor_write(to, bytes_of(block, got), to_name, err);
    }
    if (status == OK)
        status = digest_finish(&stream, digest, err);
    digest_discard(&stream);
    free(block);
    return status;
}

static enum status open_file(const char *path, int *fd, struct error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return *fd < 0 ? error_set_errno(err, E_IO, errno, "%s", path) : OK;
}

enum status worker_publication_digest(const char *path, struct digest *digest,
                                      struct error *err)
{
    int fd;
    enum status status = open_file(path, &fd, err);

    if (status != OK)
        return status;
    status = read_through(fd, path, -1, NULL, digest, err);
    close(fd);
    return status;
}

enum status worker_publication_copy(const char *path, int to,
                                    const char *to_name,
                                    const struct digest *expected,
                                    struct error *err)
{
    struct digest digest;
    int fd;
    enum status status = open_file(path, &fd, err);

    if (status != OK)
        return status;
    status = read_through(fd, path, to, to_name, &digest, err);
    if (status == OK && memcmp(&digest, expected, sizeof digest) != 0)
        status = error_set(err, E_INPUT,
                           "%s: is not the file that was released", path);
    close(fd);
    return status;
}

/* ---- anchored ---- */

static enum status check_signed(struct worker *worker,
                                const struct job_record *record,
                                const struct digest *entry, struct error *err)
{
    struct digest *ours = NULL;
    size_t count = 0;
    bool found = false;
    enum status status =
        worker_store_signed(worker->store, &record->permit, &ours, &count, err);

    for (size_t i = 0; status == OK && i < count; i++)
        found = found || memcmp(&ours[i], entry, sizeof *entry) == 0;
    free(ours);
    if (status == OK && !found)
        status = error_set(err, E_REFUSED,
                           "we have not signed this entry for this release");
    return status;
}

enum status worker_publication_anchor(struct worker *worker,
                                      struct client *client,
                                      struct job_record *record,
                                      const struct digest *entry,
                                      struct error *err)
{
    struct worker_proofs proofs;
    enum status status;

    if (record->state >= JOB_ANCHORED && record->state != JOB_REFUSED &&
        memcmp(&record->entry, entry, sizeof *entry) == 0)
        return OK;
    if (record->state != JOB_PROPOSED)
        return error_set(err, E_REFUSED, "the job is %s",
                         job_state_name(record->state));
    status = check_signed(worker, record, entry, err);
    if (status != OK)
        return status;
    worker_proofs_init(&proofs);
    status = worker_proofs_ask(&proofs, client, worker->options.trust, entry, 1,
                               err);
    worker_proofs_clear(&proofs);
    if (status != OK)
        return status;
    record->entry = *entry;
    record->has_entry = true;
    status = worker_job_move(worker, record, JOB_ANCHORED, err);
    if (status == OK)
        worker_kick(worker);
    return status;
}

/* ---- the certificate ---- */

/* Everybody whose signature stands under one of the entries, and their
 * authorities. */
struct signers {
    struct certificate *signer[ATTESTATION_SIGNERS_MAX];
    size_t count;
    const struct certificate *authority[ATTESTATION_SIGNERS_MAX];
    size_t authority_count;
};

static void signers_clear(struct signers *signers)
{
    for (size_t i = 0; i < signers->count; i++)
        certificate_destroy(&signers->signer[i]);
}

static enum status add_authority(struct signers *signers,
                                 const struct genesis *genesis,
                                 const struct certificate *signer,
                                 struct error *err)
{
    const struct certificate *authority =
        genesis_authority(genesis, certificate_subject(signer)->organisation);

    if (authority == NULL)
        return error_set(err, E_REFUSED,
                         "a signer's organisation has no authority");
    for (size_t i = 0; i < signers->authority_count; i++)
        if (signers->authority[i] == authority)
            return OK;
    signers->authority[signers->authority_count++] = authority;
    return OK;
}

static enum status add_signer(struct signers *signers, struct worker *worker,
                              const char *id, struct error *err)
{
    const struct genesis *genesis = worker->options.genesis;
    enum status status;

    for (size_t i = 0; i < signers->count; i++)
        if (strcmp(certificate_id(signers->signer[i]), id) == 0)
            return OK;
    if (signers->count == ATTESTATION_SIGNERS_MAX)
        return error_set(err, E_LIMIT, "more than %d signers",
                         ATTESTATION_SIGNERS_MAX);
    status = worker_certificate_ask(&signers->signer[signers->count],
                                    worker->client, genesis, id, err);
    if (status != OK)
        return status;
    return add_authority(signers, genesis, signers->signer[signers->count++],
                         err);
}

static enum status gather_signers(struct signers *signers,
                                  struct worker *worker,
                                  const struct worker_proofs *proofs,
                                  struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; i < proofs->count; i++) {
        const struct entry *entry = &proofs->proof[i]->entry;

        for (size_t j = 0; status == OK && j < entry->signature_count; j++)
            status = add_signer(signers, worker, entry->signature[j].by, err);
    }
    return status;
}

/* Would it convince somebody who trusts as we do? */
static enum status try_certificate(const struct worker *worker,
                                   const struct text *certificate,
                                   struct error *err)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    enum status status =
        attestation_parse(&attestation, text_bytes(certificate), err);

    if (status == OK)
        status = attestation_verify(attestation, worker->options.trust,
                                    &findings, err);
    attestation_destroy(&attestation);
    return status == OK ? OK : error_wrap(err, "the release's certificate");
}

static struct attested_statement attested(const struct opened_statement *opened)
{
    return (struct attested_statement){.salt = opened->salt,
                                       .text = opened->text};
}

static enum status write_certificate(struct worker *worker,
                                     const struct job_record *record,
                                     const struct job_papers *papers,
                                     const struct worker_proofs *proofs,
                                     const struct signers *signers,
                                     struct text *out, struct error *err)
{
    const struct network_user *self = worker->options.self;
    struct attestation_parts parts = {
        .release = record->release,
        .delimiter = record->delimiter,
        .terms = attested(&papers->package.terms),
        .permit = attested(&papers->package.permitted),
        .outcome.text = text_bytes(&record->statement),
        .signer = (const struct certificate *const *)signers->signer,
        .signer_count = signers->count,
        .authority = signers->authority,
        .authority_count = signers->authority_count,
        .anonymizer = self->certificate,
        .key = self->key};
    struct job_secrets secrets;
    struct policy *policy = NULL;
    enum status status = worker_job_secrets(worker, record, &secrets, err);

    if (status != OK)
        return status;
    parts.outcome.salt = secrets.salt;
    secret_wipe(&secrets, sizeof secrets);
    for (unsigned i = 0; i < ATTESTATION_STEPS; i++)
        parts.proof[i] = text_bytes(&proofs->text[i]);
    status = policy_bundle_open(&policy, papers->package.bundle, err);
    if (status == OK) {
        parts.policy = text_bytes(&policy->canonical);
        status = attestation_write(&parts, out, err);
    }
    policy_close(&policy);
    if (status == OK)
        status = try_certificate(worker, out, err);
    return status;
}

static enum status make_certificate(struct worker *worker,
                                    const struct job_record *record,
                                    struct text *out, struct error *err)
{
    const struct digest id[ATTESTATION_STEPS] = {
        [STEP_REQUEST] = record->request,
        [STEP_APPROVE] = record->approve,
        [STEP_PERMIT] = record->permit,
        [STEP_RELEASE] = record->entry};
    struct signers signers = {.count = 0};
    struct worker_proofs proofs;
    struct job_papers papers;
    enum status status = worker_job_papers(worker, record, &papers, err);

    if (status != OK)
        return status;
    worker_proofs_init(&proofs);
    status = worker_proofs_ask(&proofs, worker->client, worker->options.trust,
                               id, ATTESTATION_STEPS, err);
    if (status == OK)
        status = gather_signers(&signers, worker, &proofs, err);
    if (status == OK)
        status = write_certificate(worker, record, &papers, &proofs, &signers,
                                   out, err);
    signers_clear(&signers);
    worker_proofs_clear(&proofs);
    job_papers_clear(&papers);
    return status;
}

/* ---- published ---- */

static enum status put_certificate(const char *folder, struct bytes certificate,
                                   struct error *err)
{
    struct new_file *file = NULL;
    struct text path;
    enum status status;

    text_init(&path);
    status = text_printf(&path, err, "%s/certificate.json", folder);
    if (status == OK)
        status = new_file_create(&file, path.data, 0600, err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(file), certificate,
                                  path.data, err);
    if (status == OK)
        status = new_file_publish(&file, err);
    new_file_discard(&file);
    text_clear(&path);
    return status;
}

/* The file has two names for a moment. */
static enum status put_release(const struct worker *worker,
                               const struct job_record *record,
                               const char *folder, struct error *err)
{
    struct text from, to;
    enum status status;

    text_init(&from);
    text_init(&to);
    status =
        worker_job_path(worker, &record->permit, "release.csv", &from, err);
    if (status == OK)
        status = text_printf(&to, err, "%s/release.csv", folder);
    if (status == OK && linkat(AT_FDCWD, from.data, AT_FDCWD, to.data, 0) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", to.data);
    if (status == OK)
        status = file_sync_folder(to.data, err);
    text_clear(&to);
    text_clear(&from);
    return status;
}

/* jobs/<permit>/out with both files. */
static enum status stage(struct worker *worker, const struct job_record *record,
                         struct text *folder, struct error *err)
{
    struct text certificate;
    enum status status;

    text_init(&certificate);
    status = worker_job_path(worker, &record->permit, "out", folder, err);
    if (status == OK)
        status = make_certificate(worker, record, &certificate, err);
    if (status == OK && access(folder->data, F_OK) == 0 &&
        !folder_remove(folder->data))
        status = error_set(err, E_IO, "%s: cannot be removed", folder->data);
    if (status == OK && mkdir(folder->data, 0700) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", folder->data);
    if (status == OK)
        status = put_release(worker, record, folder->data, err);
    if (status == OK)
        status = put_certificate(folder->data, text_bytes(&certificate), err);
    text_clear(&certificate);
    return status;
}

static enum status show(struct worker *worker, const struct job_record *record,
                        const char *target, struct error *err)
{
    const struct access_told told = {.act = ACCESS_PUBLISH,
                                     .by = record->recipient,
                                     .dataset = &record->dataset,
                                     .permit = &record->permit,
                                     .release = record->release};
    struct text folder;
    enum status status;

    text_init(&folder);
    status = stage(worker, record, &folder, err);
    if (status == OK)
        status = worker_events_release(worker->events, &told, err);
    if (status == OK && renameat(AT_FDCWD, folder.data, AT_FDCWD, target) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", target);
    text_clear(&folder);
    return status;
}

/* The file, if a crash took it before it was published. */
static enum status have_file(struct worker *worker, struct job_record *record,
                             struct error *err)
{
    bool holds = false, waits = false;
    enum status status = worker_job_holds(worker, record, &holds, err);

    if (status != OK || holds)
        return status;
    log_warning("release %s: its file is lost and is made again",
                record->release);
    status = worker_job_make(worker, record, &waits, err);
    if (status == OK && waits)
        status = error_set(err, E_SYSTEM,
                           "the file that it repeats is not published");
    return status;
}

enum status worker_publication_make(struct worker *worker,
                                    struct job_record *record,
                                    struct error *err)
{
    struct text target;
    enum status status;

    assert(record->state == JOB_ANCHORED && record->has_entry);
    text_init(&target);
    status =
        worker_publication_path(worker, record->release, NULL, &target, err);
    if (status == OK && access(target.data, F_OK) != 0) {
        status = have_file(worker, record, err);
        if (status == OK)
            status = show(worker, record, target.data, err);
    }
    /* Before a crash, too, it was whole when it got its name. */
    if (status == OK)
        status = file_sync_folder(target.data, err);
    if (status == OK)
        status = worker_job_move(worker, record, JOB_PUBLISHED, err);
    text_clear(&target);
    return status;
}
