/* SPDX-License-Identifier: MIT */
/* What a request may say: its method and its header fields (RFC 9110 5.1, 5.5, 9.1). */
#ifndef STOOK_HTTP_HEADER_LIST_H
#define STOOK_HTTP_HEADER_LIST_H

#include <curl/curl.h>

#include "request/exchange.h"

/* 0, STOOK_EARG or STOOK_EPOLICY with *ret_why set to static text. */
int stook__method_check(const char *method, const char **ret_why);
/* RFC 9110 9.2.2: sending it twice does what sending it once does. */
int stook__method_idempotent(const char *method);

/*
 * The header fields that every request has, unless it says otherwise: *ret_agent, the User-Agent's
 * line (NULL without one), and *ret_list with it. 0 or STOOK_ENOMEM; what was made is to be freed in
 * either case.
 */
int stook__header_list_defaults(struct stook__allocator *allocator, const char *user_agent,
                                char **ret_agent, struct curl_slist **ret_list);

/*
 * The header fields of a request, which has a body, be it empty, or none, as libcurl wants them, after a check that libcurl does not do.
 * `agent` is among them, unless the request has a User-Agent of its own, and the lines `own`, ended by NULL, whose names are taken. 0 with *ret_list (NULL: it
 * has none of its own, the usual ones do) to be freed by curl_slist_free_all, and *ret_secret
 * whether there are credentials among them; or STOOK_EARG, STOOK_EPOLICY with *ret_why,
 * or STOOK_ENOMEM.
 */
int stook__header_list(const struct stook__spec *spec, int has_body, const char *agent,
                       const char *const *own, struct curl_slist **ret_list, int *ret_secret,
                       const char **ret_why);

#endif
