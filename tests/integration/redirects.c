/* SPDX-License-Identifier: MIT */
/* Redirects: which are followed, with what request, what goes along to another origin, and what is shown. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"

/* "/hop?302&http://127.0.0.1:1/x": that status with that Location. */
static enum raw_then hop(struct raw_call *call)
{
    const char *to = strchr(call->query, '&');
    raw_say(call, "HTTP/1.1 %ld Redirect\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nhop\n", strtol(call->query, NULL, 10),
            to != NULL ? to + 1 : "");
    return RAW_KEEP;
}

static enum raw_then slow_hop(struct raw_call *call)
{
    raw_pause(60);
    return hop(call);
}

static enum raw_then large_hop(struct raw_call *call)
{
    static char block[65536];
    raw_say(call, "HTTP/1.1 302 Redirect\r\nLocation: /ok\r\nContent-Length: 1000000000\r\n\r\n");
    for (int i = 0; i < 15000 && raw_send(call, block, sizeof block); i++)
        ;
    return RAW_CLOSE;
}

/* Waits until SLOTS requests wait here, then lets all of them go on. */
enum { SLOTS = 100 };
static void meet(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t full = PTHREAD_COND_INITIALIZER;
    static unsigned waiting, rounds;
    pthread_mutex_lock(&lock);
    unsigned round = rounds;
    if (++waiting == SLOTS) {
        waiting = 0;
        rounds++;
        pthread_cond_broadcast(&full);
    }
    while (round == rounds)
        pthread_cond_wait(&full, &lock);
    pthread_mutex_unlock(&lock);
}

static enum raw_then meeting_hop(struct raw_call *call)
{
    meet();
    return hop(call);
}

static enum raw_then meeting(struct raw_call *call)
{
    meet();
    return raw_answer(call, call->query, strlen(call->query));
}

