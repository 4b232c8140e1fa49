/*
 * tests/lib/rechecked.h - a policy by hand and a table from a string, for
 * trying out recheck.
 *
 *     rechecked_illness(&f);
 *     rechecked_k(&f, 2);
 *     rechecked_text(&f, RECHECKED_HEADER "1,f,cold\n1,f,flu\n");
 *     ... f.result ...
 *     rechecked_clear(&f);
 *
 * What cannot be set up ends the program.
 */
#ifndef TESTS_LIB_RECHECKED_H
#define TESTS_LIB_RECHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "anonymizer/recheck.h"
#include "common/bytes.h"
#include "common/error.h"

#define RECHECKED_ATTRIBUTES_MAX 8
#define RECHECKED_CRITERIA_MAX 8

struct rechecked {
    struct policy policy;
    struct policy_attribute attribute[RECHECKED_ATTRIBUTES_MAX];
    struct privacy_criterion criterion[RECHECKED_CRITERIA_MAX];
    struct recheck_result *result;
    struct error err;
};

void rechecked_init(struct rechecked *rechecked);
void rechecked_clear(struct rechecked *rechecked);

/* Columns that the table of rechecked_illness begins with. */
#define RECHECKED_HEADER "zip,sex,illness\n"

/* Attribute 0 `zip`, 1 `sex` are quasi-identifiers, 2 `illness` is
 * sensitive. */
void rechecked_illness(struct rechecked *rechecked);

/* One attribute or criterion more. */
struct policy_attribute *rechecked_attribute(struct rechecked *rechecked,
                                             char *name, enum role role);
void rechecked_k(struct rechecked *rechecked, uint32_t k);
struct privacy_criterion *rechecked_l(struct rechecked *rechecked,
                                      enum privacy_model model,
                                      size_t attribute, double l);

/* A file of these bytes, to be read; close() it. */
int rechecked_open(struct bytes text);

/* Recheck the table that is this text. */
enum status rechecked_bytes(struct rechecked *rechecked, struct bytes text);
enum status rechecked_text(struct rechecked *rechecked, const char *text);

/* Equal but for rounding? */
bool rechecked_near(double a, double b);

#endif
