/*
 * common/ledger_questions.h - single questions to the nodes, their answers
 * checked for what can be checked without trust in the node.
 *
 * What a node shows is there.  What it does not show may only not be there yet:
 * nothing is concluded from that but by these rules.
 *
 *     an entry is not there    k = floor(n / 2) + 1 nodes say so, and none that
 *                              can be reached shows it (common/client.h)
 *     by its id                while a node cannot be reached, it may have
 *                              acknowledged the entry before: asked again for
 *                              as long as an election takes
 *     how long the log is,     the most that any of all nodes says that can be
 *     who wrote a key last     reached, k of them at least
 *
 * So nothing that is anchored is overlooked; nor what a node has acknowledged
 * that can be reached.
 */
#ifndef COMMON_LEDGER_QUESTIONS_H
#define COMMON_LEDGER_QUESTIONS_H

#include <stdint.h>

#include "common/client.h"
#include "common/entry.h"
#include "common/error.h"
#include "common/merkle.h"
#include "common/text.h"

/* An entry as a node shows it; entry borrows from answer. */
struct shown {
    struct client_answer answer;
    struct entry entry;
    uint64_t position, block;
    enum entry_verdict verdict;
};

/* `which` is an id (64 hex digits) or a position.  E_USAGE if it is neither,
 * E_NO if there is none, E_SYSTEM if too few nodes answer to say that.  What
 * comes is an entry, and the one asked for. */
MUST_USE enum status shown_ask(struct shown *shown, struct client *client,
                               const char *which, struct error *err);
/* All zero is as good as clear. */
void shown_clear(struct shown *shown);

/* How many entries there are. */
MUST_USE enum status size_ask(struct client *client, uint64_t *size,
                              struct error *err);

/* Into `positions`, be64 each, ascending: those of entries that wrote this key,
 * from `from` on; *more: there are more behind them.  E_NO if none has written
 * it ever. */
MUST_USE enum status history_ask(struct client *client, const char *key,
                                 uint64_t from, struct text *positions,
                                 bool *more, struct error *err);

/* What became of an entry: the log's answer. */
struct receipt {
    struct digest id;
    uint64_t position, block;
    enum entry_verdict verdict;
};

/* Hand it in.  OK whatever the verdict; E_SYSTEM if there was no quorum in
 * time, and then the same bytes may be handed in again. */
MUST_USE enum status receipt_ask(struct receipt *receipt, struct client *client,
                                 struct bytes entry, struct bytes signatures,
                                 struct error *err);

/* Append a proof (common/proof.h) of the entry that was shown.  Waits some
 * seconds until it is anchored, E_NO if it is not by then.  Not verified. */
MUST_USE enum status proof_ask(const struct shown *shown, struct client *client,
                               struct text *out, struct error *err);

/* A request without an id yet; client_ask draws it. */
void question_init(struct message *request, enum message_type type);

/* The verdict of that byte; E_SYSTEM if there is none. */
MUST_USE enum status verdict_of(uint64_t number, enum entry_verdict *verdict,
                                struct error *err);

/* Hashes one behind the other; E_SYSTEM if the last is cut off. */
MUST_USE enum status hashes_of(struct bytes bytes, struct merkle_proof *proof,
                               struct error *err);

#endif
