/* SPDX-License-Identifier: MIT */
/* Header and trailer fields of an answer, and what else lies behind them. */
#include <string.h>
#include <strings.h>

#include "base/facts.h"
#include "turn/record.h"

/* Fields, as they lie in a head. */
struct range {
    const char *at, *end;
};

static struct range range_of(const stook_result *result, int trailers)
{
    size_t size = 0, trailer_size = 0;
    const char *first = result != NULL ? stook__record_fields(result, &size, &trailer_size) : NULL;
    if (first == NULL)
        return (struct range){NULL, NULL};
    const char *middle = first + size - trailer_size;
    return trailers ? (struct range){middle, middle + trailer_size} : (struct range){first, middle};
}

/* The next field; its value, or NULL. */
static const char *next(struct range *range, const char **ret_name)
{
    if (range->at == range->end)
        return NULL;
    *ret_name = range->at;
    const char *value = stook__field_value(range->at);
    range->at = value + strlen(value) + 1;
    return value;
}

static const char *named(struct range range, const char *wanted)
{
    const char *name, *value;
    while (wanted != NULL && (value = next(&range, &name)) != NULL)
        if (strcasecmp(name, wanted) == 0)
            return value;
    return NULL;
}

static size_t count(struct range range)
{
    const char *name;
    size_t n = 0;
    while (next(&range, &name) != NULL)
        n++;
    return n;
}

static const char *nth(struct range range, size_t i, const char **ret_name)
{
    const char *name, *value;
    for (size_t n = 0; (value = next(&range, &name)) != NULL; n++) {
        if (n != i)
            continue;
        if (ret_name != NULL)
            *ret_name = name;
        return value;
    }
    return NULL;
}

const char *stook_result_header(const stook_result *result, const char *name)
{
    return named(range_of(result, 0), name);
}

size_t stook_result_header_count(const stook_result *result)
{
    return count(range_of(result, 0));
}

const char *stook_result_header_at(const stook_result *result, size_t i, const char **ret_name)
{
    return nth(range_of(result, 0), i, ret_name);
}

const char *stook_result_trailer(const stook_result *result, const char *name)
{
    return named(range_of(result, 1), name);
}

size_t stook_result_trailer_count(const stook_result *result)
{
    return count(range_of(result, 1));
}

const char *stook_result_trailer_at(const stook_result *result, size_t i, const char **ret_name)
{
    return nth(range_of(result, 1), i, ret_name);
}

static struct stook__facts facts_of(const stook_result *result)
{
    static const struct stook__buffer nothing;
    struct stook__facts facts;
    stook__facts_get(result != NULL ? &stook__record_answer(result)->head : &nothing, &facts);
    return facts;
}

int stook_result_flags(const stook_result *result)
{
    return (int)facts_of(result).number[STOOK__FACT_FLAGS];
}

int stook_result_reused(const stook_result *result)
{
    return facts_of(result).number[STOOK__FACT_REUSED] != 0;
}

const char *stook_result_remote_address(const stook_result *result)
{
    return facts_of(result).remote;
}

int64_t stook_result_size(const stook_result *result, int which)
{
    static const enum stook__fact facts[] = {STOOK__FACT_BODY, STOOK__FACT_WIRE, STOOK__FACT_HEAD, STOOK__FACT_SENT};
    if (which < STOOK_SIZE_BODY || which > STOOK_SIZE_SENT)
        return 0;
    return (int64_t)facts_of(result).number[facts[which]];
}
