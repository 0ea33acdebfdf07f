/* SPDX-License-Identifier: MIT */
/*
 * What responses say about when to come back. A row is a section as text, "name: value" lines, and what
 * comes of it. The section is in a block of its own size, so that a sanitizer sees who reads on.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/harness.h"
#include "http/http_date.h"
#include "http/rate_fields.h"
#include "http/structured_fields.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110. */
#define NOW INT64_C(784111777000)
#define MAX STOOK__RATE_WAIT_MAX
#define DAY INT64_C(86400000)

struct row {
    const char *section; /* lines end in "\n" */
    int64_t wait_ms;
    const char *field; /* NULL: the name of the first line, in lower case, if there is a wait */
};

/* "name\0 value\0" in sequence; the first colon ends the name. */
static char *to_fields(const char *section, size_t *ret_size)
{
    size_t size = strlen(section), at = 0;
    char *fields = malloc(size + 1);
    int in_value = 0;
    CHECK(fields != NULL);
    for (size_t i = 0; i < size; i++) {
        int ends = section[i] == '\n' || (section[i] == ':' && !in_value);
        fields[at++] = ends ? '\0' : section[i];
        in_value = section[i] != '\n' && (in_value || ends);
    }
    char *exact = malloc(at + (at == 0));
    CHECK(exact != NULL);
    memcpy(exact, fields, at);
    free(fields);
    *ret_size = at;
    return exact;
}

static struct stook__rate_hint parse_at(const char *section, int status, int64_t now)
{
    struct stook__rate_hint hint = {-5, "?"};
    size_t size;
    char *fields = to_fields(section, &size);
    stook__rate_fields_parse(fields, size, status, now, &hint);
    free(fields);
    return hint;
}

static void first_name(const char *section, char *name, size_t size)
{
    size_t i = 0;
    for (; section[i] != '\0' && section[i] != ':' && i + 1 < size; i++)
        name[i] = section[i] >= 'A' && section[i] <= 'Z' ? (char)(section[i] + 32) : section[i];
    name[i] = '\0';
}

static void check_row(const struct row *row, int status)
{
    struct stook__rate_hint hint = parse_at(row->section, status, NOW);
    char name[64];
    test_note("status %d: %.400s", status, row->section);
    CHECK_EQ_INT(hint.wait_ms, row->wait_ms);
    first_name(row->section, name, sizeof name);
    if (row->wait_ms < 0)
        CHECK(hint.field == NULL);
    else
        CHECK_STR(hint.field, row->field != NULL ? row->field : name);
}

#define CHECK_ROWS(rows, status)                                                                                       \
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows)[0]; row++)                                                  \
    check_row(&(rows)[row], status)

#define DIGITS_40 "9999999999999999999999999999999999999999"

/* ------------------------------------------------------------------------------- Retry-After */

TEST(retry_after_seconds, valgrind)
{
    static const struct row rows[] = {
        {"Retry-After: 120\n", 120000, NULL},
        {"RETRY-AFTER:120\n", 120000, NULL},
        {"retry-after: \t 120 \t\n", 120000, NULL},
        {"Retry-After: 0\n", 0, NULL},
        {"Retry-After: 000\n", 0, NULL},
        {"Retry-After: 007\n", 7000, NULL},
        {"Retry-After: 1.5\n", 1500, NULL},
        {"Retry-After: 0.001\n", 1, NULL},
        {"Retry-After: 0.0001\n", 1, NULL}, /* never too early */
        {"Retry-After: 8.64\n", 8640, NULL},
        {"Retry-After: 1.0000000000000000000000000000001\n", 1001, NULL},
        {"Retry-After: 1.0000000000000000000000000000000\n", 1000, NULL},
        {"Retry-After: 0.9999999999\n", 1000, NULL},
        {"Retry-After: 9007199254740\n", INT64_C(9007199254740000), NULL},
        {"Retry-After: 9007199254740.991\n", MAX - 1, NULL},
        {"Retry-After: 9007199254740.992\n", MAX, NULL},
        {"Retry-After: 9007199254740.993\n", MAX, NULL},
        {"Retry-After: 9223372036854775807\n", MAX, NULL},
        {"Retry-After: 9223372036854775808\n", MAX, NULL},
        {"Retry-After: 18446744073709551617\n", MAX, NULL},
        {"Retry-After: " DIGITS_40 DIGITS_40 "\n", MAX, NULL},
        {"Retry-After: " DIGITS_40 "." DIGITS_40 "\n", MAX, NULL},
        /* as if it were not there */
        {"Retry-After: -1\n", -1, NULL},
        {"Retry-After: -0\n", -1, NULL},
        {"Retry-After: +5\n", -1, NULL},
        {"Retry-After: 1e9\n", -1, NULL},
        {"Retry-After: 0x10\n", -1, NULL},
        {"Retry-After: soon\n", -1, NULL},
        {"Retry-After: 5 s\n", -1, NULL},
        {"Retry-After: 5s\n", -1, NULL},
        {"Retry-After: 5 5\n", -1, NULL},
        {"Retry-After: 5,\n", -1, NULL},
        {"Retry-After: 5;\n", -1, NULL},
        {"Retry-After: 5.\n", -1, NULL},
        {"Retry-After: .5\n", -1, NULL},
        {"Retry-After: 1.5.5\n", -1, NULL},
        {"Retry-After: 1,5\n", -1, NULL},
        {"Retry-After: \"5\"\n", -1, NULL},
        {"Retry-After: \xd9\xa5\n", -1, NULL}, /* an Arabic five */
        {"Retry-After: inf\n", -1, NULL},
        {"Retry-After: nan\n", -1, NULL},
        {"Retry-After: \n", -1, NULL},
        {"Retry-After:\n", -1, NULL},
        {"Retry-After:  \t \n", -1, NULL},
        {"Retry-Afte: 5\n", -1, NULL},
        {"Retry-After : 5\n", -1, NULL},
        {"X-Retry-After: 5\n", -1, NULL},
        {"Retry: 5\n", -1, NULL},
        {"Server: 5\n", -1, NULL},
        {"", -1, NULL},
        /* The longest valid one. */
        {"Retry-After: 5\nRetry-After: 7\nRetry-After: 6\n", 7000, NULL},
        {"Retry-After: 5\nRetry-After: -7\n", 5000, NULL},
        {"Retry-After: soon\nServer: x\nretry-after: 3\n", 3000, NULL},
        {"Retry-After: 0\nRetry-After: later\n", 0, NULL},
        {"Retry-After: 5\nRetry-After: Sun, 06 Nov 1994 08:49:57 GMT\n", 20000, NULL},
    };
    static const int statuses[] = {200, 301, 403, 413, 429, 503};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        CHECK_ROWS(rows, statuses[i]);
}

