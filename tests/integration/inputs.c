/* SPDX-License-Identifier: MIT */
/*
 * Inputs of a request. A bad URL, method or header field is accepted by add and becomes the result of that
 * request, so that index i is always the i-th add. Nothing of it reaches a server.
 */
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

/* Await requests that must all fail alike before they are sent. */
static void check_refused(struct life *life, stook_batch *batch, int error)
{
    size_t count = stook_batch_count(batch);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), (long long)count);
    for (size_t i = 0; i < count; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        test_note("the %zu-th, %s", i, stook_result_url(result));
        CHECK_ERROR(stook_result_error(result), error);
        CHECK_EQ_INT(stook_result_ok(result), 0);
        CHECK_EQ_INT(stook_result_status(result), 0);
        CHECK(strlen(stook_result_message(result)) > strlen(stook_strerror(error)));
        CHECK_CONTAINS(stook_result_message(result), stook_strerror(error));
        CHECK_STR(stook_result_protocol(result), "");
        CHECK_STR(stook_result_body(result, NULL), "");
        CHECK_EQ_INT(stook_result_curl_code(result), 0); /* libcurl was not asked */
    }
    stook_batch_free(batch);
}

TEST_BOTH(bad_urls)
{
    static const char *const urls[] = {
        "", " ", "/", "/path", "example.com", "127.0.0.1:80", "//127.0.0.1/", "http:", "http:/",
        "http://", "http:///path", "http://?q", "http://#f", "http:127.0.0.1", "http:/127.0.0.1/",
        "http:////127.0.0.1/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/",
        "http://127.0.0.1:0/", "http://127.0.0.1:8x/", "http://[::1/", "http://[zz]/",
        "http://127.0.0.1/a b", " http://127.0.0.1/", "http://127.0.0.1/ ", "http://127.0.0.1\\x/",
        "http://exa mple/", "http://127.0.0.1/\n", "http://127.0.0.1/\r\nX: y", "\thttp://127.0.0.1/",
        "http://127.0.0.1/\x7f", "http://127.0.0.1/\x01", "ht tp://127.0.0.1/", "1http://127.0.0.1/",
        "://", "://127.0.0.1/", "http//127.0.0.1/", "mailto:somebody@localhost"};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        add(batch, urls[i]);
    check_refused(life, batch, STOOK_EURL);
}

TEST_BOTH(urls_against_policy)
{
    static const char *const urls[] = {
        "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "ws://127.0.0.1/",
        "dict://127.0.0.1/", "unix://127.0.0.1/", "httpx://127.0.0.1/",
        "http://user@127.0.0.1/", "http://user:secret@127.0.0.1/", "http://:secret@127.0.0.1/",
        "http://@127.0.0.1/", "https://user:@127.0.0.1/"};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        add(batch, urls[i]);
    check_refused(life, batch, STOOK_EPOLICY);
}

static char *long_url(size_t size)
{
    char *url = malloc(size + 1);
    memset(url, 'a', size);
    memcpy(url, "http://127.0.0.1/", 17);
    url[size] = '\0';
    return url;
}

TEST_BOTH(longest_url)
{
    struct raw_server *server = raw_server_start(NULL);
    char *url = long_url(65536 + 1);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, url);
    check_refused(life, batch, STOOK_EURL);

    url[65536] = '\0';
    const char *start = raw_url(server, "/ok/");
    memcpy(url, start, strlen(start));
    batch = life_batch(life);
    add(batch, url);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_STR(stook_result_url(stook_batch_result(batch, 0)), url);
    stook_batch_free(batch);
    free(url);
}

/* What a URL may look like, and how it is sent. A fragment never is. */
TEST_BOTH(good_urls)
{
    static const struct {
        const char *path, *sent;
    } urls[] = {
        {"", "GET / HTTP/1.1\r\n"},
        {"/echo?a=b&c=%20d", "GET /echo?a=b&c=%20d HTTP/1.1\r\n"},
        {"/echo#part", "GET /echo HTTP/1.1\r\n"},
        {"/echo/a%2Fb", "GET /echo/a%2Fb HTTP/1.1\r\n"},
        {"/echo/;,:@&=+$!*'()~", "GET /echo/;,:@&=+$!*'()~ HTTP/1.1\r\n"},
        {"/echo//x", "GET /echo//x HTTP/1.1\r\n"},
    };
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        add(batch, raw_url(server, "%s", urls[i].path));
    add(batch, text("HTTP://127.0.0.1:%d/echo", raw_port(server)));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), 404); /* the raw server has no / */
    for (size_t i = 1; i < sizeof urls / sizeof urls[0]; i++) {
        const char *sent = stook_result_body(stook_batch_result(batch, i), NULL);
        test_note("%s, sent as %.40s", urls[i].path, sent);
        CHECK(strncmp(sent, urls[i].sent, strlen(urls[i].sent)) == 0);
    }
    stook_batch_free(batch);
}

