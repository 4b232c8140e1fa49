#include "anonymizer/attestation.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/attestation_internal.h"
#include "common/encoding.h"
#include "tests/lib/released.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_attestation(void);

/* There is one of each, made anew by each test. */
static struct network network;
static struct released world;

static void begin(void)
{
    network_open(&network);
    released_open(&world, &network);
}

static void end(void)
{
    released_close(&world);
    network_close(&network);
}

static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err->text);
    abort();
}

/* RELEASED_POLICY with another model, of the diseases in the whole table. */
#define POLICY_BY_DISTANCE(model, t)                                           \
    "{\"attributes\":{\"age\":{\"hierarchy\":{\"sha256\":\"" NETWORK_HEX       \
    "\"},\"max_level\":2,\"min_level\":1,\"role\":\"quasi-identifying\"},"     \
    "\"city\":{\"role\":\"quasi-identifying\"},"                               \
    "\"disease\":{\"role\":\"sensitive\"},"                                    \
    "\"name\":{\"role\":\"identifying\"},"                                     \
    "\"patient\":{\"role\":\"subject\"}},"                                     \
    "\"policy\":1,\"privacy\":[{\"attribute\":\"disease\",\"model\":"          \
    "\"" model "\",\"t\":" t "}],"                                             \
    "\"suppression_limit\":0.17}"

/* ---- asking ---- */

/* Of this certificate, this table and this trust; *findings is what was found,
 * *what the attestation, NULL if it was refused. */
struct question {
    const struct text *certificate;
    const char *table;
    const struct trust *trust;
};

static int open_table(const struct scratch *scratch, const char *table)
{
    int fd;

    scratch_write(scratch, "release.csv", table);
    fd = open(scratch_path(scratch, "release.csv"), O_RDONLY);
    if (fd < 0)
        abort();
    return fd;
}

static enum status ask(const struct question *question,
                       struct attestation **attestation,
                       struct attestation_findings *findings,
                       struct recheck_result **result, struct error *err)
{
    struct scratch scratch;
    enum status status;
    int fd;

    *result = NULL;
    error_init(err);
    status =
        attestation_parse(attestation, text_bytes(question->certificate), err);
    if (status != OK)
        return status;
    status = attestation_verify(*attestation, question->trust, findings, err);
    if (status != OK)
        return status;
    scratch_open(&scratch);
    fd = open_table(&scratch, question->table);
    status = attestation_recount(*attestation, fd, "release.csv", NULL,
                                 findings, result, err);
    close(fd);
    scratch_close(&scratch);
    return status;
}

static void certify(void)
{
    struct error err;

    error_init(&err);
    demand(released_certify(&world, &err), &err);
}

static void expect_no(const struct question *question,
                      enum attestation_check check, const char *words)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings = {.failed = ATTESTATION_CHECK_COUNT};
    struct recheck_result *result = NULL;
    struct error err;

    CU_ASSERT_EQUAL(ask(question, &attestation, &findings, &result, &err),
                    E_NO);
    CU_ASSERT_EQUAL(findings.failed, check);
    if (strstr(err.text, words) == NULL ||
        strncmp(err.text, attestation_check_name(check),
                strlen(attestation_check_name(check))) != 0) {
        fprintf(stderr, "\nnot \"%s ... %s\": %s\n",
                attestation_check_name(check), words, err.text);
        CU_FAIL("another refusal");
    }
    recheck_destroy(&result);
    attestation_destroy(&attestation);
}

/* A world in which one thing is wrong from the beginning (`plan`), or was
 * altered when all had been proven (`tamper`). */
struct attack {
    void (*plan)(void);
    void (*tamper)(void);
    enum attestation_check check;
    const char *words;
};

static void try_attacks(const struct attack *attack, size_t count)
{
    network_open(&network);
    for (size_t i = 0; i < count; i++) {
        released_open(&world, &network);
        if (attack[i].plan != NULL)
            attack[i].plan();
        released_walk(&world);
        if (attack[i].tamper != NULL)
            attack[i].tamper();
        certify();
        expect_no(
            &(struct question){&world.certificate, world.table, &world.trust},
            attack[i].check, attack[i].words);
        released_close(&world);
    }
    network_close(&network);
}

#define TRY(attacks) try_attacks((attacks), COUNT_OF(attacks))

static const struct network_identity *who(enum network_organisation where,
                                          enum identity_role role)
{
    return network_who(&network, where, role);
}

/* ---- what is right ---- */

static void a_release_is_verified_from_three_files(void)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct recheck_result *result = NULL;
    struct question question;
    struct error err;

    begin();
    released_walk(&world);
    certify();
    question = (struct question){&world.certificate, world.table, &world.trust};
    demand(ask(&question, &attestation, &findings, &result, &err), &err);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    CU_ASSERT_EQUAL(findings.failed, ATTESTATION_CHECK_COUNT);
    CU_ASSERT_EQUAL(findings.checkpoint.checkpoint.size, RELEASED_LEAVES);
    CU_ASSERT_EQUAL(findings.checkpoint.signed_count, 2);
    CU_ASSERT_EQUAL(findings.cosigned_by, NETWORK_TIME / 1000 + 60);
    CU_ASSERT_TRUE(findings.in_time);
    CU_ASSERT_EQUAL(findings.checked, 7);
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.institute)->name,
                           "research-institute-of-south");
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.custodian)->name,
                           "custodian-of-north");
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.broker)->name,
                           "broker-of-north");
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.anonymizer)->name,
                           "anonymizer-of-north");
    CU_ASSERT_STRING_EQUAL(attestation->release, RELEASED_ID);
    CU_ASSERT_EQUAL(attestation->permit_said.count, 7);
    CU_ASSERT_EQUAL(attestation->outcome_said.rows, 6);
    CU_ASSERT_EQUAL(attestation->outcome_said.before.uniques, 4);
    CU_ASSERT_EQUAL(result->classes.count, 2);
    CU_ASSERT_EQUAL(result->classes.risk_average, 0.4);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    end();
}