TEST(retry_after_dates, valgrind)
{
    static const struct row rows[] = {
        {"Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\n", 1000, NULL},
        {"Retry-After: Sunday, 06-Nov-94 08:49:38 GMT\n", 1000, NULL},
        {"Retry-After: Sun Nov  6 08:49:38 1994\n", 1000, NULL},
        {"Retry-After: Wed Nov 16 08:49:37 1994\n", 10 * DAY, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\n", 0, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:36 GMT\n", 0, NULL},
        {"Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\n", 0, NULL},
        {"Retry-After: Sat, 01 Jan 0000 00:00:00 GMT\n", 0, NULL},
        {"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\n", INT64_C(253402300799000) - NOW, NULL},
        {"Retry-After: sun, 06 nov 1994 08:49:38 gmt\n", 1000, NULL}, /* RFC 9111 4.2 */
        {"Retry-After: Sun, 06 Nov 1994 08:49:38 UTC\n", -1, NULL},
        {"Retry-After: Mon, 06 Nov 1994 08:49:38 GMT\n", 1000, NULL}, /* it was a Sunday */
        {"Retry-After: Sun, 06 Nov 1994 08:49:60 GMT\n", 23000, NULL},
        {"Retry-After:  Sun, 06 Nov 1994 08:49:38 GMT \n", 1000, NULL},
        /* as if it were not there */
        {"Retry-After: Sun, 06 Nov 1994 08:49:61 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:60:37 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 24:00:00 GMT\n", -1, NULL},
        {"Retry-After: Sun, 00 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 31 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 29 Feb 1995 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 29 Feb 2100 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 6 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 94 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:38\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:38 CET\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:38 +0000\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:38 GMTX\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:38 GM\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 8:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 19940 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun 06 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun,06 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun,  06 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: 06 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Son, 06 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nev 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06-Nov-94 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sunday, 06-Nov-1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun Nov 6 08:49:38 1994\n", -1, NULL},
        {"Retry-After: Sun Nov  6 08:49:38 1994 GMT\n", -1, NULL},
        {"Retry-After: Sun Nov  6 08:49:38 94\n", -1, NULL},
        {"Retry-After: S\n", -1, NULL},
        {"Retry-After: 1994-11-06T08:49:38Z\n", -1, NULL},
        {"Retry-After: Sun, -6 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:+8 GMT\n", -1, NULL},
    };
    CHECK_ROWS(rows, 503);
}