static void add_method(stook_batch *batch, const char *url, const char *method)
{
    ADD(batch, .url = url, .method = method);
}

TEST_BOTH(bad_methods)
{
    static const char *const methods[] = {"", " ", "GET ", " GET", "GE T", "GET\r\nX: y", "GET\n",
                                          "G\x01T", "G\x7f", "G/T", "G:T", "G\xc3\xa4T", "\"GET\""};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        add_method(batch, raw_url(server, "/echo"), methods[i]);
    check_refused(life, batch, STOOK_EARG);
    CHECK_EQ_INT(raw_connections(server), 0);
}

static void add_headers(stook_batch *batch, const char *url, const char *first, const char *second)
{
    const char *headers[] = {first, second, NULL};
    ADD(batch, .url = url, .headers = headers);
}

TEST_BOTH(bad_headers)
{
    static const char *const headers[] = {
        "X", ":", ": value", "X value", "X : value", " X: value", "X\t: value", "X: a\r\nY: b",
        "X: a\nb", "X: a\rb", "X: \x01", "X: \x7f", "X\r\nY: b", "X\x80: y", "(X): y", "GET / HTTP/1.1",
        "X: a\r\n\r\nGET / HTTP/1.1"};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        add_headers(batch, raw_url(server, "/echo"), "X-Good: 1", headers[i]);
    check_refused(life, batch, STOOK_EARG);
    CHECK_EQ_INT(raw_connections(server), 0);
}

/* Fields that frame the message are the library's: two framings let two servers disagree about its end. */
TEST_BOTH(framing_headers)
{
    static const char *const headers[] = {
        "Content-Length: 5", "content-length: 5", "CONTENT-LENGTH:", "Transfer-Encoding: chunked",
        "transfer-encoding: identity", "Connection: close", "Keep-Alive: 5", "Upgrade: h2c",
        "Proxy-Connection: close", "TE: trailers", "Trailer: X", "Expect: 100-continue",
        "Host: elsewhere", "host:"};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        add_headers(batch, raw_url(server, "/echo"), headers[i], NULL);
    check_refused(life, batch, STOOK_EPOLICY);
    CHECK_EQ_INT(raw_connections(server), 0);
}

static const char *ask_echo(struct life *life, stook_batch *batch)
{
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    return stook_result_body(stook_batch_result(batch, 0), NULL);
}

/* Nothing is sent that was not asked for. */
TEST_BOTH(plain_get)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/echo"));
    CHECK_STR(ask_echo(life, batch),
              text("GET /echo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n"
                   "User-Agent: stook/%s\r\n\r\n", raw_port(server), stook_version()));
    stook_batch_free(batch);
}

TEST_BOTH(user_agents)
{
    static const struct {
        const char *option, *sent;
    } agents[] = {{"", NULL}, {"harvest/2", "\r\nUser-Agent: harvest/2\r\n"}};
    struct raw_server *server = raw_server_start(NULL);
    for (size_t i = 0; i < 2; i++) {
        life_open(life, &STOOK_CLIENT(.user_agent = agents[i].option));
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(server, "/echo"));
        const char *sent = ask_echo(life, batch);
        if (agents[i].sent)
            CHECK_CONTAINS(sent, agents[i].sent);
        else
            CHECK(strcasestr(sent, "\r\nUser-Agent") == NULL);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* A request's own goes instead of the client's, and others go beside it. */
TEST_BOTH(user_agents_of_requests)
{
    static const struct {
        const char *header, *sent;
    } agents[] = {{"X-One: 1", "\r\nUser-Agent: harvest/2\r\n"},
                  {"user-agent: other/3", "\r\nuser-agent: other/3\r\n"},
                  {"User-Agent:", "\r\nUser-Agent:\r\n"},
                  {NULL, "\r\nUser-Agent: harvest/2\r\n"}};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.user_agent = "harvest/2"));
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++) {
        const char *headers[] = {agents[i].header, NULL};
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/echo"), .headers = headers);
        const char *sent = ask_echo(life, batch), *first = strcasestr(sent, "\r\nUser-Agent:");
        CHECK_CONTAINS(sent, agents[i].sent);
        CHECK(first != NULL && strcasestr(first + 2, "\r\nUser-Agent:") == NULL);
        stook_batch_free(batch);
    }
    life_close(life);
}

TEST(user_agents_that_cannot_be)
{
    stook_client *client = NULL;
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.user_agent = "one\r\nX-Two: 2"), &client), STOOK_EARG);
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.user_agent = "one\x7f"), &client), STOOK_EARG);
    CHECK(client == NULL);
}

