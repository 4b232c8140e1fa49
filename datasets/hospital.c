#include "datasets/hospital.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "datasets/city.h"
#include "datasets/staff.h"

/* Of 1,000 patients, how many are in each band of age ... */
static const uint32_t band_weight[AGE_BAND_COUNT] = {
    25, 45, 55, 75, 105, 115, 135, 160, 140, 105, 40};

/* ... and of 100 of them, how many are women. */
static const uint32_t women_percent[AGE_BAND_COUNT] = {48, 48, 47, 50, 58, 54,
                                                       51, 50, 51, 56, 66};

/* Names are put together at random; whom they fit is chance. */
static const char *const families[] = {
    "Ahn", "Bae", "Cha", "Choi", "Chung", "Do",  "Gong", "Ha",
    "Han", "Heo", "Im",  "Jang", "Jeong", "Ji",  "Jo",   "Kang",
    "Kim", "Ko",  "Lee", "Lim",  "Moon",  "Nam", "Noh",  "Oh",
    "Pae", "Ryu", "Seo", "Shin", "Song",  "Yun"};
static const char *const syllables[] = {
    "A",   "Ba",  "Bo", "Cha", "Da",  "Do",  "Ga",  "Gyu", "Ha",  "Hae",
    "Hyo", "I",   "Ja", "Ji",  "Jun", "Mi",  "Mu",  "Nam", "Ri",  "Ro",
    "Sa",  "Seo", "Si", "So",  "Su",  "Tae", "Woo", "Ye",  "Yul", "Young"};
static const char *const endings[SEX_COUNT][16] = {
    [SEX_FEMALE] = {"ah", "bin", "eun", "hee", "jin", "kyung", "lin", "mi",
                    "na", "ra", "rin", "seol", "sook", "won", "yeon", "young"},
    [SEX_MALE] = {"bae", "cheol", "gi", "ho", "hoon", "hwan", "il", "jae",
                  "jun", "kwon", "min", "seok", "shik", "sung", "tae", "woo"},
};
#define FAMILY_COUNT (sizeof families / sizeof families[0])
#define SYLLABLE_COUNT (sizeof syllables / sizeof syllables[0])
#define ENDING_COUNT (sizeof endings[0] / sizeof endings[0][0])

/* Few names are awkward to whoever reads the table carelessly. */
enum name_style { STYLE_PLAIN, STYLE_COMMA, STYLE_NICKNAME, STYLE_ACCENT };
#define STYLE_OF 500 /* one patient in so many for each awkward style */

/* Streams of numbers of one patient: different ones never meet. */
enum stream { STREAM_PATIENT, STREAM_OTHER, STREAM_COUNT };

struct hospital {
    struct hospital_options options;
    int32_t first_day;
    uint64_t key[STREAM_COUNT];
    /* Sums of weights up to and including an entry, to draw from. */
    uint32_t band_sum[AGE_BAND_COUNT];
    uint32_t *city_sum;                               /* [city] */
    uint32_t *disease_sum[SEX_COUNT][AGE_BAND_COUNT]; /* [disease] */
    struct {
        size_t first_doctor, doctor_count;
        bool medical; /* its group treats no children */
    } department[DEPARTMENT_COUNT];
};

static uint32_t city_weight(size_t index)
{
    return city_at(index)->weight;
}

static enum status city_sums(struct hospital *hospital, struct error *err)
{
    uint32_t sum = 0;

    hospital->city_sum = calloc(city_count(), sizeof *hospital->city_sum);
    if (hospital->city_sum == NULL)
        return error_memory(err, "the list of cities");
    for (size_t i = 0; i < city_count(); i++)
        hospital->city_sum[i] = sum += city_weight(i);
    return OK;
}

static enum status disease_sums(struct hospital *hospital, enum sex sex,
                                unsigned band, struct error *err)
{
    uint32_t *sums = calloc(disease_count(), sizeof *sums);
    uint32_t sum = 0;

    if (sums == NULL)
        return error_memory(err, "the list of diseases");
    hospital->disease_sum[sex][band] = sums;
    for (size_t i = 0; i < disease_count(); i++)
        sums[i] = sum += disease_weight(disease_at(i), sex, band);
    assert(sum > 0);
    return OK;
}

