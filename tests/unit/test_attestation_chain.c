#include "anonymizer/attestation.h"

#include <stdlib.h>
#include <string.h>

#include "anonymizer/attestation_internal.h"
#include "tests/lib/attested.h"
#include "tests/lib/suite.h"

void suite_attestation_chain(void);

/* ---- log and trust ---- */

static void plan_one_cosigner(void)
{
    attested_world.cosigners = 1;
}
static void plan_other_log(void)
{
    attested_world.origin = "log.example/other";
}
static void tamper_minimum(void)
{
    attested_world.trust.minimum_size = RELEASED_LEAVES + 1;
}
static void plan_against_rule(void)
{
    attested_world.verdict[STEP_RELEASE] = VERDICT_AGAINST_RULE;
}
static void plan_stale(void)
{
    attested_world.verdict[STEP_RELEASE] = VERDICT_STALE;
}
static void plan_request_revoked(void)
{
    attested_world.verdict[STEP_REQUEST] = VERDICT_REVOKED;
}

/* The same bytes with another word for the verdict are no leaf of the log. */
static void tamper_verdict(void)
{
    static const char stale[] = "\"stale\"", valid[] = "\"valid\"";
    struct text *proof = &attested_world.proof[STEP_RELEASE];
    char *at = strstr(proof->data, stale);

    if (at == NULL)
        abort();
    memcpy(at, valid, sizeof valid - 1);
}
/* The proof of another entry of the log. */
static void tamper_other_proof(void)
{
    attested_world.parts.proof[STEP_APPROVE] =
        attested_world.parts.proof[STEP_PERMIT];
}
/* Two proofs change places: each has its own path. */
static void tamper_paths(void)
{
    struct proof *a = NULL, *b = NULL;
    struct error err;

    error_init(&err);
    attested_demand(
        proof_parse(&a, attested_world.parts.proof[STEP_APPROVE], &err), &err);
    attested_demand(
        proof_parse(&b, attested_world.parts.proof[STEP_PERMIT], &err), &err);
    a->parts.path = b->parts.path;
    a->parts.index = b->parts.index;
    text_reset(&attested_world.proof[STEP_APPROVE]);
    attested_demand(
        proof_write(&a->parts, &attested_world.proof[STEP_APPROVE], &err),
        &err);
    attested_world.parts.proof[STEP_APPROVE] =
        text_bytes(&attested_world.proof[STEP_APPROVE]);
    proof_destroy(&b);
    proof_destroy(&a);
}

