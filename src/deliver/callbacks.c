/* SPDX-License-Identifier: MIT */
/*
 * The only file that calls the program; see callbacks.h. Calls come from a turn, where no function
 * of libcurl is on the stack, but for that of `on_address`: libcurl connects to an address as soon
 * as it has asked about it. `turning` of the client is the guard: frees and closes inside a call
 * are marked, and the end of the turn carries them out.
 */
#include "deliver/callbacks.h"

void stook__call_result(const struct stook__callbacks *callbacks, stook_batch *batch,
                        const stook_result *result)
{
    callbacks->on_result(batch, result, callbacks->user);
}

int stook__call_more(const struct stook__callbacks *callbacks, stook_batch *batch)
{
    return callbacks->more(batch, callbacks->user);
}

void stook__call_done(const struct stook__callbacks *callbacks, stook_batch *batch, int failed)
{
    if (callbacks->done != NULL)
        callbacks->done(batch, failed, callbacks->done_user);
}

int stook__call_head(const struct stook__optional *optional, stook_batch *batch,
                     const stook_result *result, void *user)
{
    return optional->on_head(batch, result, user);
}

int stook__call_body(const struct stook__optional *optional, stook_batch *batch,
                     const stook_result *result, const void *data, size_t size, void *user)
{
    return optional->on_body(batch, result, data, size, user);
}

int64_t stook__call_read(const struct stook__optional *optional, stook_batch *batch, size_t index,
                         void *buffer, size_t size, void *user)
{
    return optional->body_read(batch, index, buffer, size, user);
}

int stook__call_rewind(const struct stook__optional *optional, stook_batch *batch, size_t index,
                       void *user)
{
    return optional->body_rewind(batch, index, user);
}

void stook__call_release(const struct stook__optional *optional)
{
    optional->body_release(optional->body, optional->user);
}

void stook__call_progress(const struct stook__optional *optional, stook_batch *batch,
                          const stook_result *result, const struct stook_progress *progress,
                          void *user)
{
    optional->on_progress(batch, result, progress, user);
}

int stook__call_address(int (*on_address)(const struct stook_address *address, void *user),
                        const struct stook_address *address, void *user)
{
    return on_address(address, user);
}

void stook__call_posted(void (*call)(stook_client *client, void *user), stook_client *client,
                        void *user)
{
    call(client, user);
}

int stook__call_easy(int (*on_easy)(stook_client *client, void *easy, const char *url, void *user),
                     stook_client *client, void *easy, const char *url, void *user)
{
    return on_easy(client, easy, url, user);
}

void stook__call_closed(void (*closed)(void *user), void *user)
{
    if (closed != NULL)
        closed(user);
}
