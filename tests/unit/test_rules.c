#include "ledger/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/federation.h"
#include "tests/lib/road.h"
#include "tests/lib/suite.h"

void suite_rules(void);

/* ---- role x type ---- */

/* The column "author's role" of docs/protocol.md, written out; a custodian's
 * letter is C and so on, a dot is a refusal. */
static const char *const table[ENTRY_TYPE_COUNT] = {
    /* p: patient, d: doctor, n: nurse, h: pharmacist, t: dietitian,
     * r: radiographer, m: hospital-manager, c: custodian, o: privacy-officer,
     * i: research-institute, s: insurer, g: governor, a: auditor, b: broker,
     * z: anonymizer, e: node, w: witness */
    [ENTRY_DATASET] = ".......c.........",
    [ENTRY_CONSENT] = "p............b...",
    [ENTRY_WITHDRAW] = "p............b...",
    [ENTRY_ERASE] = ".......c.........",
    [ENTRY_REQUEST] = ".........is......",
    [ENTRY_APPROVE] = ".......c.........",
    [ENTRY_REJECT] = ".......c.........",
    [ENTRY_PERMIT] = ".............b...",
    [ENTRY_RELEASE] = ".............b...",
    [ENTRY_ACCESS] = ".dnhtr.c.....bz..",
    [ENTRY_ENROL] = "......m....g.....",
    [ENTRY_REVOKE] = "......m....g.....",
    [ENTRY_MEMBER] = "...........g.....",
};

static const char letters[] = "pdnhtrmcoisgabzew";

static enum entry_verdict try_cell(enum entry_type type,
                                   const struct network_identity *author)
{
    struct network_identity person;
    enum entry_verdict verdict;

    switch (type) {
    case ENTRY_REQUEST:
        road_walk(ENTRY_DATASET);
        break;
    case ENTRY_APPROVE:
    case ENTRY_REJECT:
        road_walk(ENTRY_REQUEST);
        break;
    case ENTRY_PERMIT:
        road_walk(ENTRY_APPROVE);
        break;
    case ENTRY_RELEASE:
        road_walk(ENTRY_PERMIT);
        break;
    case ENTRY_ENROL:
    case ENTRY_REVOKE:
        road_newcomer(&person, NORTH, IDENTITY_DOCTOR);
        if (type == ENTRY_ENROL) {
            verdict = road_enrol(author, &person);
        } else {
            road_expect(road_enrol(road_who(NORTH, IDENTITY_GOVERNOR), &person),
                        VERDICT_VALID, "somebody to revoke");
            verdict = road_revoke(author, &person);
        }
        network_person_clear(&person);
        return verdict;
    default:
        break;
    }
    return road_try(type, author, road_payload(type), NULL);
}

static void every_role_may_write_its_types_and_no_others(void)
{
    road_begin();
    for (unsigned type = 0; type < ENTRY_TYPE_COUNT; type++)
        for (unsigned role = 0; role < IDENTITY_ROLE_COUNT; role++) {
            bool may = table[type][role] == letters[role];
            char what[128];

            CU_ASSERT(may || table[type][role] == '.');
            snprintf(what, sizeof what, "%s by %s",
                     entry_type_name((enum entry_type)type),
                     identity_role_name((enum identity_role)role));
            road_expect(try_cell((enum entry_type)type,
                                 road_who(NORTH, (enum identity_role)role)),
                        may ? VERDICT_VALID : VERDICT_FORBIDDEN, what);
            CU_ASSERT_NOT_EQUAL(road.node.outcome.position, STORE_NONE);
            CU_ASSERT_EQUAL(
                rules_role_may((enum identity_role)role, (enum entry_type)type),
                may);
        }
    road_end();
}

/* ---- the road ---- */

static void whole_road_is_valid_once(void)
{
    road_begin();
    road_walk(ENTRY_PERMIT);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE,
                road_who(NORTH, IDENTITY_CUSTODIAN),
                road_payload(ENTRY_APPROVE), NULL);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_REJECT,
                road_who(NORTH, IDENTITY_CUSTODIAN), road_payload(ENTRY_REJECT),
                NULL);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_RELEASE, road_who(NORTH, IDENTITY_BROKER),
                road_payload(ENTRY_RELEASE), NULL);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE,
                road_who(NORTH, IDENTITY_BROKER), road_payload(ENTRY_RELEASE),
                NULL);
    /* A dataset can be requested again. */
    ROAD_EXPECT(VERDICT_VALID, ENTRY_REQUEST, road_who(SOUTH, IDENTITY_INSURER),
                road_payload(ENTRY_REQUEST), road.request);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_REJECT,
                road_who(NORTH, IDENTITY_CUSTODIAN), road_payload(ENTRY_REJECT),
                NULL);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE,
                road_who(NORTH, IDENTITY_CUSTODIAN),
                road_payload(ENTRY_APPROVE), NULL);
    road_end();
}

