/* SPDX-License-Identifier: MIT */
/* The rules by which a client holds requests back and repeats them, made from its options. */
#ifndef STOOK_CORE_FLOW_RULES_H
#define STOOK_CORE_FLOW_RULES_H

#include "sched/rate.h"
#include "sched/sched.h"

/* Checks the options and makes the rules; `rates` receives the rates. 0 or STOOK_EARG. */
int stook__flow_rules_from(const struct stook_client_options *options,
                           struct stook__flow_rules *ret_rules,
                           struct stook__rate rates[STOOK__RATES_MAX]);

#endif
