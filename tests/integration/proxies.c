/* SPDX-License-Identifier: MIT */
/*
 * Proxies: which one is on the way, what it is told and what not, and how it can fail. Against a proxy
 * of our own that misbehaves; interop/proxies has real ones.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/certificates.h"
#include "support/fail_nth.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_proxy.h"
#include "support/raw_server.h"
#include "support/raw_tls.h"
#include "support/sockets.h"

/* The doors of every test. ORIGIN and SECURE are origins, the others proxies. */
enum { ORIGIN, SECURE, PLAIN, HTTP, TLS, SOCKS, SOCKS_USER, OTHER, DOORS };

static struct raw_door doors[DOORS];
static struct raw_tls secure, tls;
static struct raw_proxy http, other, socks, socks_user;
static struct raw_server *server;
static char directory[256], ca[300], log_path[300], other_log[300];

static const struct raw_behaviour more[] = {
    {"/407", "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"r\"\r\n"
             "Content-Length: 3\r\n\r\nwho", .then = RAW_KEEP},
    {"/to-secure", .answer = NULL},
    {NULL},
};

static enum raw_then redirect_to(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", call->query);
    return RAW_KEEP;
}

static struct raw_behaviour table[sizeof more / sizeof *more];

static void prepare(void)
{
    snprintf(directory, sizeof directory, "%s", temporary_directory());
    certificates_standard(directory);
    snprintf(ca, sizeof ca, "%s/authority.pem", directory);
    snprintf(log_path, sizeof log_path, "%s/log", directory);
    snprintf(other_log, sizeof other_log, "%s/other", directory);
    memcpy(table, more, sizeof more);
    table[1].answer = redirect_to;
    secure = (struct raw_tls){.directory = directory, .certificate = "leaf"};
    tls = (struct raw_tls){.directory = directory, .certificate = "leaf", .inside = raw_proxy_serve, .user = &http};
    http = (struct raw_proxy){.log = log_path};
    other = (struct raw_proxy){.log = other_log};
    socks = (struct raw_proxy){.socks = 1, .log = log_path};
    socks_user = (struct raw_proxy){.socks = 1, .log = log_path, .user = "me secret-pw"};
}

static void serve(void)
{
    memset(doors, 0, sizeof doors);
    doors[SECURE] = (struct raw_door){.serve = raw_tls_serve, .arg = &secure};
    doors[HTTP] = (struct raw_door){.serve = raw_proxy_serve, .arg = &http};
    doors[TLS] = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    doors[SOCKS] = (struct raw_door){.serve = raw_proxy_serve, .arg = &socks};
    doors[SOCKS_USER] = (struct raw_door){.serve = raw_proxy_serve, .arg = &socks_user};
    doors[OTHER] = (struct raw_door){.serve = raw_proxy_serve, .arg = &other};
    server = raw_server_open(table, doors, DOORS);
}

static stook_batch *begin(struct life *life)
{
    prepare();
    serve();
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    return life_batch(life);
}

static const char *at(int door, const char *path)
{
    return text("%s://127.0.0.1:%d%s", door == SECURE ? "https" : "http", doors[door].port, path);
}

static const char *proxy(const char *scheme, const char *user, int door)
{
    return text("%s://%s127.0.0.1:%d", scheme, user, doors[door].port);
}

/* What the proxies were asked for so far. */
static const char *logged_in(const char *path)
{
    static char bytes[65536];
    FILE *in = fopen(path, "re");
    bytes[in != NULL ? fread(bytes, 1, sizeof bytes - 1, in) : 0] = '\0';
    if (in != NULL)
        fclose(in);
    return bytes;
}

static const char *logged(void)
{
    return logged_in(log_path);
}

static const char *kind = ""; /* of the proxy, for a failure */

static const stook_result *of(stook_batch *batch, size_t index)
{
    const stook_result *result = stook_batch_result_by_index(batch, index);
    test_note("%s request %zu: %d, %s", kind, index, stook_result_status(result), stook_result_message(result));
    return result;
}

