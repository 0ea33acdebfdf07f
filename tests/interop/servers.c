/* SPDX-License-Identifier: MIT */
/* Servers that are not ours: the same basics with each, with and without TLS. */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/peer.h"

static void check_big(const stook_result *result)
{
    size_t size;
    const char *big = stook_result_body(result, &size);
    CHECK_EQ_SIZE(size, peer_big_size);
    for (size_t i = 0; i < size; i++)
        if (big[i] != (char)('0' + i % 10))
            FAIL("byte %zu is '%c'", i, big[i]);
}

/* Every answer whole, and that of its request; and an answer of an error is an answer. */
static void check_all(stook_batch *batch, const struct way *way)
{
    for (size_t i = 0; i < stook_batch_count(batch); i++) {
        const stook_result *result = stook_batch_result(batch, i);
        test_note("%s, request %zu: %s", way->protocol, i, stook_result_message(result));
        CHECK_ERROR(stook_result_error(result), 0);
        CHECK_STR(stook_result_protocol(result), way->protocol);
        if (i < peer_paths)
            CHECK_STR(stook_result_body(result, NULL), text("/path/%zu", i));
    }
    check_big(stook_batch_result(batch, peer_paths));
    CHECK_STR(stook_result_body(stook_batch_result(batch, peer_paths + 1), NULL), "");
    CHECK_STR(stook_result_header(stook_batch_result(batch, peer_paths + 1), "Content-Length"),
              text("%d", peer_big_size));
    CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, peer_paths + 2)), 404);
}

static void gather_all(struct life *life, const struct peer *peer, const struct way *way, int64_t limit)
{
    life_open(life, &STOOK_CLIENT(.ca_file = peer->ca, .http_version = way->version));
    for (int round = 0; round < 2; round++) { /* on cold connections, and on warm ones */
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < peer_paths; i++)
            add(batch, peer_url(peer, way->tls, text("/path/%d", i)));
        add(batch, peer_url(peer, way->tls, "/big"));
        ADD(batch, .url = peer_url(peer, way->tls, "/big"), .method = "HEAD");
        add(batch, peer_url(peer, way->tls, "/nothing"));
        CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = limit)), 1);
        check_all(batch, way);
        stook_batch_free(batch);
    }
    life_close(life);
}

static int speaks_http_2(void)
{
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) != 0;
}

static void check_peer(struct life *life, const struct peer *peer)
{
    for (size_t way = 0; way < 3; way++) {
        if ((nginx_ways[way].tls && !peer->tls_port) || (!nginx_ways[way].tls && !peer->port) ||
            (way == 2 && !speaks_http_2()) || (way == 1 && !peer->port)) /* nghttpd has HTTP/2 alone */
            continue;
        for (int64_t limit = 1; limit <= 100; limit *= 10)
            gather_all(life, peer, &nginx_ways[way], limit);
    }
}

TEST_BOTH(apache)
{
    check_peer(life, apache_start());
}

TEST_BOTH(caddy)
{
    check_peer(life, caddy_start());
}

TEST_BOTH(haproxy, nginx)
{
    struct nginx *nginx = nginx_start();
    nginx_serve_files(nginx, peer_paths);
    check_peer(life, haproxy_start(nginx->port));
}

TEST_BOTH(nghttpd)
{
    if (!speaks_http_2())
        test_skip("this libcurl speaks no HTTP/2");
    check_peer(life, nghttpd_start());
}

TEST_BOTH(caddy_over_http_3)
{
    static const struct way way = {"HTTP/3", 1, STOOK_HTTP_3};
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP3))
        test_skip("this libcurl speaks no HTTP/3");
    struct peer *peer = caddy_start();
    for (int64_t limit = 1; limit <= 100; limit *= 10)
        gather_all(life, peer, &way, limit);
}

/* Two megabytes go up and come back, under another's flow control. One by one: the server takes one
   stream, and a POST that is refused is not sent again. */
TEST_BOTH(echo_over_http_2)
{
    enum { SIZE = 2 << 20 };
    static char body[SIZE];
    if (!speaks_http_2())
        test_skip("this libcurl speaks no HTTP/2");
    struct peer *peer = nghttpd_start();
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 26);
    life_open(life, &STOOK_CLIENT(.ca_file = peer->ca, .http_version = STOOK_HTTP_2));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 4; i++)
        ADD(batch, peer_url(peer, 1, "/big"), .body = body, .body_size = SIZE - i);
    life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1));
    for (size_t i = 0; i < 4; i++) {
        size_t size;
        test_note("%zu: %s", i, stook_result_message(stook_batch_result(batch, i)));
        CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, i)), 1);
        const char *came = stook_result_body(stook_batch_result(batch, i), &size);
        CHECK_EQ_SIZE(size, SIZE - i);
        CHECK(memcmp(came, body, size) == 0);
    }
    stook_batch_free(batch);
}

/*
 * H02: another haproxy takes over while requests are on their way, and they go on until the first has
 * left. What was begun is finished, what was not is asked again: nobody hears of it.
 */
struct takeover {
    struct peer *peer;
    const struct way *way;
    int delivered, after;
};

static void go_on(stook_batch *batch, const stook_result *result, void *user)
{
    struct takeover *takeover = user;
    size_t next = stook_batch_count(batch);
    test_note("result %d: %s", takeover->delivered, stook_result_message(result));
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_STR(stook_result_body(result, NULL), text("/path/%zu", stook_result_index(result) % peer_paths));
    if (++takeover->delivered == 100)
        haproxy_replace(takeover->peer);
    if (takeover->delivered > 100 && haproxy_has_left(takeover->peer))
        takeover->after++;
    if (takeover->after < 100)
        add(batch, peer_url(takeover->peer, takeover->way->tls, text("/path/%zu", next % peer_paths)));
}

static void take_over(struct life *life, const struct way *way)
{
    struct nginx *nginx = nginx_start();
    nginx_serve_files(nginx, peer_paths);
    struct takeover takeover = {haproxy_start(nginx->port), way, 0, 0};
    life_open(life, &STOOK_CLIENT(.ca_file = takeover.peer->ca, .http_version = way->version));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 16; i++)
        add(batch, peer_url(takeover.peer, way->tls, text("/path/%d", i % peer_paths)));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 8, .on_result = go_on,
                                                        .user = &takeover)), 0);
    CHECK(takeover.after >= 100);
    stook_batch_free(batch);
    life_close(life);
}

TEST(replaced_in_the_clear, nginx)
{
    static struct life life;
    life_begin(&life, 1);
    take_over(&life, &nginx_ways[0]);
    life_end(&life);
}

TEST(replaced_over_http_2, nginx)
{
    static struct life life;
    if (!speaks_http_2())
        test_skip("this libcurl speaks no HTTP/2");
    life_begin(&life, 1);
    take_over(&life, &nginx_ways[2]);
    life_end(&life);
}