/* The file shows what a model compares with only if nothing was dropped. */
static void models_that_compare_with_dropped_rows_are_not_judged(void)
{
    for (unsigned dropped = 0; dropped <= 1; dropped++) {
        struct attestation *attestation = NULL;
        struct attestation_findings findings;
        struct recheck_result *result = NULL;
        struct question question;
        struct error err;

        begin();
        world.policy_text = POLICY_BY_DISTANCE("t-closeness-equal", "0.1");
        world.facts.rows = 5 + dropped;
        world.facts.suppressed = dropped;
        released_walk(&world);
        certify();
        question =
            (struct question){&world.certificate, world.table, &world.trust};
        demand(ask(&question, &attestation, &findings, &result, &err), &err);
        CU_ASSERT_EQUAL(result->criterion[0].judged, dropped == 0);
        CU_ASSERT_EQUAL(result->criterion[0].satisfied, dropped == 0);
        recheck_destroy(&result);
        attestation_destroy(&attestation);
        end();
    }
}

/* The statement of the six rows, put together by hand. */
static void a_release_statement_is_as_the_protocol_has_it(void)
{
    struct error err;
    struct text hand;
    char output[DIGEST_HEX_SIZE], permit[DIGEST_HEX_SIZE];

    error_init(&err);
    text_init(&hand);
    begin();
    released_walk(&world);
    digest_hex(&world.output, output);
    digest_hex(&world.permit_id, permit);
    demand(text_printf(
               &hand, &err,
               "{\"after\":{\"classes\":{\"average\":2.5,\"count\":2,"
               "\"max\":3,\"min\":2},\"risk\":{\"average\":0.4,\"highest\":"
               "0.5,\"sample_uniques\":0}},"
               "\"before\":{\"classes\":{\"average\":1.2,\"count\":5,"
               "\"max\":2,\"min\":1},\"risk\":{\"average\":"
               "0.8333333333333334,\"highest\":1,\"sample_uniques\":4}},"
               "\"levels\":{\"age\":1,\"city\":0},\"output\":\"%s\","
               "\"permit\":\"%s\",\"policy\":\"%s\",\"release\":\"" RELEASED_ID
               "\",\"rows\":6,\"statement\":\"release 1\",\"suppressed\":1}",
               output, permit, world.policy_digest),
           &err);
    CU_ASSERT_STRING_EQUAL(world.outcome.data, hand.data);
    text_clear(&hand);
    end();
}

/* Late is no lie: the nodes' verdict stands for it, and that is said. */
static void a_checkpoint_from_after_the_permits_end_is_told_apart(void)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct recheck_result *result = NULL;
    struct question question;
    struct error err;

    begin();
    world.cosigned_at = world.expires / 1000;
    released_walk(&world);
    certify();
    question = (struct question){&world.certificate, world.table, &world.trust};
    demand(ask(&question, &attestation, &findings, &result, &err), &err);
    CU_ASSERT_FALSE(findings.in_time);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    end();
    begin();
    world.cosigned_at = INT64_MAX;
    released_walk(&world);
    certify();
    demand(ask(&question, &attestation, &findings, &result, &err), &err);
    CU_ASSERT_FALSE(findings.in_time);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    end();
}

static void every_check_has_a_name_and_a_sentence_of_its_own(void)
{
    for (unsigned i = 0; i < ATTESTATION_CHECK_COUNT; i++) {
        const char *name = attestation_check_name((enum attestation_check)i);

        CU_ASSERT(attestation_check_sentence((enum attestation_check)i)[0] !=
                  '\0');
        for (unsigned j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(
                name, attestation_check_name((enum attestation_check)j));
    }
}

/* ---- the file ---- */

static void expect_no_of_table(const char *table, enum attestation_check check,
                               const char *words)
{
    expect_no(&(struct question){&world.certificate, table, &world.trust},
              check, words);
}

/* Every byte of it. */
static void a_changed_cell_is_seen(void)
{
    char table[] = RELEASED_TABLE;

    begin();
    released_walk(&world);
    certify();
    for (size_t i = 0; i < sizeof table - 1; i++) {
        table[i] ^= 1;
        expect_no_of_table(table, CHECK_DIGEST, "the file has SHA-256 ");
        table[i] ^= 1;
    }
    expect_no_of_table(RELEASED_TABLE "30-39;B;cold\n", CHECK_DIGEST, "");
    expect_no_of_table("", CHECK_DIGEST, "");
    end();
}

static void plan_names(void)
{
    world.table = "age;city;disease;name\n20-29;A;flu;x\n20-29;A;cold;y\n"
                  "20-29;A;flu;z\n30-39;B;flu;u\n30-39;B;cold;v\n";
}
static void plan_unknown_column(void)
{
    world.table = "age;city;disease;shoe\n20-29;A;flu;x\n20-29;A;cold;y\n"
                  "20-29;A;flu;z\n30-39;B;flu;u\n30-39;B;cold;v\n";
}
static void plan_no_table(void)
{
    world.table = "age;city;disease\n20-29;A\n";
}
static void plan_more_rows(void)
{
    world.table = RELEASED_TABLE "30-39;B;cold\n";
}
static void plan_suppressed_row(void)
{
    world.table = "age;city;disease\n20-29;A;flu\n20-29;A;cold\n"
                  "30-39;B;flu\n30-39;B;cold\n*;*;flu\n";
}
static void plan_small_class(void)
{
    world.table = "age;city;disease\n20-29;A;flu\n20-29;A;cold\n"
                  "20-29;A;flu\n30-39;B;flu\n30-39;C;cold\n";
}
static void plan_one_disease(void)
{
    world.table = "age;city;disease\n20-29;A;flu\n20-29;A;cold\n"
                  "20-29;A;flu\n30-39;B;flu\n30-39;B;flu\n";
}
/* 2/3 and 1/2 of the classes have the flu, 3/5 of all. */
static void plan_unlike_classes(void)
{
    world.policy_text = POLICY_BY_DISTANCE("t-closeness-equal", "0.05");
    world.facts.rows = 5;
    world.facts.suppressed = 0;
}
static void plan_count(void)
{
    world.after.count++;
}
static void plan_min(void)
{
    world.after.min--;
}
static void plan_max(void)
{
    world.after.max++;
}
static void plan_average(void)
{
    world.after.average = 2.5000000000000004;
}
static void plan_uniques(void)
{
    world.after.uniques = 1;
}
static void plan_highest(void)
{
    world.after.risk_highest = 0.25;
}
static void plan_average_risk(void)
{
    world.after.risk_average = 0.1;
}

/* An anonymizer that signs for what is not so. */
static void what_the_file_does_not_bear_out_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_names, NULL, CHECK_TABLE, "column \"name\" is there"},
        {plan_unknown_column, NULL, CHECK_TABLE, "released: release.csv"},
        {plan_no_table, NULL, CHECK_TABLE, "released: release.csv"},
        {plan_more_rows, NULL, CHECK_ROWS, "6 rows, 5 were released"},
        {plan_suppressed_row, NULL, CHECK_ROWS, "1 suppressed rows"},
        {plan_small_class, NULL, CHECK_MODELS, "k-anonymity is broken by 2"},
        {plan_one_disease, NULL, CHECK_MODELS,
         "distinct-l-diversity is broken by 1"},
        {plan_unlike_classes, NULL, CHECK_MODELS,
         "t-closeness-equal is broken by 2"},
        {plan_count, NULL, CHECK_FIGURES, "number of classes"},
        {plan_min, NULL, CHECK_FIGURES, "smallest class"},
        {plan_max, NULL, CHECK_FIGURES, "largest class"},
        {plan_average, NULL, CHECK_FIGURES, "average class"},
        {plan_uniques, NULL, CHECK_FIGURES, "sample uniques"},
        {plan_highest, NULL, CHECK_FIGURES, "highest risk"},
        {plan_average_risk, NULL, CHECK_FIGURES, "average risk"},
    };

    TRY(attacks);
}

