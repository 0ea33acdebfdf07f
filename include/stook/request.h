/* SPDX-License-Identifier: MIT */
/**
 * @file stook/request.h
 * The members of a request. Only `url` is required.
 */
#ifndef STOOK_REQUEST_H
#define STOOK_REQUEST_H

#include <stook/base.h>
#include <stook/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** HTTP versions (RFC 9112, 9113, 9114), for `http_version` of a client or a request. */
enum {
    /** The client's. A client's: HTTP/1.1, and with libcurl 8.1 or newer HTTP/2 where agreed. */
    STOOK_HTTP_DEFAULT = 0,
    STOOK_HTTP_1_1 = 1, /**< HTTP/1.1 only */
    STOOK_HTTP_2 = 2,   /**< HTTP/2 over TLS if the server agrees (ALPN), otherwise HTTP/1.1 */
    /** HTTP/3 if the server responds to it, otherwise as STOOK_HTTP_2. If libcurl was built without
        HTTP/3, the result is STOOK_EUNSUPPORTED. */
    STOOK_HTTP_3 = 3
};

/** How `username` and `password` are sent, for `auth`. */
enum {
    STOOK_AUTH_BASIC = 1, /**< with the request, readable by whoever can read it (RFC 7617) */
    STOOK_AUTH_DIGEST = 2 /**< after the server's challenge (RFC 7616): one exchange more */
};

/**
 * One part of a multipart/form-data body (RFC 7578): a value or a file. Either `value` or `file` is
 * required. Strings must not contain control bytes.
 */
struct stook_part {
    size_t size;          /**< set by STOOK_PART() */
    const char *name;     /**< required: the name of the form's field */
    const void *value;    /**< the bytes of the field; copied */
    int64_t value_size;   /**< of `value`: its bytes, STOOK_AUTO or STOOK_NONE, as `body_size` */
    const char *file;     /**< path of a regular file, read as `body_file` is */
    const char *filename; /**< [the last component of `file`; none for a value] */
    /** Media type. [By the ending of the file name, else application/octet-stream; none for a value
        without a file name.] */
    const char *type;
};

/** Makes a part: `STOOK_PART(.name = "photo", .file = "rye.jpg")` */
#define STOOK_PART(...) ((struct stook_part){.size = sizeof(struct stook_part), __VA_ARGS__})

/** Makes a part without the macro; see stook/base.h. */
STOOK_API void stook_part_init(struct stook_part *part, size_t size);

/**
 * One request. stook_batch_add() copies everything except a body with `body_release`. 0 selects the
 * client's value. Members that do not fit together make the result STOOK_EARG.
 */
struct stook_request {
    size_t size; /**< set by STOOK_REQUEST() */

    /*
     * What is requested. Bytes that RFC 3986 and RFC 9110 do not allow are refused: the result is
     * STOOK_EURL or STOOK_EARG.
     */
    /** Required: an absolute http or https URL (RFC 3986), at most 64 KiB. Its host must not be
        %-encoded. A user name or password in it and other schemes are STOOK_EPOLICY. */
    const char *url;
    /** ["GET", with a body "POST"] A token (RFC 9110 9.1), at most 64 bytes. Case matters. CONNECT
        and TRACE are STOOK_EPOLICY. */
    const char *method;
    /** [none] "Name: value" strings, ended by NULL, at most 256 and 64 KiB. Host, Expect and fields
        that frame a message or manage a connection are STOOK_EPOLICY. */
    const char *const *headers;
    void *user; /**< passed to the request's callbacks, returned by stook_result_user() */

    /*
     * The request's body. At most one of `body`, `json`, `form`, `parts`, `body_file` and
     * `body_read` is given.
     */
    const void *body; /**< bytes; copied, or with `body_release` borrowed */
    /** Bytes of `body`. STOOK_AUTO: it is a string, measure it. STOOK_NONE: it is empty. 0 with a
        `body` is STOOK_EARG. With `body_read`: the bytes that it will give in all; 0: not known. */
    int64_t body_size;
    stook_release_fn body_release; /**< gives `body` back; until then it must not change */
    /** JSON text (RFC 8259), not empty. It is sent as application/json unless `headers` have a
        Content-Type. */
    const char *json;
    /** Name, value, name, value, ..., NULL. It is sent as application/x-www-form-urlencoded. */
    const char *const *form;
    /** Parts of a multipart/form-data, 1 to 1000, ended by NULL. `headers` must not have a
        Content-Type. */
    const struct stook_part *const *parts;
    /** Path of a regular file. It is opened when an attempt starts, has the length of that moment,
        and is read ahead on another thread, so that a slow disk does not block the loop. If it
        cannot be opened or read, or its length changes, the result is STOOK_EFILE with path and
        reason. */
    const char *body_file;
    stook_read_fn body_read;     /**< gives the body in pieces */
    stook_rewind_fn body_rewind; /**< restarts `body_read` from its first byte */
    /** [off] 1: sends "Expect: 100-continue" (RFC 9110 10.1.1). The body waits for the server's
        permission for at most one second. */
    int64_t expect;

