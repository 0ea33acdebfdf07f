/* SPDX-License-Identifier: MIT */
/* A multi handle, its timeout, and the calls that run libcurl for it; see multi_state.h. */
#include "curl/multi_state.h"

#include "curl/engine_state.h"
#include "curl/quirks/next_address.h"
#include "curl/quirks/timeout_extension.h"
#include "loop/loop.h"

enum { ROUNDS = 4 }; /* how often a timeout runs in one turn; more would starve the program */

struct stook__multi *stook__multi_new(struct stook__engine *engine)
{
    struct stook__multi *multi = stook__alloc(engine->allocator, sizeof *multi);
    if (multi == NULL)
        return NULL;
    multi->engine = engine;
    stook__list_init(&multi->easies);
    stook__list_init(&multi->connected);
    stook__list_init(&multi->unread);
    stook__list_init(&multi->due);
    stook__list_append(&engine->multis, &multi->all);
    return multi;
}

/* libcurl calls this from inside its own functions, so it only records the timeout. A timeout of 0
   is not rounded up to 1 ms: it runs in this turn. */
int stook__multi_set_timeout(CURLM *curlm, long timeout_ms, void *user)
{
    struct stook__multi *multi = user;
    struct stook__engine *engine = multi->engine;
    (void)curlm;
    stook__list_remove(&multi->due);
    if (timeout_ms == 0)
        stook__list_append(&engine->due, &multi->due);
    if (timeout_ms > 0)
        stook__timer_heap_set(&engine->timeouts, &multi->timeout,
                              stook__loop_now() + (int64_t)timeout_ms * 1000);
    else
        stook__timer_heap_clear(&engine->timeouts, &multi->timeout);
    return 0;
}

void stook__multi_mark_unread(struct stook__multi *multi)
{
    if (stook__list_empty(&multi->unread))
        stook__list_append(&multi->engine->unread, &multi->unread);
}

void stook__multi_action(struct stook__multi *multi, curl_socket_t fd, int events)
{
    int running; /* libcurl up to 8.21 does not accept NULL */
    if (multi->curlm == NULL || multi->broken != CURLM_OK)
        return;
    stook__multi_mark_unread(multi);
    stook__timeout_extension_renew(multi->engine);
    multi->engine->now = stook__loop_cached(multi->engine->loop);
    CURLMcode code = curl_multi_socket_action(multi->curlm, fd, events, &running);
    if (code != CURLM_OK && code != CURLM_CALL_MULTI_PERFORM)
        multi->broken = code;
    else
        stook__next_address(multi->engine);
}

void stook__multi_make_due(struct stook__multi *multi)
{
    stook__multi_mark_unread(multi);
    if (stook__list_empty(&multi->due))
        stook__list_append(&multi->engine->due, &multi->due);
}

int stook__multi_run_timeout(struct stook__multi *multi)
{
    for (int round = 0; round < ROUNDS && !stook__list_empty(&multi->due); round++) {
        stook__list_remove(&multi->due);
        stook__multi_action(multi, CURL_SOCKET_TIMEOUT, 0);
    }
    return !stook__list_empty(&multi->due);
}
