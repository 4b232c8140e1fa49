/*
 * tests/lib/vault_box.h - a vault in a folder of its own, with its keys, and
 * the rows that tests put into it.
 *
 *     vault_box_open();
 *     dataset = vault_box_fill();
 *     vault_box_expect(&dataset, BOX_ROWS, 0);
 *     vault_box_close();
 */
#ifndef TESTS_LIB_VAULT_BOX_H
#define TESTS_LIB_VAULT_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/keyring.h"
#include "anonymizer/vault.h"
#include "common/error.h"
#include "common/subject_id.h"
#include "tests/lib/scratch.h"

/* One for a process. */
struct vault_box {
    struct scratch scratch;
    struct keyring *keyring;
    struct vault *vault;
    char database[SCRATCH_PATH_MAX]; /* vault.db */
    struct error err;
    /* Every access to rows, and what there is to say to it. */
    struct {
        enum status answer;
        unsigned calls;
        size_t count; /* of subjects, in all calls */
        struct subject_id last;
    } access;
};
extern struct vault_box box;

#define BOX_SUBJECTS 3
extern const struct subject_id box_subjects[BOX_SUBJECTS];

#define BOX_ROWS 3
struct box_row {
    size_t subject;
    const char *cell[2];
};
extern const struct box_row box_rows[BOX_ROWS];
extern const struct vault_schema box_schema;

/* Empty, both open. */
void vault_box_open(void);
void vault_box_close(void);
/* Again, after vault_close(). */
void vault_box_open_vault(void);

/* ---- putting in ---- */

struct vault_ingest *vault_box_start(void);
enum status vault_box_add(struct vault_ingest *ingest, size_t row);
struct vault_dataset vault_box_fill(void);

/* ---- reading ---- */

/* Of all subjects; box.access begins anew. */
struct vault_request vault_box_request(const struct vault_dataset *dataset);
/* Is this the row that was put in? */
bool vault_box_is_row(const struct vault_row *row);
/* Read to the end; *wrong counts rows that are not what was put in. */
enum status vault_box_read(const struct vault_request *request, size_t *count,
                           size_t *wrong, uint64_t *erased);
void vault_box_expect(const struct vault_dataset *dataset, size_t expected,
                      uint64_t expected_erased);
/* Refused with words that name dataset and row, and no cell. */
void vault_box_expect_refused(const struct vault_dataset *dataset,
                              const char *words);

/* ---- past the vault ---- */

/* While the vault is closed; it is open afterwards. */
void vault_box_sql(const char *statement);

struct box_stored {
    uint8_t subject[16], key_id[16], token[16], commitment[32], leaf[32];
    uint8_t sealed[256];
    size_t sealed_size;
};
void vault_box_fetch(struct box_stored stored[BOX_ROWS]);

#endif
