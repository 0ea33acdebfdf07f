/* SPDX-License-Identifier: MIT */
/* Public functions of stook/flow.h: changing limits, charging buckets, what is known of origins,
   and whether the policy of an await is satisfied. */
#include "core/batch.h"
#include "core/client.h"
#include "core/report.h"
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

int stook_client_charge(stook_client *client, const stook_result *result, int64_t actual_cost)
{
    if (client == NULL || result == NULL || actual_cost < 0 || actual_cost > INT64_C(1000000000000))
        return STOOK_EARG;
    return stook__client_charge(client, result, actual_cost);
}

int stook_client_origin_at(const stook_client *client, size_t i, struct stook_origin *ret_origin)
{
    struct stook_origin mine;
    if (client == NULL || ret_origin == NULL || !stook__validate_size(ret_origin))
        return STOOK_EARG;
    int error = stook__report_origin(client, i, &mine);
    if (error == 0)
        stook__fill_struct(ret_origin, &mine, sizeof mine);
    return error;
}
