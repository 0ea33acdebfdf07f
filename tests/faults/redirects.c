/* SPDX-License-Identifier: MIT */
/* Redirects: group R. What they lead to is at another door, which sees to it that nothing is told to it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "support/faults.h"
#include "support/life.h"
#include "support/process.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ROWS_MAX = 48, FIRST = 0, OTHER = 1, DOORS = 2 };

static struct raw_door doors[DOORS];

/* Answers "ok" to a request without a secret, as every request to another origin must be. */
static enum raw_then clean(struct raw_call *call)
{
    if (strstr(call->head, "hush-hush") != NULL || strcasestr(call->head, "\r\nAuthorization:") != NULL ||
        strcasestr(call->head, "\r\nCookie:") != NULL || strcasestr(call->head, "\r\nX-") != NULL)
        return raw_answer(call, "told", 4);
    return raw_answer(call, "ok", 2);
}

static enum raw_then to(struct raw_call *call, int status, const char *location)
{
    raw_say(call, "HTTP/1.1 %d Redirect\r\nLocation: %s\r\nContent-Length: 3\r\n\r\nhop", status, location);
    return RAW_KEEP;
}

/* Both doors have the table, and the ports are known when the first request comes. */
static int port_of(struct raw_call *call, int door)
{
    return call->door[door - (call->door->arg == &doors[OTHER])].port;
}

static enum raw_then to_self(struct raw_call *call)
{
    return to(call, 302, call->path);
}

/* Its response has begun when the client gives up: the server does not count it then. */
static enum raw_then to_self_slowly(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 302 Redirect\r\n");
    raw_pause(40);
    raw_say(call, "Location: %s\r\nContent-Length: 0\r\n\r\n", call->path);
    return RAW_KEEP;
}

static enum raw_then to_door(struct raw_call *call, int status, int door, const char *path)
{
    char location[64];
    snprintf(location, sizeof location, "http://127.0.0.1:%d%s", port_of(call, door), path);
    return to(call, status, location);
}

static enum raw_then to_other(struct raw_call *call)
{
    return to_door(call, 307, OTHER, "/clean");
}

/* To the other origin, and from there back to the first. */
static enum raw_then to_other_and_back(struct raw_call *call)
{
    return to_door(call, 302, OTHER, "/back");
}

static enum raw_then back(struct raw_call *call)
{
    return to_door(call, 302, FIRST, "/clean");
}

/* "PUT abc", the method and the body that it got. */
static enum raw_then what(struct raw_call *call)
{
    char answer[64];
    int size = snprintf(answer, sizeof answer, "%s %.*s", call->method, (int)call->body_size, call->body);
    return raw_answer(call, answer, (size_t)size);
}

static enum raw_then to_what_302(struct raw_call *call)
{
    return to(call, 302, "/what");
}

static enum raw_then to_what_303(struct raw_call *call)
{
    return to(call, 303, "/what");
}

static enum raw_then to_what_308(struct raw_call *call)
{
    return to(call, 308, "/what");
}

static enum raw_then huge(struct raw_call *call)
{
    static char block[65536];
    raw_say(call, "HTTP/1.1 302 Redirect\r\nLocation: /ok\r\nContent-Length: 1000000000\r\n\r\n");
    for (int i = 0; i < 15000 && raw_send(call, block, sizeof block); i++)
        ;
    return RAW_CLOSE;
}

static enum raw_then long_location(struct raw_call *call)
{
    static char location[40001];
    memset(location, 'a', sizeof location - 1);
    location[0] = '/';
    raw_say(call, "HTTP/1.1 302 Redirect\r\nContent-Length: 0\r\nLocation: ");
    raw_send(call, location, sizeof location - 1);
    raw_say(call, "\r\n\r\n");
    return RAW_KEEP;
}

#define TO(location) .peer = {.bytes = "HTTP/1.1 302 Found\r\nLocation: " location "\r\nContent-Length: 0\r\n\r\n"}
#define REFUSED(id_, location, error_) {.id = id_, TO(location), .error = error_, .status = 302, .body = "", .request = {.max_redirects = 3}}
#define FOLLOWED(id_, location) {.id = id_, TO(location), .status = 200, .body = "ok", .request = {.max_redirects = 3}}
#define ANSWERED(id_, bytes_, status_, body_) {.id = id_, .peer = {.bytes = bytes_}, .status = status_, .body = body_, .request = {.max_redirects = 3}}

static int64_t read_once(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    static char first = 1;
    (void)batch, (void)index, (void)size, (void)user;
    first = !first;
    if (first)
        return 0;
    memcpy(buffer, "abc", 3);
    return 3;
}