/* ---- log and trust ---- */

static void plan_one_cosigner(void)
{
    world.cosigners = 1;
}
static void plan_other_log(void)
{
    world.origin = "log.example/other";
}
static void tamper_minimum(void)
{
    world.trust.minimum_size = RELEASED_LEAVES + 1;
}
static void plan_against_rule(void)
{
    world.verdict[STEP_RELEASE] = VERDICT_AGAINST_RULE;
}
static void plan_stale(void)
{
    world.verdict[STEP_RELEASE] = VERDICT_STALE;
}
static void plan_request_revoked(void)
{
    world.verdict[STEP_REQUEST] = VERDICT_REVOKED;
}

/* The same bytes with another word for the verdict are no leaf of the log. */
static void tamper_verdict(void)
{
    static const char stale[] = "\"stale\"", valid[] = "\"valid\"";
    struct text *proof = &world.proof[STEP_RELEASE];
    char *at = strstr(proof->data, stale);

    if (at == NULL)
        abort();
    memcpy(at, valid, sizeof valid - 1);
}
/* The proof of another entry of the log. */
static void tamper_other_proof(void)
{
    world.parts.proof[STEP_APPROVE] = world.parts.proof[STEP_PERMIT];
}
/* Two proofs change places: each has its own path. */
static void tamper_paths(void)
{
    struct proof *a = NULL, *b = NULL;
    struct error err;

    error_init(&err);
    demand(proof_parse(&a, world.parts.proof[STEP_APPROVE], &err), &err);
    demand(proof_parse(&b, world.parts.proof[STEP_PERMIT], &err), &err);
    a->parts.path = b->parts.path;
    a->parts.index = b->parts.index;
    text_reset(&world.proof[STEP_APPROVE]);
    demand(proof_write(&a->parts, &world.proof[STEP_APPROVE], &err), &err);
    world.parts.proof[STEP_APPROVE] = text_bytes(&world.proof[STEP_APPROVE]);
    proof_destroy(&b);
    proof_destroy(&a);
}

static void what_the_log_does_not_prove_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_one_cosigner, NULL, CHECK_LOG,
         "request: cosignatures: 1 of the trusted nodes"},
        {plan_other_log, NULL, CHECK_LOG,
         "request: checkpoint: it is of "
         "another log"},
        {NULL, tamper_minimum, CHECK_LOG, "checkpoint: it is of 11 entries"},
        {NULL, tamper_paths, CHECK_LOG, "approve: inclusion: "},
        {plan_stale, tamper_verdict, CHECK_LOG, "release: inclusion: "},
        {plan_stale, NULL, CHECK_VERDICT, "on the release is stale"},
        {plan_against_rule, NULL, CHECK_VERDICT,
         "on the release is against-rule"},
        {plan_request_revoked, NULL, CHECK_VERDICT,
         "on the request is revoked"},
        {NULL, tamper_other_proof, CHECK_CHAIN,
         "in place of the approve is an entry of type permit"},
    };

    TRY(attacks);
}

/* Other nodes, other roots: the same certificate convinces nobody there. */
static void a_foreign_trust_file_trusts_nothing_here(void)
{
    static struct network elsewhere;
    static struct released other;
    struct trust mixed;

    begin();
    network_open(&elsewhere);
    released_open(&other, &elsewhere);
    released_walk(&world);
    certify();
    expect_no(&(struct question){&world.certificate, world.table, &other.trust},
              CHECK_LOG, "cosignatures: 0 of the trusted nodes");
    /* The right nodes, the wrong root. */
    mixed = world.trust;
    mixed.root[0] = other.trust.root[0];
    expect_no(&(struct question){&world.certificate, world.table, &mixed},
              CHECK_SIGNERS,
              "request: research-institute-of-south of south does not lead to "
              "a trusted root");
    released_close(&other);
    network_close(&elsewhere);
    end();
}

/* ---- the chain ---- */

