#include "common/endorsement.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "tests/lib/suite.h"

void suite_endorsement(void);

/* Signers by a word: "n.broker s.node" are two of north and south; the first
 * is the author. */
static bool met(const char *policy, const char *words)
{
    struct certificate_subject subject[ENDORSEMENT_PARTS_MAX];
    const struct certificate_subject *signer[ENDORSEMENT_PARTS_MAX];
    struct endorsement *endorsement = NULL;
    size_t count = 0;
    struct error err;
    bool is_met;

    while (*words != '\0') {
        size_t size = strcspn(words, " ");

        subject[count] = (struct certificate_subject){0};
        snprintf(subject[count].organisation, IDENTITY_NAME_MAX, "%s",
                 words[0] == 'n'   ? "north"
                 : words[0] == 's' ? "south.east"
                                   : "other");
        CU_ASSERT_FATAL(identity_role_parse(bytes_of(words + 2, size - 2),
                                            &subject[count].role));
        signer[count] = &subject[count];
        count++;
        words += size + (words[size] == ' ');
    }
    error_init(&err);
    if (endorsement_parse(&endorsement, bytes_of_string(policy), &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the policy is refused");
    }
    is_met = endorsement_met(endorsement, signer, count);
    endorsement_destroy(&endorsement);
    CU_ASSERT_PTR_NULL(endorsement);
    return is_met;
}

static void principal_is_organisation_and_role(void)
{
    CU_ASSERT(met("'north.broker'", "n.broker"));
    CU_ASSERT(met("'north.broker'", "s.node n.broker"));
    CU_ASSERT_FALSE(met("'north.broker'", "n.custodian"));
    CU_ASSERT_FALSE(met("'north.broker'", "s.broker"));
    /* The last dot ends the organisation. */
    CU_ASSERT(met("'south.east.broker'", "s.broker"));
}

static void dollar_is_the_authors_organisation(void)
{
    CU_ASSERT(met("'$.broker'", "n.broker"));
    CU_ASSERT(met("'$.broker'", "n.node n.broker"));
    CU_ASSERT_FALSE(met("'$.broker'", "n.node s.broker"));
    CU_ASSERT(met("'$.broker'", "s.node s.broker"));
}

static void and_or_and_out_of_count_their_parts(void)
{
    static const char two[] =
        "OutOf(2, 'north.broker', 'north.node', 'south.east.node')";

    CU_ASSERT(met("AND('$.broker','$.node')", "n.broker n.node"));
    CU_ASSERT_FALSE(met("AND('$.broker','$.node')", "n.broker"));
    CU_ASSERT(met("OR('$.broker','$.node')", "n.node"));
    CU_ASSERT_FALSE(met("OR('$.broker','$.node')", "n.doctor"));
    CU_ASSERT_FALSE(met(two, "n.broker"));
    CU_ASSERT(met(two, "n.broker n.node"));
    CU_ASSERT(met(two, "s.node n.node"));
    CU_ASSERT(met(two, "s.node n.node n.broker"));
    CU_ASSERT_FALSE(met(two, "s.broker s.node"));
}

static void policies_nest(void)
{
    static const char policy[] =
        " AND( 'north.broker' , OR('north.node', AND('south.east.node',"
        "'south.east.broker')) ) ";

    CU_ASSERT(met(policy, "n.broker n.node"));
    CU_ASSERT(met(policy, "n.broker s.node s.broker"));
    CU_ASSERT_FALSE(met(policy, "n.broker s.node"));
    CU_ASSERT_FALSE(met(policy, "n.node s.node s.broker"));
}

static void refuse(const char *policy, size_t column)
{
    struct endorsement *endorsement = NULL;
    struct error err;
    char expected[64];

    error_init(&err);
    snprintf(expected, sizeof expected,
             "endorsement policy: column %zu: ", column);
    CU_ASSERT_EQUAL(
        endorsement_parse(&endorsement, bytes_of_string(policy), &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(endorsement);
    if (strncmp(err.text, expected, strlen(expected)) != 0)
        fprintf(stderr, "\n  %s\n  %s\n", policy, err.text);
    CU_ASSERT_EQUAL(strncmp(err.text, expected, strlen(expected)), 0);
}

static void what_is_no_policy_is_refused_with_its_column(void)
{
    refuse("", 1);
    refuse("'", 2);
    refuse("'north.broker", 2);
    refuse("'broker'", 2);
    refuse("'.broker'", 2);
    refuse("'$.'", 2);
    refuse("'north.king'", 2);
    refuse("'no rth.broker'", 2);
    refuse("'north.broker' x", 16);
    refuse("XOR('a.node')", 1);
    refuse("AND()", 5);
    refuse("AND('a.node'", 13);
    refuse("AND('a.node',)", 14);
    refuse("OutOf('a.node')", 7);
    refuse("OutOf(0,'a.node')", 18);
    refuse("OutOf(2,'a.node')", 18);
    refuse("OutOf(12345,'a.node')", 11);
}

/* OR(OR(...'a.node'...)), so deep. */
static void nest(struct text *out, int depth)
{
    struct error err;

    text_reset(out);
    for (int i = 0; i < depth; i++)
        CU_ASSERT_EQUAL(text_append_string(out, "OR(", &err), OK);
    CU_ASSERT_EQUAL(text_append_string(out, "'a.node'", &err), OK);
    for (int i = 0; i < depth; i++)
        CU_ASSERT_EQUAL(text_append_string(out, ")", &err), OK);
}

/* OR and so many principals. */
static void widen(struct text *out, int principals)
{
    struct error err;

    text_reset(out);
    for (int i = 0; i < principals; i++)
        CU_ASSERT_EQUAL(
            text_printf(out, &err, "%s'a.node'", i == 0 ? "OR(" : ","), OK);
    CU_ASSERT_EQUAL(text_append_string(out, ")", &err), OK);
}

static void depth_and_parts_have_limits(void)
{
    struct text policy;

    text_init(&policy);
    nest(&policy, ENDORSEMENT_DEPTH_MAX);
    CU_ASSERT_FALSE(met(policy.data, "n.node"));
    nest(&policy, ENDORSEMENT_DEPTH_MAX + 1);
    refuse(policy.data, 3 * (ENDORSEMENT_DEPTH_MAX + 1) + 1);
    widen(&policy, ENDORSEMENT_PARTS_MAX - 1);
    CU_ASSERT_FALSE(met(policy.data, "n.node"));
    widen(&policy, ENDORSEMENT_PARTS_MAX);
    /* Behind the quote that opens the one too many. */
    refuse(policy.data, 3 + 9 * (ENDORSEMENT_PARTS_MAX - 1) + 2);
    text_clear(&policy);
}

void suite_endorsement(void)
{
    static const struct test tests[] = {
        {"principal is organisation and role",
         principal_is_organisation_and_role},
        {"dollar is the author's organisation",
         dollar_is_the_authors_organisation},
        {"AND, OR and OutOf count their parts",
         and_or_and_out_of_count_their_parts},
        {"policies nest", policies_nest},
        {"what is no policy is refused with its column",
         what_is_no_policy_is_refused_with_its_column},
        {"depth and parts have limits", depth_and_parts_have_limits},
    };

    suite_add("endorsement", tests, sizeof tests / sizeof tests[0]);
}
