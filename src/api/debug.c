/* SPDX-License-Identifier: MIT */
/* Public functions of stook/debug.h: states of requests, statistics, a dump, a request as a curl
   command. */
#include "core/report.h"
#include "request/validate.h"
#include "sched/sched.h"

int stook_batch_request_state(const stook_batch *batch, size_t index)
{
    return batch != NULL ? stook__report_state(batch, index) : STOOK_STATE_NONE;
}

const char *stook_state_text(int state)
{
    return stook__report_text(state);
}

int stook_client_stats(const stook_client *client, struct stook_stats *ret_stats)
{
    struct stook_stats mine;
    if (client == NULL || ret_stats == NULL || !stook__validate_size(ret_stats))
        return STOOK_EARG;
    stook__report_client(client, &mine);
    stook__fill_struct(ret_stats, &mine, sizeof mine);
    return 0;
}

int stook_batch_stats(const stook_batch *batch, struct stook_batch_stats *ret_stats)
{
    struct stook_batch_stats mine;
    if (batch == NULL || ret_stats == NULL || !stook__validate_size(ret_stats))
        return STOOK_EARG;
    int error = stook__report_batch(batch, &mine);
    if (error == 0)
        stook__fill_struct(ret_stats, &mine, sizeof mine);
    return error;
}

int stook_client_dump(const stook_client *client, FILE *to)
{
    return client != NULL && to != NULL ? stook__report_dump(client, to) : STOOK_EARG;
}

int64_t stook_request_to_curl(const stook_client *client, const struct stook_request *request,
                              int64_t flags, char *buffer, size_t size)
{
    struct stook_request mine;
    int64_t unused;
    if (client == NULL || request == NULL || (buffer == NULL && size > 0) ||
        (flags & ~(int64_t)STOOK_CURL_SECRETS) != 0)
        return STOOK_EARG;
    int error = stook__validate_struct(&mine, sizeof mine, request);
    if (error == 0 && mine.url == NULL)
        error = STOOK_EARG;
    if (error == 0)
        error = stook__validate_number(mine.priority, 0, 0, STOOK__PRIORITIES, &unused);
    if (error != 0)
        return error;
    return stook__report_curl(client, &mine, (flags & STOOK_CURL_SECRETS) != 0, buffer, size);
}
