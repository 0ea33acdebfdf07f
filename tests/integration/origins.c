/* SPDX-License-Identifier: MIT */
/* What a client knows of origins: which there are, what their numbers are, and when they are forgotten. */
#include <stddef.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

static size_t count_origins(struct life *life)
{
    struct stook_origin origin = STOOK_ORIGIN();
    size_t i = 0;
    while (stook_client_origin_at(life->client, i, &origin) == 0)
        i++;
    CHECK_ERROR(stook_client_origin_at(life->client, i, &origin), STOOK_ESTATE);
    CHECK_ERROR(stook_client_origin_at(life->client, SIZE_MAX, &origin), STOOK_ESTATE);
    return i;
}

/* The one with that name; its name is "" if there is none. */
static struct stook_origin origin_named(struct life *life, const char *name)
{
    struct stook_origin origin = STOOK_ORIGIN(), found = STOOK_ORIGIN();
    size_t count = 0;
    found.name = "";
    for (size_t i = 0; stook_client_origin_at(life->client, i, &origin) == 0; i++)
        if (strcmp(origin.name, name) == 0)
            found = origin, count++;
    CHECK(count <= 1);
    return found;
}

static struct stook_origin origin_of(struct life *life, const struct raw_server *server)
{
    return origin_named(life, text("http://127.0.0.1:%d", raw_port(server)));
}

/* Scheme, host and port, and the socket; each once, however it is written; none for what names none. */
TEST_BOTH(names)
{
    static const char *const names[] = {"http://a.test:80", "https://a.test:443", "https://a.test:8443", "http://a.test:80 /tmp/one.sock", "http://[::1]:80"};
    life_open(life, NULL);
    CHECK_EQ_SIZE(count_origins(life), 0);
    stook_batch *batch = life_batch(life);
    add(batch, "http://a.test/x");
    add(batch, "HTTP://A.test:80/y?z");
    add(batch, "https://a.test/");
    add(batch, "https://a.test:8443/");
    ADD(batch, "http://a.test/", .unix_socket = "/tmp/one.sock");
    add(batch, "http://[::1]/");
    add(batch, "ftp://a.test/");
    add(batch, "http://");
    CHECK_EQ_SIZE(count_origins(life), 5);
    for (size_t i = 0; i < 5; i++) {
        struct stook_origin origin = origin_named(life, names[i]);
        CHECK_STR(origin.name, names[i]);
        CHECK_EQ_INT(origin.waiting, i == 0 ? 2 : 1);
        CHECK_EQ_INT(origin.in_flight, 0);
        CHECK_EQ_INT(origin.limit, STOOK_NONE);
        CHECK_EQ_INT(origin.circuit, STOOK_CIRCUIT_CLOSED);
        CHECK(origin.rate_ms == 0 && origin.cooldown_ms == 0 && origin.circuit_ms == 0 && origin.failures == 0 && origin.retries == 0);
        CHECK(origin.first_byte_us == 0 && origin.first_byte_95_us == 0);
    }
    stook_batch_cancel(batch);
    stook_batch_free(batch);
}

/* The order and the names stay while nothing happens. */
TEST_BOTH(stable)
{
    const char *names[20];
    struct stook_origin origin = STOOK_ORIGIN();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, text("http://host%d.test/", i * 7 % 20));
    for (size_t i = 0; i < 20; i++) {
        CHECK_ERROR(stook_client_origin_at(life->client, i, &origin), 0);
        names[i] = origin.name;
    }
    for (size_t i = 20; i-- > 0;) {
        CHECK_ERROR(stook_client_origin_at(life->client, i, &origin), 0);
        CHECK(origin.name == names[i]);
    }
    stook_batch_free(batch);
}

/* In flight and waiting, for whatever; the limit, as it is changed. */
TEST_BOTH(numbers_while_running)
{
    struct raw_server *server = raw_server_start(NULL), *other = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.origin_limit = 3));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, raw_url(server, "/stall"));
    ADD(batch, raw_url(server, "/stall"), .delay_ms = 86400000);
    add(batch, raw_url(other, "/stall"));
    CHECK_EQ_INT(origin_of(life, server).waiting, 11);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (raw_seen(server, "/stall") < 3 || raw_seen(other, "/stall") < 1)
        life_poke(life);
    struct stook_origin origin = origin_of(life, server);
    CHECK_EQ_INT(origin.in_flight, 3);
    CHECK_EQ_INT(origin.waiting, 8);
    CHECK_EQ_INT(origin.limit, 3);
    CHECK_EQ_INT(origin_of(life, other).in_flight, 1);
    CHECK_EQ_INT(origin_of(life, other).waiting, 0);
    CHECK_ERROR(stook_client_set_origin_limit(life->client, 5), 0);
    CHECK_EQ_INT(origin_of(life, server).limit, 5);
    while (raw_seen(server, "/stall") < 5)
        life_poke(life);
    CHECK_EQ_INT(origin_of(life, server).in_flight, 5);
    stook_batch_cancel_request(batch, 10);
    CHECK_EQ_INT(origin_of(life, server).waiting, 5);
    stook_batch_cancel(batch);
    life_run(life);
    stook_batch_free(batch);
    CHECK_ERROR(stook_client_set_origin_limit(life->client, STOOK_NONE), 0);
}

