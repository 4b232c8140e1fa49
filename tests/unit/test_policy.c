#include "anonymizer/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/subset.h"
#include "common/files.h"
#include "tests/lib/cases.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_policy(void);

/* Levels 0 to 3 and 0 to 2. */
#define AGE_CSV "31;30-34;30-39;*\n36;35-39;30-39;*\n41;40-44;40-49;*\n"
#define DIAGNOSIS_CSV "I10,circulatory,*\nE11,metabolic,*\n"

/* SHA-256 of them, by sha256sum of coreutils. */
#define AGE_SHA256                                                             \
    "b84bc3360a94103f6a3e6816aea138bede1cfa97bd83be9a6a142c88caa12425"
#define DIAGNOSIS_SHA256                                                       \
    "697cdf70d85f75cc5a85baf10e6426c86b76f2554658fae7732a50ef58710079"

static struct scratch scratch;

static void open_scratch(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "age.csv", AGE_CSV);
    scratch_write(&scratch, "diagnosis.csv", DIAGNOSIS_CSV);
}

static enum status parse(const char *text, struct policy **policy,
                         struct error *err)
{
    error_init(err);
    return policy_parse(policy, bytes_of_string(text),
                        scratch_path(&scratch, "policy.json"), err);
}

static struct policy *parsed(const char *text)
{
    struct policy *policy = NULL;
    struct error err;

