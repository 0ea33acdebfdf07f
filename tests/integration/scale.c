/* SPDX-License-Identifier: MIT */
/* Many requests with exactly one result each. These tests also run under valgrind, in full. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"
#include "support/process.h"
#include "support/sockets.h"

enum { MANY = 10000, REFUSED = 1000 };

struct tally {
    unsigned char seen[MANY];
    size_t results;
    int error; /* that each must have */
};

static struct tally tally;

static void count(stook_batch *batch, const stook_result *result, void *user)
{
    size_t index = stook_result_index(result);
    (void)batch, (void)user;
    CHECK(index < MANY);
    CHECK_EQ_INT(tally.seen[index]++, 0);
    CHECK_ERROR(stook_result_error(result), tally.error);
    CHECK_EQ_INT(stook_result_ok(result), tally.error == 0);
    tally.results++;
}

static void gather_all(struct life *life, size_t of, int error, const struct stook_gather_options *options)
{
    struct stook_gather_options own = *options;
    memset(&tally, 0, sizeof tally);
    tally.error = error;
    own.on_result = count;
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < of; i++)
        add(batch, (const char *)options->user);
    CHECK_EQ_INT(life_gather(life, batch, &own), error ? (long long)of : 0);
    CHECK_EQ_SIZE(tally.results, of);
    stook_batch_free(batch);
}

TEST(ten_thousand_at_100, slow, valgrind)
{
    static struct life life;
    struct plain *plain = plain_start();
    life_begin(&life, 0);
    life_open(&life, NULL);
    char url[128];
    strcpy(url, plain_url(plain, "/todos/1"));
    gather_all(&life, MANY, 0, &STOOK_GATHER(.limit = 100, .user = url));
    CHECK_EQ_INT(plain_count(plain, "requests"), MANY);
    CHECK(plain_count(plain, "most_in_flight") <= 100);
    CHECK(plain_count(plain, "connections_opened") <= 100);
    life_end(&life);
}

TEST(ten_thousand_at_100_borrowed, slow, valgrind)
{
    static struct life life;
    struct plain *plain = plain_start();
    life_begin(&life, 1);
    life_open(&life, NULL);
    char url[128];
    strcpy(url, plain_url(plain, "/todos/1"));
    gather_all(&life, MANY, 0, &STOOK_GATHER(.limit = 100, .user = url));
    CHECK_EQ_INT(plain_count(plain, "requests"), MANY);
    life_end(&life);
}

TEST_BOTH(refused, slow, valgrind)
{
    life_open(life, NULL);
    char url[64];
    strcpy(url, text("http://127.0.0.1:%d/", refusing_port()));
    gather_all(life, REFUSED, STOOK_ECONNECT, &STOOK_GATHER(.user = url));
    gather_all(life, REFUSED, STOOK_ECONNECT, &STOOK_GATHER(.limit = 50, .user = url));
}

/* A refused connection says why. */
TEST_BOTH(refused_says_why)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, text("http://127.0.0.1:%d/", refusing_port()));
    add(batch, text("http://localhost:%d/", refusing_port())); /* may try ::1 first */
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 2);
    for (size_t i = 0; i < 2; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        CHECK_ERROR(stook_result_error(result), STOOK_ECONNECT);
        CHECK_EQ_INT(stook_result_attempts(result), 1);
        CHECK_EQ_INT(stook_result_status(result), 0);
        CHECK_EQ_INT(stook_result_curl_code(result), 7);
        CHECK(stook_result_os_error(result) != 0);
        CHECK_CONTAINS(stook_result_message(result), "could not connect");
    }
    stook_batch_free(batch);
}

/* A deadline in the middle: what was answered is there, the others know why not. */
TEST_BOTH(deadline_in_the_middle, slow)
{
    size_t ok = 0;
    struct plain *plain = plain_start();
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < MANY; i++)
        add(batch, plain_url(plain, "/todos/1?delay_ms=10"));
    int failed = life_gather(life, batch, &STOOK_GATHER(.limit = 100, .timeout_ms = 200));
    for (size_t i = 0; i < MANY; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        if (stook_result_ok(result))
            ok++;
        else
            CHECK_ERROR(stook_result_error(result), STOOK_ETIMEOUT_BATCH);
    }
    CHECK_EQ_INT(failed, (long long)(MANY - ok));
    CHECK(failed > 0); /* 10,000 of them take a second at least */
    stook_batch_free(batch);
}
