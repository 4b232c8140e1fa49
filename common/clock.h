/*
 * common/clock.h - the time of day, and the time that passes.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* Unix milliseconds.  It may jump, so it measures nothing. */
uint64_t clock_now_ms(void);

/* Milliseconds since some moment; goes on steadily. */
uint64_t clock_steady_ms(void);

#endif
