/* SPDX-License-Identifier: MIT */
/**
 * @file stook/stream.h
 * Bodies in pieces, results that are pulled, delivery that is paused, addresses that are judged.
 *
 * All callbacks run on the loop's thread. They may call any function except those that block. A
 * callback may cancel its own request or free its batch. Then no callback of the request is called
 * again, except `body_release`.
 */
#ifndef STOOK_STREAM_H
#define STOOK_STREAM_H

#include <stook/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------- bodies in pieces */

/** What stook_body_fn may return. */
enum { STOOK_PAUSE = 1 };

/** The progress of a request, in bytes of bodies before decoding. -1: not known. */
struct stook_progress {
    size_t size;           /**< set by STOOK_PROGRESS() */
    int64_t received;      /**< bytes of the response's body */
    int64_t receive_total; /**< the response's Content-Length */
    int64_t sent;          /**< bytes of the request's body */
    int64_t send_total;    /**< the size of the request's body */
};

/** `struct stook_progress progress = STOOK_PROGRESS();` */
#define STOOK_PROGRESS() ((struct stook_progress){.size = sizeof(struct stook_progress)})

/** Makes such a struct without the macro; see stook/base.h. */
STOOK_API void stook_progress_init(struct stook_progress *progress, size_t size);

/**
 * Receives status and header fields. It is called once, when the final header section is complete.
 * It is not called for 1xx responses, nor for those that another response follows.
 * @param result shows status, protocol, header fields, URL and index, and never more, also when it
 *               is referenced. Strings from it live as long as the request's result.
 * @param user   the request's
 * @return 0: continue. Any other number: the result is STOOK_ECALLBACK, with the status, and the
 *         body is not received.
 */
typedef int (*stook_head_fn)(stook_batch *batch, const stook_result *result, void *user);

/**
 * Receives the body as it arrives, in an ordered await too.
 * @param result as for stook_head_fn
 * @param data   valid during the call
 * @param size   bytes of `data`, at least 1, at most a little over 1 MiB
 * @param user   the request's
 * @return 0: continue. STOOK_PAUSE: this piece was taken; until stook_batch_resume_request() no
 *         other comes and the time limits of the request are paused. Any other number: the result
 *         is STOOK_ECALLBACK.
 */
typedef int (*stook_body_fn)(stook_batch *batch, const stook_result *result, const void *data,
                             size_t size, void *user);

/**
 * Tells that bytes of a body have moved, in either direction. It is called at most once for each
 * pass of the loop, and a last time when all bytes have moved.
 * @param result   as for stook_head_fn
 * @param progress valid during the call
 * @param user     the request's
 */
typedef void (*stook_progress_fn)(stook_batch *batch, const stook_result *result,
                                  const struct stook_progress *progress, void *user);

/**
 * Gives the next bytes of a request's body. It may be called before they are needed. Without
 * `body_size` HTTP/1.1 sends them in chunks (RFC 9112 7.1).
 * @param index  the request's
 * @param buffer to be filled
 * @param size   bytes of `buffer`, at least 64 KiB
 * @param user   the request's
 * @return 1 to `size`: the number of bytes. 0: the end of the body; with `body_size` too, it is
 *         called once more after the last byte and must return 0. STOOK_AGAIN: none now; until
 *         stook_batch_resume_request() it is not called and the time limits of the request are
 *         paused. Any other number, or more or fewer bytes than `body_size`: the result is
 *         STOOK_ECALLBACK.
 */
typedef int64_t (*stook_read_fn)(stook_batch *batch, size_t index, void *buffer, size_t size,
                                 void *user);

/**
 * Starts a body over: the next call of stook_read_fn gives its first byte. Without this callback a
 * request whose `body_read` was called is never sent again.
 * @param index the request's
 * @param user  the request's
 * @return 0: done. Any other number: the result is STOOK_ECALLBACK.
 */
typedef int (*stook_rewind_fn)(stook_batch *batch, size_t index, void *user);

