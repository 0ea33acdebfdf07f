/* SPDX-License-Identifier: MIT */
/* The callbacks of a transfer: what libcurl reports, written into the attempt. */
#ifndef STOOK_HTTP_RECEIVE_H
#define STOOK_HTTP_RECEIVE_H

#include "http/attempt_state.h"

extern const struct stook__attempt_events stook__receive_events;

/* Resets the parser: the next byte is the first one of a response. */
void stook__receive_expect(struct stook__attempt *attempt);

#endif
