/* SPDX-License-Identifier: MIT */
/*
 * The outcome of an attempt: what the turn and the scheduler are told about its end. It lies below
 * the attempt, because every file that can refuse a request writes one.
 */
#ifndef STOOK_HTTP_OUTCOME_H
#define STOOK_HTTP_OUTCOME_H

#include <stdint.h>

struct stook__allocator;

/* How a request, or an attempt, ended. `message` is static, or allocated if `message_owned`. */
struct stook__outcome {
    int error;
    const char *message;
    int message_owned;
    int idempotent, lost, refused, replayable, shown; /* see struct stook__ending */
    int sent;        /* a connection was there, and the request was sent */
    int64_t wait_ms; /* with a response: what it says about when to come back; -1: nothing */
    int own_error; /* of the last attempt, where `error` is that of the one before; 0: it is not */
    int cut;       /* the rest of its body was not read, because it was to be followed by another */
    int os_error;  /* errno of an attempt that could not begin */
    int untried;   /* the engine never got it */
    int redirected; /* the response is a redirect that is followed */
    int starved; /* there was no descriptor or port: it may succeed when other requests are over */
};

/* Sets error and message: "text of the error: why"; without `why`, or without memory, the text. */
void stook__outcome_set(struct stook__allocator *allocator, struct stook__outcome *outcome,
                        int error, const char *why);

/* Frees the message, if it is allocated. */
void stook__outcome_free(struct stook__allocator *allocator, struct stook__outcome *outcome);

#endif
