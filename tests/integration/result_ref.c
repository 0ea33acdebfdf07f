/* SPDX-License-Identifier: MIT */
/* Results that outlive their callback, their batch, and their client. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { KEPT = 6 };

static const stook_result *kept[KEPT];

static void keep(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    kept[stook_result_index(result)] = stook_result_ref(result);
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
        stook_result_unref(kept[i]);
    }
    return NULL;
}

static void drop_on_threads(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    for (size_t i = 0; i < KEPT; i++)
        for (int k = 1; k < THREADS; k++)
            CHECK(stook_result_ref(kept[i]) == kept[i]); /* counted: one drop each */
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
            kept[i] = stook_result_ref(stook_batch_result_by_index(batch, i));
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
        check_kept(stook_batch_result_by_index(batch, i), i);
    CHECK(stook_batch_result(batch, KEPT) == NULL);
    CHECK_STR(stook_batch_message(batch), "");
    stook_batch_cancel(batch);
    stook_batch_cancel_request(batch, 0);
    stook_batch_free(batch);
}

/* Also results without an exchange are whole. */
TEST_BOTH(of_failures)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, "ftp://127.0.0.1/");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_result_ref(stook_batch_result(batch, 0));
    stook_batch_free(batch);
    life_close(life);
    CHECK_ERROR(stook_result_error(result), STOOK_EPOLICY);
    CHECK_CONTAINS(stook_result_message(result), "ftp");
    CHECK_STR(stook_result_url(result), "ftp://127.0.0.1/");
    CHECK_STR(stook_result_final_url(result), "ftp://127.0.0.1/");
    CHECK_STR(stook_result_body(result, NULL), "");
    CHECK(stook_result_header(result, "Date") == NULL);
    CHECK_EQ_INT(stook_result_attempts(result), 0);
    stook_result_unref(result);
}

/* ------------------------------------------------------ what callbacks are shown of one under way */

struct glance {
    const char *value, *url;
    const stook_result *kept;
    pthread_t thread;
    atomic_int over;
};

static void *read_on(void *user)
{
    struct glance *glance = user;
    do {
        CHECK_EQ_INT(stook_result_status(glance->kept), 200);
        CHECK_STR(stook_result_header(glance->kept, "Transfer-Encoding"), "chunked");
        CHECK_EQ_SIZE(stook_result_header_count(glance->kept), 1);
        CHECK_EQ_SIZE(stook_result_trailer_count(glance->kept), 0);
        CHECK_EQ_INT(stook_result_ok(glance->kept), 0); /* it was not over */
        CHECK_STR(stook_result_message(glance->kept), "");
    } while (atomic_load(&glance->over) == 0);
    return NULL;
}

static int glance_at(stook_batch *batch, const stook_result *result, void *user)
{
    struct glance *glance = user;
    (void)batch;
    CHECK(stook_result_user(result) == user);
    CHECK_EQ_SIZE(stook_result_index(result), 0);
    glance->value = stook_result_header(result, "Transfer-Encoding");
    glance->url = stook_result_url(result);
    glance->kept = stook_result_ref(result);
    CHECK_EQ_INT(pthread_create(&glance->thread, NULL, read_on, glance), 0);
    return 0;
}

static int glance_at_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct glance *glance = user;
    (void)batch, (void)data, (void)size;
    CHECK(result == glance->kept); /* it has not changed, so it is the same */
    return 0;
}

/* Trailers and metadata are added and the result is finished: strings taken before stay valid, for any thread. */
TEST_BOTH(in_on_head)
{
    struct raw_server *server = raw_server_start(NULL);
    for (int bodies = 0; bodies <= 1; bodies++) {
        struct glance glance = {0};
        const char *url = text("%s", raw_url(server, "/trailers?n=50"));
        life_open(life, NULL);
        stook_batch *batch = life_batch(life);
        ADD(batch, url, .on_head = glance_at, .on_body = bodies ? glance_at_body : NULL, .user = &glance);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        const stook_result *result = stook_batch_result(batch, 0);
        CHECK(result != glance.kept);
        CHECK_EQ_SIZE(stook_result_trailer_count(result), 50);
        CHECK_STR(glance.value, "chunked");
        atomic_store(&glance.over, 1);
        pthread_join(glance.thread, NULL);
        stook_result_unref(glance.kept);
        CHECK_STR(glance.value, "chunked"); /* as long as the request's result */
        CHECK_STR(glance.url, url);
        stook_batch_free(batch);
        life_close(life);
    }
}

/* And behind all that it came from. */
TEST_BOTH(in_on_head_for_longer)
{
    struct raw_server *server = raw_server_start(NULL);
    struct glance glance = {0};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/trailers?n=50"), .on_head = glance_at, .user = &glance);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    life_close(life);
    atomic_store(&glance.over, 1);
    pthread_join(glance.thread, NULL);
    CHECK_STR(glance.value, "chunked");
    stook_result_unref(glance.kept);
}
