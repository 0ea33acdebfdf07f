/* SPDX-License-Identifier: MIT */
/* Why is it waiting: the state of a request, and numbers of a client. */
#include <string.h>

#include "api/input.h"
#include "api/state.h"
#include "transfer/attempt.h"

static int state_of_waiting(const stook_batch *batch, const struct stook__job *job)
{
    switch (stook__sched_reason(&batch->client->sched, job)) {
    case STOOK__BY_AWAIT:
        return batch->state == STOOK__OPEN ? STOOK_STATE_QUEUED_AWAIT : STOOK_STATE_QUEUED;
    case STOOK__BY_HOLD:
        return batch->tray.paused ? STOOK_STATE_QUEUED_PAUSED : STOOK_STATE_QUEUED_WINDOW;
    case STOOK__BY_BATCH:
        return STOOK_STATE_QUEUED_BATCH;
    case STOOK__BY_SITE:
        return STOOK_STATE_QUEUED_ORIGIN;
    case STOOK__BY_CLIENT:
        return STOOK_STATE_QUEUED_CLIENT;
    case STOOK__BY_DESCRIPTORS:
        return STOOK_STATE_QUEUED_DESCRIPTORS;
    default:
        return STOOK_STATE_QUEUED;
    }
}

static int state_of_running(const struct stook__attempt *attempt)
{
    switch (stook__attempt_phase(attempt)) {
    case STOOK__GATED:
        return STOOK_STATE_GATE;
    case STOOK__RESOLVING:
        return STOOK_STATE_RESOLVING;
    case STOOK__CONNECTING:
        return STOOK_STATE_CONNECTING;
    case STOOK__SECURING:
        return STOOK_STATE_TLS;
    case STOOK__SENDING:
        return STOOK_STATE_SENDING;
    case STOOK__RECEIVING:
        return STOOK_STATE_RECEIVING;
    case STOOK__PAUSED:
        return STOOK_STATE_PAUSED;
    case STOOK__BRAKED:
        return STOOK_STATE_HELD_UP;
    default:
        return STOOK_STATE_WAITING;
    }
}

int stook__state_of(const stook_batch *batch, const struct stook_result *record)
{
    if (record->stage == STOOK__OVER)
        return batch->tray.open && !batch->tray.terms.lent ? STOOK_STATE_DONE : STOOK_STATE_FINISHED;
    return record->stage == STOOK__TRYING ? state_of_running(record->attempt) : state_of_waiting(batch, &record->job);
}

int stook_batch_state_of(const stook_batch *batch, size_t index)
{
    if (batch == NULL || batch->client == NULL || stook__input_forked(batch->client))
        return STOOK_STATE_NONE;
    struct stook__parcel *parcel = stook__pages_get(&batch->tray.parcels, index);
    return parcel != NULL ? stook__state_of(batch, stook__record_of_parcel(parcel)) : STOOK_STATE_NONE;
}

const char *stook_state_text(int state)
{
    switch (state) {
#define TEXT(name, number, text) \
    case number:                 \
        return text;
        STOOK_STATE_MAP(TEXT)
#undef TEXT
    default:
        return "unknown state";
    }
}

int stook_client_counters(const stook_client *client, struct stook_counters *ret_counters)
{
    if (client == NULL || ret_counters == NULL)
        return STOOK_EARG;
    const struct stook__counters *counters = &client->counters;
    /* What is over first: so nothing is ever over before it was added. */
    struct stook_counters mine = {.size = ret_counters->size};
    mine.failed = stook__counted(counters, STOOK__FAILED);
    mine.finished = stook__counted(counters, STOOK__FINISHED_ALL);
    mine.repeated = stook__counted(counters, STOOK__REPEATED);
    mine.started = stook__counted(counters, STOOK__STARTED);
    mine.added = stook__counted(counters, STOOK__ADDED);
    if (mine.size < sizeof mine.size || mine.size > 65536)
        return STOOK_EARG;
    memset(ret_counters, 0, mine.size);
    memcpy(ret_counters, &mine, mine.size < sizeof mine ? mine.size : sizeof mine);
    return 0;
}
