/* SPDX-License-Identifier: MIT */
/* Requests that are sent more than once within an attempt: Digest (RFC 7616), and 417 to an expectation. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/httpbin.h"
#include "support/process.h"
#include "support/raw_server.h"

/* Runs one request: returns its body, and checks the number of sends and the status. */
static const char *ask(struct life *life, const struct stook_request *request, unsigned attempts, int status)
{
    static char *kept;
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    test_note("%s: %s", stook_result_url(result), stook_result_message(result));
    CHECK(strstr(stook_result_message(result), "secret") == NULL);
    CHECK_ERROR(stook_result_error(result), 0);
    CHECK_EQ_INT(stook_result_status(result), status);
    CHECK_EQ_INT(stook_result_attempts(result), attempts);
    free(kept);
    kept = strdup(stook_result_body(result, NULL));
    stook_batch_free(batch);
    return kept;
}

/* One that must fail. Without a number of attempts there may be one or two. */
static void fail(struct life *life, const struct stook_request *request, unsigned attempts, int error, const char *why)
{
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_batch_result(batch, 0);
    test_note("%s: %s", stook_result_url(result), stook_result_message(result));
    CHECK_ERROR(stook_result_error(result), error);
    CHECK_CONTAINS(stook_result_message(result), why);
    if (attempts > 0)
        CHECK_EQ_INT(stook_result_attempts(result), attempts);
    CHECK(stook_result_attempts(result) <= 2);
    stook_batch_free(batch);
}

#define DIGEST .username = "user", .password = "secret", .auth = STOOK_AUTH_DIGEST

/* Verified by a server that is not ours, with the connection kept and closed in between. */
TEST_BOTH(digest, httpbin)
{
    for (int keep = 0; keep <= 1; keep++) {
        struct httpbin *httpbin = httpbin_start(keep);
        life_open(life, NULL);
        const char *url = httpbin_url(httpbin, "/digest-auth/auth/user/secret");
        CHECK_CONTAINS(ask(life, &STOOK_REQUEST(url, DIGEST), 2, 200), "\"authenticated\"");
        CHECK_CONTAINS(ask(life, &STOOK_REQUEST(httpbin_url(httpbin, "/digest-auth/auth/user/secret/SHA-256"), DIGEST), 2, 200),
                       "\"authenticated\"");
        /* Wrong, and none; nothing is left of the others. */
        ask(life, &STOOK_REQUEST(url, .username = "user", .password = "secrets", .auth = STOOK_AUTH_DIGEST), 2, 401);
        ask(life, &STOOK_REQUEST(url), 1, 401);
        ask(life, &STOOK_REQUEST(httpbin_url(httpbin, "/get"), DIGEST), 1, 200);
        ask(life, &STOOK_REQUEST(httpbin_url(httpbin, "/basic-auth/user/secret"), .username = "user", .password = "secret"), 1, 200);
        ask(life, &STOOK_REQUEST(httpbin_url(httpbin, "/bearer"), .bearer = "secret"), 1, 200);
        life_close(life);
    }
}

/* ----------------------------------------------------------------- servers of ours */

#define CHALLENGE "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256\r\n"

static enum raw_then echo(struct raw_call *call)
{
    char *all = malloc(call->head_size + call->body_size);
    memcpy(all, call->head, call->head_size);
    memcpy(all + call->head_size, call->body, call->body_size);
    raw_answer(call, all, call->head_size + call->body_size);
    free(all);
    return RAW_KEEP;
}

static int has_digest(const struct raw_call *call)
{
    return strstr(call->head, "\r\nAuthorization: Digest username=\"user\"") != NULL;
}

static enum raw_then challenge(struct raw_call *call)
{
    if (has_digest(call))
        return echo(call);
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\n" CHALLENGE "X-First: 1\r\nContent-Length: 5\r\n\r\nfirst");
    return RAW_KEEP;
}

