#include "cli/consent_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/fhir_consent.h"
#include "cli/command.h"
#include "cli/consent_archive.h"
#include "cli/patient.h"
#include "cli/signed_entry.h"
#include "common/encoding.h"
#include "common/ledger_questions.h"
#include "common/upload.h"

/* A batch that has grown so large goes, however few it holds; with one more
 * resource it stays below UPLOAD_SIZE_MAX. */
#define BATCH_SIZE_MAX (8u << 20)

struct consent_import {
    const struct session *session;
    const char *patient_system;
    struct service_session broker;
    struct subject_id_key *key;
    struct consent_archive *archive;
    struct consent_counts counts;

    struct text items; /* the batch, without its brackets */
    struct text lines; /* what the archive keeps of it */
    size_t count;
};

enum status consent_import_open(struct consent_import **out,
                                const struct session *session,
                                const char *patient_system, struct error *err)
{
    struct consent_import *import = calloc(1, sizeof *import);
    enum status status;

    *out = NULL;
    if (import == NULL)
        return error_memory(err, "an import");
    import->session = session;
    import->patient_system = patient_system;
    text_init(&import->items);
    text_init(&import->lines);
    status = patient_key_open(&import->key, session, err);
    if (status == OK)
        status = consent_archive_open(&import->archive, session, err);
    if (status == OK)
        status = service_session_open_near(&import->broker, session,
                                           IDENTITY_BROKER, err);
    if (status != OK)
        consent_import_close(&import);
    *out = import;
    return status;
}

void consent_import_close(struct consent_import **handle)
{
    struct consent_import *import = *handle;

    if (import == NULL)
        return;
    service_session_close(&import->broker);
    consent_archive_close(&import->archive);
    subject_id_key_close(&import->key);
    text_clear(&import->lines);
    text_clear(&import->items);
    free(import);
    *handle = NULL;
}

const struct consent_counts *
consent_import_counts(const struct consent_import *import)
{
    return &import->counts;
}

/* ---- one resource ---- */

/* What a resource becomes. */
struct reduced {
    struct digest resource; /* of its RFC 8785 form */
    struct subject_id subject;
    struct text text;
};

static enum status digest_resource(struct bytes resource, struct digest *digest,
                                   struct error *err)
{
    struct json *json = NULL;
    struct text text;
    enum status status = json_parse(&json, resource, err);

    text_init(&text);
    if (status == OK)
        status = json_print_canonical(json_root(json), &text, err);
    if (status == OK)
        status = digest_bytes(digest, text_bytes(&text), err);
    text_clear(&text);
    json_destroy(&json);
    return status;
}

static enum status find_subject(const struct consent_import *import,
                                const struct fhir_patient *patient,
                                struct subject_id *subject, struct error *err)
{
    if (patient->value[0] == '\0')
        return error_set(err, E_REFUSED,
                         "patient: has no identifier with a value");
    if (strcmp(patient->system, import->patient_system) != 0)
        return error_set(err, E_REFUSED,
                         "patient.identifier.system: another one, expected %s",
                         import->patient_system);
    if (patient_subject(import->session, import->key,
                        bytes_of_string(patient->value), subject, err) != OK)
        return error_wrap(err, "patient.identifier.value");
    return OK;
}

static enum status reduce(const struct consent_import *import,
                          struct bytes resource, struct reduced *reduced,
                          struct error *err)
{
    struct fhir_patient patient;
    struct consent consent;
    enum status status;

    consent_init(&consent);
    status = fhir_consent_read(&consent, &patient, resource, err);
    if (status == OK)
        status = find_subject(import, &patient, &reduced->subject, err);
    if (status == OK) {
        subject_id_hex(&reduced->subject, consent.subject);
        status = consent_write(&consent, &reduced->text, err);
    }
    if (status == OK)
        status = digest_resource(resource, &reduced->resource, err);
    consent_clear(&consent);
    return status;
}

/* ---- a batch ---- */

static enum status append_json(const struct json *json, struct text *out,
                               const char *behind, struct error *err)
{
    enum status status = json_print_canonical(json_root(json), out, err);

    return status == OK ? text_append_string(out, behind, err) : status;
}

static enum status add_line(struct consent_import *import,
                            struct bytes resource,
                            const struct reduced *reduced,
                            const struct commitment_salt *salt,
                            struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    struct text original;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    text_init(&original);
    root = json_edit_root(json);
    status = text_append(&original, resource.data, resource.size, err);
    if (status == OK)
        status = json_add_string(root, "original", original.data, err);
    if (status == OK)
        status = json_add_hex(root, "salt",
                              bytes_of(salt->byte, sizeof salt->byte), err);
    if (status == OK)
        status =
            json_add_hex(root, "subject",
                         bytes_of(reduced->subject.byte, SUBJECT_ID_SIZE), err);
    if (status == OK)
        status = append_json(json, &import->lines, "\n", err);
    text_clear(&original);
    json_destroy(&json);
    return status;
}

