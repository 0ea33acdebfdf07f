/* SPDX-License-Identifier: MIT */
/*
 * A client in either of its two lives: on a loop that it owns, or on a loop that it borrows from the
 * program. A test written with TEST_BOTH runs once in each. At its end the client is closed; then the
 * loop must have no handle left, and the client no block of memory.
 */
#ifndef STOOK_TEST_LIFE_H
#define STOOK_TEST_LIFE_H

#include <uv.h>

#include <stook.h>

#include "harness.h"
#include "memory.h"

struct life {
    int borrowed;
    int closed; /* how often `closed` was called */
    stook_client *client;
    uv_loop_t loop; /* the program's; unused if the client owns one */
    struct memory memory;
};

/* Begins a life and makes a client. `options` may be NULL; its allocator is replaced by `memory`. */
void life_begin(struct life *life, int borrowed);
/* Whether requests of this run go the direct way, where they can. */
int life_is_direct(void);
/* Set by programs about libcurl's way. */
extern int life_libcurl_only;
int life_try_open(struct life *life, const struct stook_client_options *options);
void life_open(struct life *life, const struct stook_client_options *options);
/* Closes the client and runs the loop until `closed` was called. */
void life_close(struct life *life);
/* Calls life_close() if that was not done, and checks that nothing is left. */
void life_end(struct life *life);

stook_batch *life_batch(struct life *life);
/* Await a batch and wait for it, in either life. Return what stook_gather() returns. */
int life_gather(struct life *life, stook_batch *batch, const struct stook_gather_options *options);
int life_gather_ordered(struct life *life, stook_batch *batch,
                        const struct stook_gather_options *options);
/* What the client knows of the origin http://127.0.0.1:PORT; zero: nothing. */
struct stook_origin life_origin(struct life *life, int port);
/* Runs the loop until no await is under way. */
void life_run(struct life *life);
/* Takes one turn, which on a loop of our own waits for at most `ms`. */
void life_turn(struct life *life, int64_t ms);
/* Takes one turn without a wait: for what only the server knows. */
void life_poke(struct life *life);

void life_both(void (*body)(struct life *life));

#define TEST_BOTH(...) TEST_BOTH_NAMED_(TEST_FIRST_(__VA_ARGS__, ))
#define TEST_BOTH_NAMED_(name_) TEST_BOTH_DEFINE_(name_)
#define TEST_BOTH_DEFINE_(name_)                                                                  \
    static void body_##name_(struct life *life);                                                  \
    TEST(name_)                                                                                   \
    {                                                                                             \
        life_both(body_##name_);                                                                  \
    }                                                                                             \
    static void body_##name_(struct life *life)

/* What a `done` callback was given; pass it as its user. */
struct done {
    int calls;
    int failed;
};
void count_done(stook_batch *batch, int failed, void *user);

/* A list of words in the order in which tell() was called. Each life begins with an empty one. */
void tell(const char *word);
const char *told(void);

/* Adds a request, written as in STOOK_REQUEST(), which must succeed. add() is the short form for a GET. */
#define ADD(batch, ...) CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(__VA_ARGS__)), 0)
void add(stook_batch *batch, const char *url);

#endif
