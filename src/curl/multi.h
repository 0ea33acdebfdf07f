/* SPDX-License-Identifier: MIT */
/*
 * How transfers enter a multi handle and leave it. The CURLM is created when the first easy handle
 * enters. If libcurl reports an error of the CURLM, the transfers in it fail and a new CURLM is
 * created for the next one; other multi handles are not affected.
 */
#ifndef STOOK_CURL_MULTI_H
#define STOOK_CURL_MULTI_H

struct stook__easy;
struct stook__engine;
struct stook__multi;

/* Adds an easy handle. libcurl asks for a timeout of 0 in this call (multi_state.h), and does the
   first work on the transfer when that runs. Returns 0, STOOK_ENOMEM, STOOK_ENOFD if there are no
   descriptors, or STOOK_ERESET if the CURLM is broken. */
int stook__multi_add(struct stook__multi *multi, struct stook__easy *easy);
/* Removes an easy handle from its multi handle. Does not change the list that its `link` is in. */
void stook__multi_remove(struct stook__easy *easy);
/* Records that the response body of an easy handle is not paused any more. */
void stook__multi_unpause(struct stook__easy *easy);
/* Reads all messages and moves the completed easy handles to engine->completed. They stay in the
   CURLM until their owner gives them back, because removing a handle drops its unread messages. */
void stook__multi_read_messages(struct stook__multi *multi);
/* Destroys the CURLM with its idle connections if no easy handle is in it. Returns 1 if it did. */
int stook__multi_clear(struct stook__multi *multi);
void stook__multi_free(struct stook__multi *multi);

/* Closes the connections in engine->dead with their easy handles. Not from inside libcurl. */
void stook__multi_close_dead(struct stook__engine *engine);

#endif
