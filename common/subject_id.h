/*
 * common/subject_id.h - what a patient is called everywhere but at the
 * custodian's.
 *
 *     subject id = first 16 bytes of
 *         HMAC-SHA256( K_subject, organisation || 0x00 || patient number )
 *
 * and in text its lower-case hex.  Without K_subject nobody can tell whose an
 * id is, though patient numbers are few enough to be tried out; with it, all
 * can be.  So it lies with the custodian's command line alone, in a file of its
 * own (common/secret_file.h), and is never sent.
 *
 * A new key gives every patient a new id: what was ingested, consented and
 * released under the old one belongs to nobody then.  There is one per
 * organisation, for good.
 */
#ifndef COMMON_SUBJECT_ID_H
#define COMMON_SUBJECT_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

#define SUBJECT_ID_SIZE 16
#define SUBJECT_ID_HEX_SIZE (2 * SUBJECT_ID_SIZE + 1)

struct subject_id {
    uint8_t byte[SUBJECT_ID_SIZE];
};

/* K_subject, in memory that is wiped. */
struct subject_id_key;

/* Draw a new one into a new file; E_INPUT if there is one. */
MUST_USE enum status subject_id_key_create(const char *path, struct error *err);
MUST_USE enum status subject_id_key_open(struct subject_id_key **key,
                                         const char *path, struct error *err);
void subject_id_key_close(struct subject_id_key **key);

/* E_INPUT if the number is empty, E_LIMIT if it has more than
 * PATIENT_NUMBER_MAX bytes.  `organisation` is not empty. */
MUST_USE enum status subject_id_derive(const struct subject_id_key *key,
                                       const char *organisation,
                                       struct bytes patient_number,
                                       struct subject_id *id,
                                       struct error *err);

/* In the order of their bytes, which is that of their texts. */
int subject_id_compare(const struct subject_id *a, const struct subject_id *b);

void subject_id_hex(const struct subject_id *id, char hex[SUBJECT_ID_HEX_SIZE]);
/* False, and *id untouched, if the text is not 32 lower-case hex digits. */
MUST_USE bool subject_id_parse(struct subject_id *id, struct bytes text);

#endif
