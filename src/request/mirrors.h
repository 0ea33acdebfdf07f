/* SPDX-License-Identifier: MIT */
/*
 * The URLs of a request that has mirrors, which of them were tried, and what the request was added
 * with. Plain data: optional.c makes it, http/redirect.c makes the request of a mirror with it, and
 * http/failover.c chooses the next one.
 */
#ifndef STOOK_REQUEST_MIRRORS_H
#define STOOK_REQUEST_MIRRORS_H

#include <stddef.h>
#include <stdint.h>

#include "request/pack.h"
#include "request/settings.h"

struct stook__mirrors {
    const char *urls; /* those of `mirrors` in sequence */
    size_t count;     /* of all URLs, with that of the request, which is number 0 */
    size_t current;   /* the URL that the request has, before redirects */
    uint64_t tried;   /* a bit for each URL */
    char *first;      /* message of the first try, which failed; NULL: none has, or no memory */
    /* As it was added. Redirects and mirrors replace them in the request. */
    const char *url, *method_headers, *username, *password;
    struct stook__peer peer;
};

/* Checks `mirrors`. 0; STOOK_EARG, STOOK_EURL, STOOK_EPOLICY or STOOK_ENOMEM with *ret_why set to a
   static string. */
int stook__mirrors_validate(const struct stook_request *request, const char **ret_why);

/* Packs a struct, which is aligned if the pack is. NULL: there are no mirrors, or it measures. */
struct stook__mirrors *stook__mirrors_pack(struct stook__pack *pack,
                                           const struct stook_request *request);

/* Returns URL i. */
const char *stook__mirrors_url(const struct stook__mirrors *mirrors, size_t i);

/* Returns how many URLs were tried. */
static inline unsigned stook__mirrors_tried(const struct stook__mirrors *mirrors)
{
    unsigned count = 0;
    for (uint64_t left = mirrors->tried; left != 0; left &= left - 1)
        count++;
    return count;
}

/* Returns 1 if a URL is left that was not tried. `mirrors` may be NULL. */
static inline int stook__mirrors_left(const struct stook__mirrors *mirrors)
{
    return mirrors != NULL && mirrors->tried != ((uint64_t)1 << mirrors->count) - 1;
}

/* Returns 1 if a response with this status is not the thing that was asked for. 304 is the response
   to a condition of the program's. */
static inline int stook__mirrors_is_failure(int status)
{
    return (status < 200 || status > 299) && status != 304;
}

#endif
