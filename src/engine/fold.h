/* SPDX-License-Identifier: MIT */
/*
 * A field that begins with a blank goes on with the field before it (obs-fold, RFC 9112 5.2). Where it is the
 * first of its head, libcurl up to 8.0 puts it behind the last one of the handle's answer before, which is
 * freed: any server can have it write there. So the first field is looked at before libcurl takes it in, which
 * is what its callback for traces is told of, switched on for that line alone; one that begins with a blank
 * is made one that is refused, as it is on a fresh handle.
 */
#ifndef STOOK_ENGINE_FOLD_H
#define STOOK_ENGINE_FOLD_H

#include "engine/lane.h"

/* A new handle. */
void stook__fold_init(struct stook__slot *slot);
/* It starts. */
void stook__fold_begin(struct stook__slot *slot);
/* From inside libcurl's callbacks: a line of the head, until folds are good. */
void stook__fold_line(struct stook__slot *slot, const char *line, size_t size);

#endif
