#include "broker/purpose.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

void suite_purpose(void);

#define DUO PURPOSE_DUO_SYSTEM
#define REASON PURPOSE_REASON_SYSTEM

/* ---- codes ---- */

/* The numbers of duo.csv in EBISPOT/DUO: 2 classes, 5 permissions and 18
 * modifiers, of which clinical care allows and all others restrict. */
static void all_of_duo_is_there(void)
{
    static const char *const uses[] = {"0000004", "0000006", "0000007",
                                       "0000011", "0000042", "0000043"};
    static const char *const restrictions[] = {
        "0000012", "0000015", "0000016", "0000018", "0000019", "0000020",
        "0000021", "0000022", "0000024", "0000025", "0000026", "0000027",
        "0000028", "0000029", "0000044", "0000045", "0000046"};
    struct purposes request;
    enum purpose purpose;
    struct error err;
    char code[16] = "DUO:";

    CU_ASSERT_EQUAL(PURPOSE_COUNT - 3, 25);
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        request.set = 0;
        memcpy(code + 4, uses[i], 8);
        error_init(&err);
        CU_ASSERT(purpose_find(bytes_of_string(code), &purpose));
        CU_ASSERT_STRING_EQUAL(purpose_code(purpose), code);
        CU_ASSERT(strlen(purpose_name(purpose)) > 0);
        CU_ASSERT_EQUAL(
            purposes_add_requested(&request, bytes_of_string(code), &err), OK);
        CU_ASSERT_EQUAL(purposes_check_request(request, &err), OK);
    }
    for (size_t i = 0; i < sizeof restrictions / sizeof restrictions[0]; i++) {
        request.set = 0;
        memcpy(code + 4, restrictions[i], 8);
        error_init(&err);
        CU_ASSERT_EQUAL(
            purposes_add_requested(&request, bytes_of_string(code), &err), OK);
        CU_ASSERT_EQUAL(purposes_check_request(request, &err), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "restrictions only"));
    }
}

