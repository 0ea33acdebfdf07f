/* SPDX-License-Identifier: MIT */
/*
 * Settings: the times, limits and switches that most requests of a client share. A client has one
 * such struct, made from its options. A request whose values differ has one of its own.
 */
#ifndef STOOK_REQUEST_SETTINGS_H
#define STOOK_REQUEST_SETTINGS_H

#include <stook.h>

/* How the peer is found, how it is authenticated, and how we authenticate to it, where that differs
   from libcurl's defaults. NULL members select these defaults. */
struct stook__peer {
    const char *ca_data;
    const char *client_cert, *client_key, *key_password; /* without client_cert all are NULL */
    const char *pinned_key;
    const char *resolve;    /* "host:port:address" strings in sequence, ended by an empty string */
    const char *proxies[2]; /* for http and for https; NULL or "": none (request/proxy.h) */
    const char *no_proxy;   /* hosts that are reached without one */
};

/* The default values of these settings change when the request streams a body. */
enum { STOOK__UNSET_ATTEMPT = 1, STOOK__UNSET_TOTAL = 2, STOOK__UNSET_BODY_MAX = 4 };

/* Times are in milliseconds. -1 switches a value off. Every member has eight bytes, so the struct
   has no padding and is compared with memcmp(). The client owns the strings, or the block of the
   request does, where the request has settings of its own. */
struct stook__settings {
    int64_t queue_ms, attempt_ms, connect_ms, total_ms, stall_ms;
    int64_t max_body_bytes, max_header_bytes, max_header_count;
    int64_t http_version;
    int64_t decompress;           /* 1: Accept-Encoding is sent and content codings are decoded */
    int64_t strict;               /* 1: framing that is only nearly valid is refused */
    int64_t max_decompress_ratio; /* decoded bytes for each byte received */
    int64_t max_redirects;        /* that are followed, one after another; -1: none */
    int64_t cookies;              /* 1: those of the client are sent and kept */
    int64_t public_only;          /* 1: only public addresses are connected to; -1: any */
    int64_t direct;               /* 1: HTTP/1.1 is spoken by us; of the client */
    int64_t max_retries;          /* 0: one repeat when a connection was lost; -1: none */
    int64_t idempotent;           /* 1: the program vouches that it may be sent twice */
    int64_t delay_ms;             /* 0: none */
    int64_t coalesce;             /* 1: equal requests share one response */
    int64_t hedge_after_ms;       /* 0: none; STOOK_AUTO: by the times of the origin */
    int64_t cost;                 /* what an attempt takes of rates; -1: nothing */
    int64_t unset;                /* STOOK__UNSET_... of the values that the program did not set */
    const char *ca_file;          /* NULL: libcurl's default */
    const char *user_agent;       /* NULL: no User-Agent is sent */
    const char *redirect_headers; /* of the client: names in sequence, ended by ""; or NULL */
    const struct stook__peer *peer; /* NULL: libcurl's defaults throughout */
};

/* 1: the body of the response goes to a callback or a file, so no max_body_bytes applies by
   default. */
int stook__settings_streams_response(const struct stook_request *request);

/* Makes the settings of a client from its options. Strings are not copied. 0 or STOOK_EARG. */
int stook__settings_from(const struct stook_client_options *options,
                         struct stook__settings *ret_settings);

/* Makes the settings of a request: its own values where it sets them, the client's elsewhere.
   Strings are not copied. 0, or STOOK_EARG with *ret_why set to a static string. */
int stook__settings_merge(const struct stook__settings *client, const struct stook_request *request,
                          struct stook__settings *ret_settings, const char **ret_why);

#endif