static void what_the_log_does_not_prove_is_refused(void)
{
    static const struct attested_attack attacks[] = {
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

    attested_begin();
    network_open(&elsewhere);
    released_open(&other, &elsewhere);
    released_walk(&attested_world);
    attested_certify();
    attested_expect_no(&(struct attested_question){&attested_world.certificate,
                                                   attested_world.table,
                                                   &other.trust},
                       CHECK_LOG, "cosignatures: 0 of the trusted nodes");
    /* The right nodes, the wrong root. */
    mixed = attested_world.trust;
    mixed.root[0] = other.trust.root[0];
    attested_expect_no(
        &(struct attested_question){&attested_world.certificate,
                                    attested_world.table, &mixed},
        CHECK_SIGNERS,
        "request: research-institute-of-south of south does not lead to "
        "a trusted root");
    released_close(&other);
    network_close(&elsewhere);
    attested_end();
}

/* ---- the chain ---- */

static void plan_late_approval(void)
{
    attested_world.position[STEP_APPROVE] = 6;
}
static void plan_release_first(void)
{
    attested_world.position[STEP_RELEASE] = 0;
    attested_world.checked = 0;
}
static void plan_blocks_backwards(void)
{
    attested_world.block[STEP_PERMIT] = 1;
}
static void plan_rejected(void)
{
    attested_world.type[STEP_APPROVE] = ENTRY_REJECT;
}
static void plan_other_request(void)
{
    attested_world.names[STEP_APPROVE] = NETWORK_OTHER_HEX;
}
static void plan_other_approval(void)
{
    attested_world.names[STEP_PERMIT] = NETWORK_OTHER_HEX;
}
static void plan_other_permit(void)
{
    attested_world.names[STEP_RELEASE] = NETWORK_OTHER_HEX;
}
static void plan_size_ahead(void)
{
    attested_world.size = attested_world.payload_size =
        attested_world.position[STEP_PERMIT] + 1;
}
static void plan_checked_ahead(void)
{
    attested_world.checked = attested_world.position[STEP_RELEASE] + 1;
}

static void a_chain_that_does_not_hang_together_is_refused(void)
{
    static const struct attested_attack attacks[] = {
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
    attested_world.terms_of[STEP_REQUEST] = NETWORK_OTHER_HEX;
}
static void plan_terms_of_release(void)
{
    attested_world.terms_of[STEP_RELEASE] = NETWORK_OTHER_HEX;
}
static void plan_other_dataset(void)
{
    attested_world.requested_dataset = NETWORK_OTHER_HEX;
}
/* A purpose that nobody approved. */
static void tamper_terms(void)
{
    char *at = strstr(attested_world.terms.data, "DUO:0000042");

    if (at == NULL)
        abort();
    at[10] = '6';
}
static void tamper_count(void)
{
    char *at = strstr(attested_world.permit.data, "\"count\":7");

    if (at == NULL)
        abort();
    at[8] = '9';
}
static void tamper_figures(void)
{
    char *at = strstr(attested_world.outcome.data, "\"highest\":1,");

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
    swap(&attested_world.parts.permit, &attested_world.parts.outcome, false);
}
static void tamper_salt_of_terms(void)
{
    swap(&attested_world.parts.permit, &attested_world.parts.terms, false);
}
static void plan_other_end(void)
{
    attested_world.payload_expires++;
}
static void plan_other_size(void)
{
    attested_world.payload_size--;
}
static void plan_permit_in_statement(void)
{
    attested_world.other_permit = NETWORK_OTHER_HEX;
}

static void a_statement_that_was_not_committed_to_is_refused(void)
{
    static const struct attested_attack attacks[] = {
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

/* ---- permit, policy, release ---- */

static void plan_more_than_permitted(void)
{
    attested_world.count = 5;
}
static void plan_other_terms_policy(void)
{
    memcpy(attested_world.policy_digest, NETWORK_OTHER_HEX, DIGEST_HEX_SIZE);
}
static char weaker[] = RELEASED_POLICY;
/* k = 1 in place of 2: shown, but not asked for. */
static void tamper_policy(void)
{
    char *at = strstr(weaker, "\"k\":2");

    if (at != NULL)
        at[4] = '1';
    attested_world.parts.policy = bytes_of_string(weaker);
}
static void plan_many_dropped(void)
{
    attested_world.facts.rows = 7;
    attested_world.facts.suppressed = 2;
}
static void plan_more_dropped_than_there_were(void)
{
    attested_world.facts.rows = 1;
    attested_world.facts.suppressed = 2;
}
static void plan_low_level(void)
{
    attested_world.level[0] = 0;
}
static void plan_high_level(void)
{
    attested_world.level[0] = 3;
}
static void plan_other_release(void)
{
    attested_world.other_release = "00000000000000000123456789abcdef";
}

static void what_was_not_permitted_or_asked_for_is_refused(void)
{
    static const struct attested_attack attacks[] = {
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
    attested_begin();
    released_open(&other, &attested_network);
    other.table = "age;city;disease\n30-39;B;flu\n30-39;B;cold\n"
                  "30-39;B;flu\n20-29;A;flu\n20-29;A;cold\n";
    released_walk(&other);
    attested_demand(released_certify(&other, &err), &err);
    attested_expect_no(&(struct attested_question){&other.certificate,
                                                   RELEASED_TABLE,
                                                   &other.trust},
                       CHECK_DIGEST, "");
    released_walk(&attested_world);
    /* Its statement, salt and all. */
    attested_world.parts.outcome = other.parts.outcome;
    attested_certify();
    attested_expect_no(&(struct attested_question){&attested_world.certificate,
                                                   other.table,
                                                   &attested_world.trust},
                       CHECK_COMMITMENTS, "release: the entry does not stand");
    released_close(&other);
    attested_end();
}

void suite_attestation_chain(void)
{
    static const struct test tests[] = {
        {"what the log does not prove is refused",
         what_the_log_does_not_prove_is_refused},
        {"a foreign trust file trusts nothing here",
         a_foreign_trust_file_trusts_nothing_here},
        {"a chain that does not hang together is refused",
         a_chain_that_does_not_hang_together_is_refused},
        {"a statement that was not committed to is refused",
         a_statement_that_was_not_committed_to_is_refused},
        {"what was not permitted or asked for is refused",
         what_was_not_permitted_or_asked_for_is_refused},
        {"another release's certificate is refused",
         another_releases_certificate_is_refused},
    };

    suite_add("attestation_chain", tests, sizeof tests / sizeof *tests);
}
