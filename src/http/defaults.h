/* SPDX-License-Identifier: MIT */
/* What most attempts of a client have in common, found out once. */
#ifndef STOOK_HTTP_DEFAULTS_H
#define STOOK_HTTP_DEFAULTS_H

#include "request/exchange.h"

struct stook__engine;
struct stook__defaults;

/* 0 or STOOK_ENOMEM. The policy and the engine outlive it, but for the engine's last step:
   it is freed after the engine, whose handles point into it. */
int stook__defaults_new(struct stook__allocator *allocator, struct stook__engine *engine,
                        const struct stook__settings *policy, struct stook__defaults **ret_usual);
void stook__defaults_free(struct stook__defaults *defaults);

#endif
