/* SPDX-License-Identifier: MIT */
/* Bodies that are not in memory: a file, the parts of a multipart/form-data, what the program gives (feed.h). */
#ifndef STOOK_TRANSFER_UPLOAD_H
#define STOOK_TRANSFER_UPLOAD_H

#include "transfer/attempt.h"

/* Options of the attempt's slot, for a spec that has a source. 0, or an error; the outcome is set if there is more
   to say. Files are opened, and closed by stook__upload_end. */
int stook__upload_begin(struct stook__attempt *attempt, struct stook__outcome *ret_outcome);
/* After the slot was given back. */
void stook__upload_end(struct stook__attempt *attempt);

#endif
