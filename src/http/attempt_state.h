/* SPDX-License-Identifier: MIT */
/*
 * The structs that the files of this room share: a client's defaults, an attempt, its stream.
 * No other room includes this header. The functions are declared by the file that defines them.
 */
#ifndef STOOK_HTTP_ATTEMPT_STATE_H
#define STOOK_HTTP_ATTEMPT_STATE_H

#include "curl/easy.h"
#include "deliver/flow_control.h"
#include "http/attempt.h"
#include "http/defaults.h"
#include "http/response_parser.h"
#include "util/map.h"
#include "util/metadata.h"

struct stook__defaults {
    struct stook__allocator *allocator;
    struct stook__engine *engine;
    const struct stook__settings *policy; /* of the client */
    struct stook__trust *trust;           /* of `policy` */
    char *agent;                          /* the User-Agent's header line, or NULL */
    struct curl_slist *headers;           /* a list with that line; NULL: it is empty */
    size_t head_size;                     /* of the last answer; the next one reserves as much */
    struct stook__link downloads;         /* every download that is not closed */
    size_t n_downloads;
    struct stook__link files_ready;  /* attempts with a completed file operation */
    size_t n_to_program;             /* running attempts with on_body */
    int has_tls;                     /* libcurl was built with TLS */
    const char *no_password;         /* CURLOPT_KEYPASSWD of a key without one; NULL: unset */
    long versions[STOOK_HTTP_3 + 1]; /* CURL_HTTP_VERSION_... by STOOK_HTTP_...; 0: unsupported */
};

struct stook__attempt {
    struct stook__allocator *allocator;
    struct stook__engine *engine;
    struct stook__easy *easy; /* NULL before its files are open, and after a failed set-up */
    const struct stook__spec *spec;
    const struct stook__node *origin; /* key and hash of the origin */
    const struct stook__settings *policy;
    struct stook__answer answer; /* what the result will have */
    const char *method;
    void *owner;
    struct stook__defaults *defaults;
    struct curl_slist *headers; /* of this request; NULL: those of the defaults */
    const int64_t *clock;       /* the engine's time, which is current inside libcurl */

    int64_t moved_at;    /* when a byte was last seen, in either direction; 0: never */
    int64_t sent;        /* bytes of the request's body, as last read from libcurl */
    int64_t head_bytes;  /* of all header and trailer sections */
    int64_t head_fields; /* number of fields in these */
    int64_t wire;        /* bytes of the response's body before decoding */
    int64_t received;    /* the same after decoding; only with a body sink */
    size_t trailers_at;  /* offset in answer.head where the trailer fields begin */
    struct stook__response_parser response; /* `line` is freed by the attempt */

    int flags;             /* STOOK_FLAG_... */
    int head_done;         /* the final header section is complete */
    int connected;         /* libcurl has reported a connection */
    int reused;            /* that connection was used before */
    int fresh;             /* this attempt must not use such a connection */
    int started;           /* the engine has taken it; before that, its files are opened */
    int settling;          /* the transfer is over, its file is being put in place or removed */
    int resends;           /* sendings beside the first (resend.c) */
    int resends_exhausted; /* libcurl was refused one more of these */
    int retry_whole;       /* the requested range does not exist, but the whole does */

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
    int64_t sent;       /* bytes of the request's body, as last reported by libcurl */
    int head_due;       /* on_head is still to be called */
    int head_delivered; /* on_head was called: this response is the result's */
    int moved;          /* bytes have moved since the last call of on_progress */
    int resumed;        /* stook_batch_resume_request() was called, possibly from inside the
                          callback that is about to pause */
    int transfer_done;  /* libcurl has ended the transfer, the program has not had all of it */
};

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

#endif
