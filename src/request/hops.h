/* SPDX-License-Identifier: MIT */
/*
 * The redirects that a request has followed. Plain data: http/redirect.c adds to it, the result
 * keeps it.
 */
#ifndef STOOK_REQUEST_HOPS_H
#define STOOK_REQUEST_HOPS_H

#include <stddef.h>

#include "util/allocator.h"

struct stook__hop {
    char *url;  /* where the redirect led */
    int status; /* of the response that redirected */
};

struct stook__hops {
    char *first_url; /* as it was added */
    struct stook__hop *list;
    size_t count;
    char *fields; /* method and header fields of the last hop, in the form of a spec; or NULL */
};

/* Makes an empty list. NULL: out of memory. */
struct stook__hops *stook__hops_new(struct stook__allocator *allocator, const char *first_url);
/* Adds a hop; on success `url` belongs to the list. 0 or STOOK_ENOMEM. */
int stook__hops_add(struct stook__hops *hops, struct stook__allocator *allocator, char *url,
                    int status);
/* Copies a list without its fields. NULL: out of memory. */
struct stook__hops *stook__hops_copy(const struct stook__hops *hops,
                                     struct stook__allocator *allocator);
/* NULL: nothing happens. */
void stook__hops_free(struct stook__hops *hops, struct stook__allocator *allocator);

#endif