/* Dates are compared with the server's clock. */
TEST(date_of_the_server, valgrind)
{
    static const struct row rows[] = {
        {"Retry-After: Sun, 06 Nov 1994 09:00:10 GMT\nDate: Sun, 06 Nov 1994 09:00:00 GMT\n", 10000, NULL},
        {"Retry-After: Sun, 06 Nov 1994 09:00:10 GMT\ndate: Sunday, 06-Nov-94 09:00:00 GMT\n", 10000, NULL},
        {"Retry-After: Sun, 06 Nov 1994 09:00:10 GMT\nDate: Sun Nov  6 09:00:00 1994 \n", 10000, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\nDate: Sun, 06 Nov 1994 09:00:00 GMT\n", 0, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\nDate: yesterday\n", 10000, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\nDate: 784111770\n", 10000, NULL},
        {"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\nDate:\nDate: Sun, 06 Nov 1994 08:49:46 GMT\n", 1000, NULL},
        {"Retry-After: 10\nDate: Sun, 06 Nov 1994 09:00:00 GMT\n", 10000, NULL},
        {"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\nDate: Sat, 01 Jan 0000 00:00:00 GMT\n",
         INT64_C(315569519999000), NULL},
        {"X-RateLimit-Reset: 1994-11-06T09:00:10Z\nDate: Sun, 06 Nov 1994 09:00:00 GMT\n", 10000, NULL},
    };
    CHECK_ROWS(rows, 429);
    CHECK_EQ_INT(parse_at("X-RateLimit-Reset: 1700000010\nDate: Tue, 14 Nov 2023 22:13:20 GMT\n", 429, 0).wait_ms, 10000);
}

TEST(clocks_that_are_far_off, valgrind)
{
    const char *date = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\n";
    const char *short_year = "Retry-After: Sunday, 06-Nov-94 08:49:37 GMT\n";
    CHECK_EQ_INT(parse_at(date, 503, INT64_MIN).wait_ms, MAX);
    CHECK_EQ_INT(parse_at(date, 503, INT64_MAX).wait_ms, 0);
    CHECK_EQ_INT(parse_at(date, 503, -1).wait_ms, NOW + 1);
    CHECK(parse_at(short_year, 503, INT64_MIN).wait_ms >= 0);
    CHECK(parse_at(short_year, 503, INT64_MAX).wait_ms >= 0);
    CHECK(parse_at(short_year, 503, 0).wait_ms >= 0);
    CHECK_EQ_INT(parse_at("X-RateLimit-Reset: 99999999999999\n", 429, INT64_MIN).wait_ms, MAX);
    CHECK_EQ_INT(parse_at("X-RateLimit-Reset: 99999999999999\n", 429, INT64_MAX).wait_ms, 0);
    CHECK_EQ_INT(parse_at("X-RateLimit-Reset: " DIGITS_40 "\n", 429, 0).wait_ms, -1);
}

static void check_date(const char *text, int64_t now, int64_t wanted)
{
    int64_t ms = -1;
    test_note("%s", text);
    CHECK_EQ_INT(stook__http_date_parse(text, strlen(text), now, &ms), 1);
    CHECK_EQ_INT(ms, wanted);
}

/* RFC 9110 5.6.7: what appears to be more than 50 years in the future is in the past. */
TEST(years_of_two_digits)
{
    static const int64_t of_2044 = INT64_C(2362034977000), of_1944 = INT64_C(-793725023000);
    check_date("Sunday, 06-Nov-44 08:49:37 GMT", NOW, of_2044); /* 50 years to the second */
    check_date("Sunday, 06-Nov-44 08:49:38 GMT", NOW, of_1944 + 1000);
    check_date("Sunday, 06-Nov-44 08:49:37 GMT", NOW - 1, of_1944);
    check_date("Sunday, 06-Nov-94 08:49:37 GMT", NOW, NOW);
    check_date("Saturday, 01-Jan-00 00:00:00 GMT", NOW, INT64_C(946684800000));
    check_date("Friday, 31-Dec-99 23:59:59 GMT", INT64_C(946684800000), INT64_C(946684799000));
    check_date("Friday, 01-Jan-00 00:00:00 GMT", INT64_C(4102444799000), INT64_C(4102444800000)); /* 2100 */
    check_date("Tuesday, 29-Feb-00 00:00:00 GMT", INT64_C(1700000000000), INT64_C(951782400000));
    int64_t ms;
    const char *leap = "Tuesday, 29-Feb-00 00:00:00 GMT"; /* of 2100, which has none */
    CHECK_EQ_INT(stook__http_date_parse(leap, strlen(leap), INT64_C(4102444799000), &ms), 0);
}

/* Every day of 800 years against the C library. */
TEST(dates_are_those_of_the_c_library)
{
    for (int64_t seconds = INT64_C(-11676096000) + 12345; seconds < INT64_C(13569465600); seconds += 86400 - 7) {
        time_t time = (time_t)seconds;
        struct tm tm;
        char text[64];
        CHECK(gmtime_r(&time, &tm) != NULL);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        check_date(text, 0, seconds * 1000);
        strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &tm);
        check_date(text, 0, seconds * 1000);
        int64_t ms = 0;
        size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        CHECK(stook__rfc3339_parse(text, size, &ms));
        CHECK_EQ_INT(ms, seconds * 1000);
    }
}

