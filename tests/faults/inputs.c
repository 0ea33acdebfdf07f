/* SPDX-License-Identifier: MIT */
/*
 * What a program may ask for: group U. A bad URL, method, header or body is that request's result, and
 * nothing of it reaches a server. PORT in a URL is the server's. Names are looked up here, so that no
 * question leaves the machine.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/faults.h"
#include "support/harness.h"
#include "support/process.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    (void)name, (void)service, (void)hints, (void)ret;
    return EAI_NONAME;
}

static const char *url_of_row(const struct faults *faults, size_t row)
{
    static char url[256];
    const char *given = faults->rows[row].request.url, *port;
    if (!given)
        return raw_url(faults->server, "/f/%zu", row);
    if ((port = strstr(given, "PORT")) == NULL)
        return given;
    CHECK(snprintf(url, sizeof url, "%.*s%d%s", (int)(port - given), given,
                   raw_port(faults->server), port + 4) < (int)sizeof url);
    return url;
}

static void run(const struct fault *rows, size_t count)
{
    struct faults faults = {.rows = rows, .count = count, .url = url_of_row,
                            .server = faults_server(rows, count, NULL, 0)};
    faults_run(&faults);
    for (size_t row = 0; row < count; row++) {
        test_note("%s", rows[row].id);
        if (rows[row].error)
            CHECK_EQ_INT(raw_seen(faults.server, text("/f/%zu", row)), 0);
    }
}

/* ---------------------------------------------------------------------- URLs */

#define IS_REFUSED(id_, url_) {.id = id_, .error = STOOK_EURL, .request = {.url = url_}}
#define IS_AGAINST_POLICY(id_, url_) {.id = id_, .error = STOOK_EPOLICY, .request = {.url = url_}}
#define IS_FETCHED(id_, url_, body_)                                                               \
    {.id = id_, .status = 200, .body = body_, .request = {.url = url_}}

TEST(urls)
{
    static const struct fault rows[] = {
        IS_REFUSED("U01 empty", ""),
        IS_REFUSED("U01 spaces", "   "),
        IS_REFUSED("U01 no URL", "not a url"),
        IS_REFUSED("U01 no host", "http://"),
        IS_REFUSED("U01 a path for a host", "http:///ok"),
        IS_REFUSED("U02 no scheme", "127.0.0.1:PORT/path/1"),
        IS_REFUSED("U02 no scheme, two slashes", "//127.0.0.1:PORT/path/1"),
        IS_AGAINST_POLICY("U03 file", "file:///etc/hostname"),
        IS_AGAINST_POLICY("U03 ftp", "ftp://127.0.0.1:PORT/"),
        IS_AGAINST_POLICY("U03 gopher", "gopher://127.0.0.1:PORT/_x"),
        IS_AGAINST_POLICY("U03 dict", "dict://127.0.0.1:PORT/d:x"),
        IS_AGAINST_POLICY("U03 ldap", "ldap://127.0.0.1:PORT/"),
        IS_AGAINST_POLICY("U03 smb", "smb://127.0.0.1:PORT/x/y"),
        IS_AGAINST_POLICY("U03 scp", "scp://127.0.0.1:PORT/x"),
        IS_AGAINST_POLICY("U03 telnet", "telnet://127.0.0.1:PORT/"),
        IS_AGAINST_POLICY("U03 tftp", "tftp://127.0.0.1:PORT/x"),
        IS_AGAINST_POLICY("U03 imap", "imap://127.0.0.1:PORT/"),
        IS_AGAINST_POLICY("U03 ws", "ws://127.0.0.1:PORT/"),
        IS_FETCHED("U04 upper case", "HTTP://127.0.0.1:PORT/path/1", "/path/1"),
        IS_FETCHED("U04 mixed case", "hTtP://127.0.0.1:PORT/path/1", "/path/1"),
        IS_AGAINST_POLICY("U05 a user name", "http://evil.example@127.0.0.1:PORT/path/1"),
        IS_AGAINST_POLICY("U05 a password", "http://user:hush-hush-7355608@127.0.0.1:PORT/path/1"),
        IS_AGAINST_POLICY("U05 both are empty", "http://:@127.0.0.1:PORT/path/1"),
        IS_AGAINST_POLICY("U05 an encoded @", "http://a%40b@127.0.0.1:PORT/path/1"),
        IS_REFUSED("U05 two @", "http://a@b@127.0.0.1:PORT/path/1"),
        IS_REFUSED("U06 a backslash", "http://127.0.0.1:PORT\\@evil.example/"),
        IS_REFUSED("U06 a backslash in the path", "http://127.0.0.1:PORT/a\\b"),
        IS_FETCHED("U06 # and @", "http://127.0.0.1:PORT/path/1#@evil.example/", "/path/1"),
        IS_REFUSED("U06 a tab", "http://127.0.0.1:PORT/a\tb"),
        IS_REFUSED("U06 CR", "http://127.0.0.1:PORT/a\rb"),
        IS_REFUSED("U06 LF", "http://127.0.0.1:PORT/a\nb"),
        IS_REFUSED("U06 another request", "http://127.0.0.1:PORT/a HTTP/1.1\r\nX: y\r\n\r\nGET /b"),
        IS_REFUSED("U06 DEL", "http://127.0.0.1:PORT/a\x7f"),
        IS_REFUSED("U06 a control byte", "http://127.0.0.1:PORT/a\x01"),
        IS_FETCHED("U06 % alone", "http://127.0.0.1:PORT/path/%", "/path/%"),
        IS_REFUSED("U06 a NUL in the host", "http://127.0.0.%001:PORT/path/1"),
        IS_REFUSED("U07 port 0", "http://127.0.0.1:0/"),
        {.id = "U07 port 65535", .error = STOOK_ECONNECT, .request = {.url = "http://127.0.0.1:65535/"}},
        IS_REFUSED("U07 port 65536", "http://127.0.0.1:65536/"),
        IS_REFUSED("U07 port -1", "http://127.0.0.1:-1/"),
        IS_REFUSED("U07 port 80a", "http://127.0.0.1:80a/"),
        IS_REFUSED("U07 a port of 20 digits", "http://127.0.0.1:12345678901234567890/"),
        IS_REFUSED("U09 half an address", "http://[::1/"),
        IS_REFUSED("U09 no address", "http://[:::1]/"),
        {.id = "U10 full-width digits", .error = STOOK_EURL, .or_error = STOOK_EDNS,
         .request = {.url = "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:PORT/path/1"}},
        {.id = "U10 an ideographic full stop", .error = STOOK_EURL, .or_error = STOOK_EDNS,
         .request = {.url = "http://127\xe3\x80\x82" "0.0.1:PORT/path/1"}},
        {.id = "U10 a digit in a circle", .error = STOOK_EURL, .or_error = STOOK_EDNS,
         .request = {.url = "http://\xe2\x91\xa0" "27.0.0.1:PORT/path/1"}},
        {.id = "U10 no punycode", .error = STOOK_EURL, .or_error = STOOK_EDNS,
         .request = {.url = "http://xn--a:PORT/path/1"}},
        {.id = "U10 from right to left", .error = STOOK_EURL, .or_error = STOOK_EDNS,
         .request = {.url = "http://\xe2\x80\xae" "elpmaxe:PORT/path/1"}},
        {.id = "U10 bytes that are no UTF-8", .error = STOOK_EURL, .or_error = STOOK_EDNS,
         .request = {.url = "http://\xff\xfe:PORT/path/1"}},
    };
    run(rows, COUNT(rows));
}

