/* SPDX-License-Identifier: MIT */
/*
 * Makes clients, and tells whether the process was forked since. api/ has validated what is passed
 * in here. core/shutdown.h ends a client.
 */
#ifndef STOOK_CORE_CLIENT_H
#define STOOK_CORE_CLIENT_H

#include "core/client_state.h"
#include "request/tls.h"

/* The options of a client, validated. Strings belong to the program; they are copied. */
struct stook__client_input {
    const struct stook_allocator *allocator; /* NULL: malloc() and free() */
    struct stook__settings settings;
    struct stook__peer_input peer;
    size_t limit, origin_limit; /* SIZE_MAX: none */
};

/* Makes a client on a borrowed loop; on a loop of its own if `loop` is NULL. 0; STOOK_ENOMEM, or
   another error of libcurl's or libuv's setup. On failure nothing is left, on the loop neither. */
int stook__client_new(struct uv_loop_s *loop, const struct stook__client_input *input,
                      stook_client **ret_client);

/* 1: this process is a fork of the one that made the client, and must not use it. */
int stook__client_is_forked(const stook_client *client);

#endif
