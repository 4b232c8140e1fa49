/*
 * datasets/hospital_table.h - the hospital's patients and visits as one table.
 *
 * CSV (RFC 4180, comma, LF, UTF-8), a header and a row per visit:
 *
 *     psn,name,gender,birth_date,age,city,
 *     msn,date,department,doctor,diagnosis,disease_code
 *
 * psn is the patient's number, "P" and nine digits; msn the visit's, "M", the
 * patient's nine digits and two of the visit.  age is in full years on the day
 * of the visit.
 */
#ifndef DATASETS_HOSPITAL_TABLE_H
#define DATASETS_HOSPITAL_TABLE_H

#include <stdint.h>

#include "common/error.h"
#include "datasets/hospital.h"
#include "datasets/output.h"

/* "P000000001" */
#define PSN_SIZE 10
void psn_write(uint32_t number, char psn[PSN_SIZE]);

const char *sex_name(enum sex sex);

/* Patients first .. first + count - 1, within 1..HOSPITAL_PATIENTS_MAX. */
struct patient_range {
    uint32_t first;
    uint32_t count; /* >= 1 */
};

MUST_USE enum status hospital_table_write(const struct hospital *hospital,
                                          struct patient_range range,
                                          struct output *output,
                                          struct error *err);

#endif
