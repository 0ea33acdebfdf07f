/* SPDX-License-Identifier: MIT */
/*
 * The network fails in mid batch: cables, lost packets, resets, addresses that nobody answers at. Each test has
 * networks of its own.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/ledger.h"
#include "support/network.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { LIMIT = 50, SIZE = 3000 };

static void look(struct ledger *ledger, const stook_result *result)
{
    (void)ledger;
    if (strstr(stook_result_url(result), "/pattern?"))
        ledger_check_pattern(result);
}

/* What happens once so many responses have begun. */
static size_t heads, event_at;
static void (*event)(void);

static int on_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    if (++heads == event_at)
        event();
    return 0;
}

static void await_patterns(struct life *life, struct ledger *ledger, const char *origin, size_t count,
                           const struct stook_request *clocks)
{
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < count; i++) {
        struct stook_request request = *clocks;
        request.url = ledger_pattern(origin, i, SIZE);
        request.on_head = on_head;
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
    }
    ledger_await(ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    stook_batch_free(batch);
}

static void all_is_well(struct life *life, const char *origin)
{
    struct ledger ledger = {.look = look};
    event_at = 0;
    await_patterns(life, &ledger, origin, 100, &STOOK_REQUEST(.attempt_timeout_ms = 0));
}

/* -------------------------------------------------------------------- a cable */

static struct raw_server *far_server;
static char far_origin[64];

static void begin_far(void)
{
    static struct raw_door door;
    network_enter();
    network_pair();
    network_go_far();
    door = (struct raw_door){.host = "192.0.2.2"};
    far_server = raw_server_open(NULL, &door, 1);
    network_come_back();
    snprintf(far_origin, sizeof far_origin, "http://192.0.2.2:%d", door.port);
}

static void pull(void)
{
    network_plug(0);
}

/* For ever, as the requests see it: each ends by its clock, or when the kernel finds nobody there. */
static void unplugged(struct life *life, const struct stook_request *clocks, int error)
{
    begin_far();
    struct ledger ledger = {.ordered = life->borrowed, .streamed = 1, .look = look,
                            .expected = {error, STOOK_ETIMEOUT_ATTEMPT, STOOK_ECONNECT}};
    life_open(life, NULL);
    all_is_well(life, far_origin);
    size_t descriptors = test_count_fds();
    heads = 0;
    event_at = 100;
    event = pull;
    await_patterns(life, &ledger, far_origin, 200, clocks);
    CHECK(ledger.ok + LIMIT >= event_at && ledger.ok <= event_at + LIMIT);
    CHECK(ledger_errors(&ledger, error) > 0);
    CHECK(test_count_fds() <= descriptors);
    network_plug(1);
    all_is_well(life, far_origin);
}

TEST_BOTH(unplugged_for_ever)
{
    if (life->borrowed)
        unplugged(life, &STOOK_REQUEST(.attempt_timeout_ms = 300), STOOK_ETIMEOUT_ATTEMPT);
    else
        unplugged(life, &STOOK_REQUEST(.stall_timeout_ms = 300, .connect_timeout_ms = 300), STOOK_ETIMEOUT_STALL);
}

static int plug_in(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    network_plug(1);
    return 0;
}