#define TO(location) "HTTP/1.1 302 Found\r\nLocation: " location "\r\nContent-Length: 0\r\n\r\n"
static const struct raw_behaviour more[] = {
    {"/hop", .answer = hop},
    {"/slow-hop", .answer = slow_hop},
    {"/meeting-hop", .answer = meeting_hop},
    {"/meeting", .answer = meeting},
    {"/large-hop", .answer = large_hop},
    {"/none", "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno", .then = RAW_KEEP},
    {"/empty", TO(""), .then = RAW_KEEP},
    {"/blank", TO("  "), .then = RAW_KEEP},
    {"/space", TO("/path/a b"), .then = RAW_KEEP},
    {"/bytes", TO("/path/\xc3\xa9"), .then = RAW_KEEP},
    {"/file", TO("file:///etc/passwd"), .then = RAW_KEEP},
    {"/ftp", TO("ftp://127.0.0.1/x"), .then = RAW_KEEP},
    {"/script", TO("javascript:alert(1)"), .then = RAW_KEEP},
    {"/user", TO("http://me:pw@127.0.0.1/x"), .then = RAW_KEEP},
    {"/six", TO("http://[::1/x"), .then = RAW_KEEP},
    {"/port", TO("http://127.0.0.1:99999/x"), .then = RAW_KEEP},
    {"/host", TO("http:///x"), .then = RAW_KEEP},
    {"/slashes", TO("///127.0.0.1/x"), .then = RAW_KEEP},
    {"/back", TO("\\\\127.0.0.1\\x"), .then = RAW_KEEP},
    {"/opaque", TO("http:x"), .then = RAW_KEEP},
    {"/encoded", TO("http://%31%32%37.0.0.1/x"), .then = RAW_KEEP},
    {"/challenge", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
                   "Content-Length: 0\r\n\r\n", .then = RAW_KEEP},
    {"/fragment", TO("#there"), .then = RAW_KEEP},
    {"/trailer", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nLocation: /echo\r\n\r\n",
     .then = RAW_KEEP},
    {"/until-close-hop", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nConnection: close\r\n\r\nabc", .then = RAW_CLOSE},
    {"/two", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
    {"/twice", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
    {"/cut", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 10\r\n\r\nabc", .then = RAW_CLOSE},
    {"/chunks", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", .then = RAW_KEEP},
    {"/coded", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", .then = RAW_KEEP},
    {NULL},
};

static struct raw_server *server;
static struct raw_door doors[2];

static stook_batch *begin_as(struct life *life, const struct stook_client_options *options)
{
    memset(doors, 0, sizeof doors);
    server = raw_server_open(more, doors, 2);
    life_open(life, options);
    return life_batch(life);
}

static stook_batch *begin(struct life *life)
{
    return begin_as(life, NULL);
}

/* A URL of one of two origins. */
static const char *at(int door, const char *path)
{
    return text("http://127.0.0.1:%d%s", doors[door].port, path);
}

static const stook_result *result_of(stook_batch *batch, size_t index)
{
    return stook_batch_result_by_index(batch, index);
}

static const char *body_of(stook_batch *batch, size_t index)
{
    return stook_result_body(result_of(batch, index), NULL);
}

/* ---------------------------------------------------------------------- statuses and methods */

TEST_BOTH(methods_and_bodies)
{
    static const struct {
        const char *method, *body;
        int status;
        const char *next;
        int with_body;
    } rows[] = {
        {NULL, NULL, 301, "GET", 0},      {NULL, NULL, 302, "GET", 0},     {NULL, NULL, 303, "GET", 0},
        {NULL, NULL, 307, "GET", 0},      {NULL, NULL, 308, "GET", 0},     {NULL, "abc", 301, "GET", 0},
        {NULL, "abc", 302, "GET", 0},     {NULL, "abc", 303, "GET", 0},    {NULL, "abc", 307, "POST", 1},
        {NULL, "abc", 308, "POST", 1},    {"PUT", "abc", 301, "PUT", 1},   {"PUT", "abc", 302, "PUT", 1},
        {"PUT", "abc", 303, "GET", 0},    {"PUT", "abc", 307, "PUT", 1},   {"DELETE", NULL, 302, "DELETE", 0},
        {"DELETE", NULL, 303, "GET", 0},  {"POST", NULL, 302, "GET", 0},   {"POST", NULL, 308, "POST", 0},
        {"PATCH", "abc", 308, "PATCH", 1}, {"GET", "abc", 303, "GET", 0}, {"PROPFIND", NULL, 301, "PROPFIND", 0},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    stook_batch *batch = begin(life);
    const char *const headers[] = {"Content-Type: text/x-test", "Content-Language: en", "X-Mine: 1", NULL};
    for (size_t i = 0; i < ROWS; i++)
        ADD(batch, at(0, text("/hop?%d&/echo", rows[i].status)), .method = rows[i].method, .body = rows[i].body,
            .body_size = rows[i].body != NULL ? 3 : 0, .headers = headers, .max_redirects = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < ROWS; i++) {
        const stook_result *result = result_of(batch, i);
        const char *sent = body_of(batch, i);
        int status = 0;
        test_note("row %zu: %s", i, sent);
        CHECK(strncmp(sent, text("%s /echo HTTP/1.1\r\n", rows[i].next), strlen(rows[i].next) + 17) == 0);
        CHECK(strstr(sent, "X-Mine: 1\r\n") != NULL);
        CHECK_EQ_INT(strstr(sent, "\r\n\r\nabc") != NULL, rows[i].with_body);
        /* A field about a body that is not sent is gone; one of a request without a body stays. */
        int dropped = strcmp(rows[i].next, rows[i].method != NULL ? rows[i].method : rows[i].body ? "POST" : "GET") != 0 ||
                      rows[i].status == 303;
        CHECK_EQ_INT(strstr(sent, "Content-Type: text/x-test\r\n") != NULL, !dropped);
        CHECK_EQ_INT(strstr(sent, "Content-Language: en\r\n") != NULL, !dropped);
        CHECK_EQ_SIZE(stook_result_hop_count(result), 1);
        CHECK_STR(stook_result_hop_at(result, 0, &status), stook_result_url(result));
        CHECK_EQ_INT(status, rows[i].status);
        CHECK(stook_result_hop_at(result, 1, NULL) == NULL);
        CHECK_STR(stook_result_final_url(result), at(0, "/echo"));
        CHECK_EQ_INT(stook_result_attempts(result), 2);
        CHECK_EQ_INT(stook_result_status(result), 200);
        CHECK_STR(stook_result_message(result), "OK");
    }
    stook_batch_free(batch);
}

TEST_BOTH(head_stays_head)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(0, "/hop?303&/echo"), .method = "HEAD", .max_redirects = 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_STR(body_of(batch, 0), "");
    CHECK_EQ_INT(raw_seen(server, "/echo"), 1);
    CHECK_EQ_SIZE(stook_result_hop_count(result_of(batch, 0)), 1);
    stook_batch_free(batch);
}

/* What is an answer: not asked for, another status, no Location. */
TEST_BOTH(answers)
{
    static const char *const paths[] = {"/hop?300&/echo", "/hop?304&", "/hop?305&/echo", "/hop?306&/echo",
                                        "/hop?399&/echo", "/none", "/empty", "/blank", "/hop?200&/echo", "/hop?201&/echo"};
    enum { PATHS = sizeof paths / sizeof *paths };
    stook_batch *batch = begin(life);
    for (size_t i = 0; i < PATHS; i++)
        ADD(batch, at(0, paths[i]), .max_redirects = 50);
    ADD(batch, at(0, "/hop?302&/echo"));
    ADD(batch, at(0, "/hop?302&/echo"), .max_redirects = STOOK_NONE);
    life_gather(life, batch, NULL);
    for (size_t i = 0; i < PATHS + 2; i++) {
        const stook_result *result = result_of(batch, i);
        test_note("%s: %s", stook_result_url(result), stook_result_message(result));
        CHECK_EQ_INT(stook_result_error(result), 0);
        CHECK_EQ_SIZE(stook_result_hop_count(result), 0);
        CHECK(stook_result_hop_at(result, 0, NULL) == NULL);
        CHECK_STR(stook_result_final_url(result), stook_result_url(result));
    }
    CHECK_STR(body_of(batch, PATHS), "hop\n");
    CHECK_EQ_INT(raw_seen(server, "/echo"), 0);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------------------ the URL */

TEST_BOTH(locations)
{
    static const struct {
        const char *from, *location, *final; /* after scheme, host and port; NULL: a path of its own */
    } rows[] = {
        {"/hop", "/path/x", "/path/x"},
        {"/hop", "path/x", "/path/x"},
        {"/hop/a/b", "../path/x", "/hop/path/x"},
        {"/hop/a/b", "./../../path/x", "/path/x"},
        {"/hop", "?200", "/hop?200"},
        {"/hop", "/path/x#there", "/path/x#there"},
        {"/space", NULL, "/path/a%20b"},
        {"/bytes", NULL, "/path/%C3%A9"},
        {"/twice", NULL, "/ok"},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    stook_batch *batch = begin(life);
    for (size_t i = 0; i < ROWS; i++)
        ADD(batch, rows[i].location != NULL ? at(0, text("%s?302&%s", rows[i].from, rows[i].location)) : at(0, rows[i].from),
            .max_redirects = 1);
    ADD(batch, at(0, text("/hop?302&//127.0.0.1:%d/path/x", doors[1].port)), .max_redirects = 1);
    ADD(batch, at(0, "/hop?302&/path/x#old"), .max_redirects = 1);
    ADD(batch, at(0, "/fragment"), .max_redirects = 1);
    life_gather(life, batch, NULL);
    for (size_t i = 0; i < ROWS; i++) {
        const char *final = stook_result_final_url(result_of(batch, i));
        test_note("%s to %s: %s, %s", rows[i].from, rows[i].location, final, stook_result_message(result_of(batch, i)));
        CHECK(strcasecmp(final, at(0, rows[i].final)) == 0);
    }
    CHECK_STR(stook_result_final_url(result_of(batch, ROWS)), at(1, "/path/x"));
    CHECK_STR(stook_result_final_url(result_of(batch, ROWS + 1)), at(0, "/path/x#old")); /* inherited */
    CHECK_STR(stook_result_final_url(result_of(batch, ROWS + 2)), at(0, "/fragment#there")); /* for ever */
    stook_batch_free(batch);
}

TEST_BOTH(refused)
{
    static const struct {
        const char *path;
        int error;
        const char *why;
    } rows[] = {
        {"/file", STOOK_EPOLICY, "the scheme is file"},   {"/ftp", STOOK_EPOLICY, "the scheme is ftp"},
        {"/user", STOOK_EPOLICY, "user name or password"}, {"/script", STOOK_EPOLICY, "the scheme is javascript"},
        {"/six", STOOK_EREDIRECT, "URL"},                  {"/port", STOOK_EREDIRECT, "URL"},
        {"/host", STOOK_EREDIRECT, "URL"},                 {"/encoded", STOOK_EREDIRECT, "URL"},
        {"/slashes", STOOK_EREDIRECT, "URL"},              {"/back", STOOK_EREDIRECT, "backslash"},
        {"/opaque", STOOK_EREDIRECT, "URL"},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    stook_batch *batch = begin(life);
    for (size_t i = 0; i < ROWS; i++)
        ADD(batch, at(0, rows[i].path), .max_redirects = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const stook_result *result = result_of(batch, i);
        test_note("%s: %s", rows[i].path, stook_result_message(result));
        CHECK_ERROR(stook_result_error(result), rows[i].error);
        CHECK_CONTAINS(stook_result_message(result), rows[i].why);
        CHECK_EQ_INT(stook_result_status(result), 302);
        CHECK(stook_result_header(result, "Location") != NULL);
        CHECK_EQ_SIZE(stook_result_hop_count(result), 0);
        CHECK_STR(stook_result_final_url(result), stook_result_url(result));
    }
    CHECK_EQ_INT(raw_seen(server, "/ok") + raw_seen(server, "/echo"), 0);
    stook_batch_free(batch);
}

/* Two readings. libcurl 8.14 leaves them to us, 8.23 refuses them itself. */
TEST_BOTH(several_locations)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(0, "/two"), .max_redirects = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = result_of(batch, 0);
    if (stook_result_error(result) != STOOK_EPROTOCOL)
        CHECK_ERROR(stook_result_error(result), STOOK_EREDIRECT);
    CHECK_CONTAINS(stook_result_message(result), "Location");
    CHECK_EQ_INT(raw_seen(server, "/ok") + raw_seen(server, "/echo"), 0);
    stook_batch_free(batch);
}

/* One more than the maximum. */
TEST_BOTH(maximum)
{
    stook_batch *batch = begin(life);
    char *loop = strdup(at(0, "/hop/loop?302&/hop/loop"));
    /* It leads to itself without its query, so its second response has no Location: ask for one that has. */
    ADD(batch, at(0, "/hop/1?302&/hop/2?302&/hop/3?302&/hop/4?302&/ok"), .max_redirects = 4);
    ADD(batch, at(0, "/hop/1?302&/hop/2?302&/hop/3?302&/hop/4?302&/ok"), .max_redirects = 3);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_EQ_SIZE(stook_result_hop_count(result_of(batch, 0)), 4);
    CHECK_STR(body_of(batch, 0), "ok");
    const stook_result *result = result_of(batch, 1);
    CHECK_ERROR(stook_result_error(result), STOOK_EREDIRECT);
    CHECK_CONTAINS(stook_result_message(result), "more than max_redirects, 3");
    CHECK_EQ_SIZE(stook_result_hop_count(result), 3);
    CHECK_EQ_INT(stook_result_status(result), 302);
    CHECK_STR(stook_result_final_url(result), at(0, "/hop/4?302&/ok"));
    for (size_t i = 0; i < 3; i++)
        CHECK_CONTAINS(stook_result_hop_at(result, i, NULL), text("/hop/%zu?", i + 1));
    CHECK_EQ_INT(raw_seen(server, "/ok"), 1);
    free(loop);
    stook_batch_free(batch);
}

/* --------------------------------------------------------------------------- another origin */

static const char *const secrets[] = {"Authorization: Bearer t", "Cookie: a=b", "X-Api-Key: k", "X-Other: o",
                                      "Accept: text/x", "Accept-Language: fr", "User-Agent: me", "Content-Type: text/y",
                                      "Content-Encoding: z", "Content-Language: en", "Referer: r", NULL};

/* Which of them arrived, a letter each. */
static const char *arrived(const char *sent)
{
    static char letters[32];
    size_t n = 0;
    for (size_t i = 0; secrets[i] != NULL; i++)
        if (strstr(sent, text("%s\r\n", secrets[i])) != NULL)
            letters[n++] = (char)('a' + i);
    letters[n] = '\0';
    return letters;
}

TEST_BOTH(across_origins)
{
    static const char *const names[] = {"x-api-key", "Content-Language", NULL}, *const none[] = {NULL};
    stook_batch *batch = begin(life);
    char *away = strdup(at(0, text("/hop?307&%s", at(1, "/echo"))));
    char *back = strdup(at(0, text("/hop?307&%s", at(1, text("/hop?307&%s", at(0, "/echo"))))));
    ADD(batch, at(0, "/hop?307&/echo"), .body = "x", .body_size = 1, .headers = secrets, .max_redirects = 5);
    ADD(batch, away, .body = "x", .body_size = 1, .headers = secrets, .max_redirects = 5);
    ADD(batch, away, .headers = secrets, .max_redirects = 5);
    ADD(batch, away, .body = "x", .body_size = 1, .headers = secrets, .max_redirects = 5, .redirect_headers = names);
    ADD(batch, back, .body = "x", .body_size = 1, .headers = secrets, .max_redirects = 5);
    ADD(batch, away, .username = "u", .password = "p", .max_redirects = 5);
    ADD(batch, away, .bearer = "token", .max_redirects = 5, .redirect_headers = none);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_STR(arrived(body_of(batch, 0)), "abcdefghijk");
    CHECK_STR(arrived(body_of(batch, 1)), "efghi");
    CHECK_STR(arrived(body_of(batch, 2)), "efghi"); /* the fields of a body that is not there do no harm */
    CHECK_STR(arrived(body_of(batch, 3)), "cefghij");
    CHECK_STR(arrived(body_of(batch, 4)), "efghi"); /* and do not come back */
    CHECK_EQ_SIZE(stook_result_hop_count(result_of(batch, 4)), 2);
    for (size_t i = 5; i < 7; i++)
        CHECK(strstr(body_of(batch, i), "Authorization") == NULL);
    stook_batch_free(batch);
    free(away);
    free(back);
}

/* libcurl writes an address anew. An origin that is the same as it is written stays the same. */
TEST_BOTH(spellings_of_an_origin)
{
    static const char *const hosts[] = {"127.1", "0x7f.0.0.1", "017700000001", "127.0.0.1", "LOCALHOST"};
    enum { HOSTS = sizeof hosts / sizeof *hosts };
    stook_batch *batch = begin(life);
    for (size_t i = 0; i < HOSTS; i++) {
        char *base = strdup(text("http://%s:%d", hosts[i], doors[0].port));
        ADD(batch, text("%s/hop?302&/echo?%%20", base), .headers = secrets, .max_redirects = 1);
        ADD(batch, text("%s/hop?302&/echo", base), .headers = secrets, .max_redirects = 1);
        ADD(batch, text("%s/hop?302&%s/echo?%%20", base, base), .headers = secrets, .max_redirects = 1);
        ADD(batch, text("%s/hop?302&//%s:%d/echo", base, hosts[i], doors[0].port), .headers = secrets, .max_redirects = 1);
        free(base);
    }
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 4 * HOSTS; i++) {
        test_note("%s to %s", stook_result_url(result_of(batch, i)), stook_result_final_url(result_of(batch, i)));
        CHECK_STR(arrived(body_of(batch, i)), "abcdefghijk");
    }
    stook_batch_free(batch);
}

/* A list of the client, and a request that has its own. */
TEST_BOTH(headers_of_the_client)
{
    static const char *const names[] = {"Authorization", NULL}, *const none[] = {NULL};
    stook_batch *batch = begin_as(life, &STOOK_CLIENT(.max_redirects = 2, .redirect_headers = names));
    char *away = strdup(at(0, text("/hop?302&%s", at(1, "/echo"))));
    ADD(batch, away, .headers = secrets);
    ADD(batch, away, .headers = secrets, .redirect_headers = none);
    ADD(batch, away, .headers = secrets, .max_redirects = STOOK_NONE);
    life_gather(life, batch, NULL);
    CHECK_STR(arrived(body_of(batch, 0)), "aefghi");
    CHECK_STR(arrived(body_of(batch, 1)), "efghi");
    CHECK_EQ_INT(stook_result_status(result_of(batch, 2)), 302);
    stook_batch_free(batch);
    free(away);
}

/* The challenge of another origin is not answered. */
TEST_BOTH(digest_across_origins)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(0, "/hop?302&/challenge/same"), .username = "u", .password = "p", .auth = STOOK_AUTH_DIGEST, .max_redirects = 5);
    ADD(batch, at(0, text("/hop?302&%s", at(1, "/challenge/other"))), .username = "u", .password = "p",
        .auth = STOOK_AUTH_DIGEST, .max_redirects = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 2);
    CHECK_EQ_INT(stook_result_status(result_of(batch, 0)), 401);
    CHECK_EQ_INT(stook_result_status(result_of(batch, 1)), 401);
    CHECK_EQ_INT(raw_seen(server, "/challenge/same"), 2);
    CHECK_EQ_INT(stook_result_attempts(result_of(batch, 0)), 3); /* all that was sent */
    CHECK_EQ_INT(raw_seen(server, "/challenge/other"), 1);
    stook_batch_free(batch);
}

/* A Unix socket is the place of one origin: a redirect stays there, or is refused. */
TEST_BOTH(from_a_unix_socket)
{
    const char *path = text("%s/socket", temporary_directory());
    memset(doors, 0, sizeof doors);
    doors[1].unix_path = path;
    server = raw_server_open(more, doors, 2);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, "http://a.test/hop?302&/path/x", .unix_socket = path, .max_redirects = 5);
    ADD(batch, text("http://a.test/hop?302&%s", at(0, "/path/y")), .unix_socket = path, .max_redirects = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_STR(body_of(batch, 0), "/path/x");
    CHECK_ERROR(stook_result_error(result_of(batch, 1)), STOOK_EPOLICY);
    CHECK_CONTAINS(stook_result_message(result_of(batch, 1)), "Unix socket");
    CHECK_EQ_INT(raw_seen(server, "/path/y"), 0);
    stook_batch_free(batch);
}

/* From http to https the request's certificate stays behind; the client's is for every server. Never back. */
TEST_BOTH(over_tls, nginx)
{
    struct nginx *nginx = nginx_start();
    char *cert, *key;
    nginx_make_client(nginx, "somebody");
    cert = strdup(nginx_file(nginx, "somebody.pem"));
    key = strdup(nginx_file(nginx, "somebody.key"));
    for (int round = 0; round < 2; round++) {
        memset(doors, 0, sizeof doors);
        server = raw_server_open(more, doors, 2);
        life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .max_redirects = 2, .client_cert = round ? cert : NULL,
                                      .client_key = round ? key : NULL));
        stook_batch *batch = life_batch(life);
        char *away = strdup(at(0, text("/hop?302&https://127.0.0.4:%d/", nginx->tls_port)));
        if (round == 0)
            ADD(batch, away, .client_cert = cert, .client_key = key);
        else
            ADD(batch, away, .resolve = (const char *const[]){"x.test:1:127.0.0.1", NULL});
        ADD(batch, text("https://127.0.0.4:%d/", nginx->tls_port), .client_cert = cert, .client_key = key);
        CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
        CHECK_CONTAINS(body_of(batch, 0), round ? "SUCCESS:" : "NONE:");
        CHECK_CONTAINS(body_of(batch, 1), "SUCCESS:");
        stook_batch_free(batch);
        free(away);
        life_close(life);
    }
    free(cert);
    free(key);
}

/* The same over TLS and HTTP/2, whose server writes Location as an absolute URL. */
TEST_BOTH(by_every_way, nginx)
{
    struct nginx *nginx = nginx_start();
    for (size_t w = 0; w < nginx_ways_size; w++) {
        const struct way *way = &nginx_ways[w];
        life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = way->version, .max_redirects = 3));
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 40; i++) {
            const char *path = text("/%snumber/%d", i % 4 == 3 ? "moved/moved/moved/" : i % 4 == 2 ? "moved/moved/" : i % 4 == 1 ? "moved/" : "", i);
            add(batch, way->tls ? nginx_tls_url(nginx, "%s", path) : nginx_url(nginx, "%s", path));
        }
        CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 7)), 0);
        for (int i = 0; i < 40; i++) {
            const stook_result *result = result_of(batch, (size_t)i);
            CHECK_STR(stook_result_body(result, NULL), text("%d", i));
            CHECK_STR(stook_result_protocol(result), way->protocol);
            CHECK_EQ_SIZE(stook_result_hop_count(result), (size_t)i % 4);
        }
        stook_batch_free(batch);
        life_close(life);
    }
}

