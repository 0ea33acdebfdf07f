/* SPDX-License-Identifier: MIT */
/**
 * @file stook/client.h
 * A client holds an event loop, connections, and defaults for requests. Its counters, and what it
 * is doing, are in stook/debug.h.
 */
#ifndef STOOK_CLIENT_H
#define STOOK_CLIENT_H

#include <stook/base.h>
#include <stook/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of a client. All members are optional. Defaults are in brackets. */
struct stook_client_options {
    size_t size; /**< set by STOOK_CLIENT() */

    /* The library. */
    /** [malloc(3)] Its `user` must stay valid until `closed` has returned and the last batch and
        the last referenced result are gone. */
    const struct stook_allocator *allocator;
    const char *user_agent; /**< ["stook/VERSION"] "" sends no User-Agent */

    /* Time limits of a request, each 1 to 2^53 ms. STOOK_NONE switches one off. Time in the queue
       counts towards the first limit only. A request that exceeds a limit gets the error named. */
    int64_t queue_timeout_ms;   /**< [none] from add to the first start: STOOK_ETIMEOUT_QUEUE */
    int64_t attempt_timeout_ms; /**< [30000] one attempt: STOOK_ETIMEOUT_ATTEMPT */
    int64_t connect_timeout_ms; /**< [10000] look-up, TCP and TLS of an attempt; same error */
    int64_t timeout_ms;         /**< [120000] from the first start on: STOOK_ETIMEOUT_TOTAL */
    int64_t stall_timeout_ms;   /**< [30000] no byte sent or received: STOOK_ETIMEOUT_STALL */

    /* What is accepted as a response. Beyond a maximum the result is STOOK_ETOOLARGE. */
    int64_t max_body_bytes; /**< [67108864] of a body, after decoding; STOOK_NONE: no maximum */
    /** [off] 1: sends Accept-Encoding with the content codings that are built in (RFC 9110 8.4:
        gzip, br, zstd) and decodes the response. */
    int64_t decompress;
    /** [off] 1: instead of STOOK_FLAG_LENIENT the result is STOOK_EPROTOCOL, or STOOK_EDECODE for a
        content coding; instead of STOOK_FLAG_UNTIL_CLOSE and _END_UNSEEN, STOOK_ETRUNCATED. */
    int64_t strict;
    /** [1000] Decoded bytes for each byte received, at most 1000000. It applies to each content
        coding of a body, of which there are at most two, once 1 MiB is decoded. STOOK_NONE: no
        maximum. */
    int64_t max_decompress_ratio;

    /* TLS trust. Requests with different values share no connection, handle or TLS session. */
    /** [libcurl's] PEM file of the trusted certificate authorities. It is read when a connection is
        made, and what was read may be used for a day. */
    const char *ca_file;
    const char *ca_data;      /**< PEM text, instead of `ca_file`; parsed for each new connection */
    const char *client_cert;  /**< PEM file: a certificate and its chain, for servers that ask */
    const char *client_key;   /**< [client_cert] PEM file of its private key */
    const char *key_password; /**< [none] of `client_key`; stook never prompts for one */
    /** "sha256//" and the base64 of the SHA-256 of the server's public key, several separated by
        ";" (RFC 7469 2.4); or a PEM or DER file of the key. Any other key is STOOK_ECERT. */
    const char *pinned_key;

    /* How servers are reached. What is not explained here is in stook/request.h. */
    int64_t http_version; /**< [STOOK_HTTP_DEFAULT] one of STOOK_HTTP_ in stook/request.h */
    /** "host:port:address" strings, ended by NULL, at most 64 KiB in all. URLs with that host and
        port connect to the address. An IPv6 address may stand in brackets. */
    const char *const *resolve;
    const char *proxy;                   /**< [none] URL of a proxy */
    int64_t max_redirects;               /**< [none: the 3xx is the response] 1 to 50 */
    const char *const *redirect_headers; /**< [none] names of header fields, ended by NULL */
    int64_t cookies;                     /**< [off] 1: cookies are kept and sent */
    int64_t public_only;                 /**< [off] 1: requests connect to public addresses only */
    int64_t max_retries; /**< [off] 1 to 50; STOOK_NONE: nothing is repeated. See stook/flow.h */

    /* What a request cannot set: header sizes, requests in flight. */
    int64_t max_header_bytes; /**< [65536] of a response, trailers included, at most 16 MiB */
    int64_t max_header_count; /**< [256] fields of a response, trailers included, at most 100000 */
    int64_t limit;            /**< [STOOK_NONE] requests in flight in all batches, 1 to 1000000 */
    int64_t origin_limit;     /**< [STOOK_NONE] the same to each origin; STOOK_AUTO: it is found */

