/* SPDX-License-Identifier: MIT */
/* The only URL parser: libcurl's, with what it is too generous about refused before. */
#ifndef STOOK_TRANSFER_URL_H
#define STOOK_TRANSFER_URL_H

#include <curl/curl.h>

/*
 * Checks the URL and parses it into `url`.
 * 0, or STOOK_EURL, STOOK_EPOLICY, STOOK_ENOMEM with *ret_why set to static text. `scheme`, of 16
 * bytes, gets what stands before "://" if that is what was refused, else "".
 */
int stook__url_parse(CURLU *url, const char *text, const char **ret_why, char *scheme);

#endif
