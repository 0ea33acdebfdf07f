/* SPDX-License-Identifier: MIT */
/**
 * @file stook/base.h
 * Numbers, errors and types that all other headers of stook use.
 *
 * Input structs (client options, requests, parts, gather options) follow the same rules:
 *
 * - The first member is `size`, sizeof the struct. The macro that makes the struct sets it, and all
 *   other members to 0. In languages without macros the struct's ..._init() function does so, for a
 *   struct of the `size` that it is given. If the pointer is NULL or `size` is less than
 *   sizeof(size_t), it does nothing. Thread: any.
 * - A `size` less than sizeof(size_t) or more than 64 KiB is STOOK_EARG. A member that this version
 *   does not know is STOOK_EUNSUPPORTED unless it is 0.
 * - Structs that the library fills have a `size` too, which the program sets before the call. No
 *   byte beyond it is written.
 * - Every number is an int64_t. 0 selects the default. STOOK_NONE and STOOK_AUTO are allowed where
 *   the member's comment says so. Every other negative number is STOOK_EARG.
 * - In a request, 0 selects the client's value if the client has the same option. Otherwise the
 *   default is the library's. The member's comment gives it in brackets.
 * - A string that is NULL selects the default. "" means none, where the member can be empty.
 * - Times are in milliseconds, sizes in bytes.
 * - The library copies the struct and its strings and never reads the caller's struct again.
 */
#ifndef STOOK_BASE_H
#define STOOK_BASE_H

#include <stddef.h>
#include <stdint.h>

#include <stook/version.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define STOOK_API __attribute__((visibility("default")))
#else
#define STOOK_API
#endif

/* ------------------------------------------------------------------ numbers */

/** For members and arguments: no limit, or switched off. */
#define STOOK_NONE INT64_C(-1)
/** For members: the library finds the value out. */
#define STOOK_AUTO INT64_C(-2)
/** Return value of `more`, `body_read` and stook_batch_next(): nothing is available now. */
#define STOOK_AGAIN (-3)

/* ------------------------------------------------------------------- errors */

/**
 * The list of errors: name, number, text. Numbers are at most -20001, and libuv's are greater, so
 * one int can hold either. A number is never reused. New errors are appended.
 */
#define STOOK_ERROR_MAP(X)                                                                   \
    X(ARG, -20001, "invalid argument")                                                       \
    X(STATE, -20002,                                                                         \
      "not allowed now; inside a callback or a running loop, await with stook_gather_start") \
    X(UNSUPPORTED, -20003, "not supported by this version of the library")                   \
    X(URL, -20004, "not a valid URL")                                                        \
    X(POLICY, -20005, "refused by policy")                                                   \
    X(DNS, -20006, "the name does not resolve")                                              \
    X(CONNECT, -20007, "could not connect")                                                  \
    X(TLS, -20008, "the TLS handshake failed")                                               \
    X(CERT, -20009, "the certificate was not accepted")                                      \
    X(PROXY, -20010, "the proxy failed")                                                     \
    X(TIMEOUT_QUEUE, -20011, "waited too long in the queue")                                 \
    X(TIMEOUT_ATTEMPT, -20012, "one attempt took too long")                                  \
    X(TIMEOUT_TOTAL, -20013, "the whole request took too long")                              \
    X(TIMEOUT_BATCH, -20014, "the batch is past its deadline")                               \
    X(TIMEOUT_STALL, -20015, "no byte moved for too long")                                   \
    X(CANCELLED, -20016, "cancelled")                                                        \
    X(CLOSED, -20017, "the client was closed")                                               \
    X(RESET, -20018, "the connection was lost")                                              \
    X(TRUNCATED, -20019, "the response ended early")                                         \
    X(PROTOCOL, -20020, "the peer does not speak valid HTTP")                                \
    X(TOOLARGE, -20021, "the response is larger than allowed")                               \
    X(DECODE, -20022, "the content coding is broken")                                        \
    X(REDIRECT, -20023, "the redirect cannot be followed")                                   \
    X(NOMEM, -20024, "out of memory")                                                        \
    X(NOFD, -20025, "out of file descriptors")                                               \
    X(CALLBACK, -20026, "a callback of the program failed")                                  \
    X(FILE, -20027, "a file cannot be read or written")                                      \
    X(CHECKSUM, -20028, "the body is not the one that was expected")                         \
    X(CIRCUIT, -20029, "the origin is left alone after failures")

enum {
#define STOOK_ERROR_ENUM(name, number, text) STOOK_E##name = number,
    STOOK_ERROR_MAP(STOOK_ERROR_ENUM)
#undef STOOK_ERROR_ENUM
        STOOK_OK = 0
};

/**
 * Returns the text of an error, in English, without a full stop.
 * @param error 0 or a STOOK_E value
 * @return a static string, never NULL: "OK" for 0, "unknown error" for an unknown number
 * Thread: any.
 */
STOOK_API const char *stook_strerror(int error);

/**
 * Returns the name of an error: that of the constant.
 * @return a static string: "STOOK_OK", "STOOK_EARG", ...; "STOOK_UNKNOWN" for an unknown number
 * Thread: any.
 */
STOOK_API const char *stook_err_name(int error);

/** Returns the version of the library in use, such as "0.1.0". Thread: any. */
STOOK_API const char *stook_version(void);

/* -------------------------------------------------------------------- types */

struct uv_loop_s;   /* uv_loop_t of <uv.h> */
struct uv_handle_s; /* uv_handle_t of <uv.h> */

typedef struct stook_client stook_client; /**< the session: loop, connections, defaults */
typedef struct stook_batch stook_batch;   /**< requests that are awaited together, once */
typedef struct stook_result stook_result; /**< the outcome of one request */

struct stook_request;
struct stook_rate;

/**
 * Allocates or resizes a block and keeps its contents, as realloc(3).
 * @param block NULL, or a block of this allocator
 * @param size  bytes, more than 0
 * @param user  the allocator's
 * @return a block aligned as those of malloc(3); NULL if there is no memory, then `block` is kept
 * Thread: see struct stook_allocator.
 */
typedef void *(*stook_alloc_resize_fn)(void *block, size_t size, void *user);

/** Frees a block, as free(3). `block` may be NULL. Thread: see struct stook_allocator. */
typedef void (*stook_alloc_release_fn)(void *block, void *user);

/**
 * Memory for one client, its batches and its results. Both functions must be thread-safe: the
 * loop's thread calls them, and so do threads in stook_client_post() or stook_result_unref().
 * libcurl and libuv keep their own allocators.
 */
struct stook_allocator {
    stook_alloc_resize_fn resize;   /**< required */
    stook_alloc_release_fn release; /**< required */
    void *user;                     /**< passed to both */
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
