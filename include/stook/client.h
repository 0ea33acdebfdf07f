/* SPDX-License-Identifier: MIT */
/**
 * @file stook/client.h
 * A client holds an event loop, connections, and defaults for requests.
 */
#ifndef STOOK_CLIENT_H
#define STOOK_CLIENT_H

#include <stook/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of a client. All members are optional. Defaults are in brackets. */
struct stook_client_options {
    size_t size; /**< set by STOOK_CLIENT() */

    /* The library. */
    /** [malloc] Copied. Its `user` must stay valid until `closed` has returned and the last batch
        and the last referenced result are gone. */
    const struct stook_allocator *allocator;
    const char *user_agent; /**< ["stook/VERSION"] "" sends no User-Agent */

    /* Time limits of a request, each 1 to 2^53 ms. STOOK_NONE switches one off. Time in the queue
       counts towards the first one only. The whole request counts from its first start. */
    int64_t queue_timeout_ms;   /**< [none] from add to the first start: STOOK_ETIMEOUT_QUEUE */
    int64_t attempt_timeout_ms; /**< [30000] one exchange: STOOK_ETIMEOUT_ATTEMPT */
    int64_t connect_timeout_ms; /**< [10000] name, TCP and TLS, within the attempt; same error */
    int64_t timeout_ms;         /**< [120000] the request with its repeats: STOOK_ETIMEOUT_TOTAL */
    int64_t stall_timeout_ms;   /**< [30000] no byte sent or received: STOOK_ETIMEOUT_STALL */

    /* What is accepted as a response. Beyond a maximum the result is STOOK_ETOOLARGE. */
    int64_t max_body_bytes; /**< [67108864] of a body, after decoding; STOOK_NONE: no maximum */
    /** [off] 1: offers the content codings that are built in (RFC 9110 8.4: gzip, br, zstd) and
        decodes the response. */
    int64_t decompress;
    /** [off] 1: what would set STOOK_FLAG_LENIENT is STOOK_EPROTOCOL (in a coding: STOOK_EDECODE),
        and a body whose end is not certain is STOOK_ETRUNCATED. */
    int64_t strict;
    /** [1000] Decoded bytes for each byte received, at most 1000000. It applies to each of the at
        most two codings of a body, once 1 MiB is decoded. STOOK_NONE: no maximum. */
    int64_t max_decompress_ratio;

    /* TLS trust. Requests with different values share no connection, handle or TLS session. */
    /** [libcurl's] PEM file of trusted authorities. It is read when a connection is made; this
        client may use what it has read for up to a day. */
    const char *ca_file;
    const char *ca_data;      /**< PEM text, instead of `ca_file`; parsed for each new connection */
    const char *client_cert;  /**< PEM file: a certificate and its chain, for servers that ask */
    const char *client_key;   /**< [client_cert] PEM file of its private key */
    const char *key_password; /**< [none] of the private key; stook never prompts for one */
    /** "sha256//" and the base64 of the SHA-256 of the server's public key, several separated by
        ";" (RFC 7469 2.4); or a PEM or DER file of the key. Any other key is STOOK_ECERT. */
    const char *pinned_key;

    /* How servers are reached. */
    int64_t http_version; /**< [STOOK_HTTP_DEFAULT] one of STOOK_HTTP_ in stook/request.h */
    /** "host:port:address" strings, ended by NULL, at most 64 KiB. URLs of that host and port
        connect to the address; an IPv6 address may stand in brackets. */
    const char *const *resolve;

    /* Of this client alone: size of header sections, requests in flight. */
    int64_t max_header_bytes; /**< [65536] of a response, trailers included, at most 16 MiB */
    int64_t max_header_count; /**< [256] fields of a response, trailers included, at most 100000 */
    int64_t limit;            /**< [STOOK_NONE] in flight in all batches, 1 to 1000000 */
    /** [STOOK_NONE] In flight to each origin, 1 to 1000000. An origin is scheme, host, port and
        `unix_socket`. */
    int64_t origin_limit;
};

/** Makes client options: `STOOK_CLIENT(.timeout_ms = 5000)` */
#define STOOK_CLIENT(...) \
    ((struct stook_client_options){.size = sizeof(struct stook_client_options), __VA_ARGS__})

/**
 * Makes a client. While a client exists, descriptors 0, 1 and 2 are kept occupied if the program
 * has closed them, so that no socket gets these numbers.
 * @param loop       NULL: the client owns a private loop, which runs only inside blocking awaits,
 *                   stook_client_run(), stook_batch_next() and stook_client_close(). Otherwise the
 *                   caller's `uv_loop_t *`, which stook never runs, stops or blocks. stook keeps it
 *                   alive only during an await or a close. It must outlive the callback `closed`.
 * @param options    NULL: all defaults
 * @param ret_client set on success, otherwise unchanged; end the client with stook_client_close()
 * @return 0; STOOK_EARG (`ret_client` is NULL; a number is out of range; `user_agent` has a control
 *         byte; `resolve`, a certificate option or the allocator is not valid);
 *         STOOK_EUNSUPPORTED (options of a newer stook; libcurl lacks what stook needs);
 *         STOOK_ENOMEM; STOOK_ENOFD
 * Thread: the loop's. Several threads may make a client each at the same time. Callbacks: none.
 */
STOOK_API int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options,
                               stook_client **ret_client);

/**
 * Runs an owned loop until no await is under way and every posted call has run. It does not wait
 * for awaits with `pull`. If a callback closes the client, the call finishes the close and
 * returns 0.
 * @return 0; STOOK_EARG (NULL); STOOK_ESTATE (borrowed loop; inside a callback; forked child)
 * Thread: the loop's. Callbacks: all, from inside the call.
 */
STOOK_API int stook_client_run(stook_client *client);

/**
 * Called on the loop's thread for each stook_client_post(), exactly once, even if the client is
 * closing. It may call any function except those that block.
 */
typedef void (*stook_post_fn)(stook_client *client, void *user);

/**
 * Calls `call` on the loop's thread. On an owned loop that happens when the loop runs next. A
 * borrowed loop without other work must be kept alive by the program: libuv cannot be told to do so
 * from another thread.
 * @return 0; STOOK_EARG (NULL), STOOK_ESTATE (closed; forked child) or STOOK_ENOMEM: `call` never
 *         runs
 * Thread: any, until `closed` runs.
 */
STOOK_API int stook_client_post(stook_client *client, stook_post_fn call, void *user);

/**
 * Called on the loop's thread, exactly once, as the last callback of a client. It may free batches
 * and unreference results.
 */
typedef void (*stook_closed_fn)(void *user);

/**
 * Closes a client. Unfinished requests get the result STOOK_ECLOSED, awaits end, then `closed` is
 * called. After that only the batches and the referenced results remain that the program holds;
 * such a batch can be read and freed. Look-ups of names that the C library cannot interrupt are
 * waited for.
 *
 * On an owned loop the call runs the loop and returns after `closed`. Inside a callback it only
 * marks the client, and the function that called the callback finishes the close. On a borrowed
 * loop it returns at once, and `closed` is called from the loop. A second close is ignored.
 * @param client If `client` is NULL, closing already, or of a parent process, nothing happens and
 *               `closed` is never called.
 * @param closed NULL or a function
 * Thread: the loop's.
 */
STOOK_API void stook_client_close(stook_client *client, stook_closed_fn closed, void *user);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