/* For as long as a server nearby takes to answer. The kernel sends again what was lost, and nobody notices. */
TEST_BOTH(unplugged_for_a_while)
{
    begin_far();
    struct raw_server *nearby = raw_server_start(NULL);
    struct ledger ledger = {.ordered = life->borrowed, .look = look, .expected = {STOOK_ECONNECT}};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    heads = 0;
    event_at = 100;
    event = pull;
    for (size_t i = 0; i < 300; i++)
        ADD(batch, .url = ledger_pattern(far_origin, i, SIZE), .on_head = on_head);
    ADD(batch, .url = raw_url(nearby, "/after?path=/pulled&ms=250"), .on_head = plug_in, .priority = 7);
    CHECK(raw_seen(nearby, "/pulled") == 0);
    raw_signal(nearby, "/pulled");
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    CHECK_EQ_SIZE(ledger.ok, 301);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------- packets */

static int port;

static void drop_all(void)
{
    network_rules("tcp dport %d drop; tcp sport %d drop", port, port);
}

TEST_BOTH(dropped_both_ways)
{
    char origin[64];
    network_enter();
    struct raw_server *server = raw_server_start(NULL);
    port = raw_port(server);
    strcpy(origin, raw_url(server, "%s", ""));
    struct ledger ledger = {.ordered = life->borrowed, .look = look, .expected = {STOOK_ETIMEOUT_ATTEMPT}};
    life_open(life, NULL);
    all_is_well(life, origin);
    size_t descriptors = test_count_fds();
    heads = 0;
    event_at = 100;
    event = drop_all;
    await_patterns(life, &ledger, origin, 200, &STOOK_REQUEST(.attempt_timeout_ms = 300));
    CHECK(ledger.ok + LIMIT >= event_at && ledger.ok <= event_at + LIMIT);
    CHECK(test_count_fds() <= descriptors);
    network_rules("%s", "");
    all_is_well(life, origin);
}

/* Packets of at most 1500 bytes, so that a body has several. */
static void lossy(struct life *life, const char *from_client, const char *from_server, size_t count)
{
    char origin[64];
    network_enter();
    network_mtu(1500);
    struct raw_server *server = raw_server_start(NULL);
    port = raw_port(server);
    strcpy(origin, raw_url(server, "%s", ""));
    network_rules("tcp dport %d numgen random mod 100 < %s; tcp sport %d numgen random mod 100 < %s", port, from_client,
                  port, from_server);
    struct ledger ledger = {.ordered = life->borrowed, .streamed = life->borrowed, .look = look,
                            .expected = {STOOK_ERESET, STOOK_ETRUNCATED, STOOK_ECONNECT, STOOK_ETIMEOUT_ATTEMPT}};
    life_open(life, NULL);
    event_at = 0;
    await_patterns(life, &ledger, origin, count, &STOOK_REQUEST(.attempt_timeout_ms = 3000));
    CHECK(ledger.ok >= count / 2);
    network_rules("%s", "");
    all_is_well(life, origin);
}

TEST_BOTH(one_in_a_hundred_lost)
{
    lossy(life, "1 drop", "1 drop", 1000);
}

TEST_BOTH(one_in_twenty_lost)
{
    lossy(life, "5 drop", "5 drop", 200);
}

TEST_BOTH(one_in_five_lost)
{
    lossy(life, "20 drop", "20 drop", 50);
}

/* The reset goes to the client; the server waits on. */
TEST_BOTH(one_in_a_hundred_reset)
{
    lossy(life, "1 reject with tcp reset", "0 drop", 1000);
}

/* ------------------------------------------------------------------ addresses */

static struct {
    const char *first, *second; /* of both.test: IPv6 and IPv4; NULL: none */
} addresses;

typedef int look_up_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    look_up_fn *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!name || strcmp(name, "both.test") != 0)
        return real(name, service, hints, ret);
    struct addrinfo own = {.ai_flags = AI_NUMERICHOST, .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM};
    int family = hints ? hints->ai_family : AF_UNSPEC, error = 0;
    struct addrinfo **next = ret;
    *ret = NULL;
    for (int i = 0; i < 2 && !error; i++) {
        const char *address = i == 0 ? addresses.first : addresses.second;
        if (!address || (family != AF_UNSPEC && (family == AF_INET6) != (strchr(address, ':') != NULL)))
            continue;
        error = real(address, service, &own, next);
        if (!error)
            next = &(*next)->ai_next;
    }
    return error ? error : *ret ? 0 : EAI_NONAME;
}

struct stack {
    const char *name, *first, *second, *serves, *lost, *rules;
};

