/* SPDX-License-Identifier: MIT */
/* Public functions of stook/flow.h: changing limits, and whether the policy of an await is
   satisfied. */
#include "core/batch.h"
#include "core/client.h"
#include "request/validate.h"

int stook_client_set_limit(stook_client *client, int64_t limit)
{
    size_t size;
    if (client == NULL || stook__validate_limit(limit, &size) != 0)
        return STOOK_EARG;
    return stook__client_set_limit(client, size);
}

int stook_client_set_origin_limit(stook_client *client, int64_t limit)
{
    size_t size;
    if (client == NULL || stook__validate_limit(limit, &size) != 0)
        return STOOK_EARG;
    return stook__client_set_origin_limit(client, size);
}

int stook_batch_set_limit(stook_batch *batch, int64_t limit)
{
    size_t size;
    if (batch == NULL || stook__validate_limit(limit, &size) != 0)
        return STOOK_EARG;
    return stook__batch_set_limit(batch, size);
}

int stook_batch_satisfied(const stook_batch *batch)
{
    return batch != NULL && stook__batch_is_satisfied(batch);
}
