/* SPDX-License-Identifier: MIT */
/* Mirrors: after what the next one is tried, in which order, with what request, and what the result says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stook.h>

#include "support/certificates.h"
#include "support/fail_nth.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/raw_tls.h"
#include "support/sockets.h"

#define OF_OK "2689367b205c16ce32ed4200942b8b8b1e262dfc70d9bc9fbc77c49699a4f1df"

/* ------------------------------------------------------------------- the peer */

/* "/led?http://127.0.0.1:1/x": a redirect there. */
static enum raw_then lead(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", call->query);
    return RAW_KEEP;
}

/* /thing?byte=a&cut=400: a thousand of that byte with an entity tag, of which only `cut` are sent. */
static enum raw_then thing(struct raw_call *call)
{
    char body[1000];
    long cut = raw_number(call, "cut");
    memset(body, strncmp(call->query, "byte=", 5) == 0 ? call->query[5] : '?', sizeof body);
    raw_say(call, "HTTP/1.1 200 OK\r\nETag: \"it\"\r\nContent-Length: 1000\r\n\r\n");
    raw_send(call, body, cut > 0 ? (size_t)cut : sizeof body);
    return cut > 0 ? RAW_CLOSE : RAW_KEEP;
}

/* Three bytes of ten; the end when the program has seen them. */
static enum raw_then cut_when_seen(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    raw_wait(call->server, "/shown", call->seen);
    return RAW_CLOSE;
}

/* A long page that says that there is nothing. */
static enum raw_then long_page(struct raw_call *call)
{
    static char block[65536];
    raw_say(call, "HTTP/1.1 404 Not Found\r\nContent-Length: 1000000000\r\n\r\n");
    for (int i = 0; i < 15000 && raw_send(call, block, sizeof block); i++)
        ;
    return RAW_CLOSE;
}