static void another_organisation_takes_no_step(void)
{
    road_begin();
    road_walk(ENTRY_REQUEST);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE,
                road_who(SOUTH, IDENTITY_CUSTODIAN),
                road_payload(ENTRY_APPROVE), NULL);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_REJECT,
                road_who(EAST, IDENTITY_CUSTODIAN), road_payload(ENTRY_REJECT),
                NULL);
    road_walk(ENTRY_APPROVE);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_PERMIT,
                road_who(SOUTH, IDENTITY_BROKER), road_payload(ENTRY_PERMIT),
                NULL);
    road_walk(ENTRY_PERMIT);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE,
                road_who(SOUTH, IDENTITY_BROKER), road_payload(ENTRY_RELEASE),
                NULL);
    road_end();
}

/* The right payload, with the first `from` in it made `to`. */
static const char *changed(enum entry_type type, const char *from,
                           const char *to)
{
    static char text[2048];
    const char *right = road_payload(type);
    const char *at = strstr(right, from);

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - right), right, to,
             at + strlen(from));
    return text;
}

static void try_changed(enum entry_type type, enum identity_role role,
                        const char *from, const char *to)
{
    enum network_organisation organisation =
        type == ENTRY_REQUEST ? SOUTH : NORTH;

    road_expect(road_try(type, road_who(organisation, role),
                         changed(type, from, to), NULL),
                VERDICT_AGAINST_RULE, to);
}

static void other_terms_are_against_the_rule(void)
{
    static const char from[] = "\"terms\":\"" NETWORK_HEX;
    static const char to[] = "\"terms\":\"" NETWORK_OTHER_HEX;

    road_begin();
    road_walk(ENTRY_REQUEST);
    try_changed(ENTRY_APPROVE, IDENTITY_CUSTODIAN, from, to);
    road_walk(ENTRY_APPROVE);
    try_changed(ENTRY_PERMIT, IDENTITY_BROKER, from, to);
    road_walk(ENTRY_PERMIT);
    try_changed(ENTRY_RELEASE, IDENTITY_BROKER, from, to);
    road_end();
}

static void references_must_be_valid_and_of_the_right_type(void)
{
    road_begin();
    road_walk(ENTRY_PERMIT);
    try_changed(ENTRY_REQUEST, IDENTITY_RESEARCH_INSTITUTE, road.dataset,
                NETWORK_OTHER_HEX);
    try_changed(ENTRY_REQUEST, IDENTITY_RESEARCH_INSTITUTE, road.dataset,
                road.request);
    try_changed(ENTRY_APPROVE, IDENTITY_CUSTODIAN, road.request, road.dataset);
    try_changed(ENTRY_APPROVE, IDENTITY_CUSTODIAN, road.request,
                NETWORK_OTHER_HEX);
    try_changed(ENTRY_REJECT, IDENTITY_CUSTODIAN, road.request, road.permit);
    try_changed(ENTRY_PERMIT, IDENTITY_BROKER, road.approve, road.permit);
    try_changed(ENTRY_RELEASE, IDENTITY_BROKER, road.permit, road.approve);
    /* A refused entry can be referred to by none. */
    ROAD_EXPECT(VERDICT_FORBIDDEN, ENTRY_DATASET,
                road_who(NORTH, IDENTITY_DOCTOR), ROAD_COMMITMENT,
                road.dataset);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_REQUEST,
                road_who(SOUTH, IDENTITY_RESEARCH_INSTITUTE),
                road_payload(ENTRY_REQUEST), NULL);
    road_end();
}

/* ---- times and sizes ---- */

static enum entry_verdict permit_until(int64_t expires_ms)
{
    char from[64], to[64];

    snprintf(from, sizeof from, "\"expires\":%jd",
             (intmax_t)(road.node.time_ms + NETWORK_DAY));
    snprintf(to, sizeof to, "\"expires\":%jd", (intmax_t)expires_ms);
    return road_try(ENTRY_PERMIT, road_who(NORTH, IDENTITY_BROKER),
                    changed(ENTRY_PERMIT, from, to), road.permit);
}

