/*
 * tests/lib/row_seal.h - the seals of a ledger's rows, made by other code than
 * the ledger's own: for those who alter a row so that only the log's hashes, or
 * the other nodes, can tell.
 */
#ifndef TESTS_LIB_ROW_SEAL_H
#define TESTS_LIB_ROW_SEAL_H

#include <sqlite3.h>

/* Give every row the seal that fits what it says. */
void row_seal_all(sqlite3 *db);

/* Of all rows, each times the number of its table: changes with any. */
sqlite3_int64 row_seal_sum(sqlite3 *db);

#endif