static void prepare_departments(struct hospital *hospital)
{
    const char *medical = department_at(DEPARTMENT_GENERAL)->group;

    for (enum department_id id = 0; id < DEPARTMENT_COUNT; id++) {
        hospital->department[id].doctor_count =
            department_doctors(id, &hospital->department[id].first_doctor);
        hospital->department[id].medical =
            strcmp(department_at(id)->group, medical) == 0;
    }
}

enum status hospital_create(struct hospital **hospital,
                            struct hospital_options options, struct error *err)
{
    struct hospital *new = calloc(1, sizeof *new);
    struct random random;
    uint32_t sum = 0;

    assert(options.days >= 1 && options.days <= HOSPITAL_DAYS);
    assert(options.visits >= 1 && options.visits <= HOSPITAL_VISITS_MAX);

    if (new == NULL)
        return error_memory(err, "the hospital");
    new->options = options;
    new->first_day = calendar_day((struct date){HOSPITAL_FIRST_YEAR, 1, 1});
    random_init(&random, options.seed);
    for (size_t i = 0; i < STREAM_COUNT; i++)
        new->key[i] = random_next(&random);
    for (size_t i = 0; i < AGE_BAND_COUNT; i++)
        new->band_sum[i] = sum += band_weight[i];
    prepare_departments(new);
    if (city_sums(new, err) != OK)
        goto failed;
    for (enum sex sex = 0; sex < SEX_COUNT; sex++)
        for (unsigned band = 0; band < AGE_BAND_COUNT; band++)
            if (disease_sums(new, sex, band, err) != OK)
                goto failed;
    *hospital = new;
    return OK;
failed:
    hospital_destroy(&new);
    return err->status;
}

void hospital_destroy(struct hospital **hospital)
{
    struct hospital *old = *hospital;

    if (old == NULL)
        return;
    for (size_t sex = 0; sex < SEX_COUNT; sex++)
        for (size_t band = 0; band < AGE_BAND_COUNT; band++)
            free(old->disease_sum[sex][band]);
    free(old->city_sum);
    free(old);
    *hospital = NULL;
}

/* ---- drawing ---- */

static void stream_begin(const struct hospital *hospital, enum stream stream,
                         uint32_t number, struct random *random)
{
    assert(number >= 1 && number <= HOSPITAL_PATIENTS_MAX);
    random_init(random, hospital->key[stream] + number);
}

void hospital_random(const struct hospital *hospital, uint32_t number,
                     struct random *random)
{
    stream_begin(hospital, STREAM_OTHER, number, random);
}

