/* SPDX-License-Identifier: MIT */
/* Cold start; see connect_gate.h. */
#include "curl/connect_gate.h"

#include <errno.h>
#include <string.h>

#include "curl/dns.h"
#include "curl/quirks/timeout_extension.h"
#include "curl/socket.h"
#include "loop/loop.h"

enum {
    LAUNCHES = 64,      /* behind gates, a turn */
    CONNECTING = 64,    /* of one origin at once */
    LOOKUPS = 32,       /* of one client at once, without those that seem to hang */
    LOOKUPS_HUNG = 256, /* with those: each is a thread of libcurl's */
};
static const int64_t HUNG_US = 1000000;  /* a look-up older than that seems to hang */
static const int64_t CAP_US = 30000;     /* others wait that long for the probe to connect */
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
        struct stook__easy *oldest = STOOK__OF(struct stook__easy, lookup, engine->lookups.next);
        if (oldest->lookup_at + HUNG_US > now)
            break;
        stook__list_remove(&oldest->lookup);
        oldest->hung = 1;
        engine->n_lookups--;
        engine->n_hung++;
    }
    return room(engine) > 0;
}

static void dirty(struct stook__curl_origin *origin)
{
    struct stook__link *link;
    while (origin->probe == NULL && !origin->lookup_limited &&
           (link = stook__list_pop(&origin->waiting_for_dns)) != NULL)
        stook__list_append(&origin->gated, link);
    if (stook__list_empty(&origin->ready) && !stook__list_empty(&origin->gated))
        stook__list_append(&origin->engine->ready, &origin->ready);
}

static void wait_for_lookup(struct stook__curl_origin *origin)
{
    if (stook__list_empty(&origin->waiting_for_lookup))
        stook__list_append(&origin->engine->waiting_for_lookup, &origin->waiting_for_lookup);
}

/* Whether one more of this origin may go, and if it does, as what. One that is new does not pass those who wait
   for a look-up. */
static int may_go(struct stook__curl_origin *origin, struct stook__easy *easy, int64_t now,
                  int is_new)
{
    struct stook__engine *engine = origin->engine;
    if (origin->connecting >= CONNECTING)
        return 0;
    if (now < origin->free_until)
        return 1;
    if (origin->probe != NULL)
        return 0;
    int comes_after = is_new && !stook__list_empty(&engine->waiting_for_lookup);
    if (!origin->literal &&
        (comes_after || engine->n_probing == LAUNCHES || !may_look_up(engine, now))) {
        wait_for_lookup(origin);
        return 0;
    }
    engine->n_probing += (size_t)!origin->literal;
    origin->probe = easy;
    return 1;
}

static void go(struct stook__easy *easy)
{
    easy->connecting = 1;
    easy->asked = 0;
    easy->origin->connecting++;
    if (easy->origin->probe == easy && easy->origin->literal)
        stook__connect_gate_resolved(easy);
}

int stook__connect_gate_pass(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    if (stook__list_empty(&origin->gated) &&
        may_go(origin, easy, stook__engine_time(origin->engine), 1)) {
        go(easy);
        return 1;
    }
    stook__list_append(&origin->gated, &easy->link);
    return 0;
}

/* What was sent must not be sent again. */
static int is_sent_back(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    if (easy->sends > 0 || origin->probe == easy)
        return 0;
    if (origin->probe != NULL)
        return 1;
    if (!easy->sets_address && stook__dns_has_address(origin)) {
        easy->sets_address = 1;
        return 1;
    }
    if (may_look_up(easy->engine, stook__engine_time(easy->engine)))
        return 0;
    origin->lookup_limited = 1;
    wait_for_lookup(origin);
    return 1;
}

int stook__connect_gate_resolving(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    if (easy->resolving)
        return 1;
    easy->sent_back = is_sent_back(easy);
    if (easy->sent_back)
        return 0;
    /* libcurl would say that there is no such name. */
    if (stook__sockets_exhausted()) {
        easy->os_error = EMFILE;
        return 0;
    }
    if (easy->origin->probe == NULL)
        easy->origin->probe = easy;
    easy->origin->lookup_limited = 0;
    stook__dns_lookup_begins(easy);
    stook__timeout_extension_begin(easy);
    easy->resolving = 1;
    easy->lookup_at = stook__engine_time(engine);
    stook__list_append(&engine->lookups, &easy->lookup);
    engine->n_lookups++;
    return 1;
}

/* One of those that wait for a look-up, and that somebody still waits for. */
static void wake_waiting_for_lookup(struct stook__engine *engine)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&engine->waiting_for_lookup)) != NULL) {
        struct stook__curl_origin *origin =
            STOOK__OF(struct stook__curl_origin, waiting_for_lookup, link);
        origin->lookup_limited = 0;
        if (stook__list_empty(&origin->gated) && stook__list_empty(&origin->waiting_for_dns))
            continue;
        dirty(origin);
        return;
    }
}

static void end_lookup(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    if (!easy->resolving)
        return;
    easy->resolving = 0;
    stook__timeout_extension_end(easy);
    stook__list_remove(&easy->lookup);
    if (easy->hung)
        engine->n_hung--;
    else
        engine->n_lookups--;
    easy->hung = 0;
    wake_waiting_for_lookup(engine);
}

