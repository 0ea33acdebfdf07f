/* SPDX-License-Identifier: MIT */
/* Names that libcurl has forgotten, though their origins are warm: spy.keep_option = forget_names. */
#ifndef STOOK_TRAP_FORGOTTEN_H
#define STOOK_TRAP_FORGOTTEN_H

#include "regress/spy.h"

/* As a name that is known for a minute and then no more. */
static int forget_names(CURL *easy, CURLoption option)
{
    SPY_REAL(curl_easy_setopt);
    if (option == CURLOPT_PRIVATE)
        real(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    return option != CURLOPT_DNS_CACHE_TIMEOUT;
}

/* getaddrinfo() calls of one name at once. From 8.20 on each look-up is two, one of a family. From 8.22
   on one may end a moment later, unawaited. */
static unsigned calls_of_a_name(void)
{
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
    return version >= 0x081600 ? 4 : version >= 0x081400 ? 2 : 1;
}

#endif
