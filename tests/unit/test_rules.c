#include "ledger/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/federation.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_rules(void);

#define COMMITMENT "{\"commitment\":\"" NETWORK_HEX "\"}"

static struct scratch scratch;
static struct network network;
static struct network_node node;

static void begin(void)
{
    scratch_open(&scratch);
    network_open(&network);
    network_node_open(&node, &network, scratch_path(&scratch, "state.db"), 0);
}

static void end(void)
{
    network_node_close(&node);
    network_close(&network);
    scratch_close(&scratch);
}

static const struct network_identity *
who(enum network_organisation organisation, enum identity_role role)
{
    return network_who(&network, organisation, role);
}

/* ---- one entry, its verdict ---- */

/* Release needs all three of the policy, member two of three nodes. */
static void endorse(struct network_entry *entry, enum entry_type type,
                    const struct network_identity *author)
{
    const struct network_identity *release[] = {
        who(NORTH, IDENTITY_CUSTODIAN), who(NORTH, IDENTITY_BROKER),
        who(NORTH, IDENTITY_ANONYMIZER)};
    const struct network_identity *member[] = {who(NORTH, IDENTITY_NODE),
                                               who(SOUTH, IDENTITY_NODE)};
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

/* `id` (may be NULL) gets the entry's. */
static enum entry_verdict try_entry(enum entry_type type,
                                    const struct network_identity *author,
                                    const char *payload,
                                    char id[DIGEST_HEX_SIZE])
{
    struct network_entry entry;
    enum entry_verdict verdict;

    network_entry_make(&entry, &network, type, author, payload);
    endorse(&entry, type, author);
    verdict = network_apply(&node, &entry);
    if (id != NULL)
        memcpy(id, entry.hex, sizeof entry.hex);
    network_entry_clear(&entry);
    return verdict;
}

static void expect(enum entry_verdict got, enum entry_verdict expected,
                   const char *what)
{
    if (got != expected)
        fprintf(stderr, "\n  %s: expected %s, got %s\n", what,
                entry_verdict_name(expected), entry_verdict_name(got));
    CU_ASSERT_EQUAL(got, expected);
}

#define EXPECT(verdict, ...) expect(try_entry(__VA_ARGS__), (verdict), __func__)

/* ---- the road to a release ---- */

static char dataset[DIGEST_HEX_SIZE], request[DIGEST_HEX_SIZE],
    approve[DIGEST_HEX_SIZE], permit[DIGEST_HEX_SIZE];

/* The payload that would be right now; borrowed until the next call. */
static const char *right_payload(enum entry_type type)
{
    static char text[1024];
    uint64_t size = 0;
    struct digest root;

    executor_tip(node.executor, &size, &root);
    switch (type) {
    case ENTRY_DATASET:
    case ENTRY_CONSENT:
    case ENTRY_WITHDRAW:
    case ENTRY_ERASE:
        return COMMITMENT;
    case ENTRY_REQUEST:
        snprintf(text, sizeof text,
                 "{\"dataset\":\"%s\",\"terms\":\"" NETWORK_HEX "\"}", dataset);
        return text;
    case ENTRY_APPROVE:
        snprintf(text, sizeof text,
                 "{\"request\":\"%s\",\"terms\":\"" NETWORK_HEX "\"}", request);
        return text;
    case ENTRY_REJECT:
        snprintf(text, sizeof text, "{\"request\":\"%s\"}", request);
        return text;
    case ENTRY_PERMIT:
        snprintf(
            text, sizeof text,
            "{\"approve\":\"%s\",\"commitment\":\"" NETWORK_HEX
            "\",\"expires\":%jd,\"size\":%ju,\"terms\":\"" NETWORK_HEX "\"}",
            approve, (intmax_t)(node.time_ms + NETWORK_DAY), (uintmax_t)size);
        return text;
    case ENTRY_RELEASE:
        snprintf(text, sizeof text,
                 "{\"checked\":%ju,\"commitment\":\"" NETWORK_HEX
                 "\",\"permit\":\"%s\",\"terms\":\"" NETWORK_HEX "\"}",
                 (uintmax_t)size, permit);
        return text;
    case ENTRY_ACCESS:
        return "{\"commitment\":\"" NETWORK_HEX "\",\"count\":7}";
    case ENTRY_MEMBER:
        snprintf(text, sizeof text,
                 "{\"action\":\"add\",\"cosigner\":\"%s\",\"node\":4}",
                 network.cosigner_text[0]);
        return text;
    default:
        CU_FAIL_FATAL("no such payload");
        return NULL;
    }
}

/* Walk until behind `last`, with the right people. */
static void walk(enum entry_type last)
{
    static const struct {
        enum entry_type type;
        enum network_organisation organisation;
        enum identity_role role;
        char *id;
    } step[] = {
        {ENTRY_DATASET, NORTH, IDENTITY_CUSTODIAN, dataset},
        {ENTRY_REQUEST, SOUTH, IDENTITY_RESEARCH_INSTITUTE, request},
        {ENTRY_APPROVE, NORTH, IDENTITY_CUSTODIAN, approve},
        {ENTRY_PERMIT, NORTH, IDENTITY_BROKER, permit},
    };

    for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
        EXPECT(VERDICT_VALID, step[i].type,
               who(step[i].organisation, step[i].role),
               right_payload(step[i].type), step[i].id);
        if (step[i].type == last)
            return;
    }
}

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

