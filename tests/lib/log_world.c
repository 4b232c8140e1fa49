#include "tests/lib/log_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/federation.h"

struct log_world {
    struct network network;
    struct network_node node;
    uint64_t size;
};

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "log_world: %s\n", what);
        abort();
    }
}

static const struct network_identity *who(const struct log_world *world,
                                          enum log_place place,
                                          enum identity_role role)
{
    return network_who(&world->network, place == LOG_NORTH ? NORTH : EAST,
                       role);
}

struct log_world *log_world_open(const char *path)
{
    struct log_world *world = calloc(1, sizeof *world);

    demand(world != NULL, "no memory");
    network_open(&world->network);
    network_node_open(&world->node, &world->network, path, 0);
    return world;
}

void log_world_close(struct log_world *world)
{
    network_node_close(&world->node);
    network_close(&world->network);
    free(world);
}

void log_world_again(struct log_world *world, const char *path)
{
    network_node_close(&world->node);
    network_node_open(&world->node, &world->network, path, 0);
    world->size = 0;
}

const struct genesis *log_world_genesis(const struct log_world *world)
{
    return world->network.genesis;
}

const struct certificate *log_world_certificate(const struct log_world *world,
                                                enum log_place place,
                                                enum identity_role role)
{
    return who(world, place, role)->certificate;
}

const struct private_key *log_world_key(const struct log_world *world,
                                        enum log_place place,
                                        enum identity_role role)
{
    return who(world, place, role)->key;
}

uint64_t log_world_time(const struct log_world *world)
{
    return (uint64_t)world->node.time_ms;
}

void log_world_pass(struct log_world *world, uint64_t ms)
{
    world->node.time_ms += (int64_t)ms;
}

uint64_t log_world_size(const struct log_world *world)
{
    return world->size;
}

static bool apply(struct log_world *world, const struct network_entry *entry,
                  struct log_answer *answer)
{
    const struct outcome *outcome = &world->node.outcome;

    (void)network_apply(&world->node, entry);
    if (!outcome->well_formed || outcome->position == STORE_NONE)
        return false;
    if (!outcome->seen_before)
        world->size++;
    *answer = (struct log_answer){.id = outcome->id,
                                  .position = outcome->position,
                                  .block = outcome->block,
                                  .verdict = outcome->verdict};
    return true;
}

bool log_world_submit(struct log_world *world, struct bytes entry,
                      struct bytes signatures, struct log_answer *answer)
{
    struct network_entry given = {.hex = ""};
    struct error err;
    bool taken;

    error_init(&err);
    text_init(&given.bytes);
    text_init(&given.signatures);
    demand(text_append(&given.bytes, entry.data, entry.size, &err) == OK &&
               text_append(&given.signatures, signatures.data, signatures.size,
                           &err) == OK,
           "no memory");
    taken = apply(world, &given, answer);
    network_entry_clear(&given);
    return taken;
}

struct log_answer log_world_add(struct log_world *world, enum entry_type type,
                                enum log_place place, enum identity_role role,
                                const char *payload)
{
    struct network_entry entry;
    struct log_answer answer = {.position = 0};

    network_entry_make(&entry, &world->network, type, who(world, place, role),
                       payload);
    demand(apply(world, &entry, &answer), "an entry is turned away");
    network_entry_clear(&entry);
    return answer;
}

void log_item_clear(struct log_item *item)
{
    text_clear(&item->bytes);
    text_clear(&item->signatures);
}

bool log_world_find(struct log_world *world, uint64_t position,
                    const struct digest *id, struct log_item *item)
{
    struct stored_entry stored;
    struct error err;
    bool found = false;

    error_init(&err);
    stored_entry_init(&stored);
    if (id != NULL)
        demand(ledger_store_find(world->node.store, id, &position, &err) == OK,
               err.text);
    if (position != STORE_NONE)
        demand(ledger_store_entry(world->node.store, position, &stored, &found,
                                  &err) == OK,
               err.text);
    if (!found) {
        stored_entry_clear(&stored);
        return false;
    }
    *item = (struct log_item){.bytes = stored.bytes,
                              .signatures = stored.signatures,
                              .position = stored.position,
                              .block = stored.block,
                              .verdict = stored.verdict};
    return true; /* the texts have moved */
}
