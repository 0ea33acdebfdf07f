/* SPDX-License-Identifier: MIT */
/*
 * IP addresses and ranges of them (CIDR, RFC 4632). An IPv4 address is kept as the IPv6 address
 * that maps it, ::ffff:a.b.c.d (RFC 4291 2.5.5.2), which the kernel connects to in the same way. A
 * range is of one family: ::/0 contains no IPv4 address.
 */
#ifndef STOOK_UTIL_CIDR_H
#define STOOK_UTIL_CIDR_H

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

/* Returns 1 if the first `bits` of both are the same. */
int stook__bits_equal(const uint8_t *one, const uint8_t *other, unsigned bits);

struct stook__ip {
    uint8_t bytes[16];
};

struct stook__cidr {
    struct stook__ip first;
    uint8_t bits; /* that all addresses of the range have in common: of IPv4, 96 and more */
};

/* A list of ranges. */
struct stook__cidrs {
    const struct stook__cidr *at;
    size_t count;
};

enum { STOOK__CIDR_TEXT_MAX = 52 }; /* bytes of an address, or of a range, with the NUL */

/* Makes the address of a number in host byte order, and of a socket address. The latter returns 0
   for another family than IPv4 and IPv6. */
struct stook__ip stook__ip_from_v4(uint32_t address);
int stook__ip_from_sockaddr(const struct sockaddr *address, struct stook__ip *ret_ip);
int stook__ip_is_v4(const struct stook__ip *ip);
void stook__ip_format(const struct stook__ip *ip, char text[STOOK__CIDR_TEXT_MAX]);

/* Reads "10.0.0.0/8" or "fc00::/7"; an address alone is a range of one. Returns 1, or 0 if it is
   neither, or if a bit behind the prefix is set. */
int stook__cidr_parse(const char *text, struct stook__cidr *ret_range);
int stook__cidr_contains(const struct stook__cidr *range, const struct stook__ip *ip);
/* Returns the first range of a list that contains the address, or NULL. */
const struct stook__cidr *stook__cidr_find(const struct stook__cidrs *list,
                                           const struct stook__ip *ip);
void stook__cidr_format(const struct stook__cidr *range, char text[STOOK__CIDR_TEXT_MAX]);

#endif
