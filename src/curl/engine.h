/* SPDX-License-Identifier: MIT */
/*
 * The engine: the libcurl side of one client, as the rooms above see it. It owns the multi handles
 * (one CURLM each), the easy handles, what is known of each origin, and the table of sockets.
 * core/ creates it, runs it once per turn and frees it.
 *
 * Five rules hold everywhere in this room:
 * - The engine never calls the program, except that address_filter.c asks about an address, through
 *   a function of core/.
 * - The engine never calls libcurl from inside a callback of libcurl.
 * - A callback of the socket interface never returns -1.
 * - A poll handle is stopped before its descriptor is closed.
 * - All messages of a CURLM are read before any of its easy handles is removed.
 */
#ifndef STOOK_CURL_ENGINE_H
#define STOOK_CURL_ENGINE_H

#include "util/allocator.h"
#include "util/list.h"

struct stook__address_rules;
struct stook__engine;
struct stook__loop;

/* Creates an engine. The first call of a process also initializes libcurl. Returns 0, STOOK_ENOMEM,
   or STOOK_EUNSUPPORTED if the libcurl that runs lacks a required feature. */
int stook__engine_new(struct stook__allocator *allocator, struct stook__engine **ret_engine);
/* Sets the rules for addresses, which must outlive the engine. Must come before the first easy
   handle is made. */
void stook__engine_set_address_rules(struct stook__engine *engine,
                                     const struct stook__address_rules *rules);
/* Attaches the engine to a loop. Must come before the first easy handle is made. */
void stook__engine_open(struct stook__engine *engine, struct stook__loop *loop);
struct stook__loop *stook__engine_loop(const struct stook__engine *engine);
/* Returns the quirks (STOOK__QUIRK_...) of the libcurl that runs. */
unsigned stook__engine_quirks(const struct stook__engine *engine);
/* Returns the number of orphaned easy handles: their attempt is over, their look-up still runs. */
size_t stook__engine_orphaned(const struct stook__engine *engine);

/* Takes the next easy handle off the list of completed ones and returns its owner; NULL if there is
   none. */
void *stook__engine_next_completed(struct stook__engine *engine);
/* Returns the list of owners that the next turn must process. The owners themselves append to it.
   */
struct stook__link *stook__engine_ready(struct stook__engine *engine);
/* Opens the connect gates that may open, and runs the due timeouts of libcurl. A multi handle whose
   timeout is due again each time is run at most 4 times. `now` may be some time ago: what has
   become due since is for the next call. */
void stook__engine_work(struct stook__engine *engine, int64_t now);
/* Returns 1 if the engine has work that must not wait for an event. */
int stook__engine_is_busy(const struct stook__engine *engine);
/* Returns the monotonic time of the current loop iteration, in microseconds. Makes no system call.
   */
int64_t stook__engine_time(const struct stook__engine *engine);
/* Returns where the same time can be read while libcurl runs. */
const int64_t *stook__engine_clock(const struct stook__engine *engine);
/* Returns when stook__engine_work must run next; 0 if no timeout is set. */
int64_t stook__engine_alarm(const struct stook__engine *engine);

/* Closes idle connections because the process has no descriptors left. Those in a CURLM with a
   running transfer stay. Returns 0 if no connection was closed. Must not be called from inside a
   callback of libcurl. */
int stook__engine_make_room(struct stook__engine *engine);

/* Frees the engine. Every easy handle must have been given back, and none may be orphaned. libcurl
   closes the remaining sockets through our callback. */
void stook__engine_free(struct stook__engine *engine);

#endif
