/* SPDX-License-Identifier: MIT */
/*
 * Maps the end of a transfer to an error of ours with a message; see error_map.h. An error that a
 * callback has set comes first, then what the engine knows, then libcurl's code.
 */
#include "http/error_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "curl/socket.h"
#include "http/body_sink.h"
#include "http/easy_hook.h"
#include "http/peer.h"
#include "http/rate_fields.h"
#include "http/redirect.h"
#include "http/request_fields.h"
#include "http/upload_source.h"
#include "http1/reader.h"
#include "request/proxy.h"

enum { CODE_TOO_LARGE = 100 }; /* CURLE_TOO_LARGE of libcurl 8.6 and newer */
/* Without a user name, and with one that it does not know. */
#define WHY_407 "it asks for a user name and a password that it accepts"
#define TOO_LONG "a header line is longer than libcurl's limit"

/*
 * libcurl's codes as errors of ours. `text` replaces libcurl's message where that is wrong or
 * empty. NULL keeps libcurl's message, which names the host, the port, or the reason of TLS.
 */
static const struct meaning {
    CURLcode code;
    int error;
    const char *text;
} meanings[] = {
    {CURLE_OK, 0, NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, STOOK_EPROTOCOL,
     "the response does not begin with a status line"}, /* the URL was checked before */
    {CURLE_FAILED_INIT, STOOK_ENOMEM, "libcurl could not set up the transfer"},
    {CURLE_URL_MALFORMAT, STOOK_EURL, NULL},
    {CURLE_NOT_BUILT_IN, STOOK_EUNSUPPORTED, "this libcurl lacks what the request needs"},
    {CURLE_COULDNT_RESOLVE_PROXY, STOOK_EPROXY, NULL},
    {CURLE_COULDNT_RESOLVE_HOST, STOOK_EDNS, NULL},
    {CURLE_COULDNT_CONNECT, STOOK_ECONNECT, NULL},
    {CURLE_WEIRD_SERVER_REPLY, STOOK_EPROTOCOL, NULL},
    {CURLE_HTTP2, STOOK_ERESET, NULL},
    {CURLE_PARTIAL_FILE, STOOK_ETRUNCATED, NULL},
    {CURLE_WRITE_ERROR, STOOK_EPROTOCOL, "libcurl could not process the response"},
    {CURLE_READ_ERROR, STOOK_EPROTOCOL, "libcurl could not read the request's body"},
    {CURLE_OUT_OF_MEMORY, STOOK_ENOMEM, ""},
    {CURLE_OPERATION_TIMEDOUT, STOOK_ETIMEOUT_ATTEMPT,
     NULL}, /* the only timer of libcurl that is set is the one to connect */
    {CURLE_SSL_CONNECT_ERROR, STOOK_ETLS, NULL},
    {CURLE_ABORTED_BY_CALLBACK, STOOK_EPROTOCOL, "a callback ended the transfer"},
    {CURLE_BAD_FUNCTION_ARGUMENT, STOOK_EPROTOCOL,
     "libcurl could not process the response"}, /* 7.88, for a bad chunk */
    {CURLE_TOO_MANY_REDIRECTS, STOOK_EREDIRECT, NULL},
    {CURLE_GOT_NOTHING, STOOK_ERESET, "the connection was closed without a response"},
    {CURLE_SSL_ENGINE_NOTFOUND, STOOK_ETLS, NULL},
    {CURLE_SSL_ENGINE_SETFAILED, STOOK_ETLS, NULL},
    {CURLE_SEND_ERROR, STOOK_ERESET, NULL},
    {CURLE_RECV_ERROR, STOOK_ERESET, NULL},
    {CURLE_SSL_CERTPROBLEM, STOOK_ECERT, NULL},
    {CURLE_SSL_CIPHER, STOOK_ETLS, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, STOOK_ECERT, NULL},
    {CURLE_BAD_CONTENT_ENCODING, STOOK_EPROTOCOL,
     "a transfer coding that was not asked for"}, /* libcurl decodes no content codings */
    {CURLE_FILESIZE_EXCEEDED, STOOK_ETOOLARGE, NULL},
    {CURLE_SEND_FAIL_REWIND, STOOK_ERESET, "the request's body could not be rewound"},
    {CURLE_SSL_ENGINE_INITFAILED, STOOK_ETLS, NULL},
    {CURLE_SSL_CACERT_BADFILE, STOOK_ECERT, "the authorities cannot be read"},
    {CURLE_SSL_SHUTDOWN_FAILED, STOOK_ETLS, NULL},
    {CURLE_SSL_CRL_BADFILE, STOOK_ECERT, NULL},
    {CURLE_SSL_ISSUER_ERROR, STOOK_ECERT, NULL},
    {CURLE_CHUNK_FAILED, STOOK_EPROTOCOL, NULL},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, STOOK_ECERT, "the peer's key is not the pinned one"},
    {CURLE_SSL_INVALIDCERTSTATUS, STOOK_ECERT, NULL},
    {CURLE_HTTP2_STREAM, STOOK_ERESET,
     NULL}, /* of the connection; map_end() maps a stream that was reset with an error code */
    {CURLE_AUTH_ERROR, STOOK_EPROTOCOL, "libcurl cannot respond to the server's challenge"},
    {CURLE_HTTP3, STOOK_ERESET, NULL},
    {CURLE_QUIC_CONNECT_ERROR, STOOK_ERESET, NULL},
    {CURLE_PROXY, STOOK_EPROXY, NULL},
    {CURLE_SSL_CLIENTCERT, STOOK_ETLS, NULL},
    {(CURLcode)CODE_TOO_LARGE, STOOK_ETOOLARGE, TOO_LONG},
};

