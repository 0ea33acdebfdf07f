/* SPDX-License-Identifier: MIT */
/*
 * H21: all that a peer may do to HTTP/2 streams, mixed by a seed. Whatever comes of each request, it
 * comes once, and with its own answer if with one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "support/life.h"
#include "support/certificates.h"
#include "support/process.h"
#include "support/raw_h2.h"
#include "support/raw_tls.h"

enum { REQUESTS = 300, SEEDS = 6 };

/* A number that path and seed decide, so that a repeat meets the same again only one time in four. */
static unsigned roll(struct h2 *h2)
{
    unsigned hash = (unsigned)strtoul(strrchr(h2->path, '/') + 1, NULL, 10) * 2654435761u;
    return (hash >> 16 ^ h2->nth * 40503u) % 16;
}

static void odd(struct h2 *h2)
{
    switch (roll(h2)) {
    case 0:
        h2_goaway(h2, h2->stream, H2_NO_ERROR);
        h2_ok(h2, h2->path);
        h2->done = 1;
        return;
    case 1:
        h2_goaway(h2, 0, H2_ENHANCE_YOUR_CALM);
        h2->done = 1;
        return;
    case 2:
        h2_number(h2, H2_RST_STREAM, h2->stream, H2_REFUSED_STREAM);
        return;
    case 3:
        h2_head(h2, H2_NONE, 200, "content-length", "10", NULL);
        h2_number(h2, H2_RST_STREAM, h2->stream, H2_INTERNAL_ERROR);
        return;
    case 4:
        h2->done = 1;
        return;
    case 5:
        h2_head(h2, H2_NONE, 200, "content-length", "10", NULL);
        h2_data(h2, H2_NONE, "abc");
        h2->done = 1;
        return;
    case 6:
        raw_pause(3);
        break;
    case 7:
        h2_head(h2, H2_NONE, 103, "link", "</s.css>", NULL);
        break;
    default:
        break;
    }
    h2_ok(h2, h2->path);
}

static char paths[REQUESTS][24];
static struct h2_answer answers[REQUESTS + 1];
static unsigned results[REQUESTS];
static int good;

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    size_t index = stook_result_index(result);
    int error = stook_result_error(result);
    const char *sent = user;
    (void)batch;
    test_note("request %zu: %s", index, stook_result_message(result));
    CHECK_EQ_INT(++results[index], 1);
    CHECK(stook_result_attempts(result) <= 2);
    CHECK(error == 0 || error == STOOK_ERESET || error == STOOK_ETRUNCATED || error == STOOK_ETIMEOUT_ATTEMPT ||
          error == STOOK_EPROTOCOL);
    if (error == STOOK_EPROTOCOL) /* the peer's word about one stream, not about the connection */
        CHECK_CONTAINS(stook_result_message(result), "the peer reset the stream, ");
    if (error)
        return;
    CHECK_CONTAINS(stook_result_url(result), stook_result_body(result, NULL));
    CHECK(strncmp(stook_result_body(result, NULL), sent, strlen(sent)) == 0);
    good++;
}

TEST_BOTH(http_2)
{
    static struct raw_tls tls;
    static struct raw_door door;
    const char *directory = temporary_directory();
    char ca[512];
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    certificates_standard(directory);
    snprintf(ca, sizeof ca, "%s/authority.pem", directory);
    tls = (struct raw_tls){.directory = directory, .certificate = "leaf", .alpn = "h2",
                           .inside = raw_h2_serve};
    door = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(paths[i], sizeof paths[i], "/odd/%d", i);
        answers[i] = (struct h2_answer){paths[i], odd, NULL};
    }
    raw_h2_answers = answers;
    raw_server_open(NULL, &door, 1);
    for (int seed = 0; seed < SEEDS; seed++) {
        memset(results, 0, sizeof results);
        good = 0;
        life_open(life, &STOOK_CLIENT(.ca_file = ca, .http_version = STOOK_HTTP_2,
                                      .attempt_timeout_ms = 3000));
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < REQUESTS; i++)
            add(batch, text("https://127.0.0.1:%d%s", door.port, paths[(i * 7 + seed * 31) % REQUESTS]));
        static char start[] = "/odd/";
        int failed = life_gather(life, batch, &STOOK_GATHER(.limit = 1 + seed * 2, .on_result = on_result,
                                                            .user = start));
        CHECK_EQ_INT(failed + good, REQUESTS);
        CHECK(good > REQUESTS / 4);
        stook_batch_free(batch);
        life_close(life);
    }
}
