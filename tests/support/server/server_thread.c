/* SPDX-License-Identifier: MIT */
/*
 * The example server on a thread of its own, for programs that want one beside them.
 *
 * Everything of libuv belongs to the thread that turns the loop, with one exception: uv_async_send.
 * So the server is opened before the thread exists, and closed by the thread when it is woken.
 */
#include "server.h"

#include <signal.h>
#include <stdlib.h>

struct todo_server_thread {
    uv_thread_t thread;
    uv_loop_t loop;
    uv_async_t stop;
    struct todo_server *server;
};

static void on_stop(uv_async_t *stop)
{
    struct todo_server_thread *thread = stop->data;
    todo_server_close(thread->server);
    uv_close((uv_handle_t *)stop, NULL);
}

static void serve(void *data)
{
    struct todo_server_thread *thread = data;
    uv_run(&thread->loop, UV_RUN_DEFAULT);
}

static int open_all(struct todo_server_thread *thread, const struct todo_server_options *options)
{
    int error = uv_async_init(&thread->loop, &thread->stop, on_stop);
    if (error != 0)
        return error;
    thread->stop.data = thread;
    error = todo_server_open(&thread->loop, options, &thread->server);
    if (error != 0) {
        uv_close((uv_handle_t *)&thread->stop, NULL);
        return error;
    }
    error = uv_thread_create(&thread->thread, serve, thread);
    if (error != 0)
        on_stop(&thread->stop);
    return error;
}

int todo_server_start(const struct todo_server_options *options,
                      struct todo_server_thread **ret_thread)
{
    struct todo_server_thread *thread = calloc(1, sizeof *thread);
    int error = thread != NULL ? uv_loop_init(&thread->loop) : UV_ENOMEM;
    if (error != 0) {
        free(thread);
        return error;
    }
    signal(SIGPIPE, SIG_IGN);
    error = open_all(thread, options);
    if (error != 0) {
        uv_run(&thread->loop, UV_RUN_DEFAULT);
        uv_loop_close(&thread->loop);
        free(thread);
        return error;
    }
    *ret_thread = thread;
    return 0;
}

const char *todo_server_thread_url(const struct todo_server_thread *thread)
{
    return todo_server_url(thread->server);
}

void todo_server_stop(struct todo_server_thread *thread)
{
    if (thread == NULL)
        return;
    uv_async_send(&thread->stop);
    uv_thread_join(&thread->thread);
    uv_loop_close(&thread->loop);
    free(thread);
}
