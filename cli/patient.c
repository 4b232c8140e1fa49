#include "cli/patient.h"

#include <string.h>

#include "cli/command.h"
#include "common/files.h"
#include "common/limits.h"

/* The number and its line's end. */
#define PATIENT_FILE_MAX (PATIENT_NUMBER_MAX + 2)

bool patient_options_fit(const char *command, const char *action,
                         const struct patient_options *options)
{
    if ((options->number == NULL) == (options->file == NULL)) {
        command_misuse(
            command, "%s%sone of --patient and --patient-file is expected",
            action != NULL ? action : "", action != NULL ? ": " : "");
        return false;
    }
    return true;
}

/* The one line of a file. */
static enum status read_number(const char *path, struct text *number,
                               struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    size_t start = number->size, size;
    enum status status = file_read(standard ? "/dev/stdin" : path,
                                   PATIENT_FILE_MAX, number, err);

    if (status == E_LIMIT)
        return error_set(err, E_INPUT,
                         "%s: expected one patient's number, of at most %d "
                         "bytes",
                         name, PATIENT_NUMBER_MAX);
    if (status != OK)
        return status;
    size = number->size;
    if (size > start && number->data[size - 1] == '\n')
        size--;
    if (size > start && number->data[size - 1] == '\r')
        size--;
    if (size == start || memchr(number->data + start, '\n', size - start))
        return error_set(err, E_INPUT, "%s: expected one patient's number",
                         name);
    number->size = size;
    number->data[size] = '\0';
    return OK;
}

enum status patient_number(const struct patient_options *options,
                           struct text *number, struct error *err)
{
    return options->file != NULL
               ? read_number(options->file, number, err)
               : text_append_string(number, options->number, err);
}

enum status patient_key_open(struct subject_id_key **key,
                             const struct session *session, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = session_path(session, "subject.key", &path, err);
    if (status == OK && subject_id_key_open(key, path.data, err) != OK)
        status = error_wrap(err,
                            "%s has no key of subject ids, which is a "
                            "custodian's alone (--as)",
                            session->name);
    text_clear(&path);
    return status;
}

enum status patient_subject(const struct session *session,
                            const struct subject_id_key *key,
                            struct bytes number, struct subject_id *subject,
                            struct error *err)
{
    const struct certificate_subject *custodian =
        certificate_subject(session->user.certificate);

    return subject_id_derive(key, custodian->organisation, number, subject,
                             err);
}

enum status patient_subject_of_options(const struct session *session,
                                       const struct patient_options *options,
                                       char hex[SUBJECT_ID_HEX_SIZE],
                                       struct error *err)
{
    struct subject_id_key *key = NULL;
    struct subject_id subject;
    struct text number;
    enum status status;

    text_init(&number);
    status = patient_number(options, &number, err);
    if (status == OK)
        status = patient_key_open(&key, session, err);
    if (status == OK)
        status =
            patient_subject(session, key, text_bytes(&number), &subject, err);
    if (status == OK)
        subject_id_hex(&subject, hex);
    subject_id_key_close(&key);
    text_clear(&number);
    return status;
}
