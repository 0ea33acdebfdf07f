/* SPDX-License-Identifier: MIT */
/* What a request may carry besides URL, method and header fields: bodies from memory, credentials. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/process.h"
#include "support/raw_server.h"

/* The only request of a batch, echoed: the head and the body as they were sent. */
static const char *echoed(struct life *life, const struct stook_request *request)
{
    static char *kept;
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    free(kept);
    kept = strdup(stook_result_body(stook_batch_result(batch, 0), NULL));
    stook_batch_free(batch);
    return kept;
}

static const char *body_of(const char *sent)
{
    return strstr(sent, "\r\n\r\n") + 4;
}

TEST_BOTH(json)
{
    static const char *const own[] = {"content-type: application/problem+json", NULL};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    const char *sent = echoed(life, &STOOK_REQUEST(raw_url(server, "/echo"), .json = "{\"a\":[1,\"\xc3\xa4\"]}"));
    CHECK(strncmp(sent, "POST ", 5) == 0);
    CHECK_CONTAINS(sent, "\r\nContent-Type: application/json\r\n");
    CHECK_CONTAINS(sent, "\r\nContent-Length: 14\r\n");
    CHECK_STR(body_of(sent), "{\"a\":[1,\"\xc3\xa4\"]}");
    sent = echoed(life, &STOOK_REQUEST(raw_url(server, "/echo"), .json = "null", .method = "PUT", .headers = own));
    CHECK(strncmp(sent, "PUT ", 4) == 0);
    CHECK_CONTAINS(sent, "\r\ncontent-type: application/problem+json\r\n");
    CHECK(strstr(sent, "application/json") == NULL);
    CHECK_STR(body_of(sent), "null");
}

TEST_BOTH(form)
{
    static const char *const pairs[] = {"name", "J\xc3\xbcrgen K.", "q", "a+b=c&d", "empty", "", "*-._~", "\r\n", NULL};
    static const char *const nothing[] = {NULL};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    const char *sent = echoed(life, &STOOK_REQUEST(raw_url(server, "/echo"), .form = pairs));
    CHECK_CONTAINS(sent, "\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    CHECK_STR(body_of(sent), "name=J%C3%BCrgen+K.&q=a%2Bb%3Dc%26d&empty=&*-._%7E=%0D%0A");
    sent = echoed(life, &STOOK_REQUEST(raw_url(server, "/echo"), .form = nothing, .method = "POST"));
    CHECK_CONTAINS(sent, "\r\nContent-Length: 0\r\n");
}

TEST_BOTH(credentials)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    const char *url = raw_url(server, "/echo");
    CHECK_CONTAINS(echoed(life, &STOOK_REQUEST(url, .username = "Aladdin", .password = "open sesame")),
                   "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"); /* RFC 7617 2 */
    CHECK_CONTAINS(echoed(life, &STOOK_REQUEST(url, .username = "test", .password = "123\xc2\xa3", .auth = STOOK_AUTH_BASIC)),
                   "\r\nAuthorization: Basic dGVzdDoxMjPCow==\r\n"); /* RFC 7617 2.1 */
    CHECK_CONTAINS(echoed(life, &STOOK_REQUEST(url, .username = "ab")), "\r\nAuthorization: Basic YWI6\r\n");
    CHECK_CONTAINS(echoed(life, &STOOK_REQUEST(url, .username = "", .password = ":")), "\r\nAuthorization: Basic Ojo=\r\n");
    CHECK_CONTAINS(echoed(life, &STOOK_REQUEST(url, .bearer = "mF_9.B5f-4.1JqM==")),
                   "\r\nAuthorization: Bearer mF_9.B5f-4.1JqM==\r\n");
    /* Nothing of it stays for those that come after on the same connection. */
    CHECK(strstr(echoed(life, &STOOK_REQUEST(url)), "Authorization") == NULL);
    CHECK_EQ_INT(raw_connections(server), 1);
}

/* Waits for 100 (Continue) only on request. */
TEST_BOTH(expect)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    const char *url = raw_url(server, "/echo");
    CHECK(strcasestr(echoed(life, &STOOK_REQUEST(url, .json = "1")), "\r\nExpect:") == NULL);
    CHECK(strcasestr(echoed(life, &STOOK_REQUEST(url, .expect = 1)), "\r\nExpect:") == NULL); /* no body */
}

