/*
 * anonymizer/profile_value.h - what a single value looks like.
 *
 * Each form is a strict parser of the whole value: digits where digits belong,
 * and the check digits where there are any, so that a measurement is no account
 * number.
 *
 *     FORM(id, kind, strength, distinct, words)
 *
 * strength: how sure all values of this form make us that the column is of the
 * kind.  distinct: values that a column needs to be judged by this form; one in
 * ten or eleven of all numbers of the right length has a check digit that fits,
 * so that a few can by chance.  Where strength is FORM_TELLING and distinct 1,
 * a single value is worth telling.
 *
 * Sources of the check digits: profile_checked.c.
 */
#ifndef ANONYMIZER_PROFILE_VALUE_H
#define ANONYMIZER_PROFILE_VALUE_H

#include "anonymizer/profile_name.h"
#include "common/bytes.h"

#define FORM_TELLING 0.95

#define VALUE_FORM_TABLE(FORM)                                                 \
    FORM(email, EMAIL, FORM_TELLING, 1, "e-mail addresses")                    \
    FORM(url, URL, FORM_TELLING, 1, "web addresses")                           \
    FORM(ipv4, IP, FORM_TELLING, 1, "IPv4 addresses")                          \
    FORM(ipv6, IP, FORM_TELLING, 1, "IPv6 addresses")                          \
    FORM(mac, DEVICE, FORM_TELLING, 1, "MAC addresses")                        \
    FORM(telephone, TELEPHONE, 0.9, 2, "telephone numbers")                    \
    FORM(ssn, SOCIAL_SECURITY, FORM_TELLING, 1, "US social security numbers")  \
    FORM(rrn, SOCIAL_SECURITY, FORM_TELLING, 1,                                \
         "Korean resident registration numbers")                               \
    FORM(nir, SOCIAL_SECURITY, FORM_TELLING, 1, "French NIR")                  \
    FORM(dni, SOCIAL_SECURITY, 0.9, 3, "Spanish DNI or NIE")                   \
    FORM(codice_fiscale, SOCIAL_SECURITY, FORM_TELLING, 1,                     \
         "Italian codice fiscale")                                             \
    FORM(pesel, SOCIAL_SECURITY, 0.9, 5, "Polish PESEL")                       \
    FORM(hetu, SOCIAL_SECURITY, FORM_TELLING, 1, "Finnish HETU")               \
    FORM(personnummer, SOCIAL_SECURITY, FORM_TELLING, 1,                       \
         "Swedish personnummer")                                               \
    FORM(cpf, SOCIAL_SECURITY, FORM_TELLING, 1, "Brazilian CPF")               \
    FORM(ahv, SOCIAL_SECURITY, FORM_TELLING, 1, "Swiss AHV numbers")           \
    FORM(nhs, HEALTH_PLAN, 0.9, 10, "English NHS numbers")                     \
    FORM(kvnr, HEALTH_PLAN, 0.9, 5, "German health insurance numbers")         \
    FORM(iban, ACCOUNT, FORM_TELLING, 1, "IBAN")                               \
    FORM(card, ACCOUNT, 0.9, 5, "payment card numbers")                        \
    FORM(dea, LICENCE, 0.9, 5, "US DEA numbers")                               \
    FORM(npi, LICENCE, 0.9, 10, "US NPI numbers")                              \
    FORM(vin, VEHICLE, 0.9, 3, "vehicle identification numbers")               \
    FORM(imei, DEVICE, 0.9, 10, "IMEI")                                        \
    FORM(udi, DEVICE, FORM_TELLING, 1, "unique device identifiers")            \
    FORM(image, PHOTOGRAPH, 0.8, 1, "images or their files")                   \
    FORM(uuid, OTHER, 0.9, 1, "UUID")                                          \
    FORM(dicom, OTHER, 0.9, 1, "DICOM unique identifiers")                     \
    FORM(digest, OTHER, 0.9, 2, "digests")                                     \
    FORM(address, ADDRESS, 0.8, 2, "street addresses")                         \
    FORM(postcode, AREA, 0.8, 2, "postal codes")                               \
    FORM(icd10, HEALTH, 0.8, 3, "ICD-10 codes")                                \
    FORM(snomed, HEALTH, 0.8, 10, "SNOMED CT codes")

enum value_form {
#define VALUE_FORM_ENUM(id, kind, strength, distinct, words) FORM_##id,
    VALUE_FORM_TABLE(VALUE_FORM_ENUM)
#undef VALUE_FORM_ENUM
        VALUE_FORM_COUNT
};

struct value_form_about {
    const char *words;
    enum profile_kind kind;
    double strength;
    unsigned distinct;
};

const struct value_form_about *value_form_about(enum value_form form);

/* Is the whole value of this form? */
bool profile_value_has_form(enum value_form form, struct bytes value);

/* Words of it are names that people have: profile_words.def. */
bool profile_value_names_person(struct bytes value);

/* A range of numbers, or an open one: "[10-20)", "55-59", "80 or older",
 * "<20", ">= 65", "75+".  *begin is its lower end, -infinity without. */
bool profile_value_range(struct bytes value, double *begin);

/* Words of it, separated by blanks. */
size_t profile_value_words(struct bytes value);

#endif
