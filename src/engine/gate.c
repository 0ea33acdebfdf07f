/* SPDX-License-Identifier: MIT */
/* Cold start; see gate.h. */
#include "engine/gate.h"

#include <errno.h>
#include <string.h>

#include "engine/names.h"
#include "engine/patience.h"
#include "engine/sockets.h"
#include "loop/loop.h"

enum {
    LAUNCHES = 64,      /* behind gates, a turn */
    CONNECTING = 64,    /* of one origin at once */
    LOOKUPS = 32,       /* of one client at once, without those that seem to hang */
    LOOKUPS_HUNG = 256, /* with those: each is a thread of libcurl's */
};
static const int64_t HUNG_US = 1000000;  /* a look-up older than that seems to hang */
static const int64_t CAP_US = 30000;     /* others wait that long for the leader to connect */
static const int64_t CAP_H2_US = 500000; /* and that long where its connection may carry them all */
static const int64_t WARM_US = 60000000; /* after a connection was made or used */
static const int64_t TRIED_US = 1000000; /* after the cap, or a connection that failed */

/* How many more names may be looked up. */
static size_t room(const struct stook__engine *engine)
{
    size_t all = engine->n_lookups + engine->n_hung;
    size_t few = engine->n_lookups < LOOKUPS ? LOOKUPS - engine->n_lookups : 0;
    return all + few <= LOOKUPS_HUNG ? few : LOOKUPS_HUNG > all ? LOOKUPS_HUNG - all : 0;
}

static int may_look_up(struct stook__engine *engine, int64_t now)
{
    while (!stook__list_empty(&engine->lookups)) {
        struct stook__slot *oldest = STOOK__OF(struct stook__slot, lookup, engine->lookups.next);
        if (oldest->lookup_at + HUNG_US > now)
            break;
        stook__list_remove(&oldest->lookup);
        oldest->hung = 1;
        engine->n_lookups--;
        engine->n_hung++;
    }
    return room(engine) > 0;
}

static void touch(struct stook__origin *origin)
{
    struct stook__link *link;
    while (origin->leader == NULL && !origin->dry && (link = stook__list_pop(&origin->nameless)) != NULL)
        stook__list_append(&origin->gated, link);
    if (stook__list_empty(&origin->ready) && !stook__list_empty(&origin->gated))
        stook__list_append(&origin->engine->ready, &origin->ready);
}

static void thirst(struct stook__origin *origin)
{
    if (stook__list_empty(&origin->thirsty))
        stook__list_append(&origin->engine->thirsty, &origin->thirsty);
}

/* Whether one more of this origin may go, and if it does, as what. One that is new does not pass those who wait
   for a look-up. */
static int may_go(struct stook__origin *origin, struct stook__slot *slot, int64_t now, int is_new)
{
    struct stook__engine *engine = origin->engine;
    if (origin->connecting >= CONNECTING)
        return 0;
    if (now < origin->free_until)
        return 1;
    if (origin->leader != NULL)
        return 0;
    int comes_after = is_new && !stook__list_empty(&engine->thirsty);
    if (!origin->literal && (comes_after || engine->n_led == LAUNCHES || !may_look_up(engine, now))) {
        thirst(origin);
        return 0;
    }
    engine->n_led += (size_t)!origin->literal;
    origin->leader = slot;
    return 1;
}

static void go(struct stook__slot *slot)
{
    slot->connecting = 1;
    slot->asked = 0;
    slot->origin->connecting++;
    if (slot->origin->leader == slot && slot->origin->literal)
        stook__gate_resolved(slot);
}

int stook__gate_pass(struct stook__slot *slot)
{
    struct stook__origin *origin = slot->origin;
    if (stook__list_empty(&origin->gated) && may_go(origin, slot, stook__engine_time(origin->engine), 1)) {
        go(slot);
        return 1;
    }
    stook__list_append(&origin->gated, &slot->link);
    return 0;
}

/* What was sent must not be sent again. */
static int is_sent_back(struct stook__slot *slot)
{
    struct stook__origin *origin = slot->origin;
    if (slot->sends > 0 || origin->leader == slot)
        return 0;
    if (origin->leader != NULL)
        return 1;
    if (!slot->tells && stook__names_known(origin)) {
        slot->tells = 1;
        return 1;
    }
    if (may_look_up(slot->engine, stook__engine_time(slot->engine)))
        return 0;
    origin->dry = 1;
    thirst(origin);
    return 1;
}

int stook__gate_resolving(struct stook__slot *slot)
{
    struct stook__engine *engine = slot->engine;
    if (slot->resolving)
        return 1;
    slot->sent_back = is_sent_back(slot);
    if (slot->sent_back)
        return 0;
    /* libcurl would say that there is no such name. */
    if (stook__sockets_exhausted()) {
        slot->os_error = EMFILE;
        return 0;
    }
    if (slot->origin->leader == NULL)
        slot->origin->leader = slot;
    slot->origin->dry = 0;
    stook__names_asked(slot);
    stook__patience_begin(slot);
    slot->resolving = 1;
    slot->lookup_at = stook__engine_time(engine);
    stook__list_append(&engine->lookups, &slot->lookup);
    engine->n_lookups++;
    return 1;
}

/* One of those that wait for a look-up, and that somebody still waits for. */
static void touch_thirsty(struct stook__engine *engine)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&engine->thirsty)) != NULL) {
        struct stook__origin *origin = STOOK__OF(struct stook__origin, thirsty, link);
        origin->dry = 0;
        if (stook__list_empty(&origin->gated) && stook__list_empty(&origin->nameless))
            continue;
        touch(origin);
        return;
    }
}

