#include "broker/ports.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/upload.h"
#include "common/utf8.h"

/* ---- the log ---- */

/* Between two questions for what a node does not have yet. */
#define PAUSE_NS 5000000

static enum status ledger_size(void *context, uint64_t *size, struct error *err)
{
    return size_ask(context, size, err);
}

static enum status ledger_show(void *context, const char *which,
                               struct shown *shown, struct error *err)
{
    return shown_ask(shown, context, which, err);
}

static enum status ledger_submit(void *context, struct bytes entry,
                                 struct bytes signatures,
                                 struct receipt *receipt, struct error *err)
{
    return receipt_ask(receipt, context, entry, signatures, err);
}

/* A node that can prove an entry has a checkpoint above it, with k
 * cosignatures. */
static enum status ledger_anchored(void *context, uint64_t position,
                                   struct error *err)
{
    struct client_answer answer;
    struct message request;
    enum status status;

    question_init(&request, MESSAGE_PROVE);
    message_set_number(&request, PROVE_POSITION, position);
    status = client_ask(context, &request, MESSAGE_PROVEN, &answer, err);
    if (status == OK)
        client_answer_clear(&answer);
    return status;
}

static void ledger_pause(void *context)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};

    (void)context;
    nanosleep(&pause, NULL);
}

struct ledger_port ports_ledger(struct client *client)
{
    return (struct ledger_port){.size = ledger_size,
                                .show = ledger_show,
                                .submit = ledger_submit,
                                .anchored = ledger_anchored,
                                .pause = ledger_pause,
                                .context = client};
}

/* ---- the anonymizer ---- */

struct anonymizer_link {
    struct anonymizer_link_options options;
    struct network service; /* of this one alone */
    struct client_options client_options;
    struct client *client; /* NULL before it is needed */
    atomic_bool cancel;
    uint64_t deaf_until_ms; /* steady: no denial is told before */
};

enum status anonymizer_link_open(struct anonymizer_link **out,
                                 const struct anonymizer_link_options *options,
                                 struct error *err)
{
    const char *organisation =
        certificate_subject(options->self->certificate)->organisation;
    struct anonymizer_link *link = calloc(1, sizeof *link);
    enum status status;

    *out = NULL;
    if (link == NULL)
        return error_memory(err, "a link to the anonymizer");
    link->options = *options;
    link->client_options =
        (struct client_options){.network = &link->service,
                                .user = options->self,
                                .timeout_ms = options->timeout_ms,
                                .cancel = &link->cancel};
    atomic_init(&link->cancel, false);
    status = network_service(options->network, organisation,
                             IDENTITY_ANONYMIZER, &link->service, err);
    if (status == OK && strcmp(link->service.node[0].name, options->name) != 0)
        status = error_set(err, E_INPUT,
                           "the organisation's anonymizer is %s, not %s",
                           link->service.node[0].name, options->name);
    if (status != OK)
        anonymizer_link_close(&link);
    *out = link;
    return status;
}

void anonymizer_link_close(struct anonymizer_link **handle)
{
    struct anonymizer_link *link = *handle;

    if (link == NULL)
        return;
    client_close(&link->client);
    free(link);
    *handle = NULL;
}

void anonymizer_link_cancel(struct anonymizer_link *link)
{
    atomic_store(&link->cancel, true);
}

static enum status link_client(struct anonymizer_link *link, struct error *err)
{
    if (link->client != NULL)
        return OK;
    return client_open(&link->client, &link->client_options, err);
}

static enum status ask(struct anonymizer_link *link, struct message *request,
                       enum message_type expected, struct client_answer *answer,
                       struct error *err)
{
    enum status status = link_client(link, err);

    return status == OK
               ? client_ask(link->client, request, expected, answer, err)
               : status;
}

/* ---- what it answers ---- */

/* A name for people, NUL behind it. */
static enum status take_name(char out[IDENTITY_NAME_MAX + 1], struct bytes name,
                             struct error *err)
{
    if (name.size > 0 && !identity_name_valid(name))
        return error_set(err, E_SYSTEM,
                         "the anonymizer answered with a name that cannot be");
    memset(out, 0, IDENTITY_NAME_MAX + 1);
    if (name.size > 0)
        memcpy(out, name.data, name.size);
    return OK;
}

static enum status take_text(struct text *out, struct bytes bytes,
                             struct error *err)
{
    text_reset(out);
    return text_append(out, bytes.data, bytes.size, err);
}

static enum status take_progress(struct job_progress *progress,
                                 const struct message *message,
                                 struct error *err)
{
    struct bytes salt = message_bytes(message, PROGRESS_SALT);
    uint64_t number = message_number(message, PROGRESS_STATUS);
    enum status status =
        take_name(progress->state, message_bytes(message, PROGRESS_STATE), err);

    if (status == OK)
        status = take_name(progress->release,
                           message_bytes(message, PROGRESS_RELEASE), err);
    if (status == OK)
        status = take_text(&progress->statement,
                           message_bytes(message, PROGRESS_STATEMENT), err);
    if (status == OK)
        status = take_text(&progress->why, message_bytes(message, PROGRESS_WHY),
                           err);
    if (status != OK)
        return status;
    if (number > E_REFUSED ||
        (progress->statement.size > 0 && salt.size != COMMITMENT_SALT_SIZE))
        return error_set(err, E_SYSTEM,
                         "the anonymizer answered what cannot be");
    progress->status = (enum status)number;
    if (salt.size == COMMITMENT_SALT_SIZE)
        memcpy(progress->salt.byte, salt.data, salt.size);
    return OK;
}

