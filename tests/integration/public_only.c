/* SPDX-License-Identifier: MIT */
/*
 * What `public_only`, `allow_addresses`, `deny_addresses` and `on_address` refuse. In a network of the test's own
 * every address leads to one server, so that whatever is not refused reaches it: it counts the connections.
 * This program has its own getaddrinfo() for names with several addresses.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stook.h>
#include <stook/curl.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/network.h"
#include "support/process.h"
#include "support/sockets.h"

#define FRONT "8.8.8.8"   /* a public address: redirects start there */
#define LOST "9.9.9.9"    /* a public address that cannot be reached */
#define OWN "1.1.1.1"     /* a public address that is this machine's */
#define OWN_6 "2606:4700:4700::1111"

/* ------------------------------------------------------------------------ the server */

enum { CONNECTIONS = 1000, HEAD = 4096 };

/* In memory shared with the server. [0]: at FRONT; [1]: at any other address, and at the Unix socket. */
static struct host {
    atomic_uint connections[2], requests[2];
    int port;
    const char *unix_path;
} *host;

struct connection {
    int is_target;
    size_t size;
    char head[HEAD];
};

static int is_target(int fd)
{
    struct sockaddr_in6 own;
    struct in6_addr front;
    socklen_t size = sizeof own;
    CHECK(inet_pton(AF_INET6, "::ffff:" FRONT, &front) == 1 && getsockname(fd, (struct sockaddr *)&own, &size) == 0);
    return own.sin6_family != AF_INET6 || memcmp(&own.sin6_addr, &front, sizeof front) != 0;
}

/* "/to?URL" redirects there; all others say who answers. */
static void respond(int fd, const struct connection *connection)
{
    char answer[HEAD + 200];
    const char *to = strstr(connection->head, "/to?");
    const char *body = connection->is_target ? "target" : "front";
    if (to)
        snprintf(answer, sizeof answer, "HTTP/1.1 302 Found\r\nLocation: %.*s\r\nContent-Length: 0\r\n\r\n",
                 (int)strcspn(to + 4, " \r\n"), to + 4);
    else
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    atomic_fetch_add(&host->requests[connection->is_target], 1);
    send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

/* Returns 0 at the end of the connection. */
static int read_some(int fd, struct connection *connection)
{
    ssize_t got = recv(fd, connection->head + connection->size, HEAD - 1 - connection->size, 0);
    if (got <= 0)
        return 0;
    connection->size += (size_t)got;
    connection->head[connection->size] = '\0';
    if (strstr(connection->head, "\r\n\r\n")) {
        respond(fd, connection);
        connection->size = 0;
    }
    return 1;
}

static void serve(const int listeners[2])
{
    static struct connection connections[CONNECTIONS];
    static struct pollfd polls[CONNECTIONS];
    nfds_t count = 2;
    for (int i = 0; i < 2; i++)
        polls[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
    while (poll(polls, count, -1) > 0) {
        for (nfds_t i = count; i-- > 2;)
            if (polls[i].revents && !read_some(polls[i].fd, &connections[i])) {
                close(polls[i].fd);
                polls[i] = polls[--count];
                connections[i] = connections[count];
            }
        for (int i = 0; i < 2; i++)
            if (polls[i].revents) {
                int fd = accept(polls[i].fd, NULL, NULL);
                CHECK(fd >= 0 && count < CONNECTIONS);
                polls[count] = (struct pollfd){.fd = fd, .events = POLLIN};
                connections[count] = (struct connection){.is_target = is_target(fd)};
                atomic_fetch_add(&host->connections[connections[count++].is_target], 1);
            }
    }
}

static int listen_everywhere(int *ret_port)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    socklen_t size = sizeof any;
    int no = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        test_skip("this machine has no IPv6");
    CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0);
    CHECK(bind(fd, (struct sockaddr *)&any, sizeof any) == 0 && listen(fd, 1000) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&any, &size) == 0);
    *ret_port = ntohs(any.sin6_port);
    return fd;
}

static struct process server;

static void stop(void *arg)
{
    (void)arg;
    process_stop(&server);
    munmap(host, sizeof *host);
    host = NULL;
}

/* Once a test, for both lives. */
static void begin(void)
{
    if (host)
        return;
    network_enter();
    network_hold("0.0.0.0/0");
    network_hold("::/0");
    network_lose(LOST);
    network_add(OWN);
    network_add(OWN_6);
    host = mmap(NULL, sizeof *host, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(host != MAP_FAILED);
    host->unix_path = strdup(text("%s/socket", temporary_directory()));
    test_defer(free, (void *)host->unix_path);
    int listeners[2] = {listen_everywhere(&host->port), listen_unix(host->unix_path)};
    pid_t parent = getpid();
    server = (struct process){.pid = fork(), .in = -1, .out = -1};
    CHECK(server.pid >= 0);
    if (server.pid == 0) {
        process_die_with(parent);
        serve(listeners);
        test_exit_child();
    }
    close(listeners[0]);
    close(listeners[1]);
    test_defer(stop, NULL);
}

/* The server takes connections in their order: once it has answered this one, it has counted all others. */
static unsigned connections_to_target(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)host->port)};
    char answer[200];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && inet_pton(AF_INET, FRONT, &to.sin_addr) == 1);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, "GET / HTTP/1.1\r\n\r\n", 18, 0) == 18);
    CHECK(recv(fd, answer, sizeof answer, 0) > 0);
    close(fd);
    return atomic_load(&host->connections[1]);
}

