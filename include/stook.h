/* SPDX-License-Identifier: MIT */
/**
 * @file stook.h
 * Many HTTP requests, awaited together.
 *
 * Make a batch, add requests, await them all: in the order in which they complete (stook_gather)
 * or in the order in which they were added (stook_gather_ordered), with an optional limit on how
 * many are in flight. Underneath, a libuv loop drives libcurl's multi-socket interface.
 *
 * Caveats, each with its cure:
 *
 * - An HTTP status such as 404 or 503 is a complete exchange: stook_result_error() is 0 and
 *   stook_result_ok() is false. Test `ok` unless the difference matters to you.
 * - The return value of stook_gather() counts the requests that are not ok. Negative: nothing ran.
 * - Only the structs made by STOOK_CLIENT(), STOOK_REQUEST() and STOOK_GATHER() (in C++:
 *   stook_client_init(), ...) may be passed in. They carry their own size.
 * - A blocking await (stook_gather) inside a callback of the same client, or on a client that
 *   lives on your own loop, would wait for itself: it is refused. Use stook_gather_start.
 * - A result without `on_result` lives as long as its batch. With `on_result` it is lent for the
 *   call. stook_result_keep() makes it yours.
 * - One client, one thread: everything but the functions marked "any thread" belongs to the
 *   thread that turns the loop.
 * - SIGPIPE is never caused by stook, but it is the program's duty for its own sockets.
 * - After fork() without exec, a client of the parent is STOOK_ESTATE in the child. Make a new one.
 */
#ifndef STOOK_H
#define STOOK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <stook/version.h>

