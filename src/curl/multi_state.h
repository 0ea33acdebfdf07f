/* SPDX-License-Identifier: MIT */
/*
 * A multi handle: one CURLM, its timeout and the easy handles in it. Here libcurl is run for the
 * events and the timeouts of a CURLM; multi.h has how transfers enter it and leave it.
 */
#ifndef STOOK_CURL_MULTI_STATE_H
#define STOOK_CURL_MULTI_STATE_H

#include <curl/curl.h>

#include "util/list.h"
#include "util/timer_heap.h"

struct stook__engine;

struct stook__multi {
    struct stook__engine *engine;
    CURLM *curlm;                 /* NULL: not created yet */
    struct stook__link all;       /* in engine->multis */
    struct stook__link unread;    /* in engine->unread: messages must be read */
    struct stook__link due;       /* in engine->due: the timeout is due */
    struct stook__timer timeout;  /* when libcurl's timeout is due */
    struct stook__link easies;    /* easy handles in the CURLM whose transfer has not completed */
    struct stook__link connected; /* easy handles in it that have a connection (direct.c) */
    int direct;                   /* its handles only connect */
    size_t n_handles;             /* all easy handles in the CURLM */
    size_t n_paused;              /* of those, the ones whose body libcurl holds back */
    CURLMcode broken;             /* the error of the CURLM, or CURLM_OK */
};

/* Creates a multi handle. Returns NULL if there is no memory. */
struct stook__multi *stook__multi_new(struct stook__engine *engine);
/* CURLMOPT_TIMERFUNCTION; `user` is the multi handle. */
int stook__multi_set_timeout(CURLM *curlm, long timeout_ms, void *user);
/* Has the messages read, and an error of the CURLM handled, before the turn ends. */
void stook__multi_mark_unread(struct stook__multi *multi);
/* Passes an event of a socket to libcurl, or a timeout (CURL_SOCKET_TIMEOUT), and records an error
   of the CURLM. `events` are CURL_CSELECT_... */
void stook__multi_action(struct stook__multi *multi, curl_socket_t fd, int events);
/* Makes the timeout due now. */
void stook__multi_make_due(struct stook__multi *multi);
/* Runs the timeout while it is due, at most 4 times. Returns 1 if it is still due then. */
int stook__multi_run_timeout(struct stook__multi *multi);

#endif
