/* SPDX-License-Identifier: MIT */
/* The callbacks of an attempt, which the callbacks of its easy handle run, and its exchange on a
   connection of ours (direct.h). They record what happened. */
#ifndef STOOK_CURL_ATTEMPT_EVENTS_H
#define STOOK_CURL_ATTEMPT_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "http1/connection.h"

/* What the callbacks `head` and `body` return, beside 0. */
enum {
    STOOK__EASY_END = 1,  /* end the transfer with an error */
    STOOK__EASY_PAUSE = 2 /* pause the body */
};

/* The callbacks of an attempt. They run inside libcurl, so they only record what happened and never
   call into the engine. */
struct stook__attempt_events {
    /* Receives one line of a header or trailer section, with its line end. Any result but 0 ends
       the transfer. */
    int (*head)(void *owner, const char *line, size_t size);
    /* Receives bytes of the response body. Returns 0 if it took them. Returns STOOK__EASY_PAUSE if
       it took none: libcurl then keeps them until stook__easy_continue. Any other result ends the
       transfer. */
    int (*body)(void *owner, const char *data, size_t size);
    /* Runs when libcurl wants to send the request once more, perhaps on another connection. Returns
       1 to allow it. */
    int (*may_resend)(void *owner);
    /* Runs when libcurl sends the request once more. */
    void (*resend)(void *owner);
    /* Runs when a connection is established and the request is sent next. `ip` is the peer's
       address; NULL or "" if it has none. */
    void (*before_send)(void *owner, const char *ip, int port);
    /* For a handle that only connects: writes the head of the request into `room`. Returns its
       size; 0: it cannot be sent. *ret_body stays as it is until the exchange is over. */
    size_t (*write)(void *owner, char *room, size_t size, const char **ret_body,
                    size_t *ret_body_size);
    /* Takes bytes of the connection, as in struct stook__http1_events. */
    enum stook__http1_step (*take)(void *owner, const char *data, size_t size, size_t *ret_used);
    /* Receives how many bytes of the request body were sent. Runs only after
       stook__easy_watch_sent. */
    void (*sent)(void *owner, int64_t bytes);
};

#endif
