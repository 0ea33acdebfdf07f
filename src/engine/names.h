/* SPDX-License-Identifier: MIT */
/*
 * What libcurl forgets of names. From 8.22 on it connects as soon as one family of addresses is
 * known, and then drops the look-up of the other and with it what it knows: the next connection
 * asks again. So the address that was connected to is told to it, as its own cache would hold it
 * (CURLOPT_RESOLVE), by those who find that it does not know the name.
 *
 * An address told so is one where the name may have several. When it fails, it is taken back, and
 * the name is looked up anew.
 */
#ifndef STOOK_ENGINE_NAMES_H
#define STOOK_ENGINE_NAMES_H

#include "engine/origin.h"

/* The slot, whose look-up is dropped, is connected to that address. */
void stook__names_found(struct stook__slot *slot, const char *address);
/* Whether there is an address to be told. */
int stook__names_known(const struct stook__origin *origin);
/* Before the slot enters a lane: have libcurl told what is to be told by it. */
void stook__names_tell(struct stook__slot *slot);
/* libcurl looks the name up: what it was told does not count any more. */
void stook__names_asked(struct stook__slot *slot);
/* The slot could not connect. 1: it relied on what libcurl was told, which is taken back. */
int stook__names_doubt(struct stook__slot *slot);

#endif
