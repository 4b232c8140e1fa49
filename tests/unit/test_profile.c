#include "anonymizer/profile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/hierarchy.h"
#include "common/files.h"
#include "common/json.h"
#include "tests/lib/suite.h"

void suite_profile(void);

static struct profile *make(const char *text)
{
    struct profile_options options = {.subset_size = 1};
    struct profile *profile = NULL;
    struct error err;
    int fd = -1;

    CU_ASSERT_EQUAL_FATAL(temporary_open(&fd, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        descriptor_write(fd, bytes_of_string(text), "a test's table", &err),
        OK);
    CU_ASSERT_EQUAL_FATAL(lseek(fd, 0, SEEK_SET), 0);
    CU_ASSERT_EQUAL_FATAL(profile_make(&profile, fd, "t.csv", &options, &err),
                          OK);
    close(fd);
    return profile;
}

/* A table of one column beside another that is a quasi-identifier, with the
 * lines repeated. */
static struct profile *make_column(const char *name, const char *const *values,
                                   size_t count, size_t rows)
{
    struct profile *profile;
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_printf(&text, &err, "sex;%s\n", name), OK);
    for (size_t i = 0; i < rows; i++)
        CU_ASSERT_EQUAL(text_printf(&text, &err, "%c;%s\n",
                                    i % 2 == 0 ? 'f' : 'm', values[i % count]),
                        OK);
    profile = make(text.data);
    text_clear(&text);
    return profile;
}

#define COLUMN(name, rows, ...)                                                \
    make_column((name), (const char *const[]){__VA_ARGS__},                    \
                sizeof(const char *[]){__VA_ARGS__} / sizeof(char *), (rows))

static void check_role(struct profile *profile, enum role role,
                       const char *reason)
{
    CU_ASSERT_EQUAL(profile->roles.at[1].role, role);
    CU_ASSERT_PTR_NOT_NULL(strstr(profile->roles.at[1].reason, reason));
    if (profile->roles.at[1].role != role ||
        strstr(profile->roles.at[1].reason, reason) == NULL)
        printf("\n    %s: %d, %s\n", profile->columns.at[1].name,
               (int)profile->roles.at[1].role, profile->roles.at[1].reason);
    profile_destroy(&profile);
}

static void check_type(struct profile *profile, enum profile_type type)
{
    CU_ASSERT_EQUAL(profile->about[1].type, type);
    profile_destroy(&profile);
}

static void types_are_those_of_all_values(void)
{
    check_type(COLUMN("x", 4, "1", "-2", "NA"), PROFILE_INTEGER);
    check_type(COLUMN("x", 4, "1", "2.5", ""), PROFILE_DECIMAL);
    check_type(COLUMN("x", 4, "007", "008"), PROFILE_STRING);
    check_type(COLUMN("x", 4, "2020-01-31", "2020-02-01"), PROFILE_DATE);
    check_type(COLUMN("x", 4, "20200131", "20200201"), PROFILE_DATE);
    check_type(COLUMN("x", 4, "2020-01-31", "2020-02-30"), PROFILE_STRING);
    check_type(COLUMN("x", 4, "0-9", "10-19", "20+"), PROFILE_ORDINAL);
    check_type(COLUMN("x", 4, "", "NA", "NULL", "?"), PROFILE_EMPTY);
}

static void dates_that_can_be_read_in_two_ways_are_told(void)
{
    struct profile *profile = COLUMN("x", 4, "01/02/2020", "03/04/2020");

    CU_ASSERT_EQUAL(profile->about[1].date, DATE_FORMAT_AMERICAN);
    CU_ASSERT_TRUE(profile->about[1].date_ambiguous);
    profile_destroy(&profile);
    profile = COLUMN("x", 4, "01/02/2020", "13/04/2020");
    CU_ASSERT_EQUAL(profile->about[1].date, DATE_FORMAT_BRITISH);
    CU_ASSERT_FALSE(profile->about[1].date_ambiguous);
    profile_destroy(&profile);
}

