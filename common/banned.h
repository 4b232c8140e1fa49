/*
 * common/banned.h - functions that must not be used, forced into every file
 * with -include.  Each one has a safe neighbour, named beside it.
 */
#ifndef COMMON_BANNED_H
#define COMMON_BANNED_H

/* Pull in the declarations first: the macros below must not meet them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(name) name##_is_banned_see_common_banned_h

#undef strcpy
#define strcpy(dst, src) BANNED(strcpy) /* memcpy with a known size */
#undef strcat
#define strcat(dst, src) BANNED(strcat) /* text_append */
#undef strncpy
#define strncpy(dst, src, n) BANNED(strncpy) /* memcpy with a known size */
#undef strncat
#define strncat(dst, src, n) BANNED(strncat) /* text_append */
#undef sprintf
#define sprintf(...) BANNED(sprintf) /* snprintf, text_printf */
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf) /* vsnprintf */
#undef strtok
#define strtok(s, delimiters) BANNED(strtok) /* explicit scanning */
#undef atoi
#define atoi(s) BANNED(atoi) /* number_parse_* */
#undef atol
#define atol(s) BANNED(atol) /* number_parse_* */
#undef atof
#define atof(s) BANNED(atof) /* number_parse_* */
#undef gmtime
#define gmtime(t) BANNED(gmtime) /* gmtime_r */
#undef localtime
#define localtime(t) BANNED(localtime) /* localtime_r */
#undef ctime
#define ctime(t) BANNED(ctime) /* strftime */
#undef rand
#define rand() BANNED(rand) /* common/random.h */

#endif
