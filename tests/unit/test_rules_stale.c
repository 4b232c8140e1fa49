#include "ledger/rules.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/federation.h"
#include "tests/lib/road.h"
#include "tests/lib/suite.h"

void suite_rules_stale(void);

static char *payload_copy(enum entry_type type)
{
    char *copy = strdup(road_payload(type));

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    return copy;
}

/* A release checked before something happened, and again behind it. */
static void expect_around(enum entry_verdict before)
{
    static char *payload;

    if (payload == NULL) {
        road_walk(ENTRY_PERMIT);
        payload = payload_copy(ENTRY_RELEASE);
        return;
    }
    ROAD_EXPECT(before, ENTRY_RELEASE, road_who(NORTH, IDENTITY_BROKER),
                payload, NULL);
    free(payload);
    payload = NULL;
    if (before == VERDICT_STALE)
        ROAD_EXPECT(VERDICT_VALID, ENTRY_RELEASE,
                    road_who(NORTH, IDENTITY_BROKER),
                    road_payload(ENTRY_RELEASE), NULL);
}

static void narrowing_entries_make_a_release_stale(void)
{
    static const struct {
        enum entry_type type;
        enum identity_role role;
        enum entry_verdict north; /* the release, if NORTH wrote it */
    } row[] = {
        {ENTRY_WITHDRAW, IDENTITY_PATIENT, VERDICT_STALE},
        {ENTRY_WITHDRAW, IDENTITY_BROKER, VERDICT_STALE},
        {ENTRY_CONSENT, IDENTITY_BROKER, VERDICT_STALE},
        {ENTRY_ERASE, IDENTITY_CUSTODIAN, VERDICT_STALE},
        {ENTRY_DATASET, IDENTITY_CUSTODIAN, VERDICT_VALID},
        {ENTRY_ACCESS, IDENTITY_DOCTOR, VERDICT_VALID},
    };

    road_begin();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        expect_around(row[i].north);
        ROAD_EXPECT(VERDICT_VALID, row[i].type, road_who(NORTH, row[i].role),
                    road_payload(row[i].type), NULL);
        expect_around(row[i].north);
        /* Another organisation's is none of this one's. */
        expect_around(VERDICT_VALID);
        ROAD_EXPECT(VERDICT_VALID, row[i].type, road_who(EAST, row[i].role),
                    road_payload(row[i].type), NULL);
        expect_around(VERDICT_VALID);
        /* What was refused narrows nothing. */
        expect_around(VERDICT_VALID);
        ROAD_EXPECT(VERDICT_FORBIDDEN, row[i].type,
                    road_who(NORTH, IDENTITY_AUDITOR),
                    road_payload(row[i].type), NULL);
        expect_around(VERDICT_VALID);
    }
    road_end();
}

static void reject_makes_a_release_stale(void)
{
    char *release;

    road_begin();
    road_walk(ENTRY_PERMIT);
    release = payload_copy(ENTRY_RELEASE);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_REQUEST, road_who(SOUTH, IDENTITY_INSURER),
                road_payload(ENTRY_REQUEST), road.request);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_REJECT,
                road_who(NORTH, IDENTITY_CUSTODIAN), road_payload(ENTRY_REJECT),
                NULL);
    ROAD_EXPECT(VERDICT_STALE, ENTRY_RELEASE, road_who(NORTH, IDENTITY_BROKER),
                release, NULL);
    free(release);
    road_end();
}

static void revoke_of_any_recipient_makes_a_release_stale(void)
{
    static const enum identity_role role[] = {IDENTITY_RESEARCH_INSTITUTE,
                                              IDENTITY_INSURER};

    road_begin();
    for (size_t i = 0; i < 2; i++) {
        expect_around(VERDICT_STALE);
        road_expect(road_revoke(road_who(EAST, IDENTITY_HOSPITAL_MANAGER),
                                road_who(EAST, role[i])),
                    VERDICT_VALID, "revoke a recipient");
        expect_around(VERDICT_STALE);
    }
    /* A doctor is none. */
    expect_around(VERDICT_VALID);
    road_expect(road_revoke(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER),
                            road_who(NORTH, IDENTITY_DOCTOR)),
                VERDICT_VALID, "revoke a doctor");
    expect_around(VERDICT_VALID);
    road_end();
}

static void nothing_is_released_to_a_revoked_recipient(void)
{
    char *release;

    road_begin();
    road_walk(ENTRY_PERMIT);
    release = payload_copy(ENTRY_RELEASE);
    road_expect(road_revoke(road_who(SOUTH, IDENTITY_HOSPITAL_MANAGER),
                            road_who(SOUTH, IDENTITY_RESEARCH_INSTITUTE)),
                VERDICT_VALID, "revoke");
    ROAD_EXPECT(VERDICT_STALE, ENTRY_RELEASE, road_who(NORTH, IDENTITY_BROKER),
                release, NULL);
    /* Looked at again, it is refused for good. */
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE,
                road_who(NORTH, IDENTITY_BROKER), road_payload(ENTRY_RELEASE),
                NULL);
    free(release);
    road_end();
}

static void nothing_rests_on_a_revoked_custodian(void)
{
    struct network_identity second;

    road_begin();
    road_newcomer(&second, NORTH, IDENTITY_CUSTODIAN);
    road_expect(road_enrol(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &second),
                VERDICT_VALID, "a second custodian");
    road_walk(ENTRY_REQUEST);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_APPROVE, &second,
                road_payload(ENTRY_APPROVE), road.approve);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_REQUEST,
                road_who(SOUTH, IDENTITY_RESEARCH_INSTITUTE),
                road_payload(ENTRY_REQUEST), road.request);
    road_expect(
        road_revoke(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &second),
        VERDICT_VALID, "revoke");
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_PERMIT,
                road_who(NORTH, IDENTITY_BROKER), road_payload(ENTRY_PERMIT),
                NULL);
    /* A request by somebody who was revoked is answered by reject alone. */
    road_expect(road_revoke(road_who(SOUTH, IDENTITY_GOVERNOR),
                            road_who(SOUTH, IDENTITY_RESEARCH_INSTITUTE)),
                VERDICT_VALID, "revoke");
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE,
                road_who(NORTH, IDENTITY_CUSTODIAN),
                road_payload(ENTRY_APPROVE), NULL);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_REJECT,
                road_who(NORTH, IDENTITY_CUSTODIAN), road_payload(ENTRY_REJECT),
                NULL);
    network_person_clear(&second);
    road_end();
}

void suite_rules_stale(void)
{
    static const struct test tests[] = {
        {"narrowing entries make a release stale",
         narrowing_entries_make_a_release_stale},
        {"reject makes a release stale", reject_makes_a_release_stale},
        {"revoke of any recipient makes a release stale",
         revoke_of_any_recipient_makes_a_release_stale},
        {"nothing is released to a revoked recipient",
         nothing_is_released_to_a_revoked_recipient},
        {"nothing rests on a revoked custodian",
         nothing_rests_on_a_revoked_custodian},
    };

    suite_add("rules_stale", tests, sizeof tests / sizeof tests[0]);
}
