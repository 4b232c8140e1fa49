#include "ledger/rules.h"

#include <stdlib.h>

#include "tests/lib/federation.h"
#include "tests/lib/road.h"
#include "tests/lib/suite.h"

void suite_rules_certificate(void);

/* ---- certificates ---- */

static void certificates_count_from_enrol_until_revoke(void)
{
    struct network_identity person;

    road_begin();
    road_newcomer(&person, NORTH, IDENTITY_CUSTODIAN);
    ROAD_EXPECT(VERDICT_UNKNOWN_SIGNER, ENTRY_DATASET, &person, ROAD_COMMITMENT,
                NULL);
    CU_ASSERT_EQUAL(road.node.outcome.position, STORE_NONE);
    road_expect(road_enrol(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person),
                VERDICT_VALID, "enrol");
    ROAD_EXPECT(VERDICT_VALID, ENTRY_DATASET, &person, ROAD_COMMITMENT, NULL);
    road_expect(road_enrol(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person),
                VERDICT_AGAINST_RULE, "enrol twice");
    road_expect(
        road_revoke(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person),
        VERDICT_VALID, "revoke");
    ROAD_EXPECT(VERDICT_REVOKED, ENTRY_DATASET, &person, ROAD_COMMITMENT, NULL);
    CU_ASSERT_NOT_EQUAL(road.node.outcome.position, STORE_NONE);
    road_expect(
        road_revoke(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person),
        VERDICT_AGAINST_RULE, "revoke twice");
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &person),
                VERDICT_AGAINST_RULE, "enrol a revoked one");
    network_person_clear(&person);
    road_end();
}

static void managers_act_for_their_own_organisation_alone(void)
{
    struct network_identity south, governor;

    road_begin();
    road_newcomer(&south, SOUTH, IDENTITY_DOCTOR);
    road_newcomer(&governor, NORTH, IDENTITY_GOVERNOR);
    road_expect(road_enrol(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &south),
                VERDICT_AGAINST_RULE, "another's");
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &south),
                VERDICT_VALID, "governor");
    road_expect(road_revoke(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &south),
                VERDICT_AGAINST_RULE, "another's");
    road_expect(road_revoke(road_who(EAST, IDENTITY_GOVERNOR), &south),
                VERDICT_VALID, "governor");
    road_expect(
        road_enrol(road_who(NORTH, IDENTITY_HOSPITAL_MANAGER), &governor),
        VERDICT_AGAINST_RULE, "a governor by a manager");
    road_expect(road_enrol(road_who(EAST, IDENTITY_GOVERNOR), &governor),
                VERDICT_VALID, "a governor by a governor");
    network_person_clear(&south);
    network_person_clear(&governor);
    road_end();
}

static void foreign_and_expired_certificates_are_not_enrolled(void)
{
    struct network other;
    struct network_identity early, late, authority;

    road_begin();
    network_open(&other);
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR),
                           network_who(&other, NORTH, IDENTITY_DOCTOR)),
                VERDICT_AGAINST_RULE, "of another root");
    network_close(&other);
    network_person_make(&early, &road.network,
                        (struct network_person){
                            .name = "early",
                            .role = IDENTITY_DOCTOR,
                            .from_ms = NETWORK_TIME + NETWORK_DAY,
                        });
    network_person_make(&late, &road.network,
                        (struct network_person){
                            .name = "late",
                            .role = IDENTITY_DOCTOR,
                            .to_ms = NETWORK_TIME - 1000,
                        });
    authority = road.network.authority[NORTH];
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &early),
                VERDICT_AGAINST_RULE, "not valid yet");
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &late),
                VERDICT_AGAINST_RULE, "expired");
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &authority),
                VERDICT_AGAINST_RULE, "an authority");
    road.node.time_ms = NETWORK_TIME + NETWORK_DAY;
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &early),
                VERDICT_VALID, "valid now");
    network_person_clear(&early);
    network_person_clear(&late);
    road_end();
}

static void certificates_end_with_their_last_second(void)
{
    struct network_identity person;

    road_begin();
    network_person_make(&person, &road.network,
                        (struct network_person){
                            .name = "short",
                            .role = IDENTITY_CUSTODIAN,
                            .to_ms = NETWORK_TIME + 60000,
                        });
    road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &person),
                VERDICT_VALID, "enrol");
    road.node.time_ms = NETWORK_TIME + 60000;
    ROAD_EXPECT(VERDICT_VALID, ENTRY_DATASET, &person, ROAD_COMMITMENT, NULL);
    road.node.time_ms = NETWORK_TIME + 61000;
    ROAD_EXPECT(VERDICT_EXPIRED, ENTRY_DATASET, &person, ROAD_COMMITMENT, NULL);
    CU_ASSERT_NOT_EQUAL(road.node.outcome.position, STORE_NONE);
    /* Of an expired and revoked one, expired is said. */
    road_expect(road_revoke(road_who(NORTH, IDENTITY_GOVERNOR), &person),
                VERDICT_VALID, "revoke");
    ROAD_EXPECT(VERDICT_EXPIRED, ENTRY_DATASET, &person, ROAD_COMMITMENT, NULL);
    network_person_clear(&person);
    road_end();
}

