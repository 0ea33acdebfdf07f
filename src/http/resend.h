/* SPDX-License-Identifier: MIT */
/*
 * The two responses after which libcurl may send a request again within one attempt: 401 if it has
 * credentials for the Digest that is asked for (RFC 7616), and 417 if the request expected
 * 100-continue (RFC 9110 10.1.1). Either response has been received completely by then, and it
 * means that the request was not processed.
 */
#ifndef STOOK_HTTP_RESEND_H
#define STOOK_HTTP_RESEND_H

#include "http/attempt_state.h"

/* Prepares attempt->headers for the first sending. */
void stook__resend_init(struct stook__attempt *attempt);
/* Inside libcurl: the final header section is complete. */
void stook__resend_after_head(struct stook__attempt *attempt);
/* Returns 1 if libcurl may send the request again after the response whose header section is
   complete. */
int stook__resend_may_follow(const struct stook__attempt *attempt);
/* Inside libcurl, as may_resend and resend of struct stook__attempt_events. */
int stook__resend_allowed(void *owner);
void stook__resend_begin(void *owner);

#endif
