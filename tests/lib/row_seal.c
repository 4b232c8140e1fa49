#include "tests/lib/row_seal.h"

#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/suite.h"

static void put_number(unsigned char *out, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(number >> (56 - 8 * i));
}

/* seal(table, key, value, number, number, number, number) */
static void seal(sqlite3_context *call, int count, sqlite3_value **argument)
{
    unsigned char digest[SHA256_DIGEST_LENGTH], bytes[4096];
    size_t size = 6 * sizeof(uint64_t);
    uint64_t result = 0;

    (void)count;
    for (size_t i = 0; i < 4; i++)
        put_number(bytes + 16 + 8 * i,
                   (uint64_t)sqlite3_value_int64(argument[3 + i]));
    for (size_t i = 0; i < 3; i++) {
        const void *data = sqlite3_value_blob(argument[i]);
        size_t more = (size_t)sqlite3_value_bytes(argument[i]);

        CU_ASSERT_FATAL(size + more <= sizeof bytes);
        if (more > 0)
            memcpy(bytes + size, data, more);
        size += more;
        if (i > 0)
            put_number(bytes + 8 * (i - 1), more);
    }
    SHA256(bytes, size, digest);
    for (int i = 0; i < 8; i++)
        result = result << 8 | digest[i];
    sqlite3_result_int64(call, (sqlite3_int64)result);
}

void row_seal_all(sqlite3 *db)
{
    CU_ASSERT_EQUAL_FATAL(sqlite3_create_function(db, "seal", 7, SQLITE_UTF8,
                                                  NULL, seal, NULL, NULL),
                          SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_exec(
            db,
            "UPDATE meta SET seal = seal('meta', key, value, 0, 0, 0, 0);"
            "UPDATE state SET seal = seal('state', key, value, version, 0, 0,"
            " 0);"
            "UPDATE history SET seal = seal('history', key, x'', position,"
            " previous, 0, 0);"
            "UPDATE nonce SET seal = seal('nonce', nonce, x'', position, 0, 0,"
            " 0);"
            "UPDATE entry SET seal = seal('entry', id, x'', position, verdict,"
            " block, writes)",
            NULL, NULL, NULL),
        SQLITE_OK);
}

sqlite3_int64 row_seal_sum(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    uint64_t sum = 0;

    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(db,
                           "SELECT 1, seal FROM meta UNION ALL"
                           " SELECT 3, seal FROM state UNION ALL"
                           " SELECT 5, seal FROM history UNION ALL"
                           " SELECT 7, seal FROM nonce UNION ALL"
                           " SELECT 9, seal FROM entry",
                           -1, &statement, NULL),
        SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        sum += (uint64_t)sqlite3_column_int64(statement, 0) *
               (uint64_t)sqlite3_column_int64(statement, 1);
    sqlite3_finalize(statement);
    return (sqlite3_int64)sum;
}
