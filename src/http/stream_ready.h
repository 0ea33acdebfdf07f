/* SPDX-License-Identifier: MIT */
/*
 * The list of streams that have work for the turn, which the engine keeps. It lies below all that
 * marks a stream as ready: the body sink, the upload source and the stream itself.
 */
#ifndef STOOK_HTTP_STREAM_READY_H
#define STOOK_HTTP_STREAM_READY_H

#include "util/list.h"

struct stook__attempt;
struct stook__engine;

/* Marks the stream as ready: the next turn takes it. Marking it twice has no effect. */
void stook__stream_mark_ready(struct stook__attempt *attempt);

/* From the turn: moves all ready streams to the end of `list`. */
void stook__stream_take_all(struct stook__engine *engine, struct stook__link *list);
/* Removes the first stream of such a list whose attempt has no error. NULL: there is none. */
struct stook__attempt *stook__stream_next(struct stook__link *list);

/* Inside libcurl: bytes of a body have moved, so on_progress is due, if there is one. */
void stook__stream_moved(struct stook__attempt *attempt);
/* Inside libcurl: pauses the response body until the turn has made room. Returns
   STOOK__EASY_PAUSE. */
int stook__stream_pause(struct stook__attempt *attempt);

#endif
