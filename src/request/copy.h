/* SPDX-License-Identifier: MIT */
/* The checked copy of a request that an add makes. */
#ifndef STOOK_REQUEST_COPY_H
#define STOOK_REQUEST_COPY_H

#include "request/exchange.h"

/* The block holds the caller's prefix, then the settings if the request has its own, then the
   strings of the spec. The body and the optional members are blocks of their own, because they are
   freed when the request is finished, before the rest. */
struct stook__copied {
    void *block;
    struct stook__spec spec;
    const struct stook__settings *settings;
    int error;           /* what the request ends with instead of starting; 0: it may start */
    const char *message; /* a static string that explains `error`, or NULL */
};

/*
 * Checks and copies a request. The block begins with `prefix` zeroed bytes for the caller. What is
 * wrong with the request's data becomes ret_copied->error; what is wrong with the calling code is
 * returned. 0; STOOK_EARG with *ret_why set to a static string; STOOK_ENOMEM. On failure nothing
 * was allocated, and a body with `body_release` still belongs to the program.
 */
int stook__request_copy(struct stook__allocator *allocator, size_t prefix,
                        const struct stook__settings *client, const struct stook_request *request,
                        struct stook__copied *ret_copied, const char **ret_why);

#endif