TEST(rfc_3339)
{
    static const struct {
        const char *text;
        int64_t ms; /* since NOW; -1: refused */
    } rows[] = {
        {"1994-11-06T08:49:37Z", 0},           {"1994-11-06T08:49:38Z", 1000},
        {"1994-11-06t08:49:38z", 1000},        {"1994-11-06 08:49:38Z", 1000},
        {"1994-11-06T08:49:38.25Z", 1250},     {"1994-11-06T08:49:38.001Z", 1001},
        {"1994-11-06T08:49:38.0001Z", 1001},   {"1994-11-06T08:49:38.0000000000Z", 1000},
        {"1994-11-06T08:49:38.999999Z", 2000}, {"1994-11-06T10:19:38+01:30", 1000},
        {"1994-11-06T03:49:38-05:00", 1000},   {"1994-11-07T08:48:37+23:59", 0},
        {"1994-11-06T08:49:38-00:00", 1000},   {"1994-11-06T08:49:60Z", 23000},
        {"1994-11-06T08:49:38", -1},           {"1994-11-06T08:49:38.Z", -1},
        {"1994-11-06T08:49Z", -1},             {"1994-11-06", -1},
        {"94-11-06T08:49:38Z", -1},            {"1994-13-06T08:49:38Z", -1},
        {"1994-00-06T08:49:38Z", -1},          {"1994-02-29T08:49:38Z", -1},
        {"1994-11-06T24:00:00Z", -1},          {"1994-11-06T08:49:38+0100", -1},
        {"1994-11-06T08:49:38+24:00", -1},     {"1994-11-06T08:49:38+00:60", -1},
        {"1994-11-06T08:49:38ZZ", -1},         {"1994-11-06T08:49:38 Z", -1},
        {"1994-11-06_08:49:38Z", -1},          {"19941106T084938Z", -1},
        {"1994-11-06T08:49:61Z", -1},          {"1994-11-06T08:49:38+01", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 0;
        test_note("%s", rows[i].text);
        CHECK_EQ_INT(stook__rfc3339_parse(rows[i].text, strlen(rows[i].text), &ms), rows[i].ms >= 0);
        if (rows[i].ms >= 0)
            CHECK_EQ_INT(ms - NOW, rows[i].ms);
    }
}

/* -------------------------------------------------------------------------------- precedence */

TEST(precedence, valgrind)
{
    static const struct row rows[] = {
        {"retry-after-ms: 250\n", 250, NULL},
        {"Retry-After-MS: 250.5\n", 251, NULL},
        {"retry-after-ms: 0\n", 0, NULL},
        {"retry-after-ms: " DIGITS_40 "\n", MAX, NULL},
        {"retry-after-ms: 9007199254740993\n", MAX, NULL},
        {"retry-after-ms: -1\n", -1, NULL},
        {"retry-after-ms: 1e3\n", -1, NULL},
        {"retry-after-ms: 250ms\n", -1, NULL},
        {"retry-after-ms: Sun, 06 Nov 1994 08:49:38 GMT\n", -1, NULL},
        {"retry-after-ms: 100\nretry-after-ms: 300\n", 300, NULL},
        {"x-amz-retry-after: 1500\n", 1500, NULL},
        {"X-Amz-Retry-After: 1.5\n", 2, NULL},
        {"x-amz-retry-after: soon\n", -1, NULL},
        {"retry-after-ms: 250\nRetry-After: 1\n", 250, NULL},
        {"Retry-After: 1\nretry-after-ms: 250\n", 250, "retry-after-ms"},
        {"Retry-After: 1\nretry-after-ms: -250\n", 1000, NULL},
        {"Retry-After: 0\nretry-after-ms: 250\nx-amz-retry-after: 5\n", 250, "retry-after-ms"},
        {"x-amz-retry-after: 5000\nRetry-After: 1\n", 1000, "retry-after"},
        {"x-amz-retry-after: 5000\nRetry-After: x\n", 5000, NULL},
        {"Retry-After: 1\nRateLimit: \"a\";r=0;t=9\nX-RateLimit-Reset: 10\n", 1000, NULL},
        {"Retry-After: 0\nRateLimit: \"a\";r=0;t=9\n", 0, NULL},
        {"Retry-After: x\nRateLimit: \"a\";r=0;t=9\n", 9000, "ratelimit"},
        {"x-amz-retry-after: 7\nRateLimit: \"a\";r=0;t=9\n", 7, NULL},
        {"RateLimit: \"a\";r=0;t=9\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 10\n", 9000, NULL},
        {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 10\nRateLimit: \"a\";r=0;t=9;\n", 10000, "x-ratelimit-reset"},
        {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 10\nRateLimit: \"a\";r=0\n", 10000, "x-ratelimit-reset"},
        {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 10\nRateLimit: \"a\";r=3\n", -1, NULL},
    };
    CHECK_ROWS(rows, 429);
}

/* With other statuses only Retry-After and its relatives are about this request. */
TEST(other_statuses)
{
    static const struct row rows[] = {
        {"RateLimit: \"a\";r=0;t=9\n", -1, NULL},
        {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 10\n", -1, NULL},
        {"X-RateLimit-Reset: 10\n", -1, NULL},
        {"x-amz-retry-after: 10\n", 10, NULL},
        {"retry-after-ms: 10\n", 10, NULL},
    };
    static const int statuses[] = {0, 200, 304, 403, 428, 430, 500, 502, 504};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        CHECK_ROWS(rows, statuses[i]);
}

/* --------------------------------------------------------------------------------- RateLimit */

TEST(rate_limit, valgrind)
{
    static const struct row rows[] = {
        {"RateLimit: \"default\";r=0;t=30\n", 30000, NULL},
        {"ratelimit: default;r=0;t=30\n", 30000, NULL},
        {"RateLimit: \"default\";t=30;r=0\n", 30000, NULL},
        {"RateLimit: \"default\"; r=0;  t=30\n", 30000, NULL},
        {"RateLimit: \"default\";r=0;t=0\n", 0, NULL},
        {"RateLimit: \"default\";r=-0;t=30\n", 30000, NULL},
        {"RateLimit: \"default\";r=50;t=30\n", -1, NULL},
        {"RateLimit: \"default\";r=1\n", -1, NULL},
        {"RateLimit: \"default\";r=0\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5, \"b\";r=0;t=9,\"c\";r=0;t=7\n", 9000, NULL},
        {"RateLimit: \"a\";r=0;t=5, \"b\";r=1;t=9\n", 5000, NULL},
        {"RateLimit: \"a\";r=1;t=5, \"b\";r=2;t=9\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5\t,\t\"b\";r=0;t=9\n", 9000, NULL},
        {"RateLimit: \"a\";r=0;t=5\nServer: x\nRateLimit: \"b\";r=0;t=9\n", 9000, NULL},
        {"RateLimit: \"a\";r=0;t=5;pk=:dHNvdCBpcyBoZXJl:\n", 5000, NULL},
        {"RateLimit: \"a\";r=0;t=5;x;y=?0;z=1.5;u=@1;v=tok/en;s=\"\\\"\\\\\"\n", 5000, NULL},
        {"RateLimit: \"a\";r=0;t=999999999999999\n", MAX, NULL},
        {"RateLimit: \"a\";r=0;t=9007199254740\n", INT64_C(9007199254740000), NULL},
        {"RateLimit: \"a\";r=0;t=9007199254741\n", MAX, NULL},
        {"RateLimit: \"a\";r=7;r=0;t=9;t=5\n", 5000, NULL}, /* RFC 9651 3.1.2: the last one */
        {"RateLimit: \"a\";r=?1;r=0;t=5\n", 5000, NULL},
        {"RateLimit: \"\";r=0;t=5\n", 5000, NULL},
        {"RateLimit: *;r=0;t=5\n", 5000, NULL},
        {"RateLimit: \"a\";r=0;t=5;a-key-that-is-longer-than-any=1\n", 5000, NULL},
        {"RateLimit: \"a, b\";r=0;t=5\n", 5000, NULL},
        {"RateLimit: \"a\nRateLimit: b\";r=0;t=5\n", 5000, NULL}, /* joined, it is valid */
        {"RateLimit:\n", -1, NULL},
        /* malformed */
        {"RateLimit: \"a\"\n", -1, NULL},
        {"RateLimit: \"a\";t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5, \"b\"\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=-5\n", -1, NULL},
        {"RateLimit: \"a\";r=-1;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=0.0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=\"0\";t=5\n", -1, NULL},
        {"RateLimit: \"a\";r;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=?0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5;t=@5\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5.0\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5;pk=abc\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=1000000000000000\n", -1, NULL}, /* 16 digits */
        {"RateLimit: \"a\";R=0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r =0;t=5\n", -1, NULL},
        {"RateLimit: \"a\" ;r=0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r= 0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5;\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5,\n", -1, NULL},
        {"RateLimit: ,\"a\";r=0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5,,\"b\";r=0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5 \"b\";r=0;t=5\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5\nRateLimit: x=\n", -1, NULL},
        {"RateLimit: \"a\";r=0;t=5\nRateLimit:\n", -1, NULL},
        {"RateLimit:\nRateLimit: \"a\";r=0;t=5\n", -1, NULL},
        {"RateLimit: \"a;r=0;t=5\n", -1, NULL},
        {"RateLimit: 'a';r=0;t=5\n", -1, NULL},
        {"RateLimit: 5;r=0;t=5\n", -1, NULL},
        {"RateLimit: (\"a\" \"b\");r=0;t=5\n", -1, NULL}, /* valid, but no policy */
        {"RateLimit: limit=10, remaining=0, reset=5\n", -1, NULL}, /* the draft 07 */
        {"RateLimit: ?1;r=0;t=5\n", -1, NULL},
    };
    CHECK_ROWS(rows, 429);
    CHECK_ROWS(rows, 503);
}

TEST(rate_limit_policy, valgrind)
{
#define POLICY(value) "RateLimit-Policy: " value "\nRateLimit: "
    static const struct row rows[] = {
        {POLICY("\"a\";q=100;w=60") "\"a\";r=0\n", 60000, NULL},
        {POLICY("a;q=100;w=60") "\"a\";r=0\n", 60000, NULL},
        {POLICY("\"a\";q=100;w=60;qu=\"requests\";pk=:YQ==:") "\"a\";r=0\n", 60000, NULL},
        {POLICY("\"\\\"\\\\\";q=1;w=60") "\"\\\"\\\\\";r=0\n", 60000, NULL},
        {POLICY("\"b\";q=1;w=60") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"A\";q=1;w=60") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=60") "\"a\";r=1\n", -1, NULL},
        {POLICY("\"a\";q=1;w=60") "\"a\";r=0;t=5\n", 5000, "ratelimit"},
        {POLICY("\"a\";q=1;w=60, \"b\";q=1;w=90") "\"a\";r=0, \"b\";r=0;t=70\n", 70000, "ratelimit"},
        {POLICY("\"a\";q=1;w=60, \"b\";q=1;w=90") "\"a\";r=0, \"b\";r=0;t=50\n", 60000, NULL},
        {POLICY("\"a\";q=1;w=60, \"b\";q=1;w=90") "\"a\";r=0, \"b\";r=0\n", 90000, NULL},
        {POLICY("\"a\";q=1;w=60, \"a\";q=1;w=90") "\"a\";r=0\n", 90000, NULL},
        {POLICY("\"a\";q=1;w=60\nRateLimit-Policy: \"b\";q=1;w=90") "\"b\";r=0\n", 90000, NULL},
        {POLICY("\"a\";q=1;w=999999999999999") "\"a\";r=0\n", MAX, NULL},
        /* malformed policies are not there */
        {POLICY("\"a\";w=60") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=60;t=\"x\";r=x") "\"a\";r=0;w=\"x\";q=x\n", 60000, NULL}, /* comments there */
        {POLICY("\"a\";q=1;w=0") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=-60") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=6.5") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=60;qu=requests") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=60;pk=\"a\"") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=60, 5") "\"a\";r=0\n", -1, NULL},
        {POLICY("\"a\";q=1;w=60,") "\"a\";r=0\n", -1, NULL},
        {POLICY("10;w=60") "\"a\";r=0\n", -1, NULL}, /* the draft 06 */
        {POLICY("\"a\";q=1;w=60,") "\"a\";r=0;t=5\n", 5000, "ratelimit"},
        {"RateLimit-Policy: \"a\";q=1;w=60\n", -1, NULL},
    };