#ifdef __cplusplus
#include <string.h>
extern "C" {
#endif

#if defined(__GNUC__)
#define STOOK_API __attribute__((visibility("default")))
#else
#define STOOK_API
#endif

/* ------------------------------------------------------------------ numbers */

/** No limit, or switched off. Where a member allows it, its comment says so. */
#define STOOK_NONE INT64_C(-1)
/** Let the library find out. Where a member allows it, its comment says so. */
#define STOOK_AUTO INT64_C(-2)
/** Nothing now: what `more` and `body_read` may return, and stook_batch_next() when there is no result yet. */
#define STOOK_LATER (-3)

/* ------------------------------------------------------------------- errors */

/**
 * Every error: name, number, text. Numbers start at -20001, below those of libuv, so that one int
 * may carry either. Numbers are never reused; new ones are appended.
 */
#define STOOK_ERROR_MAP(X)                                                                          \
    X(ARG, -20001, "invalid argument")                                                              \
    X(STATE, -20002, "not allowed now; inside a callback or a running loop, await with stook_gather_start") \
    X(UNSUPPORTED, -20003, "not supported by this version of the library")                          \
    X(URL, -20004, "not a valid URL")                                                               \
    X(POLICY, -20005, "refused by policy")                                                          \
    X(DNS, -20006, "the name does not resolve")                                                     \
    X(CONNECT, -20007, "could not connect")                                                         \
    X(TLS, -20008, "the TLS handshake failed")                                                      \
    X(CERT, -20009, "the certificate was not accepted")                                             \
    X(PROXY, -20010, "the proxy failed")                                                            \
    X(TIMEOUT_QUEUE, -20011, "waited too long for its turn")                                        \
    X(TIMEOUT_ATTEMPT, -20012, "one attempt took too long")                                         \
    X(TIMEOUT_TOTAL, -20013, "the whole request took too long")                                     \
    X(TIMEOUT_BATCH, -20014, "the batch is past its deadline")                                      \
    X(TIMEOUT_STALL, -20015, "no byte moved for too long")                                          \
    X(CANCELLED, -20016, "cancelled")                                                               \
    X(CLOSED, -20017, "the client was closed")                                                      \
    X(RESET, -20018, "the connection was lost")                                                     \
    X(TRUNCATED, -20019, "the response ended early")                                                \
    X(PROTOCOL, -20020, "the peer does not speak valid HTTP")                                       \
    X(TOOLARGE, -20021, "the response is larger than allowed")                                      \
    X(DECODE, -20022, "the content coding is broken")                                               \
    X(REDIRECT, -20023, "the redirect cannot be followed")                                          \
    X(NOMEM, -20024, "out of memory")                                                               \
    X(NOFD, -20025, "out of file descriptors")                                                      \
    X(CALLBACK, -20026, "a callback of the program failed")                                         \
    X(FILE, -20027, "a file cannot be read or written")

enum {
#define STOOK_ERROR_ENUM(name, number, text) STOOK_E##name = number,
    STOOK_ERROR_MAP(STOOK_ERROR_ENUM)
#undef STOOK_ERROR_ENUM
    STOOK_OK = 0
};

/**
 * The text of an error, in English, without a full stop.
 * @param error 0 or a STOOK_E value
 * @return a string that is never NULL and never freed: "OK" for 0, "unknown error" for a number
 *         that is not ours
 * Thread: any.
 */
STOOK_API const char *stook_strerror(int error);

/**
 * The name of an error as it is written in C.
 * @return "STOOK_OK", "STOOK_EARG", ...; "STOOK_UNKNOWN" for a number that is not ours
 * Thread: any.
 */
STOOK_API const char *stook_err_name(int error);

/** The version of the library that runs, such as "0.1.0". Thread: any. */
STOOK_API const char *stook_version(void);

/* -------------------------------------------------------------------- types */

struct uv_loop_s;
struct uv_handle_s;

typedef struct stook_client stook_client; /**< the session: loop, connections, defaults */
typedef struct stook_batch stook_batch;   /**< requests awaited together, once */
typedef struct stook_result stook_result; /**< what came of one request */

/**
 * Memory for one client and everything made from it. Both functions are called from the loop's
 * thread, from threads that call stook_client_post(), and from threads that drop a kept result;
 * they must allow that. libcurl and libuv keep their own allocators.
 */
struct stook_allocator {
    /** As realloc(3): `block` NULL allocates; NULL is returned when there is no memory. `size` > 0.
        Blocks must be aligned as those of malloc(3). */
    void *(*resize)(void *block, size_t size, void *user);
    /** As free(3): `block` may be NULL. */
    void (*release)(void *block, void *user);
    void *user;
};

/** HTTP version of a request (RFC 9112, RFC 9113). */
enum {
    STOOK_HTTP_DEFAULT = 0, /**< the client's; there: HTTP/1.1, and HTTP/2 where libcurl's is sound (8.1 on) */
    STOOK_HTTP_1_1 = 1,     /**< HTTP/1.1 only */
    STOOK_HTTP_2 = 2,       /**< HTTP/2 over TLS when the server agrees (ALPN), else HTTP/1.1 */
    STOOK_HTTP_3 = 3        /**< HTTP/3 where the server answers it, else as STOOK_HTTP_2; the result is STOOK_EUNSUPPORTED where libcurl has none */
};

/** How a user name and password are sent. */
enum {
    STOOK_AUTH_BASIC = 1, /**< at once, readable for whoever can read the request (RFC 7617) */
    STOOK_AUTH_DIGEST = 2 /**< as an answer to the server's challenge (RFC 7616), which costs one more exchange */
};

/* ------------------------------------------------------------------- client */

/**
 * What a client is made with. All members are optional; 0 takes the default in brackets.
 * Times are in milliseconds, at most 2^53; STOOK_NONE switches a clock off.
 * Strings are copied.
 */
struct stook_client_options {
    size_t size;                             /**< set by STOOK_CLIENT() */
    const struct stook_allocator *allocator; /**< [malloc] copied; `user` must live until `closed` has returned and the last batch and kept result are gone */
    const char *ca_file;                     /**< [libcurl's] PEM file of trusted authorities; read when a connection is made, and again by this client perhaps only a day later */
    const char *user_agent;                  /**< ["stook/VERSION"] "" sends none */
    int64_t queue_timeout_ms;                /**< [none] from add to the first start */
    int64_t attempt_timeout_ms;              /**< [30000] one exchange */
    int64_t connect_timeout_ms;              /**< [10000] name, TCP and TLS; part of the attempt */
    int64_t timeout_ms;                      /**< [120000] from the first start over all repeats */
    int64_t stall_timeout_ms;                /**< [30000] no byte sent or received */
    int64_t body_max;                        /**< [67108864] bytes of a response body; STOOK_NONE: no cap */
    int64_t head_max;                        /**< [65536] bytes of a response head with its trailers, at most 16 MiB */
    int64_t fields_max;                      /**< [256] header fields of a response with its trailers, at most 100000 */
    int64_t http_version;                    /**< [STOOK_HTTP_DEFAULT] */
    const char *ca_data;                     /**< PEM text of trusted authorities, instead of `ca_file`; parsed for each new connection */
    const char *client_cert;                 /**< PEM file with a certificate and its chain, shown to servers that ask */
    const char *client_key;                  /**< [client_cert] PEM file with its private key */
    const char *key_password;                /**< [none] of the private key; nobody is ever asked for it */
    const char *pinned_key;                  /**< "sha256//" and base64 of the server's public key, several separated by ";", or a PEM or DER file of it (RFC 7469 2.4); another key is STOOK_ECERT */
    const char *const *resolve;              /**< "host:port:address" strings, ended by NULL: there such URLs connect to, an IPv6 address in brackets or not */
    int64_t limit;                           /**< [STOOK_NONE] requests of the client in flight at once, of all batches, 1 to 1000000 */
    int64_t origin_limit;                    /**< [STOOK_NONE] the same for each origin: scheme, host, port and unix_socket, 1 to 1000000 */
    int64_t decode;                          /**< [off] 1: ask for content codings (RFC 9110 8.4: gzip, br, zstd, as built in) and take them off */
    int64_t strict;                          /**< [off] 1: what is flagged STOOK_FLAG_LENIENT is STOOK_EPROTOCOL (a coding: STOOK_EDECODE), and a body
                                                  whose end is not certain is STOOK_ETRUNCATED */
    int64_t ratio_max;                       /**< [1000] decoded bytes of a body, from 1 MiB on, for each that came, at most 1000000, in each
                                                  of its codings, of which there may be two; STOOK_NONE: any */
};

/** `STOOK_CLIENT(.timeout_ms = 5000)` */
#define STOOK_CLIENT(...) \
    ((struct stook_client_options){.size = sizeof(struct stook_client_options), __VA_ARGS__})

/**
 * Make a client.
 *
 * @param loop       NULL: the client owns a private loop, turned only inside blocking awaits,
 *                   stook_client_run() and stook_client_close(). Otherwise the caller's
 *                   `uv_loop_t *`: it is never run, stopped or blocked, and kept alive only while
 *                   an await or a close is under way. It must outlive the client's `closed`.
 * @param options    NULL: all defaults
 * @param ret_client set on success, untouched otherwise; ends with stook_client_close()
 * Descriptors 0, 1 and 2 that are closed are taken until the last client is closed, by what can be
 * neither read nor written, so that no socket gets their numbers.
 *
 * @return 0, STOOK_EARG (ret_client is NULL; a number out of range; a control byte in user_agent),
 *         STOOK_EUNSUPPORTED (options of a newer stook, or a libcurl without what is needed),
 *         STOOK_ENOMEM, STOOK_ENOFD
 * Thread: the loop's; several threads may each make a client at the same time. Callbacks: none.
 */
STOOK_API int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options,
                               stook_client **ret_client);

