/* SPDX-License-Identifier: MIT */
/* A program that loads the library and unloads it while requests run: dlopen(3), dlclose(3). */
#include <dlfcn.h>
#include <uv.h>

#include <stook.h>

#include "support/harness.h"
#include "support/process.h"
#include "support/raw_server.h"

/* Of the library, the harness asks for this. */
const char *stook_err_name(int error)
{
    (void)error;
    return "an error";
}

/* The functions of the library, found by name: this program is not linked to it. */
static void *library;
#define CALL(name_) ((__typeof__(&name_))found(#name_))

typedef void any_function(void);

static any_function *found(const char *name)
{
    any_function *function;
    *(void **)&function = dlsym(library, name);
    if (function == NULL)
        FAIL("%s", dlerror());
    return function;
}

static void load(void)
{
    library = dlopen(STOOK_SHARED, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        FAIL("%s", dlerror());
}

static int n_done, n_closed;

static void done(stook_batch *batch, int failed, void *user)
{
    (void)batch;
    (void)user;
    CHECK_EQ_INT(failed, 0);
    n_done++;
}

static void closed(void *user)
{
    (void)user;
    n_closed++;
}

/* Requests on the program's loop run to their end. */
TEST(in_flight)
{
    struct raw_server *server = raw_server_start(NULL);
    uv_loop_t loop;
    stook_client *client;
    stook_batch *batch;
    load();
    CHECK_EQ_INT(uv_loop_init(&loop), 0);
    CHECK_EQ_INT(CALL(stook_client_new)(&loop, NULL, &client), 0);
    CHECK_EQ_INT(CALL(stook_batch_new)(client, &batch), 0);
    for (int i = 0; i < 20; i++) {
        const char *url = text("http://%s:%d/after/%d?path=/unloaded&n=1", i % 2 ? "localhost" : "127.0.0.1",
                               raw_port(server), i);
        CHECK_EQ_INT(CALL(stook_batch_add)(batch, &STOOK_REQUEST(url)), 0);
    }
    CHECK_EQ_INT(CALL(stook_gather_start)(batch, NULL, done, NULL), 0);
    void (*free_batch)(stook_batch *) = CALL(stook_batch_free);
    void (*close_client)(stook_client *, void (*)(void *), void *) = CALL(stook_client_close);
    for (int i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EQ_INT(n_done, 0);
    CHECK_EQ_INT(dlclose(library), 0);
    raw_signal(server, "/unloaded");
    while (n_done == 0)
        uv_run(&loop, UV_RUN_ONCE);
    free_batch(batch);
    close_client(client, closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(n_closed, 1);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
}

/* And again, with look-ups that nobody waits for any more; a thread of libcurl may be at them still. */
TEST(again_and_again)
{
    struct raw_server *server = raw_server_start(NULL);
    for (int i = 0; i < 10; i++) {
        stook_client *client;
        stook_batch *batch;
        load();
        CHECK_EQ_INT(CALL(stook_client_new)(NULL, NULL, &client), 0);
        CHECK_EQ_INT(CALL(stook_batch_new)(client, &batch), 0);
        for (int k = 0; k < 5; k++)
            CHECK_EQ_INT(CALL(stook_batch_add)(batch, &STOOK_REQUEST(raw_url(server, "/ok/%d", k))), 0);
        CHECK_EQ_INT(CALL(stook_batch_add)(batch, &STOOK_REQUEST("http://nobody.invalid/", .attempt_timeout_ms = 1)), 0);
        CHECK_EQ_INT(CALL(stook_gather)(batch, NULL), 1);
        CALL(stook_batch_free)(batch);
        CALL(stook_client_close)(client, NULL, NULL);
        CHECK_EQ_INT(dlclose(library), 0);
    }
    /* It is there still, whoever asks. */
    void *again = dlopen(STOOK_SHARED, RTLD_NOW | RTLD_NOLOAD);
    CHECK(again != NULL);
    CHECK_EQ_INT(dlclose(again), 0);
}
