/* SPDX-License-Identifier: MIT */
/* The ..._init() functions of all headers: what the macros do, for languages that have none. */
#include <string.h>

#include "request/validate.h"

/* `size` is the caller's, because its program may be compiled against another version of the
   header. */
static void init(void *theirs, size_t size)
{
    if (theirs == NULL || size < sizeof size)
        return;
    memset(theirs, 0, size);
    memcpy(theirs, &size, sizeof size);
}

void stook_client_options_init(struct stook_client_options *options, size_t size)
{
    init(options, size);
}

void stook_request_init(struct stook_request *request, size_t size)
{
    init(request, size);
}

void stook_part_init(struct stook_part *part, size_t size)
{
    init(part, size);
}

void stook_gather_options_init(struct stook_gather_options *options, size_t size)
{
    init(options, size);
}

void stook_progress_init(struct stook_progress *progress, size_t size)
{
    init(progress, size);
}

void stook_batch_stats_init(struct stook_batch_stats *stats, size_t size)
{
    init(stats, size);
}

void stook_rate_init(struct stook_rate *rate, size_t size)
{
    init(rate, size);
}

void stook_origin_init(struct stook_origin *origin, size_t size)
{
    init(origin, size);
}

void stook_attempt_init(struct stook_attempt *attempt, size_t size)
{
    init(attempt, size);
}

void stook_stats_init(struct stook_stats *stats, size_t size)
{
    init(stats, size);
}