/**
 * Turn an owned loop until no await is under way and every posted call has run.
 * @return 0, STOOK_EARG (NULL), STOOK_ESTATE (a borrowed loop: run it yourself; inside a callback;
 *         in a forked child). If a callback closes the client, run ends it and returns 0.
 * Thread: the loop's. Callbacks: all kinds, from inside.
 */
STOOK_API int stook_client_run(stook_client *client);

/**
 * Have `call` run on the loop's thread.
 * It runs exactly once, also when the client is being closed. On an owned loop it runs when the
 * loop turns next. On a borrowed loop that has nothing else to do, keep the loop alive yourself:
 * libuv cannot be asked to do so from another thread.
 * @return 0, STOOK_EARG (NULL), STOOK_ESTATE (closed, or a forked child: `call` never runs), STOOK_ENOMEM
 * Thread: any, until `closed`.
 */
STOOK_API int stook_client_post(stook_client *client, void (*call)(stook_client *client, void *user),
                                void *user);

/**
 * End a client: what is under way gets the result STOOK_ECLOSED, awaits are done, then `closed`.
 * After `closed` nothing is left but batches and kept results that the program holds; those
 * batches can be read and freed.
 *
 * On an owned loop the call turns it until all is over and returns after `closed`; from inside a
 * callback it only marks, and the await or run that called the callback finishes the work. On a
 * borrowed loop it returns at once and `closed` comes from the loop. Name look-ups that the C
 * library cannot interrupt are waited for. A second close is ignored, its `closed` never runs.
 *
 * @param client NULL is allowed and ends in nothing, `closed` never runs; so does a forked child
 * @param closed NULL, or called exactly once, from the loop, as the client's last callback
 * Thread: the loop's.
 */
STOOK_API void stook_client_close(stook_client *client, void (*closed)(void *user), void *user);

/**
 * Change `limit` of the client. What is in flight above a lower one finishes first; a higher one
 * lets more start at once.
 * @param limit STOOK_NONE, 1 to 1000000, or 0 for the default
 * @return 0, STOOK_EARG (NULL; a number out of range), STOOK_ESTATE (closing, or a forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_client_set_limit(stook_client *client, int64_t limit);

/**
 * Whether a handle of a libuv loop is one of stook's. A program that walks its loop to close every
 * handle (uv_walk()) must leave those alone, and close the client instead.
 * @param handle compared by the one address that its `data` is, which is never followed; NULL: 0
 * @return 1 or 0
 * Thread: the loop's.
 */
STOOK_API int stook_owns_handle(const struct uv_handle_s *handle);

/** As stook_client_set_limit(), for `origin_limit`: how many may be in flight towards any one origin. */
STOOK_API int stook_client_set_origin_limit(stook_client *client, int64_t limit);

/* ------------------------------------------------------------------ request */

/** A part of a multipart/form-data (RFC 7578): a value or a file. No control bytes in the texts. */
struct stook_part {
    size_t size;         /**< set by STOOK_PART() */
    const char *name;    /**< of the form's field; required */
    const void *value;   /**< bytes of the field, copied */
    int64_t value_size;  /**< of `value`: its bytes, STOOK_AUTO: it is a string, STOOK_NONE: it is empty; as `body_size` */
    const char *file;    /**< path of a regular file, instead of `value`; as stook_request's `body_file` */
    const char *filename; /**< [the last of `file`, none for a value] */
    const char *type;    /**< [by the ending of `filename`, or application/octet-stream; none for a value without one] media type */
};

/** `STOOK_PART(.name = "photo", .file = "rye.jpg")` */
#define STOOK_PART(...) ((struct stook_part){.size = sizeof(struct stook_part), __VA_ARGS__})

/** How far a request is, in bytes of bodies as they are on the wire. -1: not known (yet). */
struct stook_progress {
    int64_t received;      /**< of the response */
    int64_t receive_total; /**< the Content-Length of the response */
    int64_t sent;          /**< of the request */
    int64_t send_total;    /**< that it has */
};

/**
 * One request. Only `url` is required. Everything is copied by stook_batch_add().
 * Numbers: 0 takes the client's value.
 */