/* --------------------------------------------------------------------------- corpus */

enum way {
    ROUTED, /* leads to the server unless it is refused */
    NO_URL, /* is no valid URL here */
    EITHER, /* whether it leads there depends on libcurl or on the kernel */
};

static struct spelling {
    char host[128];
    enum way way;
} corpus[400];
static size_t corpus_size;

__attribute__((format(printf, 2, 3))) static void spell(enum way way, const char *format, ...)
{
    va_list args;
    CHECK(corpus_size < sizeof corpus / sizeof corpus[0]);
    va_start(args, format);
    vsnprintf(corpus[corpus_size].host, sizeof corpus[0].host, format, args);
    va_end(args);
    corpus[corpus_size++].way = way;
}

/* The spellings of one IPv4 address, and the IPv6 addresses that lead to it. */
static void spell_all(unsigned a, unsigned b, unsigned c, unsigned d)
{
    unsigned number = a << 24 | b << 16 | c << 8 | d, high = a << 8 | b, low = c << 8 | d;
    spell(ROUTED, "%u.%u.%u.%u", a, b, c, d);
    spell(ROUTED, "%u", number);
    spell(ROUTED, "0x%x", number);
    spell(ROUTED, "0X%X", number);
    spell(ROUTED, "0%o", number);
    spell(ROUTED, "0x%012x", number);
    spell(ROUTED, "%u.%u", a, b << 16 | low);
    spell(ROUTED, "%u.%u.%u", a, b, low);
    spell(ROUTED, "0x%x.0x%x.0x%x.0x%x", a, b, c, d);
    spell(ROUTED, "0%o.0%o.0%o.0%o", a, b, c, d);
    spell(ROUTED, "0%06o.%u.0x%x", a, b, low);
    spell(ROUTED, "0%o.0x%x", a, b << 16 | low);
    spell(EITHER, "%u.%u.%u.%u.", a, b, c, d);
    spell(ROUTED, "[::ffff:%u.%u.%u.%u]", a, b, c, d);
    spell(ROUTED, "[::ffff:%x:%x]", high, low);
    spell(ROUTED, "[0:0:0:0:0:FFFF:%04X:%04X]", high, low);
    spell(ROUTED, "[0000:0000:0000:0000:0000:ffff:%u.%u.%u.%u]", a, b, c, d);
    spell(ROUTED, "[::%u.%u.%u.%u]", a, b, c, d);
    spell(ROUTED, "[::%x:%x]", high, low);
    spell(ROUTED, "[::ffff:0:%u.%u.%u.%u]", a, b, c, d);
    spell(ROUTED, "[64:ff9b::%u.%u.%u.%u]", a, b, c, d);
    spell(ROUTED, "[64:ff9b::%x:%x]", high, low);
    spell(ROUTED, "[0064:FF9B:0:0:0:0:%x:%x]", high, low);
    spell(ROUTED, "[64:ff9b:1::%x:%x]", high, low);
    spell(ROUTED, "[64:ff9b:1:%x:%x:%x::]", high, c, d << 8);
    spell(ROUTED, "[2002:%x:%x::1]", high, low);
    spell(ROUTED, "[2001:0:808:808::%x:%x]", ~high & 0xffff, ~low & 0xffff);
    spell(ROUTED, "[2606:4700::5efe:%u.%u.%u.%u]", a, b, c, d);
    spell(ROUTED, "[2606:4700::200:5efe:%x:%x]", high, low);
}

