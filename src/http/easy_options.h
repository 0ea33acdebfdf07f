/* SPDX-License-Identifier: MIT */
/* Maps a request onto the options of an easy handle. Called by attempt.c, preview.c,
   receive.c, resend.c. */
#ifndef STOOK_HTTP_EASY_OPTIONS_H
#define STOOK_HTTP_EASY_OPTIONS_H

#include "http/attempt_state.h"

/*
 * Checks method, header fields and what this libcurl supports, and makes attempt->headers.
 * *ret_secret: whether the fields contain credentials. Returns 0, STOOK_EARG, STOOK_EPOLICY,
 * STOOK_EUNSUPPORTED or STOOK_ENOMEM; *ret_outcome is set unless it is STOOK_ENOMEM.
 */
int stook__options_check(struct stook__attempt *attempt, int *ret_secret,
                         struct stook__outcome *ret_outcome);
/*
 * Takes an easy handle for a request that was checked, and sets all its options. `events`: what the
 * transfer reports to. `secret`: see above. Returns 0, STOOK_EARG, STOOK_EURL, STOOK_EUNSUPPORTED
 * or STOOK_ENOMEM; *ret_outcome is set where there is more to say.
 */
int stook__options_set(struct stook__attempt *attempt, const struct stook__attempt_events *events,
                       int secret, struct stook__outcome *ret_outcome);
/* Sets whether the connection is closed after this request. Also called inside libcurl. */
void stook__options_last(struct stook__attempt *attempt, int last);
/* Returns 1 if the connection may speak HTTP/2, which is negotiated in TLS; 2 if also HTTP/3. */
int stook__options_may_be_h2(const struct stook__attempt *attempt);

#endif
