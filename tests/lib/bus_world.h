/*
 * tests/lib/bus_world.h - a server and a client on one loop, to try out a bus.
 *
 *     bus_world_connect();
 *     bus_side_ask(&world.client, 0);
 *     bus_world_until(bus_world_is_answered);
 *     bus_world_close();
 *
 * Any request of the tests is `find`; its answer is `positions` with the same
 * number in `more`.  What cannot be set up ends the program.
 */
#ifndef TESTS_LIB_BUS_WORLD_H
#define TESTS_LIB_BUS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/bus.h"
#include "common/curve.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/limits.h"
#include "common/sign.h"
#include "tests/lib/scratch.h"

/* Enough for a machine that does a lot besides. */
#define BUS_WORLD_PATIENCE_MS 20000
#define BUS_WORLD_SERVICE "north"

/* A program: who it is, its bus, what happened to it. */
struct bus_side {
    struct curve_pair pair;
    struct private_key *key;
    struct certificate *certificate;
    struct bus *bus;
    size_t session_max;
    enum status admits; /* what it says of others */
    uint64_t peer;      /* its link */
    unsigned ready, lost;
    struct error why; /* it was lost */
    uint64_t asked, got;
    uint64_t heard_from; /* last session */
    char heard_id[CERTIFICATE_ID_SIZE];
    bool in_order, disconnects;
    enum status failed;
    bool failed_retry;
};

/* There is one. */
struct bus_world {
    uv_loop_t loop;
    struct scratch scratch;
    struct private_key *root_key, *authority_key;
    struct certificate *root, *authority;
    struct bus_side server, client;
    char endpoint[ENDPOINT_SIZE_MAX]; /* where the server listens */
    struct error err;
};
extern struct bus_world world;

/* What must succeed for a test to mean anything; world.err says why not. */
void bus_world_must(bool good, const char *what);

/* A server that listens and a client; with connect, a link between them that is
 * ready. */
void bus_world_open(void);
void bus_world_connect(void);
void bus_world_close(void);

/* The client's link to the server, which may become ready or not. */
void bus_world_link(void);

/* Start the server again; its bus is closed. */
void bus_world_serve(void);

/* The server still does its work, for a client of its own. */
void bus_world_expect_alive(void);

/* ---- a side ---- */

void bus_side_start(struct bus_side *side);
void bus_side_connect(struct bus_side *side, const char *where,
                      const struct curve_key *key, const char *service);
bus_watch bus_side_watch;
enum status bus_side_ask(struct bus_side *side, uint64_t number);

/* ---- patience ---- */

/* Run the loop until it is enough; was it, in good time? */
bool bus_world_until(bool (*enough)(void));
void bus_world_wait(uint64_t ms);

/* Of the client. */
bool bus_world_is_ready(void);
bool bus_world_is_lost(void);
bool bus_world_is_answered(void);
bool bus_world_has_failed(void);

#endif
