/* SPDX-License-Identifier: MIT */
/* on_easy: what a program may set on an easy handle, and what has no effect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>
#include <stook/curl.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

static enum raw_then redirect_to(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", call->query);
    return RAW_KEEP;
}

/* Wants credentials that libcurl makes after a challenge. */
static enum raw_then digest(struct raw_call *call)
{
    if (strstr(call->head, "\r\nAuthorization: Digest ") != NULL)
        return raw_answer(call, "in", 2);
    raw_say(call, "HTTP/1.1 401 Who\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
                  "Content-Length: 3\r\n\r\nwho");
    return RAW_KEEP;
}

static const struct raw_behaviour more[] = {
    {"/to", .answer = redirect_to},
    {"/digest", .answer = digest},
    {"/never", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale=true\r\n"
               "Content-Length: 3\r\n\r\nwho", .then = RAW_KEEP},
    {NULL},
};

static struct raw_server *server;
static int (*hook)(CURL *easy, void *user);
static int calls;
static char urls[1024];

static int on_easy(stook_client *client, CURL *easy, const char *url, void *user)
{
    CHECK(client != NULL && easy != NULL);
    calls++;
    snprintf(urls + strlen(urls), sizeof urls - strlen(urls), "%s ", strrchr(url, '/'));
    return hook(easy, user);
}

static void begin(struct life *life, int (*with)(CURL *easy, void *user))
{
    server = raw_server_start(more);
    hook = with;
    calls = 0;
    urls[0] = '\0';
    life_open(life, &STOOK_CLIENT(.on_easy = on_easy));
}

static const stook_result *of(stook_batch *batch, size_t index)
{
    const stook_result *result = stook_batch_result_by_index(batch, index);
    test_note("request %zu: %d, %s", index, stook_result_status(result), stook_result_message(result));
    return result;
}

static int nothing(CURL *easy, void *user)
{
    (void)easy, (void)user;
    return 0;
}

/* ------------------------------------------------------------------------------- what it is for */

static char netrc[300];

static int use_netrc(CURL *easy, void *user)
{
    (void)user;
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    return curl_easy_setopt(easy, CURLOPT_NETRC_FILE, netrc) != CURLE_OK;
}

TEST_BOTH(netrc_is_read)
{
    snprintf(netrc, sizeof netrc, "%s/netrc", temporary_directory());
    write_file(netrc, "machine 127.0.0.1 login me password pw\n");
    begin(life, use_netrc);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/echo"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(strstr(stook_result_body(of(batch, 0), NULL), "\r\nAuthorization: Basic bWU6cHc=\r\n") != NULL);
    stook_batch_free(batch);
}

static int use_digest(CURL *easy, void *user)
{
    (void)user;
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_ANY);
    return curl_easy_setopt(easy, CURLOPT_USERPWD, "me:pw") != CURLE_OK;
}

/* A scheme of libcurl's takes several sendings, which are counted; but not without end. */
TEST_BOTH(challenges_are_answered)
{
    begin(life, use_digest);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/digest"));
    ADD(batch, raw_url(server, "/digest"), .body = "abc", .body_size = 3);
    add(batch, raw_url(server, "/never"));
    life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1));
    for (size_t i = 0; i < 2; i++) {
        CHECK_STR(stook_result_body(of(batch, i), NULL), "in");
        CHECK_EQ_INT((int)stook_result_attempts(of(batch, i)), 2);
    }
    CHECK_ERROR(stook_result_error(of(batch, 2)), 0);
    CHECK_EQ_INT(stook_result_status(of(batch, 2)), 401);
    CHECK(raw_seen(server, "/never") <= 3);
    stook_batch_free(batch);
}

static int note_user(CURL *easy, void *user)
{
    return curl_easy_setopt(easy, CURLOPT_USERNAME, (const char *)user) != CURLE_OK;
}

