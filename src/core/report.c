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
#include "sched/gate.h"
#include "sched/reason.h"
#include "sched/target.h"

/* -------------------------------------------------------------------------------------- states */

int stook__report_waiting(const stook_batch *batch, const struct stook__job *job)
{
    switch (stook__sched_reason(&batch->client->sched, job, stook__loop_now(), NULL)) {
    case STOOK__BY_AWAIT:
        return batch->state == STOOK__OPEN ? STOOK_STATE_QUEUED_AWAIT : STOOK_STATE_QUEUED;
    case STOOK__BY_WINDOW:
        return batch->results.paused ? STOOK_STATE_QUEUED_PAUSED : STOOK_STATE_QUEUED_WINDOW;
    case STOOK__BY_BATCH:
        return STOOK_STATE_QUEUED_BATCH;
    case STOOK__BY_ORIGIN:
        return STOOK_STATE_QUEUED_ORIGIN;
    case STOOK__BY_SENDER:
        return STOOK_STATE_SHARING;
    case STOOK__BY_DELAY:
        return STOOK_STATE_QUEUED_DELAY;
    case STOOK__BY_BACKOFF:
        return STOOK_STATE_BACKOFF;
    case STOOK__BY_CIRCUIT:
        return STOOK_STATE_QUEUED_CIRCUIT;
    case STOOK__BY_COOLDOWN:
        return STOOK_STATE_QUEUED_COOLDOWN;
    case STOOK__BY_PROBE:
        return STOOK_STATE_QUEUED_PROBE;
    case STOOK__BY_RATE:
        return STOOK_STATE_QUEUED_RATE;
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
                                                      : stook__report_waiting(batch, &record->job);
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
    /* `n_running` counts a hedge too. */
    ret_stats->waiting = (int64_t)batch->group.n_waiting;
    ret_stats->in_flight = ret_stats->added - ret_stats->finished - ret_stats->waiting;
    ret_stats->bytes_received = ret_stats->bytes_expected = batch->bytes_received;
    add_bytes(batch, ret_stats);
    return 0;
}

/* -------------------------------------------------------------------------------------- origins */

static int64_t rest_ms(int64_t until, int64_t now)
{
    return until > now ? (until - now + 999) / 1000 : 0;
}

/* Requests whose URL names no origin have one without a name, which is left out. */
static struct stook__origin *origin_at(const struct stook__sched *sched, size_t i)
{
    const struct stook__link *lists[] = {&sched->origins, &sched->kept_origins};
    for (size_t k = 0; k < 2; k++)
        for (struct stook__link *link = lists[k]->next; link != lists[k]; link = link->next) {
            struct stook__origin *origin = STOOK__OF(struct stook__origin, sched.all, link);
            if (origin->node.key_size > 0 && i-- == 0)
                return origin;
        }
    return NULL;
}

static void describe_flow(const struct stook__sched *sched, const struct stook__origin_flow *flow,
                          int64_t now, struct stook_origin *ret_origin)
{
    for (size_t i = 0; i < sched->rules.n_by_origin; i++) {
        const struct stook__rate_bucket *bucket = &flow->buckets[i];
        int64_t ms = rest_ms(stook__bucket_ready_at(&bucket->level, bucket->rate, 1), now);
        ret_origin->rate_ms = ms > ret_origin->rate_ms ? ms : ret_origin->rate_ms;
    }
    ret_origin->circuit = flow->circuit.state;
    if (flow->circuit.state == STOOK__CIRCUIT_OPEN)
        ret_origin->circuit_ms = rest_ms(flow->circuit.until, now);
    ret_origin->failures = flow->circuit.failures;
    ret_origin->retries = stook__budget_retries(&flow->budget, now);
    ret_origin->first_byte_us = stook__latency_quantile(&flow->latency, 50);
    ret_origin->first_byte_95_us = stook__latency_quantile(&flow->latency, 95);
}

int stook__report_origin(const stook_client *client, size_t i, struct stook_origin *ret_origin)
{
    if (!stook__client_is_usable(client))
        return STOOK_ESTATE;
    struct stook__origin *origin = origin_at(&client->sched, i);
    if (origin == NULL)
        return STOOK_ESTATE;
    const struct stook__target *target = stook__target_find(&client->sched, origin, NULL);
    int64_t now = stook__loop_now();
    size_t limit = stook__gate_origin_limit(&client->sched, origin);
    *ret_origin = STOOK_ORIGIN();
    ret_origin->name = origin->node.key;
    ret_origin->in_flight = (int64_t)origin->sched.n_running;
    ret_origin->waiting = (int64_t)origin->sched.n_waiting;
    ret_origin->limit = limit == SIZE_MAX ? STOOK_NONE : (int64_t)limit;
    if (target != NULL && target->state == STOOK__TARGET_COOLING)
        ret_origin->cooldown_ms = rest_ms(target->cool_until, now);
    if (origin->sched.flow != NULL)
        describe_flow(&client->sched, origin->sched.flow, now, ret_origin);
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

/* Which bucket it is that refuses a request. */
static void print_rate(FILE *to, const struct stook__rate *rate)
{
    static const char *const by[] = {[STOOK_RATE_BY_ORIGIN] = "origin",
                                     [STOOK_RATE_BY_CLIENT] = "client",
                                     [STOOK_RATE_BY_KEY] = "rate_key"};
    if (rate != NULL)
        fprintf(to, " (%" PRId64 " %s per %" PRId64 " ms by %s)", rate->count,
                rate->of == STOOK_RATE_OF_COST ? "cost" : "requests", rate->per_ms, by[rate->by]);
}

/* What is known of the reason why a request waits: the cause, and for how long. */
static void print_wait(FILE *to, stook_client *client, const struct stook__job *job)
{
    const struct stook__rate *rate;
    int64_t until, now = stook__loop_now();
    switch (stook__sched_reason(&client->sched, job, now, &until)) {
    case STOOK__BY_RATE:
        (void)stook__gates_rate_until(&client->sched, job, &rate);
        print_rate(to, rate);
        break;
    case STOOK__BY_COOLDOWN:
        fprintf(to, " (HTTP %d)", job->queue->key.target->status);
        break;
    case STOOK__BY_BACKOFF:
        fprintf(to, " (before attempt %u)", job->attempts + 1u);
        break;
    default:
        break;
    }
    if (until > now)
        fprintf(to, ", %" PRId64 " ms more", rest_ms(until, now));
}

static void print_request(FILE *to, const stook_batch *batch, const struct stook_result *record)
{
    int64_t from =
        record->state == STOOK__REQUEST_ATTEMPTING ? record->job.attempt_at : record->job.added_at;
    fprintf(to, "    %zu: %s for %" PRId64 " ms", (size_t)record->entry.index,
            stook__report_text(state_of(batch, record)), since_ms(from));
    if (record->state == STOOK__REQUEST_QUEUED && batch->client != NULL)
        print_wait(to, batch->client, &record->job);
    fprintf(to, ", attempt %u, ", (unsigned)record->job.attempts);
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
            batch->more_idle != STOOK__MORE_READY ? ", `more` has nothing now" : "",
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
