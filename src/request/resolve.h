/* SPDX-License-Identifier: MIT */
/* What a program says of addresses: entries of `resolve`, "host:port:address", which give the
   address of a host instead of a DNS lookup; ranges of `allow_addresses` and `deny_addresses`. */
#ifndef STOOK_REQUEST_RESOLVE_H
#define STOOK_REQUEST_RESOLVE_H

#include <stddef.h>

#include "request/pack.h"
#include "util/cidr.h"

/* A parsed entry. It points into the text. The brackets of an IPv6 address are left out. */
struct stook__resolve {
    const char *host, *address;
    size_t host_size, address_size;
    int port, is_ipv6; /* is_ipv6: of `address` */
};

/* 1: the text is an entry, with an IPv4 or IPv6 address and a port from 1 to 65535. */
int stook__resolve_parse(const char *text, struct stook__resolve *ret_entry);

/* Finds the first entry for a host and a port in a list: strings in sequence, ended by an empty
   string, or NULL. Case does not matter. `host` has no brackets. 1: found. */
int stook__resolve_find(const char *list, const char *host, int port,
                        struct stook__resolve *ret_entry);

/* Checks a list of ranges. 0; STOOK_EARG: an entry is no range, or there are more than 1000. `list`
   may be NULL. */
int stook__addresses_validate(const char *const *list);

/* Copies a valid list of strings as ranges. Returns the copy; while measuring, one without
   ranges. */
struct stook__cidrs stook__addresses_pack(struct stook__pack *pack, const char *const *list);

#endif
