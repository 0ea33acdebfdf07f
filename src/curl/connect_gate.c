/* SPDX-License-Identifier: MIT */
/* Who may start towards an origin, and who may look its name up; see connect_gate.h. */
#include "curl/connect_gate.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/origin.h"
#include "curl/quirks/dropped_lookups.h"
#include "curl/quirks/timeout_extension.h"
#include "curl/socket.h"
#include "loop/loop.h"
#include "util/trace.h"

enum {
    STARTS_MAX = 64,       /* easy handles that gates start in one turn */
    CONNECTING_MAX = 64,   /* of one origin at once */
    LOOKUPS_MAX = 32,      /* of one client at once, without those that hang */
    LOOKUPS_ALL_MAX = 256, /* with those that hang: each occupies a thread of libcurl */
};
static const int64_t HUNG_US = 1000000;  /* a look-up that takes longer counts as hung */
static const int64_t CAP_US = 30000;     /* others wait at most so long for the probe to connect */
static const int64_t CAP_H2_US = 500000; /* the same where one connection may carry them all */
static const int64_t WARM_US = 60000000; /* the gate is open so long after a connection was used */
static const int64_t TRIED_US = 1000000; /* and so long after the cap, or a failed connection */

#define TO(state) (1u << STOOK__CONNECT_##state)

static const struct {
    const char *name;
    size_t connects; /* 1: origin->connecting counts it */
    unsigned next;   /* the allowed moves, but for NONE; libcurl decides on most of them */
} states[] = {
    [STOOK__CONNECT_NONE] = {"none", 0, TO(GATED) | TO(LAUNCHED)},
    [STOOK__CONNECT_GATED] = {"gated", 0, TO(LAUNCHED)},
    [STOOK__CONNECT_LAUNCHED] = {"launched", 1,
                                 TO(RESOLVING) | TO(CONNECTING) | TO(CONNECTED) |
                                     TO(LOOKUP_REFUSED) | TO(WAITING_FOR_DNS)},
    [STOOK__CONNECT_RESOLVING] = {"resolving", 1, TO(HUNG) | TO(CONNECTING) | TO(CONNECTED)},
    [STOOK__CONNECT_HUNG] = {"hung", 1, TO(CONNECTING) | TO(CONNECTED)},
    [STOOK__CONNECT_CONNECTING] = {"connecting", 1,
                                   TO(CONNECTED) | TO(WAITING_FOR_DNS) | TO(RESOLVING) |
                                       TO(LOOKUP_REFUSED)},
    [STOOK__CONNECT_CONNECTED] = {"connected", 0, TO(RESOLVING) | TO(CONNECTING)},
    [STOOK__CONNECT_LOOKUP_REFUSED] = {"look-up refused", 1, TO(WAITING_FOR_DNS)},
    [STOOK__CONNECT_WAITING_FOR_DNS] = {"waiting for DNS", 0, TO(GATED)},
};

static void move(struct stook__easy *easy, enum stook__connect_state to, const char *why)
{
    struct stook__curl_origin *origin = easy->origin;
    unsigned from = easy->connect;
    (void)why;
    assert(to == STOOK__CONNECT_NONE ? from != STOOK__CONNECT_NONE : states[from].next >> to & 1);
    STOOK__TRACE("curl", "attempt %p: easy handle %p of %.*s: %s -> %s: %s", easy->owner,
                 (void *)easy, (int)origin->node.key_size, origin->node.key, states[from].name,
                 states[to].name, why);
    origin->connecting += states[to].connects - states[from].connects;
    easy->connect = (uint8_t)to;
}

int stook__connect_gate_is_resolving(const struct stook__easy *easy)
{
    return easy->connect == STOOK__CONNECT_RESOLVING || easy->connect == STOOK__CONNECT_HUNG;
}

/* Returns how many more look-ups may begin. */
static size_t free_lookups(const struct stook__engine *engine)
{
    size_t all = engine->n_lookups + engine->n_hung;
    size_t n = engine->n_lookups < LOOKUPS_MAX ? LOOKUPS_MAX - engine->n_lookups : 0;
    size_t n_all = all < LOOKUPS_ALL_MAX ? LOOKUPS_ALL_MAX - all : 0;
    return n < n_all ? n : n_all;
}

