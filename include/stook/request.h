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
    /** Of a request: the client's. Of a client: as STOOK_HTTP_2 with libcurl 8.1 or newer,
        otherwise as STOOK_HTTP_1_1. */
    STOOK_HTTP_DEFAULT = 0,
    STOOK_HTTP_1_1 = 1, /**< HTTP/1.1 only */
    STOOK_HTTP_2 = 2,   /**< HTTP/2 over TLS if the server agrees (ALPN), otherwise HTTP/1.1 */
    /** HTTP/3 over TLS if the server responds to it, otherwise as STOOK_HTTP_2. If libcurl was
        built without HTTP/3, the result is STOOK_EUNSUPPORTED. */
    STOOK_HTTP_3 = 3
};

/** How `username` and `password` are sent, for `auth`. */
enum {
    STOOK_AUTH_BASIC = 1, /**< in the first request, not encrypted except by TLS (RFC 7617) */
    STOOK_AUTH_DIGEST = 2 /**< after the server's challenge (RFC 7616): one exchange more */
};

/**
 * One part of a multipart/form-data body (RFC 7578): a value or a file. Exactly one of `value` and
 * `file` is required. The other strings and `file` must not contain control bytes. If a part is not
 * valid, the result of the request is STOOK_EARG.
 */
struct stook_part {
    size_t size;          /**< set by STOOK_PART() */
    const char *name;     /**< required: the name of the form field */
    const void *value;    /**< the bytes of the field; copied */
    int64_t value_size;   /**< of `value`: its bytes, STOOK_AUTO or STOOK_NONE, as `body_size` */
    const char *file;     /**< path of a regular file, read as `body_file` is */
    const char *filename; /**< [the last component of `file`; none for a value] */
    /** [by the ending of the file name, otherwise application/octet-stream; none for a value
        without `filename`] Media type. */
    const char *type;
};

/** Makes a part: `STOOK_PART(.name = "photo", .file = "rye.jpg")` */
#define STOOK_PART(...) ((struct stook_part){.size = sizeof(struct stook_part), __VA_ARGS__})

/** Makes a part without the macro; see stook/base.h. */
STOOK_API void stook_part_init(struct stook_part *part, size_t size);

/**
 * One request. stook_batch_add() copies everything except a body with `body_release`. Members that
 * exclude each other make the result STOOK_EARG.
 */
struct stook_request {
    size_t size; /**< set by STOOK_REQUEST() */

    /*
     * What is requested. Control bytes, spaces and backslashes in a URL are refused: STOOK_EURL.
     * So is what RFC 9110 does not allow in a method or a header field: STOOK_EARG.
     */
    /** Required: an absolute http or https URL (RFC 3986), at most 64 KiB. Its host must not be
        %-encoded. A user name or password in it and other schemes are STOOK_EPOLICY. */
    const char *url;
    /** ["GET", with a body "POST"] A token (RFC 9110 9.1), at most 64 bytes. Case matters. CONNECT
        and TRACE are STOOK_EPOLICY. */
    const char *method;
    /** [none] "Name: value" strings, ended by NULL, at most 256 strings and 64 KiB in all. Host,
        Expect, Proxy-Authorization and fields that frame a message (Content-Length,
        Transfer-Encoding, TE, Trailer) or manage a connection (Connection, Upgrade and others) are
        STOOK_EPOLICY. */
    const char *const *headers;
    void *user; /**< passed to the request's callbacks, returned by stook_result_user() */

    /*
     * The request's body. At most one of `body`, `json`, `form`, `parts`, `body_file` and
     * `body_read` is given.
     */
    const void *body; /**< bytes; copied, or with `body_release` borrowed */
    /** Bytes of `body`. STOOK_AUTO: `body` is a string, whose length is measured. STOOK_NONE: the
        body is empty. 0 with a `body`: the result is STOOK_EARG. With `body_read`: the bytes that
        it gives in all; 0: not known. */
    int64_t body_size;
    /** Called when stook no longer needs `body`. Until then `body` must not change. */
    stook_release_fn body_release;
    /** JSON text (RFC 8259), not empty and not parsed. It is sent as application/json unless
        `headers` have a Content-Type. */
    const char *json;
    /** Strings: name, value, name, value, ..., NULL. They are encoded and sent as
        application/x-www-form-urlencoded unless `headers` have a Content-Type. */
    const char *const *form;
    /** Parts of a multipart/form-data body, 1 to 1000, ended by NULL. `headers` must not have a
        Content-Type. */
    const struct stook_part *const *parts;
    /** Path of a regular file, which is opened when an attempt starts. Its length at that time is
        the Content-Length. Another thread reads it, so a slow disk does not block the loop. If it
        cannot be opened or read, or its length changes, the result is STOOK_EFILE, whose message
        names path and reason. */
    const char *body_file;
    stook_read_fn body_read;     /**< gives the body in pieces */
    stook_rewind_fn body_rewind; /**< restarts `body_read` from its first byte */
    /** [off] 1: sends "Expect: 100-continue" (RFC 9110 10.1.1). The body is sent after the response
        100, or after one second. */
    int64_t expect;