static const struct meaning *meaning_of(CURLcode code)
{
    static const struct meaning unknown = {CURLE_OK, STOOK_EPROTOCOL, NULL};
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].code == code)
            return &meanings[i];
    return &unknown;
}

/* Names of HTTP/2's error codes (RFC 9113 7). */
static const char *const h2_errors[] = {"NO_ERROR",
                                        "PROTOCOL_ERROR",
                                        "INTERNAL_ERROR",
                                        "FLOW_CONTROL_ERROR",
                                        "SETTINGS_TIMEOUT",
                                        "STREAM_CLOSED",
                                        "FRAME_SIZE_ERROR",
                                        "REFUSED_STREAM",
                                        "CANCEL",
                                        "COMPRESSION_ERROR",
                                        "CONNECT_ERROR",
                                        "ENHANCE_YOUR_CALM",
                                        "INADEQUATE_SECURITY",
                                        "HTTP_1_1_REQUIRED"};
enum { H2_REFUSED_STREAM = 7, H2_ERRORS = sizeof h2_errors / sizeof h2_errors[0] };

/* Returns 1 if any byte of a response was received. */
static int got_bytes(const struct stook__attempt *attempt)
{
    return attempt->resends > 0 || attempt->head_bytes > 0 || attempt->answer.body.size > 0;
}