/* ------------------------------------------------------------------------- bodies, what is shown */

struct shown {
    int heads, status;
    size_t bytes;
    size_t hops;
};

static int on_head(stook_batch *batch, const stook_result *result, void *user)
{
    struct shown *shown = user;
    (void)batch;
    shown->heads++;
    shown->status = stook_result_status(result);
    shown->hops = stook_result_hop_count(result);
    CHECK_CONTAINS(stook_result_url(result), "/hop");
    CHECK_CONTAINS(stook_result_final_url(result), "/pour");
    return 0;
}

static int on_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct shown *shown = user;
    (void)batch, (void)data;
    CHECK_EQ_INT(stook_result_status(result), 200);
    shown->bytes += size;
    return 0;
}

TEST_BOTH(only_the_last_is_shown)
{
    struct shown shown = {0};
    stook_batch *batch = begin(life);
    const char *path = text("%s/out", temporary_directory());
    ADD(batch, at(0, text("/hop?302&%s", at(1, "/hop?302&/pour?n=100000"))), .on_head = on_head, .on_body = on_body,
        .user = &shown, .max_redirects = 5);
    ADD(batch, at(0, "/hop?302&/pour?n=100000"), .output_file = path, .max_redirects = 5);
    ADD(batch, at(0, "/hop?302&/status?code=404"), .output_file = text("%s.none", path), .max_redirects = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_EQ_INT(shown.heads, 1);
    CHECK_EQ_INT(shown.status, 200);
    CHECK_EQ_SIZE(shown.hops, 2);
    CHECK_EQ_SIZE(shown.bytes, 100000);
    CHECK_EQ_INT(stook_result_ok(result_of(batch, 1)), 1);
    CHECK_EQ_INT(access(path, R_OK), 0);
    CHECK(access(text("%s.none", path), R_OK) != 0);
    stook_batch_free(batch);
}

static void on_progress(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    struct shown *shown = user;
    (void)batch;
    CHECK_EQ_INT(stook_result_status(result) == 0 || stook_result_hop_count(result) == 1, 1);
    CHECK_CONTAINS(stook_result_final_url(result), stook_result_hop_count(result) == 1 ? "/echo" : "/hop");
    if (stook_result_status(result) == 0 && progress->sent > 0)
        shown->hops = stook_result_hop_count(result);
}

/* What a callback gets before the response of a hop says which hop it is. */
TEST_BOTH(progress_of_hops)
{
    struct shown shown = {0};
    stook_batch *batch = begin(life);
    char *body = calloc(1, 4000000);
    CHECK(body != NULL);
    ADD(batch, at(0, text("/hop?307&%s", at(1, "/echo"))), .body = body, .body_size = 4000000, .on_progress = on_progress,
        .user = &shown, .max_redirects = 5);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_SIZE(shown.hops, 1);
    stook_batch_free(batch);
    free(body);
}

/* Its body is read if it is short, so that the connection stays, and else not. */
TEST_BOTH(bodies_of_redirects)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(0, "/large-hop"), .max_redirects = 1, .max_body_bytes = 10);
    ADD(batch, at(0, "/chunks"), .max_redirects = 1);
    ADD(batch, at(0, "/coded"), .max_redirects = 1, .decompress = 1);
    ADD(batch, at(0, "/trailer"), .max_redirects = 1);
    ADD(batch, at(0, "/until-close-hop"), .max_redirects = 1, .strict = 1);
    ADD(batch, at(0, "/cut"), .max_redirects = 1);
    life_gather(life, batch, NULL);
    for (size_t i = 0; i < 5; i++) {
        test_note("%zu: %s", i, stook_result_message(result_of(batch, i)));
        CHECK_STR(body_of(batch, i), "ok");
    }
    CHECK_ERROR(stook_result_error(result_of(batch, 5)), STOOK_ETRUNCATED);
    stook_batch_free(batch);
    unsigned before = raw_connections(server);
    batch = life_batch(life);
    ADD(batch, at(1, "/hop?302&/hop?302&/hop?302&/ok"), .max_redirects = 9);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(raw_connections(server), before + 1);
    stook_batch_free(batch);
}