static void check_ok(stook_batch *batch, size_t index)
{
    CHECK_EQ_INT(stook_result_status(of(batch, index)), 200);
    CHECK_EQ_INT(stook_result_ok(of(batch, index)), 1);
}

static const char *body_of(stook_batch *batch, size_t index)
{
    return stook_result_body(of(batch, index), NULL);
}

static int has_gnutls(void)
{
    return strncmp(curl_version_info(CURLVERSION_NOW)->ssl_version, "GnuTLS", 6) == 0;
}

/* To https origins. */
static int has_https_proxies(void)
{
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTPS_PROXY) != 0 && !has_gnutls();
}

/* ---------------------------------------------------------------------------- the ways through */

static const char *const fields[] = {"X-Mine: secret-field", "Cookie: a=secret-cookie", "User-Agent: test/1", NULL};

/* An http origin: the proxy gets the request, in the absolute form, and its own credentials in it. */
TEST_BOTH(plain_requests)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(ORIGIN, "/echo?x"), .proxy = proxy("http", "me:secret%20pw@", PLAIN), .headers = fields);
    ADD(batch, at(ORIGIN, "/echo"), .proxy = proxy("http", "", PLAIN));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const char *sent = body_of(batch, 0);
    CHECK(strncmp(sent, text("GET %s HTTP/1.1\r\n", at(ORIGIN, "/echo?x")), strlen(at(ORIGIN, "/echo?x")) + 14) == 0);
    CHECK(strstr(sent, text("\r\nHost: 127.0.0.1:%d\r\n", doors[ORIGIN].port)) != NULL);
    CHECK(strstr(sent, "\r\nProxy-Authorization: Basic bWU6c2VjcmV0IHB3\r\n") != NULL); /* me:secret pw */
    CHECK(strstr(sent, "\r\nX-Mine: secret-field\r\n") != NULL);
    CHECK(strstr(body_of(batch, 1), "Proxy-Authorization") == NULL);
    CHECK_STR(stook_result_remote_address(of(batch, 0)), text("127.0.0.1:%d", doors[PLAIN].port));
    stook_batch_free(batch);
}

/* An https origin: a tunnel, whose CONNECT has no field of the request, and whose origin gets none for
   the proxy. */
TEST_BOTH(tunnels)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(SECURE, "/echo"), .proxy = proxy("http", "me:pw@", HTTP), .headers = fields,
        .bearer = "secret-token");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const char *sent = body_of(batch, 0), *asked = logged();
    test_note("%s", asked);
    CHECK(strncmp(asked, text("CONNECT 127.0.0.1:%d HTTP/1.1\r\n", doors[SECURE].port), 30) == 0);
    CHECK(strstr(asked, "\r\nProxy-Authorization: Basic bWU6cHc=\r\n") != NULL);
    CHECK(strstr(asked, "secret") == NULL);
    CHECK(strstr(asked, "Cookie") == NULL && strstr(asked, "test/1") == NULL && strstr(asked, "\r\nAuthorization") == NULL);
    CHECK(strncmp(sent, "GET /echo HTTP/1.1\r\n", 20) == 0);
    CHECK(strcasestr(sent, "proxy") == NULL);
    CHECK(strstr(sent, "\r\nX-Mine: secret-field\r\n") != NULL);
    CHECK(strstr(sent, "\r\nAuthorization: Bearer secret-token\r\n") != NULL);
    stook_batch_free(batch);
}

