/*
 * ledger/reader.h - answers what is asked of the log, and notices when the
 * database does not say what was executed.
 *
 * Nothing is served unchecked: an entry's bytes must have its id, its leaf must
 * be the one in the tree, and where an anchored checkpoint covers it, the path
 * from the leaf must lead to the checkpoint's root.  What fails is E_INPUT,
 * "the database was altered": the node stops cosigning and heals
 * (ledger/node.h).
 *
 * A reader has a connection of its own and belongs to one thread.
 */
#ifndef LEDGER_READER_H
#define LEDGER_READER_H

#include <stdint.h>

#include "common/error.h"
#include "common/genesis.h"
#include "common/message.h"
#include "common/text.h"

struct reader;

/* Texts that an answer may have. */
#define ANSWER_TEXTS_MAX 2

/* An answer with the memory that its fields borrow. */
struct answer {
    struct message message;
    struct text text[ANSWER_TEXTS_MAX];
    struct digest digest;
};
void answer_init(struct answer *answer);
void answer_clear(struct answer *answer);

MUST_USE enum status reader_open(struct reader **reader,
                                 const struct genesis *genesis,
                                 const char *database, struct error *err);
void reader_close(struct reader **reader);

/* show, find, history, prove, extend, checkpoint, pull.  E_NO: there is no such
 * thing; E_INPUT: what is stored was altered. */
MUST_USE enum status reader_answer(struct reader *reader,
                                   const struct message *request,
                                   struct answer *answer, struct error *err);

/* The root of the first `size` leaves, as the stored tree has it; E_NO if the
 * log is shorter. */
MUST_USE enum status reader_root(struct reader *reader, uint64_t size,
                                 struct digest *root, struct error *err);

/* Check `count` entries from position `from` on: leaf against tree, tree
 * against its blocks.  *next is where to go on, 0 at the end of the log. */
MUST_USE enum status reader_scrub(struct reader *reader, uint64_t from,
                                  uint64_t count, uint64_t *next,
                                  struct error *err);

#endif
