/* SPDX-License-Identifier: MIT */
/* Traps of libcurl's cookies: the CURLSH and its end, handles that have had cookies, paths, public suffixes. */
#include <stdlib.h>
#include <string.h>

#include "regress/dns.h"

static enum raw_then cookies(struct raw_call *call)
{
    const char *at = strstr(call->head, "\nCookie: ");
    raw_say(call, "HTTP/1.1 200 OK\r\nSet-Cookie: n%u=v; Path=/\r\nContent-Length: 3\r\n\r\n%s", call->seen, at != NULL ? "yes" : "no ");
    return RAW_KEEP;
}

static const struct raw_behaviour more[] = {{"/cookies", .answer = cookies}, {NULL}};

static struct raw_server *server;

/* ---------------------------------------------------------------------------------- the CURLSH */

static int shares, ended, failed;

CURLSH *curl_share_init(void)
{
    SPY_REAL(curl_share_init);
    shares++;
    return real();
}

CURLSHcode curl_share_cleanup(CURLSH *share)
{
    SPY_REAL(curl_share_cleanup);
    CURLSHcode code = real(share);
    ended++;
    failed += code != CURLSHE_OK;
    return code;
}

static void check_shares(void)
{
    CHECK_EQ_INT(ended, shares);
    CHECK_EQ_INT(failed, 0);
}

/* One for the cookies of the client, whatever else its requests differ in; TLS sessions are not in it. */
TEST_BOTH(one_share)
{
    shares = ended = failed = 0;
    memset(spy.share, 0, sizeof spy.share);
    server = raw_server_start(more);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 4; i++)
        ADD(batch, raw_url(server, "/cookies"), .cookies = 1, .ca_file = i % 2 ? text("/%d", i) : NULL);
    ADD(batch, raw_url(server, "/cookies"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    CHECK_STR(stook_result_body(stook_batch_result_by_index(batch, 3), NULL), "yes");
    CHECK_STR(stook_result_body(stook_batch_result_by_index(batch, 4), NULL), "no ");
    stook_batch_free(batch);
    CHECK_EQ_INT((int)spy.share[CURL_LOCK_DATA_COOKIE].count, 1);
    CHECK_EQ_INT((int)spy.share[CURL_LOCK_DATA_SSL_SESSION].count, 1);
    CHECK_EQ_INT(shares, 2);
    life_close(life);
    check_shares();
}

/* Without cookies there is none. */
TEST_BOTH(no_share)
{
    memset(spy.share, 0, sizeof spy.share);
    server = raw_server_start(more);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/cookies"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    CHECK_EQ_INT((int)spy.share[CURL_LOCK_DATA_COOKIE].count, 0);
}

/* An orphaned handle is attached to it: a CURLSH that is cleaned up too early stays for ever. */
TEST_BOTH(ended_after_orphans)
{
    shares = ended = failed = 0;
    server = begin(life, 300);
    stook_batch *batch = life_batch(life);
    ADD(batch, text("http://hung.test:%d/", raw_port(server)), .cookies = 1, .attempt_timeout_ms = 50);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    stook_batch_free(batch);
    life_close(life);
    check_shares();
}

/* ------------------------------------------------------------------------------------- options */

/* No path reaches libcurl. */
TEST_BOTH(no_paths)
{
    server = raw_server_start(more);
    life_open(life, &STOOK_CLIENT(.cookies = 1));
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/cookies"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    const char *path = text("%s/jar", temporary_directory());
    CHECK_ERROR(stook_client_cookies_save(life->client, path), 0);
    CHECK_ERROR(stook_client_cookies_load(life->client, path), 0);
    CHECK(spy_easy(CURLOPT_COOKIEFILE)->count > 0);
    CHECK_STR(spy_easy(CURLOPT_COOKIEFILE)->pointer, "");
    CHECK_EQ_INT((int)spy_easy(CURLOPT_COOKIEJAR)->count, 0);
    CHECK_EQ_INT((int)spy_easy(CURLOPT_COOKIE)->count, 0);
}

/* CURLOPT_COOKIELIST switches cookies on in a handle, for ever: it is never set on one of a request. */
static const CURL *of_requests[64];
static int n_of_requests, n_listed;

static int note(CURL *easy, CURLoption option)
{
    if (option == CURLOPT_PRIVATE && n_of_requests < 64)
        of_requests[n_of_requests++] = easy;
    for (int i = 0; option == CURLOPT_COOKIELIST && i < n_of_requests; i++)
        CHECK(easy != of_requests[i]);
    n_listed += option == CURLOPT_COOKIELIST;
    return 1;
}

TEST_BOTH(listed_elsewhere)
{
    n_of_requests = n_listed = 0;
    server = raw_server_start(more);
    life_open(life, NULL);
    spy.keep_option = note;
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 55; i++)
        ADD(batch, raw_url(server, "/cookies"), .cookies = 1);
    add(batch, raw_url(server, "/cookies"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    CHECK_STR(stook_result_body(stook_batch_result_by_index(batch, 55), NULL), "no ");
    stook_batch_free(batch);
    spy.keep_option = NULL;
    CHECK(n_listed > 0 && n_of_requests > 1);
}

/* Names are looked up once for all handles with cookies, of every trust: they share one cache. */
TEST_BOTH(names)
{
    enum { MANY = 120 };
    server = begin(life, 20);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < MANY; i++)
        ADD(batch, text("http://slow%d.test:%d/ok", i % 4, raw_port(server)), .cookies = 1, .ca_file = i % 3 ? text("/%d", i % 3) : NULL);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 50)), 0);
    stook_batch_free(batch);
    test_note("%u look-ups", names.asked);
    CHECK(names.asked >= 4 && names.asked <= 4 * 3 * 4); /* a name, a trust, families that libcurl asks twice */
}

/* libcurl drops expired names when a transfer ends whose handle lets names expire. Each CURLSH needs such handles,
   however busy another is. */
TEST_BOTH(names_expire_in_each)
{
    server = raw_server_start(more);
    life_open(life, NULL);
    spy_easy(CURLOPT_DNS_CACHE_TIMEOUT)->count = 0;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/cookies"));
    ADD(batch, raw_url(server, "/cookies"), .cookies = 1);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    stook_batch_free(batch);
    CHECK_EQ_INT((int)spy_easy(CURLOPT_DNS_CACHE_TIMEOUT)->count, 0);
}

/* ----------------------------------------------------------------------------- public suffixes */

TEST_BOTH(without_public_suffixes)
{
    server = raw_server_start(more);
    spy.lacks = CURL_VERSION_PSL;
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.cookies = 1)), STOOK_EUNSUPPORTED);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/cookies"), .cookies = 1);
    ADD(batch, raw_url(server, "/cookies"), .cookies = STOOK_NONE);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), STOOK_EUNSUPPORTED);
    CHECK_CONTAINS(stook_result_message(stook_batch_result_by_index(batch, 0)), "libpsl");
    CHECK_ERROR(stook_client_cookies_load(life->client, "/dev/null"), STOOK_EUNSUPPORTED);
    CHECK_ERROR(stook_client_cookies_save(life->client, "/dev/null"), STOOK_EUNSUPPORTED);
    stook_batch_free(batch);
    spy.lacks = 0;
}
