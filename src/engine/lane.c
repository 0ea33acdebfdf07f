/* SPDX-License-Identifier: MIT */
/* One CURLM, its timer, and what to do when it breaks; see lane.h. */
#include "engine/lane.h"

#include "engine/gate.h"
#include "engine/goodbye.h"
#include "engine/nudge.h"
#include "engine/patience.h"
#include "engine/sockets.h"
#include "loop/loop.h"

/* Of libcurl 8.20; we may be built with the headers of an older one. */
#define RESOLVE_THREADS_MAX ((CURLMoption)(CURLOPTTYPE_LONG + 20))
#define QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

enum { ROUNDS = 4 }; /* of a kick; more would starve the rest of the program */

/* libcurl calls this from inside its own functions, so it may only write down. No 1 ms for 0: the
   kick of this very turn takes it. */
static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct stook__lane *lane = user;
    struct stook__engine *engine = lane->engine;
    (void)multi;
    stook__list_remove(&lane->kicked);
    if (timeout_ms == 0)
        stook__list_append(&engine->kicked, &lane->kicked);
    if (timeout_ms > 0)
        stook__clock_set(&engine->alarms, &lane->alarm, stook__loop_now() + (int64_t)timeout_ms * 1000);
    else
        stook__clock_clear(&engine->alarms, &lane->alarm);
    return 0;
}

static CURLM *make_multi(struct stook__lane *lane)
{
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return NULL;
    /* From 8.20 on. Fewer threads than look-ups, and those that hang would hold up others; each may
       be two, one of each family. One that nobody waits for any more must not be joined: it is
       detached, and goes when getaddrinfo returns. Older ones do not know these options. */
    curl_multi_setopt(multi, RESOLVE_THREADS_MAX, 512L);
    curl_multi_setopt(multi, QUICK_EXIT, 1L);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, stook__sockets_announced);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, lane);
    /* The default shrinks with what is running, and closes warm connections at the end of a batch. */
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 4096L);
    return multi;
}