static void make_corpus(void)
{
    static const char *const routed[] = {
        "0.0.0.0", "0", "0x0", "00", "0.1", "127.1", "127.0.1", "127.255.255.254", "127.0.0.2", "10.0.0.1", "10.255.255.254",
        "100.64.0.1", "172.31.255.254", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.19.255.254", "198.51.100.1",
        "203.0.113.1", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::0.0.0.1]", "[fc00::1]", "[fd00:ec2::254]",
        "[fd20:ce::254]", "[fec0::1]", "[2001:db8::1]", "[2001:1::1]", "[2001:2::1]", "[2001:10::1]", "[100::1]",
        "[100:0:0:1::1]", "[3fff::1]", "[5f00::1]", "[4000::1]", "[1000::1]", "[64:ff9b::]", "localhost", "LocalHost",
        OWN, "16843009", "[::ffff:" OWN "]", "[64:ff9b::" OWN "]", "[" OWN_6 "]"};
    static const char *const either[] = {
        "localhost.", "internal.localhost", "240.0.0.1", "255.255.255.255", "255.255.255.254", "224.0.0.1", "[fe80::1]",
        "[fe80::1%25lo]", "[fe80::1%25]", "[::1%25lo]", "[ff02::1]", "[ff02::1%25lo]", "127.0.0.1..", "[::ffff:7f00:1%25lo]"};
    static const char *const no_url[] = {
        "%31%32%37.0.0.1", "127.0.0.%31", "127%2e0%2e0%2e1", "%6c%6f%63%61%6c%68%6f%73%74",
        "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", "127\xe3\x80\x82" "0\xe3\x80\x82" "0\xe3\x80\x82" "1",
        "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1", "[::1", "::1", "[::ffff:0x7f.0.0.1]", "8.8.8.8\\@127.0.0.1",
        "a@127.0.0.1", "8.8.8.8:80@127.0.0.1", "[127.0.0.1]"};
    if (corpus_size > 0)
        return;
    spell_all(127, 0, 0, 1);
    spell_all(10, 9, 9, 9);
    spell_all(169, 254, 169, 254);
    spell_all(192, 168, 1, 1);
    spell_all(172, 16, 0, 1);
    spell_all(100, 100, 100, 200);
    spell_all(168, 63, 129, 16);
    for (size_t i = 0; i < sizeof routed / sizeof routed[0]; i++)
        spell(ROUTED, "%s", routed[i]);
    for (size_t i = 0; i < sizeof either / sizeof either[0]; i++)
        spell(EITHER, "%s", either[i]);
    for (size_t i = 0; i < sizeof no_url / sizeof no_url[0]; i++)
        spell(NO_URL, "%s", no_url[i]);
    CHECK(corpus_size >= 150);
}

/* ----------------------------------------------------------------------------- names */

typedef int look_up_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static look_up_fn *real_look_up(void)
{
    look_up_fn *found;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&found, &symbol, sizeof found);
    return found;
}

/* The numeric address of a row of the corpus, without brackets. Returns 0 if it is none. */
static int number(const char *address, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    char bare[128];
    struct addrinfo own = {.ai_flags = AI_NUMERICHOST, .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM,
                           .ai_family = hints ? hints->ai_family : AF_UNSPEC};
    snprintf(bare, sizeof bare, "%s", address + (address[0] == '['));
    bare[strcspn(bare, "]")] = '\0';
    *ret = NULL;
    return real_look_up()(bare, service, &own, ret) == 0;
}

static void put_before(const char *address, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    struct addrinfo *one;
    if (number(address, service, hints, &one)) {
        one->ai_next = *list;
        *list = one;
    }
}

/* "N.second.test" has the addresses LOST and that of row N; "N.first.test" that of row N, many times, and FRONT. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    enum { MANY = 50 };
    if (!name || !strstr(name, ".test"))
        return real_look_up()(name, service, hints, ret);
    const char *row = corpus[atoi(name)].host;
    int second = strstr(name, ".second.") != NULL;
    *ret = NULL;
    put_before(second ? row : FRONT, service, hints, ret);
    for (int i = 0; i < (second ? 1 : MANY); i++)
        put_before(second ? LOST : row, service, hints, ret);
    return *ret ? 0 : EAI_NONAME;
}

static int is_numeric(size_t i)
{
    struct addrinfo *found;
    if (corpus[i].way == NO_URL || strchr(corpus[i].host, '%') || !number(corpus[i].host, NULL, NULL, &found))
        return 0;
    freeaddrinfo(found);
    return 1;
}

static void need_names(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (!(info->features & CURL_VERSION_ASYNCHDNS) || info->ares)
        test_skip("this libcurl does not look up names by getaddrinfo on a thread");
}

/* --------------------------------------------------------------------- corpus x ways there */

static const char *direct(size_t i)
{
    return text("http://%s:%d/x", corpus[i].host, host->port);
}

static const char *by_redirect(size_t i)
{
    return text("http://" FRONT ":%d/to?%s", host->port, direct(i));
}

static const char *second_address(size_t i)
{
    return text("http://%zu.second.test:%d/x", i, host->port);
}

/* Guarded: nothing of the corpus is reached, and each result is an error, of policy where nothing else stands in
   the way. */
static void check_refused(const stook_result *result, size_t i)
{
    int error = stook_result_error(result);
    test_note("%s, %s: %s", corpus[i].host, stook_result_url(result), stook_result_message(result));
    CHECK(error != 0);
    if (corpus[i].way == ROUTED)
        CHECK_ERROR(error, STOOK_EPOLICY);
    if (corpus[i].way == NO_URL)
        CHECK(error == STOOK_EURL || error == STOOK_EPOLICY || error == STOOK_EREDIRECT);
}

static void check_reached(const stook_result *result, size_t i)
{
    test_note("%s: %s", stook_result_url(result), stook_result_message(result));
    if (corpus[i].way == NO_URL)
        CHECK(stook_result_error(result) != 0);
    if (corpus[i].way != ROUTED)
        return;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_STR(stook_result_body(result, NULL), "target");
}

