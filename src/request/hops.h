/* SPDX-License-Identifier: MIT */
/*
 * The redirects that a request has followed, since it was added or began with a mirror. Plain data:
 * http/redirect.c adds to it, the result keeps it.
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
    char *first_url;  /* as it was added */
    char *mirror_url; /* of the mirror that the first of the hops began at; NULL: at first_url */
    struct stook__hop *list;
    size_t count;
    size_t changes; /* how often a hop was added, or all were dropped */
    char *fields;   /* method and header fields of the last hop, in the form of a spec; or NULL */
};

/* Makes an empty list. NULL: out of memory. */
struct stook__hops *stook__hops_new(struct stook__allocator *allocator, const char *first_url);
/* Adds a hop; on success `url` belongs to the list. 0 or STOOK_ENOMEM. */
int stook__hops_add(struct stook__hops *hops, struct stook__allocator *allocator, char *url,
                    int status);
/* Drops all hops: the request begins anew with a mirror. Its URL then belongs to the list. */
void stook__hops_begin_mirror(struct stook__hops *hops, struct stook__allocator *allocator,
                              char *mirror_url);
/* Returns the URL that redirected for the i-th hop. */
static inline const char *stook__hops_from(const struct stook__hops *hops, size_t i)
{
    if (i > 0)
        return hops->list[i - 1].url;
    return hops->mirror_url != NULL ? hops->mirror_url : hops->first_url;
}
/* Copies a list without its fields. NULL: out of memory. */
struct stook__hops *stook__hops_copy(const struct stook__hops *hops,
                                     struct stook__allocator *allocator);
/* NULL: nothing happens. */
void stook__hops_free(struct stook__hops *hops, struct stook__allocator *allocator);

#endif