static void plan_late_approval(void)
{
    world.position[STEP_APPROVE] = 6;
}
static void plan_release_first(void)
{
    world.position[STEP_RELEASE] = 0;
    world.checked = 0;
}
static void plan_blocks_backwards(void)
{
    world.block[STEP_PERMIT] = 1;
}
static void plan_rejected(void)
{
    world.type[STEP_APPROVE] = ENTRY_REJECT;
}
static void plan_other_request(void)
{
    world.names[STEP_APPROVE] = NETWORK_OTHER_HEX;
}
static void plan_other_approval(void)
{
    world.names[STEP_PERMIT] = NETWORK_OTHER_HEX;
}
static void plan_other_permit(void)
{
    world.names[STEP_RELEASE] = NETWORK_OTHER_HEX;
}
static void plan_size_ahead(void)
{
    world.size = world.payload_size = world.position[STEP_PERMIT] + 1;
}
static void plan_checked_ahead(void)
{
    world.checked = world.position[STEP_RELEASE] + 1;
}

static void a_chain_that_does_not_hang_together_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_late_approval, NULL, CHECK_CHAIN,
         "the permit does not stand behind the approve"},
        {plan_release_first, NULL, CHECK_CHAIN,
         "the release does not stand behind the permit"},
        {plan_blocks_backwards, NULL, CHECK_CHAIN,
         "the permit does not stand behind the approve"},
        {plan_rejected, NULL, CHECK_CHAIN, "an entry of type reject"},
        {plan_other_request, NULL, CHECK_CHAIN,
         "the approve names another request"},
        {plan_other_approval, NULL, CHECK_CHAIN,
         "the permit names another approve"},
        {plan_other_permit, NULL, CHECK_CHAIN,
         "the release names another permit"},
        {plan_size_ahead, NULL, CHECK_CHAIN, "size lies behind the permit"},
        {plan_checked_ahead, NULL, CHECK_CHAIN, "size behind the release"},
    };

    TRY(attacks);
}

/* ---- terms and statements ---- */

static void plan_terms_of_request(void)
{
    world.terms_of[STEP_REQUEST] = NETWORK_OTHER_HEX;
}
static void plan_terms_of_release(void)
{
    world.terms_of[STEP_RELEASE] = NETWORK_OTHER_HEX;
}
static void plan_other_dataset(void)
{
    world.requested_dataset = NETWORK_OTHER_HEX;
}
/* A purpose that nobody approved. */
static void tamper_terms(void)
{
    char *at = strstr(world.terms.data, "DUO:0000042");

    if (at == NULL)
        abort();
    at[10] = '6';
}
static void tamper_count(void)
{
    char *at = strstr(world.permit.data, "\"count\":7");

    if (at == NULL)
        abort();
    at[8] = '9';
}
static void tamper_figures(void)
{
    char *at = strstr(world.outcome.data, "\"highest\":1,");

    if (at == NULL)
        abort();
    at[10] = '0';
}
static void swap(struct attested_statement *a, struct attested_statement *b,
                 bool texts)
{
    struct attested_statement kept = *a;

    a->salt = b->salt;
    b->salt = kept.salt;
    if (texts) {
        a->text = b->text;
        b->text = kept.text;
    }
}
static void tamper_salts(void)
{
    swap(&world.parts.permit, &world.parts.outcome, false);
}
static void tamper_salt_of_terms(void)
{
    swap(&world.parts.permit, &world.parts.terms, false);
}
static void plan_other_end(void)
{
    world.payload_expires++;
}
static void plan_other_size(void)
{
    world.payload_size--;
}
static void plan_permit_in_statement(void)
{
    world.other_permit = NETWORK_OTHER_HEX;
}

static void a_statement_that_was_not_committed_to_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_terms_of_request, NULL, CHECK_TERMS, "request: the entry does "},
        {plan_terms_of_release, NULL, CHECK_TERMS, "release: the entry does "},
        {plan_other_dataset, NULL, CHECK_TERMS, "for another dataset"},
        {NULL, tamper_terms, CHECK_TERMS, "request: the entry does not stand"},
        {NULL, tamper_salt_of_terms, CHECK_TERMS, "request: the entry does "},
        {NULL, tamper_count, CHECK_COMMITMENTS, "permit: the entry does not "},
        {NULL, tamper_figures, CHECK_COMMITMENTS, "release: the entry does "},
        {NULL, tamper_salts, CHECK_COMMITMENTS, "permit: the entry does not "},
        {plan_other_end, NULL, CHECK_COMMITMENTS, "another end or size"},
        {plan_other_size, NULL, CHECK_COMMITMENTS, "another end or size"},
        {plan_permit_in_statement, NULL, CHECK_COMMITMENTS,
         "names another permit"},
    };

    TRY(attacks);
}

/* ---- signers ---- */

static struct network_identity stranger;

static void make_stranger(enum network_organisation where,
                          enum identity_role role, int64_t from_ms,
                          int64_t to_ms)
{
    network_person_make(&stranger, &network,
                        (struct network_person){.organisation = where,
                                                .role = role,
                                                .name = "stranger",
                                                .from_ms = from_ms,
                                                .to_ms = to_ms});
}

