/* SPDX-License-Identifier: MIT */
/* The callbacks of a transfer: what libcurl reports, written into the attempt. */
#ifndef STOOK_HTTP_RECEIVE_H
#define STOOK_HTTP_RECEIVE_H

#include "http/attempt_state.h"

extern const struct stook__attempt_events stook__receive_events;

#endif
