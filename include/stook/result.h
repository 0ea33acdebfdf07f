/* SPDX-License-Identifier: MIT */
/**
 * @file stook/result.h
 * A result is what stook knows of one request and its response. It is immutable.
 *
 * If `result` is NULL, a function returns 0, "" or NULL, as its type says. Strings and bodies live
 * as long as the result. Callbacks during a request receive another result object. It shows the
 * status line and the header fields that were received, and its message is "". Thread, of all
 * functions: any.
 */
#ifndef STOOK_RESULT_H
#define STOOK_RESULT_H

#include <stook/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** 1: the exchange is complete and the status is 2xx. 0: otherwise. */
STOOK_API int stook_result_ok(const stook_result *result);
/** 0: the exchange is complete, with any status. Otherwise a STOOK_E value. */
STOOK_API int stook_result_error(const stook_result *result);
/** The HTTP status (RFC 9110 15), also if the body failed later. 0: none was received. */
STOOK_API int stook_result_status(const stook_result *result);
/** The number of attempts, and of times it was sent again in an attempt (Digest, 417). 0: none. */
STOOK_API unsigned stook_result_attempts(const stook_result *result);
/**
 * Tells whether a byte of the request may have reached a connection, in any attempt.
 * @return 0: none did, and it is safe to send the request again, whatever its method. 1: it may
 *         have, and the server may have acted on it.
 */
STOOK_API int stook_result_may_have_been_sent(const stook_result *result);
/** One line for people: "OK", "HTTP 404", or which error and why. Never NULL. */
STOOK_API const char *stook_result_message(const stook_result *result);
/** The URL as it was added. Never NULL. */
STOOK_API const char *stook_result_url(const stook_result *result);
/** The URL of the last attempt: that of a mirror, after redirects the last one that was followed.
    Never NULL. */
STOOK_API const char *stook_result_final_url(const stook_result *result);
/** The number of redirects that were followed, of the last mirror that was tried; 0 for NULL. */
STOOK_API size_t stook_result_hop_count(const stook_result *result);
/**
 * A redirect that was followed. The first one responded to stook_result_url(), or to the URL of a
 * mirror.
 * @param i 0 to stook_result_hop_count() - 1
 * @param ret_status NULL, or set to its status: 301, 302, 303, 307 or 308
 * @return the URL that responded with it; NULL if there is no such redirect
 */
STOOK_API const char *stook_result_hop_at(const stook_result *result, size_t i, int *ret_status);

/**
 * The body that was received, followed by a NUL that is not counted. If the result is an error, the
 * body may be a part. It is empty if the bytes went to `on_body` or a file.
 * @param ret_size NULL, or set to the number of bytes
 * @return never NULL for a result; NULL for NULL
 */
STOOK_API const void *stook_result_body(const stook_result *result, size_t *ret_size);

/** The value of the first header field with that name, in any case; NULL if there is none. Fields
    of 1xx responses and trailers are not included. */
STOOK_API const char *stook_result_header(const stook_result *result, const char *name);
/** The number of header field lines. */
STOOK_API size_t stook_result_header_count(const stook_result *result);
/**
 * The i-th header field line, in the order received.
 * @param ret_name NULL, or set to the name as received; unchanged if there is no such field
 * @return its value; NULL if there is no such field
 */
STOOK_API const char *stook_result_header_at(const stook_result *result, size_t i,
                                             const char **ret_name);
/** As stook_result_header(), for the trailer fields after the body (RFC 9110 6.5). */
STOOK_API const char *stook_result_trailer(const stook_result *result, const char *name);
/** As stook_result_header_count(), for the trailer fields. */
STOOK_API size_t stook_result_trailer_count(const stook_result *result);
/** As stook_result_header_at(), for the trailer fields. */
STOOK_API const char *stook_result_trailer_at(const stook_result *result, size_t i,
                                              const char **ret_name);

