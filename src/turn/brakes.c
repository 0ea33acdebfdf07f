/* SPDX-License-Identifier: MIT */
/*
 * Bodies that wait; see brakes.h. They do so only while the head is on its way: if it has not
 * started, it may be for want of the very slots that they hold.
 */
#include "turn/brakes.h"

#include "loop/loop.h"
#include "transfer/attempt.h"
#include "transfer/brake.h"

enum { PIECE = 16 << 10 }; /* what libcurl hands on at a time, at most */

static int counts(const struct stook__tray *tray)
{
    return tray->terms.ordered && tray->terms.lent && tray->terms.held_max < SIZE_MAX;
}

void stook__brakes_set(stook_client *client, struct stook_result *record)
{
    struct stook__tray *tray = &stook__record_batch(record)->tray;
    if (!counts(tray))
        return;
    tray->gauge.stir = &client->braked;
    stook__brake_set(record->attempt, &tray->gauge, record->parcel.index == tray->delivered);
}

static void release(stook_client *client, struct stook_result *record)
{
    int64_t waited = stook__brake_release(record->attempt, stook__loop_now());
    if (waited > 0)
        stook__sched_release(&client->sched, &record->job, waited);
}

static size_t room_of(const struct stook__tray *tray, const struct stook__parcel *head)
{
    if (head != NULL && !head->started && !head->arrived)
        return SIZE_MAX;
    return tray->terms.held_max > tray->held ? tray->terms.held_max - tray->held : 0;
}

void stook__brakes_update(stook_client *client, stook_batch *batch)
{
    struct stook__tray *tray = &batch->tray;
    struct stook__gauge *gauge = &tray->gauge;
    if (!counts(tray))
        return;
    struct stook__parcel *front = stook__pages_get(&tray->parcels, tray->delivered);
    struct stook_result *head = front != NULL ? stook__record_of_parcel(front) : NULL;
    gauge->room = room_of(tray, front);
    if (head != NULL && head->stage == STOOK__TRYING) {
        stook__brake_free(head->attempt);
        release(client, head);
    }
    /* Each may take as much as libcurl gives at a time; who finds no room waits again. */
    size_t left = gauge->room > gauge->bytes ? gauge->room - gauge->bytes : 0;
    for (; left > 0 && !stook__list_empty(&gauge->paused); left -= left < PIECE ? left : PIECE) {
        struct stook__brake *brake = STOOK__OF(struct stook__brake, link, gauge->paused.next);
        release(client, stook__attempt_owner(stook__brake_attempt(brake)));
    }
}

void stook__brakes_settle(stook_client *client)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&client->braked)) != NULL) {
        struct stook__gauge *gauge = STOOK__OF(struct stook__gauge, stirred, link);
        for (link = gauge->paused.next; link != &gauge->paused; link = link->next)
            stook__brake_hold(STOOK__OF(struct stook__brake, link, link));
        stook__batch_touch(STOOK__OF(stook_batch, tray, STOOK__OF(struct stook__tray, gauge, gauge)));
    }
}