#undef POLICY
    CHECK_ROWS(rows, 429);
}

/* More exhausted policies without a time than are kept. */
TEST(many_policies)
{
    char section[8192] = "RateLimit: ";
    for (int i = 0; i < 100; i++)
        snprintf(section + strlen(section), sizeof section - strlen(section), "%s\"p%d\";r=0", i > 0 ? ", " : "", i);
    size_t size = strlen(section);
    snprintf(section + size, sizeof section - size, "\nRateLimit-Policy: \"p99\";q=1;w=9, \"p15\";q=1;w=7\n");
    CHECK_EQ_INT(parse_at(section, 429, NOW).wait_ms, 7000);
    snprintf(section + size, sizeof section - size, ", \"z\";r=0;t=8\n");
    CHECK_EQ_INT(parse_at(section, 429, NOW).wait_ms, 8000);
}

/* `member` and `parameter` are the types of the second member and of its first parameter; -1: any. */
static void check_list(const char *list, int is_valid, int member, int parameter)
{
    char section[300];
    size_t size;
    struct stook__sf_reader reader;
    struct stook__sf_value value;
    struct stook__sf_parameter one;
    int more = 1, inner = 0;
    snprintf(section, sizeof section, "F: %s\n", list);
    test_note("%s", section);
    char *fields = to_fields(section, &size);
    stook__sf_begin(&reader, fields, size, "f");
    for (int n = 0; inner == 0 && (more = stook__sf_next_member(&reader, &value)) > 0; n++) {
        if (n == 1 && member >= 0)
            CHECK_EQ_INT(value.type, member);
        for (int m = 0; (inner = stook__sf_next_parameter(&reader, &one)) > 0; m++)
            if (n == 1 && m == 0 && parameter >= 0)
                CHECK_EQ_INT(one.value.type, parameter);
    }
    CHECK_EQ_INT(inner < 0 ? -1 : more, is_valid ? 0 : -1);
    free(fields);
}

