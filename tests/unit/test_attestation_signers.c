#include "anonymizer/attestation.h"

#include <string.h>

#include "anonymizer/attestation_internal.h"
#include "tests/lib/attested.h"
#include "tests/lib/suite.h"

void suite_attestation_signers(void);

/* ---- signers ---- */

static struct network_identity stranger;

static void make_stranger(enum network_organisation where,
                          enum identity_role role, int64_t from_ms,
                          int64_t to_ms)
{
    network_person_make(&stranger, &attested_network,
                        (struct network_person){.organisation = where,
                                                .role = role,
                                                .name = "stranger",
                                                .from_ms = from_ms,
                                                .to_ms = to_ms});
}

static void plan_doctor_asks(void)
{
    attested_world.author[STEP_REQUEST] = attested_who(SOUTH, IDENTITY_DOCTOR);
    attested_world.recipient =
        certificate_id(attested_world.author[STEP_REQUEST]->certificate);
}
static void plan_other_recipient(void)
{
    attested_world.recipient = certificate_id(
        attested_who(EAST, IDENTITY_RESEARCH_INSTITUTE)->certificate);
}
static void plan_other_organisation(void)
{
    attested_world.organisation = "east";
}
static void plan_manager_approves(void)
{
    attested_world.author[STEP_APPROVE] =
        attested_who(NORTH, IDENTITY_HOSPITAL_MANAGER);
}
static void plan_foreign_approval(void)
{
    attested_world.author[STEP_APPROVE] =
        attested_who(EAST, IDENTITY_CUSTODIAN);
}
static void plan_anonymizer_permits(void)
{
    attested_world.author[STEP_PERMIT] =
        attested_who(NORTH, IDENTITY_ANONYMIZER);
}
static void plan_foreign_broker(void)
{
    attested_world.author[STEP_RELEASE] = attested_who(EAST, IDENTITY_BROKER);
}
static void plan_no_custodian(void)
{
    attested_world.endorser[0] = attested_world.endorser[1];
    attested_world.endorser[1] = NULL;
}
static void plan_foreign_custodian(void)
{
    attested_world.endorser[0] = attested_who(EAST, IDENTITY_CUSTODIAN);
}
static void plan_no_anonymizer(void)
{
    attested_world.endorser[1] = NULL;
}
static void tamper_add_anonymizer(void)
{
    attested_world.signer[attested_world.parts.signer_count++] =
        attested_world.certifier->certificate;
}
static void plan_foreign_anonymizer(void)
{
    attested_world.endorser[1] = attested_world.certifier =
        attested_who(EAST, IDENTITY_ANONYMIZER);
}
static void plan_broker_certifies(void)
{
    attested_world.certifier = attested_who(NORTH, IDENTITY_BROKER);
}
static void plan_stranger_certifies(void)
{
    make_stranger(NORTH, IDENTITY_ANONYMIZER, 0, 0);
    attested_world.certifier = &stranger;
}
static void tamper_add_stranger(void)
{
    attested_world.signer[attested_world.parts.signer_count++] =
        stranger.certificate;
}
/* Who made the certificate has another key than the one it names. */
static void tamper_key(void)
{
    attested_world.parts.key = attested_who(NORTH, IDENTITY_BROKER)->key;
}
static void tamper_drop_signer(void)
{
    attested_world.signer[1] =
        attested_world.signer[--attested_world.parts.signer_count];
}
static void tamper_drop_authorities(void)
{
    attested_world.parts.authority_count = 1; /* the north's */
}
/* The leaf has other bytes for signatures: nobody gets that far without the
 * nodes, so it is they who let it in here. */
static void plan_forged_signature(void)
{
    static struct network_identity forger;

    forger.certificate = attested_world.author[STEP_APPROVE]->certificate;
    forger.key = attested_world.author[STEP_PERMIT]->key;
    attested_world.author[STEP_APPROVE] = &forger;
}

