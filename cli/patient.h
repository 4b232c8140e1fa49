/*
 * cli/patient.h - a patient's number from the command line, and the subject id
 * that stands for it everywhere else.
 *
 * A number in the arguments of a process can be read by everybody on the
 * machine while it runs; from a file or standard input it cannot.
 */
#ifndef CLI_PATIENT_H
#define CLI_PATIENT_H

#include "cli/session.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/subject_id.h"
#include "common/text.h"

/* Options of a command; one of them is not NULL. */
struct patient_options {
    const char *number; /* --patient */
    const char *file;   /* --patient-file; "-": standard input */
};

/* For the table of options, in the struct `type`, whose member `patient` is the
 * above. */
#define PATIENT_OPTION_ROWS(type)                                              \
    {"patient", 'p', OPTION_AT(TEXT, type, patient.number)},                   \
    {                                                                          \
        "patient-file", 0, OPTION_AT(TEXT, type, patient.file)                 \
    }
#define PATIENT_OPTION_HELP                                                    \
    "  -p, --patient N          the patient's number; others on this machine " \
    "can\n"                                                                    \
    "                           read it while the command runs\n"              \
    "      --patient-file FILE  or a file with that one number; \"-\" is "     \
    "standard\n"                                                               \
    "                           input\n"

/* Is there one, and one only?  If not, a misuse of that command was told;
 * `action` is what it was to do, NULL if it does one thing. */
bool patient_options_fit(const char *command, const char *action,
                         const struct patient_options *options);

/* Append the number. */
MUST_USE enum status patient_number(const struct patient_options *options,
                                    struct text *number, struct error *err);

/* K_subject of the session's user, a custodian. */
MUST_USE enum status patient_key_open(struct subject_id_key **key,
                                      const struct session *session,
                                      struct error *err);

/* The subject id of a number at the session's user's organisation. */
MUST_USE enum status patient_subject(const struct session *session,
                                     const struct subject_id_key *key,
                                     struct bytes number,
                                     struct subject_id *subject,
                                     struct error *err);

/* All of it: of what the options say, in hex. */
MUST_USE enum status
patient_subject_of_options(const struct session *session,
                           const struct patient_options *options,
                           char hex[SUBJECT_ID_HEX_SIZE], struct error *err);

#endif
