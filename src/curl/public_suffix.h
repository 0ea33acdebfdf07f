/* SPDX-License-Identifier: MIT */
/*
 * Asks libcurl whether a domain may have cookies for all of its subdomains, or is a public suffix,
 * such as "co.uk". libcurl has the list and no function for it: it looks only at Set-Cookie.
 */
#ifndef STOOK_CURL_PUBLIC_SUFFIX_H
#define STOOK_CURL_PUBLIC_SUFFIX_H

#include <curl/curl.h>
#include <stddef.h>

/* What the questions have in common. Zeroed: no question was asked yet. */
struct stook__public_suffix {
    CURL *curl;
};

/* Sets *ret_is_suffix: 1 for a public suffix, and for what is no domain. The domain is in ASCII.
   Takes 60 us and never blocks. 0, STOOK_ENOMEM or STOOK_ENOFD. */
int stook__public_suffix_ask(struct stook__public_suffix *asked, const char *domain, size_t size,
                             int *ret_is_suffix);
void stook__public_suffix_end(struct stook__public_suffix *asked);

#endif
