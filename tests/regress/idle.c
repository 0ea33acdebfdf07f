/* SPDX-License-Identifier: MIT */
/* Connections between requests: what they keep, when they end, and bytes that a server sends too early. */
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <stook.h>

#include "curl/idle.h"
#include "support/life.h"
#include "loop/poll.h"
#include "support/certificates.h"
#include "support/network.h"
#include "support/process.h"
#include "support/raw_tls.h"
#include "regress/spy.h"

static void ask_for(struct life *life, const char *url, int times)
{
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < times; i++)
        add(batch, url);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------ strays */

#define PLANTED "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted"

/* A complete response, and after the client has read it another one without a request. */
static enum raw_then plant(struct raw_call *call)
{
    raw_answer(call, "ok", 2);
    raw_wait(call->server, "/read", call->seen);
    raw_send(call, PLANTED, sizeof PLANTED - 1);
    raw_signal(call->server, "/planted");
    return RAW_KEEP;
}

/* The same in one write. */
static enum raw_then plant_at_once(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" PLANTED);
    return RAW_KEEP;
}

static const struct raw_behaviour own[] = {
    {.path = "/plant", .answer = plant}, {.path = "/plant-at-once", .answer = plant_at_once}, {.path = NULL}};

/* It is never taken for the response to the next request. */
TEST_BOTH(strays)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    for (unsigned round = 1; round <= 4; round++) {
        ask_for(life, raw_url(server, "/plant"), 1);
        raw_signal(server, "/read");
        raw_wait(server, "/planted", round);
        stook_batch *batch = life_batch(life);
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/status?code=201"), .method = round % 2 ? NULL : "POST")), 0);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), 201);
        stook_batch_free(batch);
    }
}

TEST_BOTH(strays_at_once)
{
    struct raw_server *server = raw_server_start(own);
    life_open(life, NULL);
    for (int round = 0; round < 4; round++) {
        stook_batch *batch = life_batch(life);
        add(batch, raw_url(server, "/plant-at-once"));
        add(batch, raw_url(server, "/status?code=201"));
        CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
        CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), 200);
        CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 1)), 201);
        stook_batch_free(batch);
    }
}

/* Over TLS too, where libcurl would read it with the next response. */
TEST_BOTH(strays_over_tls)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const char *directory = temporary_directory();
    certificates_standard(directory);
    for (size_t i = 0; i < 2; i++) {
        struct raw_tls tls = {.directory = directory, .certificate = "leaf", .min = versions[i], .max = versions[i]};
        struct raw_door door = {.serve = raw_tls_serve, .arg = &tls};
        struct raw_server *server = raw_server_open(own, &door, 1);
        const char *base = text("https://127.0.0.1:%d", raw_port(server));
        test_note("version %x", versions[i]);
        life_open(life, &STOOK_CLIENT(.ca_file = text("%s/authority.pem", directory), .http_version = STOOK_HTTP_1_1));
        for (unsigned round = 1; round <= 4; round++) {
            ask_for(life, text("%s/plant", base), 1);
            raw_signal(server, "/read");
            raw_wait(server, "/planted", round);
            stook_batch *batch = life_batch(life);
            ADD(batch, text("%s/status?code=201", base), .method = round % 2 ? NULL : "POST");
            CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
            CHECK_EQ_INT(stook_result_status(stook_batch_result(batch, 0)), 201);
            stook_batch_free(batch);
        }
        /* What nobody speaks over is used again all the same. */
        unsigned before = raw_connections(server);
        for (int round = 0; round < 3; round++)
            ask_for(life, text("%s/ok", base), 1);
        CHECK(raw_connections(server) <= before + 1);
        life_close(life);
    }
}

