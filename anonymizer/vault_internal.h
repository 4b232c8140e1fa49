/*
 * anonymizer/vault_internal.h - what writing and reading of a vault share.
 */
#ifndef ANONYMIZER_VAULT_INTERNAL_H
#define ANONYMIZER_VAULT_INTERNAL_H

#include "anonymizer/vault.h"
#include "common/limits.h"
#include "common/seal.h"
#include "common/sql_store.h"

#define ROW_TOKEN_SIZE 16

/* A row lies at place = dataset's number * 2^32 + row's number. */
#define VAULT_PLACE_BITS 32
#define VAULT_NUMBER_MAX ((UINT64_C(1) << (63 - VAULT_PLACE_BITS)) - 1)

/* Of the plan in vault.c. */
enum vault_statement {
    VAULT_GET_META,
    VAULT_PUT_META,
    VAULT_ADD_DATASET,
    VAULT_FINISH_DATASET,
    VAULT_FIND_DATASET,
    VAULT_COUNT_DATASETS,
    VAULT_DATASETS,
    VAULT_UNFINISHED,
    VAULT_DROP_DATASET,
    VAULT_DROP_ROWS,
    VAULT_ADD_ROW,
    VAULT_NEXT_ROWS,
    VAULT_STATEMENT_COUNT
};

struct vault {
    struct sql_store *store;
    unsigned threads;
};

/* A row as it is stored, but for what it holds. */
struct row_head {
    uint64_t number;
    struct subject_id subject;
    uint8_t key_id[KEY_ID_SIZE];
    uint8_t token[ROW_TOKEN_SIZE];
    uint8_t commitment[DIGEST_SIZE];
};

/* Both parts of the associated data that all rows of a dataset share. */
struct row_home {
    struct dataset_id dataset;
    struct digest schema;
};

struct row_association {
    uint8_t byte[DATASET_ID_SIZE + ROW_TOKEN_SIZE + DIGEST_SIZE];
};
struct row_association row_associate(const struct row_home *home,
                                     const uint8_t token[ROW_TOKEN_SIZE]);

/* head->commitment is left out of it. */
void row_commit(const struct row_home *home, const struct row_head *head,
                const struct digest *sealed, const uint8_t salt[SALT_SIZE],
                struct digest *commitment);

void row_leaf(const struct row_head *head, const struct digest *sealed,
              struct digest *leaf);

/* By id; *number is for its rows' places. */
MUST_USE enum status vault_find_numbered(struct vault *vault,
                                         const struct dataset_id *id,
                                         struct vault_dataset *dataset,
                                         uint64_t *number, bool *found,
                                         struct error *err);

/* Remove a dataset and its rows, in a transaction of its own. */
MUST_USE enum status vault_drop(struct vault *vault, uint64_t number,
                                struct error *err);

/* E_INPUT: "<path>: dataset <id>: <words>". */
MUST_USE enum status vault_refuse(const struct vault *vault,
                                  const struct dataset_id *id,
                                  struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