/* A URL of that many bytes. */
static const char *long_url(const struct raw_server *server, size_t size)
{
    char *url = malloc(size + 1);
    memset(url, 'a', size);
    url[size] = '\0';
    const char *start = raw_url(server, "/ok/");
    memcpy(url, start, strlen(start));
    return url;
}

TEST(long_urls)
{
    static struct fault rows[] = {
        {.id = "U12 1 KB", .status = 200, .body = "ok"},
        {.id = "U12 64 KB", .status = 200, .body = "ok"},
        {.id = "U12 64 KB and one byte", .error = STOOK_EURL, .says = "longer than 65536 bytes"},
        {.id = "U12 8 MB", .costly = 1, .error = STOOK_EURL, .says = "longer than 65536 bytes"},
    };
    static const size_t sizes[] = {1024, 65536, 65536 + 1, 8 << 20};
    struct faults faults = {.rows = rows, .count = COUNT(rows), .url = url_of_row,
                            .server = faults_server(rows, COUNT(rows), NULL, 0)};
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i].request.url = long_url(faults.server, sizes[i]);
    faults_run(&faults);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *url;
        memcpy(&url, &rows[i].request.url, sizeof url); /* ours, and const for others only */
        free(url);
    }
}

/* ------------------------------------------------------------------ headers */

static enum raw_then ok(struct raw_call *call)
{
    return raw_answer(call, "ok", 2);
}

#define HEADER(id_, error_, ...)                                                                  \
    {.id = id_, .peer = {.answer = ok}, .error = error_,                                    \
     .request = {.headers = (const char *const[]){__VA_ARGS__, NULL}}}