static void refuse_requested(const char *code, const char *words)
{
    struct purposes request = {0};
    struct error err;

    error_init(&err);
    purposes_add(&request, PURPOSE_DUO_0000042);
    CU_ASSERT_EQUAL(
        purposes_add_requested(&request, bytes_of_string(code), &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT_EQUAL(request.set, UINT32_C(1) << PURPOSE_DUO_0000042);
}

static void request_of_what_is_no_purpose_is_refused(void)
{
    struct purposes none = {0};
    struct error err;

    refuse_requested("", "no purpose");
    refuse_requested("DUO:0000001", "no purpose");
    refuse_requested("DUO:0000017", "no purpose");
    refuse_requested("DUO:0000099", "no purpose");
    refuse_requested("DUO:42", "no purpose");
    refuse_requested("0000042", "no purpose");
    refuse_requested("duo:0000042", "no purpose");
    refuse_requested("DUO:00000421", "no purpose");
    refuse_requested("HRESCH", "no purpose");
    refuse_requested("undecided", "no purpose");
    refuse_requested("DUO:0000042", "DUO:0000042 stands there twice");
    error_init(&err);
    CU_ASSERT_EQUAL(purposes_check_request(none, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no purpose"));
}

static void codings_are_purposes(void)
{
    CU_ASSERT_EQUAL(purpose_of_coding(DUO, "DUO:0000006"), PURPOSE_DUO_0000006);
    CU_ASSERT_EQUAL(purpose_of_coding(REASON, "HRESCH"), PURPOSE_HRESCH);
    CU_ASSERT_EQUAL(purpose_of_coding(REASON, "TREAT"), PURPOSE_OTHER_REASON);
    CU_ASSERT_EQUAL(purpose_of_coding(REASON, "hresch"), PURPOSE_OTHER_REASON);
    CU_ASSERT_EQUAL(purpose_of_coding(REASON, "DUO:0000006"),
                    PURPOSE_OTHER_REASON);
}

static void unknown_codings_are_undecided(void)
{
    CU_ASSERT_EQUAL(purpose_of_coding(DUO, "DUO:0000001"), PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding(DUO, "DUO:0000099"), PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding(DUO, "HRESCH"), PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding(DUO, "other-reason"), PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding("urn:x", "HRESCH"), PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding(DUO "#", "DUO:0000006"),
                    PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding(NULL, "HRESCH"), PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding(DUO, NULL), PURPOSE_UNDECIDED);
    CU_ASSERT_EQUAL(purpose_of_coding(NULL, NULL), PURPOSE_UNDECIDED);
}

/* ---- matching ----
 *
 * Lists are written as last digits of DUO codes, "42 6"; H is HRESCH, o another
 * reason, ? what is not known. */

static struct purposes list_of(const char *words)
{
    struct purposes list = {0};

    while (*words != '\0') {
        char code[24] = "DUO:00000";
        enum purpose purpose;

        if (*words == 'H')
            purposes_add(&list, PURPOSE_HRESCH);
        else if (*words == 'o')
            purposes_add(&list, PURPOSE_OTHER_REASON);
        else if (*words == '?')
            purposes_add(&list, PURPOSE_UNDECIDED);
        else if (*words != ' ') {
            memcpy(code + 9, words, 2);
            CU_ASSERT_FATAL(purpose_find(bytes_of(code, 11), &purpose));
            purposes_add(&list, purpose);
            words++;
        }
        words++;
    }
    return list;
}

static bool permits(const char *rule, const char *request)
{
    return purposes_permit(list_of(rule), list_of(request));
}

static bool denies(const char *rule, const char *request)
{
    return purposes_deny(list_of(rule), list_of(request));
}

static void hresch_permits_any_research(void)
{
    CU_ASSERT(permits("H", "42"));
    CU_ASSERT(permits("H", "04"));
    CU_ASSERT(permits("H", "06 07 11 42"));
    CU_ASSERT(permits("H", "06 18 25"));
    CU_ASSERT(permits("H o", "42"));
    CU_ASSERT(!permits("H", "43"));
    CU_ASSERT(!permits("H", "42 43"));
    CU_ASSERT(permits("H 43", "42 43"));
}

static void duo_code_permits_the_equal_code_only(void)
{
    CU_ASSERT(permits("06", "06"));
    CU_ASSERT(!permits("42", "06"));
    CU_ASSERT(!permits("04", "42"));
    CU_ASSERT(!permits("06", "42"));
    CU_ASSERT(permits("06 11 42", "42 06"));
}

static void permit_covers_every_purpose(void)
{
    CU_ASSERT(!permits("06", "06 11"));
    CU_ASSERT(!permits("06", "06 18"));
    CU_ASSERT(permits("06 11", "06 11"));
}

static void restriction_of_a_permit_must_be_accepted(void)
{
    CU_ASSERT(!permits("42 18", "42"));
    CU_ASSERT(permits("42 18", "42 18"));
    CU_ASSERT(!permits("H 18", "42"));
    CU_ASSERT(permits("H 18", "42 18"));
    CU_ASSERT(permits("H 18", "42 18 25"));
    CU_ASSERT(!permits("42 18 25", "42 18"));
}

static void undecided_purpose_permits_nothing(void)
{
    CU_ASSERT(!permits("?", "42"));
    CU_ASSERT(!permits("? 42", "42"));
    CU_ASSERT(!permits("? H", "42"));
    CU_ASSERT(!permits("o", "42"));
    CU_ASSERT(permits("o 42", "42"));
}

static void denial_needs_to_touch_a_purpose_only(void)
{
    CU_ASSERT(denies("06", "06"));
    CU_ASSERT(denies("06", "11 06"));
    CU_ASSERT(denies("11 06", "06"));
    CU_ASSERT(denies("H", "42"));
    CU_ASSERT(denies("H", "43"));
}

static void denial_reaches_what_it_may_overlap(void)
{
    CU_ASSERT(denies("42", "06"));
    CU_ASSERT(denies("06", "42"));
    CU_ASSERT(denies("11", "42"));
    CU_ASSERT(denies("07", "06"));
    CU_ASSERT(denies("06", "07"));
    CU_ASSERT(denies("04", "43"));
    CU_ASSERT(denies("43", "04"));
}

static void denial_passes_over_what_it_cannot_mean(void)
{
    CU_ASSERT(!denies("11", "06"));
    CU_ASSERT(!denies("11", "07 18"));
    CU_ASSERT(!denies("06", "11"));
    CU_ASSERT(!denies("43", "42"));
    CU_ASSERT(!denies("42", "43"));
    CU_ASSERT(!denies("06 07", "11 43"));
}

static void denial_of_what_is_undecided_matches(void)
{
    CU_ASSERT(denies("?", "42"));
    CU_ASSERT(denies("o", "42"));
    CU_ASSERT(denies("18", "42"));
    CU_ASSERT(denies("11 ?", "06"));
}

void suite_purpose(void)
{
    static const struct test tests[] = {
        {"all of DUO is there", all_of_duo_is_there},
        {"a request of what is no purpose is refused",
         request_of_what_is_no_purpose_is_refused},
        {"codings are purposes", codings_are_purposes},
        {"unknown codings are undecided", unknown_codings_are_undecided},
        {"HRESCH permits any research, not clinical care",
         hresch_permits_any_research},
        {"a DUO code permits the equal code only",
         duo_code_permits_the_equal_code_only},
        {"a permit covers every purpose", permit_covers_every_purpose},
        {"a restriction of a permit must be accepted",
         restriction_of_a_permit_must_be_accepted},
        {"an undecided purpose permits nothing",
         undecided_purpose_permits_nothing},
        {"a denial needs to touch a purpose only",
         denial_needs_to_touch_a_purpose_only},
        {"a denial reaches what it may overlap",
         denial_reaches_what_it_may_overlap},
        {"a denial passes over what it cannot mean",
         denial_passes_over_what_it_cannot_mean},
        {"a denial of what is undecided matches",
         denial_of_what_is_undecided_matches},
    };

    suite_add("purpose", tests, sizeof tests / sizeof tests[0]);
}
