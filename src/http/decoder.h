/* SPDX-License-Identifier: MIT */
/*
 * Content codings decoded, at most two applied one after the other. Bytes are fed as they come and
 * pulled in pieces, so that neither side has to hold more than a piece. libcurl could do it, and calls
 * half a body a success.
 *
 * Every layer is bounded, not only the last: what a layer produces is held against the bytes that
 * came over the wire and against a maximum. Work is bounded too: a stream may keep a decoder busy
 * without producing anything, so each pull has a budget and says when it is used up.
 */
#ifndef STOOK_HTTP_DECODER_H
#define STOOK_HTTP_DECODER_H

#include "util/allocator.h"

struct stook__decoder;

enum {
    STOOK__DECODER_LAYERS = 2,
    STOOK__DECODER_FREE = 1 << 20, /* bytes that a layer may produce whatever the ratio */
    /* What a byte that is read counts as: empty blocks that each set up tables cost hundreds of nanoseconds a byte,
       what is produced some few. */
    STOOK__DECODER_READ = 32,
    /* What the begin of another stream in the same coding counts as: it may set up tables anew. */
    STOOK__DECODER_RESTART = 4096
};

/* -1: no bound. */
struct stook__decoder_limits {
    int64_t bytes; /* of the last layer; the others may have STOOK__DECODER_FREE more */
    int64_t ratio; /* produced bytes of any layer for each byte fed, beyond STOOK__DECODER_FREE */
};

/*
 * A decoder for that value of Content-Encoding, a list. 0 with *ret_decoder, which is NULL if there is
 * nothing to decode or a coding that is not known here: then the body stays as it is. Or
 * STOOK_EDECODE (more than STOOK__DECODER_LAYERS), STOOK_ENOMEM.
 */
int stook__decoder_new(struct stook__allocator *allocator, const char *list,
                       const struct stook__decoder_limits *limits,
                       struct stook__decoder **ret_decoder);
void stook__decoder_free(struct stook__decoder *decoder);

/* Only after a pull has given nothing with budget left. The bytes must stay until the next such pull. */
void stook__decoder_feed(struct stook__decoder *decoder, const void *data, size_t size);
/*
 * Decoded bytes, *ret_size of them. *budget, more than 0, goes down by all bytes that any layer
 * produces, and by STOOK__DECODER_READ for each that it reads. No bytes: feed more if the budget is above 0, else pull again later.
 * 0, STOOK_EDECODE, STOOK_ETOOLARGE or STOOK_ENOMEM; stook__decoder_why() says more of the first two.
 */
int stook__decoder_pull(struct stook__decoder *decoder, void *room, size_t size, int64_t *budget,
                        size_t *ret_size);
const char *stook__decoder_why(const struct stook__decoder *decoder);
/* All has been fed and pulled. 1: each stream has had its end, or nothing came at all. */
int stook__decoder_ended(const struct stook__decoder *decoder);
/* Bytes came behind the end of a stream, which are nothing. */
int stook__decoder_trailed(const struct stook__decoder *decoder);

#endif