/* The second response cannot be resumed: it has no validator. */
static enum raw_then found_then_cut(struct raw_call *call)
{
    raw_say(call, call->seen == 1 ? "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\nfirst"
                                  : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nha");
    return call->seen == 1 ? RAW_KEEP : RAW_CLOSE;
}

/* The same, on a connection that ends. */
static enum raw_then challenge_and_close(struct raw_call *call)
{
    if (has_digest(call))
        return echo(call);
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\n" CHALLENGE "Connection: close\r\n\r\nfirst");
    return RAW_CLOSE;
}

/* No challenge: libcurl, which sent no body, sends the request again after the first response too. */
static enum raw_then found_then_lost(struct raw_call *call)
{
    raw_say(call, call->seen == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
                                  : "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost");
    return RAW_KEEP;
}

static enum raw_then challenge_and_vanish(struct raw_call *call)
{
    return has_digest(call) ? RAW_CLOSE : challenge(call);
}

/* Every nonce is too old. */
static enum raw_then stale(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n%u\", qop=\"auth\"%s\r\n"
                  "Content-Length: 5\r\n\r\nstale", call->seen, has_digest(call) ? ", stale=true" : "");
    return RAW_KEEP;
}

static enum raw_then many(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\n");
    for (int i = 0; i < 100; i++)
        raw_say(call, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n%d\"\r\nWWW-Authenticate: Basic realm=\"r\"\r\n", i);
    raw_say(call, "Content-Length: 4\r\n\r\nmany");
    return RAW_KEEP;
}

