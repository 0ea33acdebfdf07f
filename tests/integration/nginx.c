/* SPDX-License-Identifier: MIT */
/* nginx, a server that is not ours: the same basics over HTTP/1.1, HTTP/1.1 over TLS, and HTTP/2. */
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"

static const char *url_by(const struct nginx *nginx, const struct way *way, const char *path)
{
    return way->tls ? nginx_tls_url(nginx, "%s", path) : nginx_url(nginx, "%s", path);
}

/* The basics over one of the ways. */
static void check_results(stook_batch *batch, const struct way *way)
{
    size_t size;
    for (size_t i = 0; i < 50; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_EQ_SIZE(stook_result_index(result), i);
        CHECK_EQ_INT(atoi(stook_result_body(result, NULL)), (long long)i);
        CHECK_STR(stook_result_protocol(result), way->protocol);
        CHECK_CONTAINS(stook_result_header(result, "Server"), "nginx");
        CHECK_STR(stook_result_message(result), "OK");
    }
    CHECK_STR(stook_result_message(stook_batch_result(batch, 50)), "HTTP 404");
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 50)), 0);
    CHECK_STR(stook_result_message(stook_batch_result(batch, 51)), "HTTP 503");
    const char *big = stook_result_body(stook_batch_result(batch, 52), &size);
    CHECK_EQ_SIZE(size, nginx_big_size);
    CHECK(big[0] == '0' && big[size - 1] == '9' && big[size] == '\0');
    CHECK_STR(stook_result_body(stook_batch_result(batch, 53), NULL), "POST");
    stook_result_body(stook_batch_result(batch, 54), &size);
    CHECK_EQ_SIZE(size, 0);
    CHECK_STR(stook_result_header(stook_batch_result(batch, 54), "content-length"), "2");
    CHECK_STR(stook_result_body(stook_batch_result(batch, 55), NULL), "through");
}

static void gather_basics(struct life *life, const struct nginx *nginx, const struct way *way, int limit)
{
    static const char *const headers[] = {"X-Test: through", NULL};
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = way->version));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 50; i++)
        add(batch, url_by(nginx, way, text("/number/%d", i)));
    add(batch, url_by(nginx, way, "/status/404"));
    add(batch, url_by(nginx, way, "/status/503"));
    add(batch, url_by(nginx, way, "/big"));
    ADD(batch, .url = url_by(nginx, way, "/method"), .body = "x", .body_size = 1);
    ADD(batch, .url = url_by(nginx, way, "/ok"), .method = "HEAD");
    ADD(batch, .url = url_by(nginx, way, "/header"), .headers = headers);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = limit)), 2);
    check_results(batch, way);
    stook_batch_free(batch);
    life_close(life);
}

static void basics(struct life *life, const struct way *way)
{
    struct nginx *nginx = nginx_start();
    gather_basics(life, nginx, way, 0);
    gather_basics(life, nginx, way, 4);
    gather_basics(life, nginx, way, 1);
}

TEST_BOTH(basics_http_1_1, nginx)
{
    basics(life, &nginx_ways[0]);
}

TEST_BOTH(basics_https_1_1, nginx)
{
    basics(life, &nginx_ways[1]);
}

TEST_BOTH(basics_http_2, nginx)
{
    basics(life, &nginx_ways[2]);
}

/* HTTP/2 is agreed over TLS; in the clear it is HTTP/1.1. A request may choose, whatever
   connections there are. */
TEST_BOTH(versions, nginx)
{
    struct nginx *nginx = nginx_start();
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    static const struct {
        int tls, version;
        const char *protocol;
    } asked[] = {{0, STOOK_HTTP_2, "HTTP/1.1"}, {1, STOOK_HTTP_1_1, "HTTP/1.1"}, {1, STOOK_HTTP_2, "HTTP/2"},
                 {1, STOOK_HTTP_1_1, "HTTP/1.1"}};
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < 4; i++)
        ADD(batch, asked[i].tls ? nginx_tls_url(nginx, "/ok") : nginx_url(nginx, "/ok"),
            .http_version = asked[i].version);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    for (size_t i = 0; i < 4; i++)
        CHECK_STR(stook_result_protocol(stook_batch_result(batch, i)), asked[i].protocol);
    CHECK(stook_result_time_us(stook_batch_result(batch, 1), STOOK_TIME_TLS) > 0);
    CHECK_EQ_INT(stook_result_time_us(stook_batch_result(batch, 3), STOOK_TIME_TLS), 0); /* reused */
    stook_batch_free(batch);
}