/* Requests all of the corpus, guarded or not. Returns how many of it were requested. */
static size_t request_all(struct life *life, const char *(*url)(size_t i), int names_only, int64_t public_only)
{
    stook_batch *batch = life_batch(life);
    size_t rows[sizeof corpus / sizeof corpus[0]], count = 0;
    for (size_t i = 0; i < corpus_size; i++)
        if (!names_only || is_numeric(i)) {
            ADD(batch, url(i), .max_redirects = 3, .public_only = public_only);
            rows[count++] = i;
        }
    life_gather(life, batch, &STOOK_GATHER(.limit = 20));
    for (size_t i = 0; i < count; i++)
        (public_only == 1 ? check_refused : check_reached)(stook_batch_result_by_index(batch, i), rows[i]);
    stook_batch_free(batch);
    return count;
}

static void check_way(struct life *life, const char *(*url)(size_t i), int names_only)
{
    begin();
    make_corpus();
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 5000));
    unsigned before = connections_to_target();
    size_t count = request_all(life, url, names_only, 1);
    CHECK(count >= 150);
    CHECK_EQ_INT(connections_to_target(), before);
    request_all(life, url, names_only, 0);
    CHECK(connections_to_target() >= before + 150);
}

TEST_BOTH(direct_urls, slow)
{
    check_way(life, direct, 0);
}

TEST_BOTH(second_hops, slow)
{
    check_way(life, by_redirect, 0);
    CHECK(atomic_load(&host->requests[0]) >= 150);
}

TEST_BOTH(second_addresses, slow)
{
    need_names();
    check_way(life, second_address, 1);
}

/* Requests some rows, one after another, and checks their results. */
static void request_rows(struct life *life, const size_t *rows, size_t count, int public_only, int reused)
{
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < count; i++)
        ADD(batch, direct(rows[i]), .public_only = public_only);
    life_gather(life, batch, &STOOK_GATHER(.limit = 1));
    for (size_t i = 0; i < count; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        (public_only ? check_refused : check_reached)(result, rows[i]);
        if (reused)
            CHECK_EQ_INT(stook_result_reused(result), 1);
    }
    stook_batch_free(batch);
}

/* Connections that a request without the guard has made are there, and are not used. */
TEST_BOTH(kept_connections, slow)
{
    enum { AT_ONCE = 10 };
    begin();
    make_corpus();
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 5000));
    for (size_t i = 0; i < corpus_size;) {
        size_t rows[AT_ONCE], count = 0;
        for (; i < corpus_size && count < AT_ONCE; i++)
            if (corpus[i].way == ROUTED)
                rows[count++] = i;
        request_rows(life, rows, count, 0, 0);
        unsigned connections = connections_to_target(), requests = atomic_load(&host->requests[1]);
        request_rows(life, rows, count, 1, 0);
        CHECK_EQ_INT(connections_to_target(), connections);
        CHECK_EQ_INT(atomic_load(&host->requests[1]), requests);
        request_rows(life, rows, count, 0, 1);
        CHECK_EQ_INT(connections_to_target(), connections);
    }
}

/* A socket of this machine is no public address, whatever the URL says. */
TEST_BOTH(unix_sockets)
{
    begin();
    make_corpus();
    for (int of_client = 0; of_client < 2; of_client++) {
        life_open(life, &STOOK_CLIENT(.public_only = of_client));
        stook_batch *batch = life_batch(life);
        unsigned before = connections_to_target();
        for (size_t i = 0; i < corpus_size; i++)
            ADD(batch, direct(i), .unix_socket = host->unix_path, .public_only = !of_client);
        ADD(batch, text("http://" FRONT ":%d/", host->port), .unix_socket = host->unix_path, .public_only = 1);
        CHECK_EQ_INT(life_gather(life, batch, NULL), (int)corpus_size + 1);
        for (size_t i = 0; i <= corpus_size; i++) {
            CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_EPOLICY);
            CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, i)), "unix_socket");
        }
        CHECK_EQ_INT(connections_to_target(), before);
        stook_batch_free(batch);
        life_close(life);
    }
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, "http://x/", .unix_socket = host->unix_path);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* With a proxy nobody here sees the address, so there is no connection, not even to the proxy, that of a client
   or of the environment neither. Without the guard the same requests pass through it. */
