#include "anonymizer/policy_bundle.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/recheck.h"
#include "common/json.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_policy_bundle(void);

#define AGES "31;30-39;*\n36;30-39;*\n"
/* By sha256sum of coreutils. */
#define AGES_SHA256                                                            \
    "02f7edc8c44bfc670b91696b9d6d4dc99f039871c851917f86ca95554a1835b2"

/* A policy with one hierarchy, under this name. */
#define POLICY(name)                                                           \
    "{\"policy\": 1,\n"                                                        \
    " \"attributes\": {\"age\": {\"role\": \"quasi-identifying\",\n"           \
    "   \"hierarchy\": \"" name "\"},\n"                                       \
    "  \"ward\": {\"role\": \"sensitive\"}},\n"                                \
    " \"privacy\": [{\"model\": \"k-anonymity\", \"k\": 2}]}\n"

/* The same text as a JSON string, by hand. */
#define POLICY_STRING(name)                                                    \
    "\"{\\\"policy\\\": 1,\\n"                                                 \
    " \\\"attributes\\\": {\\\"age\\\": {\\\"role\\\": "                       \
    "\\\"quasi-identifying\\\",\\n"                                            \
    "   \\\"hierarchy\\\": \\\"" name "\\\"},\\n"                              \
    "  \\\"ward\\\": {\\\"role\\\": \\\"sensitive\\\"}},\\n"                   \
    " \\\"privacy\\\": [{\\\"model\\\": \\\"k-anonymity\\\", \\\"k\\\": "      \
    "2}]}\\n\""

#define BUNDLE(name, files)                                                    \
    "{\"bundle\":1,\"files\":{" files "},\"policy\":" POLICY_STRING(name) "}"
#define AGES_FILE(name) "\"" name "\":\"31;30-39;*\\n36;30-39;*\\n\""

/* RFC 8785 form with the digest for the file, by hand. */
#define CANONICAL                                                              \
    "{\"attributes\":{\"age\":{\"hierarchy\":{\"sha256\":\"" AGES_SHA256       \
    "\"},\"role\":\"quasi-identifying\"},\"ward\":{\"role\":\"sensitive\"}},"  \
    "\"policy\":1,\"privacy\":[{\"k\":2,\"model\":\"k-anonymity\"}]}"
/* Of the whole of it, by sha256sum. */
#define CANONICAL_SHA256                                                       \
    "c8bcbc8779ca66c2946dce51cf4e6b777b08680610d0b4acbe54f27b7eaacc49"

static struct scratch scratch;
static struct error err;

static void check_digest(const struct policy *policy, const char *expected)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(&policy->digest, hex);
    CU_ASSERT_STRING_EQUAL(hex, expected);
}

static enum status open_bundle(const char *bundle, struct policy **policy)
{
    error_init(&err);
    return policy_bundle_open(policy, bytes_of_string(bundle), &err);
}

static void refused(const char *bundle, enum status status, const char *words)
{
    struct policy *policy = NULL;

    CU_ASSERT_EQUAL(open_bundle(bundle, &policy), status);
    CU_ASSERT_PTR_NULL(policy);
    CU_ASSERT_STRING_EQUAL(err.text, words);
    policy_close(&policy);
}

/* ---- packing ---- */

/* Whoever sends one hears of it before anybody is asked. */
static void policies_with_a_subset_have_no_bundle(void)
{
    static const char policy[] =
        "{\"policy\": 1, \"subset\": {\"rows\": \"i == 0\"},"
        " \"attributes\": {\"age\": {\"role\": \"quasi-identifying\"}},"
        " \"privacy\": [{\"model\": \"k-anonymity\", \"k\": 2}]}";
    static const char bundle[] =
        "{\"bundle\":1,\"files\":{},\"policy\":\"{\\\"attributes\\\":{"
        "\\\"age\\\":{\\\"role\\\":\\\"quasi-identifying\\\"}},"
        "\\\"policy\\\":1,\\\"privacy\\\":[{\\\"k\\\":2,\\\"model\\\":"
        "\\\"k-anonymity\\\"}],\\\"subset\\\":{\\\"rows\\\":\\\"i == 0\\\"}"
        "}\"}";
    struct text out;

    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", policy);
    error_init(&err);
    text_init(&out);
    CU_ASSERT_EQUAL(
        policy_bundle_pack(scratch_path(&scratch, "policy.json"), &out, &err),
        E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "policy.json: \"subset\" names "));
    CU_ASSERT_EQUAL(out.size, 0);
    refused(bundle, E_INPUT,
            "policy bundle: \"subset\" names rows by their places in a file, "
            "and the rows of a vault have none: expected a policy without it, "
            "and a dataset that is the sample");
    text_clear(&out);
    scratch_close(&scratch);
}

