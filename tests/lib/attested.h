/*
 * tests/lib/attested.h - one release with its certificate, and attacks on it:
 * what the tests of attestations share.
 *
 * There is one of each, made anew by each test.
 */
#ifndef TESTS_LIB_ATTESTED_H
#define TESTS_LIB_ATTESTED_H

#include "anonymizer/attestation.h"
#include "tests/lib/released.h"

extern struct network attested_network;
extern struct released attested_world;

void attested_begin(void);
void attested_end(void);

/* Aborts with the error's text unless `status` is OK. */
void attested_demand(enum status status, const struct error *err);

/* The certificate of the world as it is. */
void attested_certify(void);

const struct network_identity *attested_who(enum network_organisation where,
                                            enum identity_role role);

struct attested_question {
    const struct text *certificate;
    const char *table;
    const struct trust *trust;
};

/* Of this certificate, this table and this trust: *findings is what was found,
 * *attestation what it says, NULL if it was refused. */
enum status attested_ask(const struct attested_question *question,
                         struct attestation **attestation,
                         struct attestation_findings *findings,
                         struct recheck_result **result, struct error *err);

/* The answer is no, by this check, in words like these. */
void attested_expect_no(const struct attested_question *question,
                        enum attestation_check check, const char *words);

/* A world in which one thing is wrong from the beginning (`plan`), or was
 * altered when all had been proven (`tamper`). */
struct attested_attack {
    void (*plan)(void);
    void (*tamper)(void);
    enum attestation_check check;
    const char *words;
};

void attested_try(const struct attested_attack *attack, size_t count);

#define TRY(attacks) attested_try((attacks), COUNT_OF(attacks))

#endif