static enum raw_then refuse_expectation(struct raw_call *call)
{
    char waste[64];
    if (strcasestr(call->head, "\r\nExpect: 100-continue\r\n") != NULL) {
        raw_say(call, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
        return RAW_KEEP;
    }
    raw_read(call, waste, 4);
    return raw_answer(call, waste, 4);
}

/* Says no, and reads the body all the same, as a server may that does not close (RFC 9110 10.1.1). */
static enum raw_then refuse_and_discard(struct raw_call *call)
{
    char waste[64];
    if (strcasestr(call->head, "\r\nExpect: 100-continue\r\n") == NULL) {
        raw_read(call, waste, 4);
        return raw_answer(call, waste, 4);
    }
    raw_say(call, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    size_t size = raw_read(call, waste, 4);
    CHECK(size == 0 || memcmp(waste, "1234", 4) == 0);
    return size == 0 ? RAW_CLOSE : RAW_KEEP;
}

static enum raw_then refuse_always(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

/* Only what has content waits for leave (RFC 9110 10.1.1): of a Digest not what asks for the challenge. */
static enum raw_then challenge_then_leave(struct raw_call *call)
{
    char body[64];
    int expects = strcasestr(call->head, "\r\nExpect: 100-continue\r\n") != NULL;
    CHECK_EQ_INT(expects, has_digest(call));
    if (!has_digest(call))
        return challenge(call);
    raw_say(call, "HTTP/1.1 100 Continue\r\n\r\n");
    raw_read(call, body, 4);
    return raw_answer(call, body, 4);
}

/* Says "go on" and reads then. */
static enum raw_then leave_to_send(struct raw_call *call)
{
    char body[64];
    raw_say(call, "HTTP/1.1 100 Continue\r\n\r\n");
    raw_read(call, body, 4);
    return raw_answer(call, body, 4);
}

/* What comes after the challenge fails once: with a status, or without a response (/lose). */
static enum raw_then fail_what_is_signed(struct raw_call *call)
{
    if (!has_digest(call) || call->seen > 2)
        return challenge(call);
    if (strcmp(call->path, "/signed/lose") == 0)
        return RAW_RESET;
    raw_say(call, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    return RAW_KEEP;
}

/* Refuses the expectation, then fails, then refuses it again. */
static enum raw_then refuse_and_fail(struct raw_call *call)
{
    if (strcasestr(call->head, "\r\nExpect: 100-continue\r\n") != NULL || call->seen > 2)
        return refuse_expectation(call);
    char waste[4];
    raw_read(call, waste, 4);
    raw_say(call, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    return RAW_KEEP;
}

static const struct raw_behaviour own[] = {
    {"/signed", .answer = fail_what_is_signed},
    {"/refuse-and-fail", .answer = refuse_and_fail, .early = 1},
    {"/challenge", .answer = challenge},
    {"/challenge-and-close", .answer = challenge_and_close},
    {"/challenge-and-vanish", .answer = challenge_and_vanish},
    {"/found-then-lost", .answer = found_then_lost},
    {"/found-then-cut", .answer = found_then_cut},
    {"/stale", .answer = stale},
    {"/many", .answer = many},
    {"/bad-qop", "HTTP/1.1 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"x\"\r\nContent-Length: 3\r\n\r\nqop",
     .then = RAW_KEEP},
    {"/no-nonce", "HTTP/1.1 401 U\r\nWWW-Authenticate: Digest realm=\"r\"\r\nContent-Length: 5\r\n\r\nnonce",
     .then = RAW_KEEP},
    {"/bad-algorithm", "HTTP/1.1 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=ROT13\r\n"
                       "Content-Length: 9\r\n\r\nalgorithm", .then = RAW_KEEP},
    {"/basic-only", "HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 5\r\n\r\nbasic",
     .then = RAW_KEEP},
    {"/short-401", "HTTP/1.1 401 U\r\n" CHALLENGE "Content-Length: 100\r\n\r\nshort", .then = RAW_CLOSE},
    {"/refuse-expectation", .answer = refuse_expectation, .early = 1},
    {"/refuse-and-discard", .answer = refuse_and_discard, .early = 1},
    {"/refuse-always", .answer = refuse_always, .early = 1},
    {"/challenge-then-leave", .answer = challenge_then_leave, .early = 1},
    {"/leave", .answer = leave_to_send, .early = 1},
    {NULL}};

/* Only the second send has the body, and nothing of the first response is in the second. */
TEST_BOTH(digest_with_bodies)
{
    struct raw_server *server = raw_server_start(own);
    const char *file = text("%s/file", temporary_directory());
    write_file(file, "from a file");
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "a", .file = file), NULL};
    for (int close = 0; close <= 1; close++) {
        const char *url = raw_url(server, close ? "/challenge-and-close" : "/challenge");
        life_open(life, NULL);
        CHECK_CONTAINS(ask(life, &STOOK_REQUEST(url, .json = "[1]", DIGEST), 2, 200), "\r\n\r\n[1]");
        CHECK_CONTAINS(ask(life, &STOOK_REQUEST(url, .body_file = file, .method = "PUT", DIGEST), 2, 200), "\r\n\r\nfrom a file");
        CHECK_CONTAINS(ask(life, &STOOK_REQUEST(url, .parts = parts, DIGEST), 2, 200), "\r\n\r\nfrom a file\r\n--");
        const char *sent = ask(life, &STOOK_REQUEST(url, DIGEST), 2, 200);
        CHECK(strstr(sent, "first") == NULL);
        CHECK(strstr(sent, "secret") == NULL);
        life_close(life);
    }
}

/* The first response is a 2xx, so its body would go to the file; the second one is the result's. */
TEST_BOTH(digest_with_output_file)
{
    struct raw_server *server = raw_server_start(own);
    const char *path = text("%s/file", temporary_directory());
    life_open(life, NULL);
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/found-then-lost"), .method = "PUT", .json = "1",
                                       .output_file = path, DIGEST), 2, 404), "lost");
    CHECK(access(path, F_OK) != 0);
    CHECK(access(text("%s.part", path), F_OK) != 0);
    fail(life, &STOOK_REQUEST(raw_url(server, "/found-then-cut"), .method = "GET", .json = "1", .output_file = path,
                              DIGEST), 2, STOOK_ETRUNCATED, "");
    CHECK(access(text("%s.part", path), F_OK) != 0);
}