static void plan_doctor_asks(void)
{
    world.author[STEP_REQUEST] = who(SOUTH, IDENTITY_DOCTOR);
    world.recipient = certificate_id(world.author[STEP_REQUEST]->certificate);
}
static void plan_other_recipient(void)
{
    world.recipient =
        certificate_id(who(EAST, IDENTITY_RESEARCH_INSTITUTE)->certificate);
}
static void plan_other_organisation(void)
{
    world.organisation = "east";
}
static void plan_manager_approves(void)
{
    world.author[STEP_APPROVE] = who(NORTH, IDENTITY_HOSPITAL_MANAGER);
}
static void plan_foreign_approval(void)
{
    world.author[STEP_APPROVE] = who(EAST, IDENTITY_CUSTODIAN);
}
static void plan_anonymizer_permits(void)
{
    world.author[STEP_PERMIT] = who(NORTH, IDENTITY_ANONYMIZER);
}
static void plan_foreign_broker(void)
{
    world.author[STEP_RELEASE] = who(EAST, IDENTITY_BROKER);
}
static void plan_no_custodian(void)
{
    world.endorser[0] = world.endorser[1];
    world.endorser[1] = NULL;
}
static void plan_foreign_custodian(void)
{
    world.endorser[0] = who(EAST, IDENTITY_CUSTODIAN);
}
static void plan_no_anonymizer(void)
{
    world.endorser[1] = NULL;
}
static void tamper_add_anonymizer(void)
{
    world.signer[world.parts.signer_count++] = world.certifier->certificate;
}
static void plan_foreign_anonymizer(void)
{
    world.endorser[1] = world.certifier = who(EAST, IDENTITY_ANONYMIZER);
}
static void plan_broker_certifies(void)
{
    world.certifier = who(NORTH, IDENTITY_BROKER);
}
static void plan_stranger_certifies(void)
{
    make_stranger(NORTH, IDENTITY_ANONYMIZER, 0, 0);
    world.certifier = &stranger;
}
static void tamper_add_stranger(void)
{
    world.signer[world.parts.signer_count++] = stranger.certificate;
}
/* Who made the certificate has another key than the one it names. */
static void tamper_key(void)
{
    world.parts.key = who(NORTH, IDENTITY_BROKER)->key;
}
static void tamper_drop_signer(void)
{
    world.signer[1] = world.signer[--world.parts.signer_count];
}
static void tamper_drop_authorities(void)
{
    world.parts.authority_count = 1; /* the north's */
}
/* The leaf has other bytes for signatures: nobody gets that far without the
 * nodes, so it is they who let it in here. */
static void plan_forged_signature(void)
{
    static struct network_identity forger;

    forger.certificate = world.author[STEP_APPROVE]->certificate;
    forger.key = world.author[STEP_PERMIT]->key;
    world.author[STEP_APPROVE] = &forger;
}

static void who_has_no_right_to_sign_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_doctor_asks, NULL, CHECK_SIGNERS, "neither a research institute"},
        {plan_other_recipient, NULL, CHECK_SIGNERS, "another recipient"},
        {plan_other_organisation, NULL, CHECK_SIGNERS, "another recipient"},
        {plan_manager_approves, NULL, CHECK_SIGNERS, "of no custodian"},
        {plan_foreign_approval, NULL, CHECK_SIGNERS,
         "the permit is of no broker of east"},
        {plan_anonymizer_permits, NULL, CHECK_SIGNERS,
         "the permit is of no broker of north"},
        {plan_foreign_broker, NULL, CHECK_SIGNERS,
         "the release is of no broker of north"},
        {plan_no_custodian, NULL, CHECK_SIGNERS, "by no custodian of north"},
        {plan_foreign_custodian, NULL, CHECK_SIGNERS,
         "by no custodian of north"},
        {plan_no_anonymizer, tamper_add_anonymizer, CHECK_SIGNERS,
         "not endorsed by the anonymizer that signed the certificate"},
        {plan_foreign_anonymizer, NULL, CHECK_SIGNERS,
         "not endorsed by the anonymizer that signed the certificate"},
        {NULL, tamper_drop_signer, CHECK_SIGNERS, "the approve is signed by "},
        {NULL, tamper_drop_authorities, CHECK_SIGNERS,
         "there is no authority of this organisation"},
        {plan_broker_certifies, NULL, CHECK_CERTIFICATE,
         "who is no anonymizer"},
        {NULL, tamper_key, CHECK_CERTIFICATE, "does not hold"},
        {plan_forged_signature, NULL, CHECK_SIGNATURES, "approve: "},
    };

    TRY(attacks);
}

static void an_anonymizer_that_nobody_enrolled_is_refused(void)
{
    static const struct attack unnamed[] = {
        {plan_stranger_certifies, NULL, CHECK_CERTIFICATE,
         "who is no anonymizer that it names"},
    };
    static const struct attack named[] = {
        {plan_stranger_certifies, tamper_add_stranger, CHECK_SIGNERS,
         "not endorsed by the anonymizer that signed the certificate"},
    };

    TRY(unnamed);
    network_person_clear(&stranger);
    TRY(named);
    network_person_clear(&stranger);
}

/* The same names, organisations and roles, with its authority at hand: but of a
 * root that nobody trusts here. */
static void a_certificate_of_another_root_is_refused(void)
{
    static struct network elsewhere;

    begin();
    network_open(&elsewhere);
    world.author[STEP_APPROVE] = world.endorser[0] =
        network_who(&elsewhere, NORTH, IDENTITY_CUSTODIAN);
    released_walk(&world);
    world.authority[world.parts.authority_count++] =
        elsewhere.authority[NORTH].certificate;
    certify();
    expect_no(
        &(struct question){&world.certificate, world.table, &world.trust},
        CHECK_SIGNERS,
        "approve: custodian-of-north of north does not lead to a trusted root");
    network_close(&elsewhere);
    end();
}

/* ---- time ---- */

#define HOUR INT64_C(3600000)

/* Permits of the test end an hour behind NETWORK_TIME, and so were given at
 * NETWORK_TIME - 23 hours at the earliest; the cosignatures are of a minute
 * behind NETWORK_TIME, and clocks may differ by another. */
static void plan_ended_anonymizer(void)
{
    make_stranger(NORTH, IDENTITY_ANONYMIZER, NETWORK_TIME - 24 * HOUR,
                  NETWORK_TIME - 23 * HOUR - 1000);
    world.endorser[1] = world.certifier = &stranger;
}
static void plan_future_anonymizer(void)
{
    make_stranger(NORTH, IDENTITY_ANONYMIZER, NETWORK_TIME + HOUR / 2, 0);
    world.endorser[1] = world.certifier = &stranger;
}
/* In the minute of the other clock. */
static void plan_new_anonymizer(void)
{
    make_stranger(NORTH, IDENTITY_ANONYMIZER, NETWORK_TIME + 119000, 0);
    world.endorser[1] = world.certifier = &stranger;
}
static void plan_early_enough(void)
{
    world.cosigned_at = (uint64_t)(NETWORK_TIME - 23 * HOUR) / 1000 - 60;
}
static void plan_ended_custodian(void)
{
    make_stranger(NORTH, IDENTITY_CUSTODIAN, NETWORK_TIME - 24 * HOUR,
                  NETWORK_TIME - 23 * HOUR - 1000);
    world.author[STEP_APPROVE] = &stranger;
}
static void plan_future_custodian(void)
{
    make_stranger(NORTH, IDENTITY_CUSTODIAN, NETWORK_TIME + HOUR / 2, 0);
    world.author[STEP_APPROVE] = &stranger;
}
static void plan_early_checkpoint(void)
{
    world.cosigned_at = (uint64_t)(NETWORK_TIME - 23 * HOUR) / 1000 - 62;
}

