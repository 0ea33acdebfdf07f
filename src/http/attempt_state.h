/* SPDX-License-Identifier: MIT */
/*
 * The structs that the files of this room share: a client's defaults, an attempt with its state,
 * its stream. No other room includes this header. Functions are declared by the file that defines
 * them; here are those that change the state, which is always done by them. The files
 * that work on an attempt lie above this one, so it includes none of them.
 */
#ifndef STOOK_HTTP_ATTEMPT_STATE_H
#define STOOK_HTTP_ATTEMPT_STATE_H

#include <assert.h>

#include "curl/easy.h"
#include "deliver/flow_control.h"
#include "http/outcome.h"
#include "http1/reader_state.h"
#include "origin/origin.h"
#include "request/exchange.h"
#include "util/map.h"
#include "util/metadata.h"
#include "util/trace.h"

struct stook__defaults {
    struct stook__allocator *allocator;
    struct stook__engine *engine;
    const struct stook__settings *settings; /* of the client */
    /* Of `settings`: without a proxy; with that for http, for https. NULL: there is none. */
    struct stook__trust *trusts[3];
    char *agent;                  /* the User-Agent's header line, or NULL */
    struct curl_slist *headers;   /* a list with that line; NULL: it is empty */
    size_t head_size;             /* of the last result; the next one reserves as much */
    struct stook__link downloads; /* every download that is not closed */
    size_t n_downloads;
    struct stook__link files_ready; /* attempts with a completed file operation */
    size_t n_to_program;            /* running attempts with on_body */
    int has_tls;                    /* libcurl was built with TLS */
    int has_https_proxy;            /* and speaks it to proxies too */
    int has_tls_in_tls;             /* and inside that, TLS to an origin */
    int has_psl;                    /* libcurl knows public suffixes */
    const uint64_t *retry_statuses; /* a bit for each status below 600 */
    const char *no_password;        /* CURLOPT_KEYPASSWD of a key without one; NULL: unset */
    /* What calls on_easy, and its argument; NULL: the client has none. */
    int (*call_easy)(void *client, void *owner, void *easy, const char *url);
    void *client;
    long versions[STOOK_HTTP_3 + 1]; /* CURL_HTTP_VERSION_... by STOOK_HTTP_...; 0: unsupported */
};

/*
 * The state of an attempt.
 *
 *   OPENING -> CONNECTING -> SENDING -> HEAD -> BODY -> DELIVERING -> SETTLING -> COMPLETED
 *                  ^           | ^                |
 *                  +-- retry --+ +---- resend ----+
 *
 * The first five are states of the transfer. Any of them may be followed by any of the last three,
 * of which an attempt skips those that it does not need: a transfer that fails goes from where it
 * is to its end. Only OPENING is never followed by DELIVERING: without a transfer there is nothing
 * to deliver. stook__attempt_end frees an attempt in any state.
 */
enum stook__attempt_state {
    STOOK__ATTEMPT_OPENING,    /* its files are being opened, there is no transfer */
    STOOK__ATTEMPT_CONNECTING, /* the engine has the transfer; see stook__easy_connect_step */
    STOOK__ATTEMPT_SENDING,    /* connected; the request is being sent, or is sent */
    STOOK__ATTEMPT_HEAD,       /* header lines have come, of a 1xx response or of the final one */
    STOOK__ATTEMPT_BODY,       /* the final header section is complete */
    STOOK__ATTEMPT_DELIVERING, /* the transfer has ended, the program has not had all of it */
    STOOK__ATTEMPT_SETTLING,   /* its file is being put in place, or removed */
    STOOK__ATTEMPT_COMPLETED   /* stook__attempt_next_completed has returned it */
};

/* Why the response is not shown to the program, which may mean that it is not the result's. */
enum stook__passed_over {
    STOOK__PASSED_OVER_NOT,      /* it is */
    STOOK__PASSED_OVER_REDIRECT, /* it is a redirect that is followed; its body is not kept */
    STOOK__PASSED_OVER_MIRROR,   /* another mirror is tried; its body is not kept */
    STOOK__PASSED_OVER_RETRY     /* it may be followed by another attempt; its body goes to memory
                                    instead of the program, in case it is not */
};

struct stook__attempt {
    enum stook__attempt_state state;   /* set by stook__attempt_move alone */
    enum stook__attempt_state reached; /* the last state of the transfer, which outlives it */
    struct stook__allocator *allocator;
    struct stook__engine *engine;
    struct stook__easy *easy; /* NULL before its files are open, and after a failed set-up */
    const struct stook__spec *spec;
    const char
        *plain_path; /* what follows the origin in the URL; NULL: libcurl's parser reads it */
    struct stook__origin *origin;
    const struct stook__settings *settings;
    char *target;                /* path and query that are sent, where the path is not plain */
    const char *proxy;           /* the URL of the proxy on the way; NULL: none is */
    struct stook__answer answer; /* what the result will have */
    const char *method;
    void *owner;
    struct stook__defaults *defaults;
    struct curl_slist *headers; /* of this request; NULL: those of the defaults */
    const int64_t *clock;       /* the engine's time, which is current inside libcurl */

    int64_t began_at;              /* of a download */
    int64_t moved_at;              /* when a byte was last seen, in either direction; 0: never */
    int64_t sent;                  /* bytes of the request's body, as last read from libcurl */
    int64_t head_bytes;            /* of all header and trailer sections */
    int64_t head_fields;           /* number of fields in these */
    int64_t wire;                  /* bytes of the response's body before decoding */
    int64_t received;              /* the same after decoding; only with a body sink */
    int64_t resumed;               /* bytes of the output file that were there before */
    size_t trailers_at;            /* offset in answer.head where the trailer fields begin */
    struct stook__reader response; /* `line` is freed by the attempt */