struct giver {
    int calls, rewinds;
};

static int64_t give(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    struct giver *giver = user;
    (void)batch, (void)index;
    CHECK(size >= 3);
    memcpy(buffer, "abc", 3);
    return giver->calls++ % 2 == 0 ? 3 : 0;
}

static int again(stook_batch *batch, size_t index, void *user)
{
    struct giver *giver = user;
    (void)batch, (void)index;
    giver->rewinds++;
    return 0;
}

TEST_BOTH(bodies_that_are_sent_again)
{
    struct giver givers[3] = {{0, 0}};
    stook_batch *batch = begin(life);
    const char *path = text("%s/in", temporary_directory());
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs("abc", file) >= 0 && fclose(file) == 0);
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "n", .value = "abc", .value_size = 3),
                                              &STOOK_PART(.name = "f", .file = path), NULL};
    char *away = strdup(at(0, text("/hop?307&%s", at(1, "/echo"))));
    ADD(batch, away, .body_file = path, .max_redirects = 1);
    ADD(batch, away, .parts = parts, .max_redirects = 1);
    ADD(batch, away, .body_read = give, .body_rewind = again, .user = &givers[0], .max_redirects = 1);
    ADD(batch, away, .body_read = give, .user = &givers[1], .max_redirects = 1);
    ADD(batch, at(0, "/hop?302&/echo"), .body_read = give, .user = &givers[2], .max_redirects = 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    for (size_t i = 0; i < 3; i++)
        CHECK_CONTAINS(strstr(body_of(batch, i), "\r\n\r\n"), "abc");
    CHECK_EQ_INT(givers[0].rewinds, 1);
    const stook_result *result = result_of(batch, 3);
    CHECK_ERROR(stook_result_error(result), STOOK_EREDIRECT);
    CHECK_CONTAINS(stook_result_message(result), "body_rewind");
    CHECK_EQ_INT(stook_result_status(result), 307);
    CHECK(strncmp(body_of(batch, 4), "GET /echo ", 10) == 0);
    stook_batch_free(batch);
    free(away);
}

