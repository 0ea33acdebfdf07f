/* SPDX-License-Identifier: MIT */
/* Judges the addresses that libcurl is about to connect to; see address_filter.h. */
#include "curl/address_filter.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/origin.h"
#include "loop/loop.h"
#include "util/allocator.h"

/* The addresses of this machine are read again when they are older: 30 us, a system call for each
   family. */
static const int64_t OWN_US = 1000000;

/* ------------------------------------------------------------------------------ ranges */

#define HIGH(group) (uint8_t)((group) >> 8)
#define LOW(group) (uint8_t)((group)&0xff)
#define V4(a, b, c, d, bits)                                                  \
    {                                                                         \
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}}, 96 + (bits) \
    }
#define V6(a, b, c, d, bits)                                                         \
    {                                                                                \
        {{HIGH(a), LOW(a), HIGH(b), LOW(b), HIGH(c), LOW(c), HIGH(d), LOW(d)}}, bits \
    }

/*
 * IANA's registries of special-purpose addresses, where they are not globally reachable, and what
 * experience adds. The first range that contains an address decides; without a use it is public.
 */
static const struct {
    struct stook__cidr range;
    const char *use;
} ranges[] = {
    {V4(0, 0, 0, 0, 8), "this network"}, /* Linux connects 0.0.0.0 to this machine */
    {V4(10, 0, 0, 0, 8), "private use"},
    {V4(100, 64, 0, 0, 10), "shared address space"}, /* also metadata: 100.100.100.200 */
    {V4(127, 0, 0, 0, 8), "loopback"},
    {V4(168, 63, 129, 16, 32), "Azure's host"}, /* public by its number alone */
    {V4(169, 254, 0, 0, 16), "link-local"},     /* metadata: 169.254.169.254 */
    {V4(172, 16, 0, 0, 12), "private use"},
    {V4(192, 0, 0, 0, 24), "protocol assignments"},
    {V4(192, 0, 2, 0, 24), "documentation"},
    {V4(192, 88, 99, 0, 24), "6to4 relays"},
    {V4(192, 168, 0, 0, 16), "private use"},
    {V4(198, 18, 0, 0, 15), "benchmarks"},
    {V4(198, 51, 100, 0, 24), "documentation"},
    {V4(203, 0, 113, 0, 24), "documentation"},
    {V4(224, 0, 0, 0, 4), "multicast"},
    {V4(240, 0, 0, 0, 4), "reserved"},
    {V4(0, 0, 0, 0, 0), NULL},
    /* A translator leads from here to an IPv4 address, which is judged. */
    {V6(0x64, 0xff9b, 0, 0, 96), NULL},
    {V6(0x64, 0xff9b, 1, 0, 48), "local translation"},
    {V6(0x2001, 0, 0, 0, 32), "Teredo"},
    {V6(0x2001, 3, 0, 0, 32), NULL},     /* AMT (RFC 7450) */
    {V6(0x2001, 4, 0x112, 0, 48), NULL}, /* AS112 (RFC 7535) */
    {V6(0x2001, 0x20, 0, 0, 28), NULL},  /* ORCHIDv2 (RFC 7343) */
    {V6(0x2001, 0x30, 0, 0, 28), NULL},  /* DRIP (RFC 9374) */
    /* With 2001:1::1 to 2001:1::3, which are reachable, but lead to a server in this network. */
    {V6(0x2001, 0, 0, 0, 23), "protocol assignments"},
    {V6(0x2001, 0xdb8, 0, 0, 32), "documentation"},
    {V6(0x2002, 0, 0, 0, 16), "6to4"},
    {V6(0x3fff, 0, 0, 0, 20), "documentation"},
    {V6(0x2000, 0, 0, 0, 3), NULL},
    /* The others are not needed for a decision, but they name the use. */
    {{{{[15] = 0}}, 128}, "unspecified"}, /* Linux connects :: to this machine */
    {{{{[15] = 1}}, 128}, "loopback"},
    {V6(0, 0, 0, 0, 96), "IPv4-compatible"},
    {{{{[8] = 0xff, [9] = 0xff}}, 96}, "IPv4-translated"},
    {V6(0x100, 0, 0, 0, 64), "discard"},
    {V6(0x5f00, 0, 0, 0, 16), "segment routing"},
    {V6(0xfc00, 0, 0, 0, 7), "unique local"}, /* metadata: fd00:ec2::254 */
    {V6(0xfe80, 0, 0, 0, 10), "link-local"},
    {V6(0xfec0, 0, 0, 0, 10), "deprecated private use"},
    {V6(0xff00, 0, 0, 0, 8), "multicast"},
    {V6(0, 0, 0, 0, 0), "not global unicast"},
};

/* --------------------------------------------------------------- IPv4 addresses inside IPv6 */

