/* SPDX-License-Identifier: MIT */
/* Proxies: group P. Each row has a proxy of its own; its neighbours use none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/certificates.h"
#include "support/faults.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_proxy.h"
#include "support/raw_tls.h"
#include "support/sockets.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PROXY "the proxy failed: "
#define REFUSED PROXY "it refused to connect to the origin, HTTP "
#define WHO PROXY "it asks for a user name and a password that it accepts, HTTP 407"

enum { ROWS_MAX = 32, CLEAR = 0, SECURE = 1, FIRST = 2 };

struct row {
    struct fault fault;
    struct raw_proxy proxy;
    const char *scheme;                   /* NULL: "http" */
    const char *user;                     /* "me:hush@"; NULL: none */
    int in_the_clear;                     /* the origin is the one without TLS */
    void (*serve)(struct raw_call *call); /* instead of raw_proxy_serve() */
};

static struct raw_door doors[FIRST + ROWS_MAX];
static const char long_head[1 << 20];

static const char *url_of_row(const struct faults *faults, size_t row)
{
    const struct row *rows = faults->user;
    return rows[row].in_the_clear
               ? text("http://127.0.0.1:%d/ok?token=hush-hush-7355608", doors[CLEAR].port)
               : text("https://127.0.0.1:%d/ok?token=hush-hush-7355608", doors[SECURE].port);
}

static const char *url_of_neighbour(const struct faults *faults, size_t row, size_t n)
{
    (void)faults, (void)row;
    return n % 2 ? text("https://127.0.0.1:%d/path/%zu", doors[SECURE].port, n)
                 : text("http://127.0.0.1:%d/path/%zu", doors[CLEAR].port, n);
}

static void run(struct row *rows, size_t count)
{
    static struct fault faults[ROWS_MAX];
    char(*urls)[128] = calloc(ROWS_MAX, sizeof *urls); /* of its own: faults/soak runs both tables at once */
    static struct raw_tls well;
    char ca[512];
    const char *directory = temporary_directory();
    CHECK(urls != NULL && count <= ROWS_MAX);
    certificates_standard(directory);
    snprintf(ca, sizeof ca, "%s/authority.pem", directory);
    well = (struct raw_tls){.directory = directory, .certificate = "leaf"};
    memset(doors, 0, sizeof doors);
    doors[SECURE] = (struct raw_door){.serve = raw_tls_serve, .arg = &well};
    for (size_t i = 0; i < count; i++) {
        doors[FIRST + i] = (struct raw_door){.serve = rows[i].serve != NULL ? rows[i].serve : raw_proxy_serve,
                                             .arg = &rows[i].proxy};
        faults[i] = rows[i].fault;
        faults[i].peer.bytes = "";
    }
    struct faults all = {.rows = faults, .count = count, .url = url_of_row, .user = rows, .neighbour = url_of_neighbour,
                         .server = faults_server(faults, count, doors, FIRST + count), .client = {.ca_file = ca}};
    for (size_t i = 0; i < count; i++) {
        snprintf(urls[i], sizeof *urls, "%s://%s127.0.0.1:%d", rows[i].scheme != NULL ? rows[i].scheme : "http",
                 rows[i].user != NULL ? rows[i].user : "", doors[FIRST + i].port);
        faults[i].request.proxy = urls[i];
    }
    faults_run(&all);
    free(urls);
}

/* ------------------------------------------------------------------------------------ HTTP */

#define REPLY(text_) .proxy = {.reply = (text_), .then = RAW_CLOSE}

