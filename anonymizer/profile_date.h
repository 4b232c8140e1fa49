/*
 * anonymizer/profile_date.h - the spellings of a calendar day.
 *
 * Strict: as many digits as the pattern has letters, a day that exists in the
 * Gregorian calendar, years 1800 to 2299 (some hospitals shift
 * theirs by centuries).  Where the pattern has a day, a time
 * may follow: a blank or T, hh:mm, :ss and a fraction if there are any, Z or an
 * offset.
 */
#ifndef ANONYMIZER_PROFILE_DATE_H
#define ANONYMIZER_PROFILE_DATE_H

#include "common/bytes.h"

/* In this order where a text can be read in several ways. */
#define DATE_FORMAT_TABLE(X)                                                   \
    X(ISO, "YYYY-MM-DD")                                                       \
    X(SLASHES, "YYYY/MM/DD")                                                   \
    X(DOTS, "YYYY.MM.DD")                                                      \
    X(BASIC, "YYYYMMDD")                                                       \
    X(GERMAN, "DD.MM.YYYY")                                                    \
    X(AMERICAN, "MM/DD/YYYY")                                                  \
    X(BRITISH, "DD/MM/YYYY")                                                   \
    X(AMERICAN_DASHES, "MM-DD-YYYY")                                           \
    X(BRITISH_DASHES, "DD-MM-YYYY")                                            \
    X(HANGUL, "YYYY년 MM월 DD일")                                              \
    X(MONTH, "YYYY-MM")

enum date_format {
#define DATE_FORMAT_ENUM(id, pattern) DATE_FORMAT_##id,
    DATE_FORMAT_TABLE(DATE_FORMAT_ENUM)
#undef DATE_FORMAT_ENUM
        DATE_FORMAT_COUNT
};

struct profile_date {
    unsigned year, month, day; /* day 0: the pattern has none */
    bool has_time;
};

const char *date_format_pattern(enum date_format format);

/* *date is untouched on no. */
bool profile_date_parse(enum date_format format, struct bytes text,
                        struct profile_date *date);

#endif
