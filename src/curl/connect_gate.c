/* SPDX-License-Identifier: MIT */
/* Who may start towards an origin, and who may look its name up; see connect_gate.h. */
#include "curl/connect_gate.h"

#include <errno.h>
#include <string.h>

#include "curl/dns.h"
#include "curl/quirks/timeout_extension.h"
#include "curl/socket.h"
#include "loop/loop.h"

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
        oldest->hung = 1;
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

/* The name of a literal probe is resolved already: its cap begins. */
static void launch(struct stook__easy *easy)
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
        may_start(origin, easy, stook__engine_time(origin->engine), 1)) {
        launch(easy);
        return 1;
    }
    stook__list_append(&origin->gated, &easy->link);
    return 0;
}

/* Whether the look-up is refused and the easy handle starts again later. Not after a request was
   sent: a new start would send it again. */
static int must_return(struct stook__easy *easy)
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
    easy->sent_back = must_return(easy);
    if (easy->sent_back)
        return 0;
    /* Without a descriptor libcurl would report that the name does not exist. */
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
    wake_next_origin(engine);
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
    if (origin->probe != NULL && !origin->probe->resolving)
        remove_probe(origin);
    mark_ready(origin);
}

void stook__connect_gate_connected(struct stook__easy *easy, const char *address)
{
    struct stook__curl_origin *origin = easy->origin;
    stook__dns_address_found(easy, address);
    end_lookup(easy);
    end_connecting(easy);
    open_until(origin, stook__engine_time(origin->engine) + WARM_US);
}

/* Ends easy handles that waited for this look-up, with the probe's error. */
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
    mark_ready(origin);
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
        mark_ready(origin);
        return;
    }
    remove_probe(origin);
    int64_t now = stook__engine_time(origin->engine);
    if (easy->os_error == EMFILE)
        code = CURLE_OK; /* nothing was tried: the next one becomes the probe */
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
        fail_all(&origin->waiting_for_dns, easy, code);
        if (now >= origin->free_until)
            fail_all(&origin->gated, easy, code);
    } else if (code != CURLE_OK && !looked_up && easy->owner != NULL) {
        /* An orphaned probe and one that did not get past its look-up did not try to connect. */
        open_until(origin, now + TRIED_US);
    }
    mark_ready(origin);
}

/* Starts what may start. Returns the rest of the budget. */
static int run_gate(struct stook__curl_origin *origin, int64_t now, int budget)
{
    for (; budget > 0 && !stook__list_empty(&origin->gated); budget--) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, origin->gated.next);
        if (!may_start(origin, easy, now, 0))
            return budget;
        stook__list_remove(&easy->link);
        launch(easy);
        stook__easy_launch(easy);
    }
    mark_ready(origin);
    return budget;
}

void stook__connect_gates_open(struct stook__engine *engine, int64_t now)
{
    struct stook__link *link;
    int budget = STARTS_MAX;
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
    while (budget > 0 && (link = stook__list_pop(&engine->ready)) != NULL)
        budget = run_gate(STOOK__OF(struct stook__curl_origin, ready, link), now, budget);
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