    /* How requests are held back and repeated: stook/flow.h. */
    const struct stook_rate *const *rates; /**< [none] at most 16, ended by NULL; copied */
    int64_t max_cooldown_ms;       /**< [60000] of a cool-down, 1 to 2^53; STOOK_NONE: off */
    const int64_t *retry_statuses; /**< [408 425 429 500 502 503 504] 400 to 599, ended by 0 */
    int64_t retry_delay_ms;        /**< [500] the longest wait before the first retry, 1 to 2^53 */
    int64_t retry_max_delay_ms;    /**< [20000] before any; not below the first. Defaults adapt */
    int64_t retry_budget;          /**< [20] percent, 1 to 1000; STOOK_NONE: no budget */
    int64_t circuit_failures;      /**< [off] in a row, 1 to 1000 */

    /** [none] Hosts that are reached without a proxy, separated by commas or blanks, at most 64
        KiB, by curl's rules: a name stands for itself and all names below it, with or without a
        leading dot; an address for itself, "10.0.0.0/8" for a network; "*" alone for all. Ports
        are not supported. */
    const char *no_proxy;
    /** [off] 1: where `proxy` or `no_proxy` is NULL, the environment's are used as they are when
        the client is made: http_proxy (in lower case alone), https_proxy, HTTPS_PROXY, all_proxy,
        ALL_PROXY, no_proxy, NO_PROXY; the first of them that is not empty. A proxy there needs no
        scheme: "http://" is the default. */
    int64_t proxy_from_env;
    /** [none] Exceptions from what `public_only` refuses: at most 1000 ranges ("10.1.0.0/16") and
        addresses, ended by NULL. Of an IPv6 address that leads to an IPv4 one, both must pass. */
    const char *const *allow_addresses;
    /** [none] Ranges, written so, that no request connects to, with or without `public_only`. They
        take precedence. With a proxy the address is the proxy's. STOOK_EPOLICY as above. */
    const char *const *deny_addresses;
    stook_address_fn on_address; /**< [none] may refuse further addresses: STOOK_EPOLICY */
    void *on_address_user;       /**< passed to `on_address` */
    /** [none] Sets options of libcurl's easy handles: stook/curl.h. */
    int (*on_easy)(stook_client *client, void *easy, const char *url, void *user);
    int64_t direct; /**< [on] HTTP/1.1 is spoken by stook; STOOK_NONE: by libcurl, equally */
};

/** Makes client options: `STOOK_CLIENT(.timeout_ms = 5000)` */
#define STOOK_CLIENT(...) \
    ((struct stook_client_options){.size = sizeof(struct stook_client_options), __VA_ARGS__})

/** Makes client options without the macro; see stook/base.h. */
STOOK_API void stook_client_options_init(struct stook_client_options *options, size_t size);

/**
 * Makes a client. If the program has closed descriptor 0, 1 or 2, stook keeps it occupied while a
 * client exists, so that no socket gets that number.
 * @param loop       NULL: the client owns a private loop, which runs only inside the functions that
 *                   block, stook_batch_next() and stook_client_close(). Otherwise the client lives
 *                   on this `uv_loop_t` of the program, which stook never runs, stops or blocks.
 *                   stook keeps it alive only while it has work: during an await, a drain or a
 *                   close, and until what these began has ended. It must exist until `closed` has
 *                   returned.
 * @param options    NULL: all defaults
 * @param ret_client set on success, otherwise unchanged; end the client with stook_client_close()
 * @return 0; STOOK_EARG (`ret_client` is NULL; no size; a number is out of range; a text, list,
 *         rate, proxy, certificate option or allocator is not valid); STOOK_EUNSUPPORTED (options
 *         of a newer stook; a libcurl that stook cannot use, such as one without an asynchronous
 *         resolver); STOOK_ENOMEM; STOOK_ENOFD
 * Thread: the loop's. Several threads may make a client each at the same time. Callbacks: none.
 */
STOOK_API int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options,
                               stook_client **ret_client);

/**
 * Runs an owned loop until no await without `pull` is under way, every posted call has run and a
 * drain is done. If a callback closes the client, or a drain ends, the call also finishes the
 * close: then `closed` has run and the client is gone.
 * @return 0; STOOK_EARG (NULL); STOOK_ESTATE (borrowed loop; inside a callback; forked child)
 * Thread: the loop's. Callbacks: all, from inside the call.
 */
STOOK_API int stook_client_run(stook_client *client);

/**
 * Takes one turn of a client with an owned loop. The call first handles the events that are there.
 * If there are none, it waits for an event, a timer of the client or stook_client_wake(), handles
 * it and returns. The work of one call is bounded.
 * @param timeout_ms the longest wait; 0: does not wait; STOOK_NONE: no limit, even if no await is
 *                   under way; at most 2^53
 * @return the number of awaits under way, at most INT_MAX; a drain or a close counts as one if no
 *         await is left. STOOK_ECLOSED: `closed` ran inside the call and the client is gone. Or
 *         STOOK_EARG (NULL; `timeout_ms` out of range); STOOK_ESTATE (borrowed loop; inside a
 *         callback; forked child)
 * Thread: the loop's. Callbacks: all, from inside the call.
 */
