/* SPDX-License-Identifier: MIT */
/*
 * Decodes content codings (RFC 9110 8.4), at most two applied one after the other. The owner feeds
 * the bytes that arrive and pulls decoded pieces, so neither side holds more than a piece. libcurl
 * can decode too, but it reports success for half a body.
 *
 * Every layer is bounded, not only the last one: the bytes that a layer produces may not exceed a
 * maximum, nor a multiple of the bytes that were fed. Work is bounded as well, because a stream can
 * keep a codec busy without producing a byte: each pull spends a budget and stops when it is used
 * up.
 *
 * A layer moves like this, and only move() of decoder.c moves it:
 *
 *   EMPTY --> STREAM --> ENDED --> JUNK
 *                 ^--------'
 */
#ifndef STOOK_HTTP_DECODER_H
#define STOOK_HTTP_DECODER_H

#include "util/allocator.h"

struct stook__decoder;

enum {
    STOOK__DECODER_LAYERS = 2,
    /* Bytes that a layer may produce regardless of the ratio. */
    STOOK__DECODER_FREE = 1 << 20,
    /* The cost of a byte that is read. An empty block that sets up its tables costs hundreds of
       nanoseconds a byte; a byte that is produced costs a few. */
    STOOK__DECODER_READ = 32,
    /* The cost of the start of another stream in the same coding: it may set up tables again. */
    STOOK__DECODER_RESTART = 4096
};

/* -1: no bound. */
struct stook__decoder_limits {
    int64_t bytes; /* Bytes of the last layer. Others may produce STOOK__DECODER_FREE more. */
    int64_t ratio; /* Bytes produced by a layer per byte fed, beyond STOOK__DECODER_FREE. */
};

/*
 * Makes a decoder for a value of Content-Encoding, which is a list. *ret_decoder is NULL if there
 * is nothing to decode or this build lacks a codec; then the body stays as it is. 0, STOOK_EDECODE
 * (more than STOOK__DECODER_LAYERS) or STOOK_ENOMEM.
 */
int stook__decoder_new(struct stook__allocator *allocator, const char *list,
                       const struct stook__decoder_limits *limits,
                       struct stook__decoder **ret_decoder);
/* `decoder` may be NULL. */
void stook__decoder_free(struct stook__decoder *decoder);

/*
 * Gives the decoder its next input. Allowed at first, and after a pull that returned no bytes while
 * budget remained. The bytes must stay valid until the next such pull.
 */
void stook__decoder_feed(struct stook__decoder *decoder, const void *data, size_t size);
/*
 * Decodes into `room` and sets *ret_size. *budget, above 0 before the call, goes down by the bytes
 * that any layer produces and by STOOK__DECODER_READ for each byte that a layer reads. If *ret_size
 * is 0 and budget remains, the decoder needs input; if none remains, pull again later. 0,
 * STOOK_EDECODE, STOOK_ETOOLARGE or STOOK_ENOMEM; stook__decoder_why() explains the first two.
 */
int stook__decoder_pull(struct stook__decoder *decoder, void *room, size_t size, int64_t *budget,
                        size_t *ret_size);
/* Returns the reason of the last error as static text. */
const char *stook__decoder_why(const struct stook__decoder *decoder);
/* After all input: whether every stream has ended, or there was no input at all. */
int stook__decoder_ended(const struct stook__decoder *decoder);
/* Whether bytes followed the end of a stream that do not start another one. */
int stook__decoder_trailed(const struct stook__decoder *decoder);

#endif
