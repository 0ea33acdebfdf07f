/* SPDX-License-Identifier: MIT */
/* The transfers of one CURLM, and what happens to them when it breaks; see multi.h. */
#include "curl/multi.h"

#include "curl/connect_gate.h"
#include "curl/direct.h"
#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/multi_state.h"
#include "curl/origin.h"
#include "curl/quirks/tls_close.h"
#include "curl/socket.h"
#include "loop/loop.h"

/* Of libcurl 8.20; the headers that we are built with may be older. */
#define RESOLVE_THREADS_MAX ((CURLMoption)(CURLOPTTYPE_LONG + 20))
#define QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

static CURLM *make_multi(struct stook__multi *multi)
{
    CURLM *curlm = curl_multi_init();
    if (curlm == NULL)
        return NULL;
    /* From 8.20 on; older versions reject the options. With fewer threads than look-ups, look-ups
       that hang would delay others. Each may take two threads, one per address family. QUICK_EXIT
       detaches a thread whose result is not needed any more, where libcurl would join it. */
    curl_multi_setopt(curlm, RESOLVE_THREADS_MAX, 512L);
    curl_multi_setopt(curlm, QUICK_EXIT, 1L);
    curl_multi_setopt(curlm, CURLMOPT_SOCKETFUNCTION, stook__sockets_announced);
    curl_multi_setopt(curlm, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(curlm, CURLMOPT_TIMERFUNCTION, stook__multi_set_timeout);
    curl_multi_setopt(curlm, CURLMOPT_TIMERDATA, multi);
    /* The default depends on the number of running transfers: it closes connections when a batch
       ends. */
    curl_multi_setopt(curlm, CURLMOPT_MAXCONNECTS, 4096L);
    return curlm;
}

int stook__multi_add(struct stook__multi *multi, struct stook__easy *easy)
{
    if (multi->curlm == NULL)
        multi->curlm = make_multi(multi);
    /* Newer versions (8.20, not yet 8.14) need descriptors for it. */
    if (multi->curlm == NULL)
        return stook__sockets_exhausted() ? STOOK_ENOFD : STOOK_ENOMEM;
    CURLMcode code = curl_multi_add_handle(multi->curlm, easy->curl);
    if (code == CURLM_OUT_OF_MEMORY)
        return STOOK_ENOMEM;
    /* By on_easy. The CURLM is none the worse for it. */
    if (code == CURLM_ADDED_ALREADY) {
        easy->taken = 1;
        return STOOK_ECALLBACK;
    }
    if (code != CURLM_OK) {
        multi->broken = code;
        stook__multi_mark_unread(multi);
        return STOOK_ERESET;
    }
    easy->multi = multi;
    multi->direct = easy->origin->direct; /* these have CURLMs of their own */
    multi->n_handles++;
    stook__list_append(&multi->easies, &easy->link);
    multi->engine->n_running++;
    return 0;
}

void stook__multi_unpause(struct stook__easy *easy)
{
    if (easy->program_paused)
        stook__sockets_program_resumed(easy);
    easy->multi->n_paused -= (size_t)easy->paused;
    easy->paused = 0;
}

/* Discards what libcurl keeps of a paused response body: 7.88 does not free it if other transfers
   use the connection. Resuming makes libcurl pass the bytes to on_write(), which refuses them
   because there is no owner. */
static void discard_body(struct stook__easy *easy)
{
    void *owner = easy->owner;
    if (!easy->paused)
        return;
    easy->owner = NULL;
    curl_easy_pause(easy->curl, CURLPAUSE_SEND);
    easy->owner = owner;
}

void stook__multi_remove(struct stook__easy *easy)
{
    stook__sockets_give_up(easy);
    stook__list_remove(&easy->next_address);
    discard_body(easy);
    curl_multi_remove_handle(easy->multi->curlm, easy->curl);
    stook__multi_unpause(easy);
    easy->multi->n_handles--;
    easy->multi = NULL;
    if (stook__easy_has_connection(easy))
        stook__direct_close(easy);
    else
        easy->engine->n_running--;
    stook__tls_close_expect(easy->engine);
    if (easy->origin != NULL)
        stook__curl_origin_leave(easy->origin, easy->multi_index);
}

void stook__multi_close_dead(struct stook__engine *engine)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&engine->dead)) != NULL) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        stook__multi_remove(easy);
        stook__easy_free(easy);
    }
}

/* Destroys the CURLM. The next easy handle that enters creates another. */
static void discard(struct stook__multi *multi)
{
    curl_multi_cleanup(multi->curlm);
    stook__sockets_leave(multi);
    multi->curlm = NULL;
    multi->broken = CURLM_OK;
    stook__list_remove(&multi->due);
    stook__timer_heap_clear(&multi->engine->timeouts, &multi->timeout);
}

int stook__multi_clear(struct stook__multi *multi)
{
    if (multi->curlm == NULL || multi->n_handles > 0)
        return 0;
    discard(multi);
    return 1;
}

/* After an error of the CURLM the state of its transfers is not known, so all of them fail. They
   are removed from it before it is destroyed, those included that completed and are not given back.
   */
static void rebuild(struct stook__multi *multi)
{
    struct stook__link *completed = &multi->engine->completed;
    while (!stook__list_empty(&multi->easies)) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, multi->easies.next);
        easy->broken = multi->broken;
        stook__connect_gate_ended(easy, CURLE_FAILED_INIT);
        stook__list_remove(&easy->link);
        stook__easy_complete(easy, easy->code, "its CURLM is broken");
    }
    while (!stook__list_empty(&multi->connected)) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, connected, multi->connected.next);
        if (easy->state == STOOK__EASY_STARTED) {
            easy->broken = multi->broken;
            stook__list_remove(&easy->link);
            stook__easy_complete(easy, CURLE_FAILED_INIT, "its CURLM is broken");
        }
        if (easy->state == STOOK__EASY_POOLED)
            stook__curl_origin_drop(easy);
        else
            stook__multi_remove(easy);
    }
    stook__multi_close_dead(multi->engine);
    for (struct stook__link *link = completed->next; link != completed; link = link->next) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        if (easy->multi == multi)
            stook__multi_remove(easy);
    }
    discard(multi);
}

void stook__multi_read_messages(struct stook__multi *multi)
{
    int left;
    CURLMsg *message;
    struct stook__link restart, *link;
    stook__list_init(&restart);
    if (multi->broken != CURLM_OK)
        rebuild(multi);
    if (multi->curlm == NULL)
        return;
    while ((message = curl_multi_info_read(multi->curlm, &left)) != NULL) {
        struct stook__easy *easy = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&easy);
        stook__list_remove(&easy->link);
        if (stook__connect_gate_restarts(easy, code)) {
            stook__list_append(&restart, &easy->link);
            continue;
        }
        stook__connect_gate_ended(easy, code);
        if (code == CURLE_OK && easy->origin->direct && easy->state == STOOK__EASY_STARTED)
            stook__direct_connected(easy);
        else
            stook__easy_complete(easy, code, "libcurl has completed it");
    }
    while ((link = stook__list_pop(&restart)) != NULL) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, link, link);
        stook__multi_remove(easy);
        stook__connect_gate_restart(easy);
    }
}

void stook__multi_free(struct stook__multi *multi)
{
    if (multi == NULL)
        return;
    if (multi->curlm != NULL)
        discard(multi);
    stook__list_remove(&multi->all);
    stook__list_remove(&multi->unread);
    stook__free(multi->engine->allocator, multi);
}
