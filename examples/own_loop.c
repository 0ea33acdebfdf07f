/* SPDX-License-Identifier: MIT */
/*
 * stook on the libuv loop of the program, beside a timer. The client is created with the loop and
 * never blocks it. The await is started, and `on_done` runs on the loop when all results are there.
 * Usage: own_loop URL...          (link with libuv too: pkg-config --cflags --libs stook libuv)
 */
#include <stdio.h>
#include <stook.h>
#include <uv.h>

static uv_timer_t timer;
static int ticks, failures = 1;

static void on_tick(uv_timer_t *handle)
{
    (void)handle;
    ticks++; /* the loop serves other handles while requests are in flight */
}

static void on_done(stook_batch *batch, int failed, void *user)
{
    for (size_t i = 0; i < stook_batch_count(batch); i++) {
        const stook_result *result = stook_batch_result(batch, i);
        printf("%s: %s\n", stook_result_url(result), stook_result_message(result));
    }
    failures = failed;
    stook_batch_free(batch);
    stook_client_close(user, NULL, NULL); /* returns at once; the loop finishes the close */
    uv_close((uv_handle_t *)&timer, NULL);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    stook_client *client;
    stook_batch *batch;
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_tick, 1, 1);
    if (stook_client_new(loop, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    for (int i = 1; i < argc; i++)
        stook_batch_add(batch, &STOOK_REQUEST(.url = argv[i]));
    int error = stook_gather_start(batch, &STOOK_GATHER(.limit = 10), on_done, client);
    if (error != 0)
        on_done(batch, error, client); /* after an error the library never calls it */
    uv_run(loop, UV_RUN_DEFAULT);      /* returns when no handle is left, ours and stook's */
    printf("%s while waiting\n", ticks > 0 ? "the timer ran" : "the timer did not run");
    return failures != 0 || uv_loop_close(loop) != 0;
}
