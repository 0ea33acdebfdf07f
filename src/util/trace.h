/* SPDX-License-Identifier: MIT */
/*
 * Moves of state, written to stderr: one line a move, with the room, the object, both states and
 * the reason. Only a library that was configured with -DSTOOK_TRACE=ON has it; elsewhere a trace is
 * nothing, and its arguments are not evaluated.
 *
 * The environment of the program says what is written: STOOK_TRACE=all, or names of rooms, as in
 * STOOK_TRACE=core,curl. Without it nothing is.
 */
#ifndef STOOK_UTIL_TRACE_H
#define STOOK_UTIL_TRACE_H

#ifdef STOOK_TRACE
void stook__trace(const char *room, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define STOOK__TRACE(room, ...) stook__trace(room, __VA_ARGS__)
#else
#define STOOK__TRACE(room, ...) ((void)0)
#endif

#endif
