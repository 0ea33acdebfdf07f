/* SPDX-License-Identifier: MIT */
/*
 * The cookies of a client. libcurl keeps and matches them: the easy handles of all requests with
 * cookies share one CURLSH, whatever their trust is. This file makes it, keeps it within limits,
 * and lists and adds cookies.
 *
 * There is no way back: once an easy handle has had cookies, it keeps and sends them, even after
 * curl_easy_reset() and without the CURLSH. So `cookies` is part of the trust, and a handle is
 * pooled in its trust only.
 */
#ifndef STOOK_CURL_COOKIES_H
#define STOOK_CURL_COOKIES_H

#include <curl/curl.h>
#include <stddef.h>

struct stook__easy;
struct stook__engine;

/* Returns the CURLSH of the client's cookies, which is made if need be. NULL: out of memory. */
CURLSH *stook__cookies_share(struct stook__engine *engine);
/* Switches cookies on in a new easy handle, whose CURLSH is set. */
void stook__cookies_set(struct stook__easy *easy);
/* Notes a header line of a response; a line that sets a cookie counts. May be called from inside a
   callback of libcurl. */
void stook__cookies_note(struct stook__engine *engine, const char *line, size_t size);
/* Drops the oldest cookies above 50 of a domain and 3000 in all, if there may be any. Unless it is
   `exact`, a large jar is looked at only after some new cookies, a full one after 137. Without
   memory the next call does it. Not from inside a callback of libcurl. */
void stook__cookies_limit(struct stook__engine *engine, int exact);

/* Lists the cookies, each as a line (cookie_line.h), expired ones too. The caller frees *ret_lines.
   0 or STOOK_ENOMEM. */
int stook__cookies_list(struct stook__engine *engine, struct curl_slist **ret_lines);
/* Adds cookies: lines in sequence, ended by an empty one. 0 or STOOK_ENOMEM. */
int stook__cookies_add(struct stook__engine *engine, const char *lines);

/* Frees the cookies. All easy handles with cookies must be gone. */
void stook__cookies_free(struct stook__engine *engine);

#endif
