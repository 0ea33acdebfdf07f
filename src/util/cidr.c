/* SPDX-License-Identifier: MIT */
/* IP addresses and ranges of them; see cidr.h. */
#include "util/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { V4_BITS = 96 }; /* of the prefix of a mapped IPv4 address */

static const struct stook__ip v4_prefix = {{[10] = 0xff, [11] = 0xff}};

/* ---------------------------------------------------------------------------- addresses */

struct stook__ip stook__ip_from_v4(uint32_t address)
{
    struct stook__ip ip = v4_prefix;
    for (int i = 0; i < 4; i++)
        ip.bytes[12 + i] = (uint8_t)(address >> (24 - 8 * i));
    return ip;
}

int stook__ip_from_sockaddr(const struct sockaddr *address, struct stook__ip *ret_ip)
{
    /* Copied, because the address of a caller may not be aligned. */
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof in);
        *ret_ip = stook__ip_from_v4(ntohl(in.sin_addr.s_addr));
        return 1;
    }
    if (address->sa_family != AF_INET6)
        return 0;
    memcpy(&in6, address, sizeof in6);
    memcpy(ret_ip->bytes, &in6.sin6_addr, sizeof ret_ip->bytes);
    return 1;
}

int stook__ip_is_v4(const struct stook__ip *ip)
{
    return memcmp(ip->bytes, v4_prefix.bytes, V4_BITS / 8) == 0;
}

void stook__ip_format(const struct stook__ip *ip, char text[STOOK__CIDR_TEXT_MAX])
{
    int v4 = stook__ip_is_v4(ip);
    inet_ntop(v4 ? AF_INET : AF_INET6, ip->bytes + (v4 ? 12 : 0), text, STOOK__CIDR_TEXT_MAX);
}

/* ------------------------------------------------------------------------------- ranges */

int stook__bits_equal(const uint8_t *one, const uint8_t *other, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(one, other, whole) != 0)
        return 0;
    return rest == 0 || ((one[whole] ^ other[whole]) >> (8 - rest)) == 0;
}

static int range_is_v4(const struct stook__cidr *range)
{
    return range->bits >= V4_BITS && stook__ip_is_v4(&range->first);
}

/* Returns the number of up to three digits; -1: it is none. */
static int parse_bits(const char *text)
{
    int bits = 0;
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size > 3 || text[size] != '\0' || (size > 1 && text[0] == '0'))
        return -1;
    for (size_t i = 0; i < size; i++)
        bits = 10 * bits + (text[i] - '0');
    return bits;
}

static int parse_address(const char *text, struct stook__ip *ret_ip)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1)
        *ret_ip = stook__ip_from_v4(ntohl(v4.s_addr));
    else if (inet_pton(AF_INET6, text, ret_ip->bytes) != 1)
        return 0;
    return 1;
}

/* Returns 1 if no bit is set behind the prefix: "10.1.0.0/8" is a mistake. */
static int is_first(const struct stook__cidr *range)
{
    for (unsigned bit = range->bits; bit < 128; bit++)
        if (range->first.bytes[bit / 8] & (0x80 >> (bit % 8)))
            return 0;
    return 1;
}

int stook__cidr_parse(const char *text, struct stook__cidr *ret_range)
{
    char address[STOOK__CIDR_TEXT_MAX];
    size_t size = strcspn(text, "/");
    struct stook__cidr range;
    if (size >= sizeof address)
        return 0;
    memcpy(address, text, size);
    address[size] = '\0';
    if (!parse_address(address, &range.first))
        return 0;
    int offset = strchr(address, ':') == NULL ? V4_BITS : 0;
    int bits = text[size] == '/' ? parse_bits(text + size + 1) : 128 - offset;
    if (bits < 0 || bits > 128 - offset)
        return 0;
    range.bits = (uint8_t)(offset + bits);
    if (!is_first(&range))
        return 0;
    *ret_range = range;
    return 1;
}

int stook__cidr_contains(const struct stook__cidr *range, const struct stook__ip *ip)
{
    return stook__bits_equal(ip->bytes, range->first.bytes, range->bits) &&
           range_is_v4(range) == stook__ip_is_v4(ip);
}

const struct stook__cidr *stook__cidr_find(const struct stook__cidrs *list,
                                           const struct stook__ip *ip)
{
    for (size_t i = 0; i < list->count; i++)
        if (stook__cidr_contains(&list->at[i], ip))
            return &list->at[i];
    return NULL;
}

void stook__cidr_format(const struct stook__cidr *range, char text[STOOK__CIDR_TEXT_MAX])
{
    stook__ip_format(&range->first, text);
    size_t size = strlen(text);
    snprintf(text + size, STOOK__CIDR_TEXT_MAX - size, "/%d",
             range->bits - (range_is_v4(range) ? V4_BITS : 0));
}
