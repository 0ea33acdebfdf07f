/* SPDX-License-Identifier: MIT */
/**
 * @file stook/batch.h
 * A batch holds requests that are awaited together. A batch is awaited once. Requests can be added
 * before and during the await. Afterwards the program reads the results and frees the batch.
 */
#ifndef STOOK_BATCH_H
#define STOOK_BATCH_H

#include <stook/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a batch.
 * @param ret_batch set on success, otherwise unchanged; end the batch with stook_batch_free()
 * @return 0; STOOK_EARG (NULL); STOOK_ESTATE (client draining or closing; forked child);
 *         STOOK_ENOMEM
 * Thread: the loop's.
 */
STOOK_API int stook_batch_new(stook_client *client, stook_batch **ret_batch);

/**
 * Adds a copy of a request, without starting it. The request's index is the number of successful
 * adds before. A program may add before and during the await, also in callbacks. What is added
 * during the await is part of it.
 *
 * Only misuse and lack of memory make an add fail. After an add that failed before the await, the
 * await returns the error of the add and starts nothing. An add that fails during the await counts
 * as one request that is not ok. A bad URL, method or header, or what the client does not allow, is
 * accepted here and becomes the request's result.
 * @return 0; STOOK_EARG (NULL; no size; no URL; a number out of range; `body_size` without a body);
 *         STOOK_EUNSUPPORTED (the request uses members of a newer stook); STOOK_ESTATE (the await
 *         is done, cancelled or past its deadline; client draining or closed; forked child);
 *         STOOK_ENOMEM
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_add(stook_batch *batch, const struct stook_request *request);

/** Returns the number of requests that were added; 0 for NULL. Thread: the loop's. */
STOOK_API size_t stook_batch_count(const stook_batch *batch);

/**
 * Returns the i-th result, from 0: in the order of completion after stook_gather(), in the order of
 * the adds after stook_gather_ordered().
 * @return a result that the batch owns; NULL if there is none or not yet, and always if the await
 *         has `on_result` or `pull`
 * Thread: the loop's.
 */
STOOK_API const stook_result *stook_batch_result(const stook_batch *batch, size_t i);

/** Returns the result of the request `index`, in any await; otherwise as stook_batch_result(). */
STOOK_API const stook_result *stook_batch_result_by_index(const stook_batch *batch, size_t index);

/**
 * Tells in one line why the last refused add, await or stook_batch_next() was refused.
 * @return a static string, never NULL; "" if none was refused, or an await has begun since, and for
 *         NULL
 * Thread: the loop's.
 */
STOOK_API const char *stook_batch_message(const stook_batch *batch);

/**
 * Cancels all requests that are not finished. Each gets the result STOOK_ECANCELLED, `more` is no
 * longer called, and an add is STOOK_ESTATE. A batch that is cancelled before its await can still
 * be awaited, and starts nothing. If the await is done or `batch` is NULL, nothing happens.
 * Thread: any, until the batch is freed. Callbacks: none.
 */
STOOK_API void stook_batch_cancel(stook_batch *batch);

/**
 * Cancels the request `index`, queued or in flight. If it is finished or unknown, nothing happens.
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API void stook_batch_cancel_request(stook_batch *batch, size_t index);

/**
 * Frees a batch and its results, except those that are referenced. During the await, the call
 * cancels the batch, which is freed after `done`. A batch can be freed after its client is closed.
 * If `batch` is NULL, nothing happens.
 * Thread: the loop's. Callbacks: `body_release`, if the batch was never awaited.
 */
STOOK_API void stook_batch_free(stook_batch *batch);

/* -------------------------------------------------------------------- await */

/**
 * Adds requests on demand. It is called on the loop's thread while fewer than `limit` requests of
 * the batch (64 if there is no limit) could start if they had a slot, and fewer than `max_waiting`
 * wait, until it returns 0 or the batch ends early. What an origin, rate, cool-down, circuit,
 * back-off or delay holds back could not start.
 * @return 1: it added at least one request, and is called again. 0: there are no more. STOOK_AGAIN:
 *         none now; it is called again after stook_batch_wake(), or when all requests are finished.
 *         Any other number, or 1 without an add, counts as 0 and as one request more that failed.
 */
typedef int (*stook_more_fn)(stook_batch *batch, void *user);

/**
 * Receives a result on the loop's thread, once for each request, in the order of the await, while
 * others are still in flight. The result is valid during the call. The callback may call any
 * function except those that block.
 */
typedef void (*stook_result_fn)(stook_batch *batch, const stook_result *result, void *user);