static void newcomer(struct network_identity *identity,
                     enum network_organisation organisation,
                     enum identity_role role)
{
    static unsigned count;
    char name[32];

    snprintf(name, sizeof name, "new-%u", count++);
    network_person_make(identity, &network,
                        (struct network_person){.organisation = organisation,
                                                .role = role,
                                                .name = name});
}

static enum entry_verdict enrol(const struct network_identity *author,
                                const struct network_identity *identity)
{
    char *payload = network_enrol_payload(identity);
    enum entry_verdict verdict = try_entry(ENTRY_ENROL, author, payload, NULL);

    free(payload);
    return verdict;
}

static enum entry_verdict revoke(const struct network_identity *author,
                                 const struct network_identity *identity)
{
    char payload[128];

    snprintf(payload, sizeof payload,
             "{\"certificate\":\"%s\",\"reason\":\"left\"}",
             certificate_id(identity->certificate));
    return try_entry(ENTRY_REVOKE, author, payload, NULL);
}

static enum entry_verdict try_cell(enum entry_type type,
                                   const struct network_identity *author)
{
    struct network_identity person;
    enum entry_verdict verdict;

    switch (type) {
    case ENTRY_REQUEST:
        walk(ENTRY_DATASET);
        break;
    case ENTRY_APPROVE:
    case ENTRY_REJECT:
        walk(ENTRY_REQUEST);
        break;
    case ENTRY_PERMIT:
        walk(ENTRY_APPROVE);
        break;
    case ENTRY_RELEASE:
        walk(ENTRY_PERMIT);
        break;
    case ENTRY_ENROL:
    case ENTRY_REVOKE:
        newcomer(&person, NORTH, IDENTITY_DOCTOR);
        if (type == ENTRY_ENROL) {
            verdict = enrol(author, &person);
        } else {
            expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &person), VERDICT_VALID,
                   "somebody to revoke");
            verdict = revoke(author, &person);
        }
        network_person_clear(&person);
        return verdict;
    default:
        break;
    }
    return try_entry(type, author, right_payload(type), NULL);
}

static void every_role_may_write_its_types_and_no_others(void)
{
    begin();
    for (unsigned type = 0; type < ENTRY_TYPE_COUNT; type++)
        for (unsigned role = 0; role < IDENTITY_ROLE_COUNT; role++) {
            bool may = table[type][role] == letters[role];
            char what[128];

            CU_ASSERT(may || table[type][role] == '.');
            snprintf(what, sizeof what, "%s by %s",
                     entry_type_name((enum entry_type)type),
                     identity_role_name((enum identity_role)role));
            expect(try_cell((enum entry_type)type,
                            who(NORTH, (enum identity_role)role)),
                   may ? VERDICT_VALID : VERDICT_FORBIDDEN, what);
            CU_ASSERT_NOT_EQUAL(node.outcome.position, STORE_NONE);
            CU_ASSERT_EQUAL(
                rules_role_may((enum identity_role)role, (enum entry_type)type),
                may);
        }
    end();
}

/* ---- the road ---- */