TEST_BOTH(headers)
{
    static const char *const headers[] = {"X-One: 1", "X-Two:2", "X-Empty:", "X-Blank: ", "X-One: again",
                                          "Accept: text/plain", "Authorization: Bearer t", NULL};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/echo"), .headers = headers);
    const char *sent = ask_echo(life, batch);
    CHECK_CONTAINS(sent, "\r\nX-One: 1\r\n");
    CHECK_CONTAINS(sent, "\r\nX-Two:2\r\n");
    CHECK_CONTAINS(sent, "\r\nX-Empty:\r\n");
    CHECK_CONTAINS(sent, "\r\nX-Blank:\r\n");
    CHECK_CONTAINS(sent, "\r\nX-One: again\r\n");
    CHECK_CONTAINS(sent, "\r\nAccept: text/plain\r\n");
    CHECK_CONTAINS(sent, "\r\nAuthorization: Bearer t\r\n");
    CHECK(strstr(sent, "Accept: */*") == NULL);
    stook_batch_free(batch);
}

/* One after the other on one connection: the next request has nothing of the one before. */
TEST_BOTH(methods)
{
    static const struct {
        const char *method, *body, *line;
    } asked[] = {
        {NULL, NULL, "GET"},       {"POST", "one", "POST"},  {"GET", NULL, "GET"},
        {"PUT", "two", "PUT"},     {"DELETE", NULL, "DELETE"}, {"PATCH", "three", "PATCH"},
        {"OPTIONS", NULL, "OPTIONS"}, {NULL, "four", "POST"}, {"POST", NULL, "POST"},
        {"DELETE", "five", "DELETE"}, {"PUT", NULL, "PUT"},   {"get", NULL, "get"},
        {"PROPFIND", NULL, "PROPFIND"}, {"GET", "six", "GET"}, {NULL, NULL, "GET"},
    };
    enum { ASKED = sizeof asked / sizeof asked[0] };
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < ASKED; i++)
        ADD(batch, .url = raw_url(server, "/echo"), .method = asked[i].method, .body = asked[i].body,
            .body_size = asked[i].body ? STOOK_AUTO : 0);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    for (size_t i = 0; i < ASKED; i++) {
        const char *sent = stook_result_body(stook_batch_result(batch, i), NULL);
        const char *line = text("%s /echo HTTP/1.1\r\n", asked[i].line);
        test_note("request %zu, sent as %s", i, sent);
        CHECK(strncmp(sent, line, strlen(line)) == 0);
        CHECK_STR(strstr(sent, "\r\n\r\n") + 4, asked[i].body ? asked[i].body : "");
        CHECK(strcasestr(sent, "\r\nExpect:") == NULL);
        CHECK(strcasestr(sent, "\r\nTransfer-Encoding:") == NULL);
        CHECK(strcasestr(sent, "x-www-form-urlencoded") == NULL);
        if (asked[i].body)
            CHECK_CONTAINS(sent, text("\r\nContent-Length: %zu\r\n", strlen(asked[i].body)));
        else if (strcmp(asked[i].line, "POST") != 0)
            CHECK(strcasestr(sent, "\r\nContent-Length:") == NULL);
    }
    CHECK_EQ_INT(raw_connections(server), 1);
    stook_batch_free(batch);
}

/* The answer to HEAD has a length and no body; the connection goes on. */
TEST_BOTH(head)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 2; i++) {
        size_t size = 1;
        add_method(batch, raw_url(server, "/big?n=1000"), "HEAD");
        add(batch, raw_url(server, "/big?n=1000"));
        CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
        stook_result_body(stook_batch_result(batch, 0), &size);
        CHECK_EQ_SIZE(size, 0);
        CHECK_STR(stook_result_header(stook_batch_result(batch, 0), "Content-Length"), "1000");
        stook_result_body(stook_batch_result(batch, 1), &size);
        CHECK_EQ_SIZE(size, 1000);
        stook_batch_free(batch);
        batch = life_batch(life);
    }
    CHECK_EQ_INT(raw_connections(server), 1);
    stook_batch_free(batch);
}

/* A body is bytes, not a string; and a long one is sent without asking first. */
TEST_BOTH(bodies)
{
    enum { LONG = 3000000 };
    static const char odd[] = "a\0b\xff\n\0";
    struct raw_server *server = raw_server_start(NULL);
    size_t size;
    char *lots = malloc(LONG);
    memset(lots, 'L', LONG);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/echo"), .body = odd, .body_size = sizeof odd);
    ADD(batch, raw_url(server, "/echo"), .body = lots, .body_size = LONG);
    memset(lots, '?', LONG);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
    const char *sent = stook_result_body(stook_batch_result(batch, 0), &size);
    CHECK(memcmp(sent + size - sizeof odd, odd, sizeof odd) == 0);
    sent = stook_result_body(stook_batch_result(batch, 1), &size);
    CHECK_CONTAINS(sent, "\r\nContent-Length: 3000000\r\n");
    CHECK(strcasestr(sent, "\r\nExpect:") == NULL);
    CHECK_EQ_SIZE(size, (size_t)(strstr(sent, "\r\n\r\n") + 4 - sent) + LONG);
    CHECK(sent[size - 1] == 'L' && sent[size - LONG] == 'L' && sent[size] == '\0');
    stook_batch_free(batch);
    free(lots);
}
