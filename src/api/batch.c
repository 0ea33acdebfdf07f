/* SPDX-License-Identifier: MIT */
/* Public functions of stook/batch.h, but for the awaits, which are in gather.c: making a batch,
   adding requests, reading results, cancelling and freeing. */
#include "core/batch.h"

#include "request/validate.h"
#include "sched/sched.h"

enum { PRIORITY = 4 }; /* the default */

int stook_batch_new(stook_client *client, stook_batch **ret_batch)
{
    return client != NULL && ret_batch != NULL ? stook__batch_new(client, ret_batch) : STOOK_EARG;
}

/* Copies the request of a program as far as this version knows it. 0, or an error with *ret_why. */
static int take_request(const struct stook_request *request, struct stook_request *ret_request,
                        const char **ret_why)
{
    *ret_why = "the request is NULL";
    if (request == NULL)
        return STOOK_EARG;
    int error = stook__validate_struct(ret_request, sizeof *ret_request, request);
    *ret_why = error == STOOK_EARG
                   ? "the request has no size: make it with STOOK_REQUEST()"
                   : "the request sets a member that this version of stook does not know";
    if (error != 0)
        return error;
    *ret_why = "the request has no URL";
    return ret_request->url != NULL ? 0 : STOOK_EARG;
}

int stook_batch_add(stook_batch *batch, const struct stook_request *request)
{
    struct stook_request mine;
    const char *why;
    int64_t priority;
    if (batch == NULL)
        return STOOK_EARG;
    int error = take_request(request, &mine, &why);
    if (error == 0)
        error = stook__batch_may_add(batch, &why);
    if (error == 0) {
        why = "priority is not 0 or 1 to 7";
        error = stook__validate_number(mine.priority, PRIORITY, 0, STOOK__PRIORITIES, &priority);
    }
    if (error == 0) {
        why = NULL;
        error = stook__batch_add(batch, &mine, (unsigned)priority - 1, &why);
    }
    return error != 0 ? stook__batch_refuse_add(batch, error, why) : 0;
}

size_t stook_batch_count(const stook_batch *batch)
{
    return batch != NULL ? stook__batch_count(batch) : 0;
}

const stook_result *stook_batch_result(const stook_batch *batch, size_t i)
{
    return batch != NULL ? stook__batch_result(batch, i) : NULL;
}

const stook_result *stook_batch_result_by_index(const stook_batch *batch, size_t index)
{
    return batch != NULL ? stook__batch_result_by_index(batch, index) : NULL;
}

const char *stook_batch_message(const stook_batch *batch)
{
    return batch != NULL ? stook__batch_message(batch) : "";
}

void stook_batch_cancel(stook_batch *batch)
{
    if (batch != NULL)
        stook__batch_cancel(batch);
}

void stook_batch_wake(stook_batch *batch)
{
    if (batch != NULL)
        stook__batch_wake(batch);
}

void stook_batch_cancel_request(stook_batch *batch, size_t index)
{
    if (batch != NULL)
        stook__batch_cancel_request(batch, index);
}

void stook_batch_free(stook_batch *batch)
{
    if (batch != NULL)
        stook__batch_free(batch);
}
