#include "anonymizer/attestation.h"

#include <string.h>

#include "anonymizer/attestation_internal.h"
#include "tests/lib/attested.h"
#include "tests/lib/suite.h"

void suite_attestation(void);

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

/* ---- what is right ---- */

static void a_release_is_verified_from_three_files(void)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct recheck_result *result = NULL;
    struct attested_question question;
    struct error err;

    attested_begin();
    released_walk(&attested_world);
    attested_certify();
    question =
        (struct attested_question){&attested_world.certificate,
                                   attested_world.table, &attested_world.trust};
    attested_demand(
        attested_ask(&question, &attestation, &findings, &result, &err), &err);
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
    attested_end();
}

/* The file shows what a model compares with only if nothing was dropped. */
static void models_that_compare_with_dropped_rows_are_not_judged(void)
{
    for (unsigned dropped = 0; dropped <= 1; dropped++) {
        struct attestation *attestation = NULL;
        struct attestation_findings findings;
        struct recheck_result *result = NULL;
        struct attested_question question;
        struct error err;

        attested_begin();
        attested_world.policy_text =
            POLICY_BY_DISTANCE("t-closeness-equal", "0.1");
        attested_world.facts.rows = 5 + dropped;
        attested_world.facts.suppressed = dropped;
        released_walk(&attested_world);
        attested_certify();
        question = (struct attested_question){&attested_world.certificate,
                                              attested_world.table,
                                              &attested_world.trust};
        attested_demand(
            attested_ask(&question, &attestation, &findings, &result, &err),
            &err);
        CU_ASSERT_EQUAL(result->criterion[0].judged, dropped == 0);
        CU_ASSERT_EQUAL(result->criterion[0].satisfied, dropped == 0);
        recheck_destroy(&result);
        attestation_destroy(&attestation);
        attested_end();
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
    attested_begin();
    released_walk(&attested_world);
    digest_hex(&attested_world.output, output);
    digest_hex(&attested_world.permit_id, permit);
    attested_demand(
        text_printf(
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
            output, permit, attested_world.policy_digest),
        &err);
    CU_ASSERT_STRING_EQUAL(attested_world.outcome.data, hand.data);
    text_clear(&hand);
    attested_end();
}

/* Late is no lie: the nodes' verdict stands for it, and that is said. */
static void a_checkpoint_from_after_the_permits_end_is_told_apart(void)
{
    struct attestation *attestation = NULL;
    struct attestation_findings findings;
    struct recheck_result *result = NULL;
    struct attested_question question;
    struct error err;

    attested_begin();
    attested_world.cosigned_at = attested_world.expires / 1000;
    released_walk(&attested_world);
    attested_certify();
    question =
        (struct attested_question){&attested_world.certificate,
                                   attested_world.table, &attested_world.trust};
    attested_demand(
        attested_ask(&question, &attestation, &findings, &result, &err), &err);
    CU_ASSERT_FALSE(findings.in_time);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    attested_end();
    attested_begin();
    attested_world.cosigned_at = INT64_MAX;
    released_walk(&attested_world);
    attested_certify();
    attested_demand(
        attested_ask(&question, &attestation, &findings, &result, &err), &err);
    CU_ASSERT_FALSE(findings.in_time);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    attested_end();
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
    attested_expect_no(&(struct attested_question){&attested_world.certificate,
                                                   table,
                                                   &attested_world.trust},
                       check, words);
}

/* Every byte of it. */
static void a_changed_cell_is_seen(void)
{
    char table[] = RELEASED_TABLE;

    attested_begin();
    released_walk(&attested_world);
    attested_certify();
    for (size_t i = 0; i < sizeof table - 1; i++) {
        table[i] ^= 1;
        expect_no_of_table(table, CHECK_DIGEST, "the file has SHA-256 ");
        table[i] ^= 1;
    }
    expect_no_of_table(RELEASED_TABLE "30-39;B;cold\n", CHECK_DIGEST, "");
    expect_no_of_table("", CHECK_DIGEST, "");
    attested_end();
}

static void plan_names(void)
{
    attested_world.table =
        "age;city;disease;name\n20-29;A;flu;x\n20-29;A;cold;y\n"
        "20-29;A;flu;z\n30-39;B;flu;u\n30-39;B;cold;v\n";
}
static void plan_unknown_column(void)
{
    attested_world.table =
        "age;city;disease;shoe\n20-29;A;flu;x\n20-29;A;cold;y\n"
        "20-29;A;flu;z\n30-39;B;flu;u\n30-39;B;cold;v\n";
}
static void plan_no_table(void)
{
    attested_world.table = "age;city;disease\n20-29;A\n";
}
static void plan_more_rows(void)
{
    attested_world.table = RELEASED_TABLE "30-39;B;cold\n";
}
static void plan_suppressed_row(void)
{
    attested_world.table = "age;city;disease\n20-29;A;flu\n20-29;A;cold\n"
                           "30-39;B;flu\n30-39;B;cold\n*;*;flu\n";
}
static void plan_small_class(void)
{
    attested_world.table = "age;city;disease\n20-29;A;flu\n20-29;A;cold\n"
                           "20-29;A;flu\n30-39;B;flu\n30-39;C;cold\n";
}
static void plan_one_disease(void)
{
    attested_world.table = "age;city;disease\n20-29;A;flu\n20-29;A;cold\n"
                           "20-29;A;flu\n30-39;B;flu\n30-39;B;flu\n";
}
/* 2/3 and 1/2 of the classes have the flu, 3/5 of all. */
static void plan_unlike_classes(void)
{
    attested_world.policy_text =
        POLICY_BY_DISTANCE("t-closeness-equal", "0.05");
    attested_world.facts.rows = 5;
    attested_world.facts.suppressed = 0;
}
static void plan_count(void)
{
    attested_world.after.count++;
}
static void plan_min(void)
{
    attested_world.after.min--;
}
static void plan_max(void)
{
    attested_world.after.max++;
}
static void plan_average(void)
{
    attested_world.after.average = 2.5000000000000004;
}
static void plan_uniques(void)
{
    attested_world.after.uniques = 1;
}
static void plan_highest(void)
{
    attested_world.after.risk_highest = 0.25;
}
static void plan_average_risk(void)
{
    attested_world.after.risk_average = 0.1;
}

/* An anonymizer that signs for what is not so. */
static void what_the_file_does_not_bear_out_is_refused(void)
{
    static const struct attested_attack attacks[] = {
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
    };

    suite_add("attestation", tests, sizeof tests / sizeof *tests);
}