/* The grammar of RFC 9651. A value is tried as a member and as the value of a parameter in the first
   table. The second has whole lists. */
TEST(structured_fields, valgrind)
{
    static const struct {
        const char *value;
        int is_valid, type; /* of a member; -1: any */
    } rows[] = {
        {"0", 1, STOOK__SF_INTEGER}, {"-0", 1, STOOK__SF_INTEGER}, {"007", 1, STOOK__SF_INTEGER},
        {"999999999999999", 1, STOOK__SF_INTEGER}, {"-999999999999999", 1, STOOK__SF_INTEGER},
        {"1000000000000000", 0, -1}, {"0000000000000000", 0, -1}, {"-", 0, -1}, {"--1", 0, -1}, {"+1", 0, -1},
        {"1e5", 0, -1}, {"1_0", 0, -1}, {"- 1", 0, -1},
        {"1.5", 1, STOOK__SF_DECIMAL}, {"-1.125", 1, STOOK__SF_DECIMAL}, {"999999999999.999", 1, STOOK__SF_DECIMAL},
        {"1.", 0, -1}, {".5", 0, -1}, {"1.1234", 0, -1}, {"1000000000000.5", 0, -1}, {"1.5.5", 0, -1}, {"1.-5", 0, -1},
        {"\"\"", 1, STOOK__SF_STRING}, {"\"a b\"", 1, STOOK__SF_STRING}, {"\"\\\"\"", 1, STOOK__SF_STRING},
        {"\"\\\\\"", 1, STOOK__SF_STRING}, {"\"~ ;,=\"", 1, STOOK__SF_STRING},
        {"\"", 0, -1}, {"\"a", 0, -1}, {"\"\\\"", 0, -1}, {"\"\\n\"", 0, -1}, {"\"\\", 0, -1}, {"\"\t\"", 0, -1},
        {"\"\x7f\"", 0, -1}, {"\"\xc3\xa4\"", 0, -1}, {"\"a\"b", 0, -1},
        {"a", 1, STOOK__SF_TOKEN}, {"A", 1, STOOK__SF_TOKEN}, {"*", 1, STOOK__SF_TOKEN},
        {"a/b:c*!#$%&'+-.^_`|~9", 1, STOOK__SF_TOKEN},
        {"/a", 0, -1}, {"a\"b\"", 0, -1}, {"a=b", 0, -1}, {"a(b)", 0, -1}, {"_a", 0, -1}, {"a\xc3\xa4", 0, -1}, {"a@b", 0, -1},
        {"::", 1, STOOK__SF_BYTES}, {":YQ==:", 1, STOOK__SF_BYTES}, {":YQ:", 1, STOOK__SF_BYTES},
        {":YWI=:", 1, STOOK__SF_BYTES}, {":YWJj:", 1, STOOK__SF_BYTES}, {":+/+/:", 1, STOOK__SF_BYTES},
        {":", 0, -1}, {":YQ==", 0, -1}, {":Y:", 0, -1}, {":YQ=:", 0, -1}, {":=:", 0, -1}, {":Y===:", 0, -1},
        {":YWJj====:", 0, -1}, {":Y=Q=:", 0, -1}, {":Y-Q_:", 0, -1}, {":Y Q=:", 0, -1}, {":YQ==::", 0, -1},
        {"?0", 1, STOOK__SF_BOOLEAN}, {"?1", 1, STOOK__SF_BOOLEAN}, {"?", 0, -1}, {"?2", 0, -1}, {"?true", 0, -1}, {"?10", 0, -1},
        {"@0", 1, STOOK__SF_DATE}, {"@-1", 1, STOOK__SF_DATE}, {"@1659578233", 1, STOOK__SF_DATE},
        {"@", 0, -1}, {"@1.5", 0, -1}, {"@a", 0, -1}, {"@ 1", 0, -1},
        {"%\"\"", 1, STOOK__SF_DISPLAY_STRING}, {"%\"a%20b\"", 1, STOOK__SF_DISPLAY_STRING},
        {"%\"%c3%a4\"", 1, STOOK__SF_DISPLAY_STRING}, {"%\"%f0%9f%98%80\"", 1, STOOK__SF_DISPLAY_STRING},
        {"%\"%22%5c\"", 1, STOOK__SF_DISPLAY_STRING}, {"%\"%e2%82%ac\"", 1, STOOK__SF_DISPLAY_STRING},
        {"%\"\\\"", 1, STOOK__SF_DISPLAY_STRING},
        {"%", 0, -1}, {"%\"", 0, -1}, {"%\"%C3%A4\"", 0, -1}, {"%\"%c3\"", 0, -1}, {"%\"%c3a\"", 0, -1}, {"%\"%a4\"", 0, -1},
        {"%\"%c0%80\"", 0, -1}, {"%\"%ed%a0%80\"", 0, -1}, {"%\"%f4%90%80%80\"", 0, -1}, {"%\"%e0%80%80\"", 0, -1},
        {"%\"%2\"", 0, -1}, {"%\"%zz\"", 0, -1}, {"%\"\xc3\xa4\"", 0, -1}, {"%a", 0, -1}, {"%\"%f8%88%80%80%80\"", 0, -1},
        {"", 0, -1}, {" ", 0, -1}, {"=", 0, -1}, {"\\", 0, -1}, {"\x01", 0, -1}, {"\xff", 0, -1}, {"{}", 0, -1},
    };
    static const struct {
        const char *value;
        int is_valid;
    } lists[] = {
        {"()", 1}, {"(a)", 1}, {"(a b)", 1}, {"(  a   b  )", 1}, {"(\"a\";x;y=1 b;z)", 1}, {"(1 2.5 ?1 :YQ==: @1 %\"\")", 1},
        {"(", 0}, {"(a", 0}, {"(a,b)", 0}, {"(a\tb)", 0}, {"((a))", 0}, {"(a)b", 0}, {"(a;)", 0}, {"(a;X)", 0}, {")", 0},
        {"(a\"b\")", 0}, {"(a;x=)", 0}, {"(\"a)", 0},
        {"a;k", 1}, {"a;*", 1}, {"a;k_-.*9=1", 1}, {"a;  k", 1}, {"a;k;k;k=2", 1}, {"a;a-key-that-is-longer-than-any-known", 1},
        {"a;", 0}, {"a;;k", 0}, {"a;9", 0}, {"a;K", 0}, {"a;k=", 0}, {"a;k =1", 0}, {"a ;k", 0}, {"a;\tk", 0}, {"a;k=(b)", 0},
        {"a;-", 0}, {"a;k=;l", 0},
        {"a,b", 1}, {"a , b", 1}, {"a\t,\tb", 1}, {"a,\t b ", 1}, {"", 1}, {"a,", 0}, {",a", 0}, {",", 0}, {"a,,b", 0}, {"a b", 0},
        {"a;k, (b c);l, \"d\"", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char list[256];
        snprintf(list, sizeof list, "a, %s;r=1, b", rows[i].value);
        check_list(list, rows[i].is_valid, rows[i].type, -1);
        snprintf(list, sizeof list, "a, c;x=%s;r=1, b", rows[i].value);
        check_list(list, rows[i].is_valid, -1, rows[i].type);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        check_list(lists[i].value, lists[i].is_valid, -1, -1);
}

/* -------------------------------------------------------------------------------- older forms */

TEST(older_pairs, valgrind)
{
    static const struct row rows[] = {
        {"RateLimit-Reset: 7\nRateLimit-Remaining: 0\n", 7000, NULL},
        {"ratelimit-reset: 7\nratelimit-remaining: 00\nRateLimit-Limit: 5\n", 7000, NULL},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 0\n", 7000, NULL},
        {"X-Rate-Limit-Reset: 7\nX-Rate-Limit-Remaining: 0\n", 7000, NULL},
        {"X-Rate-Limit-Reset: 7\nX-RateLimit-Remaining: 0\n", 7000, NULL},
        {"X-RateLimit-Reset: 1.5\nX-RateLimit-Remaining: 0.0\n", 1500, NULL},
        {"X-RateLimit-Reset: 0\nX-RateLimit-Remaining: 0\n", 0, NULL},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 1\n", -1, NULL},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 0.5\n", -1, NULL},
        {"X-RateLimit-Reset: soon\nX-RateLimit-Remaining: 0\n", -1, NULL},
        {"X-RateLimit-Reset: -7\nX-RateLimit-Remaining: 0\n", -1, NULL},
        {"X-RateLimit-Remaining: 0\n", -1, NULL},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Reset: 9\nX-RateLimit-Remaining: 0\n", 9000, NULL},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 5\nX-RateLimit-Remaining: 0\n", 7000, NULL},
        /* the longest of those that have nothing left */
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 0\nRateLimit-Remaining: 0\nRateLimit-Reset: 9\n", 9000,
         "ratelimit-reset"},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 0\nRateLimit-Remaining: 1\nRateLimit-Reset: 9\n", 7000, NULL},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 0\nRateLimit-Reset: 9\n", 7000, NULL},
        {"x-ratelimit-reset-requests: 1s\nx-ratelimit-remaining-requests: 0\n"
         "x-ratelimit-reset-tokens: 6m0s\nx-ratelimit-remaining-tokens: 149984\n", 1000, NULL},
        {"x-ratelimit-reset-tokens: 6m0s\nx-ratelimit-remaining-tokens: 0\n"
         "x-ratelimit-reset-requests: 1s\nx-ratelimit-remaining-requests: 0\n", 360000, NULL},
        {"anthropic-ratelimit-requests-reset: 1994-11-06T08:49:38Z\nanthropic-ratelimit-requests-remaining: 0\n", 1000, NULL},
        {"anthropic-ratelimit-tokens-reset: 1994-11-06T08:49:38.5Z\nanthropic-ratelimit-tokens-remaining: 0\n", 1500, NULL},
        {"Anthropic-RateLimit-Input-Tokens-Reset: 1994-11-06T09:49:39+01:00\n"
         "anthropic-ratelimit-input-tokens-remaining: 0\n", 2000, NULL},
        {"anthropic-ratelimit-output-tokens-reset: 1994-11-06T08:49:36Z\nanthropic-ratelimit-output-tokens-remaining: 0\n",
         0, NULL},
        {"anthropic-ratelimit-output-tokens-reset: 1994-11-06T08:49:47Z\nanthropic-ratelimit-output-tokens-remaining: 0\n"
         "anthropic-ratelimit-input-tokens-reset: 1994-11-06T08:59:47Z\nanthropic-ratelimit-input-tokens-remaining: 9\n",
         10000, NULL},
    };
    CHECK_ROWS(rows, 429);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i], 503);
}

