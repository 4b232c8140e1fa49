/*
 * datasets/hospital.h - a hospital that does not exist, its patients and their
 * visits.
 *
 * Patient n is drawn from (seed, n) alone, n = 1, 2, 3, ...: any patient can
 * be made without the ones before, in any order and in no memory, and all
 * programs that know the seed agree about them.
 *
 *     hospital_create -> [hospital_patient -> hospital_visits]* -> destroy
 *
 * Drawn as in life: age as hospitals see it (infants and old people more than
 * their share), sex by age, city by size, disease by age and sex, department
 * by disease (children mostly go to Pediatrics, which sees no adult), doctor
 * by department, and half of the further visits for the same disease with the
 * same doctor.
 *
 * Elsewhere: the table (datasets/hospital_table.h), consents
 * (datasets/hospital_consents.h).
 */
#ifndef DATASETS_HOSPITAL_H
#define DATASETS_HOSPITAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/limits.h"
#include "common/random.h"
#include "datasets/calendar.h"
#include "datasets/disease.h"

/* The period of the visits: the years 2022, 2023 and 2024. */
#define HOSPITAL_FIRST_YEAR 2022
#define HOSPITAL_LAST_YEAR 2024
#define HOSPITAL_DAYS 1096

/* No patient is older at the first visit. */
#define HOSPITAL_AGE_MAX 99

/* Patients below are children to the hospital, from the other on adults; in
 * between either. */
#define HOSPITAL_CHILD_BELOW 15
#define HOSPITAL_ADULT_FROM 18

struct hospital_options {
    uint64_t seed;
    uint32_t days;   /* all visits fall on the first so many days of the
                        period, 1..HOSPITAL_DAYS */
    uint32_t visits; /* of a patient at most, 1..HOSPITAL_VISITS_MAX */
};

struct hospital;

MUST_USE enum status hospital_create(struct hospital **hospital,
                                     struct hospital_options options,
                                     struct error *err);
void hospital_destroy(struct hospital **hospital);

/* Bytes of the longest name. */
#define PATIENT_NAME_MAX 48

struct patient {
    uint32_t number;
    enum sex sex;
    size_t city; /* index of city_at */
    struct date birth;
    int32_t first_day;       /* of the first visit, as calendar_day */
    size_t family, syllable; /* parts of the name */
    size_t ending, style;
    struct random random; /* what comes after: the visits */
};

struct visit {
    int32_t day;
    int age;
    size_t disease; /* index of disease_at */
    size_t doctor;  /* index of doctor_at, which knows the department */
};

/* number: 1..HOSPITAL_PATIENTS_MAX. */
void hospital_patient(const struct hospital *hospital, uint32_t number,
                      struct patient *patient);

/* Write the name, as it is, without quoting and NUL; returns its size.  Some
 * hold a comma, quotes or letters beyond ASCII. */
size_t patient_name(const struct patient *patient, char name[PATIENT_NAME_MAX]);

/* Fill visit[0..count-1], in the order of time; returns count >= 1. */
uint32_t hospital_visits(const struct hospital *hospital,
                         const struct patient *patient,
                         struct visit visit[HOSPITAL_VISITS_MAX]);

/* Numbers that have nothing to do with those of hospital_patient, for what
 * else is told of a patient. */
void hospital_random(const struct hospital *hospital, uint32_t number,
                     struct random *random);

#endif
