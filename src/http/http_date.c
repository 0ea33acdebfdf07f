/* SPDX-License-Identifier: MIT */
/*
 * Points in time; see http_date.h. strptime() goes by the locale, mktime() by the time zone, and
 * timegm() is in no standard, so the few lines that are needed are here. The formats are written as
 * strftime() writes them.
 */
#include "http/http_date.h"

#include <string.h>
#include <strings.h>

#include "http1/reader_state.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
static const int64_t YEAR = INT64_C(31556952) * SECOND; /* the mean of 400 years */

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const zones[] = {"GMT"};

/* What is still to be read. */
struct rest {
    const char *at, *end;
};

struct civil {
    int year, month, day, hour, minute, second;
};

/* --------------------------------------------------------------------------------- arithmetic */

/* Days since 1970 in the Gregorian calendar. A year begins in March, so a leap day is its last. */
static int64_t days_since_1970(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t in_year(const struct civil *civil, int64_t year)
{
    return days_since_1970(year, civil->month, civil->day) * DAY + (int64_t)civil->hour * HOUR +
           civil->minute * MINUTE + civil->second * SECOND;
}

static int days_of_month(int64_t year, int month)
{
    int is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month == 2)
        return 28 + is_leap;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* The second 60 is a leap second (RFC 9110 5.6.7), and the first one of the next minute here. */
static int is_valid(const struct civil *civil, int64_t year)
{
    return civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
           civil->day <= days_of_month(year, civil->month) && civil->hour <= 23 &&
           civil->minute <= 59 && civil->second <= 60;
}

/*
 * The year that ends in the two digits: the last one in which the date is not more than 50 years
 * in the future (RFC 9110 5.6.7). Compared are the dates of 50 years before with `now_ms`.
 */
static int64_t find_century(const struct civil *civil, int64_t now_ms)
{
    int64_t year = ((1970 + now_ms / YEAR) / 100 + 1) * 100 + civil->year;
    while (in_year(civil, year - 50) > now_ms)
        year -= 100;
    return year;
}

/* ------------------------------------------------------------------------------------ reading */

static int take_digits(struct rest *rest, int count, int *ret_number)
{
    int number = 0;
    if (rest->end - rest->at < count)
        return 0;
    for (; count > 0; count--, rest->at++) {
        if (!stook__is_digit(*rest->at))
            return 0;
        number = number * 10 + (*rest->at - '0');
    }
    *ret_number = number;
    return 1;
}

/* Takes one of the names, or of their first `size` bytes. Returns its number from 1; 0: none. */
static int take_name(struct rest *rest, const char *const *names, int count, size_t size)
{
    for (int i = 0; i < count; i++) {
        size_t length = size != 0 ? size : strlen(names[i]);
        if ((size_t)(rest->end - rest->at) >= length &&
            strncasecmp(rest->at, names[i], length) == 0) {
            rest->at += length;
            return i + 1;
        }
    }
    return 0;
}

static int take_literal(struct rest *rest, char c)
{
    if (rest->at == rest->end || *rest->at != c)
        return 0;
    rest->at++;
    return 1;
}

/* Takes what a letter of a format stands for. The name of the weekday is not compared. */
static int take_part(struct rest *rest, char letter, struct civil *civil)
{
    switch (letter) {
    case 'a':
        return take_name(rest, days, 7, 3);
    case 'A':
        return take_name(rest, days, 7, 0);
    case 'b':
        return (civil->month = take_name(rest, months, 12, 0)) != 0;
    case 'Z':
        return take_name(rest, zones, 1, 0);
    case 'e':
        return take_literal(rest, ' ') ? take_digits(rest, 1, &civil->day)
                                       : take_digits(rest, 2, &civil->day);
    case 'd':
        return take_digits(rest, 2, &civil->day);
    case 'm':
        return take_digits(rest, 2, &civil->month);
    case 'y':
        return take_digits(rest, 2, &civil->year);
    case 'Y':
        return take_digits(rest, 4, &civil->year);
    case 'H':
        return take_digits(rest, 2, &civil->hour);
    case 'M':
        return take_digits(rest, 2, &civil->minute);
    default:
        return take_digits(rest, 2, &civil->second); /* S */
    }
}

static int take_format(struct rest *rest, const char *format, struct civil *ret_civil)
{
    for (; *format != '\0'; format++) {
        int taken =
            *format == '%' ? take_part(rest, *++format, ret_civil) : take_literal(rest, *format);
        if (!taken)
            return 0;
    }
    return 1;
}

/* Names are compared in any case, and no zone but GMT is valid, as RFC 9111 4.2 advises. */
int stook__http_date_parse(const char *text, size_t size, int64_t now_ms, int64_t *ret_ms)
{
    static const char *const formats[] = {
        "%a, %d %b %Y %H:%M:%S %Z", /* IMF-fixdate */
        "%A, %d-%b-%y %H:%M:%S %Z", /* RFC 850 */
        "%a %b %e %H:%M:%S %Y",     /* asctime() */
    };
    for (int i = 0; i < 3; i++) {
        struct rest rest = {text, text + size};
        struct civil civil = {0};
        if (!take_format(&rest, formats[i], &civil) || rest.at != rest.end)
            continue;
        int64_t year = i == 1 ? find_century(&civil, now_ms) : civil.year;
        *ret_ms = in_year(&civil, year);
        return is_valid(&civil, year);
    }
    return 0;
}

/* A point and digits, or nothing. Digits beyond the third round up. */
static int take_fraction(struct rest *rest, int *ret_ms)
{
    int ms = 0, scale = 100, more = 0;
    *ret_ms = 0;
    if (!take_literal(rest, '.'))
        return 1;
    const char *first = rest->at;
    for (; rest->at < rest->end && stook__is_digit(*rest->at); rest->at++, scale /= 10) {
        ms += (*rest->at - '0') * scale;
        more |= scale == 0 && *rest->at != '0';
    }
    *ret_ms = ms + more;
    return rest->at != first;
}

/* "Z", or how far local time is ahead of UTC. */
static int take_offset(struct rest *rest, int64_t *ret_ms)
{
    int hours, minutes, is_ahead;
    *ret_ms = 0;
    if (take_literal(rest, 'Z') || take_literal(rest, 'z'))
        return 1;
    is_ahead = take_literal(rest, '+');
    if ((!is_ahead && !take_literal(rest, '-')) || !take_digits(rest, 2, &hours) ||
        !take_literal(rest, ':') || !take_digits(rest, 2, &minutes) || hours > 23 || minutes > 59)
        return 0;
    *ret_ms = (is_ahead ? 1 : -1) * ((int64_t)hours * HOUR + minutes * MINUTE);
    return 1;
}

/* RFC 3339 5.6 allows letters in either case, and a blank for the T. */
int stook__rfc3339_parse(const char *text, size_t size, int64_t *ret_ms)
{
    struct rest rest = {text, text + size};
    struct civil civil = {0};
    int fraction;
    int64_t offset;
    if (!take_format(&rest, "%Y-%m-%d", &civil) ||
        (!take_literal(&rest, 'T') && !take_literal(&rest, 't') && !take_literal(&rest, ' ')) ||
        !take_format(&rest, "%H:%M:%S", &civil) || !take_fraction(&rest, &fraction) ||
        !take_offset(&rest, &offset) || rest.at != rest.end || !is_valid(&civil, civil.year))
        return 0;
    *ret_ms = in_year(&civil, civil.year) + fraction - offset;
    return 1;
}
