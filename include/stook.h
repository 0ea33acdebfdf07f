/* SPDX-License-Identifier: MIT */
/**
 * @file stook.h
 * stook gathers HTTP requests: it runs many at the same time and hands back their results.
 *
 * A program makes a client, makes a batch, adds requests and awaits the batch:
 *
 * - stook_gather() returns results in the order in which requests complete.
 * - stook_gather_ordered() returns them in the order in which requests were added.
 *
 * Both take an optional limit on the number of requests in flight. Both block. On a loop of the
 * program, stook_gather_start() and stook_gather_ordered_start() await without blocking. A libuv
 * event loop drives libcurl's multi-socket interface. Every added request of an awaited batch gets
 * exactly one result.
 *
 * A complete program. `cc demo.c $(pkg-config --cflags --libs stook)` builds it.
 *
 *     #include <stdio.h>
 *     #include <stook.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         stook_client *client;
 *         stook_batch *batch;
 *         if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
 *             return 2;
 *         for (int i = 1; i < argc; i++)
 *             stook_batch_add(batch, &STOOK_REQUEST(.url = argv[i]));
 *         int failed = stook_gather_ordered(batch, &STOOK_GATHER(.limit = 10));
 *         for (size_t i = 0; i < stook_batch_count(batch); i++) {
 *             const stook_result *r = stook_batch_result(batch, i);
 *             printf("%d %s %s\n", stook_result_status(r), stook_result_url(r),
 *                    stook_result_message(r));
 *         }
 *         stook_batch_free(batch);
 *         stook_client_close(client, NULL, NULL);
 *         return failed != 0;
 *     }
 *
 * Terms:
 *
 * - A request is queued from its add to its start, and in flight from its start until it has its
 *   result. It is ok if its exchange is complete and the status is 2xx.
 * - An attempt is one exchange of a request with a server. A repeat is a second attempt, which the
 *   library makes if the method is idempotent and a reused connection was lost before the first
 *   byte of the response.
 * - An await lasts from the call of a gather function until the batch is done. The gather functions
 *   are stook_gather(), stook_gather_ordered() and their _start forms.
 * - A result is delivered when `on_result` has received it, when stook_batch_next() has returned
 *   it, or when the batch keeps it. The head of the order is the request of an ordered await whose
 *   result is delivered next.
 * - An origin is scheme, host and port of a URL (RFC 9110 4.3.1), and `unix_socket`.
 * - A loop is owned if the client made it, and borrowed if the program passed it to
 *   stook_client_new(). A turn is one pass of a client over its work.
 * - The functions that block are stook_gather(), stook_gather_ordered(), stook_client_run() and
 *   stook_client_turn(). Inside a callback of the same client they return STOOK_ESTATE.
 *
 * Caveats:
 *
 * - An HTTP status such as 404 or 503 is a complete exchange: stook_result_error() is 0 and
 *   stook_result_ok() is 0. Test `ok` unless the difference matters to you.
 * - stook_gather() returns the number of requests that are not ok. A negative return value means
 *   that the await did not happen.
 * - Pass only structs that were made by STOOK_CLIENT(), STOOK_REQUEST() or STOOK_GATHER(), or, in
 *   languages without such macros, by stook_request_init() and its kind. They set `size`.
 * - On a borrowed loop, and inside a callback, use the _start functions: those that block return
 *   STOOK_ESTATE.
 * - Without `on_result` and `pull` a result lives as long as its batch. With `on_result` it is
 *   valid during the call; with `pull`, until the next stook_batch_next(). stook_result_ref() makes
 *   a result outlive these.
 * - A client belongs to one thread, the one that runs its loop. Only functions that are marked
 *   "Thread: any" may be called from other threads.
 * - A callback must return normally. No C++ exception and no longjmp() may pass through stook.
 * - stook never raises SIGPIPE. Your own sockets remain your responsibility.
 * - In a child made by fork() a client of the parent and its batches are STOOK_ESTATE. Make a new
 *   client there.
 */
#ifndef STOOK_H
#define STOOK_H

/* clang-format off */
/* In the order in which a reader needs them. */

/* The main path: enough for most programs. */
#include <stook/base.h>
#include <stook/client.h>
#include <stook/batch.h>
#include <stook/result.h>

/* All members of a request, flow control, streams, diagnostics. */
#include <stook/request.h>
#include <stook/flow.h>
#include <stook/stream.h>
#include <stook/debug.h>

/* clang-format on */

#endif
