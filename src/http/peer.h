/* SPDX-License-Identifier: MIT */
/* The peer of a request: the proxy and the address to connect to, authorities, certificates,
   credentials. */
#ifndef STOOK_HTTP_PEER_H
#define STOOK_HTTP_PEER_H

#include "http/attempt_state.h"

enum { STOOK__CONNECT_TO_MAX = 80 };

/* Whether the settings has authorities of its own. They replace those of libcurl. */
static inline int stook__peer_own_authorities(const struct stook__settings *settings)
{
    return settings->ca_file != NULL || (settings->peer != NULL && settings->peer->ca_data != NULL);
}

/* Returns the URL of the proxy that leads to the attempt's origin; NULL: none does. */
const char *stook__peer_proxy(const struct stook__attempt *attempt);
/* Returns 1 if an HTTP proxy gets the request itself: the origin speaks http. */
int stook__peer_is_relayed(const struct stook__attempt *attempt);
/* Returns the trust of the attempt, or NULL without memory. */
struct stook__trust *stook__peer_trust(const struct stook__attempt *attempt);
/* Returns the trust of a settings with a proxy, or without one if `proxy` is NULL. NULL without
   memory. `ipv6_behind_proxy`: its http origins are IPv6 addresses. */
struct stook__trust *stook__peer_make_trust(const struct stook__defaults *defaults,
                                            const struct stook__settings *settings,
                                            const char *proxy, int ipv6_behind_proxy);
/* Writes the value for CURLOPT_CONNECT_TO if `resolve` names the host of the URL. Returns 1 if it
   does, else 0. */
int stook__peer_connect_to(const struct stook__attempt *attempt, CURLU *url,
                           char text[STOOK__CONNECT_TO_MAX]);
/* Adds the attempt's new easy handle to its origin. Returns 0 or STOOK_ENOMEM. */
int stook__peer_join(struct stook__attempt *attempt, int h2, int may_pool);
/* Sets the options of proxy, address, certificates and credentials on a new easy handle. */
void stook__peer_set(struct stook__attempt *attempt);
/*
 * Finds the file of certificates or keys that made an attempt fail in TLS; `code` is libcurl's.
 * Returns an allocated message and sets the answer's errno. Returns NULL if it finds none, and
 * without memory.
 */
char *stook__peer_file_fault(struct stook__attempt *attempt, CURLcode code);

#endif
