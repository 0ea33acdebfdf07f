/* SPDX-License-Identifier: MIT */
/*
 * Makes clients, and does what the program asks of one from any thread or while it runs.
 * core/client_run.h runs and closes a client.
 *
 * api/ has checked the arguments of the functions here; what depends on the state of a client, they
 * check themselves.
 */
#ifndef STOOK_CORE_CLIENT_H
#define STOOK_CORE_CLIENT_H

#include "core/flow_rules.h"
#include "request/settings.h"
#include "request/tls.h"

/* The options of a client, validated. Strings belong to the program; they are copied. */
struct stook__client_input {
    const struct stook_allocator *allocator; /* NULL: malloc() and free() */
    struct stook__settings settings;
    struct stook__peer_input peer;
    const char *const *redirect_headers;
    const char *const *allow_addresses, *const *deny_addresses;
    int (*on_address)(const struct stook_address *address, void *user); /* NULL: none */
    void *on_address_user;
    size_t limit, origin_limit; /* SIZE_MAX: none */
    struct stook__flow_rules rules;
    struct stook__rate rates[STOOK__RATES_MAX];
    int (*on_easy)(stook_client *client, void *easy, const char *url, void *user); /* or NULL */
};

/* Makes a client on a borrowed loop; on a loop of its own if `loop` is NULL. 0; STOOK_ENOMEM, or
   another error of libcurl's or libuv's setup. On failure nothing is left, on the loop neither. */
int stook__client_new(struct uv_loop_s *loop, const struct stook__client_input *input,
                      stook_client **ret_client);

/* Posts a call that a turn makes. Any thread. 0; STOOK_ENOMEM; STOOK_ESTATE: the client is
   closed, or of a parent process. */
int stook__client_post(stook_client *client, void (*call)(stook_client *client, void *user),
                       void *user);
/* Wakes the loop. Any thread, and signal handlers. Nothing happens in a forked child, where the
   descriptor of the wake-up is the parent's. */
void stook__client_wake(stook_client *client);

/* Load and save the cookies; see stook/client.h for what they return. */
int stook__client_load_cookies(stook_client *client, const char *path);
int stook__client_save_cookies(stook_client *client, const char *path);

/* Set the limit of all requests in flight, and that of each origin; SIZE_MAX: none. 0, or
   STOOK_ESTATE: the client closes, or is of a parent process. */
int stook__client_set_limit(stook_client *client, size_t limit);
int stook__client_set_origin_limit(stook_client *client, size_t limit);

/* Corrects the buckets that a result has taken from; see stook/flow.h. 0, STOOK_EARG or
   STOOK_ESTATE. */
int stook__client_charge(stook_client *client, const stook_result *result, int64_t actual_cost);

#endif
