/* SPDX-License-Identifier: MIT */
/* The outcome of an attempt; see outcome.h. Called by easy_options.c, attempt.c and error_map.c. */
#include "http/outcome.h"

#include <stddef.h>

#include <stook.h>

#include "util/allocator.h"

void stook__outcome_set(struct stook__allocator *allocator, struct stook__outcome *outcome,
                        int error, const char *why)
{
    const char *text = stook_strerror(error);
    *outcome = (struct stook__outcome){.error = error, .message = text};
    if (why == NULL || *why == '\0')
        return;
    char *line = stook__format(allocator, "%s: %s", text, why);
    if (line == NULL)
        return;
    outcome->message = line;
    outcome->message_owned = 1;
}

void stook__outcome_free(struct stook__allocator *allocator, struct stook__outcome *outcome)
{
    if (outcome->message_owned)
        stook__free(allocator, (char *)outcome->message);
    outcome->message_owned = 0;
}