struct stook_request {
    size_t size;                /**< set by STOOK_REQUEST() */
    const char *url;            /**< absolute http or https URL (RFC 3986), at most 64 KiB, no user name or password in it, the host not %-encoded */
    const char *method;         /**< ["GET", with a body "POST"] a token (RFC 9110 9.1), case matters */
    const char *const *headers; /**< "Name: value" strings, ended by NULL; framing fields are refused */
    const void *body;           /**< [none] bytes to send */
    /** Bytes of `body`. STOOK_AUTO: it is a string, measure it. STOOK_NONE: it is empty. 0 beside a `body`
        is STOOK_EARG, the request's result. With `body_read`: of all it gives, 0: not known. */
    int64_t body_size;
    void *user;                 /**< given back by stook_result_user() */
    int64_t queue_timeout_ms;   /**< from add to the first start; STOOK_NONE: off */
    int64_t attempt_timeout_ms; /**< one exchange; STOOK_NONE: off */
    int64_t connect_timeout_ms; /**< name, TCP and TLS; STOOK_NONE: off */
    int64_t timeout_ms;         /**< from the first start over all repeats; STOOK_NONE: off */
    int64_t stall_timeout_ms;   /**< no byte sent or received; STOOK_NONE: off */
    int64_t body_max;           /**< bytes of the response body; above the client's the result is STOOK_EPOLICY */
    int64_t http_version;       /**< STOOK_HTTP_1_1, STOOK_HTTP_2 or STOOK_HTTP_3 */
    const char *ca_file;        /**< PEM file of trusted authorities for this request alone */
    /** Called once, when the final head is there (1xx are not, nor answers that another follows): `result`
        shows status, protocol and headers, and never more than that, also when it is kept. What is taken
        from it lives as long as the result that the request will have. 0: go on. Anything else: the result is STOOK_ECALLBACK, with the
        status, and the body is not received. */
    int (*on_head)(stook_batch *batch, const stook_result *result, void *user);
    /** Called with the body as it comes, whatever the order of the verb; the result's own body stays empty.
        `data` is lent for the call, `size` is at least 1 and little over 1 MiB at most. 0: go on. STOOK_PAUSE:
        taken, and no more until stook_batch_resume(); clocks stand still meanwhile. Anything else: the
        result is STOOK_ECALLBACK. The attempt's and the whole clock and body_max are off by default. */
    int (*on_body)(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user);
    /** The body of a 2xx answer goes to this file and not to the result: to PATH.part in the same folder
        first, which is renamed when it is complete, and removed if it is not. What another status says
        goes to the result. PATH is replaced only if it is a regular file, or not there; what is
        anything else, a symbolic link too, is left alone. Only what somebody else puts there within the
        last instant before the renaming is lost.
        The result is STOOK_EFILE, with the path and the reason, where a file cannot be opened,
        written or put in its place, and for the second of two requests for one file at a time; before
        anything is sent, as far as that can be known. A slow disk holds up no loop; a request that a
        clock, a cancel or a close ends does not wait for it: then PATH.part is removed a little
        later, at the latest before `closed`. Clocks and body_max as with `on_body`. */
    const char *output_file;
    /** 1: what was received stays in PATH.part, and PATH.part.tag says what it is a part of, if the answer
        had a strong validator. The next such request asks for the rest (RFC 9110 14, 13.1.5). Where
        the answer does not fit the part in every field, the whole is asked for: the file is
        never made of two bodies. GET only; decode is off. */
    int64_t resume;
    int64_t decode;             /**< 1: as the client's, STOOK_NONE: off. Then Accept-Encoding is the library's. A body ends
                                     where its coding ends, half a one is STOOK_ETRUNCATED; body_max counts what comes out. A
                                     coding that was not asked for stays on, and so do those of a 206. */
    int64_t strict;             /**< 1: as the client's; what the client is, its requests are */
    int64_t ratio_max;          /**< above the client's the result is STOOK_EPOLICY */
    /** Called when bytes of a body have moved, in either direction, at most once a turn of the loop; for
        the last time when all have. `progress` is lent for the call. */
    void (*on_progress)(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user);
    /** `body` is borrowed, not copied, and must not change until this is called: exactly once, from
        the loop's thread, when the request is over, before the await's `done`; from inside
        stook_batch_free(), if it was never awaited, at the latest. Not if stook_batch_add() fails. `user` is the
        request's. */
    void (*body_release)(void *body, void *user);
    const char *json;           /**< a body: JSON text (RFC 8259), with "Content-Type: application/json" unless `headers` have one */
    const char *const *form;    /**< a body: name, value, name, value, ..., NULL, as application/x-www-form-urlencoded */
    /** A body: called for its next bytes, at most `size` (at least 64 KiB) into `buffer`, while it is sent; may be called
        ahead. More than 0: so many bytes. 0: the end, to be said also where body_size is given; more or
        fewer than that are STOOK_ECALLBACK. STOOK_LATER: nothing now; clocks stand still, and it is called again
        after stook_batch_resume(). Any other number: the result is STOOK_ECALLBACK. Without a
        body_size HTTP/1.1 sends chunks (RFC 9112 7.1). The attempt's and the whole clock are off by default. */
    int64_t (*body_read)(stook_batch *batch, size_t index, void *buffer, size_t size, void *user);
    /** The body begins anew: body_read gives its first byte next. 0: it does; anything else is STOOK_ECALLBACK.
        Without it, a request whose body_read was called is never sent again. */
    int (*body_rewind)(stook_batch *batch, size_t index, void *user);
    /** A body: the parts of a multipart/form-data, at most 1000, ended by NULL. `headers` have no Content-Type then. */
    const struct stook_part *const *parts;
    /** A body: path of a regular file, opened when an attempt begins and read ahead as it is sent, with
        its length of that moment. A slow disk holds up no loop. One that cannot be opened or read, or
        has another length when all of it was read, is STOOK_EFILE, with the path and the reason. */
    const char *body_file;
    int64_t expect;             /**< 1: "Expect: 100-continue" (RFC 9110 10.1.1), the body waits for leave, at most a second; 0: never */
    const char *username;       /**< of these credentials; no control bytes, for Basic no colon */
    const char *password;       /**< [""] no control bytes */
    int64_t auth;               /**< [STOOK_AUTH_BASIC] how the two are sent */
    const char *bearer;         /**< a token (RFC 6750), instead of them */
    const char *ca_data;        /**< these seven as in the client's options, for this request alone */
    const char *client_cert;    /**< takes the place of the client's with its key and password */
    const char *client_key;
    const char *key_password;
    const char *pinned_key;     /**< where the client has one, another is STOOK_EPOLICY */
    const char *const *resolve; /**< asked before the client's */
    const char *unix_socket;    /**< path of a socket to connect to, whatever the URL's host, at most 107 bytes */
    int64_t priority;           /**< [4] 1 to 7: of those of its batch that may start, the highest starts first, and of one priority the oldest */
};

/** What `on_body` may return. */
enum { STOOK_PAUSE = 1 };

/** `STOOK_REQUEST("http://...")` or `STOOK_REQUEST(.url = ..., .method = "PUT")` */
#define STOOK_REQUEST(...) ((struct stook_request){.size = sizeof(struct stook_request), __VA_ARGS__})

/** Flags of stook_request_to_curl(). */
enum { STOOK_CURL_SECRETS = 1 /**< show what is redacted otherwise */ };