/** The request's index: the number of successful adds before it. */
STOOK_API size_t stook_result_index(const stook_result *result);
/** The request's `user`. */
STOOK_API void *stook_result_user(const stook_result *result);

/** Takes a reference, so that the result outlives callback, batch and client. Returns `result`. */
STOOK_API const stook_result *stook_result_ref(const stook_result *result);
/** Releases one reference of stook_result_ref(). If `result` is NULL, nothing happens. */
STOOK_API void stook_result_unref(const stook_result *result);

/* ------------------------------------------------------- of the last attempt */

/** Flags of stook_result_flags(). */
enum {
    /** Content codings were decoded. Content-Encoding and Content-Length are not the body's. */
    STOOK_FLAG_DECODED = 1,
    /** The response deviates from the standards, but can be read in one way only. */
    STOOK_FLAG_LENIENT = 2,
    STOOK_FLAG_RESUMED = 4, /**< a part of the file existed, and the rest was received */
    /** The body ended with the connection (HTTP/1, RFC 9112 6.3). It may be incomplete. TLS does
        not help: libcurl ignores a missing close_notify. */
    STOOK_FLAG_UNTIL_CLOSE = 8,
    /** An HTTP/2 or HTTP/3 body without a length. It may be incomplete: this libcurl reports a
        stream that the server abandoned without an error as complete. */
    STOOK_FLAG_END_UNSEEN = 16,
    STOOK_FLAG_SHARED = 32 /**< `coalesce`: the response to another request, which was equal */
};

/** A sum of STOOK_FLAG_ values. */
STOOK_API int stook_result_flags(const stook_result *result);
/** "HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3", or "" if no response came. Never NULL. */
STOOK_API const char *stook_result_protocol(const stook_result *result);
/** 1: the attempt used a connection that existed before. 0: otherwise. */
STOOK_API int stook_result_reused(const stook_result *result);
/** The peer, or the proxy if there is one, as "127.0.0.1:80" or "[::1]:80"; "" if there was no
    connection or it has no address. Never NULL. */
STOOK_API const char *stook_result_remote_address(const stook_result *result);
/** The CURLcode of libcurl, for logs; 0 if libcurl was not used. */
STOOK_API int stook_result_curl_code(const stook_result *result);
/** errno of the connection or descriptor that failed, for logs; 0 if there is none. */
STOOK_API int stook_result_os_error(const stook_result *result);

/** Sizes for stook_result_size(). */
enum {
    STOOK_SIZE_BODY = 0, /**< the body received, decoded, wherever it went */
    STOOK_SIZE_WIRE = 1, /**< the body received, before decoding, without chunk framing */
    STOOK_SIZE_HEAD = 2, /**< all header sections and trailers received, those of 1xx included */
    STOOK_SIZE_SENT = 3, /**< the part of the request's body that was sent */
    /** With STOOK_FLAG_RESUMED: the bytes of the file that an earlier request has received. */
    STOOK_SIZE_RESUMED = 4
};

/** A size in bytes; `which` is a STOOK_SIZE_ value. 0 for any other value, and if nothing moved. */
STOOK_API int64_t stook_result_size(const stook_result *result, int which);

/** Times for stook_result_time_us(). "Start" is that of the last attempt. */
enum {
    STOOK_TIME_QUEUED = 0,     /**< add to first start, or to the end if it never started */
    STOOK_TIME_DNS = 1,        /**< start until the name was resolved; 0 if reused */
    STOOK_TIME_CONNECT = 2,    /**< start until TCP was connected; 0 if reused */
    STOOK_TIME_TLS = 3,        /**< start until the TLS handshake ended; 0 if reused or no TLS */
    STOOK_TIME_FIRST_BYTE = 4, /**< start until the first byte of the response */
    STOOK_TIME_TOTAL = 5       /**< start until the end */
};

/** A time in microseconds; `which` is a STOOK_TIME_ value. 0 for any other, and if not reached. */
STOOK_API int64_t stook_result_time_us(const stook_result *result, int which);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
