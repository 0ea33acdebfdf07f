/* SPDX-License-Identifier: MIT */
/* Limits that are changed while requests are in flight. */
#include "api/input.h"
#include "loop/loop.h"

static int usable(const stook_client *client)
{
    return client != NULL && !stook__input_forked(client) && !client->closing;
}

/* A higher limit may let something start. */
static void look_again(stook_client *client)
{
    if (!client->turning)
        stook__loop_want(client->loop);
}

int stook_client_set_limit(stook_client *client, int64_t limit)
{
    size_t size;
    if (client == NULL || stook__input_limit(limit, &size) != 0)
        return STOOK_EARG;
    if (!usable(client))
        return STOOK_ESTATE;
    stook__sched_set_limit(&client->sched, size);
    look_again(client);
    return 0;
}

int stook_client_set_origin_limit(stook_client *client, int64_t limit)
{
    size_t size;
    if (client == NULL || stook__input_limit(limit, &size) != 0)
        return STOOK_EARG;
    if (!usable(client))
        return STOOK_ESTATE;
    stook__sched_set_site_limit(&client->sched, size);
    look_again(client);
    return 0;
}

int stook_batch_set_limit(stook_batch *batch, int64_t limit)
{
    size_t size;
    if (batch == NULL || stook__input_limit(limit, &size) != 0)
        return STOOK_EARG;
    if (!usable(batch->client) || batch->state != STOOK__AWAITED)
        return STOOK_ESTATE;
    stook__group_set_limit(&batch->client->sched, &batch->group, size);
    stook__batch_touch(batch); /* `more` goes by it */
    return 0;
}