/* Of 192.0.2.0/24 and 2001:db8::/32 packets arrive here, and may be dropped. */
static void on_a_stack(struct life *life, const struct stack *stack)
{
    char origin[64];
    struct raw_door door = {.host = stack->serves};
    test_note("%s", stack->name);
    network_enter();
    network_hold("192.0.2.0/24");
    network_hold("2001:db8::/32");
    if (stack->lost)
        network_lose(stack->lost);
    network_add(stack->serves);
    raw_server_open(NULL, &door, 1);
    network_rules("%s", stack->rules);
    addresses.first = stack->first;
    addresses.second = stack->second;
    snprintf(origin, sizeof origin, "http://both.test:%d", door.port);
    life_open(life, NULL);
    all_is_well(life, origin);
    life_close(life);
}

/* One family alone is there, and the other one is unknown, unreachable, or a hole. */
TEST_BOTH(one_family)
{
    static const struct stack stacks[] = {
        {"IPv6 only", "2001:db8::1", NULL, "2001:db8::1", "0.0.0.0/1", ""},
        {"IPv4 only", NULL, "192.0.2.9", "192.0.2.9", "::/1", ""},
        {"IPv4 unreachable", "2001:db8::1", "192.0.2.9", "2001:db8::1", "192.0.2.9/32", ""},
        {"IPv6 unreachable", "2001:db8::1", "192.0.2.9", "192.0.2.9", "2001:db8::1/128", ""},
        {"IPv4 a hole", "192.0.2.9", "2001:db8::1", "2001:db8::1", NULL, "ip daddr 192.0.2.0/24 drop"},
        {"IPv6 a hole", "2001:db8::1", "192.0.2.9", "192.0.2.9", NULL, "ip6 daddr 2001:db8::/32 drop"},
    };
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (!(info->features & CURL_VERSION_ASYNCHDNS) || info->ares)
        test_skip("this libcurl does not look up names by getaddrinfo on a thread");
    for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++)
        on_a_stack(life, &stacks[i]);
}

/* Bodies in both directions, in packets of the least size that IPv6 allows. */
TEST_BOTH(packets_of_1280_bytes)
{
    enum { BIG = 300000 };
    static char body[BIG];
    network_enter();
    network_mtu(1280);
    struct raw_server *server = raw_server_start(NULL);
    char *origin = strdup(raw_url(server, "%s", ""));
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    raw_pattern(body, BIG, 7);
    for (size_t i = 0; i < 20; i++) {
        ADD(batch, .url = ledger_pattern(origin, i, BIG));
        ADD(batch, .url = raw_url(server, "/echo"), .body = body, .body_size = BIG);
    }
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 10)), 0);
    for (size_t i = 0; i < 20; i++) {
        size_t size;
        ledger_check_pattern(stook_batch_result(batch, 2 * i));
        const char *echo = stook_result_body(stook_batch_result(batch, 2 * i + 1), &size);
        CHECK(size > BIG && memcmp(echo + size - BIG, body, BIG) == 0);
    }
    stook_batch_free(batch);
    free(origin);
}

/* What is longer never arrives, and nobody says so: small bodies come, larger ones end by a clock. */
TEST_BOTH(large_packets_vanish)
{
    network_enter();
    struct raw_server *server = raw_server_start(NULL);
    char *origin = strdup(raw_url(server, "%s", ""));
    network_rules("tcp sport %d meta length > 1280 drop", raw_port(server));
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < 40; i++)
        ADD(batch, .url = ledger_pattern(origin, i, i % 2 ? 30000 : 100), .stall_timeout_ms = i % 2 ? 300 : 0);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 20);
    for (size_t i = 0; i < 40; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_ERROR(stook_result_error(result), i % 2 ? STOOK_ETIMEOUT_STALL : 0);
        ledger_check_pattern(result);
    }
    stook_batch_free(batch);
    free(origin);
}