static void end_lookup(struct stook__slot *slot)
{
    struct stook__engine *engine = slot->engine;
    if (!slot->resolving)
        return;
    slot->resolving = 0;
    stook__patience_end(slot);
    stook__list_remove(&slot->lookup);
    if (slot->hung)
        engine->n_hung--;
    else
        engine->n_lookups--;
    slot->hung = 0;
    touch_thirsty(engine);
}

void stook__gate_resolved(struct stook__slot *slot)
{
    struct stook__origin *origin = slot->origin;
    end_lookup(slot);
    if (origin->leader != slot || origin->cap.due != 0)
        return;
    int64_t cap = origin->h2 ? CAP_H2_US : CAP_US;
    stook__clock_set(&origin->engine->caps, &origin->cap, stook__engine_time(origin->engine) + cap);
}

static void end_connecting(struct stook__slot *slot)
{
    slot->origin->connecting -= (size_t)slot->connecting;
    slot->connecting = 0;
}

/* Whoever led does not any more, and the cap is its: it runs for nobody else. */
static void remove_leader(struct stook__origin *origin)
{
    origin->leader = NULL;
    stook__clock_clear(&origin->engine->caps, &origin->cap);
}

/* From now on, for a while, nobody waits for anybody. */
static void set_free(struct stook__origin *origin, int64_t until)
{
    if (origin->free_until < until)
        origin->free_until = until;
    /* Those who have a connection do not wait for its look-up; those who have none do. */
    if (origin->leader != NULL && !origin->leader->resolving)
        remove_leader(origin);
    touch(origin);
}

void stook__gate_connected(struct stook__slot *slot, const char *address)
{
    struct stook__origin *origin = slot->origin;
    stook__names_found(slot, address);
    end_lookup(slot);
    end_connecting(slot);
    set_free(origin, stook__engine_time(origin->engine) + WARM_US);
}

/* Those who waited for this look-up share what it said. */
static void fail_all(struct stook__link *waiting, const struct stook__slot *leader, CURLcode code)
{
    struct stook__link *link;
    while ((link = stook__list_pop(waiting)) != NULL) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, link, link);
        slot->code = code;
        memcpy(slot->error, leader->error, sizeof slot->error);
        stook__list_append(&slot->engine->finished, &slot->link);
    }
}

int stook__gate_wants_back(struct stook__slot *slot, CURLcode code)
{
    return slot->sent_back || (code == CURLE_COULDNT_CONNECT && slot->sends == 0 && stook__names_doubt(slot));
}

void stook__gate_take_back(struct stook__slot *slot)
{
    struct stook__origin *origin = slot->origin;
    stook__slot_renew(slot);
    slot->sent_back = 0;
    end_connecting(slot);
    if (origin->leader == slot)
        remove_leader(origin);
    stook__list_append(&origin->nameless, &slot->link);
    touch(origin);
}

void stook__gate_left(struct stook__slot *slot, CURLcode code)
{
    struct stook__origin *origin = slot->origin;
    int was_leader = origin->leader == slot;
    int looked_up = slot->resolving;
    end_lookup(slot);
    if (slot->connecting)
        stook__names_doubt(slot);
    end_connecting(slot);
    if (!was_leader) {
        touch(origin);
        return;
    }
    remove_leader(origin);
    int64_t now = stook__engine_time(origin->engine);
    if (slot->os_error == EMFILE)
        code = CURLE_OK; /* nothing was tried, and nothing is known: the next one leads */
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
        fail_all(&origin->nameless, slot, code);
        if (now >= origin->free_until)
            fail_all(&origin->gated, slot, code);
    } else if (code != CURLE_OK && !looked_up && slot->owner != NULL) {
        set_free(origin, now + TRIED_US); /* one that was parked has not tried */
    }
    touch(origin);
}

/* What is left of the budget. */
static int open_gate(struct stook__origin *origin, int64_t now, int budget)
{
    for (; budget > 0 && !stook__list_empty(&origin->gated); budget--) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, link, origin->gated.next);
        if (!may_go(origin, slot, now, 0))
            return budget;
        stook__list_remove(&slot->link);
        go(slot);
        stook__slot_launch(slot);
    }
    touch(origin);
    return budget;
}

void stook__gates_open(struct stook__engine *engine, int64_t now)
{
    struct stook__link *link;
    int budget = LAUNCHES;
    struct stook__timer *first;
    while ((first = stook__clock_first(&engine->caps)) != NULL && first->due <= now)
        set_free(STOOK__OF(struct stook__origin, cap, first), now + TRIED_US);
    /* Those that are let go here are not counted before the kick. */
    size_t left = !stook__list_empty(&engine->thirsty) && may_look_up(engine, now) ? room(engine) : 0;
    if (left > LAUNCHES - engine->n_led)
        left = LAUNCHES - engine->n_led;
    for (; left > 0; left--)
        touch_thirsty(engine);
    while (budget > 0 && (link = stook__list_pop(&engine->ready)) != NULL)
        budget = open_gate(STOOK__OF(struct stook__origin, ready, link), now, budget);
}

int stook__gates_busy(const struct stook__engine *engine)
{
    return !stook__list_empty(&engine->ready) || (!stook__list_empty(&engine->thirsty) && room(engine) > 0);
}

int64_t stook__gates_alarm(const struct stook__engine *engine)
{
    int64_t due = stook__clock_due(&engine->caps);
    if (stook__list_empty(&engine->thirsty) || stook__list_empty(&engine->lookups))
        return due;
    int64_t hung = STOOK__OF(struct stook__slot, lookup, engine->lookups.next)->lookup_at + HUNG_US;
    return due != 0 && due < hung ? due : hung;
}
