/*
 * common/clock.h - the time of day.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* Unix milliseconds.  Wall time: it may jump, so it measures nothing. */
uint64_t clock_now_ms(void);

#endif