static const struct raw_behaviour behaviours[] = {
    {"/led", .answer = lead},
    {"/thing", .answer = thing},
    {"/cut", .answer = cut_when_seen},
    {"/long-page", .answer = long_page},
    {"/gone", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", .then = RAW_KEEP},
    {"/unchanged", "HTTP/1.1 304 Not Modified\r\nETag: \"it\"\r\n\r\n", .then = RAW_KEEP},
    {"/three", "HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
    {"/trailing", "HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nLocation: /ok\r\n\r\n", .then = RAW_KEEP},
    {"/not-gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", .then = RAW_KEEP},
    {NULL}};

/* Something else than TLS. */
static void serve_nonsense(struct raw_call *call)
{
    raw_say(call, "220 ready\r\n");
}

enum { DOORS = 6, NO_TLS = 4, STRANGER = 5 };
static struct raw_server *server;
static struct raw_door doors[DOORS], stranger;
static char path[200];

static void begin_as(struct life *life, const struct stook_client_options *options)
{
    memset(doors, 0, sizeof doors);
    doors[NO_TLS].serve = serve_nonsense;
    doors[STRANGER] = stranger;
    server = raw_server_open(behaviours, doors, DOORS);
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    life_open(life, options);
}

static void begin(struct life *life)
{
    begin_as(life, NULL);
}

/* What is remembered ends with the client. */
static void forget(struct life *life)
{
    life_close(life);
    life_open(life, NULL);
}

/* A URL of one of the origins. */
static const char *at(int door, const char *what)
{
    return text("http://127.0.0.1:%d%s", doors[door].port, what);
}

/* ----------------------------------------------------------------- the program */

static const char *read_file(const char *name)
{
    static char bytes[4000];
    FILE *file = fopen(name, "rb");
    CHECK(file != NULL);
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    fclose(file);
    return bytes;
}

static struct {
    int error, status;
    unsigned attempts;
    size_t hops;
    char message[400], url[200], final_url[200], body[2000];
} last;

static void fetch(struct life *life, const struct stook_request *request)
{
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    last.error = stook_result_error(result);
    last.status = stook_result_status(result);
    last.attempts = stook_result_attempts(result);
    last.hops = stook_result_hop_count(result);
    snprintf(last.message, sizeof last.message, "%s", stook_result_message(result));
    snprintf(last.url, sizeof last.url, "%s", stook_result_url(result));
    snprintf(last.final_url, sizeof last.final_url, "%s", stook_result_final_url(result));
    snprintf(last.body, sizeof last.body, "%s", (const char *)stook_result_body(result, NULL));
    stook_batch_free(batch);
    test_note("%s: %s", last.final_url, last.message);
}

#define FETCH(...) fetch(life, &STOOK_REQUEST(__VA_ARGS__))
#define MIRRORS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ------------------------------------------------------------ after what, and after what not */

/* Each of these is followed by the mirror, wherever the body goes. */
TEST_BOTH(failures)
{
    static const struct {
        const char *what, *sha256;
        int64_t decompress, max_redirects, attempt_ms, stall_ms;
    } rows[] = {
        {.what = "/gone"},
        {.what = "/three"},
        {.what = "/trailing", .max_redirects = 3},
        {.what = "/status?code=403"},
        {.what = "/status?code=429"},
        {.what = "/status?code=500"},
        {.what = "/status?code=503"},
        {.what = "/long-page"},
        {.what = "/led?/ok"},
        {.what = "/led?/led", .max_redirects = 3},
        {.what = "/led?ftp://127.0.0.1/", .max_redirects = 3},
        {.what = "/led?/gone", .max_redirects = 3},
        {.what = "/rst"},
        {.what = "/rst-head"},
        {.what = "/rst-body"},
        {.what = "/short"},
        {.what = "/short-chunks"},
        {.what = "/garbage"},
        {.what = "/thing?byte=a", .sha256 = OF_OK},
        {.what = "/not-gzip", .decompress = 1},
        {.what = "/stall", .attempt_ms = 500},
        {.what = "/stall-body", .attempt_ms = 500},
        {.what = "/stall-body", .stall_ms = 500},
        {.what = "http://127.0.0.1:1/"},
        {.what = "http://nowhere.invalid/"},
        {.what = "https://127.0.0.1:PORT/"},
    };
    begin(life);
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof *rows); i++) {
        char url[200], mirror[200];
        size_t row = i / 2;
        const char *what = rows[row].what;
        if (strncmp(what, "http", 4) != 0)
            snprintf(url, sizeof url, "%s", at(0, what));
        else if (strstr(what, "PORT"))
            snprintf(url, sizeof url, "https://127.0.0.1:%d/", doors[NO_TLS].port);
        else
            snprintf(url, sizeof url, "%s", what[7] == '1' ? text("http://127.0.0.1:%d/", refusing_port()) : what);
        snprintf(mirror, sizeof mirror, "%s", at(1, "/ok"));
        test_note("row %zu: %s", row, url);
        forget(life);
        stook_batch *batch = life_batch(life);
        ADD(batch, url, .mirrors = MIRRORS(mirror), .sha256 = rows[row].sha256, .decompress = rows[row].decompress,
            .max_redirects = rows[row].max_redirects, .attempt_timeout_ms = rows[row].attempt_ms,
            .stall_timeout_ms = rows[row].stall_ms, .output_file = i % 2 ? path : NULL);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        const stook_result *result = stook_batch_result(batch, 0);
        CHECK_STR(stook_result_message(result), "OK");
        CHECK_STR(stook_result_url(result), url);
        CHECK_STR(stook_result_final_url(result), mirror);
        CHECK_EQ_SIZE(stook_result_hop_count(result), 0);
        CHECK(stook_result_attempts(result) >= 2);
        if (i % 2)
            CHECK_STR(read_file(path), "ok");
        else
            CHECK_STR(stook_result_body(result, NULL), "ok");
        CHECK_EQ_INT(access(text("%s.part", path), F_OK), -1);
        unlink(path);
        stook_batch_free(batch);
    }
}

static void cancel_on_progress(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    (void)result, (void)progress, (void)user;
    stook_batch_cancel_request(batch, 0);
}

