/* SPDX-License-Identifier: MIT */
/**
 * @file stook/flow.h
 * Completion policies, the maximum of buffered bytes, and limits that change while requests run.
 *
 * `max_buffered_bytes` of a gather limits the bodies that wait for delivery with `on_result` or
 * `pull`. At the maximum no further request starts. In an ordered await, bodies that are arriving
 * are then paused, and their requests' time limits with them; bodies of requests with `body_read`
 * are not paused. Bodies that go to `on_body` or to a file do not count. The head of the order may
 * start, and its body is always read. While a limit prevents its start, one request in flight is
 * read to its end, so that the head can start then.
 */
#ifndef STOOK_FLOW_H
#define STOOK_FLOW_H

#include <stook/base.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/** Changes `origin_limit` of a client; otherwise as stook_client_set_limit(). */
STOOK_API int stook_client_set_origin_limit(stook_client *client, int64_t limit);

/**
 * Changes `limit` of an await that is under way; otherwise as stook_client_set_limit(). `window`
 * does not change.
 * @return 0; STOOK_EARG (NULL; out of range); STOOK_ESTATE (not awaited; done; client closing;
 *         forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_set_limit(stook_batch *batch, int64_t limit);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