static void permit_is_good_for_a_day_at_most(void)
{
    road_begin();
    road_walk(ENTRY_APPROVE);
    road_expect(permit_until(road.node.time_ms), VERDICT_AGAINST_RULE,
                "over already");
    road_expect(permit_until(road.node.time_ms + NETWORK_DAY + 1),
                VERDICT_AGAINST_RULE, "too long");
    road_expect(permit_until(road.node.time_ms + NETWORK_DAY), VERDICT_VALID,
                "a day");
    road_walk(ENTRY_APPROVE);
    road_expect(permit_until(road.node.time_ms + 1), VERDICT_VALID, "a moment");
    road_end();
}

/* Consents changed: the broker permits anew.  One of the two is released. */
static void approval_has_permits_until_there_is_a_release(void)
{
    char first[DIGEST_HEX_SIZE];

    road_begin();
    road_walk(ENTRY_PERMIT);
    memcpy(first, road.permit, sizeof first);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_PERMIT, road_who(NORTH, IDENTITY_BROKER),
                road_payload(ENTRY_PERMIT), road.permit);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_RELEASE, road_who(NORTH, IDENTITY_BROKER),
                road_payload(ENTRY_RELEASE), NULL);
    memcpy(road.permit, first, sizeof first);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE,
                road_who(NORTH, IDENTITY_BROKER), road_payload(ENTRY_RELEASE),
                NULL);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_PERMIT,
                road_who(NORTH, IDENTITY_BROKER), road_payload(ENTRY_PERMIT),
                NULL);
    road_end();
}

static void expired_permit_gives_no_release(void)
{
    road_begin();
    road_walk(ENTRY_APPROVE);
    road_expect(permit_until(road.node.time_ms + 5000), VERDICT_VALID,
                "five seconds");
    road.node.time_ms += 4000;
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE,
                road_who(NORTH, IDENTITY_BROKER), road_payload(ENTRY_RELEASE),
                NULL);
    road_end();
}

static void sizes_beyond_the_log_are_against_the_rule(void)
{
    char from[64], to[64];

    road_begin();
    road_walk(ENTRY_APPROVE); /* three entries */
    try_changed(ENTRY_PERMIT, IDENTITY_BROKER, "\"size\":3", "\"size\":5");
    road_walk(ENTRY_PERMIT);
    snprintf(from, sizeof from, "\"checked\":%d", 8);
    snprintf(to, sizeof to, "\"checked\":%d", 9);
    try_changed(ENTRY_RELEASE, IDENTITY_BROKER, from, to);
    ROAD_EXPECT(VERDICT_VALID, ENTRY_RELEASE, road_who(NORTH, IDENTITY_BROKER),
                road_payload(ENTRY_RELEASE), NULL);
    road_end();
}

/* ---- versions ---- */

static enum entry_verdict read_version(const char *reads)
{
    char payload[512];

    snprintf(payload, sizeof payload,
             "{\"commitment\":\"" NETWORK_HEX "\",\"reads\":%s}", reads);
    return road_try(ENTRY_DATASET, road_who(NORTH, IDENTITY_CUSTODIAN), payload,
                    NULL);
}

static void versions_read_must_be_those_of_now(void)
{
    road_begin();
    ROAD_EXPECT(VERDICT_VALID, ENTRY_WITHDRAW,
                road_who(NORTH, IDENTITY_PATIENT), ROAD_COMMITMENT,
                NULL); /* position 0 */
    road_expect(read_version("[]"), VERDICT_VALID, "none");
    road_expect(read_version("[{\"key\":\"narrowed/north\",\"version\":0}]"),
                VERDICT_VALID, "of now");
    road_expect(read_version("[{\"key\":\"narrowed/north\",\"version\":1}]"),
                VERDICT_STALE, "another");
    road_expect(read_version("[{\"key\":\"narrowed/south\",\"version\":0}]"),
                VERDICT_STALE, "no such key");
    road_expect(read_version("[{\"key\":\"narrowed/north\",\"version\":5},"
                             "{\"key\":\"\",\"version\":0}]"),
                VERDICT_AGAINST_RULE, "stale, and no key");
    road_expect(read_version("{}"), VERDICT_AGAINST_RULE, "no list");
    road_expect(read_version("[7]"), VERDICT_AGAINST_RULE, "no object");
    road_expect(read_version("[{\"key\":\"narrowed/north\"}]"),
                VERDICT_AGAINST_RULE, "no version");
    road_expect(
        read_version("[{\"key\":\"narrowed/north\",\"version\":0,\"x\":1}]"),
        VERDICT_AGAINST_RULE, "something else");
    road_expect(read_version("[{\"key\":\"narrowed/north\",\"version\":-1}]"),
                VERDICT_AGAINST_RULE, "negative");
    road_end();
}