    /*
     * Time limits in milliseconds, each 1 to 2^53. STOOK_NONE switches one off. They are explained
     * in stook/client.h. With `on_body`, `output_file`, `body_file`, `parts` or `body_read`,
     * `attempt_timeout_ms` and `timeout_ms` are off unless the request or the client sets them.
     */
    int64_t queue_timeout_ms;   /**< from add to the first start */
    int64_t attempt_timeout_ms; /**< one attempt */
    int64_t connect_timeout_ms; /**< look-up, TCP and TLS of an attempt */
    int64_t
        timeout_ms; /**< from the first start to the end; hops and retries with their waits count */
    int64_t stall_timeout_ms; /**< no byte sent or received */
    /** [none] The request does not start earlier than so long after its add. Meanwhile it holds no
        slot, and queue_timeout_ms counts from its end. */
    int64_t delay_ms;

    /*
     * The response: how much is accepted, and where it goes. A request may lower a maximum of the
     * client, not raise it.
     */
    /** Bytes of the body, after decoding; STOOK_NONE: no maximum. More than the client allows
        is STOOK_EPOLICY. With `on_body` or `output_file` there is no maximum unless the request or
        the client sets one. */
    int64_t max_body_bytes;
    /** 1: sends Accept-Encoding, which `headers` must not have then, and decodes the response.
        STOOK_NONE: off. If the body ends before its content coding does, the result is
        STOOK_ETRUNCATED. Codings that were not offered are not decoded, nor are those of a 206
        response. */
    int64_t decompress;
    int64_t strict; /**< 1: on, as explained in stook/client.h; 0: the client's */
    /** As the client's; STOOK_NONE: no maximum. More than the client allows is STOOK_EPOLICY. */
    int64_t max_decompress_ratio;
    /** Path of a file that receives the body of a 2xx response; the result's body is then empty.
        The body of any other response goes to the result. Not with `on_body` or HEAD.
        The bytes are written to PATH.part in the same directory. When it is complete, it is renamed
        to PATH; otherwise it is removed. PATH is replaced only if it is a regular file or absent.
        Anything else, a symbolic link too, is left alone. Only what another process puts at PATH
        between this check and the renaming is replaced unseen.
        If a file cannot be opened, written or renamed, the result is STOOK_EFILE, whose message
        names path and reason. The same applies to the second of two simultaneous requests for one
        file. Where possible, the error is found before anything is sent.
        If three HTTP/2 connections of an origin are lost in a row, its downloads use HTTP/1.1 for
        ten minutes.
        A slow disk does not block the loop. A request that ends by time limit, cancel or close does
        not wait for the disk: PATH.part is removed later, at the latest before `closed`. */
    const char *output_file;
    /** 1: a failed download can be resumed. If the response had a strong validator, the bytes stay
        in PATH.part, and the validator in PATH.part.tag. The next request with `resume` for the
        same URL and path asks for the rest (RFC 9110 14, 13.1.5). If the response does not match
        the part, the whole body is requested: a file is never made of two bodies. Only for GET
        without a body, with `output_file`. `decompress` is off, and `headers` must not have Range
        or If-Range. */
    int64_t resume;
    /** [off] 1: the file and its directory entry are on disk before the result (fsync of the file,
        then the renaming, then fsync of the directory). If one of these fails, the result is
        STOOK_EFILE; if it is the last one, the file is in its place. Only with `output_file`. */
    int64_t output_sync;
    /** More URLs of the same thing, at most 50, ended by NULL. They are tried in turn while the
        response is not 2xx or 304, or is lost, too slow, or has another `sha256`. An origin that
        failed is tried last for five minutes. Only for GET and HEAD, without a body or
        `unix_socket`. Header fields and credentials are for the origin of `url`; to another one the
        same go along as after a redirect, and Range. After `on_head` or `on_body` was called, no
        other URL is tried. */
    const char *const *mirrors;
    /** The SHA-256 that the body must have: 64 hexadecimal digits. It is that of the body of a 2xx
        response as the program receives it, so after decoding; with `resume` of the whole file. If
        the body has another one, the result is STOOK_ECHECKSUM, and there is no file, nor a part of
        it. A body in memory stays in the result. Not with HEAD. */
    const char *sha256;
    stook_head_fn on_head;         /**< receives status and header fields, before the body */
    stook_body_fn on_body;         /**< receives the body in pieces; the result's body is empty */
    stook_progress_fn on_progress; /**< receives the number of bytes that have moved */