/* Counts look-ups that hang apart from the others, then says whether one more may begin. */
static int may_look_up(struct stook__engine *engine, int64_t now)
{
    while (!stook__list_empty(&engine->lookups)) {
        struct stook__easy *oldest = STOOK__OF(struct stook__easy, lookup, engine->lookups.next);
        if (oldest->lookup_at + HUNG_US > now)
            break;
        stook__list_remove(&oldest->lookup);
        move(oldest, STOOK__CONNECT_HUNG, "a second has passed");
        engine->n_lookups--;
        engine->n_hung++;
    }
    return free_lookups(engine) > 0;
}

/* Puts the origin among those whose gate is checked in this turn, if it has easy handles that wait.
   Those that waited for DNS wait at the gate now, if nothing keeps them from a look-up any more. */
static void mark_ready(struct stook__curl_origin *origin)
{
    struct stook__link *link;
    while (origin->probe == NULL && !origin->lookup_limited &&
           (link = stook__list_pop(&origin->waiting_for_dns)) != NULL) {
        move(STOOK__OF(struct stook__easy, link, link), STOOK__CONNECT_GATED, "may look up");
        stook__list_append(&origin->gated, link);
    }
    if (stook__list_empty(&origin->ready) && !stook__list_empty(&origin->gated))
        stook__list_append(&origin->engine->ready, &origin->ready);
}

static void wait_for_lookup(struct stook__curl_origin *origin)
{
    if (stook__list_empty(&origin->waiting_for_lookup))
        stook__list_append(&origin->engine->waiting_for_lookup, &origin->waiting_for_lookup);
}

/* Whether the easy handle may start. It becomes the probe of a cold origin. A new one does not
   overtake other origins that wait for a look-up. */
static int may_start(struct stook__curl_origin *origin, struct stook__easy *easy, int64_t now,
                     int is_new)
{
    struct stook__engine *engine = origin->engine;
    if (origin->connecting >= CONNECTING_MAX)
        return 0;
    if (now < origin->free_until)
        return 1;
    if (origin->probe != NULL)
        return 0;
    int must_queue = is_new && !stook__list_empty(&engine->waiting_for_lookup);
    if (!origin->literal &&
        (must_queue || engine->n_probing == STARTS_MAX || !may_look_up(engine, now))) {
        wait_for_lookup(origin);
        return 0;
    }
    engine->n_probing += (size_t)!origin->literal;
    origin->probe = easy;
    return 1;
}

/* The cap begins when the probe's name is resolved. */
static void begin_cap(struct stook__easy *probe)
{
    struct stook__curl_origin *origin = probe->origin;
    int64_t cap = origin->h2 ? CAP_H2_US : CAP_US;
    if (origin->cap.due == 0)
        stook__timer_heap_set(&origin->engine->caps, &origin->cap,
                              stook__loop_cached(origin->engine->loop) + cap);
}

static void launch(struct stook__easy *easy)
{
    move(easy, STOOK__CONNECT_LAUNCHED,
         easy->origin->probe == easy ? "the probe" : "the gate is open");
    easy->lookup_at = 0;
    if (easy->origin->probe == easy && easy->origin->literal)
        begin_cap(easy);
}

int stook__connect_gate_pass(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    if (stook__list_empty(&origin->gated) &&
        may_start(origin, easy, stook__loop_cached(origin->engine->loop), 1)) {
        launch(easy);
        return 1;
    }
    move(easy, STOOK__CONNECT_GATED, "the gate is closed");
    stook__list_append(&origin->gated, &easy->link);
    return 0;
}

/* Returns why the look-up is refused, so that the easy handle starts again later, or NULL. After a
   request was sent it is not refused: a new start would send the request again. */
static const char *refusal(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    if (easy->sends > 0 || origin->probe == easy)
        return NULL;
    if (origin->probe != NULL)
        return "the probe's look-up is under way";
    if (!easy->sets_address && stook__dropped_lookup_has_address(origin)) {
        easy->sets_address = 1;
        return "the address is known here";
    }
    if (may_look_up(easy->engine, stook__loop_cached(easy->engine->loop)))
        return NULL;
    origin->lookup_limited = 1;
    wait_for_lookup(origin);
    return "too many are under way";
}