static void release(void *body, void *user)
{
    (void)body;
    ++*(int *)user;
}

TEST_BOTH(borrowed_bodies_are_released_once)
{
    int released[2] = {0, 0};
    stook_batch *batch = begin(life);
    ADD(batch, at(0, "/hop?307&/hop?302&/ok"), .body = "abc", .body_size = 3, .body_release = release, .user = &released[0],
        .max_redirects = 5);
    ADD(batch, at(0, "/hop?307&/hop?307&/ok"), .body = "abc", .body_size = 3, .body_release = release, .user = &released[1],
        .max_redirects = 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    stook_batch_free(batch);
    life_close(life);
    CHECK_EQ_INT(released[0], 1);
    CHECK_EQ_INT(released[1], 1);
}

/* ------------------------------------------------------------------- order, limits, clocks, ends */

/* Runs the loop until the third request has its result: then the second waits for its next hop. */
static void run_until_third(struct life *life, stook_batch *batch)
{
    while (stook_batch_result_by_index(batch, 2) == NULL)
        life->borrowed ? uv_run(&life->loop, UV_RUN_ONCE) : stook_client_turn(life->client, STOOK_NONE);
}

static void in_order(stook_batch *batch, const stook_result *result, void *user)
{
    size_t *next = user;
    (void)batch;
    CHECK_EQ_SIZE(stook_result_index(result), *next);
    CHECK_STR(stook_result_message(result), "OK");
    CHECK_EQ_SIZE(stook_result_hop_count(result), *next % 4);
    ++*next;
}

TEST_BOTH(ordered_over_hops)
{
    size_t next = 0;
    stook_batch *batch = begin(life);
    for (int i = 0; i < 400; i++) {
        char *url = strdup(at(i % 2, text("/path/%d", i)));
        for (int k = 0; k < i % 4; k++) {
            char *longer = strdup(at((i + k) % 2, text("/hop/%d?302&%s", k, url)));
            free(url);
            url = longer;
        }
        ADD(batch, url, .max_redirects = 3, .priority = 1 + i % 7);
        free(url);
    }
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 10, .window = 12, .on_result = in_order, .user = &next)),
                 0);
    CHECK_EQ_SIZE(next, 400);
    CHECK(raw_peak_of_all(server) <= 10);
    stook_batch_free(batch);
}

