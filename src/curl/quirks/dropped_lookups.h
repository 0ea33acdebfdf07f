/* SPDX-License-Identifier: MIT */
/*
 * Host names that libcurl does not cache (STOOK__QUIRK_DROPS_LOOKUPS).
 *
 * Versions: 8.22.0 and later.
 * Fault:    libcurl connects as soon as one family of addresses is known. It then cancels the
 *           look-up of the other family and caches neither, so the next connection looks the name
 *           up again.
 * Handling: the address that was connected to is kept with the origin. An easy handle whose look-up
 *           the connect gate refused adds that address to libcurl's cache (CURLOPT_RESOLVE), with
 *           the lifetime of libcurl's own entries. If a connection to it fails, the entry is
 *           removed from the cache and the name is looked up anew: the name may have other
 *           addresses.
 * Test:     regress/cached_addresses.cold_origin, integration/dns.half_hangs and
 *           integration/dns.moved.
 *
 * connect_gate.c calls these functions, and easy_transfer.c before a transfer starts. On other
 * versions no address is kept, and nothing here has an effect.
 */
#ifndef STOOK_CURL_QUIRKS_DROPPED_LOOKUPS_H
#define STOOK_CURL_QUIRKS_DROPPED_LOOKUPS_H

struct stook__curl_origin;
struct stook__easy;

/* Keeps the address that the easy handle has connected to, if this start looked its name up. */
void stook__dropped_lookup_address_found(struct stook__easy *easy, const char *address);
/* Whether the origin has an address that libcurl may not have cached. */
int stook__dropped_lookup_has_address(const struct stook__curl_origin *origin);
/* Sets CURLOPT_RESOLVE as this start needs it. Call it before the handle enters a multi handle. */
void stook__dropped_lookup_set_address(struct stook__easy *easy);
/* Notes that libcurl looks the name up: an address that was added before is not used any more. */
void stook__dropped_lookup_lookup_begins(struct stook__easy *easy);
/* Notes that the easy handle could not connect. Returns 1 if it used an address that was added: the
   next start of the origin removes that address. */
int stook__dropped_lookup_cached_address_failed(struct stook__easy *easy);

#endif