static void roles_follow_the_surest_finding(void)
{
    check_role(
        COLUMN("email", 30, "a@example.org", "b@example.org", "c@example.org"),
        ROLE_IDENTIFYING, "by name and values (Safe Harbor F, 1.00)");
    check_role(COLUMN("x", 30, "a@example.org", "b@example.org"),
               ROLE_IDENTIFYING, "by values (Safe Harbor F, 0.95)");
    check_role(COLUMN("x", 30, "none", "some", "more", "a@example.org"),
               ROLE_IDENTIFYING, "some of its values are e-mail addresses");
    check_role(COLUMN("x", 30, "Anna Kim", "P. Smith", "J. Doe", "Maria L.",
                      "Hans B."),
               ROLE_IDENTIFYING, "names, by values (Safe Harbor A");
    check_role(COLUMN("diagnosis", 30, "flu", "gout"), ROLE_SENSITIVE,
               "health, by name");
    check_role(COLUMN("age", 30, "39", "50"), ROLE_QUASI_IDENTIFYING,
               "ages, by name (Safe Harbor C, 0.95)");
    check_role(COLUMN("age", 30, "39", "90"), ROLE_QUASI_IDENTIFYING,
               "ages over 89 occur");
    check_role(COLUMN("x", 30, "2020-01-01", "2020-05-06"),
               ROLE_QUASI_IDENTIFYING, "dates, by values (Safe Harbor C");
}

static void values_can_break_what_a_name_promises(void)
{
    /* yes and no are no telephone numbers */
    check_role(COLUMN("phone", 30, "yes", "no"), ROLE_IDENTIFYING,
               "not recognised");
    /* ages are not above 130 */
    check_role(COLUMN("age", 30, "39", "1950"), ROLE_IDENTIFYING,
               "not recognised");
}

static void what_nobody_recognises_is_removed(void)
{
    check_role(COLUMN("qwxz", 30, "a", "b"), ROLE_IDENTIFYING,
               "not recognised: removed until somebody says what it is");
    check_role(COLUMN("qwxz", 30, "a"), ROLE_INSENSITIVE,
               "the same in every row");
    check_role(COLUMN("qwxz", 30, "", "NA"), ROLE_INSENSITIVE,
               "no value in it");
    /* One town is a town. */
    check_role(COLUMN("city", 30, "Springfield"), ROLE_QUASI_IDENTIFYING,
               "areas smaller than a state");
}

/* Rows that each have their own number. */
static struct profile *make_numbered(const char *first, const char *second)
{
    struct profile *profile;
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_printf(&text, &err, "%s;%s;sex\n", first, second), OK);
    for (unsigned i = 0; i < 30; i++)
        CU_ASSERT_EQUAL(text_printf(&text, &err, "S%u;E%u;f\n", i / 2, i), OK);
    profile = make(text.data);
    text_clear(&text);
    return profile;
}

static void the_subject_has_a_number_in_each_row(void)
{
    struct profile *profile = make_numbered("ward", "mrn");

    CU_ASSERT_EQUAL(profile->roles.at[1].role, ROLE_SUBJECT);
    CU_ASSERT_EQUAL(profile->roles.subject_repeats, SIZE_MAX);
    profile_destroy(&profile);
    profile = make_numbered("ward", "id");
    CU_ASSERT_EQUAL(profile->roles.at[1].role, ROLE_SUBJECT);
    profile_destroy(&profile);
}

static void a_patient_with_two_rows_is_told(void)
{
    struct profile *profile = make_numbered("patient_id", "encounter_id");

    CU_ASSERT_EQUAL(profile->roles.at[0].role, ROLE_IDENTIFYING);
    CU_ASSERT_EQUAL(profile->roles.at[1].role, ROLE_IDENTIFYING);
    CU_ASSERT_EQUAL(profile->roles.subject_repeats, 0);
    profile_destroy(&profile);
}

static void a_table_without_known_columns_has_a_quasi_identifier(void)
{
    struct profile *profile = make("qwxz,vvkk\n1,2\n2,3\n");

    CU_ASSERT_EQUAL(profile->roles.at[0].role, ROLE_QUASI_IDENTIFYING);
    profile_destroy(&profile);
    profile = make("diagnosis\nflu\ngout\n");
    CU_ASSERT_EQUAL(profile->roles.at[0].role, ROLE_QUASI_IDENTIFYING);
    profile_destroy(&profile);
}

