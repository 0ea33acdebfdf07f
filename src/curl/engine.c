/* SPDX-License-Identifier: MIT */
/* The initialization of libcurl, and the work of one turn; see engine.h. */
#include "curl/engine.h"

#include <pthread.h>

#include "curl/connect_gate.h"
#include "curl/cookies.h"
#include "curl/easy_state.h"
#include "curl/easy_transfer.h"
#include "curl/engine_state.h"
#include "curl/multi.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/quirks/quirks.h"
#include "curl/quirks/tls_close.h"
#include "curl/socket.h"
#include "curl/trust.h"
#include "loop/loop.h"

static CURLcode global_status;

static void global_init(void)
{
    /* libcurl counts these calls. There is no cleanup, because the program may use libcurl too. */
    global_status = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Checks the libcurl that runs, which need not be the one of the headers. */
static int check_libcurl(unsigned *ret_quirks)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    if (global_status != CURLE_OK)
        return STOOK_ENOMEM;
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    *ret_quirks = stook__quirks_of(info->version_num);
    /* Without an asynchronous resolver every look-up would block the loop. */
    if ((*ret_quirks & STOOK__QUIRK_UNFIT) || !(info->features & CURL_VERSION_ASYNCHDNS))
        return STOOK_EUNSUPPORTED;
    return 0;
}

static void init_lists(struct stook__engine *engine)
{
    stook__list_init(&engine->multis);
    stook__list_init(&engine->unused_trusts);
    stook__list_init(&engine->unread);
    stook__list_init(&engine->due);
    stook__list_init(&engine->completed);
    stook__list_init(&engine->ready_owners);
    stook__list_init(&engine->dead);
    stook__list_init(&engine->idle);
    stook__list_init(&engine->unused);
    stook__list_init(&engine->pooled);
    stook__list_init(&engine->ready);
    stook__list_init(&engine->waiting_for_lookup);
    stook__list_init(&engine->lookups);
    stook__list_init(&engine->next_addresses);
}

int stook__engine_new(struct stook__allocator *allocator, struct stook__engine **ret_engine)
{
    unsigned quirks;
    int error = check_libcurl(&quirks);
    if (error != 0)
        return error;
    struct stook__engine *engine = stook__alloc(allocator, sizeof *engine);
    if (engine == NULL)
        return STOOK_ENOMEM;
    engine->allocator = allocator;
    engine->quirks = quirks;
    engine->connected = stook__multi_read_messages;
    init_lists(engine);
    *ret_engine = engine;
    return 0;
}

unsigned stook__engine_quirks(const struct stook__engine *engine)
{
    return engine->quirks;
}

size_t stook__engine_orphaned(const struct stook__engine *engine)
{
    return engine->orphaned;
}

void stook__engine_set_address_rules(struct stook__engine *engine,
                                     const struct stook__address_rules *rules)
{
    engine->address_rules = rules;
}

void stook__engine_open(struct stook__engine *engine, struct stook__loop *loop)
{
    engine->loop = loop;
}

struct stook__loop *stook__engine_loop(const struct stook__engine *engine)
{
    return engine->loop;
}

/* Reads the messages of all multi handles that may have some: what has completed. */
static void collect_completed(struct stook__engine *engine)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&engine->unread)) != NULL)
        stook__multi_read_messages(STOOK__OF(struct stook__multi, unread, link));
}

void *stook__engine_next_completed(struct stook__engine *engine)
{
    struct stook__link *first;
    if (stook__list_empty(&engine->completed))
        collect_completed(engine);
    while ((first = stook__list_pop(&engine->completed)) != NULL) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, first);
        if (easy->state != STOOK__EASY_ORPHANED)
            return easy->owner;
        stook__easy_destroy(easy);
    }
    return NULL;
}

struct stook__link *stook__engine_ready(struct stook__engine *engine)
{
    return &engine->ready_owners;
}

static const int64_t POLL_US = 100000; /* see poll_at */

/* Some versions of libcurl forget to ask for their next timeout, so all timeouts are made due ten
   times a second. Returns when that is next; 0 if it is not needed. */
static int64_t poll_at(const struct stook__engine *engine)
{
    int polls = (engine->quirks & STOOK__QUIRK_LOSES_TIMERS) && engine->n_running > 0;
    return polls ? engine->polled_at + POLL_US : 0;
}

