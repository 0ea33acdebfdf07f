/* SPDX-License-Identifier: MIT */
/* "host:port:address": where a host is said to be. */
#ifndef STOOK_REQUEST_RESOLVE_H
#define STOOK_REQUEST_RESOLVE_H

#include <stddef.h>

/* An entry taken apart; an IPv6 host or address keeps no brackets. */
struct stook__resolve {
    const char *host, *address;
    size_t host_size, address_size;
    int port, is_ipv6; /* of the address */
};

/* 1: it is one, with an address that is a number and a port from 1 to 65535. */
int stook__resolve_parse(const char *text, struct stook__resolve *ret_entry);
/* The first of a list (strings one behind the other, ended by an empty one, or NULL) that is about
   this host, in any case of its messages and without brackets, and this port. 1: found. */
int stook__resolve_find(const char *list, const char *host, int port,
                        struct stook__resolve *ret_entry);

#endif