static void ask_with(struct life *life, const struct nginx *nginx, const char *ca, const char *path,
                     int error)
{
    stook_batch *batch = life_batch(life);
    ADD(batch, nginx_tls_url(nginx, "%s", path), .ca_file = ca);
    CHECK_EQ_INT(life_gather(life, batch, NULL), error != 0);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), error);
    CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), error ? 0 : 200);
    CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, 0)), 1);
    stook_batch_free(batch);
}

/* Certificates are verified, against those authorities that the client or the request names. */
TEST_BOTH(authorities, nginx)
{
    struct nginx *nginx = nginx_start();
    life_open(life, NULL); /* the system's: they do not know ours */
    ask_with(life, nginx, NULL, "/ok", STOOK_ECERT);
    ask_with(life, nginx, nginx->ca, "/ok", 0);
    ask_with(life, nginx, nginx->other, "/ok", STOOK_ECERT); /* not by the connection that is there */
    ask_with(life, nginx, NULL, "/ok", STOOK_ECERT);
    ask_with(life, nginx, "/nonexistent.pem", "/ok", STOOK_EFILE);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    ask_with(life, nginx, NULL, "/ok", 0);
    ask_with(life, nginx, nginx->other, "/ok", STOOK_ECERT);
}

/* The name must be one of the certificate's. */
TEST_BOTH(wrong_name, nginx)
{
    struct nginx *nginx = nginx_start();
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    stook_batch *batch = life_batch(life);
    add(batch, text("https://127.0.0.2:%d/ok", nginx->tls_port));
    add(batch, text("https://localhost:%d/ok", nginx->tls_port));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ECERT);
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 1)), 1);
    stook_batch_free(batch);
}

/* A plain port answers TLS with nonsense, a TLS port a plain request with 400. */
TEST_BOTH(wrong_port, nginx)
{
    struct nginx *nginx = nginx_start();
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    stook_batch *batch = life_batch(life);
    add(batch, text("https://127.0.0.1:%d/ok", nginx->port));
    add(batch, text("http://127.0.0.1:%d/ok", nginx->tls_port));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 2);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETLS);
    CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 1)), 400);
    stook_batch_free(batch);
}

static void ask_ten(struct life *life, const struct nginx *nginx, const char *path, const char *body)
{
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        ADD(batch, .url = nginx_tls_url(nginx, "%s", path), .body = body,
            .body_size = body ? STOOK_AUTO : 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < 10; i++)
        CHECK_EQ_INT(stook_result_attempts(stook_batch_result_by_index(batch, i)), 1);
    stook_batch_free(batch);
}

/*
 * Idle connections that the server has ended with TLS's close_notify fail healthy requests of
 * libcurl 7.88 when there are six or more. Here they are seen before anything starts, for POSTs too.
 */
TEST_BOTH(closed_while_idle, nginx)
{
    struct nginx *nginx = nginx_start();
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = STOOK_HTTP_1_1));
    for (int round = 0; round < 3; round++) {
        ask_ten(life, nginx, "/brief", NULL);
        nginx_wait_until_alone(nginx);
        ask_ten(life, nginx, "/brief", round % 2 ? "body" : NULL);
        nginx_wait_until_alone(nginx);
    }
}

/* Each connection is ended by the server after seven requests: by close, or by GOAWAY. */
TEST_BOTH(seven_a_connection, nginx)
{
    struct nginx *nginx = nginx_start();
    for (size_t w = 1; w < 3; w++) {
        life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = nginx_ways[w].version));
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 200; i++)
            add(batch, text("https://127.0.0.3:%d/%d", nginx->tls_port, i));
        life_gather(life, batch, &STOOK_GATHER(.limit = 10));
        for (size_t i = 0; i < 200; i++) {
            const stook_result *result = stook_batch_result_by_index(batch, i);
            test_note("%s, request %zu: %s", nginx_ways[w].protocol, i, stook_result_message(result));
            CHECK_EQ_INT(stook_result_ok(result), 1);
        }
        stook_batch_free(batch);
        life_close(life);
    }
}

/* Every answer goes to the request that asked for it. */
TEST_BOTH(many_over_tls, nginx)
{
    struct nginx *nginx = nginx_start();
    for (size_t w = 1; w < 3; w++) {
        life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = nginx_ways[w].version));
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 500; i++)
            add(batch, nginx_tls_url(nginx, "/number/%d", i));
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 20)), 0);
        for (size_t i = 0; i < 500; i++)
            CHECK_EQ_INT(atoi(stook_result_body(stook_batch_result_by_index(batch, i), NULL)), (long long)i);
        stook_batch_free(batch);
        life_close(life);
    }
}