/* These are results: the response is one, or the failure is not the server's. */
TEST_BOTH(no_failures)
{
    begin(life);
    const char *const *mirrors = MIRRORS(at(1, "/ok"));
    FETCH(at(0, "/unchanged"), .mirrors = mirrors);
    CHECK_EQ_INT(last.status, 304);
    CHECK_EQ_INT(last.attempts, 1);
    FETCH(at(0, "/no-content"), .mirrors = mirrors);
    CHECK_EQ_INT(last.status, 204);
    FETCH(at(0, "/ok"), .mirrors = mirrors, .output_file = "/proc/nowhere/out");
    CHECK_ERROR(last.error, STOOK_EFILE);
    FETCH(at(0, "/stall-body"), .mirrors = mirrors, .on_progress = cancel_on_progress);
    CHECK_ERROR(last.error, STOOK_ECANCELLED);
    FETCH(at(0, "/stall"), .mirrors = mirrors, .timeout_ms = 50);
    CHECK_ERROR(last.error, STOOK_ETIMEOUT_TOTAL);
    FETCH("http:/127.0.0.1/", .mirrors = mirrors);
    CHECK_ERROR(last.error, STOOK_EURL);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
}

static int count_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    CHECK_EQ_INT(stook_result_status(result), 200);
    raw_signal(server, "/shown");
    ++*(int *)user;
    return 0;
}

static int count_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data;
    raw_signal(server, "/shown");
    *(int *)user += (int)size;
    return 0;
}

/* What the program has seen of is the result. A response that is passed over is not shown. */
TEST_BOTH(nothing_after_the_program_saw_it)
{
    int count = 0;
    begin(life);
    const char *const *mirrors = MIRRORS(at(1, "/ok"));
    FETCH(at(0, "/cut"), .mirrors = mirrors, .on_body = count_body, .user = &count);
    CHECK_ERROR(last.error, STOOK_ETRUNCATED);
    CHECK_EQ_INT(count, 3);
    forget(life);
    count = 0;
    FETCH(at(0, "/cut"), .mirrors = mirrors, .on_head = count_head, .user = &count);
    CHECK_ERROR(last.error, STOOK_ETRUNCATED);
    CHECK_EQ_INT(count, 1);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
    forget(life);
    count = 0;
    FETCH(at(0, "/gone"), .mirrors = mirrors, .on_head = count_head, .user = &count);
    CHECK_EQ_INT(count, 1);
    CHECK_STR(last.message, "OK");
    count = 0;
    FETCH(at(0, "/gone"), .mirrors = mirrors, .on_body = count_body, .user = &count);
    CHECK_EQ_INT(count, 2);
    CHECK_STR(last.message, "OK");
}

/* The last try is the result, and its message has the first cause. */
TEST_BOTH(all_fail)
{
    begin(life);
    FETCH(at(0, "/gone"), .mirrors = MIRRORS(at(1, "/status?code=503"), at(2, "/status?code=500")));
    CHECK_ERROR(last.error, 0);
    CHECK_EQ_INT(last.status, 500);
    CHECK_EQ_INT(last.attempts, 3);
    CHECK_STR(last.url, at(0, "/gone"));
    CHECK_STR(last.final_url, at(2, "/status?code=500"));
    CHECK_STR(last.message, "HTTP 500; the first of the 3 URLs that were tried: HTTP 404");
    FETCH(at(0, "/short"), .mirrors = MIRRORS(at(3, "/gone")));
    CHECK_STR(last.body, "gone"); /* the last response is a response like any other */
    CHECK_CONTAINS(last.message, "HTTP 404; the first of the 2 URLs that were tried: the response ended early: ");
    forget(life);
    FETCH(at(0, "/gone"), .mirrors = MIRRORS(at(3, "/stall")), .timeout_ms = 500);
    CHECK_ERROR(last.error, STOOK_ETIMEOUT_TOTAL);
    CHECK_CONTAINS(last.message, "no complete response within 500 ms; the first of the 2 URLs that were tried: HTTP 404");
    FETCH(at(0, "/gone"), .mirrors = (const char *const[]){NULL});
    CHECK_STR(last.message, "HTTP 404");
}