/* ---- endorsement ---- */

static enum entry_verdict try_signed(enum entry_type type,
                                     const struct network_identity *const *by)
{
    struct network_entry entry;
    enum entry_verdict verdict;

    network_entry_make(&entry, &road.network, type, by[0], road_payload(type));
    network_entry_sign(&entry, by);
    verdict = network_apply(&road.node, &entry);
    network_entry_clear(&entry);
    return verdict;
}

static void release_needs_each_of_its_endorsers(void)
{
    const struct network_identity *broker, *custodian, *anonymizer;

    road_begin();
    broker = road_who(NORTH, IDENTITY_BROKER);
    custodian = road_who(NORTH, IDENTITY_CUSTODIAN);
    anonymizer = road_who(NORTH, IDENTITY_ANONYMIZER);
    road_walk(ENTRY_PERMIT);
#define SIGNED(...) (const struct network_identity *const[]){__VA_ARGS__, NULL}
    road_expect(try_signed(ENTRY_RELEASE, SIGNED(broker)), VERDICT_NOT_ENDORSED,
                "alone");
    road_expect(try_signed(ENTRY_RELEASE, SIGNED(broker, custodian)),
                VERDICT_NOT_ENDORSED, "no anonymizer");
    road_expect(try_signed(ENTRY_RELEASE, SIGNED(broker, anonymizer)),
                VERDICT_NOT_ENDORSED, "no custodian");
    road_expect(
        try_signed(ENTRY_RELEASE, SIGNED(broker, custodian,
                                         road_who(SOUTH, IDENTITY_ANONYMIZER))),
        VERDICT_NOT_ENDORSED, "an anonymizer of elsewhere");
    road_expect(
        try_signed(ENTRY_RELEASE, SIGNED(broker, custodian, anonymizer)),
        VERDICT_VALID, "all three");
    road_end();
}

static void member_needs_a_majority_of_nodes(void)
{
    const struct network_identity *governor;

    road_begin();
    governor = road_who(NORTH, IDENTITY_GOVERNOR);
    road_expect(try_signed(ENTRY_MEMBER, SIGNED(governor)),
                VERDICT_NOT_ENDORSED, "alone");
    road_expect(try_signed(ENTRY_MEMBER,
                           SIGNED(governor, road_who(EAST, IDENTITY_NODE))),
                VERDICT_NOT_ENDORSED, "one node");
    road_expect(
        try_signed(ENTRY_MEMBER, SIGNED(governor, road_who(EAST, IDENTITY_NODE),
                                        road_who(SOUTH, IDENTITY_NODE))),
        VERDICT_VALID, "two of three");
    road_end();
}

static void revoked_endorser_spoils_the_entry(void)
{
    road_begin();
    road_walk(ENTRY_PERMIT);
    road_expect(road_revoke(road_who(NORTH, IDENTITY_GOVERNOR),
                            road_who(NORTH, IDENTITY_ANONYMIZER)),
                VERDICT_VALID, "revoke");
    ROAD_EXPECT(VERDICT_REVOKED, ENTRY_RELEASE,
                road_who(NORTH, IDENTITY_BROKER), road_payload(ENTRY_RELEASE),
                NULL);
    road_end();
}

void suite_rules_certificate(void)
{
    static const struct test tests[] = {
        {"certificates count from enrol until revoke",
         certificates_count_from_enrol_until_revoke},
        {"managers act for their own organisation alone",
         managers_act_for_their_own_organisation_alone},
        {"foreign and expired certificates are not enrolled",
         foreign_and_expired_certificates_are_not_enrolled},
        {"certificates end with their last second",
         certificates_end_with_their_last_second},
        {"release needs each of its endorsers",
         release_needs_each_of_its_endorsers},
        {"member needs a majority of nodes", member_needs_a_majority_of_nodes},
        {"revoked endorser spoils the entry",
         revoked_endorser_spoils_the_entry},
    };

    suite_add("rules_certificate", tests, sizeof tests / sizeof tests[0]);
}