static void whole_road_is_valid_once(void)
{
    begin();
    walk(ENTRY_PERMIT);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE, who(NORTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_APPROVE), NULL);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_REJECT, who(NORTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_REJECT), NULL);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_PERMIT, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_PERMIT), NULL);
    EXPECT(VERDICT_VALID, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_RELEASE), NULL);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_RELEASE), NULL);
    /* A dataset can be requested again. */
    EXPECT(VERDICT_VALID, ENTRY_REQUEST, who(SOUTH, IDENTITY_INSURER),
           right_payload(ENTRY_REQUEST), request);
    EXPECT(VERDICT_VALID, ENTRY_REJECT, who(NORTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_REJECT), NULL);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE, who(NORTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_APPROVE), NULL);
    end();
}

static void another_organisation_takes_no_step(void)
{
    begin();
    walk(ENTRY_REQUEST);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE, who(SOUTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_APPROVE), NULL);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_REJECT, who(EAST, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_REJECT), NULL);
    walk(ENTRY_APPROVE);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_PERMIT, who(SOUTH, IDENTITY_BROKER),
           right_payload(ENTRY_PERMIT), NULL);
    walk(ENTRY_PERMIT);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE, who(SOUTH, IDENTITY_BROKER),
           right_payload(ENTRY_RELEASE), NULL);
    end();
}

/* The right payload, with the first `from` in it made `to`. */
static const char *changed(enum entry_type type, const char *from,
                           const char *to)
{
    static char text[2048];
    const char *right = right_payload(type);
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

    expect(
        try_entry(type, who(organisation, role), changed(type, from, to), NULL),
        VERDICT_AGAINST_RULE, to);
}

static void other_terms_are_against_the_rule(void)
{
    static const char from[] = "\"terms\":\"" NETWORK_HEX;
    static const char to[] = "\"terms\":\"" NETWORK_OTHER_HEX;

    begin();
    walk(ENTRY_REQUEST);
    try_changed(ENTRY_APPROVE, IDENTITY_CUSTODIAN, from, to);
    walk(ENTRY_APPROVE);
    try_changed(ENTRY_PERMIT, IDENTITY_BROKER, from, to);
    walk(ENTRY_PERMIT);
    try_changed(ENTRY_RELEASE, IDENTITY_BROKER, from, to);
    end();
}

static void references_must_be_valid_and_of_the_right_type(void)
{
    begin();
    walk(ENTRY_PERMIT);
    try_changed(ENTRY_REQUEST, IDENTITY_RESEARCH_INSTITUTE, dataset,
                NETWORK_OTHER_HEX);
    try_changed(ENTRY_REQUEST, IDENTITY_RESEARCH_INSTITUTE, dataset, request);
    try_changed(ENTRY_APPROVE, IDENTITY_CUSTODIAN, request, dataset);
    try_changed(ENTRY_APPROVE, IDENTITY_CUSTODIAN, request, NETWORK_OTHER_HEX);
    try_changed(ENTRY_REJECT, IDENTITY_CUSTODIAN, request, permit);
    try_changed(ENTRY_PERMIT, IDENTITY_BROKER, approve, permit);
    try_changed(ENTRY_RELEASE, IDENTITY_BROKER, permit, approve);
    /* A refused entry can be referred to by none. */
    EXPECT(VERDICT_FORBIDDEN, ENTRY_DATASET, who(NORTH, IDENTITY_DOCTOR),
           COMMITMENT, dataset);
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_REQUEST,
           who(SOUTH, IDENTITY_RESEARCH_INSTITUTE),
           right_payload(ENTRY_REQUEST), NULL);
    end();
}

/* ---- times and sizes ---- */

static enum entry_verdict permit_until(int64_t expires_ms)
{
    char from[64], to[64];

    snprintf(from, sizeof from, "\"expires\":%jd",
             (intmax_t)(node.time_ms + NETWORK_DAY));
    snprintf(to, sizeof to, "\"expires\":%jd", (intmax_t)expires_ms);
    return try_entry(ENTRY_PERMIT, who(NORTH, IDENTITY_BROKER),
                     changed(ENTRY_PERMIT, from, to), permit);
}

static void permit_is_good_for_a_day_at_most(void)
{
    begin();
    walk(ENTRY_APPROVE);
    expect(permit_until(node.time_ms), VERDICT_AGAINST_RULE, "over already");
    expect(permit_until(node.time_ms + NETWORK_DAY + 1), VERDICT_AGAINST_RULE,
           "too long");
    expect(permit_until(node.time_ms + NETWORK_DAY), VERDICT_VALID, "a day");
    walk(ENTRY_APPROVE);
    expect(permit_until(node.time_ms + 1), VERDICT_VALID, "a moment");
    end();
}