static void make_all_due(struct stook__engine *engine, int64_t now)
{
    engine->polled_at = now;
    for (struct stook__link *link = engine->multis.next; link != &engine->multis;
         link = link->next) {
        struct stook__multi *multi = STOOK__OF(struct stook__multi, all, link);
        if (!stook__list_empty(&multi->easies) && stook__list_empty(&multi->due))
            stook__list_append(&engine->due, &multi->due);
    }
}

/* Moves the multi handles whose timeout is due to the list `due`. */
static void collect_due(struct stook__engine *engine, int64_t now)
{
    struct stook__timer *first;
    while ((first = stook__timer_heap_first(&engine->timeouts)) != NULL && first->due <= now) {
        struct stook__multi *multi = STOOK__OF(struct stook__multi, timeout, first);
        stook__timer_heap_clear(&engine->timeouts, &multi->timeout);
        if (stook__list_empty(&multi->due))
            stook__list_append(&engine->due, &multi->due);
    }
    int64_t poll = poll_at(engine);
    if (poll != 0 && poll <= now)
        make_all_due(engine, now);
}

/* Starts the easy handles that have waited at their gates and may start now. */
static void open_gates(struct stook__engine *engine, int64_t now)
{
    struct stook__connect_round round;
    for (struct stook__easy *easy = stook__connect_gates_open(engine, now, &round); easy != NULL;
         easy = stook__connect_gates_next(&round))
        stook__easy_launch(easy);
}

void stook__engine_work(struct stook__engine *engine, int64_t now)
{
    struct stook__link again, *link;
    stook__multi_close_dead(engine);
    open_gates(engine, now);
    collect_due(engine, now);
    stook__tls_close_check(engine, now);
    stook__list_init(&again);
    while (!stook__list_empty(&engine->due)) {
        struct stook__multi *multi = STOOK__OF(struct stook__multi, due, engine->due.next);
        if (stook__multi_run_timeout(multi)) {
            stook__list_remove(&multi->due);
            stook__list_append(&again, &multi->due);
        }
    }
    while ((link = stook__list_pop(&again)) != NULL)
        stook__list_append(&engine->due, link);
    engine->n_probing = 0;
    collect_completed(engine);
}

int stook__engine_is_busy(const struct stook__engine *engine)
{
    return !stook__list_empty(&engine->due) || !stook__list_empty(&engine->completed) ||
           !stook__list_empty(&engine->ready_owners) || stook__connect_gates_busy(engine);
}

int stook__engine_make_room(struct stook__engine *engine)
{
    size_t n_ended = engine->sockets.n_ended;
    int cleared = 0;
    while (!stook__list_empty(&engine->idle))
        stook__curl_origin_drop(STOOK__OF(struct stook__easy, pooled, engine->idle.next));
    stook__multi_close_dead(engine);
    for (struct stook__link *link = engine->multis.next; link != &engine->multis; link = link->next)
        cleared += stook__multi_clear(STOOK__OF(struct stook__multi, all, link));
    /* A CURLM has descriptors too, but the request that is tried again needs one for a new CURLM.
       */
    return cleared > 1 || engine->sockets.n_ended != n_ended;
}

int64_t stook__engine_time(const struct stook__engine *engine)
{
    return stook__loop_cached(engine->loop);
}

const int64_t *stook__engine_clock(const struct stook__engine *engine)
{
    return &engine->now;
}

/* Returns the earlier of two times, of which 0 means never. */
static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

int64_t stook__engine_alarm(const struct stook__engine *engine)
{
    int64_t soon =
        earlier(stook__timer_heap_due(&engine->timeouts), stook__connect_gates_alarm(engine));
    return earlier(soon, earlier(poll_at(engine), engine->tls_close_at));
}

void stook__engine_free(struct stook__engine *engine)
{
    if (engine == NULL)
        return;
    stook__trusts_free(engine);
    stook__cookies_free(engine);
    stook__sockets_free(engine);
    stook__free(engine->allocator, engine->own_addresses.at);
    stook__free(engine->allocator, engine->room);
    stook__free(engine->allocator, engine);
}
