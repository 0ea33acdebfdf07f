/* SPDX-License-Identifier: MIT */
/*
 * A cookie as a line of Netscape's cookie file, which is also how libcurl lists cookies and takes
 * them (CURLINFO_COOKIELIST, CURLOPT_COOKIELIST). Pure.
 */
#ifndef STOOK_CURL_COOKIE_LINE_H
#define STOOK_CURL_COOKIE_LINE_H

#include <stddef.h>
#include <stdint.h>

/* The fields of a line, in their order, separated by tabs. */
enum stook__cookie_field {
    STOOK__COOKIE_DOMAIN,
    STOOK__COOKIE_SUBDOMAINS, /* "TRUE": it is sent to subdomains too */
    STOOK__COOKIE_PATH,
    STOOK__COOKIE_SECURE,  /* "TRUE" or "FALSE" */
    STOOK__COOKIE_EXPIRES, /* seconds since 1970; 0: it ends with the session */
    STOOK__COOKIE_NAME,
    STOOK__COOKIE_VALUE,
    STOOK__COOKIE_FIELDS
};

/* The fields point into the line. Domain: without "#HttpOnly_" and one leading dot. */
struct stook__cookie_line {
    const char *at[STOOK__COOKIE_FIELDS];
    size_t size[STOOK__COOKIE_FIELDS];
    int64_t expires;
};

/* Splits a line. Returns 1; 0: it does not have exactly seven fields, or no date. */
int stook__cookie_line_split(const char *line, size_t size, struct stook__cookie_line *ret_line);
/* Tells whether libcurl would have taken this cookie from a server of that domain, apart from
   public suffixes. */
int stook__cookie_line_is_valid(const struct stook__cookie_line *line);
/* Tells whether a field is this text. */
int stook__cookie_line_is(const struct stook__cookie_line *line, enum stook__cookie_field field,
                          const char *text);

#endif
