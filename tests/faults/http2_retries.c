/* SPDX-License-Identifier: MIT */
/* Retries over HTTP/2: streams are refused and fail, connections go away under those beside them. What may be sent
   again is answered well in the end, and what may not has arrived at most once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include <stook.h>

#include "support/certificates.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_h2.h"
#include "support/raw_tls.h"

enum { ALL = 120, KINDS = 6 };

/* /s/N: what happens the first time depends on N. After that each is well. */
static void answer(struct h2 *h2)
{
    if (raw_seen(h2->call->server, h2->path) > 1) {
        h2_ok(h2, h2->path);
        return;
    }
    switch (atoi(h2->path + strlen("/s/")) % KINDS) {
    case 1:
        h2_number(h2, H2_RST_STREAM, h2->stream, H2_REFUSED_STREAM);
        break;
    case 2:
        h2_head(h2, H2_END_STREAM, 503, NULL);
        break;
    case 3:
        h2_goaway(h2, h2->stream - 2, H2_NO_ERROR);
        h2->done = 1;
        break;
    case 4:
        h2_head(h2, H2_NONE, 200, "content-length", "10", NULL);
        h2_data(h2, H2_NONE, "abc");
        h2->done = 1;
        break;
    default:
        h2_ok(h2, h2->path);
    }
}

static int is_post(size_t n)
{
    return n % KINDS == 5;
}

static void look(struct raw_server *server, const stook_result *result)
{
    const char *path = strstr(stook_result_url(result), "/s/");
    unsigned seen = raw_seen(server, path);
    test_note("%s, seen %u times: %s", path, seen, stook_result_message(result));
    if (stook_result_error(result) == 0) {
        CHECK_EQ_INT(stook_result_status(result), 200);
        CHECK_STR(stook_result_body(result, NULL), path);
    } else {
        CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
        CHECK(is_post(stook_result_index(result)));
    }
    CHECK(!is_post(stook_result_index(result)) || seen <= 1);
}

/* Starts a server whose /s/0 to /s/119 answer so. */
static struct raw_server *serve(const char *directory, void (*how)(struct h2 *h2))
{
    static struct h2_answer answers[ALL + 1];
    static char paths[ALL][16];
    static struct raw_tls tls;
    static struct raw_door door;
    tls = (struct raw_tls){.directory = directory, .certificate = "leaf", .alpn = "h2", .inside = raw_h2_serve};
    door = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    certificates_standard(directory);
    for (size_t i = 0; i < ALL; i++) {
        snprintf(paths[i], sizeof paths[i], "/s/%zu", i);
        answers[i] = (struct h2_answer){.path = paths[i], .answer = how};
    }
    raw_h2_answers = answers;
    return raw_server_open(NULL, &door, 1);
}

TEST_BOTH(streams_and_connections)
{
    const char *directory = temporary_directory();
    struct raw_server *server = serve(directory, answer);
    life_open(life, &STOOK_CLIENT(.ca_file = text("%s/authority.pem", directory), .http_version = STOOK_HTTP_2,
                                  .max_retries = 50, .retry_delay_ms = 1, .retry_max_delay_ms = 20, .retry_budget = STOOK_NONE));
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < ALL; i++)
        ADD(batch, text("https://127.0.0.1:%d/s/%zu", raw_port(server), i), .method = is_post(i) ? "POST" : NULL,
            .body = is_post(i) ? "x" : NULL, .body_size = is_post(i));
    int failed = life_gather(life, batch, &STOOK_GATHER(.limit = 20));
    CHECK(failed <= ALL / KINDS);
    for (size_t i = 0; i < ALL; i++)
        look(server, stook_batch_result(batch, i));
    stook_batch_free(batch);
}

static void refuse(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_REFUSED_STREAM);
}

/* A server that refuses all streams gets no storm: beside one repeat of each, if libcurl does not tell it from a lost
   connection, what is refused waits for its back-off, within the budget of its origin. */
TEST_BOTH(refused_for_ever)
{
    enum { N = 20, BUDGET = 100 + N / 5 };
    const char *directory = temporary_directory();
    struct raw_server *server = serve(directory, refuse);
    unsigned seen = 0;
    life_open(life, &STOOK_CLIENT(.ca_file = text("%s/authority.pem", directory), .http_version = STOOK_HTTP_2,
                                  .max_retries = 50, .retry_delay_ms = 1, .retry_max_delay_ms = 4));
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < N; i++)
        ADD(batch, text("https://127.0.0.1:%d/s/%zu", raw_port(server), i));
    CHECK_EQ_INT(life_gather(life, batch, NULL), N);
    for (size_t i = 0; i < N; i++) {
        struct stook_attempt attempt = STOOK_ATTEMPT();
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
        for (size_t k = 0; stook_result_attempt_at(result, k, &attempt) == 0; k++)
            CHECK(attempt.again != STOOK_AGAIN_LOST || k == 0);
        seen += raw_seen(server, text("/s/%zu", i));
    }
    test_note("%u streams for %d requests", seen, N);
    CHECK(seen <= 2 * N + BUDGET);
    stook_batch_free(batch);
}