/* One whole clock over all tries, an attempt's clock for each. */
TEST_BOTH(clocks)
{
    begin(life);
    const char *const *mirrors = MIRRORS(at(1, "/stall"), at(2, "/stall"), at(3, "/stall"));
    FETCH(at(0, "/stall"), .mirrors = mirrors, .attempt_timeout_ms = 30);
    CHECK_ERROR(last.error, STOOK_ETIMEOUT_ATTEMPT);
    CHECK_EQ_INT(last.attempts, 4);
    forget(life);
    FETCH(at(0, "/stall"), .mirrors = mirrors, .attempt_timeout_ms = 500, .timeout_ms = 1000);
    CHECK_ERROR(last.error, STOOK_ETIMEOUT_TOTAL);
    CHECK_EQ_INT(last.attempts, 2);
}

/* A mirror may be by http where the URL is by https: the program names it. */
TEST_BOTH(certificate_of_a_stranger)
{
    struct raw_tls tls = {.directory = temporary_directory(), .certificate = "leaf"};
    certificates_standard(tls.directory);
    stranger = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    begin(life);
    char url[100];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", doors[STRANGER].port);
    FETCH(url);
    CHECK_ERROR(last.error, STOOK_ECERT);
    FETCH(url, .mirrors = MIRRORS(at(1, "/ok")), .sha256 = OF_OK);
    CHECK_STR(last.message, "OK");
    CHECK_STR(last.final_url, at(1, "/ok"));
    FETCH(at(1, "/gone"), .mirrors = MIRRORS(url));
    CHECK_ERROR(last.error, STOOK_ECERT);
    CHECK_CONTAINS(last.message, "; the first of the 2 URLs that were tried: HTTP 404");
    stranger = (struct raw_door){0};
}

/* ------------------------------------------------------------------ order and memory */

TEST_BOTH(broken_ones_are_tried_last)
{
    begin(life);
    const char *url = at(0, "/status?code=503"), *other = at(1, "/ok");
    FETCH(url, .mirrors = MIRRORS(other));
    CHECK_EQ_INT(last.attempts, 2);
    /* Another URL of the same origin. */
    FETCH(at(0, "/ok/first"), .mirrors = MIRRORS(other));
    CHECK_STR(last.final_url, other);
    CHECK_STR(last.url, at(0, "/ok/first"));
    CHECK_EQ_INT(last.attempts, 1);
    /* If nothing else is left, it is tried, and then it is no longer broken. */
    FETCH(at(0, "/ok/second"), .mirrors = MIRRORS(at(1, "/gone"), at(2, "/gone")));
    CHECK_STR(last.message, "OK");
    CHECK_STR(last.final_url, at(0, "/ok/second"));
    CHECK_EQ_INT(last.attempts, 3);
    FETCH(at(0, "/ok/third"), .mirrors = MIRRORS(other));
    CHECK_STR(last.final_url, at(0, "/ok/third"));
    /* A file that is missing says nothing of the others. */
    FETCH(at(2, "/ok/fourth"), .mirrors = MIRRORS(other));
    CHECK_STR(last.final_url, at(2, "/ok/fourth"));
    /* A request without mirrors is not asked. */
    FETCH(url);
    FETCH(at(0, "/ok/fifth"));
    CHECK_STR(last.message, "OK");
    /* The last of all tries is remembered too. */
    FETCH(at(1, "/gone"), .mirrors = MIRRORS(at(3, "/rst")));
    CHECK_ERROR(last.error, STOOK_ERESET);
    FETCH(at(3, "/ok/sixth"), .mirrors = MIRRORS(other));
    CHECK_STR(last.final_url, other);
    /* All are broken: in their order. */
    FETCH(at(1, "/rst"), .mirrors = MIRRORS(at(2, "/rst")));
    FETCH(at(1, "/gone"), .mirrors = MIRRORS(at(2, "/ok")));
    CHECK_EQ_INT(last.attempts, 2);
}

