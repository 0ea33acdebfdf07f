/* SPDX-License-Identifier: MIT */
/* The life of a client, as programs see it. */
#include <string.h>

#include "api/extra.h"
#include "api/input.h"
#include "api/run.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "transfer/usual.h"

static void free_parts(stook_client *client)
{
    struct stook__heap *heap = client->heap;
    stook__inbox_unref(client->inbox);
    stook__engine_free(client->engine);
    stook__usual_free(client->usual);
    stook__free(heap, client);
    stook__heap_unref(heap);
}

static void pack(struct stook__pack *pack, const struct stook__policy *from, const struct stook__peer_input *input,
                 struct stook__policy *policy, struct stook__peer *peer)
{
    policy->ca_file = stook__pack_text(pack, from->ca_file);
    policy->user_agent = stook__pack_text(pack, from->user_agent);
    if (stook__peer_given(input))
        stook__peer_pack(peer, pack, input, NULL);
}

/* One block, so that the strings of the options cannot be left behind. */
static stook_client *make(struct stook__heap *heap, const struct stook__policy *policy,
                          const struct stook__peer_input *input)
{
    struct stook__pack strings = {NULL, 0};
    struct stook__policy copy = *policy;
    struct stook__peer peer;
    pack(&strings, policy, input, &copy, &peer);
    stook_client *client = stook__alloc(heap, sizeof *client + strings.size);
    if (client == NULL)
        return NULL;
    strings.at = (char *)(client + 1);
    client->heap = heap;
    client->policy = *policy;
    pack(&strings, policy, input, &client->policy, &client->peer);
    if (stook__peer_given(input))
        client->policy.peer = &client->peer;
    client->family = stook__input_family();
    stook__sched_init(&client->sched, heap);
    stook__list_init(&client->trays);
    stook__list_init(&client->batches);
    stook__list_init(&client->touched);
    stook__list_init(&client->braked);
    return client;
}

/* The loop comes last: on a borrowed one its handles could not be taken back at once. */
static int furnish(stook_client *client, struct uv_loop_s *loop)
{
    client->inbox = stook__inbox_new(client->heap);
    if (client->inbox == NULL)
        return STOOK_ENOMEM;
    int error = stook__engine_new(client->heap, &client->engine);
    if (error == 0)
        error = stook__usual_new(client->heap, client->engine, &client->policy, &client->usual);
    if (error == 0)
        error = stook__loop_new(client->heap, loop, &stook__turn_events, client, &client->loop);
    if (error != 0)
        return error;
    client->owned = loop == NULL;
    stook__engine_open(client->engine, client->loop);
    stook__inbox_open(client->inbox, client->loop);
    return 0;
}

int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options, stook_client **ret_client)
{
    struct stook_client_options mine;
    struct stook__policy policy;
    struct stook__peer_input input;
    const char *why;
    size_t limit, origin_limit;
    if (ret_client == NULL)
        return STOOK_EARG;
    int error = stook__input_struct(&mine, sizeof mine, options);
    if (error == 0)
        error = stook__input_policy(&mine, &policy);
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
        error = stook__input_limit(mine.limit, &limit);
    if (error == 0)
        error = stook__input_limit(mine.origin_limit, &origin_limit);
    if (error != 0)
        return error;
    if (mine.allocator != NULL && (mine.allocator->resize == NULL || mine.allocator->release == NULL))
        return STOOK_EARG;
    struct stook__heap *heap = stook__heap_new(mine.allocator);
    if (heap == NULL)
        return STOOK_ENOMEM;
    stook_client *client = make(heap, &policy, &input);
    if (client == NULL) {
        stook__heap_unref(heap);
        return STOOK_ENOMEM;
    }
    client->sched.limit = limit;
    client->sched.site_limit = origin_limit;
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
    struct stook__heap *heap = client->heap;
    while (client->closing < 3)
        stook__loop_run(client->loop, 1);
    stook__loop_free(client->loop);
    stook__free(heap, client);
    stook__heap_unref(heap);
}

int stook__run(stook_client *client, int (*over)(stook_client *client, void *what), void *what)
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
    return client->closing || (client->awaits == client->pulls && stook__inbox_count(client->inbox) == 0 &&
                               stook__list_empty(&client->touched));
}

int stook_client_run(stook_client *client)
{
    if (client == NULL)
        return STOOK_EARG;
    if (stook__input_forked(client) || !client->owned || client->turning)
        return STOOK_ESTATE;
    stook__loop_want(client->loop);
    stook__loop_run(client->loop, 0);
    return stook__run(client, nothing_under_way, NULL);
}

int stook_client_post(stook_client *client, void (*call)(stook_client *client, void *user), void *user)
{
    if (client == NULL || call == NULL)
        return STOOK_EARG;
    if (stook__input_forked(client))
        return STOOK_ESTATE;
    struct stook__letter *letter = stook__alloc(client->heap, sizeof *letter);
    if (letter == NULL)
        return STOOK_ENOMEM;
    stook__list_init(&letter->link);
    letter->call = call;
    letter->user = user;
    int error = stook__inbox_post(client->inbox, letter);
    if (error != 0)
        stook__free(client->heap, letter);
    return error;
}

void stook_client_close(stook_client *client, void (*closed)(void *user), void *user)
{
    if (client == NULL || stook__input_forked(client) || client->closing)
        return;
    client->closing = 1;
    client->closed = closed;
    client->closed_user = user;
    for (struct stook__link *link = client->batches.next; link != &client->batches; link = link->next) {
        stook_batch *batch = STOOK__OF(stook_batch, link, link);
        if (batch->state == STOOK__AWAITED)
            stook__batch_condemn(batch, STOOK_ECLOSED);
    }
    stook__loop_busy(client->loop, 1);
    stook__loop_want(client->loop);
    /* Inside a callback the blocking call that turns the loop does the rest. */
    if (client->owned && !client->turning)
        finish_close(client);
}
