/*
 * common/note.h - signed notes, checkpoints and cosignatures (C2SP).
 *
 * A checkpoint (tlog-checkpoint) is a text of three lines,
 *
 *     origin
 *     size, decimal
 *     root hash, base64
 *
 * and a signed note (signed-note) is a text, an empty line, and signature
 * lines:
 *
 *     U+2014 <name> base64(be32(key id) || signature)
 *
 * Our nodes cosign (tlog-cosignature, Ed25519, type 0x04): the signature
 * stands behind be64(time in seconds) and is over
 *
 *     "cosignature/v1\ntime <seconds>\n" || text
 *
 * with key id = first 4 bytes of SHA-256(name || 0x0A || 0x04 || raw key).  A
 * verifier key is "<name>+<8 hex digits of the key id>+base64(0x04 || key)".
 *
 * A note with a line that cannot be read is refused; signatures by unknown
 * keys are passed over.  A key is known when name and key id both fit.
 *
 * Specifications: c2sp.org/signed-note, c2sp.org/tlog-checkpoint and
 * c2sp.org/tlog-cosignature.  Of what they leave open we take the narrow way:
 * no extension lines, no wrong or second signature by a known key, base64 in
 * its one spelling.
 *
 * Elsewhere: how many signatures suffice is for the reader of a trust file to
 * say; tree hashes and proofs (common/merkle.h).
 */
#ifndef COMMON_NOTE_H
#define COMMON_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/sign.h"
#include "common/text.h"

/* Bytes of a name of ours: a host and a path. */
#define NOTE_NAME_MAX 128
#define NOTE_COSIGNATURE_TYPE 0x04
/* Nodes of a network, and witnesses. */
#define NOTE_SIGNATURES_MAX 64
/* Room for the 16 signatures of 5 kB (post-quantum, by others) that the
 * specification wants a reader to accept. */
#define NOTE_SIZE_MAX (128u << 10)
/* The specification's 2^63 - 1. */
#define NOTE_TIME_MAX ((uint64_t)INT64_MAX)
/* What the specification leaves open; the log's store counts in int64_t. */
#define CHECKPOINT_SIZE_MAX ((uint64_t)INT64_MAX)

/* 1 to NOTE_NAME_MAX bytes of UTF-8 without control characters, white space of
 * any script and plus signs: a key's name, or the origin of a log of ours. */
bool note_name_valid(struct bytes name);

struct checkpoint {
    char origin[NOTE_NAME_MAX + 1]; /* others' may have spaces */
    uint64_t size;
    struct digest root;
};

/* A name and an Ed25519 key, as in a trust file. */
struct note_verifier {
    char name[NOTE_NAME_MAX + 1];
    uint8_t key[ED25519_KEY_SIZE];
    uint32_t key_id;
    struct public_key *public_key;
};

/* Parse "<name>+<id>+<key>"; the id must fit the rest.  On failure, here and
 * below, the verifier is as it was. */
MUST_USE enum status note_verifier_parse(struct note_verifier *verifier,
                                         struct bytes text, struct error *err);
MUST_USE enum status note_verifier_create(struct note_verifier *verifier,
                                          const char *name,
                                          const struct public_key *key,
                                          struct error *err);
/* Without a newline behind. */
MUST_USE enum status note_verifier_append(const struct note_verifier *verifier,
                                          struct text *out, struct error *err);
/* All zero is as good as clear. */
void note_verifier_clear(struct note_verifier *verifier);

/* The three lines.  Asserts what checkpoint_parse would refuse. */
MUST_USE enum status checkpoint_append(const struct checkpoint *checkpoint,
                                       struct text *out, struct error *err);
/* E_INPUT unless it is exactly a checkpoint without extension lines. */
MUST_USE enum status checkpoint_parse(struct checkpoint *checkpoint,
                                      struct bytes text, struct error *err);

/* Append one signature line for `text` by `name`.  Nothing but a checkpoint is
 * signed: E_INPUT for any other text.  The key is Ed25519. */
MUST_USE enum status note_cosign(const char *name,
                                 const struct private_key *key,
                                 struct bytes text, uint64_t time_seconds,
                                 struct text *out, struct error *err);

/* A signed note taken apart; borrows from the note's bytes. */
struct note {
    struct bytes text; /* with its last newline */
    struct bytes signatures;
};
MUST_USE enum status note_parse(struct note *note, struct bytes bytes,
                                struct error *err);

/* signed_by[i]: verifier i has a good signature on the note (time_seconds[i],
 * if time_seconds is not NULL, gets when, else 0).  E_REFUSED if a signature by
 * a known key is wrong, or there are two by one.  E_INPUT if two verifiers have
 * the same key: the cosigned message does not name its signer, so that one
 * signer would count twice.  On failure all of signed_by is false.
 *
 * A note that none of them signed is OK here: whoever calls counts, and no
 * quorum is 0. */
MUST_USE enum status note_verify(const struct note *note,
                                 const struct note_verifier *verifier,
                                 size_t verifier_count, bool *signed_by,
                                 uint64_t *time_seconds, struct error *err);

#endif