/**
 * A request as one line for sh that has curl (7.88 or newer) send the same bytes, for logs and bug
 * reports. Values of Authorization, Cookie and other fields whose name says that they are secret, and passwords, are
 * "REDACTED"; URL and body are shown. A body that is no word of a command (it holds a NUL or is longer than
 * 100000 bytes) is piped to curl by printf. Not the same: the boundary of `parts`; what body_read
 * would give is for you to pipe in; ca_data and what `resume` asks for are left out. What curl has no
 * words for is STOOK_EUNSUPPORTED: an empty name of a part or one with "=", a NUL in its value, a type
 * that is empty or begins with a blank, any of them above 100000 bytes, a colon in a username for Digest.
 * @param client whose defaults the request has
 * @param flags  0 or STOOK_CURL_SECRETS
 * @param buffer gets the line with a NUL, cut if it is longer; may be NULL if `size` is 0
 * @param size   bytes of `buffer`
 * @return bytes of the whole line without the NUL, or STOOK_EARG (NULL, unknown flags), or the error
 *         with which the request would be refused before anything is sent, its files apart:
 *         STOOK_EARG, STOOK_EURL, STOOK_EPOLICY, STOOK_EUNSUPPORTED, STOOK_ENOMEM; then `buffer` is
 *         as it was
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int64_t stook_request_to_curl(const stook_client *client, const struct stook_request *request, int64_t flags,
                                        char *buffer, size_t size);

/* -------------------------------------------------------------------- batch */

/**
 * Make a batch: OPEN, until one of the awaits, once.
 * @param ret_batch set on success, untouched otherwise; ends with stook_batch_free()
 * @return 0, STOOK_EARG (NULL), STOOK_ESTATE (client closing, or a forked child), STOOK_ENOMEM
 * Thread: the loop's.
 */
STOOK_API int stook_batch_new(stook_client *client, stook_batch **ret_batch);

/**
 * Line a request up, without starting it. Its index is the number of adds before it.
 *
 * Allowed until the await is done, also from inside callbacks; what is added during an await joins
 * it. Fails only for misuse or no memory, and a failure is remembered: before the await, the await
 * returns that error and starts nothing; during it, it counts as one request that is not ok. A bad
 * URL, method, header or policy is accepted here and becomes that request's result.
 *
 * @return 0, STOOK_EARG (NULL, no size, a number out of range, a body size without a body),
 *         STOOK_EUNSUPPORTED (a request of a newer stook that uses what this one does not know),
 *         STOOK_ESTATE (the await is done, cancelled or past its deadline; client closed; forked
 *         child), STOOK_ENOMEM
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_add(stook_batch *batch, const struct stook_request *request);

/** How many requests were added, failed adds not counted. NULL: 0. Thread: the loop's. */
STOOK_API size_t stook_batch_count(const stook_batch *batch);

/**
 * The i-th result in the order of the verb: of completion for stook_gather(), of the adds for
 * stook_gather_ordered().
 * @return the result, owned by the batch; NULL where there is none (yet), and always when the
 *         await has `on_result`
 * Thread: the loop's.
 */
STOOK_API const stook_result *stook_batch_result(const stook_batch *batch, size_t i);

/** The result of the index-th add, whatever the verb. Otherwise as stook_batch_result(). */
STOOK_API const stook_result *stook_batch_result_of(const stook_batch *batch, size_t index);

/**
 * Why the last add or await of this batch was refused, in one line; "" if none was.
 * @return a string owned by the library, never NULL. Thread: the loop's.
 */
STOOK_API const char *stook_batch_message(const stook_batch *batch);

/**
 * Change `limit` of an await that is under way; otherwise as stook_client_set_limit(). The window
 * stays what it was.
 * @return 0, STOOK_EARG (NULL; a number out of range), STOOK_ESTATE (not awaited, or done; client
 *         closing, or a forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_set_limit(stook_batch *batch, int64_t limit);

/**
 * Cancel what is not finished: each such request gets the result STOOK_ECANCELLED, nothing more is
 * asked of `more`. Before the await: every request is cancelled when awaited. After it, or twice,
 * or NULL: nothing.
 * Thread: any, as long as the batch is not freed.
 */
STOOK_API void stook_batch_cancel(stook_batch *batch);

/** Cancel the index-th add, waiting or in flight. Finished or unknown: nothing. Thread: the loop's. */
STOOK_API void stook_batch_cancel_one(stook_batch *batch, size_t index);

/**
 * Have the index-th add go on where a callback of it has paused it, or is about to: called from inside
 * that callback, the pause does not begin. Not paused, finished or unknown: nothing.
 * Thread: the loop's; others ask by stook_client_post().
 */
STOOK_API void stook_batch_resume(stook_batch *batch, size_t index);

/**
 * How far the index-th add is, while it is under way.
 * @param ret_progress set on success, untouched otherwise
 * @return 0, STOOK_EARG (NULL), STOOK_ESTATE (it waits, is finished or unknown; a forked child)
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_batch_progress(const stook_batch *batch, size_t index, struct stook_progress *ret_progress);

/**
 * End a batch. During its await: cancel, and free after `done`. Results go with it, kept ones stay.
 * NULL is allowed. Allowed after the client is closed.
 * Thread: the loop's.
 */
STOOK_API void stook_batch_free(stook_batch *batch);

/* -------------------------------------------------------------------- await */

/** When an await has what it is after: `policy`. The count that the await returns stays that of all requests. */
enum {
    STOOK_POLICY_ALL = 0,       /**< every request runs to its end. Met: all are ok */
    STOOK_POLICY_FAIL_FAST = 1, /**< when one is not ok the others are cancelled, in flight or not. Met: all are ok */
    STOOK_POLICY_STOP = 2,      /**< when one is not ok no other starts; what is in flight may finish. Met: all are ok */
    STOOK_POLICY_FIRST_OK = 3,  /**< when one is ok the others are cancelled. Met: one is ok */
    STOOK_POLICY_QUORUM = 4     /**< when `quorum` are ok the others are cancelled. Met: so many are ok */
};

