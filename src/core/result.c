/* SPDX-License-Identifier: MIT */
/* Reads a result; see result.h. */
#include "core/result.h"

#include <string.h>
#include <strings.h>

const struct stook__answer *stook__result_answer(const stook_result *result)
{
    static const struct stook__answer nothing;
    return result != NULL && result->state >= STOOK__REQUEST_FINISHED ? &result->answer : &nothing;
}

const struct stook__hops *stook__result_hops(const stook_result *result)
{
    return result != NULL && result->state >= STOOK__REQUEST_FINISHED ? result->spec.hops : NULL;
}

struct stook__metadata stook__result_metadata(const stook_result *result)
{
    struct stook__metadata metadata;
    stook__metadata_get(&stook__result_answer(result)->head, &metadata);
    return metadata;
}

/* Consecutive fields of a head. */
struct range {
    const char *at, *end;
};

static struct range range_of(const stook_result *result, int trailers)
{
    const char *first = stook__result_answer(result)->head.data;
    if (first == NULL)
        return (struct range){NULL, NULL};
    struct stook__metadata metadata = stook__result_metadata(result);
    const char *end = first + metadata.fields,
               *middle = end - (size_t)metadata.number[STOOK__METADATA_TRAILERS];
    return trailers ? (struct range){middle, end} : (struct range){first, middle};
}

/* Moves to the next field. Returns its value; NULL after the last. */
static const char *next(struct range *range, const char **ret_name)
{
    if (range->at == range->end)
        return NULL;
    *ret_name = range->at;
    const char *value = stook__field_value(range->at);
    range->at = value + strlen(value) + 1;
    return value;
}

const char *stook__result_field(const stook_result *result, int trailers, const char *wanted)
{
    struct range range = range_of(result, trailers);
    const char *name, *value;
    while (wanted != NULL && (value = next(&range, &name)) != NULL)
        if (strcasecmp(name, wanted) == 0)
            return value;
    return NULL;
}

size_t stook__result_field_count(const stook_result *result, int trailers)
{
    struct range range = range_of(result, trailers);
    const char *name;
    size_t count = 0;
    while (next(&range, &name) != NULL)
        count++;
    return count;
}

const char *stook__result_field_at(const stook_result *result, int trailers, size_t i,
                                   const char **ret_name)
{
    struct range range = range_of(result, trailers);
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

/* A request that was sent once has no list: its one attempt is the result's. */
static int only_attempt(const stook_result *result, struct stook_attempt *ret_attempt)
{
    const int64_t *time_us = result->answer.time_us;
    if (result->answer.attempts == 0)
        return 0;
    ret_attempt->error = result->error;
    ret_attempt->status = result->answer.status;
    ret_attempt->started_us = time_us[STOOK_TIME_QUEUED];
    ret_attempt->ended_us = time_us[STOOK_TIME_QUEUED] + time_us[STOOK_TIME_TOTAL];
    return 1;
}

int stook__result_attempt(const stook_result *result, size_t i, struct stook_attempt *ret_attempt)
{
    *ret_attempt = STOOK_ATTEMPT();
    if (result->state != STOOK__REQUEST_FINISHED)
        return 0;
    const struct stook__history *history = result->spec.history;
    if (history == NULL || history->count == 0)
        return i == 0 && only_attempt(result, ret_attempt);
    const struct stook__past_attempt *past = stook__history_at(history, i);
    if (past == NULL)
        return 0;
    ret_attempt->error = past->error;
    ret_attempt->status = past->status;
    ret_attempt->started_us = past->started_us;
    ret_attempt->ended_us = past->ended_us;
    ret_attempt->again = past->again;
    return 1;
}
