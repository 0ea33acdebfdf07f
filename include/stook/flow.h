/* SPDX-License-Identifier: MIT */
/**
 * @file stook/flow.h
 * Rates, cool-downs, retries, limits that find themselves, circuits; completion policies, the
 * maximum of buffered bytes, and limits that change while requests run.
 *
 * **Retries.** With `max_retries`, a request is sent again after STOOK_ECONNECT, _EDNS, _ETLS,
 * _EPROXY, _ERESET, _ETRUNCATED, _ETIMEOUT_ATTEMPT and _ETIMEOUT_STALL, then on a fresh connection,
 * and after a response whose status is in `retry_statuses`. It is sent again only if that is safe:
 * its method is GET, HEAD, PUT, DELETE, OPTIONS or TRACE, or it has `idempotent` or an
 * `idempotency_key`, or no byte of it was sent; if its body can be sent again; and if the program
 * has seen nothing of a response (`on_head`, `on_body`). A response that is followed by another
 * attempt is not shown to the program. The wait before retry n is drawn from 0 to `retry_delay_ms`
 * x 2^(n-1), at most `retry_max_delay_ms`, and is at least what the response asks for, unless
 * `max_cooldown_ms` is off. If that is more than `max_cooldown_ms`, or the wait, that for a
 * cool-down or a circuit included, would pass `timeout_ms`, or the retries of the origin within ten
 * seconds would exceed `retry_budget` percent of its requests and 100 more, there is no retry, and
 * the last failure is the result; its response is not shown to `on_head` and `on_body` then, but
 * the result has its body. If such a body is over 1 MiB, its rest is not read; the request is sent
 * again, or else its result is STOOK_ETOOLARGE. What may be retried is decided when an attempt
 * begins: with stook_client_drain() its response is held back too. A request that waits holds no
 * slot. Without `max_retries` a request is repeated once, if its method is idempotent and a
 * connection was lost before a response, as STOOK_AGAIN_LOST says; with `max_retries` that counts
 * as one of them, and only the first is sent without a wait and without regard to `retry_budget`.
 *
 * **Cool-downs.** A response 429 or 503 that says when to come back (Retry-After of RFC 9110
 * 10.2.3, retry-after-ms, RateLimit and its older forms) holds back all starts of its origin, or of
 * its origin and `rate_key`, for that time, at most `max_cooldown_ms`. Up to a tenth of it, at most
 * a second, is added at random. Then one request is sent alone. Each response that is no 429 or
 * 503 lets one more run at a time. Other origins are not affected.
 *
 * **Limits that find themselves** (STOOK_AUTO). The limit doubles with each round trip until a
 * loss: 429, 502, 503, 504, STOOK_ECONNECT, _ERESET, _ETRUNCATED, _ETIMEOUT_ATTEMPT or
 * _ETIMEOUT_STALL. It falls at most once in a round trip, and rises while it is used and a higher
 * one brings more responses. docs/internals/adaptive.md explains it.
 *
 * **Circuits.** After `circuit_failures` failures in a row (STOOK_ECONNECT, _ERESET, _ETRUNCATED, a
 * time limit, a 5xx without Retry-After) an origin is left alone for 5 s, then for twice as long
 * each time, up to five minutes, each time by chance a fifth longer or shorter. Meanwhile its
 * requests are STOOK_ECIRCUIT at once, or wait if they have retries left and that time is over
 * before their `timeout_ms` would be. Then one request is sent. If it succeeds, all others follow.
 *
 * `max_buffered_bytes` of a gather limits the bodies that wait for delivery with `on_result` or
 * `pull`. At the maximum no further request starts. A body that equal requests share (`coalesce`)
 * counts for each. In an ordered await, bodies that are arriving are then paused, and their
 * requests' time limits with them; bodies of requests with `body_read` are not paused. Bodies of
 * requests with `on_body` do not count, nor do those that go to a file. The head of the order may
 * start, and its body is always read. While a limit prevents its start, one request in flight is
 * read to its end, so that the head can start then.
 */
#ifndef STOOK_FLOW_H
#define STOOK_FLOW_H

#include <stook/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a rate counts, for `of`. */
enum {
    STOOK_RATE_OF_REQUESTS = 1, /**< attempts */
    STOOK_RATE_OF_COST = 2      /**< the `cost` of each attempt of which at least a byte was sent */
};

/** Who shares a bucket of a rate, for `by`. */
enum {
    STOOK_RATE_BY_ORIGIN = 1, /**< the requests of an origin */
    STOOK_RATE_BY_CLIENT = 2, /**< all requests of the client */
    STOOK_RATE_BY_KEY = 3     /**< the requests with a `rate_key`; those without share one too */
};

