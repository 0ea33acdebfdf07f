/* SPDX-License-Identifier: MIT */
/*
 * Reports; see report.h. No other file prints, but for traces. The dump goes to the program's own
 * stream.
 */
#include "core/report.h"

#include <inttypes.h>
#include <string.h>

#include "core/client_state.h"
#include "http/attempt.h"
#include "http/preview.h"
#include "loop/loop.h"
#include "request/to_curl.h"

/* -------------------------------------------------------------------------------------- states */

static int state_of_waiting(const stook_batch *batch, const struct stook__job *job)
{
    switch (stook__sched_reason(&batch->client->sched, job)) {
    case STOOK__BY_AWAIT:
        return batch->state == STOOK__OPEN ? STOOK_STATE_QUEUED_AWAIT : STOOK_STATE_QUEUED;
    case STOOK__BY_WINDOW:
        return batch->results.paused ? STOOK_STATE_QUEUED_PAUSED : STOOK_STATE_QUEUED_WINDOW;
    case STOOK__BY_BATCH:
        return STOOK_STATE_QUEUED_BATCH;
    case STOOK__BY_ORIGIN:
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
    case STOOK__PHASE_FILES:
        return STOOK_STATE_FILES;
    case STOOK__PHASE_GATE:
        return STOOK_STATE_GATE;
    case STOOK__PHASE_RESOLVING:
        return STOOK_STATE_RESOLVING;
    case STOOK__PHASE_CONNECTING:
        return STOOK_STATE_CONNECTING;
    case STOOK__PHASE_TLS:
        return STOOK_STATE_TLS;
    case STOOK__PHASE_SENDING:
        return STOOK_STATE_SENDING;
    case STOOK__PHASE_RECEIVING:
        return STOOK_STATE_RECEIVING;
    case STOOK__PHASE_PAUSED:
        return STOOK_STATE_PAUSED;
    case STOOK__PHASE_PAUSED_BUFFER:
        return STOOK_STATE_PAUSED_BUFFER;
    default:
        return STOOK_STATE_WAITING;
    }
}

static int state_of(const stook_batch *batch, const struct stook_result *record)
{
    if (record->state == STOOK__REQUEST_FINISHED)
        return batch->results.open && !batch->results.options.borrowed ? STOOK_STATE_DONE
                                                                       : STOOK_STATE_FINISHED;
    return record->state == STOOK__REQUEST_ATTEMPTING ? state_of_running(record->attempt)
                                                      : state_of_waiting(batch, &record->job);
}

int stook__report_state(const stook_batch *batch, size_t index)
{
    if (batch->client == NULL || stook__client_is_forked(batch->client))
        return STOOK_STATE_NONE;
    struct stook__result_entry *entry = stook__sparse_array_get(&batch->results.entries, index);
    return entry != NULL ? state_of(batch, stook__record_of_entry(entry)) : STOOK_STATE_NONE;
}

const char *stook__report_text(int state)
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

/* ----------------------------------------------------------------------------------- statistics */

void stook__report_client(const stook_client *client, struct stook_stats *ret_stats)
{
    const struct stook__stats *stats = &client->stats;
    /* Counters change meanwhile. In this order no request is seen to finish before it was added. */
    *ret_stats = STOOK_STATS();
    ret_stats->failed = stook__stat_read(stats, STOOK__STAT_FAILED);
    ret_stats->finished = stook__stat_read(stats, STOOK__STAT_FINISHED);
    ret_stats->repeated = stook__stat_read(stats, STOOK__STAT_REPEATED);
    ret_stats->started = stook__stat_read(stats, STOOK__STAT_STARTED);
    ret_stats->added = stook__stat_read(stats, STOOK__STAT_ADDED);
}

/* Adds the bytes of requests in flight. Those of finished attempts are in `bytes_received`. */
static void add_bytes(const stook_batch *batch, struct stook_batch_stats *stats)
{
    const struct stook__link *running = &batch->group.running;
    for (const struct stook__link *link = running->next; link != running; link = link->next) {
        const struct stook_result *record = STOOK__OF(
            const struct stook_result, job, STOOK__OF(const struct stook__job, link, link));
        int64_t expected;
        if (record->state != STOOK__REQUEST_ATTEMPTING)
            continue;
        int64_t received = stook__attempt_received(record->attempt, &expected);
        stats->bytes_received += received;
        stats->bytes_expected += expected > received ? expected : received;
    }
}

int stook__report_batch(const stook_batch *batch, struct stook_batch_stats *ret_stats)
{
    const struct stook__result_queue *results = &batch->results;
    if (batch->client != NULL && stook__client_is_forked(batch->client))
        return STOOK_ESTATE;
    *ret_stats = STOOK_BATCH_STATS();
    ret_stats->added = (int64_t)results->count;
    ret_stats->finished = (int64_t)results->arrived;
    ret_stats->failed = (int64_t)results->failed;
    ret_stats->in_flight = (int64_t)batch->group.n_running;
    ret_stats->waiting = ret_stats->added - ret_stats->finished - ret_stats->in_flight;
    ret_stats->bytes_received = ret_stats->bytes_expected = batch->bytes_received;
    add_bytes(batch, ret_stats);
    return 0;
}

/* ---------------------------------------------------------------------------------------- dump */