/**
 * Called on the loop's thread, exactly once, when the await is done: after the last result was
 * delivered; with `pull`, when every request has its result. The batch may be freed here.
 * @param failed the number of requests that are not ok, as stook_gather() returns it
 */
typedef void (*stook_done_fn)(stook_batch *batch, int failed, void *user);

/** How a batch is awaited. All members are optional. Defaults are in brackets. */
struct stook_gather_options {
    size_t size;   /**< set by STOOK_GATHER() */
    int64_t limit; /**< [STOOK_NONE] in flight at a time: 1 to 1000000, or STOOK_AUTO */
    /** [4 x limit, which may be one that is found, at least 64; without a limit STOOK_NONE: no
        maximum] Requests that are started and not delivered. At the maximum only the head of the
        order may start. For ordered awaits with `on_result`, `pull`, and paused delivery. */
    int64_t window;
    int64_t max_waiting;       /**< [10000] 1 to 10^9; while so many wait, `more` is not called */
    int64_t timeout_ms;        /**< [none] from the await on, 1 to 2^53: STOOK_ETIMEOUT_BATCH */
    stook_more_fn more;        /**< [none] adds requests on demand */
    stook_result_fn on_result; /**< [none] receives results; otherwise the batch keeps them */
    void *user;                /**< passed to `more` and `on_result` */
    int64_t policy;            /**< [STOOK_POLICY_ALL] see stook/flow.h */
    int64_t quorum;            /**< at least 1 with STOOK_POLICY_QUORUM, otherwise 0 */
    /** [67108864] Bytes of bodies that wait for delivery to `on_result` or `pull`; STOOK_NONE: no
        maximum. See stook/flow.h. */
    int64_t max_buffered_bytes;
    int64_t pull; /**< [off] 1: stook_batch_next() takes the results; _start only, no `on_result` */
};

/** Makes gather options: `STOOK_GATHER(.limit = 10)` */
#define STOOK_GATHER(...) \
    ((struct stook_gather_options){.size = sizeof(struct stook_gather_options), __VA_ARGS__})

/** Makes gather options without the macro; see stook/base.h. */
STOOK_API void stook_gather_options_init(struct stook_gather_options *options, size_t size);

/**
 * Awaits all requests of a batch. Results come in the order in which requests complete. The call
 * runs the client's own loop until the batch is done. Other awaits of the client continue.
 * @param options NULL: all defaults
 * @return the number of requests that are not ok, at most INT_MAX; or, if no await happened and no
 *         callback ran, STOOK_EARG (NULL; no size; an option out of range; options that exclude
 *         each other); STOOK_EUNSUPPORTED (options of a newer stook); STOOK_ESTATE (awaited before;
 *         borrowed loop; inside a callback; client draining or closed; forked child);
 *         STOOK_ENOMEM; or the error of a failed add. stook_batch_message() tells the reason.
 * Thread: the loop's. Callbacks: all, from inside the call. If one frees the batch or closes the
 * client, that takes effect when the call returns.
 */
STOOK_API int stook_gather(stook_batch *batch, const struct stook_gather_options *options);

/** As stook_gather(), with results in the order of the adds, each delivered when all before are. */
STOOK_API int stook_gather_ordered(stook_batch *batch, const struct stook_gather_options *options);

/**
 * Starts an await without blocking. The program runs a borrowed loop with uv_run(), an owned one
 * with stook_client_run(), stook_client_turn() or stook_batch_next().
 * @param done NULL or a function
 * @param user passed to `done`; `user` of the options is passed to `more` and `on_result`
 * @return 0; or an error as stook_gather(), which is allowed here on a borrowed loop and inside a
 *         callback: then `done` never runs
 * Thread: the loop's. Callbacks: none from inside the call.
 */
STOOK_API int stook_gather_start(stook_batch *batch, const struct stook_gather_options *options,
                                 stook_done_fn done, void *user);

/** As stook_gather_start(), with results in the order of the adds. */
STOOK_API int stook_gather_ordered_start(stook_batch *batch,
                                         const struct stook_gather_options *options,
                                         stook_done_fn done, void *user);

/**
 * Makes the loop's thread call `more` again after it returned STOOK_AGAIN. Calls coalesce: `more`
 * runs at least once after each, if fewer requests than `limit` are queued. On an owned loop that
 * happens when the loop runs next. If `batch` is NULL, nothing happens.
 * Thread: any, until the batch is freed. Callbacks: none from inside the call.
 */
STOOK_API void stook_batch_wake(stook_batch *batch);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