/* What waits when an origin turns out to be broken does not try it any more. */
TEST_BOTH(many_at_once)
{
    enum { MANY = 200 };
    begin(life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < MANY; i++)
        ADD(batch, at(0, "/status?code=503"), .mirrors = MIRRORS(at(1, "/status?code=500"), at(2, "/ok")));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 4)), 0);
    for (size_t i = 0; i < MANY; i++) {
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result(batch, i)), i);
        CHECK_STR(stook_result_final_url(stook_batch_result(batch, i)), at(2, "/ok"));
    }
    unsigned failed = raw_seen(server, "/status");
    CHECK(failed >= 2 && failed <= 8); /* those that were in flight when the first one failed, at either */
    struct stook_stats stats = {.size = sizeof stats};
    CHECK_ERROR(stook_client_stats(life->client, &stats), 0);
    CHECK_EQ_INT(stats.started, MANY);
    stook_batch_free(batch);
}

/* A try waits for room at its origin as any request does. */
TEST_BOTH(limits_of_the_mirrors_origin)
{
    enum { MANY = 20 };
    begin_as(life, &STOOK_CLIENT(.origin_limit = 2));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < MANY; i++)
        ADD(batch, at(0, "/gone"), .mirrors = MIRRORS(at(1, "/delay?ms=5")));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(raw_peak(server, "/delay") <= 2);
    CHECK_EQ_INT(raw_seen(server, "/delay"), MANY);
    stook_batch_free(batch);
}

/* --------------------------------------------------------------------- what goes along */

static int has(const char *line)
{
    return strstr(last.body, text("\r\n%s\r\n", line)) != NULL;
}

TEST_BOTH(what_goes_along)
{
    static const char *const headers[] = {"Authorization: Bearer x", "Cookie: a=b", "X-Key: k", "Range: bytes=0-3",
                                          "Accept: text/x-test", "X-Named: n", NULL};
    begin(life);
    FETCH(at(0, "/gone"), .headers = headers, .redirect_headers = MIRRORS("X-Named"), .mirrors = MIRRORS(at(1, "/echo")));
    CHECK(has("Range: bytes=0-3") && has("Accept: text/x-test") && has("X-Named: n"));
    CHECK(!has("Authorization: Bearer x") && !has("Cookie: a=b") && !has("X-Key: k"));
    /* The same origin, also behind a mirror elsewhere. */
    FETCH(at(0, "/gone"), .headers = headers, .mirrors = MIRRORS(at(1, "/gone"), at(0, "/echo")));
    CHECK_EQ_INT(last.attempts, 3);
    for (size_t i = 0; headers[i] != NULL; i++)
        CHECK(has(headers[i]));
    /* Behind a redirect to elsewhere, too: the program gave them to this origin. */
    FETCH(at(0, text("/led?%s", at(1, "/gone"))), .headers = headers, .max_redirects = 2, .mirrors = MIRRORS(at(0, "/echo")));
    for (size_t i = 0; headers[i] != NULL; i++)
        CHECK(has(headers[i]));
    CHECK_EQ_SIZE(last.hops, 0);
    FETCH(at(0, "/gone"), .bearer = "x", .mirrors = MIRRORS(at(1, "/echo")));
    CHECK(strstr(last.body, "Authorization") == NULL);
    FETCH(at(0, "/gone"), .bearer = "x", .mirrors = MIRRORS(at(0, "/echo")));
    CHECK(has("Authorization: Bearer x"));
    FETCH(at(0, "/gone"), .method = "HEAD", .mirrors = MIRRORS(at(1, "/echo")));
    CHECK_EQ_INT(last.status, 200);
    CHECK_STR(last.body, "");
}

/* Digest answers the challenge of its own origin only. */
TEST_BOTH(digest)
{
    begin(life);
    for (int door = 0; door < 2; door++) {
        FETCH(at(0, "/gone"), .username = "me", .password = "pw", .auth = STOOK_AUTH_DIGEST,
              .mirrors = MIRRORS(at(1, "/gone"), at(door, "/echo")));
        CHECK_EQ_INT(last.status, 200);
        CHECK(strstr(last.body, "me") == NULL);
    }
}

