/* SPDX-License-Identifier: MIT */
/*
 * The libcurl side: multi handles (a CURLM each), easy handles (an easy handle each), the table of sockets.
 *
 * The rules that keep it whole: the program is never called from in here; libcurl is never called
 * from inside its own callbacks; no callback ever returns -1; a poll is stopped before its
 * descriptor is closed; all messages are read before any handle is removed.
 */
#ifndef STOOK_CURL_ENGINE_H
#define STOOK_CURL_ENGINE_H

#include "util/allocator.h"
#include "util/list.h"

struct stook__engine;
struct stook__loop;

/* 0, STOOK_EUNSUPPORTED (this libcurl lacks what is needed), STOOK_ENOMEM. Once per process, libcurl's
   global state is set up. */
int stook__engine_new(struct stook__allocator *allocator, struct stook__engine **ret_engine);
/* Before the first easy handle is taken. */
void stook__engine_open(struct stook__engine *engine, struct stook__loop *loop);
struct stook__loop *stook__engine_loop(const struct stook__engine *engine);
/* STOOK__QUIRK_... of the libcurl that runs. */
unsigned stook__engine_quirks(const struct stook__engine *engine);
/* Look-ups that cannot be interrupted and that nobody waits for any more. */
size_t stook__engine_orphaned(const struct stook__engine *engine);

/* The owner of the next easy handle that has ended by itself; NULL: no news. */
void *stook__engine_next_completed(struct stook__engine *engine);
/* Owners that want to be looked at by the next turn, for whatever reason of theirs. */
struct stook__link *stook__engine_ready(struct stook__engine *engine);
/* The kick: tells libcurl that its time has come, until it is content, at most 4 rounds. */
void stook__engine_work(struct stook__engine *engine);
/* Libcurl is not content, or there is news: have another turn soon. */
int stook__engine_is_busy(const struct stook__engine *engine);
/* Microseconds of the monotonic clock as of the events being handled; costs nothing. */
int64_t stook__engine_time(const struct stook__engine *engine);
/* Where the same is to be read while libcurl runs. */
const int64_t *stook__engine_clock(const struct stook__engine *engine);
/* When libcurl wants to be told next; 0: not. */
int64_t stook__engine_alarm(const struct stook__engine *engine);

/* There are no descriptors: idle connections go, but for those beside a transfer that is under way.
   0: there were none. Not from inside a libcurl callback. */
int stook__engine_make_room(struct stook__engine *engine);

/* Every easy handle was given back and none is parked: clean up. Sockets close through our callback. */
void stook__engine_free(struct stook__engine *engine);

#endif