/* A hop waits for room at its new origin, and holds no slot meanwhile. */
TEST_BOTH(limits_of_the_new_origin)
{
    stook_batch *batch = begin_as(life, &STOOK_CLIENT(.origin_limit = 1, .max_redirects = 2));
    add(batch, at(1, "/after?path=/open"));
    add(batch, at(0, text("/hop?302&%s", at(1, "/path/last"))));
    add(batch, at(0, "/path/open"));
    struct done done = {0, 0};
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.limit = 2), count_done, &done), 0);
    run_until_third(life, batch);
    CHECK(stook_batch_result_by_index(batch, 1) == NULL);
    CHECK_EQ_INT(raw_seen(server, "/path/last"), 0);
    raw_signal(server, "/open");
    life_run(life);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 0);
    CHECK_STR(body_of(batch, 1), "/path/last");
    stook_batch_free(batch);
}

/* The oldest hop is the next: none waits for those that were redirected after it. */
TEST_BOTH(hops_take_turns)
{
    stook_batch *batch = begin_as(life, &STOOK_CLIENT(.origin_limit = 1, .max_redirects = 2));
    for (int i = 0; i < 20; i++)
        add(batch, at(0, text("/hop/%d?302&%s", i, at(1, text("/path/%d", i)))));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 20; i++)
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result(batch, i)), i);
    struct stook_stats stats = STOOK_STATS();
    CHECK_ERROR(stook_client_stats(life->client, &stats), 0);
    CHECK_EQ_INT(stats.started, 20);
    stook_batch_free(batch);
}