static enum status ask_progress(struct anonymizer_link *link,
                                struct message *request,
                                struct job_progress *progress,
                                struct error *err)
{
    struct client_answer answer;
    enum status status = ask(link, request, MESSAGE_PROGRESS, &answer, err);

    if (status != OK)
        return status;
    status = take_progress(progress, &answer.message, err);
    client_answer_clear(&answer);
    return status;
}

static struct bytes digest_field(const struct digest *digest)
{
    return bytes_of(digest->byte, DIGEST_SIZE);
}

/* ---- the port ---- */

static enum status send_permit(void *context,
                               const struct permit_delivery *delivery,
                               struct job_progress *progress, struct error *err)
{
    struct anonymizer_link *link = context;
    struct upload_id package, subjects;
    struct message request;
    enum status status = link_client(link, err);

    if (status == OK)
        status = upload_send(link->client, delivery->package, &package, err);
    if (status == OK)
        status = upload_send(link->client, delivery->list, &subjects, err);
    if (status != OK)
        return status;
    question_init(&request, MESSAGE_PERMIT);
    message_set_bytes(&request, PERMIT_ID, digest_field(delivery->id));
    message_set_bytes(&request, PERMIT_SEED,
                      bytes_of(delivery->seed->byte, PERMITTED_SEED_SIZE));
    message_set_bytes(&request, PERMIT_PACKAGE,
                      bytes_of(package.byte, UPLOAD_ID_SIZE));
    message_set_bytes(&request, PERMIT_SUBJECTS,
                      bytes_of(subjects.byte, UPLOAD_ID_SIZE));
    return ask_progress(link, &request, progress, err);
}

static enum status ask_job(void *context, const struct digest *permit,
                           struct job_progress *progress, struct error *err)
{
    struct message request;

    question_init(&request, MESSAGE_JOB);
    message_set_bytes(&request, JOB_PERMIT, digest_field(permit));
    return ask_progress(context, &request, progress, err);
}

static enum status ask_signature(void *context, const struct digest *permit,
                                 struct bytes entry,
                                 struct entry_signature *signature,
                                 struct error *err)
{
    struct anonymizer_link *link = context;
    struct client_answer answer;
    struct message request;
    struct bytes bytes;
    enum status status;

    question_init(&request, MESSAGE_SIGN);
    message_set_bytes(&request, SIGN_PERMIT, digest_field(permit));
    message_set_bytes(&request, SIGN_ENTRY, entry);
    status = ask(link, &request, MESSAGE_SIGNED, &answer, err);
    if (status != OK)
        return status;
    bytes = message_bytes(&answer.message, SIGNED_SIGNATURE);
    assert(bytes.size <= sizeof signature->bytes); /* the message's limit */
    memcpy(signature->bytes, bytes.data, bytes.size);
    signature->size = bytes.size;
    memcpy(signature->by, link->service.node[0].certificate,
           sizeof signature->by);
    client_answer_clear(&answer);
    return OK;
}

static enum status ask_publication(void *context, const struct digest *permit,
                                   const struct digest *entry,
                                   struct job_progress *progress,
                                   struct error *err)
{
    struct message request;

    question_init(&request, MESSAGE_PUBLISH);
    message_set_bytes(&request, PUBLISH_PERMIT, digest_field(permit));
    message_set_bytes(&request, PUBLISH_ENTRY, digest_field(entry));
    return ask_progress(context, &request, progress, err);
}

/* As much of the words as the message has room for; a path in them need not be
 * UTF-8. */
static struct bytes cut(const char *words)
{
    struct bytes text = bytes_of_string(words);
    bool is_cut;

    if (text.size > DENIAL_WHY_MAX)
        text.size = DENIAL_WHY_MAX;
    text.size = utf8_prefix(text, &is_cut);
    return text.size > 0 ? text : bytes_of_string("refused");
}

/* In less time than other questions have. */
static enum status ask_shortly(struct anonymizer_link *link,
                               struct message *request, struct error *err)
{
    uint64_t *timeout_ms = &link->client_options.timeout_ms;
    struct client_answer answer;
    enum status status;

    if (clock_steady_ms() < link->deaf_until_ms)
        return error_set(err, E_SYSTEM,
                         "the anonymizer did not answer a moment ago");
    if (*timeout_ms > DENIAL_WAIT_MS)
        *timeout_ms = DENIAL_WAIT_MS;
    status = ask(link, request, MESSAGE_TAKEN, &answer, err);
    *timeout_ms = link->options.timeout_ms;
    if (status == OK)
        client_answer_clear(&answer);
    else if (status == E_SYSTEM)
        link->deaf_until_ms = clock_steady_ms() + DENIAL_REST_MS;
    return status;
}

static enum status tell_denied(void *context,
                               const struct broker_denial *denial,
                               struct error *err)
{
    char subject[SUBJECT_ID_HEX_SIZE] = "";
    struct message request;

    if (denial->subject != NULL)
        subject_id_hex(denial->subject, subject);
    question_init(&request, MESSAGE_DENIED);
    message_set_string(&request, DENIED_BY, denial->by);
    message_set_string(&request, DENIED_ASKED, denial->asked);
    message_set_string(&request, DENIED_SUBJECT, subject);
    message_set_bytes(&request, DENIED_REQUEST,
                      denial->request != NULL ? digest_field(denial->request)
                                              : bytes_of(NULL, 0));
    message_set_bytes(&request, DENIED_WHY, cut(denial->why));
    return ask_shortly(context, &request, err);
}

struct anonymizer_port ports_anonymizer(struct anonymizer_link *link)
{
    return (struct anonymizer_port){.permit = send_permit,
                                    .job = ask_job,
                                    .sign = ask_signature,
                                    .publish = ask_publication,
                                    .denied = tell_denied,
                                    .context = link};
}
