/*
 * tests/lib/log_world.h - a ledger of one node with the members of
 * tests/lib/federation.h, for tests of those who only talk to nodes.
 *
 * Verdicts, positions and state are the ledger's own, without network and Raft.
 * (federation.h and common/network.h each have a struct network, so that this
 * stands between.)  What cannot be set up ends the program.
 */
#ifndef TESTS_LIB_LOG_WORLD_H
#define TESTS_LIB_LOG_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/entry.h"
#include "common/genesis.h"
#include "common/identity.h"
#include "common/sign.h"
#include "common/text.h"

struct log_world;

struct log_world *log_world_open(const char *path);
void log_world_close(struct log_world *world);
/* An empty log of the same people: making them takes longest. */
void log_world_again(struct log_world *world, const char *path);

/* "north" has the broker, "east" the institute. */
enum log_place { LOG_NORTH, LOG_EAST };

const struct genesis *log_world_genesis(const struct log_world *world);
const struct certificate *log_world_certificate(const struct log_world *world,
                                                enum log_place place,
                                                enum identity_role role);
const struct private_key *log_world_key(const struct log_world *world,
                                        enum log_place place,
                                        enum identity_role role);

/* The time of the next block. */
uint64_t log_world_time(const struct log_world *world);
void log_world_pass(struct log_world *world, uint64_t ms);
uint64_t log_world_size(const struct log_world *world);

struct log_answer {
    struct digest id;
    uint64_t position, block;
    enum entry_verdict verdict;
};
/* False if no node would take it. */
bool log_world_submit(struct log_world *world, struct bytes entry,
                      struct bytes signatures, struct log_answer *answer);

/* An entry of somebody's, its payload JSON. */
struct log_answer log_world_add(struct log_world *world, enum entry_type type,
                                enum log_place place, enum identity_role role,
                                const char *payload);

struct log_item {
    struct text bytes, signatures;
    uint64_t position, block;
    enum entry_verdict verdict;
};
void log_item_clear(struct log_item *item);
/* By position, or by id where not NULL; false if there is none. */
bool log_world_find(struct log_world *world, uint64_t position,
                    const struct digest *id, struct log_item *item);

#endif
