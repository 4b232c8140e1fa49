/*
 * anonymizer/table_coder.h - one thread's part of coding a table.
 *
 * Records come in batches (csv_blocks.h).  Columns are coded one after the
 * other, a batch at a time; the codes of the quasi-identifiers are packed into
 * a key, and keys are looked up with two rounds of prefetching, since a table
 * of tuples is larger than the caches.
 *
 *     batch -> codes, column by column -> keys -> tuples
 *
 * A coder has numbers of its own: rows of the hierarchy where there is one,
 * else codes in the order in which it met the values; tuples likewise, each
 * with the first row that it had.  table_join.h makes one numbering of them
 * all.
 *
 * It does not say what is wrong with a row, only that something is.
 */
#ifndef ANONYMIZER_TABLE_CODER_H
#define ANONYMIZER_TABLE_CODER_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/csv_blocks.h"
#include "anonymizer/dictionary.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/policy.h"
#include "anonymizer/quick_codes.h"
#include "anonymizer/row_codes.h"
#include "common/limits.h"

/* A column that is coded. */
struct coded_column {
    size_t column;                     /* of the file */
    size_t attribute;                  /* of the policy */
    const struct hierarchy *hierarchy; /* its rows are the codes; may be NULL */
    uint32_t missing_row; /* of it, for missing values, or HIERARCHY_NONE */
    /* Where a quasi-identifier's code stands in the key. */
    unsigned bits, word, shift;
};

#define NO_COLUMN SIZE_MAX

/* What all coders of a table share. */
struct coding {
    const struct policy *policy;
    struct coded_column quasi[QUASI_IDENTIFIERS_MAX];
    size_t quasi_count;
    struct coded_column sensitive[SENSITIVE_MAX];
    size_t sensitive_count;
    size_t words;          /* of a key, >= 1 */
    size_t subject_column; /* or NO_COLUMN */
    struct hash_key subject_key;
    /* By row, below rows_max; each is written by the coder that has it. */
    uint64_t rows_max;
    uint32_t *tuple_of_row;
    uint64_t *subject_hash;
    struct row_codes codes[SENSITIVE_MAX];
};

/* Lay out the key: columns side by side, none across two words. */
void coding_pack(struct coding *coding);

static inline uint32_t coding_unpack(const struct coded_column *column,
                                     const uint64_t *key)
{
    uint64_t mask = (UINT64_C(1) << column->bits) - 1;

    return (uint32_t)(key[column->word] >> column->shift & mask);
}

/* Rows that one coder took in one go. */
struct row_span {
    uint64_t first;
    uint64_t rows;
    unsigned coder;
    uint8_t width[SENSITIVE_MAX]; /* of row_codes */
};

/* One column's values as a coder met them. */
struct column_codes {
    struct quick_codes quick;
    struct dictionary dictionary; /* unused where there is a hierarchy */
    uint64_t *first;              /* [code of the dictionary]: row */
    uint32_t first_capacity;
    uint32_t missing; /* code of what is missing, or DICTIONARY_NONE */
};

struct tuple_slot {
    uint32_t tag;
    uint32_t tuple; /* + 1, 0: empty */
};

/* Distinct keys, numbered as they came. */
struct tuple_set {
    size_t words;
    struct hash_key hash_key;
    uint64_t *key;        /* [tuple * words] */
    uint64_t *first;      /* [tuple]: its first row */
    uint32_t *rows;       /* [tuple] */
    uint32_t *population; /* [tuple], those outside the subset included; NULL
                             without one */
    bool has_subset;
    uint32_t count, capacity;
    struct tuple_slot *slot;
    size_t slot_count;
};

MUST_USE enum status tuple_set_init(struct tuple_set *set, size_t words,
                                    bool has_subset, struct error *err);
void tuple_set_clear(struct tuple_set *set);

/* The tuples of so many keys, at most CSV_BATCH_ROWS.  New ones get first[i]
 * as their first row, and no rows. */
MUST_USE enum status tuple_set_find(struct tuple_set *set, const uint64_t *key,
                                    const uint64_t *first, size_t count,
                                    uint32_t *tuple, struct error *err);

struct table_coder {
    struct coding *coding;
    struct column_codes *quasi;     /* [quasi] */
    struct column_codes *sensitive; /* [sensitive] */
    struct tuple_set tuples;
    uint64_t *key; /* of a batch */
    uint8_t *unquoted;
};

MUST_USE enum status table_coder_create(struct table_coder **coder,
                                        struct coding *coding,
                                        struct error *err);
void table_coder_destroy(struct table_coder **coder);

/* The next rows of `span`, which become its last.  *odd: one of them cannot be
 * taken, table_refuse_row() says why; then all of it is to be dropped. */
MUST_USE enum status table_coder_add(struct table_coder *coder,
                                     const struct csv_batch *batch,
                                     struct row_span *span, bool *odd,
                                     struct error *err);

#endif
