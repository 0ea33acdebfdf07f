/* SPDX-License-Identifier: MIT */
/*
 * Content codings taken off a body, at most five one upon the other. Bytes are fed as they come and
 * pulled in pieces, so that neither side has to hold more than a piece. libcurl could do it, and calls
 * half a body a success.
 */
#ifndef STOOK_TRANSFER_DECODE_H
#define STOOK_TRANSFER_DECODE_H

#include "base/heap.h"

struct stook__decoder;

/*
 * A decoder for that value of Content-Encoding, a list. 0 with *ret_decoder, which is NULL if there is
 * nothing to take off or a coding that is not known here: then the body stays as it is. Or
 * STOOK_EDECODE (too many), STOOK_ENOMEM.
 */
int stook__decoder_new(struct stook__heap *heap, const char *list, struct stook__decoder **ret_decoder);
void stook__decoder_free(struct stook__decoder *decoder);

/* Only after a pull has given nothing. The bytes must stay until the next one that gives nothing. */
void stook__decoder_feed(struct stook__decoder *decoder, const void *data, size_t size);
/* Decoded bytes, *ret_size of them; 0 bytes: feed more. 0, STOOK_EDECODE or STOOK_ENOMEM. */
int stook__decoder_pull(struct stook__decoder *decoder, void *room, size_t size, size_t *ret_size);
/* All has been fed and pulled. 1: each stream has had its end, or nothing came at all. */
int stook__decoder_ended(const struct stook__decoder *decoder);
/* Bytes came behind the end of a stream, which are nothing. */
int stook__decoder_trailed(const struct stook__decoder *decoder);

#endif