/* Maps libcurl's code, and corrects the codes that do not say what happened. */
static int map_code(const struct stook__attempt *attempt, const struct stook__easy_info *info,
                    const char **why)
{
    if (info->code == CURLE_OK && stook__attempt_head_done(attempt))
        return 0;
    const struct meaning *meaning = meaning_of(info->code);
    int os_error = attempt->answer.os_error;
    *why = meaning->text != NULL   ? meaning->text
           : info->text[0] != '\0' ? info->text
                                   : curl_easy_strerror(info->code);
    if (info->os_error == EMFILE || info->os_error == ENFILE || os_error == EMFILE ||
        os_error == ENFILE)
        return STOOK_ENOFD;
    /* libcurl also reports this when it cannot open the pair of descriptors for its resolver. */
    if (info->code == CURLE_COULDNT_RESOLVE_HOST && stook__sockets_exhausted())
        return STOOK_ENOFD;
    /* libcurl also reports this for a file that it cannot open. */
    if (info->no_descriptors && info->code != CURLE_PEER_FAILED_VERIFICATION &&
        meaning->error == STOOK_ECERT)
        return STOOK_ENOFD;
    if (info->os_error == ENOMEM || info->os_error == ENOBUFS)
        return STOOK_ENOMEM;
    if (info->code == CURLE_COULDNT_CONNECT && info->refusal != NULL) {
        *why = info->refusal;
        return STOOK_EPOLICY;
    }
    /* 7.88 reports this for a header line over 100 KB. */
    if (info->code == CURLE_OUT_OF_MEMORY && attempt->answer.time_us[STOOK_TIME_FIRST_BYTE] > 0 &&
        !stook__attempt_head_done(attempt)) {
        *why = TOO_LONG;
        return STOOK_ETOOLARGE;
    }
    /* libcurl checks chunks too, and has no code for a bad one. The errors of the reader come
       first. */
    if (info->code == CURLE_RECV_ERROR && stook__attempt_is_chunked(attempt) &&
        strstr(info->text, "in chunked-encoding") != NULL) {
        int too_long = strstr(info->text, "memory") != NULL; /* 7.88, for a trailer over 4 KB */
        *why = too_long ? TOO_LONG : info->text;
        return too_long ? STOOK_ETOOLARGE : STOOK_EPROTOCOL;
    }
    /* On the direct way the reader knows where the connection has ended. */
    if (info->code == CURLE_PARTIAL_FILE && attempt->direct)
        return stook__reader_eof(&attempt->response, why);
    /* The connection ended inside the header section; libcurl accepts that. */
    if (info->code == CURLE_OK && !stook__attempt_head_done(attempt)) {
        *why = "the connection ended inside the header section";
        return STOOK_ETRUNCATED;
    }
    /* A connection that ends under an HTTP/2 stream, of which nothing has come. */
    if (info->code == CURLE_PARTIAL_FILE && !got_bytes(attempt)) {
        *why = "the connection was closed before a response";
        return STOOK_ERESET;
    }
    if (info->code == CURLE_HTTP2_STREAM &&
        strstr(info->text, "closed cleanly, but before") != NULL) {
        *why = "the peer ended the stream without a response";
        return STOOK_EPROTOCOL;
    }
    /* Builds other than 7.88 with OpenSSL have another code for a key that they cannot use. */
    if (strstr(info->text, "key file") != NULL ||
        strstr(info->text, "key or certificate file") != NULL)
        return STOOK_ECERT;
    return meaning->error;
}

/* The reason why libcurl wanted to send the request again before the first byte of a response. On a
   connection that was made for this request libcurl does so for HTTP/2 only, and does not say which
   of the two reasons it had. */
static const char *why_lost(const struct stook__easy_info *info)
{
    if (info->h2_error == H2_REFUSED_STREAM)
        return "the peer refused the stream, REFUSED_STREAM";
    return info->http_2 || !info->reused
               ? "the stream was refused, or its connection closed, before a response"
               : "a kept-alive connection was closed before a response";
}

/* A static text for every status, so that no result has to store one. */
/* clang-format off */
#define ONE(hundreds, tens, ones) "HTTP " #hundreds #tens #ones,
#define TEN(h, t) \
    ONE(h, t, 0) ONE(h, t, 1) ONE(h, t, 2) ONE(h, t, 3) ONE(h, t, 4) \
    ONE(h, t, 5) ONE(h, t, 6) ONE(h, t, 7) ONE(h, t, 8) ONE(h, t, 9)
#define HUNDRED(h) \
    TEN(h, 0) TEN(h, 1) TEN(h, 2) TEN(h, 3) TEN(h, 4) \
    TEN(h, 5) TEN(h, 6) TEN(h, 7) TEN(h, 8) TEN(h, 9)
static const char status_lines[][9] = {HUNDRED(1) HUNDRED(2) HUNDRED(3) HUNDRED(4) HUNDRED(5)
                                       HUNDRED(6) HUNDRED(7) HUNDRED(8) HUNDRED(9)};
/* clang-format on */

static const char *status_message(unsigned status)
{
    if (status >= 200 && status <= 299)
        return stook_strerror(0);
    return status >= 100 && status <= 999 ? status_lines[status - 100] : "HTTP";
}

/* On a connection that was used before, a 408 may have been sent before the request: the server
   reports the end of an idle connection (RFC 9110 15.5.9). A response that on_head has seen is not
   replaced. */
