/* SPDX-License-Identifier: MIT */
/*
 * Where an answer ends is ours to say, libcurl is only a witness: it takes what it can get. What is not
 * quite valid and has one meaning only is taken and flagged; `strict` makes an error of it.
 */
#ifndef STOOK_TRANSFER_FRAMING_H
#define STOOK_TRANSFER_FRAMING_H

#include "transfer/parts.h"

/* All inside libcurl, while the final head comes. 0, or the attempt is to end, its error is set. */

/* A status line, which begins with "HTTP/". */
int stook__framing_status(struct stook__attempt *attempt, const char *line, const char *end);
/* A field of the head, with what stands before and behind its colon. */
int stook__framing_field(struct stook__attempt *attempt, const char *line, const char *colon, const char *end);
/* A line that goes on with the field before it (RFC 9112 5.2), put behind that. */
int stook__framing_fold(struct stook__attempt *attempt, const char *line, const char *end);
/* The final head is complete. */
int stook__framing_done(struct stook__attempt *attempt);

/* It is not as it should be, and it is known what is meant. */
int stook__framing_lenient(struct stook__attempt *attempt, const char *why);
int stook__framing_stop(struct stook__attempt *attempt, int error, const char *why);

#endif
