/* SPDX-License-Identifier: MIT */
/* What most attempts of a client have in common, found out once. */
#ifndef STOOK_TRANSFER_USUAL_H
#define STOOK_TRANSFER_USUAL_H

#include "base/exchange.h"

struct stook__engine;
struct stook__usual;

/* 0 or STOOK_ENOMEM. The policy and the engine outlive it, but for the engine's last step:
   it is freed after the engine, whose handles point into it. */
int stook__usual_new(struct stook__heap *heap, struct stook__engine *engine, const struct stook__policy *policy,
                     struct stook__usual **ret_usual);
void stook__usual_free(struct stook__usual *usual);

#endif