/* Which TLS records may come between requests depends on the protocol. An alert ends the connection. */
TEST(records)
{
    enum { STAYS = STOOK__HANGUP };
    static const struct {
        unsigned char bytes[8];
        int plain, tls, shared; /* what is watched then */
    } rows[] = {{{23, 3, 3, 0, 200}, 0, 0, STAYS}, {{22, 3, 3, 0, 50}, 0, STAYS, STAYS}, {{23, 3, 3, 1, 19}, 0, 0, STAYS},
                {{20, 3, 3, 0, 1}, 0, STAYS, STAYS}, {{21, 3, 3, 0, 26}, 0, 0, 0}, {{23, 3, 3, 0, 19}, 0, 0, 0},
                {{'H', 'T', 'T', 'P', '/'}, 0, 0, 0}, {{0}, 0, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (enum stook__idle_protocol protocol = STOOK__IDLE_HTTP_1; protocol <= STOOK__IDLE_HTTP_2_TLS; protocol++) {
            unsigned char seen[8];
            int ends[2], expected = protocol == STOOK__IDLE_HTTP_1 ? rows[i].plain : protocol == STOOK__IDLE_HTTP_1_TLS ? rows[i].tls : rows[i].shared;
            test_note("row %zu, protocol %d", i, (int)protocol);
            CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
            CHECK_EQ_INT(stook__idle_check(ends[0], STOOK__IN, protocol), STOOK__IN | STOOK__HANGUP); /* nothing there */
            CHECK_EQ_INT(write(ends[1], rows[i].bytes, 8), 8);
            CHECK_EQ_INT(stook__idle_check(ends[0], STOOK__IN, protocol), expected);
            CHECK_EQ_INT(recv(ends[0], seen, 8, MSG_DONTWAIT), expected ? 8 : 0);
            close(ends[0]);
            close(ends[1]);
        }
}

/* --------------------------------------------------------------------- ends */

/* The server closes about when the next request comes: an idempotent one gets through, any other
   never goes out twice. */
static enum raw_then close_soon(struct raw_call *call)
{
    raw_answer(call, "ok", 2);
    struct timespec time = {.tv_nsec = (long)(call->seen * 7919 % 400) * 1000};
    nanosleep(&time, NULL);
    return RAW_CLOSE;
}

TEST_BOTH(closed_about_now)
{
    static const struct raw_behaviour soon[] = {{.path = "/soon", .answer = close_soon}, {.path = NULL}};
    enum { ROUNDS = 300 };
    struct raw_server *server = raw_server_start(soon);
    unsigned lost = 0;
    life_open(life, NULL);
    for (int post = 0; post <= 1; post++) {
        const char *path = post ? "/soon/post" : "/soon/get";
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < ROUNDS; i++)
            CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "%s", path), .method = post ? "POST" : NULL)), 0);
        life_gather(life, batch, &STOOK_GATHER(.limit = 1));
        for (size_t i = 0; i < ROUNDS; i++) {
            const stook_result *result = stook_batch_result_by_index(batch, i);
            if (post && stook_result_error(result) == STOOK_ERESET)
                lost++;
            else
                CHECK_ERROR(stook_result_error(result), 0);
            CHECK(stook_result_attempts(result) <= (post ? 1 : 2));
        }
        stook_batch_free(batch);
    }
    CHECK(raw_seen(server, "/soon/post") <= ROUNDS);
    CHECK(raw_seen(server, "/soon/post") >= ROUNDS - lost);
}

/* The kernel gives the port of a reset connection away while libcurl still keeps the connection. Up to 8.1 the new
   one has the name of the old, and is not taken for it. There are two ports, of which the first is preferred: /first
   has it until it is reset, then /dies has it, and at last each connection of /broken. libcurl does not look at the
   connection of /dies before those, because that of /stays comes first. */
static enum raw_then reset_when_stays_came(struct raw_call *call)
{
    raw_wait(call->server, "/stays", 1);
    return RAW_RESET; /* without a response, so that the port is free when the request ends */
}

static enum raw_then answer_when_dies_came(struct raw_call *call)
{
    raw_wait(call->server, "/dies", 1);
    return raw_answer(call, "ok", 2);
}

static enum raw_then reset_when_read(struct raw_call *call)
{
    raw_answer(call, "ok", 2);
    raw_wait(call->server, "/read", 1);
    return RAW_RESET;
}

enum { BROKEN = 3 };

static enum raw_then broken_at_first(struct raw_call *call)
{
    if (call->seen > BROKEN)
        return raw_answer(call, "ok", 2);
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    return RAW_RESET;
}