TEST_BOTH(limit_that_finds_itself)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.origin_limit = STOOK_AUTO));
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK(origin_of(life, server).limit >= 1);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    struct stook_origin origin = origin_of(life, server); /* what was found is kept */
    CHECK(origin.limit >= 1);
    CHECK(origin.first_byte_us > 0 && origin.first_byte_95_us >= origin.first_byte_us);
    CHECK_EQ_INT(origin.in_flight + origin.waiting, 0);
}

/* Of an origin without requests it is known what matters for the next one: a rate, a cool-down, retries. Others are
   forgotten. */
TEST_BOTH(after_a_batch)
{
    struct raw_server *server = raw_server_start(NULL), *other = raw_server_start(NULL);
    struct stook_rate rate = STOOK_RATE(.count = 1, .per_ms = 86400000, .burst = 2);
    life_open(life, &STOOK_CLIENT(.rates = (const struct stook_rate *const[]){&rate, NULL}, .max_retries = 1, .retry_delay_ms = 1));
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/status?code=503"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    stook_batch_free(batch);
    struct stook_origin origin = origin_of(life, server);
    CHECK(origin.rate_ms > 80000000 && origin.rate_ms <= 86400000);
    CHECK_EQ_INT(origin.retries, 1);
    CHECK_EQ_INT(origin.in_flight + origin.waiting, 0);
    life_close(life);
    life_open(life, NULL);
    batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    batch = life_batch(life);
    add(batch, raw_url(other, "/ok"));
    CHECK_STR(origin_of(life, server).name, "");
    CHECK_EQ_INT(origin_of(life, other).waiting, 1);
    stook_batch_cancel(batch);
    stook_batch_free(batch);
}

/* A program of another version has a struct of another size. */
TEST_BOTH(sizes_and_errors)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, "http://a.test/");
    union {
        struct stook_origin origin;
        unsigned char bytes[2 * sizeof(struct stook_origin)];
    } room;
    memset(&room, 0xee, sizeof room);
    room.origin.size = offsetof(struct stook_origin, in_flight);
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &room.origin), 0);
    CHECK_STR(room.origin.name, "http://a.test:80");
    CHECK_EQ_SIZE(room.origin.size, offsetof(struct stook_origin, in_flight));
    CHECK_EQ_INT(room.bytes[offsetof(struct stook_origin, in_flight)], 0xee);
    memset(&room, 0xee, sizeof room);
    room.origin.size = sizeof room;
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &room.origin), 0);
    CHECK_EQ_INT(room.origin.waiting, 1);
    CHECK_EQ_SIZE(room.origin.size, sizeof room);
    CHECK_EQ_INT(room.bytes[sizeof(struct stook_origin)], 0);
    struct stook_origin origin;
    stook_origin_init(&origin, sizeof origin);
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &origin), 0);
    CHECK_ERROR(stook_client_origin_at(NULL, 0, &origin), STOOK_EARG);
    CHECK_ERROR(stook_client_origin_at(life->client, 0, NULL), STOOK_EARG);
    origin.size = 0;
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &origin), STOOK_EARG);
    origin.size = 65537;
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &origin), STOOK_EARG);
    stook_batch_free(batch);
}

static void look_while_closing(stook_batch *batch, int failed, void *user)
{
    struct life *life = user;
    struct stook_origin origin = STOOK_ORIGIN();
    (void)batch, (void)failed;
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &origin), 0);
    stook_client_close(life->client, NULL, NULL);
    CHECK_ERROR(stook_client_origin_at(life->client, 0, &origin), STOOK_ESTATE);
    tell("closing");
    life->client = NULL;
}

TEST_BOTH(while_closing)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_client *client = life->client;
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_ERROR(stook_gather_start(batch, NULL, look_while_closing, life), 0);
    if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    else
        CHECK_ERROR(stook_client_run(client), 0);
    CHECK_STR(told(), "closing");
    stook_batch_free(batch);
}