TEST(http)
{
    static struct row rows[] = {
        {.fault = {.id = "P02 a tunnel", .body = "ok", .status = 200}},
        {.fault = {.id = "P02 with credentials", .body = "ok", .status = 200}, .user = "me:hush-hush-7355608@"},
        {.fault = {.id = "P02 403", .error = STOOK_EPROXY, .says = REFUSED "403"},
         REPLY("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")},
        {.fault = {.id = "P02 407 without credentials", .error = STOOK_EPROXY, .says = WHO},
         REPLY("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n")},
        {.fault = {.id = "P02 407 with credentials", .error = STOOK_EPROXY, .says = WHO}, .user = "me:hush-hush-7355608@",
         REPLY("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n")},
        {.fault = {.id = "P02 407 of Digest, with a body", .error = STOOK_EPROXY, .says = WHO}, .user = "me:hush-hush-7355608@",
         REPLY("HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nContent-Length: 2\r\n\r\nno")},
        {.fault = {.id = "P02 502", .error = STOOK_EPROXY, .says = REFUSED "502"},
         REPLY("HTTP/1.1 502 Bad Gateway\r\n\r\n")},
        {.fault = {.id = "P02 a redirect", .error = STOOK_EPROXY, .says = REFUSED "302", .request = {.max_redirects = 5}},
         REPLY("HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n")},
        {.fault = {.id = "P02 closed", .error = STOOK_EPROXY, .says = PROXY}, REPLY("")},
        {.fault = {.id = "P02 reset", .error = STOOK_EPROXY, .says = PROXY}, .proxy = {.reply = "", .then = RAW_RESET}},
        {.fault = {.id = "P02 silence", .error = STOOK_ETIMEOUT_ATTEMPT, .hangs = 1}, .proxy = {.reply = "", .then = RAW_HOLD}},
        {.fault = {.id = "P02 half a status line", .error = STOOK_EPROXY, .says = PROXY}, REPLY("HTTP/1.1 20")},
        {.fault = {.id = "P02 half a head, then silence", .error = STOOK_ETIMEOUT_ATTEMPT, .hangs = 1},
         .proxy = {.reply = "HTTP/1.1 200 OK\r\nX: y\r\n", .then = RAW_HOLD}},
        {.fault = {.id = "P02 no HTTP", .error = STOOK_EPROXY, .says = PROXY}, REPLY("garbage\r\n\r\n")},
        {.fault = {.id = "P02 a head of 1 MB", .error = STOOK_EPROXY, .says = PROXY, .costly = 1},
         .proxy = {.reply = long_head, .reply_size = sizeof long_head, .then = RAW_CLOSE}},
        {.fault = {.id = "P04 closed in the handshake", .error = STOOK_ETLS}, REPLY("HTTP/1.1 200 OK\r\n\r\n")},
        {.fault = {.id = "P02 200 and garbage", .error = STOOK_ETLS}, REPLY("HTTP/1.1 200 OK\r\n\r\ngarbage, no TLS at all")},
        {.fault = {.id = "P02 chunks in a 200", .error = STOOK_ETLS, .or_error = STOOK_EPROXY},
         REPLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")},
        {.fault = {.id = "P02 a length in a 200", .error = STOOK_ETLS, .or_error = STOOK_EPROXY},
         REPLY("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")},
        {.fault = {.id = "P04 reset in the handshake", .error = STOOK_ETLS, .or_error = STOOK_ERESET},
         .proxy = {.relayed = 1, .then = RAW_RESET}},
        {.fault = {.id = "P02 an http origin", .body = "ok", .status = 200}, .in_the_clear = 1},
    };
    run(rows, COUNT(rows));
}

/* ------------------------------------------------------------------------------------- SOCKS */

#define GREETS(bytes) .scheme = "socks5h", .proxy = {.socks = 1, .greeting = (bytes), .greeting_size = sizeof(bytes) - 1, .then = RAW_CLOSE}
#define SAYS(bytes) .scheme = "socks5h", .proxy = {.socks = 1, .reply = (bytes), .reply_size = sizeof(bytes) - 1, .then = RAW_CLOSE}

TEST(socks)
{
    static struct row rows[] = {
        {.fault = {.id = "P03 names here", .body = "ok", .status = 200}, .scheme = "socks5", .proxy = {.socks = 1}},
        {.fault = {.id = "P03 names there", .body = "ok", .status = 200}, .scheme = "socks5h", .proxy = {.socks = 1}},
        {.fault = {.id = "P03 a user", .body = "ok", .status = 200}, .scheme = "socks5h", .user = "me:hush-hush-7355608@",
         .proxy = {.socks = 1, .user = "me hush-hush-7355608"}},
        {.fault = {.id = "P03 a wrong password", .error = STOOK_EPROXY}, .scheme = "socks5h", .user = "me:hush-hush-7355608@",
         .proxy = {.socks = 1, .user = "me another"}},
        {.fault = {.id = "P03 no user", .error = STOOK_EPROXY}, .scheme = "socks5h", .proxy = {.socks = 1, .user = "me another"}},
        {.fault = {.id = "P03 no method", .error = STOOK_EPROXY}, GREETS("\5\xff")},
        {.fault = {.id = "P03 a method that was not offered", .error = STOOK_EPROXY}, GREETS("\5\1")},
        {.fault = {.id = "P03 version 4", .error = STOOK_EPROXY}, GREETS("\4\0")},
        {.fault = {.id = "P03 HTTP", .error = STOOK_EPROXY}, GREETS("HTTP/1.1 400 Bad\r\n\r\n")},
        {.fault = {.id = "P03 half a greeting", .error = STOOK_EPROXY}, GREETS("\5")},
        {.fault = {.id = "P03 closed", .error = STOOK_EPROXY}, GREETS("")},
        {.fault = {.id = "P03 reset", .error = STOOK_EPROXY}, .scheme = "socks5h", .proxy = {.socks = 1, .greeting = "", .then = RAW_RESET}},
        {.fault = {.id = "P03 silence", .error = STOOK_ETIMEOUT_ATTEMPT, .hangs = 1}, .scheme = "socks5h",
         .proxy = {.socks = 1, .greeting = "", .then = RAW_HOLD}},
        {.fault = {.id = "P03 silence behind the request", .error = STOOK_ETIMEOUT_ATTEMPT, .hangs = 1}, .scheme = "socks5h",
         .proxy = {.socks = 1, .reply = "", .then = RAW_HOLD}},
        {.fault = {.id = "P03 general failure", .error = STOOK_EPROXY}, SAYS("\5\1\0\1\0\0\0\0\0\0")},
        {.fault = {.id = "P03 network unreachable", .error = STOOK_EPROXY}, SAYS("\5\3\0\1\0\0\0\0\0\0")},
        {.fault = {.id = "P03 host unreachable", .error = STOOK_EPROXY}, SAYS("\5\4\0\1\0\0\0\0\0\0")},
        {.fault = {.id = "P03 refused", .error = STOOK_EPROXY}, SAYS("\5\5\0\1\0\0\0\0\0\0")},
        {.fault = {.id = "P03 half a reply", .error = STOOK_EPROXY}, SAYS("\5\0\0\1\0")},
        {.fault = {.id = "P03 an unknown address type", .error = STOOK_EPROXY}, SAYS("\5\0\0\7\0\0\0\0\0\0")},
        {.fault = {.id = "P03 version 4 in the reply", .error = STOOK_EPROXY}, SAYS("\4\0\0\1\0\0\0\0\0\0")},
        {.fault = {.id = "P04 closed in the handshake", .error = STOOK_ETLS, .or_error = STOOK_EPROXY}, SAYS("\5\0\0\1\0\0\0\0\0\0")},
        {.fault = {.id = "P04 closed before an answer", .error = STOOK_ERESET}, SAYS("\5\0\0\1\0\0\0\0\0\0"), .in_the_clear = 1},
    };
    run(rows, COUNT(rows));
}