/**
 * Releases a borrowed body. It is called exactly once after a successful add: when the request has
 * its result, before `done`. If the batch was never awaited, it is called when the batch is freed,
 * at the latest. If the add failed, it is not called.
 * @param body the request's `body`
 * @param user the request's
 */
typedef void (*stook_release_fn)(void *body, void *user);

/**
 * Resumes the request `index` after STOOK_PAUSE from `on_body` or STOOK_AGAIN from `body_read`. A
 * call inside that callback prevents the pause. If the request is not paused, is finished or is
 * unknown, nothing happens.
 * Thread: the loop's; from others by stook_client_post(). Callbacks: none from inside the call.
 */
STOOK_API void stook_batch_resume_request(stook_batch *batch, size_t index);

/**
 * Reads the progress of the request `index` while it is in flight.
 * @param ret_progress its `size` must be set; filled on success, otherwise unchanged
 * @return 0; STOOK_EARG (NULL; no size); STOOK_ESTATE (queued, finished or unknown; forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_request_progress(const stook_batch *batch, size_t index,
                                           struct stook_progress *ret_progress);

/* ----------------------------------------- results that are pulled, delivery that is paused */

/**
 * Takes the next result of an await with `pull`, in the order of the await.
 *
 *     stook_gather_start(batch, &STOOK_GATHER(.limit = 10, .pull = 1), NULL, NULL);
 *     while (stook_batch_next(batch, &result) == 1)
 *         ...
 *
 * On an owned loop the call runs the loop until there is a result or the await is done. Inside a
 * callback of the client and on a borrowed loop it never waits. `window` and `max_buffered_bytes`
 * limit the results that wait to be taken. Results that remain can be taken after the await is done
 * and after the client is closed.
 *
 * The result is valid until the next call of this function for this batch, or until the batch is
 * freed. A result that a callback takes while an outer call waits is valid during that callback.
 * @param ret_result set if 1 is returned, otherwise unchanged
 * @return 1: there is a result; 0: there are no more, or a callback has freed the batch;
 *         STOOK_AGAIN: none now, and the call may not wait; STOOK_EARG (NULL); STOOK_ESTATE (not
 *         awaited; without `pull`; forked child), stook_batch_message() tells the reason
 * Thread: the loop's. Callbacks: all, from inside the call, if it waits.
 */
STOOK_API int stook_batch_next(stook_batch *batch, const stook_result **ret_result);

/**
 * Pauses delivery: no result goes to `on_result` until stook_batch_resume_delivery(). Requests in
 * flight continue, and further ones start within `window` and `max_buffered_bytes`. A cancel, the
 * batch's deadline and a close of the client end the pause. If `batch` is NULL or its await is
 * done, nothing happens.
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API void stook_batch_pause_delivery(stook_batch *batch);

/**
 * Resumes delivery after stook_batch_pause_delivery(). If it is not paused, nothing happens.
 * Thread: the loop's. Callbacks: none from inside the call.
 */
STOOK_API void stook_batch_resume_delivery(stook_batch *batch);

/* --------------------------------------------------------- addresses */

/** An IP address that a request is about to connect to. */
struct stook_address {
    size_t size;        /**< of this struct, as the library knows it */
    const char *text;   /**< "203.0.113.7" or "2001:db8::7"; an IPv4-mapped one is shown as IPv4 */
    const char *origin; /**< of the request, in lower case: "https://example.com:443" */
    int64_t port;       /**< that is connected to */
    int64_t ip_version; /**< 4 or 6 */
};

/**
 * Judges an address before it is connected to. It is called for each address that is tried, unless
 * `deny_addresses` or `public_only` has refused it already, and not for a connection that is used
 * again. It runs inside libcurl: it must return at once, and may call only those functions of stook
 * that any thread may call. The same answer must hold for all requests to the origin, because they
 * share connections.
 * @param address valid during the call
 * @param user    `on_address_user`
 * @return 0: the address may be connected to. Any other number: it is refused.
 * Thread: the loop's.
 */
typedef int (*stook_address_fn)(const struct stook_address *address, void *user);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