/**
 * A rate that no start exceeds: in any span of t ms, `burst` + t x `count` / `per_ms`, at most.
 * Several apply together, and an attempt starts when each has room. If the loop wakes late, up to 4
 * ms are made up for; in spans of a second and more the bound holds for that too. An attempt that
 * waits for a rate holds no slot, and delays only requests of the same bucket.
 */
struct stook_rate {
    size_t size;    /**< set by STOOK_RATE() */
    int64_t count;  /**< required: 1 to 10^12 */
    int64_t per_ms; /**< [1000] the time in which so many start, 1 to 2678400000 (31 days) */
    /** [1; of cost: `count`] What may start at once when nothing has for long, 1 to 10^12. A higher
        cost starts on a full bucket, and the next one waits the longer. */
    int64_t burst;
    int64_t of; /**< [STOOK_RATE_OF_REQUESTS] */
    int64_t by; /**< [STOOK_RATE_BY_ORIGIN] */
};

/** Makes a rate: `STOOK_RATE(.count = 60, .per_ms = 60000, .burst = 10)` */
#define STOOK_RATE(...) ((struct stook_rate){.size = sizeof(struct stook_rate), __VA_ARGS__})

/** Makes a rate without the macro; see stook/base.h. */
STOOK_API void stook_rate_init(struct stook_rate *rate, size_t size);

/**
 * Corrects the buckets of STOOK_RATE_OF_COST when the real cost of a request is known, for example
 * from the response of a language model. What its last attempt took is replaced. What a hedge of it
 * took stays taken, if it was sent.
 * @param result      of a request of this client, also inside `on_result`
 * @param actual_cost 0 to 10^12
 * @return 0; STOOK_EARG (NULL; out of range; a result of another client); STOOK_ESTATE (the result
 *         was charged before; nothing of its last attempt was sent; no rate counts costs; client
 *         closing; forked child); STOOK_ENOMEM
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_client_charge(stook_client *client, const stook_result *result,
                                  int64_t actual_cost);

/** Why a request was sent again after an attempt. */
enum {
    STOOK_AGAIN_NOT = 0, /**< it was not: this was the last attempt */
    /** Nothing of a response came, and the server has probably not seen the request: a kept-alive
        connection was lost; without `max_retries`, an HTTP/2 stream was refused. Or the range that
        `resume` asked for does not exist, and the whole file is asked for. The first of its kind in
        a request, or since a redirect. */
    STOOK_AGAIN_LOST = 1,
    STOOK_AGAIN_ERROR = 2,    /**< the error of the attempt */
    STOOK_AGAIN_STATUS = 3,   /**< the status of the response, one of `retry_statuses` */
    STOOK_AGAIN_REDIRECT = 4, /**< the redirect was followed */
    STOOK_AGAIN_MIRROR = 5    /**< another URL of `mirrors` was next */
};

/** What an attempt came to. */
struct stook_attempt {
    size_t size;        /**< set by STOOK_ATTEMPT() */
    int64_t error;      /**< 0: a complete response; a STOOK_E value */
    int64_t status;     /**< of the response; 0: none came */
    int64_t started_us; /**< from the add to its start */
    int64_t ended_us;   /**< from the add to its end, without the time for which it was paused */
    int64_t again;      /**< why the request was sent again: STOOK_AGAIN_ */
};

/** `struct stook_attempt attempt = STOOK_ATTEMPT();` */
#define STOOK_ATTEMPT() ((struct stook_attempt){.size = sizeof(struct stook_attempt)})

/** Makes such a struct without the macro; see stook/base.h. */
STOOK_API void stook_attempt_init(struct stook_attempt *attempt, size_t size);

/**
 * Tells what the i-th attempt of a request came to, from 0, the first; the last one came to the
 * result. Of requests with more than 64 attempts the first 32 and the last 32 are known; for those
 * between it returns STOOK_ESTATE, as behind the end, which stook_result_attempts() tells. What was
 * sent again within an attempt, after a response 401 or 417, is no attempt of its own here, nor is
 * a hedge. Of a response that equal requests share they are the attempts of the request that was
 * sent, with times from its add.
 * @param ret_attempt its `size` must be set; filled on success
 * @return 0; STOOK_EARG (NULL; `size` is 0 or more than 64 KiB); STOOK_ESTATE: there is no such
 *         attempt
 * Thread: any.
 */
STOOK_API int stook_result_attempt_at(const stook_result *result, size_t i,
                                      struct stook_attempt *ret_attempt);

