/*
 * common/commitment.h - how an entry stands for a statement that it does not
 * show.
 *
 *     commitment = HMAC-SHA256( salt, statement )        in text, 64 hex digits
 *
 * A statement is JSON in its RFC 8785 form, one object whose member "statement"
 * says its kind and version; all kinds stand in docs/protocol.md.  The salt, 32
 * random bytes, travels with the statement to those who have a right to it.
 * Without the salt nothing can be guessed from the commitment; with it nobody
 * can show another statement.
 */
#ifndef COMMON_COMMITMENT_H
#define COMMON_COMMITMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"

#define COMMITMENT_SALT_SIZE 32

struct commitment_salt {
    uint8_t byte[COMMITMENT_SALT_SIZE];
};

MUST_USE enum status commitment_draw(struct commitment_salt *salt,
                                     struct error *err);

MUST_USE enum status commitment_make(const struct commitment_salt *salt,
                                     struct bytes statement,
                                     struct digest *commitment,
                                     struct error *err);

/* Does this text, as an entry has it, stand for that statement?  E_NO if
 * not. */
MUST_USE enum status commitment_check(const struct commitment_salt *salt,
                                      struct bytes statement, const char *hex,
                                      struct error *err);

#endif
