/* SPDX-License-Identifier: MIT */
/* Downloads from an origin whose HTTP/2 keeps failing: they do without it for a while. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include <stook.h>

#include "support/certificates.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_h2.h"
#include "support/raw_tls.h"

/* ------------------------------------------------------------------- the peer */

/* Over HTTP/1.1 each of these paths has a whole body. */
static enum raw_then whole(struct raw_call *call)
{
    return raw_answer(call, "whole", 5);
}

static const struct raw_behaviour behaviours[] = {
    {"/reset", .answer = whole},  {"/inside", .answer = whole}, {"/goaway", .answer = whole},
    {"/closed", .answer = whole}, {"/refused", .answer = whole}, {"/good", .answer = whole},
    {"/gone", .answer = whole},   {"/later", .answer = whole}, {NULL}};

static void begin_body(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, "content-length", "10", NULL);
    h2_data(h2, H2_NONE, "abc");
}

static void reset(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_INTERNAL_ERROR);
}

static void reset_inside(struct h2 *h2)
{
    begin_body(h2);
    reset(h2);
}

static void go_away(struct h2 *h2)
{
    begin_body(h2);
    h2_goaway(h2, 0, H2_INTERNAL_ERROR);
    h2->done = 1;
}

static void close_inside(struct h2 *h2)
{
    begin_body(h2);
    h2->done = 1;
}

static void refuse(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_REFUSED_STREAM);
}

static void be_good(struct h2 *h2)
{
    h2_ok(h2, "good");
}

static void be_gone(struct h2 *h2)
{
    h2_head(h2, H2_END_STREAM, 404, NULL);
}

/* Several on one connection, which is lost when all of them have come. */
static void close_later(struct h2 *h2)
{
    enum { ALL = 5 };
    if (h2->nth == ALL)
        h2->done = 1;
}

static const struct h2_answer answers[] = {
    {"/reset", reset, NULL},  {"/inside", reset_inside, NULL}, {"/goaway", go_away, NULL}, {"/closed", close_inside, NULL},
    {"/refused", refuse, NULL}, {"/good", be_good, NULL},      {"/gone", be_gone, NULL},   {"/later", close_later, NULL},
    {NULL, NULL, NULL}};

enum { DOORS = 2 };
static struct raw_door doors[DOORS];
static struct raw_tls tls;
static char folder[200], ca[300];

static void begin(struct life *life)
{
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    snprintf(folder, sizeof folder, "%s", temporary_directory());
    certificates_standard(folder);
    snprintf(ca, sizeof ca, "%s/authority.pem", folder);
    tls = (struct raw_tls){.directory = folder, .certificate = "leaf", .alpn = "h2", .falls_back = 1, .inside = raw_h2_serve};
    for (int i = 0; i < DOORS; i++)
        doors[i] = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    raw_h2_answers = answers;
    raw_server_open(behaviours, doors, DOORS);
    life_open(life, &STOOK_CLIENT(.http_version = STOOK_HTTP_2, .ca_file = ca));
}

/* ----------------------------------------------------------------- the program */

static struct {
    int error, status;
    unsigned attempts;
    char protocol[16];
} last;

static const char *at(int door, const char *path)
{
    return text("https://127.0.0.1:%d%s", doors[door].port, path);
}

static void fetch(struct life *life, const struct stook_request *request)
{
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    last.error = stook_result_error(result);
    last.status = stook_result_status(result);
    last.attempts = stook_result_attempts(result);
    snprintf(last.protocol, sizeof last.protocol, "%s", stook_result_protocol(result));
    test_note("%s over %s: %s", request->url, last.protocol, stook_result_message(result));
    stook_batch_free(batch);
}

#define DOWNLOAD(door, path) \
    fetch(life, &STOOK_REQUEST(at(door, path), .output_file = text("%s/out", folder)))

/* Whether a download of an origin is by HTTP/2 now. It asks for what is not there, which is no success and no loss. */
static int is_by_http_2(struct life *life, int door)
{
    DOWNLOAD(door, "/gone");
    CHECK_ERROR(last.error, 0);
    return strcmp(last.protocol, "HTTP/2") == 0;
}

TEST_BOTH(after_three_losses)
{
    static const char *const losses[] = {"/reset", "/inside", "/goaway", "/closed"};
    begin(life);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        life_close(life); /* what is remembered ends with the client */
        life_open(life, &STOOK_CLIENT(.http_version = STOOK_HTTP_2, .ca_file = ca));
        for (int n = 0; n < 3; n++) {
            CHECK(is_by_http_2(life, 0));
            DOWNLOAD(0, losses[i]);
            CHECK(last.error != 0);
        }
        DOWNLOAD(0, losses[i]);
        CHECK_ERROR(last.error, 0);
        CHECK_STR(last.protocol, "HTTP/1.1");
        CHECK(is_by_http_2(life, 1)); /* another origin */
        /* What is no download may use HTTP/2, and has no say in it. */
        fetch(life, &STOOK_REQUEST(at(0, "/good")));
        CHECK_STR(last.protocol, "HTTP/2");
        DOWNLOAD(0, "/good");
        CHECK_STR(last.protocol, "HTTP/1.1");
    }
}

/* A request of its own has no more attempts than before: a refused stream is repeated once. */
TEST_BOTH(repeats_count)
{
    begin(life);
    DOWNLOAD(0, "/refused");
    CHECK_ERROR(last.error, STOOK_ERESET);
    CHECK_EQ_INT(last.attempts, 2);
    CHECK(is_by_http_2(life, 0));
    DOWNLOAD(0, "/refused"); /* the third loss: the repeat is by HTTP/1.1 */
    CHECK_ERROR(last.error, 0);
    CHECK_EQ_INT(last.attempts, 2);
    CHECK_STR(last.protocol, "HTTP/1.1");
}

TEST_BOTH(a_success_begins_anew)
{
    begin(life);
    for (int i = 0; i < 3; i++) {
        DOWNLOAD(0, "/reset");
        DOWNLOAD(0, "/inside");
        DOWNLOAD(0, "/good");
        CHECK_STR(last.protocol, "HTTP/2");
    }
    CHECK(is_by_http_2(life, 0));
}

/* Neither the losses of requests that are no downloads, nor downloads that fail by themselves. */
TEST_BOTH(what_does_not_count)
{
    begin(life);
    for (int i = 0; i < 4; i++) {
        fetch(life, &STOOK_REQUEST(at(0, "/reset")));
        CHECK(last.error != 0);
        fetch(life, &STOOK_REQUEST(at(0, "/good"), .output_file = text("%s/out", folder),
                                   .sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        CHECK_ERROR(last.error, STOOK_ECHECKSUM);
    }
    CHECK(is_by_http_2(life, 0));
}

/* A connection that is lost with all that was in flight on it was lost once. */
TEST_BOTH(those_in_flight_count_once)
{
    begin(life);
    for (int i = 0; i < 2; i++) {
        fetch(life, &STOOK_REQUEST(at(0, "/good"))); /* there is a connection that they share */
        stook_batch *batch = life_batch(life);
        for (int n = 0; n < 4; n++)
            ADD(batch, at(0, "/later"), .output_file = text("%s/out%d", folder, n), .method = "POST");
        life_gather(life, batch, NULL);
        for (size_t n = 0; n < 4; n++)
            CHECK(stook_result_error(stook_batch_result(batch, n)) != 0);
        stook_batch_free(batch);
    }
    CHECK(is_by_http_2(life, 0));
    DOWNLOAD(0, "/reset");
    CHECK(!is_by_http_2(life, 0));
}