enum { REQUESTS_MAX = 20, URL_MAX = 100 }; /* requests of a batch, bytes of a URL */

static void print_limit(FILE *to, const char *what, size_t limit)
{
    if (limit < SIZE_MAX)
        fprintf(to, ", %s %zu", what, limit);
}

static int64_t since_ms(int64_t then)
{
    return then > 0 ? (stook__loop_now() - then) / 1000 : 0;
}

/* Bytes before the last @ in the authority of a URL without its scheme; 0: there is none. */
static size_t credentials_of(const char *url)
{
    size_t size = strcspn(url, "/?#");
    while (size > 0 && url[size] != '@')
        size--;
    return size;
}

/* Dumps go to logs and terminals, and the URL of a waiting request was not checked yet. So this
   prints neither its query nor credentials nor control bytes. */
static void print_url(FILE *to, const char *url)
{
    const char *authority = strstr(url, "://");
    size_t scheme = authority != NULL ? (size_t)(authority + 3 - url) : 0,
           secret = credentials_of(url + scheme);
    size_t end = strcspn(url, "?#"), shown = end < URL_MAX ? end : URL_MAX;
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
    int64_t from =
        record->state == STOOK__REQUEST_ATTEMPTING ? record->job.attempt_at : record->job.added_at;
    fprintf(to, "    %zu: %s for %" PRId64 " ms, attempt %u, ", (size_t)record->entry.index,
            stook__report_text(state_of(batch, record)), since_ms(from),
            (unsigned)record->job.attempts);
    print_url(to, record->spec.url);
}

static void print_requests(FILE *to, const stook_batch *batch, int running)
{
    const struct stook__sparse_array *entries = &batch->results.entries;
    size_t shown = 0, left = running ? batch->group.n_running : batch->group.n_waiting;
    for (size_t i = stook__sparse_array_next(entries, 0);
         i != SIZE_MAX && left > 0 && shown < REQUESTS_MAX;
         i = stook__sparse_array_next(entries, i + 1)) {
        const struct stook_result *record =
            stook__record_of_entry(stook__sparse_array_get(entries, i));
        if (record->state == STOOK__REQUEST_FINISHED ||
            (record->job.state == STOOK__JOB_RUNNING) != running)
            continue;
        print_request(to, batch, record);
        shown++, left--;
    }
    if (left > 0)
        fprintf(to, "    and %zu more %s\n", left, running ? "in flight" : "waiting");
}

static void print_batch(FILE *to, const stook_batch *batch)
{
    static const char *const states[] = {"not awaited yet", "awaited", "done"};
    const struct stook__result_queue *results = &batch->results;
    fprintf(to, "  batch %p: %s%s, %zu added, %zu in flight, %zu waiting", (const void *)batch,
            states[batch->state], results->options.ordered ? " in order" : "", results->count,
            batch->group.n_running, batch->group.n_waiting);
    print_limit(to, "limit", batch->group.open ? batch->group.limit : SIZE_MAX);
    fprintf(to, ", %zu %s", results->delivered, results->options.borrowed ? "delivered" : "kept");
    if (results->options.borrowed)
        fprintf(to, ", %zu bytes buffered", results->flow.result_bytes);
    fprintf(to, "%s%s%s\n", results->paused ? ", paused" : "",
            batch->more_idle ? ", `more` has nothing now" : "",
            batch->end.scope != STOOK__END_NONE && batch->state != STOOK__DONE ? ", ending" : "");
    print_requests(to, batch, 1);
    print_requests(to, batch, 0);
}

int stook__report_dump(const stook_client *client, FILE *to)
{
    if (stook__client_is_forked(client))
        return STOOK_ESTATE;
    fprintf(to, "client %p: %zu in flight, %zu waiting", (const void *)client,
            client->sched.n_running, client->sched.n_waiting);
    print_limit(to, "limit", client->sched.limit);
    print_limit(to, "limit of each origin", client->sched.origin_limit);
    fprintf(to, "%s%s\n", client->sched.starved ? ", out of descriptors or ports" : "",
            stook__client_is_closing(client)          ? ", closing"
            : client->state == STOOK__CLIENT_DRAINING ? ", draining"
                                                      : "");
    for (const struct stook__link *link = client->batches.next; link != &client->batches;
         link = link->next)
        print_batch(to, STOOK__OF(const stook_batch, link, link));
    return 0;
}

/* ------------------------------------------------------------------------------------- command */

int64_t stook__report_curl(const stook_client *client, const struct stook_request *request,
                           int secrets, char *buffer, size_t size)
{
    struct stook_request mine = *request;
    struct stook_result *record = NULL;
    struct stook__buffer preview = {0};
    const char *why;
    if (mine.body != NULL)
        mine.body_release = NULL; /* the body stays the program's */
    int64_t written = stook__record_new(client->allocator, &client->settings, &mine, &record, &why);
    if (written == 0)
        written = record->error;
    if (written == 0)
        written = stook__preview(client->defaults, &record->spec, record->job.settings, &preview);
    if (written == 0)
        written = stook__to_curl(&record->spec, record->job.settings, preview.data, secrets, buffer,
                                 size);
    stook__buffer_free(&preview, client->allocator);
    stook__record_drop(record);
    return written;
}