/* Each kind, cold and warm, with bodies in both directions. */
TEST_BOTH(every_kind)
{
    static const struct {
        const char *scheme, *user;
        int door;
    } kinds[] = {{"http", "", HTTP},   {"http", "u:p@", HTTP},           {"socks5", "", SOCKS},
                 {"socks5h", "", SOCKS}, {"socks5h", "me:secret-pw@", SOCKS_USER}, {"https", "", TLS}};
    static char body[200000];
    memset(body, 'b', sizeof body);
    stook_batch *batch = begin(life);
    stook_batch_free(batch);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].door == TLS && !has_https_proxies())
            continue;
        char way[128];
        kind = kinds[i].scheme;
        snprintf(way, sizeof way, "%s", proxy(kinds[i].scheme, kinds[i].user, kinds[i].door));
        for (int round = 0; round < 2; round++) {
            batch = life_batch(life);
            for (int n = 0; n < 4; n++) {
                ADD(batch, at(SECURE, text("/path/%d", n)), .proxy = way);
                ADD(batch, at(SECURE, "/big?n=300000"), .proxy = way);
                ADD(batch, at(SECURE, "/echo"), .proxy = way, .body = body, .body_size = sizeof body);
            }
            test_note("kind %zu, round %d", i, round);
            life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 3));
            for (size_t n = 0; n < 12; n++)
                check_ok(batch, n);
            for (size_t n = 0; n < 4; n++) {
                size_t size;
                CHECK_STR(body_of(batch, 3 * n), text("/path/%zu", n));
                stook_result_body(of(batch, 3 * n + 1), &size);
                CHECK_EQ_SIZE(size, 300000);
                stook_result_body(of(batch, 3 * n + 2), &size);
                CHECK(size > sizeof body);
            }
            CHECK(round == 0 || stook_result_reused(of(batch, 0)));
            stook_batch_free(batch);
        }
    }
}

/* Who looks the name up: with socks5 this machine, with socks5h the proxy. */
TEST_BOTH(names)
{
    stook_batch *batch = begin(life);
    ADD(batch, text("http://localhost:%d/ok", doors[ORIGIN].port), .proxy = proxy("socks5", "", SOCKS));
    ADD(batch, text("http://nowhere.invalid:%d/ok", doors[ORIGIN].port), .proxy = proxy("socks5h", "", SOCKS));
    ADD(batch, text("http://nowhere.invalid:%d/ok", doors[ORIGIN].port), .proxy = proxy("http", "", PLAIN));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    CHECK(strstr(logged(), text("address 127.0.0.1 %d\n", doors[ORIGIN].port)) != NULL ||
          strstr(logged(), text("address ::1 %d\n", doors[ORIGIN].port)) != NULL);
    CHECK(strstr(logged(), text("name nowhere.invalid %d\n", doors[ORIGIN].port)) != NULL);
    stook_batch_free(batch);
}

/* libcurl up to 8.14 takes the brackets of a Host field from the host for which the connection was made. */
TEST_BOTH(host_fields)
{
    stook_batch *batch = begin(life);
    const char *way = proxy("http", "", PLAIN);
    for (int i = 0; i < 30; i++) {
        ADD(batch, text("http://h%d.invalid:81/echo", i), .proxy = way);
        ADD(batch, text("http://[::1]:%d/echo", 1000 + i), .proxy = way);
        way = proxy("http", "", PLAIN);
    }
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    for (size_t i = 0; i < 60; i++)
        CHECK_CONTAINS(body_of(batch, i), i % 2 ? text("\r\nHost: [::1]:%zu\r\n", 1000 + i / 2)
                                                : text("\r\nHost: h%zu.invalid:81\r\n", i / 2));
    stook_batch_free(batch);
}