/* Where an IPv4 address lies in an address of these ranges. */
static const struct {
    struct stook__cidr range;
    uint8_t at[4];
    uint8_t mask;    /* XOR of each byte */
    uint8_t is_open; /* the range itself is public: only the IPv4 address is decided on */
} carriers[] = {
    {V6(0, 0, 0, 0, 96), {12, 13, 14, 15}, 0, 0},               /* RFC 4291 2.5.5.1 */
    {{{{[8] = 0xff, [9] = 0xff}}, 96}, {12, 13, 14, 15}, 0, 0}, /* RFC 2765 2.1 */
    {V6(0x64, 0xff9b, 0, 0, 96), {12, 13, 14, 15}, 0, 1},       /* NAT64, RFC 6052 2.1 */
    {V6(0x64, 0xff9b, 1, 0, 48), {6, 7, 9, 10}, 0, 0},          /* RFC 8215: the prefix may have */
    {V6(0x64, 0xff9b, 1, 0, 48), {7, 9, 10, 11}, 0, 0},         /* any length of RFC 6052 2.2 */
    {V6(0x64, 0xff9b, 1, 0, 48), {9, 10, 11, 12}, 0, 0},
    {V6(0x64, 0xff9b, 1, 0, 48), {12, 13, 14, 15}, 0, 0},
    {V6(0x2002, 0, 0, 0, 16), {2, 3, 4, 5}, 0, 0},        /* 6to4, RFC 3056 2 */
    {V6(0x2001, 0, 0, 0, 32), {12, 13, 14, 15}, 0xff, 0}, /* Teredo, RFC 4380 4 */
};
enum { CARRIERS = sizeof carriers / sizeof carriers[0] };

/* The interface identifier of ISATAP (RFC 5214 6.1) may follow any prefix. */
static int is_isatap(const struct stook__ip *ip)
{
    const uint8_t *id = ip->bytes + 8;
    return (id[0] & ~2) == 0 && id[1] == 0 && id[2] == 0x5e && id[3] == 0xfe;
}

/* Sets *ret_v4 to the IPv4 address that the i-th way finds. Returns 0 if it finds none: the way is
   not for this address, or finds 0.x.x.x, as in ::1 and with another length of a prefix than the
   address has. */
static int unwrap(const struct stook__ip *ip, size_t i, struct stook__ip *ret_v4)
{
    static const uint8_t last[4] = {12, 13, 14, 15};
    int isatap = i == CARRIERS;
    const uint8_t *at = isatap ? last : carriers[i].at;
    uint32_t v4 = 0;
    if (isatap ? !is_isatap(ip) : !stook__cidr_contains(&carriers[i].range, ip))
        return 0;
    for (int k = 0; k < 4; k++)
        v4 = v4 << 8 | (uint8_t)(ip->bytes[at[k]] ^ (isatap ? 0 : carriers[i].mask));
    *ret_v4 = stook__ip_from_v4(v4);
    return v4 >> 24 != 0 || isatap || carriers[i].is_open;
}

/* ------------------------------------------------------------------------------- decision */

static void judge_one(const struct stook__address_rules *rules, int public_only,
                      const struct stook__cidrs *own, const struct stook__ip *ip,
                      struct stook__address_finding *ret_finding)
{
    const struct stook__cidr *range = stook__cidr_find(&rules->deny, ip);
    size_t i = 0;
    *ret_finding = (struct stook__address_finding){.judged = *ip};
    if (range != NULL) {
        ret_finding->decision = STOOK__ADDRESS_DENIED;
        ret_finding->range = *range;
        return;
    }
    if (!public_only || stook__cidr_find(&rules->allow, ip) != NULL)
        return;
    while (!stook__cidr_contains(&ranges[i].range, ip))
        i++;
    if (ranges[i].use != NULL) {
        ret_finding->decision = STOOK__ADDRESS_NOT_PUBLIC;
        ret_finding->range = ranges[i].range;
        ret_finding->use = ranges[i].use;
    } else if (stook__cidr_find(own, ip) != NULL) {
        ret_finding->decision = STOOK__ADDRESS_OWN;
    }
}

void stook__address_judge(const struct stook__address_rules *rules, int public_only,
                          const struct stook__cidrs *own, const struct stook__ip *ip,
                          struct stook__address_finding *ret_finding)
{
    struct stook__ip v4;
    /* The IPv4 address first: it says more than the range of the translator. */
    for (size_t i = 0; i <= CARRIERS; i++) {
        if (!unwrap(ip, i, &v4))
            continue;
        judge_one(rules, public_only, own, &v4, ret_finding);
        if (ret_finding->decision != STOOK__ADDRESS_PASSES)
            return;
    }
    judge_one(rules, public_only, own, ip, ret_finding);
}

/* ------------------------------------------------------------------ addresses of this machine */

static size_t count_own(const struct ifaddrs *list)
{
    size_t count = 0;
    for (; list != NULL; list = list->ifa_next)
        count++;
    return count;
}