TEST_BOTH(proxies)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    begin();
    make_corpus();
    for (int i = 0; i < 6; i++) {
        char proxy[64];
        snprintf(proxy, sizeof proxy, "%s://" FRONT ":%d", schemes[i % 4], host->port);
        setenv("http_proxy", i == 5 ? proxy : "", 1);
        life_open(life, &STOOK_CLIENT(.proxy = i == 4 ? proxy : NULL, .proxy_from_env = i == 5, .public_only = i % 2));
        unsigned before = connections_to_target(), front = atomic_load(&host->connections[0]);
        stook_batch *batch = life_batch(life);
        for (size_t k = 0; k < corpus_size; k++)
            ADD(batch, direct(k), .proxy = i < 4 ? proxy : NULL, .public_only = !(i % 2), .max_redirects = 1);
        CHECK_EQ_INT(life_gather(life, batch, NULL), (int)corpus_size);
        for (size_t k = 0; k < corpus_size; k++) {
            const stook_result *result = stook_batch_result_by_index(batch, k);
            check_refused(result, k);
            if (corpus[k].way == ROUTED)
                CHECK_STR(stook_result_message(result), "refused by policy: public_only excludes a proxy");
        }
        stook_batch_free(batch);
        CHECK_EQ_INT(atomic_load(&host->connections[0]), front);
        CHECK_EQ_INT(connections_to_target(), before);
        life_close(life);
    }
    unsetenv("http_proxy");
    const char *proxy = text("http://" FRONT ":%d", host->port);
    life_open(life, &STOOK_CLIENT(.proxy = proxy, .no_proxy = "10.0.0.0/8,8.8.4.4"));
    unsigned front = atomic_load(&host->connections[0]);
    stook_batch *batch = life_batch(life);
    for (size_t k = 0; k < corpus_size; k++)
        ADD(batch, direct(k));
    life_gather(life, batch, NULL);
    for (size_t k = 0; k < corpus_size; k++)
        if (corpus[k].way == ROUTED)
            CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(batch, k)), 1);
    stook_batch_free(batch);
    CHECK(atomic_load(&host->connections[0]) > front);
    /* Hosts that need no proxy are judged as ever. */
    batch = life_batch(life);
    ADD(batch, text("http://8.8.4.4:%d/", host->port), .public_only = 1);
    ADD(batch, text("http://10.9.9.9:%d/", host->port), .public_only = 1);
    ADD(batch, text("http://" FRONT ":%d/", host->port), .public_only = 1, .proxy = "");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_CONTAINS(stook_result_message(stook_batch_result_by_index(batch, 1)), "10.9.9.9 is in 10.0.0.0/8");
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------- what else holds */

static int interface_error; /* errno of the next call */

int getifaddrs(struct ifaddrs **ret)
{
    int (*real)(struct ifaddrs **);
    void *symbol = dlsym(RTLD_NEXT, "getifaddrs");
    memcpy(&real, &symbol, sizeof real);
    errno = interface_error;
    interface_error = 0;
    return errno != 0 ? -1 : real(ret);
}

/* Requests one URL. Returns its error; the message and the body are checked if they are given. */
static int request(struct life *life, const struct stook_request *request, const char *message, const char *body)
{
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    int error = stook_result_error(result);
    test_note("%s: %s", stook_result_url(result), stook_result_message(result));
    if (message)
        CHECK_STR(stook_result_message(result), message);
    if (error == STOOK_EPOLICY)
        CHECK_EQ_INT(stook_result_os_error(result), 0);
    if (body)
        CHECK_STR(stook_result_body(result, NULL), body);
    stook_batch_free(batch);
    return error;
}

static const char *at(const char *address)
{
    return text("http://%s:%d/x", address, host->port);
}

/* Public addresses are reached, by redirects too, and their connections are kept. */
TEST_BOTH(public_ones_are_reached)
{
    static const char *const good[] = {FRONT, "8.8.4.4", "134744072", "[2606:4700::1]", "[64:ff9b::808:404]", "[::ffff:8.8.8.8]"};
    begin();
    life_open(life, &STOOK_CLIENT(.public_only = 1, .max_redirects = 5));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        stook_batch *batch = life_batch(life);
        for (int k = 0; k < 2; k++)
            add(batch, at(good[i]));
        add(batch, text("http://" FRONT ":%d/to?%s", host->port, at(good[i])));
        CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
        CHECK_EQ_INT(stook_result_reused(stook_batch_result(batch, 1)), 1);
        stook_batch_free(batch);
    }
}

/* Without the addresses of this machine nothing is connected to; when they can be read again, all is well. */
TEST_BOTH(own_addresses_unknown)
{
    static const struct {
        int os_error, error;
        const char *message;
    } rows[] = {
        {EPERM, STOOK_EPOLICY, "refused by policy: the addresses of this machine cannot be read: Operation not permitted"},
        {ENOBUFS, STOOK_ENOMEM, NULL},
        {EMFILE, STOOK_ENOFD, NULL},
    };
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        life_open(life, &STOOK_CLIENT(.public_only = 1));
        interface_error = rows[i].os_error;
        unsigned before = atomic_load(&host->connections[0]);
        CHECK_ERROR(request(life, &STOOK_REQUEST(at(FRONT)), rows[i].message, NULL), rows[i].error);
        CHECK_EQ_INT(interface_error, 0);
        CHECK_EQ_INT(atomic_load(&host->connections[0]), before);
        CHECK_ERROR(request(life, &STOOK_REQUEST(at(FRONT)), NULL, "front"), 0);
        life_close(life);
    }
}

static void nomem_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    story_add_request(&story, &STOOK_REQUEST(at(FRONT), .public_only = 1));
    story_add_request(&story, &STOOK_REQUEST(at("10.9.9.9"), .public_only = 1));
    story_add_request(&story, &STOOK_REQUEST(text("http://" FRONT ":%d/to?%s", host->port, at("10.9.9.9")), .public_only = 1, .max_redirects = 1));
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem)
{
    begin();
    fail_nth(nomem_flow);
    CHECK_EQ_INT(connections_to_target(), 0);
}

