/* SPDX-License-Identifier: MIT */
/* Public functions of stook/client.h: making a client, running its loop, posting, draining,
   closing. */
#include "api/client.h"

#include <limits.h>

#include "core/shutdown.h"
#include "core/turn.h"
#include "loop/loop.h"
#include "request/validate.h"

static const int64_t US_MAX = (int64_t)1 << 53;

/* Checks the options of a client. 0, STOOK_EARG or STOOK_EUNSUPPORTED. */
static int validate(const struct stook_client_options *options, struct stook__client_input *input)
{
    struct stook_client_options mine;
    const char *why; /* a client has no message */
    int error = stook__validate_struct(&mine, sizeof mine, options);
    if (error == 0)
        error = stook__settings_from(&mine, &input->settings);
    if (error != 0)
        return error;
    input->peer = (struct stook__peer_input){
        .ca_file = mine.ca_file,
        .peer = {.ca_data = mine.ca_data,
                 .client_cert = mine.client_cert,
                 .client_key = mine.client_key,
                 .key_password = mine.key_password,
                 .pinned_key = mine.pinned_key},
        .resolve = mine.resolve,
    };
    input->allocator = mine.allocator;
    if (stook__peer_validate(&input->peer, &why) != 0 ||
        stook__validate_limit(mine.limit, &input->limit) != 0 ||
        stook__validate_limit(mine.origin_limit, &input->origin_limit) != 0 ||
        (mine.allocator != NULL &&
         (mine.allocator->resize == NULL || mine.allocator->release == NULL)))
        return STOOK_EARG;
    return 0;
}

int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options,
                     stook_client **ret_client)
{
    struct stook__client_input input;
    if (ret_client == NULL)
        return STOOK_EARG;
    int error = validate(options, &input);
    return error != 0 ? error : stook__client_new(loop, &input, ret_client);
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
    int64_t left = ((due + 999) / 1000 * 1000 - stook__loop_now() + 999) / 1000;
    /* Programs pass it to poll(), which takes an int. To come back early is allowed. */
    return left < 0 ? 0 : left < INT_MAX ? left : INT_MAX;
}

void stook_client_wake(stook_client *client)
{
    /* In a forked child the descriptor of the wake-up is the parent's. */
    if (client != NULL && !stook__client_is_forked(client))
        stook__mailbox_wake(client->mailbox);
}