/* ---- hierarchies ---- */

static void check_hierarchy(struct profile *profile, const char *expected)
{
    const struct profile_draft_column *draft = &profile->draft.at[1];
    struct hierarchy *hierarchy = NULL;
    struct error err;

    CU_ASSERT_STRING_EQUAL(draft->hierarchy.data, expected);
    if (strcmp(draft->hierarchy.data, expected) != 0)
        printf("\n%s", draft->hierarchy.data);
    CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&hierarchy,
                                          text_bytes(&draft->hierarchy),
                                          "h.csv", &err),
                          OK);
    CU_ASSERT_EQUAL(hierarchy_levels(hierarchy), draft->levels);
    hierarchy_close(&hierarchy);
    profile_destroy(&profile);
}

/* Widths of five years, as asked for; 0 to 95 are 20, 10, 5 and 3 groups. */
static void ages_become_groups_with_the_oldest_in_one(void)
{
    check_hierarchy(COLUMN("age", 30, "0", "44", "89", "90", "97", ""),
                    "0;0-4;0-9;0-19;0-39;*\n"
                    "44;40-44;40-49;40-59;40-79;*\n"
                    "89;85-89;80-89;>= 80;>= 80;*\n"
                    "90;>= 90;>= 90;>= 80;>= 80;*\n"
                    "97;>= 90;>= 90;>= 80;>= 80;*\n"
                    ";;;;;*\n");
}

static void ages_above_89_begin_at_level_one(void)
{
    struct profile *profile = COLUMN("age", 30, "1", "40", "60", "70", "90");

    CU_ASSERT_EQUAL(profile->draft.at[1].level_min, 1);
    profile_destroy(&profile);
    profile = COLUMN("age", 30, "1", "40", "60", "70", "89");
    CU_ASSERT_EQUAL(profile->draft.at[1].level_min, 0);
    profile_destroy(&profile);
}

/* 150 to 200 over 20 is 2.5: widths of 5, 10, 20 (four groups) and 40 (three);
 * 0.6 over 20 is 0.03: 0.05, 0.1, 0.2 (four) and 0.4 (two). */
static void numbers_become_intervals_of_round_width(void)
{
    check_hierarchy(COLUMN("height", 30, "150", "151", "163", "179", "200"),
                    "150;150-154;150-159;140-159;120-159;*\n"
                    "151;150-154;150-159;140-159;120-159;*\n"
                    "163;160-164;160-169;160-179;160-199;*\n"
                    "179;175-179;170-179;160-179;160-199;*\n"
                    "200;200-204;200-209;200-219;200-239;*\n");
    check_hierarchy(
        COLUMN("bmi", 30, "-0.3", "0", "0.1", "0.2", "0.3"),
        "-0.3;[-0.30, -0.25[;[-0.30, -0.20[;[-0.40, -0.20[;[-0.40, 0.00[;*\n"
        "0;[0.00, 0.05[;[0.00, 0.10[;[0.00, 0.20[;[0.00, 0.40[;*\n"
        "0.1;[0.10, 0.15[;[0.10, 0.20[;[0.00, 0.20[;[0.00, 0.40[;*\n"
        "0.2;[0.20, 0.25[;[0.20, 0.30[;[0.20, 0.40[;[0.00, 0.40[;*\n"
        "0.3;[0.30, 0.35[;[0.30, 0.40[;[0.20, 0.40[;[0.00, 0.40[;*\n");
}

static void dates_become_months_years_and_decades(void)
{
    check_hierarchy(COLUMN("birth date", 30, "2004-02-29", "1999-12-31", "NA"),
                    "2004-02-29;2004-02;2004;2000s;*\n"
                    "1999-12-31;1999-12;1999;1990s;*\n"
                    ";;;;*\n");
    check_hierarchy(COLUMN("birth date", 30, "2004-02-29T10:00Z"),
                    "2004-02-29T10:00Z;2004-02-29;2004-02;2004;2000s;*\n");
}