int stook__connect_gate_resolving(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    struct stook__curl_origin *origin = easy->origin;
    if (stook__connect_gate_is_resolving(easy))
        return 1;
    if (easy->connect == STOOK__CONNECT_LOOKUP_REFUSED)
        return 0;
    const char *why = refusal(easy);
    if (why != NULL) {
        move(easy, STOOK__CONNECT_LOOKUP_REFUSED, why);
        return 0;
    }
    /* Without a descriptor libcurl would report that the name does not exist. */
    if (stook__sockets_exhausted()) {
        easy->os_error = EMFILE;
        return 0;
    }
    if (origin->probe == NULL)
        origin->probe = easy;
    if (origin->probe == easy) /* the cap begins when this look-up has ended */
        stook__timer_heap_clear(&engine->caps, &origin->cap);
    origin->lookup_limited = 0;
    stook__dropped_lookup_lookup_begins(easy);
    stook__timeout_extension_begin(easy);
    move(easy, STOOK__CONNECT_RESOLVING, "libcurl needs its address");
    easy->lookup_at = stook__loop_cached(engine->loop);
    stook__list_append(&engine->lookups, &easy->lookup);
    engine->n_lookups++;
    return 1;
}

/* Lets the first origin that waits for a look-up have one. An origin without waiting easy handles
   loses its place. */
static void wake_next_origin(struct stook__engine *engine)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&engine->waiting_for_lookup)) != NULL) {
        struct stook__curl_origin *origin =
            STOOK__OF(struct stook__curl_origin, waiting_for_lookup, link);
        origin->lookup_limited = 0;
        if (stook__list_empty(&origin->gated) && stook__list_empty(&origin->waiting_for_dns))
            continue;
        mark_ready(origin);
        return;
    }
}

/* Moves the easy handle on. If that ends its look-up, another origin may have one. */
static void leave(struct stook__easy *easy, enum stook__connect_state to, const char *why)
{
    struct stook__engine *engine = easy->engine;
    int was_resolving = stook__connect_gate_is_resolving(easy);
    if (easy->connect == STOOK__CONNECT_RESOLVING)
        engine->n_lookups--;
    else if (easy->connect == STOOK__CONNECT_HUNG)
        engine->n_hung--;
    move(easy, to, why);
    if (!was_resolving)
        return;
    stook__timeout_extension_end(easy);
    stook__list_remove(&easy->lookup);
    wake_next_origin(engine);
}

void stook__connect_gate_resolved(struct stook__easy *easy)
{
    if (easy->connect == STOOK__CONNECT_LOOKUP_REFUSED)
        return;
    if (easy->connect != STOOK__CONNECT_CONNECTING)
        leave(easy, STOOK__CONNECT_CONNECTING, "a socket is opened");
    if (easy->origin->probe == easy)
        begin_cap(easy);
}

/* The cap goes with the probe: it limits the wait for this one only. */
static void remove_probe(struct stook__curl_origin *origin)
{
    origin->probe = NULL;
    stook__timer_heap_clear(&origin->engine->caps, &origin->cap);
}

/* Opens the gate until then. */
static void open_until(struct stook__curl_origin *origin, int64_t until)
{
    if (origin->free_until < until)
        origin->free_until = until;
    /* A probe whose look-up is under way remains one: a start that needs the name waits for it, a
       start that finds a connection does not. */
    if (origin->probe != NULL && !stook__connect_gate_is_resolving(origin->probe))
        remove_probe(origin);
    mark_ready(origin);
}

void stook__connect_gate_connected(struct stook__easy *easy, const char *address)
{
    struct stook__curl_origin *origin = easy->origin;
    stook__dropped_lookup_address_found(easy, address);
    if (easy->connect != STOOK__CONNECT_CONNECTED)
        leave(easy, STOOK__CONNECT_CONNECTED,
              easy->n_opened > 0 ? "a new connection" : "a kept one");
    open_until(origin, stook__loop_cached(origin->engine->loop) + WARM_US);
}

void stook__connect_gate_used(struct stook__curl_origin *origin)
{
    int64_t until = stook__loop_cached(origin->engine->loop) + WARM_US;
    if (origin->free_until < until)
        origin->free_until = until;
}

/* Ends easy handles that waited for this look-up, with the probe's error. */
static void fail_all(struct stook__link *waiting, const struct stook__easy *probe, CURLcode code)
{
    struct stook__link *link;
    while ((link = stook__list_pop(waiting)) != NULL) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        move(easy, STOOK__CONNECT_NONE, "the probe's look-up failed");
        memcpy(easy->error, probe->error, sizeof easy->error);
        stook__easy_complete(easy, code, "the look-up of its name failed");
    }
}

int stook__connect_gate_restarts(struct stook__easy *easy, CURLcode code)
{
    return easy->connect == STOOK__CONNECT_LOOKUP_REFUSED ||
           (code == CURLE_COULDNT_CONNECT && easy->sends == 0 &&
            stook__dropped_lookup_cached_address_failed(easy));
}