static void a_certificate_that_was_not_valid_then_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_ended_anonymizer, NULL, CHECK_SIGNERS,
         "release: stranger of north does not lead to a trusted root: it, its "
         "authority or the root had ended before"},
        {plan_future_anonymizer, NULL, CHECK_SIGNERS,
         "release: stranger of north does not lead"},
        {plan_future_custodian, NULL, CHECK_SIGNERS,
         "approve: stranger of north does not lead"},
    };

    for (size_t i = 0; i < COUNT_OF(attacks); i++) {
        try_attacks(&attacks[i], 1);
        network_person_clear(&stranger);
    }
}

static void a_checkpoint_from_before_the_permit_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_early_checkpoint, NULL, CHECK_SIGNERS, "more than a day before"},
    };

    TRY(attacks);
}

/* Of a world with `plan`: the names of custodian and anonymizer. */
static void expect_yes(void (*plan)(void), const char *custodian,
                       const char *anonymizer)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct recheck_result *result = NULL;
    struct question question;
    struct error err;

    begin();
    plan();
    released_walk(&world);
    certify();
    question = (struct question){&world.certificate, world.table, &world.trust};
    demand(ask(&question, &attestation, &findings, &result, &err), &err);
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.custodian)->name,
                           custodian);
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.anonymizer)->name,
                           anonymizer);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    network_person_clear(&stranger);
    end();
}

/* An approval is good after its custodian's certificate has ended. */
static void who_approved_may_have_left_since(void)
{
    expect_yes(plan_ended_custodian, "stranger", "anonymizer-of-north");
}

static void clocks_may_differ_by_a_minute(void)
{
    expect_yes(plan_new_anonymizer, "custodian-of-north", "stranger");
    expect_yes(plan_early_enough, "custodian-of-north", "anonymizer-of-north");
}

/* ---- permit, policy, release ---- */

static void plan_more_than_permitted(void)
{
    world.count = 5;
}
static void plan_other_terms_policy(void)
{
    memcpy(world.policy_digest, NETWORK_OTHER_HEX, DIGEST_HEX_SIZE);
}
static char weaker[] = RELEASED_POLICY;
/* k = 1 in place of 2: shown, but not asked for. */
static void tamper_policy(void)
{
    char *at = strstr(weaker, "\"k\":2");

    if (at != NULL)
        at[4] = '1';
    world.parts.policy = bytes_of_string(weaker);
}
static void plan_many_dropped(void)
{
    world.facts.rows = 7;
    world.facts.suppressed = 2;
}
static void plan_more_dropped_than_there_were(void)
{
    world.facts.rows = 1;
    world.facts.suppressed = 2;
}
static void plan_low_level(void)
{
    world.level[0] = 0;
}
static void plan_high_level(void)
{
    world.level[0] = 3;
}
static void plan_other_release(void)
{
    world.other_release = "00000000000000000123456789abcdef";
}

static void what_was_not_permitted_or_asked_for_is_refused(void)
{
    static const struct attack attacks[] = {
        {plan_more_than_permitted, NULL, CHECK_PERMIT,
         "6 rows of 5 permitted subjects"},
        {plan_other_terms_policy, NULL, CHECK_POLICY, "the terms are for "},
        {NULL, tamper_policy, CHECK_POLICY, "the terms are for policy "},
        {plan_many_dropped, NULL, CHECK_POLICY, "2 of 7 rows were dropped"},
        {plan_more_dropped_than_there_were, NULL, CHECK_POLICY,
         "2 of 1 rows were dropped"},
        {plan_low_level, NULL, CHECK_POLICY, "the level of \"age\" is outside"},
        {plan_high_level, NULL, CHECK_POLICY,
         "the level of \"age\" is outside"},
        {plan_other_release, NULL, CHECK_RELEASE, "of another release"},
    };

    TRY(attacks);
}

/* Two releases of one network: nothing of one serves the other. */
static void another_releases_certificate_is_refused(void)
{
    static struct released other;
    struct error err;

    error_init(&err);
    begin();
    released_open(&other, &network);
    other.table = "age;city;disease\n30-39;B;flu\n30-39;B;cold\n"
                  "30-39;B;flu\n20-29;A;flu\n20-29;A;cold\n";
    released_walk(&other);
    demand(released_certify(&other, &err), &err);
    expect_no(
        &(struct question){&other.certificate, RELEASED_TABLE, &other.trust},
        CHECK_DIGEST, "");
    released_walk(&world);
    /* Its statement, salt and all. */
    world.parts.outcome = other.parts.outcome;
    certify();
    expect_no(&(struct question){&world.certificate, other.table, &world.trust},
              CHECK_COMMITMENTS, "release: the entry does not stand");
    released_close(&other);
    end();
}

/* ---- form ---- */

static enum status parse(const struct text *text, struct error *err)
{
    struct attestation *attestation = NULL;
    enum status status;

    error_init(err);
    status = attestation_parse(&attestation, text_bytes(text), err);
    CU_ASSERT_EQUAL(attestation == NULL, status != OK);
    attestation_destroy(&attestation);
    return status;
}