static void expired_permit_gives_no_release(void)
{
    begin();
    walk(ENTRY_APPROVE);
    expect(permit_until(node.time_ms + 5000), VERDICT_VALID, "five seconds");
    node.time_ms += 4000;
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_RELEASE), NULL);
    end();
}

static void sizes_beyond_the_log_are_against_the_rule(void)
{
    char from[64], to[64];

    begin();
    walk(ENTRY_APPROVE); /* three entries */
    try_changed(ENTRY_PERMIT, IDENTITY_BROKER, "\"size\":3", "\"size\":5");
    walk(ENTRY_PERMIT);
    snprintf(from, sizeof from, "\"checked\":%d", 8);
    snprintf(to, sizeof to, "\"checked\":%d", 9);
    try_changed(ENTRY_RELEASE, IDENTITY_BROKER, from, to);
    EXPECT(VERDICT_VALID, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_RELEASE), NULL);
    end();
}

/* ---- stale ---- */

static char *payload_copy(enum entry_type type)
{
    char *copy = strdup(right_payload(type));

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    return copy;
}

/* A release checked before something happened, and again behind it. */
static void expect_around(enum entry_verdict before)
{
    static char *payload;

    if (payload == NULL) {
        walk(ENTRY_PERMIT);
        payload = payload_copy(ENTRY_RELEASE);
        return;
    }
    EXPECT(before, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER), payload, NULL);
    free(payload);
    payload = NULL;
    if (before == VERDICT_STALE)
        EXPECT(VERDICT_VALID, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER),
               right_payload(ENTRY_RELEASE), NULL);
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

    begin();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        expect_around(row[i].north);
        EXPECT(VERDICT_VALID, row[i].type, who(NORTH, row[i].role),
               right_payload(row[i].type), NULL);
        expect_around(row[i].north);
        /* Another organisation's is none of this one's. */
        expect_around(VERDICT_VALID);
        EXPECT(VERDICT_VALID, row[i].type, who(EAST, row[i].role),
               right_payload(row[i].type), NULL);
        expect_around(VERDICT_VALID);
        /* What was refused narrows nothing. */
        expect_around(VERDICT_VALID);
        EXPECT(VERDICT_FORBIDDEN, row[i].type, who(NORTH, IDENTITY_AUDITOR),
               right_payload(row[i].type), NULL);
        expect_around(VERDICT_VALID);
    }
    end();
}

static void reject_makes_a_release_stale(void)
{
    char *release;

    begin();
    walk(ENTRY_PERMIT);
    release = payload_copy(ENTRY_RELEASE);
    EXPECT(VERDICT_VALID, ENTRY_REQUEST, who(SOUTH, IDENTITY_INSURER),
           right_payload(ENTRY_REQUEST), request);
    EXPECT(VERDICT_VALID, ENTRY_REJECT, who(NORTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_REJECT), NULL);
    EXPECT(VERDICT_STALE, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER), release,
           NULL);
    free(release);
    end();
}

static void revoke_of_any_recipient_makes_a_release_stale(void)
{
    static const enum identity_role role[] = {IDENTITY_RESEARCH_INSTITUTE,
                                              IDENTITY_INSURER};

    begin();
    for (size_t i = 0; i < 2; i++) {
        expect_around(VERDICT_STALE);
        expect(revoke(who(EAST, IDENTITY_HOSPITAL_MANAGER), who(EAST, role[i])),
               VERDICT_VALID, "revoke a recipient");
        expect_around(VERDICT_STALE);
    }
    /* A doctor is none. */
    expect_around(VERDICT_VALID);
    expect(revoke(who(NORTH, IDENTITY_HOSPITAL_MANAGER),
                  who(NORTH, IDENTITY_DOCTOR)),
           VERDICT_VALID, "revoke a doctor");
    expect_around(VERDICT_VALID);
    end();
}