/* Redirects of a mirror are its own. */
TEST_BOTH(redirects_of_mirrors)
{
    begin(life);
    stook_batch *batch = life_batch(life);
    char mirror[200];
    snprintf(mirror, sizeof mirror, "%s", at(1, text("/led?%s", at(2, "/ok"))));
    ADD(batch, at(0, "/led?/gone"), .max_redirects = 1, .mirrors = MIRRORS(mirror));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const stook_result *result = stook_batch_result(batch, 0);
    int status;
    CHECK_EQ_SIZE(stook_result_hop_count(result), 1);
    CHECK_STR(stook_result_hop_at(result, 0, &status), mirror);
    CHECK_EQ_INT(status, 302);
    CHECK_STR(stook_result_url(result), at(0, "/led?/gone"));
    CHECK_STR(stook_result_final_url(result), at(2, "/ok"));
    CHECK_EQ_INT(stook_result_attempts(result), 4);
    stook_batch_free(batch);
}

static struct {
    const char *first, *second; /* final URLs as on_progress saw them, which live as long as the result */
} seen;

static void note_url(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    const char *url = stook_result_final_url(result);
    (void)batch, (void)progress;
    CHECK_STR(stook_result_url(result), at(0, "/stall-body"));
    CHECK(stook_result_user(result) == user);
    if (strcmp(url, at(0, "/stall-body")) == 0)
        seen.first = url;
    else
        seen.second = url;
}

/* Callbacks see the URL of the try that runs. */
TEST_BOTH(progress_of_tries)
{
    begin(life);
    seen.first = seen.second = NULL;
    stook_batch *batch = life_batch(life);
    ADD(batch, at(0, "/stall-body"), .stall_timeout_ms = 500, .on_progress = note_url, .user = &seen,
        .mirrors = MIRRORS(at(1, "/led?/ok")), .max_redirects = 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(seen.first != NULL && seen.second != NULL);
    CHECK_STR(seen.first, at(0, "/stall-body"));
    CHECK_STR(seen.second, at(1, "/ok"));
    stook_batch_free(batch);
}

/* --------------------------------------------------------------------------- files */

/* A file is never made of what two mirrors sent. */
TEST_BOTH(a_file_of_one_mirror)
{
    char body[1001];
    begin(life);
    memset(body, 'b', 1000);
    body[1000] = '\0';
    for (int64_t resume = 0; resume < 2; resume++) {
        FETCH(at(0, "/thing?byte=a&cut=400"), .output_file = path, .resume = resume,
              .mirrors = MIRRORS(at(1, "/thing?byte=b")));
        CHECK_STR(last.message, "OK");
        CHECK_STR(read_file(path), body);
        CHECK_EQ_INT(access(text("%s.part", path), F_OK), -1);
        CHECK_EQ_INT(access(text("%s.part.tag", path), F_OK), -1);
        forget(life);
    }
    /* Without the mirror the part is resumed later. */
    unlink(path);
    FETCH(at(0, "/thing?byte=a&cut=400"), .output_file = path, .resume = 1, .mirrors = MIRRORS(at(1, "/gone")));
    CHECK_EQ_INT(last.status, 404);
    CHECK_EQ_INT(access(text("%s.part.tag", path), F_OK), 0);
}

/* A try that is cut off by its clock leaves its file to the next one. */
TEST_BOTH(a_file_after_a_timeout)
{
    begin(life);
    FETCH(at(0, "/stall-body"), .output_file = path, .stall_timeout_ms = 500, .mirrors = MIRRORS(at(1, "/ok")));
    CHECK_STR(last.message, "OK");
    CHECK_STR(read_file(path), "ok");
}

/* ------------------------------------------------------------------- while it waits */

static stook_client *drained;

static void drain(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    (void)batch, (void)result, (void)progress;
    if (++*(int *)user == 1)
        CHECK_ERROR(stook_client_drain(drained, STOOK_NONE, NULL, NULL), 0);
}

/* A drain lets it go on, as it does a hop. */
TEST_BOTH(in_a_drain)
{
    int calls = 0;
    begin(life);
    drained = life->client;
    stook_batch *batch = life_batch(life);
    ADD(batch, at(0, "/stall-body"), .stall_timeout_ms = 500, .on_progress = drain, .user = &calls, .mirrors = MIRRORS(at(1, "/ok")));
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 0);
    CHECK_STR(stook_result_final_url(stook_batch_result(batch, 0)), at(1, "/ok"));
    stook_batch_free(batch);
    life->client = NULL; /* the drain has closed it */
}

