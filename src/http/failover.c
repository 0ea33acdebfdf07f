/* SPDX-License-Identifier: MIT */
/* The order in which mirrors are tried; see failover.h. core/record.c calls it. */
#include "http/failover.h"

#include "http/attempt_state.h"
#include "http/redirect.h"
#include "http/stream.h"
#include "request/url.h"

/* A mirror that fails now may be whole again soon, and asking it once more costs one attempt. */
static const int64_t BROKEN_US = (int64_t)300 * 1000 * 1000;

/* Errors that may be those of one server. The others are the program's, its machine's, or end the
   request. */
static int is_of_server(int error)
{
    switch (error) {
    case STOOK_EPOLICY: /* of a redirect */
    case STOOK_EDNS:
    case STOOK_ECONNECT:
    case STOOK_ETLS:
    case STOOK_ECERT:
    case STOOK_EPROXY:
    case STOOK_ETIMEOUT_ATTEMPT:
    case STOOK_ETIMEOUT_STALL:
    case STOOK_ERESET:
    case STOOK_ETRUNCATED:
    case STOOK_EPROTOCOL:
    case STOOK_ETOOLARGE:
    case STOOK_EDECODE:
    case STOOK_EREDIRECT:
    case STOOK_ECHECKSUM:
        return 1;
    default:
        return 0;
    }
}

static int is_failure(int error, int status)
{
    return error != 0 ? is_of_server(error) : stook__mirrors_is_failure(status);
}

static int is_broken(const struct stook__failover *failover, const char *url)
{
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t unused, size = stook__origin_key(url, key, &unused);
    const struct stook__origin *origin = stook__origin_find(failover->origins, key, size);
    return origin != NULL && origin->memory.broken_until > failover->now;
}

/* It is only a help, so it does not matter if there is no memory for it. */
static void remember_broken(const struct stook__failover *failover, const char *url)
{
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t unused, size = stook__origin_key(url, key, &unused);
    struct stook__origin *origin = stook__origin_get(failover->origins, key, size);
    if (origin == NULL)
        return;
    origin->memory.broken_until = failover->now + BROKEN_US;
    stook__origin_remember(origin);
    stook__origin_unref(origin);
}

static void remember_good(const struct stook__failover *failover, const char *url)
{
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t unused, size = stook__origin_key(url, key, &unused);
    struct stook__origin *origin = stook__origin_find(failover->origins, key, size);
    if (origin != NULL)
        origin->memory.broken_until = 0;
}

/* Returns the first URL that was not tried, of those that are not remembered as broken if there is
   one; `count` if there is none. */
static size_t next_of(const struct stook__failover *failover)
{
    const struct stook__mirrors *mirrors = failover->spec->optional->mirrors;
    size_t first = mirrors->count;
    for (size_t i = 0; i < mirrors->count; i++) {
        if (mirrors->tried >> i & 1)
            continue;
        if (!is_broken(failover, stook__mirrors_url(mirrors, i)))
            return i;
        first = first < i ? first : i;
    }
    return first;
}

static int use_url(const struct stook__failover *failover, size_t i)
{
    return stook__redirect_to_mirror(failover->origins->allocator, failover->spec,
                                     failover->settings, failover->client, i);
}

int stook__failover_is_possible(const struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    return optional != NULL && stook__mirrors_left(optional->mirrors) &&
           !stook__stream_was_shown(attempt);
}

void stook__failover_note(const struct stook__failover *failover,
                          const struct stook__outcome *outcome, int status)
{
    struct stook__mirrors *mirrors = failover->spec->optional->mirrors;
    const char *url = stook__mirrors_url(mirrors, mirrors->current);
    if (is_failure(outcome->error, status) && stook__mirrors_tried(mirrors) == 1)
        mirrors->first = stook__copy_string(failover->origins->allocator, outcome->message);
    /* A file that is missing does not make a mirror bad for others. */
    if (outcome->error != 0 ? is_of_server(outcome->error) : status >= 500)
        remember_broken(failover, url);
    else if (outcome->error == 0 && status >= 200 && status <= 299)
        remember_good(failover, url);
}

int stook__failover_next(const struct stook__failover *failover, struct stook__outcome *outcome,
                         int status)
{
    struct stook__allocator *allocator = failover->origins->allocator;
    if (!is_failure(outcome->error, status))
        return 0;
    int error = use_url(failover, next_of(failover));
    if (error == 0)
        return 1;
    if (outcome->message_owned)
        stook__free(allocator, (char *)outcome->message);
    stook__outcome_set(allocator, outcome, error, NULL);
    return 0;
}

int stook__failover_choose(const struct stook__failover *failover)
{
    struct stook__mirrors *mirrors = failover->spec->optional->mirrors;
    if (is_broken(failover, stook__mirrors_url(mirrors, mirrors->current))) {
        size_t next = next_of(failover);
        if (next < mirrors->count && next != mirrors->current &&
            !is_broken(failover, stook__mirrors_url(mirrors, next)) && use_url(failover, next) == 0)
            return 1;
    }
    mirrors->tried |= (uint64_t)1 << mirrors->current;
    return 0;
}