static void nothing_is_released_to_a_revoked_recipient(void)
{
    char *release;

    begin();
    walk(ENTRY_PERMIT);
    release = payload_copy(ENTRY_RELEASE);
    expect(revoke(who(SOUTH, IDENTITY_HOSPITAL_MANAGER),
                  who(SOUTH, IDENTITY_RESEARCH_INSTITUTE)),
           VERDICT_VALID, "revoke");
    EXPECT(VERDICT_STALE, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER), release,
           NULL);
    /* Looked at again, it is refused for good. */
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_RELEASE), NULL);
    free(release);
    end();
}

static void nothing_rests_on_a_revoked_custodian(void)
{
    struct network_identity second;

    begin();
    newcomer(&second, NORTH, IDENTITY_CUSTODIAN);
    expect(enrol(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &second), VERDICT_VALID,
           "a second custodian");
    walk(ENTRY_REQUEST);
    EXPECT(VERDICT_VALID, ENTRY_APPROVE, &second, right_payload(ENTRY_APPROVE),
           approve);
    EXPECT(VERDICT_VALID, ENTRY_REQUEST,
           who(SOUTH, IDENTITY_RESEARCH_INSTITUTE),
           right_payload(ENTRY_REQUEST), request);
    expect(revoke(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &second),
           VERDICT_VALID, "revoke");
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_PERMIT, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_PERMIT), NULL);
    /* A request by somebody who was revoked is answered by reject alone. */
    expect(revoke(who(SOUTH, IDENTITY_GOVERNOR),
                  who(SOUTH, IDENTITY_RESEARCH_INSTITUTE)),
           VERDICT_VALID, "revoke");
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_APPROVE, who(NORTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_APPROVE), NULL);
    EXPECT(VERDICT_VALID, ENTRY_REJECT, who(NORTH, IDENTITY_CUSTODIAN),
           right_payload(ENTRY_REJECT), NULL);
    network_person_clear(&second);
    end();
}

/* ---- versions ---- */

static enum entry_verdict read_version(const char *reads)
{
    char payload[512];

    snprintf(payload, sizeof payload,
             "{\"commitment\":\"" NETWORK_HEX "\",\"reads\":%s}", reads);
    return try_entry(ENTRY_DATASET, who(NORTH, IDENTITY_CUSTODIAN), payload,
                     NULL);
}

static void versions_read_must_be_those_of_now(void)
{
    begin();
    EXPECT(VERDICT_VALID, ENTRY_WITHDRAW, who(NORTH, IDENTITY_PATIENT),
           COMMITMENT, NULL); /* position 0 */
    expect(read_version("[]"), VERDICT_VALID, "none");
    expect(read_version("[{\"key\":\"narrowed/north\",\"version\":0}]"),
           VERDICT_VALID, "of now");
    expect(read_version("[{\"key\":\"narrowed/north\",\"version\":1}]"),
           VERDICT_STALE, "another");
    expect(read_version("[{\"key\":\"narrowed/south\",\"version\":0}]"),
           VERDICT_STALE, "no such key");
    expect(read_version("[{\"key\":\"narrowed/north\",\"version\":5},"
                        "{\"key\":\"\",\"version\":0}]"),
           VERDICT_AGAINST_RULE, "stale, and no key");
    expect(read_version("{}"), VERDICT_AGAINST_RULE, "no list");
    expect(read_version("[7]"), VERDICT_AGAINST_RULE, "no object");
    expect(read_version("[{\"key\":\"narrowed/north\"}]"), VERDICT_AGAINST_RULE,
           "no version");
    expect(read_version("[{\"key\":\"narrowed/north\",\"version\":0,\"x\":1}]"),
           VERDICT_AGAINST_RULE, "something else");
    expect(read_version("[{\"key\":\"narrowed/north\",\"version\":-1}]"),
           VERDICT_AGAINST_RULE, "negative");
    end();
}

static void more_versions_than_the_limit_are_against_the_rule(void)
{
    struct text reads;
    struct error err;

    begin();
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
    EXPECT(VERDICT_AGAINST_RULE, ENTRY_DATASET, who(NORTH, IDENTITY_CUSTODIAN),
           reads.data, NULL);
    text_clear(&reads);
    end();
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

    begin();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        expect(try_entry(row[i].type, who(NORTH, row[i].role), row[i].payload,
                         NULL),
               VERDICT_AGAINST_RULE, row[i].payload);
    try_changed(ENTRY_MEMBER, IDENTITY_GOVERNOR, "\"add\"", "\"burn\"");
    try_changed(ENTRY_MEMBER, IDENTITY_GOVERNOR, "\"node\":4", "\"node\":0");
    end();
}