static void who_has_no_right_to_sign_is_refused(void)
{
    static const struct attested_attack attacks[] = {
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
    static const struct attested_attack unnamed[] = {
        {plan_stranger_certifies, NULL, CHECK_CERTIFICATE,
         "who is no anonymizer that it names"},
    };
    static const struct attested_attack named[] = {
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

    attested_begin();
    network_open(&elsewhere);
    attested_world.author[STEP_APPROVE] = attested_world.endorser[0] =
        network_who(&elsewhere, NORTH, IDENTITY_CUSTODIAN);
    released_walk(&attested_world);
    attested_world.authority[attested_world.parts.authority_count++] =
        elsewhere.authority[NORTH].certificate;
    attested_certify();
    attested_expect_no(
        &(struct attested_question){&attested_world.certificate,
                                    attested_world.table,
                                    &attested_world.trust},
        CHECK_SIGNERS,
        "approve: custodian-of-north of north does not lead to a trusted root");
    network_close(&elsewhere);
    attested_end();
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
    attested_world.endorser[1] = attested_world.certifier = &stranger;
}
static void plan_future_anonymizer(void)
{
    make_stranger(NORTH, IDENTITY_ANONYMIZER, NETWORK_TIME + HOUR / 2, 0);
    attested_world.endorser[1] = attested_world.certifier = &stranger;
}
/* In the minute of the other clock. */
static void plan_new_anonymizer(void)
{
    make_stranger(NORTH, IDENTITY_ANONYMIZER, NETWORK_TIME + 119000, 0);
    attested_world.endorser[1] = attested_world.certifier = &stranger;
}
static void plan_early_enough(void)
{
    attested_world.cosigned_at =
        (uint64_t)(NETWORK_TIME - 23 * HOUR) / 1000 - 60;
}
static void plan_ended_custodian(void)
{
    make_stranger(NORTH, IDENTITY_CUSTODIAN, NETWORK_TIME - 24 * HOUR,
                  NETWORK_TIME - 23 * HOUR - 1000);
    attested_world.author[STEP_APPROVE] = &stranger;
}
static void plan_future_custodian(void)
{
    make_stranger(NORTH, IDENTITY_CUSTODIAN, NETWORK_TIME + HOUR / 2, 0);
    attested_world.author[STEP_APPROVE] = &stranger;
}
static void plan_early_checkpoint(void)
{
    attested_world.cosigned_at =
        (uint64_t)(NETWORK_TIME - 23 * HOUR) / 1000 - 62;
}

static void a_certificate_that_was_not_valid_then_is_refused(void)
{
    static const struct attested_attack attacks[] = {
        {plan_ended_anonymizer, NULL, CHECK_SIGNERS,
         "release: stranger of north does not lead to a trusted root: it, its "
         "authority or the root had ended before"},
        {plan_future_anonymizer, NULL, CHECK_SIGNERS,
         "release: stranger of north does not lead"},
        {plan_future_custodian, NULL, CHECK_SIGNERS,
         "approve: stranger of north does not lead"},
    };

    for (size_t i = 0; i < COUNT_OF(attacks); i++) {
        attested_try(&attacks[i], 1);
        network_person_clear(&stranger);
    }
}

static void a_checkpoint_from_before_the_permit_is_refused(void)
{
    static const struct attested_attack attacks[] = {
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
    struct attested_question question;
    struct error err;

    attested_begin();
    plan();
    released_walk(&attested_world);
    attested_certify();
    question =
        (struct attested_question){&attested_world.certificate,
                                   attested_world.table, &attested_world.trust};
    attested_demand(
        attested_ask(&question, &attestation, &findings, &result, &err), &err);
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.custodian)->name,
                           custodian);
    CU_ASSERT_STRING_EQUAL(certificate_subject(findings.anonymizer)->name,
                           anonymizer);
    recheck_destroy(&result);
    attestation_destroy(&attestation);
    network_person_clear(&stranger);
    attested_end();
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

void suite_attestation_signers(void)
{
    static const struct test tests[] = {
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
    };

    suite_add("attestation_signers", tests, sizeof tests / sizeof *tests);
}
