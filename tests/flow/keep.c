/* SPDX-License-Identifier: MIT */
/* Results that outlive their callback, their batch, their client. */
#include <pthread.h>
#include <string.h>

#include <stook.h>

#include "harness/life.h"
#include "support/raw_server.h"

enum { KEPT = 6 };

static const stook_result *kept[KEPT];

static void keep(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    kept[stook_result_index(result)] = stook_result_keep(result);
    CHECK(kept[stook_result_index(result)] == result);
}

static void check_kept(const stook_result *result, size_t index)
{
    size_t size;
    const char *body = stook_result_body(result, &size);
    CHECK_EQ_SIZE(stook_result_index(result), index);
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_EQ_INT(stook_result_status(result), 200);
    CHECK_STR(stook_result_message(result), "OK");
    CHECK_CONTAINS(stook_result_url(result), "/big/");
    CHECK_EQ_SIZE(size, 100);
    CHECK(body[99] == '9' && body[100] == '\0');
    CHECK_STR(stook_result_header(result, "content-length"), "100");
    CHECK_STR(stook_result_protocol(result), "HTTP/1.1");
}

static void add_all(stook_batch *batch, struct raw_server *server)
{
    for (int i = 0; i < KEPT; i++)
        add(batch, raw_url(server, "/big/%d?n=100", i));
}

/* Reads all of them and gives one keep back, beside other threads that do the same. */
static void *read_and_drop(void *user)
{
    (void)user;
    for (size_t i = 0; i < KEPT; i++) {
        check_kept(kept[i], i);
        stook_result_drop(kept[i]);
    }
    return NULL;
}

static void drop_on_threads(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    for (size_t i = 0; i < KEPT; i++)
        for (int k = 1; k < THREADS; k++)
            CHECK(stook_result_keep(kept[i]) == kept[i]); /* counted: one drop each */
    for (int k = 0; k < THREADS; k++)
        CHECK_EQ_INT(pthread_create(&threads[k], NULL, read_and_drop, NULL), 0);
    for (int k = 0; k < THREADS; k++)
        CHECK_EQ_INT(pthread_join(threads[k], NULL), 0);
}

TEST_BOTH(from_on_result)
{
    for (int ordered = 0; ordered <= 1; ordered++) {
        struct raw_server *server = raw_server_start(NULL);
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        add_all(batch, server);
        CHECK_EQ_INT(
            (ordered ? life_gather_ordered : life_gather)(life, batch, &STOOK_GATHER(.on_result = keep)), 0);
        stook_batch_free(batch);
        life_close(life);
        drop_on_threads();
    }
}

/* From a batch that keeps them itself; freed before the client, or after it. */
TEST_BOTH(from_a_batch)
{
    for (int after = 0; after <= 1; after++) {
        struct raw_server *server = raw_server_start(NULL);
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        add_all(batch, server);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        for (size_t i = 0; i < KEPT; i++)
            kept[i] = stook_result_keep(stook_batch_result_of(batch, i));
        if (!after)
            stook_batch_free(batch);
        life_close(life);
        for (size_t i = 0; i < KEPT; i++)
            check_kept(kept[i], i);
        if (after)
            stook_batch_free(batch);
        drop_on_threads();
    }
}

/* A batch of a closed client reads as before. */
TEST_BOTH(batch_after_close)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add_all(batch, server);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    life_close(life);
    CHECK_EQ_SIZE(stook_batch_count(batch), KEPT);
    for (size_t i = 0; i < KEPT; i++)
        check_kept(stook_batch_result_of(batch, i), i);
    CHECK(stook_batch_result(batch, KEPT) == NULL);
    CHECK_STR(stook_batch_message(batch), "");
    stook_batch_cancel(batch);
    stook_batch_cancel_one(batch, 0);
    stook_batch_free(batch);
}

/* Also results without an exchange are whole. */
TEST_BOTH(of_failures)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, "ftp://127.0.0.1/");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_result_keep(stook_batch_result(batch, 0));
    stook_batch_free(batch);
    life_close(life);
    CHECK_ERROR(stook_result_error(result), STOOK_EPOLICY);
    CHECK_CONTAINS(stook_result_message(result), "ftp");
    CHECK_STR(stook_result_url(result), "ftp://127.0.0.1/");
    CHECK_STR(stook_result_final_url(result), "ftp://127.0.0.1/");
    CHECK_STR(stook_result_body(result, NULL), "");
    CHECK(stook_result_header(result, "Date") == NULL);
    CHECK_EQ_INT(stook_result_attempts(result), 0);
    stook_result_drop(result);
}