/* An index, each as likely as its weight; sum[] are the weights summed up. */
static size_t draw_weighted(struct random *random, const uint32_t *sum,
                            size_t count)
{
    uint32_t drawn = (uint32_t)random_below(random, sum[count - 1]);
    size_t low = 0, high = count - 1;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (drawn < sum[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int draw_age(const struct hospital *hospital, struct random *random,
                    unsigned *band)
{
    int begin;

    *band = (unsigned)draw_weighted(random, hospital->band_sum, AGE_BAND_COUNT);
    begin = age_band_begin(*band);
    if (*band + 1 == AGE_BAND_COUNT) {
        /* The younger of two: fewer and fewer towards the end. */
        int years = HOSPITAL_AGE_MAX - begin + 1;
        int one = (int)random_below(random, (uint64_t)years);
        int two = (int)random_below(random, (uint64_t)years);

        return begin + (one < two ? one : two);
    }
    return begin + (int)random_below(
                       random, (uint64_t)(age_band_begin(*band + 1) - begin));
}

void hospital_patient(const struct hospital *hospital, uint32_t number,
                      struct patient *patient)
{
    struct random *random = &patient->random;
    uint64_t style;
    unsigned band;
    int age, since_birthday;
    struct date date;

    stream_begin(hospital, STREAM_PATIENT, number, random);
    patient->number = number;
    age = draw_age(hospital, random, &band);
    patient->sex =
        random_below(random, 100) < women_percent[band] ? SEX_FEMALE : SEX_MALE;
    patient->city = draw_weighted(random, hospital->city_sum, city_count());
    patient->family = (size_t)random_below(random, FAMILY_COUNT);
    patient->syllable = (size_t)random_below(random, SYLLABLE_COUNT);
    patient->ending = (size_t)random_below(random, ENDING_COUNT);
    style = random_below(random, STYLE_OF);
    patient->style = style <= STYLE_ACCENT ? (size_t)style : STYLE_PLAIN;
    since_birthday = (int)random_below(random, 365);

    /* The only draw whose number of steps depends on the options: from here
     * on a patient may differ between hospitals that differ in days. */
    patient->first_day = hospital->first_day +
                         (int32_t)random_below(random, hospital->options.days);
    date = calendar_date(patient->first_day);
    /* The birthday that made the patient so old; the 29th of February is one
     * of the 28th where there is none. */
    date.year -= age;
    if (date.month == 2 && date.day == 29)
        date.day = 28;
    patient->birth = calendar_date(calendar_day(date) - since_birthday);
}

static size_t append(char *name, size_t size, const char *more)
{
    struct bytes text = bytes_of_string(more);

    assert(size + text.size <= PATIENT_NAME_MAX);
    memcpy(name + size, text.data, text.size);
    return size + text.size;
}

size_t patient_name(const struct patient *patient, char name[PATIENT_NAME_MAX])
{
    const char *family = families[patient->family];
    const char *ending = endings[patient->sex][patient->ending];
    size_t size = 0;

    if (patient->style == STYLE_COMMA) {
        size = append(name, size, family);
        size = append(name, size, ", ");
    }
    if (patient->style == STYLE_ACCENT)
        size = append(name, size, "Zo\xc3\xab ");
    size = append(name, size, syllables[patient->syllable]);
    size = append(name, size, "-");
    size = append(name, size, ending);
    if (patient->style == STYLE_NICKNAME) {
        size = append(name, size, " \"");
        size = append(name, size, ending);
        size = append(name, size, "\"");
    }
    if (patient->style != STYLE_COMMA) {
        size = append(name, size, " ");
        size = append(name, size, family);
    }
    return size;
}

/* ---- visits ---- */

static enum department_id draw_department(const struct hospital *hospital,
                                          struct random *random,
                                          const struct disease *disease,
                                          int age)
{
    enum department_id id = disease->department;

    if (random_below(random, 4) == 0)
        id = disease->other;
    if (age < HOSPITAL_CHILD_BELOW && hospital->department[id].medical)
        id = DEPARTMENT_PEDIATRICS;
    if (age >= HOSPITAL_ADULT_FROM && id == DEPARTMENT_PEDIATRICS)
        id = disease->department == DEPARTMENT_PEDIATRICS ? disease->other
                                                          : disease->department;
    assert(age < HOSPITAL_ADULT_FROM || id != DEPARTMENT_PEDIATRICS);
    return id;
}

static size_t draw_doctor(const struct hospital *hospital,
                          struct random *random, enum department_id id)
{
    return hospital->department[id].first_doctor +
           (size_t)random_below(random, hospital->department[id].doctor_count);
}

/* Somebody who is no child any more leaves the doctors of children. */
static bool same_doctor(const struct visit *before, int age)
{
    return doctor_at(before->doctor)->department != DEPARTMENT_PEDIATRICS ||
           age < HOSPITAL_ADULT_FROM;
}

static void draw_visit(const struct hospital *hospital,
                       const struct patient *patient, struct random *random,
                       const struct visit *before, struct visit *visit)
{
    unsigned band;
    bool again;

    visit->age = calendar_age(patient->birth, calendar_date(visit->day));
    band = age_band(visit->age);
    again = before != NULL && random_below(random, 2) == 0 &&
            disease_weight(disease_at(before->disease), patient->sex, band) > 0;
    visit->disease =
        again ? before->disease
              : draw_weighted(random, hospital->disease_sum[patient->sex][band],
                              disease_count());
    if (again && same_doctor(before, visit->age))
        visit->doctor = before->doctor;
    else
        visit->doctor = draw_doctor(hospital, random,
                                    draw_department(hospital, random,
                                                    disease_at(visit->disease),
                                                    visit->age));
}

uint32_t hospital_visits(const struct hospital *hospital,
                         const struct patient *patient,
                         struct visit visit[HOSPITAL_VISITS_MAX])
{
    struct random random = patient->random;
    int32_t end = hospital->first_day + (int32_t)hospital->options.days;
    uint32_t count = 0;

    do {
        if (count == 0)
            visit[0].day = patient->first_day;
        else
            visit[count].day =
                visit[count - 1].day +
                (int32_t)random_below(&random,
                                      (uint64_t)(end - visit[count - 1].day));
        draw_visit(hospital, patient, &random,
                   count > 0 ? &visit[count - 1] : NULL, &visit[count]);
        count++;
    } while (count < hospital->options.visits && random_below(&random, 2) == 0);
    return count;
}