static void more_versions_than_the_limit_are_against_the_rule(void)
{
    struct text reads;
    struct error err;

    road_begin();
    text_init(&reads);
    CU_ASSERT_EQUAL(text_printf(&reads, &err,
                                "{\"commitment\":\"%s\","
                                "\"reads\":[",
                                NETWORK_HEX),
                    OK);
    for (int i = 0; i <= RULES_READS_MAX; i++)
        CU_ASSERT_EQUAL(text_printf(&reads, &err,
                                    "%s{\"key\":\"k\",\"version\":0}",
                                    i == 0 ? "" : ","),
                        OK);
    CU_ASSERT_EQUAL(text_append_string(&reads, "]}", &err), OK);
    ROAD_EXPECT(VERDICT_AGAINST_RULE, ENTRY_DATASET,
                road_who(NORTH, IDENTITY_CUSTODIAN), reads.data, NULL);
    text_clear(&reads);
    road_end();
}

/* ---- payloads ---- */

static void payloads_have_their_members_and_no_others(void)
{
    static const struct {
        enum entry_type type;
        enum identity_role role;
        const char *payload;
    } row[] = {
        {ENTRY_DATASET, IDENTITY_CUSTODIAN, "{}"},
        {ENTRY_DATASET, IDENTITY_CUSTODIAN, "{\"commitment\":\"00\"}"},
        {ENTRY_DATASET, IDENTITY_CUSTODIAN, "{\"commitment\":7}"},
        {ENTRY_DATASET, IDENTITY_CUSTODIAN,
         "{\"commitment\":\"" NETWORK_HEX "\",\"name\":\"x\"}"},
        {ENTRY_DATASET, IDENTITY_CUSTODIAN,
         "{\"commitment\":\"0011223344556677889900AABBCCDDEE"
         "00112233445566778899aabbccddeeff\"}"},
        {ENTRY_ACCESS, IDENTITY_DOCTOR,
         "{\"commitment\":\"" NETWORK_HEX "\",\"count\":-1}"},
        {ENTRY_ACCESS, IDENTITY_DOCTOR,
         "{\"commitment\":\"" NETWORK_HEX "\",\"count\":\"1\"}"},
        {ENTRY_REVOKE, IDENTITY_GOVERNOR,
         "{\"certificate\":\"" NETWORK_HEX "\",\"reason\":\"x\"}"},
        {ENTRY_REVOKE, IDENTITY_GOVERNOR,
         "{\"certificate\":\"00112233445566778899aabbccddeeff\","
         "\"reason\":\"\"}"},
        {ENTRY_REVOKE, IDENTITY_GOVERNOR,
         "{\"certificate\":\"00112233445566778899aabbccddeeff\","
         "\"reason\":\"nobody has it\"}"},
        {ENTRY_ENROL, IDENTITY_GOVERNOR, "{\"certificate\":\"\"}"},
        {ENTRY_ENROL, IDENTITY_GOVERNOR, "{\"certificate\":\"no PEM\"}"},
        {ENTRY_MEMBER, IDENTITY_GOVERNOR,
         "{\"action\":\"add\",\"cosigner\":\"no key\",\"node\":4}"},
    };

    road_begin();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        road_expect(road_try(row[i].type, road_who(NORTH, row[i].role),
                             row[i].payload, NULL),
                    VERDICT_AGAINST_RULE, row[i].payload);
    try_changed(ENTRY_MEMBER, IDENTITY_GOVERNOR, "\"add\"", "\"burn\"");
    try_changed(ENTRY_MEMBER, IDENTITY_GOVERNOR, "\"node\":4", "\"node\":0");
    road_end();
}

void suite_rules(void)
{
    static const struct test tests[] = {
        {"every role may write its types and no others",
         every_role_may_write_its_types_and_no_others},
        {"whole road is valid once", whole_road_is_valid_once},
        {"another organisation takes no step",
         another_organisation_takes_no_step},
        {"other terms are against the rule", other_terms_are_against_the_rule},
        {"references must be valid and of the right type",
         references_must_be_valid_and_of_the_right_type},
        {"permit is good for a day at most", permit_is_good_for_a_day_at_most},
        {"approval has permits until there is a release",
         approval_has_permits_until_there_is_a_release},
        {"expired permit gives no release", expired_permit_gives_no_release},
        {"sizes beyond the log are against the rule",
         sizes_beyond_the_log_are_against_the_rule},
        {"versions read must be those of now",
         versions_read_must_be_those_of_now},
        {"more versions than the limit are against the rule",
         more_versions_than_the_limit_are_against_the_rule},
        {"payloads have their members and no others",
         payloads_have_their_members_and_no_others},
    };

    suite_add("rules", tests, sizeof tests / sizeof tests[0]);
}
