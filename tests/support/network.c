/* SPDX-License-Identifier: MIT */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/harness.h"

void network_enter(void)
{
    struct ifreq lo = {.ifr_name = "lo"};
    if (unshare(CLONE_NEWNET) != 0 && (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0))
        test_skip("no network of our own: %s", strerror(errno));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    lo.ifr_flags = IFF_UP | IFF_RUNNING;
    int up = ioctl(fd, SIOCSIFFLAGS, &lo);
    close(fd);
    if (up != 0)
        test_skip("a network of our own stays down");
}

/* ---------------------------------------------------------------------- rtnetlink(7) */

struct message {
    struct nlmsghdr head;
    char rest[256];
};

static void *reserve(struct message *message, size_t size)
{
    char *at = (char *)message + NLMSG_ALIGN(message->head.nlmsg_len);
    message->head.nlmsg_len = NLMSG_ALIGN(message->head.nlmsg_len) + size;
    CHECK(message->head.nlmsg_len <= sizeof *message);
    return at;
}

static void attribute(struct message *message, int type, const void *data, size_t size)
{
    struct rtattr head = {.rta_type = type, .rta_len = RTA_LENGTH(size)};
    char *at = reserve(message, RTA_LENGTH(size));
    memcpy(at, &head, sizeof head);
    memcpy(at + RTA_LENGTH(0), data, size);
}

static void change(struct message *message)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[512];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(fd >= 0);
    message->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    CHECK(send(fd, message, message->head.nlmsg_len, 0) == (ssize_t)message->head.nlmsg_len);
    CHECK(recv(fd, &answer, sizeof answer, 0) >= (ssize_t)(sizeof answer.head + sizeof answer.error));
    close(fd);
    if (answer.error.error != 0)
        test_skip("a network of our own cannot be changed: %s", strerror(-answer.error.error));
}

/* Returns the family. *ret_bits: of the prefix; an address alone has all. */
static int parse(const char *range, unsigned char bytes[16], int *ret_bits)
{
    char text[64];
    size_t size = strcspn(range, "/");
    CHECK(size < sizeof text);
    memcpy(text, range, size);
    text[size] = '\0';
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, bytes) != 1)
        FAIL("not an address: %s", text);
    *ret_bits = range[size] ? atoi(range + size + 1) : family == AF_INET ? 32 : 128;
    return family;
}

static void route(const char *range, int type)
{
    unsigned char bytes[16];
    int bits, family = parse(range, bytes, &bits), lo = (int)if_nametoindex("lo");
    struct message message = {.head = {.nlmsg_len = NLMSG_LENGTH(0), .nlmsg_type = RTM_NEWROUTE}};
    struct rtmsg route = {.rtm_family = family, .rtm_dst_len = bits, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_BOOT,
                          .rtm_scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE, .rtm_type = type};
    memcpy(reserve(&message, sizeof route), &route, sizeof route);
    attribute(&message, RTA_DST, bytes, family == AF_INET ? 4 : 16);
    if (type == RTN_LOCAL)
        attribute(&message, RTA_OIF, &lo, sizeof lo);
    change(&message);
}

void network_hold(const char *range)
{
    route(range, RTN_LOCAL);
}

void network_lose(const char *range)
{
    route(range, RTN_UNREACHABLE);
}

void network_add(const char *address)
{
    unsigned char bytes[16];
    int bits, family = parse(address, bytes, &bits);
    struct message message = {.head = {.nlmsg_len = NLMSG_LENGTH(0), .nlmsg_type = RTM_NEWADDR}};
    struct ifaddrmsg own = {.ifa_family = family, .ifa_prefixlen = bits, .ifa_flags = IFA_F_NODAD, .ifa_index = if_nametoindex("lo")};
    memcpy(reserve(&message, sizeof own), &own, sizeof own);
    attribute(&message, IFA_LOCAL, bytes, family == AF_INET ? 4 : 16);
    attribute(&message, IFA_ADDRESS, bytes, family == AF_INET ? 4 : 16);
    change(&message);
}