/** How a batch is awaited. All members are optional. */
struct stook_gather_options {
    size_t size;        /**< set by STOOK_GATHER() */
    int64_t limit;      /**< [STOOK_NONE] requests of this batch in flight at once, 1 to 1000000; a rolling window */
    /** [max(4 x limit, 64), without a limit STOOK_NONE] how many may be started and not yet delivered,
        at least 1, where results can have to wait: with stook_gather_ordered() and on_result, with
        `pull`, and while delivery is paused. While the head is late nothing new starts beyond that. */
    int64_t window;
    int64_t timeout_ms; /**< [none] deadline of the batch, from the await */
    /** Adds requests when fewer than `limit` wait (64 if there is no limit). 1: it added some, ask
        again. 0: that was the end. STOOK_LATER: nothing now, or no more than it added; it is asked
        again after stook_batch_wake(). Anything else, or 1 without an add: the end, and one more not ok. */
    int (*more)(stook_batch *batch, void *user);
    /** Called once per request in the order of the verb, while others are still in flight. The
        result is lent for the call. Without it the batch keeps every result until it is freed. */
    void (*on_result)(stook_batch *batch, const stook_result *result, void *user);
    void *user; /**< given to `more` and `on_result` */
    int64_t policy;   /**< [STOOK_POLICY_ALL] whose cancelled requests say in their message what ended them */
    int64_t quorum;   /**< with STOOK_POLICY_QUORUM: how many, at least 1 */
    int64_t held_max; /**< [67108864] with on_result or `pull`: so many bytes of bodies wait to be delivered, at most: at the ceiling nothing new starts, and in the order of the adds bodies on their way are not read on (but of requests with body_read); the head always starts and is always read, and while it waits for a slot one that has one is read on. STOOK_NONE: no ceiling */
    int64_t pull;     /**< 1: no on_result; results are taken with stook_batch_next(). Only with the _start verbs */
};

/** `STOOK_GATHER(.limit = 10)` */
#define STOOK_GATHER(...) \
    ((struct stook_gather_options){.size = sizeof(struct stook_gather_options), __VA_ARGS__})

/**
 * Await all requests of a batch; results in the order in which they complete. Turns the client's
 * own loop until the batch is done; other awaits of the client go on meanwhile.
 *
 * @param options NULL: no limit, no deadline, no callbacks
 * @return how many requests are not ok (0: all fine), or, when the await could not happen and no
 *         callback ran: STOOK_EARG, STOOK_EUNSUPPORTED, STOOK_ESTATE (awaited before; inside a
 *         callback of this client or on a borrowed loop: use stook_gather_start; client closed;
 *         forked child), or the error of an add that failed. stook_batch_message() says which.
 *         Counts above INT_MAX return INT_MAX.
 * Thread: the loop's. Callbacks: all kinds, from inside. If one of them frees the batch or closes
 * the client, that happens when this call returns.
 */
STOOK_API int stook_gather(stook_batch *batch, const struct stook_gather_options *options);

/** As stook_gather(), with results in the order of the adds; the head is delivered the moment it is there. */
STOOK_API int stook_gather_ordered(stook_batch *batch, const struct stook_gather_options *options);

/**
 * Await without blocking, on a loop that runs (or on an owned one: stook_client_run()).
 * @param done NULL, or called exactly once, from the loop, after every result; `failed` as returned
 *             by stook_gather()
 * @return 0, or an error as stook_gather(): then `done` never runs
 * Thread: the loop's. Callbacks: never from inside the call.
 */
STOOK_API int stook_gather_start(stook_batch *batch, const struct stook_gather_options *options,
                                 void (*done)(stook_batch *batch, int failed, void *user), void *user);

/** As stook_gather_start(), with results in the order of the adds. */
STOOK_API int stook_gather_ordered_start(stook_batch *batch, const struct stook_gather_options *options,
                                         void (*done)(stook_batch *batch, int failed, void *user),
                                         void *user);

/* ------------------------------------------------------- results as a stream */

/**
 * The next result of an await that was started with `pull`, in the order of its verb.
 *
 * On a loop of the client's own the call turns it until there is one or the await is done; inside a
 * callback of the client, and on a borrowed loop, it never waits. The result is lent until the next
 * call for this batch, or the batch's end; one that a callback takes while a call waits, for that callback. How many wait to be taken is bounded by `window` and
 * `held_max`. After the await is done, and after the client is closed, what is left can be taken.
 *
 *     stook_gather_start(batch, &STOOK_GATHER(.limit = 10, .pull = 1), NULL, NULL);
 *     while (stook_batch_next(batch, &result) == 1)
 *         ...
 *
 * @param ret_result set if 1 is returned, untouched otherwise
 * @return 1: there is a result; 0: there was the last (or a callback has freed the batch);
 *         STOOK_LATER: none now, and waiting is not allowed here; STOOK_EARG (NULL); STOOK_ESTATE
 *         (not awaited, or without `pull`; forked child), stook_batch_message() says which
 * Thread: the loop's. Callbacks: all kinds, from inside, but where it never waits.
 */
STOOK_API int stook_batch_next(stook_batch *batch, const stook_result **ret_result);

/**
 * Have no result delivered to on_result until stook_batch_resume_results(). What is in flight goes on; new
 * requests start while `window` and `held_max` allow. A batch that is cancelled, past its deadline
 * or whose client closes is delivered all the same. NULL, done: nothing.
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API void stook_batch_pause_results(stook_batch *batch);

/** Go on after stook_batch_pause_results(); otherwise nothing. Thread: the loop's. Callbacks: none from inside. */
STOOK_API void stook_batch_resume_results(stook_batch *batch);

/**
 * Have `more` asked again after it returned STOOK_LATER. Calls may be many: each is followed by at
 * least one question, if fewer than `limit` requests wait. On a borrowed loop an await under way
 * keeps the loop alive; on an owned one it is asked when the loop turns next.
 * @param batch NULL is allowed
 * Thread: any, as long as the batch is not freed. Callbacks: none from inside.
 */