TEST(ports_used_again)
{
    static const struct raw_behaviour rows[] = {{.path = "/first", .answer = reset_when_stays_came},
                                                {.path = "/stays", .answer = answer_when_dies_came},
                                                {.path = "/dies", .answer = reset_when_read},
                                                {.path = "/broken", .answer = broken_at_first},
                                                {.path = NULL}};
    static struct life life;
    network_enter();
    struct raw_server *server = raw_server_start(rows), *other = raw_server_start(NULL);
    network_ports(40000, 40001);
    life_begin(&life, 0);
    life_open(&life, &STOOK_CLIENT(.max_retries = BROKEN, .retry_delay_ms = 1, .retry_budget = STOOK_NONE));
    stook_batch *batch = life_batch(&life);
    ADD(batch, raw_url(server, "/first"), .max_retries = STOOK_NONE);
    add(batch, raw_url(server, "/stays"));
    add(batch, raw_url(server, "/dies"));
    CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.limit = 2)), 1);
    stook_batch_free(batch);
    raw_signal(server, "/read");
    raw_wait(server, "/gone", 2);
    ask_for(&life, raw_url(other, "/ok"), 1); /* in its turns the loop sees the reset */
    batch = life_batch(&life);
    add(batch, raw_url(server, "/broken"));
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), 0);
    CHECK_EQ_INT(stook_result_attempts(stook_batch_result(batch, 0)), BROKEN + 1);
    stook_batch_free(batch);
    life_end(&life);
}

/* The network path is gone silently: a clock ends the request, and the next one gets a new connection. */
static enum raw_then once(struct raw_call *call)
{
    raw_answer(call, "ok", 2);
    return RAW_HOLD;
}

TEST_BOTH(gone_silent)
{
    static const struct raw_behaviour silent[] = {{.path = "/once", .answer = once}, {.path = NULL}};
    struct raw_server *server = raw_server_start(silent);
    life_open(life, NULL);
    ask_for(life, raw_url(server, "/once"), 1);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .attempt_timeout_ms = 100)), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    stook_batch_free(batch);
    ask_for(life, raw_url(server, "/ok"), 1);
    CHECK_EQ_INT(raw_connections(server), 2);
}

/* --------------------------------------------------------------------- warmth */

/* The next batch finds all connections of the one before. */
TEST_BOTH(warm_to_the_last)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int round = 1; round <= 3; round++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 40; i++)
            add(batch, raw_url(server, "/after?path=/after&n=%d", 40 * round));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
    }
    CHECK_EQ_INT(raw_connections(server), 40);
}

/* A connection outlives the request that opened it, and its handle. */
TEST_BOTH(outlives_its_request)
{
    static const char *const secret[] = {"Authorization: Bearer secret", NULL};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int i = 0; i < 3; i++) {
        stook_batch *batch = life_batch(life);
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .headers = secret)), 0);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
        CHECK(spy_easy(CURLOPT_CLOSESOCKETDATA)->pointer != spy_easy(CURLOPT_PRIVATE)->pointer);
        life_close(life); /* and it, when the handle is long gone */
        life_open(life, NULL);
    }
    CHECK_EQ_INT(raw_connections(server), 3);
}

/* Options of one request do not apply to the next request with the same handle. */
TEST_BOTH(nothing_stays)
{
    static const char *const fields[] = {"X-Stays: no", NULL};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/echo"));
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .headers = fields, .method = "PUT",
                                                      .body = "stays", .body_size = 5)), 0);
    add(batch, raw_url(server, "/echo"));
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .method = "HEAD")), 0);
    add(batch, raw_url(server, "/echo"));
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .method = "DELETE")), 0);
    add(batch, raw_url(server, "/echo"));
    CHECK_EQ_INT(life_gather_ordered(life, batch, &STOOK_GATHER(.limit = 1)), 0);
    for (size_t i = 2; i < 7; i += 2)
        CHECK_STR(stook_result_body(stook_batch_result(batch, i), NULL), stook_result_body(stook_batch_result(batch, 0), NULL));
    stook_batch_free(batch);
}

/* Fields of an interim response are not fields of the response. */
static enum raw_then hint(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 103 Early Hints\r\nX-Hint: early\r\n\r\n");
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Last: yes\r\n\r\nok");
    return RAW_KEEP;
}

TEST_BOTH(interim_fields)
{
    static const struct raw_behaviour hints[] = {{.path = "/hint", .answer = hint}, {.path = NULL}};
    struct raw_server *server = raw_server_start(hints);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/hint"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(stook_result_header(stook_batch_result(batch, 0), "X-Hint") == NULL);
    CHECK_STR(stook_result_header(stook_batch_result(batch, 0), "X-Last"), "yes");
    stook_batch_free(batch);
}