/** States of the circuit of an origin. */
enum {
    STOOK_CIRCUIT_CLOSED = 0, /**< requests are sent */
    STOOK_CIRCUIT_OPEN = 1,   /**< none is sent until `circuit_ms` has passed */
    STOOK_CIRCUIT_PROBE = 2   /**< one is sent, and decides */
};

/** What a client knows of an origin. */
struct stook_origin {
    size_t size;         /**< set by STOOK_ORIGIN() */
    const char *name;    /**< "https://example.com:443", or with " PATH" of a Unix socket */
    int64_t in_flight;   /**< requests; one with a hedge counts twice, as for the limits */
    int64_t waiting;     /**< requests that were added and wait, for whatever */
    int64_t limit;       /**< of requests in flight; STOOK_NONE: none */
    int64_t rate_ms;     /**< until the rates by origin let a request pass; 0: they do */
    int64_t cooldown_ms; /**< rest of the cool-down of requests without a rate_key; 0: none */
    int64_t circuit;     /**< STOOK_CIRCUIT_ */
    int64_t circuit_ms;  /**< OPEN: until the probe */
    int64_t failures;    /**< in a row, as the circuit counts them */
    int64_t retries;     /**< that were begun within the last ten seconds */
    /** From the start of an attempt to the first byte of its response: the median and the 95th
        percentile of recent ones; 0: not known. */
    int64_t first_byte_us, first_byte_95_us;
};

/** `struct stook_origin origin = STOOK_ORIGIN();` */
#define STOOK_ORIGIN() ((struct stook_origin){.size = sizeof(struct stook_origin)})

/** Makes such a struct without the macro; see stook/base.h. */
STOOK_API void stook_origin_init(struct stook_origin *origin, size_t size);

/**
 * Describes the i-th origin that a client knows: each that has requests, and others of which
 * something matters, such as a limit that was found. The order stays the same until the loop runs,
 * or another function is called with the client, one of its batches or a result of these.
 * @param ret_origin its `size` must be set; filled on success. `name` is valid as long as the order
 * @return 0; STOOK_EARG (NULL; `size` is 0 or more than 64 KiB); STOOK_ESTATE (there is no such
 *         origin; client closing; forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_client_origin_at(const stook_client *client, size_t i,
                                     struct stook_origin *ret_origin);

/**
 * Completion policies, for `policy` of a gather: when an await ends early, and when it has
 * succeeded ("satisfied"). The await always returns the number of all requests that are not ok,
 * those that the policy cancelled included. Their messages tell the cause.
 */
enum {
    /** Every request runs to its end. Satisfied: all are ok. */
    STOOK_POLICY_ALL = 0,
    /** Once one is not ok, all others are cancelled. Satisfied: all are ok. */
    STOOK_POLICY_FAIL_FAST = 1,
    /** Once one is not ok, queued ones are cancelled, those that wait for their next hop too; those
        in flight finish. Satisfied: all ok. */
    STOOK_POLICY_STOP = 2,
    /** Once one is ok, all others are cancelled. Satisfied: one is ok. */
    STOOK_POLICY_FIRST_OK = 3,
    /** Once `quorum` are ok, all others are cancelled. Satisfied: `quorum` are ok. */
    STOOK_POLICY_QUORUM = 4
};

/**
 * Tells whether the batch's policy is satisfied. With STOOK_POLICY_FIRST_OK and STOOK_POLICY_QUORUM
 * it can be satisfied before the await is done, with the others only then.
 * @return 1 or 0; 0 for NULL and before the await
 * Thread: the loop's.
 */
STOOK_API int stook_batch_satisfied(const stook_batch *batch);

/**
 * Changes `limit` of a client. A higher limit lets more requests start in the next turn. A lower
 * one ends no request: none starts until fewer are in flight.
 * @param limit STOOK_NONE, 1 to 1000000, or 0 for the default
 * @return 0; STOOK_EARG (NULL; out of range); STOOK_ESTATE (closing; forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_client_set_limit(stook_client *client, int64_t limit);

/** Changes `origin_limit` of a client, which then no longer finds itself; otherwise as
    stook_client_set_limit(). */
STOOK_API int stook_client_set_origin_limit(stook_client *client, int64_t limit);

/**
 * Changes `limit` of an await that is under way, which then no longer finds itself; otherwise as
 * stook_client_set_limit(). `window` does not change.
 * @return 0; STOOK_EARG (NULL; out of range); STOOK_ESTATE (not awaited; done; client closing;
 *         forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_set_limit(stook_batch *batch, int64_t limit);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
