#include "datasets/hospital.h"

#include <string.h>

#include "datasets/city.h"
#include "datasets/staff.h"
#include "tests/lib/hospital_capture.h"
#include "tests/lib/suite.h"

void suite_hospital(void);

enum { PATIENTS = 20000 };

/* Several visits, so that follow-ups are tested too. */
static struct hospital *busy_hospital(void)
{
    return hospital_make((struct hospital_options){
        .seed = 7, .days = HOSPITAL_DAYS, .visits = 4});
}

/* ---- the calendar ---- */

static int month_length(int year, int month)
{
    static const int length[] = {31, 28, 31, 30, 31, 30,
                                 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : length[month - 1];
}

/* Counting day by day, from a Julian day number of the astronomers' tables:
 * 2415021 is noon of 1900-01-01, 2440588 that of 1970-01-01. */
static void calendar_counts_every_day(void)
{
    int32_t day = 2415021 - 2440588;
    int wrong = 0;

    for (int year = 1900; year <= 2100; year++)
        for (int month = 1; month <= 12; month++)
            for (int i = 1; i <= month_length(year, month); i++, day++) {
                struct date date = calendar_date(day);

                wrong += date.year != year || date.month != month ||
                         date.day != i ||
                         calendar_day((struct date){year, month, i}) != day;
            }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(day, 2488435 - 2440588); /* 2101-01-01 */
}

static void dates_have_leading_zeros(void)
{
    char text[CALENDAR_TEXT_SIZE];

    calendar_write((struct date){2023, 4, 9}, text);
    CU_ASSERT_NSTRING_EQUAL(text, "2023-04-09", CALENDAR_TEXT_SIZE);
}

static void age_counts_birthdays(void)
{
    struct date birth = {2000, 5, 17}, leap = {2000, 2, 29};

    CU_ASSERT_EQUAL(calendar_age(birth, (struct date){2000, 5, 17}), 0);
    CU_ASSERT_EQUAL(calendar_age(birth, (struct date){2001, 5, 16}), 0);
    CU_ASSERT_EQUAL(calendar_age(birth, (struct date){2001, 5, 17}), 1);
    CU_ASSERT_EQUAL(calendar_age(birth, (struct date){2024, 4, 30}), 23);
    CU_ASSERT_EQUAL(calendar_age(leap, (struct date){2023, 2, 28}), 22);
    CU_ASSERT_EQUAL(calendar_age(leap, (struct date){2023, 3, 1}), 23);
    CU_ASSERT_EQUAL(calendar_age(leap, (struct date){2024, 2, 29}), 24);
}

/* ---- patients ---- */

static bool same_patient(const struct patient *a, const struct patient *b)
{
    return a->number == b->number && a->sex == b->sex && a->city == b->city &&
           calendar_day(a->birth) == calendar_day(b->birth) &&
           a->first_day == b->first_day && a->family == b->family &&
           a->syllable == b->syllable && a->ending == b->ending &&
           a->style == b->style &&
           memcmp(&a->random, &b->random, sizeof a->random) == 0;
}

static void patients_do_not_depend_on_those_before(void)
{
    struct hospital *hospital = busy_hospital();
    struct patient forward[100], alone;
    int wrong = 0;

    for (uint32_t i = 0; i < 100; i++)
        hospital_patient(hospital, i + 1, &forward[i]);
    for (uint32_t i = 100; i-- > 0;) {
        hospital_patient(hospital, i + 1, &alone);
        wrong += !same_patient(&alone, &forward[i]);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    hospital_destroy(&hospital);
}

static void more_visits_leave_the_first_one_as_it_was(void)
{
    struct hospital *one = hospital_make(hospital_plain(7));
    struct hospital *many = busy_hospital();
    struct visit first[HOSPITAL_VISITS_MAX], all[HOSPITAL_VISITS_MAX];
    int wrong = 0;

    for (uint32_t i = 1; i <= 1000; i++) {
        struct patient a, b;

        hospital_patient(one, i, &a);
        hospital_patient(many, i, &b);
        wrong += !same_patient(&a, &b);
        wrong += hospital_visits(one, &a, first) != 1;
        hospital_visits(many, &b, all);
        wrong += first[0].day != all[0].day || first[0].age != all[0].age ||
                 first[0].disease != all[0].disease ||
                 first[0].doctor != all[0].doctor;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    hospital_destroy(&one);
    hospital_destroy(&many);
}

static void last_patient_can_be_made(void)
{
    struct hospital *hospital = busy_hospital();
    struct visit visit[HOSPITAL_VISITS_MAX];
    struct patient patient;

    hospital_patient(hospital, HOSPITAL_PATIENTS_MAX, &patient);
    CU_ASSERT_EQUAL(patient.number, 999999999);
    CU_ASSERT(hospital_visits(hospital, &patient, visit) >= 1);
    hospital_destroy(&hospital);
}

static void cities_have_their_sizes(void)
{
    struct hospital *hospital = hospital_make(hospital_plain(3));
    uint64_t weights = 0;
    uint32_t count[64] = {0};

    CU_ASSERT_FATAL(city_count() <= 64);
    for (uint32_t i = 1; i <= PATIENTS; i++) {
        struct patient patient;

        hospital_patient(hospital, i, &patient);
        count[patient.city]++;
    }
    for (size_t i = 0; i < city_count(); i++)
        weights += city_at(i)->weight;
    /* Four times the root of the expected number is more than four standard
     * deviations. */
    for (size_t i = 0; i < city_count(); i++) {
        double expected =
            (double)city_at(i)->weight / (double)weights * PATIENTS;
        double off = (double)count[i] - expected;

        CU_ASSERT(off * off <= 16 * expected);
    }
    hospital_destroy(&hospital);
}

static void names_of_a_few_are_awkward(void)
{
    struct hospital *hospital = hospital_make(hospital_plain(3));
    int comma = 0, quote = 0, beyond_ascii = 0;

    for (uint32_t i = 1; i <= PATIENTS; i++) {
        char name[PATIENT_NAME_MAX];
        struct patient patient;
        size_t size;

        hospital_patient(hospital, i, &patient);
        size = patient_name(&patient, name);
        comma += memchr(name, ',', size) != NULL;
        quote += memchr(name, '"', size) != NULL;
        beyond_ascii += memchr(name, '\xc3', size) != NULL;
    }
    /* One of 500 each: 40 are expected. */
    CU_ASSERT(comma > 15 && comma < 80);
    CU_ASSERT(quote > 15 && quote < 80);
    CU_ASSERT(beyond_ascii > 15 && beyond_ascii < 80);
    hospital_destroy(&hospital);
}

/* ---- visits ---- */

/* What is looked at in each visit, and how often it is wrong. */
typedef bool right(const struct patient *patient, const struct visit *visit);

static int count_wrong(right *is_right)
{
    struct hospital *hospital = busy_hospital();
    int wrong = 0;

    for (uint32_t i = 1; i <= PATIENTS; i++) {
        struct visit visit[HOSPITAL_VISITS_MAX];
        struct patient patient;
        uint32_t count;

        hospital_patient(hospital, i, &patient);
        count = hospital_visits(hospital, &patient, visit);
        for (uint32_t v = 0; v < count; v++)
            wrong += !is_right(&patient, &visit[v]);
    }
    hospital_destroy(&hospital);
    return wrong;
}

static bool age_is_consistent(const struct patient *patient,
                              const struct visit *visit)
{
    int32_t birth = calendar_day(patient->birth);

    /* Without the calendar's help: a year has 365.2425 days on average. */
    return birth <= visit->day &&
           visit->age >= (visit->day - birth - 2) / 365.2425 - 1 &&
           visit->age <= (visit->day - birth + 2) / 365.2425;
}

static void age_fits_birth_and_visit(void)
{
    CU_ASSERT_EQUAL(count_wrong(age_is_consistent), 0);
}

/* Chapters XV (O), and codes that are only of one sex in ICD-10. */
static bool sex_fits_disease(const struct patient *patient,
                             const struct visit *visit)
{
    static const char *const women[] = {"O",   "C53", "C56", "D25", "E28",
                                        "N76", "N80", "N92", "N95", "Z34"};
    static const char *const men[] = {"C61", "C62", "N40", "N41"};
    const char *code = disease_at(visit->disease)->code;

    for (size_t i = 0; i < sizeof women / sizeof women[0]; i++)
        if (strncmp(code, women[i], strlen(women[i])) == 0)
            return patient->sex == SEX_FEMALE;
    for (size_t i = 0; i < sizeof men / sizeof men[0]; i++)
        if (strncmp(code, men[i], strlen(men[i])) == 0)
            return patient->sex == SEX_MALE;
    return true;
}

static void no_man_is_pregnant_and_no_woman_has_a_prostate(void)
{
    CU_ASSERT_EQUAL(count_wrong(sex_fits_disease), 0);
}

static bool age_fits_disease(const struct patient *patient,
                             const struct visit *visit)
{
    char chapter = disease_at(visit->disease)->code[0];

    (void)patient;
    if (chapter == 'O')
        return visit->age >= 15 && visit->age < 45;
    if (chapter == 'P')
        return visit->age == 0;
    return true;
}

static void mothers_are_of_age_and_newborns_are_new(void)
{
    CU_ASSERT_EQUAL(count_wrong(age_fits_disease), 0);
}

static bool department_fits(const struct patient *patient,
                            const struct visit *visit)
{
    const struct disease *disease = disease_at(visit->disease);
    enum department_id department = doctor_at(visit->doctor)->department;

    (void)patient;
    if (department == DEPARTMENT_PEDIATRICS)
        return visit->age < 18;
    return department == disease->department || department == disease->other;
}

static void departments_treat_what_is_theirs(void)
{
    CU_ASSERT_EQUAL(count_wrong(department_fits), 0);
}

static bool in_order(const struct visit *visit, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (visit[i].day < visit[i - 1].day)
            return false;
    return true;
}

static void visits_stay_within_their_days(void)
{
    struct hospital_options options = {.seed = 5, .days = 30, .visits = 4};
    struct hospital *hospital = hospital_make(options);
    int32_t first = calendar_day((struct date){2022, 1, 1});
    uint32_t with[5] = {0};
    int wrong = 0;

    for (uint32_t i = 1; i <= PATIENTS; i++) {
        struct visit visit[HOSPITAL_VISITS_MAX];
        struct patient patient;
        uint32_t count;

        hospital_patient(hospital, i, &patient);
        count = hospital_visits(hospital, &patient, visit);
        CU_ASSERT_FATAL(count >= 1 && count <= 4);
        with[count]++;
        wrong += !in_order(visit, count) || visit[0].day < first ||
                 visit[count - 1].day >= first + 30;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    /* Every second patient comes again: 1/2, 1/4, 1/8, 1/8. */
    CU_ASSERT(with[1] > 9500 && with[1] < 10500);
    CU_ASSERT(with[2] > 4500 && with[2] < 5500);
    CU_ASSERT(with[4] > 2200 && with[4] < 2800);
    hospital_destroy(&hospital);
}

/* ---- shares ---- */

/* Of the first visits in an age band, the share in percent whose code begins
 * with one of `letters`. */
static unsigned share(int from, int below, const char *letters)
{
    struct hospital *hospital = hospital_make(hospital_plain(11));
    unsigned all = 0, found = 0;

    for (uint32_t i = 1; i <= PATIENTS; i++) {
        struct visit visit[HOSPITAL_VISITS_MAX];
        struct patient patient;

        hospital_patient(hospital, i, &patient);
        hospital_visits(hospital, &patient, visit);
        if (visit[0].age < from || visit[0].age >= below)
            continue;
        all++;
        found += strchr(letters, disease_at(visit[0].disease)->code[0]) != NULL;
    }
    hospital_destroy(&hospital);
    return all > 0 ? 100 * found / all : 0;
}

static void hearts_and_vessels_age(void)
{
    unsigned young = share(15, 35, "I"), middle = share(45, 55, "I"),
             old = share(75, 120, "I");

    CU_ASSERT(young < middle && middle < old);
    CU_ASSERT(old >= 12);
}

static void the_young_hurt_themselves(void)
{
    CU_ASSERT(share(15, 35, "ST") > 3 * share(65, 120, "ST"));
}

void suite_hospital(void)
{
    static const struct test tests[] = {
        {"calendar counts every day", calendar_counts_every_day},
        {"dates have leading zeros", dates_have_leading_zeros},
        {"age counts birthdays", age_counts_birthdays},
        {"patients do not depend on those before",
         patients_do_not_depend_on_those_before},
        {"more visits leave the first one as it was",
         more_visits_leave_the_first_one_as_it_was},
        {"last patient can be made", last_patient_can_be_made},
        {"cities have their sizes", cities_have_their_sizes},
        {"names of a few are awkward", names_of_a_few_are_awkward},
        {"age fits birth and visit", age_fits_birth_and_visit},
        {"no man is pregnant and no woman has a prostate",
         no_man_is_pregnant_and_no_woman_has_a_prostate},
        {"mothers are of age and newborns are new",
         mothers_are_of_age_and_newborns_are_new},
        {"departments treat what is theirs", departments_treat_what_is_theirs},
        {"visits stay within their days", visits_stay_within_their_days},
        {"hearts and vessels age", hearts_and_vessels_age},
        {"the young hurt themselves", the_young_hurt_themselves},
    };
    suite_add("hospital", tests, sizeof tests / sizeof *tests);
}