/* For each attempt, with its URL and the user of the request; connections stay. */
TEST_BOTH(called_for_each_attempt)
{
    static char one[] = "one", two[] = "two", three[] = "three";
    begin(life, note_user);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/to?/echo"), .user = one, .max_redirects = 3);
    ADD(batch, raw_url(server, "/ok"), .user = two);
    ADD(batch, raw_url(server, "/close-reused"), .user = three);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)) >= 0, 1);
    CHECK(strncmp(urls, "/echo /echo /ok ", 16) == 0);
    CHECK(strstr(stook_result_body(of(batch, 0), NULL), "\r\nAuthorization: Basic b25lOg==\r\n") != NULL); /* one: */
    CHECK_EQ_INT(stook_result_reused(of(batch, 1)), 1);
    CHECK_EQ_INT(calls, 1 + (int)stook_result_attempts(of(batch, 0)) - 1 + (int)stook_result_attempts(of(batch, 1)) +
                            (int)stook_result_attempts(of(batch, 2)));
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------- what has no effect */

static size_t steal(char *data, size_t one, size_t size, void *user)
{
    (void)data, (void)one, (void)size, (void)user;
    FAIL("a callback of the program was called");
}

static struct curl_slist *evil_list;
static curl_mime *evil_bodies[32];

static int set_everything(CURL *easy, void *user)
{
    (void)user;
    CHECK(calls <= 32);
    curl_mime *evil_body = evil_bodies[calls - 1] = curl_mime_init(easy);
    curl_mime_name(curl_mime_addpart(evil_body), "evil");
    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/evil");
    curl_easy_setopt(easy, CURLOPT_PORT, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "EVIL");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "evil");
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, evil_body);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, evil_list);
    curl_easy_setopt(easy, CURLOPT_COOKIE, "evil=1");
    curl_easy_setopt(easy, CURLOPT_REFERER, "evil");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "evil");
    curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, "/evil");
    curl_easy_setopt(easy, CURLOPT_RANGE, "1-2");
    curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)3);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, evil_list);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, evil_list);
    curl_easy_setopt(easy, CURLOPT_PROXY, "http://127.0.0.1:1");
    curl_easy_setopt(easy, CURLOPT_PRE_PROXY, "socks5://127.0.0.1:1");
    curl_easy_setopt(easy, CURLOPT_PROXYTYPE, (long)CURLPROXY_SOCKS4);
    curl_easy_setopt(easy, CURLOPT_TRAILERFUNCTION, (curl_trailer_callback)(void (*)(void))steal);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_HAPROXYPROTOCOL, 1L);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, "/evil");
    curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, "/evil");
    curl_easy_setopt(easy, CURLOPT_DOH_URL, "https://127.0.0.1:1/");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "ftp");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_0);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TRANSFER_ENCODING, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
    curl_easy_setopt(easy, CURLOPT_IGNORE_CONTENT_LENGTH, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADER, 1L);
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1000000000L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)1);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, steal);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, steal);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, steal);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, (curl_opensocket_callback)(void (*)(void))steal);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, (curl_closesocket_callback)(void (*)(void))steal);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, (curl_prereq_callback)(void (*)(void))steal);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, (curl_resolver_start_callback)(void (*)(void))steal);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, (curl_xferinfo_callback)(void (*)(void))steal);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, "evil");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 0L);
    return 0;
}

static const char *const paths[] = {"/echo", "/path/7", "/big?n=50000", "/chunks", "/to?/ok", "/status?code=404"};
enum { PATHS = sizeof paths / sizeof *paths };

static void add_all(stook_batch *batch)
{
    static const char *const headers[] = {"X-Mine: 1", NULL};
    for (int i = 0; i < PATHS; i++)
        ADD(batch, raw_url(server, "%s", paths[i]), .headers = headers);
    ADD(batch, raw_url(server, "/echo"), .method = "PUT", .body = "abc", .body_size = 3);
    ADD(batch, raw_url(server, "/path/9"), .method = "HEAD");
}

