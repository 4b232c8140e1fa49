#include "common/identity.h"

#include <string.h>

#include "tests/lib/chain.h"
#include "tests/lib/suite.h"

void suite_identity_authority(void);

static struct error err;

static void refuse_terms(struct chain *chain,
                         const struct certificate_terms *terms,
                         enum status expected, const char *words)
{
    struct certificate *made = NULL;
    struct private_key *key = chain_new_key();

    CU_ASSERT_EQUAL(chain_issue(key, terms, chain->authority,
                                chain->authority_key, &made, &err),
                    expected);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    private_key_destroy(&key);
}

static void authority_keeps_to_its_right(void)
{
    struct certificate_subject subject = chain_leaf_subject;
    struct certificate_terms terms = chain_terms(&subject);
    struct certificate *made = NULL;
    struct private_key *key = chain_new_key();
    struct chain chain;

    chain_open(&chain);
    subject.organisation[0] = 'G';
    refuse_terms(&chain, &terms, E_REFUSED, "its own organisation only");
    subject = chain_authority_subject;
    refuse_terms(&chain, &terms, E_REFUSED, "only a root signs");
    subject = chain_leaf_subject;
    terms.not_before_ms -= 1000;
    refuse_terms(&chain, &terms, E_REFUSED, "when its issuer's is not");
    terms = chain_terms(&subject);
    terms.not_after_ms += 1;
    refuse_terms(&chain, &terms, E_REFUSED, "when its issuer's is not");
    terms = chain_terms(&subject);
    CU_ASSERT_EQUAL(
        chain_issue(key, &terms, chain.root, chain.root_key, &made, &err),
        E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "for authorities only"));
    CU_ASSERT_EQUAL(
        chain_issue(key, &terms, chain.leaf, chain.leaf_key, &made, &err),
        E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no authority"));
    private_key_destroy(&key);
    chain_close(&chain);
}

static void impossible_terms_are_refused(void)
{
    struct certificate_subject subject = chain_leaf_subject;
    struct certificate_terms terms = chain_terms(&subject);
    struct certificate *made = NULL;
    struct private_key *key = chain_new_key();
    struct private_key *ed25519 = NULL;
    struct chain chain;

    chain_open(&chain);
    subject.name[0] = ' ';
    refuse_terms(&chain, &terms, E_INPUT, "the name needs");
    subject = chain_leaf_subject;
    subject.organisation[0] = '\0';
    refuse_terms(&chain, &terms, E_INPUT, "the organisation's name needs");
    subject = chain_leaf_subject;
    terms.not_after_ms = terms.not_before_ms - 1;
    refuse_terms(&chain, &terms, E_INPUT, "begin before it ends");
    terms.not_after_ms = 253402300800000; /* year 10000 */
    refuse_terms(&chain, &terms, E_INPUT, "the years 0 to 9999");
    terms = chain_terms(&subject);
    terms.not_before_ms = -62167219200001; /* before year 0 */
    refuse_terms(&chain, &terms, E_INPUT, "the years 0 to 9999");
    terms = chain_terms(&subject);
    CU_ASSERT_EQUAL(
        chain_issue(key, &terms, chain.authority, chain.root_key, &made, &err),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not that of the issuer"));
    CU_ASSERT_EQUAL(chain_issue(chain.authority_key, &terms, chain.authority,
                                chain.authority_key, &made, &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the issuer's own"));
    CU_ASSERT_EQUAL(private_key_generate(&ed25519, KEY_ED25519, &err), OK);
    CU_ASSERT_EQUAL(chain_issue(ed25519, &terms, chain.authority,
                                chain.authority_key, &made, &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "of P-256"));
    terms.subject = &chain_root_subject;
    CU_ASSERT_EQUAL(certificate_create_root(&made, ed25519, &terms, &err),
                    E_INPUT);
    private_key_destroy(&key);
    private_key_destroy(&ed25519);
    chain_close(&chain);
}

void suite_identity_authority(void)
{
    static const struct test tests[] = {
        {"an authority keeps to its right", authority_keeps_to_its_right},
        {"impossible terms are refused", impossible_terms_are_refused},
    };

    suite_add("identity_authority", tests, sizeof tests / sizeof tests[0]);
}