/* Is it a certificate, and does it say anything that holds? */
static bool holds(const struct text *text)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct error err;

    error_init(&err);
    if (attestation_parse(&attestation, text_bytes(text), &err) == OK &&
        attestation_verify(attestation, &world.trust, &findings, &err) != OK)
        CU_ASSERT_EQUAL(err.status, E_NO);
    CU_ASSERT(err.status != E_SYSTEM && err.status != E_MEMORY);
    attestation_destroy(&attestation);
    return err.status == OK;
}

static bool envelope_holds(const struct text *text)
{
    struct dsse dsse;
    struct error err;
    bool is_good;

    error_init(&err);
    is_good = dsse_parse(&dsse, text_bytes(text), &err) == OK &&
              dsse_verify(&dsse, world.certifier->certificate, &err) == OK;
    dsse_clear(&dsse);
    return is_good;
}

/* Nothing in it is there for nothing: whichever byte changes, the signature
 * does not hold or it is no envelope any more.  Each sixteenth takes the whole
 * way as well. */
static void every_byte_of_a_certificate_counts(void)
{
    struct text *text = &world.certificate;
    size_t accepted = 0;

    begin();
    released_walk(&world);
    certify();
    CU_ASSERT(holds(text) && envelope_holds(text));
    for (size_t i = 0; i < text->size; i++) {
        char bit = (char)(1 << i % 8);

        text->data[i] = (char)(text->data[i] ^ bit);
        accepted += envelope_holds(text);
        if (i % 16 == 0)
            accepted += holds(text);
        text->data[i] = (char)(text->data[i] ^ bit);
    }
    CU_ASSERT_EQUAL(accepted, 0);
    end();
}

/* Sign what `edit` makes of the statement, and expect this refusal. */
static void expect_refused(const char *from, const char *to, enum status status,
                           const char *words)
{
    struct dsse_signature signature;
    struct text edited, envelope;
    struct dsse dsse;
    struct error err;
    const char *at;

    error_init(&err);
    text_init(&edited);
    text_init(&envelope);
    demand(dsse_parse(&dsse, text_bytes(&world.certificate), &err), &err);
    at = strstr(dsse.payload.data, from);
    if (at == NULL) {
        fprintf(stderr, "\nno %s\n", from);
        abort();
    }
    demand(text_append(&edited, dsse.payload.data,
                       (size_t)(at - dsse.payload.data), &err),
           &err);
    demand(text_append_string(&edited, to, &err), &err);
    demand(text_append_string(&edited, at + strlen(from), &err), &err);
    demand(dsse_sign(text_bytes(&edited),
                     certificate_id(world.certifier->certificate),
                     world.certifier->key, &signature, &err),
           &err);
    demand(dsse_write(text_bytes(&edited), &signature, 1, &envelope, &err),
           &err);
    CU_ASSERT_EQUAL(parse(&envelope, &err), status);
    if (strstr(err.text, words) == NULL) {
        fprintf(stderr, "\nno \"%s\" in: %s\n", words, err.text);
        CU_FAIL("another message");
    }
    dsse_clear(&dsse);
    text_clear(&envelope);
    text_clear(&edited);
}

static void a_statement_of_another_form_is_refused(void)
{
    static const struct {
        const char *from, *to;
        enum status status;
        const char *words;
    } cases[] = {
        {"Statement/v1", "Statement/v0.1", E_VERSION, "\"_type\" is another"},
        {"urn:anchorite:release:1", "urn:anchorite:release:2", E_VERSION,
         "\"predicateType\" is another"},
        {"\"certificate\":1", "\"certificate\":2", E_VERSION, "version 2"},
        {"\"certificate\":1", "\"certificate\":1.5", E_INPUT, "is not whole"},
        {"\"certificate\":1", "\"stamp\":1", E_INPUT, "no \"certificate\""},
        {"{\"_type\"", "{\"more\":1,\"_type\"", E_INPUT, "unknown key"},
        {"\"certificate\":1", "\"certificate\":1,\"more\":1", E_INPUT,
         "unknown key \"more\""},
        {"\"delimiter\":\";\"", "\"delimiter\":\"\"", E_INPUT, "is none"},
        {"\"delimiter\":\";\"", "\"delimiter\":\"\\\"\"", E_INPUT, "is none"},
        {"\"delimiter\":\";\"", "\"delimiter\":\"\xC3\xA9\"", E_INPUT,
         "is none"},
        {"\"subject\":[{", "\"subject\":[1,{", E_INPUT, "has another number"},
        {".csv\"", ".CSV\"", E_INPUT, "\"name\" is another"},
        {"\"name\":\"5f0a", "\"name\":\"5F0a", E_INPUT, "\"name\" is another"},
        {"\"sha256\":\"", "\"sha512\":\"", E_INPUT, "sha512"},
        {"\"name\":\"5f0a", "\"name\":\"x5f0a", E_INPUT, "is another"},
        {"\"release\":\"5f0a", "\"release\":\"", E_INPUT, "is none"},
        {"\"salt\":\"", "\"salt\":\"0", E_INPUT, "\"salt\" is none"},
        {"\\\"statement\\\":\\\"terms 1\\\"",
         "\\\"statement\\\":\\\"terms 2\\\"", E_INPUT,
         "statement of the terms"},
        {"\\\"statement\\\":\\\"permit 1\\\"}",
         "\\\"statement\\\":\\\"permit 1\\\"} ", E_INPUT,
         "statement of the permit: is not in its canonical form"},
        {"\\\"DUO:0000042\\\"", "", E_INPUT, "has another number"},
        {"\\\"DUO:0000042\\\"", "\\\"\\\"", E_INPUT, "a purpose is a code"},
        {"\\\"levels\\\":{\\\"age\\\":1", "\\\"levels\\\":{\\\"age\\\":64",
         E_INPUT, "\"levels\" has something else"},
        {"\\\"levels\\\":{\\\"age\\\":1", "\\\"levels\\\":{\\\"age\\\":1.5",
         E_INPUT, "\"levels\" has something else"},
        {"\\\"rows\\\":6", "\\\"rows\\\":-6", E_INPUT, "\"rows\" is none"},
        {"\\\"highest\\\":0.5", "\\\"highest\\\":-0.5", E_INPUT,
         "out of range"},
        {"\\\"model\\\":\\\"k-anonymity\\\"", "\\\"model\\\":\\\"k-anon\\\"",
         E_INPUT, "\"policy\": "},
        {"\\\"policy\\\":1", "\\\"policy\\\": 1", E_INPUT, "canonical form"},
        {"\"verdict\":\"valid\"", "\"verdict\":\"fine\"", E_INPUT,
         "proof of the approve"},
        {"-----BEGIN CERTIFICATE", "-----BEGIN CERTIFICATF", E_INPUT, "line 1"},
    };

    begin();
    released_walk(&world);
    certify();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_refused(cases[i].from, cases[i].to, cases[i].status,
                       cases[i].words);
    end();
}