void stook__connect_gate_restart(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    stook__easy_renew(easy);
    move(easy, STOOK__CONNECT_WAITING_FOR_DNS, "nothing was sent");
    if (origin->probe == easy)
        remove_probe(origin);
    stook__list_append(&origin->waiting_for_dns, &easy->link);
    mark_ready(origin);
}

void stook__connect_gate_ended(struct stook__easy *easy, CURLcode code)
{
    struct stook__curl_origin *origin = easy->origin;
    int was_probe = origin->probe == easy;
    int was_resolving = stook__connect_gate_is_resolving(easy);
    if (states[easy->connect].connects)
        stook__dropped_lookup_cached_address_failed(easy);
    if (easy->connect != STOOK__CONNECT_NONE)
        leave(easy, STOOK__CONNECT_NONE, code == CURLE_OK ? "over" : curl_easy_strerror(code));
    if (!was_probe) {
        mark_ready(origin);
        return;
    }
    remove_probe(origin);
    int64_t now = stook__loop_cached(origin->engine->loop);
    if (easy->os_error == EMFILE)
        code = CURLE_OK; /* nothing was tried: the next one becomes the probe */
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
        fail_all(&origin->waiting_for_dns, easy, code);
        if (now >= origin->free_until)
            fail_all(&origin->gated, easy, code);
    } else if (code != CURLE_OK && !was_resolving && easy->owner != NULL) {
        /* An orphaned probe and one that did not get past its look-up did not try to connect. */
        open_until(origin, now + TRIED_US);
    }
    mark_ready(origin);
}

/* Returns the next easy handle that may start at this gate; NULL if none may. */
static struct stook__easy *next_of(struct stook__curl_origin *origin,
                                   struct stook__connect_round *round)
{
    if (round->budget == 0 || stook__list_empty(&origin->gated)) {
        mark_ready(origin);
        return NULL;
    }
    struct stook__easy *easy = STOOK__OF(struct stook__easy, link, origin->gated.next);
    if (!may_start(origin, easy, round->now, 0))
        return NULL;
    round->budget--;
    stook__list_remove(&easy->link);
    launch(easy);
    return easy;
}

struct stook__easy *stook__connect_gates_next(struct stook__connect_round *round)
{
    struct stook__easy *easy = round->origin != NULL ? next_of(round->origin, round) : NULL;
    struct stook__link *link;
    while (easy == NULL && round->budget > 0 &&
           (link = stook__list_pop(&round->engine->ready)) != NULL) {
        round->origin = STOOK__OF(struct stook__curl_origin, ready, link);
        easy = next_of(round->origin, round);
    }
    return easy;
}

struct stook__easy *stook__connect_gates_open(struct stook__engine *engine, int64_t now,
                                              struct stook__connect_round *ret_round)
{
    struct stook__timer *first;
    while ((first = stook__timer_heap_first(&engine->caps)) != NULL && first->due <= now)
        open_until(STOOK__OF(struct stook__curl_origin, cap, first), now + TRIED_US);
    /* n_lookups counts the probes that start here only when libcurl has run, so n_probing bounds
       them. */
    size_t left = !stook__list_empty(&engine->waiting_for_lookup) && may_look_up(engine, now)
                      ? free_lookups(engine)
                      : 0;
    if (left > STARTS_MAX - engine->n_probing)
        left = STARTS_MAX - engine->n_probing;
    for (; left > 0; left--)
        wake_next_origin(engine);
    if (stook__list_empty(&engine->ready))
        return NULL;
    *ret_round = (struct stook__connect_round){.engine = engine, .now = now, .budget = STARTS_MAX};
    return stook__connect_gates_next(ret_round);
}

int stook__connect_gates_busy(const struct stook__engine *engine)
{
    return !stook__list_empty(&engine->ready) ||
           (!stook__list_empty(&engine->waiting_for_lookup) && free_lookups(engine) > 0);
}

int64_t stook__connect_gates_alarm(const struct stook__engine *engine)
{
    int64_t due = stook__timer_heap_due(&engine->caps);
    if (stook__list_empty(&engine->waiting_for_lookup) || stook__list_empty(&engine->lookups))
        return due;
    int64_t hung = STOOK__OF(struct stook__easy, lookup, engine->lookups.next)->lookup_at + HUNG_US;
    return due != 0 && due < hung ? due : hung;
}