STOOK_API int stook_client_turn(stook_client *client, int64_t timeout_ms);

/**
 * Returns a descriptor that becomes readable when stook_client_turn() has something to do. With it,
 * poll(), epoll and other event loops drive a client. It belongs to the client and stays the same
 * until `closed`. Do not read, write or close it.
 *
 *     struct pollfd readable = {.fd = stook_client_fd(client), .events = POLLIN};
 *     poll(&readable, 1, (int)stook_client_timeout_ms(client));
 *     stook_client_turn(client, 0);
 *
 * @return a descriptor; or STOOK_EARG (NULL); STOOK_ESTATE (borrowed loop; forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_client_fd(const stook_client *client);

/**
 * Returns how long a program may wait for the descriptor before it calls stook_client_turn(). It is
 * 0 if there is work that the descriptor does not show. A turn or any other call for the client or
 * its batches may change the value: call this function right before each wait.
 * @return milliseconds, rounded up, at most INT_MAX; STOOK_NONE (-1): no timer runs; an error as
 *         stook_client_fd()
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int64_t stook_client_timeout_ms(const stook_client *client);

/**
 * Ends the wait of stook_client_turn(), so that it returns. stook_client_run(), blocking awaits and
 * borrowed loops take a turn and continue. If nothing waits, the next wait ends at once. Several
 * calls may end one wait. If `client` is NULL or of a parent process, nothing happens.
 * Thread: any, and signal handlers, until `closed` runs. errno is preserved. Callbacks: none.
 */
STOOK_API void stook_client_wake(stook_client *client);

/**
 * Called on the loop's thread for each stook_client_post(), exactly once, even if the client is
 * closing. It may call any function except those that block.
 */
typedef void (*stook_post_fn)(stook_client *client, void *user);

/**
 * Calls `call` with `user` on the loop's thread, on an owned loop when the loop runs next. A post
 * does not keep a borrowed loop alive, because libuv allows that only on the loop's thread.
 * @return 0; STOOK_EARG (NULL), STOOK_ESTATE (closed; forked child) or STOOK_ENOMEM: `call` never
 *         runs
 * Thread: any, until `closed` runs.
 */
STOOK_API int stook_client_post(stook_client *client, stook_post_fn call, void *user);

/**
 * Called on the loop's thread, exactly once, when a client is closed. It may free batches and
 * unreference results. When it returns, the client is gone.
 */
typedef void (*stook_closed_fn)(void *user);

/**
 * Closes a client when its awaits are done. From this call on, stook_batch_new(), stook_batch_add()
 * and every new await return STOOK_ESTATE. `more` is no longer called, and no request is repeated.
 * Requests of awaits under way continue, queued ones too. When no await is left, or after
 * `timeout_ms`, the client closes as by stook_client_close().
 *
 * The call never blocks. A borrowed loop is kept alive until `closed`. An owned one must be run:
 * stook_client_run(), stook_client_turn() and blocking awaits do that.
 * @param timeout_ms 0: closes at once; STOOK_NONE: no limit; at most 2^53
 * @param closed     NULL, or called with `user`
 * @return 0; STOOK_EARG (NULL; `timeout_ms` out of range) or STOOK_ESTATE (draining or closing
 *         already; forked child): `closed` never runs
 * Thread: the loop's. Callbacks: none from inside the call.
 */
STOOK_API int stook_client_drain(stook_client *client, int64_t timeout_ms, stook_closed_fn closed,
                                 void *user);

/**
 * Closes a client. Unfinished requests of awaits get the result STOOK_ECLOSED, the awaits end, then
 * `closed` is called. The program's batches and referenced results remain: it can read and must
 * free them. A close waits for name look-ups that the C library cannot interrupt.
 *
 * On an owned loop the call runs the loop and returns after `closed`. Inside a callback it only
 * marks the client, and the function that runs the loop finishes the close. On a borrowed loop it
 * returns at once, and `closed` is called from the loop. A close ends a drain early; both `closed`
 * are called, that of the drain first. A second close never calls its `closed`. On an owned loop,
 * outside of callbacks, it runs the loop until the first close is done; otherwise it does nothing.
 * @param client if NULL or of a parent process, nothing happens and `closed` is never called
 * @param closed NULL, or called with `user`
 * Thread: the loop's.
 */
STOOK_API void stook_client_close(stook_client *client, stook_closed_fn closed, void *user);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