/* `resolve` makes a tunnel to the address, whose responses are the origin's. */
TEST_BOTH(put_elsewhere)
{
    stook_batch *batch = begin(life);
    const char *entry = text("elsewhere.invalid:%d:127.0.0.1", doors[ORIGIN].port);
    const char *const resolve[] = {entry, NULL};
    ADD(batch, text("http://elsewhere.invalid:%d/echo", doors[ORIGIN].port), .proxy = proxy("http", "", HTTP), .resolve = resolve);
    ADD(batch, text("http://elsewhere.invalid:%d/407", doors[ORIGIN].port), .proxy = proxy("http", "", HTTP), .resolve = resolve);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_CONTAINS(body_of(batch, 0), text("\r\nHost: elsewhere.invalid:%d\r\n", doors[ORIGIN].port));
    CHECK_CONTAINS(logged(), text("CONNECT 127.0.0.1:%d ", doors[ORIGIN].port));
    CHECK_ERROR(stook_result_error(of(batch, 1)), 0);
    CHECK_EQ_INT(stook_result_status(of(batch, 1)), 407);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------- which one is chosen */

TEST_BOTH(of_client_and_request)
{
    prepare();
    serve();
    life_open(life, &STOOK_CLIENT(.ca_file = ca, .proxy = proxy("http", "client:pw@", PLAIN),
                                  .no_proxy = "localhost, 10.0.0.0/8"));
    stook_batch *batch = life_batch(life);
    ADD(batch, at(ORIGIN, "/echo"));
    ADD(batch, at(ORIGIN, "/echo"), .proxy = "");
    ADD(batch, at(ORIGIN, "/echo"), .proxy = proxy("http", "mine:pw@", PLAIN));
    ADD(batch, text("http://localhost:%d/echo", doors[ORIGIN].port));
    ADD(batch, text("http://localhost:%d/echo", doors[ORIGIN].port), .proxy = proxy("http", "mine:pw@", PLAIN));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(strstr(body_of(batch, 0), "Proxy-Authorization: Basic Y2xpZW50OnB3\r\n") != NULL);
    CHECK(strncmp(body_of(batch, 1), "GET /echo", 9) == 0);
    CHECK(strstr(body_of(batch, 2), "Proxy-Authorization: Basic bWluZTpwdw==\r\n") != NULL);
    CHECK(strncmp(body_of(batch, 3), "GET /echo", 9) == 0);
    CHECK(strncmp(body_of(batch, 4), "GET /echo", 9) == 0);
    CHECK(strstr(body_of(batch, 1), "Proxy-") == NULL && strstr(body_of(batch, 3), "Proxy-") == NULL);
    stook_batch_free(batch);
}

/* P01 */
TEST_BOTH(environment)
{
    prepare();
    serve();
    setenv("http_proxy", text("env:pw@127.0.0.1:%d", doors[PLAIN].port), 1);
    setenv("HTTPS_PROXY", text("http://env:pw@127.0.0.1:%d", doors[HTTP].port), 1);
    setenv("no_proxy", "localhost", 1);
    for (int asked = 0; asked < 2; asked++) {
        life_open(life, &STOOK_CLIENT(.ca_file = ca, .proxy_from_env = asked));
        stook_batch *batch = life_batch(life);
        ADD(batch, at(ORIGIN, "/echo"));
        ADD(batch, at(SECURE, "/echo"));
        ADD(batch, text("http://localhost:%d/echo", doors[ORIGIN].port));
        ADD(batch, at(ORIGIN, "/echo"), .proxy = "");
        CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
        CHECK_EQ_INT(strstr(body_of(batch, 0), "Proxy-Authorization: Basic ZW52OnB3\r\n") != NULL, asked);
        CHECK_EQ_INT(strstr(logged(), "CONNECT ") != NULL, asked);
        CHECK(strncmp(body_of(batch, 2), "GET /echo", 9) == 0);
        CHECK(strncmp(body_of(batch, 3), "GET /echo", 9) == 0);
        stook_batch_free(batch);
        life_close(life);
    }
    unsetenv("HTTPS_PROXY");
    unsetenv("no_proxy");
    setenv("http_proxy", "socks4://127.0.0.1:1", 1);
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.proxy_from_env = 1)), STOOK_EARG);
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.proxy_from_env = 2)), STOOK_EARG);
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.proxy = "127.0.0.1:1")), STOOK_EARG);
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.no_proxy = "a\nb")), STOOK_EARG);
    unsetenv("http_proxy");
    life_open(life, NULL);
}

