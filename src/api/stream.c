/* SPDX-License-Identifier: MIT */
/* Public functions of stook/stream.h: pulling results, pausing delivery, resuming a request,
   progress. */
#include "core/await.h"
#include "core/streams.h"
#include "request/validate.h"

int stook_batch_next(stook_batch *batch, const stook_result **ret_result)
{
    return batch != NULL && ret_result != NULL ? stook__await_next(batch, ret_result) : STOOK_EARG;
}

void stook_batch_pause_delivery(stook_batch *batch)
{
    if (batch != NULL)
        stook__await_pause(batch, 1);
}

void stook_batch_resume_delivery(stook_batch *batch)
{
    if (batch != NULL)
        stook__await_pause(batch, 0);
}

void stook_batch_resume_request(stook_batch *batch, size_t index)
{
    if (batch != NULL)
        stook__streams_resume(batch, index);
}

int stook_batch_request_progress(const stook_batch *batch, size_t index,
                                 struct stook_progress *ret_progress)
{
    struct stook_progress mine;
    if (batch == NULL || ret_progress == NULL || !stook__validate_size(ret_progress))
        return STOOK_EARG;
    int error = stook__streams_progress(batch, index, &mine);
    if (error == 0)
        stook__fill_struct(ret_progress, &mine, sizeof mine);
    return error;
}
