/* SPDX-License-Identifier: MIT */
/*
 * A field that begins with a blank goes on with the field before it (obs-fold, RFC 9112 5.2). Where it is the
 * first of its head, libcurl up to 8.0 puts it behind the last one of the handle's answer before, which is
 * freed: any server can have it write there. So the first field is looked at before libcurl takes it in, which
 * is what its callback for traces is told of, switched on for that line alone; one that begins with a blank
 * is made one that is refused, as it is on a fresh handle.
 */
#ifndef STOOK_CURL_QUIRKS_OBS_FOLD_H
#define STOOK_CURL_QUIRKS_OBS_FOLD_H

#include "curl/multi.h"

/* A new handle. */
void stook__obs_fold_init(struct stook__easy *easy);
/* It starts. */
void stook__obs_fold_begin(struct stook__easy *easy);
/* From inside libcurl's callbacks: a line of the head, until folds are good. */
void stook__obs_fold_line(struct stook__easy *easy, const char *line, size_t size);

#endif
