/*
 * tests/lib/desk_world.h - a service in a network of one node, on a thread of
 * its own, and people who ask it.
 *
 *     desk_world_open(rows, count);     desks.settings may be changed
 *     desk_world_serve();
 *     asker_open(&asker, "north.custodian");
 *     client_ask(asker.client, ...);
 *     asker_close(&asker);
 *     desk_world_close();
 *
 * The service is north.broker; the node is a fake (tests/lib/fake_ledger.h).
 * What cannot be set up ends the program.
 */
#ifndef TESTS_LIB_DESK_WORLD_H
#define TESTS_LIB_DESK_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/bus.h"
#include "common/client.h"
#include "common/desk.h"
#include "common/genesis.h"
#include "common/network.h"
#include "tests/lib/fake_ledger.h"
#include "tests/lib/scratch.h"

/* There is one. */
struct desk_world {
    struct scratch scratch;
    struct network *network;
    struct network service; /* the desk's, as one node to be asked */
    struct genesis *genesis;
    struct network_user self;
    struct fake_ledger *ledger;
    char listen[ENDPOINT_SIZE_MAX];
    struct desk_settings settings;
    uv_loop_t loop; /* of the thread */
    uv_async_t closing;
    struct desk *desk;
    pthread_t thread;
    bool is_serving;
    struct error err;
};
extern struct desk_world desks;

void desk_world_must(enum status status);
const char *desk_world_folder(void);

void desk_world_open(const struct desk_row *row, size_t count);
/* Open the desk, and run its loop on a thread. */
void desk_world_serve(void);
/* Tell it to close; wait until it has. */
void desk_world_stop_begin(void);
void desk_world_stop_end(void);
/* Both, if it still serves, and everything else. */
void desk_world_close(void);

/* ---- people: one request after the other (common/client.h) ---- */

struct asker {
    struct network_user user;
    struct client_options options;
    atomic_bool cancel;
    struct client *client;
};

/* `name` is <organisation>.<role>, of the folder. */
void asker_open(struct asker *asker, const char *name);
/* Takes asker->user, which is there already. */
void asker_open_user(struct asker *asker);
void asker_close(struct asker *asker);

/* ---- a caller: several requests at once, over a bare link ---- */

struct caller {
    struct network_user user;
    uv_loop_t loop;
    struct bus *bus;
    uint64_t peer;
    bool is_ready;
    unsigned told, failed, failed_retry; /* what came */
    enum status status;                  /* of the last `failed` */
};

void caller_open(struct caller *caller, const char *name);
void caller_close(struct caller *caller);

/* `said` for this subject (32 characters) under a request id of that byte. */
void caller_say(struct caller *caller, uint8_t id, const char *subject);

/* A request that no desk of ours takes: it is refused at once, by the loop, so
 * that with the answer all that was said before is there. */
void caller_knock(struct caller *caller);

/* Run its loop until so many answers are there, in good time. */
bool caller_until(struct caller *caller, unsigned answers);

#endif