TEST_BOTH(refused_at_once)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(ORIGIN, "/ok"), .proxy = "ftp://127.0.0.1:1");
    ADD(batch, at(ORIGIN, "/ok"), .proxy = proxy("http", "", PLAIN), .unix_socket = "/nowhere");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 2);
    CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_EARG);
    CHECK_STR(stook_result_message(of(batch, 0)),
              "invalid argument: proxy does not begin with http://, https://, socks5:// or socks5h://");
    CHECK_ERROR(stook_result_error(of(batch, 1)), STOOK_EARG);
    CHECK_EQ_INT((int)raw_connections(server), 0);
    stook_batch_free(batch);
}

/* GnuTLS would stall, see http/defaults.c. To an http origin an https proxy leads with it too. */
TEST_BOTH(tls_inside_tls)
{
    if (!has_gnutls())
        test_skip("this libcurl has no GnuTLS");
    stook_batch *batch = begin(life);
    ADD(batch, at(SECURE, "/ok"), .proxy = proxy("https", "", TLS));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_EUNSUPPORTED);
    CHECK_CONTAINS(stook_result_message(of(batch, 0)), "GnuTLS");
    stook_batch_free(batch);
}

/* ---------------------------------------------------------------------------------- redirects */

/* P05: from a proxied http origin to an https origin and back. The proxy's credentials stay with it. */
TEST_BOTH(redirects)
{
    stook_batch *batch = begin(life);
    const char *end = at(SECURE, "/echo");
    ADD(batch, at(ORIGIN, text("/to-secure?%s", end)), .proxy = proxy("http", "me:pw@", HTTP), .max_redirects = 3);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(strcasestr(body_of(batch, 0), "proxy") == NULL);
    CHECK_STR(stook_result_final_url(of(batch, 0)), at(SECURE, "/echo"));
    CHECK(strstr(logged(), "CONNECT ") != NULL);
    stook_batch_free(batch);
}

/* Two proxies and two users of one: none is told of another. Each pair, in turn, over warm ways. */
TEST_BOTH(credentials_apart)
{
    stook_batch *batch = begin(life);
    stook_batch_free(batch);
    for (int round = 0; round < 3; round++) {
        batch = life_batch(life);
        ADD(batch, at(SECURE, "/echo"), .proxy = proxy("http", "one:secret-1@", HTTP));
        ADD(batch, at(SECURE, "/echo"), .proxy = proxy("http", "two:secret-2@", OTHER));
        ADD(batch, at(SECURE, "/echo"), .proxy = proxy("http", "", OTHER));
        ADD(batch, at(SECURE, "/echo"));
        ADD(batch, at(ORIGIN, "/echo"), .proxy = proxy("http", "three:secret-3@", PLAIN));
        ADD(batch, at(ORIGIN, "/echo"), .proxy = proxy("http", "", PLAIN));
        CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = round == 1 ? 6 : 1)), 0);
        CHECK(strstr(body_of(batch, 5), "Proxy-Authorization") == NULL);
        for (size_t i = 0; i < 4; i++)
            CHECK(strcasestr(body_of(batch, i), "proxy") == NULL);
        stook_batch_free(batch);
    }
    /* One tunnel for each of the three, however often: none was shared. */
    CHECK(strstr(logged_in(log_path), "b25lOnNlY3JldC0x") != NULL && strstr(logged_in(log_path), "dHdvOnNlY3JldC0y") == NULL);
    const char *asked = logged_in(other_log);
    int with = 0, all = 0;
    for (const char *line = asked; (line = strstr(line, "CONNECT ")) != NULL; line++)
        all++;
    for (const char *line = asked; (line = strstr(line, "dHdvOnNlY3JldC0y")) != NULL; line++)
        with++;
    CHECK_EQ_INT(all, 2);
    CHECK_EQ_INT(with, 1);
    CHECK(strstr(asked, "b25lOnNlY3JldC0x") == NULL);
}

