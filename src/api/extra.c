/* SPDX-License-Identifier: MIT */
/* What few requests say, copied into a block of its own: the struct, then the strings. */
#include <string.h>

#include "api/input.h"

int stook__input_streams(const struct stook_request *request)
{
    return request->on_body != NULL;
}

static int is_used(const struct stook_request *request)
{
    return request->on_head != NULL || request->on_body != NULL;
}

int stook__input_extra(struct stook_result *record, const struct stook_request *request)
{
    if (!is_used(request))
        return 0;
    struct stook__extra *extra = stook__alloc(record->heap, sizeof *extra);
    if (extra == NULL)
        return STOOK_ENOMEM;
    extra->on_head = request->on_head;
    extra->on_body = request->on_body;
    record->spec.extra = extra;
    return 0;
}
