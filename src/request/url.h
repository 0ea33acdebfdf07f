/* SPDX-License-Identifier: MIT */
/*
 * The only URL parser: libcurl's, behind checks that refuse what libcurl accepts, changes or
 * guesses. Of a URL that was not parsed yet only its origin is read here, when the request is
 * added.
 */
#ifndef STOOK_REQUEST_URL_H
#define STOOK_REQUEST_URL_H

#include <stddef.h>

struct Curl_URL; /* CURLU of <curl/curl.h> */

enum {
    STOOK__ORIGIN_KEY_MAX = 300, /* a scheme, a host name of 253 bytes, a port */
    STOOK__SCHEME_MAX = 16       /* bytes of a refused scheme that a message shows, with the NUL */
};

/*
 * Writes the key of a URL's origin (RFC 9110 4.3.1): scheme, host and port in lower case, the port
 * always and without leading zeros, so that all spellings of an origin have one key. Limits, gates
 * and pools go by it. "https://example.com:443" for "HTTPS://Example.com/x" and
 * "https://example.com:0443".
 *
 * Returns the bytes of the key, which has no NUL. Sets *ret_size to the bytes of the URL up to the
 * end of its origin. Both are 0 if the text does not begin with an origin; stook__url_parse()
 * refuses such a URL when the request starts. Whether the origin is valid is not checked here.
 */
size_t stook__origin_key(const char *url, char key[STOOK__ORIGIN_KEY_MAX], size_t *ret_size);

/* 1: the origin of a URL ends before this byte. */
int stook__origin_key_ends(const char *rest);

/* Returns the bytes of the text up to the end of its origin; 0: it has no "://". */
size_t stook__url_origin_size(const char *text);

/*
 * Replaces path and query of `url`. `rest` is what follows the origin in a URL that has the same
 * origin key as `url`, so that its origin was validated already. 1: done; 0: use
 * stook__url_parse(), because `rest` is not valid or libcurl would change it.
 */
int stook__url_set_path(struct Curl_URL *url, const char *rest);

/* 1: every byte of the text is ASCII. */
int stook__url_is_ascii(const char *text);

/*
 * Checks a URL and parses it into `url`. 0; STOOK_EURL, STOOK_EPOLICY or STOOK_ENOMEM with *ret_why
 * set to a static string. `scheme` gets the scheme if that is what was refused, else "".
 */
int stook__url_parse(struct Curl_URL *url, const char *text, const char **ret_why,
                     char scheme[STOOK__SCHEME_MAX]);

#endif
