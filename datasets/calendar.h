/*
 * datasets/calendar.h - days and dates of the Gregorian calendar.
 *
 * A day is a whole number, 0 on 1970-01-01, so that dates are compared and
 * counted as numbers.  Years 1900 to 2100.
 */
#ifndef DATASETS_CALENDAR_H
#define DATASETS_CALENDAR_H

#include <stdint.h>

/* Length of "2024-02-29". */
#define CALENDAR_TEXT_SIZE 10

struct date {
    int year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};

int32_t calendar_day(struct date date);
struct date calendar_date(int32_t day);

/* Write YYYY-MM-DD, no NUL. */
void calendar_write(struct date date, char text[CALENDAR_TEXT_SIZE]);

/* Birthdays passed since `birth`, the one on `now` included.  Who was born on
 * a 29th of February grows older on the 1st of March in other years. */
int calendar_age(struct date birth, struct date now);

#endif
