/* SPDX-License-Identifier: MIT */
/* The values by which fields say how long to wait; see wait_value.h. */
#include "http/wait_value.h"

#include <string.h>

#include "http/http_date.h"
#include "http/rate_fields.h"
#include "http1/reader_state.h"

enum { NANO = 1000000000 };

/* A number without a sign. Digits beyond the ninth of the fraction round up. */
struct decimal {
    int64_t whole; /* at most STOOK__RATE_WAIT_MAX */
    int64_t nano;  /* at most NANO */
};

/* How many milliseconds a unit is. */
struct unit {
    const char *name;
    int64_t factor, divisor;
};

/* The first that fits is taken, so "ms" is before "m". A micro is U+00B5 or U+03BC. */
static const struct unit go_units[] = {
    {"h", 3600000, 1}, {"ms", 1, 1},           {"m", 60000, 1},        {"s", 1000, 1},
    {"us", 1, 1000},   {"\xc2\xb5s", 1, 1000}, {"\xce\xbcs", 1, 1000}, {"ns", 1, 1000000},
};

static int64_t at_most(int64_t ms)
{
    return ms < STOOK__RATE_WAIT_MAX ? ms : STOOK__RATE_WAIT_MAX;
}

/* Returns what follows the number, or NULL if there is none. A point needs digits on both sides. */
static const char *take_decimal(const char *text, const char *end, struct decimal *ret_decimal)
{
    const char *first = text;
    int64_t whole = 0, nano = 0, scale = NANO / 10;
    int more = 0;
    for (; text < end && stook__is_digit(*text); text++)
        whole = at_most(whole * 10 + (*text - '0'));
    if (text == first)
        return NULL;
    if (text < end && *text == '.') {
        first = ++text;
        for (; text < end && stook__is_digit(*text); text++, scale /= 10) {
            nano += (*text - '0') * scale;
            more |= scale == 0 && *text != '0';
        }
        if (text == first)
            return NULL;
    }
    *ret_decimal = (struct decimal){whole, nano + more};
    return text;
}

static int64_t round_up(int64_t number, int64_t divisor)
{
    return number / divisor + (number % divisor != 0);
}

static int64_t to_ms(const struct decimal *decimal, int64_t factor, int64_t divisor)
{
    if (decimal->whole > STOOK__RATE_WAIT_MAX / factor)
        return STOOK__RATE_WAIT_MAX;
    int64_t part = round_up(decimal->nano * factor, NANO);
    return at_most(round_up(decimal->whole * factor + part, divisor));
}

int stook__wait_number(const char *text, const char *end, int64_t unit_ms, int64_t *ret_ms)
{
    struct decimal decimal;
    if (take_decimal(text, end, &decimal) != end)
        return 0;
    *ret_ms = to_ms(&decimal, unit_ms, 1);
    return 1;
}

static int64_t until(int64_t ms, int64_t now_ms)
{
    return ms > now_ms ? at_most(ms - now_ms) : 0;
}

int stook__wait_http_date(const char *text, const char *end, int64_t now_ms, int64_t *ret_ms)
{
    int64_t ms;
    if (!stook__http_date_parse(text, (size_t)(end - text), now_ms, &ms))
        return 0;
    *ret_ms = until(ms, now_ms);
    return 1;
}

static const struct unit *take_unit(const char **text, const char *end)
{
    for (size_t i = 0; i < sizeof go_units / sizeof go_units[0]; i++) {
        size_t size = strlen(go_units[i].name);
        if ((size_t)(end - *text) >= size && memcmp(*text, go_units[i].name, size) == 0) {
            *text += size;
            return &go_units[i];
        }
    }
    return NULL;
}

/* Numbers, each with its unit, in any sequence: what time.ParseDuration() of Go reads. */
static int read_duration(const char *text, const char *end, int64_t *ret_ms)
{
    int64_t ms = 0;
    if (text == end)
        return 0;
    while (text < end) {
        struct decimal decimal;
        const struct unit *unit;
        if ((text = take_decimal(text, end, &decimal)) == NULL ||
            (unit = take_unit(&text, end)) == NULL)
            return 0;
        ms = at_most(ms + to_ms(&decimal, unit->factor, unit->divisor));
    }
    *ret_ms = ms;
    return 1;
}

static int is_above(const struct decimal *decimal, int64_t bound)
{
    return decimal->whole > bound || (decimal->whole == bound && decimal->nano > 0);
}

/* Nobody says to wait for 10^9 seconds, 31 years: that is a point in time of 2001 or later. Beyond
   10^14 it would be in milliseconds the year 5138: it is in another unit, which nothing tells. -1:
   that is so. */
static int64_t from_number(const struct decimal *decimal, int64_t now_ms)
{
    if (is_above(decimal, INT64_C(100000000000000)))
        return -1;
    if (is_above(decimal, INT64_C(1000000000000)))
        return until(to_ms(decimal, STOOK__WAIT_MILLISECOND, 1), now_ms);
    if (is_above(decimal, INT64_C(1000000000)))
        return until(to_ms(decimal, STOOK__WAIT_SECOND, 1), now_ms);
    return to_ms(decimal, STOOK__WAIT_SECOND, 1);
}

int stook__wait_reset(const char *text, const char *end, int64_t now_ms, int64_t *ret_ms)
{
    struct decimal decimal;
    int64_t ms;
    if (take_decimal(text, end, &decimal) == end)
        return (*ret_ms = from_number(&decimal, now_ms)) >= 0;
    if (!stook__rfc3339_parse(text, (size_t)(end - text), &ms))
        return read_duration(text, end, ret_ms) || stook__wait_http_date(text, end, now_ms, ret_ms);
    *ret_ms = until(ms, now_ms);
    return 1;
}
