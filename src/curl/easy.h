/* SPDX-License-Identifier: MIT */
/*
 * An easy handle as http/ sees it. One attempt at a time owns the handle: it makes or takes one,
 * sets its options, starts it, and gives it back. Given back, the handle is destroyed, or pooled
 * for the next attempt to the same origin, or orphaned if it cannot be removed from libcurl yet.
 */
#ifndef STOOK_CURL_EASY_H
#define STOOK_CURL_EASY_H

#include <curl/curl.h>
#include <stdint.h>

#include "curl/easy_callbacks.h"
#include "curl/easy_settings.h"

struct stook__easy;
struct stook__origin;
struct stook__trust;

/* What the engine knows of a completed transfer. */
struct stook__easy_info {
    CURLcode code;
    const char *text;    /* libcurl's error message, or "" */
    int os_error;        /* errno of a socket that could not be created, or 0 */
    int no_descriptors;  /* the process had none left when an unused connection was given up */
    const char *refusal; /* why the first address that was refused may not be used, or NULL */
    int http_2;          /* the origin speaks HTTP/2 */
    long h2_error;       /* error code of the HTTP/2 stream (RFC 9113 section 7); -1: none */
    int reused;          /* the request was sent on a connection that existed before */
    int dead;            /* libcurl chose a connection known to be closed; nothing was sent */
    int taken;           /* the handle is in a multi handle of the program already */
    int resent;          /* libcurl wanted to send the request once more and was refused */
    CURLMcode broken;    /* not CURLM_OK: the CURLM failed, and `code` means nothing */
};

/* Takes an easy handle from the pool of the origin. All options that its last
   attempt set are still set, as stook__easy_settings describes. Returns NULL if the pool is empty.
   */
struct stook__easy *stook__easy_take(struct stook__trust *trust, const struct stook__origin *origin,
                                     int h2, const struct stook__attempt_events *events,
                                     void *owner);
/* Tells whether it is known that the origin does not speak what `h2` would negotiate. */
int stook__easy_speaks_http_1(struct stook__trust *trust, const struct stook__origin *origin,
                              int h2);
/* Creates an easy handle without any option. Returns NULL if there is no memory. */
struct stook__easy *stook__easy_new(struct stook__trust *trust,
                                    const struct stook__attempt_events *events, void *owner);
/* Sets the options of the engine on a new handle. */
void stook__easy_set_options(struct stook__easy *easy);
/* Assigns a new easy handle to its origin, before it starts. `h2` is 0, or 1 if HTTP/2 may be
   negotiated, or 2 if HTTP/3 may. `may_pool` allows the handle to be pooled. Returns 0 or
   STOOK_ENOMEM. */
int stook__easy_join(struct stook__easy *easy, struct stook__origin *origin, int h2, int may_pool);

/* Tells whether a certificate of this origin was found to need libcurl's default directory of CA
   certificates. */
int stook__easy_needs_directory(const struct stook__easy *easy);
/* Records that it needs that directory. */
void stook__easy_note_directory(struct stook__easy *easy);

/* Tells whether libcurl very likely has a connection for this handle: the handle was pooled
   together with one, and no connection has ended since. */
int stook__easy_warm(const struct stook__easy *easy);

/* Starts the transfer, at once or when the connect gate of its origin opens: engine.c starts what
   has waited there. Returns 0,
   STOOK_ENOMEM, STOOK_ENOFD, or STOOK_ERESET if the CURLM is broken. After an error the owner must
   still give the handle back. */
int stook__easy_start(struct stook__easy *easy);

/* How far a transfer has come that has not sent its request yet. */
enum stook__connect_step {
    STOOK__STEP_WAITING,    /* at the connect gate; libcurl does not have it yet */
    STOOK__STEP_RESOLVING,  /* no socket was opened */
    STOOK__STEP_CONNECTING, /* no socket is connected */
    STOOK__STEP_CONNECTED,  /* a socket is connected; TLS may still be negotiated */
};
enum stook__connect_step stook__easy_connect_step(const struct stook__easy *easy);

void stook__easy_info(struct stook__easy *easy, struct stook__easy_info *ret_info);
/* Tells whether libcurl reports success. */
int stook__easy_succeeded(const struct stook__easy *easy);
/* Pauses the directions in `paused` (CURLPAUSE_...) and resumes the others before the next poll.
   libcurl may call back at once. Must not be called from inside a callback of libcurl. */
void stook__easy_continue(struct stook__easy *easy, int paused);
/* Resumes the request body and leaves the response body as it is. As stook__easy_continue. */
void stook__easy_continue_upload(struct stook__easy *easy);
/* Records that the program has paused the response body, so libcurl may not read from the
   connection for a long time. Ends with stook__easy_continue, with stook__easy_program_resumed, or
   with the transfer. */
void stook__easy_program_paused(struct stook__easy *easy);
/* Ends the above if libcurl was not paused meanwhile. */
void stook__easy_program_resumed(struct stook__easy *easy);
/* Tells whether the handle has a connection of its own already. */
int stook__easy_is_connected(const struct stook__easy *easy);
/* Tells whether a byte of the request may have been sent; of a connection of ours that is known. */
int stook__easy_may_have_sent(const struct stook__easy *easy);
/* Returns how many bytes of the request's body were sent. */
int64_t stook__easy_sent(const struct stook__easy *easy);
/* In microseconds from the start: when the first byte of the response came, and the end. */
struct stook__easy_times {
    int64_t first_byte, total;
};
/* Tells whether we speak HTTP/1.1 on a connection of the handle, and since when. */
int stook__easy_is_direct(const struct stook__easy *easy, struct stook__easy_times *ret_times);
/* Returns when the connection last had input, if no other transfer shares it; 0 if not known. */
int64_t stook__easy_last_input(struct stook__easy *easy);
/* Has stook__engine_next_completed return the owner though the transfer still runs. The owner must
   give the handle back. */
void stook__easy_notify(struct stook__easy *easy);
/* Gives the handle back, in any state. None of the owner's callbacks runs after this. Must not be
   called from inside a callback of libcurl. */
void stook__easy_give_back(struct stook__easy *easy);

#endif
