/* SPDX-License-Identifier: MIT */
/*
 * URLs. At the add a URL is taken apart: the key of its origin, and whether the rest is plain. The
 * only parser is libcurl's, behind checks that refuse what libcurl accepts, changes or guesses. It
 * reads the first URL of each handle, and those that are not plain.
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
 * end of its origin. Both are 0 if the text does not begin with an origin, or with a user name in
 * it, which may be followed by a password: a key is shown. stook__url_parse() refuses such a URL
 * when the request starts. Whether the origin is valid is not checked here.
 */
size_t stook__origin_key(const char *url, char key[STOOK__ORIGIN_KEY_MAX], size_t *ret_size);

/* 1: the origin of a URL ends before this byte. */
int stook__origin_key_ends(const char *rest);

/*
 * `rest` is what follows the origin in a URL. 1: a path, maybe a query, and nothing in them that
 * libcurl would refuse or change, such as a dot segment (RFC 3986 5.2.4) or a fragment.
 */
int stook__url_is_plain(const char *rest);

/*
 * Replaces path and query of `url` by `rest`, which is plain and follows the origin in a URL that
 * has the same origin key as `url`, so that its origin was validated already. 1: done; 0: out of
 * memory.
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
