/*
 * anonymizer/ingest_reader.h - a hospital's table, as a vault takes it.
 *
 *     patient;name;age;ward          subject id    age  ward
 *     4711;Ada;39;A           ->     9f3c...       39   A
 *
 * By the roles of a policy: the subject's column becomes a subject id, by who
 * has the key for it; identifying columns go, and unlisted ones where the
 * policy removes them; all others stay as they are, sensitive and insensitive
 * ones and quasi-identifiers, for any policy that is to come.
 *
 * A subject has one row: k counts rows.  Which row says so, a refusal names by
 * its line, never by what is in it.
 *
 * This half runs where patients' numbers are known: in the custodian's command.
 */
#ifndef ANONYMIZER_INGEST_READER_H
#define ANONYMIZER_INGEST_READER_H

#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "anonymizer/vault_schema.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/subject_id.h"

struct ingest_reader;

/* Whose number is it?  Never called with an empty one. */
typedef enum status ingest_identify(void *context, struct bytes patient_number,
                                    struct subject_id *subject,
                                    struct error *err);

struct ingest_source {
    int fd; /* read from its present offset on; a pipe will do */
    const char *name;
    ingest_identify *identify;
    void *context; /* of identify */
};

/* Borrowed from the reader until its next call. */
struct ingest_row {
    uint64_t line; /* where it begins */
    struct subject_id subject;
    const struct bytes *cell; /* by the schema's columns */
    size_t cell_count;
};

/* Policy and source are borrowed for the reader's life.  E_INPUT if the policy
 * has no subject, if policy and header do not fit, or no column would be
 * left. */
MUST_USE enum status ingest_reader_open(struct ingest_reader **reader,
                                        const struct policy *policy,
                                        const struct ingest_source *source,
                                        struct error *err);
void ingest_reader_close(struct ingest_reader **reader);

/* Of all rows; lives as long as the reader. */
const struct vault_schema *
ingest_reader_schema(const struct ingest_reader *reader);

/* The next row, or *row = NULL at the end.  E_INPUT for a row without a
 * subject, a subject who had a row before, a table without rows; what identify
 * returns comes back with the line.  Nothing may be read after a failure. */
MUST_USE enum status ingest_reader_next(struct ingest_reader *reader,
                                        const struct ingest_row **row,
                                        struct error *err);

#endif