/* ----------------------------------------------------------- what is refused */

struct refused {
    struct stook_request request;
    int error;
    const char *why;
};

/* Each has a message of its own, and nothing is sent. */
TEST_BOTH(refused)
{
    static const char *const odd[] = {"name", "value", "alone", NULL};
    static const char *const fine[] = {"name", "value", NULL};
    static const char *const authorization[] = {"authorization: Basic x", NULL};
    static const char *const bad_resolve[][2] = {{"example.com:80"}, {"example.com:0:127.0.0.1"}, {":80:127.0.0.1"},
                                                 {"example.com:80:localhost"}, {"example.com:65536:127.0.0.1"},
                                                 {"exa mple.com:80:127.0.0.1"}, {"[::1:80:127.0.0.1"}, {""}};
    struct raw_server *server = raw_server_start(NULL);
    const char *url = raw_url(server, "/echo");
    char *long_path = malloc(200);
    memset(long_path, 'a', 199);
    long_path[108] = '\0';
    struct refused rows[] = {
        {STOOK_REQUEST(url, .json = ""), STOOK_EARG, "json is empty"},
        {STOOK_REQUEST(url, .json = "1", .form = fine), STOOK_EARG, "more than one body"},
        {STOOK_REQUEST(url, .json = "1", .body = "x", .body_size = 1), STOOK_EARG, "more than one body"},
        {STOOK_REQUEST(url, .body = "hello"), STOOK_EARG, "STOOK_AUTO measures a string, STOOK_NONE is an empty body"},
        {STOOK_REQUEST(url, .body = "", .priority = 1), STOOK_EARG, "body_size of 0"},
        {STOOK_REQUEST(url, .form = odd), STOOK_EARG, "has no value"},
        {STOOK_REQUEST(url, .password = "secret"), STOOK_EARG, "without username"},
        {STOOK_REQUEST(url, .auth = STOOK_AUTH_DIGEST), STOOK_EARG, "without username"},
        {STOOK_REQUEST(url, .username = "u", .bearer = "secret"), STOOK_EARG, "both username and bearer"},
        {STOOK_REQUEST(url, .username = "u", .headers = authorization), STOOK_EARG, "beside username or bearer"},
        {STOOK_REQUEST(url, .bearer = "secret", .headers = authorization), STOOK_EARG, "beside username or bearer"},
        {STOOK_REQUEST(url, .username = "u:v"), STOOK_EARG, "contains a colon"},
        {STOOK_REQUEST(url, .username = "u\r\n"), STOOK_EARG, "control byte"},
        {STOOK_REQUEST(url, .username = "u", .password = "secret\n"), STOOK_EARG, "control byte"},
        {STOOK_REQUEST(url, .username = "u", .password = "secret\x7f", .auth = STOOK_AUTH_DIGEST), STOOK_EARG, "control byte"},
        {STOOK_REQUEST(url, .bearer = ""), STOOK_EARG, "not a token"},
        {STOOK_REQUEST(url, .bearer = "sec ret"), STOOK_EARG, "not a token"},
        {STOOK_REQUEST(url, .bearer = "secret\r\nX: y"), STOOK_EARG, "not a token"},
        {STOOK_REQUEST(url, .ca_file = "a", .ca_data = "-----BEGIN CERTIFICATE-----"), STOOK_EARG, "both ca_file and ca_data"},
        {STOOK_REQUEST(url, .ca_data = "nothing"), STOOK_EARG, "ca_data contains no certificate"},
        {STOOK_REQUEST(url, .client_key = "a"), STOOK_EARG, "without client_cert"},
        {STOOK_REQUEST(url, .key_password = "secret"), STOOK_EARG, "without client_cert"},
        {STOOK_REQUEST(url, .client_cert = ""), STOOK_EARG, "is empty"},
        {STOOK_REQUEST(url, .pinned_key = ""), STOOK_EARG, "pinned_key is neither"},
        {STOOK_REQUEST(url, .pinned_key = "sha256//short="), STOOK_EARG, "pinned_key is neither"},
        {STOOK_REQUEST(url, .unix_socket = ""), STOOK_EARG, "unix_socket is empty"},
        {STOOK_REQUEST(url, .unix_socket = long_path), STOOK_EARG, "unix_socket is empty or longer"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[0]), STOOK_EARG, "host:port:address"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[1]), STOOK_EARG, "host:port:address"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[2]), STOOK_EARG, "host:port:address"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[3]), STOOK_EARG, "host:port:address"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[4]), STOOK_EARG, "host:port:address"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[5]), STOOK_EARG, "host:port:address"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[6]), STOOK_EARG, "host:port:address"},
        {STOOK_REQUEST(url, .resolve = bad_resolve[7]), STOOK_EARG, "host:port:address"},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < ROWS; i++)
        CHECK_ERROR(stook_batch_add(batch, &rows[i].request), 0);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        test_note("row %zu: %s", i, stook_result_message(result));
        CHECK_ERROR(stook_result_error(result), rows[i].error);
        CHECK_CONTAINS(stook_result_message(result), stook_strerror(rows[i].error));
        CHECK_CONTAINS(stook_result_message(result), rows[i].why);
        CHECK(strstr(stook_result_message(result), "secret") == NULL);
    }
    CHECK_EQ_INT(raw_connections(server), 0);
    stook_batch_free(batch);
    free(long_path);
}

