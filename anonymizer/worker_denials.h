/*
 * anonymizer/worker_denials.h - what was refused, to whom: an access event,
 * durable before the refusal is answered, and not one for each of a million
 * equal ones.
 *
 *     worker_denials_tell       before a refusal leaves
 *     worker_denials_turn       now and then: days come to their end
 *
 * Denials are equal that have all but their time in common.  Of equal ones in
 * one day the first DENIALS_SINGLY_MAX are an event each; then there is one
 * whenever their number has doubled, and one for the rest when the day, or the
 * service, comes to its end.  An event says how many it stands for ("count"),
 * so that those of a day add up to what was refused; of a service that was
 * killed up to half of those behind the first ones are missing.
 *
 * A certificate that is refused DENIALS_OWN_MAX kinds of things in one day has
 * what follows counted together ("asked" is left out), and after
 * DENIALS_KINDS_MAX kinds in all so has everybody ("by" is left out, too).
 *
 * One thread at a time (the desk's).
 */
#ifndef ANONYMIZER_WORKER_DENIALS_H
#define ANONYMIZER_WORKER_DENIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/worker_events.h"
#include "anonymizer/worker_store.h"
#include "common/error.h"
#include "common/identity.h"
#include "common/limits.h"
#include "common/subject_id.h"

/* Texts are empty where something is not known. */
struct denial {
    char by[CERTIFICATE_ID_SIZE];
    char via[CERTIFICATE_ID_SIZE];     /* of the broker that has refused it */
    char asked[IDENTITY_NAME_MAX + 1]; /* name of the message */
    char release[RELEASE_TEXT_SIZE];
    bool is_release; /* there is one of that name */
    bool has_subject, has_dataset, has_permit, has_request;
    struct subject_id subject;
    struct dataset_id dataset;
    struct digest permit, request;
    char why[DENIAL_WHY_MAX + 1];
};

/* Take a reason; it is cut off where it is too long, and what is not printable
 * ASCII becomes a question mark. */
void denial_explain(struct denial *denial, struct bytes why);

struct worker_denials;

/* `events` is borrowed. */
MUST_USE enum status worker_denials_create(struct worker_denials **denials,
                                           struct worker_events *events,
                                           struct error *err);
/* Tells the rest; what fails is logged. */
void worker_denials_destroy(struct worker_denials **denials);

/* `now_ms` is Unix time, here and below. */
MUST_USE enum status worker_denials_tell(struct worker_denials *denials,
                                         const struct denial *denial,
                                         uint64_t now_ms, struct error *err);

/* Tell the rest of a day that has ended. */
MUST_USE enum status worker_denials_turn(struct worker_denials *denials,
                                         uint64_t now_ms, struct error *err);

#endif
