/* SPDX-License-Identifier: MIT */
/* The file in which a program keeps the cookies of a client. */
#ifndef STOOK_HTTP_COOKIE_FILE_H
#define STOOK_HTTP_COOKIE_FILE_H

struct stook__defaults;

/* See stook_client_cookies_load() and stook_client_cookies_save() in stook/client.h. Returns 0,
   STOOK_EUNSUPPORTED, STOOK_ENOMEM, or STOOK_EFILE with errno set. */
int stook__cookie_file_load(struct stook__defaults *defaults, const char *path);
int stook__cookie_file_save(struct stook__defaults *defaults, const char *path);

#endif