    /*
     * Credentials: a user name with a password, or a token. Then `headers` must not have
     * Authorization.
     */
    const char *username; /**< without control bytes; for Basic also without a colon */
    const char *password; /**< [""] without control bytes */
    int64_t auth;         /**< [STOOK_AUTH_BASIC] how they are sent: one of STOOK_AUTH_ */
    const char *bearer;   /**< a token (RFC 6750); not with `username` */

    /*
     * TLS trust, for this request instead of the client's. The members are explained in
     * stook/client.h.
     */
    const char *ca_file;      /**< replaces the client's authorities; read when connecting */
    const char *ca_data;      /**< the same as PEM text; not with `ca_file` */
    const char *client_cert;  /**< replaces the client's certificate, key and password together */
    const char *client_key;   /**< only with `client_cert` */
    const char *key_password; /**< only with `client_cert` */
    const char *pinned_key;   /**< if the client has one, a different one is STOOK_EPOLICY */

    /*
     * How the server is reached.
     */
    int64_t http_version;       /**< STOOK_HTTP_1_1, STOOK_HTTP_2 or STOOK_HTTP_3 */
    const char *const *resolve; /**< searched before the client's; the first match is used */
    /** Path of a Unix socket, 1 to 107 bytes, to connect to instead. No proxy is used. */
    const char *unix_socket;
    /**
     * URL of a proxy: "http://", "https://", "socks5://" or "socks5h://", optionally
     * "user:password@" with %-encoding, a host, and a port [1080; of https 443]; at most 4095
     * bytes. "" uses none, neither the client's nor that of the environment. `no_proxy` of the
     * client applies. Not with `unix_socket`.
     *
     * An HTTP proxy is asked for a tunnel to an https origin (CONNECT, RFC 9110 9.3.6), and gets
     * the request itself for an http origin. No header field of the request is in the CONNECT. With
     * socks5 (RFC 1928) the name of the origin is looked up here, with socks5h by the proxy. With
     * `resolve` the proxy is asked for a tunnel to that address, for an http origin too. User name
     * and password are sent to the proxy alone: by Basic (RFC 7617), or RFC 1929. For the
     * certificate of an https proxy `ca_file` and `ca_data` apply, but neither `client_cert` nor
     * `pinned_key`. HTTP/3 is not used through a proxy.
     *
     * The limits count a request for its origin, as without a proxy. If the proxy cannot be
     * reached, refuses the user or the origin, or breaks off before the origin is reached, the
     * result is STOOK_EPROXY; a proxy whose certificate is not valid is STOOK_ECERT. Its message
     * says what failed.
     */
    const char *proxy;
    /**
     * Redirects that the request follows, one after another, 1 to 50; STOOK_NONE: none, the 3xx is
     * the response. They are the responses 301, 302, 303, 307 and 308 with a Location (RFC 9110
     * 15.4). Each is an attempt with its own limits and time limits; `timeout_ms` covers all of
     * them. After a 303, and after a POST's 301 or 302, the next request is a GET without the body.
     * Only the last response reaches the result and its callbacks. One more than the maximum, a
     * Location that is not a valid URL and a body that cannot be sent again are STOOK_EREDIRECT; a
     * redirect from https to http, to another scheme, with a user name, or from a Unix socket to
     * another origin is STOOK_EPOLICY. The result then has the status and the fields of the
     * redirect.
     *
     * To another origin (scheme, host and port) only Accept, Accept-Language and User-Agent go
     * along, and with the body Content-Type and Content-Encoding. Credentials and a certificate of
     * the request do not, and nothing that was dropped comes back later.
     */
    int64_t max_redirects;
    /** Names of further header fields that go along to another origin, ended by NULL, at most 64
        KiB in all. They replace the client's list. */
    const char *const *redirect_headers;
    /**
     * 1: Cookies of responses are kept in the client, and sent to the servers that they are for
     * (RFC 6265). All requests of a client with `cookies` share them, whatever else differs; other
     * requests neither send nor set any. At most 50 of a domain and 3000 in all are kept, and the
     * oldest are dropped. Requests with and without cookies share no connection. A libcurl that was
     * built without libpsl does not know public suffixes, such as "co.uk", and would send the
     * cookies of one domain to others: STOOK_EUNSUPPORTED. STOOK_NONE: off. When on, `headers` must
     * not have Cookie.
     */
    int64_t cookies;
    /**
     * 1: requests connect to public addresses only, which is for URLs that users supply. Every
     * address is judged right before it is connected to, also that of a redirect and of `resolve`.
     * Refused are those that IANA lists as not globally reachable (loopback, private, link-local,
     * multicast and so on), those of this machine, and IPv6 addresses that lead to such an IPv4
     * address. Then the next address of the name is tried. If none is reached and one was refused,
     * the result is STOOK_EPOLICY, whose message names the first of these. STOOK_EPOLICY too are a
     * `unix_socket`, a proxy on the way, and an IPv6 zone in the URL. If the client has it,
     * STOOK_NONE is STOOK_EPOLICY.
     */
    int64_t public_only;

