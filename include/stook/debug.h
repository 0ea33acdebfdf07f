/* SPDX-License-Identifier: MIT */
/**
 * @file stook/debug.h
 * What a client is doing, for people, logs and bug reports.
 */
#ifndef STOOK_DEBUG_H
#define STOOK_DEBUG_H

#include <stdio.h>

#include <stook/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------- state of a request */

/** States of a request: name, number, text. A number is never reused. New ones are appended. */
#define STOOK_STATE_MAP(X)                                                                   \
    X(NONE, 0, "unknown, or already delivered")                                              \
    X(QUEUED, 1, "queued, next to start")                                                    \
    X(QUEUED_AWAIT, 2, "queued until its batch is awaited")                                  \
    X(QUEUED_BATCH, 3, "queued by the limit of its batch")                                   \
    X(QUEUED_ORIGIN, 4, "queued by the limit of its origin")                                 \
    X(QUEUED_CLIENT, 5, "queued by the limit of the client")                                 \
    X(QUEUED_WINDOW, 6, "queued until results of its batch are delivered")                   \
    X(QUEUED_PAUSED, 7, "queued while delivery is paused")                                   \
    X(QUEUED_DESCRIPTORS, 8, "queued because there are no descriptors or ports")             \
    X(GATE, 9, "waiting for another request to connect or to resolve the name")              \
    X(RESOLVING, 10, "resolving the name")                                                   \
    X(CONNECTING, 11, "connecting")                                                          \
    X(TLS, 12, "in the TLS handshake")                                                       \
    X(SENDING, 13, "sending the request")                                                    \
    X(WAITING, 14, "waiting for the response")                                               \
    X(RECEIVING, 15, "receiving the response")                                               \
    X(FINISHED, 16, "finished, its result is not yet delivered")                             \
    X(DONE, 17, "finished, its result is kept by the batch")                                 \
    X(PAUSED, 18, "paused by on_body")                                                       \
    X(PAUSED_BUFFER, 19, "paused by max_buffered_bytes until earlier results are delivered") \
    X(FILES, 20, "opening its files")                                                        \
    X(QUEUED_DELAY, 21, "queued until its delay is over")                                    \
    X(BACKOFF, 22, "waiting before it is sent again")                                        \
    X(QUEUED_CIRCUIT, 23, "queued because its origin is left alone after failures")          \
    X(QUEUED_COOLDOWN, 24, "queued until its origin has cooled down")                        \
    X(QUEUED_PROBE, 25, "queued until others show that its origin responds again")           \
    X(QUEUED_RATE, 26, "queued by a rate")                                                   \
    X(SHARING, 27, "waiting for the response to an equal request")

enum {
#define STOOK_STATE_ENUM(name, number, text) STOOK_STATE_##name = number,
    STOOK_STATE_MAP(STOOK_STATE_ENUM)
#undef STOOK_STATE_ENUM
        STOOK_STATE_LAST_PLUS_ONE /**< not a state */
};

/**
 * Returns the state of the request `index`. If several causes prevent its start, the first in this
 * order is returned: await, window or paused delivery, an equal request, delay or back-off, batch,
 * circuit, cool-down, probe, rate, origin, client, descriptors. The call makes a few system calls,
 * so a program should not call it in every turn.
 * @return a STOOK_STATE_ value; STOOK_STATE_NONE for NULL, an unknown index, a result that was
 *         delivered to `on_result` or pulled, and after the client is closed
 * Thread: the loop's.
 */
STOOK_API int stook_batch_request_state(const stook_batch *batch, size_t index);

/** Returns the text of a state, in English, without a full stop. Never NULL. Thread: any. */
STOOK_API const char *stook_state_text(int state);

/* ------------------------------------------------------------------- a client */

/**
 * Writes a description of a client for people: its limits and its batches. For each batch it shows
 * the first 20 requests in flight and the first 20 queued ones, with state, age, and URL without
 * query; of those that wait also which rate, which response or which attempt is the reason, and for
 * how long. The format may change.
 * @param to a stream of the program; ferror(to) tells about write errors
 * @return 0; STOOK_EARG (NULL); STOOK_ESTATE (forked child)
 * Thread: the loop's.
 */
STOOK_API int stook_client_dump(const stook_client *client, FILE *to);

/** Counters of a client since it was made. They never decrease. */
struct stook_stats {
    size_t size;     /**< set by STOOK_STATS() */
    int64_t added;   /**< requests that were added */
    int64_t started; /**< requests that have started, each once, whatever hops and repeats it has */
    int64_t repeated; /**< repeats and retries */
    int64_t finished; /**< requests that have their result */
    int64_t failed;   /**< of the finished, not ok */
};

