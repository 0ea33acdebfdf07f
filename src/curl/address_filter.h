/* SPDX-License-Identifier: MIT */
/*
 * Judges the addresses that libcurl is about to connect to: `public_only`, `allow_addresses`,
 * `deny_addresses` and `on_address`. libcurl shows each address just before it opens a socket, when
 * all names are looked up and all spellings are numbers. It does not show that of a connection that
 * is there already, so requests with and without `public_only` share no connection; see trust.h.
 *
 * An IPv6 address may lead to an IPv4 one: by mapping, a translator or a tunnel. Then both are
 * judged, and both must pass.
 */
#ifndef STOOK_CURL_ADDRESS_FILTER_H
#define STOOK_CURL_ADDRESS_FILTER_H

#include <stook.h>

#include "util/cidr.h"

struct sockaddr;
struct stook__easy;

/* The rules of a client. All zero: every address passes that public_only does not refuse. */
struct stook__address_rules {
    struct stook__cidrs allow, deny;
    /* Asks the program about an address that passes. 0: it passes. NULL: nobody is asked. */
    int (*ask)(void *owner, const struct stook_address *address);
    void *owner;
};

enum stook__address_decision {
    STOOK__ADDRESS_PASSES,
    STOOK__ADDRESS_DENIED,     /* in a range of deny_addresses */
    STOOK__ADDRESS_NOT_PUBLIC, /* in a range that public_only refuses */
    STOOK__ADDRESS_OWN,        /* one of this machine */
    STOOK__ADDRESS_REFUSED,    /* by the program */
};

/* Why an address does not pass. */
struct stook__address_finding {
    enum stook__address_decision decision;
    struct stook__ip judged;  /* the address itself, or the IPv4 address that it leads to */
    struct stook__cidr range; /* of DENIED and NOT_PUBLIC: where it is */
    const char *use;          /* of NOT_PUBLIC: what that range is for */
};

/* Judges an address without asking the program. `own`: the addresses of this machine, each as a
   range; they are used with `public_only` alone. Pure. */
void stook__address_judge(const struct stook__address_rules *rules, int public_only,
                          const struct stook__cidrs *own, const struct stook__ip *ip,
                          struct stook__address_finding *ret_finding);

/* Returns 1 if the easy handle may connect to the address. Otherwise it returns 0 and notes the
   reason in the handle: the first refusal, or an errno. */
int stook__address_filter_passes(struct stook__easy *easy, int public_only,
                                 const struct sockaddr *address);

#endif
