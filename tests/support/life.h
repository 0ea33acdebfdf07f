/* SPDX-License-Identifier: MIT */
/*
 * A client in either of its two lives: on a loop of its own, or on the program's. A test written
 * with TEST_BOTH runs once in each; when it ends, the client is closed, the loop must close with
 * nothing left in it, and no block of the client's memory may be live.
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
    uv_loop_t loop; /* the program's; unused in the owned life */
    struct memory memory;
};

/* Begin in the given life, and make a client; `options` may be NULL, its allocator is ours. */
void life_begin(struct life *life, int borrowed);
int life_try_open(struct life *life, const struct stook_client_options *options);
void life_open(struct life *life, const struct stook_client_options *options);
/* Close the client, and turn the loop until `closed` was called. */
void life_close(struct life *life);
/* life_close() unless that was done, and prove that nothing is left. */
void life_end(struct life *life);

stook_batch *life_batch(struct life *life);
/* Blocking awaits in either life. Return what stook_gather() returns. */
int life_gather(struct life *life, stook_batch *batch, const struct stook_gather_options *options);
int life_gather_ordered(struct life *life, stook_batch *batch,
                        const struct stook_gather_options *options);
/* Turn the loop until no await is under way. */
void life_run(struct life *life);

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

/* What a `done` callback was told; pass as its user. */
struct done {
    int calls;
    int failed;
};
void count_done(stook_batch *batch, int failed, void *user);

/* A story of words, in the order in which they were told; begins anew with each life. */
void tell(const char *word);
const char *told(void);

/* Add a request, made as STOOK_REQUEST() does, that must be accepted; and the short form for a GET. */
#define ADD(batch, ...) CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(__VA_ARGS__)), 0)
void add(stook_batch *batch, const char *url);

#endif