/* Each of the options, all together: every answer is that of a client without on_easy. */
TEST_BOTH(options_of_ours)
{
    stook_batch *plain, *batch;
    evil_list = curl_slist_append(NULL, "::127.0.0.1:1");
    begin(life, set_everything);
    batch = life_batch(life);
    add_all(batch);
    life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1));
    stook_client *other;
    CHECK_ERROR(stook_client_new(NULL, NULL, &other), 0);
    CHECK_ERROR(stook_batch_new(other, &plain), 0);
    add_all(plain);
    stook_gather_ordered(plain, &STOOK_GATHER(.limit = 1));
    for (size_t i = 0; i < PATHS + 2; i++) {
        const stook_result *one = of(batch, i), *two = stook_batch_result(plain, i);
        CHECK_EQ_INT(stook_result_status(one), stook_result_status(two));
        CHECK_STR(stook_result_message(one), stook_result_message(two));
        CHECK_STR(stook_result_body(one, NULL), stook_result_body(two, NULL));
        CHECK_EQ_INT(stook_result_reused(one), stook_result_reused(two));
        CHECK_EQ_SIZE(stook_result_header_count(one), stook_result_header_count(two));
    }
    stook_batch_free(plain);
    stook_client_close(other, NULL, NULL);
    stook_batch_free(batch);
    life_close(life);
    curl_slist_free_all(evil_list);
    for (int i = 0; i < calls; i++)
        curl_mime_free(evil_bodies[i]);
    life_open(life, NULL);
}

/* With cookies too, whose engine is an option that libcurl keeps as a list. */
TEST_BOTH(beside_cookies)
{
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_PSL))
        test_skip("this libcurl knows no public suffixes");
    server = raw_server_start(more);
    hook = nothing;
    calls = 0;
    life_open(life, &STOOK_CLIENT(.on_easy = on_easy, .cookies = 1));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 3; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

static int reset_it(CURL *easy, void *user)
{
    (void)user;
    curl_easy_setopt(easy, CURLOPT_NETRC, 1L);
    curl_easy_reset(easy);
    return 0;
}

TEST_BOTH(reset)
{
    static int (*const ways[])(CURL *, void *) = {nothing, reset_it};
    for (size_t i = 0; i < 2; i++) {
        begin(life, ways[i]);
        stook_batch *batch = life_batch(life);
        for (int n = 0; n < 3; n++)
            add(batch, raw_url(server, "/path/%d", n));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        for (size_t n = 0; n < 3; n++)
            CHECK_STR(stook_result_body(of(batch, n), NULL), text("/path/%zu", n));
        stook_batch_free(batch);
        life_close(life);
    }
    life_open(life, NULL);
}

/* ------------------------------------------------------------------------------ what is refused */

static CURLM *elsewhere;

static int take_second(CURL *easy, void *user)
{
    (void)user;
    return calls == 2 && curl_multi_add_handle(elsewhere, easy) != CURLM_OK;
}

static int refuse_second(CURL *easy, void *user)
{
    (void)easy, (void)user;
    return calls == 2;
}

TEST_BOTH(refused_and_taken)
{
    static int (*const ways[])(CURL *, void *) = {refuse_second, take_second};
    static const char *const messages[] = {"on_easy refused the request",
                                           "on_easy has added the easy handle to a multi handle"};
    for (size_t i = 0; i < 2; i++) {
        elsewhere = curl_multi_init();
        begin(life, ways[i]);
        stook_batch *batch = life_batch(life);
        for (int n = 0; n < 4; n++)
            add(batch, raw_url(server, "/path/%d", n));
        CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
        CHECK_ERROR(stook_result_error(of(batch, 1)), STOOK_ECALLBACK);
        CHECK_CONTAINS(stook_result_message(of(batch, 1)), messages[i]);
        CHECK_EQ_INT(stook_result_may_have_been_sent(of(batch, 1)), 0);
        stook_batch_free(batch);
        batch = life_batch(life);
        add(batch, raw_url(server, "/ok"));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
        life_close(life);
        curl_multi_cleanup(elsewhere);
    }
    life_open(life, NULL);
}