struct stook__lane *stook__lane_new(struct stook__engine *engine)
{
    struct stook__lane *lane = stook__alloc(engine->heap, sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->engine = engine;
    stook__list_init(&lane->slots);
    stook__list_init(&lane->active);
    stook__list_init(&lane->kicked);
    stook__list_append(&engine->lanes, &lane->all);
    return lane;
}

/* There may be messages, or it is broken: look at it before the turn ends. */
static void mark(struct stook__lane *lane)
{
    if (stook__list_empty(&lane->active))
        stook__list_append(&lane->engine->active, &lane->active);
}

int stook__lane_add(struct stook__lane *lane, struct stook__slot *slot)
{
    if (lane->multi == NULL)
        lane->multi = make_multi(lane);
    /* Newer ones (8.20, not yet 8.14) cannot be made without descriptors. */
    if (lane->multi == NULL)
        return stook__sockets_exhausted() ? STOOK_ENOFD : STOOK_ENOMEM;
    CURLMcode code = curl_multi_add_handle(lane->multi, slot->easy);
    if (code == CURLM_OUT_OF_MEMORY)
        return STOOK_ENOMEM;
    if (code != CURLM_OK) {
        lane->broken = code;
        mark(lane);
        return STOOK_ERESET;
    }
    slot->lane = lane;
    lane->n_handles++;
    stook__list_append(&lane->slots, &slot->link);
    lane->engine->n_running++;
    return 0;
}

void stook__lane_remove(struct stook__slot *slot)
{
    stook__sockets_give_up(slot);
    stook__list_remove(&slot->nudge);
    stook__slot_discard(slot);
    curl_multi_remove_handle(slot->lane->multi, slot->easy);
    stook__slot_unpause(slot);
    slot->lane->n_handles--;
    slot->lane = NULL;
    slot->engine->n_running--;
    stook__goodbyes_expect(slot->engine);
    stook__origin_leave(slot->origin, slot->nth);
}

static void act(struct stook__lane *lane, curl_socket_t fd, int events)
{
    int running; /* libcurl up to 8.21 writes through it unasked */
    if (lane->multi == NULL || lane->broken != CURLM_OK)
        return;
    mark(lane);
    stook__patience_renew(lane->engine);
    lane->engine->now = stook__engine_time(lane->engine);
    CURLMcode code = curl_multi_socket_action(lane->multi, fd, events, &running);
    if (code != CURLM_OK && code != CURLM_CALL_MULTI_PERFORM)
        lane->broken = code;
    else
        stook__nudge(lane->engine);
}

void stook__lane_action(struct stook__lane *lane, int fd, int events)
{
    act(lane, fd, events);
}

/* Another one is made when it is needed. */
static void discard(struct stook__lane *lane)
{
    curl_multi_cleanup(lane->multi);
    stook__sockets_leave(lane);
    lane->multi = NULL;
    lane->broken = CURLM_OK;
    stook__list_remove(&lane->kicked);
    stook__clock_clear(&lane->engine->alarms, &lane->alarm);
}

int stook__lane_clear(struct stook__lane *lane)
{
    if (lane->multi == NULL || lane->n_handles > 0)
        return 0;
    discard(lane);
    return 1;
}

/* The state of every transfer is unknown now: end them all, and start over with a new CURLM. */
static void rebuild(struct stook__lane *lane)
{
    struct stook__link *news = &lane->engine->finished;
    while (!stook__list_empty(&lane->slots)) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, link, lane->slots.next);
        slot->broken = lane->broken;
        stook__gate_left(slot, CURLE_FAILED_INIT);
        stook__list_remove(&slot->link);
        stook__list_append(news, &slot->link);
    }
    for (struct stook__link *link = news->next; link != news; link = link->next) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, link, link);
        if (slot->lane == lane)
            stook__lane_remove(slot);
    }
    discard(lane);
}

void stook__lane_hold(struct stook__lane *lane)
{
    for (struct stook__link *link = lane->slots.next; link != &lane->slots; link = link->next) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, link, link);
        if (slot->paused)
            stook__slot_hold(slot);
    }
}

void stook__lane_kick(struct stook__lane *lane)
{
    mark(lane);
    if (stook__list_empty(&lane->kicked))
        stook__list_append(&lane->engine->kicked, &lane->kicked);
}

int stook__lane_work(struct stook__lane *lane)
{
    for (int round = 0; round < ROUNDS && !stook__list_empty(&lane->kicked); round++) {
        stook__list_remove(&lane->kicked);
        act(lane, CURL_SOCKET_TIMEOUT, 0);
    }
    return !stook__list_empty(&lane->kicked);
}

void stook__lane_drain(struct stook__lane *lane)
{
    int left;
    CURLMsg *message;
    struct stook__link back, *link;
    stook__list_init(&back);
    if (lane->broken != CURLM_OK)
        rebuild(lane);
    if (lane->multi == NULL)
        return;
    while ((message = curl_multi_info_read(lane->multi, &left)) != NULL) {
        struct stook__slot *slot = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
        stook__list_remove(&slot->link);
        if (stook__gate_wants_back(slot, code)) {
            stook__list_append(&back, &slot->link);
            continue;
        }
        slot->code = code;
        slot->ended = 1;
        stook__gate_left(slot, code);
        stook__list_append(&lane->engine->finished, &slot->link);
    }
    while ((link = stook__list_pop(&back)) != NULL) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, link, link);
        stook__lane_remove(slot);
        stook__gate_take_back(slot);
    }
}

void stook__lane_free(struct stook__lane *lane)
{
    if (lane == NULL)
        return;
    if (lane->multi != NULL)
        discard(lane);
    stook__list_remove(&lane->all);
    stook__list_remove(&lane->active);
    stook__free(lane->engine->heap, lane);
}