int stook__error_map_given_up(const struct stook__attempt *attempt)
{
    struct stook__easy_info info;
    if (attempt->answer.status != 408 || !stook__method_idempotent(attempt->method) ||
        (attempt->stream != NULL && attempt->stream->shown))
        return 0;
    stook__easy_info(attempt->easy, &info);
    return info.reused;
}

/* Checks that a body is complete which libcurl takes for complete. libcurl accepts more chunks than
   the reader. A body of known length bypasses the reader, so its bytes are compared. */
static int check_end(const struct stook__attempt *attempt, const char **why)
{
    const struct stook__reader *reader = &attempt->response;
    if (stook__attempt_is_chunked(attempt))
        return stook__reader_eof(reader, why);
    if (reader->state != STOOK__READER_LENGTH || attempt->wire >= reader->length)
        return 0;
    *why = "the connection ended before the body did";
    return STOOK_ETRUNCATED;
}

/* ------------------------------------------------------------------------------- proxies */

/* Whether a response may be the proxy's own. To an address of `resolve` it opens a tunnel. */
static int may_be_of_proxy(const struct stook__attempt *attempt)
{
    return stook__peer_is_relayed(attempt) &&
           stook__easy_settings(attempt->easy)->connect_to == NULL;
}

/* With socks5 the origin is looked up here. libcurl has no code of its own for that, and from 8.14
   on its text may name the proxy. */
static int is_unknown_origin(const struct stook__attempt *attempt,
                             const struct stook__easy_info *info)
{
    if (stook__proxy_kind(attempt->proxy) != STOOK__PROXY_SOCKS5)
        return 0;
    return strncmp(info->text, "Could not resolve host", 22) == 0 ||
           (strncmp(info->text, "Could not resolve proxy", 23) == 0 &&
            stook__proxy_is_literal(attempt->proxy));
}

/*
 * An error before there was a connection to the origin is the proxy's, unless the proxy has opened
 * a tunnel, or it is one of the origin's TLS. libcurl has the same codes for both, and few of its
 * texts name the proxy.
 */
static int map_proxy(const struct stook__attempt *attempt, const struct stook__easy_info *info,
                     int error, const char **why, char *room, size_t size)
{
    long status = 0; /* of the response to CONNECT; 0: none came */
    curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_HTTP_CONNECTCODE, &status);
    if (status >= 200 && status <= 299)
        return error;
    if (status != 0) {
        snprintf(room, size,
                 status == 407 ? WHY_407 ", HTTP %ld"
                               : "it refused to connect to the origin, HTTP %ld",
                 status);
        *why = room;
        return STOOK_EPROXY;
    }
    if (is_unknown_origin(attempt, info)) {
        *why = "the name of the origin cannot be resolved";
        return STOOK_EDNS;
    }
    switch (error) {
    case STOOK_ECERT:
    case STOOK_ETLS:
        if (stook__proxy_kind(attempt->proxy) == STOOK__PROXY_HTTPS) {
            snprintf(room, size, "the proxy's TLS: %s", *why);
            *why = room;
        }
        return error;
    case STOOK_ECONNECT:
    case STOOK_ERESET:
    case STOOK_EPROTOCOL:
    case STOOK_ETRUNCATED:
    case STOOK_ETOOLARGE:
        return STOOK_EPROXY;
    default:
        return error;
    }
}

/* Maps the end of a transfer that no callback has ended. `room` has space for a message. */
static int map_end(struct stook__attempt *attempt, const struct stook__easy_info *info,
                   const char **why, char *room, size_t size)
{
    long reset = info->h2_error;
    if (info->taken) {
        *why = STOOK__EASY_TAKEN;
        return STOOK_ECALLBACK;
    }
    if (info->broken != CURLM_OK) {
        *why = curl_multi_strerror(info->broken);
        return info->broken == CURLM_OUT_OF_MEMORY ? STOOK_ENOMEM : STOOK_ERESET;
    }
    if (reset >= 0 && reset != H2_REFUSED_STREAM) {
        if (reset < H2_ERRORS)
            snprintf(room, size, "the peer reset the stream, %s", h2_errors[reset]);
        else
            snprintf(room, size, "the peer reset the stream, 0x%lx", (unsigned long)reset);
        *why = room;
        return STOOK_EPROTOCOL;
    }
    if (info->resent || reset == H2_REFUSED_STREAM) {
        *why = why_lost(info);
        return STOOK_ERESET;
    }
    int error = map_code(attempt, info, why);
    if (error != 0 && attempt->proxy != NULL && !attempt->connected)
        error = map_proxy(attempt, info, error, why, room, size);
    if (error == 0)
        error = check_end(attempt, why);
    if (error == 0 && attempt->sink != NULL && !stook__redirect_is_skipped(attempt))
        error = stook__body_sink_check(attempt, why);
    if (error == STOOK_ETIMEOUT_ATTEMPT) { /* before the timer of sched: the message is the same */
        snprintf(room, size, "not connected within %" PRId64 " ms", attempt->settings->connect_ms);
        *why = room;
    }
    return error;
}

