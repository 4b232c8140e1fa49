/*
 * anonymizer/vault_schema.h - what the columns of a dataset are.
 *
 * Its canonical JSON (RFC 8785) is kept with the dataset, and its SHA-256, the
 * schema digest, is part of every row's associated data and of the dataset's
 * statement:
 *
 *     {"columns":["age","diagnosis"],"delimiter":";","missing":["","NA"],
 *      "newline":"\n","schema":1,"subject":"patient"}
 *
 * Columns are those that rows hold, in order, without the subject's and the
 * identifying ones.  Names of columns are no values of a record, but whoever
 * keeps a table decides them.
 */
#ifndef ANONYMIZER_VAULT_SCHEMA_H
#define ANONYMIZER_VAULT_SCHEMA_H

#include <stddef.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/text.h"

struct vault_schema {
    char *subject; /* name of the column that the subject ids stand in */
    char **column;
    size_t column_count; /* 1 .. TABLE_COLUMNS_MAX - 1 */
    char **missing;      /* tokens that are one value */
    size_t missing_count;
    char delimiter;
    char newline[3]; /* "\n" or "\r\n" */
};

void vault_schema_init(struct vault_schema *schema);
/* For one that vault_schema_decode has filled. */
void vault_schema_clear(struct vault_schema *schema);

/* Append the canonical JSON.  E_INPUT for names that are empty, repeated or not
 * UTF-8, no column, another delimiter or newline than tables can have; E_LIMIT
 * for too much of anything. */
MUST_USE enum status vault_schema_encode(const struct vault_schema *schema,
                                         struct text *out, struct error *err);

/* The one that these bytes are the encoding of; E_INPUT if they are not. */
MUST_USE enum status vault_schema_decode(struct vault_schema *schema,
                                         struct bytes json, struct error *err);

#endif
