/*
 * tests/lib/consent_model.h - random consents, and what follows from them by
 * other means than the broker's.
 *
 * A model is written as FHIR and read by the broker; the oracle judges the
 * model itself: rules in a list, from the last to the first; purposes and
 * actors as words (tests/lib/fhir_words.h); time day by day.  It shares no code
 * and no table with broker/.
 *
 * All days are of March 2024, 1 to 28; behind them nothing changes.
 */
#ifndef TESTS_LIB_CONSENT_MODEL_H
#define TESTS_LIB_CONSENT_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/random.h"
#include "common/text.h"

#define MODEL_RULES_MAX 12
#define MODEL_PURPOSES 12
#define MODEL_ACTORS 4
#define MODEL_DAYS 28

struct model_rule {
    size_t parent; /* an earlier rule; of the first one: itself */
    bool permits;
    bool type_written;
    unsigned first_day, last_day; /* 0: open */
    bool any_purpose, purpose[MODEL_PURPOSES];
    bool any_actor, actor[MODEL_ACTORS];
};

struct model {
    bool opt_in;
    size_t count; /* of rules; the first one is the root */
    struct model_rule rule[MODEL_RULES_MAX];
};

struct model_request {
    bool purpose[MODEL_PURPOSES]; /* codes of DUO only, a use among them */
    char recipient[2];            /* "a" or "b" */
    unsigned day;
};

void model_random(struct model *model, struct random *random);
void model_request_random(struct model_request *request, struct random *random);

/* DUO's two digits of a purpose that a request can have; NULL for others. */
const char *model_purpose_code(size_t purpose);
bool model_purpose_is_use(size_t purpose);

/* Append the resource. */
void model_write(const struct model *model, struct text *out);

bool model_permits(const struct model *model,
                   const struct model_request *request);

/* The first day behind the request's on which it is not permitted; 0: none. */
unsigned model_permits_until(const struct model *model,
                             const struct model_request *request);

#endif