    if (parse(text, &policy, &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the policy is refused");
    }
    return policy;
}

/* The error without the folder, which has another name each time. */
static const char *without_folder(struct error *err)
{
    size_t length = strlen(scratch.path) + 1;
    char *at = err->text;

    while ((at = strstr(at, scratch.path)) != NULL)
        memmove(at, at + length, strlen(at + length) + 1);
    return err->text;
}

static void refused(const char *text, enum status expected, const char *words)
{
    struct policy *policy = NULL;
    struct error err;

    CU_ASSERT_EQUAL(parse(text, &policy, &err), expected);
    CU_ASSERT_PTR_NULL(policy);
    CU_ASSERT_STRING_EQUAL(without_folder(&err), words);
    policy_close(&policy);
}

/* base.json, from the file once. */
static const char *base(void)
{
    static char text[4096];
    FILE *file = fopen("tests/data/policy/base.json", "r");
    size_t size;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* `text` with the first `before` replaced by `after`; to be freed. */
static char *changed(const char *text, const char *before, const char *after)
{
    const char *at = strstr(text, before);
    size_t size = strlen(text) + strlen(after) + 1;
    char *result = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    snprintf(result, size, "%.*s%s%s", (int)(at - text), text, after,
             at + strlen(before));
    return result;
}

/* ---- what is read ---- */

static void every_field_is_read(void)
{
    struct policy *policy = NULL;
    struct error err;

    open_scratch();
    scratch_write(&scratch, "policy.json", base());
    CU_ASSERT_EQUAL_FATAL(
        policy_open(&policy, scratch_path(&scratch, "policy.json"), &err), OK);
    CU_ASSERT_STRING_EQUAL(policy->path, scratch_path(&scratch, "policy.json"));
    CU_ASSERT_STRING_EQUAL(policy->name, "base");
    CU_ASSERT_EQUAL(policy->delimiter, ';');
    CU_ASSERT_EQUAL(policy->missing_count, 2);
    CU_ASSERT_STRING_EQUAL(policy->missing[0], "");
    CU_ASSERT_STRING_EQUAL(policy->missing[1], "n/a");
    CU_ASSERT(policy->unlisted_remove);
    CU_ASSERT(policy->drop_suppressed);
    CU_ASSERT_EQUAL(policy->suppression_limit, 0.02);
    CU_ASSERT_EQUAL(policy->metric, METRIC_LOSS);
    CU_ASSERT_EQUAL(policy->aggregate, AGGREGATE_RANK);
    CU_ASSERT_EQUAL(policy->gs_factor, 0.25);
    policy_close(&policy);
    CU_ASSERT_PTR_NULL(policy);
    policy_close(&policy);
    scratch_close(&scratch);
}

static void attributes_are_read_in_order(void)
{
    static const struct {
        const char *name;
        enum role role;
        enum value_type type;
        unsigned line;
    } expected[] = {
        {"patient", ROLE_SUBJECT, TYPE_STRING, 7},
        {"surname", ROLE_IDENTIFYING, TYPE_STRING, 8},
        {"age", ROLE_QUASI_IDENTIFYING, TYPE_INTEGER, 9},
        {"sex", ROLE_QUASI_IDENTIFYING, TYPE_STRING, 11},
        {"diagnosis", ROLE_SENSITIVE, TYPE_STRING, 12},
        {"doctor", ROLE_SENSITIVE, TYPE_STRING, 13},
        {"ward", ROLE_INSENSITIVE, TYPE_STRING, 14},
    };
    struct policy *policy;
    const struct policy_attribute *age, *sex;

    open_scratch();
    policy = parsed(base());
    CU_ASSERT_EQUAL_FATAL(policy->attribute_count, 7);
    for (size_t i = 0; i < 7; i++) {
        CU_ASSERT_STRING_EQUAL(policy->attribute[i].name, expected[i].name);
        CU_ASSERT_EQUAL(policy->attribute[i].role, expected[i].role);
        CU_ASSERT_EQUAL(policy->attribute[i].type, expected[i].type);
        CU_ASSERT_EQUAL(policy->attribute[i].line, expected[i].line);
    }
    age = policy_find(policy, bytes_of_string("age"));
    CU_ASSERT_PTR_EQUAL_FATAL(age, &policy->attribute[2]);
    CU_ASSERT_EQUAL(age->level_min, 1);
    CU_ASSERT_EQUAL(age->level_max, 2);
    CU_ASSERT_EQUAL(age->weight, 0.5);
    CU_ASSERT_EQUAL(hierarchy_levels(age->hierarchy), 4);
    CU_ASSERT_EQUAL(hierarchy_rows(age->hierarchy), 3);
    sex = policy_find(policy, bytes_of_string("sex"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(sex);
    CU_ASSERT_PTR_NULL(sex->hierarchy);
    CU_ASSERT_EQUAL(sex->level_min, 0);
    CU_ASSERT_EQUAL(sex->level_max, LEVEL_UNLIMITED);
    CU_ASSERT_EQUAL(sex->weight, 1);
    CU_ASSERT_PTR_NULL(policy_find(policy, bytes_of_string("ag")));
    CU_ASSERT_PTR_NULL(policy_find(policy, bytes_of_string("ages")));
    CU_ASSERT_EQUAL(hierarchy_levels(policy->attribute[4].hierarchy), 3);
    CU_ASSERT_PTR_NULL(policy->attribute[5].hierarchy);
    policy_close(&policy);
    scratch_close(&scratch);
}

static void models_are_read_in_order(void)
{
    struct policy *policy;
    const struct privacy_criterion *criterion;

    open_scratch();
    policy = parsed(base());
    criterion = policy->criterion;
    CU_ASSERT_EQUAL_FATAL(policy->criterion_count, 4);
    CU_ASSERT_EQUAL(criterion[0].model, MODEL_K_ANONYMITY);
    CU_ASSERT_EQUAL(criterion[0].k, 5);
    CU_ASSERT_EQUAL(criterion[0].attribute, NO_ATTRIBUTE);
    CU_ASSERT_EQUAL(criterion[0].l, 0);
    CU_ASSERT_EQUAL(criterion[0].c, 0);
    CU_ASSERT_EQUAL(criterion[1].model, MODEL_DISTINCT_L_DIVERSITY);
    CU_ASSERT_EQUAL(criterion[1].attribute, 4);
    CU_ASSERT_EQUAL(criterion[1].l, 2);
    CU_ASSERT_EQUAL(criterion[1].k, 0);
    CU_ASSERT_EQUAL(criterion[2].model, MODEL_ENTROPY_L_DIVERSITY);
    CU_ASSERT_EQUAL(criterion[2].attribute, 5);
    CU_ASSERT_EQUAL(criterion[2].l, 1.5);
    CU_ASSERT_EQUAL(criterion[2].estimator, ESTIMATOR_GRASSBERGER);
    CU_ASSERT_EQUAL(criterion[3].model, MODEL_RECURSIVE_CL_DIVERSITY);
    CU_ASSERT_EQUAL(criterion[3].attribute, 4);
    CU_ASSERT_EQUAL(criterion[3].c, 0.5);
    CU_ASSERT_EQUAL(criterion[3].l, 3);
    policy_close(&policy);
    scratch_close(&scratch);
}

#define SMALLEST                                                               \
    "{\"policy\":1,\"attributes\":{\"a\":{\"role\":\"quasi-identifying\"}},"   \
    "\"privacy\":[{\"model\":\"k-anonymity\",\"k\":1}]}"

static void what_is_not_given_has_its_default(void)
{
    static const char *const missing[] = {"", "?", "NA", "NULL"};
    struct policy *policy;

    open_scratch();
    policy = parsed(SMALLEST);
    CU_ASSERT_STRING_EQUAL(policy->name, "");
    CU_ASSERT_EQUAL(policy->delimiter, 0);
    CU_ASSERT_EQUAL_FATAL(policy->missing_count, 4);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_STRING_EQUAL(policy->missing[i], missing[i]);
    CU_ASSERT(!policy->unlisted_remove);
    CU_ASSERT(!policy->drop_suppressed);
    CU_ASSERT_EQUAL(policy->suppression_limit, 0);
    CU_ASSERT_EQUAL(policy->metric, METRIC_LOSS);
    CU_ASSERT_EQUAL(policy->aggregate, AGGREGATE_GEOMETRIC_MEAN);
    CU_ASSERT_EQUAL(policy->gs_factor, 0.5);
    CU_ASSERT_EQUAL(policy->attribute[0].type, TYPE_STRING);
    policy_close(&policy);
    scratch_close(&scratch);
}

/* Each change of base.json must be accepted. */
static void borders_are_inside(void)
{
    static const char *const change[][2] = {
        {"\"k\": 5", "\"k\": 1"},
        {"\"k\": 5", "\"k\": 4294967295"},
        {"\"k\": 5", "\"k\": 5e0"},
        {"\"l\": 2", "\"l\": 1"},
        {"\"l\": 1.5", "\"l\": 1"},
        {"\"c\": 0.5", "\"c\": 5e-324"},
        {"0.02", "0"},
        {"0.02", "1"},
        {"\"gs_factor\": 0.25", "\"gs_factor\": 0"},
        {"\"gs_factor\": 0.25", "\"gs_factor\": 1"},
        {"\"weight\": 0.5", "\"weight\": 0"},
        {"\"min_level\": 1", "\"min_level\": 2"},
        {"\"max_level\": 2", "\"max_level\": 3"},
        {"\"min_level\": 1, \"max_level\": 2", "\"min_level\": 3"},
        {"\"sex\": {", "\"sex\": {\"min_level\": 1, \"max_level\": 1, "},
        {"\";\"", "\"auto\""},
        {"\";\"", "\"\\t\""},
        {"[\"\", \"n/a\"]", "[]"},
        {"\"drop\"", "\"keep\""},
        {"\"remove\"", "\"error\""},
        {"{\"metric\": \"loss\", \"aggregate\": \"rank\", \"gs_factor\": 0.25}",
         "{}"},
        {"{\"method\": \"full-domain\"}", "{}"},
        {"{\"strategy\": \"optimal\"}", "{}"},
        {"{\"model\": \"distinct-l-diversity\", \"attribute\": \"diagnosis\", "
         "\"l\": 2}",
         "{\"k\": 5, \"model\": \"k-anonymity\"}"}, /* twice, other order */
    };
    struct policy *policy;
    char *text;

    open_scratch();
    for (size_t i = 0; i < sizeof change / sizeof change[0]; i++) {
        text = changed(base(), change[i][0], change[i][1]);
        policy = parsed(text);
        policy_close(&policy);
        free(text);
    }
    scratch_close(&scratch);
}

static void every_aggregate_has_its_name(void)
{
    static const char *const name[] = {
        [AGGREGATE_SUM] = "sum",
        [AGGREGATE_MAXIMUM] = "maximum",
        [AGGREGATE_ARITHMETIC_MEAN] = "arithmetic-mean",
        [AGGREGATE_GEOMETRIC_MEAN] = "geometric-mean",
        [AGGREGATE_RANK] = "rank",
    };
    struct policy *policy;
    char *text;

    open_scratch();
    for (unsigned i = 0; i < sizeof name / sizeof name[0]; i++) {
        text = changed(base(), "rank", name[i]);
        policy = parsed(text);
        CU_ASSERT_EQUAL(policy->aggregate, i);
        CU_ASSERT_STRING_EQUAL(aggregate_name(policy->aggregate), name[i]);
        policy_close(&policy);
        free(text);
    }
    scratch_close(&scratch);
    CU_ASSERT_STRING_EQUAL(privacy_model_name(MODEL_RECURSIVE_CL_DIVERSITY),
                           "recursive-cl-diversity");
    CU_ASSERT_STRING_EQUAL(attribute_role_name(ROLE_INSENSITIVE),
                           "insensitive");
}

/* Names, defaults and what may be given are those of docs/quality.md. */
static void every_metric_has_its_name_and_defaults(void)
{
    static const struct {
        const char *name;
        enum quality_metric metric;
        enum aggregate aggregate;
        enum gs_range range;
    } rows[] = {
        {"loss", METRIC_LOSS, AGGREGATE_GEOMETRIC_MEAN, GS_WHOLE},
        {"precision", METRIC_PRECISION, AGGREGATE_ARITHMETIC_MEAN, GS_WHOLE},
        {"precision-monotonic", METRIC_PRECISION_MONOTONIC,
         AGGREGATE_ARITHMETIC_MEAN, GS_WHOLE},
        {"height", METRIC_HEIGHT, AGGREGATE_SUM, GS_NONE},
        {"non-uniform-entropy", METRIC_NON_UNIFORM_ENTROPY, AGGREGATE_SUM,
         GS_WHOLE},
        {"non-uniform-entropy-monotonic", METRIC_NON_UNIFORM_ENTROPY_MONOTONIC,
         AGGREGATE_SUM, GS_WHOLE},
        {"normalized-non-uniform-entropy",
         METRIC_NORMALIZED_NON_UNIFORM_ENTROPY, AGGREGATE_ARITHMETIC_MEAN,
         GS_NONE},
        {"discernibility", METRIC_DISCERNIBILITY, AGGREGATE_NONE, GS_NONE},
        {"discernibility-monotonic", METRIC_DISCERNIBILITY_MONOTONIC,
         AGGREGATE_NONE, GS_NONE},
        {"aecs", METRIC_AECS, AGGREGATE_NONE, GS_INNER},
        {"ambiguity", METRIC_AMBIGUITY, AGGREGATE_NONE, GS_NONE},
    };
    struct policy *policy;
    char quality[128], *plain, *text;

    open_scratch();
    plain = changed(base(), "\"weight\": 0.5", "\"weight\": 1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(quality, sizeof quality, "{\"metric\": \"%s\"}", rows[i].name);
        text = changed(
            plain,
            "{\"metric\": \"loss\", \"aggregate\": \"rank\", \"gs_factor\": "
            "0.25}",
            quality);
        policy = parsed(text);
        CU_ASSERT_EQUAL(policy->metric, rows[i].metric);
        CU_ASSERT_EQUAL(policy->aggregate, rows[i].aggregate);
        CU_ASSERT_EQUAL(policy->gs_factor, 0.5);
        CU_ASSERT_STRING_EQUAL(quality_metric_name(policy->metric),
                               rows[i].name);
        CU_ASSERT_EQUAL(quality_metric_gs(policy->metric), rows[i].range);
        policy_close(&policy);
        free(text);
    }
    free(plain);
    scratch_close(&scratch);
}

static void missing_tokens_are_whole_values(void)
{
    struct policy *policy;

    open_scratch();
    policy = parsed(base());
    CU_ASSERT(policy_is_missing(policy, bytes_of_string("")));
    CU_ASSERT(policy_is_missing(policy, bytes_of_string("n/a")));
    CU_ASSERT(!policy_is_missing(policy, bytes_of_string("n/a ")));
    CU_ASSERT(!policy_is_missing(policy, bytes_of_string("N/A")));
    CU_ASSERT(!policy_is_missing(policy, bytes_of_string("?")));
    policy_close(&policy);
    scratch_close(&scratch);
}

/* ---- subsets ---- */

#define SUBSET_POLICY(subset)                                                  \
    "{\"attributes\":{\"a\":{\"role\":\"quasi-identifying\"}},\"policy\":1,"   \
    "\"privacy\":[{\"k\":2,\"model\":\"k-anonymity\"}],\"subset\":{" subset    \
    "}}"

/* By sha256sum of coreutils, of "row\n0\n2\n". */
#define ROWS_SHA256                                                            \
    "ccd498e452b78b87f8615abc859a99172b41c5a0e3a60d44cc8c1e6c651c823e"

static void subset_is_a_list_or_a_rule(void)
{
    struct policy *policy;
    struct error err;

    open_scratch();
    scratch_write(&scratch, "rows.csv", "row\n0\n2\n");
    policy = parsed(SUBSET_POLICY("\"file\":\"rows.csv\""));
    CU_ASSERT(policy->has_subset);
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy->subset);
    CU_ASSERT(subset_contains(policy->subset, 2));
    CU_ASSERT(!subset_contains(policy->subset, 1));
    CU_ASSERT_STRING_EQUAL(policy->subset_path,
                           scratch_path(&scratch, "rows.csv"));
    CU_ASSERT_STRING_EQUAL(
        policy->canonical.data,
        SUBSET_POLICY("\"file\":{\"sha256\":\"" ROWS_SHA256 "\"}"));
    policy_close(&policy);
    policy = parsed(SUBSET_POLICY("\"rows\":\"i == 2\""));
    CU_ASSERT(subset_contains(policy->subset, 2));
    CU_ASSERT_PTR_NULL(policy->subset_path);
    CU_ASSERT_STRING_EQUAL(policy->canonical.data,
                           SUBSET_POLICY("\"rows\":\"i == 2\""));
    policy_close(&policy);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(policy_parse_canonical(
                              &policy,
                              bytes_of_string(SUBSET_POLICY(
                                  "\"file\":{\"sha256\":\"" ROWS_SHA256 "\"}")),
                              &err),
                          OK);
    CU_ASSERT(policy->has_subset);
    CU_ASSERT_PTR_NULL(policy->subset);
    policy_close(&policy);
    scratch_close(&scratch);
}

/* ---- what is refused ---- */

static void refuse(const struct test_case *test)
{
    char *before = strndup((const char *)test->input.data, test->input.size);
    char *arrow, *text;
    struct policy *policy = NULL;
    struct error err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(before);
    arrow = strstr(before, " =>");
    CU_ASSERT_PTR_NOT_NULL_FATAL(arrow);
    *arrow = '\0';
    arrow += strlen(" =>");
    text = changed(base(), before, arrow + (*arrow == ' '));
    CU_ASSERT_EQUAL(status_exit_code(parse(text, &policy, &err)), 2);
    CU_ASSERT_EQUAL(strstr(err.text, "not in this version") != NULL,
                    err.status == E_VERSION);
    CU_ASSERT_PTR_NULL(policy);
    case_expect(test, without_folder(&err));
    policy_close(&policy);
    free(text);
    free(before);
}

static void refusals_name_file_and_line(void)
{
    open_scratch();
    cases_run("tests/data/policy/refusals.cases", refuse);
    scratch_close(&scratch);
}

static void what_is_lacking_altogether_is_refused(void)
{
    open_scratch();
    refused("[]", E_INPUT,
            "policy.json: line 1: a policy that is an array, expected an "
            "object");
    refused("", E_INPUT,
            "policy.json: line 1, column 1: the text ends here, expected a "
            "value");
    refused("{\"policy\":1,\n\"privacy\":[]}", E_INPUT,
            "policy.json: line 1: no \"attributes\", expected an object with "
            "an attribute for each column");
    refused("{\"policy\":1,\n\"attributes\":{}}", E_INPUT,
            "policy.json: line 1: no \"privacy\", expected an array of privacy "
            "models");
    refused("{\"policy\":1,\n\"attributes\":{},\"privacy\":[]}", E_INPUT,
            "policy.json: line 2: no attribute is quasi-identifying, expected "
            "at least one: classes are made of them");
    refused("{\"policy\":1,\n\"attributes\":{\"a\":{\"role\":\"sensitive\"}},"
            "\"privacy\":[]}",
            E_INPUT,
            "policy.json: line 2: no attribute is quasi-identifying, expected "
            "at least one: classes are made of them");
    refused("{\"policy\":1,\"attributes\":{\"a\":{\"role\":"
            "\"quasi-identifying\"}},\n\"privacy\":[]}",
            E_INPUT,
            "policy.json: line 2: \"privacy\" is empty, expected at least one "
            "privacy model");
    scratch_close(&scratch);
}

/* The order is that of its rows. */
static void ordinals_need_a_hierarchy_for_their_order(void)
{
    static const char policy[] =
        "{\"policy\":1,\"attributes\":{\"a\":{\"role\":\"quasi-identifying\"},"
        "\"s\":{\"role\":\"sensitive\",\"type\":\"ordinal\"}},\n"
        "\"privacy\":[{\"model\":\"t-closeness-ordered\",\"attribute\":\"s\","
        "\"t\":0.5}]}";

    open_scratch();
    refused(policy, E_INPUT,
            "policy.json: line 2: \"s\" is ordinal, expected a hierarchy, "
            "whose rows are the order of its values");
    scratch_close(&scratch);
}

/* Values that never meet have no distance. */
static void distances_need_a_hierarchy_with_one_root(void)
{
    static const char policy[] =
        "{\"policy\":1,\"attributes\":{\"a\":{\"role\":\"quasi-identifying\"},"
        "\"s\":{\"role\":\"sensitive\",\"hierarchy\":\"roots.csv\"}},\n"
        "\"privacy\":[{\"model\":\"t-closeness-hierarchical\",\"attribute\":"
        "\"s\",\"t\":0.5}]}";

    open_scratch();
    scratch_write(&scratch, "roots.csv", "i;x\nj;x\nk;y\n");
    refused(policy, E_INPUT,
            "policy.json: line 2: the hierarchy of \"s\" has 2 labels at its "
            "top, expected one, under which all values are");
    scratch_close(&scratch);
}

static void policy_that_cannot_be_opened_is_refused(void)
{
    struct policy *policy = NULL;
    struct error err;

    open_scratch();
    CU_ASSERT_EQUAL(
        policy_open(&policy, scratch_path(&scratch, "no.json"), &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no.json"));
    CU_ASSERT_PTR_NULL(policy);
    scratch_close(&scratch);
}

static void hierarchies_that_cannot_be_used_are_refused(void)
{
    struct policy *policy = NULL;
    struct error err;
    char *text;

    open_scratch();
    text = changed(base(), "age.csv", "no.csv");
    CU_ASSERT_EQUAL(parse(text, &policy, &err), E_INPUT);
    without_folder(&err);
    CU_ASSERT_PTR_EQUAL(
        strstr(err.text, "policy.json: line 9: hierarchy of \"age\": no.csv: "),
        err.text);
    free(text);

    /* A sensitive attribute's as well. */
    scratch_write(&scratch, "diagnosis.csv", "I10,circulatory,*\nI10,x,*\n");
    CU_ASSERT_EQUAL(parse(base(), &policy, &err), E_INPUT);
    without_folder(&err);
    CU_ASSERT_PTR_EQUAL(
        strstr(err.text, "policy.json: line 12: hierarchy of \"diagnosis\": "
                         "diagnosis.csv: "),
        err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "line 2"));
    CU_ASSERT_PTR_NULL(strstr(err.text, "I10"));
    scratch_close(&scratch);
}

/* ---- limits ---- */

/* A policy with `count` attributes of a role besides one quasi-identifier and
 * `models` privacy models. */
static void write_many(struct text *text, size_t count, const char *role,
                       size_t models, size_t tokens)
{
    struct error err;

    text_reset(text);
    CU_ASSERT_EQUAL(
        text_append_string(text,
                           "{\"policy\":1,\"attributes\":{\"q\":{\"role\":"
                           "\"quasi-identifying\"}",
                           &err),
        OK);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(
            text_printf(text, &err, ",\"a%zu\":{\"role\":\"%s\"}", i, role),
            OK);
    CU_ASSERT_EQUAL(
        text_append_string(text, "},\"table\":{\"missing\":[", &err), OK);
    for (size_t i = 0; i < tokens; i++)
        CU_ASSERT_EQUAL(
            text_printf(text, &err, "%s\"%zu\"", i > 0 ? "," : "", i), OK);
    CU_ASSERT_EQUAL(text_append_string(text, "]},\"privacy\":[", &err), OK);
    for (size_t i = 0; i < models; i++)
        CU_ASSERT_EQUAL(text_printf(text, &err,
                                    "%s{\"model\":\"k-anonymity\",\"k\":2}",
                                    i > 0 ? "," : ""),
                        OK);
    CU_ASSERT_EQUAL(text_append_string(text, "]}", &err), OK);
}

static void limits_hold(void)
{
    static const struct {
        size_t count;
        const char *role;
        size_t models;
        size_t tokens;
        const char *expected; /* NULL: accepted */
    } row[] = {
        {QUASI_IDENTIFIERS_MAX - 1, "quasi-identifying", 1, 0, NULL},
        {QUASI_IDENTIFIERS_MAX, "quasi-identifying", 1, 0,
         "policy.json: line 1: 65 attributes are quasi-identifying, expected "
         "at most 64"},
        {SENSITIVE_MAX, "sensitive", 1, 0, NULL},
        {SENSITIVE_MAX + 1, "sensitive", 1, 0,
         "policy.json: line 1: 65 attributes are sensitive, expected at most "
         "64"},
        {TABLE_COLUMNS_MAX - 1, "insensitive", 1, 0, NULL},
        {TABLE_COLUMNS_MAX, "insensitive", 1, 0,
         "policy.json: line 1: 4097 attributes, expected at most 4096"},
        {0, "", CRITERIA_MAX, 0, NULL},
        {0, "", CRITERIA_MAX + 1, 0,
         "policy.json: line 1: 257 privacy models, expected at most 256"},
        {0, "", 1, MISSING_TOKENS_MAX, NULL},
        {0, "", 1, MISSING_TOKENS_MAX + 1,
         "policy.json: line 1: \"missing\" has 65 tokens, expected at most "
         "64"},
    };
    struct policy *policy = NULL;
    struct text text;

    open_scratch();
    text_init(&text);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        write_many(&text, row[i].count, row[i].role, row[i].models,
                   row[i].tokens);
        if (row[i].expected != NULL) {
            refused(text.data, E_LIMIT, row[i].expected);
            continue;
        }
        policy = parsed(text.data);
        policy_close(&policy);
    }
    text_clear(&text);
    scratch_close(&scratch);
}

/* ---- the digest ---- */

static void digest_is_of_the_canonical_form(void)
{
    /* RFC 8785 form of base.json, made by hand; its SHA-256 is computed here
     * by common/digest.h, which has its own tests. */
    static const char canonical[] =
        "{\"attributes\":{"
        "\"age\":{\"hierarchy\":{\"sha256\":\"" AGE_SHA256
        "\"},\"max_level\":2,\"min_level\":1,\"role\":\"quasi-identifying\","
        "\"type\":\"integer\",\"weight\":0.5},"
        "\"diagnosis\":{\"hierarchy\":{\"sha256\":\"" DIAGNOSIS_SHA256
        "\"},\"role\":\"sensitive\"},"
        "\"doctor\":{\"role\":\"sensitive\",\"type\":\"string\"},"
        "\"patient\":{\"role\":\"subject\"},"
        "\"sex\":{\"role\":\"quasi-identifying\"},"
        "\"surname\":{\"role\":\"identifying\"},"
        "\"ward\":{\"role\":\"insensitive\"}},"
        "\"description\":\"what the cases of refusals.cases change\","
        "\"name\":\"base\",\"policy\":1,"
        "\"privacy\":[{\"k\":5,\"model\":\"k-anonymity\"},"
        "{\"attribute\":\"diagnosis\",\"l\":2,"
        "\"model\":\"distinct-l-diversity\"},"
        "{\"attribute\":\"doctor\",\"estimator\":\"grassberger\",\"l\":1.5,"
        "\"model\":\"entropy-l-diversity\"},"
        "{\"attribute\":\"diagnosis\",\"c\":0.5,\"l\":3,"
        "\"model\":\"recursive-cl-diversity\"}],"
        "\"quality\":{\"aggregate\":\"rank\",\"gs_factor\":0.25,"
        "\"metric\":\"loss\"},"
        "\"search\":{\"strategy\":\"optimal\"},"
        "\"suppressed_rows\":\"drop\",\"suppression_limit\":0.02,"
        "\"table\":{\"delimiter\":\";\",\"missing\":[\"\",\"n/a\"]},"
        "\"transformation\":{\"method\":\"full-domain\"},"
        "\"unlisted\":\"remove\"}";
    struct policy *policy;
    struct digest expected;
    struct error err;

    open_scratch();
    policy = parsed(base());
    CU_ASSERT_EQUAL(digest_bytes(&expected, bytes_of_string(canonical), &err),
                    OK);
    CU_ASSERT(memcmp(&expected, &policy->digest, sizeof expected) == 0);
    policy_close(&policy);
    scratch_close(&scratch);
}

static struct digest digest_of(const char *text)
{
    struct policy *policy = parsed(text);
    struct digest digest = policy->digest;

    policy_close(&policy);
    return digest;
}

static void digest_follows_content_not_names(void)
{
    struct digest before, renamed, edited, reworded;
    char *text;

    open_scratch();
    before = digest_of(base());
    scratch_write(&scratch, "other.csv", AGE_CSV);
    text = changed(base(), "age.csv", "other.csv");
    renamed = digest_of(text);
    CU_ASSERT(memcmp(&before, &renamed, sizeof before) == 0);
    scratch_write(&scratch, "other.csv", AGE_CSV "52;50-54;50-59;*\n");
    edited = digest_of(text);
    CU_ASSERT(memcmp(&before, &edited, sizeof before) != 0);
    free(text);
    text = changed(base(), "\"k\": 5", "\"k\": 6");
    reworded = digest_of(text);
    CU_ASSERT(memcmp(&before, &reworded, sizeof before) != 0);
    free(text);
    /* White space and the order of members are not content. */
    text = changed(base(), "\"policy\": 1,", "");
    reworded = (struct digest){{0}};
    {
        char *moved =
            changed(text, "\"search\":", "\n\"policy\" : 1e0 ,\"search\":");

        reworded = digest_of(moved);
        free(moved);
    }
    CU_ASSERT(memcmp(&before, &reworded, sizeof before) == 0);
    free(text);
    scratch_close(&scratch);
}

void suite_policy(void)
{
    static const struct test tests[] = {
        {"a subset is a list or a rule", subset_is_a_list_or_a_rule},
        {"every field is read", every_field_is_read},
        {"attributes are read in the order of the file",
         attributes_are_read_in_order},
        {"models are read in the order of the file", models_are_read_in_order},
        {"what is not given has its default",
         what_is_not_given_has_its_default},
        {"borders are inside", borders_are_inside},
        {"every aggregate has its name", every_aggregate_has_its_name},
        {"every metric has its name and defaults",
         every_metric_has_its_name_and_defaults},
        {"missing tokens are whole values", missing_tokens_are_whole_values},
        {"refusals name file and line", refusals_name_file_and_line},
        {"what is lacking altogether is refused",
         what_is_lacking_altogether_is_refused},
        {"a policy that cannot be opened is refused",
         policy_that_cannot_be_opened_is_refused},
        {"distances need a hierarchy with one root",
         distances_need_a_hierarchy_with_one_root},
        {"ordinals need a hierarchy for their order",
         ordinals_need_a_hierarchy_for_their_order},
        {"hierarchies that cannot be used are refused",
         hierarchies_that_cannot_be_used_are_refused},
        {"limits hold", limits_hold},
        {"the digest is of the canonical form",
         digest_is_of_the_canonical_form},
        {"the digest follows content, not names",
         digest_follows_content_not_names},
    };

    suite_add("policy", tests, sizeof tests / sizeof tests[0]);
}
