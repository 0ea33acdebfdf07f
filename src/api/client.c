/* SPDX-License-Identifier: MIT */
/* Public functions of stook/client.h: making a client, running its loop, posting, draining,
   closing. */
#include "api/client.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "core/shutdown.h"
#include "core/turn.h"
#include "curl/engine.h"
#include "http/defaults.h"
#include "loop/loop.h"
#include "request/settings.h"
#include "request/tls.h"
#include "request/validate.h"

static const int64_t US_MAX = (int64_t)1 << 53;

/* Counts the forks above this process. Comparing it costs less than a getpid() in each add. */
static atomic_uint fork_generation;

static void count_fork(void)
{
    atomic_fetch_add(&fork_generation, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

/* Returns a number that differs between a process and its forked children. */
static unsigned generation(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load_explicit(&fork_generation, memory_order_relaxed);
}

int stook__client_is_forked(const stook_client *client)
{
    return client->fork_generation != atomic_load_explicit(&fork_generation, memory_order_relaxed);
}

static void free_parts(stook_client *client)
{
    struct stook__allocator *allocator = client->allocator;
    stook__mailbox_unref(client->mailbox);
    stook__engine_free(client->engine);
    stook__defaults_free(client->defaults);
    stook__free(allocator, client);
    stook__allocator_unref(allocator);
}

static void pack(struct stook__pack *pack, const struct stook__settings *from,
                 const struct stook__peer_input *input, struct stook__settings *policy,
                 struct stook__peer *peer)
{
    policy->ca_file = stook__pack_text(pack, from->ca_file);
    policy->user_agent = stook__pack_text(pack, from->user_agent);
    if (stook__peer_is_given(input))
        stook__peer_pack(peer, pack, input, NULL);
}

/* Allocates a client with copies of the strings of its options in the same block. */
static stook_client *make(struct stook__allocator *allocator, const struct stook__settings *policy,
                          const struct stook__peer_input *input)
{
    struct stook__pack strings = {NULL, 0};
    struct stook__settings copy = *policy;
    struct stook__peer peer;
    pack(&strings, policy, input, &copy, &peer);
    stook_client *client = stook__alloc(allocator, sizeof *client + strings.size);
    if (client == NULL)
        return NULL;
    strings.at = (char *)(client + 1);
    client->allocator = allocator;
    client->policy = *policy;
    pack(&strings, policy, input, &client->policy, &client->peer);
    if (stook__peer_is_given(input))
        client->policy.peer = &client->peer;
    client->fork_generation = generation();
    stook__sched_init(&client->sched, allocator);
    stook__list_init(&client->result_queues);
    stook__list_init(&client->batches);
    stook__list_init(&client->dirty_batches);
    stook__list_init(&client->newly_paused);
    return client;
}

/* Makes the parts of a client. The loop is last, because handles on a borrowed loop cannot be
   closed at once when a later part fails. */
static int make_parts(stook_client *client, struct uv_loop_s *loop)
{
    client->mailbox = stook__mailbox_new(client->allocator);
    if (client->mailbox == NULL)
        return STOOK_ENOMEM;
    int error = stook__engine_new(client->allocator, &client->engine);
    if (error == 0)
        error = stook__defaults_new(client->allocator, client->engine, &client->policy,
                                    &client->defaults);
    if (error == 0)
        error =
            stook__loop_new(client->allocator, loop, &stook__turn_events, client, &client->loop);
    if (error != 0)
        return error;
    client->owned = loop == NULL;
    stook__engine_open(client->engine, client->loop);
    stook__mailbox_open(client->mailbox, client->loop);
    return 0;
}

int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options,
                     stook_client **ret_client)
{
    struct stook_client_options mine;
    struct stook__settings policy;
    struct stook__peer_input input;
    const char *why;
    size_t limit, origin_limit;
    if (ret_client == NULL)
        return STOOK_EARG;
    int error = stook__validate_struct(&mine, sizeof mine, options);
    if (error == 0)
        error = stook__settings_from(&mine, &policy);
    if (error == 0) {
        input = (struct stook__peer_input){
            .ca_file = mine.ca_file,
            .peer = {.ca_data = mine.ca_data,
                     .client_cert = mine.client_cert,
                     .client_key = mine.client_key,
                     .key_password = mine.key_password,
                     .pinned_key = mine.pinned_key},
            .resolve = mine.resolve,
        };
        error = stook__peer_validate(&input, &why);
    }
    if (error == 0)
        error = stook__validate_limit(mine.limit, &limit);
    if (error == 0)
        error = stook__validate_limit(mine.origin_limit, &origin_limit);
    if (error != 0)
        return error;
    if (mine.allocator != NULL &&
        (mine.allocator->resize == NULL || mine.allocator->release == NULL))
        return STOOK_EARG;
    struct stook__allocator *allocator = stook__allocator_new(mine.allocator);
    if (allocator == NULL)
        return STOOK_ENOMEM;
    stook_client *client = make(allocator, &policy, &input);
    if (client == NULL) {
        stook__allocator_unref(allocator);
        return STOOK_ENOMEM;
    }
    client->sched.limit = limit;
    client->sched.origin_limit = origin_limit;
    error = make_parts(client, loop);
    if (error != 0)
        free_parts(client);
    else
        *ret_client = client;
    return error;
}

/* Runs an owned loop until the close is complete, then frees the client. Not inside a turn. */
static void finish_close(stook_client *client)
{
    struct stook__allocator *allocator = client->allocator;
    while (client->state != STOOK__CLIENT_CLOSED)
        stook__loop_run(client->loop, 1);
    stook__loop_free(client->loop);
    stook__free(allocator, client);
    stook__allocator_unref(allocator);
}

int stook__client_run(stook_client *client, int (*is_over)(stook_client *client, void *what),
                      void *what)
{
    while (!is_over(client, what))
        stook__loop_run(client->loop, 1);
    if (stook__client_is_closing(client))
        finish_close(client);
    return 0;
}

/* The condition that ends stook_client_run(). */
static int has_nothing_to_do(stook_client *client, void *what)
{
    (void)what;
    if (client->state == STOOK__CLIENT_DRAINING && client->awaits == 0)
        return 0; /* the next turn closes the client */
    return stook__client_is_closing(client) ||
           (client->awaits == client->pulls && stook__mailbox_count(client->mailbox) == 0 &&
            stook__list_empty(&client->dirty_batches));
}

int stook_client_run(stook_client *client)
{
    if (client == NULL)
        return STOOK_EARG;
    if (stook__client_is_forked(client) || !client->owned || client->turning)
        return STOOK_ESTATE;
    stook__loop_request_turn(client->loop);
    stook__loop_run(client->loop, 0);
    return stook__client_run(client, has_nothing_to_do, NULL);
}

int stook_client_post(stook_client *client, void (*call)(stook_client *client, void *user),
                      void *user)
{
    if (client == NULL || call == NULL)
        return STOOK_EARG;
    if (stook__client_is_forked(client))
        return STOOK_ESTATE;
    struct stook__message *message = stook__alloc(client->allocator, sizeof *message);
    if (message == NULL)
        return STOOK_ENOMEM;
    stook__list_init(&message->link);
    message->call = call;
    message->user = user;
    int error = stook__mailbox_post(client->mailbox, message);
    if (error != 0)
        stook__free(client->allocator, message);
    return error;
}

void stook_client_close(stook_client *client, void (*closed)(void *user), void *user)
{
    if (client == NULL || stook__client_is_forked(client))
        return;
    if (!client->closed.asked) {
        client->closed = (struct stook__closed_call){.asked = 1, .call = closed, .user = user};
        stook__shutdown_begin(client);
    }
    /* Inside a callback, the function that runs the loop finishes the close. */
    if (client->owned && !client->turning)
        finish_close(client);
}

int stook_client_drain(stook_client *client, int64_t timeout_ms, void (*closed)(void *user),
                       void *user)
{
    if (client == NULL || !stook__validate_timeout(timeout_ms))
        return STOOK_EARG;
    if (stook__client_is_forked(client) || client->state != STOOK__CLIENT_RUNNING)
        return STOOK_ESTATE;
    client->drained = (struct stook__closed_call){.asked = 1, .call = closed, .user = user};
    int64_t due =
        timeout_ms < 0 || timeout_ms > US_MAX / 1000 ? 0 : stook__loop_now() + timeout_ms * 1000;
    stook__shutdown_drain(client, due);
    if (timeout_ms == 0)
        stook__shutdown_begin(client);
    return 0;
}

/* ---------------------------------------------------- an owned loop inside another loop */

/* 0; STOOK_EARG; STOOK_ESTATE if the client does not own its loop. */
static int check_owned(const stook_client *client)
{
    if (client == NULL)
        return STOOK_EARG;
    return stook__client_is_forked(client) || !client->owned ? STOOK_ESTATE : 0;
}

int stook_client_turn(stook_client *client, int64_t timeout_ms)
{
    int error = check_owned(client);
    if (error == 0 && !stook__validate_timeout(timeout_ms))
        error = STOOK_EARG;
    if (error == 0 && client->turning)
        error = STOOK_ESTATE;
    if (error != 0)
        return error;
    stook__turn_ask(client);
    stook__loop_pass(client->loop, timeout_ms);
    if (client->state == STOOK__CLIENT_CLOSED) {
        finish_close(client);
        return STOOK_ECLOSED;
    }
    size_t left = client->awaits;
    if (left == 0 && client->state != STOOK__CLIENT_RUNNING)
        left = 1; /* at 0 the program would stop to call this, and the close would not complete */
    return left < INT_MAX ? (int)left : INT_MAX;
}

int stook_client_fd(const stook_client *client)
{
    int error = check_owned(client);
    return error != 0 ? error : stook__loop_fd(client->loop);
}

int64_t stook_client_timeout_ms(const stook_client *client)
{
    int error = check_owned(client);
    if (error != 0)
        return error;
    if (stook__loop_is_due(client->loop))
        return 0;
    int64_t due = stook__turn_due(client);
    if (due == 0)
        return STOOK_NONE;
    /* libuv's timers have whole milliseconds and are never early. A program that came back earlier
       would find nothing due and call again at once. */
    int64_t left = (due + 999) / 1000 * 1000 - stook__loop_now();
    return left > 0 ? (left + 999) / 1000 : 0;
}

void stook_client_wake(stook_client *client)
{
    /* In a forked child the descriptor of the wake-up is the parent's. */
    if (client != NULL && !stook__client_is_forked(client))
        stook__mailbox_wake(client->mailbox);
}