/* ------------------------------------------------------------------------------------- failures */

/* What an HTTP proxy may say instead of opening the tunnel is no response of the origin, and nothing was sent
   to it. What else may fail is in faults/proxies. */
TEST_BOTH(refused_tunnels)
{
    prepare();
    http.reply = "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n";
    serve();
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    stook_batch *batch = life_batch(life);
    ADD(batch, at(SECURE, "/ok"), .proxy = proxy("http", "", HTTP), .max_redirects = 3);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_STR(stook_result_message(of(batch, 0)), "the proxy failed: it refused to connect to the origin, HTTP 302");
    CHECK_EQ_INT(stook_result_may_have_been_sent(of(batch, 0)), 0);
    CHECK_EQ_INT(stook_result_status(of(batch, 0)), 0);
    CHECK_EQ_SIZE(stook_result_header_count(of(batch, 0)), 0);
    stook_batch_free(batch);
}

/* CVE-2023-38545: a name that SOCKS cannot carry. */
TEST_BOTH(socks_and_long_names)
{
    char host[300];
    memset(host, 'a', sizeof host);
    for (size_t i = 63; i < 250; i += 64)
        host[i] = '.';
    stook_batch *batch = begin(life);
    ADD(batch, text("http://%.*s:%d/ok", 253, host, doors[ORIGIN].port), .proxy = proxy("socks5h", "", SOCKS));
    ADD(batch, text("http://%.*s:%d/ok", 256, host, doors[ORIGIN].port), .proxy = proxy("socks5h", "", SOCKS));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    check_ok(batch, 0);
    CHECK_ERROR(stook_result_error(of(batch, 1)), STOOK_EURL);
    stook_batch_free(batch);
}

TEST_BOTH(wrong_users)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(ORIGIN, "/ok"), .proxy = proxy("socks5h", "me:wrong@", SOCKS_USER));
    ADD(batch, at(ORIGIN, "/ok"), .proxy = proxy("socks5h", "", SOCKS_USER));
    ADD(batch, at(ORIGIN, "/407"), .proxy = proxy("http", "me:secret-pw@", PLAIN));
    ADD(batch, at(ORIGIN, "/407"));
    ADD(batch, at(SECURE, "/407"), .proxy = proxy("http", "", HTTP));
    ADD(batch, at(ORIGIN, "/407"), .proxy = proxy("socks5h", "", SOCKS));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 6);
    CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_EPROXY);
    CHECK_ERROR(stook_result_error(of(batch, 1)), STOOK_EPROXY);
    CHECK_ERROR(stook_result_error(of(batch, 2)), STOOK_EPROXY);
    CHECK_STR(stook_result_message(of(batch, 2)),
              "the proxy failed: it asks for a user name and a password that it accepts, HTTP 407");
    CHECK_EQ_INT(stook_result_status(of(batch, 2)), 407);
    CHECK_STR(stook_result_header(of(batch, 2), "Proxy-Authenticate"), "Basic realm=\"r\"");
    /* Without a proxy, and through a tunnel, it is the origin's answer. */
    for (size_t i = 3; i < 6; i++) {
        CHECK_ERROR(stook_result_error(of(batch, i)), 0);
        CHECK_EQ_INT(stook_result_status(of(batch, i)), 407);
    }
    for (size_t i = 0; i < 6; i++)
        CHECK(strstr(stook_result_message(of(batch, i)), "secret-pw") == NULL);
    stook_batch_free(batch);
}

