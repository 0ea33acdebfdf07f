/* SPDX-License-Identifier: MIT */
/*
 * The server that the examples and tests talk to, on 127.0.0.1. It slows down and runs out of
 * room on request, and it counts, so that what a client claims can be checked from the other side.
 *
 *   /todos/N      {"userId":1,"id":N,"title":"bind the rye","completed":false}, for N from 1
 *   /echo         answers with the body it was sent; /echo/anything too
 *   /stats        what was counted, as JSON; ?reset=1 then starts counting from 0
 *
 * Each of the first two takes ?delay_ms=N, ?slots=N and ?overload=503 or ?overload=hang.
 */
#ifndef STOOK_SERVER_H
#define STOOK_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct todo_server_options {
    int64_t delay_ms;    /* an answer takes so long */
    int64_t slots;       /* so many are worked on at once; 0: no limit */
    bool uneven;         /* every other one takes twice as long, the first one too */
    bool overload_hangs; /* beyond the slots: never answer, instead of 503 at once */
};

/* ------------------------------------------------- on a loop of the caller */

struct todo_server;

/**
 * Listen; requests are answered whenever the loop turns.
 * SIGPIPE must be ignored: clients may close before their answer is written.
 * @param options copied
 * @return 0 or a libuv error; then the loop must be turned once more, to close what was begun
 */
int todo_server_open(uv_loop_t *loop, const struct todo_server_options *options,
                     struct todo_server **ret_server);

/** "http://127.0.0.1:PORT" */
const char *todo_server_url(const struct todo_server *server);

/** Close the listener and all connections. The server frees itself from the loop. */
void todo_server_close(struct todo_server *server);

/* ------------------------------------------------- on a thread of its own */

struct todo_server_thread;

/** Start a server beside the caller. Returns once it listens: 0 or a libuv error. */
int todo_server_start(const struct todo_server_options *options,
                      struct todo_server_thread **ret_thread);

const char *todo_server_thread_url(const struct todo_server_thread *thread);

/** Stop it and wait until it has. NULL is allowed. */
void todo_server_stop(struct todo_server_thread *thread);

#endif
