/* SPDX-License-Identifier: MIT */
/*
 * The calls of the program, each by its name. No other file calls it. `batch`, `result` and `user`
 * are those of the public typedefs.
 */
#ifndef STOOK_DELIVER_CALLBACKS_H
#define STOOK_DELIVER_CALLBACKS_H

#include "request/exchange.h"

/* What the program gave to an await. */
struct stook__callbacks {
    int (*more)(stook_batch *batch, void *user);
    void (*on_result)(stook_batch *batch, const stook_result *result, void *user);
    void *user;
    void (*done)(stook_batch *batch, int failed, void *user);
    void *done_user;
};

void stook__call_result(const struct stook__callbacks *callbacks, stook_batch *batch,
                        const stook_result *result);
int stook__call_more(const struct stook__callbacks *callbacks, stook_batch *batch);
void stook__call_done(const struct stook__callbacks *callbacks, stook_batch *batch, int failed);
int stook__call_head(const struct stook__optional *optional, stook_batch *batch,
                     const stook_result *result, void *user);
int stook__call_body(const struct stook__optional *optional, stook_batch *batch,
                     const stook_result *result, const void *data, size_t size, void *user);
int64_t stook__call_read(const struct stook__optional *optional, stook_batch *batch, size_t index,
                         void *buffer, size_t size, void *user);
int stook__call_rewind(const struct stook__optional *optional, stook_batch *batch, size_t index,
                       void *user);
void stook__call_release(const struct stook__optional *optional);
void stook__call_progress(const struct stook__optional *optional, stook_batch *batch,
                          const stook_result *result, const struct stook_progress *progress,
                          void *user);
int stook__call_address(int (*on_address)(const struct stook_address *address, void *user),
                        const struct stook_address *address, void *user);
void stook__call_posted(void (*call)(stook_client *client, void *user), stook_client *client,
                        void *user);
int stook__call_easy(int (*on_easy)(stook_client *client, void *easy, const char *url, void *user),
                     stook_client *client, void *easy, const char *url, void *user);
void stook__call_closed(void (*closed)(void *user), void *user);

#endif