/* ---- certificates ---- */

static void certificates_count_from_enrol_until_revoke(void)
{
    struct network_identity person;

    begin();
    newcomer(&person, NORTH, IDENTITY_CUSTODIAN);
    EXPECT(VERDICT_UNKNOWN_SIGNER, ENTRY_DATASET, &person, COMMITMENT, NULL);
    CU_ASSERT_EQUAL(node.outcome.position, STORE_NONE);
    expect(enrol(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person), VERDICT_VALID,
           "enrol");
    EXPECT(VERDICT_VALID, ENTRY_DATASET, &person, COMMITMENT, NULL);
    expect(enrol(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person),
           VERDICT_AGAINST_RULE, "enrol twice");
    expect(revoke(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person),
           VERDICT_VALID, "revoke");
    EXPECT(VERDICT_REVOKED, ENTRY_DATASET, &person, COMMITMENT, NULL);
    CU_ASSERT_NOT_EQUAL(node.outcome.position, STORE_NONE);
    expect(revoke(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &person),
           VERDICT_AGAINST_RULE, "revoke twice");
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &person), VERDICT_AGAINST_RULE,
           "enrol a revoked one");
    network_person_clear(&person);
    end();
}

static void managers_act_for_their_own_organisation_alone(void)
{
    struct network_identity south, governor;

    begin();
    newcomer(&south, SOUTH, IDENTITY_DOCTOR);
    newcomer(&governor, NORTH, IDENTITY_GOVERNOR);
    expect(enrol(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &south),
           VERDICT_AGAINST_RULE, "another's");
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &south), VERDICT_VALID,
           "governor");
    expect(revoke(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &south),
           VERDICT_AGAINST_RULE, "another's");
    expect(revoke(who(EAST, IDENTITY_GOVERNOR), &south), VERDICT_VALID,
           "governor");
    expect(enrol(who(NORTH, IDENTITY_HOSPITAL_MANAGER), &governor),
           VERDICT_AGAINST_RULE, "a governor by a manager");
    expect(enrol(who(EAST, IDENTITY_GOVERNOR), &governor), VERDICT_VALID,
           "a governor by a governor");
    network_person_clear(&south);
    network_person_clear(&governor);
    end();
}

static void foreign_and_expired_certificates_are_not_enrolled(void)
{
    struct network other;
    struct network_identity early, late, authority;

    begin();
    network_open(&other);
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR),
                 network_who(&other, NORTH, IDENTITY_DOCTOR)),
           VERDICT_AGAINST_RULE, "of another root");
    network_close(&other);
    network_person_make(&early, &network,
                        (struct network_person){
                            .name = "early",
                            .role = IDENTITY_DOCTOR,
                            .from_ms = NETWORK_TIME + NETWORK_DAY,
                        });
    network_person_make(&late, &network,
                        (struct network_person){
                            .name = "late",
                            .role = IDENTITY_DOCTOR,
                            .to_ms = NETWORK_TIME - 1000,
                        });
    authority = network.authority[NORTH];
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &early), VERDICT_AGAINST_RULE,
           "not valid yet");
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &late), VERDICT_AGAINST_RULE,
           "expired");
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &authority),
           VERDICT_AGAINST_RULE, "an authority");
    node.time_ms = NETWORK_TIME + NETWORK_DAY;
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &early), VERDICT_VALID,
           "valid now");
    network_person_clear(&early);
    network_person_clear(&late);
    end();
}

static void certificates_end_with_their_last_second(void)
{
    struct network_identity person;

    begin();
    network_person_make(&person, &network,
                        (struct network_person){
                            .name = "short",
                            .role = IDENTITY_CUSTODIAN,
                            .to_ms = NETWORK_TIME + 60000,
                        });
    expect(enrol(who(NORTH, IDENTITY_GOVERNOR), &person), VERDICT_VALID,
           "enrol");
    node.time_ms = NETWORK_TIME + 60000;
    EXPECT(VERDICT_VALID, ENTRY_DATASET, &person, COMMITMENT, NULL);
    node.time_ms = NETWORK_TIME + 61000;
    EXPECT(VERDICT_EXPIRED, ENTRY_DATASET, &person, COMMITMENT, NULL);
    CU_ASSERT_NOT_EQUAL(node.outcome.position, STORE_NONE);
    /* Of an expired and revoked one, expired is said. */
    expect(revoke(who(NORTH, IDENTITY_GOVERNOR), &person), VERDICT_VALID,
           "revoke");
    EXPECT(VERDICT_EXPIRED, ENTRY_DATASET, &person, COMMITMENT, NULL);
    network_person_clear(&person);
    end();
}

