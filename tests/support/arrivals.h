/* SPDX-License-Identifier: MIT */
/*
 * What came to raw servers, and when: one list for all servers of a test, in the order in which the
 * requests came. It is in shared memory, because a server is a child process.
 */
#ifndef STOOK_TEST_ARRIVALS_H
#define STOOK_TEST_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

#include "raw_server.h"

struct arrival {
    int64_t at_us; /* of the clock of uv_hrtime() */
    int port;      /* of the door */
    long n;        /* the number `n` of its query */
};

/* Begins an empty list, before the first server starts; in the next life again. It ends with the test. */
void arrivals_begin(void);
/* For behaviours: enters a request. */
void arrivals_note(const struct raw_call *call);
size_t arrivals_count(void);
/* The i-th of all; it must be there. */
struct arrival arrivals_at(size_t i);
/* How many came for a port; 0: for all. */
size_t arrivals_of(int port);
/* The most that came within any `span_us`, or in the same moment if it is 0; `port` as above. */
size_t arrivals_within(int port, int64_t span_us);

#endif