STOOK_API void stook_batch_wake(stook_batch *batch);

/**
 * Whether the await has what its `policy` is after. With STOOK_POLICY_FIRST_OK and _QUORUM that may
 * be so before it is done; with the others only then.
 * @return 1 or 0; 0 for NULL and before the await
 * Thread: the loop's.
 */
STOOK_API int stook_batch_met(const stook_batch *batch);

/* ---------------------------------------------------------- why is it waiting */

/** States of a request: name, number, text. Numbers are never reused; new ones are appended. */
#define STOOK_STATE_MAP(X)                                                                          \
    X(NONE, 0, "unknown, or given away")                                                            \
    X(QUEUED, 1, "queued, its turn comes")                                                          \
    X(QUEUED_AWAIT, 2, "queued until its batch is awaited")                                         \
    X(QUEUED_BATCH, 3, "queued by the limit of its batch")                                          \
    X(QUEUED_ORIGIN, 4, "queued by the limit of its origin")                                        \
    X(QUEUED_CLIENT, 5, "queued by the limit of the client")                                        \
    X(QUEUED_WINDOW, 6, "queued until results of its batch are delivered")                          \
    X(QUEUED_PAUSED, 7, "queued while delivery is paused")                                          \
    X(QUEUED_DESCRIPTORS, 8, "queued for want of descriptors or ports")                             \
    X(GATE, 9, "waiting for another to connect or to look up the name")                             \
    X(RESOLVING, 10, "resolving the name")                                                          \
    X(CONNECTING, 11, "connecting")                                                                 \
    X(TLS, 12, "agreeing on TLS")                                                                   \
    X(SENDING, 13, "sending the request")                                                           \
    X(WAITING, 14, "waiting for the answer")                                                        \
    X(RECEIVING, 15, "receiving the answer")                                                        \
    X(FINISHED, 16, "finished, its result is to be delivered")                                      \
    X(DONE, 17, "finished, its result is kept by the batch")                                        \
    X(PAUSED, 18, "paused by on_head or on_body")                                                   \
    X(HELD_UP, 19, "its body waits until results before it are delivered")

enum {
#define STOOK_STATE_ENUM(name, number, text) STOOK_STATE_##name = number,
    STOOK_STATE_MAP(STOOK_STATE_ENUM)
#undef STOOK_STATE_ENUM
    STOOK_STATE_LAST_PLUS_ONE /**< not a state */
};

/**
 * Where a request is. Of several limits that forbid its start the first of this order is told:
 * await, window, batch, origin, client.
 * @return a STOOK_STATE_ value; STOOK_STATE_NONE for NULL, an index that was not added, a result
 *         that was delivered to on_result or pulled, and after the client is closed
 * Thread: the loop's. Costs a few system calls; it is for people, not for each turn.
 */
STOOK_API int stook_batch_state_of(const stook_batch *batch, size_t index);

/** The text of a state, in English, without a full stop. Never NULL. Thread: any. */
STOOK_API const char *stook_state_text(int state);

/**
 * Write down what a client does: its limits, its batches, and of each the first 20 requests in
 * flight and the first 20 that wait, with state, age and URL without query. For people: the form may change.
 * @param to a stream of the program's; errors in writing are left in ferror(to)
 * @return 0, STOOK_EARG (NULL), STOOK_ESTATE (a forked child)
 * Thread: the loop's.
 */
STOOK_API int stook_client_dump(const stook_client *client, FILE *to);

/** Numbers of a client since it was made. All only grow. */
struct stook_counters {
    size_t size;      /**< set by STOOK_COUNTERS() */
    int64_t added;    /**< requests; those not finished wait or are in flight */
    int64_t started;  /**< starts of requests; without `repeated` */
    int64_t repeated; /**< attempts behind the first */
    int64_t finished; /**< requests that have their result */
    int64_t failed;   /**< of these, not ok */
};

/** `struct stook_counters counters = STOOK_COUNTERS();` */
#define STOOK_COUNTERS() ((struct stook_counters){.size = sizeof(struct stook_counters)})

/**
 * Read the counters of a client. Each is exact; read one after the other while requests come and
 * go, but never so that more are finished than added.
 * @return 0, STOOK_EARG (NULL, or no size)
 * Thread: any, until `closed`.
 */
STOOK_API int stook_client_counters(const stook_client *client, struct stook_counters *ret_counters);

/* ------------------------------------------------------------------- result */

/*
 * Accessors take NULL and then answer 0, "" or NULL as their type says. What they return lives as
 * long as the result. A result is immutable; what callbacks are shown of a request under way is a
 * result of its own, which stays as it is. Thread: any.
 */

/** 1: the exchange is complete and the status is 2xx; else 0. */
STOOK_API int stook_result_ok(const stook_result *result);
/** 0: the exchange is complete, whatever its status; else a STOOK_E value. */
STOOK_API int stook_result_error(const stook_result *result);
/** HTTP status (RFC 9110 15), also where the body failed later; 0: none was received. */
STOOK_API int stook_result_status(const stook_result *result);
/** How often the request was sent or tried: 0 if it never started. */
STOOK_API unsigned stook_result_attempts(const stook_result *result);
/** One line for people: "OK", "HTTP 404", or what went wrong. Never NULL. */
STOOK_API const char *stook_result_message(const stook_result *result);
/** The URL as it was added. Never NULL. */
STOOK_API const char *stook_result_url(const stook_result *result);
/** The URL that answered last: as added until redirects are followed. Never NULL. */
STOOK_API const char *stook_result_final_url(const stook_result *result);
/**
 * The body received, followed by a NUL that is not counted; where the result is an error, what
 * came before it.
 * @param ret_size set to the bytes; may be NULL
 * @return never NULL for a result; NULL and 0 for NULL
 */
