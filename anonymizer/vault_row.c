#include <string.h>

#include "anonymizer/vault_internal.h"
#include "common/encoding.h"
#include "common/merkle.h"
#include "common/sign.h"

/* Append to a message whose size is known. */
static uint8_t *put(uint8_t *to, const void *data, size_t size)
{
    memcpy(to, data, size);
    return to + size;
}

struct row_association row_associate(const struct row_home *home,
                                     const uint8_t token[ROW_TOKEN_SIZE])
{
    struct row_association out;
    uint8_t *to = out.byte;

    to = put(to, home->dataset.byte, DATASET_ID_SIZE);
    to = put(to, token, ROW_TOKEN_SIZE);
    put(to, home->schema.byte, DIGEST_SIZE);
    return out;
}

void row_commit(const struct row_home *home, const struct row_head *head,
                const struct digest *sealed, const uint8_t salt[SALT_SIZE],
                struct digest *commitment)
{
    static const char tag[] = "anchorite row 1"; /* with its NUL */
    uint8_t number[8];
    const struct bytes part[] = {
        {(const uint8_t *)tag, sizeof tag},
        {home->dataset.byte, DATASET_ID_SIZE},
        {home->schema.byte, DIGEST_SIZE},
        {number, sizeof number},
        {head->subject.byte, SUBJECT_ID_SIZE},
        {head->key_id, KEY_ID_SIZE},
        {head->token, ROW_TOKEN_SIZE},
        {sealed->byte, DIGEST_SIZE},
    };

    put_be64(number, head->number);
    digest_hmac(commitment, bytes_of(salt, SALT_SIZE), part,
                sizeof part / sizeof part[0]);
}

void row_leaf(const struct row_head *head, const struct digest *sealed,
              struct digest *leaf)
{
    uint8_t message[DIGEST_SIZE + SUBJECT_ID_SIZE + KEY_ID_SIZE +
                    ROW_TOKEN_SIZE + DIGEST_SIZE];
    uint8_t *to = message;

    to = put(to, head->commitment, DIGEST_SIZE);
    to = put(to, head->subject.byte, SUBJECT_ID_SIZE);
    to = put(to, head->key_id, KEY_ID_SIZE);
    to = put(to, head->token, ROW_TOKEN_SIZE);
    put(to, sealed->byte, DIGEST_SIZE);
    merkle_leaf(leaf, bytes_of(message, sizeof message));
}