/* However a server asks, the third time is the last. */
TEST_BOTH(digest_loops)
{
    static const struct {
        const char *path;
        unsigned most;    /* sendings: what libcurl makes of a bad challenge is its own */
        const char *body; /* NULL: whatever it is */
    } rows[] = {{"/stale", 3, NULL}, {"/many", 2, NULL}, {"/bad-qop", 2, NULL}, {"/no-nonce", 2, NULL},
                {"/bad-algorithm", 1, "algorithm"}, {"/basic-only", 1, "basic"}};
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct raw_server *server = raw_server_start(own);
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "%s", rows[i].path), DIGEST);
        add(batch, raw_url(server, "/ok"));
        CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
        const stook_result *result = stook_batch_result(batch, 0);
        test_note("%s: %s, %u", rows[i].path, stook_result_message(result), stook_result_attempts(result));
        CHECK_STR(stook_result_message(result), "HTTP 401");
        CHECK_EQ_INT(stook_result_attempts(result), raw_seen(server, rows[i].path));
        CHECK(stook_result_attempts(result) <= rows[i].most);
        if (rows[i].body != NULL)
            CHECK_STR(stook_result_body(result, NULL), rows[i].body);
        stook_batch_free(batch);
    }
}

/* The guard against sending twice is as it was: only a 401 opens it, and only where it is Digest. */
TEST_BOTH(digest_lost_on_the_way)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    fail(life, &STOOK_REQUEST(raw_url(server, "/challenge-and-vanish"), DIGEST), 2, STOOK_ERESET, "");
    CHECK_EQ_INT(raw_seen(server, "/challenge-and-vanish"), 2);
    /* 7.88 goes on although the challenge is cut off; for 8.14 that is the end. */
    fail(life, &STOOK_REQUEST(raw_url(server, "/short-401"), DIGEST), 0, STOOK_ETRUNCATED, "");
    CHECK(raw_seen(server, "/short-401") <= 2);
    /* Nor does a kept-alive connection that dies. */
    ask(life, &STOOK_REQUEST(raw_url(server, "/ok")), 1, 200);
    fail(life, &STOOK_REQUEST(raw_url(server, "/swallow"), .json = "1", DIGEST), 1, STOOK_ERESET, "");
    CHECK_EQ_INT(raw_seen(server, "/swallow"), 1);
    ask(life, &STOOK_REQUEST(raw_url(server, "/challenge")), 1, 401);
    ask(life, &STOOK_REQUEST(raw_url(server, "/challenge"), .username = "user", .password = "secret"), 1, 401);
}

/* A retry begins anew, with the question for the challenge, and with the whole body behind it. */
TEST_BOTH(digest_retried)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, &STOOK_CLIENT(.max_retries = 2, .retry_delay_ms = 1));
    for (int lost = 0; lost <= 1; lost++) {
        const char *url = raw_url(server, lost ? "/signed/lose" : "/signed/fail");
        const char *sent = ask(life, &STOOK_REQUEST(url, .json = "[1]", .method = "PUT", DIGEST), 4, 200);
        CHECK_CONTAINS(sent, "\r\n\r\n[1]");
        CHECK(strstr(sent, "busy") == NULL && strstr(sent, "first") == NULL);
        CHECK_EQ_INT(raw_seen(server, lost ? "/signed/lose" : "/signed/fail"), 4);
    }
    /* A POST that has arrived is not sent again. */
    ask(life, &STOOK_REQUEST(raw_url(server, "/signed/post"), .json = "[1]", DIGEST), 2, 503);
    CHECK_EQ_INT(raw_seen(server, "/signed/post"), 2);
}

/* A server that wants no Digest has been sent a request without its body. */
TEST_BOTH(digest_that_nobody_wants)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    ask(life, &STOOK_REQUEST(raw_url(server, "/ok"), DIGEST), 1, 200);
    CHECK_CONTAINS(ask(life, &STOOK_REQUEST(raw_url(server, "/echo"), .method = "PUT", .json = "1", DIGEST), 2, 200), "\r\n\r\n1");
    fail(life, &STOOK_REQUEST(raw_url(server, "/echo"), .json = "1", DIGEST), 1, STOOK_EPROTOCOL, "asked for no Digest");
    ask(life, &STOOK_REQUEST(raw_url(server, "/status?code=503"), .json = "1", DIGEST), 1, 503);
    /* One that has no body was whole, whatever its method. */
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/ok"), .method = "POST", DIGEST), 1, 200), "ok");
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/ok"), .method = "PUT", DIGEST), 1, 200), "ok");
    const char *empty = text("%s/empty", temporary_directory());
    write_file(empty, "");
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/ok"), .body_file = empty, DIGEST), 1, 200), "ok");
    CHECK_EQ_INT(raw_seen(server, "/ok"), 4);
}

