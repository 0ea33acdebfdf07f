/* SPDX-License-Identifier: MIT */
/*
 * A multi handle: one CURLM, its timeout and the easy handles in it. The CURLM is created when the
 * first easy handle enters. If libcurl reports an error of the CURLM, the transfers in it fail and
 * a new CURLM is created for the next one; other multi handles are not affected.
 */
#ifndef STOOK_CURL_MULTI_H
#define STOOK_CURL_MULTI_H

#include <curl/curl.h>

#include "util/list.h"
#include "util/timer_heap.h"

struct stook__easy;
struct stook__engine;

struct stook__multi {
    struct stook__engine *engine;
    CURLM *curlm;                /* NULL: not created yet */
    struct stook__link all;      /* in engine->multis */
    struct stook__link active;   /* in engine->active: messages must be read */
    struct stook__link due;      /* in engine->due: the timeout is due */
    struct stook__timer timeout; /* when libcurl's timeout is due */
    struct stook__link easies;   /* easy handles in the CURLM whose transfer has not completed */
    size_t n_handles;            /* all easy handles in the CURLM */
    size_t n_paused;             /* of those, the ones whose body libcurl holds back */
    CURLMcode broken;            /* the error of the CURLM, or CURLM_OK */
};

/* Creates a multi handle. Returns NULL if there is no memory. */
struct stook__multi *stook__multi_new(struct stook__engine *engine);
/* Adds an easy handle. Returns 0, STOOK_ENOMEM, STOOK_ENOFD if there are no descriptors, or
   STOOK_ERESET if the CURLM is broken. */
int stook__multi_add(struct stook__multi *multi, struct stook__easy *easy);
/* Removes an easy handle from its multi handle. Does not change the list that its `link` is in. */
void stook__multi_remove(struct stook__easy *easy);
/* Marks the connections of all paused easy handles as paused in the table of sockets. libcurl does
   not watch these connections either, so they would be taken for idle ones. */
void stook__multi_program_paused(struct stook__multi *multi);
/* Passes an event of a socket to libcurl. `events` are CURL_CSELECT_... */
void stook__multi_action(struct stook__multi *multi, int fd, int events);
/* Makes the timeout due now. */
void stook__multi_make_due(struct stook__multi *multi);
/* Runs the timeout while it is due, at most 4 times. Returns 1 if it is still due then. */
int stook__multi_run_timeout(struct stook__multi *multi);
/* Reads all messages and moves the completed easy handles to engine->finished. They stay in the
   CURLM until their owner gives them back, because removing a handle drops its unread messages. */
void stook__multi_drain(struct stook__multi *multi);
/* Destroys the CURLM with its idle connections if no easy handle is in it. Returns 1 if it did. */
int stook__multi_clear(struct stook__multi *multi);
void stook__multi_free(struct stook__multi *multi);

#endif
