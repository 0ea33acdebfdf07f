/* SPDX-License-Identifier: MIT */
/* Checked copies of what a program passes in: client options, requests. */
#ifndef STOOK_REQUEST_COPY_H
#define STOOK_REQUEST_COPY_H

#include "request/exchange.h"

/* A copy of a request. `block` holds the caller's head, then the strings of `spec` and, where the request
   has some of its own, its settings. */
struct stook__copied {
    void *block;
    struct stook__spec spec;
    const struct stook__settings *settings;
    int error; /* 0, or what the request ends with instead of starting; `message` is static then */
    const char *message;
};

/* The client's settings from its options, checked. 0 or STOOK_EARG. Strings are not copied. */
int stook__settings_from(const struct stook_client_options *options,
                         struct stook__settings *ret_settings);

/*
 * Checks and copies a request. The block begins with `head` zeroed bytes, which are the caller's. A bad member
 * that is no misuse becomes ret_copied->error. 0; STOOK_EARG with *ret_why; STOOK_ENOMEM. On failure nothing
 * was made, and a body with `body_release` is still the program's.
 */
int stook__request_copy(struct stook__allocator *allocator, size_t head,
                        const struct stook__settings *client, const struct stook_request *request,
                        struct stook__copied *ret_copied, const char **ret_why);

#endif
