/* SPDX-License-Identifier: MIT */
/* Counts HTTP/2 connections that were lost, for each origin; see http1_fallback.h. */
#include "http/http1_fallback.h"

#include "curl/engine.h"
#include "http/body_sink.h"
#include "loop/loop.h"

enum { LOSSES = 3 }; /* in a row */
static const int64_t FALLBACK_US = (int64_t)600 * 1000 * 1000;

static int is_download(const struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    return optional != NULL && optional->output_file != NULL;
}

void stook__http1_fallback_begin(struct stook__attempt *attempt)
{
    if (!is_download(attempt))
        return;
    /* The exact time: in a millisecond of the loop's clock a connection may be lost and another one
       be used. */
    attempt->began_at = stook__loop_now();
    attempt->http1 = attempt->origin->memory.http1_until > attempt->began_at;
}

/* The engine knows the version of an origin from a response. Without one, an error code of HTTP/2
   tells, or that libcurl wanted to send the request again on a connection that was new. */
static int is_http_2(const struct stook__easy_info *info)
{
    return info->http_2 || info->h2_error >= 0 || (info->resent && !info->reused);
}

/* Whether the peer has reset the stream, or the connection was lost. */
static int is_loss(const struct stook__attempt *attempt, const struct stook__easy_info *info,
                   int error)
{
    return attempt->error == 0 && attempt->connected &&
           (info->h2_error >= 0 || info->resent || error == STOOK_ERESET ||
            error == STOOK_ETRUNCATED);
}

void stook__http1_fallback_note(struct stook__attempt *attempt, const struct stook__easy_info *info,
                                int error)
{
    struct stook__origin_memory *memory = &attempt->origin->memory;
    if (!is_download(attempt) || !is_http_2(info) || attempt->http1)
        return;
    /* A short page that says that there is no such file does not show that a file can be sent. */
    if (error == 0 && stook__body_sink_to_file(attempt))
        memory->http2_losses = 0;
    /* Those that were in flight when a connection was lost are lost with it, and count once. */
    if (error == 0 || !is_loss(attempt, info, error) || attempt->began_at <= memory->http2_lost_at)
        return;
    memory->http2_lost_at = stook__loop_now();
    if (memory->http2_losses < LOSSES)
        memory->http2_losses++;
    if (memory->http2_losses == LOSSES)
        memory->http1_until = memory->http2_lost_at + FALLBACK_US;
    stook__origin_remember(attempt->origin);
}
