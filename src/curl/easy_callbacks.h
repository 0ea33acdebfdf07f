/* SPDX-License-Identifier: MIT */
/*
 * The callbacks that libcurl runs for an easy handle. They record what happened, pass it to the
 * owner's callbacks, and never call libcurl.
 */
#ifndef STOOK_CURL_EASY_CALLBACKS_H
#define STOOK_CURL_EASY_CALLBACKS_H

struct stook__easy;

/* Sets all callbacks but one: progress is reported only after stook__easy_report_sent. */
void stook__easy_set_callbacks(struct stook__easy *easy);
/* Sets the callback for progress, which passes on the bytes sent. */
void stook__easy_report_sent(struct stook__easy *easy);
/* Returns the HTTP/2 error code in an error message of libcurl; -1 if there is none. */
long stook__easy_h2_error(const char *text);

#endif
