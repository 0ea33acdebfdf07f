/* SPDX-License-Identifier: MIT */
/*
 * The libcurl side: lanes (a CURLM each), slots (an easy handle each), the table of sockets.
 *
 * The rules that keep it whole: the program is never called from in here; libcurl is never called
 * from inside its own callbacks; no callback ever returns -1; a poll is stopped before its
 * descriptor is closed; all messages are read before any handle is removed.
 */
#ifndef STOOK_ENGINE_ENGINE_H
#define STOOK_ENGINE_ENGINE_H

#include <curl/curl.h>

#include "base/heap.h"
#include "base/list.h"

struct stook__loop;
struct stook__lane;
struct stook__slot;

/* Written down by the attempt while libcurl runs; they may not call back into the engine. */
struct stook__attempt_events {
    /* One line of a head or a trailer, with its end of line. 0: go on; else the transfer is ended. */
    int (*head)(void *owner, const char *line, size_t size);
    /* 0: go on; else the transfer is ended. */
    int (*body)(void *owner, const char *data, size_t size);
    /* A connection is there, the request goes out next. */
    void (*before_send)(void *owner);
};

struct stook__sockets {
    struct stook__socket **by_fd;
    size_t capacity;
};

struct stook__engine {
    struct stook__heap *heap;
    struct stook__loop *loop;
    struct stook__lane *lane;
    struct stook__sockets sockets;
    struct stook__link finished; /* slots with news */
    size_t parked;               /* slots whose look-up cannot be interrupted */
};

/* What of an ended attempt only the engine knows. */
struct stook__slot_facts {
    CURLcode code;
    const char *text;  /* libcurl's own words, or "" */
    int os_error;      /* errno of a socket that could not be made, or 0 */
    int resent;        /* libcurl wanted to send the request a second time, and was refused */
    CURLMcode broken;  /* not CURLM_OK: the whole lane failed, `code` means nothing */
};

/* 0, STOOK_EUNSUPPORTED (this libcurl lacks what is needed), STOOK_ENOMEM. Once per process, libcurl's
   global state is set up. */
int stook__engine_init(struct stook__engine *engine, struct stook__heap *heap);
/* Before the first slot is taken. */
void stook__engine_open(struct stook__engine *engine, struct stook__loop *loop);

/* An easy handle with the engine's options set, nothing else. NULL: no memory. */
struct stook__slot *stook__slot_take(struct stook__engine *engine, const struct stook__attempt_events *events,
                                     void *owner);
CURL *stook__slot_easy(struct stook__slot *slot);
/* 0, STOOK_ENOMEM, STOOK_ERESET (the lane is broken). After a failure the slot must still be given back. */
int stook__slot_start(struct stook__slot *slot);
void stook__slot_facts(struct stook__slot *slot, struct stook__slot_facts *ret_facts);
/* In any state, but not from inside a libcurl callback. The owner hears nothing any more. */
void stook__slot_give_back(struct stook__slot *slot);

/* The owner of the next slot that has ended by itself; NULL: no news. */
void *stook__engine_news(struct stook__engine *engine);
/* The kick: tells libcurl that its time has come, until it is content, at most 4 rounds. 1: it is
   not, or there is news: have another turn soon. */
int stook__engine_work(struct stook__engine *engine);
/* Microseconds of the monotonic clock as of the events being handled; costs nothing. */
int64_t stook__engine_time(const struct stook__engine *engine);
/* When libcurl wants to be told next; 0: not. */
int64_t stook__engine_alarm(const struct stook__engine *engine);

/* Every slot was given back and none is parked: clean up. Sockets close through our callback. */
void stook__engine_close(struct stook__engine *engine);

#endif
