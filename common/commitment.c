#include "common/commitment.h"

#include <string.h>

#include "common/sign.h"

enum status commitment_draw(struct commitment_salt *salt, struct error *err)
{
    return random_secret(salt->byte, sizeof salt->byte, err);
}

enum status commitment_make(const struct commitment_salt *salt,
                            struct bytes statement, struct digest *commitment,
                            struct error *err)
{
    _Static_assert(HMAC_SIZE == DIGEST_SIZE, "a commitment is a digest");

    return hmac_sha256(bytes_of(salt->byte, sizeof salt->byte), statement,
                       commitment->byte, err);
}

enum status commitment_check(const struct commitment_salt *salt,
                             struct bytes statement, const char *hex,
                             struct error *err)
{
    char ours[DIGEST_HEX_SIZE];
    struct digest commitment;
    enum status status = commitment_make(salt, statement, &commitment, err);

    if (status != OK)
        return status;
    digest_hex(&commitment, ours);
    if (strcmp(ours, hex) != 0)
        return error_set(err, E_NO,
                         "the entry does not stand for this statement");
    return OK;
}
