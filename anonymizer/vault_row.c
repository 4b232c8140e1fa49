#include <assert.h>
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

enum status row_commit(const struct row_home *home, const struct row_head *head,
                       const struct digest *sealed,
                       const uint8_t salt[SALT_SIZE],
                       uint8_t commitment[DIGEST_SIZE], struct error *err)
{
    static const char tag[] = "anchorite row 1"; /* with its NUL */
    uint8_t message[sizeof tag + DATASET_ID_SIZE + DIGEST_SIZE + 8 +
                    SUBJECT_ID_SIZE + KEY_ID_SIZE + ROW_TOKEN_SIZE +
                    DIGEST_SIZE];
    uint8_t number[8], *to = message;

    static_assert(HMAC_SIZE == DIGEST_SIZE, "a commitment is an HMAC");
    put_be64(number, head->number);
    to = put(to, tag, sizeof tag);
    to = put(to, home->dataset.byte, DATASET_ID_SIZE);
    to = put(to, home->schema.byte, DIGEST_SIZE);
    to = put(to, number, sizeof number);
    to = put(to, head->subject.byte, SUBJECT_ID_SIZE);
    to = put(to, head->key_id, KEY_ID_SIZE);
    to = put(to, head->token, ROW_TOKEN_SIZE);
    put(to, sealed->byte, DIGEST_SIZE);
    return hmac_sha256(bytes_of(salt, SALT_SIZE),
                       bytes_of(message, sizeof message), commitment, err);
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
