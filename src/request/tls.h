/* SPDX-License-Identifier: MIT */
/*
 * The peer of a client's or a request's options: its authorities, our certificate, the pinned key,
 * the addresses of its host and the proxy that leads to it, checked and copied.
 */
#ifndef STOOK_REQUEST_TLS_H
#define STOOK_REQUEST_TLS_H

#include "request/pack.h"
#include "request/settings.h"

/* The members of a client's options, or of a request, that describe the peer. */
struct stook__peer_input {
    const char *ca_file;
    struct stook__peer
        peer; /* its `resolve` is not used; the proxies are given if one is not NULL */
    const char *const *resolve;
    int from_env; /* the proxies may be those of the environment, whose texts have no scheme */
};

/* 0, or STOOK_EARG with *ret_why set to a static string. */
int stook__peer_validate(const struct stook__peer_input *input, const char **ret_why);

/* 1: a member other than `ca_file` is set. */
int stook__peer_is_given(const struct stook__peer_input *input);

/* Copies what `input` sets, and what `defaults` sets where `input` does not. `defaults` may be
   NULL. */
void stook__peer_pack(struct stook__peer *peer, struct stook__pack *pack,
                      const struct stook__peer_input *input, const struct stook__peer *defaults);

#endif