/* One whole clock over all hops, and an attempt's for each. */
TEST_BOTH(clocks)
{
    stook_batch *batch = begin(life);
    ADD(batch, at(0, "/slow-hop?302&/slow-hop?302&/slow-hop?302&/stall"), .timeout_ms = 150, .max_redirects = 9);
    ADD(batch, at(0, "/slow-hop?302&/slow-hop?302&/slow-hop?302&/ok"), .attempt_timeout_ms = 5000, .max_redirects = 9);
    ADD(batch, at(0, "/hop?302&/stall"), .attempt_timeout_ms = 100, .max_redirects = 9);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 2);
    CHECK_ERROR(stook_result_error(result_of(batch, 0)), STOOK_ETIMEOUT_TOTAL);
    CHECK_EQ_INT(stook_result_ok(result_of(batch, 1)), 1);
    CHECK_EQ_SIZE(stook_result_hop_count(result_of(batch, 1)), 3);
    CHECK_ERROR(stook_result_error(result_of(batch, 2)), STOOK_ETIMEOUT_ATTEMPT);
    CHECK_EQ_SIZE(stook_result_hop_count(result_of(batch, 2)), 1);
    CHECK_STR(stook_result_final_url(result_of(batch, 2)), at(0, "/stall"));
    stook_batch_free(batch);
}

