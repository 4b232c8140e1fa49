/*
 * broker/follower.h - reads the log, position by position, and applies what it
 * says.
 *
 *     consent, withdraw   of our own, valid: what the subject said, at this
 *                         position
 *                         of our organisation, not our own: unresolved
 *     approve, reject     the answer to a request
 *     enrol, revoke       who somebody is
 *     any of our own      settled: position and verdict
 *
 * A consent counts from here on and not before: what was handed in and is not
 * read back has no effect.  What is applied is what was pending, byte for byte,
 * and opens the commitment that stands in the log.
 *
 * Narrowing entries, after which a release entry is stale, are noted as the
 * nodes do it (ledger/rules.c), only to save drafts that could not become
 * valid: whether one is stale is for the nodes to say.
 *
 * All in one transaction with the cursor: after a crash it goes on where it
 * was, and nothing is applied twice.
 */
#ifndef BROKER_FOLLOWER_H
#define BROKER_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/broker.h"

/* Into a fresh store: those who are members from the beginning. */
MUST_USE enum status follower_begin(struct broker *broker, struct error *err);

/* At most FOLLOWER_TURN_MAX entries; *end: there are no more. */
MUST_USE enum status follower_turn(struct broker *broker, bool *end,
                                   struct error *err);

/* To the end of the log, as a majority of the nodes knows it: what none of them
 * has yet can only make a release stale. */
MUST_USE enum status follower_catch_up(struct broker *broker,
                                       struct error *err);

/* To where no node that answers has more.  That takes some tenths of a second,
 * and is for what would otherwise be refused for want of an entry, and for a
 * permit. */
MUST_USE enum status follower_search_end(struct broker *broker,
                                         struct error *err);

/* To this size at least: a node has answered for it, and others may be behind.
 * E_SYSTEM if it cannot be had within FOLLOWER_WAIT_MS. */
MUST_USE enum status follower_reach(struct broker *broker, uint64_t size,
                                    struct error *err);

/* Apply a `consents 1` or `withdraw 1` statement at a position; within a
 * transaction.  E_INPUT if it is none. */
MUST_USE enum status follower_apply_statement(struct broker *broker,
                                              enum entry_type type,
                                              struct bytes statement,
                                              uint64_t position,
                                              struct error *err);

#endif
