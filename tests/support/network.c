/* SPDX-License-Identifier: MIT */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/harness.h"
#include "process.h"

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

void network_ports(int first, int last)
{
    int range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
    if (range < 0 || dprintf(range, "%d %d", first, last) < 0)
        test_skip("the ports of a network cannot be chosen");
    close(range);
}

/* ------------------------------------------------------------------ ip(8), nft(8) */

static int near_fd = -1, far_fd = -1;

static int command(const char *program, const char *const words[])
{
    const char *argv[24] = {NULL};
    static const char *const places[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin", NULL};
    size_t place = 0, count = 1;
    while (places[place] && access(text("%s/%s", places[place], program), X_OK) != 0)
        place++;
    if (!places[place])
        test_skip("%s is not installed", program);
    argv[0] = text("%s/%s", places[place], program);
    for (; words[count - 1]; count++)
        argv[count] = words[count - 1];
    return process_try(argv, "/dev/stderr");
}

/* The first one finds out whether the kernel allows it. */
static void command_or_skip(const char *program, const char *const words[])
{
    if (!command(program, words))
        test_skip("a network of our own cannot be changed by %s", program);
}

#define IP(...) CHECK(command("ip", (const char *const[]){__VA_ARGS__, NULL}))

static void close_both(void *arg)
{
    (void)arg;
    if (near_fd >= 0)
        close(near_fd);
    if (far_fd >= 0)
        close(far_fd);
    near_fd = far_fd = -1;
}

/* The kernel may take a second to say that a cable is there. */
static void wait_until_plugged(int in)
{
    struct ifreq near = {.ifr_name = "near"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    for (;;) {
        CHECK_EQ_INT(ioctl(fd, SIOCGIFFLAGS, &near), 0);
        if (!(near.ifr_flags & IFF_RUNNING) == !in)
            break;
        usleep(1000); /* between two looks */
    }
    close(fd);
}

static int open_network(void)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

void network_pair(void)
{
    close_both(NULL);
    near_fd = open_network();
    network_enter();
    far_fd = open_network();
    test_defer(close_both, NULL);
    command_or_skip("ip", (const char *const[]){"link", "add", "name", "far", "type", "veth", "peer", "name", "near",
                                                "netns", text("/proc/%d/fd/%d", getpid(), near_fd), NULL});
    IP("address", "add", "192.0.2.2/30", "dev", "far");
    IP("link", "set", "far", "up");
    network_come_back();
    IP("address", "add", "192.0.2.1/30", "dev", "near");
    IP("link", "set", "near", "up");
    wait_until_plugged(1);
}

void network_go_far(void)
{
    CHECK_EQ_INT(setns(far_fd, CLONE_NEWNET), 0);
}

void network_come_back(void)
{
    CHECK_EQ_INT(setns(near_fd, CLONE_NEWNET), 0);
}

void network_plug(int in)
{
    network_go_far();
    IP("link", "set", "far", in ? "up" : "down");
    network_come_back();
    wait_until_plugged(in);
}

void network_rules(const char *format, ...)
{
    char rules[1024];
    va_list args;
    va_start(args, format);
    CHECK(vsnprintf(rules, sizeof rules, format, args) < (int)sizeof rules);
    va_end(args);
    command_or_skip("nft", (const char *const[]){"add table inet stook; delete table inet stook", NULL});
    if (rules[0])
        CHECK(command("nft", (const char *const[]){
            text("table inet stook { chain arrivals { type filter hook input priority 0; %s; }; }", rules), NULL}));
}

void network_mtu(int bytes)
{
    command_or_skip("ip", (const char *const[]){"link", "set", "lo", "mtu", text("%d", bytes), "gso_max_size",
                                                text("%d", bytes), NULL});
}