STOOK_API const void *stook_result_body(const stook_result *result, size_t *ret_size);
/** The value of the first header field of that name (case does not matter), or NULL. Not of 1xx heads, nor of trailers. */
STOOK_API const char *stook_result_header(const stook_result *result, const char *name);
/** How many header fields came, each line of a name that comes twice counted. */
STOOK_API size_t stook_result_header_count(const stook_result *result);
/**
 * The i-th header field, in the order in which they came.
 * @param ret_name set to its name as it came, untouched where there is none; may be NULL
 * @return its value, NULL where there is none
 */
STOOK_API const char *stook_result_header_at(const stook_result *result, size_t i, const char **ret_name);
/** As stook_result_header(), of the trailer fields that came behind the body (RFC 9110 6.5). */
STOOK_API const char *stook_result_trailer(const stook_result *result, const char *name);
/** As stook_result_header_count(), of the trailer fields. */
STOOK_API size_t stook_result_trailer_count(const stook_result *result);
/** As stook_result_header_at(), of the trailer fields. */
STOOK_API const char *stook_result_trailer_at(const stook_result *result, size_t i, const char **ret_name);
/** The number of adds before this one. */
STOOK_API size_t stook_result_index(const stook_result *result);
/** The request's `user`. */
STOOK_API void *stook_result_user(const stook_result *result);
/** "HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3", or "" if no answer came. Never NULL. */
STOOK_API const char *stook_result_protocol(const stook_result *result);
/** libcurl's CURLcode of the last attempt, for logs; 0 if libcurl was not asked. */
STOOK_API int stook_result_curl_code(const stook_result *result);
/** errno of the failed connection or descriptor, for logs; 0 if there is none. */
STOOK_API int stook_result_os_error(const stook_result *result);

/** What there is to know of an answer that is complete; flags of stook_result_flags(). */
enum {
    STOOK_FLAG_DECODED = 1, /**< content codings were taken off: Content-Encoding and Content-Length are not the body's */
    STOOK_FLAG_LENIENT = 2, /**< what came was not quite what the standards ask for, and has one meaning only: it was taken so */
    STOOK_FLAG_RESUMED = 4, /**< the file had a beginning already, and this was the rest */
    /** The body ended with the connection (HTTP/1, RFC 9112 6.3): nobody can tell whether that was its
        end, over TLS neither, for libcurl ignores whether TLS said goodbye. */
    STOOK_FLAG_UNTIL_CLOSE = 8,
    /** The body has no length, and this libcurl takes a stream of HTTP/2 or 3 that was given up without an
        error for complete. */
    STOOK_FLAG_END_UNSEEN = 16
};

/** STOOK_FLAG_... of the last attempt, added up. */
STOOK_API int stook_result_flags(const stook_result *result);

/** 1: the last attempt went over a connection that was there before it; else 0. */
STOOK_API int stook_result_reused(const stook_result *result);
/** Whom the last attempt was sent to, as "127.0.0.1:80" or "[::1]:80"; "" if it had no connection, or
    one without an address. Never NULL. */
STOOK_API const char *stook_result_remote_address(const stook_result *result);

/** What stook_result_size() can be asked for, of the last attempt. */
enum {
    STOOK_SIZE_BODY = 0, /**< of the body received, decoded, wherever it went */
    STOOK_SIZE_WIRE = 1, /**< of the body received, as it came, without the framing of chunks */
    STOOK_SIZE_HEAD = 2, /**< of all heads and trailers received, 1xx included */
    STOOK_SIZE_SENT = 3  /**< of the request's body that was sent */
};

/**
 * A number of bytes.
 * @param which one of STOOK_SIZE_...
 * @return 0 where nothing came or went, or for another `which`
 */
STOOK_API int64_t stook_result_size(const stook_result *result, int which);

/** What stook_result_time_us() can be asked for. All but the first refer to the last attempt. */
enum {
    STOOK_TIME_QUEUED = 0,     /**< from add to the first start, or to the end if it never started */
    STOOK_TIME_DNS = 1,        /**< from the start until the name was resolved; 0 on a reused connection */
    STOOK_TIME_CONNECT = 2,    /**< from the start until TCP was connected; 0 on a reused connection */
    STOOK_TIME_TLS = 3,        /**< from the start until TLS was agreed; 0 without TLS or when reused */
    STOOK_TIME_FIRST_BYTE = 4, /**< from the start to the first byte of the answer */
    STOOK_TIME_TOTAL = 5       /**< from the start to the end */
};

/**
 * A timing in microseconds.
 * @param which one of STOOK_TIME_...
 * @return 0 if that point was not reached, or for another `which`
 */
STOOK_API int64_t stook_result_time_us(const stook_result *result, int which);

/**
 * Make a result outlive callback, batch and client. Counted: each keep needs one drop.
 * @return its argument, NULL for NULL. Thread: any.
 */
STOOK_API const stook_result *stook_result_keep(const stook_result *result);

/** Give back one keep. NULL is allowed. Thread: any. */
STOOK_API void stook_result_drop(const stook_result *result);

#ifdef __cplusplus
} /* extern "C" */

/* C++ has no compound literals: the same structs by value. */

inline stook_client_options stook_client_init()
{
    stook_client_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

inline stook_request stook_request_init(const char *url)
{
    stook_request request;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.url = url;
    return request;
}

inline stook_part stook_part_init(const char *name)
{
    stook_part part;
    memset(&part, 0, sizeof part);
    part.size = sizeof part;
    part.name = name;
    return part;
}

inline stook_counters stook_counters_init()
{
    stook_counters counters;
    memset(&counters, 0, sizeof counters);
    counters.size = sizeof counters;
    return counters;
}

inline stook_gather_options stook_gather_init()
{
    stook_gather_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}
#endif

#endif
