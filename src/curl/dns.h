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
#ifndef STOOK_CURL_DNS_H
#define STOOK_CURL_DNS_H

#include "curl/origin.h"

/* The easy handle, whose look-up is dropped, is connected to that address. */
void stook__dns_address_found(struct stook__easy *easy, const char *address);
/* Whether there is an address to be told. */
int stook__dns_has_address(const struct stook__curl_origin *origin);
/* Before the easy handle enters a multi handle: have libcurl told what is to be told by it. */
void stook__dns_set_address(struct stook__easy *easy);
/* libcurl looks the name up: what it was told does not count any more. */
void stook__dns_lookup_begins(struct stook__easy *easy);
/* The easy handle could not connect. 1: it relied on what libcurl was told, which is taken back. */
int stook__dns_cached_address_failed(struct stook__easy *easy);

#endif