/* The message names the address and the range, for the operator. */
TEST_BOTH(messages)
{
    static const struct {
        const char *host, *message;
    } rows[] = {
        {"10.9.9.9", "refused by policy: 10.9.9.9 is in 10.0.0.0/8, private use"},
        {"0xa9fea9fe", "refused by policy: 169.254.169.254 is in 169.254.0.0/16, link-local"},
        {"[::ffff:127.0.0.1]", "refused by policy: 127.0.0.1 is in 127.0.0.0/8, loopback"},
        {"[64:ff9b::a09:909]", "refused by policy: 64:ff9b::a09:909 leads to 10.9.9.9, in 10.0.0.0/8, private use"},
        {"[2002:808:808::1]", "refused by policy: 2002:808:808::1 is in 2002::/16, 6to4"},
        {"[::1]", "refused by policy: ::1 is in ::1/128, loopback"},
        {OWN, "refused by policy: " OWN " is an address of this machine"},
        {"[64:ff9b::" OWN "]", "refused by policy: 64:ff9b::101:101 leads to " OWN ", an address of this machine"},
        {"[" OWN_6 "]", "refused by policy: " OWN_6 " is an address of this machine"},
        {"8.8.4.4", "refused by policy: 8.8.4.4 is in 8.8.4.0/24 of deny_addresses"},
        {"[64:ff9b::808:404]", "refused by policy: 64:ff9b::808:404 leads to 8.8.4.4, in 8.8.4.0/24 of deny_addresses"},
        {"[fe80::1%25lo]", "refused by policy: public_only excludes an IPv6 zone"},
    };
    begin();
    life_open(life, &STOOK_CLIENT(.public_only = 1, .deny_addresses = (const char *const[]){"8.8.4.0/24", NULL}));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ERROR(request(life, &STOOK_REQUEST(at(rows[i].host)), rows[i].message, NULL), STOOK_EPOLICY);
}

/* A name with refused addresses and a good one: the request succeeds over the good one, without a pause for each
   refused one. With a refused one and one that cannot be reached: the refusal is the reason. */
TEST_BOTH(names_with_several_addresses)
{
    static const struct {
        const char *host, *message;
    } rows[] = {
        {"10.9.9.9", "refused by policy: 10.9.9.9 is in 10.0.0.0/8, private use"},
        {"[fd00:ec2::254]", "refused by policy: fd00:ec2::254 is in fc00::/7, unique local"},
    };
    need_names();
    begin();
    make_corpus();
    life_open(life, &STOOK_CLIENT(.public_only = 1, .connect_timeout_ms = 5000));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t row = 0;
        while (strcmp(corpus[row].host, rows[i].host) != 0)
            row++;
        CHECK_ERROR(request(life, &STOOK_REQUEST(text("http://%zu.first.test:%d/", row, host->port)), NULL, "front"), 0);
        CHECK_ERROR(request(life, &STOOK_REQUEST(text("http://%zu.second.test:%d/", row, host->port)), rows[i].message, NULL),
                    STOOK_EPOLICY);
    }
    CHECK_EQ_INT(connections_to_target(), 0);
}

/* A request may switch the guard on, not off. */
TEST_BOTH(of_client_and_request)
{
    begin();
    char ten[64];
    snprintf(ten, sizeof ten, "%s", at("10.9.9.9"));
    unsigned before = connections_to_target();
    life_open(life, &STOOK_CLIENT(.public_only = 1));
    CHECK_ERROR(request(life, &STOOK_REQUEST(ten), NULL, NULL), STOOK_EPOLICY);
    CHECK_ERROR(request(life, &STOOK_REQUEST(ten, .public_only = STOOK_NONE), "refused by policy: the client has public_only", NULL),
                STOOK_EPOLICY);
    CHECK_EQ_INT(connections_to_target(), before);
    life_close(life);
    life_open(life, NULL);
    CHECK_ERROR(request(life, &STOOK_REQUEST(ten, .public_only = STOOK_NONE), NULL, "target"), 0);
    CHECK_ERROR(request(life, &STOOK_REQUEST(ten), NULL, "target"), 0);
    CHECK_ERROR(request(life, &STOOK_REQUEST(ten, .public_only = 1), NULL, NULL), STOOK_EPOLICY);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(ten, .public_only = 2)), STOOK_EARG);
    stook_batch_free(batch);
    life_close(life);
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.public_only = 2)), STOOK_EARG);
}

/* `resolve` does not lead past the guard, and a host that it puts at a good address is reached. */
TEST_BOTH(put_elsewhere)
{
    begin();
    const char *away[] = {strdup(text("x.example:%d:10.9.9.9", host->port)), NULL};
    const char *front[] = {strdup(text("x.example:%d:" FRONT, host->port)), NULL};
    const char *spelled[] = {strdup(text("10.9.9.9:%d:" FRONT, host->port)), NULL};
    life_open(life, &STOOK_CLIENT(.public_only = 1));
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("x.example"), .resolve = away), NULL, NULL), STOOK_EPOLICY);
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("x.example"), .resolve = front), NULL, "front"), 0);
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("10.9.9.9"), .resolve = spelled), NULL, "front"), 0);
    CHECK_EQ_INT(connections_to_target(), 0);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.public_only = 1, .resolve = away));
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("x.example")), NULL, NULL), STOOK_EPOLICY);
    CHECK_EQ_INT(connections_to_target(), 0);
    free((char *)away[0]);
    free((char *)front[0]);
    free((char *)spelled[0]);
}

