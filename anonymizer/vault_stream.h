/*
 * anonymizer/vault_stream.h - permitted rows of a dataset, as the engine reads
 * tables.
 *
 *     reader --rows--> stream --CSV, the subject's column first--> table
 *
 * The text is what a file with the dataset would hold: a header, then a record
 * for each row that the reader gives, delimiter and line ends as the dataset's
 * schema says, cells in quotes where they must be.  It is made as it is read
 * and stands in no file.
 *
 * The engine reads a table twice; the stream rewinds the reader, which then
 * announces no access a second time.
 */
#ifndef ANONYMIZER_VAULT_STREAM_H
#define ANONYMIZER_VAULT_STREAM_H

#include "anonymizer/csv.h"
#include "anonymizer/vault.h"
#include "anonymizer/vault_schema.h"
#include "common/error.h"

struct vault_stream;

/* Reader and schema are borrowed for the stream's life. */
MUST_USE enum status vault_stream_create(struct vault_stream **stream,
                                         struct vault_reader *reader,
                                         const struct vault_schema *schema,
                                         struct error *err);
void vault_stream_destroy(struct vault_stream **stream);

/* For table_read_stream and release_write_stream; lives as long as the
 * stream. */
const struct csv_stream *vault_stream_csv(const struct vault_stream *stream);

#endif
