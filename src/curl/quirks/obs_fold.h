/* SPDX-License-Identifier: MIT */
/*
 * Versions: all before 8.1.0.
 * Fault:    a header line that begins with a blank continues the field before it (obs-fold, RFC
 *           9112 5.2). If it is the first line of its header section, libcurl appends it to the
 *           last field of the handle's previous response. That field is freed: any server can write
 *           there.
 * Reason:   curl issue 11101.
 * Handling: the first header line of each response is read before libcurl parses it, and a leading
 *           blank becomes a NUL. libcurl refuses such a line, as a new handle refuses the blank.
 *           Only libcurl's debug callback sees the line early enough, so CURLOPT_VERBOSE is on for
 *           that line alone.
 * Test:     regress/multi.folded_fields.
 */
#ifndef STOOK_CURL_QUIRKS_OBS_FOLD_H
#define STOOK_CURL_QUIRKS_OBS_FOLD_H

#include <stddef.h>

struct stook__easy;

/* What the next line of a header section is. */
enum stook__obs_fold_state {
    STOOK__STATUS_IS_NEXT, /* the status line */
    STOOK__FIELD_IS_NEXT,  /* the first field, which must not be an obs-fold */
    STOOK__OBS_FOLD_SAFE,  /* another field */
};

/* Sets the debug callback of a new easy handle. */
void stook__obs_fold_init(struct stook__easy *easy);
/* Resets the state before a transfer starts. */
void stook__obs_fold_begin(struct stook__easy *easy);
/* Processes one line of a header section, until the state is STOOK__OBS_FOLD_SAFE. It runs inside
   libcurl's header callback. Setting CURLOPT_VERBOSE there is safe: it changes a flag. */
void stook__obs_fold_line(struct stook__easy *easy, const char *line, size_t size);

#endif
