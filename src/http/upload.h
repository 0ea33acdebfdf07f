/* SPDX-License-Identifier: MIT */
/* Bodies that are not in memory: a file, the parts of a multipart/form-data, what the program gives (upload_source.h). */
#ifndef STOOK_HTTP_UPLOAD_H
#define STOOK_HTTP_UPLOAD_H

#include "http/attempt.h"

/* Begins to open the files of a spec that has a source. 0 or STOOK_ENOMEM. */
int stook__upload_open(struct stook__attempt *attempt);
/* One of them is not open yet, the attempt cannot start. */
int stook__upload_opening(const struct stook__attempt *attempt);
/* It is an open file without a byte. */
int stook__upload_is_empty(const struct stook__attempt *attempt);
/* Options of the attempt's easy handle. 0 or STOOK_ENOMEM. */
int stook__upload_begin(struct stook__attempt *attempt);
/* libcurl goes on, if it waited for bytes of a file that are there now. */
void stook__upload_go_on(struct stook__attempt *attempt);
/* The attempt gets another easy handle, and was given back the one that it had: all begins anew. */
void stook__upload_renew(struct stook__attempt *attempt);
/* After the easy handle was given back. */
void stook__upload_end(struct stook__attempt *attempt);

#endif