/* Reads the addresses of this machine, if they are not fresh. Returns 0 or an errno. */
static int read_own(struct stook__engine *engine)
{
    struct stook__own_addresses *own = &engine->own_addresses;
    int64_t now = stook__loop_cached(engine->loop);
    struct ifaddrs *list;
    struct stook__ip ip;
    if (own->read_at != 0 && now - own->read_at < OWN_US)
        return 0;
    if (getifaddrs(&list) != 0)
        return errno;
    size_t capacity = count_own(list) + 1;
    struct stook__cidr *ranges_of_one =
        stook__resize(engine->allocator, own->at, capacity * sizeof *own->at);
    if (ranges_of_one == NULL) {
        freeifaddrs(list);
        return ENOMEM;
    }
    own->at = ranges_of_one;
    own->count = 0;
    for (const struct ifaddrs *one = list; one != NULL; one = one->ifa_next)
        if (one->ifa_addr != NULL && stook__ip_from_sockaddr(one->ifa_addr, &ip))
            own->at[own->count++] = (struct stook__cidr){ip, 128};
    own->read_at = now;
    freeifaddrs(list);
    return 0;
}

/* ------------------------------------------------------------------------------- messages */

/* Makes the reason why an address does not pass; NULL without memory. */
static char *describe(struct stook__allocator *allocator, const struct stook__ip *ip,
                      const struct stook__address_finding *finding)
{
    char text[STOOK__CIDR_TEXT_MAX], judged[STOOK__CIDR_TEXT_MAX + 16] = "";
    char range[STOOK__CIDR_TEXT_MAX];
    stook__ip_format(ip, text);
    stook__cidr_format(&finding->range, range);
    if (memcmp(ip, &finding->judged, sizeof *ip) != 0) {
        memcpy(judged, " leads to ", 10);
        stook__ip_format(&finding->judged, judged + 10);
    }
    switch (finding->decision) {
    case STOOK__ADDRESS_DENIED:
        return stook__format(allocator, "%s%s%s in %s of deny_addresses", text, judged,
                             *judged != '\0' ? "," : " is", range);
    case STOOK__ADDRESS_NOT_PUBLIC:
        return stook__format(allocator, "%s%s%s in %s, %s", text, judged,
                             *judged != '\0' ? "," : " is", range, finding->use);
    case STOOK__ADDRESS_OWN:
        return stook__format(allocator, "%s%s%s an address of this machine", text, judged,
                             *judged != '\0' ? "," : " is");
    default:
        return stook__format(allocator, "%s is refused by on_address", text);
    }
}

/* ------------------------------------------------------------------------- what libcurl shows */

/* Asks the program about an address that passes so far. */
static int ask(const struct stook__address_rules *rules, const struct stook__easy *easy,
               const struct sockaddr *address, const struct stook__ip *ip)
{
    const struct stook__node *node = &easy->origin->node;
    char text[STOOK__CIDR_TEXT_MAX], origin[400];
    struct sockaddr_in in;
    if (rules->ask == NULL)
        return 0;
    /* What follows the origin in its key is an address of the request. */
    const char *end = memchr(node->key, '>', node->key_size);
    snprintf(origin, sizeof origin, "%.*s",
             (int)(end != NULL ? (size_t)(end - node->key) : node->key_size), node->key);
    stook__ip_format(ip, text);
    memcpy(&in, address, sizeof in); /* the port is at the same place in both families */
    return rules->ask(rules->owner, &(struct stook_address){
                                        .size = sizeof(struct stook_address),
                                        .text = text,
                                        .origin = origin,
                                        .port = ntohs(in.sin_port),
                                        .ip_version = stook__ip_is_v4(ip) ? 4 : 6,
                                    });
}

/* Notes why the first address is refused. `why` is NULL without memory. */
static void set_refusal(struct stook__easy *easy, char *why)
{
    easy->refusal = why;
    if (why == NULL)
        easy->os_error = ENOMEM;
}

/* Notes that the addresses of this machine cannot be read. */
static void note_error(struct stook__easy *easy, int os_error)
{
    if (os_error == EMFILE || os_error == ENFILE || os_error == ENOMEM || os_error == ENOBUFS)
        easy->os_error = os_error;
    else if (easy->refusal == NULL)
        set_refusal(easy, stook__format(easy->engine->allocator,
                                        "the addresses of this machine cannot be read: %s",
                                        strerror(os_error)));
}

int stook__address_filter_passes(struct stook__easy *easy, int public_only,
                                 const struct sockaddr *address)
{
    struct stook__engine *engine = easy->engine;
    const struct stook__address_rules *rules = engine->address_rules;
    int os_error;
    struct stook__address_finding finding = {0};
    struct stook__ip ip;
    if (!public_only && rules->deny.count == 0 && rules->ask == NULL)
        return 1;
    if (!stook__ip_from_sockaddr(address, &ip)) /* a Unix socket, which public_only excludes */
        return !public_only;
    if (public_only && (os_error = read_own(engine)) != 0) {
        note_error(easy, os_error);
        return 0;
    }
    const struct stook__cidrs own = {engine->own_addresses.at, engine->own_addresses.count};
    stook__address_judge(rules, public_only, &own, &ip, &finding);
    if (finding.decision == STOOK__ADDRESS_PASSES && ask(rules, easy, address, &ip) != 0)
        finding.decision = STOOK__ADDRESS_REFUSED;
    if (finding.decision == STOOK__ADDRESS_PASSES)
        return 1;
    if (easy->refusal == NULL)
        set_refusal(easy, describe(engine->allocator, &ip, &finding));
    return 0;
}