/* A 429 is about a limit even if the numbers do not come with it. */
TEST(resets_alone, valgrind)
{
    static const struct row rows[] = {
        {"RateLimit-Reset: 7\n", 7000, NULL},
        {"X-RateLimit-Reset: 7\n", 7000, NULL},
        {"X-RateLimit-Reset: 7\nX-Rate-Limit-Reset: 9\n", 9000, "x-rate-limit-reset"},
        {"X-RateLimit-Reset: 7\nRateLimit-Reset: 9\n", 9000, "ratelimit-reset"},
        {"x-ratelimit-reset-tokens: 12ms\n", 12, NULL},
        {"anthropic-ratelimit-tokens-reset: 1994-11-06T08:49:38Z\n", 1000, NULL},
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: -1\n", 7000, NULL}, /* no number */
        {"X-RateLimit-Reset: 7\nX-RateLimit-Limit: 5\n", 7000, NULL},
    };
    static const struct row others[] = {
        {"x-ratelimit-reset-tokens: 9s\nx-ratelimit-remaining-requests: 3\n", -1, NULL}, /* one form */
        {"X-RateLimit-Reset: 7\nX-RateLimit-Remaining: 1\n", -1, NULL},
        {"X-RateLimit-Limit: 7\n", -1, NULL},
    };
    CHECK_ROWS(rows, 429);
    CHECK_ROWS(others, 429);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_EQ_INT(parse_at(rows[i].section, 503, NOW).wait_ms, -1);
}

