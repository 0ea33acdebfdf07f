/* SPDX-License-Identifier: MIT */
/* Servers that cut responses off, send nonsense, or never stop: each case is its own error, and none is a success. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

struct expected {
    const char *path;
    int error, status;
    const char *body; /* NULL: not looked at */
};

static void check_all(struct life *life, const struct expected *expected, size_t count)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 20000));
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < count; i++)
        add(batch, raw_url(server, "%s", expected[i].path));
    life_gather_ordered(life, batch, NULL);
    for (size_t i = 0; i < count; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        test_note("%s: %s", expected[i].path, stook_result_message(result));
        CHECK_ERROR(stook_result_error(result), expected[i].error);
        CHECK_EQ_INT(stook_result_ok(result), expected[i].error == 0);
        CHECK_EQ_INT(stook_result_status(result), expected[i].status);
        if (expected[i].body)
            CHECK_STR(stook_result_body(result, NULL), expected[i].body);
        if (expected[i].error)
            CHECK_CONTAINS(stook_result_message(result), stook_strerror(expected[i].error));
    }
    stook_batch_free(batch);
}

/* Unusual responses that are valid. */
TEST_BOTH(odd_but_good)
{
    static const struct expected expected[] = {
        {"/http10", 0, 200, "old"},
        {"/until-close", 0, 200, "until"},
        {"/chunked", 0, 200, "abcdefg"},
        {"/no-content", 0, 204, ""},
        {"/1xx?n=3", 0, 200, "ok"},
        {"/trailers?n=5", 0, 200, "ok"},
        {"/drip?n=5&ms=2", 0, 200, "....."},
        {"/big?n=0", 0, 200, ""},
        {"/close-after", 0, 200, "ok"},
        {"/rst-after", 0, 200, "ok"}, /* a whole answer is one, whatever follows */
    };
    check_all(life, expected, sizeof expected / sizeof expected[0]);
}

TEST_BOTH(cut_off)
{
    static const struct expected expected[] = {
        {"/short", STOOK_ETRUNCATED, 200, "abc"},       {"/short-chunk", STOOK_ETRUNCATED, 200, "abc"},
        {"/short-chunks", STOOK_ETRUNCATED, 200, "abc"}, {"/short-head", STOOK_ETRUNCATED, 200, ""},
        {"/rst-body", STOOK_ERESET, 200, "abc"},        {"/rst-head", STOOK_ERESET, 200, ""},
        {"/swallow", STOOK_ERESET, 0, ""},              {"/rst", STOOK_ERESET, 0, ""},
    };
    check_all(life, expected, sizeof expected / sizeof expected[0]);
}

TEST_BOTH(nonsense)
{
    static const struct expected expected[] = {
        {"/garbage", STOOK_EPROTOCOL, 0, NULL},
        {"/http9", STOOK_EPROTOCOL, 0, NULL},
        {"/bad-chunk", STOOK_EPROTOCOL, 200, NULL},
        {"/bad-length", STOOK_EPROTOCOL, 200, NULL},
        {"/two-lengths", STOOK_EPROTOCOL, 200, NULL},
    };
    check_all(life, expected, sizeof expected / sizeof expected[0]);
}

/* A response that arrives before the whole request was sent counts. */
TEST_BOTH(early_answer)
{
    enum { LONG = 4 << 20 };
    static char body[LONG];
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int i = 0; i < 5; i++) {
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/too-early"), .body = body, .body_size = LONG);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
        const stook_result *result = stook_batch_result(batch, 0);
        /* The server closes with bytes unread: a reset may overtake its answer, never invent one. */
        if (stook_result_error(result) == 0)
            CHECK_EQ_INT(stook_result_status(result), 413);
        else
            CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
        stook_batch_free(batch);
    }
}

/* ------------------------------------------------------------------- bounds */

static void ask_for(struct life *life, const char *url, int error)
{
    stook_batch *batch = life_batch(life);
    add(batch, url);
    CHECK_EQ_INT(life_gather(life, batch, NULL), error != 0);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), error);
    stook_batch_free(batch);
}

TEST_BOTH(max_body_bytes)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.max_body_bytes = 1000));
    ask_for(life, raw_url(server, "/big?n=1000"), 0);
    ask_for(life, raw_url(server, "/big?n=1001"), STOOK_ETOOLARGE);
    ask_for(life, raw_url(server, "/big?n=5000000"), STOOK_ETOOLARGE);
    ask_for(life, raw_url(server, "/drip?n=1001&ms=0"), STOOK_ETOOLARGE);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/big?n=11"), .max_body_bytes = 10);
    ADD(batch, raw_url(server, "/big?n=10"), .max_body_bytes = 10);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETOOLARGE);
    CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), 200);
    stook_batch_free(batch);
}

/* A request may tighten the client's bound, never loosen it. */
TEST_BOTH(max_body_bytes_is_not_loosened)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.max_body_bytes = 1000));
    stook_batch *batch = life_batch(life);
    int error = stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/big?n=1001"), .max_body_bytes = 2000));
    if (error) {
        CHECK_ERROR(error, STOOK_EARG);
    } else {
        CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
        CHECK(stook_result_error(stook_batch_result(batch, 0)) != 0);
    }
    stook_batch_free(batch);
}

TEST_BOTH(without_max_body_bytes, slow)
{
    struct raw_server *server = raw_server_start(NULL);
    size_t size;
    life_open(life, &STOOK_CLIENT(.max_body_bytes = STOOK_NONE));
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/big?n=70000000")); /* above the default of 64 MiB */
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const char *body = stook_result_body(stook_batch_result(batch, 0), &size);
    CHECK_EQ_SIZE(size, 70000000);
    CHECK(body[0] == '0' && body[69999999] == '9' && body[size] == '\0');
    stook_batch_free(batch);
}

TEST_BOTH(max_body_bytes_by_default, slow)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/big?n=67108864"), 0);
    ask_for(life, raw_url(server, "/big?n=67108865"), STOOK_ETOOLARGE);
}

TEST_BOTH(max_header_bytes)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/headers?n=100&size=500"), 0);                  /* 51 KB */
    ask_for(life, raw_url(server, "/headers?n=150&size=500"), STOOK_ETOOLARGE);    /* 76 KB */
    ask_for(life, raw_url(server, "/headers?n=1&size=60000"), 0);
    ask_for(life, raw_url(server, "/headers?n=1&size=70000"), STOOK_ETOOLARGE);
    ask_for(life, raw_url(server, "/headers?n=1&size=200000"), STOOK_ETOOLARGE);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.max_header_bytes = 1000));
    ask_for(life, raw_url(server, "/headers?n=1&size=500"), 0);
    ask_for(life, raw_url(server, "/headers?n=1&size=1000"), STOOK_ETOOLARGE);
}

TEST_BOTH(max_header_count)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/headers?n=255&size=1"), 0); /* and Content-Length */
    ask_for(life, raw_url(server, "/headers?n=256&size=1"), STOOK_ETOOLARGE);
    ask_for(life, raw_url(server, "/trailers?n=10"), 0);
    ask_for(life, raw_url(server, "/trailers?n=300"), STOOK_ETOOLARGE); /* they count too */
    life_close(life);
    life_open(life, &STOOK_CLIENT(.max_header_count = 300));
    ask_for(life, raw_url(server, "/headers?n=299&size=1"), 0);
}

/* Interim responses count as header bytes: an endless number of them is too large. */
TEST_BOTH(endless_interim_answers)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/1xx?n=10"), 0);
    ask_for(life, raw_url(server, "/1xx?n=100000"), STOOK_ETOOLARGE);
}