    int flags; /* STOOK_FLAG_... */

    /* These do not follow from the state. */
    int connected;         /* there was a connection, maybe before a retry: it may have been sent */
    int fresh;             /* it must not use a connection that was used before */
    int resends;           /* sendings beside the first (resend.c) */
    int resends_exhausted; /* libcurl was refused one more of these */
    int http1;             /* it must not offer HTTP/2 (http1_fallback.h) */
    int direct;            /* we speak HTTP/1.1 on a connection that libcurl makes (route.h) */
    int may_retry;         /* another attempt may follow if its status is one that is retried */
    int retry_whole;       /* the requested range does not exist, but the whole does */
    enum stook__passed_over passed_over;

    int error;                         /* of the callback that ended the transfer; 0: none did */
    const char *why;                   /* its reason, or NULL */
    char *owned_why;                   /* `why`, if it is not static */
    int os_error;                      /* errno of that error; 0: it has none */
    struct stook__outcome setup_error; /* why no transfer could be started; .error 0: no reason */

    struct stook__link files_ready;      /* in defaults->files_ready */
    struct stook__upload_source *source; /* a body from body_read, or NULL */
    struct stook__upload *upload;        /* a body from files, or NULL */
    struct stook__body_sink *sink;       /* NULL: the body is appended to answer.body as it comes */
    struct stook__stream *stream;        /* NULL: the turn works for it only at its end */
    struct stook__body_flow flow;        /* what pauses its body, and how much of it is buffered */
};

/* Part of an attempt that the turn works for while it runs: one with callbacks or a body sink. */
struct stook__stream {
    struct stook__link ready_owners; /* in the engine's list of ready streams */
    struct stook__attempt *attempt;
    int64_t sent; /* bytes of the request's body, as last reported by libcurl */

    /* What the turn has to do. */
    int head_due; /* on_head is still to be called */
    int moved;    /* bytes have moved since the last call of on_progress */

    /* These do not follow from the state. */
    int shown;   /* on_head or on_body was called: this response is the result's */
    int resumed; /* stook_batch_resume_request() was called before the pause that it ends,
                           maybe from inside the callback that returns STOOK_PAUSE */
};

/* The states that may follow each state, as bits. */
extern const unsigned short stook__attempt_moves[];
#ifdef STOOK_TRACE
const char *stook__attempt_state_name(enum stook__attempt_state state);
#endif

/* Moves the attempt to another state. `reason` is for the trace. */
static inline void stook__attempt_move(struct stook__attempt *attempt,
                                       enum stook__attempt_state state, const char *reason)
{
    assert((stook__attempt_moves[attempt->state] & 1u << state) != 0);
    STOOK__TRACE("http", "batch %p request %zu: attempt %p of %.*s: %s -> %s, %s",
                 attempt->spec->batch, attempt->spec->index, (void *)attempt,
                 (int)attempt->origin->node.key_size, attempt->origin->node.key,
                 stook__attempt_state_name(attempt->state), stook__attempt_state_name(state),
                 reason);
    (void)reason;
    attempt->state = state;
    if (state <= STOOK__ATTEMPT_BODY)
        attempt->reached = state;
}

/* Resets the reader: the next byte is the first one of a response. */
void stook__attempt_expect(struct stook__attempt *attempt);

/* Returns 1 if a response with this status is one after which a request may be sent again. */
static inline int stook__defaults_retries(const struct stook__defaults *defaults, unsigned status)
{
    return status < 600 && (defaults->retry_statuses[status / 64] >> status % 64 & 1);
}

/* Returns 1 if the scheme of the URL is https. */
static inline int stook__attempt_is_https(const struct stook__attempt *attempt)
{
    return attempt->origin->node.key_size > 5 && attempt->origin->node.key[4] == 's';
}

/* Returns 1 if a byte of the request may have reached a connection. */
static inline int stook__attempt_was_handed_over(const struct stook__attempt *attempt)
{
    return attempt->connected &&
           (attempt->easy == NULL || stook__easy_may_have_sent(attempt->easy));
}

/* Returns 1 if the final header section was received completely. */
static inline int stook__attempt_head_done(const struct stook__attempt *attempt)
{
    return attempt->reached == STOOK__ATTEMPT_BODY;
}

/* Returns 1 if the body of the response is chunked, as HTTP/1 chunks it. */
static inline int stook__attempt_is_chunked(const struct stook__attempt *attempt)
{
    return attempt->response.by_chunks;
}

/* Ends the transfer from inside libcurl. The first error of an attempt counts. Returns
   STOOK__EASY_END. */
static inline int stook__attempt_stop(struct stook__attempt *attempt, int error, const char *why)
{
    if (attempt->error == 0) {
        attempt->error = error;
        attempt->why = why;
    }
    return STOOK__EASY_END;
}

/* A file operation ends in a callback of loop/file.h. It only marks the attempt ready, and the turn
   takes the attempt from the list. */

/*
 * Fails the attempt because one of its files cannot be used. `path` and `suffix` make the file's
 * name. `why` is the reason; NULL: the text of `os_error`. The first failure of an attempt counts.
 */
void stook__attempt_file_failed(struct stook__attempt *attempt, const char *path,
                                const char *suffix, int os_error, const char *why);
/* Fails the attempt because its file has another digest than the one expected: STOOK_ECHECKSUM. The
   attempt copies `why`. */
void stook__attempt_file_differs(struct stook__attempt *attempt, const char *why);
/* Marks the attempt ready: an operation on one of its files has ended. */
void stook__attempt_file_completed(struct stook__attempt *attempt);
/* Takes the next attempt that is ready. NULL: there is none. */
struct stook__attempt *stook__attempt_next_file(struct stook__defaults *defaults);

#endif
