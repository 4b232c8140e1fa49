/*
 * anonymizer/vault.h - datasets, each row sealed under its subject's key
 * (vault.db).
 *
 *     subject id, cells --ingest--> sealed rows --reader--> cells
 *                           |                      |
 *                        keyring            access event first
 *
 * A dataset is a random id of 128 bits, a schema (anonymizer/vault_schema.h)
 * and rows 0, 1, ... in the order in which they came.  A row:
 *
 *     plain       be32(size of a cell) || cell, for each cell
 *     sealed      AES-256-GCM(subject's data key, plain), associated data =
 *                 dataset id || row token || schema digest
 *     token       16 random bytes
 *     commitment  HMAC-SHA256(subject's salt, "anchorite row 1" 0x00 ||
 *                 dataset id || schema digest || be64(row) || subject id ||
 *                 key id || token || SHA-256(sealed))
 *     leaf        commitment || subject id || key id || token ||
 *                 SHA-256(sealed)
 *
 * The dataset's root is the RFC 6962 root over the leaves.  With the salt a row
 * can be shown to belong to it; without, which is what erasing the subject
 * leaves, its commitment is 32 random bytes that no guess at a value or a
 * subject can be tried against.
 *
 * The reader recomputes each leaf that it passes and, at the end, the root; a
 * row that it opens also has to have its commitment and its tag.  So every bit
 * of a dataset counts: what was altered is named by dataset and row, never by
 * value.  That the root is the right one, the ledger knows: statement.
 *
 * Who reads vault.db alone sees which ids are in a dataset, how many rows they
 * have and how long those are.
 *
 * One caller at a time; one process at a time (its path and ".lock").
 */
#ifndef ANONYMIZER_VAULT_H
#define ANONYMIZER_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/keyring.h"
#include "anonymizer/vault_schema.h"
#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/subject_id.h"
#include "common/text.h"

#define DATASET_ID_SIZE 16
#define DATASET_ID_HEX_SIZE (2 * DATASET_ID_SIZE + 1)

struct vault;

struct dataset_id {
    uint8_t byte[DATASET_ID_SIZE];
};

/* What stands in a dataset's statement. */
struct vault_dataset {
    struct dataset_id id;
    uint64_t rows;
    struct digest root;
    struct digest schema;
};

/* Makes the file where there is none.  What an ingest that did not come to its
 * end has left is removed. */
MUST_USE enum status vault_open(struct vault **vault, const char *path,
                                struct error *err);
void vault_close(struct vault **vault);

/* So many threads, the caller's included, seal, check and open the rows of what
 * is begun from now on; 1 until then. */
void vault_use_threads(struct vault *vault, unsigned threads);

/* ---- putting in ---- */

/* A dataset that is on its way in; nobody sees it before finish. */
struct vault_ingest;

MUST_USE enum status vault_ingest_begin(struct vault_ingest **ingest,
                                        struct vault *vault,
                                        struct keyring *keyring,
                                        const struct vault_schema *schema,
                                        struct error *err);

/* Its id, from the beginning on. */
struct dataset_id vault_ingest_id(const struct vault_ingest *ingest);

/* One row: as many cells as the schema has columns, each UTF-8 without NUL and
 * at most CSV_FIELD_MAX long, together at most CSV_RECORD_MAX.  Rows are
 * written in batches; memory is one batch.  After a failure nothing but discard
 * may follow. */
MUST_USE enum status vault_ingest_add(struct vault_ingest *ingest,
                                      const struct subject_id *subject,
                                      const struct bytes *cell, size_t count,
                                      struct error *err);

/* The dataset is there, synced, when this returns OK; *dataset says what it is.
 * E_INPUT for a dataset without rows.  Takes *ingest in any case. */
MUST_USE enum status vault_ingest_finish(struct vault_ingest **ingest,
                                         struct vault_dataset *dataset,
                                         struct error *err);
/* As if it had never begun; subjects keep the keys that they got.  What cannot
 * be removed now is when the vault is opened next. */
void vault_ingest_discard(struct vault_ingest **ingest);

/* ---- what there is ---- */

/* Append all ids, DATASET_ID_SIZE each, ascending; those of datasets that are
 * on their way in are among them. */
MUST_USE enum status vault_datasets(struct vault *vault, struct text *ids,
                                    struct error *err);

MUST_USE enum status vault_find(struct vault *vault,
                                const struct dataset_id *id,
                                struct vault_dataset *dataset, bool *found,
                                struct error *err);
/* E_INPUT if there is no such dataset. */
MUST_USE enum status vault_find_schema(struct vault *vault,
                                       const struct dataset_id *id,
                                       struct vault_schema *schema,
                                       struct error *err);

/* Append the canonical JSON of what the ledger's dataset entry commits to:
 * {"dataset":ID,"root":HEX,"rows":N,"schema":HEX,"statement":"dataset 1"}. */
MUST_USE enum status
vault_dataset_statement(const struct vault_dataset *dataset, struct text *out,
                        struct error *err);

void dataset_id_hex(const struct dataset_id *id, char hex[DATASET_ID_HEX_SIZE]);
/* False, and *id untouched, if the text is not 32 lower-case hex digits. */
MUST_USE bool dataset_id_parse(struct dataset_id *id, struct bytes text);

/* ---- reading ---- */

/* Make it durable that these subjects' rows of the dataset are opened.  Called
 * for each batch before the first key of it is; whatever but OK it returns ends
 * the reading, with no key of the batch opened. */
typedef enum status vault_access(void *context,
                                 const struct dataset_id *dataset,
                                 const struct subject_id *subject, size_t count,
                                 struct error *err);

struct vault_request {
    struct dataset_id dataset;
    /* Ascending, none twice; borrowed for the reader's life. */
    const struct subject_id *permitted;
    size_t permitted_count;
    vault_access *access; /* never NULL */
    void *context;        /* of access */
};

struct vault_reader;

/* Borrowed from the reader until its next call. */
struct vault_row {
    uint64_t number; /* of the dataset, from 0 */
    struct subject_id subject;
    const struct bytes *cell;
    size_t cell_count;
};

/* E_INPUT if there is no such dataset or the permitted subjects are not in
 * order. */
MUST_USE enum status vault_reader_open(struct vault_reader **reader,
                                       struct vault *vault,
                                       struct keyring *keyring,
                                       const struct vault_request *request,
                                       struct error *err);
/* Wipes what it held. */
void vault_reader_close(struct vault_reader **reader);

/* The next permitted row in the order of the dataset, or *row = NULL at the
 * end.  A batch is opened at once; nothing of it is given if one of its rows
 * was altered.  Rows of permitted subjects whose keys have ended are left out
 * and counted.  E_INPUT for what was altered, named by its row; only with the
 * end is it certain that nothing was, so what was made of the rows before
 * counts only then.  Nothing may be read after a failure. */
MUST_USE enum status vault_reader_next(struct vault_reader *reader,
                                       const struct vault_row **row,
                                       struct error *err);

/* Back to the first row.  Accesses that were made durable are not announced
 * again: it is one reading, in two passes. */
void vault_reader_rewind(struct vault_reader *reader);

/* Rows that were left out since the first row. */
uint64_t vault_reader_erased(const struct vault_reader *reader);

#endif