struct heard {
    int heads, status;
    size_t bytes;
};

static int hear_head(stook_batch *batch, const stook_result *result, void *user)
{
    struct heard *heard = user;
    (void)batch;
    heard->heads++;
    heard->status = stook_result_status(result);
    return 0;
}

static int hear_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct heard *heard = user;
    (void)batch;
    (void)result;
    (void)data;
    heard->bytes += size;
    return 0;
}

/* Callbacks are called for the last response only. */
TEST_BOTH(digest_with_callbacks)
{
    static const struct {
        const char *path;
        int status;
        size_t bytes;
    } rows[] = {{"/challenge", 200, 1}, {"/basic-only", 401, 5}, {"/stale", 401, 0}, {"/no-content", 204, 0}};
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct heard heard = {0};
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "%s", rows[i].path), .on_head = hear_head, .on_body = hear_body, .user = &heard, DIGEST);
        life_gather(life, batch, NULL);
        test_note("%s: %s", rows[i].path, stook_result_message(stook_batch_result(batch, 0)));
        CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), rows[i].status);
        CHECK_EQ_INT(heard.heads, 1);
        CHECK_EQ_INT(heard.status, rows[i].status);
        CHECK(rows[i].bytes == 1 ? heard.bytes > 0 : heard.bytes == rows[i].bytes);
        stook_batch_free(batch);
    }
}

/* ------------------------------------------------------------------ expectations */

TEST_BOTH(expect_is_met)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/leave"), .json = "1234", .expect = 1), 1, 200), "1234");
    /* Nobody says anything: sent after a second all the same. */
    const char *sent = ask(life, &STOOK_REQUEST(raw_url(server, "/echo"), .json = "1234", .expect = 1), 1, 200);
    CHECK_CONTAINS(sent, "\r\nExpect: 100-continue\r\n");
    CHECK_CONTAINS(sent, "\r\n\r\n1234");
}

/* RFC 9110 10.1.1: not in a request without content. */
TEST_BOTH(expect_is_for_content)
{
    struct raw_server *server = raw_server_start(own);
    char *path = strdup(text("%s/empty", temporary_directory()));
    life_open(life, NULL);
    write_file(path, "");
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/challenge-then-leave"), .json = "1234", .expect = 1, .username = "user",
                                       .password = "secret", .auth = STOOK_AUTH_DIGEST), 2, 200), "1234");
    const char *url = raw_url(server, "/echo");
    CHECK(strcasestr(ask(life, &STOOK_REQUEST(url, .method = "POST", .expect = 1), 1, 200), "\r\nExpect:") == NULL);
    CHECK(strcasestr(ask(life, &STOOK_REQUEST(url, .body_file = path, .expect = 1), 1, 200), "\r\nExpect:") == NULL);
    free(path);
}

/* RFC 9110 10.1.1: once more without it. */
TEST_BOTH(expect_is_refused)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/refuse-expectation"), .json = "1234", .expect = 1), 2, 200), "1234");
    CHECK_EQ_INT(raw_seen(server, "/refuse-expectation"), 2);
    ask(life, &STOOK_REQUEST(raw_url(server, "/refuse-always"), .json = "1234", .expect = 1), 2, 417);
    ask(life, &STOOK_REQUEST(raw_url(server, "/too-early"), .json = "1234", .expect = 1), 1, 413);
}

