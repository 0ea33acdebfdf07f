/* SPDX-License-Identifier: MIT */
/* Runs and closes clients; see client_run.h. Only the calls of api/ come here, and never a turn. */
#include "core/client_run.h"

#include <limits.h>

#include "core/client_state.h"
#include "core/shutdown.h"
#include "core/turn.h"
#include "loop/loop.h"

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

void stook__client_close(stook_client *client, void (*closed)(void *user), void *user)
{
    if (stook__client_is_forked(client))
        return;
    stook__shutdown_close(client, closed, user);
    if (client->owned && !client->turning)
        finish_close(client);
}

/* ------------------------------------------------------------------------------ blocking calls */

void stook__client_run_until(stook_client *client, int (*is_over)(stook_client *client, void *what),
                             void *what)
{
    while (!is_over(client, what))
        stook__loop_run(client->loop, 1);
    if (stook__client_is_closing(client))
        finish_close(client);
}

static int has_nothing_to_do(stook_client *client, void *what)
{
    (void)what;
    if (client->state == STOOK__CLIENT_DRAINING && client->awaits == 0)
        return 0; /* the next turn closes the client */
    return stook__client_is_closing(client) ||
           (client->awaits == client->pulls && stook__mailbox_count(client->mailbox) == 0 &&
            stook__list_empty(&client->dirty_batches));
}

int stook__client_check_owned(const stook_client *client)
{
    return stook__client_is_forked(client) || !client->owned ? STOOK_ESTATE : 0;
}

int stook__client_run(stook_client *client)
{
    if (stook__client_check_owned(client) != 0 || client->turning)
        return STOOK_ESTATE;
    stook__loop_request_turn(client->loop);
    stook__loop_run(client->loop, 0);
    stook__client_run_until(client, has_nothing_to_do, NULL);
    return 0;
}

/* ----------------------------------------------------------------------- inside another loop */

int stook__client_pass(stook_client *client, int64_t timeout_ms)
{
    if (stook__client_check_owned(client) != 0 || client->turning)
        return STOOK_ESTATE;
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

int stook__client_fd(const stook_client *client)
{
    int error = stook__client_check_owned(client);
    return error != 0 ? error : stook__loop_fd(client->loop);
}

int64_t stook__client_timeout_ms(const stook_client *client)
{
    int error = stook__client_check_owned(client);
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