/* Only responses that refuse say when to come back. What a 3xx says is for its Location, and what
   other statuses say is not acted upon: a 404 is not searched for it. */
static int64_t wait_of(const struct stook__attempt *attempt)
{
    struct stook__rate_hint hint;
    struct timespec now;
    if (attempt->answer.status != 429 && attempt->answer.status < 500 &&
        !stook__defaults_retries(attempt->defaults, attempt->answer.status))
        return -1;
    clock_gettime(CLOCK_REALTIME, &now);
    size_t size = stook__attempt_head_done(attempt) ? attempt->trailers_at : 0;
    stook__rate_fields_parse(attempt->answer.head.data, size, attempt->answer.status,
                             (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, &hint);
    return hint.wait_ms;
}

void stook__error_map(struct stook__attempt *attempt, const struct stook__easy_info *info,
                      struct stook__outcome *ret_outcome)
{
    int error = attempt->error;
    const char *why = attempt->why;
    char room[320], *file = NULL;
    int is_cut = error == 0 && stook__body_sink_is_cut(attempt);
    if (error == 0 && (attempt->resends_exhausted || stook__redirect_is_cut(attempt) || is_cut))
        why = NULL;
    else if (error == 0)
        error = map_end(attempt, info, &why, room, sizeof room);
    if (attempt->error == 0 && (error == STOOK_ECERT || error == STOOK_ETLS) &&
        info->code != CURLE_PEER_FAILED_VERIFICATION)
        file = stook__peer_file_fault(attempt, info->code);
    if (file != NULL) {
        error = STOOK_EFILE;
        why = file;
    }
    int given_up = error == 0 && stook__error_map_given_up(attempt);
    if (given_up) {
        error = STOOK_ERESET;
        why = "the server had already closed the kept-alive connection";
    }
    if (error == 0 && attempt->answer.status == 407 && may_be_of_proxy(attempt)) {
        error = STOOK_EPROXY;
        why = WHY_407 ", HTTP 407";
    }
    if (error == STOOK_EPOLICY) /* not that of an address which failed beside it */
        attempt->answer.os_error = 0;
    if (error == 0) {
        *ret_outcome = (struct stook__outcome){.message = status_message(attempt->answer.status),
                                               .redirected = attempt->passed_over ==
                                                             STOOK__PASSED_OVER_REDIRECT,
                                               .cut = is_cut,
                                               .wait_ms = wait_of(attempt)};
        return;
    }
    stook__outcome_set(attempt->allocator, ret_outcome, error, why);
    stook__free(attempt->allocator, file);
    /* Over HTTP/2 the server may have begun on it all the same: so only what is idempotent is sent
       again for it. */
    ret_outcome->refused = info->h2_error == H2_REFUSED_STREAM;
    int unprocessed = info->resent || info->reused || ret_outcome->refused ||
                      !stook__attempt_was_handed_over(attempt);
    ret_outcome->starved =
        error == STOOK_ENOFD || ((error == STOOK_ECONNECT || error == STOOK_EPROXY) &&
                                 attempt->answer.os_error == EADDRNOTAVAIL);
    ret_outcome->wait_ms = -1;
    ret_outcome->lost = attempt->retry_whole || given_up ||
                        (error == STOOK_ERESET && !got_bytes(attempt) && unprocessed);
    if (!stook__upload_source_may_repeat(attempt))
        ret_outcome->lost = ret_outcome->starved = 0;
}
