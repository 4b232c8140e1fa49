/*
 * broker/period.h - when something holds: FHIR's times as intervals.
 *
 * A FHIR date or dateTime is as long as it is imprecise: "2024" is a year,
 * "2024-02-03" a day, "2024-02-03T10:00:00+01:00" a second, one with fractions
 * a tenth, a hundredth or a thousandth of it.  A Period lasts from the first
 * instant of its start to the last of its end, so that an end on a day covers
 * the whole day.
 *
 *     YYYY | YYYY-MM | YYYY-MM-DD | YYYY-MM-DDThh:mm:ss[.digits][zone]
 *     zone: Z or +hh:mm or -hh:mm, to 14:00; none: UTC
 *
 * Instants are whole milliseconds since 1970-01-01T00:00Z; as in Unix time, a
 * leap second (:60) is the first second of the next minute.
 */
#ifndef BROKER_PERIOD_H
#define BROKER_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* start_ms <= t < end_ms; start_ms < end_ms. */
struct period {
    int64_t start_ms; /* PERIOD_UNBEGUN: nothing is before it */
    int64_t end_ms;   /* PERIOD_ENDLESS: nothing is behind it */
};

#define PERIOD_UNBEGUN INT64_MIN
#define PERIOD_ENDLESS INT64_MAX
#define PERIOD_ALWAYS ((struct period){PERIOD_UNBEGUN, PERIOD_ENDLESS})

/* The first instant of year 1 and the first behind year 9999, half a day and
 * more for zones: what a FHIR time can give. */
#define PERIOD_FIRST_MS (-62135683200000)
#define PERIOD_LAST_MS 253402387200000

/* The time that one text means.  E_INPUT if it is no date or dateTime. */
MUST_USE enum status period_parse_time(const char *text, struct period *time,
                                       struct error *err);

/* From start to end; NULL: open on that side.  E_INPUT if one is no time, or
 * nothing lies between them. */
MUST_USE enum status period_parse(const char *start, const char *end,
                                  struct period *period, struct error *err);

static inline bool period_contains(struct period period, int64_t instant_ms)
{
    return period.start_ms <= instant_ms && instant_ms < period.end_ms;
}

#endif
