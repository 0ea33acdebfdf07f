/* SPDX-License-Identifier: MIT */
/* An easy handle, lent to one attempt after another. */
#ifndef STOOK_CURL_EASY_H
#define STOOK_CURL_EASY_H

#include <curl/curl.h>

#include "curl/engine.h"
#include "util/metadata.h"

struct stook__easy;
struct stook__trust;
struct stook__node;

/* What a callback may answer beside 0. */
enum { STOOK__EASY_END = 1, STOOK__EASY_PAUSE = 2 };

/* Written down by the attempt while libcurl runs; they may not call back into the engine. */
struct stook__attempt_events {
    /* One line of a head or a trailer, with its end of line. 0: go on; else the transfer is ended. */
    int (*head)(void *owner, const char *line, size_t size);
    /* 0: go on. PAUSE: nothing was taken, libcurl keeps it until stook__easy_continue. Else the transfer is
       ended. */
    int (*body)(void *owner, const char *data, size_t size);
    /* libcurl wants to send it again, maybe over another connection. 1: it may; and then that it does. */
    int (*may_resend)(void *owner);
    void (*resend)(void *owner);
    /* A connection is there, the request goes out next. The peer's address, NULL or "" if it has none. */
    void (*before_send)(void *owner, const char *ip, int port);
    /* Bytes of the request's body have gone out; only with stook__easy_watch_sent. */
    void (*sent)(void *owner, int64_t bytes);
};

/* What of an ended attempt only the engine knows. */
struct stook__easy_info {
    CURLcode code;
    const char *text; /* libcurl's own words, or "" */
    int os_error;     /* errno of a socket that could not be made, or 0 */
    int no_descriptors; /* no descriptors were left when a connection was given up before it was used */
    int http_2;         /* its origin speaks that */
    long h2_error;      /* of HTTP/2 (RFC 9113 7), with which its stream ended; -1: with none */
    int reused;         /* it went out on a connection that was there before */
    int dead;           /* the connection was known to have ended, and nothing was sent */
    int resent;         /* libcurl wanted to send the request a second time, and was refused */
    CURLMcode broken; /* not CURLM_OK: the whole multi handle failed, `code` means nothing */
};

/*
 * A easy handle at rest of the origin with that key and hash, or NULL. Its handle has all that its last
 * attempt set: the same policy, the URL, and what stook__easy_settings says.
 */
struct stook__easy *stook__easy_take(struct stook__trust *trust, const struct stook__node *origin,
                                     int h2, const struct stook__attempt_events *events,
                                     void *owner);
/* A new one, with the engine's options set, nothing else. NULL: no memory. */
struct stook__easy *stook__easy_new(struct stook__trust *trust,
                                    const struct stook__attempt_events *events, void *owner);
/* Before the start of a new one: whose it is, whether HTTP/2 may be agreed, and whether it may rest
   there. 0 or STOOK_ENOMEM. */
int stook__easy_join(struct stook__easy *easy, const char *origin, size_t size, int h2,
                     int may_rest);

/* The peer's address and port. */
struct stook__remote {
    char text[STOOK__REMOTE_MAX];
    size_t ip_size;
    int port;
};

/* The first option that this libcurl did not take, and what it said. */
struct stook__refusal {
    CURLcode code;
    const char *option;
};

/* What stays with a easy handle for the next attempt of its origin; kept by the attempt. */
struct stook__easy_settings {
    CURLU *url;       /* libcurl reads it when the transfer starts, so it is never shared */
    char text[128];   /* of the URL, if that is short; "": not known */
    unsigned changed; /* options that differ from those of a plain GET */
    int64_t connect_ms;
    struct curl_slist *connect_to; /* libcurl keeps the pointer */
    struct stook__remote remote;   /* of the last connection */
    int directory;                 /* the authorities of libcurl's default directory count too */
    struct stook__refusal refusal; /* a easy handle with one must not be started */
};

/* Whether this origin was found to need the directory of authorities; and that it does. */
int stook__easy_needs_directory(const struct stook__easy *easy);
void stook__easy_note_directory(struct stook__easy *easy);

/* Whether a connection is there for it, as far as one can know: it went to rest together with one, and
   none has ended since. */
int stook__easy_warm(const struct stook__easy *easy);

CURL *stook__easy_curl(struct stook__easy *easy);
struct stook__easy_settings *stook__easy_settings(struct stook__easy *easy);

/* Set an option of the easy handle's handle. What libcurl says goes to the kit. */
#define stook__easy_set(easy, option, value) \
    stook__easy_note(easy, curl_easy_setopt(stook__easy_curl(easy), option, value), #option)
/* The same for an option that switches off what a libcurl may have been built without. */
#define stook__easy_switch_off(easy, option, value) \
    stook__easy_note_memory(easy, curl_easy_setopt(stook__easy_curl(easy), option, value), #option)
void stook__easy_note(struct stook__easy *easy, CURLcode code, const char *option);
void stook__easy_note_memory(struct stook__easy *easy, CURLcode code, const char *option);

/* 0, STOOK_ENOMEM, STOOK_ERESET (the multi handle is broken). After a failure the easy handle must still be given back. */
int stook__easy_start(struct stook__easy *easy);
/* How far one without a connection is. AT_GATE: libcurl does not have it yet. */
enum stook__connect_step {
    STOOK__STEP_WAITING,
    STOOK__STEP_RESOLVING,
    STOOK__STEP_CONNECTING,
    STOOK__STEP_CONNECTED
};
enum stook__connect_step stook__easy_connect_step(const struct stook__easy *easy);
void stook__easy_info(struct stook__easy *easy, struct stook__easy_info *ret_facts);
/* Whether libcurl says that all went well. */
int stook__easy_succeeded(const struct stook__easy *easy);
/* Have events.sent called. It cannot be taken back: the easy handle must not rest. */
void stook__easy_watch_sent(struct stook__easy *easy);
/* Pause what `paused` says (CURLPAUSE_...), and have all else go on, before the next poll. libcurl may
   call back at once. Not from inside a libcurl callback. */
void stook__easy_continue(struct stook__easy *easy, int paused);
/* The body that goes out goes on; what is paused of the other stays so. As stook__easy_continue. */
void stook__easy_continue_upload(struct stook__easy *easy);
/* The program has paused the body that comes: it may be long until libcurl reads from the connection
   again. Ends with stook__easy_continue, or with the easy handle; or so, if libcurl was not paused meanwhile. */
void stook__easy_program_paused(struct stook__easy *easy);
void stook__easy_program_resumed(struct stook__easy *easy);
/* When something last came for a transfer that has its connection for itself; 0: not known. */
int64_t stook__easy_last_input(struct stook__easy *easy);
/* Have the owner told as if the transfer had ended: it is to end it. */
void stook__easy_notify(struct stook__easy *easy);
/* In any state, but not from inside a libcurl callback. The owner hears nothing any more. */
void stook__easy_give_back(struct stook__easy *easy);

#endif