TEST(headers)
{
    static char one_mb[(1 << 20) + 16];
    static const char *many[10000 + 1];
    memset(one_mb, 'v', sizeof one_mb - 1);
    memcpy(one_mb, "X-Long: ", 8);
    for (size_t i = 0; i < 10000; i++)
        many[i] = "X-Field: 0123456789012345";
    struct fault rows[] = {
        HEADER("U14 CR LF", STOOK_EARG, "X-A: b\r\nX-Injected: yes"),
        HEADER("U14 CR", STOOK_EARG, "X-A: b\rc"),
        HEADER("U14 LF", STOOK_EARG, "X-A: b\nc"),
        HEADER("U14 a control byte", STOOK_EARG, "X-A: b\x08"),
        HEADER("U14 a space in the name", STOOK_EARG, "X A: b"),
        HEADER("U14 a space before the colon", STOOK_EARG, "X-A : b"),
        HEADER("U14 a control byte in the name", STOOK_EARG, "X\x01: b"),
        HEADER("U14 no name", STOOK_EARG, ": b"),
        HEADER("U14 8 bits in the name", STOOK_EARG, "X-\xc3\xa4: b"),
        HEADER("U14 no colon", STOOK_EARG, "X-A"),
        HEADER("U14 a secret in a bad field", STOOK_EARG, "X-Api-Key: hush-hush-7355608\n"),
        {.id = "U14 8 bits in the value", .peer = {.answer = ok}, .status = 200, .body = "ok",
         .request = {.headers = (const char *const[]){"X-A: \xc3\xa4", NULL}}},
        HEADER("U15 Host", STOOK_EPOLICY, "Host: other"),
        HEADER("U15 Content-Length", STOOK_EPOLICY, "Content-Length: 1"),
        HEADER("U15 Transfer-Encoding", STOOK_EPOLICY, "Transfer-Encoding: chunked"),
        HEADER("U15 Connection", STOOK_EPOLICY, "Connection: keep-alive"),
        HEADER("U15 Expect", STOOK_EPOLICY, "Expect: 100-continue"),
        HEADER("U15 Upgrade", STOOK_EPOLICY, "Upgrade: h2c"),
        HEADER("U15 TE", STOOK_EPOLICY, "TE: trailers"),
        HEADER("U15 Proxy-Authorization", STOOK_EPOLICY, "Proxy-Authorization: Basic eDp5"),
        {.id = "U16 a header of 1 MB", .peer = {.answer = ok}, .costly = 1, .error = STOOK_EARG,
         .request = {.headers = (const char *const[]){one_mb, NULL}}},
        {.id = "U16 10,000 headers", .peer = {.answer = ok}, .costly = 1, .error = STOOK_EARG,
         .says = "256 fields", .request = {.headers = many}},
    };
    run(rows, COUNT(rows));
}

/* ------------------------------------------------------- methods and bodies */

static enum raw_then echo_method(struct raw_call *call)
{
    char line[64];
    int size = snprintf(line, sizeof line, "%s, %zu", call->method, call->body_size);
    return raw_answer(call, line, (size_t)size);
}

#define METHOD(id_, method_, error_)                                                               \
    {.id = id_, .peer = {.answer = echo_method}, .error = error_, .request = {.method = method_}}
#define SENT(id_, method_, body_, size_, answer_)                                                  \
    {.id = id_, .peer = {.answer = echo_method}, .status = 200, .body = answer_,                   \
     .request = {.method = method_, .body = body_, .body_size = size_}}

TEST(methods)
{
    static char long_method[301];
    memset(long_method, 'M', sizeof long_method - 1);
    struct fault rows[] = {
        METHOD("U17 empty", "", STOOK_EARG),
        METHOD("U17 a space", "GE T", STOOK_EARG),
        METHOD("U17 CR LF", "GET / HTTP/1.1\r\nX: y\r\n\r\nGET", STOOK_EARG),
        METHOD("U17 300 bytes", long_method, STOOK_EARG),
        METHOD("U17 CONNECT", "CONNECT", STOOK_EPOLICY),
        METHOD("U17 connect", "connect", STOOK_EPOLICY),
        METHOD("U17 TRACE", "TRACE", STOOK_EPOLICY),
        SENT("U17 lower case", "get", NULL, 0, "get, 0"),
        SENT("U17 of one's own", "M-SEARCH", NULL, 0, "M-SEARCH, 0"),
        SENT("U18 a body of no bytes", "PUT", "ignored", STOOK_NONE, "PUT, 0"),
        {.id = "U18 a body without a size", .peer = {.answer = echo_method}, .error = STOOK_EARG, .says = "STOOK_AUTO",
         .request = {.method = "PUT", .body = "abc"}},
        SENT("U18 a POST without a body", "POST", NULL, 0, "POST, 0"),
        SENT("U18 fewer bytes than there are", "POST", "abcdef", 3, "POST, 3"),
        SENT("U19 GET with a body", "GET", "abc", 3, "GET, 3"),
        SENT("U19 DELETE with a body", "DELETE", "abc", 3, "DELETE, 3"),
        {.id = "U19 HEAD with a body", .peer = {.answer = echo_method}, .error = STOOK_EARG,
         .request = {.method = "HEAD", .body = "abc", .body_size = 3}},
    };
    run(rows, COUNT(rows));
}
