/* SPDX-License-Identifier: MIT */
/* Bodies that wait; see brakes.h. Which of them go on is said by deliver/ceiling.c. */
#include "turn/brakes.h"

#include "deliver/ceiling.h"
#include "loop/loop.h"
#include "transfer/attempt.h"
#include "transfer/brake.h"

void stook__brakes_set(stook_client *client, struct stook_result *record)
{
    struct stook__tray *tray = &stook__record_batch(record)->tray;
    if (!stook__ceiling_counts(tray))
        return;
    tray->gauge.stir = &client->braked;
    stook__attempt_brake(record->attempt, &tray->gauge);
    if (record->parcel.index == tray->delivered)
        stook__brake_free(stook__attempt_brake_of(record->attempt));
}

static struct stook__brake *brake_of_head(const struct stook__tray *tray)
{
    struct stook__parcel *front = stook__pages_get(&tray->parcels, tray->delivered);
    struct stook_result *head = front != NULL ? stook__record_of_parcel(front) : NULL;
    return head != NULL && head->stage == STOOK__TRYING ? stook__attempt_brake_of(head->attempt) : NULL;
}

/* Not if it starts in a moment. */
static int head_is_stuck(const stook_client *client, const struct stook__tray *tray)
{
    struct stook__parcel *head = stook__tray_head(tray);
    return head != NULL && stook__sched_reason(&client->sched, &stook__record_of_parcel(head)->job) != STOOK__BY_TURN;
}

void stook__brakes_update(stook_client *client, stook_batch *batch)
{
    struct stook__tray *tray = &batch->tray;
    if (!stook__ceiling_counts(tray))
        return;
    size_t left = stook__ceiling_set(tray);
    int stuck = head_is_stuck(client, tray);
    struct stook__brake *head = brake_of_head(tray), *brake;
    while ((brake = stook__ceiling_next(tray, head, stuck, &left)) != NULL) {
        struct stook__attempt *attempt = stook__brake_attempt(brake);
        struct stook_result *record = stook__attempt_owner(attempt);
        int64_t waited = stook__attempt_go_on(attempt, stook__loop_now());
        stook__sched_release(&client->sched, &record->job, waited); /* also if that was no time at all */
    }
}

void stook__brakes_settle(stook_client *client)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&client->braked)) != NULL) {
        struct stook__gauge *gauge = STOOK__OF(struct stook__gauge, stirred, link);
        for (link = gauge->paused.next; link != &gauge->paused; link = link->next)
            stook__attempt_hold_up(stook__brake_attempt(STOOK__OF(struct stook__brake, link, link)));
        stook__batch_touch(STOOK__OF(stook_batch, tray, STOOK__OF(struct stook__tray, gauge, gauge)));
    }
}
