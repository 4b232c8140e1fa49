#include "datasets/calendar.h"

#include <assert.h>

/* Years are counted from the 1st of March, so that the leap day is the last
 * one of its year; 400 of them have always DAYS_OF_ERA days. */
enum { DAYS_OF_ERA = 146097, ERA_TO_1970 = 719468 };

/* Days from the 1st of March to the first of a month, 0 = March: months of
 * 31, 30, 31, 30, 31 days repeat, which is 153 days each five. */
static int days_before_month(int month_from_march)
{
    return (153 * month_from_march + 2) / 5;
}

int32_t calendar_day(struct date date)
{
    int year, era, of_era, of_year;

    assert(date.year >= 1900 && date.year <= 2100);
    assert(date.month >= 1 && date.month <= 12);
    assert(date.day >= 1 && date.day <= 31);

    year = date.month > 2 ? date.year : date.year - 1;
    era = year / 400;
    of_era = year % 400;
    of_year = days_before_month((date.month + 9) % 12) + date.day - 1;
    return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 +
           of_year - ERA_TO_1970;
}

struct date calendar_date(int32_t day)
{
    int since = day + ERA_TO_1970;
    int era = since / DAYS_OF_ERA;
    int of_era = since % DAYS_OF_ERA;
    int year, of_year, month;

    assert(since >= 0);
    /* Take the leap days out (1,461 days are 4 years, 36,524 a century), so
     * that a plain division by 365 gives the year. */
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153;
    return (struct date){
        .year = era * 400 + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - days_before_month(month) + 1,
    };
}

static void write_digits(char *text, int number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        text[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

void calendar_write(struct date date, char text[CALENDAR_TEXT_SIZE])
{
    write_digits(text, date.year, 4);
    text[4] = '-';
    write_digits(text + 5, date.month, 2);
    text[7] = '-';
    write_digits(text + 8, date.day, 2);
}

int calendar_age(struct date birth, struct date now)
{
    int age = now.year - birth.year;

    if (now.month < birth.month ||
        (now.month == birth.month && now.day < birth.day))
        age--;
    return age;
}
