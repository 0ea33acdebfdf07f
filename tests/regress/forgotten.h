/* SPDX-License-Identifier: MIT */
/* Makes libcurl forget names whose origins have connections: spy.keep_option = forget_names. */
#ifndef STOOK_REGRESS_FORGOTTEN_H
#define STOOK_REGRESS_FORGOTTEN_H

#include "regress/spy.h"

/* Acts as if the minute were over for which libcurl caches a name. */
__attribute__((unused)) static int forget_names(CURL *easy, CURLoption option)
{
    SPY_REAL(curl_easy_setopt);
    if (option == CURLOPT_PRIVATE)
        real(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    return option != CURLOPT_DNS_CACHE_TIMEOUT;
}

/* The number of getaddrinfo() calls for one name at once. From 8.20 on each look-up makes two, one for each
   address family. From 8.22 on libcurl may not wait for the second. */
static unsigned calls_of_a_name(void)
{
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
    return version >= 0x081600 ? 4 : version >= 0x081400 ? 2 : 1;
}

#endif