/* ---- endorsement ---- */

static enum entry_verdict try_signed(enum entry_type type,
                                     const struct network_identity *const *by)
{
    struct network_entry entry;
    enum entry_verdict verdict;

    network_entry_make(&entry, &network, type, by[0], right_payload(type));
    network_entry_sign(&entry, by);
    verdict = network_apply(&node, &entry);
    network_entry_clear(&entry);
    return verdict;
}

static void release_needs_each_of_its_endorsers(void)
{
    const struct network_identity *broker, *custodian, *anonymizer;

    begin();
    broker = who(NORTH, IDENTITY_BROKER);
    custodian = who(NORTH, IDENTITY_CUSTODIAN);
    anonymizer = who(NORTH, IDENTITY_ANONYMIZER);
    walk(ENTRY_PERMIT);
#define SIGNED(...) (const struct network_identity *const[]){__VA_ARGS__, NULL}
    expect(try_signed(ENTRY_RELEASE, SIGNED(broker)), VERDICT_NOT_ENDORSED,
           "alone");
    expect(try_signed(ENTRY_RELEASE, SIGNED(broker, custodian)),
           VERDICT_NOT_ENDORSED, "no anonymizer");
    expect(try_signed(ENTRY_RELEASE, SIGNED(broker, anonymizer)),
           VERDICT_NOT_ENDORSED, "no custodian");
    expect(try_signed(ENTRY_RELEASE, SIGNED(broker, custodian,
                                            who(SOUTH, IDENTITY_ANONYMIZER))),
           VERDICT_NOT_ENDORSED, "an anonymizer of elsewhere");
    expect(try_signed(ENTRY_RELEASE, SIGNED(broker, custodian, anonymizer)),
           VERDICT_VALID, "all three");
    end();
}

static void member_needs_a_majority_of_nodes(void)
{
    const struct network_identity *governor;

    begin();
    governor = who(NORTH, IDENTITY_GOVERNOR);
    expect(try_signed(ENTRY_MEMBER, SIGNED(governor)), VERDICT_NOT_ENDORSED,
           "alone");
    expect(try_signed(ENTRY_MEMBER, SIGNED(governor, who(EAST, IDENTITY_NODE))),
           VERDICT_NOT_ENDORSED, "one node");
    expect(try_signed(ENTRY_MEMBER, SIGNED(governor, who(EAST, IDENTITY_NODE),
                                           who(SOUTH, IDENTITY_NODE))),
           VERDICT_VALID, "two of three");
    end();
}

static void revoked_endorser_spoils_the_entry(void)
{
    begin();
    walk(ENTRY_PERMIT);
    expect(
        revoke(who(NORTH, IDENTITY_GOVERNOR), who(NORTH, IDENTITY_ANONYMIZER)),
        VERDICT_VALID, "revoke");
    EXPECT(VERDICT_REVOKED, ENTRY_RELEASE, who(NORTH, IDENTITY_BROKER),
           right_payload(ENTRY_RELEASE), NULL);
    end();
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
        {"expired permit gives no release", expired_permit_gives_no_release},
        {"sizes beyond the log are against the rule",
         sizes_beyond_the_log_are_against_the_rule},
        {"narrowing entries make a release stale",
         narrowing_entries_make_a_release_stale},
        {"reject makes a release stale", reject_makes_a_release_stale},
        {"revoke of any recipient makes a release stale",
         revoke_of_any_recipient_makes_a_release_stale},
        {"nothing is released to a revoked recipient",
         nothing_is_released_to_a_revoked_recipient},
        {"nothing rests on a revoked custodian",
         nothing_rests_on_a_revoked_custodian},
        {"versions read must be those of now",
         versions_read_must_be_those_of_now},
        {"more versions than the limit are against the rule",
         more_versions_than_the_limit_are_against_the_rule},
        {"payloads have their members and no others",
         payloads_have_their_members_and_no_others},
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

    suite_add("rules", tests, sizeof tests / sizeof tests[0]);
}