/* The same members of a client are its error. */
TEST(refused_clients)
{
    static const char *const bad[] = {"example.com:80", NULL};
    const struct stook_client_options rows[] = {
        STOOK_CLIENT(.ca_file = "a", .ca_data = "-----BEGIN CERTIFICATE-----"),
        STOOK_CLIENT(.ca_data = "nothing"),
        STOOK_CLIENT(.client_key = "a"),
        STOOK_CLIENT(.key_password = "a"),
        STOOK_CLIENT(.client_cert = ""),
        STOOK_CLIENT(.pinned_key = "sha256//"),
        STOOK_CLIENT(.resolve = bad),
        STOOK_CLIENT(.http_version = STOOK_HTTP_3 + 1),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stook_client *client = NULL;
        test_note("row %zu", i);
        CHECK_ERROR(stook_client_new(NULL, &rows[i], &client), STOOK_EARG);
        CHECK(client == NULL);
    }
}

/* ----------------------------------------------------------- borrowed bodies */

struct loan {
    int released;
    const void *body;
    stook_batch *batch; /* to be freed from inside; NULL: not */
};

static void release(void *body, void *user)
{
    struct loan *loan = user;
    CHECK(body == loan->body);
    loan->released++;
    tell("released");
    if (loan->batch != NULL)
        stook_batch_free(loan->batch);
}

static void tell_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    (void)result;
    (void)user;
    tell("result");
}

static void lend(stook_batch *batch, const char *url, const char *body, struct loan *loan)
{
    loan->body = body;
    ADD(batch, url, .body = body, .body_size = STOOK_AUTO, .body_release = release, .user = loan);
    CHECK_EQ_INT(loan->released, 0);
}

/* Sent from where it lies: what changes in between is what is sent. Given back exactly once. */
TEST_BOTH(borrowed)
{
    struct raw_server *server = raw_server_start(NULL);
    struct loan loans[3] = {{0}};
    char body[] = "before";
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    lend(batch, raw_url(server, "/echo"), body, &loans[0]);
    lend(batch, raw_url(server, "/rst"), "lost", &loans[1]);
    lend(batch, "ftp://nowhere/", "", &loans[2]);
    memcpy(body, "behind", 6);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 2);
    CHECK_STR(body_of(stook_result_body(stook_batch_result(batch, 0), NULL)), "behind");
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(loans[i].released, 1);
    stook_batch_free(batch);
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(loans[i].released, 1);
}