    /*
     * Time limits in milliseconds, each 1 to 2^53. STOOK_NONE switches one off. They are explained
     * in stook/client.h. With `on_body`, `output_file`, `body_file`, `parts` or `body_read`,
     * `attempt_timeout_ms` and `timeout_ms` are off unless the request or the client sets them.
     */
    int64_t queue_timeout_ms;   /**< from add to the first start */
    int64_t attempt_timeout_ms; /**< one exchange */
    int64_t connect_timeout_ms; /**< name, TCP and TLS, within the attempt */
    int64_t timeout_ms;         /**< from the first start to the end, repeats included */
    int64_t stall_timeout_ms;   /**< no byte sent or received */

    /*
     * The response: how much is accepted, and where it goes. A request may only tighten what the
     * client allows.
     */
    /** Bytes of the body, after decoding; STOOK_NONE: no maximum. More than the client allows
        is STOOK_EPOLICY. With `on_body` or `output_file` there is no maximum unless the request or
        the client sets one. */
    int64_t max_body_bytes;
    /** 1: offers content codings and decodes the response; STOOK_NONE: off. Accept-Encoding is then
        set by the library. A body ends where its coding ends; half of one is STOOK_ETRUNCATED.
        Codings that were not offered are not decoded, nor are those of a 206 response. */
    int64_t decompress;
    int64_t strict; /**< 1: as the client's. A strict client's requests are strict. */
    /** As the client's; STOOK_NONE: no maximum. More than the client allows is STOOK_EPOLICY. */
    int64_t max_decompress_ratio;
    /** Path of a file that receives the body of a 2xx response; the result's body is then empty.
        The body of any other response goes to the result. Not with `on_body` or HEAD.
        The bytes are written to PATH.part in the same directory. It is renamed to PATH when it is
        complete, otherwise removed. PATH is replaced only if it is a regular file or absent.
        Anything else, a symbolic link too, is left alone. Only a file that someone else puts there
        in the last instant before the renaming is lost.
        If a file cannot be opened, written or renamed, the result is STOOK_EFILE with path and
        reason. So it is for the second of two requests for the same file at the same time. This is
        found before anything is sent, as far as it can be known then.
        A slow disk does not block the loop. A request that ends by time limit, cancel or close does
        not wait for it: PATH.part is removed later, at the latest before `closed`. */
    const char *output_file;
    /** 1: if the response had a strong validator, a failure leaves the bytes in PATH.part, and what
        they belong to in PATH.part.tag. The next such request asks for the rest (RFC 9110 14,
        13.1.5). If the response does not match the part in every field, the whole is requested: a
        file is never made of two bodies. Only for GET with `output_file`. `decompress` is off, and
        `headers` must not have Range or If-Range. */
    int64_t resume;
    stook_head_fn on_head;         /**< receives status and header fields, before the body */
    stook_body_fn on_body;         /**< receives the body in pieces; the result's body is empty */
    stook_progress_fn on_progress; /**< is told how many bytes have moved */

    /*
     * Credentials: a user name with a password, or a token. `headers` must not have Authorization
     * beside them.
     */
    const char *username; /**< without control bytes; for Basic also without a colon */
    const char *password; /**< [""] without control bytes */
    int64_t auth;         /**< [STOOK_AUTH_BASIC] how they are sent: one of STOOK_AUTH_ */
    const char *bearer;   /**< a token (RFC 6750) */

    /*
     * TLS trust, for this request instead of the client's. The members are explained in
     * stook/client.h.
     */
    const char *ca_file;      /**< replaces the client's authorities; read when connecting */
    const char *ca_data;      /**< the same as PEM text; not beside `ca_file` */
    const char *client_cert;  /**< replaces the client's certificate, key and password together */
    const char *client_key;   /**< only with `client_cert` */
    const char *key_password; /**< only with `client_cert` */
    const char *pinned_key;   /**< if the client has one, a different one is STOOK_EPOLICY */

    /*
     * How the server is reached.
     */
    int64_t http_version;       /**< STOOK_HTTP_1_1, STOOK_HTTP_2 or STOOK_HTTP_3 */
    const char *const *resolve; /**< searched before the client's; the first match is used */
    const char *unix_socket;    /**< path of a socket to connect to, 1 to 107 bytes, for any host */

    /*
     * Flow: when it starts.
     */
    /** [4] 1 to 7. Of the requests of a batch that may start, the highest priority starts first. Of
        one priority the oldest starts first. */
    int64_t priority;
};

/** Makes a request: `STOOK_REQUEST("http://...")`, `STOOK_REQUEST(.url = ..., .method = "PUT")` */
#define STOOK_REQUEST(...) \
    ((struct stook_request){.size = sizeof(struct stook_request), __VA_ARGS__})

/** Makes a request without the macro; see stook/base.h. */
STOOK_API void stook_request_init(struct stook_request *request, size_t size);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
