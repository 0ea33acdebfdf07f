/* SPDX-License-Identifier: MIT */
/*
 * Request bodies that are not in memory: a file, the parts of a multipart/form-data, and the bytes
 * that the program provides (upload_source.h).
 */
#ifndef STOOK_HTTP_UPLOAD_H
#define STOOK_HTTP_UPLOAD_H

struct stook__attempt;

/* Begins to open the files of the body. The spec has a source. 0 or STOOK_ENOMEM. */
int stook__upload_open(struct stook__attempt *attempt);
/* Whether one of the files is not open yet. The attempt cannot start before. */
int stook__upload_opening(const struct stook__attempt *attempt);
/* Whether the body is an open file of size 0. */
int stook__upload_is_empty(const struct stook__attempt *attempt);
/* Sets the options of the attempt's easy handle. 0 or STOOK_ENOMEM. */
int stook__upload_begin(struct stook__attempt *attempt);
/* Continues libcurl if it is paused for bytes of a file that are ready now. */
void stook__upload_continue(struct stook__attempt *attempt);
/* The attempt has returned its easy handle and gets another one: rewinds the body. */
void stook__upload_renew(struct stook__attempt *attempt);
/* Frees everything. The attempt has returned its easy handle. */
void stook__upload_end(struct stook__attempt *attempt);

#endif
