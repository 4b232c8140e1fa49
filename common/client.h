/*
 * common/client.h - asks the nodes of a network, and never waits for ever.
 *
 * Connects to all nodes at once, by the keys and certificates in network.json,
 * and asks one after the other until one has the answer:
 *
 *     answer               done
 *     failed, retry        the leader if it is named, else the next, after a
 *                          pause
 *     failed, for good     the next: a node may be behind or damaged; a no
 *                          counts when k = floor(n / 2) + 1 nodes have said it,
 *                          and all others that can be reached have nothing else
 *                          to say
 *     lost, or silent      the next, with the same request under the same id
 *
 * What is anchored k nodes have executed, and any k others share one with them:
 * "there is no such thing" is never concluded from nodes that are behind, and
 * with fewer than k it is not concluded at all.
 *
 * An entry is handed in with the same bytes each time, which the log knows by
 * their id: however often it is handed in, it is there once.
 *
 * One request at a time; calls block until the answer, the time limit or the
 * cancel flag.
 */
#ifndef COMMON_CLIENT_H
#define COMMON_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/message.h"
#include "common/network.h"

/* How long a command tries before it says that there is no quorum, or that a
 * service does not answer. */
#define CLIENT_TIMEOUT_MS 10000

struct client;

/* All of it is borrowed until client_close. */
struct client_options {
    const struct network *network;
    const struct network_user *user;
    uint64_t timeout_ms;       /* for each call */
    const atomic_bool *cancel; /* a signal came */
};

MUST_USE enum status client_open(struct client **client,
                                 const struct client_options *options,
                                 struct error *err);
/* Takes *client, accepts NULL in it. */
void client_close(struct client **client);

/* A message that owns what its fields point to. */
struct client_answer {
    struct message message;
    uint8_t *memory;
    size_t node; /* who gave it */
};
/* All zero is as good as clear. */
void client_answer_clear(struct client_answer *answer);

/* Ask whoever answers.  `expected` is the type that the answer must have.
 * E_SYSTEM if nobody answered in time, or fewer than k said no; E_REFUSED if k
 * nodes refuse the user; else what k nodes said: E_NO if there is no such
 * thing. */
MUST_USE enum status client_ask(struct client *client, struct message *request,
                                enum message_type expected,
                                struct client_answer *answer,
                                struct error *err);

/* What one of several nodes has answered; borrowed. */
typedef enum status client_take(void *context, const struct message *answer,
                                struct error *err);

/* Ask every node that can be reached, k of them at least: for what one that is
 * behind would answer with less.  `take` gets each answer; a node that says no
 * has none and counts among the k.  E_NO if all of them said so; else as
 * client_ask. */
MUST_USE enum status client_ask_most(struct client *client,
                                     struct message *request,
                                     enum message_type expected,
                                     client_take *take, void *context,
                                     struct error *err);

/* Have all nodes spoken to what was asked last, when it came to a no?  Else one
 * that could not be reached may know what has been acknowledged and is not
 * anchored yet. */
bool client_all_have_said(const struct client *client);

/* Ask this node and no other. */
MUST_USE enum status client_ask_node(struct client *client, size_t node,
                                     struct message *request,
                                     enum message_type expected,
                                     struct client_answer *answer,
                                     struct error *err);

#endif