static void what_makes_no_certificate_is_not_written(void)
{
    static struct released other;
    struct attestation_parts right;
    struct error err;

    begin();
    released_walk(&world);
    right = world.parts;
    released_open(&other, &network);
    released_walk(&other);
    error_init(&err);
    world.parts.proof[STEP_PERMIT] = other.parts.proof[STEP_PERMIT];
    CU_ASSERT_EQUAL(released_certify(&world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "are from two checkpoints"));
    world.parts = right;
    world.parts.proof[STEP_PERMIT] = bytes_of_string("no proof");
    CU_ASSERT_EQUAL(released_certify(&world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "proof of the permit"));
    world.parts = right;
    world.parts.outcome = right.permit;
    CU_ASSERT_EQUAL(released_certify(&world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"output\""));
    world.parts = right;
    world.parts.terms = right.permit;
    CU_ASSERT_EQUAL(released_certify(&world, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "statement of the terms"));
    world.parts = right;
    world.parts.delimiter = '\n';
    CU_ASSERT_EQUAL(released_certify(&world, &err), E_INPUT);
    world.parts = right;
    world.parts.policy = bytes_of("{}\0", 3);
    CU_ASSERT_EQUAL(released_certify(&world, &err), E_INPUT);
    world.parts = right;
    world.parts.signer_count = 0;
    CU_ASSERT_EQUAL(released_certify(&world, &err), E_INPUT);
    CU_ASSERT_EQUAL(world.certificate.size, 0);
    released_close(&other);
    end();
}

/* Others may sign envelopes together. */
static void a_certificate_with_two_signatures_is_refused(void)
{
    const struct network_identity *signer[2];
    struct dsse_signature signature[2];
    struct text envelope;
    struct dsse dsse;
    struct error err;

    error_init(&err);
    text_init(&envelope);
    begin();
    released_walk(&world);
    certify();
    signer[0] = world.certifier;
    signer[1] = world.author[STEP_PERMIT];
    demand(dsse_parse(&dsse, text_bytes(&world.certificate), &err), &err);
    for (size_t i = 0; i < 2; i++)
        demand(dsse_sign(text_bytes(&dsse.payload),
                         certificate_id(signer[i]->certificate), signer[i]->key,
                         &signature[i], &err),
               &err);
    demand(dsse_write(text_bytes(&dsse.payload), signature, 2, &envelope, &err),
           &err);
    CU_ASSERT_EQUAL(parse(&envelope, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "2 signatures, expected one"));
    dsse_clear(&dsse);
    text_clear(&envelope);
    end();
}

static void a_file_that_is_not_there_is_named(void)
{
    struct attestation *attestation = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(
        attestation_load(&attestation, "/nowhere/certificate.json", &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(attestation);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/certificate.json"));
}

void suite_attestation(void)
{
    static const struct test tests[] = {
        {"models that compare with dropped rows are not judged",
         models_that_compare_with_dropped_rows_are_not_judged},
        {"a release is verified from three files",
         a_release_is_verified_from_three_files},
        {"a release statement is as the protocol has it",
         a_release_statement_is_as_the_protocol_has_it},
        {"a checkpoint from after the permit's end is told apart",
         a_checkpoint_from_after_the_permits_end_is_told_apart},
        {"every check has a name and a sentence of its own",
         every_check_has_a_name_and_a_sentence_of_its_own},
        {"a changed cell is seen", a_changed_cell_is_seen},
        {"what the file does not bear out is refused",
         what_the_file_does_not_bear_out_is_refused},
        {"what the log does not prove is refused",
         what_the_log_does_not_prove_is_refused},
        {"a foreign trust file trusts nothing here",
         a_foreign_trust_file_trusts_nothing_here},
        {"a chain that does not hang together is refused",
         a_chain_that_does_not_hang_together_is_refused},
        {"a statement that was not committed to is refused",
         a_statement_that_was_not_committed_to_is_refused},
        {"who has no right to sign is refused",
         who_has_no_right_to_sign_is_refused},
        {"an anonymizer that nobody enrolled is refused",
         an_anonymizer_that_nobody_enrolled_is_refused},
        {"a certificate of another root is refused",
         a_certificate_of_another_root_is_refused},
        {"a certificate that was not valid then is refused",
         a_certificate_that_was_not_valid_then_is_refused},
        {"a checkpoint from before the permit is refused",
         a_checkpoint_from_before_the_permit_is_refused},
        {"who approved may have left since", who_approved_may_have_left_since},
        {"clocks may differ by a minute", clocks_may_differ_by_a_minute},
        {"what was not permitted or asked for is refused",
         what_was_not_permitted_or_asked_for_is_refused},
        {"another release's certificate is refused",
         another_releases_certificate_is_refused},
        {"every byte of a certificate counts",
         every_byte_of_a_certificate_counts},
        {"a statement of another form is refused",
         a_statement_of_another_form_is_refused},
        {"what makes no certificate is not written",
         what_makes_no_certificate_is_not_written},
        {"a certificate with two signatures is refused",
         a_certificate_with_two_signatures_is_refused},
        {"a file that is not there is named",
         a_file_that_is_not_there_is_named},
    };

    suite_add("attestation", tests, sizeof tests / sizeof *tests);
}
