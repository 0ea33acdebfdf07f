/* SPDX-License-Identifier: MIT */
/* Public functions of stook/flow.h: changing limits, and whether the policy of an await is
   satisfied. */
#include "api/client.h"
#include "core/completion.h"
#include "loop/loop.h"
#include "request/validate.h"

static int is_usable(const stook_client *client)
{
    return client != NULL && !stook__client_is_forked(client) && !stook__client_is_closing(client);
}

/* Asks for a turn, because a higher limit may allow a request to start. */
static void request_turn(stook_client *client)
{
    if (!client->turning)
        stook__loop_request_turn(client->loop);
}

int stook_client_set_limit(stook_client *client, int64_t limit)
{
    size_t size;
    if (client == NULL || stook__validate_limit(limit, &size) != 0)
        return STOOK_EARG;
    if (!is_usable(client))
        return STOOK_ESTATE;
    stook__sched_set_limit(&client->sched, size);
    request_turn(client);
    return 0;
}

int stook_client_set_origin_limit(stook_client *client, int64_t limit)
{
    size_t size;
    if (client == NULL || stook__validate_limit(limit, &size) != 0)
        return STOOK_EARG;
    if (!is_usable(client))
        return STOOK_ESTATE;
    stook__sched_set_origin_limit(&client->sched, size);
    request_turn(client);
    return 0;
}

int stook_batch_set_limit(stook_batch *batch, int64_t limit)
{
    size_t size;
    if (batch == NULL || stook__validate_limit(limit, &size) != 0)
        return STOOK_EARG;
    if (!is_usable(batch->client) || batch->state != STOOK__AWAITED)
        return STOOK_ESTATE;
    stook__group_set_limit(&batch->client->sched, &batch->group, size);
    stook__batch_mark_dirty(batch); /* the limit decides when `more` is called */
    return 0;
}

int stook_batch_satisfied(const stook_batch *batch)
{
    return batch != NULL && batch->state != STOOK__OPEN &&
           stook__completion_policy_satisfied(&batch->completion, batch->state == STOOK__DONE);
}
