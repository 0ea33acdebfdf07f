/* SPDX-License-Identifier: MIT */
/* The only URL parser: libcurl's, with what it is too generous about refused before. */
#ifndef STOOK_REQUEST_URL_H
#define STOOK_REQUEST_URL_H

#include <curl/curl.h>

/*
 * How many bytes of the text are its origin: "https://example.com:8443" of a longer one. 0: it has
 * none. What was parsed once under that origin is known to be valid so far.
 */
size_t stook__url_origin(const char *text);

/*
 * The rest of the URL put into `url`, which holds another of the same origin. 1: done; 0: it needs
 * stook__url_parse, because it has to be changed on the way or may not be valid.
 */
int stook__url_move(CURLU *url, const char *rest);

/* Whether it is all of ASCII. */
int stook__url_is_ascii(const char *text);

/*
 * Checks the URL and parses it into `url`.
 * 0, or STOOK_EURL, STOOK_EPOLICY, STOOK_ENOMEM with *ret_why set to static text. `scheme`, of 16
 * bytes, gets what stands before "://" if that is what was refused, else "".
 */
int stook__url_parse(CURLU *url, const char *text, const char **ret_why, char *scheme);

#endif