TEST_BOTH(expect_is_retried)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, &STOOK_CLIENT(.max_retries = 2, .retry_delay_ms = 1));
    CHECK_STR(ask(life, &STOOK_REQUEST(raw_url(server, "/refuse-and-fail"), .json = "1234", .expect = 1, .idempotency_key = "k"), 4, 200), "1234");
    CHECK_EQ_INT(raw_seen(server, "/refuse-and-fail"), 4);
}

/* Where the body was not sent nothing else is, for it would be taken for the body (RFC 9112 9.3). */
TEST_BOTH(expect_is_refused_and_the_body_awaited)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, &STOOK_CLIENT(.direct = STOOK_NONE)); /* all on libcurl's connections */
    const char *url = raw_url(server, "/refuse-and-discard");
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .json = "1234", .expect = 1), 2, 200), "1234");
    CHECK_EQ_INT(raw_connections(server), 2);
    /* The second of them is kept, and those behind it are as good as any. */
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .json = "5678"), 1, 200), "5678");
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .json = "9abc"), 1, 200), "9abc");
    CHECK_EQ_INT(raw_connections(server), 2);
}

/* ------------------------------------------------------------------- on_head, once */

struct heads {
    struct raw_server *server;
    int calls, status;
    int turns; /* since half of the body is there */
};

static int note_head(stook_batch *batch, const stook_result *result, void *user)
{
    struct heads *heads = user;
    (void)batch;
    heads->calls++;
    heads->status = stook_result_status(result);
    return 0;
}

/* Half of the body of an answer that is followed by another, and the rest when the program was there in between. */
static enum raw_then half_of_401(struct raw_call *call)
{
    if (strstr(call->head, "\r\nAuthorization: Digest ") != NULL)
        return raw_answer(call, "ok", 2);
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
                  "Content-Length: 4\r\n\r\nno");
    raw_signal(call->server, "/half");
    raw_wait(call->server, "/resumed", 1);
    raw_say(call, "no");
    return RAW_KEEP;
}

/* On a connection that was used before: the server had given it up. */
static enum raw_then give_up(struct raw_call *call)
{
    if (call->on_connection == 1)
        return raw_answer(call, "ok", 2);
    raw_say(call, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return RAW_CLOSE;
}

static const struct raw_behaviour followed[] = {{"/half-of-401", .answer = half_of_401}, {"/give-up", .answer = give_up}, {NULL}};

static stook_batch *resumed;

/* The server waits until this has been seen by some turns, so the batch is there as long as this is posted. */
static void resume_it(stook_client *client, void *user)
{
    struct heads *heads = user;
    stook_batch_resume_request(resumed, 0);
    if (raw_seen(heads->server, "/half") > 0 && stook_batch_request_state(resumed, 0) == STOOK_STATE_RECEIVING)
        heads->turns++;
    if (heads->turns < 3)
        CHECK_ERROR(stook_client_post(client, resume_it, user), 0);
    else
        raw_signal(heads->server, "/resumed");
}

/* Of answers that are followed by another the program is told nothing, whatever it asks for meanwhile. */
TEST_BOTH(heads_that_are_followed)
{
    struct heads heads = {.server = raw_server_start(followed)};
    life_open(life, NULL);
    resumed = life_batch(life);
    ADD(resumed, raw_url(heads.server, "/half-of-401"), DIGEST, .on_head = note_head, .user = &heads);
    CHECK_ERROR(stook_client_post(life->client, resume_it, &heads), 0);
    CHECK_EQ_INT(life_gather(life, resumed, NULL), 0);
    CHECK_EQ_INT(heads.calls, 1);
    CHECK_EQ_INT(heads.status, 200);
    stook_batch_free(resumed);
}

/* And of one that is made up for by a repeat. */
TEST_BOTH(heads_that_are_repeated)
{
    struct heads heads = {.server = raw_server_start(followed)};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(heads.server, "/ok"));
    ADD(batch, raw_url(heads.server, "/give-up"), .on_head = note_head, .user = &heads);
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, 1)), 2);
    CHECK_EQ_INT(heads.calls, 1);
    CHECK_EQ_INT(heads.status, 200);
    stook_batch_free(batch);
}