static void bundle_is_policy_and_files_in_canonical_form(void)
{
    struct text bundle;

    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", POLICY("ages.csv"));
    scratch_write(&scratch, "ages.csv", AGES);
    error_init(&err);
    text_init(&bundle);
    CU_ASSERT_EQUAL_FATAL(text_append_string(&bundle, "before ", &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        policy_bundle_pack(scratch_path(&scratch, "policy.json"), &bundle,
                           &err),
        OK);
    CU_ASSERT_STRING_EQUAL(bundle.data,
                           "before " BUNDLE("ages.csv", AGES_FILE("ages.csv")));
    text_clear(&bundle);
    scratch_close(&scratch);
}

static void digest_is_the_same_by_hand_by_file_and_by_bundle(void)
{
    struct policy *from_file = NULL, *from_bundle = NULL;
    struct text bundle;

    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", POLICY("ages.csv"));
    scratch_write(&scratch, "ages.csv", AGES);
    error_init(&err);
    text_init(&bundle);
    CU_ASSERT_EQUAL_FATAL(
        policy_open(&from_file, scratch_path(&scratch, "policy.json"), &err),
        OK);
    CU_ASSERT_EQUAL_FATAL(
        policy_bundle_pack(scratch_path(&scratch, "policy.json"), &bundle,
                           &err),
        OK);
    scratch_close(&scratch);
    CU_ASSERT_EQUAL_FATAL(
        policy_bundle_open(&from_bundle, text_bytes(&bundle), &err), OK);
    check_digest(from_file, CANONICAL_SHA256);
    check_digest(from_bundle, CANONICAL_SHA256);
    CU_ASSERT_STRING_EQUAL(from_file->canonical.data, CANONICAL);
    CU_ASSERT_STRING_EQUAL(from_bundle->canonical.data, CANONICAL);
    CU_ASSERT_FALSE(from_bundle->without_hierarchies);
    CU_ASSERT_EQUAL(from_bundle->attribute_count, 2);
    CU_ASSERT_EQUAL(hierarchy_levels(from_bundle->attribute[0].hierarchy), 3);
    CU_ASSERT_EQUAL(hierarchy_rows(from_bundle->attribute[0].hierarchy), 2);
    policy_close(&from_file);
    policy_close(&from_bundle);
    text_clear(&bundle);
}

static void file_that_two_attributes_name_is_there_once(void)
{
    static const char text[] =
        "{\"policy\":1,\"attributes\":{"
        "\"a\":{\"role\":\"quasi-identifying\",\"hierarchy\":\"h.csv\"},"
        "\"b\":{\"role\":\"quasi-identifying\",\"hierarchy\":\"h.csv\"},"
        "\"c\":{\"role\":\"quasi-identifying\",\"hierarchy\":\"./h.csv\"}},"
        "\"privacy\":[{\"model\":\"k-anonymity\",\"k\":2}]}";
    struct policy *policy = NULL;
    struct text bundle;

    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", text);
    scratch_write(&scratch, "h.csv", "x,*\n");
    error_init(&err);
    text_init(&bundle);
    CU_ASSERT_EQUAL_FATAL(
        policy_bundle_pack(scratch_path(&scratch, "policy.json"), &bundle,
                           &err),
        OK);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(bundle.data,
               "\"files\":{\"./h.csv\":\"x,*\\n\",\"h.csv\":\"x,*\\n\"},"));
    CU_ASSERT_EQUAL(policy_bundle_open(&policy, text_bytes(&bundle), &err), OK);
    policy_close(&policy);
    text_clear(&bundle);
    scratch_close(&scratch);
}

static void pack_refused(enum status status, const char *words)
{
    struct text bundle;

    error_init(&err);
    text_init(&bundle);
    CU_ASSERT_EQUAL(policy_bundle_pack(scratch_path(&scratch, "policy.json"),
                                       &bundle, &err),
                    status);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_EQUAL(bundle.size, 0);
    text_clear(&bundle);
}