static void ranges_become_neighbours_in_their_order(void)
{
    check_hierarchy(COLUMN("age group", 30, "20+", "0-4", "10-19", "5-9"),
                    "0-4;0-4 to 5-9;*\n"
                    "5-9;0-4 to 5-9;*\n"
                    "10-19;10-19 to 20+;*\n"
                    "20+;10-19 to 20+;*\n");
}

static void postal_codes_lose_characters_from_the_right(void)
{
    struct profile *profile =
        COLUMN("zip", 30, "01234", "01235", "01236", "01237", "01238", "01239",
               "01240", "01241", "01242", "01243", "99999");

    CU_ASSERT_EQUAL(strncmp(profile->draft.at[1].hierarchy.data,
                            "01234;0123*;012**;01***;0****;*\n", 32),
                    0);
    CU_ASSERT_STRING_EQUAL(profile->draft.at[1].file, "column-02-zip.csv");
    profile_destroy(&profile);
}

static void rare_values_become_other(void)
{
    /* One in forty is rare, one in twenty is not. */
    static const char *const values[40] = {
        "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a",
        "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a",
        "a", "a", "a", "a", "a", "a", "a", "a", "b", "b", "c", "d"};

    check_hierarchy(make_column("country", values, 40, 40),
                    "a;a;*\nb;b;*\nc;other;*\nd;other;*\n");
}

static void few_values_have_no_hierarchy(void)
{
    struct profile *profile = COLUMN("marital", 30, "yes", "no");

    CU_ASSERT_EQUAL(profile->draft.at[1].levels, 2);
    CU_ASSERT_PTR_NULL(profile->draft.at[1].file);
    profile_destroy(&profile);
}

/* Fourteen of six levels or so would be 10^10 transformations. */
static void large_lattices_are_narrowed(void)
{
    struct profile *profile;
    struct text text;
    struct error err;

    text_init(&text);
    for (unsigned i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(
            text_printf(&text, &err, "%sage %c", i > 0 ? ";" : "", 'a' + i),
            OK);
    for (unsigned row = 0; row < 100; row++)
        for (unsigned i = 0; i < 20; i++)
            CU_ASSERT_EQUAL(
                text_printf(&text, &err, "%c%u", i == 0 ? '\n' : ';', row % 80),
                OK);
    profile = make(text.data);
    CU_ASSERT_TRUE(profile->draft.lattice <= PROFILE_LATTICE_MAX);
    CU_ASSERT_TRUE(profile->draft.lattice > PROFILE_LATTICE_MAX / 4.0);
    CU_ASSERT_EQUAL(profile->draft.narrowed, 20);
    for (unsigned i = 0; i < 20; i++)
        CU_ASSERT_TRUE(profile->draft.at[i].level_min <
                       profile->draft.at[i].levels);
    profile_destroy(&profile);
    text_clear(&text);
}

void suite_profile(void)
{
    static const struct test tests[] = {
        {"types are those of all values", types_are_those_of_all_values},
        {"dates that can be read in two ways are told",
         dates_that_can_be_read_in_two_ways_are_told},
        {"roles follow the surest finding", roles_follow_the_surest_finding},
        {"values can break what a name promises",
         values_can_break_what_a_name_promises},
        {"what nobody recognises is removed",
         what_nobody_recognises_is_removed},
        {"the subject has a number in each row",
         the_subject_has_a_number_in_each_row},
        {"a patient with two rows is told", a_patient_with_two_rows_is_told},
        {"a table without known columns has a quasi-identifier",
         a_table_without_known_columns_has_a_quasi_identifier},
        {"ages become groups with the oldest in one",
         ages_become_groups_with_the_oldest_in_one},
        {"ages above 89 begin at level one", ages_above_89_begin_at_level_one},
        {"numbers become intervals of round width",
         numbers_become_intervals_of_round_width},
        {"dates become months, years and decades",
         dates_become_months_years_and_decades},
        {"ranges become neighbours in their order",
         ranges_become_neighbours_in_their_order},
        {"postal codes lose characters from the right",
         postal_codes_lose_characters_from_the_right},
        {"rare values become other", rare_values_become_other},
        {"few values have no hierarchy", few_values_have_no_hierarchy},
        {"large lattices are narrowed", large_lattices_are_narrowed},
    };

    suite_add("profile", tests, sizeof tests / sizeof *tests);
}