TEST(values_of_resets, valgrind)
{
    static const struct {
        const char *value;
        int64_t wait_ms;
    } rows[] = {
        {"1000000000", INT64_C(1000000000000)}, /* still seconds */
        {"1000000000.001", INT64_C(1000000000001) - NOW},
        {"1000000001", INT64_C(1000000001000) - NOW},
        {"1700000000", INT64_C(1700000000000) - NOW},
        {"1000000000000", MAX < INT64_C(1000000000000000) ? MAX : INT64_C(1000000000000000) - NOW},
        {"1000000000001", INT64_C(1000000000001) - NOW},
        {"1700000000123", INT64_C(1700000000123) - NOW},
        {"100000000000000", INT64_C(100000000000000) - NOW},
        {"1700000000000000", -1}, {"1700000000000000000", -1}, {DIGITS_40, -1}, /* in some other unit */
        {"Sun, 06 Nov 1994 08:49:38 GMT", 1000},
        {"Sunday, 06-Nov-94 08:49:38 GMT", 1000},
        {"Sun Nov  6 08:49:38 1994", 1000},
        {"1994-11-06T08:49:38Z", 1000},
        {"1994-11-06T08:49:36Z", 0},
        {"12ms", 12}, {"6m0s", 360000}, {"1h2m3.5s", 3723500}, {"1.5s", 1500}, {"350us", 1}, {"350\xc2\xb5s", 1},
        {"350\xce\xbcs", 1}, {"1ns", 1}, {"0s", 0}, {"0", 0}, {"2m59.56s", 179560}, {"1000us", 1}, {"1001us", 2},
        {"1000000ns", 1}, {"3s2m", 123000}, {"0.5h", 1800000}, {"8.64s", 8640}, {"999999999h", INT64_C(3599999996400000)},
        {"99999999999h", MAX}, {DIGITS_40 "h" DIGITS_40 "h", MAX}, {DIGITS_40 "m", MAX}, {"1m1ms", 60001},
        {"-1s", -1}, {"+1s", -1}, {"1", 1000}, {"1 s", -1}, {"1S", -1}, {"1d", -1}, {"s", -1}, {"1.s", -1}, {".5s", -1},
        {"1m ", 60000}, {"1m,", -1}, {"1m2", -1}, {"1mss", -1}, {"1\xc2", -1}, {"1\xc2\xb5", -1}, {"1e3s", -1}, {"1m-1s", -1},
        {"", -1}, {"never", -1}, {"0x7", -1},
    };
    static const char *const names[] = {"X-RateLimit-Reset", "x-ratelimit-reset-requests", "anthropic-ratelimit-tokens-reset",
                                        "RateLimit-Reset"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            char section[256];
            snprintf(section, sizeof section, "%s: %s\n", names[n], rows[i].value);
            test_note("%s", section);
            CHECK_EQ_INT(parse_at(section, 429, NOW).wait_ms, rows[i].wait_ms);
        }
}

/* ------------------------------------------------------------------------------------- bounds */

/* Every beginning of a section, in a block of its own size. */
TEST(cut_off, valgrind)
{
    static const char section[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\nServer:\nretry-after-ms: x\nRetry-After: Sunday\n"
                                  "RateLimit-Policy: \"a\\\\\";q=1;w=5;pk=:YQ==:\nRateLimit: \"a\\\\\";r=0;x=%\"%c3%a4\"\n"
                                  "x-ratelimit-reset-tokens: 1h2m3.5s\nx-ratelimit-remaining-tokens: 0\n";
    size_t size;
    char *fields = to_fields(section, &size);
    for (size_t cut = 0; cut <= size; cut++) {
        char *part = malloc(cut + (cut == 0));
        struct stook__rate_hint hint;
        CHECK(part != NULL);
        memcpy(part, fields, cut);
        stook__rate_fields_parse(part, cut, 429, NOW, &hint);
        CHECK((hint.wait_ms < 0) == (hint.field == NULL));
        CHECK(hint.wait_ms == -1 || hint.wait_ms == 5000);
        free(part);
    }
    free(fields);
    struct stook__rate_hint hint;
    stook__rate_fields_parse(NULL, 0, 429, NOW, &hint);
    CHECK(hint.wait_ms == -1 && hint.field == NULL);
}