/** `struct stook_stats stats = STOOK_STATS();` */
#define STOOK_STATS() ((struct stook_stats){.size = sizeof(struct stook_stats)})

/** Makes such a struct without the macro; see stook/base.h. */
STOOK_API void stook_stats_init(struct stook_stats *stats, size_t size);

/**
 * Reads the counters of a client. Each is exact. They are read one after the other while requests
 * run, but `finished` never exceeds `added`.
 * @param ret_stats its `size` must be set; filled on success
 * @return 0; STOOK_EARG (NULL; `size` is 0 or more than 64 KiB)
 * Thread: any, until `closed` runs.
 */
STOOK_API int stook_client_stats(const stook_client *client, struct stook_stats *ret_stats);

/** How far a batch is. `added` is the sum of `waiting`, `in_flight` and `finished`. */
struct stook_batch_stats {
    size_t size;            /**< set by STOOK_BATCH_STATS() */
    int64_t added;          /**< requests of the batch, without failed adds */
    int64_t waiting;        /**< of these, not started, or waiting for their next hop */
    int64_t in_flight;      /**< of these, started and without a result */
    int64_t finished;       /**< of these, with a result, delivered or not */
    int64_t failed;         /**< of the finished, not ok */
    int64_t bytes_received; /**< of all response bodies, before decoding */
    int64_t bytes_expected; /**< these, and the rest of those in flight with a Content-Length */
};

/** `struct stook_batch_stats stats = STOOK_BATCH_STATS();` */
#define STOOK_BATCH_STATS() ((struct stook_batch_stats){.size = sizeof(struct stook_batch_stats)})

/** Makes such a struct without the macro; see stook/base.h. */
STOOK_API void stook_batch_stats_init(struct stook_batch_stats *stats, size_t size);

/* The function has the name of its struct, as stat() has: g++ -Wshadow warns. */
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
/**
 * Reads how far a batch is: what a progress bar shows. It is allowed before, during and after the
 * await, and after the client is closed. The cost grows with the number of requests in flight.
 * @param ret_stats its `size` must be set; filled on success
 * @return 0; STOOK_EARG (NULL; `size` is 0 or more than 64 KiB); STOOK_ESTATE (forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_stats(const stook_batch *batch, struct stook_batch_stats *ret_stats);
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/**
 * Tells whether a handle of a libuv loop belongs to stook. A program that closes every handle of
 * its loop with uv_walk() must skip those and close the client instead.
 * @param handle a handle or NULL; its member `data` is compared and never dereferenced
 * @return 1 or 0
 * Thread: the loop's.
 */
STOOK_API int stook_owns_handle(const struct uv_handle_s *handle);

/* ------------------------------------------------------------------ a request */

/** Flags of stook_request_to_curl(). */
enum { STOOK_CURL_SECRETS = 1 /**< show what is redacted otherwise */ };

/**
 * Writes a request as one sh command line that makes curl 7.88 or newer send the same bytes, for
 * logs and bug reports. Passwords, and the values of Authorization, Cookie and other fields whose
 * names suggest a secret, are replaced by "REDACTED". URL and body are shown. A body that contains
 * a NUL or exceeds 100000 bytes is piped to curl from printf.
 *
 * The boundary of `parts` differs. You must pipe in the bytes of `body_read`. `ca_data`,
 * `public_only`, the range that `resume` asks for and the cookies that the client keeps are
 * omitted. What curl cannot express is STOOK_EUNSUPPORTED: a part's name that is empty or contains
 * "=", a NUL in its value, a type that is empty or starts with a blank, any of these above 100000
 * bytes, a colon in a Digest user name.
 * @param client its defaults apply to the request
 * @param flags  0 or STOOK_CURL_SECRETS
 * @param buffer receives the line and a NUL, truncated to fit; may be NULL if `size` is 0
 * @param size   bytes of `buffer`
 * @return bytes of the complete line without the NUL; or STOOK_EARG (NULL; unknown flags); or the
 *         error with which the request would be refused before anything is sent, its files not
 *         considered: STOOK_EARG, STOOK_EURL, STOOK_EPOLICY, STOOK_EUNSUPPORTED, STOOK_ENOMEM. On
 *         an error `buffer` is unchanged.
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int64_t stook_request_to_curl(const stook_client *client,
                                        const struct stook_request *request, int64_t flags,
                                        char *buffer, size_t size);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
