/* SPDX-License-Identifier: MIT */
/*
 * What limits per origin, gates and pools go by: scheme, host and port (RFC 9110 4.3.1), however they are
 * written. Whether the URL is one is for url.c to say.
 */
#ifndef STOOK_REQUEST_ORIGIN_KEY_H
#define STOOK_REQUEST_ORIGIN_KEY_H

#include <stddef.h>

enum { STOOK__ORIGIN_KEY_MAX = 300 }; /* a scheme, a name of 253 bytes, a port */

/* "https://example.com:443" of "HTTPS://Example.com/x" and of "https://example.com:0443". Returns its bytes, without a NUL; 0: this URL
   names no origin, and will be refused when it starts. `ret_size`: how much of the text that was, or 0. */
size_t stook__origin_key(const char *url, char key[STOOK__ORIGIN_KEY_MAX], size_t *ret_size);
/* Whether an origin ends before this. */
int stook__origin_key_ends(const char *rest);

#endif