TEST(redirects)
{
    static const char *const json[] = {"Content-Type: application/json", NULL};
    static const struct raw_behaviour paths[] = {{"/clean", .answer = clean}, {"/back", .answer = back}, {"/what", .answer = what}};
    static struct fault rows[ROWS_MAX] = {
        {.id = "R01 a loop", .peer = {.answer = to_self}, .error = STOOK_EREDIRECT, .status = 302, .says = "more than max_redirects, 4", .body = "",
         .hops = 4, .request = {.max_redirects = 4}},
        REFUSED("R02 file", "file:///etc/passwd", STOOK_EPOLICY),
        REFUSED("R02 scp", "scp://127.0.0.1/x", STOOK_EPOLICY),
        REFUSED("R02 gopher", "gopher://127.0.0.1/x", STOOK_EPOLICY),
        REFUSED("R02 dict", "dict://127.0.0.1/x", STOOK_EPOLICY),
        REFUSED("R02 javascript", "javascript:alert(1)", STOOK_EPOLICY),
        REFUSED("R02 data", "data:text/plain,x", STOOK_EPOLICY),
        REFUSED("R03 ftp", "ftp://127.0.0.1/x", STOOK_EPOLICY),
        {.id = "R06 another origin", .peer = {.answer = to_other}, .status = 200, .body = "ok", .request = {.max_redirects = 3}},
        {.id = "R07 back to the first", .peer = {.answer = to_other_and_back}, .status = 200, .body = "ok", .hops = 2,
         .request = {.max_redirects = 3}},
        REFUSED("R08 a user", "http://me@127.0.0.1/x", STOOK_EPOLICY),
        REFUSED("R08 a password", "http://me:pw@127.0.0.1/x", STOOK_EPOLICY),
        {.id = "R09 a POST, 302", .peer = {.answer = to_what_302}, .status = 200, .body = "GET ", .request = {.max_redirects = 3, .json = "[1]"}},
        {.id = "R09 a PUT, 303", .peer = {.answer = to_what_303}, .status = 200, .body = "GET ",
         .request = {.max_redirects = 3, .method = "PUT", .json = "[1]"}},
        {.id = "R09 a POST, 308", .peer = {.answer = to_what_308}, .status = 200, .body = "POST [1]",
         .request = {.max_redirects = 3, .json = "[1]", .headers = json}},
        {.id = "R09 a body that is used up", .peer = {.answer = to_what_308}, .error = STOOK_EREDIRECT, .status = 308, .body = "",
         .request = {.max_redirects = 3, .body_read = read_once}},
        ANSWERED("R10 no Location", "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno", 302, "no"),
        ANSWERED("R10 an empty Location", "HTTP/1.1 302 Found\r\nLocation:\r\nContent-Length: 2\r\n\r\nno", 302, "no"),
        ANSWERED("R10 a 300", "HTTP/1.1 300 Choices\r\nLocation: /ok\r\nContent-Length: 2\r\n\r\nno", 300, "no"),
        ANSWERED("R10 a 304", "HTTP/1.1 304 Not Modified\r\nLocation: /ok\r\n\r\n", 304, ""),
        ANSWERED("R10 a 305", "HTTP/1.1 305 Proxy\r\nLocation: /ok\r\nContent-Length: 2\r\n\r\nno", 305, "no"),
        {.id = "R10 two Locations", .peer = {.bytes = "HTTP/1.1 302 Found\r\nLocation: /ok\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n"},
         .error = STOOK_EREDIRECT, .or_error = STOOK_EPROTOCOL, .status = FAULT_ANY_STATUS, .body = "", .request = {.max_redirects = 3}},
        REFUSED("R10 a bad IPv6 address", "http://[::1/x", STOOK_EREDIRECT),
        REFUSED("R10 a bad port", "http://127.0.0.1:99999/x", STOOK_EREDIRECT),
        REFUSED("R10 no host", "http:///x", STOOK_EREDIRECT),
        REFUSED("R10 three slashes", "///x", STOOK_EREDIRECT),
        /* libcurl 8.23 encodes it, and that path is not there. */
        {.id = "R10 a control byte", TO("/o\001k"), .error = STOOK_EREDIRECT, .or_error = STOOK_EPROTOCOL, .either = 1, .status = FAULT_ANY_STATUS,
         .body = "", .request = {.max_redirects = 3}},
        FOLLOWED("R10 a path", "/ok"),
        FOLLOWED("R10 a relative path", "../ok"),
        FOLLOWED("R10 a fragment", "/ok#there"),
        {.id = "R10 a blank", TO("/o k"), .status = 404, .body = "", .request = {.max_redirects = 3}},
        {.id = "R10 a Location of 40 KB", .peer = {.answer = long_location}, .status = FAULT_ANY_STATUS, .body = "",
         .request = {.max_redirects = 3}, .costly = 1},
        {.id = "R12 a body of 1 GB", .peer = {.answer = huge}, .status = 200, .body = "ok", .request = {.max_redirects = 3}, .costly = 1},
        {.id = "R13 one deadline over all hops", .peer = {.answer = to_self_slowly}, .error = STOOK_ETIMEOUT_TOTAL, .status = FAULT_ANY_STATUS,
         .body = "", .hops = 50, .request = {.max_redirects = 50, .timeout_ms = 150}},
    };
    size_t count = 0;
    while (rows[count].id != NULL)
        count++;
    memset(doors, 0, sizeof doors);
    doors[OTHER].arg = &doors[OTHER];
    struct faults all = {.rows = rows, .count = count, .server = faults_server_with(rows, count, paths, COUNT(paths), doors, DOORS)};
    faults_run(&all);
}
