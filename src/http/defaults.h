/* SPDX-License-Identifier: MIT */
/* What the attempts of one client have in common, determined once when the client is made. */
#ifndef STOOK_HTTP_DEFAULTS_H
#define STOOK_HTTP_DEFAULTS_H

#include "request/exchange.h"

struct stook__engine;
struct stook__defaults;

/* Makes the defaults of a client. Returns 0, STOOK_ENOMEM, or STOOK_EUNSUPPORTED for cookies
   without a list of public suffixes. `settings` must outlive them. They are freed after the engine,
   whose easy handles point into them. */
int stook__defaults_new(struct stook__allocator *allocator, struct stook__engine *engine,
                        const struct stook__settings *settings,
                        struct stook__defaults **ret_defaults);
/* Has `call` called for each new easy handle, with the owner of its attempt. A number other than 0
   ends the attempt. */
void stook__defaults_set_hook(struct stook__defaults *defaults,
                              int (*call)(void *client, void *owner, void *easy, const char *url),
                              void *client);
/* Sets which statuses may be followed by another attempt: a bit for each. They must outlive the
   defaults. */
void stook__defaults_set_retry_statuses(struct stook__defaults *defaults, const uint64_t *statuses);
/* NULL is allowed. */
void stook__defaults_free(struct stook__defaults *defaults);

#endif
