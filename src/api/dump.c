/* SPDX-License-Identifier: MIT */
/* A client for people to read. The only file that prints, and only where the program says. */
#include <inttypes.h>
#include <string.h>

#include "api/input.h"
#include "api/state.h"
#include "loop/loop.h"

enum { SHOWN = 20, URL_SHOWN = 100 }; /* requests of a batch, bytes of a URL */

static void print_limit(FILE *to, const char *what, size_t limit)
{
    if (limit < SIZE_MAX)
        fprintf(to, ", %s %zu", what, limit);
}

static int64_t since_ms(int64_t then)
{
    return then > 0 ? (stook__loop_now() - then) / 1000 : 0;
}

/* Bytes of `url` before the last @ of its authority, the scheme not counted; 0: there is none. */
static size_t credentials_of(const char *url)
{
    size_t size = strcspn(url, "/?#");
    while (size > 0 && url[size] != '@')
        size--;
    return size;
}

/* Dumps go to logs and to terminals, and a URL may be anything yet: without its query, without
   credentials, which are refused only later, and without bytes that a terminal obeys. */
static void print_url(FILE *to, const char *url)
{
    const char *authority = strstr(url, "://");
    size_t scheme = authority != NULL ? (size_t)(authority + 3 - url) : 0, secret = credentials_of(url + scheme);
    size_t end = strcspn(url, "?#"), shown = end < URL_SHOWN ? end : URL_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        if (i == scheme && secret > 0) {
            fputs("...", to);
            i += secret;
        }
        putc(url[i] >= ' ' && url[i] < 127 ? url[i] : '?', to);
    }
    fputs(shown < end || url[end] != '\0' ? "...\n" : "\n", to);
}

static void print_request(FILE *to, const stook_batch *batch, const struct stook_result *record)
{
    int64_t from = record->stage == STOOK__TRYING ? record->job.attempt_at : record->job.added_at;
    fprintf(to, "    %zu: %s for %" PRId64 " ms, attempt %u, ", (size_t)record->parcel.index,
            stook_state_text(stook__state_of(batch, record)), since_ms(from), (unsigned)record->job.attempts);
    print_url(to, record->spec.url);
}

static void print_requests(FILE *to, const stook_batch *batch, int running)
{
    const struct stook__pages *parcels = &batch->tray.parcels;
    size_t shown = 0, left = running ? batch->group.n_running : batch->group.n_waiting;
    for (size_t i = stook__pages_next(parcels, 0); i != SIZE_MAX && left > 0 && shown < SHOWN;
         i = stook__pages_next(parcels, i + 1)) {
        const struct stook_result *record = stook__record_of_parcel(stook__pages_get(parcels, i));
        if (record->stage == STOOK__OVER || (record->job.state == STOOK__RUNNING) != running)
            continue;
        print_request(to, batch, record);
        shown++, left--;
    }
    if (left > 0)
        fprintf(to, "    and %zu more %s\n", left, running ? "in flight" : "that wait");
}

static void print_batch(FILE *to, const stook_batch *batch)
{
    static const char *const states[] = {"not awaited yet", "awaited", "done"};
    const struct stook__tray *tray = &batch->tray;
    fprintf(to, "  batch %p: %s%s, %zu added, %zu in flight, %zu wait", (const void *)batch, states[batch->state],
            tray->terms.ordered ? " in order" : "", tray->count, batch->group.n_running, batch->group.n_waiting);
    print_limit(to, "limit", batch->group.open ? batch->group.limit : SIZE_MAX);
    fprintf(to, ", %zu %s", tray->delivered, tray->terms.lent ? "delivered" : "kept");
    if (tray->terms.lent)
        fprintf(to, ", %zu bytes held", tray->held);
    fprintf(to, "%s%s%s\n", tray->paused ? ", paused" : "", batch->later ? ", `more` has nothing now" : "",
            batch->verdict != 0 && batch->state != STOOK__DONE ? ", ending" : "");
    print_requests(to, batch, 1);
    print_requests(to, batch, 0);
}

int stook_client_dump(const stook_client *client, FILE *to)
{
    if (client == NULL || to == NULL)
        return STOOK_EARG;
    if (stook__input_forked(client))
        return STOOK_ESTATE;
    fprintf(to, "client %p: %zu in flight, %zu wait", (const void *)client, client->sched.n_running, client->sched.n_waiting);
    print_limit(to, "limit", client->sched.limit);
    print_limit(to, "limit of each origin", client->sched.site_limit);
    fprintf(to, "%s%s\n", client->sched.starved ? ", out of descriptors or ports" : "", client->closing ? ", closing" : "");
    for (const struct stook__link *link = client->batches.next; link != &client->batches; link = link->next)
        print_batch(to, STOOK__OF(const stook_batch, link, link));
    return 0;
}