/* Cancels the second request when the third has its result: by then it waits for room at its mirror. */
static void cancel_second(stook_batch *batch, const stook_result *result, void *user)
{
    if (stook_result_index(result) == 2) {
        CHECK_EQ_INT(stook_batch_request_state(batch, 1), STOOK_STATE_QUEUED_ORIGIN);
        stook_batch_cancel_request(batch, 1);
        raw_signal(server, "/go");
    }
    if (stook_result_index(result) == 1)
        snprintf(user, sizeof last.message, "%s %s %u", stook_result_message(result), stook_result_final_url(result),
                 stook_result_attempts(result));
}

TEST_BOTH(cancelled_while_it_waits)
{
    begin_as(life, &STOOK_CLIENT(.origin_limit = 1));
    stook_batch *batch = life_batch(life);
    ADD(batch, at(1, "/after?path=/go"));
    ADD(batch, at(0, "/gone"), .mirrors = MIRRORS(at(1, "/ok")));
    ADD(batch, at(0, "/ok/third"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = cancel_second, .user = last.message)), 1);
    CHECK_STR(last.message, text("cancelled %s 1", at(1, "/ok")));
    CHECK_EQ_INT(raw_seen(server, "/ok"), 0);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------- misuse */

TEST_BOTH(bad_inputs)
{
    static const char *many[52];
    begin(life);
    const char *ok = at(0, "/ok");
    for (size_t i = 0; i < 51; i++)
        many[i] = ok;
    const struct {
        struct stook_request request;
        int error;
        const char *why;
    } rows[] = {
        {STOOK_REQUEST(ok, .mirrors = many), STOOK_EARG, "mirrors has more than 50 URLs"},
        {STOOK_REQUEST(ok, .method = "PUT", .mirrors = MIRRORS(ok)), STOOK_EARG, "for GET and HEAD"},
        {STOOK_REQUEST(ok, .json = "1", .mirrors = MIRRORS(ok)), STOOK_EARG, "without a body"},
        {STOOK_REQUEST(ok, .unix_socket = "/x", .mirrors = MIRRORS(ok)), STOOK_EARG, "unix_socket"},
        {STOOK_REQUEST(ok, .mirrors = MIRRORS(ok, "")), STOOK_EURL, "one of mirrors"},
        {STOOK_REQUEST(ok, .mirrors = MIRRORS("127.0.0.1")), STOOK_EURL, "one of mirrors"},
        {STOOK_REQUEST(ok, .mirrors = MIRRORS("ftp://127.0.0.1/")), STOOK_EPOLICY, "one of mirrors"},
        {STOOK_REQUEST(ok, .mirrors = MIRRORS("http://me:pw@127.0.0.1/")), STOOK_EPOLICY, "one of mirrors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_note("row %zu", i);
        fetch(life, &rows[i].request);
        CHECK_ERROR(last.error, rows[i].error);
        CHECK_CONTAINS(last.message, rows[i].why);
        CHECK(strstr(last.message, "pw") == NULL);
    }
    CHECK_EQ_INT(raw_connections(server), 0);
    many[50] = NULL;
    FETCH(at(0, "/gone"), .mirrors = many);
    CHECK_STR(last.message, "OK");
}

static void flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    if (story.batch) {
        story_add_request(&story, &STOOK_REQUEST(at(0, "/gone"), .mirrors = MIRRORS(at(1, "/short"), at(2, "/ok"))));
        story_add_request(&story, &STOOK_REQUEST(at(0, "/led?/gone"), .max_redirects = 2, .output_file = path,
                                                 .headers = MIRRORS("X-Key: 1"), .mirrors = MIRRORS(at(0, "/short"), at(1, "/gone"))));
    }
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    memset(doors, 0, sizeof doors);
    doors[NO_TLS].serve = serve_nonsense;
    doors[STRANGER] = stranger;
    server = raw_server_open(behaviours, doors, DOORS);
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    fail_nth(flow);
}