static curl_socket_t open_any(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)user, (void)purpose;
    return socket(address->family, address->socktype, address->protocol);
}

static int lead_away(stook_client *client, CURL *easy, const char *url, void *user)
{
    (void)client, (void)url;
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_any);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, user);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, host->unix_path);
    curl_easy_setopt(easy, CURLOPT_PROXY, text("http://127.0.0.1:%d", host->port));
    curl_easy_setopt(easy, CURLOPT_PRE_PROXY, text("socks5://127.0.0.1:%d", host->port));
    return 0;
}

/* What on_easy sets does not lead past the guard. */
TEST_BOTH(on_easy)
{
    begin();
    struct curl_slist *to = curl_slist_append(NULL, text("::127.0.0.1:%d", host->port));
    life_open(life, &STOOK_CLIENT(.public_only = 1, .on_easy = lead_away));
    unsigned before = connections_to_target();
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("10.9.9.9"), .user = to), NULL, NULL), STOOK_EPOLICY);
    CHECK_ERROR(request(life, &STOOK_REQUEST(at(FRONT), .user = to), NULL, "front"), 0);
    CHECK_EQ_INT(connections_to_target(), before);
    curl_slist_free_all(to);
}

/* A mirror is judged as any other URL. */
TEST_BOTH(mirrors)
{
    begin();
    char lost[64], ten[64];
    snprintf(lost, sizeof lost, "%s", at(LOST));
    snprintf(ten, sizeof ten, "%s", at("10.9.9.9"));
    const char *const list[] = {ten, at(FRONT), NULL};
    life_open(life, &STOOK_CLIENT(.public_only = 1));
    unsigned before = connections_to_target();
    CHECK_ERROR(request(life, &STOOK_REQUEST(lost, .mirrors = (const char *const[]){ten, NULL}), NULL, NULL), STOOK_EPOLICY);
    CHECK_ERROR(request(life, &STOOK_REQUEST(lost, .mirrors = list), NULL, "front"), 0);
    CHECK_EQ_INT(connections_to_target(), before);
}

/* Over QUIC, which needs a connection of another kind. */
TEST_BOTH(http_3)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    char packet[2000];
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP3))
        test_skip("this libcurl has no HTTP/3");
    begin();
    int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    any.sin6_port = htons((uint16_t)host->port);
    CHECK(udp >= 0 && bind(udp, (struct sockaddr *)&any, sizeof any) == 0);
    life_open(life, &STOOK_CLIENT(.http_version = STOOK_HTTP_3, .attempt_timeout_ms = 500));
    unsigned before = connections_to_target();
    const char *url = text("https://10.9.9.9:%d/", host->port);
    CHECK_ERROR(request(life, &STOOK_REQUEST(url, .public_only = 1), "refused by policy: 10.9.9.9 is in 10.0.0.0/8, private use", NULL),
                STOOK_EPOLICY);
    CHECK(recv(udp, packet, sizeof packet, 0) < 0);
    CHECK_EQ_INT(connections_to_target(), before);
    CHECK(request(life, &STOOK_REQUEST(url), NULL, NULL) != 0); /* nobody speaks QUIC or TLS there */
    CHECK(recv(udp, packet, sizeof packet, 0) > 0);
    close(udp);
}

/* Exceptions, and ranges that are refused beside. */
TEST_BOTH(lists)
{
    static const char *const allow[] = {"10.9.0.0/16", "::1", "127.0.0.0/8", NULL};
    static const char *const deny[] = {"10.9.8.0/24", "8.0.0.0/8", "127.0.0.3", NULL};
    static const struct {
        const char *host;
        int public_only, error;
    } rows[] = {
        {"10.9.9.9", 1, 0},         {"10.9.8.1", 1, STOOK_EPOLICY}, {"10.9.8.1", 0, STOOK_EPOLICY},
        {"10.8.0.1", 1, STOOK_EPOLICY}, {"10.8.0.1", 0, 0},         {FRONT, 1, STOOK_EPOLICY},
        {FRONT, 0, STOOK_EPOLICY},  {"[::1]", 1, 0},                {"[::ffff:10.9.9.9]", 1, 0},
        {"[::10.9.9.9]", 1, STOOK_EPOLICY}, {"127.0.0.1", 1, 0},    {"127.0.0.3", 1, STOOK_EPOLICY},
        {"[64:ff9b::8.8.8.8]", 0, STOOK_EPOLICY},
    };
    begin();
    life_open(life, &STOOK_CLIENT(.allow_addresses = allow, .deny_addresses = deny));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("%s", rows[i].host);
        CHECK_ERROR(request(life, &STOOK_REQUEST(at(rows[i].host), .public_only = rows[i].public_only), NULL, NULL),
                    rows[i].error);
    }
}