void stook__connect_gate_resolved(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    end_lookup(easy);
    if (origin->probe != easy || origin->cap.due != 0)
        return;
    int64_t cap = origin->h2 ? CAP_H2_US : CAP_US;
    stook__timer_heap_set(&origin->engine->caps, &origin->cap,
                          stook__engine_time(origin->engine) + cap);
}

static void end_connecting(struct stook__easy *easy)
{
    easy->origin->connecting -= (size_t)easy->connecting;
    easy->connecting = 0;
}

/* Whoever led does not any more, and the cap is its: it runs for nobody else. */
static void remove_probe(struct stook__curl_origin *origin)
{
    origin->probe = NULL;
    stook__timer_heap_clear(&origin->engine->caps, &origin->cap);
}

/* From now on, for a while, nobody waits for anybody. */
static void set_free(struct stook__curl_origin *origin, int64_t until)
{
    if (origin->free_until < until)
        origin->free_until = until;
    /* Those who have a connection do not wait for its look-up; those who have none do. */
    if (origin->probe != NULL && !origin->probe->resolving)
        remove_probe(origin);
    dirty(origin);
}

void stook__connect_gate_connected(struct stook__easy *easy, const char *address)
{
    struct stook__curl_origin *origin = easy->origin;
    stook__dns_address_found(easy, address);
    end_lookup(easy);
    end_connecting(easy);
    set_free(origin, stook__engine_time(origin->engine) + WARM_US);
}

/* Those who waited for this look-up share what it said. */
static void fail_all(struct stook__link *waiting, const struct stook__easy *probe, CURLcode code)
{
    struct stook__link *link;
    while ((link = stook__list_pop(waiting)) != NULL) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        easy->code = code;
        memcpy(easy->error, probe->error, sizeof easy->error);
        stook__list_append(&easy->engine->finished, &easy->link);
    }
}

int stook__connect_gate_wants_back(struct stook__easy *easy, CURLcode code)
{
    return easy->sent_back || (code == CURLE_COULDNT_CONNECT && easy->sends == 0 &&
                               stook__dns_cached_address_failed(easy));
}

void stook__connect_gate_take_back(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    stook__easy_renew(easy);
    easy->sent_back = 0;
    end_connecting(easy);
    if (origin->probe == easy)
        remove_probe(origin);
    stook__list_append(&origin->waiting_for_dns, &easy->link);
    dirty(origin);
}

void stook__connect_gate_left(struct stook__easy *easy, CURLcode code)
{
    struct stook__curl_origin *origin = easy->origin;
    int was_probe = origin->probe == easy;
    int looked_up = easy->resolving;
    end_lookup(easy);
    if (easy->connecting)
        stook__dns_cached_address_failed(easy);
    end_connecting(easy);
    if (!was_probe) {
        dirty(origin);
        return;
    }
    remove_probe(origin);
    int64_t now = stook__engine_time(origin->engine);
    if (easy->os_error == EMFILE)
        code = CURLE_OK; /* nothing was tried, and nothing is known: the next one leads */
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
        fail_all(&origin->waiting_for_dns, easy, code);
        if (now >= origin->free_until)
            fail_all(&origin->gated, easy, code);
    } else if (code != CURLE_OK && !looked_up && easy->owner != NULL) {
        set_free(origin, now + TRIED_US); /* one that was parked has not tried */
    }
    dirty(origin);
}

/* What is left of the budget. */
static int open_gate(struct stook__curl_origin *origin, int64_t now, int budget)
{
    for (; budget > 0 && !stook__list_empty(&origin->gated); budget--) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, origin->gated.next);
        if (!may_go(origin, easy, now, 0))
            return budget;
        stook__list_remove(&easy->link);
        go(easy);
        stook__easy_launch(easy);
    }
    dirty(origin);
    return budget;
}

void stook__connect_gates_open(struct stook__engine *engine, int64_t now)
{
    struct stook__link *link;
    int budget = LAUNCHES;
    struct stook__timer *first;
    while ((first = stook__timer_heap_first(&engine->caps)) != NULL && first->due <= now)
        set_free(STOOK__OF(struct stook__curl_origin, cap, first), now + TRIED_US);
    /* Those that are let go here are not counted before the kick. */
    size_t left = !stook__list_empty(&engine->waiting_for_lookup) && may_look_up(engine, now)
                      ? room(engine)
                      : 0;
    if (left > LAUNCHES - engine->n_probing)
        left = LAUNCHES - engine->n_probing;
    for (; left > 0; left--)
        wake_waiting_for_lookup(engine);
    while (budget > 0 && (link = stook__list_pop(&engine->ready)) != NULL)
        budget = open_gate(STOOK__OF(struct stook__curl_origin, ready, link), now, budget);
}

int stook__connect_gates_busy(const struct stook__engine *engine)
{
    return !stook__list_empty(&engine->ready) ||
           (!stook__list_empty(&engine->waiting_for_lookup) && room(engine) > 0);
}

int64_t stook__connect_gates_alarm(const struct stook__engine *engine)
{
    int64_t due = stook__timer_heap_due(&engine->caps);
    if (stook__list_empty(&engine->waiting_for_lookup) || stook__list_empty(&engine->lookups))
        return due;
    int64_t hung = STOOK__OF(struct stook__easy, lookup, engine->lookups.next)->lookup_at + HUNG_US;
    return due != 0 && due < hung ? due : hung;
}