/* Nobody listens; the name is unknown; nobody answers. */
TEST_BOTH(out_of_reach)
{
    stook_batch *batch = begin(life);
    int refusing = refusing_port(), silent = silent_port();
    ADD(batch, at(ORIGIN, "/ok"), .proxy = text("http://127.0.0.1:%d", refusing));
    ADD(batch, at(SECURE, "/ok"), .proxy = text("socks5://127.0.0.1:%d", refusing));
    ADD(batch, at(ORIGIN, "/ok"), .proxy = "http://proxy.invalid:1");
    ADD(batch, at(ORIGIN, "/ok"), .proxy = text("http://127.0.0.1:%d", silent), .connect_timeout_ms = 200);
    ADD(batch, text("http://127.0.0.1:%d/", refusing), .proxy = "");
    ADD(batch, text("https://127.0.0.1:%d/", refusing), .proxy = proxy("http", "", HTTP));
    ADD(batch, "http://nowhere.invalid/", .proxy = proxy("socks5", "", SOCKS));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 7);
    CHECK_ERROR(stook_result_error(of(batch, 6)), STOOK_EDNS);
    CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_EPROXY);
    CHECK_EQ_INT(stook_result_os_error(of(batch, 0)), ECONNREFUSED);
    CHECK_ERROR(stook_result_error(of(batch, 1)), STOOK_EPROXY);
    CHECK_ERROR(stook_result_error(of(batch, 2)), STOOK_EPROXY);
    CHECK(strstr(stook_result_message(of(batch, 2)), "proxy.invalid") != NULL);
    CHECK_ERROR(stook_result_error(of(batch, 3)), STOOK_ETIMEOUT_ATTEMPT);
    CHECK_ERROR(stook_result_error(of(batch, 4)), STOOK_ECONNECT);
    CHECK_ERROR(stook_result_error(of(batch, 5)), STOOK_EPROXY);
    CHECK_STR(stook_result_message(of(batch, 5)), "the proxy failed: it refused to connect to the origin, HTTP 502");
    stook_batch_free(batch);
}

/* P04: the tunnel breaks in the handshake, and in the body. */
TEST_BOTH(tunnels_that_break)
{
    static const struct {
        size_t after;
        enum raw_then then;
    } rows[] = {{1, RAW_CLOSE}, {1, RAW_RESET}, {100, RAW_CLOSE}, {40000, RAW_CLOSE}, {40000, RAW_RESET}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        prepare();
        http.relayed = rows[i].after;
        http.then = rows[i].then;
        serve();
        life_open(life, &STOOK_CLIENT(.ca_file = ca));
        stook_batch *batch = life_batch(life);
        ADD(batch, at(SECURE, "/big?n=300000"), .proxy = proxy("http", "", HTTP));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
        test_note("row %zu", i);
        int error = stook_result_error(of(batch, 0));
        if (rows[i].after < 1000)
            CHECK(error == STOOK_ETLS || error == STOOK_ERESET);
        else
            CHECK(error == STOOK_ETRUNCATED || error == STOOK_ERESET);
        stook_batch_free(batch);
        life_close(life);
    }
    life_open(life, NULL);
}

/* P06: the proxy's own certificate. The origin's is checked inside the tunnel all the same. */
TEST_BOTH(certificates)
{
    if (!has_https_proxies())
        test_skip("this libcurl speaks no TLS to proxies");
    prepare();
    tls.certificate = "stranger-leaf";
    certificate_make(directory, &(struct certificate){.name = "stranger-leaf", .issuer = "stranger"});
    serve();
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    stook_batch *batch = life_batch(life);
    ADD(batch, at(SECURE, "/ok"), .proxy = proxy("https", "", TLS));
    ADD(batch, at(ORIGIN, "/ok"), .proxy = proxy("https", "", TLS));
    ADD(batch, at(SECURE, "/ok"), .proxy = proxy("http", "", HTTP), .ca_file = text("%s/stranger.pem", directory));
    ADD(batch, at(SECURE, "/ok"), .proxy = proxy("https", "", TLS), .ca_file = text("%s/stranger.pem", directory));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 4);
    CHECK_ERROR(stook_result_error(of(batch, 0)), STOOK_ECERT);
    CHECK(strstr(stook_result_message(of(batch, 0)), "the proxy's TLS") != NULL);
    CHECK_ERROR(stook_result_error(of(batch, 1)), STOOK_ECERT);
    CHECK(strstr(stook_result_message(of(batch, 1)), "the proxy's TLS") != NULL);
    /* With TLS inside TLS, 7.88 with OpenSSL takes a certificate that it refused for a connection that
       was closed: "SSL_ERROR_SYSCALL". */
    for (size_t i = 2; i < 4; i++) {
        int error = stook_result_error(of(batch, i));
        CHECK(error == STOOK_ECERT || (i == 3 && error == STOOK_ETLS));
        CHECK(strstr(stook_result_message(of(batch, i)), "the proxy's TLS") == NULL);
    }
    stook_batch_free(batch);
}