static void what_policy_open_refuses_is_not_packed(void)
{
    scratch_open(&scratch);
    pack_refused(E_INPUT, "policy.json");
    scratch_write(&scratch, "policy.json", POLICY("ages.csv"));
    pack_refused(E_INPUT, "line 3: hierarchy of \"age\": ");
    scratch_write(&scratch, "ages.csv", "31;30-39;*\n31;30-39;*\n");
    pack_refused(E_INPUT, "ages.csv");
    scratch_write(&scratch, "ages.csv", "31;\xff;*\n");
    pack_refused(E_INPUT, "ages.csv");
    scratch_close(&scratch);
}

/* One file of `size` bytes, with a NUL at its end if need be. */
static void write_ages(size_t size, char last)
{
    FILE *file = fopen(scratch_path(&scratch, "ages.csv"), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs("31;*\n36;", file);
    for (size_t i = 9; i < size; i++)
        fputc('x', file);
    fputc(last, file);
    fclose(file);
}

static void what_is_too_long_or_has_nul_is_not_packed(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", POLICY("ages.csv"));
    write_ages(64, '\0');
    pack_refused(E_INPUT, "NUL");
    write_ages(POLICY_BUNDLE_SIZE_MAX, '\n');
    pack_refused(E_LIMIT, "the limit is 7340032");
    scratch_close(&scratch);
}

/* Files that fit; what they become as strings does not: a quote takes two. */
static void what_grows_too_long_is_not_packed(void)
{
    FILE *file;

    scratch_open(&scratch);
    scratch_write(&scratch, "policy.json", POLICY("ages.csv"));
    file = fopen(scratch_path(&scratch, "ages.csv"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (unsigned i = 0; i < 420000; i++)
        fprintf(file, "\"%u\";\"*\"\n", 100000 + i);
    fclose(file);
    pack_refused(E_LIMIT, "the limit is 7340032");
    scratch_close(&scratch);
}

/* ---- opening ---- */

/* Both exist, and neither is a hierarchy. */
static void names_are_only_names(void)
{
    static const char *const bundle[] = {
        BUNDLE("/etc/passwd", AGES_FILE("/etc/passwd")),
        BUNDLE("../../../../../../etc/passwd",
               AGES_FILE("../../../../../../etc/passwd")),
        BUNDLE("README.md", AGES_FILE("README.md")),
    };

    for (size_t i = 0; i < sizeof bundle / sizeof bundle[0]; i++) {
        struct policy *policy = NULL;

        CU_ASSERT_EQUAL_FATAL(open_bundle(bundle[i], &policy), OK);
        check_digest(policy, CANONICAL_SHA256);
        policy_close(&policy);
    }
    refused(BUNDLE("/etc/passwd", ""), E_INPUT,
            "policy bundle: policy: line 3: hierarchy of \"age\": the bundle "
            "has no file \"/etc/passwd\"");
}

static void bundle_has_the_files_of_its_policy(void)
{
    refused(BUNDLE("ages.csv", ""), E_INPUT,
            "policy bundle: policy: line 3: hierarchy of \"age\": the bundle "
            "has no file \"ages.csv\"");
    refused(BUNDLE("ages.csv", AGES_FILE("Ages.csv")), E_INPUT,
            "policy bundle: policy: line 3: hierarchy of \"age\": the bundle "
            "has no file \"ages.csv\"");
    refused(BUNDLE("ages.csv", AGES_FILE("ages.csv") ",\"b.csv\":\"\""),
            E_INPUT,
            "policy bundle: has the file \"b.csv\", which its policy does not "
            "name");
    refused(BUNDLE("ages.csv", AGES_FILE("ages.csv") "," AGES_FILE("ages.csv")),
            E_INPUT,
            "policy bundle: line 1: key \"ages.csv\" once more, expected each "
            "key once (it stands on line 1)");
    refused(BUNDLE("ages.csv", "\"ages.csv\":1"), E_INPUT,
            "policy bundle: line 1: \"files\" has another value among them, "
            "expected an object with the text of each file");
    refused(BUNDLE("ages.csv", "\"ages.csv\":\"\""), E_INPUT,
            "policy bundle: policy: line 3: hierarchy of \"age\": "
            "\"ages.csv\": no rows; a row for each value was expected");
}

static void bundle_has_one_form(void)
{
    static const char not_canonical[] =
        "policy bundle: is not in its canonical form (RFC 8785)";
    static const char reordered[] = "{\"files\":{" AGES_FILE(
        "ages.csv") "},\"bundle\":1,\"policy\":" POLICY_STRING("ages.csv") "}";

    refused(" " BUNDLE("ages.csv", AGES_FILE("ages.csv")), E_INPUT,
            not_canonical);
    refused(reordered, E_INPUT, not_canonical);
    refused(BUNDLE("ages.csv", "\"ages.csv\":\"\\u0033\""), E_INPUT,
            not_canonical);
    refused("{\"bundle\":2,\"files\":{},\"policy\":\"\"}", E_INPUT,
            "policy bundle: line 1: \"bundle\" is another, expected 1, the "
            "format of this version");
    refused("{\"files\":{},\"policy\":\"\"}", E_INPUT,
            "policy bundle: line 1: no \"bundle\", expected 1, the format of "
            "this version");
    refused("{\"bundle\":1,\"file\":{},\"policy\":\"\"}", E_INPUT,
            "policy bundle: line 1: unknown key \"file\", did you mean "
            "\"files\"?");
    refused("{\"bundle\":1,\"files\":{},\"policy\":{}}", E_INPUT,
            "policy bundle: line 1: \"policy\" is an object, expected the text "
            "of a policy");
    refused("[]", E_INPUT, "policy bundle: expected an object, found an array");
    refused("", E_INPUT,
            "policy bundle: line 1, column 1: the text ends here, expected a "
            "value");
    refused("{\"bundle\":1,\"files\":{},\"policy\":\"\"}", E_INPUT,
            "policy bundle: policy: line 1, column 1: the text ends here, "
            "expected a value");
}

static void bundle_has_a_limit(void)
{
    struct policy *policy = NULL;
    char *bundle = malloc(POLICY_BUNDLE_SIZE_MAX + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(bundle);
    memset(bundle, ' ', POLICY_BUNDLE_SIZE_MAX + 1);
    error_init(&err);
    CU_ASSERT_EQUAL(
        policy_bundle_open(&policy,
                           bytes_of(bundle, POLICY_BUNDLE_SIZE_MAX + 1), &err),
        E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text, "a policy bundle of 7340033 bytes, the "
                                     "limit is 7340032");
    /* One less is read. */
    error_init(&err);
    CU_ASSERT_EQUAL(policy_bundle_open(&policy,
                                       bytes_of(bundle, POLICY_BUNDLE_SIZE_MAX),
                                       &err),
                    E_INPUT);
    free(bundle);
}

/* ---- the canonical text ---- */

static enum status parse_canonical(const char *text, struct policy **policy)
{
    *policy = NULL;
    error_init(&err);
    return policy_parse_canonical(policy, bytes_of_string(text), &err);
}

static void canonical_refused(const char *text, const char *words)
{
    struct policy *policy;

    CU_ASSERT_EQUAL(parse_canonical(text, &policy), E_INPUT);
    CU_ASSERT_PTR_NULL(policy);
    CU_ASSERT_STRING_EQUAL(err.text, words);
}

static void canonical_text_is_the_policy_without_its_files(void)
{
    struct policy *policy;

    CU_ASSERT_EQUAL_FATAL(parse_canonical(CANONICAL, &policy), OK);
    check_digest(policy, CANONICAL_SHA256);
    CU_ASSERT(policy->without_hierarchies);
    CU_ASSERT_PTR_NULL(policy->attribute[0].hierarchy);
    CU_ASSERT_PTR_NULL(policy->attribute[0].hierarchy_path);
    CU_ASSERT_EQUAL(policy->attribute[0].role, ROLE_QUASI_IDENTIFYING);
    CU_ASSERT_EQUAL(policy->criterion[0].k, 2);
    CU_ASSERT_STRING_EQUAL(policy->canonical.data, CANONICAL);
    policy_close(&policy);
}

/* A released table of two classes of two, and one with a row alone. */
static void check_table(const char *table, bool satisfied)
{
    struct recheck_result *result = NULL;
    struct policy *policy;
    int fd;

    scratch_open(&scratch);
    scratch_write(&scratch, "release.csv", table);
    CU_ASSERT_EQUAL_FATAL(parse_canonical(CANONICAL, &policy), OK);
    fd = open(scratch_path(&scratch, "release.csv"), O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(
        recheck_table(&result, policy, fd, "release.csv", NULL, &err), OK);
    CU_ASSERT_EQUAL(result->satisfied, satisfied);
    recheck_destroy(&result);
    close(fd);
    policy_close(&policy);
    scratch_close(&scratch);
}

static void canonical_text_is_enough_to_check_a_release(void)
{
    check_table("age,ward\n30-39,A\n40-49,A\n30-39,B\n40-49,B\n", true);
    check_table("age,ward\n30-39,A\n40-49,A\n30-39,B\n50-59,B\n", false);
}

static void canonical_text_has_one_form(void)
{
    canonical_refused(CANONICAL " ", "canonical policy: is not in its "
                                     "canonical form (RFC 8785)");
    canonical_refused(
        "{\"attributes\":{\"age\":{\"hierarchy\":\"ages.csv\","
        "\"role\":\"quasi-identifying\"}},\"policy\":1,\"privacy\":"
        "[{\"k\":2,\"model\":\"k-anonymity\"}]}",
        "canonical policy: line 1: \"hierarchy\" is a string, expected an "
        "object with the digest of a CSV file");
    canonical_refused(
        "{\"attributes\":{\"age\":{\"hierarchy\":{\"sha256\":\"00\"},"
        "\"role\":\"quasi-identifying\"}},\"policy\":1,\"privacy\":"
        "[{\"k\":2,\"model\":\"k-anonymity\"}]}",
        "canonical policy: line 1: hierarchy of \"age\": line 1: \"sha256\" is "
        "something else, expected 64 lower-case hex digits");
    canonical_refused(
        "{\"attributes\":{\"age\":{\"hierarchy\":{},"
        "\"role\":\"quasi-identifying\"}},\"policy\":1,\"privacy\":"
        "[{\"k\":2,\"model\":\"k-anonymity\"}]}",
        "canonical policy: line 1: hierarchy of \"age\": line 1: no "
        "\"sha256\", expected 64 lower-case hex digits");
}

/* Borders of what is known of a hierarchy that is not here: it may have up to
 * HIERARCHY_LEVELS_MAX levels; an attribute without one has two. */
static void levels_are_checked_as_far_as_they_are_known(void)
{
    struct policy *policy;

    CU_ASSERT_EQUAL(
        parse_canonical("{\"attributes\":{\"age\":{\"hierarchy\":{\"sha256\":"
                        "\"" AGES_SHA256 "\"},\"max_level\":63,\"role\":"
                        "\"quasi-identifying\"}},\"policy\":1,\"privacy\":"
                        "[{\"k\":2,\"model\":\"k-anonymity\"}]}",
                        &policy),
        OK);
    CU_ASSERT_EQUAL(policy->attribute[0].level_max, 63);
    policy_close(&policy);
    canonical_refused(
        "{\"attributes\":{\"age\":{\"hierarchy\":{\"sha256\":\"" AGES_SHA256
        "\"},\"max_level\":64,\"role\":\"quasi-identifying\"}},\"policy\":1,"
        "\"privacy\":[{\"k\":2,\"model\":\"k-anonymity\"}]}",
        "canonical policy: line 1: \"max_level\" of \"age\" is 64, expected at "
        "most 63, the top of its hierarchy");
    canonical_refused("{\"attributes\":{\"age\":{\"max_level\":2,\"role\":"
                      "\"quasi-identifying\"}},\"policy\":1,"
                      "\"privacy\":[{\"k\":2,\"model\":\"k-anonymity\"}]}",
                      "canonical policy: line 1: \"max_level\" of \"age\" is "
                      "2, expected at most 1, the top of its hierarchy");
}

void suite_policy_bundle(void)
{
    static const struct test tests[] = {
        {"policies with a subset have no bundle",
         policies_with_a_subset_have_no_bundle},
        {"a bundle is policy and files in canonical form",
         bundle_is_policy_and_files_in_canonical_form},
        {"the digest is the same by hand, by file and by bundle",
         digest_is_the_same_by_hand_by_file_and_by_bundle},
        {"a file that two attributes name is there once",
         file_that_two_attributes_name_is_there_once},
        {"what policy_open refuses is not packed",
         what_policy_open_refuses_is_not_packed},
        {"what is too long or has NUL is not packed",
         what_is_too_long_or_has_nul_is_not_packed},
        {"what grows too long is not packed",
         what_grows_too_long_is_not_packed},
        {"names are only names", names_are_only_names},
        {"a bundle has the files of its policy",
         bundle_has_the_files_of_its_policy},
        {"a bundle has one form", bundle_has_one_form},
        {"a bundle has a limit", bundle_has_a_limit},
        {"the canonical text is the policy without its files",
         canonical_text_is_the_policy_without_its_files},
        {"the canonical text is enough to check a release",
         canonical_text_is_enough_to_check_a_release},
        {"the canonical text has one form", canonical_text_has_one_form},
        {"levels are checked as far as they are known",
         levels_are_checked_as_far_as_they_are_known},
    };

    suite_add("policy_bundle", tests, sizeof tests / sizeof tests[0]);
}
