/*
 * tests/lib/road.h - the road to a release, for trying out the ledger's rules.
 *
 *     dataset -> request -> approve -> permit -> release
 *
 * One node of one network, and entries that it gives its verdict on:
 *
 *     road_begin();
 *     road_walk(ENTRY_PERMIT);
 *     ROAD_EXPECT(VERDICT_VALID, ENTRY_RELEASE,
 *                 road_who(NORTH, IDENTITY_BROKER),
 *                 road_payload(ENTRY_RELEASE), NULL);
 *     road_end();
 */
#ifndef TESTS_LIB_ROAD_H
#define TESTS_LIB_ROAD_H

#include "common/digest.h"
#include "common/entry.h"
#include "common/identity.h"
#include "tests/lib/federation.h"
#include "tests/lib/scratch.h"

#define ROAD_COMMITMENT "{\"commitment\":\"" NETWORK_HEX "\"}"

/* There is one. */
struct road {
    struct scratch scratch;
    struct network network;
    struct network_node node;
    /* Ids of the entries that were walked over. */
    char dataset[DIGEST_HEX_SIZE], request[DIGEST_HEX_SIZE],
        approve[DIGEST_HEX_SIZE], permit[DIGEST_HEX_SIZE];
};
extern struct road road;

void road_begin(void);
void road_end(void);

const struct network_identity *road_who(enum network_organisation organisation,
                                        enum identity_role role);

/* The verdict on one entry, endorsed as it has to be.  `id` (may be NULL) gets
 * the entry's. */
enum entry_verdict road_try(enum entry_type type,
                            const struct network_identity *author,
                            const char *payload, char id[DIGEST_HEX_SIZE]);

void road_expect(enum entry_verdict got, enum entry_verdict expected,
                 const char *what);

#define ROAD_EXPECT(verdict, ...)                                              \
    road_expect(road_try(__VA_ARGS__), (verdict), __func__)

/* The payload that would be right now; borrowed until the next call. */
const char *road_payload(enum entry_type type);

/* Walk until behind `last`, with the right people. */
void road_walk(enum entry_type last);

/* ---- certificates ---- */

/* Somebody who is no member yet; network_person_clear() it. */
void road_newcomer(struct network_identity *identity,
                   enum network_organisation organisation,
                   enum identity_role role);
enum entry_verdict road_enrol(const struct network_identity *author,
                              const struct network_identity *whom);
enum entry_verdict road_revoke(const struct network_identity *author,
                               const struct network_identity *whom);

#endif