TEST_BOTH(bad_lists)
{
    static const char *const good[] = {"10.0.0.0/8", NULL}, *const none[] = {NULL};
    static const char *const bad[][3] = {{"10.0.0.0/8", "10.1.0.0/8"}, {"10.0.0.0/33"}, {""}, {"example.com"}, {"fe80::1%lo"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.allow_addresses = bad[i])), STOOK_EARG);
        CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.deny_addresses = bad[i])), STOOK_EARG);
    }
    life_open(life, &STOOK_CLIENT(.allow_addresses = none, .deny_addresses = good));
}

/* -------------------------------------------------------------------------- on_address */

struct judge {
    stook_client *client;
    stook_batch *batch;
    unsigned calls;
    char told[2000];
};

/* Refuses 8.8.4.x, and tells what it was asked. */
static int refuse_some(const struct stook_address *address, void *user)
{
    struct judge *judge = user;
    size_t size = strlen(judge->told);
    CHECK_EQ_SIZE(address->size, sizeof *address);
    CHECK_EQ_INT(address->port, host->port);
    judge->calls++;
    snprintf(judge->told + size, sizeof judge->told - size, "%s v%d for %.*s, ", address->text, (int)address->ip_version,
             (int)(strrchr(address->origin, ':') - address->origin), address->origin);
    CHECK_STR(strrchr(address->origin, ':') + 1, text("%d", host->port));
    return strncmp(address->text, "8.8.4.", 6) == 0 ? -1 : 0;
}

TEST_BOTH(on_address)
{
    struct judge judge = {0};
    static const char *const deny[] = {"8.1.0.0/16", NULL};
    begin();
    life_open(life, &STOOK_CLIENT(.deny_addresses = deny, .on_address = refuse_some, .on_address_user = &judge));
    CHECK_ERROR(request(life, &STOOK_REQUEST(at(FRONT)), NULL, "front"), 0);
    CHECK_ERROR(request(life, &STOOK_REQUEST(at(FRONT)), NULL, "front"), 0); /* the same connection */
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("0x08080404")), "refused by policy: 8.8.4.4 is refused by on_address", NULL),
                STOOK_EPOLICY);
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("[::ffff:8.8.4.5]"), .public_only = 1), NULL, NULL), STOOK_EPOLICY);
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("8.1.0.1")), NULL, NULL), STOOK_EPOLICY); /* not asked */
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("10.9.9.9"), .public_only = 1), NULL, NULL), STOOK_EPOLICY);
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("10.9.9.9")), NULL, "target"), 0);
    CHECK_ERROR(request(life, &STOOK_REQUEST(text("http://" FRONT ":%d/to?%s", host->port, at("8.8.4.6")), .max_redirects = 1),
                        NULL, NULL), STOOK_EPOLICY);
    const char *list[] = {strdup(text("x.example:%d:2606:4700::2", host->port)), NULL};
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("X.Example"), .resolve = list), NULL, "target"), 0);
    free((char *)list[0]);
    /* With a proxy it sees the proxy's address. */
    CHECK_ERROR(request(life, &STOOK_REQUEST(at("y.example"), .proxy = text("http://8.8.4.7:%d", host->port)), NULL, NULL),
                STOOK_EPOLICY);
    CHECK_STR(judge.told, "8.8.8.8 v4 for http://8.8.8.8, 8.8.4.4 v4 for http://0x08080404, "
                          "8.8.4.5 v4 for http://[::ffff:8.8.4.5], 10.9.9.9 v4 for http://10.9.9.9, "
                          "8.8.4.6 v4 for http://8.8.4.6, 2606:4700::2 v6 for http://x.example, "
                          "8.8.4.7 v4 for http://y.example, ");
}

static void count_post(stook_client *client, void *user)
{
    (void)client;
    ++*(unsigned *)user;
}

/* It may call what any thread may call. What blocks is refused. */
static int call_back(const struct stook_address *address, void *user)
{
    struct judge *judge = user;
    (void)address;
    CHECK_ERROR(stook_client_post(judge->client, count_post, &judge->calls), 0);
    stook_batch_cancel(judge->batch);
    if (stook_client_fd(judge->client) >= 0)
        CHECK_ERROR(stook_client_run(judge->client), STOOK_ESTATE);
    return 0;
}

TEST_BOTH(calls_from_on_address)
{
    struct judge judge = {0};
    begin();
    life_open(life, &STOOK_CLIENT(.on_address = call_back, .on_address_user = &judge));
    judge.client = life->client;
    judge.batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(judge.batch, at(FRONT));
    /* The cancel is carried out by the next turn; libcurl may have the first response by then. */
    CHECK(life_gather(life, judge.batch, &STOOK_GATHER(.limit = 1)) >= 2);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(judge.batch, 2)), STOOK_ECANCELLED);
    CHECK_EQ_INT(judge.calls, 1);
    stook_batch_free(judge.batch);
}
