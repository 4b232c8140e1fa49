#include "tests/lib/road.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct road road;

void road_begin(void)
{
    scratch_open(&road.scratch);
    network_open(&road.network);
    network_node_open(&road.node, &road.network,
                      scratch_path(&road.scratch, "state.db"), 0);
}

void road_end(void)
{
    network_node_close(&road.node);
    network_close(&road.network);
    scratch_close(&road.scratch);
}

const struct network_identity *road_who(enum network_organisation organisation,
                                        enum identity_role role)
{
    return network_who(&road.network, organisation, role);
}

/* ---- one entry, its verdict ---- */

/* Release needs all three of the policy, member two of three nodes. */
static void endorse(struct network_entry *entry, enum entry_type type,
                    const struct network_identity *author)
{
    const struct network_identity *release[] = {
        road_who(NORTH, IDENTITY_CUSTODIAN), road_who(NORTH, IDENTITY_BROKER),
        road_who(NORTH, IDENTITY_ANONYMIZER)};
    const struct network_identity *member[] = {road_who(NORTH, IDENTITY_NODE),
                                               road_who(SOUTH, IDENTITY_NODE)};
    const struct network_identity *signer[5] = {author};
    size_t count = 1;

    for (size_t i = 0; type == ENTRY_RELEASE && i < 3; i++)
        if (release[i] != author)
            signer[count++] = release[i];
    for (size_t i = 0; type == ENTRY_MEMBER && i < 2; i++)
        if (member[i] != author)
            signer[count++] = member[i];
    network_entry_sign(entry, signer);
}

enum entry_verdict road_try(enum entry_type type,
                            const struct network_identity *author,
                            const char *payload, char id[DIGEST_HEX_SIZE])
{
    struct network_entry entry;
    enum entry_verdict verdict;

    network_entry_make(&entry, &road.network, type, author, payload);
    endorse(&entry, type, author);
    verdict = network_apply(&road.node, &entry);
    if (id != NULL)
        memcpy(id, entry.hex, sizeof entry.hex);
    network_entry_clear(&entry);
    return verdict;
}

void road_expect(enum entry_verdict got, enum entry_verdict expected,
                 const char *what)
{
    if (got != expected)
        fprintf(stderr, "\n  %s: expected %s, got %s\n", what,
                entry_verdict_name(expected), entry_verdict_name(got));
    CU_ASSERT_EQUAL(got, expected);
}

/* ---- the road to a release ---- */

const char *road_payload(enum entry_type type)
{
    static char text[1024];
    uint64_t size = 0;
    struct digest root;

    executor_tip(road.node.executor, &size, &root);
    switch (type) {
    case ENTRY_DATASET:
    case ENTRY_CONSENT:
    case ENTRY_WITHDRAW:
    case ENTRY_ERASE:
        return ROAD_COMMITMENT;
    case ENTRY_REQUEST:
        snprintf(text, sizeof text,
                 "{\"dataset\":\"%s\",\"terms\":\"" NETWORK_HEX "\"}",
                 road.dataset);
        return text;
    case ENTRY_APPROVE:
        snprintf(text, sizeof text,
                 "{\"request\":\"%s\",\"terms\":\"" NETWORK_HEX "\"}",
                 road.request);
        return text;
    case ENTRY_REJECT:
        snprintf(text, sizeof text, "{\"request\":\"%s\"}", road.request);
        return text;
    case ENTRY_PERMIT:
        snprintf(text, sizeof text,
                 "{\"approve\":\"%s\",\"commitment\":\"" NETWORK_HEX
                 "\",\"expires\":%jd,\"size\":%ju,\"terms\":\"" NETWORK_HEX
                 "\"}",
                 road.approve, (intmax_t)(road.node.time_ms + NETWORK_DAY),
                 (uintmax_t)size);
        return text;
    case ENTRY_RELEASE:
        snprintf(text, sizeof text,
                 "{\"checked\":%ju,\"commitment\":\"" NETWORK_HEX
                 "\",\"permit\":\"%s\",\"terms\":\"" NETWORK_HEX "\"}",
                 (uintmax_t)size, road.permit);
        return text;
    case ENTRY_ACCESS:
        return "{\"commitment\":\"" NETWORK_HEX "\",\"count\":7}";
    case ENTRY_MEMBER:
        snprintf(text, sizeof text,
                 "{\"action\":\"add\",\"cosigner\":\"%s\",\"node\":4}",
                 road.network.cosigner_text[0]);
        return text;
    default:
        CU_FAIL_FATAL("no such payload");
        return NULL;
    }
}

void road_walk(enum entry_type last)
{
    static const struct {
        enum entry_type type;
        enum network_organisation organisation;
        enum identity_role role;
        char *id;
    } step[] = {
        {ENTRY_DATASET, NORTH, IDENTITY_CUSTODIAN, road.dataset},
        {ENTRY_REQUEST, SOUTH, IDENTITY_RESEARCH_INSTITUTE, road.request},
        {ENTRY_APPROVE, NORTH, IDENTITY_CUSTODIAN, road.approve},
        {ENTRY_PERMIT, NORTH, IDENTITY_BROKER, road.permit},
    };

    for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
        ROAD_EXPECT(VERDICT_VALID, step[i].type,
                    road_who(step[i].organisation, step[i].role),
                    road_payload(step[i].type), step[i].id);
        if (step[i].type == last)
            return;
    }
}

/* ---- certificates ---- */

void road_newcomer(struct network_identity *identity,
                   enum network_organisation organisation,
                   enum identity_role role)
{
    static unsigned count;
    char name[32];

    snprintf(name, sizeof name, "new-%u", count++);
    network_person_make(identity, &road.network,
                        (struct network_person){.organisation = organisation,
                                                .role = role,
                                                .name = name});
}

enum entry_verdict road_enrol(const struct network_identity *author,
                              const struct network_identity *identity)
{
    char *payload = network_enrol_payload(identity);
    enum entry_verdict verdict = road_try(ENTRY_ENROL, author, payload, NULL);

    free(payload);
    return verdict;
}

enum entry_verdict road_revoke(const struct network_identity *author,
                               const struct network_identity *identity)
{
    char payload[128];

    snprintf(payload, sizeof payload,
             "{\"certificate\":\"%s\",\"reason\":\"left\"}",
             certificate_id(identity->certificate));
    return road_try(ENTRY_REVOKE, author, payload, NULL);
}