static enum status add_item(struct consent_import *import,
                            struct bytes resource,
                            const struct reduced *reduced, struct error *err)
{
    struct commitment_salt salt;
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = statement_commit(root, "original", resource, &salt, err);
    if (status == OK)
        status = json_add_string(root, "reduced", reduced->text.data, err);
    if (status == OK && import->count > 0)
        status = text_append_string(&import->items, ",", err);
    if (status == OK)
        status = append_json(json, &import->items, "", err);
    if (status == OK)
        status = add_line(import, resource, reduced, &salt, err);
    if (status == OK)
        status = consent_archive_add(import->archive, &reduced->resource, err);
    import->count += status == OK;
    json_destroy(&json);
    return status;
}

static enum status ask_broker(struct consent_import *import,
                              const struct upload_id *upload, struct error *err)
{
    struct client_answer answer;
    struct message request;
    uint64_t count;
    enum status status;

    question_init(&request, MESSAGE_CONSENTS);
    message_set_bytes(&request, CONSENTS_UPLOAD,
                      bytes_of(upload->byte, sizeof upload->byte));
    status = client_ask(import->broker.client, &request, MESSAGE_RECORDED,
                        &answer, err);
    if (status != OK)
        return status;
    count = message_number(&answer.message, RECORDED_COUNT);
    if (count != import->count)
        status = error_set(err, E_SYSTEM,
                           "the broker has recorded %ju of %zu consents",
                           (uintmax_t)count, import->count);
    if (status == OK) {
        struct bytes id = message_bytes(&answer.message, RECORDED_ID);

        memcpy(import->counts.last.byte, id.data, DIGEST_SIZE);
        status = consent_archive_settle(import->archive, id, err);
    }
    client_answer_clear(&answer);
    return status;
}

static enum status send_batch(struct consent_import *import, struct error *err)
{
    struct upload_id upload;
    struct text batch;
    enum status status;

    text_init(&batch);
    status = text_printf(&batch, err, "[%s]", import->items.data);
    if (status == OK)
        status = consent_archive_keep(import->archive,
                                      text_bytes(&import->lines), err);
    if (status == OK)
        status = upload_send(import->broker.client, text_bytes(&batch), &upload,
                             err);
    if (status == OK)
        status = ask_broker(import, &upload, err);
    if (status == OK) {
        import->counts.recorded += import->count;
        import->counts.entries++;
        import->count = 0;
        text_reset(&import->items);
        text_reset(&import->lines);
    }
    text_clear(&batch);
    return status;
}

/* ---- all of them ---- */

/* What is wrong with a resource, as opposed to with us. */
static bool is_refusal(enum status status)
{
    return status == E_REFUSED || status == E_INPUT || status == E_LIMIT ||
           status == E_VERSION;
}

/* A resource on a line of its own has no lines within. */
static void tell_refusal(struct consent_import *import, const char *file,
                         uint64_t line, struct error *why)
{
    static const char first[] = "line 1: ";
    char *within = line > 0 ? strstr(why->text, first) : NULL;

    if (within != NULL)
        memmove(within, within + strlen(first),
                strlen(within + strlen(first)) + 1);
    import->counts.refused++;
    fputs("anchorite: ", stderr);
    command_print_harmless(stderr, file);
    if (line > 0)
        fprintf(stderr, ": line %ju", (uintmax_t)line);
    fputs(": ", stderr);
    command_print_harmless(stderr, why->text);
    fputc('\n', stderr);
}

enum status consent_import_add(struct consent_import *import,
                               struct bytes resource, const char *file,
                               uint64_t line, struct error *err)
{
    struct reduced reduced;
    struct error why;
    enum status status;

    text_init(&reduced.text);
    error_init(&why);
    status = reduce(import, resource, &reduced, &why);
    if (is_refusal(status)) {
        tell_refusal(import, file, line, &why);
        status = OK;
    } else if (status != OK) {
        *err = why;
    } else if (consent_archive_knows(import->archive, &reduced.resource)) {
        import->counts.known++;
    } else {
        status = add_item(import, resource, &reduced, err);
        if (status == OK && (import->count == CONSENTS_BATCH_MAX ||
                             import->items.size >= BATCH_SIZE_MAX))
            status = send_batch(import, err);
    }
    text_clear(&reduced.text);
    return status;
}

enum status consent_import_finish(struct consent_import *import,
                                  struct error *err)
{
    return import->count > 0 ? send_batch(import, err) : OK;
}
