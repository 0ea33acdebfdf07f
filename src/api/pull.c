/* SPDX-License-Identifier: MIT */
/* The consumer's side: results that the program comes for, delivery that it pauses, whether it has enough. */
#include "api/input.h"
#include "api/run.h"

static void let_go(stook_batch *batch)
{
    struct stook_result *record = batch->pulled;
    if (record == NULL)
        return;
    batch->pulled = NULL;
    stook__tray_let_go(&batch->tray, batch->heap, NULL, &record->parcel, stook__record_bytes(record));
    stook__record_drop(record);
    if (batch->client != NULL)
        stook__batch_touch(batch); /* there is room for one more */
}

/* Asked between turns: a result that a callback of the last one has taken was its own until it returned. */
static int has_next_or_end(stook_client *client, void *what)
{
    stook_batch *batch = what;
    (void)client;
    let_go(batch);
    return batch->state == STOOK__DONE || stook__tray_has_next(&batch->tray);
}

static int refuse(stook_batch *batch, const char *why)
{
    batch->message = why;
    return STOOK_ESTATE;
}

/* Turn an owned loop until there is a result, or no more. 0: the program has freed the batch meanwhile. */
static int wait_for_next(stook_batch *batch)
{
    batch->pins++;
    stook__run(batch->client, has_next_or_end, batch);
    batch->pins--;
    if (!batch->freed || batch->pins > 0)
        return 1;
    if (batch->state == STOOK__DONE || batch->client == NULL)
        stook__batch_destroy(batch);
    return 0;
}

int stook_batch_next(stook_batch *batch, const stook_result **ret_result)
{
    if (batch == NULL || ret_result == NULL)
        return STOOK_EARG;
    stook_client *client = batch->client;
    if (client != NULL && stook__input_forked(client))
        return refuse(batch, "the client is of another process");
    if (batch->state == STOOK__OPEN || !batch->tray.terms.pulled || batch->freed)
        return refuse(batch, "results are pulled from an await that was started with `pull`");
    let_go(batch);
    int may_wait = client != NULL && client->owned && !client->turning && batch->state == STOOK__AWAITED;
    if (may_wait && !stook__tray_has_next(&batch->tray) && !wait_for_next(batch))
        return 0;
    struct stook__parcel *parcel = stook__tray_pull(&batch->tray);
    if (parcel == NULL)
        return batch->state == STOOK__DONE ? 0 : STOOK_LATER;
    batch->pulled = stook__record_of_parcel(parcel);
    *ret_result = batch->pulled;
    return 1;
}

static void set_paused(stook_batch *batch, int paused)
{
    if (batch == NULL || batch->client == NULL || stook__input_forked(batch->client) || batch->state == STOOK__DONE)
        return;
    /* What was cancelled, or whose client closes, is delivered whatever happens. */
    if (paused && batch->verdict != 0 && !batch->spares)
        return;
    stook__tray_pause(&batch->tray, &batch->client->trays, paused);
    stook__batch_touch(batch);
}

void stook_batch_pause_results(stook_batch *batch)
{
    set_paused(batch, 1);
}

void stook_batch_resume_results(stook_batch *batch)
{
    set_paused(batch, 0);
}

int stook_batch_met(const stook_batch *batch)
{
    return batch != NULL && batch->state != STOOK__OPEN && stook__goal_met(&batch->goal, batch->state == STOOK__DONE);
}