/* The limit of an origin counts what goes to it, through whatever proxy. */
TEST_BOTH(limits_are_the_origins)
{
    prepare();
    serve();
    life_open(life, &STOOK_CLIENT(.ca_file = ca, .origin_limit = 2));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 12; i++)
        ADD(batch, at(SECURE, "/delay?ms=20"), .proxy = proxy("http", i % 2 ? "a:b@" : "", HTTP));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT((int)raw_peak(server, "/delay"), 2);
    stook_batch_free(batch);
}

/* Cancelled while the proxy says nothing. */
TEST_BOTH(cancelled_in_the_tunnel)
{
    prepare();
    http.reply = "";
    http.then = RAW_HOLD;
    socks.greeting = "";
    socks.then = RAW_HOLD;
    serve();
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    stook_batch *batch = life_batch(life);
    ADD(batch, at(SECURE, "/ok"), .proxy = proxy("http", "", HTTP), .connect_timeout_ms = 150);
    ADD(batch, at(SECURE, "/ok"), .proxy = proxy("socks5", "", SOCKS), .connect_timeout_ms = 150);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 2);
    for (size_t i = 0; i < 2; i++) {
        CHECK_ERROR(stook_result_error(of(batch, i)), STOOK_ETIMEOUT_ATTEMPT);
        CHECK_STR(stook_result_message(of(batch, i)), text("%s: not connected within 150 ms", stook_strerror(STOOK_ETIMEOUT_ATTEMPT)));
    }
    stook_batch_free(batch);
}

TEST_BOTH(as_a_curl_command)
{
    char line[4096];
    stook_batch *batch = begin(life);
    int64_t size = stook_request_to_curl(life->client, &STOOK_REQUEST("http://a.example/x", .proxy = "http://me:secret-pw@p.example:3"), 0, line, sizeof line);
    CHECK(size > 0);
    test_note("%s", line);
    CHECK(strstr(line, "--noproxy '' --proxy 'http://me:REDACTED@p.example:3' --proxy-header 'User-Agent:'") != NULL);
    CHECK(stook_request_to_curl(life->client, &STOOK_REQUEST("http://a.example/x", .proxy = "http://me:secret-pw@p.example:3"), STOOK_CURL_SECRETS, line, sizeof line) > 0);
    CHECK(strstr(line, "--proxy 'http://me:secret-pw@p.example:3'") != NULL);
    stook_batch_free(batch);
}

static void flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    story_add_request(&story, &STOOK_REQUEST(at(SECURE, "/path/1"), .proxy = proxy("http", "me:pw@", HTTP), .ca_file = ca));
    story_add_request(&story, &STOOK_REQUEST(at(ORIGIN, "/path/2"), .proxy = proxy("socks5h", "", SOCKS)));
    story_add_request(&story, &STOOK_REQUEST(at(ORIGIN, "/path/3"), .proxy = proxy("http", "", PLAIN), .max_redirects = 2));
    story_start(&story, 1, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    prepare();
    serve();
    fail_nth(flow);
}