/* It ends while its next hop waits for the origin. */
static void end_while_waiting(struct life *life, int how)
{
    stook_batch *batch = begin_as(life, &STOOK_CLIENT(.origin_limit = 1, .max_redirects = 2));
    struct done done = {0, 0};
    add(batch, at(1, "/stall"));
    add(batch, at(0, text("/hop?302&%s", at(1, "/path/last"))));
    add(batch, at(0, "/path/open"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    run_until_third(life, batch);
    if (how == 0) {
        stook_batch_cancel_request(batch, 1);
        stook_batch_cancel_request(batch, 0);
        life_run(life);
    } else if (how == 1) {
        stook_batch_cancel(batch);
        life_run(life);
    } else {
        life_close(life);
    }
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 2);
    const stook_result *result = result_of(batch, 1);
    CHECK_ERROR(stook_result_error(result), how == 2 ? STOOK_ECLOSED : STOOK_ECANCELLED);
    CHECK_EQ_SIZE(stook_result_hop_count(result), 1);
    CHECK_STR(stook_result_final_url(result), at(1, "/path/last"));
    CHECK_EQ_INT(stook_result_may_have_been_sent(result), 1);
    stook_batch_free(batch);
}

TEST_BOTH(cancelled_while_it_waits)
{
    end_while_waiting(life, 0);
}

TEST_BOTH(batch_cancelled_while_it_waits)
{
    end_while_waiting(life, 1);
}

TEST_BOTH(closed_while_it_waits)
{
    end_while_waiting(life, 2);
}

static void drained(void *user)
{
    ++*(int *)user;
}

/* A drain lets hops go on. */
TEST_BOTH(drained_while_it_waits)
{
    stook_batch *batch = begin_as(life, &STOOK_CLIENT(.origin_limit = 1, .max_redirects = 2));
    struct done done = {0, 0};
    add(batch, at(1, "/after?path=/open"));
    add(batch, at(0, text("/hop?302&%s", at(1, "/hop?302&/path/last"))));
    add(batch, at(0, "/path/open"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    run_until_third(life, batch);
    stook_client *client = life->client;
    life->client = NULL;
    CHECK_ERROR(stook_client_drain(client, STOOK_NONE, drained, &life->closed), 0);
    raw_signal(server, "/open");
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    else
        CHECK_ERROR(stook_client_run(client), 0);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 0);
    CHECK_STR(body_of(batch, 1), "/path/last");
    CHECK_EQ_SIZE(stook_result_hop_count(result_of(batch, 1)), 2);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------------ input, memory */

TEST_BOTH(bad_input)
{
    static const char *const bad[] = {"X-Ok", "not a name", NULL}, *const empty[] = {"", NULL};
    static const struct {
        int64_t max;
        const char *const *names;
    } rows[] = {{51, NULL}, {-2, NULL}, {INT64_MAX, NULL}, {5, bad}, {5, empty}};
    stook_batch *batch = begin(life);
    stook_client *client = NULL;
    for (size_t i = 0; i < 3; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(at(0, "/ok"), .max_redirects = rows[i].max)), STOOK_EARG);
    for (size_t i = 0; i < 5; i++)
        CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.max_redirects = rows[i].max, .redirect_headers = rows[i].names), &client),
                    STOOK_EARG);
    stook_batch_free(batch);
    batch = life_batch(life);
    for (size_t i = 3; i < 5; i++)
        ADD(batch, at(0, "/ok"), .max_redirects = 5, .redirect_headers = rows[i].names);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 2);
    for (size_t i = 0; i < 2; i++) {
        CHECK_ERROR(stook_result_error(result_of(batch, i)), STOOK_EARG);
        CHECK_CONTAINS(stook_result_message(result_of(batch, i)), "redirect_headers");
    }
    CHECK_EQ_SIZE(stook_result_hop_count(NULL), 0);
    CHECK(stook_result_hop_at(NULL, 0, NULL) == NULL);
    stook_batch_free(batch);
}

/* A thousand redirects at a limit of a hundred. The server answers a hundred at once, and only then, so a slot
   that idled while something waited would stop it for good. */
TEST_BOTH(no_slot_idles)
{
    enum { REQUESTS = 1000 };
    stook_batch *batch = begin(life);
    for (int i = 0; i < REQUESTS; i++)
        ADD(batch, at(0, text("/meeting-hop?302&/meeting?%d", i)), .max_redirects = 3);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = SLOTS)), 0);
    for (size_t i = 0; i < REQUESTS; i++) {
        CHECK_EQ_SIZE(stook_result_hop_count(stook_batch_result(batch, i)), 1);
        CHECK_STR(stook_result_body(stook_batch_result(batch, i), NULL), text("%zu", i));
    }
    stook_batch_free(batch);
}

static void flow(struct life *life)
{
    static struct shown shown;
    struct story story;
    story_begin(&story, life);
    story_add_request(&story, &STOOK_REQUEST(at(0, "/hop?307&/hop?302&/path/x"), .body = "abc", .body_size = 3,
                                             .headers = secrets, .max_redirects = 5));
    story_add_request(&story, &STOOK_REQUEST(at(0, "/hop?302&/pour?n=1000"), .on_head = on_head, .on_body = on_body,
                                             .user = &shown, .max_redirects = 5));
    story_add_request(&story, &STOOK_REQUEST(at(0, "/file"), .max_redirects = 5));
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    memset(doors, 0, sizeof doors);
    server = raw_server_open(more, doors, 2);
    fail_nth(flow);
}
