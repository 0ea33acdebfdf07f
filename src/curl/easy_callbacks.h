/* SPDX-License-Identifier: MIT */
/*
 * The callbacks that libcurl runs for an easy handle. They run those of its attempt
 * (attempt_events.h). Of libcurl they call only what it allows there: an option of the same easy
 * handle, or its information.
 */
#ifndef STOOK_CURL_EASY_CALLBACKS_H
#define STOOK_CURL_EASY_CALLBACKS_H

#include "curl/attempt_events.h"

struct stook__easy;

/* Sets the callbacks of this file. Progress is reported only after stook__easy_watch_sent. Those
   that send a body are set in http/, and a quirk sets its own. */
void stook__easy_set_callbacks(struct stook__easy *easy);
/* Has events.sent called. This cannot be undone, so the handle must not be pooled. */
void stook__easy_watch_sent(struct stook__easy *easy);
/* Returns the HTTP/2 error code in an error message of libcurl; -1 if there is none. */
long stook__easy_h2_error(const char *text);

#endif
