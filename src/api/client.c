/* SPDX-License-Identifier: MIT */
/* The life of a client, as programs see it. */
#include "api/client.h"

#include <pthread.h>
#include <string.h>

#include "request/copy.h"
#include "request/optional.h"
#include "request/validate.h"
#include "curl/engine.h"
#include "loop/loop.h"
#include "http/defaults.h"

/* getpid() would be a system call for every add. */
static atomic_uint fork_generation;

static void in_child(void)
{
    atomic_fetch_add(&fork_generation, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

/* A number that differs between a process and its forked children. */
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

static void pack(struct stook__pack *pack, const struct stook__settings *from, const struct stook__peer_input *input,
                 struct stook__settings *policy, struct stook__peer *peer)
{
    policy->ca_file = stook__pack_text(pack, from->ca_file);
    policy->user_agent = stook__pack_text(pack, from->user_agent);
    if (stook__peer_given(input))
        stook__peer_pack(peer, pack, input, NULL);
}

/* One block, so that the strings of the options cannot be left behind. */
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
    if (stook__peer_given(input))
        client->policy.peer = &client->peer;
    client->fork_generation = generation();
    stook__sched_init(&client->sched, allocator);
    stook__list_init(&client->result_queues);
    stook__list_init(&client->batches);
    stook__list_init(&client->dirty_batches);
    stook__list_init(&client->paused_counters);
    return client;
}

/* The loop comes last: on a borrowed one its handles could not be taken back at once. */
static int furnish(stook_client *client, struct uv_loop_s *loop)
{
    client->mailbox = stook__mailbox_new(client->allocator);
    if (client->mailbox == NULL)
        return STOOK_ENOMEM;
    int error = stook__engine_new(client->allocator, &client->engine);
    if (error == 0)
        error = stook__defaults_new(client->allocator, client->engine, &client->policy, &client->defaults);
    if (error == 0)
        error = stook__loop_new(client->allocator, loop, &stook__turn_events, client, &client->loop);
    if (error != 0)
        return error;
    client->owned = loop == NULL;
    stook__engine_open(client->engine, client->loop);
    stook__mailbox_open(client->mailbox, client->loop);
    return 0;
}

int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options, stook_client **ret_client)
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
        error = stook__peer_check(&input, &why);
    }
    if (error == 0)
        error = stook__validate_limit(mine.limit, &limit);
    if (error == 0)
        error = stook__validate_limit(mine.origin_limit, &origin_limit);
    if (error != 0)
        return error;
    if (mine.allocator != NULL && (mine.allocator->resize == NULL || mine.allocator->release == NULL))
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
    error = furnish(client, loop);
    if (error != 0)
        free_parts(client);
    else
        *ret_client = client;
    return error;
}

/* Owned loops, outside of a turn: all that a close needs, to the last byte. */
static void finish_close(stook_client *client)
{
    struct stook__allocator *allocator = client->allocator;
    while (client->closing < 3)
        stook__loop_run(client->loop, 1);
    stook__loop_free(client->loop);
    stook__free(allocator, client);
    stook__allocator_unref(allocator);
}

int stook__client_run(stook_client *client, int (*over)(stook_client *client, void *what), void *what)
{
    while (!over(client, what))
        stook__loop_run(client->loop, 1);
    if (client->closing)
        finish_close(client);
    return 0;
}

static int nothing_under_way(stook_client *client, void *what)
{
    (void)what;
    return client->closing || (client->awaits == client->pulls && stook__mailbox_count(client->mailbox) == 0 &&
                               stook__list_empty(&client->dirty_batches));
}

int stook_client_run(stook_client *client)
{
    if (client == NULL)
        return STOOK_EARG;
    if (stook__client_is_forked(client) || !client->owned || client->turning)
        return STOOK_ESTATE;
    stook__loop_want(client->loop);
    stook__loop_run(client->loop, 0);
    return stook__client_run(client, nothing_under_way, NULL);
}

int stook_client_post(stook_client *client, void (*call)(stook_client *client, void *user), void *user)
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
    if (client == NULL || stook__client_is_forked(client) || client->closing)
        return;
    client->closing = 1;
    client->closed = closed;
    client->closed_user = user;
    for (struct stook__link *link = client->batches.next; link != &client->batches; link = link->next) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        if (batch->state == STOOK__AWAITED)
            stook__batch_terminate(batch, STOOK_ECLOSED);
    }
    stook__loop_busy(client->loop, 1);
    stook__loop_want(client->loop);
    /* Inside a callback the blocking call that turns the loop does the rest. */
    if (client->owned && !client->turning)
        finish_close(client);
}
