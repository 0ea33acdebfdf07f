/* SPDX-License-Identifier: MIT */
/*
 * Connections that only say goodbye. libcurl from 8.9 on ends TLS and waits for the peer to end it
 * too, as measured up to 8.23 without an end. What it watches for no transfer at two looks is shut
 * down: libcurl hears of an end, and closes it.
 */
#ifndef STOOK_ENGINE_GOODBYE_H
#define STOOK_ENGINE_GOODBYE_H

#include "engine/lane.h"

/* A transfer is over, and its connection may be too. */
void stook__goodbyes_expect(struct stook__engine *engine);
void stook__goodbyes_end(struct stook__engine *engine, int64_t now);

#endif
