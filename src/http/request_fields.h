/* SPDX-License-Identifier: MIT */
/* The method of a request, checked (RFC 9110 9.1), and libcurl's list of its header fields, each
   checked by the rule of request/headers.h. */
#ifndef STOOK_HTTP_REQUEST_FIELDS_H
#define STOOK_HTTP_REQUEST_FIELDS_H

#include <curl/curl.h>

#include "request/exchange.h"

/* Checks a method. Returns 0; STOOK_EARG or STOOK_EPOLICY with static text in *ret_why. */
int stook__method_check(const char *method, const char **ret_why);
/* Returns 1 if sending the method twice has the effect of sending it once (RFC 9110 9.2.2). */
int stook__method_idempotent(const char *method);

/*
 * Makes the header fields that every request of a client has: *ret_agent, the User-Agent's line, or
 * NULL without one, and *ret_list with that line. Returns 0 or STOOK_ENOMEM. The caller frees both
 * in either case.
 */
int stook__request_fields_defaults(struct stook__allocator *allocator, const char *user_agent,
                                   char **ret_agent, struct curl_slist **ret_list);

/*
 * Checks the header fields of a request (request/headers.h), which libcurl does not do, and makes
 * the list for CURLOPT_HTTPHEADER. `has_body`: the request has a body, even if it is empty. `own`
 * are the lines that the library adds, ended by NULL; the request must not have fields of these
 * names. `agent` is added unless the request has a User-Agent.
 * Returns 0 with *ret_list, which the caller frees by curl_slist_free_all (NULL: the request uses
 * the defaults' list), and *ret_secret, whether it contains credentials; STOOK_EARG or
 * STOOK_EPOLICY with *ret_why; or STOOK_ENOMEM.
 */
int stook__request_fields(const struct stook__spec *spec, int has_body, const char *agent,
                          const char *const *own, struct curl_slist **ret_list, int *ret_secret,
                          const char **ret_why);

#endif