/* Also where the request never ran, and not where the add failed. */
TEST_BOTH(borrowed_in_vain)
{
    struct raw_server *server = raw_server_start(NULL);
    struct loan loans[5] = {{0}};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    lend(batch, raw_url(server, "/stall"), "never awaited", &loans[0]);
    stook_batch_free(batch);
    CHECK_EQ_INT(loans[0].released, 1);

    batch = life_batch(life);
    lend(batch, raw_url(server, "/stall"), "cancelled before the await", &loans[1]);
    stook_batch_cancel_request(batch, 0);
    CHECK_EQ_INT(loans[1].released, 0); /* not from inside the call */
    stook_batch_cancel(batch);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_EQ_INT(loans[1].released, 1);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .body = "x", .body_size = 1,
                                                      .body_release = release, .user = &loans[2])),
                STOOK_ESTATE);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .body = "x", .body_size = -7,
                                                      .body_release = release, .user = &loans[2])),
                STOOK_ESTATE);
    stook_batch_free(batch);
    CHECK_EQ_INT(loans[2].released, 0);

    stook_batch *open = life_batch(life), *other = life_batch(life);
    lend(open, raw_url(server, "/ok"), "the client is closed first", &loans[3]);
    lend(other, raw_url(server, "/ok"), "cancelled, and freed at once", &loans[4]);
    stook_batch_cancel_request(other, 0);
    stook_batch_free(other);
    life_close(life);
    CHECK_EQ_INT(loans[4].released, 1);
    CHECK_EQ_INT(loans[3].released, 0);
    stook_batch_free(open);
    CHECK_EQ_INT(loans[3].released, 1);
}

struct two_batches {
    stook_batch *batch; /* that is not awaited */
    struct loan *loans;
    stook_client *client; /* to be closed in `done`; NULL: it stays */
    int at_closed;
};

static void cancel_first(stook_batch *batch, const stook_result *result, void *user)
{
    const struct two_batches *two = user;
    (void)batch, (void)result;
    stook_batch_cancel_request(two->batch, 0);
    CHECK_EQ_INT(two->loans[0].released, 0); /* not from inside the call */
}

static void look_at_both(void *user)
{
    struct two_batches *two = user;
    two->at_closed = two->loans[0].released + two->loans[1].released;
}

static void cancel_second(stook_batch *batch, int failed, void *user)
{
    struct two_batches *two = user;
    (void)batch, (void)failed;
    if (two->client != NULL)
        stook_client_close(two->client, look_at_both, two);
    stook_batch_cancel_request(two->batch, 1);
}

/* Nobody awaits the batch, and nothing else happens behind that `done`: given back by the loop all the same. */
TEST_BOTH(borrowed_and_not_awaited)
{
    for (int closing = 0; closing <= 1; closing++) {
        struct loan loans[3] = {{0}};
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        struct two_batches two = {life_batch(life), loans, closing ? life->client : NULL, -1};
        add(batch, "not a URL");
        for (int i = 0; i < 3; i++)
            lend(two.batch, "http://127.0.0.1/", "cancelled", &loans[i]);
        CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = cancel_first, .user = &two), cancel_second, &two), 0);
        life_run(life);
        CHECK_EQ_INT(loans[0].released, 1);
        CHECK_EQ_INT(loans[1].released, 1);
        CHECK_EQ_INT(loans[2].released, 0);
        CHECK_EQ_INT(two.at_closed, closing ? 2 : -1);
        if (closing)
            life->client = NULL;
        stook_batch_free(two.batch);
        CHECK_EQ_INT(loans[2].released, 1);
        stook_batch_free(batch);
        if (!closing)
            life_close(life);
    }
    life->client = NULL;
}

/* Cancelled and freed between turns: there is no turn for what was to be given back. */
TEST_BOTH(borrowed_and_freed_at_once)
{
    struct loan loans[2] = {{0}};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 2; i++)
        lend(batch, "http://127.0.0.1/", "cancelled", &loans[i]);
    stook_batch_cancel_request(batch, 1);
    CHECK_EQ_INT(loans[1].released, 0);
    stook_batch_free(batch);
    CHECK_EQ_INT(loans[0].released, 1);
    CHECK_EQ_INT(loans[1].released, 1);
}

static void tell_done(stook_batch *batch, int failed, void *user)
{
    (void)batch;
    (void)user;
    CHECK_EQ_INT(failed, 1);
    tell("done");
}