    /*
     * Flow: when it starts, and whether it is repeated. stook/flow.h explains rates and retries.
     */
    /** [4] 1 to 7. Of the requests of a batch that may start, the head of the order starts first,
        then those of the highest number, then those of the origin that has the fewest in flight,
        then the oldest. */
    int64_t priority;
    /** [1] What an attempt takes of rates of STOOK_RATE_OF_COST, such as tokens of a language
        model: 1 to 10^12; STOOK_NONE: nothing. */
    int64_t cost;
    /** [none] Whose quota the request uses, such as an API key or a tenant: a text of at most 1024
        bytes. A rate of STOOK_RATE_BY_KEY has a bucket for each, and a response 429 or 503 holds
        back only requests of the same origin and key. */
    const char *rate_key;
    /** [the client's] So many times the request is sent again after a failure that may pass, 1 to
        50. STOOK_NONE: not even once because a kept-alive connection was lost. */
    int64_t max_retries;
    /** 1: the program vouches that the request may be sent twice, though its method is not
        idempotent (RFC 9110 9.2.2). No header field is sent. */
    int64_t idempotent;
    /** [none] The value of the header field Idempotency-Key
        (draft-ietf-httpapi-idempotency-key-header), sent as it is, the same in all attempts. It
        allows retries as `idempotent` does. At most 1024 bytes without control bytes; `headers`
        must not have the field. */
    const char *idempotency_key;
    /** 1: of equal requests one is sent, and the others get copies of its result, with
        STOOK_FLAG_SHARED. Requests are equal if all their members are, but `user` and `priority`,
        and all have `coalesce`. A request joins an equal one that is in flight, or that waits in
        the same batch. If the one that is sent is cancelled, another one is sent for the rest. Only
        for GET and HEAD without a body; not with callbacks, `output_file` or `mirrors`. */
    int64_t coalesce;
    /** [off] If no byte of a response has come so many ms after an attempt began, 1 to 2^53, the
        request is sent once more, over a connection of its own, and the first good response is the
        result. STOOK_AUTO: after the 95th percentile of the times of its origin, once these are
        known. It needs room in the limits and rates, and at most 5 % of the requests of an origin
        are sent so. The two are one attempt as `max_retries` counts. Only for GET, HEAD and OPTIONS
        without a body; not with `coalesce`, callbacks, `output_file` or `mirrors`. */
    int64_t hedge_after_ms;
};

/** Makes a request: `STOOK_REQUEST("http://...")`, `STOOK_REQUEST(.url = ..., .method = "PUT")` */
#define STOOK_REQUEST(...) \
    ((struct stook_request){.size = sizeof(struct stook_request), __VA_ARGS__})

/** Makes a request without the macro; see stook/base.h. */
STOOK_API void stook_request_init(struct stook_request *request, size_t size);

/**
 * Adds the cookies of a file in Netscape's format, as stook_client_cookies_save(), curl and
 * browsers write it. A cookie replaces one of the same domain, path and name, unless only one of
 * them is for subdomains too. Expired ones are skipped. Each line must be a comment or a cookie:
 * seven fields, separated by tabs, without control bytes; a domain in ASCII, for all subdomains
 * only if it is neither an address nor a top-level domain; a path; at most 4096 bytes of name and
 * value. Otherwise no cookie is added.
 *
 * The call blocks while it reads the file. Requests can use the cookies without `cookies` in the
 * client's options if they set it themselves.
 * @param path of a regular file of at most 16 MiB and 10000 cookies
 * @return 0; STOOK_EARG (NULL; empty); STOOK_ESTATE (inside a callback; closing; forked child);
 *         STOOK_EUNSUPPORTED (a libcurl without libpsl); STOOK_ENOMEM; STOOK_EFILE: errno says why
 *         the file cannot be read, and is EBADMSG if a line is not valid
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_client_cookies_load(stook_client *client, const char *path);

/**
 * Writes the cookies to a file in Netscape's format, those without an expiry date too. Only the
 * owner may read it (mode 0600). It is written beside `path`, synced to disk and renamed, so that
 * the file is complete or as before. A link or anything else that is no regular file is not
 * replaced. The values of cookies are as good as passwords.
 *
 * The call blocks until the file is on disk. Call it before the client closes.
 * @param path of a regular file, or of none
 * @return 0, or an error as stook_client_cookies_load()
 * Thread: the loop's. Callbacks: none.
 */
STOOK_API int stook_client_cookies_save(stook_client *client, const char *path);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