/* The program may do in it what it may do in any callback; `done` comes after it. */
TEST_BOTH(freed_while_it_is_given_back)
{
    struct raw_server *server = raw_server_start(NULL);
    struct loan loan = {0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    lend(batch, raw_url(server, "/ok"), "x", &loan);
    add(batch, raw_url(server, "/stall"));
    loan.batch = batch;
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = tell_result), tell_done, NULL), 0);
    life_run(life);
    CHECK_EQ_INT(loan.released, 1);
    CHECK_STR(told(), "released result result done");
}

/* However it fails, the message has no secret in it. */
TEST_BOTH(messages_keep_secrets)
{
    static const char *const paths[] = {"/rst", "/garbage", "/short", "/bad-length", "/swallow", "/short-head", "/status?code=401",
                                        "/two-lengths", "/http9"};
    static const char *const headers[] = {"X-Api-Key: s3cret", "Cookie: s3cret", NULL}, *const bad[] = {"X-Key: s3cret\n", NULL};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 2000));
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const char *url = raw_url(server, "%s", paths[i]);
        ADD(batch, url, .bearer = "s3cret", .json = "\"s3cret\"");
        ADD(batch, url, .username = "s3cret", .password = "s3cret");
        ADD(batch, url, .username = "s3cret", .password = "s3cret", .auth = STOOK_AUTH_DIGEST);
        ADD(batch, url, .headers = headers, .client_cert = "/nonexistent", .key_password = "s3cret");
    }
    ADD(batch, "http://u:s3cret@127.0.0.1/");
    ADD(batch, raw_url(server, "/ok"), .headers = bad);
    ADD(batch, raw_url(server, "/ok"), .bearer = "s3cret s3cret");
    ADD(batch, text("https://127.0.0.1:%d/", raw_port(server)), .client_cert = "/nonexistent", .key_password = "s3cret");
    size_t count = stook_batch_count(batch);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), (long long)count);
    for (size_t i = 0; i < count; i++) {
        test_note("%zu: %s", i, stook_result_message(stook_batch_result(batch, i)));
        CHECK(strstr(stook_result_message(stook_batch_result(batch, i)), "s3cret") == NULL);
        CHECK(strstr(stook_result_message(stook_batch_result(batch, i)), "czNjcmV0") == NULL);
    }
    CHECK(strstr(stook_batch_message(batch), "s3cret") == NULL);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------ memory */

static struct raw_server *the_server;
static const char *a_file;

static void count_release(void *body, void *user)
{
    (void)body;
    ++*(int *)user;
}

static int64_t give_once(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    int *given = user;
    (void)batch;
    (void)index;
    (void)size;
    *(char *)buffer = 'x';
    return ++*given == 1 ? 1 : 0;
}

static void sending_flow(struct life *life)
{
    static const char *const pairs[] = {"a", "b", NULL}, *const resolve[] = {"example.com:80:127.0.0.1", NULL};
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "a", .value = "b", .value_size = STOOK_AUTO), &STOOK_PART(.name = "c", .file = a_file),
                                              NULL};
    int released = 0, given = 0;
    char url[64];
    struct story story;
    snprintf(url, sizeof url, "%s", raw_url(the_server, "/echo"));
    story_begin(&story, life);
    story_add_request(&story, &STOOK_REQUEST(url, .json = "1", .username = "u", .password = "p", .resolve = resolve));
    story_add_request(&story, &STOOK_REQUEST(url, .form = pairs, .bearer = "t", .pinned_key = "/none"));
    story_add_request(&story, &STOOK_REQUEST(url, .parts = parts));
    story_add_request(&story, &STOOK_REQUEST(url, .body_file = a_file));
    story_add_request(&story, &STOOK_REQUEST(url, .body_read = give_once, .user = &given));
    size_t before = story.accepted;
    story_add_request(&story, &STOOK_REQUEST(url, .body = "x", .body_size = 1, .body_release = count_release, .user = &released));
    int borrowed = story.accepted > before;
    story_start(&story, 0, NULL);
    story_end(&story);
    CHECK_EQ_INT(released, borrowed);
}

/* Whatever runs out of memory: one result each, and what was borrowed comes back. */
TEST(nomem, slow)
{
    the_server = raw_server_start(NULL);
    a_file = text("%s/file", temporary_directory());
    write_file(a_file, "content");
    fail_nth(sending_flow);
}
